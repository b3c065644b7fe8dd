"""Say on which weekdays somebody collects, and how; strike out what was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from clinic.act import Act, command
from clinic.errors import Conflict, Invalid, NotFound, says
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.prescriptions.commands import FactsMissing
from clinic.scripts import facts
from clinic.scripts.commands import read_days
from clinic.scripts.models import CollectionRegimen
from clinic.staff.queries import as_prescriber
from clinic.turns import strike, take_turn, why
from scheduling.instalments import CannotWrite, DayDose, Pattern, plan

Data = dict[str, Any]
FARTHEST = timedelta(days=366)
LOOKED_AT = 14
"""Days of collections laid before the rules: two of each weekday, closed ones among them."""
SUPERVISION_RULES = "S-"
_ONE = DayDose(Decimal(1), Decimal(1))

for _name in ("uq_collection_regimen_from", "collection_regimen.patient_id"):
    says(_name, "Another arrangement begins on that day. Strike that one out first.")


@command
def set_regimen(
    act: Act,
    patient_id: int,
    *,
    from_on: date,
    days: Mapping[str, str],
    reason: str,
) -> int:
    """How this person collects from a date on, until the next such row begins. Returns its id.

    Judged by the supervision rules on its first two weeks, where a dose is decided on. It gives a
    form its weekdays; it says nothing about any dose.
    """
    patient = open_record(act, patient_id, "scripts.collecting", right="prescribing.prescribe")
    as_prescriber(act)
    text = why(reason)
    if not act.today - FARTHEST <= from_on <= act.today + FARTHEST:
        raise Invalid.field("from_on", "must be within a year of today")
    read_days(days)
    at = take_turn(act, patient.id)
    answer = _judged(act, patient, from_on, facts.pattern_of(dict(days)), at)
    row = CollectionRegimen(
        patient_id=patient.id, site_id=act.site_id, from_on=from_on,
        days=dict(days), reason=text, answer=answer, outcome=answer["outcome"] if answer else None,
        recorded_at=at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("scripts.collection_set", patient_id=patient.id, regimen=row.id)
    return row.id


def _judged(
    act: Act,
    patient: Patient,
    from_on: date,
    pattern: Pattern,
    known_at: datetime,
) -> Data | None:
    """What the supervision rules say; None where there is no dose to judge or facts are missing."""
    first = max(from_on, act.today)
    decisions = facts.decisions_in_force(act, patient, act.today)
    dates = [first + timedelta(days=number) for number in range(LOOKED_AT)]
    if not decisions:
        return None
    try:
        made = plan(
            dict.fromkeys(dates, _ONE), pattern, facts.open_days(act, patient, first), act.today
        )
        asked = {"order": decisions[-1].asked["order"], "supply": facts.supply_of(made)}
        request, limits, _ = facts.request_on(
            act, patient, decisions[-1], first, asked, {each.id for each in decisions}, known_at
        )
    except (CannotWrite, FactsMissing):
        return None
    answer = facts.answer_to(request, limits)
    found = [each for each in answer["findings"] if each["rule"].startswith(SUPERVISION_RULES)]
    gravest = min((each["severity"] for each in found), default="PASS")
    return {**answer, "findings": found, "outcome": gravest}


@command
def strike_regimen(act: Act, patient_id: int, regimen_id: int, reason: str) -> None:
    """That was wrong. It stays on the record; what held before it holds again."""
    patient = open_record(act, patient_id, "scripts.collecting", right="prescribing.prescribe")
    as_prescriber(act)
    text, at = why(reason), take_turn(act, patient.id)
    row = act.session.get(CollectionRegimen, regimen_id, populate_existing=True)
    if row is None or row.patient_id not in same_person(act, patient.id):
        raise NotFound("There is no such arrangement of this patient.")
    if row.struck_at is not None:
        raise Conflict("That arrangement was already struck out.")
    strike(act, row, at, text)
    act.note("scripts.collection_struck", patient_id=patient.id, regimen=row.id)
