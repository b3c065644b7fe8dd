"""What another prison says of somebody who came from there, over HTTP."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from clinic.auth import act, needs
from clinic.custody import commands, elsewhere, fact_commands
from clinic.custody.api import custody_api, stay_answer
from clinic.custody.elsewhere import LONGEST_NOTE, REPORTABLE
from clinic.custody.models import DELIVERY_OUTCOMES, MODES, PARTIES, TOPIC_NAMES, WHO_SAID
from clinic.custody.schemas import LONGEST_CELL, StaySchema, StrikeOutSchema, reason
from clinic.openapi import VERSIONED, if_match
from clinic.shapes import code, day, instant, row_id, yes_no

_ONE = "/receptions/<int:reception_id>/reported"
_stale = custody_api.alt_response(412, description="Changed meanwhile; says by whom")
_refused = custody_api.alt_response(422, description="A value that cannot stand, by field")
_versioned = custody_api.doc(**VERSIONED)


class _ReportFields(Schema):
    on = day(allow_none=True)
    outcome = code(DELIVERY_OUTCOMES)
    by = fields.List(code(PARTIES))
    topic = code(TOPIC_NAMES, allow_none=True)
    mode = code(MODES, allow_none=True)
    note = fields.String(allow_none=True, validate=validate.Length(max=LONGEST_NOTE))


class ReportRequestSchema(_ReportFields):
    """Something done at the prison they came from. `on` null: nobody says when, and it counts for nothing."""

    item = code(REPORTABLE, required=True)
    said_by = code(WHO_SAID, required=True)


class ReportCorrectionSchema(_ReportFields):
    """What was reported, put right; only what changes."""

    reason = reason()
    item = code(REPORTABLE)
    said_by = code(WHO_SAID)


class ArrivalSchema(Schema):
    """Somebody came from another prison within the same stay. `wing_id`: when not settled, null."""

    arrived_at = instant(required=True)
    wing_id = row_id(allow_none=True)
    cell = fields.String(allow_none=True, validate=validate.Length(max=LONGEST_CELL))


class UncountedSchema(Schema):
    """Somebody of whom nobody can say which day of custody it is."""

    reception_id = row_id(required=True)
    patient_id = row_id(required=True)
    came_from = fields.String(required=True)
    came_on = day(required=True)
    ppo = yes_no(required=True)
    heightened_risk = yes_no(required=True)


class UncountedListSchema(Schema):
    """Who came from a prison outside and has no day first received yet, the longest here first."""

    people = fields.List(fields.Nested(UncountedSchema), required=True)


@custody_api.post(_ONE)
@needs("custody.deliver")
@custody_api.arguments(ReportRequestSchema)
@custody_api.response(201, StaySchema)
@_refused
def report_elsewhere(given: dict[str, Any], reception_id: int) -> ResponseReturnValue:
    """Enter something done at the prison they came from, as reported."""
    fact_commands.report_elsewhere(act(), reception_id, **given)
    return stay_answer(reception_id, 201)


@custody_api.patch(f"{_ONE}/<int:fact_id>")
@needs("custody.deliver")
@custody_api.arguments(ReportCorrectionSchema)
@custody_api.response(200, StaySchema)
@_versioned
@_stale
@_refused
def correct_report(given: dict[str, Any], reception_id: int, fact_id: int) -> ResponseReturnValue:
    """Put right what was reported; the corrected one has a new id."""
    fact_commands.correct_fact(
        act(), reception_id, "reported", fact_id, version=if_match(), **given
    )
    return stay_answer(reception_id)


@custody_api.post(f"{_ONE}/<int:fact_id>/strike-out")
@needs("custody.deliver")
@custody_api.arguments(StrikeOutSchema)
@custody_api.response(200, StaySchema)
@_versioned
@_stale
def strike_report(given: dict[str, Any], reception_id: int, fact_id: int) -> ResponseReturnValue:
    """It was entered in error."""
    fact_commands.strike_out(act(), reception_id, "reported", fact_id, version=if_match(), **given)
    return stay_answer(reception_id)


@custody_api.post("/receptions/<int:reception_id>/arrival")
@needs("custody.receive")
@custody_api.arguments(ArrivalSchema)
@custody_api.response(201, StaySchema)
@custody_api.alt_response(409, description="Not under way at another prison, or here already")
@_refused
def receive_transfer(given: dict[str, Any], reception_id: int) -> ResponseReturnValue:
    """They came from another prison within this stay: their days go on."""
    commands.receive_transfer(act(), reception_id, **given)
    return stay_answer(reception_id, 201)


@custody_api.get("/custody/uncounted")
@needs("custody.read")
@custody_api.response(200, UncountedListSchema)
def uncounted() -> dict[str, Any]:
    """Of whom nobody can say which day of custody it is."""
    return {"people": elsewhere.uncounted(act())}
