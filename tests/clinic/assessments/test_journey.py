"""The task list: what is recorded, what is not yet, what must wait; and what falls due about it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic.assessments.commands import name_worker, record_entries, record_entry, strike_entry
from clinic.assessments.models import AssessmentDue
from clinic.assessments.queries import assessment, due_now
from clinic.errors import Forbidden, Invalid
from tests.factories.assessments import (
    a_claim,
    a_drugs_worker,
    a_rapid_clinic,
    an_answer,
    somebody_assessed,
)
from tests.factories.base import NOW, a_patient
from tests.factories.prescriptions import (
    a_clinic,
    a_decision,
    an_assessed_patient,
    an_entry,
    an_observation,
    an_outcome,
)

WED = date(2026, 11, 4)


@pytest.fixture
def clinic(database):
    return a_rapid_clinic(database)


def status(act, patient):
    return {task.name: task.status for task in assessment(act, patient).tasks}


def task(act, patient, name):
    return next(each for each in assessment(act, patient).tasks if each.name == name)


def due(clinic, *whats, at=NOW, staff=None):
    """What is due now, as (what it is, its words)."""
    act = clinic.act(staff, at=at)
    found = [(row.what, row.says) for row, _, _ in due_now(act)]
    act.session.close()
    return [each for each in found if not whats or each[0] in whats]


@pytest.mark.proves("RP-21")
def test_dependence_is_established_by_history_examination_and_test_together(database):
    clinic = a_clinic(database)
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    found = assessment(act, patient)
    assert found.case.dependence_established

    strike_entry(act, patient, found.case.on_site_test.id, "Another patient's sample")
    assert not assessment(act, patient).case.dependence_established
    an_entry(act, patient, "drug_test",
             {"sample": "urine", "method": "laboratory", "result": "opioid_positive"})  # fmt: skip
    assert not assessment(act, patient).case.dependence_established


def test_nothing_is_begun_until_something_is_found(clinic):
    act = clinic.act()
    patient = a_patient(act)

    found = assessment(act, patient)

    assert found.case.began_on is None and not any(each.done for each in found.tasks)
    assert status(act, patient)["laboratory"] == status(act, patient)["outcome"] == "Cannot start"


@pytest.mark.proves("XX-05")
def test_the_patients_word_and_the_workers_are_two_parts(clinic):
    act = clinic.act()
    patient = a_patient(act)
    an_entry(act, patient, "main_drugs",
             {"whose_word": "patient", "primary_drug": "cannabis"})  # fmt: skip
    assert status(act, patient)["main_drugs_worker"] == "Not yet"
    an_entry(act, patient, "main_drugs", {"whose_word": "worker", "primary_drug": "heroin"})

    found = assessment(act, patient).case.own.all("main_drugs")

    assert [row.data["primary_drug"] for row in found] == ["cannabis", "heroin"]


@pytest.mark.proves("XX-06")
def test_children_not_asked_about_are_not_taken_for_none(clinic):
    act = clinic.act()
    patient = somebody_assessed(clinic, children_at_home=None)
    assert status(act, patient)["safe_storage"] == "Cannot start"
    assert status(act, patient)["medical_history"] == "In progress"

    patient = somebody_assessed(clinic, children_at_home=True)
    assert status(act, patient)["safe_storage"] == "In progress"
    an_entry(act, patient, "assessment", {"item": "safe_storage", "finding": "nothing_of_concern"})
    assert status(act, patient)["safe_storage"] == "Completed"


# -- drug test ------------------------------------------------------------------------------


@pytest.mark.proves("RP-22")
def test_a_laboratory_that_has_not_answered_is_chased_after_fourteen_days(clinic):
    patient = an_assessed_patient(clinic)
    test = assessment(clinic.act(), patient).case.on_site_test

    assert due(clinic, "laboratory", at=NOW + timedelta(days=13)) == []
    assert len(due(clinic, "laboratory", at=NOW + timedelta(days=14))) == 1
    act = clinic.act()
    an_entry(act, patient, "drug_test", {
        "sample": "urine", "method": "laboratory", "result": "opioid_positive",
        "confirms_id": test.id,
    })  # fmt: skip
    act.session.close()
    assert due(clinic, "laboratory", at=NOW + timedelta(days=14)) == []


@pytest.mark.proves("RP-22")
def test_a_contested_result_is_flagged_and_chased_at_once(clinic):
    patient = an_assessed_patient(clinic)
    worker = a_drugs_worker(clinic)
    test = assessment(worker, patient).case.on_site_test

    an_entry(worker, patient, "contest", {"test_id": test.id, "by": "patient", "why": "medicine"})

    assert task(worker, patient, "laboratory").flag == "Contested"
    worker.session.close()
    [(_, says)] = due(clinic, "laboratory")
    assert says.startswith("Contested drug test")


def test_only_a_drug_test_of_the_patient_is_contested(clinic):
    act = clinic.act()
    patient, other = an_assessed_patient(clinic), an_assessed_patient(clinic)
    theirs = assessment(act, other).case.on_site_test

    with pytest.raises(Exception, match="no such entry"):
        an_entry(act, patient, "contest", {"test_id": theirs.id, "by": "patient", "why": "kit"})


# -- alcohol and withdrawal -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "reading", "named"),
    [
        ("breath_alcohol_micrograms_per_100ml", "0.35", "0.35"),
        ("breath_alcohol_mg_per_l", "35", "35"),
    ],
)
def test_a_reading_most_likely_in_the_wrong_unit_is_asked_about_again(clinic, unit, reading, named):
    act = clinic.act()
    patient = a_patient(act)

    with pytest.raises(Invalid, match=unit):
        an_entry(act, patient, "observation", {"sedation": "1", unit: reading})
    kept = an_entry(act, patient, "observation",
                    {"sedation": "1", unit: reading, "reading_checked": True})  # fmt: skip

    row = next(row for row in assessment(act, patient).entries if row.id == kept)
    assert row.data[unit] == named and row.data["reading_checked"]


@pytest.mark.parametrize(
    ("scale", "top"),
    [("sows_handelsman", 64), ("oows", 13), ("sows_gossop", 30), ("cina", 31)],
)
def test_each_scale_is_named_with_its_score_and_keeps_to_its_own_total(clinic, scale, top):
    act = clinic.act()
    patient = a_patient(act)

    with pytest.raises(Invalid, match=f"0 to {top}"):
        an_entry(act, patient, "observation",
                 {"withdrawal_scale": scale, "withdrawal_score": top + 1})  # fmt: skip
    assert an_entry(act, patient, "observation",
                    {"withdrawal_scale": scale, "withdrawal_score": top})  # fmt: skip


# -- risk -----------------------------------------------------------------------------------


@pytest.mark.proves("DR-06", "DR-07")
def test_a_risk_waits_for_an_action_of_its_own_with_an_owner_and_a_day(clinic):
    patient = an_assessed_patient(clinic)
    worker = a_drugs_worker(clinic)
    risk = an_entry(worker, patient, "risk", {"risk": "injecting"})
    action = {"risk_id": risk, "owner_id": clinic.nurse.id, "due_on": "2026-11-06"}

    with pytest.raises(Invalid, match="does not answer this risk"):
        an_entry(worker, patient, "risk_action", {**action, "action": "housing_referral"})
    with pytest.raises(Invalid, match="works at this site"):
        an_entry(worker, patient, "risk_action",
                 {**action, "action": "needle_exchange", "owner_id": 999_999})  # fmt: skip
    assert task(worker, patient, "risk_assessment").flag == "Risk without action"
    worker.session.close()
    assert due(clinic, "risk") == [("risk", "No action yet: Injecting")]

    act = clinic.act()
    first = an_entry(act, patient, "risk_action", {**action, "action": "needle_exchange"})
    second = an_entry(act, patient, "risk_action", {**action, "action": "overdose_prevention"})
    act.session.close()
    assert due(clinic, "risk") == []
    assert len(due(clinic, "risk", at=NOW + timedelta(days=2))) == 2
    act = clinic.act()
    assert status(act, patient)["risk_assessment"] == "Completed"
    for each in (first, second):
        an_entry(act, patient, "action_done", {"action_id": each, "how": "done"})
    act.session.close()
    assert due(clinic, "risk", at=NOW + timedelta(days=2)) == []


# -- consent, help, plan --------------------------------------------------------------------


@pytest.mark.proves("RP-20", "RP-45")
def test_consent_is_given_on_information_in_a_language_and_a_form(clinic):
    act = clinic.act()
    patient = a_patient(act)
    full = {"decision": "given", "information": ["medicine"], "language": "polish",
            "formats": ["interpreter", "written"]}  # fmt: skip

    for left_out in ("information", "language", "formats"):
        with pytest.raises(Invalid, match=left_out):
            an_entry(act, patient, "consent", {k: v for k, v in full.items() if k != left_out})
    an_entry(act, patient, "consent", full)
    an_observation(act, patient)
    assert status(act, patient)["consent"] == "Completed"
    an_entry(act, patient, "consent", {"decision": "refused"})

    assert task(act, patient, "consent").flag == "Refused"


@pytest.mark.proves("DR-05", "AS-11")
def test_having_heard_it_before_does_not_complete_the_overdose_reminder(clinic):
    patient = an_assessed_patient(clinic)
    worker = a_drugs_worker(clinic)
    item = {"item": "overdose_reminder"}
    assert due(clinic, "reminder")

    an_entry(worker, patient, "help", {**item, "response": "heard_before"})
    worker.session.close()
    assert due(clinic, "reminder")
    act = clinic.act()
    with pytest.raises(Invalid, match="points"):
        an_entry(act, patient, "help", {**item, "response": "given"})
    an_entry(act, patient, "help", {**item, "response": "given", "points": ["recovery", "call"]})
    act.session.close()

    assert due(clinic, "reminder", at=NOW + timedelta(days=27)) == []
    assert due(clinic, "reminder", at=NOW + timedelta(days=28))


@pytest.mark.proves("CM-37", "AS-07")
def test_immediate_help_is_a_list_of_six_each_offered_given_or_declined(clinic):
    act = clinic.act()
    patient = an_assessed_patient(clinic)
    assert status(act, patient)["immediate_help"] == "Not yet"
    for item in ("drug_information", "presenting_needs", "risk_reduction", "blood_borne_viruses",
                 "keywork"):  # fmt: skip
        an_entry(act, patient, "help", {"item": item, "response": "declined"})
    an_entry(act, patient, "help", {"item": "overdose_reminder", "response": "heard_before"})
    assert status(act, patient)["immediate_help"] == "In progress"
    an_entry(act, patient, "help",
             {"item": "overdose_reminder", "response": "given", "points": ["call"]})  # fmt: skip

    assert status(act, patient)["immediate_help"] == "Completed"


@pytest.mark.proves("CM-38", "RP-31", "RP-41")
def test_the_plan_is_flagged_while_it_lacks_what_the_other_drugs_call_for(clinic):
    act = clinic.act()
    patient = an_assessed_patient(
        clinic, stimulants=["crack"], substance_use=["alcohol", "benzodiazepine"]
    )
    for item in ("keywork", "motivational_work", "structured_preparation", "prescribing_access"):
        an_entry(act, patient, "help", {"item": item, "response": "planned"})

    found = task(act, patient, "care_plan")
    assert (found.status, found.flag) == ("In progress", "Intervention missing")
    assert {item for _, item in assessment(act, patient).case.plan_gaps} == {
        "crack_stimulant_work", "brief_alcohol", "benzodiazepine_clinical",
    }  # fmt: skip
    for item in ("crack_stimulant_work", "brief_alcohol", "benzodiazepine_clinical"):
        an_entry(act, patient, "help", {"item": item, "response": "planned"})
    assert status(act, patient)["care_plan"] == "Completed"


@pytest.mark.proves("RP-37")
def test_nobody_named_is_flagged_until_somebody_is(clinic):
    act = clinic.act(clinic.nurse)
    patient = an_assessed_patient(clinic)
    assert task(act, patient, "keyworker").flag == "Unnamed"

    name_worker(act, patient, kind="case_manager", staff_id=clinic.nurse.id)
    with pytest.raises(Invalid, match="reason"):
        name_worker(act, patient, kind="case_manager", staff_id=clinic.prescriber.id)
    name_worker(act, patient, kind="case_manager", staff_id=clinic.prescriber.id,
                reason="The nurse is on leave")  # fmt: skip

    assert task(act, patient, "keyworker").says == ("Dr Huw Pugh",)


# -- outcomes and what follows --------------------------------------------------------------


def test_an_assessment_begun_is_due_until_it_is_complete_and_then_until_it_is_signed(clinic):
    act = clinic.act()
    patient = a_patient(act)
    an_observation(act, patient)
    act.session.close()
    assert [what for what, _ in due(clinic, "assessment", "outcome")] == ["assessment"]

    patient = somebody_assessed(clinic)
    assert [what for what, _ in due(clinic, "assessment", "outcome")] == ["assessment", "outcome"]
    act = clinic.act()
    an_outcome(act, patient)
    act.session.close()
    assert [what for what, _ in due(clinic, "assessment", "outcome")] == ["assessment"]


@pytest.mark.proves("RP-38")
def test_somebody_not_dependent_is_reviewed_on_the_day_set(clinic):
    patient = somebody_assessed(clinic)
    act = clinic.act()
    with pytest.raises(Invalid, match="next_review_on"):
        an_outcome(act, patient, "not_dependent", why="negative_test")
    with pytest.raises(Invalid, match="later day"):
        an_outcome(act, patient, "not_dependent", why="negative_test", next_review_on="2026-11-04")
    an_outcome(act, patient, "not_dependent", why="negative_test", next_review_on="2026-11-18")
    act.session.close()

    assert due(clinic, "review", at=NOW + timedelta(days=13)) == []
    [(_, says)] = due(clinic, "review", at=NOW + timedelta(days=14))
    assert says.startswith("Not dependent")


@pytest.mark.proves("RP-40")
def test_withdrawal_found_later_asks_the_prescriber_to_review_the_dose(clinic):
    patient = somebody_assessed(clinic)
    act = clinic.act()
    an_outcome(act, patient, "not_dependent", why="no_withdrawal", next_review_on="2026-12-02")
    act.session.close()
    assert due(clinic, "withdrawal") == []
    later = clinic.act(at=NOW + timedelta(days=3))
    an_observation(later, patient)
    later.session.close()

    assert due(clinic, "withdrawal", at=NOW + timedelta(days=3)) == [
        ("withdrawal", "Withdrawal found (COWS 14): review the dose")
    ]


@pytest.mark.proves("RP-40")
def test_a_dose_decision_answers_withdrawal_found_before_it(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    a_decision(act, patient, "25")
    act.session.close()
    later = clinic.act(at=NOW + timedelta(hours=4))
    an_observation(later, patient)
    assert due(clinic, "withdrawal")

    a_decision(later, patient, "5")
    later.session.close()

    assert due(clinic, "withdrawal") == []


@pytest.mark.proves("XX-01", "RP-31", "AS-10")
def test_crack_only_opens_its_pathway_and_waits_until_all_of_it_is_offered(clinic):
    act = clinic.act()
    patient = a_patient(act)
    an_entry(act, patient, "main_drugs", {"whose_word": "worker", "primary_drug": "crack"})
    an_outcome(act, patient, "crack_only", why="stimulants_only")
    assert task(act, patient, "crack_pathway").status == "Not yet"
    from scheduling.assessment import CRACK_PATHWAY

    assert len(CRACK_PATHWAY) == 8
    for item in CRACK_PATHWAY:
        assert due(clinic, "crack")
        an_entry(act, patient, "help", {"item": item, "response": "offered"})
    act.session.close()

    assert due(clinic, "crack") == []


@pytest.mark.proves("DR-02")
def test_an_arrest_while_prescribed_for_asks_why(clinic):
    act = clinic.act()
    patient, other = an_assessed_patient(clinic), an_assessed_patient(clinic)
    a_decision(act, patient, "25")
    worker = a_drugs_worker(clinic, at=NOW + timedelta(days=1))
    arrest = an_entry(worker, patient, "arrest", {"dose_taken_today": False})
    an_entry(worker, other, "arrest", {"dose_taken_today": False})
    act.session.close()

    [(_, says)] = due(clinic, "arrest", at=NOW + timedelta(days=1))
    assert "using on top, or dose inadequate" in says
    with pytest.raises(Forbidden):
        an_entry(worker, patient, "arrest_review",
                 {"arrest_id": arrest, "finding": "dose_inadequate"})  # fmt: skip
    later = clinic.act(at=NOW + timedelta(days=1))
    an_entry(later, patient, "arrest_review", {"arrest_id": arrest, "finding": "using_on_top"})
    later.session.close()
    assert due(clinic, "arrest", at=NOW + timedelta(days=1)) == []


@pytest.mark.proves("RP-32")
def test_a_confirmation_is_due_at_once_and_chased_the_day_after_it_was_asked(clinic):
    act = clinic.act()
    patient = somebody_assessed(clinic)
    claim = a_claim(act, patient, "40", "2026-10-01", "2026-11-03")
    a_claim(act, patient, "70", "2025-06-01", "2025-10-20")  # too long ago to matter
    assert due(clinic, "confirmation") == [
        ("confirmation", "Dose from elsewhere not confirmed by: prescriber and pharmacy")
    ]

    for by in ("prescriber", "pharmacy"):
        an_answer(act, patient, claim, by, "pending", source="Message left")
    assert due(clinic, "confirmation") == []
    assert due(clinic, "confirmation", at=NOW + timedelta(days=1))
    an_answer(act, patient, claim, "prescriber")
    an_answer(act, patient, claim, "pharmacy", "unobtainable", source="It has shut")
    act.session.close()

    assert due(clinic, "confirmation", at=NOW + timedelta(days=1)) == []


def test_what_is_due_is_shown_to_the_site_that_looks_after_the_patient(clinic, database):
    somebody_assessed(clinic)
    elsewhere = a_rapid_clinic(database)

    assert due(clinic) and due(elsewhere) == []


def test_an_open_due_is_kept_once_and_a_settled_one_stays(clinic):
    patient = somebody_assessed(clinic)
    act = clinic.act()
    for _ in range(3):
        an_observation(act, patient)
    an_outcome(act, patient)

    rows = list(act.session.scalars(select(AssessmentDue).where(AssessmentDue.key == "outcome")))

    assert len(rows) == 1 and rows[0].closed_at is not None


@pytest.mark.proves("RP-25")
def test_serious_intoxication_asks_for_another_look_until_they_are_seen_again(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act(at=NOW + timedelta(minutes=5))
    an_observation(act, patient, clinical_view="serious")
    assert due(clinic, "intoxication")

    an_observation(clinic.act(at=NOW + timedelta(hours=3)), patient)
    act.session.close()

    assert due(clinic, "intoxication") == []


@pytest.mark.parametrize(
    ("kind", "data", "at"),
    [
        ("contest", {"test_id": 2**31, "by": "patient", "why": "kit"}, NOW),
        ("social", {"needs": []}, NOW.replace(year=1)),
    ],
)
def test_a_number_or_a_year_no_row_can_hold_is_named_and_refused(clinic, kind, data, at):
    act = clinic.act()
    patient = a_patient(act)

    with pytest.raises(Invalid, match="test_id|happened_at"):
        an_entry(act, patient, kind, data, happened_at=at)


# -- who may, and putting right -------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("assessment", {"item": "physical_examination", "finding": "nothing_of_concern"}),
        ("observation", {"sedation": "1"}),
        ("tolerance", {"tolerance": "high"}),
        ("outcome", {"outcome": "unsuited", "why": "inpatient"}),
    ],
)
def test_a_drugs_worker_records_no_examination_and_signs_nothing(clinic, kind, data):
    worker = a_drugs_worker(clinic)
    patient = a_patient(worker)

    with pytest.raises(Forbidden):
        an_entry(worker, patient, kind, data)


def test_a_sitting_is_recorded_whole_or_not_at_all(clinic):
    act = clinic.act()
    patient = a_patient(act)
    calm = {"kind": "mental_health", "data": {"problems": []}, "happened_at": act.at}
    social = {"kind": "social", "data": {"needs": ["a yacht"]}, "happened_at": act.at}

    with pytest.raises(Invalid) as refused:
        record_entries(act, patient, [calm, social])

    assert [field for field, _ in refused.value.faults] == ["entries.1.needs[0]"]
    assert status(act, patient)["mental_health"] == "Not yet"
    act.session.rollback()
    made = record_entries(act, patient, [calm, social | {"data": {"needs": ["no_work"]}}])
    assert len(set(made)) == 2
    assert {status(act, patient)[part] for part in ("mental_health", "social")} == {"Completed"}


def test_a_drugs_worker_sends_no_examination_among_their_own_parts(clinic):
    worker = a_drugs_worker(clinic)
    patient = a_patient(clinic.act())
    mixed = [
        {"kind": "help", "data": {"item": "overdose_reminder", "response": "offered"}},
        {"kind": "observation", "data": {"sedation": "1"}},
    ]

    with pytest.raises(Forbidden):
        record_entries(worker, patient, [each | {"happened_at": NOW} for each in mixed])


def test_a_drugs_worker_cannot_strike_out_what_they_could_not_record(clinic):
    patient = an_assessed_patient(clinic)
    worker = a_drugs_worker(clinic)
    seen = assessment(worker, patient).case.own.last("observation")

    with pytest.raises(Forbidden):
        strike_entry(worker, patient, seen.id, "I do not believe it")


def test_a_day_of_an_assessment_put_right_keeps_both_findings(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act(at=NOW + timedelta(days=1))
    before = assessment(act, patient).case.own.last("mental_health")

    record_entry(act, patient, "mental_health", {"problems": ["anxiety"]},
                 happened_at=before.happened_at, replaces_id=before.id,
                 reason="Misheard the first time")  # fmt: skip

    found = assessment(act, patient)
    rows = [row for row in found.entries if row.kind == "mental_health"]
    assert [row.struck_at is None for row in rows] == [True, False]
    assert found.complexity.holds("CX-03") and found.case.first_visit_on == WED
