"""The shapes of a site and what holds there in the API."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.shapes import row_id
from clinic.sites.commands import MODELS
from clinic.sites.models import CALENDAR_CHANGES, FEATURES, KINDS, NATIONS, RULE_SETS
from clinic.staff.models import POSTS

_SHORT = validate.Length(max=200)


class EditSiteSchema(Schema):
    """The details to change, and only those. null: not known."""

    name = fields.String(validate=validate.Length(min=1, max=200))
    ods_code = fields.String(allow_none=True, validate=_SHORT)
    area = fields.String(allow_none=True, validate=_SHORT)
    address = fields.String(allow_none=True, validate=_SHORT)
    telephone = fields.String(allow_none=True, validate=_SHORT)
    out_of_hours_line = fields.String(allow_none=True, validate=_SHORT)


class AddSiteSchema(EditSiteSchema):
    """A new site."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=200))
    kind = fields.String(required=True, validate=validate.OneOf(list(KINDS)))
    nation = fields.String(required=True, validate=validate.OneOf(list(NATIONS)))
    rule_set = fields.String(validate=validate.OneOf(list(RULE_SETS)))


class ClosureSchema(Schema):
    """A day the site is shut."""

    id = fields.Integer(dump_only=True)
    on = fields.Date(required=True)
    reason = fields.String(required=True, validate=validate.Length(min=1, max=200))


class SiteSchema(AddSiteSchema):
    """A site as it stands today. null: not set, or not known."""

    id = fields.Integer(required=True)
    version = fields.Integer(required=True)
    model = fields.Integer(required=True, allow_none=True)
    rule_set = fields.String(required=True, allow_none=True)
    features = fields.List(fields.String(), required=True)
    closures = fields.List(fields.Nested(ClosureSchema), required=True)


class SetModelSchema(Schema):
    """A rapid prescribing model from a day on (today when left out)."""

    model = fields.Integer(required=True, strict=True, validate=validate.OneOf(list(MODELS)))
    from_on = fields.Date()
    reason = fields.String(validate=validate.Length(max=500))


class RuleSetSchema(Schema):
    """The rules doses are checked against from a day on (today when left out)."""

    rule_set = fields.String(required=True, validate=validate.OneOf(list(RULE_SETS)))
    from_on = fields.Date()


class FeatureSchema(Schema):
    """Something the site has from a day on (today when left out)."""

    feature = fields.String(required=True, validate=validate.OneOf(list(FEATURES)))
    from_on = fields.Date()


class PostSchema(Schema):
    """Who holds a post from today."""

    post = fields.String(required=True, validate=validate.OneOf(list(POSTS)))
    staff_id = row_id(required=True)


class CalendarChangeSchema(Schema):
    """A bank holiday announced late."""

    id = fields.Integer(dump_only=True)
    nation = fields.String(required=True, validate=validate.OneOf(list(NATIONS)))
    on = fields.Date(required=True)
    change = fields.String(required=True, validate=validate.OneOf(list(CALENDAR_CHANGES)))
    announced_on = fields.Date(load_default=None, allow_none=True)
    name = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=100))
    withdrawn_on = fields.Date(dump_only=True, allow_none=True)
