"""What was found or asked, over HTTP. Every look at a patient is audited."""

from __future__ import annotations

from typing import Any

from flask import Response

from clinic.assessments import commands, queries
from clinic.assessments.claims import is_claimed
from clinic.assessments.kinds import KINDS, WORKERS, Kind
from clinic.assessments.schemas import (
    AssessmentSchema,
    ContinuitySchema,
    EntriesMadeSchema,
    EntriesRequestSchema,
    EntryRequestSchema,
    EntrySchema,
    WorkerSchema,
)
from clinic.auth import act, needs
from clinic.openapi import Blueprint
from clinic.prescriptions.queries import prescribing_record
from clinic.shapes import MadeSchema, StrikeSchema, made

assessments_api = Blueprint(
    "assessments_api", __name__, url_prefix="/api/v1/patients/<int:patient_id>",
    description="What is known before a dose",
)  # fmt: skip
_absent = assessments_api.alt_response(404, description="No such patient, or not theirs")


def _doors(kind: Kind) -> None:
    """Reading and recording one kind of entry, at an address of its own."""

    def listed(patient_id: int) -> Any:
        record = prescribing_record(act(), patient_id)
        return [row for row in record.entries if row.kind == kind.name]

    def recorded(given: dict[str, Any], patient_id: int) -> Response:
        entry_id = commands.record_entry(act(), patient_id, kind.name, **given)
        return made(f"{patient_id}/{kind.slug}", entry_id)

    listed.__doc__ = f"{kind.says}: every entry, newest first, struck ones included."
    recorded.__doc__ = f"{kind.says}: record one."
    for verb, view, right, marks in (
        ("get", listed, "prescribing.read", [assessments_api.response(200, EntrySchema(many=True))]),
        (
            "post", recorded, kind.right,
            [assessments_api.response(201, MadeSchema),
             assessments_api.arguments(EntryRequestSchema)],
        ),
    ):  # fmt: skip
        marked: Any = view
        for mark in reversed(marks):
            marked = mark(marked)
        marked = needs(right)(_absent(marked))
        add = getattr(assessments_api, verb)
        add(f"/{kind.slug}", endpoint=f"{verb}_{kind.name}")(marked)


for _kind in KINDS.values():
    _doors(_kind)


@assessments_api.post("/entries")
@needs(WORKERS)
@assessments_api.arguments(EntriesRequestSchema)
@assessments_api.response(201, EntriesMadeSchema)
@_absent
def record_entries(given: dict[str, Any], patient_id: int) -> Any:
    """Record what was found at one sitting, of any kinds: all of it, or none."""
    return {"ids": commands.record_entries(act(), patient_id, given["entries"])}


@assessments_api.get("/assessment")
@needs("prescribing.read")
@assessments_api.response(200, AssessmentSchema)
@_absent
def journey(patient_id: int) -> Any:
    """Where the assessment stands: its parts, its complexity, and what a first dose still lacks."""
    found = queries.assessment(act(), patient_id)
    case, outcome = found.case, found.case.own_outcome or found.case.refused_by_outcome
    return {
        "began_on": case.began_on,
        "first_visit_on": case.first_visit_on,
        "days": [on for on, _ in found.days],
        "dependence_established": case.dependence_established,
        "complexity": found.complexity,
        "parts": [
            {"name": task.name, "says": task.text, "status": task.status,
             "needed_before_first_dose": task.needed, "flag": task.flag, "notes": list(task.says)}
            for task in found.tasks
        ],
        "outcome_id": outcome.id if outcome else None,
        "lacking": [{"field": each.code, "says": each.says} for each in found.lacking],
    }  # fmt: skip


@assessments_api.get("/continuity")
@needs("prescribing.read")
@assessments_api.response(200, ContinuitySchema)
@_absent
def continuity(patient_id: int) -> Any:
    """Would a dose be a start or a continuation today, for each claim and each medicine?"""
    found = queries.continuity(act(), patient_id)
    return {
        "medicines": [_line(line) for line in found.medicines],
        "claims": [
            {
                **_line(line), "entry_id": line.claim.row.id if is_claimed(line.claim) else None,
                "from_on": line.claim.from_on, "last_on": line.claim.last_on,
                "prescriber": line.claim.state("prescriber"),
                "pharmacy": line.claim.state("pharmacy"),
            }
            for line in found.claims
            if line.claim is not None
        ],
    }  # fmt: skip


def _line(line: queries.Line) -> dict[str, Any]:
    known = line.treatment
    return {
        "drug": line.drug,
        "kind": known.kind if known else "contradiction",
        "missed_days": known.missed_days if known else None,
        "last_dose_on": known.last_on if known else None,
        "lacking": [*line.lacking, *([line.contradiction] if line.contradiction else [])],
    }


@assessments_api.post("/workers")
@needs("assessments.record")
@assessments_api.arguments(WorkerSchema)
@assessments_api.response(204)
@_absent
def name_worker(given: dict[str, Any], patient_id: int) -> None:
    """Name the keyworker or case manager."""
    commands.name_worker(act(), patient_id, **given)


@assessments_api.post("/entries/<int:entry_id>/strike")
@needs("assessments.record")
@assessments_api.arguments(StrikeSchema)
@assessments_api.response(204)
@_absent
def strike_entry(given: dict[str, Any], patient_id: int, entry_id: int) -> None:
    """Strike an entry out as wrong. It stays on the record."""
    commands.strike_entry(act(), patient_id, entry_id, **given)
