"""A wing today and the prison as a whole: who is there, what takes place, what is late."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event

from clinic.custody import board, fact_commands, planning
from clinic.custody.prison_schemas import BoardSchema
from clinic.custody.wing_commands import add_wing
from clinic.errors import NotFound
from clinic.keyworkers import commands as keyworkers
from clinic.observations import commands as observations
from clinic.phases import commands as phases
from dosing.days import london_day
from tests.clinic.custody.test_pages import text
from tests.factories.custody import RECEIVED, a_prison

DAY_2 = datetime(2026, 11, 5, 15, 0, tzinfo=UTC)


@pytest.fixture
def wings(prison):
    return [add_wing(prison.act(prison.manager), name) for name in ("A", "B")]


def test_a_wing_shows_who_lives_there_now_with_what_today_holds(prison, wings):
    a, b = wings
    here = prison.receives(wing_id=a, cell="1-02", heightened_risk=True)
    moved = prison.receives(wing_id=a, cell="1-01")
    left = prison.receives(wing_id=a)
    prison.at = DAY_2
    fact_commands.record_location(prison.act(), moved, wing_id=b, from_at=DAY_2)
    fact_commands.record_exit(prison.act(), left, at=DAY_2, how="release")
    keyworkers.name_keyworker(prison.act(prison.manager), here, prison.keyworker.id)
    fact_commands.record_hearing(
        prison.act(), here, starts_at=DAY_2 + timedelta(hours=1), known_at=RECEIVED
    )
    observations.observe(prison.act(), here, at=DAY_2, seen="settled")

    view = board.board(prison.act(), a)

    (row,) = view.people
    assert (row.reception_id, row.cell, row.day, row.phase) == (here, "1-02", 2, 1)
    assert (row.keyworker, row.round, row.missed) == ("Tom Lewis", "seen", 2)
    assert row.today == ["16:00 court"]
    assert "Reception screening" in [each.duty for each in row.due if each.overdue]
    assert [each.reception_id for each in board.board(prison.act(), b).people] == [moved]


@pytest.mark.proves("PS-15")
def test_the_prison_is_counted_by_wing_phase_and_what_is_late(prison, wings):
    a, _ = wings
    prison.receives(wing_id=a)
    prison.receives()
    prison.at = RECEIVED + timedelta(days=9)
    new = prison.receives(wing_id=a, received_at=prison.at)

    view = board.overview(prison.act())

    assert [(each.wing, dict(each.phases)) for each in view.wings] == [
        ("A", {2: 1, 1: 1}), ("Wing not recorded", {2: 1}),
    ]  # fmt: skip
    assert view.unnamed == 3
    phases.move_phase(
        prison.act(prison.keyworker), new, phase=2, from_on=london_day(prison.at), reason="Stable"
    )
    assert dict(board.overview(prison.act()).wings[0].phases) == {2: 2}
    assert {each.phase for each in board.board(prison.act(), a).people} == {2}
    late = {each.duty: (each.people, each.hard) for each in view.breaches}
    assert late["Joint care plan"] == (2, True)
    assert late["Relaxation session"] == (2, False)
    first = view.breaches[0]
    assert (first.hard, first.longest_on) == (True, date(2026, 11, 4))


def test_a_full_wing_takes_as_many_looks_as_an_empty_one(prison, wings):
    looks = []

    def counted():
        work = prison.act()
        looks.clear()
        event.listen(work.session.get_bind(), "before_cursor_execute", note)
        board.board(work, wings[0])
        event.remove(work.session.get_bind(), "before_cursor_execute", note)
        return len(looks)

    def note(_connection, _cursor, statement, *_rest):
        looks.append(statement)

    prison.receives(wing_id=wings[0])
    one = counted()
    for _ in range(4):
        prison.receives(wing_id=wings[0])

    assert counted() == one


def test_the_board_by_page_and_over_http_is_this_prisons_alone(
    prison, wings, database, door, clock
):
    clock.set(DAY_2)
    prison.receives(wing_id=wings[0], patient_id=prison.patient(family_name="Wren"))
    other = a_prison(database, name="HMP Other")
    with pytest.raises(NotFound):
        board.board(other.act(), wings[0])
    other.close()
    prison.close()
    nurse = door.by_page("prison_healthcare", site=prison.site)

    page = text(nurse.get(f"/custody/wings/{wings[0]}/board"))
    assert "Wing A today" in page
    assert "WREN" in page
    assert "Phase 1: settling in" in text(nurse.get("/custody/overview"))
    api = door.by_token("prison_healthcare", site=prison.site)
    told = api.get(f"/api/v1/wings/{wings[0]}/board").json
    prison.at = DAY_2
    view = board.board(prison.act(), wings[0])
    assert told == json.loads(json.dumps(BoardSchema().dump(view)))
    assert told["people"][0]["due"][0] == {
        "duty": "Reception screening", "due_on": "2026-11-04", "overdue": True,
    }  # fmt: skip
    assert api.get("/api/v1/custody/overview").json["unnamed"] == 1


@pytest.mark.proves("PS-41")
def test_site_planning_sets_receptions_and_stays_against_keyworkers_and_seats(prison, door, clock):
    for week in range(6):
        for number in range(2):
            prison.at = RECEIVED - timedelta(weeks=10 - week)
            stay = prison.receives(patient_id=prison.patient(family_name=f"Wren{week}{number}"))
            if number:
                prison.at += timedelta(days=13)
                fact_commands.record_exit(prison.act(), stay, at=prison.at, how="release")
    prison.at = RECEIVED
    found = planning.site_planning(prison.act())
    assert [count for _, count in found.weeks] == [2, 2, 2, 2, 2, 2, 0, 0, 0, 0]
    assert sorted(found.figures.stayed) == [14] * 6 + [28] * 6
    assert (found.outlook.days, found.outlook.group_days) == (21, 14)
    assert (found.figures.keyworkers, found.figures.ceiling, found.figures.seats) == (1, 25, 0)
    assert found.outlook.busy.seats == 8
    assert "1 more group session a week" in found.outlook.changes[0]

    clock.set(RECEIVED)
    prison.close()
    shown = text(door.by_page("manager", site=prison.site).get("/custody/planning"))
    for words in ("People stay 21 of their 28 days here", "The same as a table", "busy week",
                  "1 more group session a week"):  # fmt: skip
        assert words in shown
    body = door.by_token("manager", site=prison.site).get("/api/v1/site-planning").get_json()
    assert (body["days"], body["busy"]["seats"]) == (21, 8)
