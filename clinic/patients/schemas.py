"""The shapes of a patient's record in the API. What a value means is the commands' business."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.patients.access import REASONS
from clinic.patients.models import ALERT_KINDS, ETHNICITIES, IDENTIFIER_KINDS, SEXES
from clinic.shapes import row_id

_NAME = validate.Length(min=1, max=100)
_REASON = validate.Length(min=1, max=500)


class NumberSchema(Schema):
    """An identifier in use."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(list(IDENTIFIER_KINDS)))
    value = fields.String(required=True)


class AliasSchema(Schema):
    """Another name."""

    family_name = fields.String(required=True)
    given_name = fields.String(required=True)


class AlertSchema(Schema):
    """An alert or allergy on the banner."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(list(ALERT_KINDS)))
    says = fields.String(required=True)


class MergeSchema(Schema):
    """A record joined to this one."""

    id = fields.Integer(required=True)
    kept_id = fields.Integer(required=True)
    merged_id = fields.Integer(required=True)


class PatientSchema(Schema):
    """A record. null: not asked or not known. `id` is the kept record's when records were joined."""

    id = fields.Integer(required=True)
    version = fields.Integer(required=True)
    family_name = fields.String(required=True)
    given_name = fields.String(required=True)
    title = fields.String(required=True, allow_none=True)
    born_on = fields.Date(required=True)
    died_on = fields.Date(required=True, allow_none=True)
    sex = fields.String(required=True, validate=validate.OneOf(list(SEXES)))
    gender = fields.String(required=True, allow_none=True)
    ethnicity = fields.String(required=True, allow_none=True)
    ppo = fields.Boolean(required=True, allow_none=True)
    keyworker = fields.String(required=True, allow_none=True)
    allergies_known = fields.Boolean(required=True)
    numbers = fields.List(fields.Nested(NumberSchema), required=True)
    aliases = fields.List(fields.Nested(AliasSchema), required=True)
    alerts = fields.List(fields.Nested(AlertSchema), required=True)
    merges = fields.List(fields.Nested(MergeSchema), required=True)


class FoundSchema(Schema):
    """One patient of a list or a search."""

    id = fields.Integer(required=True)
    family_name = fields.String(required=True)
    given_name = fields.String(required=True)
    born_on = fields.Date(required=True)
    nhs_number = fields.String(required=True, allow_none=True)
    on_caseload = fields.Boolean(required=True)


class NumbersSchema(Schema):
    """Numbers as typed, by kind."""

    nhs = fields.String(validate=validate.Length(max=20))
    prison = fields.String(validate=validate.Length(max=20))
    pnc = fields.String(validate=validate.Length(max=20))
    crn = fields.String(validate=validate.Length(max=20))


class RegisterSchema(Schema):
    """A new patient. `sure`: register although somebody alike is on record."""

    family_name = fields.String(required=True, validate=_NAME)
    given_name = fields.String(required=True, validate=_NAME)
    born_on = fields.Date(required=True)
    sex = fields.String(required=True, validate=validate.OneOf(list(SEXES)))
    title = fields.String(allow_none=True, validate=validate.Length(max=30))
    gender = fields.String(allow_none=True, validate=validate.Length(max=50))
    ethnicity = fields.String(allow_none=True, validate=validate.OneOf(list(ETHNICITIES)))
    ppo = fields.Boolean(allow_none=True, truthy={True}, falsy={False})
    numbers = fields.Nested(NumbersSchema)
    sure = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class CorrectSchema(Schema):
    """The details to change, and only those. null: not known."""

    family_name = fields.String(validate=_NAME)
    given_name = fields.String(validate=_NAME)
    title = fields.String(allow_none=True, validate=validate.Length(max=30))
    born_on = fields.Date()
    died_on = fields.Date(allow_none=True)
    sex = fields.String(validate=validate.OneOf(list(SEXES)))
    gender = fields.String(allow_none=True, validate=validate.Length(max=50))
    ethnicity = fields.String(allow_none=True, validate=validate.OneOf(list(ETHNICITIES)))
    ppo = fields.Boolean(allow_none=True, truthy={True}, falsy={False})
    reason = fields.String(allow_none=True, validate=validate.Length(max=300))


class SearchSchema(Schema):
    """A name, an alias or a number."""

    q = fields.String(required=True, validate=validate.Length(min=1, max=100))


class AddNumberSchema(Schema):
    """A number to record."""

    kind = fields.String(required=True, validate=validate.OneOf(list(IDENTIFIER_KINDS)))
    value = fields.String(required=True, validate=validate.Length(min=1, max=20))


class AddAliasSchema(Schema):
    """Another name to record."""

    family_name = fields.String(required=True, validate=_NAME)
    given_name = fields.String(load_default="", validate=validate.Length(max=100))


class AddAlertSchema(Schema):
    """An alert or allergy to record, or that somebody asked and there is none."""

    kind = fields.String(required=True, validate=validate.OneOf(list(ALERT_KINDS)))
    says = fields.String(load_default="", validate=validate.Length(max=200))


class ReasonSchema(Schema):
    """Why."""

    reason = fields.String(required=True, validate=_REASON)


class JoinSchema(Schema):
    """The other record, and how you know they are one person."""

    merged_id = row_id(required=True)
    reason = fields.String(required=True, validate=_REASON)


class GlassSchema(Schema):
    """Why a record outside the caseload is needed."""

    reason_code = fields.String(required=True, validate=validate.OneOf(list(REASONS)))
    reason = fields.String(required=True, validate=_REASON)


class JoinedSchema(Schema):
    """The id by which joining two records is undone."""

    id = fields.Integer(required=True)


class GlassOpenedSchema(Schema):
    """The id of the entry a manager will look at."""

    id = fields.Integer(required=True)
