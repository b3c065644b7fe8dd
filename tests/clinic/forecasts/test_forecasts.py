"""What do the forecast pages and the API say of a real wait list?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from clinic.appointments import commands as visits
from clinic.appointments import hours_commands
from clinic.appointments.models import AWAY_BECAUSE, Referral
from clinic.audit import AuditEntry
from clinic.forecasts import queries
from dosing.days import end_of, start_of
from scheduling.forecast import TABLE
from tests.factories import base
from tests.factories.appointments import a_booking, a_clinic, a_referral

A_DAY = timedelta(days=1)


@pytest.fixture
def clinic(database, clock):
    """A clinic on Monday, Wednesday and Friday, two places each; it is Wednesday, 09:00."""
    clock.set(base.NOW)
    return a_clinic(database)


def look(clinic):
    with clinic.database.reading() as session:
        act = clinic.at(clinic.act.at)
        act.session = session
        return queries.outlook(act)


@pytest.mark.proves("RP-05")
def test_somebody_with_a_free_place_in_time_is_told_of_it(clinic):
    a_referral(clinic)

    found = look(clinic)

    (row,) = found.rows
    assert row.prospect.place.starts_at > clinic.act.at
    assert row.prospect.late is False
    assert 0 < row.prospect.chance < 1
    assert (found.change, found.beyond_help) == ((), 0)


def test_more_people_than_places_need_an_extra_session(clinic):
    for _ in range(7):  # two today, two on Friday; the limit is three days
        a_referral(clinic)

    found = look(clinic)

    assert [row.prospect.late for row in found.rows] == [False] * 4 + [True] * 3
    # Thursday gives two more; the seventh cannot be helped, Saturday being no day of the rota.
    assert found.change == (clinic.act.today + A_DAY,)
    assert found.beyond_help == 1


def test_whoever_is_booked_beyond_the_limit_needs_a_place_in_time_as_well(clinic):
    late = a_booking(clinic, **clinic.place(4))  # Monday; the limit is Saturday
    for _ in range(4):
        a_referral(clinic)

    found = look(clinic)

    assert (found.change, found.beyond_help) == ((clinic.act.today + A_DAY,), 0)
    assert late.place.starts_at.date() == clinic.act.today + 5 * A_DAY


def test_a_booked_place_is_nobody_elses(clinic):
    booked = a_booking(clinic)
    a_referral(clinic)

    rows = look(clinic).rows

    assert rows[0].prospect.place.starts_at == booked.place.starts_at
    assert rows[1].prospect.place != rows[0].prospect.place


def test_the_crack_pathway_takes_no_place(clinic):
    a_referral(clinic, drugs=["crack"])

    assert look(clinic).rows == ()


def test_rates_are_assumed_until_there_are_enough_of_our_own(clinic):
    rates = look(clinic).rates

    assert rates.did_not_attend.own is False
    assert rates.did_not_attend.value == TABLE["defaults"]["did_not_attend"]


def test_a_visit_cancelled_the_day_before_is_late_and_one_long_before_is_not(clinic, clock):
    late = a_booking(clinic)
    visits.cancel_visit(clinic.act, late.id, version=1, reason="unwell", by_whom="patient")
    later = clinic.act.at + timedelta(days=9)
    act = clinic.at(later)

    with clinic.database.reading() as session:
        act.session = session
        rates = queries.rates_of(act)

    assert rates.cancelled_late.cases == 1


def test_the_outlook_is_audited_with_the_people_it_names(clinic, door):
    a_referral(clinic)
    door.by_page("nurse", site=clinic.site).get("/forecast")

    with clinic.database.reading() as session:
        patient = session.scalar(select(Referral.patient_id))
        shown = session.scalars(
            select(AuditEntry.detail).where(AuditEntry.action == "appointments.wait_listed")
        ).all()
    assert shown == [{"patients": [patient]}]


@pytest.mark.proves("RP-44")
def test_a_year_is_worked_out_over_the_api_from_our_own_referrals(clinic, door, clock):
    a_referral(clinic)
    clock.set(base.NOW + 7 * A_DAY)
    nurse = door.by_token("nurse", site=clinic.site)

    answer = nurse.post("/api/v1/forecast/year", json={"model_1": 3, "model_2": 3, "model_3": 5})

    assert answer.status_code == 200
    assert [each["model"] for each in answer.json] == [1, 2, 3]
    assert all(each["mean_wait"] is not None for each in answer.json)
    assert answer.json[2]["hours"]["nurse"] > answer.json[1]["hours"]["nurse"] == 0


@pytest.mark.parametrize("places", [0, 101, -1])
def test_a_number_of_places_that_is_none_is_named(clinic, door, clock, places):
    a_referral(clinic)
    clock.set(base.NOW + 7 * A_DAY)

    asked = {"model_1": 3, "model_2": places, "model_3": 5}
    page = door.by_page("nurse", site=clinic.site).post("/forecast/year", data=asked)
    api = door.by_token("nurse", site=clinic.site).post("/api/v1/forecast/year", json=asked)

    assert (page.status_code, api.status_code) == (422, 422)
    assert "must be from 1 to 100" in page.text
    assert f'value="{places}"' in page.text


def test_a_service_nobody_was_referred_to_is_told_that_there_is_nothing_to_go_by(clinic, door):
    nurse = door.by_token("nurse", site=clinic.site)

    answer = nurse.post("/api/v1/forecast/year", json={"model_1": 3, "model_2": 3, "model_3": 5})

    assert answer.status_code == 422
    assert "nothing to go by" in door.by_page("nurse", site=clinic.site).get("/forecast/year").text


def test_the_api_and_the_page_name_the_same_extra_sessions(clinic, door):
    for _ in range(7):
        a_referral(clinic)

    api = door.by_token("nurse", site=clinic.site).get("/api/v1/forecast").json
    page = door.by_page("nurse", site=clinic.site).get("/forecast").text

    assert api["extra_sessions"] == [(clinic.act.today + A_DAY).isoformat()]
    assert "1 extra session" in page
    assert "Thu 5 Nov 2026" in page


def test_whoever_may_not_see_bookings_sees_no_forecast(clinic, door):
    assert door.by_page("administrator", site=clinic.site).get("/forecast").status_code == 403


def test_nobody_on_leave_is_asked_for_an_extra_session(clinic):
    for _ in range(7):
        a_referral(clinic)
    thursday = clinic.act.today + A_DAY
    hours_commands.record_leave(
        clinic.act, staff_id=clinic.doctor.id, starts_at=start_of(thursday),
        ends_at=end_of(thursday), reason=next(iter(AWAY_BECAUSE)),
    )  # fmt: skip

    found = look(clinic)

    assert (found.change, found.beyond_help) == ((), 3)
