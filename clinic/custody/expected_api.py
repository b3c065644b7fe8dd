"""Who is to come from a prison outside this system, over HTTP."""

from __future__ import annotations

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from clinic.auth import act, needs
from clinic.custody import expected, expected_commands
from clinic.custody.api import custody_api
from clinic.custody.elsewhere import LONGEST_NOTE
from clinic.custody.schemas import LONGEST_NAME, CameSchema, StrikeOutSchema, reason
from clinic.shapes import day, row_id

_refused = custody_api.alt_response(422, description="A value that cannot stand, by field")
_taken = custody_api.alt_response(409, description="Expected or received already, or over")
_ONE = "/custody/expected/<int:row_id>"


class _ExpectedFields(CameSchema):
    on = day()
    told_by = fields.String(validate=validate.Length(max=LONGEST_NAME))
    note = fields.String(allow_none=True, validate=validate.Length(max=LONGEST_NOTE))


class ExpectedRequestSchema(_ExpectedFields):
    """What another prison said of somebody who is to come. `told_on`: today when not said."""

    patient_id = row_id(required=True)
    on = day(required=True)
    told_by = fields.String(required=True, validate=validate.Length(max=LONGEST_NAME))


class ExpectedCorrectionSchema(_ExpectedFields):
    """What was said, put right; only what changes."""

    reason = reason()


class ExpectedKeyworkerSchema(Schema):
    """Who will be their keyworker."""

    staff_id = row_id(required=True)


class ExpectedSchema(CameSchema):
    """Somebody expected, or said lately not to come. `day` of custody on the day of the move."""

    id = row_id(attribute="row.id", required=True)
    patient_id = row_id(required=True)
    on = day(attribute="row.on", required=True)
    told_on = day(attribute="row.told_on", required=True)
    told_by = fields.String(attribute="row.told_by", required=True)
    came_from = fields.String(attribute="row.came_from", required=True)
    came_from_nation = fields.String(attribute="row.came_from_nation", required=True)
    first_received_on = day(attribute="row.first_received_on", allow_none=True, required=True)
    first_received_at = fields.AwareDateTime(
        attribute="row.first_received_at", format="iso", allow_none=True, required=True
    )
    count_said_by = fields.String(attribute="row.count_said_by", allow_none=True, required=True)
    keyworker_there = fields.String(attribute="row.keyworker_there", allow_none=True, required=True)
    note = fields.String(attribute="row.note", allow_none=True, required=True)
    ended_as = fields.String(attribute="row.ended_as", allow_none=True, required=True)
    day = fields.Integer(allow_none=True, required=True)
    keyworker = fields.String(allow_none=True, required=True)
    late = fields.Boolean(required=True)


class ExpectedListSchema(Schema):
    """Who is expected, by day; then who, said lately, will not come."""

    expected = fields.List(fields.Nested(ExpectedSchema), required=True)


class ExpectedMadeSchema(Schema):
    id = row_id(required=True)


def _made(made_id: int) -> ResponseReturnValue:
    response = jsonify({"id": made_id})
    response.status_code = 201
    return response


@custody_api.get("/custody/expected")
@needs("custody.read")
@custody_api.response(200, ExpectedListSchema)
def expected_arrivals() -> dict[str, Any]:
    """Who is to come from a prison outside."""
    return {"expected": expected.expected(act())}


@custody_api.post("/custody/expected")
@needs("custody.deliver")
@custody_api.arguments(ExpectedRequestSchema)
@custody_api.response(201, ExpectedMadeSchema)
@_taken
@_refused
def expect(given: dict[str, Any]) -> ResponseReturnValue:
    """Another prison says that somebody is coming."""
    return _made(expected_commands.expect_arrival(act(), **given))


@custody_api.patch(_ONE)
@needs("custody.deliver")
@custody_api.arguments(ExpectedCorrectionSchema)
@custody_api.response(201, ExpectedMadeSchema)
@_taken
@_refused
def correct_expected(given: dict[str, Any], row_id: int) -> ResponseReturnValue:
    """Put right what was said; the corrected entry has a new id."""
    return _made(expected_commands.correct_expected(act(), row_id, **given))


@custody_api.post(f"{_ONE}/not-coming")
@needs("custody.deliver")
@custody_api.arguments(StrikeOutSchema)
@custody_api.response(204)
@_taken
def not_coming(given: dict[str, Any], row_id: int) -> None:
    """They will not come."""
    expected_commands.not_coming(act(), row_id, **given)


@custody_api.post(f"{_ONE}/still-coming")
@needs("custody.deliver")
@custody_api.arguments(StrikeOutSchema)
@custody_api.response(201, ExpectedMadeSchema)
@_taken
def still_coming(given: dict[str, Any], row_id: int) -> ResponseReturnValue:
    """They will come after all; the entry has a new id."""
    return _made(expected_commands.still_coming(act(), row_id, **given))


@custody_api.post(f"{_ONE}/keyworker")
@needs("custody.allocate")
@custody_api.arguments(ExpectedKeyworkerSchema)
@custody_api.response(204)
@_taken
@_refused
def name_for_expected(given: dict[str, Any], row_id: int) -> None:
    """Name their keyworker before they come."""
    expected_commands.name_for_expected(act(), row_id, **given)
