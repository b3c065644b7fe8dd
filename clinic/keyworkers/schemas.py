"""The shapes the API of keyworkers takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.custody.schemas import WorkSchema
from clinic.keyworkers.models import CHANGE_WORDS
from clinic.shapes import code, day, instant, row_id, yes_no
from scheduling.keyworkers import RULES

LONGEST_REASON = 500


class KeyworkerRequestSchema(Schema):
    """Who is named. `reason_code`: required when somebody else already is."""

    staff_id = row_id(required=True)
    named_at = instant()
    reason_code = code(CHANGE_WORDS)
    reason = fields.String(validate=validate.Length(max=LONGEST_REASON))


class CoverRequestSchema(Schema):
    """Who looks after whose people, both days included."""

    staff_id = row_id(required=True)
    cover_id = row_id(required=True)
    from_on = day(required=True)
    to_on = day(required=True)


class CoverSchema(CoverRequestSchema):
    id = row_id(required=True)
    recorded_at = instant(required=True)
    recorded_by = row_id(required=True)


class LoadSchema(Schema):
    """What a keyworker carries. `over`: what to say when it is more than the ceiling."""

    staff_id = row_id(required=True)
    own = fields.Integer(required=True)
    covered = fields.Integer(required=True)
    people = fields.Integer(required=True)
    over = fields.String(allow_none=True, required=True)
    away = fields.Boolean(required=True)
    next_deadline = instant(allow_none=True, required=True)


class SuggestionSchema(Schema):
    """Who is suggested for somebody without a keyworker; null: nobody could be."""

    reception_id = row_id(required=True)
    staff_id = row_id(allow_none=True, required=True)
    rule = fields.String(required=True)
    says = fields.String(required=True)
    over = fields.String(allow_none=True, required=True)


class CeilingRequestSchema(Schema):
    """People to one keyworker at the most, from a day on; null: the default again."""

    most = fields.Integer(
        strict=True, allow_none=True, required=True,
        validate=validate.Range(min=RULES["KW-05"]["least"], max=RULES["KW-05"]["most"]),
    )  # fmt: skip
    from_on = day(required=True)
    reason = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_REASON))


class CeilingSchema(CeilingRequestSchema):
    recorded_at = instant(required=True)
    recorded_by = row_id(required=True)


class TeamSchema(Schema):
    """The keyworkers of a prison, the least loaded first, and who has none, the most urgent first."""

    ceiling = fields.Integer(required=True)
    ceiling_set = fields.Nested(CeilingSchema, allow_none=True, required=True)
    loads = fields.List(fields.Nested(LoadSchema), required=True)
    unnamed = fields.List(fields.Nested(WorkSchema), required=True)
    suggestions = fields.List(fields.Nested(SuggestionSchema), required=True)
    covers = fields.List(fields.Nested(CoverSchema), required=True)


class CarriedSchema(Schema):
    """One person on a caseload, by their next deadline."""

    reception_id = row_id(required=True)
    patient_id = row_id(required=True)
    keyworker_id = row_id(required=True)
    day = fields.Integer(required=True)
    ppo = yes_no(required=True)
    heightened_risk = yes_no(required=True)
    next = fields.Nested(WorkSchema, allow_none=True, required=True)


class CaseloadSchema(Schema):
    """The people of one keyworker, or of all."""

    people = fields.List(fields.Nested(CarriedSchema), required=True)
