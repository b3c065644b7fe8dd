"""Routine visits, and the blocks that were passed, over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields

from clinic.appointments import overrides, place_queries, routine_commands
from clinic.appointments.schemas import (
    OverridableSchema,
    PlaceSchema,
    PlaceWantedSchema,
    SpanSchema,
    VisitSchema,
)
from clinic.appointments.visit_answers import TAKEN, new_visit
from clinic.auth import act, needs
from clinic.openapi import Blueprint
from clinic.shapes import code, instant, row_id
from clinic.sheets import as_csv
from scheduling.booking import REASONS, ROUTINE, SOFT
from scheduling.slots import Place

routine_api = Blueprint(
    "routine_api", __name__, url_prefix="/api/v1",
    description="Routine visits, and places given although they are kept back",
)  # fmt: skip


class RoutineSchema(OverridableSchema, PlaceWantedSchema):
    """Who gets which place, for what."""

    patient_id = row_id(required=True)
    kind = code(dict(ROUTINE), required=True)


class PassedSchema(Schema):
    """A block passed for a visit. `waited_days`: the wait with that place; null for routine work."""

    visit_id = row_id(required=True)
    starts_at = instant(required=True)
    kind = fields.String(required=True)
    status = fields.String(required=True)
    block = code(dict(SOFT), required=True)
    reason = code(dict(REASONS), required=True)
    note = fields.String(required=True)
    waited_days = fields.Integer(required=True, allow_none=True)
    by = fields.String(required=True)
    at = instant(required=True)


class CountSchema(Schema):
    """How many in a month (its first day) for one reason."""

    month = fields.Date(required=True)
    reason = fields.String(required=True)
    count = fields.Integer(required=True)


class ReportSchema(Schema):
    """Blocks passed at this site, the newest first."""

    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")
    rows = fields.List(fields.Nested(PassedSchema), required=True, data_key="overrides")
    counts = fields.Function(
        lambda found: [
            CountSchema().dump({"month": month, "reason": reason, "count": count})
            for month, reason, count in found.counts
        ],
        metadata={"type": "array", "items": {"type": "object"}},
    )


@routine_api.get("/routine-places")
@needs("appointments.read")
@routine_api.arguments(SpanSchema, location="query")
@routine_api.response(200, PlaceSchema(many=True))
def routine_places(given: dict[str, Any]) -> list[Place]:
    """The free places routine visits may have here, from one London date to another."""
    return place_queries.routine_places(act(), given["first"], given["last"])


@routine_api.post("/visits/routine")
@needs("appointments.book")
@routine_api.arguments(RoutineSchema)
@routine_api.response(201, VisitSchema)
@routine_api.alt_response(409, **TAKEN)
def book_routine(given: dict[str, Any]) -> ResponseReturnValue:
    """Book a routine visit in a place that is not kept for rapid work."""
    return new_visit(routine_commands.book_routine(act(), **given))


@routine_api.post("/visits/routine/hold")
@needs("appointments.book")
@routine_api.arguments(RoutineSchema)
@routine_api.response(201, VisitSchema)
@routine_api.alt_response(409, **TAKEN)
def hold_routine(given: dict[str, Any]) -> ResponseReturnValue:
    """Hold a place for a routine visit until `lapses_at`; confirm it or let it go like any other."""
    return new_visit(routine_commands.book_routine(act(), **given, hold=True))


@routine_api.get("/visits/overrides")
@needs("appointments.rota")
@routine_api.response(200, ReportSchema)
def report() -> overrides.Report:
    """Who passed which block here, when and why, over twelve months."""
    return overrides.report(act())


HEADS = ("recorded_at", "by", "visit_id", "starts_at", "kind", "status", "block", "reason",
         "note", "waited_days")  # fmt: skip


def as_sheet(found: overrides.Report) -> Response:
    """The report as a CSV file; times in UTC with their offset."""
    return as_csv(
        f"overrides-{found.last.isoformat()}.csv", HEADS,
        [
            (
                row.at.isoformat(), row.by, row.visit_id, row.starts_at.isoformat(), row.kind,
                row.status, row.block, row.reason, row.note, row.waited_days,
            )
            for row in found.rows
        ],
    )  # fmt: skip
