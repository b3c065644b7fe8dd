"""The shapes of checks and decisions over HTTP. What a value means is a command's business.

`order` and `supply` are in the words of the dose-check contract (/api/v1/schemas/dose/request).
"""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.prescriptions.models import OVERRIDES
from clinic.shapes import Milligrams, RecordedSchema, code, instant, longer_text, row_id


class DoseCheckRequestSchema(Schema):
    """An order for this patient: the facts come from the record, never from the caller."""

    order = fields.Dict(keys=fields.String(), required=True)
    supply = fields.Dict(keys=fields.String())
    decided_at = instant(required=True)
    replaces_id = row_id()


class DecisionRequestSchema(DoseCheckRequestSchema):
    """An order to save. `once`: a key of the caller's that makes a repeat find the first."""

    reason_code = code(OVERRIDES)
    reason = longer_text()
    once = fields.String(validate=validate.Length(min=1, max=100))


class DoseFindingSchema(Schema):
    rule = fields.String(required=True)
    severity = fields.String(required=True)
    message = fields.String(required=True)
    source = fields.String(required=True)
    facts = fields.Dict(required=True)


class CheckSchema(Schema):
    """The answer of the dose-check contract, and the decisions of the day counted as taken."""

    case = fields.String(required=True)
    rule_set = fields.String(required=True)
    rule_set_version = fields.String(required=True)
    outcome = fields.String(required=True)
    findings = fields.List(fields.Nested(DoseFindingSchema), required=True)
    counted_as_taken = fields.List(row_id())


class DecisionSchema(RecordedSchema):
    """A saved decision with its findings and the whole request it was judged on."""

    patient_id = row_id(required=True)
    site_id = row_id(required=True)
    product = fields.String(required=True)
    dose_mg = Milligrams(required=True)
    doses_that_day = fields.Integer(required=True)
    first_increment = fields.Integer(required=True)
    decided_at = instant(required=True)
    dose_on = fields.Date(required=True)
    last_on = fields.Date(required=True)
    rule_set = fields.String(required=True)
    rule_set_version = fields.String(required=True)
    outcome = fields.String(required=True)
    findings = fields.List(fields.Nested(DoseFindingSchema), required=True)
    request = fields.Dict(required=True)
    beside = fields.Dict(
        allow_none=True,
        metadata={"description": "Requests judged with it for days missed before the day, if any"},
    )
    reason_code = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    withdrawn_at = instant(allow_none=True)
    withdrawn_by = row_id(allow_none=True)
    withdrawn_reason = fields.String(allow_none=True)


class ReplaySchema(Schema):
    """A decision judged again on the facts of its moment."""

    decision_id = row_id(required=True)
    same = fields.Boolean(required=True)
    same_request = fields.Boolean(required=True)
    same_findings = fields.Boolean(required=True)
    rule_set_version = fields.String(required=True)
    now = fields.Nested(CheckSchema, required=True)
