"""What does the HTTP API take and give? OpenAPI 3.1, made from the endpoints themselves.

Marshmallow schemas check shape only; what a value means is a rule's or a command's business. Every
error is a problem object (RFC 9457), except in the three stateless checks, whose contracts say
how they refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from json import JSONDecodeError
from threading import Lock
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint as PageBlueprint
from flask import Flask, Response, current_app, render_template, request
from flask_smorest import Api
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import INCLUDE, Schema, fields
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException, UnprocessableEntity

from clinic import ui
from clinic.auth import for_signed_in, open_to_all
from clinic.errors import PROBLEM, Invalid, VersionNeeded, answer_http, answer_trouble
from clinic.web import row_number

VERBS = ("get", "post", "put", "patch", "delete")


class BodyParser(FlaskParser):
    """What Python's own reader gives up on is a body that cannot be read, and no fault of ours.

    A number of thousands of digits, or brackets within brackets without end.
    """

    def _raw_load_json(self, req: Any) -> Any:
        try:
            return super()._raw_load_json(req)
        except (ValueError, RecursionError) as error:
            if isinstance(error, JSONDecodeError):
                raise
            raise JSONDecodeError("too long, or too deep", "…", 0) from error

    def _get_schema(self, argmap: Any, req: Any) -> Schema:
        return _made(argmap) if isinstance(argmap, type) else super()._get_schema(argmap, req)


@cache
def _made(schema: type[Schema]) -> Schema:
    """A schema keeps nothing of what it reads, so whoever needs it first makes it for all.

    Smorest copies what it says of an address once for each decorator on it, schemas and all; a copy
    of this one is itself, or a third of a worker's start would be copying.
    """
    made = schema()
    made.__deepcopy__ = lambda _: made  # type: ignore[attr-defined]
    return made


class Blueprint(SmorestBlueprint):
    """The addresses of one room of the API."""

    ARGUMENTS_PARSER = BodyParser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._to_describe: list[Callable[[], None]] = []
        super().__init__(*args, **kwargs)

    def response(self, status_code: Any, schema: Any = None, **described: Any) -> Any:
        return super().response(status_code, _shared(schema), **described)

    def alt_response(self, status_code: Any, *, schema: Any = None, **described: Any) -> Any:
        return _only_said(super().alt_response(status_code, schema=_shared(schema), **described))

    @staticmethod
    def doc(**said: Any) -> Any:
        return _only_said(SmorestBlueprint.doc(**said))

    def _store_endpoint_docs(self, *args: Any, **options: Any) -> None:
        """Kept until the document is asked for: a copy of all that is said of every address."""
        store = super()._store_endpoint_docs
        self._to_describe.append(lambda: store(*args, **options))

    def register_views_in_doc(self, *args: Any, **options: Any) -> None:
        while self._to_describe:
            self._to_describe.pop(0)()
        super().register_views_in_doc(*args, **options)


def _only_said(describe: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Of a view that is described and no more, what is said alone: one call less in each request."""

    def mark(view: Any) -> Any:
        view._apidoc = describe(view)._apidoc
        return view

    return mark


def _shared(schema: Any) -> Any:
    return _made(schema) if isinstance(schema, type) else schema


class FaultSchema(Schema):
    """One field at fault."""

    field = fields.String(required=True)
    message = fields.String(required=True)


class ProblemSchema(Schema):
    """An error, as RFC 9457 has it. Some kinds carry further members, such as `free_next`."""

    class Meta:
        title = "Problem"
        unknown = INCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    request_id = fields.String()
    errors = fields.List(fields.Nested(FaultSchema))


class Document(Api):
    """Smorest's document with our way of answering errors.

    Made when somebody first asks for it: few do, and it would take a fifth of a cold start.
    """

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._to_do: list[Callable[[], object]] = []
        self._one_at_a_time = Lock()
        super().__init__(*args, **kwargs)

    def register_blueprint(self, blp: Any, **options: Any) -> None:
        """Open its addresses now, and describe them later."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp, **options)
        self.later(
            lambda: blp.register_views_in_doc(
                self, self._app, self.spec, name=blp.name, parameters=None
            )
        )
        self.later(lambda: self.spec.tag({"name": blp.name, "description": blp.description}))

    def later(self, work: Callable[[], object]) -> None:
        """Do this, in its order, before the document is first shown."""
        self._to_do.append(work)

    def described(self) -> dict[str, Any]:
        """The whole document."""
        with self._one_at_a_time:
            while self._to_do:
                self._to_do.pop(0)()
        made: dict[str, Any] = self.spec.to_dict()
        return made

    def _openapi_json(self) -> Response:
        self.described()
        shown: Response = super()._openapi_json()
        return shown

    def _register_responses(self) -> None:
        super()._register_responses()
        # They wait here until an operation names them; `components.responses` is still empty.
        for response in self.spec.components.responses_lazy.values():
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
            "marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=_named_by_room),
            "info": {"description": __doc__, "license": {"name": "MIT", "identifier": "MIT"}},
            "components": {
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            },
            "security": [{"bearer": []}],
        },
    )
    shown = app.view_functions["api-docs.openapi_json"]
    app.view_functions["api-docs.openapi_json"] = open_to_all(lambda: shown())
    app.extensions["api_document"] = document
    app.register_blueprint(api_pages)
    return document


def describe_refusals(document: Document) -> None:
    """Say in every operation how it refuses what any operation may refuse. Once all are there."""
    body = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operations in document.spec._paths.items():
        for operation in (each for verb, each in operations.items() if verb in VERBS):
            given = operation["responses"]
            takes = operation.get("parameters", [])
            refusals: dict[str, str] = {}
            if operation.get("security") != []:
                refusals |= {"401": "No bearer token in force", "403": "Not a right of the bearer"}
            if "{" in path:
                refusals["404"] = "No such record, or not yours to see"
            if any(isinstance(each, dict) and each.get("name") == "If-Match" for each in takes):
                refusals |= {"412": "Changed meanwhile", "428": "If-Match is needed"}
            for status, says in refusals.items():
                given.setdefault(status, {"description": says})
            for status, response in given.items():
                if status.startswith("4") and "$ref" not in response:
                    response.setdefault("content", body)


def _named_by_room(schema: Any) -> str:
    """A shape's name in the document: its class, after its room, so that two rooms never clash."""
    kind: Any = schema if isinstance(schema, type) else type(schema)
    name = kind.__name__.removesuffix("Schema")
    room = kind.__module__.removeprefix("clinic.").split(".")[0]
    return name if room == "openapi" else f"{room.capitalize()}{name}"


api_pages = PageBlueprint("api_pages", __name__)
ui.nav("API", "api_pages.reference", "tokens.manage")


@api_pages.get("/api")
@for_signed_in
def reference() -> str:
    """The API to read: every address, what it takes and how it answers. Loads nothing from afar."""
    described = current_app.extensions["api_document"].described()
    return render_template("api.jinja", described=described)


VERSIONED: dict[str, Any] = {
    "parameters": [
        {
            "in": "header",
            "name": "If-Match",
            "required": True,
            "schema": {"type": "string", "pattern": '^"?[0-9]{1,9}"?$'},
            "description": "The ETag that was read",
        }
    ]
}
"""How an address that changes something says so: `_versioned = room_api.doc(**VERSIONED)`."""


def if_match() -> int:
    """The version a caller read, from If-Match. VersionNeeded (428) without one."""
    given = request.headers.get("If-Match", "").strip()
    value = given.removeprefix("W/").strip('"')
    if not given:
        raise VersionNeeded
    version = row_number(value)
    if version is None:
        raise Invalid.field("If-Match", 'must be an ETag you were given, such as "3"')
    return version


def tag(response: Response, version: int) -> Response:
    """Give the version of what is answered as its ETag."""
    response.headers["ETag"] = f'"{version}"'
    return response
