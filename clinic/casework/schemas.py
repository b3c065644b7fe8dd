"""The shapes the API of the casework file takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.casework.models import ENTRIES, NEXT_STEP_WORDS, NOT_HELD_WORDS
from clinic.custody.models import PARTIES
from clinic.shapes import RecordedSchema, code, day, instant, row_id, yes_no
from scheduling.custody_rules import DELIVERABLE

LONGEST = 4000
LONGEST_LINE = 500


def _text(**more: object) -> fields.String:
    return fields.String(validate=validate.Length(max=LONGEST), **more)


class EntryRequestSchema(Schema):
    """A session offered, missed, moved or made lighter; or a note, which may be about none."""

    kind = code(ENTRIES, required=True)
    at = instant(required=True)
    item = code(DELIVERABLE)
    reason = code(NOT_HELD_WORDS)
    says = _text()


class CompletionRequestSchema(Schema):
    """The final case review. `reason`: required when one is recorded already."""

    reviewed_at = instant(required=True)
    exit_strategy = _text(required=True)
    next_step = code(NEXT_STEP_WORDS, required=True)
    next_says = fields.String(validate=validate.Length(max=LONGEST_LINE), allow_none=True)
    next_on = day(allow_none=True)
    by = fields.List(code(PARTIES), validate=validate.Length(min=1))
    reason = fields.String(validate=validate.Length(max=LONGEST_LINE))


class CertifyRequestSchema(Schema):
    """`reason`: required when there is a certificate already."""

    reason = fields.String(validate=validate.Length(max=LONGEST_LINE))


class AcceptRequestSchema(Schema):
    """The receiving team takes over. `accepted_by`, `accepted_at`: where that prison is no site here."""

    accepted_by = fields.String(validate=validate.Length(max=200))
    accepted_at = instant()
    says = _text()


class LineSchema(Schema):
    """One entry of the file."""

    at = instant(required=True)
    kind = fields.String(required=True)
    what = fields.String(required=True)
    says = fields.String(allow_none=True, required=True)
    by = fields.String(allow_none=True, required=True)
    struck = fields.String(allow_none=True, required=True)
    on = day(allow_none=True, required=True)
    entry_id = row_id(allow_none=True, required=True)


class CompletionSchema(RecordedSchema):
    reviewed_at = instant(required=True)
    exit_strategy = fields.String(required=True)
    next_step = fields.String(required=True)
    next_says = fields.String(allow_none=True, required=True)
    next_on = day(allow_none=True, required=True)


class CertificateSchema(RecordedSchema):
    number = fields.Integer(required=True)
    issued_at = instant(required=True)
    sessions = fields.List(fields.Dict(), required=True)


class RetentionSchema(Schema):
    days = fields.Integer(required=True)
    benchmark_on = day(required=True)
    reached = fields.Boolean(required=True)


class FileSchema(Schema):
    """The casework file of a stay: what was done and what is due (`timetable`), and every entry."""

    reception_id = fields.Integer(attribute="stay.reception.id", required=True)
    patient_id = fields.Integer(attribute="stay.patient.id", required=True)
    received_at = instant(attribute="stay.received_at", required=True)
    timetable = fields.Dict(attribute="stay.answer", allow_none=True, required=True)
    completion = fields.Nested(CompletionSchema, allow_none=True, required=True)
    certificate = fields.Nested(CertificateSchema, allow_none=True, required=True)
    retention = fields.Nested(RetentionSchema, required=True)
    next_step_lacking = fields.String(attribute="next_step", allow_none=True, required=True)
    lines = fields.List(fields.Nested(LineSchema), required=True)


class StepSchema(Schema):
    """One step of a transfer; `done` null: not required."""

    key = fields.String(required=True)
    done = fields.Boolean(allow_none=True, required=True)
    late = fields.Boolean(required=True)
    due_on = day(allow_none=True, required=True)


class MoveSchema(Schema):
    """One person under way between prisons."""

    reception_id = row_id(required=True)
    patient_id = row_id(required=True)
    other_prison = fields.String(required=True)
    on = day(required=True)
    day = fields.Integer(required=True)
    day_moved = fields.Integer(required=True)
    moved = fields.Boolean(required=True)
    from_outside = fields.Boolean(required=True)
    count_unknown = fields.Boolean(required=True)
    unrecorded = fields.Boolean(required=True)
    unnamed = fields.Boolean(required=True)
    ppo = yes_no(required=True)
    heightened_risk = yes_no(required=True)
    steps = fields.List(fields.Nested(StepSchema), required=True)
    left_to_do = fields.Integer(required=True)
    accepted_at = instant(attribute="accepted.accepted_at", dump_default=None, allow_none=True)


class MovesSchema(Schema):
    """Who comes here, and whom this prison still answers for."""

    arrivals = fields.List(fields.Nested(MoveSchema), required=True)
    handing_over = fields.List(fields.Nested(MoveSchema), required=True)
