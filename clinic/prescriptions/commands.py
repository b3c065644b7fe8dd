"""Check a dose, save the decision on it, take a decision back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select

from clinic.act import Act, command
from clinic.assessments import dues, gate
from clinic.assessments.case import Case, place_of
from clinic.errors import Conflict, Invalid, Trouble
from clinic.guidance.facts import read_limits
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.prescriptions import facts
from clinic.prescriptions.doses import increments_of, later_decision, supplied_days
from clinic.prescriptions.facts import Gathered, Missing
from clinic.prescriptions.findings import keep_findings
from clinic.prescriptions.judging import judged
from clinic.prescriptions.models import OVERRIDES, DoseDecision, DoseStop
from clinic.prescriptions.queries import decided
from clinic.release.following import follow_patient
from clinic.sites.queries import Here, what_holds
from clinic.soundness import must_be_open
from clinic.staff.queries import as_prescriber
from clinic.turns import SHORTEST_REASON, RecordTurn, take_turn, why
from dosing.continuation import treatment_of
from dosing.days import london_day
from dosing.medicines import PRODUCTS
from dosing.shape import Refused
from dosing.units import mg_from_micrograms

AHEAD = timedelta(days=14)
JUST_NOW = timedelta(minutes=10)
"""An order is timed when its dose will be taken; typing one takes some minutes."""

Data = dict[str, Any]


class Stopped(Trouble):
    """A STOP: nobody can save this dose, by any route. Carries every finding."""

    status, title, kind = 422, "This dose cannot be saved", "stopped"

    def __init__(self, request: Data, answer: Data, beside: Data | None = None) -> None:
        stops = [each["message"] for each in answer["findings"] if each["severity"] == "STOP"]
        super().__init__(" ".join(stops), more={"check": answer})
        self.request = request
        self.answer = answer
        self.beside = beside


class ReasonNeeded(Trouble):
    """An ALERT: the prescriber must choose a reason and type why. Carries every finding."""

    status, title, kind = 422, "This dose needs a reason", "reason-needed"

    def __init__(self, answer: Data, field: str, allowed: str) -> None:
        super().__init__(
            "Give a reason for going on.", faults=[(field, allowed)], more={"check": answer}
        )
        self.answer = answer


class FactsMissing(Trouble):
    """Facts the check has no default for: nobody may assume one."""

    status, title, kind = 422, "Facts are missing", "facts-missing"

    def __init__(self, missing: tuple[Missing, ...]) -> None:
        super().__init__(
            "Record these before a dose is checked.",
            faults=[(each.kind, each.says) for each in missing],
        )
        self.missing = missing


def _judge(
    act: Act,
    here: Here,
    patient: Patient,
    asked: Data,
    decided_at: datetime,
    known_at: datetime,
    but: tuple[int, ...],
) -> tuple[Gathered, Data, Data | None, Data]:
    """What is known, what was read from elsewhere, what was judged beside, and the answer."""
    if not act.at - JUST_NOW <= decided_at <= act.at + AHEAD:
        raise Invalid.field(
            "decided_at", f"must be when the dose is to be taken: from now to {AHEAD.days} days on"
        )
    about = facts.outside(act, here, patient, decided_at)
    gathered = facts.dose_request(act, asked, decided_at, known_at, about, but)
    if gathered.newest_at is not None and gathered.newest_at > decided_at:
        raise Invalid.field("decided_at", "must not be before what is already recorded")
    later = later_decision(gathered.decisions, london_day(decided_at), but)
    if later is not None:
        raise Conflict(
            "A dose is already decided on for a later day. Withdraw that decision first.",
            more={"decision": later.id},
        )
    if gathered.missing:
        raise FactsMissing(gathered.missing)
    try:
        beside, answer = judged(gathered, read_limits(about["site_limits"]))
    except Refused as refused:
        raise Invalid.field(refused.field, refused.message) from refused
    return gathered, about, beside, answer


def check_dose(
    act: Act,
    patient_id: int,
    *,
    order: Data,
    decided_at: datetime,
    supply: Data | None = None,
    replaces_id: int | None = None,
) -> tuple[Data, tuple[DoseDecision, ...]]:
    """What the rules say to this order now, and the plans of the day counted. Nothing is saved."""
    patient = open_record(act, patient_id, "prescribing.checked", right="prescribing.read")
    last = act.session.scalar(select(RecordTurn.last_at).where(RecordTurn.patient_id == patient.id))
    asked = {"order": order, "supply": supply}
    but = () if replaces_id is None else (replaces_id,)
    known_at = max(act.at, last or act.at)
    gathered, _, _, answer = _judge(act, what_holds(act), patient, asked, decided_at, known_at, but)
    return answer, gathered.planned


def save_dose_decision(act: Act, patient_id: int, **given: Any) -> int:
    """As `decide_dose`; the id of the decision."""
    return decide_dose(act, patient_id, **given).id


def decide_dose(act: Act, patient_id: int, **given: Any) -> DoseDecision:
    """Save a dose for this patient unless a rule stops it. Returns the decision.

    Keywords: `order` and `supply` (the contract's parts), `decided_at`; `reason_code` and `reason`
    for an ALERT; `once`, a key that makes a repeat find the first; `replaces_id`, a decision that
    ends with this one. Stopped by any STOP, whoever asks; ReasonNeeded; FactsMissing. A STOP is
    kept and audited in a transaction of its own, so it is there although nothing was saved.
    """
    try:
        return _save(act, patient_id, **given)
    except Stopped as stopped:
        _keep_stop(act, patient_id, stopped)
        raise


@command
def _keep_stop(act: Act, patient_id: int, stopped: Stopped) -> None:
    row = DoseStop(
        patient_id=same_person(act, patient_id)[0], site_id=act.site_id,
        stopped_on=london_day(datetime.fromisoformat(stopped.request["decided_at"])),
        request=stopped.request, beside=stopped.beside, answer=stopped.answer, recorded_at=act.at,
        recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    keep_findings(act, stopped.answer, row.patient_id, stop_id=row.id, saved=False)
    rules = [each["rule"] for each in stopped.answer["findings"] if each["severity"] == "STOP"]
    act.note("prescribing.stopped", patient_id=patient_id, outcome="refused", rules=rules)


@command
def _save(
    act: Act,
    patient_id: int,
    *,
    order: Data,
    decided_at: datetime,
    supply: Data | None = None,
    reason_code: str | None = None,
    reason: str | None = None,
    once: str | None = None,
    replaces_id: int | None = None,
) -> DoseDecision:
    patient = open_record(act, patient_id, "prescribing.deciding", right="prescribing.prescribe")
    here = as_prescriber(act)
    at = take_turn(act, patient.id)
    if once is not None:
        again = act.session.scalar(
            select(DoseDecision).where(
                DoseDecision.patient_id == patient.id, DoseDecision.once == once
            )
        )
        if again is not None:
            return again
    asked = {"order": order, "supply": supply}
    but = () if replaces_id is None else (_decision(act, patient.id, replaces_id).id,)
    gathered, about, beside, answer = _judge(act, here, patient, asked, decided_at, at, but)
    if answer["outcome"] == "STOP":
        raise Stopped(gathered.request, answer, beside)
    _cleared(act, here, patient, gathered, order, at)
    must_be_open(PRODUCTS[order["product"]].drug)
    if answer["outcome"] == "ALERT":
        if reason_code not in OVERRIDES:
            raise ReasonNeeded(answer, "reason_code", f"must be one of: {', '.join(OVERRIDES)}")
        if len((reason or "").strip()) < SHORTEST_REASON:
            raise ReasonNeeded(
                answer, "reason", f"must say why, in {SHORTEST_REASON} characters or more"
            )
    else:
        reason_code = reason = None
    on, drug = london_day(decided_at), PRODUCTS[order["product"]].drug
    row = _written(
        act, patient_id=patient.id, site_id=act.site_id, once=once, decided_at=decided_at, dose_on=on,
        last_on=max(supplied_days(on, supply)), known_at=at, product=order["product"],
        drug=drug, dose_mg=_dose_mg(order),
        doses_that_day=order.get("doses_remaining_today") or 1,
        first_increment=_next_increment(gathered, drug, on), asked=asked,
        outside=about, rule_set=answer["rule_set"], rule_set_version=answer["rule_set_version"],
        request=gathered.request, beside=beside, answer=answer, outcome=answer["outcome"],
        reason_code=reason_code, reason=(reason or "").strip() or None, withdrawn_at=None,
        withdrawn_by=None, withdrawn_reason=None, recorded_at=at, recorded_by=act.staff_id,
    )  # fmt: skip
    keep_findings(
        act, answer, patient.id, decision_id=row.id, reason_code=reason_code, reason=row.reason
    )
    if replaces_id is not None:
        _withdraw(
            act, _decision(act, patient.id, replaces_id), at, f"Replaced by decision {row.id}"
        )
    dues.dose_decided(act, about["records"], at)
    act.note(
        "prescribing.decided", patient_id=patient.id, decision=row.id,
        overridden=[each["rule"] for each in answer["findings"] if each["severity"] == "ALERT"],
    )  # fmt: skip
    return row


def _cleared(
    act: Act, here: Here, patient: Patient, gathered: Gathered, order: Data, at: datetime
) -> None:
    """NotCleared while the assessment does not allow this dose: a first one most of all.

    A dose nobody knows to have been taken does not make the next one a later dose.
    """
    case = Case(gathered.entries, gathered.doses, place_of(act, here), patient.sex, at)
    first_dose = case.place.holds and treatment_of(gathered.read_as_happened).first_dose
    gate.cleared(case, first_dose=first_dose, medicine=PRODUCTS[order["product"]].drug)


def _dose_mg(order: Data) -> Decimal:
    """The mg of one dose; the check has already refused a missing or doubled unit (U-06)."""
    if order.get("dose_mg") is not None:
        return Decimal(order["dose_mg"])
    return mg_from_micrograms(Decimal(order["dose_micrograms"]))


def _written(act: Act, **values: Any) -> DoseDecision:
    """A new decision, written past the session: it is read from here and changed by nobody."""
    columns = {**values, "dose_micrograms": values["dose_mg"]}
    del columns["dose_mg"]
    written = act.session.connection().execute(_ADD, columns).inserted_primary_key
    return DoseDecision(id=written[0], **values)


_ADD = insert(DoseDecision.__table__)


def _next_increment(gathered: Gathered, drug: str, on: date) -> int:
    """The number of a new decision's first dose among the day's doses of the drug.

    A number once given is never given again, so no dose can be taken for another decision's. In
    this turn everything written of the person has been read, struck out or not.
    """
    taken = [row.increment for row in gathered.doses if row.drug == drug and row.dose_on == on]
    decided = [
        row for row in gathered.decisions if row.drug == drug and row.dose_on <= on <= row.last_on
    ]
    used = [0, *taken, *(max(increments_of(row)) for row in decided)]
    return 1 + max(used)


def _decision(act: Act, patient_id: int, decision_id: int) -> DoseDecision:
    """A decision of this patient's that is in force."""
    row = decided(act, patient_id, decision_id)
    if row.withdrawn_at is not None:
        raise Conflict("That decision was already withdrawn.")
    return row


def _withdraw(act: Act, row: DoseDecision, at: datetime, reason: str) -> None:
    row.withdrawn_at, row.withdrawn_by, row.withdrawn_reason = at, act.staff_id, reason
    act.session.flush()
    act.note("prescribing.withdrawn", patient_id=row.patient_id, decision=row.id)
    follow_patient(replace(act, at=at), row.patient_id)  # a form may rest on it


@command
def withdraw_decision(act: Act, patient_id: int, decision_id: int, reason: str) -> None:
    """Take a decision back from now on. What was recorded as taken stays taken and counts."""
    patient = open_record(act, patient_id, "prescribing.deciding", right="prescribing.prescribe")
    as_prescriber(act)
    text = why(reason)
    at = take_turn(act, patient.id)
    _withdraw(act, _decision(act, patient.id, decision_id), at, text)
    dues.refresh(act, patient, at)
