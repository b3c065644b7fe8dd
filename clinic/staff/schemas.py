"""The shapes of accounts and tokens in the API."""

from __future__ import annotations

from marshmallow import Schema, fields
from marshmallow.validate import Length

from clinic.shapes import row_id


class TokenRequestSchema(Schema):
    """Who asks for a token, and at which of their sites it works (the first when left out)."""

    email = fields.String(required=True, validate=Length(min=1, max=200))
    password = fields.String(required=True, load_only=True, validate=Length(min=1, max=200))
    site_id = row_id()


class IssueSchema(Schema):
    """A token for another system: an account's, at one site, for some of what the account may do."""

    site_id = row_id(required=True)
    label = fields.String(required=True, validate=Length(min=1, max=200))
    scopes = fields.List(fields.String(), required=True)
    days = row_id(required=True)


class RegistrationRequestSchema(Schema):
    """A professional registration as it should read, null for none, and why it changes."""

    registration = fields.String(required=True, allow_none=True, validate=Length(max=50))
    reason = fields.String(required=True, validate=Length(min=1, max=200))


class RegistrationChangeSchema(Schema):
    was = fields.String(required=True, allow_none=True)
    became = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True, format="iso")
    recorded_by = fields.Integer(required=True)


class RegistrationSchema(Schema):
    """Somebody's professional registration and every change of it, oldest first."""

    staff_id = fields.Integer(required=True, attribute="id")
    registration = fields.String(required=True, allow_none=True)
    changes = fields.List(
        fields.Nested(RegistrationChangeSchema), required=True, attribute="registrations"
    )


class TokenSchema(Schema):
    """A bearer token. It is told once."""

    token = fields.String(required=True)
    token_id = fields.Integer(required=True)
    site_id = fields.Integer(required=True)
    scopes = fields.List(fields.String(), required=True)
    expires_at = fields.AwareDateTime(required=True, format="iso")


class MeSchema(Schema):
    """Who the bearer of this token is, and what the token may do."""

    staff_id = fields.Integer(required=True)
    name = fields.String(required=True)
    site_id = fields.Integer(required=True)
    site_name = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    rights = fields.List(fields.String(), required=True)
