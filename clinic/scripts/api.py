"""Prescription forms over HTTP. Paper only: nothing is submitted or signed electronically."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from clinic.auth import act, needs
from clinic.errors import PROBLEM
from clinic.openapi import VERSIONED, Blueprint, ProblemSchema, if_match, tag
from clinic.prescriptions.commands import FactsMissing
from clinic.scripts import commands, queries, regimen_commands, shut_commands
from clinic.scripts.models import CollectionRegimen, Script
from clinic.scripts.paper_pages import printed
from clinic.scripts.schemas import (
    ArrangeSchema,
    CallSchema,
    CancelSchema,
    DraftSchema,
    IssueSchema,
    NewDraftSchema,
    PrintSchema,
    RegimenRequestSchema,
    RegimenSchema,
    ScriptCheckSchema,
    ScriptSchema,
    ShutSchema,
    UndoSchema,
)
from clinic.scripts.shut import shut_of
from clinic.shapes import MadeSchema, StrikeSchema, made

scripts_api = Blueprint(
    "scripts_api", __name__, url_prefix="/api/v1/patients/<int:patient_id>",
    description="Prescription forms, and how somebody collects",
)  # fmt: skip

_absent = scripts_api.alt_response(404, description="No such patient or form, or not theirs")
_taken = scripts_api.alt_response(
    409, description="A date is covered by another form, or its state does not allow it"
)
_stale = scripts_api.alt_response(412, description="Changed meanwhile")
_versioned = scripts_api.doc(**VERSIONED)


class StoppedFormSchema(ProblemSchema):
    """A form that cannot be issued, with the whole check."""

    class Meta(ProblemSchema.Meta):
        title = "Stopped form"


_stopped = scripts_api.alt_response(
    422, schema=StoppedFormSchema, content_type=PROBLEM,
    description="A STOP, an ALERT without a reason, a needed wording or facts missing: says which",
)  # fmt: skip


def _one(patient_id: int, script_id: int, status: int = 200) -> Response:
    _, row = queries.one(act(), patient_id, script_id)
    shown = {**ScriptSchema().dump(row), "shut": ShutSchema(many=True).dump(shut_of(act(), [row]))}
    response = jsonify(shown)
    response.status_code = status
    response.headers["Location"] = f"/api/v1/patients/{patient_id}/prescription-forms/{row.id}"
    return tag(response, row.version)


@scripts_api.get("/prescription-forms")
@needs("prescribing.read")
@scripts_api.response(200, ScriptSchema(many=True))
@_absent
def scripts(patient_id: int) -> list[Script]:
    """Every form of this patient, newest first."""
    return queries.held(act(), patient_id).scripts


@scripts_api.post("/prescription-forms")
@needs("prescribing.assess")
@scripts_api.arguments(NewDraftSchema)
@scripts_api.response(201, ScriptSchema)
@_stopped
@_taken
def draft(given: dict[str, Any], patient_id: int) -> Response:
    """Begin a form. It is a draft until a prescriber issues it."""
    return _one(patient_id, commands.draft_script(act(), patient_id, **given), 201)


@scripts_api.get("/prescription-forms/<int:script_id>")
@needs("prescribing.read")
@scripts_api.response(200, ScriptSchema)
@_absent
def script(patient_id: int, script_id: int) -> Response:
    """One form, with its version as ETag."""
    return _one(patient_id, script_id)


@scripts_api.put("/prescription-forms/<int:script_id>")
@needs("prescribing.assess")
@scripts_api.arguments(DraftSchema)
@scripts_api.response(200, ScriptSchema)
@_stopped
@_taken
@_stale
@_versioned
def change(given: dict[str, Any], patient_id: int, script_id: int) -> Response:
    """Change a draft under the version that was read (If-Match)."""
    commands.change_draft(act(), patient_id, script_id, version=if_match(), **given)
    return _one(patient_id, script_id)


@scripts_api.post("/prescription-forms/<int:script_id>/check")
@needs("prescribing.read")
@scripts_api.response(200, ScriptCheckSchema)
@_stopped
@_taken
def check(patient_id: int, script_id: int) -> dict[str, Any]:
    """What do the rules say to this draft now? Nothing is saved."""
    found = commands.check_script(act(), patient_id, script_id)
    if found.missing:
        raise FactsMissing(found.missing)
    return {**found.answer, "needs": found.needs, "counted_ahead": found.ahead}


@scripts_api.post("/prescription-forms/<int:script_id>/issue")
@needs("prescribing.prescribe")
@scripts_api.arguments(IssueSchema)
@scripts_api.response(200, ScriptSchema)
@_stopped
@_taken
@_stale
@_versioned
def issue(given: dict[str, Any], patient_id: int, script_id: int) -> Response:
    """Issue a draft under the version that was read. Nobody can issue one that a rule stops."""
    commands.issue_script(act(), patient_id, script_id, version=if_match(), **given)
    return _one(patient_id, script_id)


@scripts_api.post("/prescription-forms/<int:script_id>/prints")
@needs("prescribing.prescribe")
@scripts_api.arguments(PrintSchema)
@scripts_api.response(200, content_type="application/pdf", description="The form as PDF")
@_stopped
@_taken
def print_once(given: dict[str, Any], patient_id: int, script_id: int) -> Response:
    """The form as PDF, to be signed by hand. From the second time on marked as a reprint."""
    return printed(act(), patient_id, script_id, given.get("reason"))


@scripts_api.post("/prescription-forms/<int:script_id>/cancel")
@needs("prescribing.prescribe")
@scripts_api.arguments(CancelSchema)
@scripts_api.response(200, ScriptSchema)
@_stopped
@_taken
def cancel(given: dict[str, Any], patient_id: int, script_id: int) -> Response:
    """Cancel an issued form from the start of an instalment on. The pharmacy is to be told."""
    commands.cancel_script(act(), patient_id, script_id, **given)
    return _one(patient_id, script_id)


@scripts_api.post("/prescription-forms/<int:script_id>/discard")
@needs("prescribing.assess")
@scripts_api.arguments(StrikeSchema)
@scripts_api.response(200, ScriptSchema)
@_stopped
@_taken
def discard(given: dict[str, Any], patient_id: int, script_id: int) -> Response:
    """Put a draft aside for good."""
    commands.discard_draft(act(), patient_id, script_id, **given)
    return _one(patient_id, script_id)


@scripts_api.post("/prescription-forms/<int:script_id>/call")
@needs("prescribing.assess")
@scripts_api.arguments(CallSchema)
@scripts_api.response(200, ScriptSchema)
@_stopped
@_taken
def call(given: dict[str, Any], patient_id: int, script_id: int) -> Response:
    """The pharmacy was told that a form is cancelled or replaced."""
    commands.record_call(act(), patient_id, script_id, **given)
    return _one(patient_id, script_id)


@scripts_api.post("/prescription-forms/<int:script_id>/settle")
@needs("prescribing.assess")
@scripts_api.arguments(StrikeSchema)
@scripts_api.response(200, ScriptSchema)
@_stopped
@_taken
def settle(given: dict[str, Any], patient_id: int, script_id: int) -> Response:
    """No next form is to follow: its end is no longer warned of."""
    commands.settle_script(act(), patient_id, script_id, **given)
    return _one(patient_id, script_id)


@scripts_api.post("/prescription-forms/<int:script_id>/undo")
@needs("prescribing.assess")
@scripts_api.arguments(UndoSchema)
@scripts_api.response(200, ScriptSchema)
@_stopped
@_taken
def undo(given: dict[str, Any], patient_id: int, script_id: int) -> Response:
    """Take back a recorded call, or that no next form is to follow. Both stay on the record."""
    commands.undo_on_script(act(), patient_id, script_id, **given)
    return _one(patient_id, script_id)


@scripts_api.post("/prescription-forms/<int:script_id>/shut-days")
@needs("prescribing.assess")
@scripts_api.arguments(ArrangeSchema)
@scripts_api.response(201, MadeSchema)
@_stopped
@_taken
def arrange(given: dict[str, Any], patient_id: int, script_id: int) -> Response:
    """What is due on a shut day is handed out before it: pharmacy and patient know."""
    row_id = shut_commands.arrange_shut_day(act(), patient_id, script_id, **given)
    return made(f"{patient_id}/prescription-forms/{script_id}/shut-days", row_id)


@scripts_api.post("/prescription-forms/<int:script_id>/shut-days/<int:arranged_id>/strike")
@needs("prescribing.assess")
@scripts_api.arguments(StrikeSchema)
@scripts_api.response(204)
@_absent
@_taken
def strike_arranged(
    given: dict[str, Any], patient_id: int, script_id: int, arranged_id: int
) -> None:
    """That holds no longer: the collection waits on the list again."""
    shut_commands.strike_shut_arranged(act(), patient_id, script_id, arranged_id, **given)


@scripts_api.get("/collections")
@needs("prescribing.read")
@scripts_api.response(200, RegimenSchema(many=True))
@_absent
def collections(patient_id: int) -> list[CollectionRegimen]:
    """How this patient collects, newest first, struck rows included."""
    return queries.held(act(), patient_id).regimens


@scripts_api.post("/collections")
@needs("prescribing.prescribe")
@scripts_api.arguments(RegimenRequestSchema)
@scripts_api.response(201, MadeSchema)
@_stopped
@_taken
def collect(given: dict[str, Any], patient_id: int) -> Response:
    """Say how somebody collects from a date on. Its pattern feeds new forms, never a dose."""
    row_id = regimen_commands.set_regimen(act(), patient_id, **given)
    return made(f"{patient_id}/collections", row_id)


@scripts_api.post("/collections/<int:regimen_id>/strike")
@needs("prescribing.prescribe")
@scripts_api.arguments(StrikeSchema)
@scripts_api.response(204)
@_absent
@_taken
def strike_collecting(given: dict[str, Any], patient_id: int, regimen_id: int) -> None:
    """That was wrong. It stays on the record."""
    regimen_commands.strike_regimen(act(), patient_id, regimen_id, **given)
