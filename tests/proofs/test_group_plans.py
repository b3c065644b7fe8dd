"""No plan of groups breaks a hard rule, by a checker that knows nothing of how plans are made."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from clinic.bench.groups import a_wing, disrupted, published
from clinic.groups import plan_commands
from clinic.groups.models import GroupPlan
from scheduling.group_checker import breaches
from scheduling.group_placing import place
from scheduling.group_solver import Options, Solved, solve
from scheduling.groups import GroupFacts
from tests.factories.prison_groups import a_prison_with_groups
from tests.support.server import run_command

WINGS = 200


def wing(seed: int) -> GroupFacts:
    dice = random.Random(seed)
    return a_wing(
        seed, people=dice.randint(1, 20), rooms=dice.randint(1, 3),
        facilitators=dice.randint(2, 8), estates=dice.randint(1, 4), days=dice.choice((7, 14, 28)),
    )  # fmt: skip


@pytest.mark.proof
@pytest.mark.proves("PS-24", "PS-26", "PS-27", "TT-22")
def test_no_plan_of_200_wings_breaks_a_hard_rule() -> None:
    briefly = Options(seconds=1, workers=1)

    for seed in range(WINGS):
        facts = wing(seed)
        solved = _solved_well(facts, briefly)
        if seed % 4 == 0:
            _solved_well(disrupted(published(facts, solved.plan), seed), briefly)


def _solved_well(facts: GroupFacts, options: Options) -> Solved:
    solved = solve(facts, options)
    assert breaches(facts, solved.plan.sessions) == []
    assert solved.plan.points <= place(facts).points
    assert all(level.gap >= 0 for level in solved.levels)
    return solved


@pytest.mark.proof
def test_a_plan_whose_process_is_killed_has_failed_and_the_next_is_worked_out(
    fresh_database, fresh_url
) -> None:
    made = a_prison_with_groups(fresh_database, at=datetime.now(UTC))
    for _ in range(3):
        made.someone()
    tomorrow = made.act().today + timedelta(days=1)
    first = plan_commands.ask_plan(made.act(), first_on=tomorrow).id
    made.prison.close()

    def plan():
        with fresh_database.reading() as session:
            return session.get_one(GroupPlan, first)

    with subprocess.Popen(
        [sys.executable, "-m", "clinic.cli", "groups", "plan", str(first)],
        env=os.environ | {"THROUGHCARE_MODE": "test", "THROUGHCARE_DATABASE_URL": fresh_url},
    ) as process:
        while plan().began_at is None:
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()

    assert plan().state == "running"
    later = plan().alive_until + timedelta(seconds=1)
    assert plan().stands(later) == "failed"
    again = plan_commands.ask_plan(made.act(at=later), first_on=tomorrow).id
    made.prison.close()
    for number, says in ((first, "claimed"), (again, "ready"), (again, "claimed")):
        told = run_command("groups", "plan", str(number), database_url=fresh_url).stderr
        assert f"Plan {number}: {says}." in told, told
