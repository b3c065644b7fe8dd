"""The API does what its description says, whatever it is sent and whoever asks.

Requests are made up from the description, right ones and wrong ones, and sent to a copy of the
demonstration. Every answer must be one the description gives, in its content type and its shape.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from unittest import SkipTest

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import Case, GenerationMode, checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks as conformance

from clinic.db import Database
from clinic.roles import RIGHTS, ROLES
from clinic.sites.models import Site
from tests.support import people

ADDRESS = "/api/v1/openapi.json"
FEW = 10  # so few examples are the same in every run, and more are made up anew
CHECKS = ("/api/v1/dosing/check", "/api/v1/timetable/plan", "/api/v1/release/check")
READS = sorted(right for right in RIGHTS if right.endswith(".read"))
COMMUNITY, PRISON = 1, 3
BEARERS = {
    "every right": (COMMUNITY, sorted(RIGHTS)),
    "every right in a prison": (PRISON, sorted(RIGHTS)),
    "reading only": (PRISON, READS),
    "no right at all": (COMMUNITY, []),
}
HELD_TO = [
    checks.not_a_server_error,
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_headers_conformance,
    conformance.response_schema_conformance,
    conformance.negative_data_rejection,
]


@dataclass
class Told:
    """How requests were answered, and what was wrong with the answers."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)


def a_bearer(app: Flask, kind: str) -> str:
    """The token of somebody of every role, with these scopes."""
    site_id, scopes = BEARERS[kind]
    database: Database = app.extensions["database"]
    with database.transaction() as session:
        site = session.get_one(Site, site_id)
        staff = people.a_member_of_staff(session, site, *ROLES, name="Robin Ask")
        return people.an_api_token(session, staff, site, scopes)


def somebody_there(values: Any) -> Any:
    """The same values, with ids that are likely to be on record: made-up ones hardly ever are."""
    if isinstance(values, dict):
        return {
            key: value % 12 + 1 if _names_a_row(key, value) else somebody_there(value)
            for key, value in values.items()
        }
    return values


def _names_a_row(key: str, value: Any) -> bool:
    return key.endswith("_id") and type(value) is int and value > 0


def ask(app: Flask, kinds: Iterable[str], examples: int) -> Told:
    """Send every operation of the description so many requests, right and wrong, in turn from each
    bearer: to make a request up takes longer than to answer it."""
    description = app.test_client().get(ADDRESS).get_json()
    # Every request bears a token, so none can be wrong for want of one.
    del description["security"], description["components"]["securitySchemes"]
    schema = schemathesis.openapi.from_dict(
        description, config=SchemathesisConfig.from_dict({"generation": {"allow-x00": False}})
    )
    schema.app = app
    told = Told()
    for found in schema.get_all_operations():
        operation = found.ok()
        # A new one for each, because one of them revokes it.
        bearers = [{"Authorization": f"Bearer {a_bearer(app, kind)}"} for kind in kinds]
        for mode in GenerationMode:
            try:
                _send(operation.as_strategy(generation_mode=mode), mode, bearers, examples, told)
            except (Unsatisfiable, SkipTest):
                continue  # nothing wrong can be sent: no parameter, no body
    return told


def _send(
    cases: st.SearchStrategy[Case],
    mode: GenerationMode,
    bearers: list[dict[str, str]],
    examples: int,
    told: Told,
) -> None:
    @settings(
        max_examples=examples, derandomize=examples < FEW, database=None, deadline=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases, known=st.booleans())
    def send(case: Case, known: bool) -> None:
        if known and mode is GenerationMode.POSITIVE:
            case.path_parameters = somebody_there(case.path_parameters)
            case.body = somebody_there(case.body)
        for headers in bearers:
            answer = case.call(headers=headers)
            told.statuses[answer.status_code] += 1
            try:
                case.validate_response(answer, checks=HELD_TO, headers=headers)
            except FailureGroup as group:
                for failure in group.exceptions:
                    where = f"{case.operation.label}: {failure.title}: {answer.status_code}"
                    said = failure.message.partition("Validated against")[0]
                    told.wrong.setdefault(where, f"{said}\n{case.as_curl_command()}")

    send()


def assert_kept(told: Told) -> None:
    said = "\n\n".join(f"{where}\n{what}" for where, what in sorted(told.wrong.items()))
    assert not told.wrong, f"{dict(told.statuses)}\n{said}"


def test_the_description_is_openapi_3_1(own_demonstration: Flask) -> None:
    description = own_demonstration.test_client().get(ADDRESS).get_json()

    assert description["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(description).validate()


def test_every_address_of_the_api_is_described(own_demonstration: Flask) -> None:
    described = {
        (path, verb.upper())
        for path, operations in own_demonstration.test_client()
        .get(ADDRESS)
        .get_json()["paths"]
        .items()
        for verb in operations
    }

    there = {
        (re.sub(r"<(?:[^<>]+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in own_demonstration.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and rule.rule != ADDRESS
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert not there - described


def test_no_number_of_a_request_may_be_too_large_for_a_row(own_demonstration: Flask) -> None:
    description = own_demonstration.test_client().get(ADDRESS).get_json()
    schemas = description["components"]["schemas"]

    def unbounded(shape: Any, where: str) -> list[str]:
        if isinstance(shape, list):
            return [name for each in shape for name in unbounded(each, where)]
        if not isinstance(shape, dict) or shape.get("readOnly"):
            return []
        if "$ref" in shape:
            name = shape["$ref"].rpartition("/")[2]
            return unbounded(schemas[name], name)
        if "integer" in shape.get("type", ()) and not {"maximum", "enum"} & shape.keys():
            return [where]
        return [name for key in shape for name in unbounded(shape[key], f"{where}.{key}")]

    found = [
        f"{verb.upper()} {path}: {name}"
        for path, operations in description["paths"].items()
        for verb, operation in operations.items()
        if verb in ("post", "put", "patch") and path not in CHECKS
        for name in unbounded(operation.get("requestBody", {}), "body")
    ]

    assert not found


def test_every_answer_is_one_the_description_gives(own_demonstration: Flask) -> None:
    told = ask(own_demonstration, BEARERS, 2)

    assert_kept(told)


@pytest.mark.proof
@pytest.mark.parametrize("kind", BEARERS)
def test_every_answer_to_many_requests_is_one_the_description_gives(
    own_demonstration: Flask, kind: str
) -> None:
    told = ask(own_demonstration, [kind], 100)

    assert_kept(told)
