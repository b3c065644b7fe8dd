"""The days of an induction under model 3, over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response, jsonify

from clinic.appointments import chain_commands, chain_queries
from clinic.appointments.chain_schemas import (
    ChainSchema,
    MoveDaySchema,
    PreviewSchema,
    ReplanSchema,
    ReviewSchema,
)
from clinic.appointments.schemas import SpanSchema, VisitSchema
from clinic.appointments.visit_answers import TAKEN, visit_answer
from clinic.auth import act, needs
from clinic.openapi import Blueprint, if_match
from scheduling.chains import Review

chain_api = Blueprint(
    "chain_api", __name__, url_prefix="/api/v1",
    description="Days 1, 2 and 3 of an induction: one chain",
)  # fmt: skip
_taken = chain_api.alt_response(409, **TAKEN)
_none = chain_api.alt_response(404, description="No such chain at this site")


@chain_api.get("/chains/<int:chain_id>")
@needs("appointments.read")
@chain_api.response(200, ChainSchema)
@_none
def chain(chain_id: int) -> Any:
    """The days of one induction as they stand."""
    return chain_queries.chain_view(act(), chain_id)


@chain_api.post("/chains/<int:chain_id>/preview")
@needs("appointments.book")
@chain_api.response(200, PreviewSchema)
@_taken
@_none
def preview(chain_id: int) -> Response:
    """A day was missed or cancelled: what would the rest become? Nothing is changed."""
    return jsonify(chain_queries.preview_of(chain_commands.replan, act(), chain_id))


@chain_api.post("/chains/<int:chain_id>/replan")
@needs("appointments.book")
@chain_api.arguments(ReplanSchema)
@chain_api.response(200, ChainSchema)
@_taken
@_none
def replan(given: dict[str, Any], chain_id: int) -> Any:
    """Book the missing days anew and move those after them, just as the preview has it."""
    chain_commands.replan(act(), chain_id, **given)
    return chain_queries.chain_view(act(), chain_id)


@chain_api.get("/visits/<int:visit_id>/reviews")
@needs("appointments.read")
@chain_api.arguments(SpanSchema, location="query")
@chain_api.response(200, ReviewSchema(many=True))
@chain_api.alt_response(404, description="No day 2 or 3 at this site")
def reviews(given: dict[str, date], visit_id: int) -> list[Review]:
    """Where else could day 2 or 3 be, from one London date to another?"""
    return chain_queries.free_reviews(act(), visit_id, given["first"], given["last"])[1]


@chain_api.post("/visits/<int:visit_id>/move-day")
@needs("appointments.book")
@chain_api.arguments(MoveDaySchema)
@chain_api.response(200, VisitSchema)
@chain_api.alt_response(412, description="Changed meanwhile; says by whom")
@_taken
def move_day(given: dict[str, Any], visit_id: int) -> Response:
    """Move day 2 or 3 to another review, and the day after it along with it."""
    moved = chain_commands.move_day(act(), visit_id, version=if_match(), **given)
    return visit_answer(moved)
