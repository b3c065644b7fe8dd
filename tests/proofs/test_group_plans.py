"""No plan of groups breaks a hard rule, by a checker that knows nothing of how plans are made."""

from __future__ import annotations

import random

import pytest

from clinic.bench.groups import a_wing, disrupted, published
from scheduling.group_checker import breaches
from scheduling.group_placing import place
from scheduling.group_solver import Options, Solved, solve
from scheduling.groups import GroupFacts

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
