"""Groups of a prison over HTTP: what they need, sessions, seats, who is kept apart, who came."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Response, jsonify

from clinic.appointments import things_commands
from clinic.appointments.models import Resource
from clinic.auth import act, needs
from clinic.custody.models import Reception
from clinic.errors import Invalid
from clinic.groups import commands, facts, queries, seat_commands, session_commands
from clinic.groups.models import (
    Commitment,
    GroupAttendance,
    GroupFacilitator,
    GroupMaterial,
    GroupSeat,
    GroupSession,
    RegimeBlock,
)
from clinic.groups.schemas import (
    ApartRequestSchema,
    ApartSchema,
    AttendanceRequestSchema,
    AttendanceSchema,
    CancelSchema,
    CommitmentChangeSchema,
    CommitmentRequestSchema,
    CommitmentSchema,
    ConfidentialSchema,
    EndSchema,
    EstateSchema,
    FacilitatorRequestSchema,
    FacilitatorSchema,
    HalfDayRequestSchema,
    HalfDaySchema,
    MaterialRequestSchema,
    MaterialSchema,
    MoveSchema,
    PinSchema,
    RegisterSchema,
    ReleaseSchema,
    RoomSchema,
    SeatRequestSchema,
    SeatSchema,
    SessionChangeSchema,
    SessionRequestSchema,
    SessionSchema,
)
from clinic.openapi import Blueprint, if_match, tag

groups_api = Blueprint(
    "groups_api", __name__, url_prefix="/api/v1/groups",
    description="Group sessions of the first 28 days",
)  # fmt: skip
_stale = groups_api.alt_response(412, description="Changed meanwhile")
_against = groups_api.alt_response(409, description="Says every reason against; names nobody")


def _session(row: GroupSession, status: int = 200) -> Response:
    response = jsonify(SessionSchema().dump(row))
    response.status_code = status
    return tag(response, row.version)


# -- what groups need ------------------------------------------------------------------------


@groups_api.get("/materials")
@needs("custody.read")
@groups_api.response(200, MaterialSchema(many=True))
def materials() -> list[GroupMaterial]:
    """The material of this prison, ended material too."""
    return queries.materials(act())


@groups_api.post("/materials")
@needs("groups.manage")
@groups_api.arguments(MaterialRequestSchema)
@groups_api.response(201, MaterialSchema)
def add_material(given: dict[str, Any]) -> GroupMaterial:
    """Record validated material of a topic."""
    return commands.add_material(act(), **given)


@groups_api.post("/materials/<int:material_id>/end")
@needs("groups.manage")
@groups_api.arguments(EndSchema)
@groups_api.response(200, MaterialSchema)
def end_material(given: dict[str, Any], material_id: int) -> GroupMaterial:
    """It is used no more."""
    return commands.end_material(act(), material_id, **given)


@groups_api.get("/half-days")
@needs("custody.read")
@groups_api.response(200, HalfDaySchema(many=True))
def half_days() -> list[RegimeBlock]:
    """What this prison says of its half-days; where it says nothing, the rule's hours count."""
    return queries.half_days(act())


@groups_api.post("/half-days")
@needs("groups.manage")
@groups_api.arguments(HalfDayRequestSchema)
@groups_api.response(201, HalfDaySchema)
def set_half_day(given: dict[str, Any]) -> RegimeBlock:
    """Set the hours of a half-day from a day on."""
    return commands.set_half_day(act(), **given)


@groups_api.post("/half-days/<int:block_id>/end")
@needs("groups.manage")
@groups_api.arguments(EndSchema)
@groups_api.response(200, HalfDaySchema)
def end_half_day(given: dict[str, Any], block_id: int) -> RegimeBlock:
    """Take it back: what stood before counts again."""
    return commands.end_half_day(act(), block_id, **given)


@groups_api.get("/facilitators")
@needs("custody.read")
@groups_api.response(200, FacilitatorSchema(many=True))
def facilitators() -> list[GroupFacilitator]:
    """Who leads groups here."""
    return queries.facilitators(act())


@groups_api.put("/facilitators/<int:staff_id>")
@needs("groups.manage")
@groups_api.arguments(FacilitatorRequestSchema)
@groups_api.response(200, FacilitatorSchema)
def set_facilitator(given: dict[str, Any], staff_id: int) -> GroupFacilitator:
    """Say which topics somebody leads."""
    return commands.set_facilitator(act(), staff_id=staff_id, **given)


@groups_api.post("/facilitators/<int:staff_id>/end")
@needs("groups.manage")
@groups_api.arguments(EndSchema)
@groups_api.response(204)
def end_facilitator(given: dict[str, Any], staff_id: int) -> None:
    """They lead no more."""
    commands.end_facilitator(act(), staff_id, **given)


@groups_api.get("/rooms")
@needs("custody.read")
@groups_api.response(200, RoomSchema(many=True))
def rooms() -> list[Resource]:
    """The rooms of this prison, and whether they are confidential."""
    return queries.rooms(act())


@groups_api.put("/rooms/<int:resource_id>/confidential")
@needs("groups.manage")
@groups_api.arguments(ConfidentialSchema)
@groups_api.response(200, RoomSchema)
def say_confidential(given: dict[str, Any], resource_id: int) -> Resource:
    """Is the room confidential?"""
    return things_commands.say_confidential(act(), resource_id, **given)


# -- sessions --------------------------------------------------------------------------------


@groups_api.get("/weeks/<monday>")
@needs("custody.read")
@groups_api.response(200, SessionSchema(many=True))
def week(monday: str) -> list[GroupSession]:
    """The sessions of the week this date lies in."""
    try:
        on = date.fromisoformat(monday)
    except ValueError:
        raise Invalid.field("monday", "must be a date, such as 2026-11-30") from None
    return queries.week(act(), on - timedelta(days=on.weekday()))[0]


@groups_api.post("/sessions")
@needs("groups.manage")
@groups_api.arguments(SessionRequestSchema)
@groups_api.response(201, SessionSchema)
@_against
def plan_session(given: dict[str, Any]) -> Response:
    """Plan a session, as a draft."""
    return _session(session_commands.plan_session(act(), **given), 201)


@groups_api.get("/sessions/<int:session_id>")
@needs("custody.read")
@groups_api.response(200, RegisterSchema)
def one(session_id: int) -> Response:
    """A session with everybody in it."""
    shown = queries.one_session(act(), session_id)
    body = SessionSchema().dump(shown.session) | {
        "seats": SeatSchema(many=True).dump([each.seat for each in shown.seats]),
        "reasons": [{"code": bar.code, "says": str(bar)} for bar in shown.bars],
    }
    return tag(jsonify(body), shown.session.version)


@groups_api.post("/sessions/<int:session_id>/publish")
@needs("groups.manage")
@groups_api.response(200, SessionSchema)
@_against
@_stale
def publish(session_id: int) -> Response:
    """People may be seated from now on."""
    return _session(session_commands.publish_session(act(), session_id, version=if_match()))


@groups_api.post("/sessions/<int:session_id>/withdraw")
@needs("groups.manage")
@groups_api.response(200, SessionSchema)
@_stale
def withdraw(session_id: int) -> Response:
    """Undo the publishing, while nobody has a seat."""
    return _session(session_commands.withdraw_session(act(), session_id, version=if_match()))


@groups_api.post("/sessions/<int:session_id>/cancel")
@needs("groups.manage")
@groups_api.arguments(CancelSchema)
@groups_api.response(200, SessionSchema)
@_stale
def cancel(given: dict[str, Any], session_id: int) -> Response:
    """It is not held; every seat is released."""
    return _session(session_commands.cancel_session(act(), session_id, version=if_match(), **given))


@groups_api.post("/sessions/<int:session_id>/reinstate")
@needs("groups.manage")
@groups_api.response(200, SessionSchema)
@_against
@_stale
def reinstate(session_id: int) -> Response:
    """Undo a cancellation: a draft again. No seat returns."""
    return _session(session_commands.reinstate_session(act(), session_id, version=if_match()))


@groups_api.put("/sessions/<int:session_id>/arrangements")
@needs("groups.manage")
@groups_api.arguments(SessionChangeSchema)
@groups_api.response(200, SessionSchema)
@_against
@_stale
def change(given: dict[str, Any], session_id: int) -> Response:
    """Another room or facilitator; everybody keeps their seat."""
    return _session(session_commands.change_session(act(), session_id, version=if_match(), **given))


# -- seats -----------------------------------------------------------------------------------


@groups_api.post("/sessions/<int:session_id>/seats")
@needs("groups.seat")
@groups_api.arguments(SeatRequestSchema)
@groups_api.response(201, SeatSchema)
@_against
def give_seat(given: dict[str, Any], session_id: int) -> GroupSeat:
    """Give somebody a seat, or offer it."""
    return seat_commands.give_seat(act(), session_id, **given)


@groups_api.post("/seats/<int:seat_id>/accept")
@needs("groups.seat")
@groups_api.response(200, SeatSchema)
def accept(seat_id: int) -> GroupSeat:
    """They said yes to the seat they were offered."""
    return seat_commands.accept_seat(act(), seat_id)


@groups_api.post("/seats/<int:seat_id>/release")
@needs("groups.seat")
@groups_api.arguments(ReleaseSchema)
@groups_api.response(200, SeatSchema)
def release(given: dict[str, Any], seat_id: int) -> GroupSeat:
    """They do not sit there after all."""
    return seat_commands.release_seat(act(), seat_id, **given)


@groups_api.post("/seats/<int:seat_id>/move")
@needs("groups.seat")
@groups_api.arguments(MoveSchema)
@groups_api.response(201, SeatSchema)
@_against
def move(given: dict[str, Any], seat_id: int) -> GroupSeat:
    """Move them to another session: both happen, or neither."""
    return seat_commands.move_seat(act(), seat_id, **given)


@groups_api.put("/seats/<int:seat_id>/attendance")
@needs("groups.seat")
@groups_api.arguments(AttendanceRequestSchema)
@groups_api.response(200, AttendanceSchema)
def attendance(given: dict[str, Any], seat_id: int) -> GroupAttendance:
    """Record who came, declined or missed; a correction gives its reason."""
    return seat_commands.record_attendance(act(), seat_id, **given)


@groups_api.put("/seats/<int:seat_id>/pin")
@needs("groups.seat")
@groups_api.arguments(PinSchema)
@groups_api.response(200, SeatSchema)
def pin_seat(given: dict[str, Any], seat_id: int) -> GroupSeat:
    """Keep the seat, whatever is planned anew; or no longer."""
    return seat_commands.pin_seat(act(), seat_id, **given)


@groups_api.put("/sessions/<int:session_id>/pin")
@needs("groups.manage")
@groups_api.arguments(PinSchema)
@groups_api.response(200, SessionSchema)
@_stale
def pin_session(given: dict[str, Any], session_id: int) -> Response:
    """Keep the session, whatever is planned anew; or no longer."""
    return _session(session_commands.pin_session(act(), session_id, version=if_match(), **given))


# -- people ----------------------------------------------------------------------------------


@groups_api.put("/receptions/<int:reception_id>/estate")
@needs("groups.seat")
@groups_api.arguments(EstateSchema)
@groups_api.response(200, EstateSchema)
def estate(given: dict[str, Any], reception_id: int) -> Any:
    """Say of which estate they are."""
    return commands.set_estate(act(), reception_id, **given)


@groups_api.post("/receptions/<int:reception_id>/apart")
@needs("groups.seat")
@groups_api.arguments(ApartRequestSchema)
@groups_api.response(201, ApartSchema)
@_against
def keep_apart(given: dict[str, Any], reception_id: int) -> dict[str, Any]:
    """Keep two people apart; answers with the sessions to come they share."""
    row = commands.keep_apart(act(), reception_id, **given)
    stay = act().session.get_one(Reception, reception_id)
    shared = [each.id for each in queries.shared_sessions(act(), stay)]
    return {"id": row.id, "level": row.level, "shared_sessions": shared}


@groups_api.post("/apart/<int:pair_id>/end")
@needs("groups.seat")
@groups_api.arguments(EndSchema)
@groups_api.response(204)
def end_keep_apart(given: dict[str, Any], pair_id: int) -> None:
    """They need be kept apart no longer."""
    commands.end_keep_apart(act(), pair_id, **given)


@groups_api.get("/receptions/<int:reception_id>/commitments")
@needs("groups.seat")
@groups_api.response(200, CommitmentSchema(many=True))
def commitments(reception_id: int) -> list[Commitment]:
    """Their adjudications and social visits that stand."""
    stay = commands.stay_here(act(), reception_id, "groups.commitments_shown")
    return facts.commitments_of(act(), stay.id)


@groups_api.post("/receptions/<int:reception_id>/commitments")
@needs("groups.seat")
@groups_api.arguments(CommitmentRequestSchema)
@groups_api.response(201, CommitmentSchema)
def record_commitment(given: dict[str, Any], reception_id: int) -> Commitment:
    """Record an adjudication or a social visit: no group then."""
    return commands.record_commitment(act(), reception_id, **given)


@groups_api.post("/commitments/<int:commitment_id>/correct")
@needs("groups.seat")
@groups_api.arguments(CommitmentChangeSchema)
@groups_api.response(201, CommitmentSchema)
def correct_commitment(given: dict[str, Any], commitment_id: int) -> Commitment:
    """It is moved, or was recorded wrongly: a new row stands."""
    return commands.correct_commitment(act(), commitment_id, **given)


@groups_api.post("/commitments/<int:commitment_id>/end")
@needs("groups.seat")
@groups_api.arguments(EndSchema)
@groups_api.response(200, CommitmentSchema)
def end_commitment(given: dict[str, Any], commitment_id: int) -> Commitment:
    """It does not take place."""
    return commands.end_commitment(act(), commitment_id, **given)
