"""A booking nurse's Wednesday, by keyboard: every page looked at, and no place lost or sold twice."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from datetime import time as clock_time

import pytest

from clinic.appointments import commands
from tests.factories import appointments as made
from tests.factories.base import a_member_of_staff, a_patient
from tests.journeys.steps import LookedAt, Team

pytestmark = [pytest.mark.browser, pytest.mark.proof]

MON, WED, FRI = (date(2026, 11, day) for day in (2, 4, 6))


def at(on: date, hour: int, minute: int = 0) -> datetime:
    return datetime(on.year, on.month, on.day, hour, minute, tzinfo=UTC)


def somebody(clinic: made.Clinic, family: str, referred_at: datetime) -> tuple[int, int]:
    """A patient who waits, and the referral."""
    act = clinic.at(referred_at)
    patient = a_patient(act, family_name=family, given_name="Robin")
    return patient, made.a_referral(clinic, act=act, patient_id=patient)


@pytest.mark.proves("RP-16", "RP-17", "RP-18")
def test_a_nurse_books_moves_and_rescues_visits_of_a_whole_day(served, clock, page, axe):
    # Given a service of three rapid mornings a week and an afternoon for any work,
    clock.set(at(MON, 8))
    clinic = made.a_clinic(served.database, at=at(MON, 8))
    made.a_session(
        clinic, weekday=3, starts=clock_time(13), ends=clock_time(16), kept_for="any"
    )  # fmt: skip
    team = {"doctor_id": clinic.doctor.id, "worker_id": clinic.worker.id}
    # somebody booked on Monday of whom nobody wrote down whether they came, two who are booked on
    # Friday, somebody who waits, and a patient of the caseload.
    for family, starts in (("Absent", at(MON, 9, 30)), ("Early", at(FRI, 11)),
                           ("Later", at(date(2026, 11, 9), 9, 30))):  # fmt: skip
        _, referral = somebody(clinic, family, at(MON, 8))
        commands.book_visit(clinic.act, referral_id=referral, starts_at=starts, **team)
    somebody(clinic, "Waiter", at(MON, 8, 30))
    a_patient(clinic.act, family_name="Steady", given_name="Robin")
    manager = a_member_of_staff(served.database, clinic.site, "manager", name="Mair Rees")
    clinic.act.session.close()
    keys = LookedAt(page, served.url, axe)
    room = Team(served, clock, keys, clinic.site)
    nurse = a_member_of_staff(served.database, clinic.site, "nurse", name="Carys Bowen")
    room.comes(nurse, at(WED, 9))

    # When a new referral comes in by telephone, the nurse looks for places with one doctor,
    keys.follow("Wait list")
    keys.follow("Register a referral")
    keys.fill("Name or number", "Calder")
    keys.press("Search")
    keys.follow("Register a new person and the referral")
    keys.fill("Family name", "Calder")
    keys.fill("Given name", "Jade")
    keys.fill_day("Date of birth", date(1990, 2, 14))
    keys.choose("Female", "Sex")
    keys.fill_moment("Time of the referral", WED, "08:40")
    keys.pick("Referred by", "Arrest referral")
    keys.tick("Heroin")
    keys.choose("High", "Clinical risk")
    keys.press("Register person and referral")
    keys.pick("With", "Dr Owen Hughes")
    keys.press("Show")
    # holds one while she asks, and confirms it when the person says yes.
    keys.choose("Wed 4 Nov 2026, 11:00", "Choose a place")
    keys.press("Hold this place for 10 minutes")
    assert "Held until 09:10" in keys.text
    keys.press("Confirm and book")
    assert "The visit is booked" in keys.text

    # And a place for somebody who waits takes four screens, and no minute.
    keys.follow("Wait list")
    began, screens = time.perf_counter(), 1
    keys.follow("WAITER, Robin")
    screens += 1
    keys.follow("Offer a place")
    screens += 1
    keys.choose("Fri 6 Nov 2026, 09:30", "Choose a place")
    keys.press("Continue")
    screens += 1
    keys.press("Confirm and book")
    assert "The visit is booked" in keys.text
    assert screens <= 4 and time.perf_counter() - began < 60

    # When somebody booked for Friday stands at the desk, they are seen now.
    room.comes(nurse, at(WED, 9, 40))
    keys.open("/appointments/clinic?on=2026-11-06")
    keys.follow("EARLY, Robin")
    keys.follow("They are here today")
    keys.choose("Wed 4 Nov 2026, 09:30", "Choose a place")
    keys.press("Continue")
    keys.press("Confirm and book")
    assert "the arrival recorded" in keys.text

    # When Calder rings that she cannot come today, her visit moves to the place that became free.
    keys.follow("Clinic")
    keys.follow("CALDER, Jade")
    keys.follow("Move the visit")
    keys.choose("Fri 6 Nov 2026, 11:00", "Choose a place")
    keys.press("Continue")
    keys.press("Confirm and move")
    assert "The visit is moved" in keys.text

    # When another is cancelled by mistake, the step is taken back with the place.
    keys.open("/appointments/clinic?on=2026-11-09")
    keys.follow("LATER, Robin")
    keys.follow("Cancel the visit")
    keys.choose("The patient cannot come then", "Why?")
    keys.choose("The patient", "Who cancelled?")
    keys.press("Cancel the visit")
    assert "its place is free" in keys.text
    keys.follow("Take back: cancelled")
    keys.fill("What was wrong?", "It was somebody of the same name")
    keys.press("Take it back")
    assert "The history keeps both" in keys.text

    # When nobody came on Monday, that is recorded, and the ladder begins.
    keys.open("/")
    keys.follow("ABSENT, Robin")
    keys.follow("Record that the patient did not attend")
    keys.fill("What is known of the reason", "Nobody answered the door")
    keys.press("Save")
    assert "Recorded: did not attend" in keys.text
    keys.follow("What was tried to reach them")
    keys.follow("Record what was tried")
    keys.choose("Rang them", "What was tried?")
    keys.choose("No answer", "What came of it?")
    keys.press("Save")
    assert "The try is recorded" in keys.text

    # Then the place Calder gave up is offered to whoever is first in order, and accepted.
    keys.follow("Wait list")
    keys.follow("Wed 4 Nov 2026, 11:00")
    assert "Freed place on Wed 4 Nov 2026, 11:00" in keys.heading
    keys.follow("Offer the place")
    keys.press("Record the offer")
    keys.follow("Record the answer")
    keys.choose("Yes: book the place", "What did they say?")
    keys.press("Save the answer")
    assert "They said yes: the place is booked" in keys.text

    # And the manager gives a rapid place to routine work, with a reason that is counted.
    room.comes(manager, at(WED, 10))
    keys.follow("Patients")
    keys.follow("STEADY, Robin")
    keys.follow("Book a routine visit")
    keys.follow("Places that are kept back")
    keys.choose("Medical review", "What for?")
    keys.choose("Mon 9 Nov 2026, 11:00", "Choose a place")
    keys.choose("Clinical need", "Why is it given?")
    keys.fill("Say why this person, and why now", "Side effects that cannot wait")
    keys.press("Book the visit")
    assert "The visit is booked" in keys.text
    keys.open("/appointments/overrides")
    assert "Side effects that cannot wait" in keys.text

    # At the end the sheet of the day holds just who has a place.
    keys.follow("Clinic")
    keys.follow("A sheet of this day")
    assert "CALDER" not in keys.text.upper()
    for name in ("EARLY", "ABSENT"):
        assert name in keys.text.upper()
