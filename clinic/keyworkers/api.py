"""Keyworkers, their loads, cover and caseloads over HTTP."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue

from clinic.auth import act, needs
from clinic.custody import worklists
from clinic.custody.api import stay_answer
from clinic.custody.schemas import StaySchema, StrikeOutSchema
from clinic.keyworkers import commands, queries
from clinic.keyworkers.models import KeyworkerCover
from clinic.keyworkers.schemas import (
    CaseloadSchema,
    CeilingRequestSchema,
    CoverRequestSchema,
    CoverSchema,
    KeyworkerRequestSchema,
    TeamSchema,
)
from clinic.openapi import VERSIONED, Blueprint, if_match

keyworkers_api = Blueprint(
    "keyworkers_api", __name__, url_prefix="/api/v1",
    description="Who holds whose care plan in a prison, what each carries, and cover",
)  # fmt: skip

_refused = keyworkers_api.alt_response(422, description="A value that cannot stand, by field")
_taken = keyworkers_api.alt_response(409, description="Somebody was first, or it cannot be now")


def _team() -> dict[str, Any]:
    work = act()
    loads, waiting, ceiling = (
        queries.loads(work),
        worklists.to_be_named(work),
        queries.ceiling(work),
    )
    return {
        "ceiling": ceiling.most,
        "ceiling_set": ceiling.row,
        "loads": loads,
        "unnamed": waiting,
        "suggestions": list(queries.suggestions(work, waiting, loads).values()),
        "covers": queries.covers(work),
    }


@keyworkers_api.get("/keyworkers")
@needs("custody.read")
@keyworkers_api.response(200, TeamSchema)
def team() -> dict[str, Any]:
    """Loads against the ceiling, who has no keyworker, who is suggested, and cover."""
    return _team()


@keyworkers_api.post("/keyworkers/ceiling")
@needs("custody.allocate")
@keyworkers_api.arguments(CeilingRequestSchema)
@keyworkers_api.response(201, TeamSchema)
@_refused
def set_ceiling(given: dict[str, Any]) -> dict[str, Any]:
    """How many people one keyworker of this prison carries at the most, from a day on."""
    commands.set_ceiling(act(), **given)
    return _team()


@keyworkers_api.get("/caseload")
@needs("custody.read")
@keyworkers_api.response(200, CaseloadSchema)
def team_caseload() -> dict[str, Any]:
    """Everybody in custody here who has a keyworker, by their next deadline."""
    return {"people": queries.caseload(act())}


@keyworkers_api.get("/caseload/<int:staff_id>")
@needs("custody.read")
@keyworkers_api.response(200, CaseloadSchema)
@keyworkers_api.alt_response(404, description="No such keyworker here")
def caseload(staff_id: int) -> dict[str, Any]:
    """The people of one keyworker in custody here, by their next deadline."""
    return {"people": queries.caseload(act(), staff_id)}


@keyworkers_api.post("/receptions/<int:reception_id>/keyworker")
@needs("custody.allocate")
@keyworkers_api.arguments(KeyworkerRequestSchema)
@keyworkers_api.response(201, StaySchema)
@_refused
@_taken
def name(given: dict[str, Any], reception_id: int) -> ResponseReturnValue:
    """Name the keyworker, or change them with a coded reason."""
    commands.name_keyworker(act(), reception_id, **given)
    return stay_answer(reception_id, 201)


@keyworkers_api.post("/receptions/<int:reception_id>/keyworker/undo")
@needs("custody.allocate")
@keyworkers_api.arguments(StrikeOutSchema)
@keyworkers_api.response(200, StaySchema)
@keyworkers_api.doc(**VERSIONED)
@keyworkers_api.alt_response(412, description="Changed meanwhile; says by whom")
@_taken
def undo(given: dict[str, Any], reception_id: int) -> ResponseReturnValue:
    """The last naming was recorded in error; whoever was keyworker before is so again."""
    commands.undo_naming(act(), reception_id, version=if_match(), **given)
    return stay_answer(reception_id)


@keyworkers_api.post("/keyworkers/covers")
@needs("custody.allocate")
@keyworkers_api.arguments(CoverRequestSchema)
@keyworkers_api.response(201, CoverSchema)
@_refused
@_taken
def arrange_cover(given: dict[str, Any]) -> KeyworkerCover:
    """A colleague looks after a keyworker's people while they are away."""
    work = act()
    return work.session.get_one(KeyworkerCover, commands.arrange_cover(work, **given))


@keyworkers_api.post("/keyworkers/covers/<int:cover_id>/withdraw")
@needs("custody.allocate")
@keyworkers_api.arguments(StrikeOutSchema)
@keyworkers_api.response(204)
@_taken
def withdraw_cover(given: dict[str, Any], cover_id: int) -> None:
    """The cover ends, or was recorded in error."""
    commands.withdraw_cover(act(), cover_id, **given)
