"""Every address says who may use it; the whole list is kept beside this test and read in review."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from flask import Blueprint, Flask

from clinic import auth
from clinic.auth import OPEN, SIGNED_IN, permissions
from clinic.roles import POSTS, RIGHTS, ROLES, rights_of, title_of
from tests.support.people import Door

LISTED = Path(__file__).with_name("permissions.txt")


def _table(app: Flask) -> list[str]:
    return sorted(f"{endpoint}: {right}" for endpoint, right in permissions(app).items())


@pytest.fixture
def engine_name() -> str:
    """The list is the same whatever the database: look once."""
    return "sqlite"


def test_every_address_needs_what_the_kept_list_says(app: Flask) -> None:
    """When a room adds an address, write its line here on purpose, after asking who may use it."""
    kept = [line for line in LISTED.read_text(encoding="utf-8").splitlines() if line]

    assert _table(app) == kept


def test_no_two_doors_have_one_address(app: Flask) -> None:
    doors = Counter(
        (verb, re.sub(r"<[^>]+>", "<>", rule.rule))
        for rule in app.url_map.iter_rules()
        for verb in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )

    assert [door for door, count in doors.items() if count > 1] == []


def test_what_is_open_to_all_is_a_short_list(app: Flask) -> None:
    doors = {endpoint for endpoint, right in permissions(app).items() if right == OPEN}

    changing = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint in doors and (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
    }
    assert changing == {
        "staff_pages.sign_in", "staff_pages.set_up", "staff_api.open_token",
        "checks_api.dosing_check", "checks_api.timetable_plan", "checks_api.release_check",
    }  # fmt: skip


def test_every_right_asked_for_is_one_somebody_holds(app: Flask) -> None:
    asked = set(permissions(app).values()) - {OPEN, SIGNED_IN}

    assert asked <= set(RIGHTS)
    assert set().union(*(held for _, held in ROLES.values()), *POSTS.values()) == set(RIGHTS)


def test_what_only_the_clinical_lead_may_do_comes_with_no_role() -> None:
    by_role = set().union(*(held for _, held in ROLES.values()))

    assert POSTS["clinical_lead"] - by_role == {
        "guidance.tighten", "guidance.sign", "guidance.review", "consumption.acknowledge"
    }  # fmt: skip


def test_a_service_with_an_address_nobody_thought_about_does_not_start() -> None:
    app = Flask(__name__)
    forgotten = Blueprint("forgotten", __name__)
    forgotten.add_url_rule("/forgotten", "door", lambda: "in")
    app.register_blueprint(forgotten)

    with pytest.raises(RuntimeError, match="forgotten.door"):
        auth.guard(app)


def test_nobody_gets_a_right_by_an_unknown_role() -> None:
    assert rights_of(["ghost"]) == frozenset()
    assert title_of("ghost") == "ghost"


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_is_refused_every_page_it_has_no_right_to(door: Door, role: str) -> None:
    client = door.by_page(role)
    app = client.application
    may = rights_of([role])
    opened = []

    for rule in app.url_map.iter_rules():
        right = permissions(app)[rule.endpoint]
        if right in (OPEN, SIGNED_IN) or right in may or rule.rule.startswith("/api/"):
            continue
        values = dict.fromkeys(rule.arguments, 1)
        with app.test_request_context():
            from flask import url_for

            try:
                path = url_for(rule.endpoint, **values)
            except Exception:  # noqa: BLE001 - an address whose parts are not numbers
                continue
        method = client.get if "GET" in (rule.methods or set()) else client.post
        if method(path).status_code != 403:
            opened.append(rule.endpoint)

    assert opened == []


def test_the_permissions_are_on_a_page_for_everybody_signed_in(door: Door) -> None:
    shown = door.by_page("nurse").get("/permissions").text

    for title, _ in ROLES.values():
        assert title in shown
    assert "Clinical lead" in shown
    for words in RIGHTS.values():
        assert words.replace("'", "&#39;") in shown
    assert "POST /patients/search" in shown.replace("GET, ", "")
