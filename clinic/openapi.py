"""What does the HTTP API take and give? OpenAPI 3.1, made from the endpoints themselves.

Marshmallow schemas check shape only; what a value means is a rule's or a command's business. Every
error is a problem object (RFC 9457), except in the three stateless checks, whose contracts say
how they refuse.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request
from flask_smorest import Api
from marshmallow import Schema, fields
from werkzeug.exceptions import HTTPException, UnprocessableEntity

from clinic.auth import open_to_all
from clinic.errors import PROBLEM, Invalid, VersionNeeded, answer_http, answer_trouble


class FaultSchema(Schema):
    """One field at fault."""

    field = fields.String(required=True)
    message = fields.String(required=True)


class ProblemSchema(Schema):
    """An error, as RFC 9457 has it. Some kinds carry further members, such as `free_next`."""

    class Meta:
        title = "Problem"

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    request_id = fields.String()
    errors = fields.List(fields.Nested(FaultSchema))


class Document(Api):
    """Smorest's document with our way of answering errors."""

    ERROR_SCHEMA = ProblemSchema

    def _register_responses(self) -> None:
        super()._register_responses()
        for response in self.spec.components.responses.values():
            if "application/json" in response.get("content", {}):
                response["content"] = {PROBLEM: response["content"]["application/json"]}

    def handle_http_exception(self, error: HTTPException) -> Any:
        """Shape errors found while reading a request name their fields."""
        found = getattr(error, "data", None) or {}
        messages = found.get("messages")
        if isinstance(error, UnprocessableEntity) and messages:
            faults = [fault for where in messages.values() for fault in _flat(where, "")]
            return answer_trouble(Invalid("Some fields cannot stand.", faults=faults))
        return answer_http(error)


def _flat(messages: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(messages, dict):
        out = []
        for name, inner in messages.items():
            here = f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}".lstrip(".")
            out += _flat(inner, here)
        return out
    return [(path, str(each)) for each in (messages if isinstance(messages, list) else [messages])]


def init_app(app: Flask) -> Document:
    """Describe the API at /api/v1/openapi.json. Nothing is loaded from another host."""
    app.config.update(
        API_TITLE="Throughcare",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
    )
    document = Document(
        app,
        spec_kwargs={
            "info": {"description": __doc__, "license": {"name": "MIT", "identifier": "MIT"}},
            "components": {
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            },
            "security": [{"bearer": []}],
        },
    )
    shown = app.view_functions["api-docs.openapi_json"]
    app.view_functions["api-docs.openapi_json"] = open_to_all(lambda: shown())
    return document


def if_match() -> int:
    """The version a caller read, from If-Match. VersionNeeded (428) without one."""
    given = request.headers.get("If-Match", "").strip()
    value = given.removeprefix("W/").strip('"')
    if not given:
        raise VersionNeeded
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Invalid.field("If-Match", 'must be an ETag you were given, such as "3"')
    return int(value)


def tag(response: Response, version: int) -> Response:
    """Give the version of what is answered as its ETag."""
    response.headers["ETag"] = f'"{version}"'
    return response
