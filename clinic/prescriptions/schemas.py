"""The shapes the prescribing API takes and gives. What a value means is a command's business.

Instants carry an offset, milligrams are decimal text, staff and patients are named by id. `data`,
`order` and `supply` are in the words of the dose-check contract (/api/v1/schemas/dose/request).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from clinic.prescriptions.models import OUTCOMES, OVERRIDES, SUPERVISION
from dosing.medicines import PRODUCTS
from dosing.shape import DecimalText, Refused
from dosing.units import as_text

LONGEST_NOTE = 2000


class Milligrams(fields.String):
    """Exact decimal text, more than zero. A JSON number is refused: it may have been rounded."""

    def __init__(self, **more: Any) -> None:
        more.setdefault("metadata", {})["example"] = "12.5"
        super().__init__(**more)

    def _serialize(self, value: Any, attr: Any, obj: Any, **more: Any) -> str | None:
        return None if value is None else as_text(value)

    def _deserialize(self, value: Any, attr: Any, data: Any, **more: Any) -> Decimal:  # type: ignore[override]
        try:
            return DecimalText(zero_allowed=False).read(value, "")
        except Refused as refused:
            raise ValidationError(refused.message) from refused


def _instant(**more: Any) -> fields.AwareDateTime:
    return fields.AwareDateTime(format="iso", **more)


def _id(**more: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(min=1, max=2**31 - 1), **more)


def _code(codes: Any, **more: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(list(codes)), **more)


def _note(**more: Any) -> fields.String:
    return fields.String(validate=validate.Length(max=LONGEST_NOTE), **more)


class _Recorded(Schema):
    id = _id(required=True)
    recorded_at = _instant(required=True)
    recorded_by = _id(required=True)


class _Struck(_Recorded):
    struck_at = _instant(allow_none=True)
    struck_by = _id(allow_none=True)
    struck_reason = fields.String(allow_none=True)


class EntryRequestSchema(Schema):
    """One thing found or asked. With `replaces_id` and `reason`, in place of an earlier entry."""

    happened_at = _instant(required=True)
    data = fields.Dict(keys=fields.String(), required=True)
    note = _note()
    replaces_id = _id()
    reason = _note()


class EntrySchema(_Struck):
    kind = fields.String(required=True)
    happened_at = _instant(required=True)
    data = fields.Dict(required=True)
    note = fields.String(allow_none=True)
    replaces_id = _id(allow_none=True)


class StrikeSchema(Schema):
    reason = _note(required=True)


class DoseCheckRequestSchema(Schema):
    """An order for this patient: the facts come from the record, never from the caller."""

    order = fields.Dict(keys=fields.String(), required=True)
    supply = fields.Dict(keys=fields.String())
    decided_at = _instant(required=True)
    replaces_id = _id()


class DecisionRequestSchema(DoseCheckRequestSchema):
    """An order to save. `once`: a key of the caller's that makes a repeat find the first."""

    reason_code = _code(OVERRIDES)
    reason = _note()
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
    counted_as_taken = fields.List(_id())


class DecisionSchema(_Recorded):
    """A saved decision with its findings and the whole request it was judged on."""

    patient_id = _id(required=True)
    site_id = _id(required=True)
    product = fields.String(required=True)
    dose_mg = Milligrams(required=True)
    doses_that_day = fields.Integer(required=True)
    first_increment = fields.Integer(required=True)
    decided_at = _instant(required=True)
    dose_on = fields.Date(required=True)
    last_on = fields.Date(required=True)
    rule_set = fields.String(required=True)
    rule_set_version = fields.String(required=True)
    outcome = fields.String(required=True)
    findings = fields.List(fields.Nested(DoseFindingSchema), required=True)
    request = fields.Dict(required=True)
    reason_code = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    withdrawn_at = _instant(allow_none=True)
    withdrawn_by = _id(allow_none=True)
    withdrawn_reason = fields.String(allow_none=True)


class ReplaySchema(Schema):
    """A decision judged again on the facts of its moment."""

    decision_id = _id(required=True)
    same = fields.Boolean(required=True)
    same_request = fields.Boolean(required=True)
    same_findings = fields.Boolean(required=True)
    rule_set_version = fields.String(required=True)
    now = fields.Nested(CheckSchema, required=True)


class DoseRequestSchema(Schema):
    """What became of a decided dose. `dose_mg` only for one taken in part."""

    outcome = _code(OUTCOMES, required=True)
    consumed_at = _instant(required=True)
    dose_mg = Milligrams()
    increment = _id()
    supervision = _code(SUPERVISION)
    place = _note()
    observer = _note()
    note = _note()


class ElsewhereDoseRequestSchema(Schema):
    """A dose taken at another service: a claim until prescriber and pharmacy confirm it."""

    product = _code(PRODUCTS, required=True)
    dose_mg = Milligrams(required=True)
    consumed_at = _instant(required=True)
    supervision = _code(SUPERVISION)
    place = _note()
    note = _note()


class DoseSchema(_Struck):
    decision_id = _id(allow_none=True)
    product = fields.String(required=True)
    dose_on = fields.Date(required=True)
    increment = fields.Integer(required=True)
    outcome = fields.String(required=True)
    dose_mg = Milligrams(allow_none=True)
    consumed_at = _instant(required=True)
    supervision = fields.String(allow_none=True)
    elsewhere = fields.Boolean(required=True)
    place = fields.String(allow_none=True)
    observer = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    agreed_at = _instant(allow_none=True)
    agreed_by = _id(allow_none=True)


class EntryMadeSchema(Schema):
    id = _id(required=True)
