"""Record what became of a dose, and put mistakes right."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from clinic.act import Act, command
from clinic.consumption.models import OUTCOMES, SUPERVISION, SWALLOWED, DoseEvent
from clinic.errors import Conflict, Invalid, NotFound, says
from clinic.patients.access import open_record
from clinic.patients.queries import same_person
from clinic.prescriptions import facts
from clinic.prescriptions.queries import decided
from clinic.turns import one_of, past, strike, take_turn, why
from dosing.days import london_day
from dosing.medicines import PRODUCTS

for _name in ("uq_dose_event_standing", "dose_event.patient_id, dose_event.drug"):
    says(_name, "This dose of the day is already recorded. Look at it before recording another.")


@command
def record_dose(
    act: Act,
    patient_id: int,
    decision_id: int,
    *,
    outcome: str,
    consumed_at: datetime,
    increment: int | None = None,
    dose_mg: Decimal | None = None,
    supervision: str | None = None,
    place: str | None = None,
    observer: str | None = None,
    note: str | None = None,
) -> int:
    """Record what became of a decided dose. Returns its id.

    `consumed_at`: when it was taken, or when it was found that it was not. `increment`: which of
    the day's doses (the decision's first when not said). `dose_mg`: what was swallowed of a dose
    taken in part, and only then.
    """
    patient = open_record(act, patient_id, "prescribing.dosing", right="prescribing.assess")
    one_of("outcome", outcome, OUTCOMES)
    past(act, "consumed_at", consumed_at)
    if supervision is not None:
        one_of("supervision", supervision, SUPERVISION)
    at = take_turn(act, patient.id)
    decision = decided(act, patient.id, decision_id)
    on = london_day(consumed_at)
    if on not in facts.days_of(decision):
        raise Invalid.field("consumed_at", "must be on a day this decision has a dose for")
    if decision.withdrawn_at is not None and consumed_at > decision.withdrawn_at:
        raise Conflict("That decision was withdrawn before then: nothing may be given on it.")
    number = increment or decision.first_increment
    if number not in facts.increments_of(decision):
        raise Invalid.field("increment", "must be one of this decision's doses of the day")
    if outcome == "part" and (dose_mg is None or not 0 < dose_mg < decision.dose_mg):
        raise Invalid.field("dose_mg", "must be more than 0 and less than the dose decided on")
    if outcome != "part" and dose_mg is not None:
        raise Invalid.field("dose_mg", "is given only for a dose taken in part")
    swallowed = {"taken": decision.dose_mg, "part": dose_mg}.get(outcome)
    return _add_dose(
        act, patient.id, at, decision_id=decision.id, product=decision.product, increment=number,
        outcome=outcome, dose_mg=swallowed, consumed_at=consumed_at, supervision=supervision,
        elsewhere=False, place=place, observer=observer, note=note,
    )  # fmt: skip


@command
def record_dose_elsewhere(
    act: Act,
    patient_id: int,
    *,
    product: str,
    dose_mg: Decimal,
    consumed_at: datetime,
    supervision: str | None = None,
    place: str | None = None,
    note: str | None = None,
) -> int:
    """Record a dose taken at another service: a claim until prescriber and pharmacy confirm it."""
    patient = open_record(act, patient_id, "prescribing.dosing", right="prescribing.assess")
    one_of("product", product, dict.fromkeys(PRODUCTS, ""))
    if dose_mg <= 0:
        raise Invalid.field("dose_mg", "must be more than 0")
    past(act, "consumed_at", consumed_at)
    if supervision is not None:
        one_of("supervision", supervision, SUPERVISION)
    at = take_turn(act, patient.id)
    return _add_dose(
        act, patient.id, at, decision_id=None, product=product, increment=1, outcome="taken",
        dose_mg=dose_mg, consumed_at=consumed_at, supervision=supervision, elsewhere=True,
        place=place, observer=None, note=note,
    )  # fmt: skip


def _add_dose(act: Act, patient_id: int, at: datetime, **what: Any) -> int:
    for name in ("place", "observer", "note"):
        what[name] = (what[name] or "").strip() or None
    row = DoseEvent(
        patient_id=patient_id, site_id=act.site_id, drug=PRODUCTS[what["product"]].drug,
        dose_on=london_day(what["consumed_at"]), agreed_at=None, agreed_by=None, recorded_at=at,
        recorded_by=act.staff_id, struck_at=None, struck_by=None, struck_reason=None, **what,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note(
        "prescribing.dose_recorded", patient_id=patient_id, dose=row.id, result=what["outcome"]
    )
    return row.id


def _dose(act: Act, patient_id: int, dose_id: int) -> DoseEvent:
    row = act.session.get(DoseEvent, dose_id, populate_existing=True)
    if row is None or row.patient_id not in same_person(act, patient_id):
        raise NotFound("There is no such dose for this patient.")
    return row


@command
def strike_dose(act: Act, patient_id: int, dose_id: int, reason: str) -> None:
    """Strike out what was recorded of a dose. If it said taken, it counts that day until agreed."""
    patient = open_record(act, patient_id, "prescribing.dosing", right="prescribing.assess")
    text = why(reason)
    at = take_turn(act, patient.id)
    row = _dose(act, patient.id, dose_id)
    if row.struck_at is not None:
        raise Conflict("That dose was already struck out.")
    strike(act, row, at, text)
    act.note("prescribing.dose_struck", patient_id=patient.id, dose=row.id)


@command
def agree_strike(act: Act, patient_id: int, dose_id: int) -> None:
    """A second person agrees that a dose struck out was not taken: now it counts no longer."""
    patient = open_record(act, patient_id, "prescribing.dosing", right="prescribing.assess")
    at = take_turn(act, patient.id)
    row = _dose(act, patient.id, dose_id)
    if row.struck_at is None or row.agreed_at is not None or row.outcome not in SWALLOWED:
        raise Conflict("There is nothing to agree to.")
    if row.struck_by == act.staff_id:
        raise Invalid.field("agreed_by", "must be somebody other than who struck it out")
    row.agreed_at, row.agreed_by = at, act.staff_id
    act.note("prescribing.dose_strike_agreed", patient_id=patient.id, dose=row.id)
