"""Leave and opening hours: what they would hit is shown before, and nothing is lost afterwards."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from clinic.appointments import (
    commands,
    hits,
    hours_commands,
    place_queries,
    rota_commands,
)
from clinic.appointments.models import StaffLeave, Visit
from clinic.audit import AuditEntry
from clinic.db import Database
from clinic.errors import Conflict, Forbidden, Invalid, NotFound
from clinic.staff.models import StaffRole
from dosing.days import london_day
from tests.factories import appointments as made
from tests.factories import base

TODAY = date(2026, 11, 4)
FRIDAY = date(2026, 11, 6)
AWAY = {
    "starts_at": datetime(2026, 11, 4, 0, tzinfo=UTC),
    "ends_at": datetime(2026, 11, 7, 0, tzinfo=UTC),
    "reason": "sick",
}
A_MORNING = {
    "starts_at-day": "4", "starts_at-month": "11", "starts_at-year": "2026",
    "starts_at-time": "09:00", "ends_at-day": "7", "ends_at-month": "11", "ends_at-year": "2026",
    "ends_at-time": "00:00", "reason": "annual",
}  # fmt: skip


@pytest.fixture
def clinic(database: Database, clock) -> made.Clinic:
    return made.a_clinic(database)


def free_days(clinic: made.Clinic, days: int = 8) -> list[date]:
    found = place_queries.free_places(
        clinic.act, clinic.site.id, TODAY, TODAY + timedelta(days=days)
    )
    return sorted({london_day(place.starts_at) for place in found})


def leave(clinic: made.Clinic, **change) -> int:
    return hours_commands.record_leave(
        clinic.act, **{"staff_id": clinic.doctor.id, **AWAY, **change}
    )


# -- leave


@pytest.mark.parametrize("who", ["doctor", "worker"])
def test_nobody_is_offered_a_place_with_somebody_on_leave_and_the_places_come_back(clinic, who):
    away = leave(clinic, staff_id=getattr(clinic, who).id)

    assert free_days(clinic) == [date(2026, 11, 9), date(2026, 11, 11)]
    with pytest.raises(Conflict, match="is on leave then") as refused:
        made.a_booking(
            clinic, starts_at=datetime(2026, 11, 6, 9, 30, tzinfo=UTC),
            doctor_id=clinic.doctor.id, worker_id=clinic.worker.id,
        )  # fmt: skip
    assert refused.value.more["reason"] == "leave"
    assert refused.value.more["blocked_by"] == [who]
    assert len(refused.value.more["free_next"]) == 2
    hours_commands.withdraw_leave(clinic.act, away)

    assert free_days(clinic)[:2] == [TODAY, FRIDAY]
    with pytest.raises(NotFound):
        hours_commands.withdraw_leave(clinic.act, away)


def test_leave_that_ends_as_a_place_begins_takes_only_the_places_it_crosses(clinic):
    leave(clinic, ends_at=datetime(2026, 11, 6, 11, tzinfo=UTC))

    assert clinic.place()["starts_at"] == datetime(2026, 11, 6, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reason": "whim"}, "reason"),
        ({"ends_at": AWAY["starts_at"]}, "ends_at"),
        ({"starts_at": AWAY["starts_at"] - timedelta(1), "ends_at": AWAY["starts_at"]}, "ends_at"),
        ({"ends_at": AWAY["starts_at"] + timedelta(days=367)}, "ends_at"),
    ],
)
def test_leave_that_cannot_be_is_refused_by_its_field(clinic, change, field):
    with pytest.raises(Invalid) as refused:
        leave(clinic, **change)

    assert refused.value.faults[0][0] == field


def test_leave_is_for_people_who_work_here_and_for_whoever_sets_the_rota(database, clinic):
    elsewhere = made.a_clinic(database)
    nurse = replace(clinic.act, rights=made.EVERY_RIGHT - {"appointments.rota"})

    with pytest.raises(Invalid, match="works at this site"):
        leave(clinic, staff_id=elsewhere.doctor.id)
    with pytest.raises(Forbidden):
        hours_commands.record_leave(nurse, staff_id=clinic.doctor.id, **AWAY)


# -- what it would hit


def test_what_a_withdrawal_would_hit_is_rehearsed_with_a_move_for_each_and_nothing_saved(
    database, clinic
):
    first, second = made.a_booking(clinic), made.a_booking(clinic)

    found = hits.would_hit(
        clinic.act,
        lambda: hours_commands.record_leave(clinic.act, staff_id=clinic.doctor.id, **AWAY),
        leave_of=clinic.doctor.id,
    )

    assert [row.visit_id for row in found.rows] == [first.id, second.id]
    assert found.rows[0].why == "The doctor is on leave then."
    moves = [row.move.place.starts_at for row in found.rows]
    assert moves == [
        datetime(2026, 11, 9, 9, 30, tzinfo=UTC),
        datetime(2026, 11, 9, 11, tzinfo=UTC),
    ]
    assert found.rows[0].breach is not None and found.rows[0].breach.rule == "RP-05"
    assert hits.without_staff(clinic.act).rows == ()
    with database.reading() as session:
        assert session.scalars(select(StaffLeave)).all() == []
        assert "appointments.leave_recorded" not in session.scalars(select(AuditEntry.action)).all()


def test_a_withdrawal_that_hits_no_visit_still_says_whose_wait_and_which_promise_it_breaks(
    clinic, door
):
    referral = made.a_referral(clinic, referred_at=AWAY["starts_at"] - timedelta(days=2))
    a_week = {**AWAY, "ends_at": datetime(2026, 11, 14, 9, tzinfo=UTC)}

    found = hits.would_hit(
        clinic.act,
        lambda: hours_commands.record_leave(clinic.act, staff_id=clinic.doctor.id, **a_week),
    )

    assert found.rows == ()
    assert [(row.referral_id, row.wait.over) for row in found.waiting] == [(referral, True)]
    assert any("Fri 6 Nov 2026 (leave)" in each.message for each in found.breaks)
    page = door.by_page("manager", site=clinic.site).post(
        f"/sites/{clinic.site.id}/closures",
        data={"on-day": "9", "on-month": "11", "on-year": "2026", "reason": "Moving"},
    )
    assert "Nothing is saved yet" in page.text and "The rota would break its model" in page.text
    assert "Not held: Mon 9 Nov 2026 (the site is closed)" in page.text


def test_visits_without_staff_are_listed_until_moved_cancelled_or_the_hours_come_back(clinic):
    moved, cancelled, stays = (made.a_booking(clinic) for _ in range(3))
    away = leave(clinic)
    assert {row.visit_id for row in hits.without_staff(clinic.act).rows} == {
        moved.id, cancelled.id, stays.id
    }  # fmt: skip

    commands.move_visit(clinic.act, moved.id, version=1, **clinic.place())
    commands.cancel_visit(
        clinic.act, cancelled.id, version=1, reason="staff_absent", by_whom="service"
    )
    assert [row.visit_id for row in hits.without_staff(clinic.act).rows] == [stays.id]
    hours_commands.withdraw_leave(clinic.act, away)

    assert hits.without_staff(clinic.act).rows == ()


def test_somebody_for_whom_nothing_is_free_is_told_so_and_counted_as_over_the_limit(clinic):
    booked = made.a_booking(clinic)

    leave(clinic, ends_at=AWAY["starts_at"] + timedelta(days=60))

    row = hits.without_staff(clinic.act).rows[0]
    assert (row.visit_id, row.move) == (booked.id, None)
    assert row.wait.because == "none_free" and row.breach.rule == "RP-05"


def test_the_one_with_least_time_left_is_offered_the_first_place(clinic):
    later = made.a_booking(clinic)
    sooner = made.a_booking(
        clinic, made.a_referral(clinic, referred_at=base.NOW - timedelta(days=2))
    )

    leave(clinic)

    assert [row.visit_id for row in hits.without_staff(clinic.act).rows] == [sooner.id, later.id]


def test_visits_at_another_site_of_the_person_on_leave_are_counted_and_not_shown(database, clinic):
    other = made.a_clinic(database, name="Elsewhere", weekdays=())
    with database.transaction() as session:
        session.add(
            StaffRole(
                staff_id=clinic.doctor.id, site_id=other.site.id, role="prescriber",
                from_on=TODAY, to_on=None, recorded_at=base.NOW, recorded_by=clinic.doctor.id,
            )
        )  # fmt: skip
    made.a_session(other, weekday=4, doctor_id=clinic.doctor.id)
    made.a_booking(other)

    found = hits.would_hit(
        clinic.act,
        lambda: hours_commands.record_leave(clinic.act, staff_id=clinic.doctor.id, **AWAY),
        leave_of=clinic.doctor.id,
    )

    assert (found.rows, found.elsewhere) == ((), (("Elsewhere", 1),))


# -- opening hours


def test_places_outside_the_opening_hours_are_not_offered_and_come_back_when_withdrawn(clinic):
    def opens(*, opens, closes):
        return hours_commands.set_opening(
            clinic.act, weekday=5, opens=opens, closes=closes, from_on=TODAY
        )

    narrow = opens(opens=time(9, 31), closes=time(12, 30))
    assert [each.starts_at.hour for each in friday_places(clinic)] == [11]
    hours_commands.withdraw_opening(clinic.act, narrow)
    shut = opens(opens=None, closes=None)
    assert friday_places(clinic) == []
    hours_commands.withdraw_opening(clinic.act, shut)
    opens(opens=time(9, 30), closes=time(12, 30))

    assert len(friday_places(clinic)) == 2


def friday_places(clinic):
    return place_queries.free_places(clinic.act, clinic.site.id, FRIDAY, FRIDAY)


def test_later_hours_take_the_place_of_earlier_ones_from_their_first_day(clinic):
    week_after = FRIDAY + timedelta(days=7)
    for opens, from_on in ((time(9), TODAY), (time(10), week_after)):
        hours_commands.set_opening(
            clinic.act, weekday=5, opens=opens, closes=time(13), from_on=from_on
        )

    def count(day):
        return len(place_queries.free_places(clinic.act, clinic.site.id, day, day))

    assert (count(FRIDAY), count(week_after)) == (2, 1)
    with pytest.raises(Conflict, match="already recorded"):
        hours_commands.set_opening(
            clinic.act, weekday=5, opens=None, closes=None, from_on=week_after
        )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"weekday": 0}, "weekday"),
        ({"closes": None}, "closes"),
        ({"opens": None}, "opens"),
        ({"closes": time(9)}, "closes"),
        ({"from_on": TODAY - timedelta(days=1)}, "from_on"),
    ],
)
def test_hours_that_cannot_be_are_refused_by_their_field(clinic, change, field):
    given = {"weekday": 5, "opens": time(9), "closes": time(17), "from_on": TODAY, **change}

    with pytest.raises(Invalid) as refused:
        hours_commands.set_opening(clinic.act, **given)

    assert refused.value.faults[0][0] == field


def test_hours_that_were_in_force_are_history(clinic):
    row = hours_commands.set_opening(
        clinic.act, weekday=5, opens=time(9), closes=time(17), from_on=TODAY
    )

    with pytest.raises(Invalid, match="history"):
        hours_commands.withdraw_opening(clinic.at(base.NOW + timedelta(days=1)), row)


# -- in the browser and over HTTP


def test_a_manager_sees_what_leave_hits_before_it_is_saved_and_takes_it_back(
    door, clinic, database
):
    booked = made.a_booking(clinic)
    manager = door.by_page("manager", site=clinic.site)
    data = {"staff_id": str(clinic.doctor.id), **A_MORNING}

    shown = manager.post("/appointments/rota/leave", data=data)
    assert "Nothing is saved yet" in shown.text and "MORGAN, Dewi" in shown.text
    assert "Mon 9 Nov 2026" in shown.text and "is away from" in shown.text
    changed = manager.post("/appointments/rota/leave", data={**data, "step": "change"})
    assert 'value="09:00"' in changed.text
    saved = manager.post("/appointments/rota/leave", data={**data, "step": "confirm"})
    assert saved.location == "/appointments/rota/without-staff"
    listed = manager.get(saved.location).text
    assert f"/appointments/visits/{booked.id}/move" in listed and "on leave then" in listed
    hours = manager.get("/appointments/rota/hours").text
    manager.post(re.search(r"/appointments/rota/leave/\d+/withdraw", hours).group())

    assert "carries every visit" in manager.get("/appointments/rota/without-staff").text


@pytest.mark.parametrize("what", ["day-off", "end", "closure", "opening"])
def test_every_other_withdrawal_shows_its_hits_first_as_well(door, clinic, what):
    made.a_booking(clinic)
    manager = door.by_page("manager", site=clinic.site)
    session = clinic.sessions[1]  # of Wednesdays
    today = {"day": "4", "month": "11", "year": "2026"}
    path, data = {
        "day-off": (
            f"/appointments/rota/{session}/day-off",
            {**{f"on-{box}": value for box, value in today.items()}, "reason": "Flood"},
        ),
        "end": (
            f"/appointments/rota/{session}/end",
            {**{f"to_on-{box}": value for box, value in today.items()}, "version": "1"},
        ),
        "closure": (
            f"/sites/{clinic.site.id}/closures",
            {**{f"on-{box}": value for box, value in today.items()}, "reason": "Flood"},
        ),
        "opening": (
            "/appointments/rota/opening",
            {"weekday": "3", **{f"from_on-{box}": value for box, value in today.items()}},
        ),
    }[what]
    if what == "end":  # a session cannot end before its first day, which is today
        made.a_booking(clinic, **clinic.place(5))

    shown = manager.post(path, data=data)
    assert "Nothing is saved yet" in shown.text
    assert what != "opening" or "Wednesday: shut, from Wed 4 Nov 2026." in shown.text
    saved = manager.post(path, data={**data, "step": "confirm"})

    assert saved.location == "/appointments/rota/without-staff"
    assert len(hits.without_staff(clinic.act).rows) == 1


def test_leave_hours_and_hits_over_the_api(door, clinic, database):
    booked = made.a_booking(clinic)
    manager = door.by_token("manager", site=clinic.site, scopes=sorted(made.EVERY_RIGHT))
    body = {
        "staff_id": clinic.doctor.id, "starts_at": "2026-11-04T09:00:00Z",
        "ends_at": "2026-11-05T00:00:00Z", "reason": "training",
    }  # fmt: skip

    would = manager.post("/api/v1/rota/leave/hits", json=body).json
    assert [row["visit_id"] for row in would["visits"]] == [booked.id]
    assert would["visits"][0]["move"]["starts_at"] == "2026-11-06T09:30:00+00:00"
    assert manager.get("/api/v1/rota/leave").json == []
    added = manager.post("/api/v1/rota/leave", json=body)
    assert (added.status_code, len(manager.get("/api/v1/rota/leave").json)) == (201, 1)
    assert len(manager.get("/api/v1/visits/without-staff").json["visits"]) == 1
    assert manager.delete(f"/api/v1/rota/leave/{added.json['id']}").status_code == 204
    hours = {"weekday": 3, "opens": "09:00", "closes": "10:00", "from_on": "2026-11-04"}
    assert len(manager.post("/api/v1/rota/opening-hours/hits", json=hours).json["visits"]) == 1
    made_hours = manager.post("/api/v1/rota/opening-hours", json=hours).json
    assert manager.get("/api/v1/rota/opening-hours").json == [made_hours]
    gone = manager.delete(f"/api/v1/rota/opening-hours/{made_hours['id']}")
    assert gone.status_code == 204
    wednesday = f"/api/v1/rota/{clinic.sessions[1]}"
    for path, given in (
        ("days-off/hits", {"on": "2026-11-04", "reason": "Flood"}),
        ("end/hits", {"to_on": "2026-11-04"}),
    ):
        assert manager.post(f"{wednesday}/{path}", json=given).status_code == 200
    with database.reading() as session:
        assert session.get_one(Visit, booked.id).status == "booked"


def test_a_rehearsed_day_off_that_cannot_be_is_refused_as_in_earnest(clinic):
    with pytest.raises(Invalid, match="no day of this session"):
        hits.would_hit(
            clinic.act,
            lambda: rota_commands.take_day_off(
                clinic.act, clinic.sessions[0], on=TODAY, reason="Flood"
            ),
        )
