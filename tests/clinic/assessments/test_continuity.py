"""Is a dose from elsewhere a start or a continuation? Judged by the dosing rules and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.assessments.commands import strike_entry
from clinic.assessments.queries import continuity
from clinic.prescriptions.commands import Stopped
from clinic.prescriptions.models import DoseDecision
from clinic.prescriptions.queries import replay
from tests.factories.assessments import (
    a_claim,
    a_rapid_clinic,
    an_answer,
    confirmed,
    somebody_assessed,
)
from tests.factories.base import NOW
from tests.factories.prescriptions import a_clinic, a_decision, an_order, an_outcome


@pytest.fixture
def clinic(database):
    return a_clinic(database)


def an_ask(dose_mg):
    return an_order(dose_mg, phase="continuation")


def kinds(act, patient):
    found = continuity(act, patient)
    claims = {line.claim.row.data["daily_dose_mg"]: line.treatment.kind for line in found.claims}
    return claims, [line.treatment.kind for line in found.medicines]


@pytest.mark.proves("RP-32")
def test_after_two_months_on_remand_what_the_prison_confirms_continues(database):
    """40 mg confirmed by the prison continues; 70 mg of last year is stopped; 40 mg unconfirmed
    is a start."""
    clinic = a_rapid_clinic(database)
    act = clinic.act()
    patient = somebody_assessed(clinic)
    a_claim(act, patient, "70", "2025-06-01", "2025-10-20", prescriber="Dr Hughes, Taff Vale")
    prison = a_claim(act, patient, "40", "2026-09-03", "2026-11-03", prescriber="HMP healthcare")

    # While nobody has answered, 40 mg is a start: too high for one, and no continuation.
    assert kinds(act, patient) == ({"70": "start", "40": "start"}, ["start"])
    with pytest.raises(Stopped) as stopped:
        a_decision(act, patient, order=an_ask("40"))
    assert "M-FD-03" in {each["rule"] for each in stopped.value.answer["findings"]}

    # The prescriber's word alone changes nothing; with the medicine chart it continues.
    an_answer(act, patient, prison, "prescriber", source="Prison healthcare")
    assert kinds(act, patient)[1] == ["start"]
    an_answer(act, patient, prison, "pharmacy", source="Prison healthcare, medicine chart")
    assert kinds(act, patient) == ({"70": "start", "40": "continuation"}, ["continuation"])

    # Last year's dose is stopped, whatever the patient says; this one needs no outcome signed.
    with pytest.raises(Stopped):
        a_decision(act, patient, order=an_ask("70"))
    saved = a_decision(act, patient, order=an_ask("40"))
    row = act.session.get_one(DoseDecision, saved)
    assert row.outcome in ("PASS", "INFO", "ALERT") and "M-FD-03" not in str(row.answer)
    assert replay(act, saved).same


@pytest.mark.proves("RP-32")
def test_what_is_lacking_is_said_claim_by_claim(clinic):
    act = clinic.act()
    patient = somebody_assessed(clinic)
    claim = a_claim(act, patient, "40", "2026-10-01", "2026-11-03")
    an_answer(act, patient, claim, "prescriber")
    an_answer(act, patient, claim, "pharmacy", "unobtainable", source="It has shut for good")

    [line] = continuity(act, patient).claims

    assert line.treatment.kind == "start"
    assert line.lacking == ("The pharmacy elsewhere: cannot be obtained",)
    assert line.claim.answer("pharmacy").data["source"] == "It has shut for good"


@pytest.mark.parametrize(
    ("to_on", "kind", "missed"),
    [
        ("2026-11-03", "continuation", 0),
        ("2026-11-01", "continuation", 2),
        ("2026-10-31", "see_first", 3),
        ("2026-10-30", "see_first", 4),
        ("2026-10-29", "broken", 5),
    ],
)
def test_missed_days_break_a_verified_treatment_as_the_dosing_rules_say(
    clinic, to_on, kind, missed
):
    act = clinic.act()
    patient = somebody_assessed(clinic)
    confirmed(act, patient, a_claim(act, patient, "40", "2026-09-01", to_on))

    [line] = continuity(act, patient).medicines

    assert (line.treatment.kind, line.treatment.missed_days) == (kind, missed)


def test_a_claim_nobody_verified_of_the_same_time_leaves_everything_a_claim(clinic):
    """Who had 40 mg confirmed to yesterday, and says they took 40 mg somewhere today."""
    from clinic.consumption.commands import record_dose_elsewhere

    act = clinic.act()
    patient = somebody_assessed(clinic)
    confirmed(act, patient, a_claim(act, patient, "40", "2026-09-03", "2026-11-03"))
    assert kinds(act, patient)[1] == ["continuation"]
    later = clinic.act(at=NOW + timedelta(minutes=5))
    from decimal import Decimal

    record_dose_elsewhere(
        later, patient, product="methadone_oral_solution", dose_mg=Decimal(40), consumed_at=NOW,
        supervision="supervised",
    )  # fmt: skip

    assert [line.treatment.kind for line in continuity(later, patient).medicines] == ["start"]
    with pytest.raises(Stopped):
        a_decision(later, patient, order=an_ask("40"))


def test_a_claim_struck_out_takes_its_confirmation_with_it(clinic):
    act = clinic.act()
    patient = somebody_assessed(clinic)
    claim = a_claim(act, patient, "40", "2026-09-03", "2026-11-03")
    confirmed(act, patient, claim)
    strike_entry(act, patient, claim, "The patient was another")
    a_claim(act, patient, "60", "2026-09-03", "2026-11-03")

    assert kinds(act, patient) == ({"60": "start"}, ["start"])


def test_a_start_after_an_unverified_claim_needs_another_day_in_a_rapid_service(database):
    from clinic.assessments.gate import NotCleared

    clinic = a_rapid_clinic(database)
    act = clinic.act()
    patient = somebody_assessed(clinic)
    a_claim(act, patient, "40", "2026-10-01", "2026-11-03")
    an_outcome(act, patient)

    with pytest.raises(NotCleared) as refused:
        a_decision(act, patient, "20")

    [lack] = refused.value.lacking
    assert lack.code == "first_visit" and "Treatment now that is not confirmed" in lack.says
