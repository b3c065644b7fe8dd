"""Record what was found, save a dose decision, record what became of a dose, put mistakes right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import current_app, has_app_context
from sqlalchemy import select

from clinic.act import Act, command
from clinic.errors import Conflict, Forbidden, Invalid, NotFound, NotReady, Trouble, says
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.prescriptions import facts
from clinic.prescriptions.facts import Gathered, Missing
from clinic.prescriptions.kinds import KINDS
from clinic.prescriptions.models import (
    OUTCOMES,
    OVERRIDES,
    SUPERVISION,
    SWALLOWED,
    ClinicalEntry,
    DoseDecision,
    DoseEvent,
    DoseStop,
    RecordTurn,
)
from clinic.staff.models import Staff
from dosing.check import check
from dosing.days import london_day
from dosing.medicines import PRODUCTS
from dosing.shape import Refused
from dosing.units import mg_from_micrograms

AHEAD = timedelta(days=14)
JUST_NOW = timedelta(minutes=10)
"""An order is timed when its dose will be taken; typing one takes some minutes."""
SHORTEST_REASON = 10
TICK = timedelta(microseconds=1)

Data = dict[str, Any]

for _name in ("uq_dose_event_standing", "dose_event.patient_id, dose_event.drug"):
    says(_name, "This dose of the day is already recorded. Look at it before recording another.")


class Stopped(Trouble):
    """A STOP: nobody can save this dose, by any route. Carries every finding."""

    status, title, kind = 422, "This dose cannot be saved", "stopped"

    def __init__(self, request: Data, answer: Data) -> None:
        stops = [each["message"] for each in answer["findings"] if each["severity"] == "STOP"]
        super().__init__(" ".join(stops), more={"check": answer})
        self.request = request
        self.answer = answer


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


def _take_turn(act: Act, patient_id: int) -> datetime:
    """Hold this person's prescribing record until the transaction ends; the stamp to write under.

    The patient's own row is what is waited for, so a first entry has its turn too.
    """
    act.session.execute(
        select(Patient.id).where(Patient.id == patient_id).with_for_update(key_share=True)
    )
    row = act.session.scalar(
        select(RecordTurn)
        .where(RecordTurn.patient_id == patient_id)
        .execution_options(populate_existing=True)
    )
    if row is None:
        act.session.add(RecordTurn(patient_id=patient_id, last_at=act.at))
        act.session.flush()
        return act.at
    row.last_at = max(act.at, row.last_at + TICK)
    act.session.flush()
    return row.last_at


def _why(reason: str | None, field: str = "reason") -> str:
    text = (reason or "").strip()
    if len(text) < SHORTEST_REASON:
        raise Invalid.field(field, f"must say why, in {SHORTEST_REASON} characters or more")
    return text


def _one_of(field: str, value: str | None, words: Mapping[str, str]) -> None:
    if value not in words:
        raise Invalid.field(field, f"must be one of: {', '.join(words)}")


def _past(act: Act, field: str, at: datetime) -> None:
    if at > act.at:
        raise Invalid.field(field, "cannot be in the future")


# -- what was found ------------------------------------------------------------------------


@command
def record_entry(
    act: Act,
    patient_id: int,
    kind: str,
    data: Data,
    *,
    happened_at: datetime,
    note: str | None = None,
    replaces_id: int | None = None,
    reason: str | None = None,
) -> int:
    """Record one thing found or asked. Returns its id.

    `data` is in the words of the dose-check contract (kinds.py). With `replaces_id` and `reason`
    it stands in place of an earlier entry of its kind, which is struck out.
    """
    patient = open_record(act, patient_id, "prescribing.entry", right="prescribing.assess")
    if kind not in KINDS:
        raise Invalid.field("kind", f"must be one of: {', '.join(KINDS)}")
    _past(act, "happened_at", happened_at)
    given = {name: value for name, value in data.items() if value is not None}
    try:
        KINDS[kind].read(given, happened_at)
    except Refused as refused:
        raise Invalid.field(refused.field or "data", refused.message) from refused
    if given.get("item") == "prescriber_assessed":
        _prescriber(act)
    at = _take_turn(act, patient.id)
    _check_against_others(act, patient.id, kind, given)
    if replaces_id is not None:
        before = _entry(act, patient.id, replaces_id)
        if before.kind != kind:
            raise Invalid.field("replaces_id", "must be an entry of the same kind")
        _strike(act, before, at, _why(reason))
    row = ClinicalEntry(
        patient_id=patient.id, site_id=act.site_id, kind=kind, happened_at=happened_at, data=given,
        note=(note or "").strip() or None, replaces_id=replaces_id, recorded_at=at,
        recorded_by=act.staff_id, struck_at=None, struck_by=None, struck_reason=None,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("prescribing.entry_recorded", patient_id=patient.id, entry=row.id, kind=kind)
    return row.id


def _check_against_others(act: Act, patient_id: int, kind: str, given: Data) -> None:
    """What one entry alone cannot show: the sample a laboratory result belongs to."""
    confirms = given.get("confirms_id") if kind == "drug_test" else None
    if confirms is not None and _entry(act, patient_id, confirms).kind != "drug_test":
        raise Invalid.field("confirms_id", "must be a drug test of this patient")


def _entry(act: Act, patient_id: int, entry_id: int) -> ClinicalEntry:
    row = act.session.get(ClinicalEntry, entry_id, populate_existing=True)
    if row is None or row.patient_id not in same_person(act, patient_id):
        raise NotFound("There is no such entry for this patient.")
    if row.struck_at is not None:
        raise Conflict("That entry was already struck out.")
    return row


def _strike(act: Act, row: ClinicalEntry | DoseEvent, at: datetime, reason: str) -> None:
    row.struck_at, row.struck_by, row.struck_reason = at, act.staff_id, reason
    act.session.flush()


@command
def strike_entry(act: Act, patient_id: int, entry_id: int, reason: str) -> None:
    """Strike an entry out as wrong. It stays on the record and counts no longer."""
    patient = open_record(act, patient_id, "prescribing.entry", right="prescribing.assess")
    text = _why(reason)
    at = _take_turn(act, patient.id)
    _strike(act, _entry(act, patient.id, entry_id), at, text)
    act.note("prescribing.entry_struck", patient_id=patient.id, entry=entry_id)


# -- dose decisions ------------------------------------------------------------------------


def _prescriber(act: Act) -> None:
    act.need("prescribing.prescribe")
    staff = act.session.get(Staff, act.staff_id)
    if staff is None or staff.level_on(act.today) is None:
        raise Forbidden("Your account has no prescriber level today. Ask your administrator.")


def _judge(
    act: Act,
    patient: Patient,
    asked: Data,
    decided_at: datetime,
    known_at: datetime,
    but: tuple[int, ...],
) -> tuple[Gathered, Data, Data]:
    """What is known, what was read from elsewhere, and the check's answer."""
    if not act.at - JUST_NOW <= decided_at <= act.at + AHEAD:
        raise Invalid.field(
            "decided_at", f"must be when the dose is to be taken: from now to {AHEAD.days} days on"
        )
    about = facts.outside(act, patient, decided_at)
    gathered = facts.dose_request(act, asked, decided_at, known_at, about, but)
    if gathered.newest_at is not None and gathered.newest_at > decided_at:
        raise Invalid.field("decided_at", "must not be before what is already recorded")
    later = facts.later_decision(act, about["records"], london_day(decided_at), but)
    if later is not None:
        raise Conflict(
            "A dose is already decided on for a later day. Withdraw that decision first.",
            more={"decision": later.id},
        )
    if gathered.missing:
        raise FactsMissing(gathered.missing)
    try:
        return gathered, about, check(gathered.request)
    except Refused as refused:
        raise Invalid.field(refused.field, refused.message) from refused


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
    gathered, _, answer = _judge(act, patient, asked, decided_at, known_at, but)
    return answer, gathered.planned


def save_dose_decision(act: Act, patient_id: int, **given: Any) -> int:
    """Save a dose for this patient unless a rule stops it. Returns the id of the decision.

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
    act.session.add(
        DoseStop(
            patient_id=same_person(act, patient_id)[0], site_id=act.site_id,
            stopped_on=london_day(datetime.fromisoformat(stopped.request["decided_at"])),
            request=stopped.request, answer=stopped.answer, recorded_at=act.at,
            recorded_by=act.staff_id,
        )
    )  # fmt: skip
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
) -> int:
    patient = open_record(act, patient_id, "prescribing.deciding", right="prescribing.prescribe")
    _prescriber(act)
    at = _take_turn(act, patient.id)
    if once is not None:
        again = act.session.scalar(
            select(DoseDecision.id).where(
                DoseDecision.patient_id == patient.id, DoseDecision.once == once
            )
        )
        if again is not None:
            return again
    asked = {"order": order, "supply": supply}
    but = () if replaces_id is None else (_decision(act, patient.id, replaces_id).id,)
    gathered, about, answer = _judge(act, patient, asked, decided_at, at, but)
    if answer["outcome"] == "STOP":
        raise Stopped(gathered.request, answer)
    _rules_are_sound()
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
    row = DoseDecision(
        patient_id=patient.id, site_id=act.site_id, once=once, decided_at=decided_at, dose_on=on,
        last_on=max(facts.supplied_days(on, supply)), known_at=at, product=order["product"],
        drug=drug, dose_mg=_dose_mg(order),
        doses_that_day=order.get("doses_remaining_today") or 1,
        first_increment=_next_increment(act, about["records"], drug, on), asked=asked,
        outside=about, rule_set=answer["rule_set"], rule_set_version=answer["rule_set_version"],
        request=gathered.request, answer=answer, outcome=answer["outcome"],
        reason_code=reason_code, reason=(reason or "").strip() or None, withdrawn_at=None,
        withdrawn_by=None, withdrawn_reason=None, recorded_at=at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    if replaces_id is not None:
        _withdraw(
            act, _decision(act, patient.id, replaces_id), at, f"Replaced by decision {row.id}"
        )
    act.note(
        "prescribing.decided", patient_id=patient.id, decision=row.id,
        overridden=[each["rule"] for each in answer["findings"] if each["severity"] == "ALERT"],
    )  # fmt: skip
    return row.id


def _rules_are_sound() -> None:
    """NotReady while a rule fails its own worked examples: then no dose may be saved on it."""
    failing = current_app.extensions.get("rule_failures", []) if has_app_context() else []
    if failing:
        raise NotReady(f"Rules fail their own examples ({', '.join(failing)}). No dose is saved.")


def _dose_mg(order: Data) -> Decimal:
    """The mg of one dose; the check has already refused a missing or doubled unit (U-06)."""
    if order.get("dose_mg") is not None:
        return Decimal(order["dose_mg"])
    return mg_from_micrograms(Decimal(order["dose_micrograms"]))


def _next_increment(act: Act, records: list[int], drug: str, on: date) -> int:
    """The number of a new decision's first dose among the day's doses of the drug.

    A number once given is never given again, so no dose can be taken for another decision's.
    """
    taken = act.session.scalars(
        select(DoseEvent.increment).where(
            DoseEvent.patient_id.in_(records), DoseEvent.drug == drug, DoseEvent.dose_on == on
        )
    )
    decided = act.session.scalars(
        select(DoseDecision).where(
            DoseDecision.patient_id.in_(records), DoseDecision.drug == drug,
            DoseDecision.dose_on <= on, DoseDecision.last_on >= on,
        )
    )  # fmt: skip
    used: list[int] = [0, *taken, *(max(facts.increments_of(row)) for row in decided)]
    return 1 + max(used)


def _decision(act: Act, patient_id: int, decision_id: int) -> DoseDecision:
    """A decision of this patient's that is in force."""
    row = _decided(act, patient_id, decision_id)
    if row.withdrawn_at is not None:
        raise Conflict("That decision was already withdrawn.")
    return row


def _withdraw(act: Act, row: DoseDecision, at: datetime, reason: str) -> None:
    row.withdrawn_at, row.withdrawn_by, row.withdrawn_reason = at, act.staff_id, reason
    act.session.flush()
    act.note("prescribing.withdrawn", patient_id=row.patient_id, decision=row.id)


@command
def withdraw_decision(act: Act, patient_id: int, decision_id: int, reason: str) -> None:
    """Take a decision back from now on. What was recorded as taken stays taken and counts."""
    patient = open_record(act, patient_id, "prescribing.deciding", right="prescribing.prescribe")
    _prescriber(act)
    text = _why(reason)
    at = _take_turn(act, patient.id)
    _withdraw(act, _decision(act, patient.id, decision_id), at, text)


# -- doses taken ---------------------------------------------------------------------------


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
    _one_of("outcome", outcome, OUTCOMES)
    _past(act, "consumed_at", consumed_at)
    if supervision is not None:
        _one_of("supervision", supervision, SUPERVISION)
    at = _take_turn(act, patient.id)
    decision = _decided(act, patient.id, decision_id)
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


def _decided(act: Act, patient_id: int, decision_id: int) -> DoseDecision:
    """A decision of this patient's, withdrawn or not: a dose may have been taken before that."""
    row = act.session.get(DoseDecision, decision_id, populate_existing=True)
    if row is None or row.patient_id not in same_person(act, patient_id):
        raise NotFound("There is no such decision for this patient.")
    return row


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
    _one_of("product", product, dict.fromkeys(PRODUCTS, ""))
    if dose_mg <= 0:
        raise Invalid.field("dose_mg", "must be more than 0")
    _past(act, "consumed_at", consumed_at)
    if supervision is not None:
        _one_of("supervision", supervision, SUPERVISION)
    at = _take_turn(act, patient.id)
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
    text = _why(reason)
    at = _take_turn(act, patient.id)
    row = _dose(act, patient.id, dose_id)
    if row.struck_at is not None:
        raise Conflict("That dose was already struck out.")
    _strike(act, row, at, text)
    act.note("prescribing.dose_struck", patient_id=patient.id, dose=row.id)


@command
def agree_strike(act: Act, patient_id: int, dose_id: int) -> None:
    """A second person agrees that a dose struck out was not taken: now it counts no longer."""
    patient = open_record(act, patient_id, "prescribing.dosing", right="prescribing.assess")
    at = _take_turn(act, patient.id)
    row = _dose(act, patient.id, dose_id)
    if row.struck_at is None or row.agreed_at is not None or row.outcome not in SWALLOWED:
        raise Conflict("There is nothing to agree to.")
    if row.struck_by == act.staff_id:
        raise Invalid.field("agreed_by", "must be somebody other than who struck it out")
    row.agreed_at, row.agreed_by = at, act.staff_id
    act.note("prescribing.dose_strike_agreed", patient_id=patient.id, dose=row.id)
