"""Model 3 from referral to the third day: assessed, started, titrated on site, reviewed, drawn."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from clinic.sites.commands import add_feature, choose_rule_set
from tests.factories import appointments
from tests.factories.base import a_member_of_staff, a_patient, an_act
from tests.factories.prescriptions import COWS_14, an_assessment, an_outcome
from tests.journeys import steps
from tests.support.keyboard import Keyboard

DAYS = [date(2026, 11, day) for day in (2, 3, 4)]  # a Monday and the two days after it
FEATURES = ("specialist_service", "supervised_dispensing", "on_site_titration_protocol")
COWS_10 = {**steps.COWS_6, "aches": 2, "gut": 2, "restlessness": 1}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, DAYS[day - 1].day, hour, minute, tzinfo=UTC)


def a_specialist_site(database) -> appointments.Clinic:
    """On-site titration from Monday to Friday under model 3, doses checked by the rules of 2017."""
    clinic = appointments.a_clinic(database, model=3, weekdays=(1, 2, 3, 4, 5), at=at(1, 8))
    clinic.act.session.rollback()
    manager = a_member_of_staff(database, clinic.site, "manager", name="Glenys Rees")
    act = an_act(database, manager, clinic.site, at=at(1, 8))
    choose_rule_set(act, clinic.site.id, "uk-2017", from_on=date(2000, 1, 1))
    for feature in FEATURES:
        add_feature(act, clinic.site.id, feature, from_on=date(2000, 1, 1))
    act.session.close()
    return clinic


def refer(keys: Keyboard) -> None:
    """Somebody nobody knows is referred, and given the first place of the day."""
    keys.follow("Wait list")
    keys.follow("Register a referral")
    keys.fill("Name or number", "Calder")
    keys.press("Search")
    keys.follow("Register a new person and the referral")
    keys.fill("Family name", "Calder")
    keys.fill("Given name", "Jade")
    keys.fill_day("Date of birth", date(1990, 2, 14))
    keys.choose("Female", "Sex")
    keys.fill_moment("Time of the referral", DAYS[0], "08:40")
    keys.pick("Referred by", "Arrest referral")
    keys.tick("Heroin")
    keys.choose("High", "Clinical risk")
    keys.press("Register person and referral")
    keys.choose("Mon 2 Nov 2026, 09:30", "Choose a place")
    keys.press("Continue")
    keys.press("Confirm and book")
    assert "The visit is booked" in keys.text
    assert "Chair 1" in keys.text


@pytest.mark.browser
@pytest.mark.proves("RP-10")
@pytest.mark.proof
@pytest.mark.parametrize("whole", [False, True])
def test_three_days_of_titration_on_site_by_keyboard(served, clock, page, axe, whole):
    # Given a specialist service that dispenses under supervision.
    clock.set(at(1, 8))
    clinic = a_specialist_site(served.database)
    keys = steps.LookedAt(page, served.url, axe) if whole else Keyboard(page, served.url)
    team = steps.Team(served, clock, keys, clinic.site)
    doctor, nurse, worker = clinic.doctor, clinic.nurse, clinic.worker

    # When somebody is referred, booked for the same morning and arrives,
    if whole:
        team.comes(worker, at(1, 8, 45))
        refer(keys)
    else:
        act = clinic.at(at(1, 8, 45), staff=worker)
        calder = a_patient(act, family_name="Calder", given_name="Jade", sex="female")
        appointments.a_booking(clinic, appointments.a_referral(clinic, act=act, patient_id=calder))
        act.session.close()
        clinic.act.session.close()
    team.comes(worker, at(1, 9, 30))
    keys.follow("Clinic")
    keys.follow("CALDER, Jade")
    keys.follow("Record the arrival")
    keys.press("Save")
    assert "The arrival is recorded" in keys.text

    # a prescriber goes on from the visit to the assessment, and signs its outcome.
    team.comes(doctor, at(1, 9, 35))
    keys.follow("Clinic")
    keys.follow("CALDER, Jade")
    keys.follow("The assessment")
    assert "No first dose can be saved yet" in keys.text
    if whole:
        steps.assess(keys, DAYS[0])
        steps.sign(keys)
    else:
        act = an_act(served.database, doctor, clinic.site, at=at(1, 9, 35))
        an_assessment(act, 1, pregnancy={"status": "not_possible"})
        an_outcome(act, 1)
        act.session.close()
        keys.open("/patients/1/assessment")
    keys.follow("Titration and reviews")
    steps.review(keys, "Start", "Withdrawal before", "COWS 14, awake", DAYS[1])

    # Then a full therapeutic start is stopped by name, and a dose within the rules is saved.
    steps.state(keys, "60", DAYS[0])
    assert keys.heading == "This dose cannot be saved"
    assert "M-FD-01" in keys.text
    assert "Save this decision" not in keys.text
    keys.press("Change the order")
    steps.state(keys, "20", DAYS[0])
    keys.press("Save this decision")
    assert "The decision is saved" in keys.text

    # The nurse gives it once the place is set, who this is is known, and they were looked at.
    team.comes(nurse, at(1, 9, 45))
    keys.open("/patients/1/doses")
    keys.follow("Set")
    keys.pick("Where are the doses taken?", "Here")
    keys.fill_day("From which day on?", DAYS[0])
    keys.press("Save")
    keys.follow("Doses", whole=True)
    keys.follow("Give a dose")
    keys.choose("Taken, all of it", "What became of the dose?")
    keys.press("Save")
    assert "This dose may not be given" in keys.text
    steps.give(keys)

    # On the sheet the next earliest times stand, and the looks that are due.
    team.comes(nurse, at(1, 10, 45))
    keys.follow("Titration board")
    assert "Look now: 1 hour after the dose" in keys.text
    assert "Not before 12:45, with a reason until 13:45" in keys.text
    keys.follow("CALDER, Jade")
    assert "A dose is stopped before 12:45" in keys.text
    keys.follow("Record an observation")
    steps.observe(keys, COWS_14)
    assert "The observation is recorded." in keys.text

    # An increment over an hour after the last look is stopped; looked at first, it is saved and given,
    team.comes(doctor, at(1, 13, 50))
    keys.open("/patients/1/titration/day")
    keys.follow("Decide on a dose")
    steps.state(keys, "10", DAYS[0])
    assert "Record withdrawal and sedation before the next dose" in keys.text
    keys.open("/patients/1/titration/day")
    keys.follow("Record an observation")
    steps.observe(keys, COWS_14)
    keys.follow("Decide on a dose")
    steps.state(keys, "10", DAYS[0])
    keys.press("Save this decision")
    team.comes(nurse, at(1, 13, 55))
    keys.follow("Titration board")
    keys.follow("CALDER, Jade")
    keys.follow("give it")
    steps.give(keys)

    # and the sheet, one step away, tells the running total and when the next could be.
    keys.follow("The titration sheet of today")
    assert "Running total of the day 30 mg" in keys.text
    assert "A dose is stopped before 16:55" in keys.text

    # Days 2 and 3: looked at, reviewed, decided, given.
    for day, cows, decision, why, dose in (
        (2, COWS_10, "Raise", "Withdrawal before", "35"),
        (3, steps.COWS_6, "Hold", "Settled", "35"),
    ):
        today = DAYS[day - 1]
        team.comes(doctor, at(day, 9, 40))
        assert "Review of the dose" in keys.text
        keys.open("/patients/1/titration/day")
        keys.follow("Record an observation")
        steps.observe(keys, cows)
        keys.follow("Titration and reviews")
        following = date(2026, 11, today.day + 1)
        steps.review(keys, decision, why, "Seen this morning, awake", following)
        if decision == "Hold":
            keys.follow("The prescribing record")
            keys.follow("Decide on a dose")
        steps.state(keys, dose, today)
        keys.press("Save this decision")
        team.comes(nurse, at(day, 9, 50))
        keys.follow("Doses", whole=True)
        assert "1 still to come, 0 done" in keys.text
        keys.follow("Give a dose")
        steps.give(keys)

    # At the end the board, the three days and the chart tell the same story.
    keys.open("/")
    keys.follow("Titration board")
    assert "day 3" in keys.text
    assert "Today 35 mg" in keys.text
    keys.open("/patients/1/titration")
    assert "Expected" not in keys.text
    assert "Started Reached on Mon 2 Nov 2026, day 1." in keys.text
    keys.follow("Charts of dose")
    assert "Attendance: taken on 3 days." in keys.text
    axe(page)
