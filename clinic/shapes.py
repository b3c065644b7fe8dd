"""The pieces of shape that rooms share over HTTP.

Instants carry an offset, milligrams are decimal text, staff and patients are named by id.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import Response, jsonify
from marshmallow import Schema, ValidationError, fields, validate

from dosing.shape import FIRST_YEAR, LAST_YEAR, DecimalText, Refused
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


def _exists(value: date | datetime) -> None:
    """A year no record can have stops here: a time zone could carry it past the calendar's end."""
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValidationError(f"must be in a year from {FIRST_YEAR} to {LAST_YEAR}")


def instant(**more: Any) -> fields.AwareDateTime:
    return fields.AwareDateTime(format="iso", validate=_exists, **more)


def day(**more: Any) -> fields.Date:
    return fields.Date(validate=_exists, **more)


def row_id(**more: Any) -> fields.Integer:
    """The number of a row. One too large for any row is refused before a database is asked."""
    return fields.Integer(strict=True, validate=validate.Range(min=1, max=2**31 - 1), **more)


def yes_no(**more: Any) -> fields.Boolean:
    """Yes, no, or null for not asked: never a word or a number that might mean either."""
    return fields.Boolean(truthy={True}, falsy={False}, allow_none=True, **more)


def code(codes: Any, **more: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(list(codes)), **more)


def longer_text(**more: Any) -> fields.String:
    return fields.String(validate=validate.Length(max=LONGEST_NOTE), **more)


class RecordedSchema(Schema):
    id = row_id(required=True)
    recorded_at = instant(required=True)
    recorded_by = row_id(required=True)


class StruckSchema(RecordedSchema):
    struck_at = instant(allow_none=True)
    struck_by = row_id(allow_none=True)
    struck_reason = fields.String(allow_none=True)


class StrikeSchema(Schema):
    reason = longer_text(required=True)


class MadeSchema(Schema):
    id = row_id(required=True)


def made(path: str, row_id: int) -> Response:
    """201, with the new row's id and address."""
    response = jsonify({"id": row_id})
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/patients/{path}/{row_id}"
    return response
