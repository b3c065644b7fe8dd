"""What an assessment means in the other rooms: bookings, prescription forms, decisions in force."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.assessments.commands import record_entry
from clinic.assessments.gate import NotCleared
from clinic.assessments.queries import due_now
from clinic.errors import Conflict, Invalid
from clinic.prescriptions.commands import Stopped, withdraw_decision
from clinic.scripts import commands as scripts
from tests.factories import appointments
from tests.factories.base import NOW, a_member_of_staff, a_patient, an_act
from tests.factories.prescriptions import a_clinic, a_decision, an_assessed_patient, an_entry
from tests.factories.scripts import SURE, a_draft, a_script_clinic, somebody_dosed
from tests.factories.titration import a_review


@pytest.mark.proves("RP-31", "XX-01")
def test_an_induction_slot_is_refused_to_somebody_found_to_use_crack_only(database):
    """Whatever drugs the referral names: what the assessment found comes first."""
    clinic = appointments.a_clinic(database)
    patient = a_patient(clinic.act)
    referral = appointments.a_referral(clinic, patient_id=patient, drugs=["heroin", "crack"])
    prescriber = an_act(
        database, a_member_of_staff(database, clinic.site, "prescriber", level="prescriber"),
        clinic.site,
    )  # fmt: skip
    an_entry(prescriber, patient, "main_drugs", {"whose_word": "worker", "primary_drug": "crack"})
    signed = an_entry(
        prescriber, patient, "outcome", {"outcome": "crack_only", "why": "stimulants_only"}
    )

    with pytest.raises(Invalid) as refused:
        appointments.a_booking(clinic, referral)
    assert refused.value.more["rule"] == "RP-31"

    record_entry(
        prescriber, patient, "outcome", {"outcome": "extended", "why": "more_findings"},
        happened_at=NOW, replaces_id=signed, reason="Heroin was found after all",
    )  # fmt: skip
    prescriber.session.close()
    assert appointments.a_booking(clinic, referral).id


@pytest.mark.proves("RP-38")
def test_a_dose_in_force_is_withdrawn_before_somebody_is_judged_not_dependent(database):
    clinic = a_clinic(database)
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    decision = a_decision(act, patient, "25")
    outcome = {"outcome": "not_dependent", "why": "no_history", "next_review_on": "2026-12-02"}

    with pytest.raises(Conflict, match="Withdraw it first"):
        an_entry(act, patient, "outcome", outcome)
    withdraw_decision(act, patient, decision, "Judged not dependent today")

    assert an_entry(act, patient, "outcome", outcome)


@pytest.mark.proves("RP-45")
def test_no_form_is_issued_once_consent_is_withdrawn_and_the_prescriber_is_told(database):
    clinic = a_script_clinic(database)
    patient, decision = somebody_dosed(clinic)
    act = clinic.act()
    draft = a_draft(act, clinic, patient, decision)
    an_entry(act, patient, "consent", {"decision": "withdrawn"})

    with pytest.raises((NotCleared, Stopped)):
        scripts.issue_script(act, patient, draft, version=1, **SURE)
    assert "consent" in [row.what for row, _, _ in due_now(act)]
    withdraw_decision(act, patient, decision, "Consent is withdrawn today")

    assert "consent" not in [row.what for row, _, _ in due_now(act)]


@pytest.mark.proves("RP-40")
def test_a_review_of_the_dose_answers_withdrawal_found_before_it(database):
    from tests.factories.prescriptions import an_observation

    clinic = a_clinic(database)
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    a_decision(act, patient, "25")
    later = clinic.act(at=NOW + timedelta(hours=4))
    an_observation(later, patient)
    assert "withdrawal" in [row.what for row, _, _ in due_now(later)]

    a_review(later, patient)

    assert "withdrawal" not in [row.what for row, _, _ in due_now(later)]
