"""Say where doses are taken, hand doses over, and close the day by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from clinic.act import Act, command
from clinic.consumption import gates
from clinic.consumption.closed import closed_days
from clinic.consumption.commands import record_dose, text_of
from clinic.consumption.corrections import strike_dose
from clinic.consumption.facts import at_the_hatch, standing_event, within
from clinic.consumption.models import DoseEvent
from clinic.consumption.places import must_be_theirs, place_words
from clinic.consumption.supply_models import ConsumptionPlace, DispensedDose, PharmacyStaff
from clinic.consumption.words import PLACES
from clinic.errors import Conflict, Invalid, NotFound, one_of, says
from clinic.patients.access import open_record
from clinic.patients.queries import same_person
from clinic.prescriptions.doses import days_at_home, days_of, increments_of
from clinic.prescriptions.queries import decided
from clinic.release.models import Premises
from clinic.soundness import must_be_open
from clinic.staff.models import Staff
from clinic.turns import past, strike, take_turn, why
from dosing.days import ONE_DAY, end_of, london_day

Data = dict[str, Any]

for _name in ("uq_consumption_place_standing", "consumption_place.patient_id, consumption_place"):
    says(_name, "A place from that day is already set. Strike it out before setting another.")
for _name in ("uq_dispensed_dose_standing", "dispensed_dose.patient_id, dispensed_dose.drug"):
    says(_name, "The dose of one of those days was already handed over.")

AHEAD = timedelta(days=90)


# -- the place -------------------------------------------------------------------------------


@command
def set_place(
    act: Act,
    patient_id: int,
    *,
    kind: str,
    from_on: date,
    premises_id: int | None = None,
    note: str | None = None,
) -> int:
    """Set where this person takes their doses, from a London date on (RP-33). Returns its id."""
    patient = open_record(act, patient_id, "consumption.place", right="consumption.arrange")
    one_of("kind", kind, PLACES)
    if (kind == "pharmacy") != (premises_id is not None):
        raise Invalid.field("premises_id", "is given for a pharmacy, and only then")
    if premises_id is not None:
        premises = act.session.get(Premises, premises_id)
        if premises is None or premises.kind != "pharmacy":
            raise Invalid.field("premises_id", "must be a pharmacy this service knows")
    if abs(from_on - act.today) > AHEAD:
        raise Invalid.field("from_on", f"must be within {AHEAD.days} days of today")
    at = take_turn(act, patient.id)
    row = ConsumptionPlace(
        patient_id=patient.id, site_id=act.site_id, kind=kind, premises_id=premises_id,
        from_on=from_on, note=text_of(note), recorded_at=at, recorded_by=act.staff_id,
        struck_at=None, struck_by=None, struck_reason=None,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("consumption.place_set", patient_id=patient.id, place=row.id)
    return row.id


@command
def strike_place(act: Act, patient_id: int, place_id: int, reason: str) -> None:
    """Strike a place out as wrong."""
    patient = open_record(act, patient_id, "consumption.place", right="consumption.arrange")
    text = why(reason)
    at = take_turn(act, patient.id)
    row = act.session.get(ConsumptionPlace, place_id, populate_existing=True)
    if row is None or row.patient_id not in same_person(act, patient.id):
        raise NotFound("There is no such place for this patient.")
    if row.struck_at is not None:
        raise Conflict("That was already struck out.")
    strike(act, row, at, text)
    act.note("consumption.place_struck", patient_id=patient.id, place=row.id)


@command
def link_pharmacy(act: Act, staff_id: int, premises_id: int) -> int:
    """This account works at a pharmacy, from today: it records for that pharmacy's people alone."""
    act.need("staff.manage")
    if act.session.get(Staff, staff_id) is None:
        raise NotFound("There is no such member of staff.")
    premises = act.session.get(Premises, premises_id)
    if premises is None or premises.kind != "pharmacy":
        raise Invalid.field("premises_id", "must be a pharmacy this service knows")
    held = act.session.scalars(
        select(PharmacyStaff).where(
            PharmacyStaff.staff_id == staff_id, PharmacyStaff.site_id == act.site_id,
            PharmacyStaff.premises_id == premises_id,
        )
    )  # fmt: skip
    if any(row.to_on is None for row in held):
        raise Conflict("They already work there.")
    row = PharmacyStaff(
        staff_id=staff_id, site_id=act.site_id, premises_id=premises_id, from_on=act.today,
        to_on=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("consumption.pharmacy_linked", staff=staff_id, premises=premises_id)
    return row.id


@command
def unlink_pharmacy(act: Act, link_id: int) -> None:
    """They work there no longer, from this moment on. Ended on its first day it never was."""
    act.need("staff.manage")
    row = act.session.get(PharmacyStaff, link_id, with_for_update=True, populate_existing=True)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such entry at this site.")
    if row.to_on is not None:
        raise Conflict("That was already ended.")
    row.to_on = act.today - ONE_DAY
    act.note("consumption.pharmacy_unlinked", staff=row.staff_id, premises=row.premises_id)


# -- handed over -----------------------------------------------------------------------------


@command
def dispense(
    act: Act,
    patient_id: int,
    decision_id: int,
    *,
    dates: Sequence[date],
    handed_at: datetime | None = None,
    note: str | None = None,
    identity: Data | None = None,
    intoxication: Data | None = None,
    glass: Data | None = None,
) -> list[int]:
    """Hand over doses to take home, each for its own date, through the interlock. Returns the ids.

    Only for dates whose dose the decision's supply lets be taken home, or on which the place is
    closed. Nothing is handed over twice, or for a dose of which something is recorded.
    """
    patient = open_record(act, patient_id, "consumption.dispensing", right="consumption.record")
    when = handed_at or act.at
    past(act, "handed_at", when)
    at = take_turn(act, patient.id)
    records = same_person(act, patient.id)
    decision = decided(act, patient.id, decision_id)
    on = london_day(when)
    theirs = must_be_theirs(act, records, on)
    wanted = sorted(set(dates))
    if not wanted:
        raise Invalid.field("dates", "must name at least one day")
    home = days_at_home(decision)
    covered = days_of(decision)
    closed = closed_days(act, theirs, wanted)
    for day in wanted:
        if day < on or day not in covered or not (day in home or day in closed):
            raise Invalid.field(
                "dates",
                f"{day:%d/%m/%Y} must be a day from then on whose dose this decision lets be taken "
                "home, or on which the place is closed",
            )
        for number in increments_of(decision):
            there = standing_event(act, records, decision.drug, day, number)
            if there is not None:
                raise Conflict(f"The dose of {day:%d/%m/%Y} is already recorded.")
    must_be_open(decision.drug)
    gates.add_checks(act, patient.id, at, when, identity=identity, intoxication=intoxication)
    at = take_turn(act, patient.id)
    moment = at if handed_at is None else within(handed_at, at)
    given_today = [
        row.id
        for number in increments_of(decision)
        if (row := standing_event(act, records, decision.drug, on, number)) is not None
    ]

    def look() -> gates.AtTheHatch:
        """As for today's dose, whether that was taken already or is one of those that go home."""
        hatch = at_the_hatch(
            act, decision, decision.first_increment, moment, at, without=given_today
        )
        return replace(hatch, facts=replace(hatch.facts, recorded=False, in_doubt=False))

    gates.pass_through(act, at, look, glass)
    rows = [
        DispensedDose(
            patient_id=patient.id, site_id=act.site_id, decision_id=decision.id,
            product=decision.product, drug=decision.drug, dose_on=day, increment=number,
            dose_mg=decision.dose_mg, how="take_home", handed_at=when,
            premises_id=theirs and theirs.premises_id, place=place_words(theirs),
            note=text_of(note), recorded_at=at, recorded_by=act.staff_id, struck_at=None,
            struck_by=None, struck_reason=None,
        )
        for day in wanted
        for number in increments_of(decision)
    ]  # fmt: skip
    act.session.add_all(rows)
    act.session.flush()
    ids = [row.id for row in rows]
    act.note("consumption.dispensed", patient_id=patient.id, decision=decision.id, dispensed=ids)
    return ids


@command
def strike_dispensed(act: Act, patient_id: int, dispensed_id: int, reason: str) -> None:
    """Strike out that a dose was handed over: its day is covered no longer."""
    patient = open_record(act, patient_id, "consumption.dispensing", right="consumption.correct")
    text = why(reason)
    at = take_turn(act, patient.id)
    records = same_person(act, patient.id)
    row = act.session.get(DispensedDose, dispensed_id, populate_existing=True)
    if row is None or row.patient_id not in records:
        raise NotFound("There is no such entry for this patient.")
    must_be_theirs(act, records, row.dose_on)
    if row.struck_at is not None:
        raise Conflict("That was already struck out.")
    strike(act, row, at, text)
    act.note("consumption.dispensed_struck", patient_id=patient.id, dispensed=row.id)


# -- the day is closed -----------------------------------------------------------------------


@command
def record_missed(act: Act, on: date, doses: Sequence[tuple[int, int, int]]) -> list[int]:
    """Each of these doses (patient, decision, dose of the day) was missed. All of them, or none.

    Somebody has read the list; nothing here runs by itself. Returns the ids, to be undone with.
    """
    act.need("consumption.record")
    if on > act.today:
        raise Invalid.field("on", "cannot be a day to come")
    if not doses:
        raise Invalid.field("doses", "must name at least one person")
    when = min(act.at, end_of(on) - timedelta(minutes=1))
    return [
        record_dose(
            act, patient_id, decision_id, outcome="missed", increment=increment, consumed_at=when
        ).id
        for patient_id, decision_id, increment in doses
    ]


@command
def undo_missed(act: Act, dose_ids: Sequence[int], reason: str) -> None:
    """Strike out doses recorded as missed: they are to attend again. All of them, or none."""
    act.need("consumption.correct")
    for dose_id in dose_ids:
        row = act.session.get(DoseEvent, dose_id)
        if row is None or row.outcome != "missed":
            raise NotFound("There is no such missed dose.")
        strike_dose(act, row.patient_id, dose_id, reason)
