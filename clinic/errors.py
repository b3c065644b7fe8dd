"""What went wrong, said once: a clear sentence for a page, a problem object (RFC 9457) for the API.

Commands raise a `Trouble`; nothing else in the service decides a status. A fault nobody foresaw is
logged with its request id and answered without detail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import HTTPException

from clinic import logs

PROBLEM = "application/problem+json"
TYPES = "urn:throughcare:problem:"


class Trouble(Exception):
    """Something the person asking can understand. Subclasses set the status and the title.

    `faults`: (field, what is allowed) pairs, fields named as the form and the API name them.
    `more`: further members of the problem object, such as what is free next.
    """

    status = 400
    title = "The request cannot be carried out"
    kind = "request"

    def __init__(
        self,
        detail: str,
        *,
        faults: Sequence[tuple[str, str]] = (),
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)
        self.more = more or {}


class Invalid(Trouble):
    """A value that cannot stand. One fault a field."""

    status, title, kind = 422, "Check what was entered", "invalid"

    @classmethod
    def field(cls, field: str, says: str) -> Invalid:
        return cls(f"{field}: {says}", faults=[(field, says)])


def one_of(field: str, value: Any, allowed: Iterable[Any]) -> None:
    """Invalid, at this field, for a word that is none of these."""
    words = list(allowed)
    if value not in words:
        raise Invalid.field(field, f"must be one of: {', '.join(map(str, words))}")


def written(field: str, text: str | None, longest: int) -> str | None:
    """What was typed, without the spaces around it; None for nothing. Invalid when it is too long."""
    text = (text or "").strip() or None
    if text is not None and len(text) > longest:
        raise Invalid.field(field, f"must be {longest} characters or fewer")
    return text


def needed(field: str, text: str | None, longest: int) -> str:
    """As `written`, where something has to be typed."""
    said = written(field, text, longest)
    if said is None:
        raise Invalid.field(field, "is required")
    return said


class NotFound(Trouble):
    status, title, kind = 404, "Not found", "not-found"

    def __init__(self, what: str = "There is no such record, or it is not yours to see.") -> None:
        super().__init__(what)


class SignInNeeded(Trouble):
    status, title, kind = 401, "Sign in first", "sign-in"


class Forbidden(Trouble):
    status, title, kind = 403, "Not allowed for your role here", "forbidden"


class OutsideCaseload(Trouble):
    """The patient is not at this site: a reason must be given (break-glass)."""

    status, title, kind = 403, "This patient is outside your caseload", "outside-caseload"

    def __init__(self, patient_id: int) -> None:
        super().__init__(
            "Give a reason to open this record. A manager will see it.",
            more={"patient_id": patient_id},
        )
        self.patient_id = patient_id


class Conflict(Trouble):
    """Somebody was first, or the database refused an overlap."""

    status, title, kind = 409, "Already taken", "conflict"


class Stale(Trouble):
    """The record changed since it was read. Says who changed it and when."""

    status, title, kind = 412, "Changed meanwhile", "stale"


class VersionNeeded(Trouble):
    status, title, kind = 428, "Say which version you read", "version-needed"

    def __init__(self) -> None:
        super().__init__("Send the ETag you read as If-Match.")


class TooMany(Trouble):
    status, title, kind = 429, "Too many attempts", "too-many"

    def __init__(self, detail: str, retry_after_seconds: int) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class NotReady(Trouble):
    status, title, kind = 503, "Not available just now", "not-ready"


# What a constraint of the database means, in a sentence. Rooms add theirs where they own the table.
_REFUSALS: dict[str, str] = {}


def says(constraint: str, sentence: str) -> None:
    """Register what it means when the database refuses by this constraint or trigger name."""
    _REFUSALS[constraint] = sentence


def refusal_of(error: IntegrityError) -> Conflict | None:
    """The sentence for a refused write, found by the constraint's name; None when unknown."""
    text = str(error.orig)
    for name, sentence in _REFUSALS.items():
        if name in text:
            return Conflict(sentence, more={"constraint": name})
    return None


def wants_json() -> bool:
    return request.path.startswith("/api/") or request.path.startswith("/health/")


def problem(
    status: int, title: str, detail: str, kind: str, more: Mapping[str, Any] | None = None
) -> Response:
    """A problem object. What `more` says never takes the place of a member every problem has."""
    own = {"type": f"{TYPES}{kind}", "title": title, "status": status, "detail": detail}
    body = own | {name: value for name, value in (more or {}).items() if name not in own}
    response = jsonify({key: value for key, value in body.items() if value not in (None, [])})
    response.status_code = status
    response.mimetype = PROBLEM
    return response


def answer_trouble(trouble: Trouble) -> Response:
    """One trouble, as the asker reads it."""
    if wants_json():
        response = problem(
            trouble.status,
            trouble.title,
            trouble.detail,
            trouble.kind,
            {
                **trouble.more,
                "errors": [{"field": field, "message": says} for field, says in trouble.faults],
                "request_id": g.get("request_id"),
            },
        )
    else:
        response = _page(trouble.status, trouble.title, trouble.detail)
    if isinstance(trouble, TooMany):
        response.headers["Retry-After"] = str(trouble.retry_after_seconds)
    if isinstance(trouble, SignInNeeded) and wants_json():
        response.headers["WWW-Authenticate"] = 'Bearer realm="throughcare"'
    return response


def _page(status: int, title: str, advice: str) -> Response:
    return make_response(
        render_template("errors/page.jinja", code=status, title=title, advice=advice), status
    )


_ADVICE = {
    400: ("The request could not be read", "Go back, check the form and send it again."),
    404: ("Page not found", "Check the address, or go to the home page."),
    405: ("Not possible here", "This address does not take that kind of request."),
    413: ("Too large", "Send less at once."),
    415: ("Wrong kind of content", "Send JSON."),
}


def answer_http(error: HTTPException) -> Response:
    """An error of HTTP itself: no such address, wrong method, too large, a failed CSRF check."""
    status = error.code or 500
    title, advice = _ADVICE.get(status, (error.name, error.description or ""))
    if wants_json():
        if status == 400:
            advice = "Send the body as well-formed JSON."
        kind = error.name.lower().replace(" ", "-")
        response = problem(status, title, advice, kind, {"request_id": g.get("request_id")})
    else:
        response = _page(status, title, advice)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After", "WWW-Authenticate"):
            response.headers[name] = value
    return response


def init_app(app: Flask) -> None:
    """One place answers every error of the service."""

    @app.errorhandler(Trouble)
    def _trouble(trouble: Trouble) -> Response:
        return answer_trouble(trouble)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        return answer_http(error)

    @app.errorhandler(Exception)
    def _fault(error: Exception) -> Response:
        logs.exception("fault", request_id=g.get("request_id"))
        title = "Something went wrong"
        advice = "Nothing was saved. Try again; if it happens again, quote the reference below."
        if wants_json():
            return problem(500, title, advice, "fault", {"request_id": g.get("request_id")})
        return _page(500, title, f"{advice} Reference {g.get('request_id')}.")
