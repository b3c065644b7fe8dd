"""The rota as its manager sets it, and what it offers afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from sqlalchemy import Table, select, text, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import visitors

from clinic.appointments import (
    facts,
    hours_commands,
    outcome_commands,
    place_queries,
    queries,
    rota_commands,
    rota_queries,
    visit_queries,
)
from clinic.appointments.models import RotaDayOff, RotaPattern, RotaStamp
from clinic.db import Database
from clinic.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from clinic.sites import commands as sites
from clinic.sites.models import SiteClosure
from clinic.staff.models import StaffCompetence
from dosing.days import london_day
from tests.factories import appointments as made
from tests.factories import base

TODAY = date(2026, 11, 4)
MONDAY = date(2026, 11, 9)


@pytest.fixture
def clinic(database: Database) -> made.Clinic:
    return made.a_clinic(database)


def free_days(clinic: made.Clinic, days: int = 13) -> list[date]:
    found = place_queries.free_places(
        clinic.act, clinic.site.id, TODAY, TODAY + timedelta(days=days)
    )
    return sorted({london_day(place.starts_at) for place in found})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"weekday": 8}, "weekday"),
        ({"slot_minutes": 45}, "slot_minutes"),
        ({"slot_minutes": 121}, "slot_minutes"),
        ({"ends": time(9)}, "ends"),
        ({"ends": time(10)}, "ends"),
        ({"from_on": TODAY - timedelta(days=1)}, "from_on"),
        ({"to_on": TODAY - timedelta(days=1)}, "to_on"),
        ({"despite_holiday": True}, "despite_holiday"),
        ({"to_on": TODAY, "weekday": 1}, "weekday"),
    ],
)
def test_a_session_that_cannot_be_is_refused_by_its_field(clinic, change, field):
    with pytest.raises(Invalid) as refused:
        made.a_session(clinic, **{"weekday": 2, **change})

    assert refused.value.faults[0][0] == field


@pytest.mark.proves("RP-18")
def test_a_session_needs_a_trained_doctor_and_a_competent_worker(database, clinic):
    untrained = base.a_member_of_staff(database, clinic.site, "prescriber", level="prescriber")
    new_nurse = base.a_member_of_staff(database, clinic.site, "nurse")

    for field, staff_id in (("doctor_id", untrained.id), ("worker_id", new_nurse.id)):
        with pytest.raises(Invalid) as refused:
            made.a_session(clinic, weekday=2, **{field: staff_id})
        assert refused.value.faults[0][0] == field


def test_a_session_needs_people_who_work_here(database, clinic):
    elsewhere = made.a_clinic(database)

    with pytest.raises(Invalid, match="works at this site"):
        made.a_session(clinic, weekday=2, doctor_id=elsewhere.doctor.id)


def test_a_session_that_needs_somebody_twice_is_refused(clinic):
    with pytest.raises(Conflict, match="09:30 to 12:30"):
        made.a_session(clinic, weekday=1, starts=time(12), ends=time(14))


BOXING_MONDAY = date(2026, 12, 28)


def test_the_usual_team_may_be_agreed_for_a_bank_holiday_at_its_usual_hours(clinic):
    only = {"weekday": 1, "from_on": BOXING_MONDAY, "to_on": BOXING_MONDAY}
    with pytest.raises(Invalid, match="is a bank holiday"):
        made.a_session(clinic, **only)
    with pytest.raises(Invalid, match="no bank holiday here"):
        made.a_session(clinic, weekday=1, from_on=MONDAY, to_on=MONDAY, despite_holiday=True)

    made.a_session(clinic, **only, despite_holiday=True)

    found = place_queries.free_places(clinic.act, clinic.site.id, BOXING_MONDAY, BOXING_MONDAY)
    assert len(found) == len({place.starts_at for place in found}) == 2
    with pytest.raises(Conflict, match="already has a session"):
        made.a_session(clinic, **only, despite_holiday=True)
    rota_commands.end_session(clinic.act, clinic.sessions[0], version=1, to_on=None)


def test_setting_the_rota_needs_its_right(clinic):
    nurse = replace(clinic.act, rights=made.EVERY_RIGHT - {"appointments.rota"})

    with pytest.raises(Forbidden):
        rota_commands.end_session(nurse, clinic.sessions[0], version=1, to_on=None)
    with pytest.raises(Forbidden):
        rota_commands.take_day_off(nurse, clinic.sessions[0], on=TODAY, reason="x")


def test_another_sites_session_is_not_found(database, clinic):
    with pytest.raises(NotFound):
        rota_commands.end_session(
            made.a_clinic(database).act, clinic.sessions[0], version=1, to_on=None
        )


def test_an_ended_session_offers_no_place_after_its_last_day_and_can_be_taken_up_again(clinic):
    wednesday = clinic.sessions[1]

    rota_commands.end_session(clinic.act, wednesday, version=1, to_on=TODAY)
    assert date(2026, 11, 11) not in free_days(clinic)
    rota_commands.end_session(clinic.act, wednesday, version=2, to_on=None)

    assert date(2026, 11, 11) in free_days(clinic)


def test_an_end_cannot_be_taken_back_once_somebody_else_has_the_hours(clinic):
    wednesday = clinic.sessions[1]
    rota_commands.end_session(clinic.act, wednesday, version=1, to_on=TODAY)
    made.a_session(clinic, weekday=3, from_on=date(2026, 11, 11))

    with pytest.raises(Conflict, match="already has a session"):
        rota_commands.end_session(clinic.act, wednesday, version=2, to_on=None)


def test_a_stale_end_says_who_changed_the_session(clinic):
    rota_commands.end_session(clinic.act, clinic.sessions[0], version=1, to_on=TODAY + timedelta(7))

    with pytest.raises(Stale, match="Nia Bevan changed this session"):
        rota_commands.end_session(clinic.act, clinic.sessions[0], version=1, to_on=None)


def test_the_past_of_a_session_is_not_changed(database, clinic):
    with pytest.raises(Invalid, match="first day"):
        rota_commands.end_session(
            clinic.act, clinic.sessions[0], version=1, to_on=TODAY - timedelta(days=2)
        )
    later = clinic.at(base.NOW + timedelta(days=30))
    with pytest.raises(Invalid, match="have passed"):
        rota_commands.end_session(
            later, clinic.sessions[0], version=1, to_on=TODAY + timedelta(days=7)
        )
    with database.reading() as session:
        assert session.get_one(RotaPattern, clinic.sessions[0]).to_on is None


def test_a_day_off_has_no_places_and_can_be_put_back(clinic):
    friday = date(2026, 11, 6)

    off = rota_commands.take_day_off(clinic.act, clinic.sessions[2], on=friday, reason="Training")
    assert friday not in free_days(clinic)
    with pytest.raises(Conflict, match="already off"):
        rota_commands.take_day_off(clinic.act, clinic.sessions[2], on=friday, reason="Twice")
    rota_commands.withdraw_day_off(clinic.act, off)

    assert friday in free_days(clinic)
    with pytest.raises(NotFound):
        rota_commands.withdraw_day_off(clinic.act, off)


@pytest.mark.parametrize("on", [date(2026, 11, 5), date(2026, 10, 30)])
def test_a_day_off_is_a_day_of_the_session_from_today_on(clinic, on):
    with pytest.raises(Invalid, match="on"):
        rota_commands.take_day_off(clinic.act, clinic.sessions[2], on=on, reason="x")


def test_a_visit_on_a_day_taken_off_is_listed_to_be_moved(clinic):
    booked = made.a_booking(clinic, **clinic.place(2))
    assert queries.visits_to_settle(clinic.act) == []

    rota_commands.take_day_off(
        clinic.act, clinic.sessions[2], on=london_day(booked.place.starts_at), reason="Ill"
    )

    line = queries.visits_to_settle(clinic.act)[0]
    assert (line.visit.id, line.off_rota) == (booked.id, "The rota has no such place.")
    assert visit_queries.visit_page(clinic.act, booked.id).off_rota is not None


def test_a_visit_that_passed_without_a_word_is_listed(clinic):
    booked = made.a_booking(clinic)
    after = clinic.at(booked.place.ends_at + timedelta(minutes=1))

    assert [line.visit.id for line in queries.visits_to_settle(after)] == [booked.id]
    outcome_commands.record_did_not_attend(after, booked.id, version=1)
    assert queries.visits_to_settle(after) == []


def test_a_closed_day_of_the_site_has_no_places(database, clinic):
    friday = date(2026, 11, 6)
    with database.transaction() as session:
        session.add(
            SiteClosure(
                site_id=clinic.site.id, on=friday, reason="Flood", withdrawn_on=None,
                recorded_at=base.NOW, recorded_by=clinic.nurse.id,
            )
        )  # fmt: skip

    assert friday not in free_days(clinic)


def test_free_places_of_another_site_are_not_shown(database, clinic):
    with pytest.raises(NotFound):
        place_queries.free_places(made.a_clinic(database).act, clinic.site.id, TODAY, TODAY)


@pytest.mark.proves("RP-04", "A11")
def test_the_rota_page_flags_the_bank_holiday_that_breaks_the_model(clinic):
    found = rota_queries.rota_page(clinic.act)

    assert [each.message for each in found.findings] == [
        "Week of Mon 21 Dec 2026: slots on 2 of the 3 days this model needs. "
        "Not held: Fri 25 Dec 2026 (bank holiday).",
        "No slot after Wed 23 Dec 2026 until Tue 29 Dec 2026 at least: 7 days or more, 3 allowed. "
        "Not held: Fri 25 Dec 2026 (bank holiday), Mon 28 Dec 2026 (bank holiday).",
    ]


@pytest.mark.proves("RP-18")
def test_the_rota_page_names_a_session_whose_training_lapses(database, clinic):
    with database.transaction() as session:
        session.execute(
            update(StaffCompetence)
            .where(StaffCompetence.staff_id == clinic.worker.id)
            .values(to_on=date(2026, 11, 12))
        )

    found = rota_queries.rota_page(clinic.act)

    assert {session_id for session_id, _ in found.unstaffed} == set(clinic.sessions)
    assert any("No slot after Wed 11 Nov 2026" in each.message for each in found.findings)


# -- a rota is read again as soon as anything it says may have changed


def stamp(session: Session) -> str:
    return session.scalars(select(RotaStamp.value)).one()


def test_a_change_of_any_table_the_rota_is_read_from_gives_it_another_stamp(database):
    clinic = made.a_clinic(database)
    rota_commands.take_day_off(clinic.act, clinic.sessions[0], on=MONDAY, reason="Leave")
    manager = replace(clinic.act, rights=frozenset({"sites.manage", "staff.manage"}))
    sites.close_site(manager, clinic.site.id, MONDAY, "Flood")
    sites.change_calendar(
        manager, "england_and_wales", MONDAY, "added", announced_on=None, name=None
    )
    hours_commands.record_leave(
        clinic.act, staff_id=clinic.doctor.id, starts_at=base.NOW,
        ends_at=base.NOW + timedelta(days=1), reason="annual",
    )  # fmt: skip
    hours_commands.set_opening(clinic.act, weekday=1, opens=None, closes=None, from_on=TODAY)
    read = {
        each.name
        for statement in (facts.SESSIONS, facts.DATED, facts.AWAY, facts.OPENINGS)
        for each in visitors.iterate(statement)
        if isinstance(each, Table)
    }

    for table in read:
        with database.transaction() as session:
            before = stamp(session)
            session.execute(text(f"UPDATE {table} SET id = id"))  # noqa: S608 - our own names
            assert stamp(session) != before, table
    assert read >= {"rota_pattern", "rota_day_off", "site_closure", "staff_competence"}


def test_a_rota_read_amid_a_change_that_is_taken_back_is_not_kept(fresh_database):
    clinic = made.a_clinic(fresh_database)
    with fresh_database.session() as session:
        session.add(
            RotaDayOff(
                pattern_id=clinic.sessions[0], on=MONDAY, reason="Leave", withdrawn_at=None,
                withdrawn_by=None, recorded_at=clinic.act.at, recorded_by=clinic.nurse.id,
            )
        )  # fmt: skip
        amid = facts.service(session, clinic.site.id).places(MONDAY, MONDAY)
        session.rollback()
    with fresh_database.reading() as session:
        after = facts.service(session, clinic.site.id).places(MONDAY, MONDAY)

    assert (amid, len(after)) == ([], 2)
