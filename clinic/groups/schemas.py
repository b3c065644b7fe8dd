"""The shapes the API of groups takes and gives. What a value means is a command's business."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.custody.schemas import LONGEST_REASON
from clinic.groups.commands import MOST_A_WEEK
from clinic.groups.models import (
    CANCELLED_BECAUSE,
    ESTATE_NAMES,
    LEVELS,
    MISSED_BECAUSE,
    OUTCOMES,
    PARTS,
    RELEASED_BECAUSE,
)
from clinic.shapes import code, instant, row_id, yes_no
from scheduling.groups import KINDS, PLACES, TOPICS


def _text(**more: object) -> fields.String:
    return fields.String(validate=validate.Length(max=LONGEST_REASON), **more)


class EndSchema(Schema):
    """Why it ends."""

    reason = _text(required=True)


class MaterialRequestSchema(Schema):
    """Validated material (PSO 4350); `valid_until` null: open."""

    topic = code(TOPICS, required=True)
    title = _text(required=True)
    edition = _text(required=True)
    validated_on = fields.Date(required=True)
    valid_until = fields.Date(allow_none=True)
    validated_by = _text(required=True)


class MaterialSchema(MaterialRequestSchema):
    id = fields.Integer()
    ended_at = instant(allow_none=True)


class HalfDayRequestSchema(Schema):
    """The hours of a half-day on a weekday (Monday is 1) from a day on; neither hour: none."""

    weekday = fields.Integer(required=True, validate=validate.Range(1, 7))
    part = code(PARTS, required=True)
    starts = fields.Time(required=True, allow_none=True)
    ends = fields.Time(required=True, allow_none=True)
    from_on = fields.Date(required=True)


class HalfDaySchema(HalfDayRequestSchema):
    id = fields.Integer()


class FacilitatorRequestSchema(Schema):
    """Which topics somebody leads, as whom; `a_week` null: no limit."""

    kind = code(KINDS, required=True)
    topics = fields.List(code(TOPICS), required=True)
    a_week = fields.Integer(strict=True, allow_none=True, validate=validate.Range(1, MOST_A_WEEK))


class FacilitatorSchema(FacilitatorRequestSchema):
    staff_id = fields.Integer()
    name = fields.String(attribute="staff.name")


class ConfidentialSchema(Schema):
    """Is the room confidential? null: not known, so not fit."""

    confidential = yes_no(required=True)


class RoomSchema(ConfidentialSchema):
    id = fields.Integer()
    name = fields.String()


class SessionRequestSchema(Schema):
    """A session of 90 minutes, as a draft."""

    topic = code(TOPICS, required=True)
    estate = code(ESTATE_NAMES, required=True)
    starts_at = instant(required=True)
    room_id = row_id(required=True)
    carat_id = row_id(required=True)
    clinical_id = row_id(required=True)
    places = fields.Integer(strict=True, validate=validate.Range(1, PLACES))
    runs_on_bank_holiday = fields.Boolean(truthy={True}, falsy={False})


class SessionChangeSchema(Schema):
    """Another room or facilitator."""

    room_id = row_id(required=True)
    carat_id = row_id(required=True)
    clinical_id = row_id(required=True)


class CancelSchema(Schema):
    reason = code(CANCELLED_BECAUSE, required=True)


class SessionSchema(SessionRequestSchema):
    id = fields.Integer()
    ends_at = instant()
    material_id = fields.Integer()
    status = fields.String()
    cancelled_because = fields.String(allow_none=True)
    version = fields.Integer()


class ReasonSchema(Schema):
    """One reason against. It names nobody."""

    code = fields.String()
    says = fields.Function(str)


class AttendanceRequestSchema(Schema):
    """What became of a seat; `reason`: why what was recorded before is wrong."""

    outcome = code(OUTCOMES, required=True)
    missed_because = code(MISSED_BECAUSE, allow_none=True)
    reason = _text(allow_none=True)


class AttendanceSchema(Schema):
    id = fields.Integer()
    seat_id = fields.Integer()
    outcome = fields.String()
    missed_because = fields.String(allow_none=True)
    delivery_id = fields.Integer(allow_none=True)


class SeatSchema(Schema):
    id = fields.Integer()
    session_id = fields.Integer()
    reception_id = fields.Integer()
    number = fields.Integer()
    state = fields.String()
    pinned = fields.Boolean()
    released_because = fields.String(allow_none=True)


class RegisterSchema(SessionSchema):
    """A session with everybody in it, and why it may not be held as things stand."""

    seats = fields.List(fields.Nested(SeatSchema))
    reasons = fields.List(fields.Nested(ReasonSchema))


class SeatRequestSchema(Schema):
    """A seat for a stay: theirs, or offered until they say yes."""

    reception_id = row_id(required=True)
    offered = fields.Boolean(truthy={True}, falsy={False})
    pinned = fields.Boolean(truthy={True}, falsy={False})


class ReleaseSchema(Schema):
    reason = code(
        [each for each in RELEASED_BECAUSE if each not in ("moved", "session_cancelled")],
        required=True,
    )


class MoveSchema(Schema):
    session_id = row_id(required=True)


class EstateSchema(Schema):
    """Of which estate they are."""

    estate = code(ESTATE_NAMES, required=True)


class ApartRequestSchema(Schema):
    """Keep these two apart."""

    other_reception_id = row_id(required=True)
    level = code(LEVELS, required=True)
    reason = _text(required=True)


class ApartSchema(Schema):
    """A pair, and the sessions to come they share: move one of them."""

    id = fields.Integer()
    level = fields.String()
    shared_sessions = fields.List(fields.Integer())
