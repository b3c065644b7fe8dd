"""The shapes of titration over HTTP. What a value means is a command's business."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.shapes import StruckSchema, code, instant, longer_text, row_id
from clinic.titration.models import DECISIONS, REASONS, SEEN


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
