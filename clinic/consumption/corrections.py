"""Put what is recorded of a dose right: struck out, agreed to by a second person, said anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from clinic.act import Act, command
from clinic.consumption import gates
from clinic.consumption.commands import add_dose, dose_of, observed, swallowed_of, text_of
from clinic.consumption.models import DoseEvent, DoseVomited
from clinic.consumption.places import must_be_theirs
from clinic.consumption.words import ASKED, SUPERVISION, SWALLOWED
from clinic.errors import Conflict, Invalid, NotFound, one_of
from clinic.patients.access import open_record
from clinic.patients.queries import same_person
from clinic.prescriptions.queries import decided
from clinic.release.following import follow_patient
from clinic.soundness import must_be_open
from clinic.turns import past, strike, take_turn, why
from dosing.days import london_day

Data = dict[str, Any]


def _to_correct(act: Act, patient_id: int, dose_id: int) -> tuple[int, datetime, DoseEvent]:
    patient = open_record(act, patient_id, "consumption.dosing", right="consumption.correct")
    at = take_turn(act, patient.id)
    records = same_person(act, patient.id)
    row = dose_of(act, records, dose_id)
    must_be_theirs(act, records, row.dose_on)
    return patient.id, at, row


@command
def strike_dose(act: Act, patient_id: int, dose_id: int, reason: str) -> None:
    """Strike out what was recorded of a dose. If it said taken, it counts that day until agreed."""
    text = why(reason)
    kept_id, at, row = _to_correct(act, patient_id, dose_id)
    if row.struck_at is not None:
        raise Conflict("That dose was already struck out.")
    strike(act, row, at, text)
    act.note("prescribing.dose_struck", patient_id=kept_id, dose=row.id)
    act.session.flush()
    follow_patient(replace(act, at=at), kept_id)


@command
def agree_strike(act: Act, patient_id: int, dose_id: int) -> None:
    """A second person agrees that a dose struck out was not taken: now it counts no longer."""
    kept_id, at, row = _to_correct(act, patient_id, dose_id)
    if row.struck_at is None or row.agreed_at is not None or row.outcome not in SWALLOWED:
        raise Conflict("There is nothing to agree to.")
    if row.struck_by == act.staff_id:
        raise Invalid.field("agreed_by", "must be somebody other than who struck it out")
    row.agreed_at, row.agreed_by = at, act.staff_id
    act.note("prescribing.dose_strike_agreed", patient_id=kept_id, dose=row.id)


@command
def correct_dose(
    act: Act,
    patient_id: int,
    dose_id: int,
    *,
    reason: str,
    outcome: str,
    consumed_at: datetime | None = None,
    dose_mg: Decimal | None = None,
    rest: str | None = None,
    why_code: str | None = None,
    withheld_by: str | None = None,
    supervision: str | None = None,
    observer_id: int | None = None,
    note: str | None = None,
    identity: Data | None = None,
    intoxication: Data | None = None,
    glass: Data | None = None,
) -> int:
    """Say anew what became of a dose: the old record is struck out, the new one linked to it.

    Said to have been swallowed when the record said it was not, it has to pass the gates as they
    stood then; checks may be told with it. Said to have been swallowed less, the larger amount
    counts that day until a second person agrees. The day and the number of the dose stay: another
    dose is another record.
    """
    text = why(reason)
    one_of("outcome", outcome, ASKED)
    if supervision is not None:
        one_of("supervision", supervision, SUPERVISION)
    kept_id, at, row = _to_correct(act, patient_id, dose_id)
    if row.struck_at is not None:
        raise Conflict("That dose was already struck out.")
    if row.decision_id is None or row.incident:
        raise Conflict("Strike this one out, and record it again as what it was.")
    when = consumed_at or row.consumed_at
    past(act, "consumed_at", when)
    if london_day(when) != row.dose_on:
        raise Invalid.field("consumed_at", "must be on the same day: another day is another record")
    decision = decided(act, kept_id, row.decision_id)
    swallowed = swallowed_of(decision, outcome, dose_mg, rest, why_code, withheld_by)
    if outcome in SWALLOWED:
        observed(act, observer_id, row.dose_on)
        if row.outcome not in SWALLOWED:
            must_be_open(decision.drug)
            gates.add_checks(
                act, row.patient_id, at, when, identity=identity, intoxication=intoxication
            )
            at = take_turn(act, kept_id)
            gates.pass_through(act, at, lambda: gates.restated(act, row, when, decision, at), glass)
    strike(act, row, at, text)
    new = add_dose(
        act, row.patient_id, at, decision=decision, decision_id=decision.id, product=row.product,
        increment=row.increment, outcome=outcome, dose_mg=swallowed, rest=rest, why_code=why_code,
        withheld_by=text_of(withheld_by), consumed_at=when, supervision=supervision, place=row.place,
        premises_id=row.premises_id, observer=row.observer if observer_id is None else None,
        observer_id=observer_id, note=note, corrects_id=row.id, replaces_id=row.replaces_id,
    )  # fmt: skip
    act.note("consumption.corrected", patient_id=kept_id, dose=new.id, was=row.id)
    return new.id


@command
def strike_vomited(act: Act, patient_id: int, vomited_id: int, reason: str) -> None:
    """Strike out that a dose was vomited."""
    text = why(reason)
    row: Any = act.session.get(DoseVomited, vomited_id)
    if row is None:
        raise NotFound("There is no such entry for this patient.")
    kept_id, at, _ = _to_correct(act, patient_id, row.dose_id)
    act.session.refresh(row)  # as it stands now that it is our turn
    if row.struck_at is not None:
        raise Conflict("That was already struck out.")
    strike(act, row, at, text)
    act.note("consumption.vomited_struck", patient_id=kept_id, dose=row.dose_id)
