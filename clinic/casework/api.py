"""The casework file, completion and moves between prisons over HTTP."""

from __future__ import annotations

from typing import Any

from clinic.auth import act, needs
from clinic.casework import commands, moves, queries
from clinic.casework.schemas import (
    AcceptRequestSchema,
    CertifyRequestSchema,
    CompletionRequestSchema,
    EntryRequestSchema,
    FileSchema,
    MovesSchema,
)
from clinic.custody.schemas import StrikeOutSchema
from clinic.openapi import Blueprint

casework_api = Blueprint(
    "casework_api", __name__, url_prefix="/api/v1",
    description="The CARAT casework file, the end of the 28 days, moves between prisons",
)  # fmt: skip

_refused = casework_api.alt_response(422, description="A value that cannot stand, by field")
_taken = casework_api.alt_response(409, description="Somebody was first, or something comes first")
_ONE = "/receptions/<int:reception_id>"


@casework_api.get(f"{_ONE}/casework")
@needs("careplans.read")
@casework_api.response(200, FileSchema)
def file(reception_id: int) -> queries.File:
    """The whole file of a stay, oldest first; what was struck out is marked."""
    return queries.casework_file(act(), reception_id, action="casework.exported")


@casework_api.post(f"{_ONE}/casework")
@needs("custody.deliver")
@casework_api.arguments(EntryRequestSchema)
@casework_api.response(201, FileSchema)
@_refused
def enter(given: dict[str, Any], reception_id: int) -> queries.File:
    """Add a session offered, missed, moved or made lighter, or a note."""
    commands.record_entry(act(), reception_id, **given)
    return queries.casework_file(act(), reception_id)


@casework_api.post(f"{_ONE}/completion")
@needs("custody.deliver")
@casework_api.arguments(CompletionRequestSchema)
@casework_api.response(201, FileSchema)
@_refused
@_taken
def complete(given: dict[str, Any], reception_id: int) -> queries.File:
    """Record the final case review, the exit strategy and the next step."""
    commands.complete(act(), reception_id, **given)
    return queries.casework_file(act(), reception_id)


@casework_api.post(f"{_ONE}/certificate")
@needs("custody.deliver")
@casework_api.arguments(CertifyRequestSchema)
@casework_api.response(201, FileSchema)
@_refused
@_taken
def certify(given: dict[str, Any], reception_id: int) -> queries.File:
    """Give a certificate of the sessions attended."""
    commands.certify(act(), reception_id, **given)
    return queries.casework_file(act(), reception_id)


@casework_api.post(f"{_ONE}/acceptance")
@needs("custody.deliver")
@casework_api.arguments(AcceptRequestSchema)
@casework_api.response(201, FileSchema)
@_refused
@_taken
def accept(given: dict[str, Any], reception_id: int) -> queries.File:
    """The receiving team takes somebody over."""
    commands.accept_transfer(act(), reception_id, **given)
    return queries.casework_file(act(), reception_id)


@casework_api.post(
    "/casework/<any(entry, completion, certificate, acceptance):what>/<int:row_id>/strike-out"
)
@needs("custody.deliver")
@casework_api.arguments(StrikeOutSchema)
@casework_api.response(204)
@_taken
def strike_out(given: dict[str, Any], what: str, row_id: int) -> None:
    """It was recorded in error: it counts no more and stays in the file."""
    commands.strike_out(act(), what, row_id, **given)


@casework_api.get("/custody/moves")
@needs("custody.read")
@casework_api.response(200, MovesSchema)
def between_prisons() -> dict[str, Any]:
    """Arrivals inside their 28 days, and whom this prison still answers for."""
    return {"arrivals": moves.arrivals(act()), "handing_over": moves.handing_over(act())}
