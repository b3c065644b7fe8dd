"""Draft, issue, print, replace and cancel a prescription form; tell the pharmacy; settle its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update

from clinic.act import Act, command
from clinic.assessments import gate
from clinic.assessments.dues import case_now
from clinic.errors import Conflict, Invalid, NotFound, Stale, one_of, says
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.prescriptions.commands import FactsMissing, ReasonNeeded, Stopped
from clinic.prescriptions.facts import Missing
from clinic.prescriptions.findings import keep_findings, together
from clinic.prescriptions.models import OVERRIDES
from clinic.release.following import follow_patient
from clinic.release.models import Premises
from clinic.scripts import facts, paper
from clinic.scripts.facts import Judged, Made, withdrawn_decisions
from clinic.scripts.models import (
    CANCELLED,
    DISCARDED,
    DRAFT,
    ENDED_OR_ISSUED,
    FORMS,
    HOW,
    ISSUED,
    REPLACED,
    Script,
    ScriptDay,
    ScriptInstalment,
    ScriptPrint,
)
from clinic.scripts.shut import standing
from clinic.sites.models import Site
from clinic.soundness import must_be_open
from clinic.staff.models import Staff
from clinic.staff.queries import as_prescriber
from clinic.turns import SHORTEST_REASON, RecordTurn, take_turn, why
from scheduling.instalments import AHEAD, WORDINGS, Need, lacking, wordings_for
from scheduling.release_request import WEEKDAYS

Data = dict[str, Any]
MOST_DAYS = 100
"""A form longer than this is a slip of the keyboard; how long one may be is a rule's to say."""

for _name in ("uq_script_day_standing", "script_day.patient_id, script_day.drug"):
    says(_name, "Another form already covers one of these dates. Replace or cancel that one first.")


@dataclass(frozen=True)
class Checked:
    """A draft worked out and judged. `answer`: all findings together, each rule once."""

    made: Made
    needs: list[Need]
    judged: list[Judged]
    answer: Data
    missing: tuple[Missing, ...] = ()

    @property
    def ahead(self) -> int:
        return max((each.ahead for each in self.judged), default=0)


# -- drafts --------------------------------------------------------------------------------


@command
def draft_script(act: Act, patient_id: int, *, replaces_id: int | None = None, **given: Any) -> int:
    """Begin a form. Returns its id. Nothing is issued, and nothing is judged yet.

    Keywords: `form`, `decision_ids`, `from_on`, `to_on`, `premises_id`, `days` (weekday -> how),
    `strength_mg_per_ml`, `directions` (ids of approved wordings), `address` of the patient.
    `replaces_id`: an issued form that ends where this one begins.
    """
    patient = open_record(act, patient_id, "scripts.drafting", right="prescribing.assess")
    at = take_turn(act, patient.id)
    if replaces_id is not None:
        script_of(act, patient, replaces_id, *ENDED_OR_ISSUED)
    row = Script(
        patient_id=patient.id, site_id=act.site_id, status=DRAFT, replaces_id=replaces_id,
        call_due=False, recorded_at=at, recorded_by=act.staff_id, **_read(act, **given),
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("scripts.drafted", patient_id=patient.id, script=row.id)
    return row.id


@command
def change_draft(act: Act, patient_id: int, script_id: int, *, version: int, **given: Any) -> int:
    """Change what a draft asks for. Returns its new version."""
    patient = open_record(act, patient_id, "scripts.drafting", right="prescribing.assess")
    take_turn(act, patient.id)
    row = script_of(act, patient, script_id, DRAFT)
    _same_version(row, version)
    for name, value in _read(act, **given).items():
        setattr(row, name, value)
    act.session.flush()
    act.note("scripts.draft_changed", patient_id=patient.id, script=row.id)
    return row.version


@command
def discard_draft(act: Act, patient_id: int, script_id: int, reason: str) -> None:
    """Put a draft aside for good. It stays on the record."""
    patient = open_record(act, patient_id, "scripts.drafting", right="prescribing.assess")
    text, at = why(reason), take_turn(act, patient.id)
    row = script_of(act, patient, script_id, DRAFT)
    _end(act, row, DISCARDED, at, text, None)
    act.note("scripts.discarded", patient_id=patient.id, script=row.id)


def _read(
    act: Act,
    *,
    form: str,
    decision_ids: list[int],
    from_on: date,
    to_on: date,
    premises_id: int,
    days: Mapping[str, str],
    address: str,
    strength_mg_per_ml: Decimal | None = None,
    directions: list[str] | tuple[str, ...] = (),
) -> Data:
    """What the writer chose, as a draft keeps it. Invalid names what cannot stand."""
    one_of("form", form, FORMS)
    nation = act.session.get_one(Site, act.site_id).nation
    if nation != "england_and_wales":
        raise Invalid.field("form", "these forms are for England and Wales: use your own nation's")
    if not decision_ids:
        raise Invalid.field("decision_ids", "is required: a form is written from a dose decision")
    if not act.today <= from_on <= act.today + AHEAD:
        raise Invalid.field("from_on", f"must be from today to {AHEAD.days} days from now")
    if not from_on <= to_on <= from_on + timedelta(days=MOST_DAYS):
        raise Invalid.field("to_on", "must not be before the first day, nor a season after it")
    read_days(days)
    if act.session.get(Premises, premises_id) is None:
        raise Invalid.field("premises_id", "must be a pharmacy that is recorded here")
    for each in directions:
        if each not in WORDINGS or WORDINGS[each].in_force_from > act.today:
            raise Invalid.field("directions", f"must be among: {', '.join(WORDINGS)}")
    if not address.strip():
        raise Invalid.field("address", "is required; no fixed abode is an address")
    return {
        "form": form,
        "from_on": from_on,
        "to_on": to_on,
        "premises_id": premises_id,
        "asked": {
            "decision_ids": sorted(set(decision_ids)),
            "days": dict(days),
            "strength_mg_per_ml": None if strength_mg_per_ml is None else f"{strength_mg_per_ml:f}",
            "directions": [each for each in WORDINGS if each in directions],
            "address": address.strip(),
        },
    }  # fmt: skip


def read_days(days: Mapping[str, str]) -> None:
    """Invalid unless each weekday collected on says how, and there is one."""
    if not days:
        raise Invalid.field("days", "must name at least one weekday")
    for weekday, how in days.items():
        if weekday not in WEEKDAYS or how not in HOW:
            raise Invalid.field(
                "days", f"must say for each of {', '.join(WEEKDAYS)}: {' or '.join(HOW)}"
            )


# -- the check -----------------------------------------------------------------------------


def check_script(act: Act, patient_id: int, script_id: int) -> Checked:
    """A draft worked out and judged as it stands now. Nothing is saved, whatever the outcome."""
    patient = open_record(act, patient_id, "scripts.checked", right="prescribing.read")
    last = act.session.scalar(select(RecordTurn.last_at).where(RecordTurn.patient_id == patient.id))
    row = script_of(act, patient, script_id, DRAFT)
    try:
        return _checked(act, patient, row, max(act.at, last or act.at))
    except FactsMissing as lack:
        made = facts.make(act, patient, row)
        return Checked(made, wordings_for(made.plan), [], {"findings": []}, lack.missing)


def _checked(act: Act, patient: Patient, row: Script, known_at: datetime) -> Checked:
    made = facts.make(act, patient, row)
    judged = facts.judge(act, row, made, known_at)
    answer = together([each.answer for each in judged])
    return Checked(made, wordings_for(made.plan), judged, answer)


# -- issuing -------------------------------------------------------------------------------


def issue_script(act: Act, patient_id: int, script_id: int, **given: Any) -> int:
    """Issue a draft: its prescriber signs the printed paper today. Returns its new version.

    Keywords: `version` read; `reason_code` and `reason` for an ALERT. Stopped by any STOP, whoever
    asks: the refusal is audited in a transaction of its own. ReasonNeeded; FactsMissing; Invalid
    without a wording its instalments cannot do without; Conflict where another form covers a date.
    """
    try:
        return _issue(act, patient_id, script_id, **given)
    except Stopped as stopped:
        _note_stop(act, patient_id, script_id, stopped.answer)
        raise


@command
def _note_stop(act: Act, patient_id: int, script_id: int, answer: Data) -> None:
    row = act.session.get_one(Script, script_id)
    keep_findings(act, answer, row.patient_id, script_id=row.id, saved=False)
    rules = [each["rule"] for each in answer["findings"] if each["severity"] == "STOP"]
    act.note(
        "scripts.stopped", patient_id=patient_id, outcome="refused", script=script_id, rules=rules
    )


@command
def _issue(
    act: Act,
    patient_id: int,
    script_id: int,
    *,
    version: int,
    reason_code: str | None = None,
    reason: str | None = None,
) -> int:
    patient = open_record(act, patient_id, "scripts.issuing", right="prescribing.prescribe")
    as_prescriber(act)
    at = take_turn(act, patient.id)
    row = script_of(act, patient, script_id, DRAFT)
    _same_version(row, version)
    if row.from_on < act.today:
        raise Invalid.field("from_on", "has passed: change the draft")
    checked = _checked(act, patient, row, at)
    made, answer = checked.made, checked.answer
    if answer["outcome"] == "STOP":
        raise Stopped({"decided_at": checked.judged[0].request["decided_at"]}, answer)
    gate.cleared(case_now(act, patient, at), first_dose=False)
    must_be_open(made.product.drug)
    for need in lacking(checked.needs, row.asked["directions"]):
        raise Invalid.field(
            "directions", f"must include “{WORDINGS[need.wording].text}” {need.why}"
        )
    if answer["outcome"] == "ALERT":
        if reason_code not in OVERRIDES:
            raise ReasonNeeded(answer, "reason_code", f"must be one of: {', '.join(OVERRIDES)}")
        if len((reason or "").strip()) < SHORTEST_REASON:
            raise ReasonNeeded(
                answer, "reason", f"must say why, in {SHORTEST_REASON} characters or more"
            )
    else:
        reason_code = reason = None
    if not act.session.get_one(Staff, act.staff_id).registration:
        raise Invalid.field(
            "registration", "Your professional registration is not recorded: ask an administrator"
        )
    start_on = facts.start_of_form(act.today, made)
    valid_until_on = facts.valid_until(
        answer["rule_set"], act.today, act.today, start_on or act.today
    )
    written = paper.write(act, row, made, start_on=start_on, valid_until_on=valid_until_on)
    row.status, row.paper = ISSUED, written
    row.product, row.drug = made.product.name, made.product.drug
    row.issued_at, row.issued_by, row.signed_on = at, act.staff_id, act.today
    row.start_on, row.valid_until_on, row.last_on = start_on, valid_until_on, row.to_on
    row.total_mg, row.total = made.plan.total_mg, made.plan.total
    row.judged = [each.as_json() for each in checked.judged]
    row.outcome, row.reason_code, row.reason = (
        answer["outcome"],
        reason_code,
        reason and reason.strip(),
    )
    if row.replaces_id is not None:
        _make_room(act, patient, row, at)
    _cover(act, row, made)
    keep_findings(
        act, answer, patient.id, script_id=row.id, reason_code=reason_code, reason=row.reason
    )
    act.session.flush()
    act.note(
        "scripts.issued", patient_id=patient.id, script=row.id,
        overridden=[each["rule"] for each in answer["findings"] if each["severity"] == "ALERT"],
    )  # fmt: skip
    _tell_release(act, patient, row, at)
    return row.version


def _tell_release(act: Act, patient: Patient, row: Script, at: datetime) -> None:
    """A form stands, is on paper or has ended: a release plan reads it as known from then on."""
    act.session.expire(row, ["instalments", "prints"])  # rows were added beside them
    follow_patient(replace(act, at=at), patient.id)


def _cover(act: Act, row: Script, made: Made) -> None:
    """The rows of an issued form: its instalments, and each date it covers."""
    for number, each in enumerate(made.plan.instalments, 1):
        act.session.add(
            ScriptInstalment(
                script_id=row.id, number=number, due_on=each.due_on, first_on=each.dates[0],
                last_on=each.dates[-1], supervised=each.supervised, mg=each.mg, amount=each.amount,
            )
        )  # fmt: skip
        act.session.add_all(
            ScriptDay(
                script_id=row.id, decision_id=made.by_day[day].id, patient_id=row.patient_id,
                drug=row.drug, dose_on=day, mg=made.doses[day].mg,
                supervised=day not in each.taken_home, released_at=None,
            )
            for day in each.dates
        )  # fmt: skip


def _make_room(act: Act, patient: Patient, row: Script, at: datetime) -> None:
    """End the form this one replaces, where this one begins."""
    old = script_of(act, patient, row.replaces_id or 0, *ENDED_OR_ISSUED)
    assert old.last_on is not None, "it was issued"
    if old.drug == row.drug and old.from_on <= row.to_on and row.from_on <= old.last_on:
        _cut(act, old, row.from_on, at, f"Replaced by form {row.id}", REPLACED)
        act.note("scripts.replaced", patient_id=patient.id, script=old.id, by=row.id)


# -- ending --------------------------------------------------------------------------------


@command
def cancel_script(act: Act, patient_id: int, script_id: int, *, from_on: date, reason: str) -> None:
    """Cancel an issued form from a date on. The pharmacy is then to be told.

    `from_on`: a date an instalment begins with that is not handed out before today. A form that
    already ends early can be ended earlier still.
    """
    patient = open_record(act, patient_id, "scripts.issuing", right="prescribing.prescribe")
    as_prescriber(act)
    text, at = why(reason), take_turn(act, patient.id)
    row = script_of(act, patient, script_id, *ENDED_OR_ISSUED)
    _cut(act, row, from_on, at, text, CANCELLED)
    act.note("scripts.cancelled", patient_id=patient.id, script=row.id)
    _tell_release(act, patient, row, at)


def first_days_left(act: Act, row: Script) -> list[date]:
    """The dates an issued form may end at: where an instalment begins that is still to come."""
    return [each.first_on for each in standing(row) if each.due_on >= act.today]


def _cut(act: Act, row: Script, from_on: date, at: datetime, reason: str, status: str) -> None:
    """End an issued form from a date on, between two instalments: one is never cut in two."""
    possible = first_days_left(act, row)
    if not possible:
        raise Conflict("Every instalment of that form was due before today: nothing is left of it.")
    if from_on <= possible[0]:
        from_on = possible[0]
    elif from_on not in possible and from_on <= (row.last_on or row.to_on):
        listed = ", ".join(f"{day.day} {day:%b}" for day in possible)
        raise Invalid.field("from_on", f"must begin with an instalment of that form: {listed}")
    act.session.execute(
        update(ScriptDay)
        .where(
            ScriptDay.script_id == row.id, ScriptDay.dose_on >= from_on,
            ScriptDay.released_at.is_(None),
        )
        .values(released_at=at)
    )  # fmt: skip
    assert row.last_on is not None, "an issued form has a last date"
    if from_on > row.last_on:
        raise Invalid.field("from_on", "must be a date that form still covers")
    row.last_on = min(row.last_on, from_on - timedelta(days=1))
    _keep_ending(row)
    row.call_due = True
    _end(act, row, status, at, reason, from_on)


def _keep_ending(row: Script) -> None:
    """How it was ended before stays on the record, and the pharmacy is to be told anew."""
    if row.ended_at is not None:
        _keep(row, "status", "ended_at", "ended_by", "ended_from_on", "ended_reason", *_CALLED)
        row.called_at = row.called_by = row.called_who = None


def _keep(row: Script, *names: str, **more: Any) -> None:
    """Add to what the form keeps of its earlier endings, calls and settlings."""
    said = {**{name: getattr(row, name) for name in names}, **more}
    kept = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in said.items()
    }
    row.earlier_endings = [*(row.earlier_endings or ()), kept]


_CALLED = ("called_at", "called_by", "called_who")
_SETTLED = ("settled_at", "settled_by", "settled_reason")
UNDOABLE = {
    "call": "The call to the pharmacy was not made as recorded",
    "settling": "A next form is needed after all",
}


@command
def undo_on_script(act: Act, patient_id: int, script_id: int, *, what: str, reason: str) -> None:
    """Take back that the pharmacy was told, or that no next form is to follow; both stay on record.

    `what`: one of UNDOABLE. The form then waits on the list again.
    """
    patient = open_record(act, patient_id, "scripts.settling", right="prescribing.assess")
    one_of("what", what, UNDOABLE)
    text, at = why(reason), take_turn(act, patient.id)
    row = script_of(act, patient, script_id, *ENDED_OR_ISSUED)
    names = _CALLED if what == "call" else _SETTLED
    if getattr(row, names[0]) is None:
        raise Conflict("Nothing of that is recorded.")
    _keep(row, *names, undone_at=at, undone_by=act.staff_id, undone_reason=text)
    for name in names:
        setattr(row, name, None)
    act.session.flush()
    act.note("scripts.undone", patient_id=patient.id, script=row.id, what=what)


def _end(
    act: Act, row: Script, status: str, at: datetime, reason: str, from_on: date | None
) -> None:
    row.status, row.ended_at, row.ended_by = status, at, act.staff_id
    row.ended_reason, row.ended_from_on = reason, from_on
    act.session.flush()


@command
def record_call(act: Act, patient_id: int, script_id: int, *, who: str) -> None:
    """The pharmacy was told that a form is cancelled or replaced; `who` took the call there."""
    patient = open_record(act, patient_id, "scripts.calling", right="prescribing.assess")
    at = take_turn(act, patient.id)
    row = script_of(act, patient, script_id, CANCELLED, REPLACED)
    if row.called_at is not None:
        raise Conflict("The call to the pharmacy is already recorded.")
    if not who.strip():
        raise Invalid.field("who", "is required: the name of whoever took the call")
    row.called_at, row.called_by, row.called_who = at, act.staff_id, who.strip()
    act.session.flush()
    act.note("scripts.pharmacy_told", patient_id=patient.id, script=row.id)


@command
def settle_script(act: Act, patient_id: int, script_id: int, *, reason: str) -> None:
    """No next form is to follow this one: its end is no longer warned of."""
    patient = open_record(act, patient_id, "scripts.settling", right="prescribing.assess")
    text, at = why(reason), take_turn(act, patient.id)
    row = script_of(act, patient, script_id, ISSUED, CANCELLED, REPLACED)
    if row.settled_at is not None:
        raise Conflict("That is already recorded.")
    row.settled_at, row.settled_by, row.settled_reason = at, act.staff_id, text
    act.session.flush()
    act.note("scripts.settled", patient_id=patient.id, script=row.id)


# -- paper ---------------------------------------------------------------------------------


@command
def print_script(
    act: Act, patient_id: int, script_id: int, *, reason: str | None = None
) -> ScriptPrint:
    """Put an issued form on paper: once, and again only with a reason, marked as a reprint."""
    patient = open_record(act, patient_id, "scripts.printing", right="prescribing.prescribe")
    as_prescriber(act)
    at = take_turn(act, patient.id)
    row = script_of(act, patient, script_id, ISSUED)
    if withdrawn_decisions(act, row):
        raise Conflict("Its dose decision was withdrawn: cancel the form, it is not printed.")
    paper.must_agree(row.paper or {})
    number = len(row.prints) + 1
    made = ScriptPrint(
        script_id=row.id, number=number, printed_at=at, printed_by=act.staff_id,
        reason=why(reason) if number > 1 else None,
    )  # fmt: skip
    act.session.add(made)
    act.session.flush()
    act.note("scripts.printed", patient_id=patient.id, script=row.id, number=number)
    _tell_release(act, patient, row, at)
    return made


# -- shared --------------------------------------------------------------------------------


def script_of(act: Act, patient: Patient, script_id: int, *statuses: str) -> Script:
    """A form of this patient's in one of these states."""
    row = act.session.get(Script, script_id, populate_existing=True)
    if row is None or row.patient_id not in same_person(act, patient.id):
        raise NotFound("There is no such prescription form of this patient.")
    if row.status not in statuses:
        raise Conflict(f"That form is {row.status}: this can no longer be done with it.")
    return row


def _same_version(row: Script, version: int) -> None:
    if row.version != version:
        raise Stale("Somebody changed this draft since you read it.", more={"version": row.version})
