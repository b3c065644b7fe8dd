"""The three stateless checks and their two doors: one command and one address each.

They store nothing, read no record and know no site, so anyone who can reach the service may ask.
They refuse in the shape their contracts give, and publish the JSON Schema of what they take and
answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request

from clinic.auth import open_to_all
from clinic.calendars import holiday_lists
from clinic.errors import NotFound
from dosing import shape


@dataclass(frozen=True)
class Check:
    """One stateless check. `run` takes parsed JSON and returns the contract's answer."""

    words: tuple[str, str]
    path: str
    asks: str
    run: Callable[[Any], shape.Answer]
    request_schema: Callable[[], shape.JsonSchema]
    response_schema: Callable[[], shape.JsonSchema]


@cache
def all_checks() -> dict[str, Check]:
    """The checks by name. Imported late: each loads its rule files."""
    from dosing import check as dose
    from scheduling import custody, release

    def plan(given: Any) -> shape.Answer:
        return custody.plan(given, holiday_lists())

    def gap(given: Any) -> shape.Answer:
        return release.check(given, holiday_lists())

    return {
        "dose": Check(
            ("dose", "check"), "dosing/check", "May this dose be given?",
            dose.check, dose.request_schema, dose.response_schema,
        ),
        "timetable": Check(
            ("timetable", "plan"), "timetable/plan", "What is due in the first 28 days?",
            plan, custody.request_schema, custody.response_schema,
        ),
        "release": Check(
            ("release", "check"), "release/check", "Which days would be without medicine?",
            gap, release.request_schema, release.response_schema,
        ),
    }  # fmt: skip


checks_api = Blueprint("checks_api", __name__, url_prefix="/api/v1")


def _answer(name: str) -> Response:
    given, evaluated = shape.answer(all_checks()[name].run, shape.parse(request.get_data()))
    response = jsonify(given)
    response.status_code = 200 if evaluated else 422
    return response


@checks_api.post("/dosing/check")
@open_to_all
def dosing_check() -> Response:
    """Judge one order against a rule set."""
    return _answer("dose")


@checks_api.post("/timetable/plan")
@open_to_all
def timetable_plan() -> Response:
    """Work out one person's 28-day timetable."""
    return _answer("timetable")


@checks_api.post("/release/check")
@open_to_all
def release_check() -> Response:
    """Work out prescribing gaps on arrival, at court, on transfer and on release."""
    return _answer("release")


@checks_api.get("/schemas/<name>/<side>")
@open_to_all
def schema(name: str, side: str) -> Response:
    """The JSON Schema (2020-12) of a check's request or response."""
    check = all_checks().get(name)
    if check is None or side not in ("request", "response"):
        raise NotFound("Schemas are dose, timetable and release; request and response.")
    made = check.request_schema() if side == "request" else check.response_schema()
    return jsonify({"$schema": "https://json-schema.org/draft/2020-12/schema", **made})


def describe(app: Flask, document: Any) -> None:
    """Put the checks into the OpenAPI document: their contracts are their own shapes."""
    refusal = {
        "type": "object",
        "required": ["case", "error"],
        "properties": {
            "case": {"type": ["string", "null"]},
            "error": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    }
    rules = {rule.rule: rule for rule in app.url_map.iter_rules()}
    for check in all_checks().values():
        document.spec.path(
            rule=rules[f"/api/v1/{check.path}"],
            operations={
                "post": {
                    "summary": check.asks,
                    "tags": ["checks"],
                    "security": [],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": check.request_schema()}},
                    },
                    "responses": {
                        "200": {
                            "description": "Evaluated, whatever the outcome",
                            "content": {"application/json": {"schema": check.response_schema()}},
                        },
                        "422": {
                            "description": "Refused: the field at fault and what is allowed",
                            "content": {"application/json": {"schema": refusal}},
                        },
                        "413": {"description": "Too large"},
                    },
                }
            },
        )

    document.spec.path(
        rule=rules["/api/v1/schemas/<name>/<side>"],
        operations={
            "get": {
                "summary": "The JSON Schema of a check's request or response",
                "tags": ["checks"],
                "security": [],
                "parameters": [
                    {
                        "in": "path", "name": "name", "required": True,
                        "schema": {"type": "string", "enum": list(all_checks())},
                    },
                    {
                        "in": "path", "name": "side", "required": True,
                        "schema": {"type": "string", "enum": ["request", "response"]},
                    },
                ],
                "responses": {
                    "200": {
                        "description": "JSON Schema 2020-12",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    },
                    "404": {"description": "No such check"},
                },
            }
        },
    )  # fmt: skip


api_blueprints = ()
page_blueprints = (checks_api,)
