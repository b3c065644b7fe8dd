"""Booking, moving, cancelling and recording who came, as commands on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select, text

from clinic.appointments import (
    commands,
    outcome_commands,
    queries,
    referral_commands,
    visit_queries,
)
from clinic.appointments.models import Referral, Visit, VisitEvent, VisitHold
from clinic.audit import AuditEntry
from clinic.db import Database
from clinic.errors import Conflict, Forbidden, Invalid, NotFound, OutsideCaseload, Stale
from clinic.patients.commands import leave_caseload, take_onto_caseload
from clinic.staff.models import StaffCompetence
from tests.factories import appointments as made
from tests.factories import base


@pytest.fixture
def clinic(database: Database) -> made.Clinic:
    return made.a_clinic(database)


def standing_holds(database: Database) -> list[VisitHold]:
    with database.reading() as session:
        return list(session.scalars(select(VisitHold).where(VisitHold.released_at.is_(None))))


def actions(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def the_visit(database: Database, visit_id: int) -> Visit:
    with database.reading() as session:
        return session.get_one(Visit, visit_id)


def the_referral(database: Database, referral_id: int) -> Referral:
    with database.reading() as session:
        return session.get_one(Referral, referral_id)


# -- book


@pytest.mark.proves("RP-16")
def test_a_booking_holds_the_doctor_and_the_drugs_worker_together(database, clinic):
    referral = made.a_referral(clinic)

    booked = made.a_booking(clinic, referral)

    held = standing_holds(database)
    assert {each.needed_as for each in held} == {"doctor", "worker"}
    assert {(each.starts_at, each.ends_at) for each in held} == {
        (booked.place.starts_at, booked.place.ends_at)
    }
    assert booked.place.ends_at - booked.place.starts_at == timedelta(minutes=90)
    assert "appointments.booked" in actions(database)


@pytest.mark.proves("RP-17")
def test_a_taken_place_is_refused_and_says_what_is_free_next(database, clinic):
    first = made.a_booking(clinic)
    wanted = {
        "starts_at": first.place.starts_at,
        "doctor_id": first.place.doctor_id,
        "worker_id": first.place.worker_id,
    }

    with pytest.raises(Conflict) as refused:
        made.a_booking(clinic, made.a_referral(clinic), **wanted)

    free_next = refused.value.more["free_next"]
    assert [each["starts_at"] for each in free_next] == [
        "2026-11-04T11:00:00+00:00",
        "2026-11-06T09:30:00+00:00",
    ]
    assert len(standing_holds(database)) == 2


@pytest.mark.proves("RP-17")
def test_no_other_hold_of_the_doctor_may_cross_the_slot_whatever_it_is_for(database, clinic):
    booked = made.a_booking(clinic)
    doctor = next(each for each in standing_holds(database) if each.needed_as == "doctor")

    with pytest.raises(Exception, match="visit_hold_no_overlap"), database.transaction() as session:
        session.add(
            VisitHold(
                visit_id=booked.id, resource_id=doctor.resource_id, needed_as="doctor",
                starts_at=booked.place.ends_at - timedelta(minutes=1),
                ends_at=booked.place.ends_at + timedelta(minutes=1), released_at=None,
            )
        )  # fmt: skip


def test_places_that_touch_do_not_cross(clinic):
    first = made.a_booking(clinic)
    second = made.a_booking(clinic)

    assert second.place.starts_at == first.place.ends_at


def test_a_patient_with_another_visit_then_is_refused(database, clinic):
    patient = base.a_patient(clinic.act)
    booked = made.a_booking(clinic, made.a_referral(clinic, patient_id=patient))
    other = made.a_clinic(database)
    take_onto_caseload(other.act, patient)
    referral = made.a_referral(other, patient_id=patient)

    with pytest.raises(Conflict, match="another visit at that time"):
        made.a_booking(
            other, referral, starts_at=booked.place.starts_at, doctor_id=other.doctor.id,
            worker_id=other.worker.id,
        )  # fmt: skip


def test_a_referral_has_one_visit_booked_at_a_time(clinic):
    referral = made.a_referral(clinic)
    made.a_booking(clinic, referral)

    with pytest.raises(Conflict, match="already has a visit booked"):
        made.a_booking(clinic, referral)


@pytest.mark.proves("RP-18")
def test_a_place_whose_doctor_lost_the_training_cannot_be_booked(database, clinic):
    place = clinic.place(2)
    with database.transaction() as session:
        for row in session.scalars(
            select(StaffCompetence).where(StaffCompetence.staff_id == clinic.doctor.id)
        ):
            row.to_on = date(2026, 11, 5)

    with pytest.raises(Conflict) as refused:
        made.a_booking(clinic, **place)

    assert (refused.value.more["rule"], refused.value.more["reason"]) == ("RP-18", "not_staffed")
    assert all(each["starts_at"] < "2026-11-06" for each in refused.value.more["free_next"])


@pytest.mark.proves("A23")
def test_somebody_who_uses_no_opioid_is_not_given_an_induction_place(clinic):
    referral = made.a_referral(clinic, drugs=["crack"])

    with pytest.raises(Invalid) as refused:
        made.a_booking(clinic, referral)

    assert refused.value.more["rule"] == "RP-31"


def test_a_place_that_has_begun_cannot_be_booked(clinic):
    place = clinic.place()
    late = clinic.at(place["starts_at"] + timedelta(minutes=1))

    with pytest.raises(Conflict, match="already begun"):
        commands.book_visit(late, referral_id=made.a_referral(clinic), **place)


def test_a_place_years_ahead_is_refused(clinic):
    place = {**clinic.place(), "starts_at": datetime(2031, 1, 6, 9, 30, tzinfo=UTC)}

    with pytest.raises(Invalid, match="starts_at"):
        made.a_booking(clinic, **place)


def test_a_closed_referral_is_not_booked(clinic):
    referral = made.a_referral(clinic)
    referral_commands.close_referral(clinic.act, referral, version=1, reason="declined")

    with pytest.raises(Conflict, match="not waiting any more"):
        made.a_booking(clinic, referral)


def test_booking_needs_its_right(clinic):
    referral, place = made.a_referral(clinic), clinic.place()
    reader = replace(clinic.act, rights=frozenset({"appointments.read", "patients.read"}))

    with pytest.raises(Forbidden):
        commands.book_visit(reader, referral_id=referral, **place)


def test_another_site_does_not_see_the_referral_or_the_visit(database, clinic):
    booked = made.a_booking(clinic)
    other = made.a_clinic(database)

    with pytest.raises(NotFound):
        commands.book_visit(other.act, referral_id=booked.referral_id, **other.place())
    with pytest.raises(NotFound):
        commands.cancel_visit(other.act, booked.id, version=1, reason="unwell", by_whom="patient")
    with pytest.raises(NotFound):
        visit_queries.visit_page(other.act, booked.id)


def test_a_patient_who_left_the_caseload_is_booked_only_with_a_reason(clinic):
    referral = made.a_referral(clinic)
    place = clinic.place()
    with clinic.database.reading() as session:
        patient = session.get_one(Referral, referral).patient_id
    everything = replace(clinic.act, rights=made.EVERY_RIGHT | {"patients.edit"})
    leave_caseload(everything, patient, "Moved")

    with pytest.raises(OutsideCaseload):
        commands.book_visit(clinic.act, referral_id=referral, **place)


# -- move, cancel


def test_moving_frees_the_old_place_and_holds_the_new_one(database, clinic):
    booked, new = made.a_booking(clinic), clinic.place(2)

    moved = commands.move_visit(clinic.act, booked.id, version=1, **new)

    assert moved.starts_at == new["starts_at"]
    assert {each.starts_at for each in standing_holds(database)} == {new["starts_at"]}
    assert clinic.place()["starts_at"] == booked.place.starts_at


def test_a_move_to_a_taken_place_leaves_the_visit_where_it_was(database, clinic):
    booked, other = made.a_booking(clinic), made.a_booking(clinic)
    before = {(each.visit_id, each.starts_at) for each in standing_holds(database)}

    with pytest.raises(Conflict) as refused:
        commands.move_visit(
            clinic.act, booked.id, version=1, starts_at=other.place.starts_at,
            doctor_id=clinic.doctor.id, worker_id=clinic.worker.id,
        )  # fmt: skip

    assert len(refused.value.more["free_next"]) == 2
    assert {(each.visit_id, each.starts_at) for each in standing_holds(database)} == before
    assert the_visit(database, booked.id).starts_at == booked.place.starts_at


def test_a_visit_can_move_to_a_time_that_crosses_its_own(database, clinic):
    booked = made.a_booking(clinic)
    doctor = made.a_doctor(database, clinic.site, "Dr Ffion Jones")
    worker = made.a_worker(database, clinic.site, "Bryn Evans")
    made.a_session(clinic, weekday=3, starts=time(10), doctor_id=doctor.id, worker_id=worker.id)

    moved = commands.move_visit(
        clinic.act, booked.id, version=1, doctor_id=doctor.id, worker_id=worker.id,
        starts_at=booked.place.starts_at + timedelta(minutes=30),
    )  # fmt: skip

    assert moved.doctor_id == doctor.id


def test_cancelling_frees_the_place_and_keeps_why_and_by_whom(database, clinic):
    booked = made.a_booking(clinic)

    commands.cancel_visit(
        clinic.act, booked.id, version=1, reason="unwell", by_whom="patient", note="Rang at nine"
    )

    assert standing_holds(database) == []
    assert clinic.place()["starts_at"] == booked.place.starts_at
    with database.reading() as session:
        last = session.scalars(select(VisitEvent).order_by(VisitEvent.id.desc())).first()
    assert (last.verb, last.reason, last.by_whom, last.note) == (
        "cancelled", "unwell", "patient", "Rang at nine",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reason": "whim"}, "reason"),
        ({"by_whom": "cat"}, "by_whom"),
        ({"reason": "other", "note": " "}, "note"),
    ],
)
def test_a_cancellation_is_coded(clinic, change, field):
    booked = made.a_booking(clinic)

    with pytest.raises(Invalid) as refused:
        commands.cancel_visit(
            clinic.act, booked.id,
            **{"version": 1, "reason": "unwell", "by_whom": "patient", **change},
        )  # fmt: skip

    assert refused.value.faults[0][0] == field


def test_a_stale_change_says_who_changed_what(clinic):
    booked = made.a_booking(clinic)
    commands.move_visit(clinic.act, booked.id, version=1, **clinic.place(2))

    with pytest.raises(Stale, match="Nia Bevan changed this") as refused:
        commands.cancel_visit(clinic.act, booked.id, version=1, reason="unwell", by_whom="patient")

    assert refused.value.more["version"] == 2


# -- did they come?


@pytest.mark.proves("A12")
def test_an_arrival_ends_the_wait_when_it_happened_and_keeps_when_it_was_recorded(database, clinic):
    booked = made.a_booking(clinic)
    came = booked.place.starts_at + timedelta(minutes=10)
    later = clinic.at(came + timedelta(hours=3))

    outcome_commands.record_arrived(later, booked.id, version=1, arrived_at=came)

    referral = the_referral(database, booked.referral_id)
    assert (referral.status, referral.seen_at) == ("seen", came)
    with database.reading() as session:
        step = session.scalars(select(VisitEvent).order_by(VisitEvent.id.desc())).first()
    assert (step.at, step.recorded_at) == (came, later.at)


def test_somebody_who_did_not_attend_waits_on_from_the_first_day(database, clinic):
    booked = made.a_booking(clinic)
    after = clinic.at(booked.place.ends_at)

    outcome_commands.record_did_not_attend(after, booked.id, version=1)

    row = queries.wait_list(after).rows[0]
    assert (row.referral_id, row.visit_id) == (booked.referral_id, None)
    assert row.referred_at == base.NOW


def test_a_late_arrival_keeps_that_it_was_first_missed(database, clinic):
    booked = made.a_booking(clinic)
    after = clinic.at(booked.place.ends_at)
    outcome_commands.record_did_not_attend(after, booked.id, version=1)

    outcome_commands.record_arrived(after, booked.id, version=2)

    steps = [each.what for each in visit_queries.visit_page(after, booked.id).steps]
    assert steps == ["Booked", "Did not attend", "Arrived"]


@pytest.mark.parametrize("hours", [-25, 24])
def test_an_arrival_is_on_the_day_of_the_visit_and_never_ahead(clinic, hours):
    booked = made.a_booking(clinic)
    when = booked.place.starts_at + timedelta(hours=hours)

    with pytest.raises(Invalid, match="arrived_at"):
        outcome_commands.record_arrived(
            clinic.at(when), booked.id, version=1, arrived_at=when + timedelta(minutes=1)
        )


def test_nobody_has_missed_a_visit_that_has_not_begun(clinic):
    booked = made.a_booking(clinic)

    with pytest.raises(Conflict, match="has not begun"):
        outcome_commands.record_did_not_attend(clinic.act, booked.id, version=1)


# -- undo


def test_every_step_of_a_visit_can_be_taken_back(database, clinic):
    booked = made.a_booking(clinic)
    act = clinic.act
    commands.move_visit(act, booked.id, version=1, **clinic.place(2))
    outcome_commands.undo_visit(act, booked.id, version=2, reason="Wrong person")
    commands.cancel_visit(act, booked.id, version=3, reason="unwell", by_whom="patient")
    outcome_commands.undo_visit(act, booked.id, version=4, reason="Wrong visit")
    after = clinic.at(booked.place.ends_at)
    outcome_commands.record_did_not_attend(after, booked.id, version=5)
    outcome_commands.undo_visit(after, booked.id, version=6, reason="They sat in the garden")
    outcome_commands.record_arrived(after, booked.id, version=7)
    outcome_commands.undo_visit(after, booked.id, version=8, reason="Somebody else")

    visit = the_visit(database, booked.id)
    assert (visit.status, visit.starts_at) == ("booked", booked.place.starts_at)
    assert the_referral(database, booked.referral_id).status == "waiting"
    assert {each.starts_at for each in standing_holds(database)} == {booked.place.starts_at}
    assert len(visit_queries.visit_page(after, booked.id).steps) == 9


def test_the_booking_itself_is_cancelled_and_not_undone(clinic):
    booked = made.a_booking(clinic)

    with pytest.raises(Conflict, match="nothing to undo"):
        outcome_commands.undo_visit(clinic.act, booked.id, version=1, reason="No")


def test_a_cancellation_cannot_be_undone_once_somebody_else_has_the_place(database, clinic):
    booked = made.a_booking(clinic)
    commands.cancel_visit(clinic.act, booked.id, version=1, reason="unwell", by_whom="patient")
    made.a_booking(clinic)

    with pytest.raises(Conflict, match="just been taken"):
        outcome_commands.undo_visit(clinic.act, booked.id, version=2, reason="They can come")

    assert the_visit(database, booked.id).status == "cancelled"


def test_an_undo_needs_a_reason(clinic):
    booked = made.a_booking(clinic)

    with pytest.raises(Invalid, match="reason"):
        outcome_commands.undo_visit(clinic.act, booked.id, version=1, reason=" ")


# -- the guards themselves


GUARDS = {
    "sqlite": (
        "DROP TRIGGER visit_hold_no_overlap_insert",
        "DROP TRIGGER visit_no_overlap_for_patient_insert",
    ),
    "postgresql": (
        "ALTER TABLE visit_hold DROP CONSTRAINT visit_hold_no_overlap",
        "ALTER TABLE visit DROP CONSTRAINT visit_no_overlap_for_patient",
    ),
}


@pytest.mark.proves("RP-17")
def test_the_database_alone_stands_between_two_bookings_of_one_place(fresh_database, engine_name):
    clinic = made.a_clinic(fresh_database)
    booked = made.a_booking(clinic)
    place = {
        "starts_at": booked.place.starts_at,
        "doctor_id": booked.place.doctor_id,
        "worker_id": booked.place.worker_id,
    }
    with pytest.raises(Conflict):
        made.a_booking(clinic, **place)
    with fresh_database.transaction() as session:
        session.execute(text(GUARDS[engine_name][0]))

    made.a_booking(clinic, **place)

    assert len(standing_holds(fresh_database)) == 4


def test_the_database_alone_stands_between_two_visits_of_one_patient(fresh_database, engine_name):
    clinic = made.a_clinic(fresh_database)
    booked = made.a_booking(clinic)

    def another() -> None:
        with fresh_database.transaction() as session:
            session.add(
                Visit(
                    patient_id=booked.patient_id, site_id=clinic.site.id, referral_id=None,
                    kind="induction", starts_at=booked.place.starts_at + timedelta(minutes=5),
                    ends_at=booked.place.ends_at, doctor_id=None, worker_id=None,
                    status="booked", recorded_at=base.NOW, recorded_by=clinic.nurse.id,
                )
            )  # fmt: skip

    with pytest.raises(Exception, match="visit_no_overlap_for_patient"):
        another()
    with fresh_database.transaction() as session:
        session.execute(text(GUARDS[engine_name][1]))

    another()
