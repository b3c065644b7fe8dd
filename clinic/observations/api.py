"""Rounds of observations, the watch, what is held already and tasks by phase over HTTP."""

from __future__ import annotations

from typing import Any

from clinic.auth import act, needs
from clinic.custody.schemas import StrikeOutSchema
from clinic.observations import commands, queries
from clinic.observations.schemas import (
    EndRequestSchema,
    FirstDaysSchema,
    HeldRequestSchema,
    ObservationRequestSchema,
    StimulantRequestSchema,
    TaskRequestSchema,
    ThisRoundSchema,
)
from clinic.openapi import Blueprint

observations_api = Blueprint(
    "observations_api", __name__, url_prefix="/api/v1",
    description="The first days on the wing: observations, the watch, tasks by phase",
)  # fmt: skip

_refused = observations_api.alt_response(422, description="A value that cannot stand, by field")
_ONE = "/receptions/<int:reception_id>"


@observations_api.get("/observations/round")
@needs("custody.read")
@observations_api.response(200, ThisRoundSchema)
def this_round() -> dict[str, Any]:
    """Who is to be seen this round, and which rounds were missed."""
    return {"people": queries.this_round(act())}


@observations_api.get(f"{_ONE}/first-days")
@needs("custody.read")
@observations_api.response(200, FirstDaysSchema)
def first_days(reception_id: int) -> queries.FirstDays:
    """The first days of a stay on the clinical side."""
    return queries.first_days(act(), reception_id)


@observations_api.post(f"{_ONE}/observations")
@needs("custody.deliver")
@observations_api.arguments(ObservationRequestSchema)
@observations_api.response(201, FirstDaysSchema)
@_refused
def observe(given: dict[str, Any], reception_id: int) -> queries.FirstDays:
    """Record that somebody was seen."""
    commands.observe(act(), reception_id, **given)
    return queries.first_days(act(), reception_id)


@observations_api.post(f"{_ONE}/stimulants")
@needs("custody.deliver")
@observations_api.arguments(StimulantRequestSchema)
@observations_api.response(201, FirstDaysSchema)
@_refused
def stimulants(given: dict[str, Any], reception_id: int) -> queries.FirstDays:
    """Say whether they use stimulants."""
    commands.say_stimulants(act(), reception_id, **given)
    return queries.first_days(act(), reception_id)


@observations_api.post(f"{_ONE}/observation-end")
@needs("prescribing.assess")
@observations_api.arguments(EndRequestSchema)
@observations_api.response(201, FirstDaysSchema)
@_refused
def end_rounds(given: dict[str, Any], reception_id: int) -> queries.FirstDays:
    """Set the last day with rounds, later or earlier than day 7."""
    commands.end_observations(act(), reception_id, **given)
    return queries.first_days(act(), reception_id)


@observations_api.post(f"{_ONE}/held-assessments")
@needs("custody.deliver")
@observations_api.arguments(HeldRequestSchema)
@observations_api.response(201, FirstDaysSchema)
@_refused
def hold(given: dict[str, Any], reception_id: int) -> queries.FirstDays:
    """An assessment made elsewhere is here already."""
    commands.hold_assessment(act(), reception_id, **given)
    return queries.first_days(act(), reception_id)


@observations_api.post(f"{_ONE}/phase-tasks")
@needs("custody.deliver")
@observations_api.arguments(TaskRequestSchema)
@observations_api.response(201, FirstDaysSchema)
@observations_api.alt_response(409, description="Recorded as done already")
@_refused
def do_task(given: dict[str, Any], reception_id: int) -> queries.FirstDays:
    """A task of the responsibility matrix was done."""
    commands.do_task(act(), reception_id, **given)
    return queries.first_days(act(), reception_id)


@observations_api.post(
    "/first-days/<any(observation, stimulants, held, task, end):what>/<int:row_id>/strike-out"
)
@needs("custody.deliver")
@observations_api.arguments(StrikeOutSchema)
@observations_api.response(204)
@observations_api.alt_response(409, description="Struck out already")
def strike_out(given: dict[str, Any], what: str, row_id: int) -> None:
    """It was recorded in error: it counts no more and stays in the history."""
    commands.strike_out(act(), what, row_id, **given)
