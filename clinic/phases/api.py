"""The phases of a stay, consent, who was told and peer supporters over HTTP."""

from __future__ import annotations

from typing import Any

from clinic.auth import act, needs
from clinic.custody.schemas import StrikeOutSchema
from clinic.openapi import Blueprint
from clinic.phases import commands, queries
from clinic.phases.schemas import (
    ConsentRequestSchema,
    MoveRequestSchema,
    PathwaySchema,
    PeerEndSchema,
    PeerRequestSchema,
    TellingRequestSchema,
)

phases_api = Blueprint(
    "phases_api", __name__, url_prefix="/api/v1",
    description="The three phases of a stay, what everybody is offered, and who is told",
)  # fmt: skip

_refused = phases_api.alt_response(422, description="A value that cannot stand, by field")
_taken = phases_api.alt_response(409, description="Somebody was first, or it cannot be now")
_ONE = "/receptions/<int:reception_id>"


@phases_api.get(f"{_ONE}/phases")
@needs("custody.read")
@phases_api.response(200, PathwaySchema)
def pathway(reception_id: int) -> queries.Pathway:
    """One person's phases, the minimum set, the Care Programme Approach, and who was told."""
    return queries.pathway(act(), reception_id)


@phases_api.post(f"{_ONE}/phase-moves")
@needs("custody.deliver")
@phases_api.arguments(MoveRequestSchema)
@phases_api.response(201, PathwaySchema)
@_taken
@_refused
def move(given: dict[str, Any], reception_id: int) -> queries.Pathway:
    """A phase begins on another day for this person, with a reason."""
    commands.move_phase(act(), reception_id, **given)
    return queries.pathway(act(), reception_id)


@phases_api.post(f"{_ONE}/triage-consent")
@needs("custody.deliver")
@phases_api.arguments(ConsentRequestSchema)
@phases_api.response(201, PathwaySchema)
@_taken
@_refused
def consent(given: dict[str, Any], reception_id: int) -> queries.Pathway:
    """Whether the triage assessment may be shared with others."""
    commands.ask_consent(act(), reception_id, **given)
    return queries.pathway(act(), reception_id)


@phases_api.post(f"{_ONE}/tellings")
@needs("custody.deliver")
@phases_api.arguments(TellingRequestSchema)
@phases_api.response(201, PathwaySchema)
@_refused
def tell(given: dict[str, Any], reception_id: int) -> queries.Pathway:
    """A party was told, or talked with; the triage assessment goes along with consent alone."""
    commands.tell(act(), reception_id, **given)
    return queries.pathway(act(), reception_id)


@phases_api.post(f"{_ONE}/peer-supporters")
@needs("custody.deliver")
@phases_api.arguments(PeerRequestSchema)
@phases_api.response(201, PathwaySchema)
@_refused
def attach_peer(given: dict[str, Any], reception_id: int) -> queries.Pathway:
    """A peer supporter stands by somebody."""
    commands.attach_peer(act(), reception_id, **given)
    return queries.pathway(act(), reception_id)


@phases_api.post(f"{_ONE}/peer-supporters/<int:peer_id>/end")
@needs("custody.deliver")
@phases_api.arguments(PeerEndSchema)
@phases_api.response(200, PathwaySchema)
@_taken
@_refused
def end_peer(given: dict[str, Any], reception_id: int, peer_id: int) -> queries.Pathway:
    """Peer support ended."""
    commands.end_peer(act(), reception_id, peer_id, **given)
    return queries.pathway(act(), reception_id)


@phases_api.post("/phases/<any(move, consent, telling, peer):what>/<int:row_id>/strike-out")
@needs("custody.deliver")
@phases_api.arguments(StrikeOutSchema)
@phases_api.response(204)
@_taken
def strike_out(given: dict[str, Any], what: str, row_id: int) -> None:
    """It was recorded in error: it counts no more and stays in the history."""
    commands.strike_out(act(), what, row_id, **given)
