"""How soon do the flags follow a changed date or a closed pharmacy, and what does the night cost?

Two people are received and their way out planned by the commands; the others are copies of the rows
those wrote, so that any number of open plans stands in seconds. Everything stays on: rules, saved
scorings, audit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import Any

from sqlalchemy import Column, Table, case, func, literal, select

from clinic import clock, migrate
from clinic.act import Act
from clinic.bench import copies
from clinic.bench.run import PASSWORD
from clinic.custody.commands import receive_prisoner
from clinic.db import Database
from clinic.patients.commands import register_patient
from clinic.release import commands, premises, sweeps
from clinic.release.models import ReleaseFact, ReleaseFlag, ReleasePlan
from clinic.roles import RIGHTS
from clinic.staff.commands import give_role, set_up
from dosing.days import ONE_DAY, at_london

Say = Callable[[str], object]
DATABASES = 4
OPEN, USING = 5_000, 100
NIGHTS = ((10_000, 200), (100_000, 200), (100_000, 2_000))
"""Open plans, and how many of them are due in the night."""

_STAY = ("patient", "registration", "allocation", "reception", "reception_detail")
_PLAN = ("release_plan", "release_fact", "release_assessment", "release_flag")
_COPIED = (*_STAY, *_PLAN)
_MONTHS = timedelta(days=60)
NATION = "england_and_wales"
NOON, FIVE_PAST = clock_time(12), clock_time(0, 5)
_WEEK = {day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat")}


def a_prison(
    url: str, plans: int, due: int, *, at: datetime | None = None
) -> tuple[Act, list[int]]:
    """Open plans of which so many are due in the night to come (after `at`: now when not said).

    Returns who works there, and the pharmacies.
    """
    migrate.upgrade(url)
    act = Act(
        session=Database(url).session(), at=at or clock.now(), staff_id=None,
        rights=frozenset(RIGHTS),
    )  # fmt: skip
    act.staff_id = set_up(
        act, site_name="HMP Benchmark", kind="prison", nation=NATION, rule_set="uk-2017",
        name="Bench", email="bench@example.org", password=PASSWORD,
    )  # fmt: skip
    give_role(act, act.staff_id, act.site_id or 0, "prison_healthcare")
    pharmacies = [_a_pharmacy(act, number) for number in range(max(plans // USING, 1))]
    a_leaver(act, act.today + _MONTHS, pharmacies[0])
    firsts = copies.last_ids(act, _COPIED)
    if due:
        a_leaver(act, act.today + ONE_DAY, pharmacies[0])
        copies.copy(act, _COPIED, due - 1, _spread(pharmacies), after=firsts)
    copies.copy(act, _COPIED, plans - due - 1, _spread(pharmacies), upto=firsts)
    return act, pharmacies


def _a_pharmacy(act: Act, number: int) -> int:
    premises_id = premises.add_premises(act, kind="pharmacy", name=f"Pharmacy {number}")
    premises.set_week(act, premises_id, _WEEK, nation=NATION, reason="As on its door")
    return premises_id


def a_leaver(act: Act, release_on: date, pharmacy_id: int) -> int:
    """Somebody in custody with a plan of which little is left to do. Returns the plan's id."""
    patient_id = register_patient(
        act, family_name="Person", given_name="Bench", born_on=date(1985, 1, 1), sex="male",
        demo=True, numbers={},
    )  # fmt: skip
    received_at = act.at - timedelta(days=90)
    receive_prisoner(
        act, patient_id=patient_id, received_at=received_at, screening="positive",
        screened_at=received_at, demo=True,
    )  # fmt: skip
    plan_id = commands.open_release_plan(act, patient_id)
    then = (act.at - ONE_DAY).isoformat()
    seen_on = release_on + ONE_DAY
    sent = {"sent_at": then, "acknowledged_at": then}
    for section, given in {
        "treatment": {"on_ost": True, "opioid_history": True, "medicine": "methadone"},
        "release": {"confirmed_on": release_on.isoformat(), "kind": "determinate"},
        "last_dose": {"dose_on_release_day": True},
        "prescriber": {"name": "Dr Example", "service": "The service there"},
        "appointment": {
            "at": at_london(seen_on, NOON).isoformat(), "booked_at": then, "acknowledged_at": then,
        },
        "pharmacy": {},
        "supply": {
            "form": "fp10mda", "in_hand": True, "written_at": then, "sent_at": then,
            "sent_to": "The pharmacy",
            "instalments": [{"collect_on": day.isoformat(), "covers": [day.isoformat()]}
                            for day in (seen_on, seen_on + ONE_DAY)],
        },
        "destination": {"area": "Northborough", "contact": "01632 960001", "nation": NATION},
        "consent": {"given": True},
        "notification": sent,
        "dose_letter": {"prepared_at": then, "sent_at": then, "sent_to": "The service there"},
    }.items():  # fmt: skip
        commands.record(
            act, plan_id, section, given, version=act.session.get_one(ReleasePlan, plan_id).version,
            premises_id=pharmacy_id if section == "pharmacy" else None,
        )  # fmt: skip
    return plan_id


def _spread(pharmacies: Sequence[int]) -> copies.Vary:
    """Over the pharmacies evenly."""

    def vary(table: Table, column: Column[Any], n: Any) -> Any:
        if table is ReleaseFact.__table__ and column.name == "premises_id" and pharmacies:
            nth = literal(pharmacies[0]) + n % len(pharmacies)
            return case((column.is_not(None), nth))
        return None

    return vary


def measure(urls: Sequence[str], say: Say) -> None:
    """A changed date and a closed pharmacy among many open plans; then a night of each size."""
    first, *others = urls
    act, pharmacies = a_prison(first, OPEN, 0)
    changed_date(act, say)
    closed_pharmacy(act, pharmacies[len(pharmacies) // 2], say)
    act.session.close()
    for url, (plans, due) in zip(others, NIGHTS, strict=True):
        act, _ = a_prison(url, plans, due)
        night(act, plans, due, say)
        act.session.close()


def changed_date(act: Act, say: Say) -> None:
    """The release date of one person moves; whatever hung on it is looked at again."""
    act.at += timedelta(minutes=1)
    fact = act.session.scalars(
        select(ReleaseFact)
        .where(ReleaseFact.section == "release", ReleaseFact.struck_at.is_(None))
        .order_by(ReleaseFact.id.desc())
    ).first()
    assert fact is not None, "every plan has a release date"
    version = act.session.get_one(ReleasePlan, fact.plan_id).version
    moved = date.fromisoformat(fact.says["confirmed_on"]) - timedelta(days=21)
    began = time.perf_counter()
    commands.correct(
        act, fact.id, {**fact.says, "confirmed_on": moved.isoformat()}, version=version,
        reason="Moved forward",
    )  # fmt: skip
    taken = time.perf_counter() - began
    say(f"{_title('release date changed', OPEN)} {taken:8.2f} s   (target under 1 s)")


def closed_pharmacy(act: Act, premises_id: int, say: Say) -> None:
    """A pharmacy shuts on a day of collection: every plan that uses it is scored at once."""
    act.at += timedelta(minutes=1)
    collect_on = act.today + _MONTHS + ONE_DAY
    using = act.session.scalar(
        select(func.count(ReleaseFact.id)).where(ReleaseFact.premises_id == premises_id)
    )
    began = time.perf_counter()
    premises.close_premises(act, premises_id, collect_on, collect_on, reason="Shut for the day")
    taken = time.perf_counter() - began
    raised = _raised_since(act, "RG-15")
    what = _title(f"pharmacy of {using} closed", OPEN)
    say(f"{what} {taken:8.2f} s   (target under 1 s)  {raised} flags raised")


def night(act: Act, plans: int, due: int, say: Say) -> None:
    """The sweep of the night, and once more when nothing is left to do."""
    tonight = act.today + ONE_DAY
    act.at = at_london(tonight, FIVE_PAST)
    began = time.perf_counter()
    scored = sweeps.score_due_plans(act, tonight)
    taken = time.perf_counter() - began
    raised = _raised_since(act, "RG-11")
    began = time.perf_counter()
    again = sweeps.score_due_plans(act, tonight)
    idle = time.perf_counter() - began
    target = "   (target under 60 s)" if (plans, due) == NIGHTS[-1] else ""
    say(
        f"{_title(f'sweep with {due} due', plans)} {taken:8.2f} s{target}  {scored} scored, "
        f"{raised} flags raised; run again {idle:.2f} s, {again} scored"
    )


def _raised_since(act: Act, flag: str) -> int:
    return (
        act.session.scalar(
            select(func.count(ReleaseFlag.id)).where(
                ReleaseFlag.flag == flag, ReleaseFlag.raised_at == act.at
            )
        )
        or 0
    )


def _title(what: str, plans: int) -> str:
    return f"{what + f', {plans} open plans':45}"
