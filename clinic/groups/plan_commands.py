"""Ask for a plan of groups, pin what is to be kept of it, accept it as one change, and undo that.

The guards of the database judge every seat an accepted plan gives, as they judge one given by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, update

from clinic.act import Act, command
from clinic.custody.models import Reception, Wing
from clinic.custody.stays import prison_of
from clinic.errors import Conflict, Invalid, NotFound, says
from clinic.groups import facts, plan_facts
from clinic.groups.commands import text_of
from clinic.groups.models import GroupEvent, GroupPlan, GroupPlanPin, GroupSeat, GroupSession
from clinic.groups.planner import SILENT
from clinic.groups.seat_commands import add_seat, attendance_of, free_number
from clinic.groups.session_commands import (
    KEPT,
    add_event,
    let_go,
    material_on,
    refused,
    release,
    take,
)
from clinic.groups.weights import weights_here
from clinic.sites.models import Site
from dosing.days import london_day
from scheduling.group_known import changed, known, said
from scheduling.groups import may_sit

DAYS = 28
FARTHEST = timedelta(days=56)
_RUNS = "A plan of groups is being worked out here already. Wait for it, or withdraw it."
for _name in ("uq_group_plan_running", "group_plan.site_id"):
    says(_name, _RUNS)
for _name in ("uq_group_plan_pin_standing", "group_plan_pin.plan_id"):
    says(_name, "Somebody pinned that a moment ago.")


# -- asked for, withdrawn ---------------------------------------------------------------------


@command
def ask_plan(
    act: Act,
    *,
    first_on: date,
    wing_id: int | None = None,
    based_on_id: int | None = None,
    without: int | None = None,
) -> GroupPlan:
    """Ask for a plan of 28 days. Whoever calls this starts the work (planner.py) once it is saved.

    `based_on_id`: keep what is pinned in that plan, and what that plan itself had to keep, all but
    the one at place `without` of the latter.
    """
    act.need("groups.manage")
    site = prison_of(act)
    if not act.today < first_on <= act.today + FARTHEST:
        raise Invalid.field("first_on", f"must be from tomorrow to {FARTHEST.days} days ahead")
    if wing_id is not None:
        wing = act.session.get(Wing, wing_id)
        if wing is None or wing.site_id != site.id:
            raise Invalid.field("wing_id", "must be a wing of this prison")
    pins = [] if based_on_id is None else _pins_to_keep(act, plan_here(act, based_on_id), without)
    act.session.execute(  # one whose process died is not in the way of the next
        update(GroupPlan)
        .where(
            GroupPlan.site_id == site.id, GroupPlan.state == "running",
            GroupPlan.alive_until < act.at,
        )
        .values(state="failed", failed_because="silent", ended_at=act.at)
    )  # fmt: skip
    row = GroupPlan(
        site_id=site.id, wing_id=wing_id, first_on=first_on,
        last_on=first_on + timedelta(days=DAYS - 1), based_on_id=based_on_id, pins=pins,
        weights=weights_here(act).now, state="running", began_at=None, alive_until=act.at + SILENT,
        ended_at=None, progress=None, known=None, result=None, failed_because=None, applied=None,
        accepted_at=None, accepted_by=None, undone_at=None, undone_by=None, undone_reason=None,
        recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("groups.plan_asked", plan=row.id)
    return row


def plan_again(act: Act, plan_id: int, *, without: int | None = None) -> GroupPlan:
    """Ask anew for the days and the wing of a plan, around everything pinned in it.

    `without`: all but this one of what the plan itself had to keep.
    """
    row = plan_here(act, plan_id)
    if without is not None and without >= len(row.pins):
        raise NotFound("There is no such pin.")
    return ask_plan(
        act, first_on=max(row.first_on, act.today + timedelta(days=1)), wing_id=row.wing_id,
        based_on_id=row.id, without=without,
    )  # fmt: skip


def plan_here(act: Act, plan_id: int) -> GroupPlan:
    """A plan of this prison."""
    row = act.session.get(GroupPlan, plan_id)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such plan of groups here.")
    return row


def _to_decide(act: Act, plan_id: int, *states: str) -> GroupPlan:
    """The same, held until this transaction ends; Conflict unless it stands in one of these states."""
    act.need("groups.manage")
    plan_here(act, plan_id)
    row = act.session.scalars(
        select(GroupPlan)
        .where(GroupPlan.id == plan_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if row.stands(act.at) not in states:
        raise Conflict(f"The plan is {row.stands(act.at)}.", more={"state": row.stands(act.at)})
    return row


@command
def withdraw_plan(act: Act, plan_id: int) -> GroupPlan:
    """It is not wanted. One that is being worked out stops."""
    row = _to_decide(act, plan_id, "running", "ready", "failed")
    row.state, row.failed_because, row.ended_at = "withdrawn", None, act.at
    act.note("groups.plan_withdrawn", plan=row.id)
    return row


# -- pins of a plan that is not accepted ----------------------------------------------------------


@command
def pin_planned(act: Act, plan_id: int, *, reception_id: int, session_nth: int) -> GroupPlanPin:
    """Keep this person in this session of the plan, which may be another than the plan gave them.

    It counts once the plan is made again. Refused for a reason of their own; a full session is
    none, since whoever else sits there may be moved.
    """
    act.need("groups.seat")
    row = _to_decide(act, plan_id, "ready", "failed")
    told = _session_told(row, session_nth)
    stay = _of_plan(act, row, reception_id)
    session = plan_facts.session_of(told)
    on = london_day(session.starts_at)
    known = facts.seat_facts(act, stay, [stay], on)
    if bars := may_sit(known, known.people[0], session):
        raise refused(bars)
    pin = GroupPlanPin(
        plan_id=row.id, reception_id=reception_id, session_nth=session_nth, recorded_at=act.at,
        recorded_by=act.staff_id, ended_at=None, ended_by=None, ended_reason=None,
    )  # fmt: skip
    act.session.add(pin)
    act.session.flush()
    act.note("groups.plan_pinned", patient_id=stay.patient_id, plan=row.id, pin=pin.id)
    return pin


@command
def unpin_planned(act: Act, plan_id: int, *, reception_id: int, session_nth: int) -> None:
    """Take such a pin back."""
    act.need("groups.seat")
    row = _to_decide(act, plan_id, "ready", "failed")
    pin = act.session.scalar(
        select(GroupPlanPin).where(
            GroupPlanPin.plan_id == row.id, GroupPlanPin.reception_id == reception_id,
            GroupPlanPin.session_nth == session_nth, GroupPlanPin.ended_at.is_(None),
        )
    )  # fmt: skip
    if pin is None:
        raise NotFound("There is no such pin.")
    pin.ended_at, pin.ended_by, pin.ended_reason = act.at, act.staff_id, "Taken back"
    stay = act.session.get_one(Reception, reception_id)
    act.note("groups.plan_unpinned", patient_id=stay.patient_id, plan=row.id, pin=pin.id)


def pins_of(act: Act, plan_id: int) -> list[GroupPlanPin]:
    """What is pinned in a plan, in the order it was."""
    return list(
        act.session.scalars(
            select(GroupPlanPin)
            .where(GroupPlanPin.plan_id == plan_id, GroupPlanPin.ended_at.is_(None))
            .order_by(GroupPlanPin.id)
        )
    )


def _session_told(row: GroupPlan, nth: int) -> dict[str, Any]:
    told = (row.result or {}).get("sessions", [])
    if not 0 <= nth < len(told):
        raise NotFound("There is no such session in the plan.")
    session: dict[str, Any] = told[nth]
    return session


def _of_plan(act: Act, row: GroupPlan, reception_id: int) -> Reception:
    stay = act.session.get(Reception, reception_id)
    if stay is None or str(reception_id) not in (row.known or {}).get("person", {}):
        raise NotFound("The plan is not about them.")
    return stay


def _pins_to_keep(act: Act, row: GroupPlan, without: int | None) -> list[dict[str, Any]]:
    """What that plan kept, and what was pinned in it since; a pin moved elsewhere counts anew."""
    new = [
        {"reception": pin.reception_id, "session": _bare(_session_told(row, pin.session_nth))}
        for pin in pins_of(act, row.id)
    ]
    stands = {(each["reception"], each["session"]["starts_at"]) for each in new}
    kept = [
        each
        for nth, each in enumerate(row.pins)
        if nth != without and (each["reception"], each["session"]["starts_at"]) not in stands
    ]
    return [*kept, *new]


def _bare(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in told.items() if name not in ("seats", "pinned")}


# -- accepted -------------------------------------------------------------------------------------


@command
def accept_plan(act: Act, plan_id: int) -> GroupPlan:
    """Carry the whole plan out, or nothing of it. Conflict when what it was made from has changed."""
    act.need("groups.seat")
    # Of two plans accepted at once the second waits here, and then sees what the first changed.
    act.session.scalar(
        select(Site.id).where(Site.id == act.site_id).with_for_update(key_share=True)
    )
    row = _to_decide(act, plan_id, "ready")
    if row.first_on <= act.today:
        raise Conflict("Its first day is here. Ask for a new plan.")
    if pins_of(act, row.id):
        raise Conflict("Something was pinned in it since. Plan again, or take the pins back.")
    moved = changed(row.known or {}, known(plan_facts.world(act, row)))
    if moved:
        raise Conflict(
            f"Since it was worked out, this has changed: {said(moved)}. Ask for a new plan.",
            more={"changed": [{"what": what, "id": int(each) if each else None}
                              for what, each in moved]},
        )  # fmt: skip
    result = row.result or {}
    rows = {
        each.id: each
        for each in facts.standing_sessions(act, row.site_id, row.first_on, row.last_on)
    }
    wanted = {each["id"]: each for each in result["sessions"] if each["id"] is not None}
    offered = _free_seats(act, row, rows, wanted)
    touched = _change_sessions(act, row, rows, wanted)
    sessions = [
        (told, rows[told["id"]] if told["id"] is not None else _new_session(act, row, told))
        for told in result["sessions"]
    ]
    for each in touched:
        take(act, each)
    for told, session in sessions:
        if session.status == "draft":
            session.status = "published"
            add_event(act, session, "published", plan_id=row.id)
        _seat_everybody(act, row, session, told)
    row.state, row.accepted_at, row.accepted_by = "accepted", act.at, act.staff_id
    row.applied = {"offered": offered}
    act.note("groups.plan_accepted", plan=row.id)
    return row


def _free_seats(
    act: Act, row: GroupPlan, rows: Mapping[int, GroupSession], wanted: Mapping[int, Any]
) -> list[int]:
    """Free every seat the plan does not keep; those of them that were only offered."""
    result = row.result or {}
    moved = {
        (each["reception"], each["was"]["id"])
        for each in result["moves"]
        if each["what"] == "seat_moved"
    }
    offered = []
    for seat in facts.standing_seats(act, list(rows)):
        if seat.reception_id not in wanted.get(seat.session_id, {"seats": ()})["seats"]:
            if seat.state == "offered":
                offered.append(seat.id)
            has_another = (seat.reception_id, seat.session_id) in moved
            release(act, seat, "moved" if has_another else "replanned", row.id)
    return offered


def _change_sessions(
    act: Act, row: GroupPlan, rows: Mapping[int, GroupSession], wanted: Mapping[int, Any]
) -> list[GroupSession]:
    """Cancel what the plan leaves out and let go of what it changes; take again once all have."""
    changed_rows = []
    for session_id, session in rows.items():
        told = wanted.get(session_id)
        if told is None:
            session.status, session.cancelled_because = "cancelled", "replanned"
            add_event(act, session, "cancelled", "replanned", plan_id=row.id)
        elif any(getattr(session, name) != told[name] for name in _ARRANGED):
            for name in _ARRANGED:
                setattr(session, name, told[name])
            add_event(act, session, "changed", plan_id=row.id)
        else:
            continue
        let_go(act, session)
        changed_rows.append(session)
    return changed_rows


_ARRANGED = ("room_id", "carat_id", "clinical_id", "places")


def _new_session(act: Act, row: GroupPlan, told: Mapping[str, Any]) -> GroupSession:
    planned = plan_facts.session_of(told)
    material = material_on(act, planned.topic, planned.on)
    if material is None:
        raise Conflict("There is no validated material for one of its sessions any more.")
    session = GroupSession(
        site_id=row.site_id, topic=planned.topic, material_id=material.id,
        room_id=planned.room_id, carat_id=planned.carat_id, clinical_id=planned.clinical_id,
        starts_at=planned.starts_at, ends_at=planned.ends_at, places=planned.places,
        estate=planned.estate, runs_on_bank_holiday=False, status="draft", cancelled_because=None,
        pinned=False, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(session)
    act.session.flush()
    take(act, session)
    add_event(act, session, "planned", plan_id=row.id)
    return session


def _seat_everybody(
    act: Act, row: GroupPlan, session: GroupSession, told: Mapping[str, Any]
) -> None:
    taken = facts.standing_seats(act, [session.id])
    there = {seat.reception_id: seat for seat in taken}
    for seat in taken:
        seat.pinned = seat.pinned or seat.reception_id in told["pinned"]
        if seat.number > session.places:  # the room is smaller than the one before
            seat.number = free_number(taken)
    act.session.flush()
    for reception_id in told["seats"]:
        if reception_id not in there:
            stay = act.session.get_one(Reception, reception_id)
            pinned = reception_id in told["pinned"]
            taken.append(
                add_seat(act, session, stay, taken, state="seated", pinned=pinned, plan_id=row.id)
            )


# -- undone ---------------------------------------------------------------------------------------


@command
def undo_plan(act: Act, plan_id: int, *, reason: str) -> GroupPlan:
    """Put everything back as it was before this plan was accepted, in rows of their own.

    Only while nothing of it has begun or was changed since; else Conflict says what was.
    """
    act.need("groups.seat")
    row = _to_decide(act, plan_id, "accepted")
    row.undone_reason = text_of("reason", reason)
    given = _seats_with(act, GroupSeat.plan_id, row.id)
    taken_away = _seats_with(act, GroupSeat.released_by_plan_id, row.id)
    events = list(
        act.session.scalars(
            select(GroupEvent).where(GroupEvent.plan_id == row.id).order_by(GroupEvent.id)
        )
    )
    _not_changed_since(act, row.id, given, taken_away, events)
    for seat in given:
        release(act, seat, "plan_undone")
    before = {event.session_id: _state_before(act, event) for event in reversed(events)}
    touched = []
    for session_id, state in before.items():
        session = act.session.get_one(GroupSession, session_id)
        for name, value in state.items():
            setattr(session, name, value)
        verb = "cancelled" if session.status == "cancelled" else "put_back"
        add_event(act, session, verb, "plan_undone")
        let_go(act, session)
        touched.append(session)
    for session in touched:
        take(act, session)
    offered = set((row.applied or {}).get("offered", []))
    for seat in taken_away:
        taken = facts.standing_seats(act, [seat.session_id])
        state = "offered" if seat.id in offered else "seated"
        add_seat(act, seat.session, seat.reception, taken, state=state, pinned=seat.pinned)
    row.state, row.undone_at, row.undone_by = "undone", act.at, act.staff_id
    act.note("groups.plan_undone", plan=row.id)
    return row


def _seats_with(act: Act, column: Any, plan_id: int) -> list[GroupSeat]:
    return list(
        act.session.scalars(select(GroupSeat).where(column == plan_id).order_by(GroupSeat.id))
    )


def _not_changed_since(
    act: Act,
    plan_id: int,
    given: list[GroupSeat],
    taken_away: list[GroupSeat],
    events: list[GroupEvent],
) -> None:
    came = attendance_of(act, [seat.id for seat in given])
    ids = {event.session_id for event in events}
    newest = {
        each.session_id: each
        for each in act.session.scalars(
            select(GroupEvent).where(GroupEvent.session_id.in_(ids)).order_by(GroupEvent.id)
        )
    }
    ours = {seat.id for seat in given}
    others = [
        seat
        for seat in facts.standing_seats(act, list(ids))
        if seat.id not in ours and _state_before_ends(act, events, seat.session_id)
    ]
    sessions = [act.session.get_one(GroupSession, each) for each in ids]
    found = Counter({
        "has begun": sum(each.starts_at <= act.at for each in [*given, *taken_away, *sessions]),
        "seat was changed": sum(seat.state == "released" or seat.id in came for seat in given),
        "session was changed": sum(event.plan_id != plan_id for event in newest.values()),
        "seat was given": len(others),
    })  # fmt: skip
    told = ", ".join(f"{number} {what}" for what, number in found.items() if number)
    if told:
        raise Conflict(f"It cannot be undone as a whole any more: {told}. Change what is wrong.")


def _state_before(act: Act, event: GroupEvent) -> dict[str, Any]:
    """How the session stood before this step; one that was not there is cancelled."""
    was = act.session.scalars(
        select(GroupEvent)
        .where(GroupEvent.session_id == event.session_id, GroupEvent.id < event.id)
        .order_by(GroupEvent.id.desc())
    ).first()
    if was is None:
        return {"status": "cancelled", "cancelled_because": "plan_undone"}
    kept = {name: was.state[name] for name in KEPT if name in was.state}
    if kept["status"] == "cancelled":
        kept.setdefault("cancelled_because", was.reason)
    else:
        kept["cancelled_because"] = None
    return kept


def _state_before_ends(act: Act, events: list[GroupEvent], session_id: int) -> bool:
    """Would undoing cancel this session?"""
    first = next(event for event in events if event.session_id == session_id)
    return _state_before(act, first)["status"] == "cancelled"
