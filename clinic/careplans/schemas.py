"""The shapes the API of care plans takes and gives. What a value means is a command's business."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.careplans.follow_up_commands import HANGING
from clinic.careplans.models import AGREEING, GOAL_STATES, MARKS, OUTCOMES, PAYERS, RESPONSES
from clinic.custody.models import PARTIES
from clinic.shapes import RecordedSchema, code, day, instant, row_id
from scheduling.careplans import DOMAINS, EVENTS, QUESTIONS, REFERRALS

LONGEST = 4000
LONGEST_LINE = 500


def _line(**more: object) -> fields.String:
    return fields.String(validate=validate.Length(min=1, max=LONGEST_LINE), **more)


def _text(**more: object) -> fields.String:
    return fields.String(validate=validate.Length(max=LONGEST), **more)


def _parties(**more: object) -> fields.List:
    return fields.List(code(PARTIES), **more)


class StartSchema(Schema):
    """A plan is begun; in custody it belongs to a stay."""

    reception_id = row_id(load_default=None, allow_none=True)


class GoalRequestSchema(Schema):
    """A goal to add (no number), to reword, or to drop with a reason."""

    number = row_id()
    domain = code(DOMAINS)
    what = _line()
    who = _line()
    by_on = day()
    dropped = _line()


class ChangeSchema(Schema):
    """What the next version says otherwise. An answer of null was not asked."""

    answers = fields.Dict(keys=code(QUESTIONS), values=_text(allow_none=True), load_default=None)
    mark = code(MARKS, load_default=None)
    goal = fields.Nested(GoalRequestSchema, load_default=None)


class AgreementRequestSchema(Schema):
    """A party agrees to version `number`."""

    number = row_id(required=True)
    party = code(AGREEING, required=True)
    agreed_at = instant(required=True)
    agreed_by = row_id(load_default=None, allow_none=True)


class WithdrawalSchema(Schema):
    """Why an agreement is taken back, or an entry struck out."""

    reason = _line(required=True)


class ProgressRequestSchema(Schema):
    """How a goal stood on a day."""

    on = day(required=True)
    state = code(GOAL_STATES, required=True)
    says = _line(required=True)


class EventRequestSchema(Schema):
    """A significant event."""

    code = code(EVENTS, required=True)
    on = day(required=True)
    note = _line(load_default=None, allow_none=True)


class ReviewRequestSchema(Schema):
    """The plan was looked at."""

    reviewed_at = instant(required=True)
    outcome = code(OUTCOMES, required=True)
    by = _parties(required=True)
    note = _text(load_default=None, allow_none=True)


class ReferralRequestSchema(Schema):
    """Help asked for elsewhere."""

    kind = code(REFERRALS, required=True)
    to_whom = _line(required=True)
    made_at = instant(required=True)
    starts_on = day(load_default=None, allow_none=True)
    approved_by = _line(load_default=None, allow_none=True)
    paid_by = code(PAYERS, load_default=None, allow_none=True)


class ResponseRequestSchema(Schema):
    """What came back on a referral."""

    response = code(RESPONSES, required=True)
    responded_on = day(required=True)


class ReportRequestSchema(Schema):
    """The CARATs' report for the clinical review. `complex_needs` null: not asked."""

    says = _text(required=True)
    complex_needs = fields.Boolean(truthy={True}, falsy={False}, load_default=None, allow_none=True)


class ClinicalReviewRequestSchema(Schema):
    """The review was held; `by`: who was there beside healthcare."""

    held_at = instant(required=True)
    carat = code(("attended", "report"), required=True)
    by = _parties(load_default=list)
    note = _text(load_default=None, allow_none=True)


class AgreementSchema(RecordedSchema):
    """An agreement, standing or withdrawn."""

    party = fields.String(required=True)
    agreed_at = instant(required=True)
    agreed_by = row_id(allow_none=True)
    delivery_id = row_id(allow_none=True)
    withdrawn_at = instant(allow_none=True)
    withdrawn_by = row_id(allow_none=True)
    withdrawn_reason = fields.String(allow_none=True)


class ChangeMadeSchema(Schema):
    """One thing a version says otherwise than the one before."""

    what = fields.String(required=True)
    was = fields.String(allow_none=True, required=True)
    now = fields.String(allow_none=True, required=True)


class VersionSchema(Schema):
    """A version, what it changed, and who ever agreed to it."""

    number = fields.Integer(attribute="row.number", required=True)
    mark = fields.String(attribute="row.mark", required=True)
    answers = fields.Dict(attribute="row.answers", required=True)
    goals = fields.Dict(attribute="row.goals", required=True)
    recorded_at = instant(attribute="row.recorded_at", required=True)
    recorded_by = row_id(attribute="row.recorded_by", required=True)
    changes = fields.List(fields.Nested(ChangeMadeSchema), required=True)
    agreements = fields.List(fields.Nested(AgreementSchema), required=True)


class ProgressSchema(RecordedSchema):
    """How a goal stood."""

    goal = fields.Integer(required=True)
    on = day(required=True)
    state = fields.String(required=True)
    says = fields.String(required=True)


class EventSchema(RecordedSchema):
    """A significant event; `review_id` null: nobody has looked yet."""

    code = fields.String(required=True)
    on = day(required=True)
    note = fields.String(allow_none=True)
    review_id = row_id(allow_none=True)


class ReviewSchema(RecordedSchema):
    """A look taken at the plan."""

    number = fields.Integer(required=True)
    reviewed_at = instant(required=True)
    outcome = fields.String(required=True)
    by = fields.List(fields.String(), required=True)
    note = fields.String(allow_none=True)


class AnswerSchema(RecordedSchema):
    """One answer to a referral; struck out: one that was recorded in error."""

    response = fields.String(required=True)
    responded_on = day(required=True)
    struck_at = instant(allow_none=True, required=True)
    struck_by = row_id(allow_none=True, required=True)
    struck_reason = fields.String(allow_none=True, required=True)


class ReferralSchema(RecordedSchema):
    """A referral, the answer that stands and every answer it had, oldest first."""

    kind = fields.String(required=True)
    to_whom = fields.String(required=True)
    made_at = instant(required=True)
    starts_on = day(allow_none=True)
    approved_by = fields.String(allow_none=True)
    paid_by = fields.String(allow_none=True)
    delivery_id = row_id(allow_none=True)
    response = fields.String(allow_none=True)
    responded_on = day(allow_none=True)
    answers = fields.List(fields.Nested(AnswerSchema), required=True)


class StruckSchema(RecordedSchema):
    """Progress, an event, a review or a referral that counts no more."""

    what = fields.Function(
        lambda row: next(name for name, kind in HANGING.items() if isinstance(row, kind))
    )
    struck_at = instant(required=True)
    struck_by = row_id(required=True)
    struck_reason = fields.String(required=True)


class DueSchema(Schema):
    """By when the plan is reviewed, and why."""

    on = day(required=True)
    rule = fields.String(required=True)
    event = fields.String(allow_none=True)
    says = fields.String(required=True)


class DraftSchema(RecordedSchema):
    """Changes collected and not put forward."""

    mark = fields.String(required=True)
    answers = fields.Dict(required=True)
    goals = fields.Dict(required=True)


class DiscardedSchema(Schema):
    """A draft that was given up. `open`: it can be taken up again."""

    id = row_id(attribute="row.id", required=True)
    number = fields.Integer(attribute="row.number", required=True)
    mark = fields.String(attribute="row.mark", required=True)
    answers = fields.Dict(attribute="row.answers", required=True)
    goals = fields.Dict(attribute="row.goals", required=True)
    recorded_at = instant(attribute="row.recorded_at", required=True)
    recorded_by = row_id(attribute="row.recorded_by", required=True)
    discarded_at = instant(attribute="row.discarded_at", required=True)
    discarded_by = row_id(attribute="row.discarded_by", required=True)
    open = fields.Boolean(required=True)


class PlanSchema(Schema):
    """A plan as it stands, with all it has been, newest version first."""

    id = row_id(attribute="plan.id", required=True)
    patient_id = row_id(attribute="patient.id", required=True)
    reception_id = row_id(attribute="plan.reception_id", allow_none=True, required=True)
    number = fields.Integer(attribute="now.number", required=True)
    draft = fields.Nested(DraftSchema, allow_none=True, required=True)
    discarded = fields.List(fields.Nested(DiscardedSchema), required=True)
    not_agreed = fields.List(fields.String(), required=True)
    csma_missing = fields.Boolean(required=True)
    lacking = fields.List(fields.String(), required=True)
    warnings = fields.List(fields.String(), required=True)
    review_due = fields.Nested(DueSchema, attribute="due", required=True)
    versions = fields.List(fields.Nested(VersionSchema), required=True)
    progress = fields.Method("_progress", required=True)
    events = fields.List(fields.Nested(EventSchema), required=True)
    reviews = fields.List(fields.Nested(ReviewSchema), required=True)
    referrals = fields.List(fields.Nested(ReferralSchema), required=True)
    struck = fields.List(fields.Nested(StruckSchema), required=True)

    def _progress(self, view: object) -> list[object]:
        rows = [row for each in view.progress.values() for row in each]  # type: ignore[attr-defined]
        dumped: list[object] = ProgressSchema(many=True).dump(rows)
        return dumped


class WorkSchema(Schema):
    """One plan to be reviewed."""

    plan_id = row_id(required=True)
    on = day(required=True)
    what = fields.String(required=True)
    keyworker_id = row_id(allow_none=True, required=True)


class WorklistSchema(Schema):
    """The plans to be reviewed here, by day."""

    work = fields.List(fields.Nested(WorkSchema), required=True)
