"""What measures look like over HTTP. Shape only."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.measures.commands import LONGEST
from clinic.shapes import code, instant
from scheduling.measures import ENDED, IN_TIME, LATE, REASONS, RUNNING

PERIOD = r"20[0-9]{2}-(Q[1-4]|0[1-9]|1[0-2])\Z"


class PeriodSchema(Schema):
    """A month or a quarter; this month when left out."""

    period = fields.String(validate=validate.Regexp(PERIOD), metadata={"example": "2026-11"})


class CountSchema(Schema):
    """`percent`: whole, null of nobody. `running`: time not up; `ended`: stopped being owed before."""

    numerator = fields.Integer(required=True)
    denominator = fields.Integer(required=True)
    shortfall = fields.Integer(required=True)
    percent = fields.Integer(required=True, allow_none=True)
    running = fields.Integer(required=True)
    ended = fields.Integer(required=True)
    small = fields.Boolean(required=True)


class DefinitionSchema(Schema):
    """What is counted, of whom, and why."""

    key = fields.String(required=True)
    title = fields.String(required=True)
    numerator = fields.String(required=True)
    denominator = fields.String(required=True)
    why = fields.String(required=True)
    rules = fields.List(fields.String(), required=True)
    source = fields.String(required=True)
    where = fields.String(required=True)
    confidence = fields.String(required=True)


class PointSchema(Schema):
    """One period of a trend."""

    class Meta:
        title = "MeasurePoint"

    period = fields.String(required=True)
    count = fields.Nested(CountSchema, required=True)


class MeasuredSchema(Schema):
    """One measure in one period, with the periods before it, oldest first."""

    measure = fields.Nested(DefinitionSchema, required=True)
    period = fields.String(required=True)
    count = fields.Nested(CountSchema, required=True)
    trend = fields.List(fields.Nested(PointSchema), required=True)


class BreachReasonSchema(Schema):
    """Why somebody says a case was late."""

    id = fields.Integer(required=True)
    code = code(REASONS, required=True)
    note = fields.String(required=True, allow_none=True)
    recorded_at = instant(required=True)
    recorded_by = fields.Integer(required=True)


class CaseSchema(Schema):
    """One case behind a number."""

    class Meta:
        title = "MeasureCase"

    case = fields.String(required=True, attribute="case.key")
    patient_id = fields.Integer(required=True, attribute="case.patient_id")
    due_on = fields.Date(required=True, attribute="case.due_on")
    done_on = fields.Date(required=True, allow_none=True, attribute="case.done_on")
    stands = code((IN_TIME, LATE, RUNNING, ENDED), required=True)
    reason = fields.Nested(BreachReasonSchema, required=True, allow_none=True)


class OneMeasureSchema(Schema):
    """A measure with everybody behind it, late ones first."""

    measured = fields.Nested(MeasuredSchema, required=True)
    people = fields.List(fields.Nested(CaseSchema), required=True)


class ExplainSchema(Schema):
    """Why a case of this period was late. `note`: needed where the code is other."""

    case = fields.String(required=True, validate=validate.Length(min=1, max=80))
    period = fields.String(required=True, validate=validate.Regexp(PERIOD))
    code = code(REASONS, required=True)
    note = fields.String(validate=validate.Length(max=LONGEST), allow_none=True)


class WithdrawSchema(Schema):
    reason = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST))
