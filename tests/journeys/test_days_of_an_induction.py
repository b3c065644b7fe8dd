"""A start on a Thursday under model 3: arranged for, booked, missed, planned anew and taken back."""

from __future__ import annotations

from datetime import time

import pytest

from dosing.days import at_london
from tests.clinic.appointments.test_chains import FRI, THU
from tests.factories import appointments
from tests.factories.base import a_patient
from tests.journeys import steps


@pytest.mark.browser
@pytest.mark.proof
@pytest.mark.proves("RP-10", "A16", "A25")
def test_a_thursday_start_is_arranged_booked_missed_and_planned_anew_by_keyboard(
    served, clock, page, axe
):
    # Given a service that titrates on site from Monday to Friday, and somebody referred on Thursday.
    clock.set(at_london(THU, time(8)))
    clinic = appointments.a_clinic(
        served.database, model=3, weekdays=(1, 2, 3, 4, 5), at=at_london(THU, time(8))
    )
    act = clinic.at(at_london(THU, time(8)))
    person = a_patient(act, family_name="Calder", given_name="Jade", sex="female")
    appointments.a_referral(clinic, act=act, patient_id=person)
    act.session.close()
    clinic.act.session.close()
    keys = steps.LookedAt(page, served.url, axe)
    team = steps.Team(served, clock, keys, clinic.site)

    # When the nurse offers the first place, she is asked who sees the person on Saturday,
    team.comes(clinic.nurse, at_london(THU, time(8, 30)))
    keys.follow("Wait list")
    keys.follow("CALDER, Jade")
    keys.follow("Offer a place")
    keys.choose("Thu 5 Nov 2026, 09:30", "Choose a place")
    keys.press("Continue")
    assert keys.heading == "What is arranged while the service is shut?"
    keys.press("Continue")
    assert "Name, and where: enter an answer" in keys.text
    keys.choose("A pharmacy sees them", "Who sees the person while the service is shut?")
    keys.fill("Name, and where", "Quay Pharmacy, 2 Quay Street")
    keys.fill("Telephone", "01632 960123")
    keys.fill("By when on each day", "12:00")
    keys.press("Continue")
    assert "Sat 7 Nov 2026 A pharmacy sees them and reports it: Quay Pharmacy" in keys.text
    keys.press("Confirm and book")

    # then all three days stand, on the visit and in the clinic's lists.
    assert "day 1 of 3" in keys.heading
    assert "Mon 9 Nov 2026" in keys.text and "01632 960123" in keys.text
    team.comes(clinic.nurse, at_london(THU, time(9, 35)))
    keys.follow("Clinic")
    keys.follow("CALDER, Jade")
    keys.follow("Record the arrival")
    keys.press("Save")

    # On Friday she does not come: what becomes of the rest is looked at, and confirmed.
    team.comes(clinic.nurse, at_london(FRI, time(16, 30)))
    keys.follow("Clinic")
    assert "Day 2 of 3" in keys.text
    keys.follow("CALDER, Jade")
    keys.follow("Record that the patient did not attend")
    keys.press("Save")
    assert "Nothing is saved yet" in keys.text
    keys.press("Record it, and leave the other days for now")
    assert "The other days wait on the worklist" in keys.text
    keys.follow("Plan the days anew")
    keys.press("See what becomes of the days")
    assert "Nothing is saved yet" in keys.text
    assert "Mon 9 Nov 2026" in keys.text and "Tue 10 Nov 2026" in keys.text
    keys.press("Confirm these changes")
    assert "The days are planned anew" in keys.text

    # It was wrong: one step takes all of it back.
    keys.follow("Mon 9 Nov 2026")
    keys.follow("Take back")
    keys.fill("What was wrong?", "She was in the waiting room")
    keys.press("Take it back")
    assert "The step is taken back" in keys.text
