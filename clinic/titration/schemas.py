"""The shapes of titration over HTTP. What a value means is a command's business."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.shapes import Milligrams, StruckSchema, code, instant, longer_text, row_id
from clinic.titration.charts import ATTENDANCE_CODES, SPANS
from clinic.titration.models import DECISIONS, HOW, REASONS, SEEN


class ReviewRequestSchema(Schema):
    """A review of a dose. It carries no amount: that is a prescriber's dose decision."""

    decision = code(DECISIONS, required=True)
    reason_code = code(REASONS, required=True)
    reason = longer_text(required=True)
    seen = code(SEEN, required=True)
    reviewed_at = instant(required=True)
    next_review_on = fields.Date()
    rests_on = fields.List(row_id(), validate=validate.Length(max=50))
    once = fields.String(validate=validate.Length(min=1, max=100))


class ReviewSchema(StruckSchema):
    patient_id = row_id(required=True)
    site_id = row_id(required=True)
    decision = fields.String(required=True)
    reason_code = fields.String(required=True)
    reason = fields.String(required=True)
    seen = fields.String(required=True)
    reviewed_at = instant(required=True)
    next_review_on = fields.Date(allow_none=True)
    counts_until = fields.Date(required=True)
    rests_on = fields.List(row_id(), required=True)


class ContactRequestSchema(Schema):
    """Contact made, or tried: `reached` says which."""

    how = code(HOW, required=True)
    happened_at = instant(required=True)
    reached = fields.Boolean(required=True, truthy={True}, falsy={False})
    note = longer_text()
    once = fields.String(validate=validate.Length(min=1, max=100))


class PlannedContactRequestSchema(Schema):
    """Contact planned for a London day."""

    how = code(HOW, required=True)
    planned_on = fields.Date(required=True)
    note = longer_text()
    once = fields.String(validate=validate.Length(min=1, max=100))


class ContactSchema(StruckSchema):
    patient_id = row_id(required=True)
    site_id = row_id(required=True)
    how = fields.String(required=True)
    planned_on = fields.Date(allow_none=True)
    happened_at = instant(allow_none=True)
    reached = fields.Boolean(allow_none=True)
    note = fields.String(allow_none=True)


class FlagSchema(Schema):
    """A visible warning, its rule and where that stands."""

    rule = fields.String(required=True)
    message = fields.String(required=True)
    source = fields.String(required=True)


class TargetSchema(Schema):
    """Advice, and never more: how one target stands."""

    rule = fields.String(required=True)
    name = fields.String(required=True)
    state = fields.String(required=True)
    due_on = fields.Date(allow_none=True)
    on = fields.Date(allow_none=True)
    says = fields.String(required=True)


class AttendanceSchema(Schema):
    """One of the first days of a model 3 start. `here` false: the service is shut that day."""

    number = fields.Integer(required=True)
    on = fields.Date(required=True)
    state = fields.String(required=True)
    here = fields.Boolean(required=True)


class StandingSchema(Schema):
    """How one person's build-up stands now. `day`: of the episode, its first dose being day 1."""

    patient_id = row_id(required=True)
    day = fields.Integer(allow_none=True)
    missed_days = fields.Integer(allow_none=True)
    build_up_ends_on = fields.Date(allow_none=True)
    last_contact_on = fields.Date(allow_none=True)
    contact_due_by = fields.Date(allow_none=True)
    counting_review_id = row_id(allow_none=True)
    flags = fields.List(fields.Nested(FlagSchema), required=True)
    first_days = fields.List(fields.Nested(AttendanceSchema), required=True)
    targets = fields.List(fields.Nested(TargetSchema), required=True)


class RateSchema(Schema):
    """How many people of a service reached one target in time. `closed`: reached, or time is up."""

    rule = fields.String(required=True)
    name = fields.String(required=True)
    reached = fields.Integer(required=True)
    closed = fields.Integer(required=True)
    most = fields.Boolean(allow_none=True)
    says = fields.String(required=True)


class BoardRowSchema(Schema):
    """One person being titrated now. Times are the rules' own; no amount is proposed."""

    patient_id = row_id(required=True)
    day = fields.Integer(allow_none=True)
    last_dose_at = instant(allow_none=True)
    total_mg = Milligrams(required=True)
    next_look = fields.String(allow_none=True)
    next_look_due_at = instant(allow_none=True)
    next_look_state = fields.String(allow_none=True)
    stopped_until = instant(allow_none=True)
    reason_until = instant(allow_none=True)
    watched_by = fields.String(allow_none=True)


class BoardSchema(Schema):
    """Everyone being titrated at this site now, the most urgent first."""

    at = instant(required=True)
    watched = fields.Boolean(required=True)
    people = fields.List(fields.Nested(BoardRowSchema), required=True)


# -- the chart -----------------------------------------------------------------------------


class ChartSpanSchema(Schema):
    """How many days back, today included."""

    days = fields.Integer(load_default=SPANS[0], validate=validate.OneOf(SPANS))


class CarriedSchema(Schema):
    """What earlier doses leave at a moment, to a tenth of a mg: if cleared fast, and if slowly."""

    at = instant(required=True)
    fast_mg = Milligrams(required=True)
    slow_mg = Milligrams(required=True)


class ChartLimitSchema(Schema):
    """The highest daily total the rules let anybody have that day. Stricter rules may hold."""

    from_mg = Milligrams(required=True)
    to_mg = Milligrams(required=True)
    rule = fields.String(required=True)


class ChartScoreSchema(Schema):
    scale = fields.String(required=True)
    at = instant(required=True)
    score = fields.Integer(required=True)


class ChartReviewSchema(Schema):
    id = row_id(required=True)
    decision = code(DECISIONS, required=True)


class ChartDaySchema(Schema):
    """One London day. `consumed_mg` null: nobody recorded what became of what was decided.

    `attendance` null: no dose was due.
    """

    on = fields.Date(required=True)
    day = fields.Integer(required=True, allow_none=True)
    prescribed_mg = Milligrams(required=True, allow_none=True)
    consumed_mg = Milligrams(required=True, allow_none=True)
    attendance = code(ATTENDANCE_CODES.values(), required=True, allow_none=True)
    limit = fields.Nested(ChartLimitSchema, required=True, allow_none=True)
    scores = fields.List(fields.Nested(ChartScoreSchema), required=True)
    reviews = fields.List(fields.Nested(ChartReviewSchema), required=True)
    decision_ids = fields.List(row_id(), required=True)
    carried = fields.Nested(CarriedSchema, required=True, allow_none=True)


class CarryOverSchema(Schema):
    """The band of earlier doses still present, no blood level. `hidden`: why it is not drawn."""

    hidden = fields.String(required=True, allow_none=True)
    fast_hours = Milligrams(required=True, metadata={"description": "half-life, lower edge"})
    slow_hours = Milligrams(required=True, metadata={"description": "half-life, upper edge"})
    source = fields.String(required=True)
    band = fields.List(fields.Nested(CarriedSchema), required=True)


class ChartSchema(Schema):
    """A person's last weeks, oldest day first, and the same in words."""

    patient_id = row_id(required=True)
    at = instant(required=True)
    days = fields.List(fields.Nested(ChartDaySchema), required=True)
    carry_over = fields.Nested(CarryOverSchema, required=True)
    words = fields.List(fields.String(), required=True)
