"""The wings of a prison over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from clinic.auth import act, needs
from clinic.custody import board, wing_commands, wings
from clinic.custody.models import Wing
from clinic.custody.prison_schemas import (
    BoardSchema,
    OverviewSchema,
    WingRequestSchema,
    WingSchema,
    WingsSchema,
)
from clinic.openapi import Blueprint

wings_api = Blueprint(
    "wings_api", __name__, url_prefix="/api/v1", description="The wings of a prison"
)


def _listed() -> dict[str, list[Wing]]:
    return {"wings": wings.wings_here(act(), closed=True)}


@wings_api.get("/wings")
@needs("custody.read")
@wings_api.response(200, WingsSchema)
def listed() -> dict[str, Any]:
    """The wings of this prison, closed ones too."""
    return _listed()


@wings_api.post("/wings")
@needs("sites.manage")
@wings_api.arguments(WingRequestSchema)
@wings_api.response(201, WingSchema)
@wings_api.alt_response(409, description="There is already a wing of this name here")
@wings_api.alt_response(422, description="A value that cannot stand, by field")
def add(given: dict[str, Any]) -> Wing:
    """Add a wing."""
    return act().session.get_one(Wing, wing_commands.add_wing(act(), **given))


@wings_api.post("/wings/<int:wing_id>/close")
@needs("sites.manage")
@wings_api.response(204)
@wings_api.alt_response(404, description="No such wing here")
@wings_api.alt_response(409, description="Closed already")
def close(wing_id: int) -> None:
    """Close a wing: nobody new is put on it."""
    wing_commands.close_wing(act(), wing_id)


@wings_api.get("/wings/<int:wing_id>/board")
@needs("custody.read")
@wings_api.response(200, BoardSchema)
@wings_api.alt_response(404, description="No such wing here")
def wing_board(wing_id: int) -> Response:
    """A wing today: who lives there, what takes place and what is due for each."""
    # Hundreds of small objects: laid out by hand at a fraction of what the schema's own way costs.
    return jsonify(_laid_out(board.board(act(), wing_id)))


def _laid_out(view: board.Board) -> dict[str, Any]:
    """What `BoardSchema` says of a board."""
    return {
        "wing": WingSchema().dump(view.wing),
        "people": [
            {
                "reception_id": each.reception_id,
                "patient_id": each.patient_id,
                "cell": each.cell,
                "day": each.day,
                "phase": each.phase,
                "ppo": each.ppo,
                "heightened_risk": each.heightened_risk,
                "today": each.today,
                "due": [
                    {
                        "duty": due.duty,
                        "due_on": due.due_on.isoformat(),
                        "overdue": due.overdue,
                    }
                    for due in each.due
                ],
                "round": each.round,
                "missed": each.missed,
            }
            for each in view.people
        ],
    }


@wings_api.get("/custody/overview")
@needs("custody.read")
@wings_api.response(200, OverviewSchema)
def overview() -> board.Overview:
    """Phases by wing and what is late, as counts alone."""
    return board.overview(act())
