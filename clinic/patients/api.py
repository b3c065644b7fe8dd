"""Patients over the API: find, register, correct, and open outside the caseload with a reason."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, jsonify

from clinic import openapi
from clinic.auth import act, needs
from clinic.openapi import Blueprint
from clinic.patients import access, commands, queries
from clinic.patients.models import NO_KNOWN_ALLERGIES, Patient
from clinic.patients.schemas import (
    AddAlertSchema,
    AddAliasSchema,
    AddNumberSchema,
    CorrectSchema,
    FoundSchema,
    GlassOpenedSchema,
    GlassSchema,
    JoinedSchema,
    JoinSchema,
    PatientSchema,
    ReasonSchema,
    RegisterSchema,
    SearchSchema,
)

patients_api = Blueprint(
    "patients_api", __name__, url_prefix="/api/v1", description="Patients and their records"
)


def _answer(patient: Patient, status: int = 200) -> Response:
    """The record with its version as ETag."""
    work = act()
    known = queries.record(work, patient)
    shown = {
        **{field: getattr(patient, field) for field in ("id", "version", *commands.EDITABLE)},
        "keyworker": queries.banner(work, patient).keyworker,
        "allergies_known": any(
            row.kind in ("allergy", NO_KNOWN_ALLERGIES) and row.ended_at is None
            for row in known.alerts
        ),
        "numbers": [row for row in reversed(known.identifiers) if row.ended_at is None],
        "aliases": list(reversed(known.aliases)),
        "alerts": [row for row in reversed(known.alerts) if row.ended_at is None],
        "merges": [row for row in known.merges if row.undone_at is None],
    }
    response = jsonify(PatientSchema().dump(shown))
    response.status_code = status
    response.headers["Location"] = f"/api/v1/patients/{patient.id}"
    return openapi.tag(response, patient.version)


def _opened(patient_id: int) -> Patient:
    return access.open_record(act(), patient_id, "patients.read")


def _found(patient: Patient, here: bool) -> dict[str, Any]:
    return {
        "id": patient.id, "family_name": patient.family_name, "given_name": patient.given_name,
        "born_on": patient.born_on, "nhs_number": patient.number("nhs"), "on_caseload": here,
    }  # fmt: skip


@patients_api.get("/patients")
@needs("patients.read")
@patients_api.response(200, FoundSchema(many=True))
def caseload() -> list[dict[str, Any]]:
    """Everybody this site looks after, by name."""
    return [_found(patient, True) for patient in queries.caseload(act())]


@patients_api.post("/patients/search")
@needs("patients.read")
@patients_api.arguments(SearchSchema)
@patients_api.response(200, FoundSchema(many=True))
def search(given: dict[str, str]) -> list[dict[str, Any]]:
    """Patients by name, alias or number, at every site. Posted, so that neither is in an address."""
    return [_found(patient, here) for patient, here in queries.search(act(), given["q"])]


@patients_api.post("/patients")
@needs("patients.register")
@patients_api.arguments(RegisterSchema)
@patients_api.response(201, PatientSchema)
@patients_api.alt_response(409, description="The number is another's, or somebody is alike")
def register(given: dict[str, Any]) -> Response:
    """Register a patient. 409 `possible-duplicate` names the records alike, unless `sure`."""
    demo = current_app.config["SETTINGS"].demo
    patient_id = commands.register_patient(act(), demo=demo, **given)
    return _answer(_opened(patient_id), 201)


@patients_api.get("/patients/<int:patient_id>")
@needs("patients.read")
@patients_api.response(200, PatientSchema)
@patients_api.alt_response(403, description="Outside the caseload: give a reason first")
@patients_api.alt_response(404, description="No such patient")
def record(patient_id: int) -> Response:
    """One record, with its version as ETag. A joined record answers with the one that was kept."""
    return _answer(_opened(patient_id))


@patients_api.patch("/patients/<int:patient_id>")
@needs("patients.edit")
@patients_api.arguments(CorrectSchema)
@patients_api.response(200, PatientSchema)
@patients_api.alt_response(412, description="Changed meanwhile: says by whom and when")
@patients_api.alt_response(428, description="If-Match is needed")
def correct(given: dict[str, Any], patient_id: int) -> Response:
    """Correct details under the version that was read (If-Match)."""
    commands.correct_patient(act(), patient_id, version=openapi.if_match(), **given)
    return _answer(_opened(patient_id))


@patients_api.post("/patients/<int:patient_id>/numbers")
@needs("patients.edit")
@patients_api.arguments(AddNumberSchema)
@patients_api.response(201, PatientSchema)
@patients_api.alt_response(409, description="The number is another's")
def add_number(given: dict[str, str], patient_id: int) -> Response:
    """Record a number; the earlier one of its kind is ended."""
    demo = current_app.config["SETTINGS"].demo
    commands.add_number(act(), patient_id, given["kind"], given["value"], demo=demo)
    return _answer(_opened(patient_id), 201)


@patients_api.post("/patients/<int:patient_id>/numbers/<int:number_id>/end")
@needs("patients.edit")
@patients_api.arguments(ReasonSchema)
@patients_api.response(200, PatientSchema)
def end_number(given: dict[str, str], patient_id: int, number_id: int) -> Response:
    """The number is not this patient's. It stays in the history."""
    commands.end_number(act(), patient_id, number_id, given["reason"])
    return _answer(_opened(patient_id))


@patients_api.post("/patients/<int:patient_id>/aliases")
@needs("patients.edit")
@patients_api.arguments(AddAliasSchema)
@patients_api.response(201, PatientSchema)
def add_alias(given: dict[str, str], patient_id: int) -> Response:
    """Record another name."""
    commands.add_alias(act(), patient_id, given["family_name"], given["given_name"])
    return _answer(_opened(patient_id), 201)


@patients_api.post("/patients/<int:patient_id>/alerts")
@needs("patients.edit")
@patients_api.arguments(AddAlertSchema)
@patients_api.response(201, PatientSchema)
def add_alert(given: dict[str, str], patient_id: int) -> Response:
    """Put an alert or allergy on the banner, or say that somebody asked and there is none."""
    commands.add_alert(act(), patient_id, given["kind"], given["says"])
    return _answer(_opened(patient_id), 201)


@patients_api.post("/patients/<int:patient_id>/alerts/<int:alert_id>/end")
@needs("patients.edit")
@patients_api.response(200, PatientSchema)
def end_alert(patient_id: int, alert_id: int) -> Response:
    """Take an alert off the banner."""
    commands.end_alert(act(), patient_id, alert_id)
    return _answer(_opened(patient_id))


@patients_api.post("/patients/<int:patient_id>/leave")
@needs("patients.edit")
@patients_api.arguments(ReasonSchema)
@patients_api.response(204)
def leave(given: dict[str, str], patient_id: int) -> None:
    """This site no longer looks after the patient."""
    commands.leave_caseload(act(), patient_id, given["reason"])


@patients_api.post("/patients/<int:patient_id>/merges")
@needs("patients.merge")
@patients_api.arguments(JoinSchema)
@patients_api.response(201, JoinedSchema)
@patients_api.alt_response(409, description="One of them was already joined to another")
def join(given: dict[str, Any], patient_id: int) -> dict[str, int]:
    """Join another record to this one. Undone by its id."""
    return {"id": commands.merge_patients(act(), patient_id, given["merged_id"], given["reason"])}


@patients_api.post("/merges/<int:merge_id>/undo")
@needs("patients.merge")
@patients_api.arguments(ReasonSchema)
@patients_api.response(204)
def undo_join(given: dict[str, str], merge_id: int) -> None:
    """The two records are two people after all."""
    commands.undo_merge(act(), merge_id, given["reason"])


@patients_api.post("/patients/<int:patient_id>/break-glass")
@needs("breakglass.use")
@patients_api.arguments(GlassSchema)
@patients_api.response(201, GlassOpenedSchema)
def break_glass(given: dict[str, str], patient_id: int) -> dict[str, int]:
    """Open a record outside the caseload for one hour. A manager sees the reason."""
    return {"id": access.break_glass(act(), patient_id, given["reason_code"], given["reason"])}
