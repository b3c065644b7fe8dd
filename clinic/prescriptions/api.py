"""Entries, dose checks, dose decisions and doses over HTTP. Every look at a patient is audited."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_smorest import Blueprint

from clinic.auth import act, needs
from clinic.errors import PROBLEM
from clinic.openapi import ProblemSchema
from clinic.prescriptions import commands, queries
from clinic.prescriptions.kinds import KINDS, Kind
from clinic.prescriptions.models import DoseDecision
from clinic.prescriptions.schemas import (
    CheckSchema,
    DecisionRequestSchema,
    DecisionSchema,
    DoseCheckRequestSchema,
    DoseRequestSchema,
    DoseSchema,
    ElsewhereDoseRequestSchema,
    EntryMadeSchema,
    EntryRequestSchema,
    EntrySchema,
    ReplaySchema,
    StrikeSchema,
)

prescriptions_api = Blueprint(
    "prescriptions_api", __name__, url_prefix="/api/v1/patients/<int:patient_id>",
    description="What is known before a dose, dose decisions, and doses taken",
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


def _made(path: str, row_id: int) -> Response:
    response = jsonify({"id": row_id})
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/patients/{path}/{row_id}"
    return response


# -- entries -------------------------------------------------------------------------------


def _doors(kind: Kind) -> None:
    """Reading and recording one kind of entry, at an address of its own."""

    def listed(patient_id: int) -> Any:
        record = queries.prescribing_record(act(), patient_id)
        return [row for row in record.entries if row.kind == kind.name]

    def recorded(given: dict[str, Any], patient_id: int) -> Response:
        entry_id = commands.record_entry(act(), patient_id, kind.name, **given)
        return _made(f"{patient_id}/{kind.slug}", entry_id)

    listed.__doc__ = f"{kind.says}: every entry, newest first, struck ones included."
    recorded.__doc__ = f"{kind.says}: record one."
    for verb, view, right, marks in (
        ("get", listed, "prescribing.read", [prescriptions_api.response(200, EntrySchema(many=True))]),
        (
            "post", recorded, "prescribing.assess",
            [prescriptions_api.response(201, EntryMadeSchema),
             prescriptions_api.arguments(EntryRequestSchema)],
        ),
    ):  # fmt: skip
        marked: Any = view
        for mark in reversed(marks):
            marked = mark(marked)
        marked = needs(right)(_absent(marked))
        add = getattr(prescriptions_api, verb)
        add(f"/{kind.slug}", endpoint=f"{verb}_{kind.name}")(marked)


for _kind in KINDS.values():
    _doors(_kind)


@prescriptions_api.post("/entries/<int:entry_id>/strike")
@needs("prescribing.assess")
@prescriptions_api.arguments(StrikeSchema)
@prescriptions_api.response(204)
@_absent
def strike_entry(given: dict[str, Any], patient_id: int, entry_id: int) -> None:
    """Strike an entry out as wrong. It stays on the record."""
    commands.strike_entry(act(), patient_id, entry_id, **given)


# -- decisions -----------------------------------------------------------------------------


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
def decide(given: dict[str, Any], patient_id: int) -> Response:
    """Save a dose. Nobody can save one that a rule stops."""
    row_id = commands.save_dose_decision(act(), patient_id, **given)
    _, row = queries.decision(act(), patient_id, row_id)
    response = jsonify(DecisionSchema().dump(row))
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/patients/{patient_id}/dose-decisions/{row_id}"
    return response


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


# -- doses ---------------------------------------------------------------------------------


@prescriptions_api.get("/doses")
@needs("prescribing.read")
@prescriptions_api.response(200, DoseSchema(many=True))
@_absent
def doses(patient_id: int) -> Any:
    """Every dose recorded, newest first, struck ones included."""
    return queries.prescribing_record(act(), patient_id).doses


@prescriptions_api.post("/doses")
@needs("prescribing.assess")
@prescriptions_api.arguments(ElsewhereDoseRequestSchema)
@prescriptions_api.response(201, EntryMadeSchema)
@_absent
def dose_elsewhere(given: dict[str, Any], patient_id: int) -> Response:
    """Record a dose taken at another service."""
    dose_id = commands.record_dose_elsewhere(act(), patient_id, **given)
    return _made(f"{patient_id}/doses", dose_id)


@prescriptions_api.post("/dose-decisions/<int:decision_id>/doses")
@needs("prescribing.assess")
@prescriptions_api.arguments(DoseRequestSchema)
@prescriptions_api.response(201, EntryMadeSchema)
@prescriptions_api.alt_response(409, description="That dose of the day is already recorded")
def dose(given: dict[str, Any], patient_id: int, decision_id: int) -> Response:
    """Record what became of a decided dose."""
    dose_id = commands.record_dose(act(), patient_id, decision_id, **given)
    return _made(f"{patient_id}/doses", dose_id)


@prescriptions_api.post("/doses/<int:dose_id>/strike")
@needs("prescribing.assess")
@prescriptions_api.arguments(StrikeSchema)
@prescriptions_api.response(204)
@_absent
def strike_dose(given: dict[str, Any], patient_id: int, dose_id: int) -> None:
    """Strike a dose out. One recorded as taken counts that day until a second person agrees."""
    commands.strike_dose(act(), patient_id, dose_id, **given)


@prescriptions_api.post("/doses/<int:dose_id>/agree")
@needs("prescribing.assess")
@prescriptions_api.response(204)
@_absent
def agree_strike(patient_id: int, dose_id: int) -> None:
    """Agree, as a second person, that a dose struck out was not taken."""
    commands.agree_strike(act(), patient_id, dose_id)
