"""Missed contact over HTTP."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from clinic.appointments import missed_commands, missed_queries
from clinic.appointments.missed_models import BEGAN, HOW, OUTCOMES, REASONS
from clinic.appointments.schemas import WhySchema
from clinic.auth import act, needs
from clinic.shapes import MadeSchema, StruckSchema, code, instant, longer_text, row_id

missed_api = Blueprint(
    "missed_api", __name__, url_prefix="/api/v1", description="Missed contact and its ladder"
)
_not_there = missed_api.alt_response(404, description="No such missed contact at this site")
_twice = missed_api.alt_response(409, description="Recorded already, or struck out")


class LostContactSchema(Schema):
    """Since when contact is lost, and what is known."""

    missed_at = instant(required=True)
    note = longer_text(required=True)


class TrySchema(Schema):
    """What was tried. `reason`: required when the person was reached, otherwise none."""

    how = code(HOW, required=True)
    at = instant(required=True)
    outcome = code(OUTCOMES, required=True)
    reason = code(REASONS, load_default=None, allow_none=True)
    note = longer_text(load_default=None, allow_none=True)


class TriedSchema(StruckSchema, TrySchema):
    """A try as it stands."""


class StepSchema(Schema):
    """A step of the ladder; `done_at` null: not yet."""

    rule = fields.String(required=True)
    how = fields.String(required=True)
    says = fields.String(required=True)
    due_at = instant(required=True)
    done_at = instant(required=True, allow_none=True)


class LadderSchema(Schema):
    """A missed contact: its steps, the first due first, and what was tried."""

    id = row_id(required=True, attribute="row.id")
    patient_id = row_id(required=True, attribute="row.patient_id")
    visit_id = row_id(required=True, allow_none=True, attribute="row.visit_id")
    because = code(BEGAN, required=True, attribute="row.because")
    missed_at = instant(required=True, attribute="row.missed_at")
    ended = code(missed_queries.ENDED, required=True, allow_none=True)
    steps = fields.List(fields.Nested(StepSchema), required=True)
    tries = fields.List(fields.Nested(TriedSchema), required=True)


@missed_api.get("/missed-contacts")
@needs("appointments.read")
@missed_api.response(200, LadderSchema(many=True))
def ladders() -> list[missed_queries.Ladder]:
    """Whose ladder goes on, the step due first above the others?"""
    return missed_queries.open_ladders(act())


@missed_api.get("/missed-contacts/<int:ladder_id>")
@needs("appointments.read")
@missed_api.response(200, LadderSchema)
@_not_there
def ladder(ladder_id: int) -> missed_queries.Ladder:
    """One ladder, whatever became of it."""
    return missed_queries.ladder(act(), ladder_id)


@missed_api.post("/patients/<int:patient_id>/missed-contacts")
@needs("contacts.record")
@missed_api.arguments(LostContactSchema)
@missed_api.response(201, MadeSchema)
def begin_lost_contact(given: dict[str, Any], patient_id: int) -> dict[str, int]:
    """Contact with somebody was lost: the ladder begins."""
    return {"id": missed_commands.begin_lost_contact(act(), patient_id, **given)}


@missed_api.post("/missed-contacts/<int:ladder_id>/tries")
@needs("contacts.record")
@missed_api.arguments(TrySchema)
@missed_api.response(201, MadeSchema)
@_not_there
@_twice
def record_try(given: dict[str, Any], ladder_id: int) -> dict[str, int]:
    """Record one thing tried, and what came of it."""
    return {"id": missed_commands.record_try(act(), ladder_id, **given)}


@missed_api.post("/missed-contacts/<int:ladder_id>/tries/<int:try_id>/strike")
@needs("contacts.record")
@missed_api.arguments(WhySchema)
@missed_api.response(204)
@_not_there
@_twice
def strike_try(given: dict[str, Any], ladder_id: int, try_id: int) -> None:
    """Strike out a try recorded in error."""
    missed_commands.strike_try(act(), ladder_id, try_id, given["reason"])


@missed_api.post("/missed-contacts/<int:ladder_id>/strike")
@needs("contacts.record")
@missed_api.arguments(WhySchema)
@missed_api.response(204)
@_not_there
@_twice
def strike_lost_contact(given: dict[str, Any], ladder_id: int) -> None:
    """Contact was not lost after all."""
    missed_commands.strike_lost_contact(act(), ladder_id, given["reason"])
