"""Plans of groups: worked out elsewhere, pinned, accepted as one change, undone in rows of their own."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from clinic.careplans import commands as careplans
from clinic.custody import fact_commands
from clinic.custody.models import Reception
from clinic.custody.wing_commands import add_wing
from clinic.errors import Conflict
from clinic.groups import (
    commands,
    facts,
    plan_commands,
    plan_facts,
    plan_queries,
    planner,
    queries,
    seat_commands,
)
from clinic.groups.models import GroupPlan, GroupSeat, GroupSession
from clinic.roles import rights_of
from scheduling.groups import WEIGHTS
from tests.clinic.custody.test_pages import boxes, send, text
from tests.factories.custody import london
from tests.factories.prison_groups import a_prison_with_groups, a_seat, a_visit

THURSDAY = "2026-11-12"
FIRST_ON = date(2026, 11, 5)


@pytest.fixture
def groups(database, clock):
    made = a_prison_with_groups(database)
    clock.set(made.prison.at)
    yield made
    made.prison.close()


def ready(groups, **asked):
    """A plan that is worked out; its id."""
    row = plan_commands.ask_plan(groups.act(), first_on=FIRST_ON, **asked)
    groups.prison.close()
    assert planner.work_out(groups.prison.database, row.id, seconds=1) == "ready"
    return row.id


def standing(groups):
    """Every seat as it stands: session's hour and topic, who, pinned or not."""
    act = groups.act()
    rows = facts.standing_sessions(act, act.site_id, date(2026, 11, 1), date(2026, 12, 31))
    return {
        (seat.session.starts_at, seat.session.topic, seat.reception_id, seat.state, seat.pinned)
        for seat in facts.standing_seats(act, [row.id for row in rows])
    }


@pytest.mark.proves("PS-31")
def test_a_plan_is_accepted_as_one_change_and_undone_in_rows_of_its_own(groups):
    people = [groups.someone() for _ in range(3)]
    kept, empty = (
        groups.session(),
        groups.session(starts_at=london("2026-11-20 09:30"), estate="vulnerable"),
    )
    groups.seat(kept, people[0], offered=True)
    before = standing(groups)

    plan_id = ready(groups)
    shown = plan_queries.one_plan(groups.act(), plan_id)
    plan_commands.accept_plan(groups.act(), plan_id)

    seated = {(at, who) for at, _, who, _, _ in standing(groups)}
    assert {
        (each.starts_at, who) for each in shown.sessions for who in each.told["seats"]
    } == seated
    assert groups.act().session.get_one(GroupSession, empty).cancelled_because == "replanned"
    made = [
        each for each in groups.act().session.query(GroupSession) if each.id not in (kept, empty)
    ]
    assert made and {each.status for each in made} == {"published"}
    with pytest.raises(Conflict, match="The plan is accepted"):
        plan_commands.accept_plan(groups.act(), plan_id)

    plan_commands.undo_plan(groups.act(), plan_id, reason="The wing is locked down")

    assert standing(groups) == before
    assert groups.act().session.get_one(GroupSession, empty).status == "published"
    rows = groups.act().session.query(GroupSeat).filter_by(plan_id=plan_id).all()
    assert rows and {each.released_because for each in rows} == {"plan_undone"}


def test_what_is_accepted_and_changed_by_hand_since_is_not_undone_behind_anyones_back(groups):
    groups.someone()
    plan_id = ready(groups)
    plan_commands.accept_plan(groups.act(), plan_id)
    seat = groups.act().session.query(GroupSeat).filter_by(plan_id=plan_id).first()
    seat_commands.release_seat(groups.act(), seat.id, reason="declined")

    with pytest.raises(Conflict, match="1 seat was changed"):
        plan_commands.undo_plan(groups.act(), plan_id, reason="Too late")


def test_a_plan_is_refused_with_what_changed_since_it_was_worked_out(groups):
    stay, other = groups.someone(), groups.someone()
    plan_id = ready(groups)
    fact_commands.record_hearing(groups.act(), stay, starts_at=london(f"{THURSDAY} 10:00"))
    groups.apart(stay, other)

    with pytest.raises(Conflict, match="1 person, pairs kept apart") as refusal:
        plan_commands.accept_plan(groups.act(), plan_id)

    assert {"what": "person", "id": stay} in refusal.value.more["changed"]
    assert standing(groups) == set()


@pytest.mark.proves("TT-22")
def test_a_plan_goes_round_what_comes_before_a_group_and_says_what_would_help(groups):
    stay = groups.someone()
    groups.every_topic()
    fact_commands.record_unavailable(
        groups.act(), stay, from_on=date(2026, 11, 11), to_on=date(2026, 11, 15), place="hospital"
    )  # week 2 of theirs is Wednesday 11 to Tuesday 17 November
    for at in ("2026-11-16 08:30", "2026-11-16 13:00", "2026-11-17 08:30"):
        commands.record_commitment(
            groups.act(),
            stay,
            kind="visit",
            starts_at=london(at),
            ends_at=london(at) + timedelta(hours=3),
        )

    shown = plan_queries.one_plan(groups.act(), ready(groups))

    week = [each for each in shown.of_person(stay) if each.on < date(2026, 11, 18)]
    assert [each.starts_at for each in week] == [london("2026-11-17 13:00")]
    [short] = shown.result["short"]
    assert short["missing"] == 1
    assert {each["code"] for each in short["because"]} == {"hospital", "visit", "busy"}
    assert short["ask"].startswith(
        "Ask whether their visit on Monday 16 November can be moved. Then"
    )


def test_what_a_care_plan_needs_most_is_planned_first(groups):
    stay = groups.someone()
    act = groups.act()
    patient_id = act.session.get_one(Reception, stay).patient_id
    plan = careplans.start_plan(act, patient_id, reception_id=stay)
    careplans.change_plan(
        groups.act(), plan, version=1, answers={"group_first": "relapse_prevention"}
    )

    shown = plan_queries.one_plan(groups.act(), ready(groups))

    assert {each.told["topic"] for each in shown.of_person(stay)} == {
        "alcohol",
        "relapse_prevention",
    }


def test_a_pin_in_a_plan_is_kept_when_it_is_made_again_and_stays_pinned(groups):
    one = groups.someone()
    groups.someone()
    plan_id = ready(groups)
    shown = plan_queries.one_plan(groups.act(), plan_id)
    nth = next(each.nth for each in shown.sessions if one in each.told["seats"])
    kept = shown.sessions[nth]
    plan_commands.pin_planned(groups.act(), plan_id, reception_id=one, session_nth=nth)
    with pytest.raises(Conflict, match="pinned"):
        plan_commands.accept_plan(groups.act(), plan_id)

    again = plan_commands.plan_again(groups.act(), plan_id)
    groups.prison.close()
    assert planner.work_out(groups.prison.database, again.id, seconds=1) == "ready"
    fewer = plan_commands.plan_again(groups.act(), again.id, without=0)
    plan_commands.withdraw_plan(groups.act(), fewer.id)
    plan_commands.accept_plan(groups.act(), again.id)

    assert ([each["reception"] for each in again.pins], fewer.pins) == ([one], [])
    assert (kept.starts_at, kept.told["topic"], one, "seated", True) in standing(groups)
    seat = next(each for each, _ in queries.groups_of(groups.act(), one) if each.pinned)
    assert seat_commands.pin_seat(groups.act(), seat.id, pinned=False).pinned is False


def test_pins_that_cannot_all_be_kept_are_named_and_there_is_no_plan_to_accept(groups):
    stay, session_id = groups.someone(), groups.session()
    seat_id = groups.seat(session_id, stay, pinned=True)
    fact_commands.record_hearing(groups.act(), stay, starts_at=london(f"{THURSDAY} 10:00"))
    row = plan_commands.ask_plan(groups.act(), first_on=FIRST_ON)
    groups.prison.close()

    assert planner.work_out(groups.prison.database, row.id, seconds=1) == "failed"

    shown = plan_queries.one_plan(groups.act(), row.id)
    assert shown.result["clash"]["pins"][0]["reception"] == stay
    assert shown.result["clash"]["because"] == ["They are in court on Thursday 12 November."]
    with pytest.raises(Conflict, match="The plan is failed"):
        plan_commands.accept_plan(groups.act(), row.id)
    assert groups.act().session.get_one(GroupSeat, seat_id).state == "seated"


def test_a_plan_is_worked_out_once_and_one_whose_process_died_has_failed(groups, clock):
    groups.someone()
    row = plan_commands.ask_plan(groups.act(), first_on=FIRST_ON)
    with pytest.raises(Conflict, match="being worked out"):
        plan_commands.ask_plan(groups.act(), first_on=FIRST_ON)
    groups.prison.close()
    later = groups.prison.at + timedelta(minutes=2)

    assert plan_queries.one_plan(groups.act(at=later), row.id).state == "failed"
    groups.prison.close()
    clock.set(later)
    assert planner.work_out(groups.prison.database, row.id, seconds=1) == "claimed"
    new = plan_commands.ask_plan(groups.act(at=later), first_on=FIRST_ON)
    plan_commands.withdraw_plan(groups.act(at=later), new.id)
    groups.prison.close()
    assert planner.work_out(groups.prison.database, new.id, seconds=1) == "claimed"
    states = [each.state for each in groups.act().session.query(GroupPlan).order_by(GroupPlan.id)]
    assert states == ["failed", "withdrawn"]


def test_the_plan_of_a_wing_leaves_the_seats_of_other_wings_where_they_are(groups):
    act = groups.act(groups.prison.manager)
    wing = add_wing(act, "B")
    here, elsewhere = groups.someone(), groups.someone()
    fact_commands.record_location(
        groups.act(), here, wing_id=wing, cell="1", from_at=groups.prison.at
    )
    session_id = groups.session()
    groups.seat(session_id, elsewhere)
    groups.apart(here, elsewhere)

    plan_id = ready(groups, wing_id=wing)
    shown = plan_queries.one_plan(groups.act(), plan_id)
    plan_commands.accept_plan(groups.act(), plan_id)

    assert elsewhere in next(
        each.told["seats"] for each in shown.sessions if each.told["id"] == session_id
    )
    assert {who for *_, who, _, _ in standing(groups)} == {here, elsewhere}
    assert not any({here, elsewhere} <= set(each.told["seats"]) for each in shown.sessions)


def test_a_visit_and_a_group_seat_of_one_person_are_never_at_the_same_time(groups):
    """Whichever comes second is refused, whoever tries and however it is written."""
    early, late = groups.someone(), groups.someone()
    session_id = groups.session()
    with groups.prison.database.transaction() as work:
        work.add(a_visit(work, groups, early))
        groups_then = work.get_one(GroupSession, session_id)
        work.add(a_seat(groups_then, late, 1))
    groups.prison.close()

    def write(make):
        with groups.prison.database.transaction() as work:
            work.add(make(work))

    with pytest.raises(IntegrityError, match="group_seat_meets_visit"):
        write(lambda work: a_seat(work.get_one(GroupSession, session_id), early, 2))
    with pytest.raises(IntegrityError, match="visit_meets_group_seat"):
        write(lambda work: a_visit(work, groups, late))
    with pytest.raises(Conflict, match="They have an appointment"):
        groups.seat(session_id, early)


def test_a_worker_asks_for_a_plan_pins_and_accepts_it_by_page(
    groups, door, clock, app, monkeypatch
):
    clock.set(groups.prison.at)
    stay = groups.someone()
    groups.prison.close()
    asked = []
    monkeypatch.setitem(app.extensions, "planner", asked.append)
    worker = door.by_page("carat_keyworker", site=groups.prison.site)
    at = "/custody/groups"

    def sees(address, *words):
        answer = worker.get(address)
        assert answer.status_code == 200
        assert [word for word in words if word not in answer.text] == []

    day = {"first_on-day": "5", "first_on-month": "11", "first_on-year": "2026", "wing_id": ""}
    where = worker.post(f"{at}/plans/ask", data=day).location
    sees(where, "Being worked out", "Waiting to begin.", "See how far it is now")
    planner.work_out(groups.prison.database, asked[0], seconds=1)
    sees(where, "Accept this plan", "seats in", "Classroom 2", "Who is short, and why", "New")
    sees(f"{where}/people/{stay}", "Keep or move in this plan", "as the plan has it")
    worker.post(f"{where}/people/{stay}", data={"session_nth": "0"})
    sees(where, "Pinned since it was made", "Plan again around the pins")
    assert "Something was pinned" in worker.post(f"{where}/accept").text
    again = worker.post(f"{where}/again").location
    planner.work_out(groups.prison.database, asked[1], seconds=1)
    sees(again, "1 pin of an earlier plan", "Pinned")
    assert worker.post(f"{again}/accept").status_code == 302
    sees(again, "Accepted", "Undo this plan")
    sees(f"{at}/plans", "Accepted", "Ready")
    [(seat, _), *_] = queries.groups_of(groups.act(), stay)
    groups.prison.close()
    first = seat.starts_at.date().isoformat()
    sees(f"{at}/weeks/{first}/sheet", "1 of 12 seats")
    sees(f"{at}/days/{first}/slips", "Activity: group")
    on = seat.starts_at
    hours = {
        f"{name}-{box}": value
        for name, clock_time in (("starts_at", "08:30"), ("ends_at", "17:00"))
        for box, value in (("day", on.day), ("month", on.month), ("year", on.year), ("time", clock_time))
    }  # fmt: skip
    worker.post(f"{at}/people/{stay}/commitments", data={"kind": "visit", **hours})
    sees(f"{at}/people/{stay}", "Social visit", "Take back")
    sees(f"{at}/sessions/{seat.session_id}", "Cannot come", "They have a visit on")
    assert worker.post(f"{again}/undo", data={"reason": "Lock-down"}).status_code == 302
    sees(again, "Accepted, then undone", "Lock-down")


def test_the_api_asks_for_a_plan_looks_at_it_and_accepts_it(groups, door, clock, app, monkeypatch):
    clock.set(groups.prison.at)
    stay = groups.someone()
    groups.prison.close()
    monkeypatch.setitem(app.extensions, "planner", lambda plan_id: None)
    rights = rights_of(["carat_keyworker"])
    client = door.by_token("carat_keyworker", site=groups.prison.site, scopes=rights)
    at = "/api/v1/groups"

    late = client.post(f"{at}/plans", json={"first_on": "2026-11-04"})
    asked = client.post(f"{at}/plans", json={"first_on": "2026-11-05"})
    where = f"{at}/plans/{asked.json['id']}"
    early = client.post(f"{where}/accept")
    planner.work_out(groups.prison.database, asked.json["id"], seconds=1)
    plan = client.get(where).json
    pin = {"reception_id": stay, "session_nth": 0}
    pinned = client.post(f"{where}/pins", json=pin)
    assert client.get(where).json["pinned"] == [pin]
    client.post(f"{where}/pins/take-back", json=pin)
    assert client.post(f"{where}/again", json={"without": 0}).status_code == 404
    accepted = client.post(f"{where}/accept")
    visit = {"kind": "visit", "starts_at": "2026-11-12T09:00:00+00:00",
             "ends_at": "2026-11-12T11:00:00+00:00"}  # fmt: skip
    entry = client.post(f"{at}/receptions/{stay}/commitments", json=visit)
    wrong = client.post(f"{at}/commitments/{entry.json['id']}/correct",
                        json=visit | {"kind": "adjudication", "reason": "Another list"})  # fmt: skip

    assert (late.status_code, asked.status_code, early.status_code) == (422, 202, 409)
    assert (plan["state"], plan["result"]["seats"]) == ("ready", 2)
    assert (pinned.status_code, accepted.json["state"], wrong.status_code) == (204, "accepted", 201)
    rows = client.get(f"{at}/receptions/{stay}/commitments").json
    assert [each["kind"] for each in rows] == ["adjudication"]
    assert client.post(f"{where}/undo", json={"reason": "Lock-down"}).json["state"] == "undone"


@pytest.mark.proves("GP-15")
def test_a_plan_weighs_what_the_prison_set_and_says_where_the_default_comes_from(groups, app, door):
    groups.prison.close()
    app.config["WTF_CSRF_ENABLED"] = True
    manager = door.by_page("manager", site=groups.prison.site)
    url = "/custody/groups/plans/weights"
    assert "our own weights" in text(manager.get(url))
    given = {**{name: str(each) for name, each in WEIGHTS.items()}, **boxes("from_on", 4)}
    wrong = send(manager, url, **given | {"short_hard": "121", "reason": "Calm"})
    assert "must not be more than “A session a PPO lacks in a week that must be kept”: 120" in text(
        wrong
    )
    saved = send(manager, url, **given | {"seat_moved": "40", "reason": "Too much moved"})
    assert "The weights are set" in text(saved)
    assert "Too much moved" in text(manager.get(url))
    app.config["WTF_CSRF_ENABLED"] = False

    row = plan_commands.ask_plan(groups.act(), first_on=FIRST_ON)

    assert row.weights == {**WEIGHTS, "seat_moved": 40}
    assert plan_facts.world(groups.act(), row).weights["seat_moved"] == 40
    groups.prison.close()
    api = door.by_token("manager", site=groups.prison.site)
    assert api.get("/api/v1/groups/weights").get_json()["weights"]["seat_moved"] == 40
    body = {"weights": {}, "from_on": "2026-11-04", "reason": "As it was"}
    back = api.post("/api/v1/groups/weights", json=body)
    assert (back.status_code, back.get_json()["set"]) == (201, None)
