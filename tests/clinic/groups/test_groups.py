"""Groups of a prison: who may sit where and why not, what a cancellation leaves, who came."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinic.appointments.models import StaffLeave
from clinic.custody import fact_commands, timetables
from clinic.custody.models import Delivery, Reception
from clinic.errors import Conflict
from clinic.groups import commands, queries, seat_commands, session_commands
from clinic.groups.models import GroupHold, GroupSession
from clinic.roles import rights_of
from tests.factories.custody import london
from tests.factories.prison_groups import a_prison_with_groups

THURSDAY = "2026-11-12"


@pytest.fixture
def groups(database):
    made = a_prison_with_groups(database)
    yield made
    made.prison.close()


def codes(refusal):
    return [each["code"] for each in refusal.value.more["reasons"]]


def change(groups, work, session_id, **more):
    version = groups.act().session.get_one(GroupSession, session_id).version
    return work(groups.act(), session_id, version=version, **more)


def test_a_hearing_known_later_lists_the_seat_until_it_is_released(groups, door, clock):
    stay, session_id = groups.someone(), groups.session()
    seat_id = groups.seat(session_id, stay)
    assert queries.people_who_cannot_come(groups.act()) == []

    fact_commands.record_hearing(groups.act(), stay, starts_at=london(f"{THURSDAY} 10:00"))
    groups.prison.close()
    clock.set(groups.prison.at)
    worker = door.by_page("carat_keyworker", site=groups.prison.site)
    for page in ("/", f"/custody/groups/people/{stay}"):
        assert "They are in court on Thursday 12 November" in worker.get(page).text
    seat_commands.release_seat(groups.act(), seat_id, reason="cannot_come")

    assert queries.people_who_cannot_come(groups.act()) == []


@pytest.mark.proves("PS-27", "PS-31", "TT-22")
def test_a_seat_is_refused_with_every_reason_and_nobody_else_is_named(groups):
    there, wanted = groups.someone(), groups.someone()
    session_id = groups.session()
    groups.seat(session_id, there)
    groups.apart(wanted, there)
    fact_commands.record_hearing(groups.act(), wanted, starts_at=london(f"{THURSDAY} 10:00"))
    commands.set_estate(groups.act(), wanted, estate="vulnerable")

    with pytest.raises(Conflict) as refusal:
        groups.seat(session_id, wanted)

    assert codes(refusal) == ["court", "estate", "keep_apart"]
    assert "Somebody they are kept apart from has a seat." in refusal.value.detail


def test_nobody_of_an_unknown_estate_is_seated(groups):
    with pytest.raises(Conflict) as refusal:
        groups.seat(groups.session(), groups.someone(estate=None))

    assert codes(refusal) == ["estate_not_known"]


def test_no_session_without_valid_material_a_confidential_room_and_free_staff(groups):
    groups.session()
    with pytest.raises(Conflict) as taken:
        groups.draft(starts_at=london(f"{THURSDAY} 10:30"))
    with pytest.raises(Conflict) as crack:
        groups.draft(topic="crack")
    with pytest.raises(Conflict) as sunday:
        groups.draft(starts_at=london("2026-11-15 10:30"))

    assert codes(taken) == ["room_taken", "carat_taken", "clinical_taken"]
    assert codes(crack) == ["no_material"]
    assert codes(sunday) == ["not_working_day", "outside_regime"]


def test_the_hours_of_a_half_day_count_from_their_day_on_until_taken_back(groups):
    block = commands.set_half_day(
        groups.act(), weekday=4, part="am", starts=None, ends=None, from_on=date(2026, 11, 12)
    )
    with pytest.raises(Conflict) as refusal:
        groups.draft()
    commands.end_half_day(groups.act(), block.id, reason="The Thursday stays as it was")

    assert codes(refusal) == ["outside_regime"]
    assert groups.draft().status == "draft"


def test_cancelling_frees_room_staff_and_people_and_can_be_undone_while_they_are_free(groups):
    session_id, stay = groups.session(), groups.someone()
    seat_id = groups.seat(session_id, stay)

    change(groups, session_commands.cancel_session, session_id, reason="staff_absent")
    act = groups.act()
    [(seat, _)] = queries.groups_of(act, stay)
    assert (seat.id, seat.released_because) == (seat_id, "session_cancelled")
    other = groups.session()
    with pytest.raises(Conflict) as refusal:
        change(groups, session_commands.reinstate_session, session_id)
    assert "room_taken" in codes(refusal)
    change(groups, session_commands.cancel_session, other, reason="in_error")
    row = change(groups, session_commands.reinstate_session, session_id)

    assert row.status == "draft"
    holds = groups.act().session.query(GroupHold).filter_by(session_id=session_id, released_at=None)
    assert {each.needed_as for each in holds} == {"room", "carat", "clinical"}


@pytest.mark.proves("PS-28")
def test_a_pair_named_later_shows_what_they_share_until_one_of_them_is_moved(groups):
    one, other = groups.someone(), groups.someone()
    first, later = groups.session(), groups.session(starts_at=london("2026-11-13 09:30"))
    groups.seat(first, one)
    seat_id = groups.seat(first, other)
    groups.apart(one, other)

    act = groups.act()
    stay = act.session.get_one(Reception, one)
    assert [each.id for each in queries.shared_sessions(act, stay)] == [first]
    assert queries.sessions_with_pairs(act) == {first}
    moved = seat_commands.move_seat(groups.act(), seat_id, session_id=later)

    assert (moved.session_id, moved.state) == (later, "seated")
    assert queries.sessions_with_pairs(groups.act()) == set()


def test_a_session_whose_facilitator_goes_on_leave_later_says_who_is_away(groups):
    first, later = groups.session(), groups.session(starts_at=london("2026-11-13 09:30"))
    row = groups.act().session.get_one(GroupSession, first)
    groups.seat(later, groups.someone())
    with groups.prison.database.transaction() as session:
        session.add(
            StaffLeave(
                staff_id=row.clinical_id, starts_at=row.starts_at - timedelta(hours=2),
                ends_at=row.starts_at + timedelta(hours=2), reason="annual", withdrawn_at=None,
                withdrawn_by=None, recorded_at=row.recorded_at, recorded_by=row.recorded_by,
            )
        )  # fmt: skip

    assert list(queries.sessions_without_leader(groups.act())) == [first]


def test_a_move_that_is_refused_leaves_the_seat_where_it_was(groups):
    one, other = groups.someone(), groups.someone()
    first, later = groups.session(), groups.session(starts_at=london("2026-11-13 09:30"))
    groups.apart(one, other)
    groups.seat(later, one)
    seat_id = groups.seat(first, other)

    with pytest.raises(Conflict, match="kept apart"):
        seat_commands.move_seat(groups.act(), seat_id, session_id=later)

    [(seat, _)] = queries.groups_of(groups.act(), other)
    assert (seat.id, seat.state) == (seat_id, "seated")


def test_whoever_leaves_the_prison_leaves_their_seats(groups):
    stay, session_id = groups.someone(), groups.session()
    groups.seat(session_id, stay)
    left_at = london("2026-11-06 10:00")

    fact_commands.record_exit(groups.act(at=left_at), stay, at=left_at, how="court")

    [(seat, _)] = queries.groups_of(groups.act(), stay)
    assert seat.released_because == "left"


@pytest.mark.proves("TT-14")
def test_who_came_counts_in_the_28_days_and_a_correction_strikes_it_out(groups):
    stay, session_id = groups.someone(), groups.session()
    seat_id = groups.seat(session_id, stay)
    with pytest.raises(Conflict, match="not begun"):
        seat_commands.record_attendance(groups.act(), seat_id, outcome="attended")
    after = london(f"{THURSDAY} 11:30")

    def say(outcome, **more):
        return seat_commands.record_attendance(
            groups.act(at=after), seat_id, outcome=outcome, **more
        )

    def counted():
        view = groups.prison.stay(stay, at=after)
        [item] = [row for row in view.answer["items"] if row["item"] == "groups_week_2"]
        return item["counted"], [each["outcome"] for each in view.answer["sessions"]]

    say("attended")
    assert counted() == (1, ["delivered"])
    [delivery] = groups.prison.standing(Delivery, stay)
    assert (delivery.topic, delivery.mode, delivery.done_by) == (
        "alcohol",
        "group",
        groups.carat.id,
    )

    say("missed", missed_because="unwell", reason="Marked on the wrong line")
    assert counted() == (0, ["group"])
    assert groups.prison.standing(Delivery, stay) == []
    assert groups.act().session.get_one(GroupSession, session_id).status == "held"


@pytest.mark.proves("TT-F9", "TT-F10", "TT-23")
def test_the_28_days_say_why_a_group_is_barred_and_name_nobody(groups):
    stay, other = groups.someone(), groups.someone()
    groups.apart(stay, other)
    beside = groups.session()
    groups.seat(beside, other)
    groups.session(starts_at=london("2026-11-16 09:30"))
    fact_commands.record_unavailable(
        groups.act(),
        stay,
        from_on=date(2026, 11, 16),
        to_on=date(2026, 11, 16),
        place="segregation",
    )

    view = groups.prison.stay(stay)

    told = {each["flag"]: each for each in view.answer["flags"]}
    assert told["TT-F9"]["on"] == THURSDAY
    assert told["TT-F10"]["on"] == "2026-11-16"
    assert [(each["outcome"], each["barred_by"]) for each in view.answer["sessions"]] == [
        ("one_to_one", ["TT-F9"]),
        ("one_to_one", ["TT-F10"]),
    ]
    for saved in groups.prison.timetables(stay):
        assert timetables.replay(groups.act(), saved.id).same


def test_the_api_plans_publishes_and_seats_and_says_why_not(groups, door, clock):
    clock.set(groups.prison.at)
    stay, other = groups.someone(), groups.someone()
    groups.prison.close()
    rights = rights_of(["carat_keyworker"])
    client = door.by_token("carat_keyworker", site=groups.prison.site, scopes=rights)
    starts_at = london(f"{THURSDAY} 09:30")
    body = {
        "topic": "alcohol", "estate": "main", "starts_at": starts_at.isoformat(), "places": 1,
        "room_id": groups.room_id, "carat_id": groups.carat.id, "clinical_id": groups.clinical.id,
    }  # fmt: skip
    at = "/api/v1/groups"

    planned = client.post(f"{at}/sessions", json=body)
    where = f"{at}/sessions/{planned.json['id']}"
    early = client.post(f"{where}/seats", json={"reception_id": stay})
    tag = {"If-Match": planned.headers["ETag"]}
    assert client.post(f"{where}/publish", headers=tag).json["status"] == "published"
    seat = client.post(f"{where}/seats", json={"reception_id": stay, "offered": True})
    full = client.post(f"{where}/seats", json={"reception_id": other})
    client.post(f"{at}/seats/{seat.json['id']}/accept")
    register = client.get(where).json

    assert (planned.status_code, early.status_code, seat.status_code) == (201, 409, 201)
    assert full.status_code == 409
    assert full.json["reasons"] == [{"code": "full", "says": "Every seat is taken."}]
    assert [(each["number"], each["state"]) for each in register["seats"]] == [(1, "seated")]
    assert client.post(f"{where}/publish", headers=tag).status_code == 412
    assert [row["id"] for row in client.get(f"{at}/weeks/{THURSDAY}").json] == [register["id"]]


def test_another_prison_sees_none_of_it(groups, door, clock):
    clock.set(groups.prison.at)
    session_id = groups.session()
    groups.prison.close()
    elsewhere = door.by_token("carat_keyworker")

    assert elsewhere.get(f"/api/v1/groups/sessions/{session_id}").status_code == 404


def test_a_worker_plans_publishes_seats_and_marks_the_register_by_page(groups, door, clock):
    clock.set(groups.prison.at)
    stay, other = groups.someone(), groups.someone()
    groups.prison.close()
    worker = door.by_page("carat_keyworker", site=groups.prison.site)
    at = "/custody/groups"

    def sees(address, *words):
        answer = worker.get(address)
        assert answer.status_code == 200
        assert [word for word in words if word not in answer.text] == []

    planned = worker.post(f"{at}/sessions/plan", data={
        "topic": "alcohol", "estate": "main", "starts_at-day": "12", "starts_at-month": "11",
        "starts_at-year": "2026", "starts_at-time": "09:30", "room_id": groups.room_id,
        "carat_id": groups.carat.id, "clinical_id": groups.clinical.id, "places": "12",
    })  # fmt: skip
    assert planned.status_code == 302, planned.text
    where = planned.location
    sees(where, "Draft", "Publish", "Classroom 2")
    assert worker.post(f"{where}/publish", data={"version": 1}).status_code == 302
    assert worker.post(f"{where}/seats", data={"reception_id": stay}).status_code == 302
    apart = {"other_reception_id": stay, "level": "cell", "reason": "Told by security"}
    worker.post(f"{at}/people/{other}/apart", data=apart)
    third = groups.someone()
    groups.prison.close()
    worker.post(f"{where}/seats", data={"reception_id": third})
    worker.post(f"{at}/people/{third}/apart", data=apart)
    sees("/", "Groups with two people who are kept apart", "Move one of the two")
    sees(where, "Two people in it are kept apart")
    sees(f"{where}/seats", "Somebody they are kept apart from has a seat.")
    sees(f"{at}/weeks/{THURSDAY}", "2 of 12", "Two kept apart")
    sees(f"{where}/register", "Wing and cell")
    sees(f"{where}/slips", "Movement slips", "Classroom 2")
    sees(f"{at}/people/{stay}", "Seated", "Kept apart from")
    sees(f"/custody/stays/{stay}", "their groups")
    sees(f"{at}/needs", "Thinking about drink", "09:00 to 12:00")

    clock.set(london(f"{THURSDAY} 11:30"))
    act = groups.act()
    [(seat, _)] = queries.groups_of(act, stay)
    groups.prison.close()
    worker = door.by_page("carat_keyworker", site=groups.prison.site)
    given = {"outcome": "missed", "missed_because": ""}
    marked = worker.post(f"{at}/seats/{seat.id}/attendance", data=given)
    assert (marked.status_code, "Choose why it was missed" in marked.text) == (422, True)
    worker.post(f"{at}/seats/{seat.id}/attendance", data=given | {"outcome": "attended"})
    sees(where, "Attended", "Correct", "Held")
