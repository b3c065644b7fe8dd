"""A model 3 booking creates three days; the service's rates count people and say "most"."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from clinic.titration import queries
from tests.factories import appointments as made
from tests.factories import base
from tests.factories.base import NOW

DAY = timedelta(days=1)


@pytest.fixture
def clinic(database, clock):
    return made.a_clinic(database, model=3, weekdays=(1, 2, 3, 4, 5))


@pytest.fixture
def nurse(clinic, door):
    return door.by_page("nurse", site=clinic.site)


def places_on(page):
    return re.findall(r'name="place"[^>]*value="([^"]+)"', page)


@pytest.mark.proves("RP-10", "A16")
def test_booking_a_new_person_creates_three_days_and_warns_of_a_late_start(clinic, door, clock):
    clock.set(NOW + DAY)  # a Thursday
    nurse = door.by_page("nurse", site=clinic.site)
    referral = made.a_referral(clinic)
    where = f"/appointments/referrals/{referral}/offers"
    place = places_on(nurse.get(where).text)[0]

    asked = nurse.post(where, data={"place": place})
    none = {"place": place, "arranged_who": "", "arranged_contact": "", "arranged_by": ""}
    again = nurse.post(where, data=none)
    given = {
        "place": place, "arranged_kind": "pharmacy", "arranged_who": "Boots, High Street",
        "arranged_contact": "01632 960123", "arranged_by": "12:00",
    }  # fmt: skip
    check = nurse.post(where, data=given)
    visit = nurse.get(nurse.post(where, data={**given, "step": "confirm"}).location)

    assert "Day 1 is Thu 5 Nov 2026, so days 1 to 3 run into the weekend." in asked.text
    assert "While the service is shut: Sat 7 Nov 2026" in asked.text
    assert "The next start that needs nothing arranged is Mon 9 Nov 2026, 09:30." in asked.text
    assert again.status_code == 422 and "Name, and where: enter an answer" in again.text
    assert "A pharmacy sees them and reports it: Boots, High Street, by 12:00" in check.text
    for words in (
        "Thu 5 Nov 2026", "Fri 6 Nov 2026", "Mon 9 Nov 2026", "day 1 of 3", "Sat 7 Nov 2026",
        "01632 960123",
    ):  # fmt: skip
        assert words in visit.text


@pytest.mark.proves("A16")
def test_a_start_on_a_wednesday_is_not_warned_of(clinic, nurse):
    referral = made.a_referral(clinic)
    where = f"/appointments/referrals/{referral}/offers"

    check = nurse.post(where, data={"place": places_on(nurse.get(where).text)[0]})

    assert "Book this visit?" in check.text and "run into the weekend" not in check.text


def test_a_model_2_booking_has_no_first_days(database, clock, door):
    clinic = made.a_clinic(database)
    nurse = door.by_page("nurse", site=clinic.site)
    booked = made.a_booking(clinic)

    assert "First days" not in nurse.get(f"/appointments/visits/{booked.id}").text


@pytest.mark.proves("RP-07", "RP-15", "A13")
def test_a_services_rates_count_whose_time_is_up_on_page_and_over_http(database, clock, door):
    clinic = made.a_clinic(database)
    early = clinic.at(NOW - 9 * DAY)
    for _ in range(3):
        made.a_referral(clinic, act=early, patient_id=base.a_patient(early))
    made.a_referral(clinic)
    nurse, other = door.by_page("nurse", site=clinic.site), door.by_token("nurse", site=clinic.site)

    page = nurse.get("/titration/targets").text
    told = {each["name"]: each for each in other.get("/api/v1/titration/targets").json}

    assert "0 of 3 people whose time is up reached it in time: not most." in page
    assert "A dose is never raised to meet one." in page
    assert (told["on_treatment"]["reached"], told["on_treatment"]["closed"]) == (0, 3)
    assert told["stable_optimised"]["most"] is None


def test_nobody_without_the_right_sees_the_rates(clinic):
    act = replace(clinic.act, rights=frozenset())

    with pytest.raises(Exception, match="prescribing.read"):
        queries.rates_here(act)


@pytest.mark.proves("RP-12")
def test_the_board_is_the_same_over_http(clinic, door):
    nurse = door.by_token("nurse", site=clinic.site)

    assert nurse.get("/api/v1/titration/board").json == {
        "at": NOW.isoformat(), "watched": False, "people": [],
    }  # fmt: skip
