"""The shapes of entries over HTTP. `data` is in the words of the dose-check contract."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.assessments.commands import NAMED
from clinic.assessments.kinds import KINDS
from clinic.shapes import StruckSchema, code, instant, longer_text, row_id

MOST_AT_ONCE = 100


class EntryRequestSchema(Schema):
    """One thing found or asked. With `replaces_id` and `reason`, in place of an earlier entry."""

    happened_at = instant(required=True)
    data = fields.Dict(keys=fields.String(), required=True)
    note = longer_text()
    replaces_id = row_id()
    reason = longer_text()


class EntryOfAKindSchema(EntryRequestSchema):
    kind = code(KINDS, required=True)


class EntriesRequestSchema(Schema):
    """What was found at one sitting, in this order: all of it is recorded, or none."""

    entries = fields.List(
        fields.Nested(EntryOfAKindSchema), required=True, validate=validate.Length(1, MOST_AT_ONCE)
    )


class EntriesMadeSchema(Schema):
    """The ids of the entries, in the order they were sent."""

    ids = fields.List(row_id(), required=True)


class EntrySchema(StruckSchema):
    kind = fields.String(required=True)
    happened_at = instant(required=True)
    data = fields.Dict(required=True)
    note = fields.String(allow_none=True)
    replaces_id = row_id(allow_none=True)


class ReasonSchema(Schema):
    id = fields.String(required=True)
    says = fields.String(required=True)
    facts = fields.List(fields.String(), required=True)


class ComplexitySchema(Schema):
    """`state`: complex, not_known (treated as complex) or non_complex."""

    state = fields.String(required=True)
    reasons = fields.List(fields.Nested(ReasonSchema), required=True)
    unknown = fields.List(fields.Nested(ReasonSchema), required=True)


class PartSchema(Schema):
    name = fields.String(required=True)
    says = fields.String(required=True)
    status = fields.String(required=True)
    needed_before_first_dose = fields.Boolean(required=True)
    flag = fields.String(required=True, allow_none=True)
    notes = fields.List(fields.String(), required=True)


class LackSchema(Schema):
    field = fields.String(required=True)
    says = fields.String(required=True)


class AssessmentSchema(Schema):
    began_on = fields.Date(required=True, allow_none=True)
    first_visit_on = fields.Date(required=True, allow_none=True)
    days = fields.List(fields.Date(), required=True)
    dependence_established = fields.Boolean(required=True)
    complexity = fields.Nested(ComplexitySchema, required=True)
    parts = fields.List(fields.Nested(PartSchema), required=True)
    outcome_id = row_id(required=True, allow_none=True)
    lacking = fields.List(fields.Nested(LackSchema), required=True)


class LineSchema(Schema):
    """`kind`: start, continuation, see_first (a prescriber sees them first), broken, or
    contradiction (the claims cannot stand together)."""

    drug = fields.String(required=True)
    kind = fields.String(required=True)
    missed_days = fields.Integer(required=True, allow_none=True)
    last_dose_on = fields.Date(required=True, allow_none=True)
    lacking = fields.List(fields.String(), required=True)


class ClaimSchema(LineSchema):
    entry_id = row_id(required=True, allow_none=True)
    from_on = fields.Date(required=True)
    last_on = fields.Date(required=True)
    prescriber = fields.String(required=True)
    pharmacy = fields.String(required=True)


class ContinuitySchema(Schema):
    medicines = fields.List(fields.Nested(LineSchema), required=True)
    claims = fields.List(fields.Nested(ClaimSchema), required=True)


class WorkerSchema(Schema):
    kind = code(NAMED, required=True)
    staff_id = row_id(required=True)
    reason = longer_text()
