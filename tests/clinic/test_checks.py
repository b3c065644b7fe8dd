"""The three stateless checks over HTTP answer as the command does, to anybody, from anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clinic import create_app
from clinic.checks import all_checks
from config.settings import Settings
from dosing.shape import answer

CONTRACTS = Path(__file__).parents[1] / "contracts"
FILES = {
    "dose": "dose-check.examples.jsonl",
    "timetable": "timetable-plan.examples.jsonl",
    "release": "release-check.examples.jsonl",
}


@pytest.fixture(scope="module")
def another_system(tmp_path_factory):
    """A client with neither sign-in nor CSRF token, on a service wired as it is served."""
    folder = tmp_path_factory.mktemp("checks")
    app = create_app(Settings(mode="test", database_url=f"sqlite:///{folder}/none.sqlite"))
    return app.test_client()


def _requests(name: str) -> list[dict]:
    lines = (CONTRACTS / FILES[name]).read_text("utf-8").splitlines()
    return [json.loads(line)["request"] for line in lines]


@pytest.mark.parametrize("name", FILES)
def test_every_example_gets_over_http_what_the_command_prints(another_system, name):
    check = all_checks()[name]
    for request in _requests(name):
        expected, evaluated = answer(check.run, request)

        got = another_system.post(f"/api/v1/{check.path}", json=request)

        assert got.status_code == (200 if evaluated else 422)
        assert got.get_json() == json.loads(json.dumps(expected))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 5000])
def test_what_is_no_json_object_is_refused_in_the_contracts_shape(another_system, name, body):
    got = another_system.post(f"/api/v1/{all_checks()[name].path}", data=body)

    assert got.status_code == 422
    refused = got.get_json()
    assert refused["case"] is None
    assert refused["error"]["field"] == ""


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("side", ["request", "response"])
def test_each_schema_is_published(another_system, name, side):
    got = another_system.get(f"/api/v1/schemas/{name}/{side}")

    assert got.status_code == 200
    assert got.get_json()["type"] == "object"
