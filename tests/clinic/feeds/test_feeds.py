"""What does a private calendar show, to whom, and until when?"""

from __future__ import annotations

import re
from datetime import time, timedelta

import icalendar
import pytest

from clinic.appointments import commands as visits
from clinic.feeds import commands
from clinic.staff.models import Staff
from tests.factories import base
from tests.factories.appointments import a_booking, a_clinic, a_doctor, a_session


@pytest.fixture
def clinic(database, clock):
    clock.set(base.NOW)
    return a_clinic(database)


@pytest.fixture
def visitor(app):
    """Somebody's calendar program: signed in to nothing."""
    return app.test_client()


def made_by(clinic, staff, kind="own"):
    return commands.make_feed(clinic.at(clinic.act.at, staff=staff), kind=kind, label="Phone")


def read(visitor, secret):
    answer = visitor.get(f"/feeds/{secret}.ics")
    assert answer.status_code == 200
    return icalendar.Calendar.from_ical(answer.data).walk("VEVENT")


def cancel(clinic, booked):
    return visits.cancel_visit(
        clinic.act, booked.id, version=1, reason="cannot_come", by_whom="patient"
    )


@pytest.mark.parametrize("who", ["doctor", "worker"])
def test_each_of_the_two_sees_their_own_bookings(clinic, visitor, who):
    booked = a_booking(clinic)
    feed = made_by(clinic, getattr(clinic, who))

    (event,) = read(visitor, feed.secret)

    assert event["DTSTART"].dt == booked.place.starts_at
    assert event["DTEND"].dt == booked.place.ends_at
    assert event["DTSTART"].params["TZID"] == "Europe/London"
    assert (event["STATUS"], event["SUMMARY"]) == ("CONFIRMED", "Appointment")


def test_a_nurse_sees_every_day_of_an_induction_and_no_number_of_it(database, clock, visitor):
    clock.set(base.NOW)
    clinic = a_clinic(database, model=3, weekdays=(1, 2, 3, 4, 5))
    a_booking(clinic)

    events = read(visitor, made_by(clinic, clinic.nurse).secret)

    assert [each["DTSTART"].dt.day for each in events] == [4, 5, 6]
    assert {str(each["SUMMARY"]) for each in events} == {"Appointment"}


def test_somebody_elses_booking_is_not_ones_own_but_is_the_clinics(clinic, visitor):
    a_booking(clinic)

    assert read(visitor, made_by(clinic, clinic.nurse).secret) == []
    assert len(read(visitor, made_by(clinic, clinic.nurse, "clinic").secret)) == 1


@pytest.mark.parametrize("kind", ["own", "clinic"])
def test_a_cancelled_booking_is_told_of_for_thirty_days(clinic, visitor, clock, kind):
    booked = a_booking(clinic)
    feed = made_by(clinic, clinic.doctor, kind)
    before = read(visitor, feed.secret)[0]
    cancel(clinic, booked)

    (event,) = read(visitor, feed.secret)
    assert (event["STATUS"], event["SUMMARY"]) == ("CANCELLED", "Cancelled: appointment")
    assert event["UID"] == before["UID"]
    assert event["SEQUENCE"] > before["SEQUENCE"]

    clock.set(clinic.act.at + timedelta(days=30, hours=1))
    assert read(visitor, feed.secret) == []


def test_a_booking_that_moves_keeps_its_identity_and_leaves_nothing_behind(clinic, visitor):
    booked = a_booking(clinic)
    feed = made_by(clinic, clinic.worker)
    before = read(visitor, feed.secret)[0]
    visits.move_visit(clinic.act, booked.id, version=1, **clinic.place(1))

    (event,) = read(visitor, feed.secret)

    assert event["UID"] == before["UID"]
    assert event["SEQUENCE"] > before["SEQUENCE"]
    assert event["STATUS"] == "CONFIRMED"
    assert event["DTSTART"].dt > before["DTSTART"].dt


def test_a_booking_that_goes_to_another_doctor_is_cancelled_for_the_first(
    database, clinic, visitor
):
    second = a_doctor(database, clinic.site, "Dr Mared Lloyd")
    a_session(
        clinic, doctor_id=second.id, worker_id=clinic.worker.id, starts=time(14), ends=time(17),
        weekday=clinic.act.today.isoweekday() % 5 + 1,
    )  # fmt: skip
    booked = a_booking(clinic)
    first, then = made_by(clinic, clinic.doctor), made_by(clinic, second)
    place = next(p for p in map(clinic.place, range(12)) if p["doctor_id"] == second.id)
    visits.move_visit(clinic.act, booked.id, version=1, **place)

    assert [each["STATUS"] for each in read(visitor, first.secret)] == ["CANCELLED"]
    assert [each["STATUS"] for each in read(visitor, then.secret)] == ["CONFIRMED"]


def test_nothing_about_the_patient_or_the_service_is_in_the_feed(clinic, visitor):
    a_booking(clinic)
    text = visitor.get(f"/feeds/{made_by(clinic, clinic.nurse, 'clinic').secret}.ics").text

    names = {line.split(":")[0].split(";")[0] for line in text.splitlines()}
    assert not names & {"DESCRIPTION", "LOCATION", "ATTENDEE", "ORGANIZER", "CATEGORIES", "URL"}
    assert {line.split(":", 1)[1] for line in text.splitlines() if line.startswith("SUMMARY")} == {
        "Appointment"
    }
    for secret in (clinic.site.name, clinic.doctor.name, clinic.worker.name, "induction", "999"):
        assert secret.lower() not in re.sub("UID:.*", "", text).lower()


def test_the_text_is_folded_and_ends_its_lines_as_the_format_says(clinic, visitor):
    a_booking(clinic)
    answer = visitor.get(f"/feeds/{made_by(clinic, clinic.doctor).secret}.ics")

    assert answer.mimetype == "text/calendar"
    lines = answer.data.split(b"\r\n")
    assert all(len(line) <= 75 and b"\n" not in line for line in lines)
    for line in (b"METHOD:PUBLISH", b"CLASS:PRIVATE", b"NAME:Appointments",
                 b"X-WR-CALNAME:Appointments", b"REFRESH-INTERVAL;VALUE=DURATION:PT15M"):  # fmt: skip
        assert line in lines


def test_a_calendar_that_has_it_already_is_told_so(clinic, visitor):
    booked = a_booking(clinic)
    address = f"/feeds/{made_by(clinic, clinic.doctor).secret}.ics"
    tag = visitor.get(address).headers["ETag"]

    again = visitor.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")

    cancel(clinic, booked)
    assert visitor.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_a_wrong_secret_a_revoked_one_and_that_of_somebody_who_left_find_nothing(
    database, clinic, visitor
):
    feed = made_by(clinic, clinic.doctor)
    other = made_by(clinic, clinic.worker)
    commands.revoke_feed(clinic.at(clinic.act.at, staff=clinic.doctor), feed.id)
    with database.transaction() as session:
        session.get_one(Staff, clinic.worker.id).left_on = clinic.act.today - timedelta(days=1)

    for secret in ("wrong", feed.secret, other.secret, "x" * 5000):
        assert visitor.get(f"/feeds/{secret}.ics").status_code == 404


def test_nobody_revokes_anothers_calendar_but_an_administrator(clinic, door, visitor):
    feed = made_by(clinic, clinic.doctor)
    stranger = door.by_page("nurse", site=clinic.site)

    assert stranger.post(f"/account/calendars/{feed.id}/revoke").status_code == 404
    assert visitor.get(f"/feeds/{feed.secret}.ics").status_code == 200


def test_calendars_are_made_listed_and_revoked_over_the_api(clinic, door, visitor):
    nurse = door.by_token("nurse", site=clinic.site)
    made = nurse.post("/api/v1/calendars", json={"kind": "clinic", "label": "Desk"})
    path = made.json["address"].split("localhost", 1)[1]
    assert made.status_code == 201
    assert visitor.get(path).status_code == 200

    listed = nurse.get("/api/v1/calendars")
    assert [each["label"] for each in listed.json] == ["Desk"]
    assert "secret" not in listed.text

    assert nurse.delete(f"/api/v1/calendars/{made.json['id']}").status_code == 204
    assert visitor.get(path).status_code == 404
    assert nurse.post("/api/v1/calendars", json={"kind": "mine"}).status_code == 422


def test_an_eleventh_calendar_is_refused(clinic):
    for _ in range(commands.MOST_FEEDS):
        made_by(clinic, clinic.doctor)

    with pytest.raises(commands.Conflict, match="Revoke one"):
        made_by(clinic, clinic.doctor)


def test_a_calendar_is_made_and_revoked_by_page(clinic, door, visitor):
    nurse = door.by_page("nurse", site=clinic.site)

    page = nurse.post("/account/calendars", data={"kind": "clinic", "label": "Phone"}).text
    path = re.search(r"(/feeds/[\w-]+\.ics)</code>", page)[1]
    assert visitor.get(path).status_code == 200

    revoke = re.search(r"/account/calendars/\d+/revoke", nurse.get("/account/calendars").text)[0]
    assert "Revoked" in nurse.post(revoke, follow_redirects=True).text
    assert visitor.get(path).status_code == 404


def test_a_calendar_without_a_choice_keeps_what_was_typed(clinic, door):
    answer = door.by_page("nurse", site=clinic.site).post(
        "/account/calendars", data={"label": "My phone"}
    )

    assert answer.status_code == 422
    assert 'value="My phone"' in answer.text
