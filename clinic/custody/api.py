"""Receptions, the 28 days, deliveries and worklists over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, jsonify
from flask.typing import ResponseReturnValue

from clinic.auth import act, needs
from clinic.custody import commands, deliveries, fact_commands, queries, worklists
from clinic.custody.schemas import (
    DeliveryCorrectionSchema,
    DeliveryRequestSchema,
    ExitCorrectionSchema,
    ExitRequestSchema,
    HearingCorrectionSchema,
    HearingRequestSchema,
    LocationCorrectionSchema,
    LocationRequestSchema,
    ReceptionCorrectionSchema,
    ReceptionRequestSchema,
    ReleaseCorrectionSchema,
    ReleaseRequestSchema,
    ScreeningSchema,
    StaySchema,
    StrikeOutSchema,
    TransferCorrectionSchema,
    TransferRequestSchema,
    UnavailableCorrectionSchema,
    UnavailableRequestSchema,
    WorklistSchema,
)
from clinic.openapi import VERSIONED, Blueprint, if_match, tag

custody_api = Blueprint(
    "custody_api", __name__, url_prefix="/api/v1",
    description="Receptions, the first 28 days in prison, and what is due",
)  # fmt: skip

_stale = custody_api.alt_response(412, description="Changed meanwhile; says by whom")
_refused = custody_api.alt_response(422, description="A value that cannot stand, by field")
_versioned = custody_api.doc(**VERSIONED)
_ONE = "/receptions/<int:reception_id>"


def stay_answer(reception_id: int, status: int = 200) -> Response:
    """The whole stay, its version as the ETag: every change answers with what it led to."""
    view = queries.stay(act(), reception_id)
    response = jsonify(StaySchema().dump(view))
    response.status_code = status
    return tag(response, view.reception.version)


# -- receptions ----------------------------------------------------------------------------


@custody_api.post("/receptions")
@needs("custody.receive")
@custody_api.arguments(ReceptionRequestSchema)
@custody_api.response(201, StaySchema)
@custody_api.alt_response(409, description="Already in custody here")
@_refused
def receive(given: dict[str, Any]) -> ResponseReturnValue:
    """Record an arrival and plan the 28 days."""
    demo = bool(current_app.config["SETTINGS"].demo)
    reception_id = commands.receive_prisoner(act(), **given, demo=demo)
    response = stay_answer(reception_id, 201)
    response.headers["Location"] = f"/api/v1/receptions/{reception_id}"
    return response


@custody_api.get(_ONE)
@needs("custody.read")
@custody_api.response(200, StaySchema)
@custody_api.alt_response(404, description="No such reception, or not yours to see")
def reception(reception_id: int) -> ResponseReturnValue:
    """A stay and its timetable as they stand."""
    return stay_answer(reception_id)


@custody_api.patch(_ONE)
@needs("custody.receive")
@custody_api.arguments(ReceptionCorrectionSchema)
@custody_api.response(200, StaySchema)
@_versioned
@_stale
@_refused
def correct_reception(given: dict[str, Any], reception_id: int) -> ResponseReturnValue:
    """Put right what the reception said, and replan."""
    commands.correct_reception(act(), reception_id, version=if_match(), **given)
    return stay_answer(reception_id)


@custody_api.post(f"{_ONE}/undo")
@needs("custody.receive")
@custody_api.arguments(StrikeOutSchema)
@custody_api.response(204)
@_versioned
@_stale
def undo_reception(given: dict[str, Any], reception_id: int) -> None:
    """The reception was recorded in error."""
    commands.undo_reception(act(), reception_id, version=if_match(), **given)


@custody_api.post(f"{_ONE}/screening")
@needs("custody.deliver")
@custody_api.arguments(ScreeningSchema)
@custody_api.response(201, StaySchema)
@_refused
def screening(given: dict[str, Any], reception_id: int) -> ResponseReturnValue:
    """Record a screening that was not done at reception."""
    commands.record_screening(act(), reception_id, **given)
    return stay_answer(reception_id, 201)


@custody_api.post(f"{_ONE}/replan")
@needs("custody.read")
@custody_api.response(200, StaySchema)
def replan(reception_id: int) -> ResponseReturnValue:
    """Work the dates out again after the calendar changed."""
    commands.replan(act(), reception_id)
    return stay_answer(reception_id)


# -- deliveries ----------------------------------------------------------------------------


@custody_api.post(f"{_ONE}/deliveries")
@needs("custody.deliver")
@custody_api.arguments(DeliveryRequestSchema)
@custody_api.response(201, StaySchema)
@_refused
def deliver(given: dict[str, Any], reception_id: int) -> ResponseReturnValue:
    """Record what was done, or offered and declined."""
    deliveries.record_delivery(act(), reception_id, **given)
    return stay_answer(reception_id, 201)


@custody_api.patch(f"{_ONE}/deliveries/<int:delivery_id>")
@needs("custody.deliver")
@custody_api.arguments(DeliveryCorrectionSchema)
@custody_api.response(200, StaySchema)
@_versioned
@_stale
@_refused
def correct_delivery(
    given: dict[str, Any], reception_id: int, delivery_id: int
) -> ResponseReturnValue:
    """Put a delivery right; the first entry stays, struck out."""
    deliveries.correct_delivery(act(), reception_id, delivery_id, version=if_match(), **given)
    return stay_answer(reception_id)


@custody_api.post(f"{_ONE}/deliveries/<int:delivery_id>/strike-out")
@needs("custody.deliver")
@custody_api.arguments(StrikeOutSchema)
@custody_api.response(200, StaySchema)
@_versioned
@_stale
def strike_out_delivery(
    given: dict[str, Any], reception_id: int, delivery_id: int
) -> ResponseReturnValue:
    """The delivery was recorded in error."""
    fact_commands.strike_out(
        act(), reception_id, "delivery", delivery_id, version=if_match(), **given
    )
    return stay_answer(reception_id)


# -- what lies ahead, and the way out --------------------------------------------------------


@custody_api.post(f"{_ONE}/hearings")
@needs("release.plan")
@custody_api.arguments(HearingRequestSchema)
@custody_api.response(201, StaySchema)
@_refused
def record_hearing(given: dict[str, Any], reception_id: int) -> ResponseReturnValue:
    """A hearing is known: the dates before it are pulled forward."""
    fact_commands.record_hearing(act(), reception_id, **given)
    return stay_answer(reception_id, 201)


@custody_api.post(f"{_ONE}/release")
@needs("release.plan")
@custody_api.arguments(ReleaseRequestSchema)
@custody_api.response(201, StaySchema)
@custody_api.alt_response(409, description="A day of release is already recorded")
@_refused
def record_release(given: dict[str, Any], reception_id: int) -> ResponseReturnValue:
    """The day of release is known."""
    fact_commands.record_release(act(), reception_id, **given)
    return stay_answer(reception_id, 201)


@custody_api.post(f"{_ONE}/transfer")
@needs("release.plan")
@custody_api.arguments(TransferRequestSchema)
@custody_api.response(201, StaySchema)
@custody_api.alt_response(409, description="A move is already recorded")
@_refused
def record_transfer(given: dict[str, Any], reception_id: int) -> ResponseReturnValue:
    """A move to another prison is booked."""
    fact_commands.record_transfer(act(), reception_id, **given)
    return stay_answer(reception_id, 201)


@custody_api.post(f"{_ONE}/unavailable")
@needs("release.plan")
@custody_api.arguments(UnavailableRequestSchema)
@custody_api.response(201, StaySchema)
@_refused
def record_unavailable(given: dict[str, Any], reception_id: int) -> ResponseReturnValue:
    """They cannot come to groups on these days."""
    fact_commands.record_unavailable(act(), reception_id, **given)
    return stay_answer(reception_id, 201)


@custody_api.post(f"{_ONE}/locations")
@needs("release.plan")
@custody_api.arguments(LocationRequestSchema)
@custody_api.response(201, StaySchema)
@custody_api.alt_response(409, description="Somebody recorded that moment already")
@_refused
def record_location(given: dict[str, Any], reception_id: int) -> ResponseReturnValue:
    """They live on this wing now, or since a moment that has passed."""
    fact_commands.record_location(act(), reception_id, **given)
    return stay_answer(reception_id, 201)


@custody_api.post(f"{_ONE}/exit")
@needs("release.plan")
@custody_api.arguments(ExitRequestSchema)
@custody_api.response(201, StaySchema)
@custody_api.alt_response(409, description="An exit is already recorded")
@_refused
def record_exit(given: dict[str, Any], reception_id: int) -> ResponseReturnValue:
    """They left, and how."""
    fact_commands.record_exit(act(), reception_id, **given)
    return stay_answer(reception_id, 201)


def _corrected(kind: str, given: dict[str, Any], reception_id: int, fact_id: int) -> Response:
    fact_commands.correct_fact(act(), reception_id, kind, fact_id, version=if_match(), **given)
    return stay_answer(reception_id)


@custody_api.patch(f"{_ONE}/hearings/<int:fact_id>")
@needs("release.plan")
@custody_api.arguments(HearingCorrectionSchema)
@custody_api.response(200, StaySchema)
@_versioned
@_stale
@_refused
def correct_hearing(given: dict[str, Any], reception_id: int, fact_id: int) -> ResponseReturnValue:
    """Put a hearing right, or record how it ended; the corrected one has a new id."""
    return _corrected("hearing", given, reception_id, fact_id)


@custody_api.patch(f"{_ONE}/release/<int:fact_id>")
@needs("release.plan")
@custody_api.arguments(ReleaseCorrectionSchema)
@custody_api.response(200, StaySchema)
@_versioned
@_stale
@_refused
def correct_release(given: dict[str, Any], reception_id: int, fact_id: int) -> ResponseReturnValue:
    """The day of release moved, or was wrong."""
    return _corrected("release", given, reception_id, fact_id)


@custody_api.patch(f"{_ONE}/transfer/<int:fact_id>")
@needs("release.plan")
@custody_api.arguments(TransferCorrectionSchema)
@custody_api.response(200, StaySchema)
@_versioned
@_stale
@_refused
def correct_transfer(given: dict[str, Any], reception_id: int, fact_id: int) -> ResponseReturnValue:
    """The move changed, or was wrong."""
    return _corrected("transfer", given, reception_id, fact_id)


@custody_api.patch(f"{_ONE}/unavailable/<int:fact_id>")
@needs("release.plan")
@custody_api.arguments(UnavailableCorrectionSchema)
@custody_api.response(200, StaySchema)
@_versioned
@_stale
@_refused
def correct_unavailable(
    given: dict[str, Any], reception_id: int, fact_id: int
) -> ResponseReturnValue:
    """The days away from groups ended, or were wrong."""
    return _corrected("unavailable", given, reception_id, fact_id)


@custody_api.patch(f"{_ONE}/exit/<int:fact_id>")
@needs("release.plan")
@custody_api.arguments(ExitCorrectionSchema)
@custody_api.response(200, StaySchema)
@_versioned
@_stale
@_refused
def correct_exit(given: dict[str, Any], reception_id: int, fact_id: int) -> ResponseReturnValue:
    """The exit was recorded wrongly."""
    return _corrected("exit", given, reception_id, fact_id)


@custody_api.patch(f"{_ONE}/locations/<int:fact_id>")
@needs("release.plan")
@custody_api.arguments(LocationCorrectionSchema)
@custody_api.response(200, StaySchema)
@_versioned
@_stale
@_refused
def correct_location(given: dict[str, Any], reception_id: int, fact_id: int) -> ResponseReturnValue:
    """The wing, the cell or the time was wrong."""
    return _corrected("location", given, reception_id, fact_id)


@custody_api.post(
    f"{_ONE}/<any(hearings, release, transfer, unavailable, locations, exit):kind>"
    "/<int:fact_id>/strike-out"
)
@needs("release.plan")
@custody_api.arguments(StrikeOutSchema)
@custody_api.response(200, StaySchema)
@_versioned
@_stale
def strike_out_fact(
    given: dict[str, Any], reception_id: int, kind: str, fact_id: int
) -> ResponseReturnValue:
    """It was recorded in error: it counts no more and stays in the history."""
    fact_commands.strike_out(
        act(), reception_id, kind.removesuffix("s"), fact_id, version=if_match(), **given
    )
    return stay_answer(reception_id)


# -- worklist ------------------------------------------------------------------------------


@custody_api.get("/custody/worklist")
@needs("custody.read")
@custody_api.response(200, WorklistSchema)
def worklist() -> dict[str, Any]:
    """What is overdue, due by midnight or amber at this prison."""
    return {"work": worklists.due_work(act())}
