"""How the API answers with a visit, and with a place that is not to be had."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify

from clinic.appointments.models import INDUCTION, Visit
from clinic.appointments.schemas import TakenSchema, VisitSchema
from clinic.appointments.taking import Booked, visit_as_json
from clinic.auth import act
from clinic.errors import PROBLEM
from clinic.openapi import tag

TAKEN: Final[dict[str, Any]] = {
    "schema": TakenSchema, "content_type": PROBLEM,
    "description": "Taken, or other days change with it; says what is free next, with the preview",
}  # fmt: skip
"""How 409 is described wherever a place is wanted."""


def tagged(schema: Any, row: Any, status: int = 200) -> Response:
    """A row with its version as ETag."""
    response = jsonify(schema.dump(row))
    response.status_code = status
    return tag(response, row.version)


def visit_answer(visit: Visit) -> Response:
    """A visit as it stands."""
    return tagged(VisitSchema(), visit)


def new_visit(visit_id: int) -> Response:
    """A visit just made, and where it is found."""
    response = tagged(VisitSchema(), act().session.get_one(Visit, visit_id), 201)
    return _found_at(response, visit_id)


def just_booked(booked: Booked) -> Response:
    """The same, without another look at the database."""
    response = jsonify(
        {
            "id": booked.id,
            "patient_id": booked.patient_id,
            "site_id": act().site_id,
            "referral_id": booked.referral_id,
            "kind": INDUCTION,
            **visit_as_json(booked),
            "status": "held" if booked.lapses_at else "booked",
            "version": booked.version,
        }
    )
    response.status_code = 201
    return _found_at(tag(response, booked.version), booked.id)


def _found_at(response: Response, visit_id: int) -> Response:
    response.headers["Location"] = f"/api/v1/visits/{visit_id}"
    return response
