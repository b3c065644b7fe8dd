"""Somebody came from elsewhere: what is asked, who is chased, and which dose waits. (RC-24)"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from clinic.act import Act
from clinic.assessments.commands import strike_entry
from clinic.assessments.dues import UNCONFIRMED
from clinic.assessments.models import ClinicalEntry
from clinic.assessments.queries import unconfirmed
from clinic.consumption.commands import record_dose_elsewhere
from clinic.errors import Invalid
from clinic.patients.commands import take_onto_caseload
from clinic.prescriptions.commands import check_dose
from clinic.prescriptions.queries import missing_for
from clinic.release import closing  # noqa: F401 - the plan hears of arrivals through it
from clinic.release.following import follow_plan
from clinic.release.scoring import standing_flags
from tests.factories.assessments import a_claim, an_answer
from tests.factories.base import NOW, a_patient
from tests.factories.prescriptions import Clinic, a_clinic, an_assessment, an_entry, an_order
from tests.factories.release import a_fact, a_release_plan, a_stay, an_exit, struck

ASKED = {
    "where": "prison", "in_treatment": True, "dose_taken_today": False,
    "surgery": "Dr Rees, High Street", "prescriber_continues": True,
    "community_prescription": "stopped", "told": "Boots, High Street, by telephone",
    "overdose_information": True,
}  # fmt: skip


def waits_for(clinic: Clinic, patient_id: int, at: datetime = NOW) -> list[tuple[str, str]]:
    """What a dose waits for, of what was asked on arrival."""
    from clinic.patients.models import Patient

    act = clinic.act(at=at)
    patient = act.session.get_one(Patient, patient_id)
    found = [(each.kind, each.says) for each in missing_for(act, patient)]
    act.session.close()
    return [each for each in found if each[0] in ("arrival", "elsewhere")]


def listed(clinic: Clinic, at: datetime = NOW) -> list[tuple[str, str]]:
    act = clinic.act(at=at)
    found = [(row.what, row.says) for row, _, _ in unconfirmed(act)]
    act.session.close()
    return sorted(found)


@pytest.fixture
def prison(database) -> Clinic:
    return a_clinic(database, kind="prison", name="HMP Marlfield")


def somebody_received(prison: Clinic, at: datetime = NOW) -> int:
    act = prison.act(at=at)
    patient_id = a_patient(act)
    a_stay(act, patient_id, at - timedelta(hours=2))
    an_assessment(act, patient_id)
    act.session.close()
    return patient_id


@pytest.mark.proves("RC-24")
def test_no_dose_is_given_unasked_to_somebody_who_arrived_today_or_yesterday(prison):
    patient = somebody_received(prison)

    assert [kind for kind, _ in waits_for(prison, patient)] == ["arrival"]
    assert [kind for kind, _ in waits_for(prison, patient, NOW + timedelta(days=1))] == ["arrival"]
    assert waits_for(prison, patient, NOW + timedelta(days=2)) == []
    assert [what for what, _ in listed(prison)] == ["arrival"]
    assert [what for what, _ in listed(prison, NOW + timedelta(days=28))] == ["arrival"]
    assert listed(prison, NOW + timedelta(days=29)) == []  # AS-13: long past

    act = prison.act()
    an_entry(act, patient, "arrival", {**ASKED, "in_treatment": False})
    act.session.close()
    assert waits_for(prison, patient) == [] and listed(prison) == []


@pytest.mark.proves("RC-24", "DR-01")
def test_a_substitute_said_to_be_taken_in_a_cell_is_recorded_before_another_is_given(prison):
    patient = somebody_received(prison)
    act = prison.act()
    told = {"dose_taken_today": True, "in_treatment": True, "overdose_information": True}
    entry = act.session.get_one(ClinicalEntry, an_entry(act, patient, "arrest", told))
    assert (entry.data, entry.recorded_by) == (told, act.staff_id)
    act.session.close()
    assert [kind for kind, _ in waits_for(prison, patient)] == ["elsewhere"]
    waiting = " / ".join(says for _, says in listed(prison))
    assert "record which, and how much" in waiting and "GP and surgery" in waiting

    act = prison.act()
    record_dose_elsewhere(
        act, patient, product="methadone_oral_solution", dose_mg=Decimal(20),
        consumed_at=NOW - timedelta(hours=5), supervision="supervised", place="Custody suite",
    )  # fmt: skip
    an_entry(act, patient, "arrival", ASKED | {"dose_taken_today": True})
    act.session.close()
    assert waits_for(prison, patient) == []
    assert [what for what, _ in listed(prison)] == ["onward"]


@pytest.mark.proves("RC-03", "RC-04")
def test_no_prescribing_after_release_opens_a_task_and_an_unconfirmed_one_stays_listed(prison):
    patient = somebody_received(prison)
    act = prison.act()
    an_entry(act, patient, "arrival", ASKED)
    claim = a_claim(act, patient, "40", "2026-10-01", "2026-11-03")
    an_answer(act, patient, claim, "surgery", source="Dr Rees's reception")
    act.session.close()
    assert [what for what, _ in listed(prison)] == ["confirmation", "onward"]

    act = prison.act()
    none = an_entry(act, patient, "onward", {"continues": False})
    act.session.close()
    assert "arrange a supply, or plan a detoxification" in listed(prison)[1][1]

    act = prison.act()
    an_entry(act, patient, "onward", {"continues": False, "instead": "detoxification"},
             replaces_id=none, reason="Agreed with the patient")  # fmt: skip
    act.session.close()
    assert [what for what, _ in listed(prison)] == ["confirmation"]

    act = prison.act()
    an_entry(act, patient, "onward", {"continues": True})
    act.session.close()
    assert "not confirmed by the community worker" in listed(prison)[1][1]
    act = prison.act()
    with pytest.raises(Invalid, match="source"):
        an_entry(act, patient, "onward", {"continues": True, "confirmed": True})
    an_entry(act, patient, "onward",
             {"continues": True, "confirmed": True, "source": "S. Price, Riverside: 40 mg"})  # fmt: skip
    act.session.close()
    assert [what for what, _ in listed(prison)] == ["confirmation"]


def test_three_missed_days_call_a_prescriber_and_a_word_outside_is_said_to_somebody(prison):
    patient = somebody_received(prison)
    act = prison.act()
    with pytest.raises(Invalid, match="told"):
        an_entry(act, patient, "arrival", {"where": "prison", "community_prescription": "kept"})
    an_entry(act, patient, "arrival", ASKED)
    a_claim(act, patient, "40", "2026-10-01", (NOW.date() - timedelta(days=3)).isoformat())
    act.session.close()

    assert "restart" not in {what for what, _ in listed(prison)}
    tomorrow = NOW + timedelta(days=1)
    assert "restart" in {what for what, _ in listed(prison, tomorrow)}
    act = prison.act(at=tomorrow)
    an_entry(act, patient, "assessment",
             {"item": "prescriber_assessed", "finding": "nothing_of_concern"})  # fmt: skip
    act.session.close()
    assert "restart" not in {what for what, _ in listed(prison, tomorrow)}
    assert "restart" in UNCONFIRMED


def test_back_outside_the_same_is_asked_before_a_dose(database):
    prison = a_clinic(database, kind="prison", name="HMP Marlfield")
    clinic = a_clinic(database)
    act = prison.act()
    patient = a_patient(act)
    stay = a_stay(act, patient, NOW - timedelta(days=30))
    there = {"destination": {"site_id": clinic.site.id}, "consent": {"given": True}}
    plan = a_release_plan(act, patient, **there)
    an_exit(act, stay, NOW - timedelta(hours=3), "court")
    follow_plan(act, plan)
    act.session.close()
    act = clinic.act()
    take_onto_caseload(act, patient)
    act.session.commit()
    assert [what for what, _ in listed(clinic)] == ["arrival"]  # the service is to ask, by itself
    an_assessment(act, patient)
    act.session.close()

    assert [kind for kind, _ in waits_for(clinic, patient)] == ["arrival"]
    act = clinic.act()
    an_entry(act, patient, "arrival", {**ASKED, "where": "community"})
    act.session.close()
    assert waits_for(clinic, patient) == []
    assert date(2026, 11, 4) == NOW.date()


@pytest.mark.proves("RG-10")
def test_what_was_claimed_and_confirmed_on_arrival_is_read_by_the_release_plan(prison):
    patient = somebody_received(prison)
    act = prison.act()
    plan = a_release_plan(act, patient)
    assert "RG-10" not in flags_of(act, plan)

    claim = a_claim(act, patient, "40", "2026-10-01", "2026-11-01")
    assert "RG-10" in flags_of(act, plan)
    pharmacy = an_answer(act, patient, claim, "pharmacy")
    assert "RG-10" not in flags_of(act, plan)
    act.session.close()

    act = prison.act()
    strike_entry(act, patient, pharmacy, "Another person's record was read out")
    assert "RG-10" in flags_of(act, plan)
    an_answer(act, patient, claim, "prescriber")
    assert "RG-10" not in flags_of(act, plan)
    act.session.close()


@pytest.mark.proves("P-13", "P-14")
def test_a_dose_shortly_before_release_reads_the_release_plan(prison):
    act = prison.act()
    patient = a_patient(act)
    a_stay(act, patient, NOW - timedelta(days=40))
    an_assessment(act, patient)
    an_entry(act, patient, "custody", {"status": "remand", "plan": "maintenance_time_limited"})
    plan = a_release_plan(act, patient, release={"confirmed_on": "2026-11-09"})
    assert {"P-13", "P-14"} <= rules_on(act, patient)

    at = NOW + timedelta(days=6)
    visit = a_fact(act, plan, "appointment", at=at.isoformat())
    a_fact(act, plan, "naloxone", outcome="declined", on="2026-11-04")
    assert rules_on(act, patient).isdisjoint({"P-13", "P-14"})

    struck(act, visit)
    assert "P-13" in rules_on(act, patient)
    act.session.close()


def flags_of(act: Act, plan_id: int) -> set[str]:
    return {row.flag for row in standing_flags(act, plan_id)}


def rules_on(act: Act, patient_id: int) -> set[str]:
    """What an order given a moment later runs into."""
    later = replace(act, at=NOW + timedelta(minutes=30))
    answer, _ = check_dose(
        later,
        patient_id,
        order=an_order("25"),
        supply={"in_possession": False},
        decided_at=later.at,
    )
    return {each["rule"] for each in answer["findings"]}
