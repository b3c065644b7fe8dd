"""How fast is the board of a wing in a full prison, and what does the nightly sweep cost?

One person is received by the command; the others are copies of the rows it wrote, so that a prison
of any size stands in seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Table, literal, select

from clinic import clock, migrate
from clinic.act import Act
from clinic.bench import copies
from clinic.bench.load import Ask, keep_busy
from clinic.bench.run import PASSWORD, ours, served
from clinic.custody import sweeps
from clinic.custody.commands import receive_prisoner
from clinic.custody.models import TimetableItem
from clinic.custody.wing_commands import add_wing
from clinic.db import Database
from clinic.patients.commands import register_patient
from clinic.roles import RIGHTS
from clinic.sites.commands import add_site, close_site
from clinic.staff.commands import give_role, issue_token, set_up

WINGS = 24
PEOPLE = 1_200
ASKS = 1_000
CLIENTS = 8
STAYS = (1_000, 10_000, 85_000)
_COPIED = ("patient", "registration", "reception", "reception_detail", "location", "timetable",
           "timetable_item")  # fmt: skip


def a_prison(url: str, people: int) -> tuple[Act, list[int]]:
    """A prison with its wings evenly filled. Returns who works there, and the wings."""
    migrate.upgrade(url)
    database = Database(url)
    act = Act(session=database.session(), at=clock.now(), staff_id=None, rights=frozenset(RIGHTS))
    act.staff_id = set_up(
        act, site_name="HMP Benchmark", kind="prison", nation="england_and_wales",
        rule_set="uk-2017", name="Bench", email="bench@example.org", password=PASSWORD,
    )  # fmt: skip
    give_role(act, act.staff_id, act.site_id or 0, "prison_healthcare")
    wings = [add_wing(act, f"Wing {number}") for number in range(1, WINGS + 1)]
    _received(act, wings[0])
    copies.copy(act, _COPIED, people - 1, _spread(wings))
    return act, wings


def _received(act: Act, wing_id: int) -> int:
    patient = register_patient(
        act, family_name="Person", given_name="Bench", born_on=date(1985, 1, 1), sex="male",
        demo=True, numbers={},
    )  # fmt: skip
    received = act.at - timedelta(days=3)
    return receive_prisoner(
        act, patient_id=patient, received_at=received, screening="positive",
        screened_at=received, wing_id=wing_id, cell="1-01", demo=True,
    )  # fmt: skip


def _spread(wings: list[int]) -> copies.Vary:
    """Over the wings evenly; what a timetable rested on is left out."""

    def vary(table: Table, column: Column[Any], n: Any) -> Any:
        if column.name == "wing_id":
            return literal(wings[0]) + n % len(wings)
        if table.name == "timetable" and column.name in ("answer", "elsewhere"):
            return literal({}, column.type)
        return None

    return vary


def measure_board(folder: Path, say: Callable[[str], object]) -> None:
    """The board of one wing, asked by so many clients at once, each time another wing."""
    url = f"sqlite:///{folder}/custody-board.sqlite"
    act, wings = a_prison(url, PEOPLE)
    token = issue_token(
        act, staff_id=act.staff_id or 0, site_id=act.site_id or 0, label="bench", days=1,
        scopes=["custody.read"],
    ).token  # fmt: skip
    act.session.close()
    asks = [Ask("GET", f"/api/v1/wings/{wings[n % WINGS]}/board") for n in range(ASKS)]
    with served(ours, url, "/health/live", 1) as (ports, _, _):
        keep_busy(ports, asks[:100], CLIENTS, token)
        told = keep_busy(ports, asks, CLIENTS, token)
    say(
        f"Board of one wing of {WINGS}, {PEOPLE} people, {CLIENTS} clients, 1 process: "
        f"p50 {told.percentile(0.5):.0f} ms, p95 {told.percentile(0.95):.0f} ms, "
        f"{told.per_second:.0f} a second, answers {dict(told.statuses)}"
    )


def measure_sweep(folder: Path, say: Callable[[str], object]) -> None:
    """The sweep on a night nothing changed, and when another, small prison closes for a day."""
    for stays in STAYS:
        act, _ = a_prison(f"sqlite:///{folder}/custody-{stays}.sqlite", stays)
        quiet, none = _swept(act)
        act.site_id = add_site(act, name="HMP Small", kind="prison", nation="england_and_wales")
        wing = add_wing(act, "A")
        for _ in range(10):
            _received(act, wing)
        act.at += timedelta(seconds=1)
        due_on = act.session.scalar(
            select(TimetableItem.due_on).where(
                TimetableItem.site_id == act.site_id, TimetableItem.item == "keywork_week_2"
            )
        )  # fmt: skip
        assert due_on is not None, "keywork is due in week 2"
        close_site(act, act.site_id, due_on, "Training day")
        changed, moved = _swept(act)
        say(
            f"Sweep with {stays} in custody: nothing changed {quiet:.3f} s ({none} replanned), "
            f"a prison of 10 closes {changed:.2f} s ({moved} replanned)"
        )
        act.session.close()


def _swept(act: Act) -> tuple[float, int]:
    night = Act(session=act.session, at=act.at + timedelta(seconds=1), staff_id=None)
    began = time.perf_counter()
    moved = sweeps.replan_moved_stays(night, night.today)
    return time.perf_counter() - began, moved
