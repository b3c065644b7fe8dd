"""A hatch story: where doses are taken, the looks before one, and what became of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from clinic.act import Act
from clinic.consumption import commands, supply_commands
from clinic.consumption.places import place_on
from clinic.consumption.words import SWALLOWED
from clinic.patients.queries import same_person
from clinic.release import premises
from clinic.titration.commands import record_review
from clinic.titration.queries import review_counting
from dosing.days import london_day

CHECKED: dict[str, Any] = {
    "identity": {"how": "name_and_birth"},
    "intoxication": {"result": "clear"},
}


def a_place(act: Act, patient_id: int, **more: Any) -> int:
    """Here at the service, from the act's day on."""
    given = {"kind": "on_site", "from_on": act.today, **more}
    return supply_commands.set_place(act, patient_id, **given)


def ready_for_a_dose(act: Act, patient_id: int, at: datetime | None = None) -> None:
    """The place set and a review that counts, each written only when there is none yet."""
    when = at or act.at
    records = same_person(act, patient_id)
    if place_on(act, records, london_day(when)) is None:
        a_place(act, patient_id, from_on=london_day(when))
    if review_counting(act, records, when) is None:
        record_review(
            act, patient_id, decision="hold", reason_code="other", reason="Seen before the dose",
            seen="in_person", reviewed_at=when, next_review_on=london_day(when) + timedelta(days=1),
        )  # fmt: skip


def a_dose(act: Act, patient_id: int, decision_id: int, **more: Any) -> commands.Given:
    """The whole dose, seen to be swallowed at this moment, through every gate of the interlock."""
    given = {"outcome": "taken", "consumed_at": act.at, **more}
    if given["outcome"] in SWALLOWED:
        ready_for_a_dose(act, patient_id, given["consumed_at"])
        given = {"supervision": "supervised", **CHECKED, **given}
    if given["outcome"] == "part":
        given.setdefault("rest", "destroyed")
    return commands.record_dose(act, patient_id, decision_id, **given)


def a_pharmacy(act: Act, name: str = "High Street Pharmacy", **hours: list[str]) -> int:
    """A pharmacy the service knows, open on every day of the week unless hours are said."""
    from dataclasses import replace

    planning = replace(act, rights=act.rights | {"release.plan"})
    pharmacy = premises.add_premises(planning, kind="pharmacy", name=name)
    week = {day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    premises.set_week(
        planning, pharmacy, {**week, **hours}, nation="england_and_wales", reason="As on its door"
    )
    return pharmacy
