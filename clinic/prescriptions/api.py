"""Dose checks and dose decisions over HTTP. Every look at a patient is audited."""

from __future__ import annotations

from typing import Any

from clinic.auth import act, needs
from clinic.errors import PROBLEM
from clinic.openapi import Blueprint, ProblemSchema
from clinic.prescriptions import commands, queries
from clinic.prescriptions.models import DoseDecision
from clinic.prescriptions.schemas import (
    CheckSchema,
    DecisionRequestSchema,
    DecisionSchema,
    DoseCheckRequestSchema,
    ReplaySchema,
)
from clinic.shapes import StrikeSchema

prescriptions_api = Blueprint(
    "prescriptions_api", __name__, url_prefix="/api/v1/patients/<int:patient_id>",
    description="Dose checks and dose decisions",
)  # fmt: skip


class StoppedSchema(ProblemSchema):
    """A dose that cannot be saved, with the whole check."""

    class Meta(ProblemSchema.Meta):
        title = "Stopped"


_stopped = prescriptions_api.alt_response(
    422, schema=StoppedSchema, content_type=PROBLEM,
    description="A STOP, an ALERT without a reason, or facts that are missing: says which",
)  # fmt: skip
_absent = prescriptions_api.alt_response(404, description="No such patient, or not theirs")


@prescriptions_api.post("/dose-checks")
@needs("prescribing.read")
@prescriptions_api.arguments(DoseCheckRequestSchema)
@prescriptions_api.response(200, CheckSchema)
@_stopped
def check(given: dict[str, Any], patient_id: int) -> Any:
    """What do the rules say to this order now? Nothing is saved, whatever the outcome."""
    answer, planned = commands.check_dose(act(), patient_id, **given)
    return {**answer, "counted_as_taken": [row.id for row in planned]}


@prescriptions_api.get("/dose-decisions")
@needs("prescribing.read")
@prescriptions_api.response(200, DecisionSchema(many=True))
@_absent
def decisions(patient_id: int) -> list[DoseDecision]:
    """Every decision, newest first, withdrawn ones included."""
    return queries.prescribing_record(act(), patient_id).decisions


@prescriptions_api.post("/dose-decisions")
@needs("prescribing.prescribe")
@prescriptions_api.arguments(DecisionRequestSchema)
@prescriptions_api.response(201, DecisionSchema)
@_stopped
def decide(given: dict[str, Any], patient_id: int) -> tuple[DoseDecision, dict[str, str]]:
    """Save a dose. Nobody can save one that a rule stops."""
    act().need("prescribing.read")  # the answer tells what the decision was judged by
    row = commands.decide_dose(act(), patient_id, **given)
    return row, {"Location": f"/api/v1/patients/{patient_id}/dose-decisions/{row.id}"}


@prescriptions_api.get("/dose-decisions/<int:decision_id>")
@needs("prescribing.read")
@prescriptions_api.response(200, DecisionSchema)
@_absent
def decision(patient_id: int, decision_id: int) -> DoseDecision:
    """One decision, with everything it was judged on."""
    return queries.decision(act(), patient_id, decision_id)[1]


@prescriptions_api.get("/dose-decisions/<int:decision_id>/replay")
@needs("prescribing.read")
@prescriptions_api.response(200, ReplaySchema)
@_absent
def replay(patient_id: int, decision_id: int) -> queries.Replay:
    """Judge a decision again on the facts of its moment: is the answer the same?"""
    queries.decision(act(), patient_id, decision_id)
    return queries.replay(act(), decision_id)


@prescriptions_api.post("/dose-decisions/<int:decision_id>/withdraw")
@needs("prescribing.prescribe")
@prescriptions_api.arguments(StrikeSchema)
@prescriptions_api.response(204)
@_absent
def withdraw(given: dict[str, Any], patient_id: int, decision_id: int) -> None:
    """Take a decision back from now on."""
    commands.withdraw_decision(act(), patient_id, decision_id, **given)
