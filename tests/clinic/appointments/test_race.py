"""Fifty people want one place at the same moment: one gets it, the others hear what is free next.

SQLite is served by one process, PostgreSQL by two, as `throughcare serve` runs them.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from clinic.appointments.models import Visit, VisitHold
from clinic.db import Database
from tests.factories import appointments as made
from tests.support import people
from tests.support.race import post, race

CLIENTS = 50
SCOPES = ["appointments.book", "appointments.read"]


def a_busy_clinic(database: Database) -> made.Clinic:
    """A clinic open on every day of the week, with as many places as any number of rounds needs."""
    return made.a_clinic(
        database, weekdays=range(1, 8), at=datetime.now(UTC), starts=time(6), ends=time(20),
        slot_minutes=60,
    )  # fmt: skip


def tokens(clinic: made.Clinic, count: int) -> list[str]:
    with clinic.database.transaction() as session:
        return [
            people.an_api_token(session, clinic.nurse, clinic.site, SCOPES) for _ in range(count)
        ]


def run_rounds(database: Database, urls: list[str], rounds: int) -> None:
    clinic = a_busy_clinic(database)
    bearers = tokens(clinic, CLIENTS)
    for _ in range(rounds):
        referrals = [made.a_referral(clinic) for _ in range(CLIENTS)]
        place = clinic.place(3)  # late enough not to begin while the round runs
        body = {**place, "starts_at": place["starts_at"].isoformat()}

        answers = race(
            [
                partial(
                    post,
                    urls[nth % len(urls)],
                    "/api/v1/visits",
                    bearers[nth],
                    {**body, "referral_id": each},
                )  # fmt: skip
                for nth, each in enumerate(referrals)
            ]
        )

        statuses = Counter(status for status, _ in answers)
        assert statuses == {201: 1, 409: CLIENTS - 1}, statuses
        for status, problem in answers:
            if status == 409:
                free_next = problem["free_next"]
                assert len(free_next) == 2
                assert body["starts_at"] not in [each["starts_at"] for each in free_next]
    assert double_booked(database) == 0
    with database.reading() as session:
        assert session.scalar(select(func.count(Visit.id))) == rounds


def double_booked(database: Database) -> int:
    """How many pairs of unreleased holds of one person cross?"""
    crossing = (
        "SELECT count(*) FROM visit_hold a JOIN visit_hold b ON a.id < b.id "
        "AND a.resource_id = b.resource_id AND a.starts_at < b.ends_at "
        "AND b.starts_at < a.ends_at "
        "WHERE a.released_at IS NULL AND b.released_at IS NULL"
    )
    with database.reading() as session:
        return int(session.scalar(text(crossing)) or 0)


@pytest.mark.proves("RP-17")
def test_one_of_fifty_gets_the_place_and_the_others_hear_what_is_free_next(fresh_database, servers):
    run_rounds(fresh_database, [server.url for server in servers], rounds=2)


@pytest.mark.proof
@pytest.mark.proves("RP-17")
def test_twenty_rounds_of_fifty_book_twenty_places(fresh_database, servers):
    run_rounds(fresh_database, [server.url for server in servers], rounds=20)


def insert_both_holds_at_once(database: Database) -> list[str]:
    """Two transactions give one doctor's hour away at the same time, past every command.

    "in", or the refusal, for each.
    """
    clinic = made.a_clinic(database)
    first, second = (made.a_booking(clinic, **clinic.place(nth)) for nth in (0, 0))
    with database.reading() as session:
        doctor = session.scalar(
            select(VisitHold.resource_id).where(VisitHold.needed_as == "doctor")
        )
    hour = {"starts_at": datetime(2026, 12, 1, 9, tzinfo=UTC),
            "ends_at": datetime(2026, 12, 1, 10, tzinfo=UTC)}  # fmt: skip

    def insert(visit_id: int) -> tuple[int, dict[str, Any]]:
        try:
            with database.transaction() as session:
                session.add(
                    VisitHold(
                        visit_id=visit_id, resource_id=doctor, needed_as="doctor",
                        released_at=None, **hour,
                    )
                )  # fmt: skip
        except IntegrityError as error:
            return 0, {"says": str(error)}
        return 1, {"says": "in"}

    asks = [partial(insert, visit.id) for visit in (first, second)]
    return [said["says"] for _, said in race(asks)]


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_another_hour_of_a_doctor_is_booked_without_waiting_for_the_first(fresh_database):
    clinic = made.a_clinic(fresh_database)
    visits = [made.a_booking(clinic, **clinic.place(nth)) for nth in (0, 0)]
    with fresh_database.reading() as session:
        resource_id = session.scalar(
            select(VisitHold.resource_id).where(VisitHold.needed_as == "doctor")
        )

    def hold(hour: int, visit: Visit) -> VisitHold:
        return VisitHold(
            visit_id=visit.id, resource_id=resource_id, needed_as="doctor", released_at=None,
            starts_at=datetime(2026, 12, 1, hour, tzinfo=UTC),
            ends_at=datetime(2026, 12, 1, hour + 2, tzinfo=UTC),
        )  # fmt: skip

    with fresh_database.transaction() as begun:
        begun.add(hold(9, visits[0]))
        begun.flush()
        with fresh_database.transaction() as beside:
            beside.execute(text("SET LOCAL lock_timeout = '2s'"))
            beside.add(hold(11, visits[1]))
        with (
            pytest.raises(OperationalError, match="lock timeout"),
            fresh_database.transaction() as behind,
        ):
            behind.execute(text("SET LOCAL lock_timeout = '50ms'"))
            behind.add(hold(10, visits[1]))


DROPPED = {
    "sqlite": "DROP TRIGGER visit_hold_no_overlap_insert",
    "postgresql": "ALTER TABLE visit_hold DROP CONSTRAINT visit_hold_no_overlap",
}


def test_two_writers_past_the_commands_meet_the_guard(fresh_database):
    answers = insert_both_holds_at_once(fresh_database)

    assert sorted(each == "in" for each in answers) == [False, True]
    assert double_booked(fresh_database) == 0


@pytest.mark.proves("RP-17")
def test_without_the_guard_the_same_two_writers_book_one_hour_twice(fresh_database, engine_name):
    with fresh_database.transaction() as session:
        session.execute(text(DROPPED[engine_name]))

    answers = insert_both_holds_at_once(fresh_database)

    assert answers == ["in", "in"]
    assert double_booked(fresh_database) == 1


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@pytest.mark.proves("RP-17")
def test_without_the_guard_the_race_books_everybody_so_it_is_the_guard_that_is_tested(
    fresh_database, servers
):
    clinic = a_busy_clinic(fresh_database)
    bearers = tokens(clinic, 10)
    with fresh_database.transaction() as session:
        session.execute(text(DROPPED["postgresql"]))
    place = clinic.place(3)
    body = {**place, "starts_at": place["starts_at"].isoformat()}
    referrals = [made.a_referral(clinic) for _ in bearers]

    answers = race(
        [
            partial(post, server.url, "/api/v1/visits", bearer, {**body, "referral_id": referral})
            for bearer, referral, server in zip(bearers, referrals, servers * 5, strict=True)
        ]
    )

    assert Counter(status for status, _ in answers) == {201: len(bearers)}
    assert double_booked(fresh_database) > 0
