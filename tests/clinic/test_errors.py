"""What goes wrong is said once: a sentence on a page, a problem object to a script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clinic import errors
from clinic.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    NotReady,
    Stale,
    TooMany,
    Trouble,
    VersionNeeded,
    needed,
    written,
)
from tests.support.people import Door

TROUBLES = [
    (Invalid.field("dose_mg", "must be more than 0"), 422, "invalid"),
    (NotFound(), 404, "not-found"),
    (Forbidden("no"), 403, "forbidden"),
    (Conflict("taken", more={"free_next": "2026-11-05"}), 409, "conflict"),
    (Conflict("taken", more={"status": "booked", "kind": "visit"}), 409, "conflict"),
    (Stale("changed", more={"version": 2}), 412, "stale"),
    (VersionNeeded(), 428, "version-needed"),
    (TooMany("slow down", 61), 429, "too-many"),
    (NotReady("later"), 503, "not-ready"),
]


@pytest.fixture
def engine_name() -> str:
    """Answers do not depend on the database: look once."""
    return "sqlite"


@pytest.fixture
def raising(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Make the set-up page and the token door raise what a test gives."""

    def by(trouble: Exception) -> FlaskClient:
        def view(**values: object) -> None:
            raise trouble

        view.right = "open to all"  # type: ignore[attr-defined]
        for endpoint in ("staff_pages.set_up", "staff_api.open_token"):
            monkeypatch.setitem(client.application.view_functions, endpoint, view)
        return client

    return by  # type: ignore[return-value]


@pytest.mark.parametrize(("trouble", "status", "kind"), TROUBLES)
def test_a_trouble_is_a_problem_object_to_a_script(
    raising: object, trouble: Trouble, status: int, kind: str
) -> None:
    answer = raising(trouble).post("/api/v1/tokens", json={})  # type: ignore[operator]

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    body = answer.json
    assert body["type"] == f"urn:throughcare:problem:{kind}"
    assert (body["status"], body["detail"]) == (status, trouble.detail)
    assert body["request_id"]
    for name, value in trouble.more.items():
        assert body[name] == (status if name == "status" else value)
    assert body.get("errors", []) == [
        {"field": field, "message": says} for field, says in trouble.faults
    ]


@pytest.mark.parametrize(("trouble", "status", "kind"), TROUBLES)
def test_a_trouble_is_a_plain_page_to_a_person(
    raising: object, trouble: Trouble, status: int, kind: str
) -> None:
    answer = raising(trouble).get("/set-up")  # type: ignore[operator]

    assert answer.status_code == status
    assert "<title>\n" not in answer.text
    assert "Error: " in answer.text.split("</title>")[0]
    assert answer.text.count("<h1") == 1


def test_a_wait_is_said_in_a_header(raising: object) -> None:
    answer = raising(TooMany("slow down", 61)).get("/set-up")  # type: ignore[operator]

    assert answer.headers["Retry-After"] == "61"


def test_a_fault_tells_nothing_but_a_reference(raising: object) -> None:
    client = raising(RuntimeError("SELECT * FROM patient WHERE name = 'Morgan'"))  # type: ignore[operator]
    client.application.config["PROPAGATE_EXCEPTIONS"] = False

    page = client.get("/set-up", headers={"X-Request-Id": "abcdef12345"})
    problem = client.post("/api/v1/tokens", json={})

    assert (page.status_code, problem.status_code) == (500, 500)
    for answer in (page, problem):
        assert "Morgan" not in answer.text
        assert "RuntimeError" not in answer.text
    assert "abcdef12345" in page.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("get", "/no-such-page", 404), ("get", "/api/v1/no-such", 404), ("put", "/sign-in", 405),
     ("put", "/api/v1/tokens", 405)],
)  # fmt: skip
def test_errors_of_http_itself_are_answered_alike(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    answer = getattr(client, method)(path)

    assert answer.status_code == status
    assert answer.mimetype == (
        "application/problem+json" if path.startswith("/api") else "text/html"
    )
    if status == 405:
        assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [(b"{", "application/json", 400), (b"a=1", "text/plain", 422), (b"[]", "application/json", 422)],
)  # fmt: skip
def test_a_body_that_is_not_what_was_asked_is_a_problem(
    client: FlaskClient, body: bytes, kind: str, status: int
) -> None:
    answer = client.post("/api/v1/tokens", data=body, content_type=kind)

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


def test_a_field_at_fault_is_named(client: FlaskClient) -> None:
    answer = client.post("/api/v1/tokens", json={"email": "", "password": "x", "site_id": "one"})

    assert answer.status_code == 422
    assert answer.json is not None
    assert {each["field"] for each in answer.json["errors"]} == {"email", "site_id"}


def test_too_large_a_body_is_refused(client: FlaskClient) -> None:
    answer = client.post("/api/v1/tokens", data=b"x" * 2_000_001, content_type="application/json")

    assert answer.status_code == 413
    assert answer.mimetype == "application/problem+json"


def test_a_refused_form_keeps_what_was_typed(door: Door) -> None:
    nurse = door.by_page("nurse")

    answer = nurse.post(
        "/patients/register",
        data={"family_name": "Ó Briain", "given_name": "", "born_on-day": "31",
              "born_on-month": "2", "born_on-year": "1986", "sex": "male"},
    )  # fmt: skip

    assert answer.status_code == 422
    assert "Error: Register a patient" in answer.text
    for typed in ('value="Ó Briain"', 'value="31"', 'value="1986"'):
        assert typed in answer.text
    for fault in ('href="#given_name"', 'href="#born_on-day"'):
        assert fault in answer.text


def test_what_is_typed_cannot_become_markup(door: Door) -> None:
    answer = door.by_page("nurse").post("/patients/search", data={"q": "<script>x</script>"})

    assert "<script>x" not in answer.text


def test_an_unknown_constraint_has_no_sentence() -> None:
    from sqlalchemy.exc import IntegrityError

    assert errors.refusal_of(IntegrityError("x", {}, Exception("uq_nobody_knows"))) is None


def test_every_answer_carries_the_headers_that_keep_a_browser_safe(app: Flask) -> None:
    headers = app.test_client().get("/sign-in", follow_redirects=True).headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("typed", "kept"), [(None, None), ("  ", None), (" abc ", "abc")])
def test_a_typed_text_is_kept_without_the_spaces_around_it(typed: str | None, kept: str | None):
    assert written("says", typed, 3) == kept


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [("abcd", "says: must be 3 characters or fewer"), (" ", "says: is required")],
)
def test_a_text_that_is_missing_or_too_long_is_refused_at_its_field(typed: str, wrong: str):
    with pytest.raises(Invalid, match=wrong):
        needed("says", typed, 3)
