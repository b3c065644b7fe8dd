"""The shapes of entries over HTTP. `data` is in the words of the dose-check contract."""

from __future__ import annotations

from marshmallow import Schema, fields

from clinic.shapes import StruckSchema, instant, longer_text, row_id


class EntryRequestSchema(Schema):
    """One thing found or asked. With `replaces_id` and `reason`, in place of an earlier entry."""

    happened_at = instant(required=True)
    data = fields.Dict(keys=fields.String(), required=True)
    note = longer_text()
    replaces_id = row_id()
    reason = longer_text()


class EntrySchema(StruckSchema):
    kind = fields.String(required=True)
    happened_at = instant(required=True)
    data = fields.Dict(required=True)
    note = fields.String(allow_none=True)
    replaces_id = row_id(allow_none=True)
