"""The month, the weeks behind us, one clinician's list and the sheet of a day."""

from __future__ import annotations

import re
from datetime import time, timedelta

import pytest

from clinic.appointments import commands as visits
from clinic.appointments import outcome_commands
from tests.factories import base
from tests.factories.appointments import a_booking, a_clinic, a_doctor, a_referral, a_session

A_DAY = timedelta(days=1)
TODAY = base.NOW.date()


@pytest.fixture
def clinic(database, clock):
    """Two places on Monday, Wednesday and Friday; it is Wednesday, 09:00."""
    clock.set(base.NOW)
    return a_clinic(database)


@pytest.fixture
def nurse(clinic, door):
    return door.by_page("nurse", site=clinic.site)


@pytest.fixture
def api(clinic, door):
    return door.by_token("nurse", site=clinic.site)


def test_a_month_shows_what_is_taken_and_free(clinic, nurse, api):
    a_booking(clinic)

    page = nurse.get("/appointments/month").text
    (day,) = api.get(f"/api/v1/clinic/days?from={TODAY}&to={TODAY}").json

    assert "Clinic, November 2026" in page
    assert "1 taken" in page and "1 free" in page
    assert day == {"on": str(TODAY), "taken": 1, "free": 1, "lost": 0, "reason": None}


def test_a_month_of_one_clinician_leaves_out_the_places_of_others(database, clinic, api):
    second = a_doctor(database, clinic.site, "Dr Mared Lloyd")
    a_session(clinic, doctor_id=second.id, weekday=4, starts=time(14), ends=time(17))
    span = f"from={TODAY}&to={TODAY + A_DAY}"

    theirs = api.get(f"/api/v1/clinic/days?{span}&with={second.id}").json
    all_of_them = api.get(f"/api/v1/clinic/days?{span}").json

    assert [day["free"] for day in theirs] == [0, 2]
    assert [day["free"] for day in all_of_them] == [2, 2]


def test_a_clinicians_list_leaves_out_the_visits_of_others(database, clinic, nurse):
    booked = a_booking(clinic)
    second = a_doctor(database, clinic.site, "Dr Mared Lloyd")
    a_session(clinic, doctor_id=second.id, weekday=4, starts=time(14), ends=time(17))
    on = booked.place.starts_at.date()

    def shown(staff_id):
        address = f"/appointments/clinic?on={on}&by=week&with={staff_id}"
        return f"/appointments/visits/{booked.id}" in nurse.get(address).text

    assert shown(clinic.doctor.id) and shown(clinic.worker.id)
    assert not shown(second.id)


@pytest.mark.parametrize("asked", ["²", "0", "9" * 5000, "-1", "x", ""])
def test_a_clinician_who_is_none_is_everybody(clinic, nurse, asked):
    booked = a_booking(clinic)

    page = nurse.get(f"/appointments/clinic?on={booked.place.starts_at.date()}&with={asked}")

    assert page.status_code == 200
    assert f"/appointments/visits/{booked.id}" in page.text
    assert nurse.get(f"/appointments/month?with={asked}&on={asked}").status_code == 200


@pytest.mark.proves("RP-05")
def test_the_weeks_behind_us_tell_places_by_fate_and_waits(clinic, clock, door):
    came, missed, late = a_booking(clinic), a_booking(clinic), a_booking(clinic)
    visits.cancel_visit(
        clinic.at(late.place.starts_at - A_DAY), late.id, version=1, reason="unwell",
        by_whom="patient",
    )  # fmt: skip
    outcome_commands.record_arrived(clinic.at(came.place.starts_at), came.id, version=1)
    outcome_commands.record_did_not_attend(
        clinic.at(missed.place.starts_at + timedelta(hours=1)), missed.id, version=1
    )
    clock.set(base.NOW + 5 * A_DAY)

    nurse = door.by_token("nurse", site=clinic.site)
    week = nurse.get("/api/v1/clinic/weeks").json[-2]

    assert week["places"] == {"used": 1, "did_not_attend": 1, "cancelled_late": 1, "empty": 1}
    assert (week["seen"], week["mean_wait"], week["late"]) == (1, 0.0, 0)


def test_the_page_of_the_weeks_behind_us_begins_with_the_rota(clinic, nurse):
    a_booking(clinic)

    page = nurse.get("/appointments/occupancy").text

    assert page.count('<tr role="row" class="nhsuk-table__row">') == 2 * 1
    assert "nobody seen" in page


def test_a_sheet_of_a_day_names_each_person_in_full_and_leaves_room(clinic, nurse):
    booked = a_booking(clinic)
    on = booked.place.starts_at.date()

    page = nurse.get(f"/appointments/clinic/{on}/print").text

    for expected in ("NHS No.", "Page 1 of 1", "Printed", clinic.doctor.name, "Came at"):
        assert expected in page
    empty = nurse.get(f"/appointments/clinic/{on + 7 * A_DAY}/print")
    assert "Nobody is booked." in empty.text


@pytest.mark.parametrize("on", ["tomorrow", "2026-02-30", "0000-01-01", "9" * 500])
def test_a_sheet_of_no_day_is_not_found(nurse, on):
    assert nurse.get(f"/appointments/clinic/{on}/print").status_code == 404


@pytest.mark.parametrize(
    "asked", ["from=2026-11-10&to=2026-11-09", "from=2026-01-01&to=2026-12-31", "from=x&to=y", "",
              "from=2026-11-10&to=2026-11-10&with=0", "from=2050-01-03&to=2050-01-04"],
)  # fmt: skip
def test_a_span_that_is_none_is_refused(api, asked):
    assert api.get(f"/api/v1/clinic/days?{asked}").status_code == 422


@pytest.mark.parametrize("on", ["0001-01-01", "9999-12-31"])
def test_a_day_nobody_was_ever_booked_on_is_read_as_today(nurse, on):
    assert "November 2026" in nurse.get(f"/appointments/month?on={on}").text
    assert "Nov 2026" in nurse.get(f"/appointments/clinic?on={on}&by=week").text


def test_a_month_beyond_the_pinned_holidays_is_not_found(nurse):
    assert nurse.get("/appointments/month?on=2050-01-03").status_code == 404


def test_the_first_page_begins_with_what_waits_and_how_much(clinic, nurse):
    booked = a_booking(clinic, **clinic.place(3))
    a_referral(clinic)
    visits.cancel_visit(clinic.act, booked.id, version=1, reason="unwell", by_whom="patient")

    page = nurse.get("/").text

    links = re.findall(r'href="#(list-\d+)">([^<]+)</a>', page)
    # what is kept by the hour before what has days
    assert [said for _, said in links][:2] == [
        "Freed places to offer (1)",
        "Waiting for a clinician (2)",
    ]
    assert all(f'id="{to}"' in page for to, _ in links)
