"""Titration over HTTP. Every look at a patient is audited."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint

from clinic.auth import act, needs
from clinic.shapes import MadeSchema, StrikeSchema, made
from clinic.titration import commands, queries
from clinic.titration.models import TitrationReview
from clinic.titration.schemas import ReviewRequestSchema, ReviewSchema

titration_api = Blueprint(
    "titration_api", __name__, url_prefix="/api/v1/patients/<int:patient_id>",
    description="Titration: reviews of the dose",
)  # fmt: skip
_absent = titration_api.alt_response(404, description="No such patient, or not theirs")


@titration_api.get("/titration-reviews")
@needs("prescribing.read")
@titration_api.response(200, ReviewSchema(many=True))
@_absent
def reviews(patient_id: int) -> list[TitrationReview]:
    """Every review of the dose, newest first, struck ones included."""
    return queries.reviews_of(act(), patient_id)[1]


@titration_api.post("/titration-reviews")
@needs("prescribing.assess")
@titration_api.arguments(ReviewRequestSchema)
@titration_api.response(201, MadeSchema)
@_absent
def record_review(given: dict[str, Any], patient_id: int) -> Response:
    """Record a review of the dose."""
    review_id = commands.record_review(act(), patient_id, **given)
    return made(f"{patient_id}/titration-reviews", review_id)


@titration_api.post("/titration-reviews/<int:review_id>/strike")
@needs("prescribing.assess")
@titration_api.arguments(StrikeSchema)
@titration_api.response(204)
@_absent
def strike_review(given: dict[str, Any], patient_id: int, review_id: int) -> None:
    """Strike a review out as wrong. It stays on the record."""
    commands.strike_review(act(), patient_id, review_id, **given)
