"""Freed places and their offers over HTTP."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from clinic.appointments import waiting_commands, waiting_queries
from clinic.appointments.chain_schemas import arrangements_field
from clinic.appointments.schemas import PlaceSchema, WhySchema
from clinic.appointments.waiting_models import ANSWERS, FREED_BECAUSE, PlaceOffer
from clinic.auth import act, needs
from clinic.errors import PROBLEM
from clinic.openapi import ProblemSchema
from clinic.shapes import code, instant, longer_text, row_id

waiting_api = Blueprint(
    "waiting_api", __name__, url_prefix="/api/v1", description="Freed places and their offers"
)
_over = waiting_api.alt_response(
    409, schema=ProblemSchema, content_type=PROBLEM, description="Taken, lapsed or answered already"
)


class PlaceOfferSchema(Schema):
    """An offer as it stands. It holds nothing; `until_at` is when it lapses."""

    id = row_id(required=True)
    referral_id = row_id(required=True)
    offered_at = instant(required=True, attribute="recorded_at")
    until_at = instant(required=True)
    stands = fields.Function(
        lambda row: row.standing(act().at),
        metadata={"type": "string", "description": "offered, accepted, declined, lapsed, taken_back"},
    )  # fmt: skip
    reason = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    visit_id = row_id(required=True, allow_none=True)


class FreedPlaceSchema(Schema):
    """A freed place, whom it is for in order (referrals), and what was offered."""

    id = row_id(required=True, attribute="row.id")
    place = fields.Nested(PlaceSchema, required=True, attribute="row")
    state = code(waiting_queries.STATES, required=True)
    because = code(FREED_BECAUSE, required=True, attribute="row.because")
    freed_at = instant(required=True, attribute="row.freed_at")
    offer_until = instant(required=True, allow_none=True, attribute="until")
    candidates = fields.Function(
        lambda task: [each.referral_id for each in task.candidates],
        metadata={"type": "array", "items": {"type": "integer"}},
    )
    offers = fields.Function(
        lambda task: PlaceOfferSchema(many=True).dump([each.row for each in task.offers]),
        metadata={"type": "array", "items": {"type": "object"}},
    )


class OfferRequestSchema(Schema):
    """Whom the place is offered to. `reason`: needed for anybody but the first in order."""

    referral_id = row_id(required=True)
    reason = longer_text(load_default=None)


class AnswerSchema(Schema):
    """What the person said."""

    answer = code(ANSWERS, required=True)
    note = longer_text(load_default=None)
    arrangements = arrangements_field()


@waiting_api.get("/freed-places")
@needs("appointments.read")
@waiting_api.response(200, FreedPlaceSchema(many=True))
def freed_places() -> list[waiting_queries.Task]:
    """Which freed places are still to be had, and whom is each for?"""
    return waiting_queries.freed_places(act())


@waiting_api.get("/freed-places/<int:place_id>")
@needs("appointments.read")
@waiting_api.response(200, FreedPlaceSchema)
@waiting_api.alt_response(404, description="No such freed place at this site")
def freed_place(place_id: int) -> waiting_queries.Task:
    """One freed place, whatever became of it."""
    return waiting_queries.freed_place(act(), place_id)


@waiting_api.post("/freed-places/<int:place_id>/offers")
@needs("appointments.book")
@waiting_api.arguments(OfferRequestSchema)
@waiting_api.response(201, PlaceOfferSchema)
@_over
def offer_place(given: dict[str, Any], place_id: int) -> PlaceOffer:
    """Offer the place to somebody named for it, until the rule's time."""
    offer_id = waiting_commands.offer_place(act(), place_id, **given)
    return act().session.get_one(PlaceOffer, offer_id)


@waiting_api.post("/place-offers/<int:offer_id>/answer")
@needs("appointments.book")
@waiting_api.arguments(AnswerSchema)
@waiting_api.response(200, PlaceOfferSchema)
@_over
def answer_offer(given: dict[str, Any], offer_id: int) -> PlaceOffer:
    """The person said yes, which books the place, or no."""
    return waiting_commands.answer_offer(act(), offer_id, **given)


@waiting_api.post("/place-offers/<int:offer_id>/take-back")
@needs("appointments.book")
@waiting_api.arguments(WhySchema)
@waiting_api.response(200, PlaceOfferSchema)
@_over
def take_back_offer(given: dict[str, Any], offer_id: int) -> PlaceOffer:
    """An offer, or its answer, was recorded in error."""
    return waiting_commands.take_back_offer(act(), offer_id, **given)
