"""What one entry alone cannot show: the row it belongs to, and what must stand before it.

A check may add to the entry what was known at its moment, so that it can be read years later.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from clinic.act import Act
from clinic.assessments import dues, words
from clinic.assessments.dues import case_now
from clinic.assessments.models import ClinicalEntry
from clinic.assessments.tasks import needed_of
from clinic.errors import Conflict, Invalid, NotFound
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.sites.queries import staff_at
from clinic.staff.queries import as_prescriber
from dosing.complexity import MENTAL_HEALTH
from scheduling.assessment import RISKS, answers

Data = dict[str, Any]
Check = Callable[[Act, Patient, Data, datetime], Data]


def standing_entry(act: Act, patient_id: int, entry_id: int) -> ClinicalEntry:
    """An entry of this person's that stands."""
    row = act.session.get(ClinicalEntry, entry_id, populate_existing=True)
    if row is None or row.patient_id not in same_person(act, patient_id):
        raise NotFound("There is no such entry for this patient.")
    if row.struck_at is not None:
        raise Conflict("That entry was already struck out.")
    return row


def _belongs(act: Act, patient: Patient, field: str, entry_id: int, kind: str) -> ClinicalEntry:
    row = standing_entry(act, patient.id, entry_id)
    if row.kind != kind:
        raise Invalid.field(field, f"must be a {kind.replace('_', ' ')} of this patient")
    return row


def check_entry(act: Act, patient: Patient, kind: str, given: Data, at: datetime) -> Data:
    """The entry as it is kept. `at`: when it happened."""
    return CHECKS[kind](act, patient, given, at) if kind in CHECKS else given


def _belongs_to(field: str, kind: str) -> Check:
    def check(act: Act, patient: Patient, given: Data, at: datetime) -> Data:
        if given.get(field) is not None:
            _belongs(act, patient, field, given[field], kind)
        return given

    return check


def _part(act: Act, patient: Patient, given: Data, at: datetime) -> Data:
    if given["item"] == "prescriber_assessed":
        as_prescriber(act)
    return given


def _risk_action(act: Act, patient: Patient, given: Data, at: datetime) -> Data:
    risk = _belongs(act, patient, "risk_id", given["risk_id"], "risk").data["risk"]
    if not answers(risk, given["action"]):
        raise Invalid.field("action", f"does not answer this risk: {RISKS[risk]}")
    if given["owner_id"] not in {staff.id for staff in staff_at(act, act.site_id or 0)}:
        raise Invalid.field("owner_id", "must be somebody who works at this site")
    return given


def _outcome(act: Act, patient: Patient, given: Data, at: datetime) -> Data:
    """Signed by a prescriber, with the complexity as it was then; the test kept if not dependent."""
    as_prescriber(act)
    case = case_now(act, patient, at)
    outcome, next_on = given["outcome"], given.get("next_review_on")
    if next_on is not None and date.fromisoformat(next_on) <= case.today:
        raise Invalid.field("next_review_on", "must be a later day")
    if case.began_on is None:
        raise Invalid.field("outcome", "needs an assessment: nothing has been found yet")
    found = case.complexity(given.get("medicine"))
    if outcome == words.SUITABLE:
        lacking = needed_of(case)
        if lacking:
            texts = "; ".join(task.text for task in lacking)
            raise Invalid.field("outcome", f"cannot be a rapid start yet. Not complete: {texts}")
        if found.holds(MENTAL_HEALTH) and given.get("longer_assessment") is None:
            raise Invalid.field(
                "longer_assessment", "is offered first where there is a mental health problem"
            )
    if outcome in words.NO_PRESCRIPTION and dues.prescribed_until(act, patient, case.today):
        raise Conflict("A dose decision is still in force. Withdraw it first.")
    if outcome == words.NOT_DEPENDENT:
        test = case.on_site_test or case.own.last("drug_test")
        if test is None or test.data["result"] == "pending":
            raise Invalid.field("outcome", "needs a drug test with its result first")
        given = {**given, "drug_test_id": test.id}
    return {
        **given,
        "complexity": found.state,
        "reasons": [reason.id for reason in found.reasons],
        "unknown": [reason.id for reason in found.unknown],
    }


CHECKS: dict[str, Check] = {
    "assessment": _part,
    "drug_test": _belongs_to("confirms_id", "drug_test"),
    "contest": _belongs_to("test_id", "drug_test"),
    "confirmation": _belongs_to("claim_id", "steady_dose"),
    "risk_action": _risk_action,
    "action_done": _belongs_to("action_id", "risk_action"),
    "arrest_review": _belongs_to("arrest_id", "arrest"),
    "outcome": _outcome,
}
