"""Appointments over HTTP: shapes, versions, problems and rights."""

from __future__ import annotations

from datetime import time

import pytest
from sqlalchemy import event, select

from clinic.appointments import hold_commands, referral_commands, things_commands
from clinic.audit import AuditEntry
from clinic.db import Database
from tests.factories import appointments as made
from tests.factories import base


@pytest.fixture
def clinic(database: Database, clock) -> made.Clinic:
    return made.a_clinic(database)


@pytest.fixture
def nurse(door, clinic):
    return door.by_token("nurse", site=clinic.site)


@pytest.fixture
def manager(door, clinic):
    return door.by_token("manager", site=clinic.site)


def booking(clinic: made.Clinic, referral: int | None = None, nth: int = 0) -> dict:
    place = clinic.place(nth)
    return {
        "referral_id": referral or made.a_referral(clinic),
        **place,
        "starts_at": place["starts_at"].isoformat(),
    }


def booked(nurse, clinic: made.Clinic) -> dict:
    answer = nurse.post("/api/v1/visits", json=booking(clinic))
    assert answer.status_code == 201, answer.json
    return answer.json


def match(version: int) -> dict:
    return {"If-Match": f'"{version}"'}


@pytest.mark.proves("RP-16")
def test_free_places_carry_bare_fields_and_no_patient(nurse, clinic, database):
    answer = nurse.get(f"/api/v1/sites/{clinic.site.id}/free-places?from=2026-11-04&to=2026-11-06")

    assert answer.status_code == 200
    assert len(answer.json["places"]) == 4
    assert answer.json["places"][0] == {
        "starts_at": "2026-11-04T09:30:00+00:00",
        "ends_at": "2026-11-04T11:00:00+00:00",
        "doctor_id": clinic.doctor.id,
        "worker_id": clinic.worker.id,
    }


@pytest.mark.parametrize(
    ("span", "status"),
    [
        ("from=2026-11-04", 422),
        ("from=2026-11-06&to=2026-11-04", 422),
        ("from=2026-11-04&to=2027-11-04", 422),
        ("from=2040-01-01&to=2040-01-02", 422),
        ("from=4&to=2026-11-04", 422),
    ],
)
def test_a_span_that_cannot_be_is_a_problem_that_names_its_field(nurse, clinic, span, status):
    answer = nurse.get(f"/api/v1/sites/{clinic.site.id}/free-places?{span}")

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json["errors"]


def test_the_free_places_of_another_site_are_not_found(nurse, database):
    other = made.a_clinic(database)

    answer = nurse.get(f"/api/v1/sites/{other.site.id}/free-places?from=2026-11-04&to=2026-11-06")

    assert answer.status_code == 404


def test_a_booking_answers_with_the_visit_its_address_and_its_version(nurse, clinic):
    answer = nurse.post("/api/v1/visits", json=booking(clinic))

    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"1"'
    again = nurse.get(answer.headers["Location"])
    assert again.json == answer.json
    assert again.headers["ETag"] == '"1"'


@pytest.mark.proves("RP-17")
def test_the_loser_is_told_the_next_two_places(nurse, clinic):
    wanted = booking(clinic)
    booked(nurse, clinic)

    answer = nurse.post("/api/v1/visits", json=wanted)

    assert answer.status_code == 409
    assert answer.json["type"] == "urn:throughcare:problem:conflict"
    assert [each["starts_at"] for each in answer.json["free_next"]] == [
        "2026-11-04T11:00:00+00:00",
        "2026-11-06T09:30:00+00:00",
    ]


def test_a_referral_that_waits_no_more_is_a_conflict_that_says_what_became_of_it(nurse, clinic):
    referral = made.a_referral(clinic)
    referral_commands.close_referral(clinic.act, referral, version=1, reason="declined")

    answer = nurse.post("/api/v1/visits", json=booking(clinic, referral))

    assert answer.status_code == 409
    assert (answer.json["status"], answer.json["referral_status"]) == (409, "closed")


def test_a_change_without_the_version_that_was_read_is_refused(nurse, clinic):
    visit = booked(nurse, clinic)
    body = {"reason": "unwell", "by_whom": "patient"}

    assert nurse.post(f"/api/v1/visits/{visit['id']}/cancel", json=body).status_code == 428
    stale = nurse.post(f"/api/v1/visits/{visit['id']}/cancel", json=body, headers=match(7))
    assert stale.status_code == 412
    assert stale.json["changed_by"] == "Ann Probert"


def test_a_visit_is_moved_cancelled_and_taken_back(nurse, clinic):
    visit = booked(nurse, clinic)
    where = f"/api/v1/visits/{visit['id']}"
    place = clinic.place(1)
    place = {**place, "starts_at": place["starts_at"].isoformat()}

    moved = nurse.post(f"{where}/move", json=place, headers=match(1))
    assert (moved.status_code, moved.json["starts_at"]) == (200, place["starts_at"])
    cancelled = nurse.post(
        f"{where}/cancel", json={"reason": "unwell", "by_whom": "patient"}, headers=match(2)
    )
    assert (cancelled.json["status"], cancelled.headers["ETag"]) == ("cancelled", '"3"')
    undone = nurse.post(f"{where}/undo", json={"reason": "Wrong person"}, headers=match(3))
    assert (undone.json["status"], undone.json["starts_at"]) == ("booked", place["starts_at"])


def test_an_arrival_and_a_missed_visit_are_recorded(nurse, clinic, clock):
    visit = booked(nurse, clinic)
    where = f"/api/v1/visits/{visit['id']}"
    early = nurse.post(f"{where}/did-not-attend", json={}, headers=match(1))
    assert early.status_code == 409

    clock.forward(hours=1)
    missed = nurse.post(f"{where}/did-not-attend", json={}, headers=match(1))
    assert missed.json["status"] == "did_not_attend"
    arrived = nurse.post(f"{where}/arrived", json={}, headers=match(2))
    assert arrived.json["status"] == "arrived"
    assert nurse.get(f"/api/v1/referrals/{visit['referral_id']}").json["status"] == "seen"


def test_a_referral_is_registered_corrected_closed_and_taken_back(nurse, clinic):
    patient = base.a_patient(clinic.act)
    made_one = nurse.post(
        "/api/v1/referrals",
        json={
            "patient_id": patient, "referred_at": "2026-11-03T16:00:00+00:00", "source": "court",
            "drugs": ["heroin"],
        },
    )  # fmt: skip
    assert made_one.status_code == 201
    where = made_one.headers["Location"]

    corrected = nurse.put(where, json={"risk": "high", "reason": "Read again"}, headers=match(1))
    assert (corrected.json["risk"], corrected.json["version"]) == ("high", 2)
    listed = nurse.get("/api/v1/referrals").json
    assert listed["model"] == 2
    assert listed["waiting"][0]["wait"]["last_on"] == "2026-11-06"
    closed = nurse.post(f"{where}/close", json={"reason": "died"}, headers=match(2))
    assert closed.json["status"] == "closed"
    undone = nurse.post(f"{where}/undo", json={"reason": "Another person"}, headers=match(3))
    assert undone.json["status"] == "waiting"
    for verb, body in (
        ("support", {}),
        (
            "send-on",
            {
                "sent_to": "primary_care", "sent_to_name": "Dr Pugh",
                "outside_at": "2026-11-10T10:00:00Z",
            },
        ),
        ("seen", {"seen_at": "2026-11-04T08:00:00Z"}),
    ):  # fmt: skip
        version = nurse.get(where).json["version"]
        assert nurse.post(f"{where}/{verb}", json=body, headers=match(version)).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"referred_at": "2026-11-03T16:00:00"},
        {"source": "rumour"},
        {"drugs": []},
        {"patient_id": "1"},
        {"extra": 1},
    ],
)
def test_a_referral_of_the_wrong_shape_names_the_field(nurse, clinic, change):
    body = {
        "patient_id": base.a_patient(clinic.act), "referred_at": "2026-11-03T16:00:00Z",
        "source": "court", "drugs": ["heroin"], **change,
    }  # fmt: skip

    answer = nurse.post("/api/v1/referrals", json=body)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == next(iter(change))


def test_the_rota_is_read_set_and_ended(manager, nurse, clinic):
    body = {
        "weekday": 2, "starts": "09:30", "ends": "12:30", "slot_minutes": 90,
        "doctor_id": clinic.doctor.id, "worker_id": clinic.worker.id, "from_on": "2026-11-10",
    }  # fmt: skip
    assert nurse.post("/api/v1/rota", json=body).status_code == 403
    added = manager.post("/api/v1/rota", json=body)
    assert (added.status_code, added.headers["ETag"]) == (201, '"1"')
    where = f"/api/v1/rota/{added.json['id']}"

    assert manager.put(where, json={"to_on": "2026-11-24"}).status_code == 428
    ended = manager.put(where, json={"to_on": "2026-11-24"}, headers=match(1))
    assert (ended.status_code, ended.json["to_on"]) == (200, "2026-11-24")
    off = manager.post(f"{where}/days-off", json={"on": "2026-11-17", "reason": "Training"})
    assert off.status_code == 201
    read = nurse.get("/api/v1/rota").json
    assert read["model"] == 2
    assert [line["off"] for line in read["sessions"] if line["session"]["id"] == added.json["id"]]
    assert manager.delete(f"/api/v1/rota/days-off/{off.json['id']}").status_code == 204
    assert {each["rule"] for each in read["findings"]} == {"RP-04"}


def test_visits_are_listed_by_day_cancelled_ones_too(nurse, clinic):
    visit = booked(nurse, clinic)
    nurse.post(
        f"/api/v1/visits/{visit['id']}/cancel",
        json={"reason": "unwell", "by_whom": "patient"}, headers=match(1),
    )  # fmt: skip

    listed = nurse.get("/api/v1/visits?from=2026-11-04&to=2026-11-04").json

    assert [(each["id"], each["status"]) for each in listed] == [(visit["id"], "cancelled")]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/api/v1/visits"),
        ("post", "/api/v1/visits/1/cancel"),
        ("post", "/api/v1/referrals"),
        ("get", "/api/v1/referrals"),
        ("get", "/api/v1/sites/1/free-places"),
    ],
)
def test_a_pharmacist_is_refused_everywhere(door, clinic, method, path):
    pharmacist = door.by_token("pharmacist", site=clinic.site)

    answer = getattr(pharmacist, method)(path, **({"json": {}} if method == "post" else {}))

    assert answer.status_code == 403


def test_a_booking_is_on_the_audit_with_ids_alone(nurse, clinic, database):
    visit = booked(nurse, clinic)

    with database.reading() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "appointments.booked")
        ).one()
    assert entry.patient_id == visit["patient_id"]
    assert entry.detail == {"visit": visit["id"], "referral": visit["referral_id"]}


def test_a_booking_and_a_look_at_free_places_take_few_round_trips(nurse, clinic, database):
    wanted = booking(clinic)
    said: list[str] = []

    def listen(connection, cursor, statement, *rest) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE")):
            said.append(statement)

    event.listen(database.engine, "before_cursor_execute", listen)
    try:
        assert nurse.post("/api/v1/visits", json=wanted).status_code == 201
        booking_took, said[:] = len(said), []
        nurse.get(f"/api/v1/sites/{clinic.site.id}/free-places?from=2026-11-04&to=2026-12-02")
        looking_took = len(said)
    finally:
        event.remove(database.engine, "before_cursor_execute", listen)

    # Three of each are who is asking; three of the booking are the audit.
    assert booking_took <= 12
    assert looking_took <= 6


def test_offers_are_narrowed_by_day_person_room_and_wait_and_cross_no_visit_of_their_own(
    database, nurse, clinic
):
    other = made.a_doctor(database, clinic.site, "Dr Ffion Rees")
    worker = made.a_worker(database, clinic.site, "Gwen Owen")
    room = things_commands.add_thing(clinic.act, kind="room", name="Room 2").id
    made.a_session(
        clinic, weekday=5, doctor_id=other.id, worker_id=worker.id, room_id=room,
        starts=time(13), ends=time(16),
    )  # fmt: skip
    referral = made.a_referral(clinic)

    def found(**asked) -> list[str]:
        answer = nurse.get(f"/api/v1/referrals/{referral}/offers", query_string=asked)
        assert answer.status_code == 200, answer.json
        return [each["place"]["starts_at"][5:16] for each in answer.json]

    assert found()[:3] == ["11-04T09:30", "11-04T11:00", "11-06T09:30"]
    assert found(**{"with": other.id})[:2] == ["11-06T13:00", "11-06T14:30"]
    assert found(room_id=room, within_limit="true") == ["11-06T13:00", "11-06T14:30"]
    assert found(**{"from": "2026-11-09", "within_limit": "true"}) == []
    hold_commands.hold_place(clinic.act, referral_id=referral, **clinic.place(1))
    assert "11-04T11:00" not in found()
    wrong = nurse.get(f"/api/v1/referrals/{referral}/offers", query_string={"with": "x"})
    assert wrong.status_code == 422


def test_the_page_of_offers_is_narrowed_likewise(door, database, clinic):
    other = made.a_doctor(database, clinic.site, "Dr Ffion Rees")
    made.a_session(clinic, weekday=5, doctor_id=other.id, worker_id=made.a_worker(
        database, clinic.site, "Gwen Owen").id, starts=time(13), ends=time(16))  # fmt: skip
    page = door.by_page("nurse", site=clinic.site)
    where = f"/appointments/referrals/{made.a_referral(clinic)}/offers"

    shown = page.get(where, query_string={"with": other.id, "within": "yes"}).text

    assert "20261106T1300Z" in shown and "20261104T0930Z" not in shown
    assert f"with={other.id}&amp;within=yes" in shown
