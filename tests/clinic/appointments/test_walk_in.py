"""Somebody who stands at the desk is seen now, and gives up the place they had for later."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from clinic.appointments import (
    commands,
    hold_commands,
    outcome_commands,
    place_queries,
    visit_queries,
    waiting_queries,
)
from clinic.appointments.models import Referral, Visit, VisitHold
from clinic.db import Database
from clinic.errors import Conflict, Invalid
from tests.factories import appointments as made
from tests.factories import base

FIRST = datetime(2026, 11, 4, 9, 30, tzinfo=UTC)


@pytest.fixture
def clinic(database: Database, clock) -> made.Clinic:
    return made.a_clinic(database)


def here(clinic: made.Clinic, referral: int, at: datetime, starts_at: datetime = FIRST) -> int:
    """They walk in at a moment and take the place of today that starts then; the visit's id."""
    return commands.walk_in(
        clinic.at(at), referral_id=referral, starts_at=starts_at, doctor_id=clinic.doctor.id,
        worker_id=clinic.worker.id,
    )  # fmt: skip


def held_from(database: Database, visit_id: int) -> set[datetime]:
    with database.reading() as session:
        return set(
            session.scalars(
                select(VisitHold.starts_at).where(
                    VisitHold.visit_id == visit_id, VisitHold.released_at.is_(None)
                )
            )
        )


def test_somebody_without_a_visit_is_booked_into_the_place_in_progress_and_has_arrived(
    database, clinic
):
    referral = made.a_referral(clinic)
    now = FIRST + timedelta(minutes=10)

    visit_id = here(clinic, referral, now)

    with database.reading() as session:
        visit, waited = session.get_one(Visit, visit_id), session.get_one(Referral, referral)
        assert (visit.status, visit.starts_at) == ("arrived", FIRST)
        assert (waited.status, waited.seen_at) == ("seen", now)
    assert held_from(database, visit_id) == {FIRST}


def test_the_later_booking_moves_here_and_its_place_is_free_for_others_at_once(database, clinic):
    booked = made.a_booking(clinic, **clinic.place(2))
    now = FIRST + timedelta(minutes=10)

    assert here(clinic, booked.referral_id, now) == booked.id

    assert held_from(database, booked.id) == {FIRST}
    later = clinic.at(now)
    assert booked.place in place_queries.free_places(
        later, clinic.site.id, date(2026, 11, 6), date(2026, 11, 6)
    )
    assert [task.row.starts_at for task in waiting_queries.freed_places(later)] == [
        booked.place.starts_at
    ]
    steps = [each.what for each in visit_queries.visit_page(later, booked.id).steps]
    assert steps == ["Booked", "Moved", "Arrived"]


def test_a_walk_in_is_taken_back_step_by_step_to_the_later_place(database, clinic):
    booked = made.a_booking(clinic, **clinic.place(2))
    now = FIRST + timedelta(minutes=10)
    here(clinic, booked.referral_id, now)

    for version in (3, 4):
        outcome_commands.undo_visit(
            clinic.at(now), booked.id, version=version, reason="Somebody else"
        )

    with database.reading() as session:
        visit = session.get_one(Visit, booked.id)
        assert (visit.status, visit.starts_at) == ("booked", booked.place.starts_at)
    assert held_from(database, booked.id) == {booked.place.starts_at}


def test_the_place_that_is_theirs_already_is_only_arrived_at(clinic):
    booked = made.a_booking(clinic)

    here(clinic, booked.referral_id, FIRST - timedelta(minutes=20))

    steps = [each.what for each in visit_queries.visit_page(clinic.act, booked.id).steps]
    assert steps == ["Booked", "Arrived"]


@pytest.mark.proves("BK-05")
def test_a_place_too_soon_to_be_reached_is_offered_to_nobody_but_who_is_here(clinic):
    referral, soon = made.a_referral(clinic), clinic.at(FIRST - timedelta(minutes=29))
    wanted = {"doctor_id": clinic.doctor.id, "worker_id": clinic.worker.id, "starts_at": FIRST}

    offered = place_queries.offers(soon, referral)
    assert offered.offers[0].place.starts_at == FIRST + timedelta(minutes=90)
    for book in (commands.book_visit, hold_commands.hold_place):
        with pytest.raises(Conflict, match="If they are here") as refused:
            book(soon, referral_id=referral, **wanted)
        assert (refused.value.more["rule"], refused.value.more["may_override"]) == (
            "BK-05", "notice",
        )  # fmt: skip
        assert refused.value.more["free_next"][0]["starts_at"] > FIRST.isoformat()
    later = made.a_booking(clinic, **clinic.place(2))
    with pytest.raises(Conflict, match="If they are here"):
        commands.move_visit(soon, later.id, version=1, **wanted)

    # Held in time it is confirmed although time has gone by.
    held = hold_commands.hold_place(
        clinic.at(FIRST - timedelta(minutes=30)), referral_id=referral, **wanted
    )
    hold_commands.confirm_hold(clinic.at(FIRST - timedelta(minutes=21)), held.id, version=1)
    commands.cancel_visit(
        soon, held.id, version=2, reason="cannot_come", by_whom="patient"
    )  # fmt: skip
    assert here(clinic, referral, FIRST - timedelta(minutes=15))


@pytest.mark.proves("RP-16")
@pytest.mark.parametrize(("late", "free"), [(29, 2), (30, 2), (31, 1)])
def test_a_place_that_has_begun_is_given_while_sixty_minutes_of_it_are_left(clinic, late, free):
    referral, now = made.a_referral(clinic), FIRST + timedelta(minutes=late)

    found = place_queries.offers(clinic.at(now), referral, walk_in=True).offers

    assert len(found) == free
    if free == 1:
        with pytest.raises(Conflict, match="Less than 60 minutes") as refused:
            here(clinic, referral, now)
        assert refused.value.more["rule"] == "RP-16"
    else:
        here(clinic, referral, now)


def test_a_visit_that_is_over_is_settled_before_they_are_seen_instead(clinic):
    booked = made.a_booking(clinic)
    friday = FIRST + timedelta(days=2)

    with pytest.raises(Conflict, match="Wed 4 Nov 2026, 09:30 is over. Record first"):
        here(clinic, booked.referral_id, friday, friday)
    outcome_commands.record_did_not_attend(clinic.at(friday), booked.id, version=1)

    assert here(clinic, booked.referral_id, friday, friday) != booked.id


def test_a_taken_place_is_refused_and_leaves_the_later_booking_as_it_was(database, clinic):
    taken = made.a_booking(clinic)
    booked = made.a_booking(clinic, **clinic.place(3))

    with pytest.raises(Conflict) as refused:
        here(clinic, booked.referral_id, FIRST + timedelta(minutes=5))

    assert refused.value.more["blocked_by"] == ["doctor", "worker"]
    assert len(refused.value.more["free_next"]) == 2
    assert held_from(database, booked.id) == {booked.place.starts_at}
    assert held_from(database, taken.id) == {FIRST}


def test_nobody_walks_into_another_day(clinic):
    with pytest.raises(Invalid, match="place of today"):
        here(clinic, made.a_referral(clinic), base.NOW, FIRST + timedelta(days=2))


def test_a_nurse_books_a_walk_in_on_three_screens(door, clinic, clock):
    clock.set(FIRST + timedelta(minutes=10))
    nurse = door.by_page("nurse", site=clinic.site)
    referral = made.a_referral(clinic)
    where = f"/appointments/referrals/{referral}/walk-in"
    assert where in nurse.get(f"/appointments/referrals/{referral}").text

    form = nurse.get(where).text
    place = f"20261104T0930Z-{clinic.doctor.id}-{clinic.worker.id}"
    assert place in form and "20261106" not in form
    assert "record the arrival" in nurse.post(where, data={"place": place}).text
    done = nurse.post(where, data={"place": place, "step": "confirm"})

    assert "Arrived" in nurse.get(done.location).text


def test_a_walk_in_over_the_api(door, clinic, clock):
    clock.set(FIRST + timedelta(minutes=10))
    nurse = door.by_token("nurse", site=clinic.site)
    referral = made.a_referral(clinic)

    places = nurse.get(f"/api/v1/referrals/{referral}/walk-in-places").json
    wanted = {name: places[0][name] for name in ("starts_at", "doctor_id", "worker_id")}
    answer = nurse.post("/api/v1/visits/walk-in", json={**wanted, "referral_id": referral})

    assert [each["starts_at"][11:16] for each in places] == ["09:30", "11:00"]
    assert (answer.status_code, answer.json["status"]) == (201, "arrived")
    assert answer.headers["Location"] == f"/api/v1/visits/{answer.json['id']}"
