"""No first dose before its time: the first visit, the outcome, and what every dose waits for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.assessments.commands import record_entry, strike_entry
from clinic.assessments.gate import NotCleared
from clinic.assessments.queries import assessment
from clinic.errors import Forbidden, Invalid
from clinic.prescriptions.commands import Stopped
from clinic.prescriptions.models import DoseDecision
from tests.factories.assessments import a_rapid_clinic, somebody_assessed
from tests.factories.base import NOW, a_patient
from tests.factories.prescriptions import (
    a_clinic,
    a_decision,
    an_assessed_patient,
    an_assessment,
    an_entry,
    an_observation,
    an_order,
    an_outcome,
)

THURSDAY = NOW + timedelta(days=1)


@pytest.fixture
def clinic(database):
    return a_rapid_clinic(database)


def lacking(act, patient, *order, **more):
    """What keeps a first dose from being saved."""
    with pytest.raises(NotCleared) as refused:
        a_decision(act, patient, *order, **more)
    return {each.code: each.says for each in refused.value.lacking}


@pytest.mark.proves("RP-06", "RP-20")
def test_a_plain_case_with_every_part_and_a_signature_starts_on_its_first_visit(clinic):
    patient = an_assessed_patient(clinic)

    assert a_decision(clinic.act(), patient, "25")


@pytest.mark.proves("RP-11")
@pytest.mark.parametrize("model", [1, 2, 3])
def test_no_first_dose_is_saved_before_a_prescriber_signs(database, model):
    clinic = a_rapid_clinic(database, model)
    patient = somebody_assessed(clinic)

    assert lacking(clinic.act(), patient) == {"outcome": "A prescriber has not signed the outcome"}


@pytest.mark.proves("RP-26", "RP-06", "RP-11")
@pytest.mark.parametrize(
    "history",
    [
        {"substance_use": ["alcohol"]},
        {"serious_poly_substance": True},
        {"conditions": ["copd_stable"]},
    ],
)
def test_a_complex_case_waits_for_another_day_even_when_signed(clinic, history):
    patient = somebody_assessed(clinic, **history)
    an_outcome(clinic.act(), patient)

    assert set(lacking(clinic.act(), patient)) == {"first_visit"}
    later = clinic.act(at=THURSDAY)
    an_observation(later, patient)
    assert a_decision(later, patient, "20")


@pytest.mark.proves("RP-26")
def test_an_unanswered_question_is_never_read_as_plain(clinic):
    act = clinic.act()
    patient = an_assessed_patient(clinic)
    view = next(row for row in assessment(act, patient).entries if row.kind == "observation")
    strike_entry(act, patient, view.id, "Another patient was seen")
    an_entry(act, patient, "observation", {
        "withdrawal_scale": "cows", "withdrawal_score": view.data["withdrawal_score"],
        "cows_items": view.data["cows_items"], "sedation": "1",
        "breath_alcohol_micrograms_per_100ml": "0",
    })  # fmt: skip

    said = lacking(act, patient)

    assert "Intoxication: no observation" in said["first_visit"]
    assert set(said) == {"first_visit", "observation"}


@pytest.mark.proves("RP-20", "RP-36")
@pytest.mark.parametrize("kind", ["mental_health", "social", "follow_up", "tolerance"])
def test_a_part_left_out_is_named_and_keeps_the_dose_back(clinic, kind):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    row = next(each for each in assessment(act, patient).entries if each.kind == kind)
    strike_entry(act, patient, row.id, "Asked of somebody else")

    assert kind in lacking(act, patient)


@pytest.mark.proves("DR-07", "RP-20")
def test_a_risk_without_its_action_keeps_the_assessment_open(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    risk = an_entry(act, patient, "risk", {"risk": "injecting"})
    action = {"risk_id": risk, "owner_id": clinic.nurse.id, "due_on": "2026-11-06"}
    assert set(lacking(act, patient)) == {"risk_assessment"}

    an_entry(act, patient, "risk_action", {**action, "action": "needle_exchange"})
    assert set(lacking(act, patient)) == {"risk_assessment"}
    an_entry(act, patient, "risk_action", {**action, "action": "overdose_prevention"})

    assert a_decision(act, patient, "25")


@pytest.mark.proves("RP-27")
def test_mental_health_makes_a_rapid_start_unsuitable_until_a_longer_assessment_is_offered(clinic):
    act = clinic.act()
    patient = a_patient(act)
    an_assessment(act, patient)
    an_entry(act, patient, "mental_health", {"problems": ["psychosis"]})

    with pytest.raises(Invalid, match="longer_assessment"):
        an_outcome(act, patient)
    an_outcome(act, patient, longer_assessment="declined")

    assert set(lacking(act, patient)) == {"first_visit"}


@pytest.mark.proves("RP-28")
def test_the_first_dose_waits_for_the_outcome_of_an_extended_assessment(clinic):
    patient = somebody_assessed(clinic)
    act = clinic.act()
    an_outcome(act, patient, "extended", why="more_findings")
    later = clinic.act(at=THURSDAY)
    an_observation(later, patient)

    assert "Extended assessment first" in lacking(later, patient)["outcome"]
    found = assessment(later, patient)
    assert [on.day for on, _ in found.days] == [4, 5]
    assert found.case.first_visit_on.day == 4
    an_outcome(later, patient)
    assert a_decision(later, patient, "25")


@pytest.mark.proves("RP-30")
def test_a_pregnancy_is_complex_and_waits_for_a_specialist_not_for_ever(clinic):
    act = clinic.act()
    patient = a_patient(act, sex="female")
    an_assessment(act, patient)
    assert "pregnancy" in lacking(act, patient)
    an_entry(act, patient, "pregnancy_test", {"offer": "done", "result": "positive"})

    with pytest.raises(Invalid, match="Not complete: Pregnancy test"):
        an_outcome(act, patient)
    assert "specialist review" in lacking(act, patient)["pregnancy"]
    an_entry(act, patient, "assessment", {"item": "specialist_review", "finding": "concern"})
    an_outcome(act, patient)
    assert set(lacking(act, patient)) == {"first_visit"}
    later = clinic.act(at=THURSDAY)
    an_observation(later, patient)
    saved = a_decision(later, patient, "20")

    row = later.session.get_one(DoseDecision, saved)
    assert row.request["patient"]["pregnancy"] == {"status": "pregnant"}


@pytest.mark.proves("RP-29")
def test_buprenorphine_needs_its_own_plan_and_another_day(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act(at=THURSDAY)
    an_observation(act, patient)
    order = an_order("4", product="buprenorphine_sublingual", stocked_strengths_mg=["2", "8"])

    said = lacking(act, patient, order=order)

    assert set(said) == {"buprenorphine_plan", "outcome"}
    assert "found after the outcome was signed" in said["outcome"]
    an_entry(act, patient, "assessment",
             {"item": "buprenorphine_plan", "finding": "nothing_of_concern"})  # fmt: skip
    an_outcome(act, patient, medicine="buprenorphine")
    assert a_decision(act, patient, order=order)


def test_a_reason_found_after_the_signature_asks_for_another(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act(at=THURSDAY)
    an_observation(act, patient)
    an_entry(act, patient, "mental_health", {"problems": ["depression"]})

    assert set(lacking(act, patient)) == {"outcome"}
    an_outcome(act, patient, longer_assessment="done")
    assert a_decision(act, patient, "25")


@pytest.mark.proves("RP-38")
def test_nothing_is_prescribed_to_somebody_judged_not_dependent_under_any_model(database):
    clinic = a_clinic(database)
    patient = somebody_assessed(clinic)
    act = clinic.act()
    signed = an_outcome(
        act, patient, "not_dependent", why="occasional_use", next_review_on="2026-12-02"
    )

    with pytest.raises(NotCleared) as refused:
        a_decision(clinic.act(at=THURSDAY), patient)

    assert any("Not dependent" in each.says for each in refused.value.lacking)
    row = next(row for row in assessment(act, patient).entries if row.id == signed)
    assert row.data["why"] == "occasional_use" and row.data["drug_test_id"]


@pytest.mark.proves("RP-38")
def test_a_case_judged_not_dependent_is_opened_again_by_a_later_assessment(clinic):
    patient = somebody_assessed(clinic)
    act = clinic.act()
    an_outcome(act, patient, "not_dependent", why="no_withdrawal", next_review_on="2026-12-02")
    later = clinic.act(at=THURSDAY)
    assert not [task for task in assessment(later, patient).tasks if task.done and task.needed]

    an_assessment(later, patient)
    assert assessment(later, patient).case.began_on.day == 5
    an_outcome(later, patient)

    assert a_decision(later, patient, "25")


@pytest.mark.proves("RP-45")
@pytest.mark.parametrize("decision", ["refused", "withdrawn"])
def test_no_dose_is_saved_without_consent(database, decision):
    clinic = a_clinic(database)
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    assert a_decision(act, patient, "20")
    an_entry(act, patient, "consent", {"decision": decision})
    with pytest.raises((NotCleared, Stopped)):
        a_decision(act, patient, "5")


@pytest.mark.proves("RP-25")
def test_serious_intoxication_in_the_clinicians_view_blocks_prescribing_at_that_visit(database):
    clinic = a_clinic(database)
    patient = an_assessed_patient(clinic)
    act = clinic.act(at=NOW + timedelta(minutes=5))
    an_observation(act, patient, clinical_view="serious")

    assert {"intoxication", "first_visit"} <= set(lacking(act, patient))
    sober = clinic.act(at=NOW + timedelta(hours=3))
    an_observation(sober, patient)
    assert a_decision(sober, patient, "25")


@pytest.mark.proves("RP-26")
def test_a_service_under_no_model_holds_a_complex_case_on_its_first_visit_too(database):
    clinic = a_clinic(database)
    patient = somebody_assessed(clinic, conditions=["copd_stable"])
    act = clinic.act()

    assert set(lacking(act, patient)) == {"first_visit", "outcome"}
    an_outcome(act, patient)
    assert set(lacking(act, patient)) == {"first_visit"}


def test_only_a_prescriber_signs_an_outcome(clinic):
    patient = somebody_assessed(clinic)

    with pytest.raises(Forbidden):
        an_outcome(clinic.act(clinic.nurse), patient)


def test_a_signature_is_put_right_by_another_and_the_first_stays(clinic):
    patient = somebody_assessed(clinic)
    act = clinic.act()
    first = an_outcome(act, patient)
    second = record_entry(
        act, patient, "outcome", {"outcome": "unsuited", "why": "patients_wish"},
        happened_at=act.at, replaces_id=first, reason="Signed for another patient",
    )  # fmt: skip

    rows = {row.id: row for row in assessment(act, patient).entries if row.kind == "outcome"}
    assert rows[first].struck_reason == "Signed for another patient"
    assert rows[second].replaces_id == first
    assert "Not suited" in lacking(act, patient)["outcome"]


def test_an_outcome_keeps_what_was_known_when_it_was_signed(clinic):
    patient = an_assessed_patient(clinic, substance_use=["alcohol"])
    act = clinic.act()

    row = assessment(act, patient).case.own_outcome

    assert (row.data["complexity"], row.data["reasons"]) == ("complex", ["CX-01"])


def test_after_a_long_silence_the_assessment_is_done_again(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act(at=NOW + timedelta(days=29))

    assert assessment(act, patient).case.began_on is None
    an_observation(act, patient)
    said = lacking(act, patient, "10")

    assert {"mental_health", "outcome", "first_visit", "physical_examination"} <= set(said)
