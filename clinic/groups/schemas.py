"""The shapes the API of groups takes and gives. What a value means is a command's business."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.custody.schemas import LONGEST_REASON
from clinic.groups.commands import MOST_A_WEEK
from clinic.groups.models import (
    CANCELLED_BECAUSE,
    COMMITMENTS,
    ESTATE_NAMES,
    LEVELS,
    MISSED_BECAUSE,
    OUTCOMES,
    PARTS,
    RELEASED_BECAUSE,
    SAID_BY_THE_SERVICE,
)
from clinic.shapes import code, day, instant, row_id, yes_no
from scheduling.groups import KINDS, PLACES, RULES, TOPICS, WEIGHTS


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
    reason = code(
        [each for each in CANCELLED_BECAUSE if each not in SAID_BY_THE_SERVICE], required=True
    )


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
        [each for each in RELEASED_BECAUSE if each not in SAID_BY_THE_SERVICE],
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


class PinSchema(Schema):
    """Is it kept, whatever is planned anew?"""

    pinned = fields.Boolean(required=True, truthy={True}, falsy={False})


class PlanRequestSchema(Schema):
    """28 days from a day on; `wing_id` null: the whole prison."""

    first_on = day(required=True)
    wing_id = row_id(allow_none=True)


class PlanPinSchema(Schema):
    """Somebody in a session of a plan: its place among the plan's sessions, the first being 0."""

    reception_id = row_id(required=True)
    session_nth = fields.Integer(required=True, strict=True, validate=validate.Range(0, 10_000))


class PlanAgainSchema(Schema):
    """`without`: all but this one of the pins the plan was made around, the first being 0."""

    without = fields.Integer(strict=True, allow_none=True, validate=validate.Range(0, 10_000))


class PlannedSessionSchema(Schema):
    """A session of a plan; `id` null: a new one. `seats`, `pinned`: receptions."""

    id = fields.Integer(allow_none=True)
    topic = fields.String()
    estate = fields.String()
    starts_at = fields.String()
    ends_at = fields.String()
    room_id = fields.Integer()
    carat_id = fields.Integer()
    clinical_id = fields.Integer()
    places = fields.Integer()
    seats = fields.List(fields.Integer())
    pinned = fields.List(fields.Integer())


class ShortfallSchema(Schema):
    """Sessions somebody lacks in a week: the fewest causes that leave no way, and what to ask for."""

    reception = fields.Integer()
    week = fields.Integer()
    from_on = fields.String()
    to_on = fields.String()
    missing = fields.Integer()
    hard = fields.Boolean()
    because = fields.List(fields.Dict(keys=fields.String(), values=fields.String()))
    ask = fields.String()


class PlannedMoveSchema(Schema):
    """One change against what stands; `forced`: why it could not stay, empty when it pays."""

    what = fields.String()
    reception = fields.Integer(allow_none=True)
    told = fields.Boolean()
    was = fields.Nested(PlannedSessionSchema, allow_none=True)
    now = fields.Nested(PlannedSessionSchema, allow_none=True)
    forced = fields.List(fields.String())


class PlanLevelSchema(Schema):
    """How good the plan is in one respect, in points, and the bound no plan can be under."""

    name = fields.String()
    value = fields.Integer()
    bound = fields.Integer()
    gap = fields.Integer()
    proved = fields.Boolean()


class PlanClashSchema(Schema):
    """Pins that cannot all be kept; `because`: where one alone is against the rules."""

    pins = fields.List(fields.Dict(keys=fields.String()))
    because = fields.List(fields.String())


class PlanResultSchema(Schema):
    sessions = fields.List(fields.Nested(PlannedSessionSchema))
    short = fields.List(fields.Nested(ShortfallSchema))
    moves = fields.List(fields.Nested(PlannedMoveSchema))
    levels = fields.List(fields.Nested(PlanLevelSchema))
    missing = fields.Integer()
    seats = fields.Integer()
    clash = fields.Nested(PlanClashSchema, allow_none=True)


class PlanProgressSchema(Schema):
    """How far the work is: what is looked at, the best found, the bound, the gap between them."""

    at_once = fields.Integer()
    level = fields.String()
    value = fields.Integer(allow_none=True)
    bound = fields.Integer(allow_none=True)
    gap = fields.Integer(allow_none=True)
    seconds = fields.Integer()


class ListedPlanSchema(Schema):
    """A plan of 28 days. `state` is as it stands now: one whose process died has failed."""

    id = fields.Integer()
    first_on = fields.Date()
    last_on = fields.Date()
    wing_id = fields.Integer(allow_none=True)
    based_on_id = fields.Integer(allow_none=True)
    state = fields.String()
    recorded_at = instant()
    ended_at = instant(allow_none=True)
    accepted_at = instant(allow_none=True)
    undone_at = instant(allow_none=True)
    failed_because = fields.String(allow_none=True)
    progress = fields.Nested(PlanProgressSchema, allow_none=True)


class PlanSchema(ListedPlanSchema):
    """With what it proposes."""

    result = fields.Nested(PlanResultSchema, allow_none=True)


class KeptPinSchema(Schema):
    """A pin of an earlier plan."""

    reception = fields.Integer()
    session = fields.Nested(PlannedSessionSchema)


class PlanWithPinsSchema(PlanSchema):
    """With what was pinned in it and counts once it is made again, and the pins it was made around."""

    pins = fields.List(fields.Nested(KeptPinSchema))
    pinned = fields.List(fields.Nested(PlanPinSchema))


class CommitmentRequestSchema(Schema):
    """An adjudication or a social visit."""

    kind = code(COMMITMENTS, required=True)
    starts_at = instant(required=True)
    ends_at = instant(required=True)


class CommitmentSchema(CommitmentRequestSchema):
    id = fields.Integer()
    reception_id = fields.Integer()
    ended_at = instant(allow_none=True)
    ended_reason = fields.String(allow_none=True)


class CommitmentChangeSchema(CommitmentRequestSchema):
    """How it is, and what was wrong."""

    reason = _text(required=True)


class WeightsRequestSchema(Schema):
    """What a plan weighs from a day on; weights left out keep their default."""

    weights = fields.Dict(
        keys=code(WEIGHTS),
        required=True,
        values=fields.Integer(
            strict=True,
            validate=validate.Range(min=RULES["GP-15"]["least"], max=RULES["GP-15"]["most"]),
        ),
    )
    from_on = day(required=True)
    reason = fields.String(required=True, validate=validate.Length(min=1, max=500))


class WeightsSetSchema(Schema):
    weights = fields.Dict(required=True)
    from_on = day(required=True)
    reason = fields.String(required=True)
    recorded_at = instant(required=True)
    recorded_by = row_id(required=True)


class WeightsSchema(Schema):
    """All weights as they stand; `set` null: the defaults."""

    weights = fields.Dict(required=True)
    set = fields.Nested(WeightsSetSchema, allow_none=True, required=True)
