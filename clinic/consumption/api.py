"""Doses taken, over HTTP. Every look at a patient is audited."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint

from clinic.auth import act, needs
from clinic.consumption import commands
from clinic.consumption.schemas import DoseRequestSchema, DoseSchema, ElsewhereDoseRequestSchema
from clinic.prescriptions import queries
from clinic.shapes import MadeSchema, StrikeSchema, made

consumption_api = Blueprint(
    "consumption_api", __name__, url_prefix="/api/v1/patients/<int:patient_id>",
    description="Doses taken",
)  # fmt: skip
_absent = consumption_api.alt_response(404, description="No such patient, or not theirs")


@consumption_api.get("/doses")
@needs("prescribing.read")
@consumption_api.response(200, DoseSchema(many=True))
@_absent
def doses(patient_id: int) -> Any:
    """Every dose recorded, newest first, struck ones included."""
    return queries.prescribing_record(act(), patient_id).doses


@consumption_api.post("/doses")
@needs("prescribing.assess")
@consumption_api.arguments(ElsewhereDoseRequestSchema)
@consumption_api.response(201, MadeSchema)
@_absent
def dose_elsewhere(given: dict[str, Any], patient_id: int) -> Response:
    """Record a dose taken at another service."""
    dose_id = commands.record_dose_elsewhere(act(), patient_id, **given)
    return made(f"{patient_id}/doses", dose_id)


@consumption_api.post("/dose-decisions/<int:decision_id>/doses")
@needs("prescribing.assess")
@consumption_api.arguments(DoseRequestSchema)
@consumption_api.response(201, MadeSchema)
@consumption_api.alt_response(409, description="That dose of the day is already recorded")
def dose(given: dict[str, Any], patient_id: int, decision_id: int) -> Response:
    """Record what became of a decided dose."""
    dose_id = commands.record_dose(act(), patient_id, decision_id, **given)
    return made(f"{patient_id}/doses", dose_id)


@consumption_api.post("/doses/<int:dose_id>/strike")
@needs("prescribing.assess")
@consumption_api.arguments(StrikeSchema)
@consumption_api.response(204)
@_absent
def strike_dose(given: dict[str, Any], patient_id: int, dose_id: int) -> None:
    """Strike a dose out. One recorded as taken counts that day until a second person agrees."""
    commands.strike_dose(act(), patient_id, dose_id, **given)


@consumption_api.post("/doses/<int:dose_id>/agree")
@needs("prescribing.assess")
@consumption_api.response(204)
@_absent
def agree_strike(patient_id: int, dose_id: int) -> None:
    """Agree, as a second person, that a dose struck out was not taken."""
    commands.agree_strike(act(), patient_id, dose_id)
