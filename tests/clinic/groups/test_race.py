"""Many want the last seat of a group, or both of a pair kept apart: the database lets one in.

Through the commands, in threads with a connection each; and past every command, where only the
guards stand. Take a guard away and the same writers break what it guards.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from clinic.errors import Conflict
from clinic.groups import seat_commands, session_commands
from clinic.groups.models import GroupSession
from tests.factories import base
from tests.factories.custody import london
from tests.factories.prison_groups import a_prison_with_groups, a_seat, a_visit
from tests.support import people
from tests.support.race import post, race

BREACHES = {
    "too_many": "SELECT count(*) FROM group_seat JOIN group_session ON group_session.id = session_id "
    "WHERE state <> 'released' GROUP BY session_id, places HAVING count(*) > places",
    "apart": "SELECT count(*) FROM non_association AS pair JOIN reception a ON a.patient_id = one_id "
    "JOIN reception b ON b.patient_id = other_id JOIN group_seat x ON x.reception_id = a.id "
    "JOIN group_seat y ON y.reception_id = b.id AND y.session_id = x.session_id "
    "WHERE x.state <> 'released' AND y.state <> 'released' AND pair.ended_at IS NULL "
    "HAVING count(*) > 0",
    "twice": "SELECT count(*) FROM group_seat x JOIN group_seat y ON x.id < y.id "
    "AND x.reception_id = y.reception_id AND x.starts_at < y.ends_at AND y.starts_at < x.ends_at "
    "WHERE x.state <> 'released' AND y.state <> 'released' HAVING count(*) > 0",
}

SITS_OR_APART = {
    "They have a seat in this session already.",
    "Somebody they are kept apart from has a seat.",
}


def breaches(database):
    with database.reading() as session:
        return {name for name, sql in BREACHES.items() if session.execute(text(sql)).first()}


@pytest.fixture
def groups(fresh_database):
    made = a_prison_with_groups(fresh_database)
    yield made
    made.prison.close()


def all_at_once(groups, session_id, receptions):
    """Everybody is seated by a thread of their own; what each heard."""
    groups.prison.close()

    def seat(reception_id):
        act = base.an_act(
            groups.prison.database, groups.carat, groups.prison.site, at=groups.prison.at
        )
        try:
            seat_commands.give_seat(act, session_id, reception_id=reception_id)
        except Conflict as conflict:
            return conflict.detail
        finally:
            act.session.close()
        return "seated"

    with ThreadPoolExecutor(min(len(receptions), 40)) as pool:
        return Counter(pool.map(seat, receptions))


def want_the_last_seat(groups, attempts):
    session_id = groups.session(places=2)
    groups.seat(session_id, groups.someone())
    wanting = [groups.someone() for _ in range(attempts)]

    heard = all_at_once(groups, session_id, wanting)

    assert heard == {"seated": 1, "Every seat is taken.": attempts - 1}
    assert breaches(groups.prison.database) == set()


def want_to_sit_together(groups, attempts):
    """Two people kept apart, each asked for again and again: one of them sits."""
    one, other = groups.someone(), groups.someone()
    groups.apart(one, other)
    session_id = groups.session()

    heard = all_at_once(groups, session_id, [one, other] * (attempts // 2))

    assert heard["seated"] == 1
    assert heard.keys() - {"seated"} == SITS_OR_APART
    assert breaches(groups.prison.database) == set()


@pytest.mark.proves("PS-28")
def test_one_of_twenty_gets_the_last_seat_and_the_others_hear_that_it_is_full(groups):
    want_the_last_seat(groups, 20)


def test_two_kept_apart_asked_for_twenty_times_at_once_never_sit_together(groups):
    want_to_sit_together(groups, 20)


def test_of_twenty_sessions_planned_at_once_for_one_room_and_one_pair_of_staff_one_stands(groups):
    groups.prison.close()
    database, prison = groups.prison.database, groups.prison

    def plan(nth):
        act = base.an_act(database, groups.carat, prison.site, at=prison.at)
        try:
            session_commands.plan_session(
                act, topic="alcohol", estate="main", room_id=groups.room_id,
                starts_at=london("2026-11-12 09:30") + timedelta(minutes=nth),
                carat_id=groups.carat.id, clinical_id=groups.clinical.id,
            )  # fmt: skip
        except Conflict:
            return "refused"
        finally:
            act.session.close()
        return "planned"

    with ThreadPoolExecutor(20) as pool:
        assert Counter(pool.map(plan, range(20))) == {"planned": 1, "refused": 19}
    with database.reading() as session:
        held = session.execute(text("SELECT needed_as FROM group_hold WHERE released_at IS NULL"))
        assert sorted(held.scalars()) == ["carat", "clinical", "room"]


def test_of_a_visit_and_a_seat_written_at_once_for_one_person_one_stands(groups):
    session_id = groups.session()
    stays = [groups.someone() for _ in range(12)]
    groups.prison.close()
    database = groups.prison.database

    def write(make, stay, number):
        try:
            with database.transaction() as work:
                work.add(make(work, stay, number))
        except IntegrityError as error:
            return 0, {"says": str(error.orig)}
        return 1, {"says": "in"}

    def seat(work, stay, number):
        return a_seat(work.get_one(GroupSession, session_id), stay, number)

    def visit(work, stay, number):
        return a_visit(work, groups, stay)

    answers = race([
        partial(write, make, stay, number)
        for number, stay in enumerate(stays, start=1) for make in (seat, visit)
    ])  # fmt: skip

    assert sum(status for status, _ in answers) == len(stays)
    refused = {said["says"].partition("\n")[0] for status, said in answers if not status}
    assert refused <= {"group_seat_meets_visit", "visit_meets_group_seat"}


# -- signed in, over HTTP, from 200 clients at once -------------------------------------------------


@pytest.fixture
def served_groups(fresh_database):
    """A prison as of now, whose sessions of eight days after its receptions lie on a weekday to come."""
    now = datetime.now(UTC)
    ahead = next(days for days in range(8, 0, -1) if (now + timedelta(days)).isoweekday() < 6)
    made = a_prison_with_groups(fresh_database, at=now - timedelta(days=8 - ahead))
    yield made
    made.prison.close()


def all_at_once_over_http(groups, servers, session_id, receptions):
    """Each asks with a token of its own; how many heard what."""
    groups.prison.close()
    with groups.prison.database.transaction() as session:
        tokens = [
            people.an_api_token(session, groups.carat, groups.prison.site, ["groups.seat"])
            for _ in receptions
        ]
    path = f"/api/v1/groups/sessions/{session_id}/seats"
    answers = race(
        [
            partial(post, servers[nth % len(servers)].url, path, token, {"reception_id": reception})
            for nth, (token, reception) in enumerate(zip(tokens, receptions, strict=True))
        ]
    )
    assert {status for status, _ in answers} <= {201, 409}, Counter(each for each, _ in answers)
    return Counter(answer.get("detail", "seated") for _, answer in answers)


@pytest.mark.proof
def test_one_of_two_hundred_clients_gets_the_last_seat(served_groups, servers):
    session_id = served_groups.session(places=2, runs_on_bank_holiday=True)
    served_groups.seat(session_id, served_groups.someone())
    wanting = [served_groups.someone() for _ in range(200)]

    heard = all_at_once_over_http(served_groups, servers, session_id, wanting)

    assert heard == {"seated": 1, "Every seat is taken.": 199}
    assert breaches(served_groups.prison.database) == set()


@pytest.mark.proof
def test_two_kept_apart_asked_for_by_two_hundred_clients_never_sit_together(served_groups, servers):
    one, other = served_groups.someone(), served_groups.someone()
    served_groups.apart(one, other)
    session_id = served_groups.session(runs_on_bank_holiday=True)

    heard = all_at_once_over_http(served_groups, servers, session_id, [one, other] * 100)

    assert heard["seated"] == 1
    assert heard.keys() - {"seated"} == SITS_OR_APART
    assert breaches(served_groups.prison.database) == set()


# -- past the commands --------------------------------------------------------------------------


def write_at_once(groups, *seats):
    """Each (session, reception, number) inserted by a transaction of its own, all at once."""
    groups.prison.close()
    database = groups.prison.database

    def insert(session_id, reception_id, number):
        try:
            with database.transaction() as session:
                row = session.get_one(GroupSession, session_id)
                session.add(a_seat(row, reception_id, number))
        except IntegrityError as error:
            return 0, {"says": str(error.orig)}
        return 1, {"says": "in"}

    return sorted(said["says"] for _, said in race([partial(insert, *each) for each in seats]))


def the_last_seat_twice(groups):
    """One number by two, and one past the places of the session."""
    session_id = groups.session(places=1)
    people = [groups.someone() for _ in range(3)]
    return [(session_id, people[0], 1), (session_id, people[1], 1), (session_id, people[2], 2)]


def a_pair_kept_apart(groups):
    one, other = groups.someone(), groups.someone()
    groups.apart(one, other)
    session_id = groups.session()
    return [(session_id, one, 1), (session_id, other, 2)]


def one_person_in_two_sessions(groups):
    """The second session has other staff and another room, and the same hours."""
    first, second = groups.session(), groups.session_beside()
    stay = groups.someone()
    return [(first, stay, 1), (second, stay, 1)]


def dropped(name, *, index=False):
    if index:
        return {"sqlite": [f"DROP INDEX {name}"], "postgresql": [f"DROP INDEX {name}"]}
    return {
        "sqlite": [f"DROP TRIGGER {name}_insert"],
        "postgresql": [f"DROP TRIGGER {name} ON group_seat"],
    }


GUARDS = [
    (the_last_seat_twice, "too_many", [dropped("uq_group_seat_number", index=True),
                                       dropped("group_seat_not_on_offer")]),
    (a_pair_kept_apart, "apart", [dropped("group_seat_kept_apart")]),
    (one_person_in_two_sessions, "twice", [{
        "sqlite": ["DROP TRIGGER group_seat_no_overlap_insert"],
        "postgresql": ["ALTER TABLE group_seat DROP CONSTRAINT group_seat_no_overlap"],
    }]),
]  # fmt: skip


@pytest.mark.parametrize(("scene", "breach", "guards"), GUARDS, ids=[each[1] for each in GUARDS])
def test_past_the_commands_one_gets_in_and_without_the_guard_all_do(
    groups, engine_name, scene, breach, guards
):
    database = groups.prison.database
    seats = scene(groups)

    answers = write_at_once(groups, *seats)
    assert answers.count("in") == 1, answers
    assert breaches(database) == set()

    with database.transaction() as session:
        session.execute(text("DELETE FROM group_seat"))
        for guard in guards:
            for statement in guard[engine_name]:
                session.execute(text(statement))
    assert write_at_once(groups, *seats) == ["in"] * len(seats)
    assert breaches(database) == {breach}


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_without_taking_the_session_first_two_kept_apart_slip_past_each_other(groups):
    """On SQLite writers take turns: there is nothing to take."""
    database = groups.prison.database
    seats = a_pair_kept_apart(groups)
    groups.prison.close()
    with database.transaction() as session:
        session.execute(text("DROP TRIGGER group_seat_a_queue ON group_seat"))

    def row(at, session_id, reception_id, number):
        return a_seat(at.get_one(GroupSession, session_id), reception_id, number)

    with database.transaction() as first, database.transaction() as second:
        first.add(row(first, *seats[0]))
        first.flush()
        second.add(row(second, *seats[1]))
        second.flush()

    assert breaches(database) == {"apart"}
