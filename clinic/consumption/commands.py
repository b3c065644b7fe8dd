"""Give a dose, record what became of it, and say what happened to it afterwards.

A dose counts as given only through the interlock (gates.py). Asking twice for the same record is
answered with the first one, and a differing one with a refusal that shows it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from clinic.act import Act, command
from clinic.assessments import dues
from clinic.consumption import gates
from clinic.consumption.facts import standing_event, taken_home_dose, which_dose
from clinic.consumption.gates import GatesShut
from clinic.consumption.models import DoseEvent, DoseVomited
from clinic.consumption.places import must_be_theirs, place_words
from clinic.consumption.supply_models import DispensedDose
from clinic.consumption.words import (
    ASKED,
    INCIDENT_REASONS,
    NOT_CONFIRMED,
    OUTCOMES,
    RESTS,
    SEEN_VOMITED,
    SUPERVISION,
    SWALLOWED,
    WITHHELD_FOR,
)
from clinic.errors import Conflict, Invalid, NotFound, one_of, says
from clinic.patients.access import open_record
from clinic.patients.queries import same_person
from clinic.prescriptions.doses import days_of, increments_of
from clinic.prescriptions.models import DoseDecision
from clinic.prescriptions.queries import decided
from clinic.release.following import follow_patient
from clinic.sites.models import Site
from clinic.soundness import must_be_open
from clinic.staff.models import Staff
from clinic.turns import past, take_turn, why
from dosing.days import london_day
from dosing.interlock import may_give
from dosing.medicines import PRODUCTS
from dosing.units import as_text

Data = dict[str, Any]

for _name in ("uq_dose_event_standing", "dose_event.patient_id, dose_event.drug"):
    says(_name, "This dose of the day is already recorded. Look at it before recording another.")
for _name in ("uq_dose_vomited_standing", "dose_vomited.dose_id"):
    says(_name, "It is already recorded that this dose was vomited.")


@dataclass(frozen=True)
class Given:
    """The effective record of a dose. `first` False: it was there before, and says the same."""

    id: int
    first: bool


class AlreadyRecorded(Conflict):
    """Something else is recorded of this dose: it is shown, and nothing is added."""

    def __init__(self, row: DoseEvent, by: str) -> None:
        super().__init__(
            f"This dose is already recorded: {in_words(row)}, by {by}. Nothing was added.",
            more={"first": event_json(row)},
        )
        self.row = row


def in_words(row: DoseEvent) -> str:
    """What is recorded of a dose, in a few words."""
    from clinic import ui

    said = OUTCOMES[row.outcome].lower()
    amount = f" ({ui.mg(row.dose_mg)})" if row.dose_mg is not None else ""
    return f"{said}{amount}, {ui.moment(row.consumed_at)}"


def event_json(row: DoseEvent) -> Data:
    return {
        "id": row.id, "outcome": row.outcome, "dose_on": row.dose_on.isoformat(),
        "increment": row.increment, "dose_mg": None if row.dose_mg is None else as_text(row.dose_mg),
        "consumed_at": row.consumed_at.isoformat(), "recorded_at": row.recorded_at.isoformat(),
        "recorded_by": row.recorded_by,
    }  # fmt: skip


# -- a dose ----------------------------------------------------------------------------------


def record_dose(act: Act, patient_id: int, decision_id: int, **given: Any) -> Given:
    """Record what became of a decided dose. A dose swallowed is given through the interlock.

    Keywords: `outcome`; `consumed_at`, when it was taken or found not to be (now when not said);
    `increment`, which of the day's doses (the decision's first when not said); `dose_mg` and `rest`
    of a dose taken in part; `why_code` and `withheld_by` of one withheld; `supervision`, `place`,
    `observer` (a name), `observer_id` (a second member of staff), `note`; `replaces_id`, the vomited
    dose this one was decided on to replace. The checks made with it, in the same transaction:
    `identity` and `intoxication` (gates.add_check) and `glass` (a reason for passing what is missing).

    GatesShut names every gate that is shut; AlreadyRecorded shows what is there. A finding against
    the dose is kept, in a transaction of its own, although nothing was given.
    """
    try:
        return _record_dose(act, patient_id, decision_id, **given)
    except GatesShut:
        if not act.session.info.get("in_command"):
            _keep_findings(act, patient_id, given)
        raise


@command
def _keep_findings(act: Act, patient_id: int, given: Data) -> None:
    """Who could not be confirmed, or was intoxicated, is on the record although no dose was given."""
    kept_id = same_person(act, patient_id)[0]
    at = take_turn(act, kept_id)
    for kind in ("identity", "intoxication"):
        what = given.get(kind) or {}
        if what.get("how") == NOT_CONFIRMED or what.get("result") == "signs":
            gates.add_check(act, kept_id, at, kind, what, given.get("consumed_at") or act.at)


@command
def _record_dose(
    act: Act,
    patient_id: int,
    decision_id: int,
    *,
    outcome: str,
    consumed_at: datetime | None = None,
    increment: int | None = None,
    dose_mg: Decimal | None = None,
    rest: str | None = None,
    why_code: str | None = None,
    withheld_by: str | None = None,
    supervision: str | None = None,
    place: str | None = None,
    observer: str | None = None,
    observer_id: int | None = None,
    note: str | None = None,
    replaces_id: int | None = None,
    identity: Data | None = None,
    intoxication: Data | None = None,
    glass: Data | None = None,
) -> Given:
    patient = open_record(act, patient_id, "consumption.dosing", right="consumption.record")
    one_of("outcome", outcome, ASKED)
    when = consumed_at or act.at
    past(act, "consumed_at", when)
    if supervision is not None:
        one_of("supervision", supervision, SUPERVISION)
    at = take_turn(act, patient.id)
    records = same_person(act, patient.id)
    decision = decided(act, patient.id, decision_id)
    on = london_day(when)
    theirs = must_be_theirs(act, records, on)
    if on not in days_of(decision):
        raise Invalid.field("consumed_at", "must be on a day this decision has a dose for")
    number = which_dose(decision, increment)
    said: Data = {
        "outcome": outcome, "rest": rest, "why_code": why_code, "withheld_by": text_of(withheld_by),
        "dose_mg": swallowed_of(decision, outcome, dose_mg, rest, why_code, withheld_by),
        "decision_id": decision.id, "replaces_id": replaces_id,
    }  # fmt: skip
    before = standing_event(act, records, decision.drug, on, number)
    if before is not None:
        return _first(act, before, said, consumed_at)
    if decision.withdrawn_at is not None and when > decision.withdrawn_at:
        raise Conflict("That decision was withdrawn before then: nothing may be given on it.")
    gates.add_checks(act, patient.id, at, when, identity=identity, intoxication=intoxication)
    at = take_turn(act, patient.id)
    at_home = supervision == "take_home" and taken_home_dose(
        act, records, decision.drug, on, number
    )
    if outcome in SWALLOWED and not at_home:  # what went home passed the gates when handed over
        observed(act, observer_id, on)
        must_be_open(decision.drug)
        gates.pass_through(
            act, at, lambda: gates.hatch_for(act, decision, number, consumed_at, at), glass
        )
    if replaces_id is not None:
        _replaces(act, records, replaces_id, decision, on)
    row = add_dose(
        act, patient.id, at, decision=decision, product=decision.product, increment=number,
        consumed_at=when, supervision=supervision, place=place or place_words(theirs),
        premises_id=theirs and theirs.premises_id, observer=observer, observer_id=observer_id,
        note=note, **said,
    )  # fmt: skip
    return Given(row.id, first=True)


def swallowed_of(
    decision: DoseDecision,
    outcome: str,
    dose_mg: Decimal | None,
    rest: str | None,
    why_code: str | None,
    withheld_by: str | None,
) -> Decimal | None:
    """The mg swallowed; Invalid where an outcome lacks what it needs, or has what it cannot have."""
    if outcome == "part" and (dose_mg is None or not 0 < dose_mg < decision.dose_mg):
        raise Invalid.field("dose_mg", "must be more than 0 and less than the dose decided on")
    if outcome != "part" and dose_mg is not None:
        raise Invalid.field("dose_mg", "is given only for a dose taken in part")
    if outcome == "part" or rest is not None:
        one_of("rest", rest, RESTS)
        if outcome not in ("part", "refused"):
            raise Invalid.field("rest", "is given only for a dose taken in part or refused")
    if outcome == "withheld":
        one_of("why_code", why_code, WITHHELD_FOR)
        if text_of(withheld_by) is None:
            raise Invalid.field("withheld_by", "must say who withheld it")
    elif why_code is not None or text_of(withheld_by) is not None:
        raise Invalid.field("why_code", "is given only for a dose withheld")
    return {"taken": decision.dose_mg, "part": dose_mg}.get(outcome)


def _first(act: Act, row: DoseEvent, said: Data, consumed_at: datetime | None) -> Given:
    """The record that is there, when it says the same; otherwise AlreadyRecorded."""
    same = all(getattr(row, name) == value for name, value in said.items())
    if same and consumed_at in (None, row.consumed_at):
        act.note("consumption.repeated", patient_id=row.patient_id, dose=row.id)
        return Given(row.id, first=False)
    by = act.session.get(Staff, row.recorded_by)
    raise AlreadyRecorded(row, by.name if by else "somebody")


def observed(act: Act, observer_id: int | None, on: date) -> None:
    """The second person, where this site asks for one: on its staff, and not who gives the dose."""
    site = act.session.get_one(Site, act.site_id)
    if observer_id is None:
        if site.has("second_observer", on):
            raise Invalid.field("observer_id", "must name a second person who watched")
        return
    other = act.session.get(Staff, observer_id)
    here = other is not None and any(
        row.site_id == act.site_id and row.holds_on(on) for row in other.roles
    )
    if not here:
        raise Invalid.field("observer_id", "must be somebody who works here that day")
    if observer_id == act.staff_id:
        raise Invalid.field("observer_id", "must be somebody other than who gives the dose")


def _replaces(act: Act, records: list[int], dose_id: int, decision: DoseDecision, on: date) -> None:
    """A replacement is a decision made since the dose was vomited, for the same medicine and day."""
    row = act.session.get(DoseEvent, dose_id)
    vomited = act.session.scalar(
        select(DoseVomited).where(DoseVomited.dose_id == dose_id, DoseVomited.struck_at.is_(None))
    )
    if (
        row is None
        or row.patient_id not in records
        or vomited is None
        or row.struck_at is not None
        or (row.drug, row.dose_on) != (decision.drug, on)
    ):
        raise Invalid.field("replaces_id", "must be a dose of that day that is recorded as vomited")
    if decision.known_at <= vomited.recorded_at:
        raise Invalid.field("replaces_id", "needs a decision made since the dose was vomited")


def text_of(value: str | None) -> str | None:
    return (value or "").strip() or None


def add_dose(
    act: Act, patient_id: int, at: datetime, *, decision: DoseDecision | None, **what: Any
) -> DoseEvent:
    """Write one dose event. What somebody swallowed here was also handed over to them."""
    for name in ("place", "observer", "note"):
        what[name] = text_of(what.get(name))
    blank: Data = dict.fromkeys(
        ("decision_id", "rest", "why_code", "withheld_by", "observer_id", "premises_id",
         "corrects_id", "replaces_id", "supervision")
    )  # fmt: skip
    row = DoseEvent(
        patient_id=patient_id, site_id=act.site_id, drug=PRODUCTS[what["product"]].drug,
        dose_on=london_day(what["consumed_at"]), agreed_at=None, agreed_by=None, recorded_at=at,
        recorded_by=act.staff_id, struck_at=None, struck_by=None, struck_reason=None,
        **{"elsewhere": False, "incident": False, **blank, **what},
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note(
        "prescribing.dose_recorded", patient_id=patient_id, dose=row.id, result=what["outcome"]
    )
    if decision is not None and (row.outcome in SWALLOWED or row.rest is not None):
        _handed_over(act, row, decision, at)
    if row.outcome in SWALLOWED or row.corrects_id is not None:
        follow_patient(replace(act, at=at), patient_id)  # the last dose before they leave
    return row


def _handed_over(act: Act, row: DoseEvent, decision: DoseDecision, at: datetime) -> None:
    """The dose was handed over here to be taken at once, unless it had been handed over before."""
    there = act.session.scalar(
        select(DispensedDose.id).where(
            DispensedDose.patient_id.in_(same_person(act, row.patient_id)),
            DispensedDose.drug == row.drug, DispensedDose.dose_on == row.dose_on,
            DispensedDose.increment == row.increment, DispensedDose.struck_at.is_(None),
        )
    )  # fmt: skip
    if there is None:
        act.session.add(
            DispensedDose(
                patient_id=row.patient_id, site_id=act.site_id, decision_id=decision.id,
                product=row.product, drug=row.drug, dose_on=row.dose_on, increment=row.increment,
                dose_mg=decision.dose_mg, how="supervised", handed_at=row.consumed_at,
                premises_id=row.premises_id, place=row.place, note=None, recorded_at=at,
                recorded_by=act.staff_id, struck_at=None, struck_by=None, struck_reason=None,
            )
        )  # fmt: skip
        act.session.flush()


def dose_of(act: Act, records: list[int], dose_id: int) -> DoseEvent:
    row = act.session.get(DoseEvent, dose_id, populate_existing=True)
    if row is None or row.patient_id not in records:
        raise NotFound("There is no such dose for this patient.")
    return row


# -- afterwards ------------------------------------------------------------------------------


@command
def record_vomited(
    act: Act,
    patient_id: int,
    dose_id: int,
    *,
    vomited_at: datetime,
    seen: str,
    seen_by: str | None = None,
    note: str | None = None,
) -> int:
    """A dose taken was vomited. It counts in full; another is a prescriber's new decision."""
    patient = open_record(act, patient_id, "consumption.dosing", right="consumption.record")
    one_of("seen", seen, SEEN_VOMITED)
    past(act, "vomited_at", vomited_at)
    at = take_turn(act, patient.id)
    records = same_person(act, patient.id)
    row = dose_of(act, records, dose_id)
    must_be_theirs(act, records, row.dose_on)
    if row.struck_at is not None or row.outcome not in SWALLOWED:
        raise Conflict("That dose is not recorded as swallowed.")
    if vomited_at < row.consumed_at:
        raise Invalid.field("vomited_at", "must not be before the dose was taken")
    if seen == "seen" and text_of(seen_by) is None:
        raise Invalid.field("seen_by", "must say who saw it")
    vomited = DoseVomited(
        patient_id=row.patient_id, site_id=act.site_id, dose_id=row.id, vomited_at=vomited_at,
        seen=seen, seen_by=text_of(seen_by), note=text_of(note), recorded_at=at,
        recorded_by=act.staff_id, struck_at=None, struck_by=None, struck_reason=None,
    )  # fmt: skip
    act.session.add(vomited)
    act.session.flush()
    act.note("consumption.vomited", patient_id=patient.id, dose=row.id)
    return vomited.id


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
    row = add_dose(
        act, patient.id, at, decision=None, product=product, increment=1, outcome="taken",
        dose_mg=dose_mg, consumed_at=consumed_at, supervision=supervision, elsewhere=True,
        place=place, note=note,
    )  # fmt: skip
    dues.refresh(act, patient, at)
    return row.id


@command
def record_incident(
    act: Act,
    patient_id: int,
    *,
    product: str,
    dose_mg: Decimal,
    consumed_at: datetime,
    reason_code: str,
    reason: str,
    decision_id: int | None = None,
    note: str | None = None,
) -> int:
    """A dose was found to have been swallowed here against shut gates. Returns its id.

    It opens nothing. It counts as swallowed in every check from now on, and the clinical lead sees
    it. Conflict where the gates stood open: then it is an ordinary dose.
    """
    patient = open_record(act, patient_id, "consumption.incident", right="consumption.correct")
    one_of("product", product, dict.fromkeys(PRODUCTS, ""))
    one_of("reason_code", reason_code, INCIDENT_REASONS)
    text = why(reason)
    if dose_mg <= 0:
        raise Invalid.field("dose_mg", "must be more than 0")
    past(act, "consumed_at", consumed_at)
    at = take_turn(act, patient.id)
    records = same_person(act, patient.id)
    on, drug = london_day(consumed_at), PRODUCTS[product].drug
    must_be_theirs(act, records, on)
    shut: list[str] = []
    if decision_id is not None:
        decision = decided(act, patient.id, decision_id)
        if decision.product != product:
            raise Invalid.field("product", "must be the product that was decided on")
        hatch = gates.hatch_for(act, decision, decision.first_increment, consumed_at, at)
        verdict = may_give(hatch.facts)
        if verdict.open and dose_mg == decision.dose_mg:
            raise Conflict("Every gate stood open then: record it as an ordinary dose.")
        shut = [each.gate for each in verdict.shut]
    number = next_number(act, records, drug, on)
    row = add_dose(
        act, patient.id, at, decision=None, decision_id=decision_id, product=product,
        increment=number, outcome="taken", dose_mg=dose_mg, consumed_at=consumed_at, incident=True,
        note=note,
    )  # fmt: skip
    gates.write_broken(
        act, patient.id, decision_id, on, number, at, kind="incident", gates=shut,
        broken_at=consumed_at, reason_code=reason_code, reason=text,
    )  # fmt: skip
    return row.id


def next_number(act: Act, records: list[int], drug: str, on: date) -> int:
    """A number among the day's doses that neither a decision nor a record has."""
    taken = act.session.scalar(
        select(func.max(DoseEvent.increment)).where(
            DoseEvent.patient_id.in_(records), DoseEvent.drug == drug, DoseEvent.dose_on == on
        )
    )
    decided_on = act.session.scalars(
        select(DoseDecision).where(
            DoseDecision.patient_id.in_(records), DoseDecision.drug == drug,
            DoseDecision.dose_on <= on, DoseDecision.last_on >= on,
        )
    )  # fmt: skip
    return 1 + max([taken or 0, *(max(increments_of(row)) for row in decided_on)])
