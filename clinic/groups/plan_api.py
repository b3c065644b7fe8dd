"""Plans of groups over HTTP: ask, look how far it is, pin, accept as one change, undo."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from clinic.auth import act, needs
from clinic.groups import plan_commands, plan_queries, planner
from clinic.groups.api import groups_api
from clinic.groups.models import GroupPlan
from clinic.groups.schemas import (
    EndSchema,
    ListedPlanSchema,
    PlanAgainSchema,
    PlanPinSchema,
    PlanRequestSchema,
    PlanSchema,
    PlanWithPinsSchema,
    WeightsRequestSchema,
    WeightsSchema,
)
from clinic.groups.weights import set_weights, weights_here

_moved = groups_api.alt_response(409, description="Says what changed meanwhile, or what it is now")


def _plan(row: GroupPlan, status: int = 200) -> Response:
    response = jsonify(PlanSchema().dump({**vars(row), "state": row.stands(act().at)}))
    response.status_code = status
    return response


@groups_api.get("/plans")
@needs("groups.manage")
@groups_api.response(200, ListedPlanSchema(many=True))
def plans() -> Any:
    """The newest plans of this prison, without what they propose."""
    work = act()
    return [{**vars(row), "state": row.stands(work.at)} for row in plan_queries.plans(work)]


@groups_api.get("/weights")
@needs("groups.manage")
@groups_api.response(200, WeightsSchema)
def weights() -> Any:
    """What plans of this prison weigh today, and who set it; null: the defaults."""
    here = weights_here(act())
    return {"weights": here.now, "set": here.row}


@groups_api.post("/weights")
@needs("custody.allocate")
@groups_api.arguments(WeightsRequestSchema)
@groups_api.response(201, WeightsSchema)
@groups_api.alt_response(422, description="A weight that cannot stand, by name")
def set_own_weights(given: dict[str, Any]) -> Any:
    """Set what plans asked for from a day on weigh here; none given means the defaults again."""
    set_weights(act(), **given)
    here = weights_here(act())
    return {"weights": here.now, "set": here.row}


@groups_api.post("/plans")
@needs("groups.manage")
@groups_api.arguments(PlanRequestSchema)
@groups_api.response(202, PlanSchema)
@_moved
def ask_plan(given: dict[str, Any]) -> Response:
    """Ask for a plan of 28 days. It is worked out elsewhere: look at it until it is ready."""
    row = plan_commands.ask_plan(act(), **given)
    planner.begin(row.id)
    return _plan(row, 202)


@groups_api.get("/plans/<int:plan_id>")
@needs("groups.manage")
@groups_api.response(200, PlanWithPinsSchema)
def one_plan(plan_id: int) -> Any:
    """How far it is, and what it proposes once it is ready."""
    shown = plan_queries.one_plan(act(), plan_id)
    pins = [{"reception_id": who, "session_nth": nth} for who, nth in sorted(shown.pins)]
    return {**vars(shown.row), "state": shown.state, "pinned": pins}


@groups_api.post("/plans/<int:plan_id>/pins")
@needs("groups.seat")
@groups_api.arguments(PlanPinSchema)
@groups_api.response(204)
@_moved
def pin_planned(given: dict[str, Any], plan_id: int) -> None:
    """Keep somebody in a session of the plan, theirs or another; it counts in the next plan."""
    plan_commands.pin_planned(act(), plan_id, **given)


@groups_api.post("/plans/<int:plan_id>/pins/take-back")
@needs("groups.seat")
@groups_api.arguments(PlanPinSchema)
@groups_api.response(204)
@_moved
def unpin_planned(given: dict[str, Any], plan_id: int) -> None:
    """Take such a pin back."""
    plan_commands.unpin_planned(act(), plan_id, **given)


@groups_api.post("/plans/<int:plan_id>/again")
@needs("groups.manage")
@groups_api.arguments(PlanAgainSchema)
@groups_api.response(202, PlanSchema)
@_moved
def plan_again(given: dict[str, Any], plan_id: int) -> Response:
    """Ask for a new plan around everything pinned in this one."""
    row = plan_commands.plan_again(act(), plan_id, **given)
    planner.begin(row.id)
    return _plan(row, 202)


@groups_api.post("/plans/<int:plan_id>/accept")
@needs("groups.manage")
@groups_api.response(200, PlanSchema)
@_moved
def accept_plan(plan_id: int) -> Response:
    """Carry it out as one change, or nothing of it."""
    return _plan(plan_commands.accept_plan(act(), plan_id))


@groups_api.post("/plans/<int:plan_id>/withdraw")
@needs("groups.manage")
@groups_api.response(200, PlanSchema)
@_moved
def withdraw_plan(plan_id: int) -> Response:
    """It is not wanted."""
    return _plan(plan_commands.withdraw_plan(act(), plan_id))


@groups_api.post("/plans/<int:plan_id>/undo")
@needs("groups.manage")
@groups_api.arguments(EndSchema)
@groups_api.response(200, PlanSchema)
@_moved
def undo_plan(given: dict[str, Any], plan_id: int) -> Response:
    """Put everything back as it was before it was accepted."""
    return _plan(plan_commands.undo_plan(act(), plan_id, **given))
