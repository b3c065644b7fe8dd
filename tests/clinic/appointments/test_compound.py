"""An induction under model 3 holds doctor, worker, room, nurse and observation place, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial

import pytest
from sqlalchemy import event, func, select

from clinic.appointments import (
    commands,
    facts,
    hits,
    hours_commands,
    hours_queries,
    outcome_commands,
    place_queries,
    rota_queries,
    things_commands,
    visit_queries,
)
from clinic.appointments.models import Resource, ResourceChange, Visit, VisitHold
from clinic.db import Database
from clinic.errors import Conflict, Invalid, NotFound, Stale
from tests.factories import appointments as made
from tests.factories import base
from tests.support.race import race

TODAY = date(2026, 11, 4)
FOUR_HOURS = timedelta(minutes=240)


@pytest.fixture
def clinic(database: Database, clock) -> made.Clinic:
    """Model 3, every weekday, one observation place, a room."""
    clinic = made.a_clinic(database, model=3, weekdays=())
    room = things_commands.add_thing(clinic.act, kind="room", name="Room 2").id
    clinic.sessions = [
        made.a_session(clinic, weekday=each, nurse_id=clinic.nurse.id, room_id=room)
        for each in range(1, 6)
    ]
    return clinic


def held(database: Database, visit_id: int) -> dict[str, tuple[datetime, datetime]]:
    with database.reading() as session:
        rows = session.scalars(
            select(VisitHold).where(VisitHold.visit_id == visit_id, VisitHold.released_at.is_(None))
        )
        return {row.needed_as: (row.starts_at, row.ends_at) for row in rows}


def another_team(clinic: made.Clinic, database: Database) -> int:
    """A second doctor, worker and nurse on Wednesdays, at the same hours."""
    nurse = base.a_member_of_staff(database, clinic.site, "nurse", name="Lowri Vaughan")
    return made.a_session(
        clinic, weekday=3, nurse_id=nurse.id,
        doctor_id=made.a_doctor(database, clinic.site, "Dr Ffion Jones").id,
        worker_id=made.a_worker(database, clinic.site, "Bryn Evans").id,
    )  # fmt: skip


@pytest.mark.proves("A15", "RP-16")
def test_an_induction_holds_nurse_and_observation_place_for_four_hours_from_the_same_start(
    database, clinic
):
    booked = made.a_booking(clinic)

    start, end = booked.place.starts_at, booked.place.ends_at
    assert held(database, booked.id) == {
        "doctor": (start, end),
        "worker": (start, end),
        "room": (start, end),
        "nurse": (start, start + FOUR_HOURS),
        "observation": (start, start + FOUR_HOURS),
    }
    with database.reading() as session:
        assert session.get_one(Visit, booked.id).ends_at == start + FOUR_HOURS


def test_without_a_nurse_or_an_observation_place_there_is_no_place_and_it_is_said_why(database):
    clinic = made.a_clinic(database, model=3)
    alone = made.a_session(
        clinic, weekday=4, doctor_id=made.a_doctor(database, clinic.site, "Dr Ffion Jones").id
    )
    place = rota_queries.rota_page(clinic.act)

    assert [message.message for _, message in place.unstaffed] == [
        "No nurse is on this session, so nobody follows withdrawal signs after the first increment."
    ]
    assert place.unstaffed[0][0] == alone
    chair = facts.service(clinic.act.session, clinic.site.id).rota.observation[0]
    things_commands.withdraw_thing(clinic.act, chair, version=1, gone_on=TODAY)
    assert (
        place_queries.free_places(clinic.act, clinic.site.id, TODAY, TODAY + timedelta(days=7))
        == []
    )
    things_commands.withdraw_thing(clinic.act, chair, version=2, gone_on=None)

    assert clinic.place()["starts_at"].date() == TODAY


def test_the_last_observation_place_is_not_sold_twice_and_the_refusal_names_it(database, clinic):
    another_team(clinic, database)
    wednesday = place_queries.free_places(clinic.act, clinic.site.id, TODAY, TODAY)
    first, other = wednesday[0], wednesday[1]
    assert first.starts_at == other.starts_at
    made.a_booking(
        clinic, starts_at=first.starts_at, doctor_id=first.doctor_id, worker_id=first.worker_id
    )

    with pytest.raises(Conflict, match="Taken then: observation place") as refused:
        made.a_booking(
            clinic, starts_at=other.starts_at, doctor_id=other.doctor_id, worker_id=other.worker_id
        )

    assert refused.value.more["blocked_by"] == ["place"]
    assert len(refused.value.more["free_next"]) == 2
    made.an_observation_place(clinic, "Chair 2")
    made.a_booking(
        clinic, starts_at=other.starts_at, doctor_id=other.doctor_id, worker_id=other.worker_id
    )


def test_a_nurse_who_still_observes_blocks_the_next_place_of_the_session(database, clinic):
    first = made.a_booking(clinic)
    made.an_observation_place(clinic, "Chair 2")

    with pytest.raises(Conflict) as refused:
        made.a_booking(
            clinic, starts_at=first.place.ends_at, doctor_id=clinic.doctor.id,
            worker_id=clinic.worker.id,
        )  # fmt: skip

    assert refused.value.more["blocked_by"] == ["nurse"]


def test_one_move_takes_everything_along_and_one_cancel_frees_everything(database, clinic):
    booked = made.a_booking(clinic)
    new = clinic.place()

    moved = made.agreed(commands.move_visit, clinic.act, booked.id, version=1, **new)

    assert {starts for starts, _ in held(database, booked.id).values()} == {new["starts_at"]}
    assert len(held(database, booked.id)) == 5
    assert clinic.place()["starts_at"] == booked.place.starts_at
    made.agreed(
        commands.cancel_visit, clinic.act, booked.id, version=moved.version, reason="unwell",
        by_whom="patient",
    )  # fmt: skip
    assert held(database, booked.id) == {}


def test_one_undo_brings_back_everything_that_was_held_to_the_minute(database, clinic):
    booked = made.a_booking(clinic)
    before = held(database, booked.id)
    made.agreed(commands.move_visit, clinic.act, booked.id, version=1, **clinic.place())
    outcome_commands.undo_visit(clinic.act, booked.id, version=2, reason="Wrong person")
    assert held(database, booked.id) == before

    made.agreed(
        commands.cancel_visit, clinic.act, booked.id, version=3, reason="unwell",
        by_whom="patient",
    )  # fmt: skip
    outcome_commands.undo_visit(clinic.act, booked.id, version=4, reason="Wrong visit")

    assert held(database, booked.id) == before
    with database.reading() as session:
        visit = session.get_one(Visit, booked.id)
        assert (visit.nurse_id, visit.observation_id is None) == (clinic.nurse.id, False)


def test_a_refused_booking_leaves_nothing_behind(database, clinic):
    made.a_booking(clinic)

    def rows() -> list[int | None]:
        with database.reading() as session:
            return [session.scalar(select(func.count(each.id))) for each in (Visit, VisitHold)]

    before = rows()

    with pytest.raises(Conflict):
        made.a_booking(
            clinic, starts_at=datetime.fromisoformat("2026-11-04T11:00:00+00:00"),
            doctor_id=clinic.doctor.id, worker_id=clinic.worker.id,
        )  # fmt: skip

    assert rows() == before


def test_observation_must_end_within_opening_hours_and_before_the_nurse_goes_on_leave(clinic):
    start = clinic.place()["starts_at"]
    hours = hours_commands.set_opening(
        clinic.act, weekday=3, opens=time(9), closes=time(13), from_on=TODAY
    )
    assert clinic.place()["starts_at"] > start
    hours_commands.withdraw_opening(clinic.act, hours)
    hours_commands.record_leave(
        clinic.act, staff_id=clinic.nurse.id, starts_at=start + timedelta(hours=3),
        ends_at=start + timedelta(hours=9), reason="training",
    )  # fmt: skip

    assert clinic.place()["starts_at"] > start


def test_a_room_that_goes_lists_the_visits_booked_in_it(clinic):
    booked = made.a_booking(clinic)
    room = next(each for each in things_of(clinic) if each.kind == "room")

    found = hits.would_hit(
        clinic.act,
        lambda: things_commands.withdraw_thing(clinic.act, room.id, version=1, gone_on=TODAY),
    )

    assert [row.visit_id for row in found.rows] == [booked.id]
    assert found.rows[0].why == "The room is no longer in use then."


def things_of(clinic: made.Clinic) -> list[Resource]:
    return hours_queries.things(clinic.act)


# -- rooms, places and kit


def test_a_nurse_or_room_is_not_on_two_sessions_at_once(database, clinic):
    doctor = made.a_doctor(database, clinic.site, "Dr Ffion Jones")
    worker = made.a_worker(database, clinic.site, "Bryn Evans")
    room = next(each for each in things_of(clinic) if each.kind == "room")
    for more in ({"nurse_id": clinic.nurse.id}, {"room_id": room.id}):
        with pytest.raises(Conflict, match="already has a session"):
            made.a_session(clinic, weekday=3, doctor_id=doctor.id, worker_id=worker.id, **more)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"nurse": "worker"}, "nurse_id"),
        ({"nurse": "other"}, "nurse_id"),
        ({"room": "kit"}, "room_id"),
    ],
)
def test_a_session_needs_a_nurse_who_is_one_and_a_room_that_is_one(database, clinic, more, field):
    given = {}
    if "nurse" in more:
        other = made.a_worker(database, clinic.site, "Bryn Evans")
        given["nurse_id"] = clinic.worker.id if more["nurse"] == "worker" else other.id
    else:
        given["room_id"] = things_commands.add_thing(
            clinic.act, kind="kit", name="Alcometer", item="breathalyser"
        ).id

    with pytest.raises(Invalid) as refused:
        made.a_session(clinic, weekday=6, **given)

    assert refused.value.faults[0][0] == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "car"}, "kind"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"kind": "kit"}, "item"),
        ({"item": "breathalyser"}, "item"),
    ],
)
def test_a_thing_that_cannot_be_is_refused_by_its_field(clinic, change, field):
    with pytest.raises(Invalid) as refused:
        things_commands.add_thing(clinic.act, **{"kind": "room", "name": "Room 9", **change})

    assert refused.value.faults[0][0] == field


def test_a_thing_is_renamed_and_withdrawn_with_its_history_and_only_here(database, clinic):
    row = things_commands.add_thing(clinic.act, kind="room", name="Room  7")
    with pytest.raises(Conflict, match="one of that name"):
        things_commands.add_thing(clinic.act, kind="room", name="Room 7")
    things_commands.rename_thing(clinic.act, row.id, version=1, name="Garden room")
    things_commands.withdraw_thing(clinic.act, row.id, version=2, gone_on=TODAY)
    with pytest.raises(Stale):
        things_commands.withdraw_thing(clinic.act, row.id, version=2, gone_on=None)
    with pytest.raises(Invalid, match="past"):
        things_commands.withdraw_thing(
            clinic.act, row.id, version=3, gone_on=TODAY - timedelta(days=1)
        )
    with pytest.raises(NotFound):
        things_commands.rename_thing(
            made.a_clinic(database).act, row.id, version=3, name="Somebody else's"
        )

    things_commands.add_thing(clinic.act, kind="room", name="Garden room")

    with database.reading() as session:
        steps = session.scalars(
            select(ResourceChange).where(ResourceChange.resource_id == row.id)
        ).all()
    assert [(each.field, each.was, each.became) for each in steps] == [
        ("name", None, "Room 7"), ("name", "Room 7", "Garden room"),
        ("gone_on", None, "2026-11-04"),
    ]  # fmt: skip


@pytest.mark.proves("RP-19")
def test_what_is_not_at_hand_is_flagged_on_session_place_and_visit_and_refuses_nothing(
    database, clinic
):
    booked = made.a_booking(clinic)
    rota = rota_queries.rota_page(clinic.act)
    lacking = [each.message for each in rota.sessions[0].missing]
    assert len(lacking) == 4
    assert [each.message for each in rota.lacking_everywhere] == lacking

    made.trained(database, clinic.nurse, "drug_tester")
    for item in ("testing_kit", "breathalyser", "pregnancy_test"):
        things_commands.add_thing(clinic.act, kind="kit", name=item, item=item)

    assert rota_queries.rota_page(clinic.act).sessions[0].missing == ()
    assert visit_queries.visit_page(clinic.act, booked.id).missing == ()
    kit = next(each for each in things_of(clinic) if each.item == "breathalyser")
    things_commands.withdraw_thing(clinic.act, kit.id, version=1, gone_on=date(2026, 11, 5))
    offered = place_queries.offers(clinic.act, made.a_referral(clinic)).offers[0]
    assert [each.message for each in offered.missing] == [
        "No breathalyser is recorded at this site."
    ]
    assert visit_queries.visit_page(clinic.act, booked.id).missing == ()  # it is still there today


# -- in the browser and over HTTP


def test_a_manager_adds_renames_and_withdraws_things_and_sets_a_session_with_them(
    door, clinic, database
):
    manager = door.by_page("manager", site=clinic.site)
    added = {"kind": "observation", "name": "Chair 5", "item": ""}
    assert manager.post("/appointments/rota/things/add", data=added).status_code == 302
    page = manager.get("/appointments/rota/things").text
    assert "Chair 5" in page and "Room 2" in page
    chair = next(each.id for each in things_of(clinic) if each.name == "Chair 5")
    name = {"name": "Chair by the window", "version": "1"}
    assert manager.post(f"/appointments/rota/things/{chair}/name", data=name).status_code == 302
    gone = {"gone_on-day": "4", "gone_on-month": "11", "gone_on-year": "2026", "version": "2"}
    assert manager.post(f"/appointments/rota/things/{chair}/gone", data=gone).status_code == 302
    assert "Chair by the window" not in manager.get("/appointments/rota/things").text
    form = manager.get("/appointments/rota/add").text
    assert "Nia Bevan" in form and "Room 2" in form
    assert "Nia Bevan" in manager.get("/appointments/rota").text


def test_the_visit_page_names_everything_that_is_held(door, clinic):
    booked = made.a_booking(clinic)

    page = door.by_page("nurse", site=clinic.site).get(f"/appointments/visits/{booked.id}").text

    for word in ("Room 2", "Chair 1", "Nia Bevan", "09:30 to 13:30", "No breathalyser"):
        assert word in page


def test_things_and_compound_visits_over_the_api(door, clinic):
    manager = door.by_token("manager", site=clinic.site)
    body = {"kind": "observation", "name": "Chair 9"}

    added = manager.post("/api/v1/rota/things", json=body)
    assert (added.status_code, added.headers["ETag"]) == (201, '"1"')
    where = f"/api/v1/rota/things/{added.json['id']}"
    assert manager.post(f"{where}/gone/hits", json={"gone_on": "2026-11-04"}).json["visits"] == []
    renamed = manager.put(f"{where}/name", json={"name": "Chair 10"}, headers={"If-Match": "1"})
    assert renamed.json["name"] == "Chair 10"
    gone = {"gone_on": "2026-11-04"}
    assert manager.put(f"{where}/gone", json=gone, headers={"If-Match": "1"}).status_code == 412
    assert manager.put(f"{where}/gone", json=gone, headers={"If-Match": "2"}).status_code == 200
    assert len(manager.get("/api/v1/rota/things").json) == 2
    place = clinic.place()
    visit = manager.post(
        "/api/v1/visits",
        json={
            **place, "starts_at": place["starts_at"].isoformat(),
            "referral_id": made.a_referral(clinic),
        },
    ).json  # fmt: skip
    assert visit["ends_at"] == "2026-11-04T13:30:00+00:00"
    assert visit["nurse_id"] == clinic.nurse.id and visit["observation_id"] and visit["room_id"]
    lacking = manager.get(f"/api/v1/visits/{visit['id']}/checklist").json
    assert [each["rule"] for each in lacking] == ["RP-19"] * 4


# -- setting up a model


@pytest.mark.proves("RP-09", "RP-08", "A11")
def test_the_set_up_page_says_for_each_model_which_days_break_it(door, database, clock):
    clinic = made.a_clinic(database, model=2)

    manager = door.by_page("manager", site=clinic.site)
    page = manager.get(f"/sites/{clinic.site.id}/model").text

    assert "No slot after Wed 23 Dec 2026 until Tue 29 Dec 2026" in page
    assert "No doctor and clinical staff on the rota on Thu 5 Nov 2026." in page
    assert "existing specialist drug service and supervised dispensing on site (rule RP-09)" in page
    assert "Wednesday 09:30: No nurse is on this session" in page
    # Where doctor and worker are there, the rule names what else is missing, and not the staff.
    assert "Nobody can be booked on Wed 4 Nov 2026. No nurse is on this session" in page
    assert "on the rota on Wed 4 Nov 2026" not in page


# -- what it costs


def statements(database: Database, booking: Callable[[], object]) -> list[str]:
    """The statements that touch rota, visits or holds while somebody books."""
    told: list[str] = []

    def note(connection, cursor, statement, *more):
        told.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        booking()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return [each for each in told if "visit" in each or "rota" in each or "resource" in each]


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # where a trip is a trip
def test_a_booking_without_observation_asks_once_and_writes_once(database, clock):
    clinic = made.a_clinic(database, model=2)
    made.a_booking(clinic)  # the rota is read
    referral, place = made.a_referral(clinic), clinic.place()

    told = statements(
        database, lambda: commands.book_visit(clinic.act, referral_id=referral, **place)
    )

    assert len(told) == 2


@pytest.mark.parametrize(("chairs", "refused"), [(1, 1), (2, 0)])
def test_two_teams_that_book_at_once_share_the_observation_places_and_never_one(
    fresh_database, chairs, refused
):
    clinic = made.a_clinic(fresh_database, model=3, weekdays=range(1, 6))
    another_team(clinic, fresh_database)
    for more in range(1, chairs):
        made.an_observation_place(clinic, f"Chair {more + 1}")
    referrals = [made.a_referral(clinic) for _ in range(2)]
    places = [clinic.place(nth) for nth in range(2)]
    assert places[0]["starts_at"] == places[1]["starts_at"]

    def book(nth: int) -> str:
        act = clinic.at(base.NOW)
        try:
            commands.book_visit(act, referral_id=referrals[nth], **places[nth])
        except Conflict as conflict:
            return str(conflict.more["blocked_by"])
        finally:
            act.session.close()
        return "in"

    told = race([partial(book, nth) for nth in range(2)])

    assert sorted(told) == sorted(["['place']"] * refused + ["in"] * (2 - refused))
    with fresh_database.reading() as session:
        taken = session.scalars(
            select(VisitHold.resource_id).where(VisitHold.needed_as == "observation")
        ).all()
    assert len(taken) == len(set(taken)) == 2 - refused
