"""The shapes of rules, signatures, tighter limits and overrides in the API."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.guidance.queries import FILTERS
from clinic.shapes import Milligrams, code, instant, row_id
from clinic.sites.models import RULE_SETS

_TEXT = validate.Length(min=1, max=500)
_NAME = validate.Length(min=1, max=60)


class AskedSchema(Schema):
    """Which rules to list; all of the site's own set when nothing is asked."""

    set = code(FILTERS["set"])
    severity = code(FILTERS["severity"])
    confidence = code(FILTERS["confidence"])
    medicine = code(FILTERS["medicine"])
    family = fields.String(validate=_NAME)
    q = fields.String(validate=validate.Length(max=100))
    unsigned = fields.Boolean()
    tightened = fields.Boolean()
    fired = fields.Boolean(metadata={"description": "fired here in the last 90 days"})


class SetSchema(Schema):
    set = code(RULE_SETS)


class RuleFilterSchema(Schema):
    rule = fields.String(validate=_NAME)


class QuarterSchema(Schema):
    quarter = fields.String(
        validate=validate.Regexp(r"20[0-9]{2}-Q[1-4]\Z"), metadata={"example": "2026-Q4"}
    )
    page = fields.Integer(strict=False, validate=validate.Range(min=1, max=99_999))


class LimitSchema(Schema):
    """A number or list a rule reads. `here`: this site's stricter value where it counts."""

    name = fields.String(required=True)
    shipped = fields.Raw(required=True)
    here = fields.String(required=True, allow_none=True)
    tighter = fields.String(required=True, allow_none=True)


class SourceSchema(Schema):
    id = fields.String(required=True)
    title = fields.String(required=True)
    seen = fields.String(required=True)
    publisher = fields.String(required=True, allow_none=True)
    year = fields.Integer(required=True, allow_none=True)
    url = fields.String(required=True, allow_none=True)


class SignatureSchema(Schema):
    """Who signed which version. Withdrawn ones stay."""

    id = row_id(required=True)
    site_id = row_id(required=True)
    rule = fields.String(required=True)
    rule_set = fields.String(required=True)
    edition = fields.String(required=True)
    fingerprint = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True)
    registration = fields.String(required=True)
    note = fields.String(required=True, allow_none=True)
    recorded_at = instant(required=True)
    recorded_by = row_id(required=True)
    withdrawn_at = instant(required=True, allow_none=True)
    withdrawn_by = row_id(required=True, allow_none=True)
    withdrawn_reason = fields.String(required=True, allow_none=True)


class VersionSchema(Schema):
    """One version of a rule in one set, as shipped, and what this site knows beside it."""

    set = fields.String(required=True)
    edition = fields.String(required=True)
    state = fields.String(required=True)
    first_on = fields.Date(required=True, allow_none=True)
    last_on = fields.Date(required=True, allow_none=True)
    severity = fields.String(required=True, allow_none=True)
    says = fields.String(required=True)
    unit = fields.String(required=True)
    limits = fields.List(fields.Nested(LimitSchema), required=True)
    source = fields.String(required=True)
    where = fields.String(required=True)
    sources = fields.List(fields.Nested(SourceSchema), required=True)
    confidence = fields.String(required=True)
    rests_on = fields.String(required=True, allow_none=True)
    signed = fields.Boolean(required=True)
    checked_by = fields.String(required=True, allow_none=True)
    checked_on = fields.Date(required=True, allow_none=True)
    signature = fields.Nested(SignatureSchema, required=True, allow_none=True)
    review_by = fields.Date(required=True)
    review_overdue = fields.Boolean(required=True)
    fingerprint = fields.String(required=True)


class RuleSchema(Schema):
    """A rule or definition with every version of both sets."""

    id = fields.String(required=True)
    asks = fields.String(required=True)
    is_definition = fields.Boolean(required=True)
    of_practice = fields.Boolean(
        required=True, metadata={"description": "how the service works, under either rule set"}
    )
    family = fields.String(required=True)
    medicines = fields.List(fields.String(), required=True)
    hazard = fields.String(required=True)
    fired_here = fields.Integer(required=True)
    versions = fields.List(fields.Nested(VersionSchema), required=True)


class RulesSchema(Schema):
    """The rules of a set in force today. `unsigned`: how many of the whole set nobody has signed."""

    rule_set = fields.String(required=True)
    edition = fields.String(required=True)
    chosen_here = fields.String(required=True, allow_none=True)
    total = fields.Integer(required=True)
    unsigned = fields.Integer(required=True)
    rules = fields.List(fields.Nested(RuleSchema), required=True)
    definitions = fields.List(fields.Nested(RuleSchema), required=True)
    practice = fields.List(fields.Nested(RuleSchema), required=True)
    practice_total = fields.Integer(required=True)
    practice_unsigned = fields.Integer(required=True)


class ToSignSchema(Schema):
    id = fields.String(required=True)
    asks = fields.String(required=True)
    version = fields.Nested(VersionSchema, required=True)


class ChangeSchema(Schema):
    what = fields.String(required=True)
    value = fields.String(required=True)


class ExampleSchema(Schema):
    """One worked example tried now: what it expects, what the rule did, and whether they agree."""

    number = fields.Integer(required=True)
    rule_set = fields.String(required=True)
    base = fields.String(required=True)
    changes = fields.List(fields.Nested(ChangeSchema), required=True)
    expects = fields.String(required=True)
    did = fields.String(required=True, allow_none=True)
    held = fields.Boolean(required=True, allow_none=True)


class SignRequestSchema(Schema):
    """`fingerprint`: of the version that was read. `registration`: the account's if left out."""

    rule = fields.String(required=True, validate=_NAME)
    fingerprint = fields.String(required=True, validate=validate.Length(equal=64))
    registration = fields.String(validate=validate.Length(max=50))
    note = fields.String(validate=validate.Length(max=500))


class ReasonSchema(Schema):
    reason = fields.String(required=True, validate=_TEXT)


class EndTighteningSchema(Schema):
    """Back to the shipped limit from a day on (today when left out)."""

    rule = fields.String(required=True, validate=_NAME)
    limit = fields.String(required=True, validate=_NAME)
    rule_set = code(RULE_SETS)
    from_on = fields.Date()
    reason = fields.String(required=True, validate=_TEXT)


class TightenSchema(EndTighteningSchema):
    """A stricter value of one limit, as exact decimal text, from a day on (today when left out)."""

    value = Milligrams(required=True)


class TighteningSchema(Schema):
    """One change of a limit at this site. `value` null: back to the shipped one."""

    id = row_id(required=True)
    rule = fields.String(required=True)
    rule_set = fields.String(required=True)
    limit = fields.String(required=True, attribute="limit_name")
    value = fields.String(required=True, allow_none=True)
    from_on = fields.Date(required=True)
    reason = fields.String(required=True)
    recorded_at = instant(required=True)
    recorded_by = row_id(required=True)
    recorded_by_name = fields.String(required=True)
    state = fields.String(required=True)


class ReviewRequestSchema(Schema):
    comment = fields.String(required=True, validate=_TEXT)


class ReviewSchema(Schema):
    by = fields.String(required=True)
    at = instant(required=True)
    comment = fields.String(required=True)


class OverrideSchema(Schema):
    """One alert gone against."""

    id = row_id(required=True)
    found_on = fields.Date(required=True, attribute="finding.found_on")
    rule = fields.String(required=True, attribute="finding.rule")
    rule_set = fields.String(required=True, attribute="finding.rule_set")
    message = fields.String(required=True, attribute="finding.message")
    reason_code = fields.String(required=True, attribute="finding.reason_code")
    reason = fields.String(required=True, attribute="finding.reason")
    prescriber_id = row_id(required=True, attribute="finding.recorded_by")
    prescriber = fields.String(required=True)
    patient_id = row_id(required=True, attribute="finding.patient_id")
    decision_id = row_id(required=True, allow_none=True, attribute="finding.decision_id")
    script_id = row_id(required=True, allow_none=True, attribute="finding.script_id")
    taken_back = fields.Boolean(required=True)
    stopped_since = fields.Boolean(required=True)
    reviews = fields.List(fields.Nested(ReviewSchema), required=True)


class RegisterSchema(Schema):
    quarter = fields.String(required=True)
    total = fields.Integer(required=True)
    page = fields.Integer(required=True)
    last = fields.Integer(required=True)
    overrides = fields.List(fields.Nested(OverrideSchema), required=True)


class RateSchema(Schema):
    """`of`: a rule's id or a prescriber's name. `percent` null: no alert fired."""

    of = fields.String(required=True)
    staff_id = row_id(required=True, allow_none=True)
    alerts = fields.Integer(required=True)
    gone_against = fields.Integer(required=True)
    stops = fields.Integer(required=True)
    percent = fields.Integer(required=True, allow_none=True)


class RatesSchema(Schema):
    quarter = fields.String(required=True)
    by_rule = fields.List(fields.Nested(RateSchema), required=True)
    by_prescriber = fields.List(fields.Nested(RateSchema), required=True)
