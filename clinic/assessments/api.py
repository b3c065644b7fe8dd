"""What was found or asked, over HTTP. Every look at a patient is audited."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint

from clinic.assessments import commands
from clinic.assessments.kinds import KINDS, Kind
from clinic.assessments.schemas import EntryRequestSchema, EntrySchema
from clinic.auth import act, needs
from clinic.prescriptions import queries
from clinic.shapes import MadeSchema, StrikeSchema, made

assessments_api = Blueprint(
    "assessments_api", __name__, url_prefix="/api/v1/patients/<int:patient_id>",
    description="What is known before a dose",
)  # fmt: skip
_absent = assessments_api.alt_response(404, description="No such patient, or not theirs")


def _doors(kind: Kind) -> None:
    """Reading and recording one kind of entry, at an address of its own."""

    def listed(patient_id: int) -> Any:
        record = queries.prescribing_record(act(), patient_id)
        return [row for row in record.entries if row.kind == kind.name]

    def recorded(given: dict[str, Any], patient_id: int) -> Response:
        entry_id = commands.record_entry(act(), patient_id, kind.name, **given)
        return made(f"{patient_id}/{kind.slug}", entry_id)

    listed.__doc__ = f"{kind.says}: every entry, newest first, struck ones included."
    recorded.__doc__ = f"{kind.says}: record one."
    for verb, view, right, marks in (
        ("get", listed, "prescribing.read", [assessments_api.response(200, EntrySchema(many=True))]),
        (
            "post", recorded, "prescribing.assess",
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


@assessments_api.post("/entries/<int:entry_id>/strike")
@needs("prescribing.assess")
@assessments_api.arguments(StrikeSchema)
@assessments_api.response(204)
@_absent
def strike_entry(given: dict[str, Any], patient_id: int, entry_id: int) -> None:
    """Strike an entry out as wrong. It stays on the record."""
    commands.strike_entry(act(), patient_id, entry_id, **given)
