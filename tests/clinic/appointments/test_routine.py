"""Routine visits leave rapid places alone; whoever passes that writes down why, and is counted."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from clinic.appointments import (
    commands,
    hold_commands,
    hours_commands,
    overrides,
    queries,
    rota_commands,
    rota_queries,
    routine_commands,
    waiting_queries,
)
from clinic.appointments.models import RotaDayOff, RotaPattern, Visit
from clinic.appointments.overrides import Override
from clinic.db import Database
from clinic.errors import Conflict, Forbidden, Invalid
from tests.factories import appointments as made
from tests.factories import base

NOW = base.NOW
WHY = {"reason": "clinical_need", "note": "Cannot wait until Friday"}


@pytest.fixture
def clinic(database: Database, clock) -> made.Clinic:
    """Rapid sessions on Wednesday and Friday mornings; any work on Wednesday afternoons."""
    clinic = made.a_clinic(database, weekdays=(3, 5))
    made.a_session(clinic, weekday=3, starts=time(13), ends=time(16), kept_for="any")
    return clinic


def book(clinic: made.Clinic, starts_at: datetime, at: datetime = NOW, **details) -> int:
    given = {"patient_id": base.a_patient(clinic.act), "kind": "keywork", **details}
    return routine_commands.book_routine(
        clinic.at(at), starts_at=starts_at, doctor_id=clinic.doctor.id,
        worker_id=clinic.worker.id, **given,
    )  # fmt: skip


RAPID, ANY = (datetime(2026, 11, 4, hour, tzinfo=UTC) for hour in (11, 13))


@pytest.mark.proves("BK-03")
def test_a_rapid_place_refuses_routine_work_with_when_it_opens_and_two_places_that_are_for_it(
    clinic,
):
    rota_commands.change_session(
        clinic.act, clinic.sessions[1], version=1, from_on=date(2026, 11, 5), nurse_id=None,
        room_id=None, kept_for="rapid", routine_from_hours=24,
    )  # fmt: skip
    friday = datetime(2026, 11, 6, 9, 30, tzinfo=UTC)

    with pytest.raises(Conflict, match="from Thu 5 Nov 2026, 09:30") as refused:
        book(clinic, friday)

    more = refused.value.more
    assert (more["rule"], more["may_override"]) == ("BK-03", "carve_out")
    assert [each["starts_at"][:16] for each in more["free_next"]] == [
        "2026-11-04T13:00", "2026-11-04T14:30",
    ]  # fmt: skip
    assert book(clinic, friday, at=friday - timedelta(hours=24))


def test_a_routine_visit_is_moved_within_its_places_cancelled_and_its_place_offered(clinic):
    visit_id = book(clinic, ANY)
    act = clinic.act
    wanted = {"doctor_id": clinic.doctor.id, "worker_id": clinic.worker.id}

    with pytest.raises(Conflict, match="kept for rapid work"):
        commands.move_visit(act, visit_id, version=1, starts_at=RAPID, **wanted)
    later = ANY + timedelta(minutes=90)
    commands.move_visit(act, visit_id, version=1, starts_at=later, **wanted)
    commands.cancel_visit(act, visit_id, version=2, reason="cannot_come", by_whom="patient")

    assert {task.row.starts_at for task in waiting_queries.freed_places(act)} == {ANY, later}
    assert queries.off_rota(act, [act.session.get_one(Visit, visit_id)]) == {}


@pytest.mark.proves("BK-04")
def test_passing_a_block_needs_the_right_a_code_and_a_note_and_is_reported(database, clinic):
    worker = base.an_act(
        database, clinic.worker, clinic.site, at=NOW,
        rights=made.EVERY_RIGHT - {"appointments.override"},
    )  # fmt: skip
    somebody = base.a_patient(clinic.act)
    wanted = {
        "patient_id": somebody, "kind": "medical_review", "starts_at": RAPID,
        "doctor_id": clinic.doctor.id, "worker_id": clinic.worker.id,
    }  # fmt: skip

    with pytest.raises(Forbidden):
        routine_commands.book_routine(worker, **wanted, override=Override(**WHY))
    for wrong in ({"reason": "busy"}, {"note": "  "}):
        with pytest.raises(Invalid):
            routine_commands.book_routine(
                clinic.act, **wanted, override=Override(**{**WHY, **wrong})
            )
    visit_id = routine_commands.book_routine(clinic.act, **wanted, override=Override(**WHY))

    (row,) = overrides.report(clinic.act).rows
    assert (row.visit_id, row.block, row.reason, row.by, row.waited_days) == (
        visit_id, "carve_out", "clinical_need", "Nia Bevan", None,
    )  # fmt: skip
    assert overrides.report(clinic.act).counts == ((date(2026, 11, 1), "clinical_need", 1),)
    with database.reading() as session:
        assert queries.off_rota(clinic.act, [session.get_one(Visit, visit_id)]) == {}


def test_opening_hours_are_passed_for_an_induction_with_its_wait_and_a_taken_place_is_not(clinic):
    hours_commands.set_opening(
        clinic.act, weekday=3, opens=time(13), closes=time(17), from_on=NOW.date()
    )
    referral = made.a_referral(clinic, referred_at=NOW - timedelta(days=2))
    wanted = {
        "starts_at": RAPID, "doctor_id": clinic.doctor.id, "worker_id": clinic.worker.id
    }  # fmt: skip

    with pytest.raises(Conflict) as refused:
        commands.book_visit(clinic.act, referral_id=referral, **wanted)
    assert refused.value.more["may_override"] == "opening_hours"
    commands.book_visit(clinic.act, referral_id=referral, **wanted, override=Override(**WHY))

    assert [each.waited_days for each in overrides.report(clinic.act).rows] == [2]
    with pytest.raises(Conflict) as taken:
        commands.book_visit(
            clinic.act, referral_id=made.a_referral(clinic), **wanted, override=Override(**WHY)
        )
    assert taken.value.more["blocked_by"] == ["doctor", "worker"]
    assert len(overrides.report(clinic.act).rows) == 1


def test_a_block_is_passed_for_a_hold_and_stays_passed_when_it_is_confirmed_and_for_a_move(clinic):
    wanted = {"doctor_id": clinic.doctor.id, "worker_id": clinic.worker.id}
    with pytest.raises(Conflict, match="kept for rapid work"):
        book(clinic, RAPID, hold=True)
    held = book(clinic, RAPID, hold=True, override=Override(**WHY))
    with pytest.raises(Conflict, match="has a place held until"):
        book(
            clinic, ANY, hold=True,
            patient_id=clinic.act.session.get_one(Visit, held).patient_id,
        )  # fmt: skip

    without = base.an_act(
        clinic.database, clinic.worker, clinic.site, at=NOW,
        rights=made.EVERY_RIGHT - {"appointments.override"},
    )  # fmt: skip
    confirmed = hold_commands.confirm_hold(without, held, version=1)
    assert (confirmed.status, confirmed.kind) == ("booked", "keywork")
    other = book(clinic, ANY)
    late = RAPID - timedelta(minutes=90)
    with pytest.raises(Conflict, match="kept for rapid work"):
        commands.move_visit(clinic.act, other, version=1, starts_at=late, **wanted)
    with pytest.raises(Forbidden):
        commands.move_visit(
            without, other, version=1, starts_at=late, override=Override(**WHY), **wanted
        )
    commands.move_visit(
        clinic.act, other, version=1, starts_at=late, override=Override(**WHY), **wanted
    )

    assert [each.visit_id for each in overrides.report(clinic.act).rows] == [other, held]


def test_opening_hours_are_passed_for_an_induction_that_is_held_and_for_one_that_is_moved(clinic):
    hours_commands.set_opening(
        clinic.act, weekday=3, opens=time(13), closes=time(17), from_on=NOW.date()
    )
    wanted = {"starts_at": RAPID, "doctor_id": clinic.doctor.id, "worker_id": clinic.worker.id}
    held = hold_commands.hold_place(
        clinic.act, referral_id=made.a_referral(clinic), override=Override(**WHY), **wanted
    )
    hold_commands.confirm_hold(clinic.act, held.id, version=1)
    booked = made.a_booking(clinic)
    earlier = {**wanted, "starts_at": RAPID - timedelta(minutes=90)}

    commands.move_visit(clinic.act, booked.id, version=1, override=Override(**WHY), **earlier)

    rows = overrides.report(clinic.act).rows
    assert [(each.visit_id, each.block, each.waited_days) for each in rows] == [
        (booked.id, "opening_hours", 0), (held.id, "opening_hours", 0),
    ]  # fmt: skip


def test_a_routine_place_is_held_and_confirmed_and_a_kept_back_one_taken_by_a_move_on_pages(
    door, clinic
):
    prescriber = door.by_page("prescriber", site=clinic.site)
    patient = base.a_patient(clinic.act)
    people = f"{clinic.doctor.id}-{clinic.worker.id}"
    where = f"/appointments/patients/{patient}/routine"

    held = prescriber.post(
        where, data={"kind": "keywork", "place": f"20261104T1300Z-{people}", "step": "hold"}
    )
    page = prescriber.get(held.location).text
    assert "The place is held" in page and "Confirm and book" in page
    booked = prescriber.post(f"{held.location}/confirm", data={"version": "1"})
    assert "The visit is booked." in prescriber.get(booked.location).text
    kept = prescriber.get(f"{held.location}/move-routine").text
    back = f"{held.location}/move-kept-back"
    assert back in kept and "kept for rapid work" in prescriber.get(back).text
    sent = {"place": f"20261104T1100Z-{people}", "version": "2"}
    without = prescriber.post(back, data=sent)
    assert without.status_code == 422 and "Why is it given? Choose an answer" in without.text
    moved = prescriber.post(back, data={**sent, **WHY})

    assert "The visit is moved" in prescriber.get(moved.location).text
    assert [each.note for each in overrides.report(clinic.act).rows] == [WHY["note"]]


def test_a_change_from_a_day_on_ends_the_session_begins_another_and_keeps_its_days_off(
    database, clinic
):
    friday = clinic.sessions[1]
    rota_commands.take_day_off(clinic.act, friday, on=date(2026, 11, 20), reason="Training")

    new = rota_commands.change_session(
        clinic.act, friday, version=1, from_on=date(2026, 11, 13), nurse_id=clinic.nurse.id,
        room_id=None, kept_for="any", routine_from_hours=None,
    )  # fmt: skip

    with database.reading() as session:
        old = session.get_one(RotaPattern, friday)
        off = session.scalars(select(RotaDayOff).where(RotaDayOff.withdrawn_at.is_(None))).all()
        assert (old.to_on, old.kept_for, old.nurse_id) == (date(2026, 11, 12), "rapid", None)
        assert (new.from_on, new.to_on, new.kept_for) == (date(2026, 11, 13), None, "any")
        assert [(each.pattern_id, each.on) for each in off] == [(new.id, date(2026, 11, 20))]
    for wrong in (date(2026, 11, 3), date(2026, 11, 4)):
        with pytest.raises(Invalid):
            rota_commands.change_session(
                clinic.act, clinic.sessions[0], version=1, from_on=wrong, nurse_id=None,
                room_id=None, kept_for="any", routine_from_hours=None,
            )  # fmt: skip


def test_a_manager_keeps_a_session_for_rapid_work_and_sees_first_which_visits_that_hits(
    door, clinic
):
    afternoon = rota_queries.rota_page(clinic.act).sessions[1].pattern
    visit_id = book(clinic, datetime(2026, 11, 11, 13, tzinfo=UTC))
    manager = door.by_page("manager", site=clinic.site)
    where = f"/appointments/rota/{afternoon.id}/change"
    sent = {
        "from_on-day": "11", "from_on-month": "11", "from_on-year": "2026", "nurse_id": "",
        "room_id": "", "kept_for": "rapid", "routine_from_hours": "", "version": "1",
    }  # fmt: skip

    shown = manager.post(where, data=sent)
    assert f"/appointments/visits/{visit_id}" in shown.text and "kept for rapid" in shown.text
    assert "For any work" in manager.get("/appointments/rota").text
    manager.post(where, data={**sent, "step": "confirm"})

    assert f"visits/{visit_id}" in manager.get("/appointments/rota/without-staff").text


def test_a_prescriber_gives_a_place_that_is_kept_back_and_the_manager_reads_why(door, clinic):
    prescriber = door.by_page("prescriber", site=clinic.site)
    patient = base.a_patient(clinic.act)
    where = f"/appointments/patients/{patient}/routine"
    page = prescriber.get(where).text
    assert "20261104T1300Z" in page and "20261104T1100Z" not in page
    assert "kept for rapid work" in prescriber.get(f"{where}/kept-back").text
    sent = {"kind": "keywork", "place": f"20261104T1100Z-{clinic.doctor.id}-{clinic.worker.id}"}

    assert "never used for routine" in prescriber.post(where, data=sent).text
    done = prescriber.post(f"{where}/kept-back", data={**sent, **WHY})

    assert "Keywork" in prescriber.get(done.location).text
    manager = door.by_page("manager", site=clinic.site)
    report = manager.get("/appointments/overrides").text
    assert "Cannot wait until Friday" in report and "November 2026" in report
    assert "carve_out,clinical_need" in manager.get("/appointments/overrides.csv").text


def test_routine_visits_overrides_and_changes_of_a_session_over_the_api(door, clinic):
    manager = door.by_token("manager", site=clinic.site)
    body = {
        "patient_id": base.a_patient(clinic.act), "kind": "care_review",
        "starts_at": RAPID.isoformat(), "doctor_id": clinic.doctor.id,
        "worker_id": clinic.worker.id,
    }  # fmt: skip

    free = manager.get("/api/v1/routine-places?from=2026-11-04&to=2026-11-04").json
    assert [each["starts_at"][11:16] for each in free] == ["13:00", "14:30"]
    assert manager.post("/api/v1/visits/routine", json=body).json["may_override"] == "carve_out"
    booked = manager.post("/api/v1/visits/routine", json={**body, "override": WHY})
    assert (booked.status_code, booked.json["kind"]) == (201, "care_review")
    other = {**body, "starts_at": ANY.isoformat(), "patient_id": base.a_patient(clinic.act)}
    held = manager.post("/api/v1/visits/routine/hold", json=other)
    assert (held.status_code, held.json["status"]) == (201, "held")
    early = {**body, "starts_at": (RAPID - timedelta(minutes=90)).isoformat(), "override": WHY}
    early = {name: early[name] for name in ("starts_at", "doctor_id", "worker_id", "override")}
    moved = manager.post(
        f"/api/v1/visits/{booked.json['id']}/move", json=early, headers={"If-Match": '"1"'}
    )
    assert (moved.status_code, moved.json["version"]) == (200, 2)
    assert manager.get("/api/v1/visits/overrides").json["counts"][0]["count"] == 2
    changed = manager.post(
        f"/api/v1/rota/{clinic.sessions[1]}/change",
        json={
            "from_on": "2026-11-12", "nurse_id": None, "room_id": None, "kept_for": "any",
            "routine_from_hours": None,
        },
        headers={"If-Match": '"1"'},
    )  # fmt: skip
    assert (changed.status_code, changed.json["kept_for"]) == (201, "any")
