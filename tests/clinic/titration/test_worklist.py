"""Who waits on the first page of a nurse or prescriber, for what, and in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from clinic.appointments.models import INDUCTION, Visit
from clinic.assessments.queries import due_now
from clinic.sites.commands import set_model
from clinic.titration import worklist
from dosing.days import london_day
from tests.factories.base import NOW, a_member_of_staff, a_patient
from tests.factories.prescriptions import a_clinic, a_decision, an_assessed_patient, an_observation
from tests.factories.titration import a_build_up, a_contact, a_dosed_day, a_plan, a_review

DAY = timedelta(days=1)


@pytest.fixture
def clinic(database, clock):
    return a_clinic(database)


def waiting(clinic, at=NOW):
    act = clinic.act(clinic.nurse, at=at)
    found = {patient.id: due for patient, _, due in worklist.waiting(act)}
    act.session.close()
    return found


def risks(clinic, at=NOW):
    return {person: [each.risk for each in due] for person, due in waiting(clinic, at).items()}


def test_nobody_waits_who_was_seen_reviewed_and_planned_for(clinic):
    a_build_up(clinic, "20")
    a_patient(clinic.act())

    assert waiting(clinic, NOW + timedelta(hours=1)) == {}


@pytest.mark.proves("RP-35")
def test_a_review_due_today_waits_and_one_due_tomorrow_does_not(clinic):
    person = a_build_up(clinic, "20").patient

    assert risks(clinic, NOW + DAY) == {person: ["Review due"]}


@pytest.mark.proves("RP-35")
def test_a_dose_decided_for_today_without_todays_review_waits_for_one(clinic):
    person = an_assessed_patient(clinic)
    act = clinic.act()
    a_decision(act, person, "20")
    act.session.close()

    assert [each.what for each in waiting(clinic)[person]] == ["Review before today's dose"]


@pytest.mark.proves("RP-34", "A25")
def test_a_gap_rises_with_the_day_it_was_broken(clinic):
    person = a_build_up(clinic, "20", "20", "20").patient

    (gap, *rest) = waiting(clinic, NOW + 5 * DAY)[person]

    assert (gap.risk, gap.due) == ("Contact gap", date(2026, 11, 9))
    assert [each.risk for each in rest] == ["Review due"]


def test_a_gap_is_closed_by_a_call_and_something_must_be_planned_again(clinic):
    person = a_build_up(clinic, "20", "20", "20").patient
    at = NOW + 5 * DAY
    a_contact(clinic.act(at=at), person)

    before = risks(clinic, at)[person]
    a_plan(clinic.act(at=at), person, 2)
    after = risks(clinic, at)[person]

    assert (before, after) == (["Review due", "Plan contact"], ["Review due"])


@pytest.mark.proves("RP-39")
def test_somebody_who_dropped_out_waits_to_be_found(clinic):
    person = a_build_up(clinic, "20", "20").patient

    assert risks(clinic, NOW + 8 * DAY)[person][0] == "Dropped out"


@pytest.mark.proves("RP-35")
def test_a_review_that_raises_waits_for_a_decision(clinic):
    person = a_build_up(clinic, "20").patient
    a_review(clinic.act(clinic.nurse, at=NOW + DAY), person, "raise")

    (due,) = waiting(clinic, NOW + DAY)[person]

    assert (due.risk, due.what) == ("Decision due", "Review said raise: no dose decision since")


@pytest.mark.proves("RP-40")
def test_withdrawal_found_later_is_on_the_worklist_until_a_prescriber_reviews(clinic):
    person = a_build_up(clinic, "20", "20").patient
    at = NOW + DAY + timedelta(hours=5)
    an_observation(clinic.act(clinic.nurse, at=at), person)

    before = risks(clinic, at)[person]
    elsewhere = [due.what for due, _, _ in due_now(clinic.act(at=at))]
    a_review(clinic.act(at=at + timedelta(minutes=5)), person)

    assert before == ["Decision due"]
    assert "withdrawal" not in elsewhere  # one home: beside the reviews, not with the assessments
    assert person not in risks(clinic, at + timedelta(minutes=6))


@pytest.mark.proves("RP-10")
def test_a_missed_day_2_of_a_model_3_start_is_on_the_worklist(database, clock):
    clinic = a_clinic(database, features=("specialist_service", "supervised_dispensing"))
    manager = a_member_of_staff(database, clinic.site, "manager")
    act = clinic.act(manager)
    set_model(act, clinic.site.id, 3)
    act.session.close()
    person = a_patient(clinic.act())
    act = replace(clinic.act(at=NOW - 2 * DAY))
    act.session.add(
        Visit(
            patient_id=person, site_id=clinic.site.id, referral_id=None, kind=INDUCTION,
            starts_at=NOW - 2 * DAY, ends_at=NOW - 2 * DAY + timedelta(hours=1), doctor_id=None,
            worker_id=None, status="arrived", recorded_at=act.at, recorded_by=clinic.nurse.id,
        )
    )  # fmt: skip
    act.session.commit()
    act.session.close()

    (due,) = waiting(clinic)[person]

    assert (due.risk, due.what) == ("Missed", "Day 2 (Tue 3 Nov 2026) was missed.")


def test_somebody_long_in_treatment_costs_no_look_at_their_history(clinic):
    """The sieve passes over whoever swallowed a dose on most days of the last weeks."""
    from clinic.titration.facts import maybe_in_first_days

    amounts = ["20"] * 15
    long = a_build_up(clinic, *amounts, at=NOW - 14 * DAY).patient
    new = a_build_up(clinic, "20", at=NOW).patient

    found = maybe_in_first_days(clinic.act(at=NOW), {long, new}, 14)

    assert found == {new}
    assert long not in waiting(clinic, NOW + timedelta(hours=1))


def test_the_first_page_shows_who_waits_and_for_what(clinic, door):
    a_build_up(clinic, "20", at=NOW - DAY)
    nurse = door.by_page("nurse", site=clinic.site)

    said = nurse.get("/").get_data(as_text=True)

    assert "Reviews and contact" in said and "Review of the dose." in said
    assert london_day(NOW).isoformat() not in said


def test_another_sites_people_wait_elsewhere(clinic, database):
    a_build_up(clinic, "20", at=NOW - DAY)
    other = a_clinic(database, rule_set="uk-2017")

    assert waiting(other) == {}


def test_a_dose_raised_after_two_weeks_owes_contact_again(clinic):
    person = a_build_up(clinic, *["20"] * 16, at=NOW - 16 * DAY).patient
    a_dosed_day(clinic, person, "25", NOW, decision="raise")

    at = NOW + 3 * DAY

    assert "Contact gap" in risks(clinic, at)[person]
