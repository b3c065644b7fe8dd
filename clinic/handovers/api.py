"""Hand-overs over HTTP, for both sides: prepare, send, answer, withdraw, read the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify

from clinic.auth import act, needs
from clinic.handovers import commands, package, queries
from clinic.handovers.schemas import (
    HandoverAnswerSchema,
    HandoverBasisSchema,
    HandoverListSchema,
    HandoverPrepareSchema,
    HandoverSchema,
    HandoverSendSchema,
    HandoverWhySchema,
)
from clinic.openapi import VERSIONED, Blueprint, if_match, tag

handovers_api = Blueprint(
    "handovers_api", __name__, url_prefix="/api/v1", description="Hand-overs to the next service"
)
Given = dict[str, Any]
ONE = "/handovers/<int:handover_id>"

_elsewhere = handovers_api.alt_response(403, description="Outside the caseload, or not your side")
_none = handovers_api.alt_response(404, description="There is no such hand-over")
_conflict = handovers_api.alt_response(
    409, description="It does not stand so, or nothing lets it leave"
)


def _changes(view: Callable[..., Response]) -> Callable[..., Response]:
    """What every change of a hand-over has in common: the version it was read at, what it gives
    back, and how it may be refused."""
    for each in (
        _conflict, _none, _elsewhere,
        handovers_api.alt_response(428, description="No If-Match"),
        handovers_api.alt_response(412, description="Changed meanwhile"),
        handovers_api.response(200, HandoverSchema),
        handovers_api.doc(**VERSIONED),
    ):  # fmt: skip
        view = each(view)
    return view


def one(handover_id: int, status: int = 200) -> Response:
    """A hand-over as it stands, with its version."""
    view = queries.handover(act(), handover_id)
    row = view.row
    body = HandoverSchema().dump(
        {
            **{name: getattr(row, name) for name in (
                "id", "plan_id", "patient_id", "from_site_id", "to_site_id", "recipient", "basis",
                "state", "answer_by", "replaces_id", "version", "package", "digest",
            )},
            "stands": view.stands, "text": package.as_words(row.package), "steps": view.steps,
        }
    )  # fmt: skip
    response = jsonify(body)
    response.status_code = status
    return tag(response, row.version)


@handovers_api.get("/handovers")
@needs("release.read")
@handovers_api.response(200, HandoverListSchema)
def waiting() -> Any:
    """What waits at this site: to send, to answer, not answered in time."""
    return {"waiting": queries.waiting(act())}


@handovers_api.post("/release-plans/<int:plan_id>/handovers")
@needs("release.plan")
@handovers_api.arguments(HandoverPrepareSchema)
@handovers_api.response(201, HandoverSchema)
@_elsewhere
@_none
@_conflict
def prepare(given: Given, plan_id: int) -> Response:
    """Make the package of a plan as it stands, and keep it."""
    return one(commands.prepare(act(), plan_id, **given), 201)


@handovers_api.get(ONE)
@needs("release.read")
@handovers_api.response(200, HandoverSchema)
@_elsewhere
@_none
def handover(handover_id: int) -> Response:
    """The package as data and as plain text, how it stands, and every step."""
    return one(handover_id)


@handovers_api.post(f"{ONE}/basis")
@needs("release.plan")
@handovers_api.arguments(HandoverBasisSchema)
@_changes
def change_basis(given: Given, handover_id: int) -> Response:
    """Record what lets it leave."""
    commands.change_basis(act(), handover_id, version=if_match(), **given)
    return one(handover_id)


@handovers_api.post(f"{ONE}/send")
@needs("release.plan")
@handovers_api.arguments(HandoverSendSchema)
@_changes
def send(given: Given, handover_id: int) -> Response:
    """Record that it left, with what proves it."""
    commands.send(act(), handover_id, version=if_match(), **given)
    return one(handover_id)


@handovers_api.post(f"{ONE}/answer")
@needs("release.plan")
@handovers_api.arguments(HandoverAnswerSchema)
@_changes
def answer(given: Given, handover_id: int) -> Response:
    """The receiving service accepts or refuses it."""
    commands.answer(act(), handover_id, version=if_match(), **given)
    return one(handover_id)


@handovers_api.post(f"{ONE}/withdraw")
@needs("release.plan")
@handovers_api.arguments(HandoverWhySchema)
@_changes
def withdraw(given: Given, handover_id: int) -> Response:
    """It no longer holds."""
    commands.withdraw(act(), handover_id, version=if_match(), **given)
    return one(handover_id)


@handovers_api.post(f"{ONE}/take-back")
@needs("release.plan")
@handovers_api.arguments(HandoverWhySchema)
@_changes
def take_back(given: Given, handover_id: int) -> Response:
    """An answer or a withdrawal was recorded by mistake."""
    commands.take_back(act(), handover_id, version=if_match(), **given)
    return one(handover_id)
