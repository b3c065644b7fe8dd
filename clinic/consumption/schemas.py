"""The shapes of doses taken over HTTP."""

from __future__ import annotations

from marshmallow import Schema, fields

from clinic.consumption.models import OUTCOMES, SUPERVISION
from clinic.shapes import Milligrams, StruckSchema, code, instant, longer_text, row_id
from dosing.medicines import PRODUCTS


class DoseRequestSchema(Schema):
    """What became of a decided dose. `dose_mg` only for one taken in part."""

    outcome = code(OUTCOMES, required=True)
    consumed_at = instant(required=True)
    dose_mg = Milligrams()
    increment = row_id()
    supervision = code(SUPERVISION)
    place = longer_text()
    observer = longer_text()
    note = longer_text()


class ElsewhereDoseRequestSchema(Schema):
    """A dose taken at another service: a claim until prescriber and pharmacy confirm it."""

    product = code(PRODUCTS, required=True)
    dose_mg = Milligrams(required=True)
    consumed_at = instant(required=True)
    supervision = code(SUPERVISION)
    place = longer_text()
    note = longer_text()


class DoseSchema(StruckSchema):
    decision_id = row_id(allow_none=True)
    product = fields.String(required=True)
    dose_on = fields.Date(required=True)
    increment = fields.Integer(required=True)
    outcome = fields.String(required=True)
    dose_mg = Milligrams(allow_none=True)
    consumed_at = instant(required=True)
    supervision = fields.String(allow_none=True)
    elsewhere = fields.Boolean(required=True)
    place = fields.String(allow_none=True)
    observer = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    agreed_at = instant(allow_none=True)
    agreed_by = row_id(allow_none=True)
