"""Rules, signatures, tighter limits and overrides over HTTP. `here` is the site of the bearer."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from clinic.auth import act, needs
from clinic.guidance import commands, overrides, presenters, queries
from clinic.guidance.models import LimitTightening, RuleSignature
from clinic.guidance.queries import Asked, Listed, RuleShown, Shown
from clinic.guidance.schemas import (
    AskedSchema,
    EndTighteningSchema,
    ExampleSchema,
    OverrideSchema,
    QuarterSchema,
    RatesSchema,
    ReasonSchema,
    RegisterSchema,
    ReviewRequestSchema,
    RuleFilterSchema,
    RuleSchema,
    RulesSchema,
    SetSchema,
    SignatureSchema,
    SignRequestSchema,
    TighteningSchema,
    TightenSchema,
    ToSignSchema,
)
from clinic.openapi import Blueprint
from clinic.periods import Quarter
from clinic.shapes import MadeSchema
from dosing.rulebook import as_json_value

guidance_api = Blueprint(
    "guidance_api", __name__, url_prefix="/api/v1",
    description="Rules in force, who signed them, this site's tighter limits, alerts gone against",
)  # fmt: skip

_refused = guidance_api.alt_response(422, description="A value that cannot stand, by field")


def _made(path: str, row_id: int) -> Response:
    response = jsonify({"id": row_id})
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/{path}/{row_id}"
    return response


# -- rules ---------------------------------------------------------------------------------


def _version(shown: Shown) -> dict[str, Any]:
    version = shown.version
    return {
        "set": version.set, "edition": shown.edition, "state": shown.state,
        "first_on": version.first_on, "last_on": version.last_on, "severity": version.severity,
        "says": version.says(), "unit": version.unit,
        "limits": [
            {
                "name": each.name, "shipped": _plain(each.shipped), "here": each.here,
                "tighter": each.tighter,
            }
            for each in shown.limits
        ],
        "source": version.source, "where": version.where, "sources": shown.sources,
        "confidence": version.confidence, "rests_on": shown.rests_on, "signed": shown.signed,
        "checked_by": version.checked_by, "checked_on": version.checked_on,
        "signature": shown.signature, "review_by": version.review_by,
        "review_overdue": shown.review_overdue, "fingerprint": shown.fingerprint,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """A limit as JSON: numbers as exact text, tables row by row."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return as_json_value(value)


def _rule(found: RuleShown) -> dict[str, Any]:
    return {
        "id": found.rule.id, "asks": found.rule.asks, "is_definition": found.is_definition,
        "of_practice": found.of_practice,
        "family": found.rule.family, "medicines": list(found.drugs), "hazard": found.rule.hazard,
        "fired_here": found.fired, "versions": [_version(each) for each in found.versions],
    }  # fmt: skip


@guidance_api.get("/rules")
@needs("guidance.read")
@guidance_api.arguments(AskedSchema, location="query")
@guidance_api.response(200, RulesSchema)
def rules(asked: dict[str, Any]) -> Any:
    """The rules of a set in force today that fit what is asked, with the shared definitions."""
    found: Listed = queries.listed(
        act(), Asked(rule_set=asked.pop("set", None), words=asked.pop("q", ""), **asked)
    )
    every = [each for family in found.families.values() for each in family]
    return {
        "rule_set": found.rule_set, "edition": found.edition, "chosen_here": found.chosen_here,
        "total": found.total, "unsigned": found.unsigned, "rules": [_rule(each) for each in every],
        "definitions": [_rule(each) for each in found.definitions],
        "practice": [_rule(each) for family in found.practice.values() for each in family],
        "practice_total": found.practice_total, "practice_unsigned": found.practice_unsigned,
    }  # fmt: skip


@guidance_api.get("/rules/<rule_id>")
@needs("guidance.read")
@guidance_api.response(200, RuleSchema)
def rule(rule_id: str) -> Any:
    """One rule or definition with every version of both sets."""
    return _rule(queries.one_rule(act(), rule_id))


@guidance_api.post("/rules/<rule_id>/examples")
@needs("guidance.read")
@guidance_api.response(200, ExampleSchema(many=True))
def run_examples(rule_id: str) -> Any:
    """Try a rule's worked examples now, against the rules as shipped."""
    return [
        {
            **vars(each),
            "changes": [{"what": what, "value": value} for what, value in each.changes],
        }
        for each in presenters.run_examples_of(act(), rule_id)
    ]


@guidance_api.get("/rules-to-sign")
@needs("guidance.read")
@guidance_api.arguments(SetSchema, location="query")
@guidance_api.response(200, ToSignSchema(many=True))
def to_sign(asked: dict[str, Any]) -> Any:
    """Every version to be signed before live use: unsigned, from memory, or our own choice."""
    return [
        {"id": each.rule.id, "asks": each.rule.asks, "version": _version(shown)}
        for each, shown in queries.to_sign(act(), asked.get("set"))
    ]


# -- signatures ----------------------------------------------------------------------------


@guidance_api.get("/rule-signatures")
@needs("guidance.read")
@guidance_api.arguments(RuleFilterSchema, location="query")
@guidance_api.response(200, SignatureSchema(many=True))
def signatures(asked: dict[str, Any]) -> list[RuleSignature]:
    """Every signature, newest first, withdrawn ones too."""
    return queries.signatures(act(), asked.get("rule"))


@guidance_api.post("/rule-signatures")
@needs("guidance.sign")
@guidance_api.arguments(SignRequestSchema)
@guidance_api.response(201, MadeSchema)
@guidance_api.alt_response(409, description="Changed since it was read, or already signed")
@_refused
def sign(given: dict[str, Any]) -> Response:
    """Sign a version as checked against its source."""
    return _made("rule-signatures", commands.sign(act(), **given))


@guidance_api.post("/rule-signatures/<int:signature_id>/withdraw")
@needs("guidance.sign")
@guidance_api.arguments(ReasonSchema)
@guidance_api.response(204)
@guidance_api.alt_response(409, description="Already withdrawn")
@_refused
def withdraw_signature(given: dict[str, Any], signature_id: int) -> None:
    """Take a signature back. It stays on the record."""
    commands.withdraw_signature(act(), signature_id, given["reason"])


# -- tighter limits ------------------------------------------------------------------------


@guidance_api.get("/limit-tightenings")
@needs("guidance.read")
@guidance_api.arguments(RuleFilterSchema, location="query")
@guidance_api.response(200, TighteningSchema(many=True))
def tightenings(asked: dict[str, Any]) -> Any:
    """Every change of a limit at this site, newest first."""
    return [
        {**_columns(row), "recorded_by_name": name, "state": state}
        for row, name, state in queries.tightenings(act(), asked.get("rule"))
    ]


def _columns(row: LimitTightening) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}


@guidance_api.post("/limit-tightenings")
@needs("guidance.tighten")
@guidance_api.arguments(TightenSchema)
@guidance_api.response(201, MadeSchema)
@guidance_api.alt_response(409, description="Somebody changed this limit at the same moment")
@_refused
def tighten(given: dict[str, Any]) -> Response:
    """Make one limit stricter at this site."""
    return _made("limit-tightenings", commands.tighten(act(), **given))


@guidance_api.post("/limit-tightenings/end")
@needs("guidance.tighten")
@guidance_api.arguments(EndTighteningSchema)
@guidance_api.response(201, MadeSchema)
@guidance_api.alt_response(404, description="This site has not tightened that limit")
@_refused
def end_tightening(given: dict[str, Any]) -> Response:
    """Go back to the shipped limit at this site."""
    return _made("limit-tightenings", commands.end_tightening(act(), **given))


# -- alerts gone against -------------------------------------------------------------------


def _quarter(asked: dict[str, Any]) -> Quarter:
    name = asked.get("quarter")
    return Quarter.named(name) if name else Quarter.of(act().today)


@guidance_api.get("/overrides")
@needs("guidance.oversee")
@guidance_api.arguments(QuarterSchema, location="query")
@guidance_api.response(200, RegisterSchema)
def register(asked: dict[str, Any]) -> overrides.Register:
    """The alerts gone against at this site in a quarter, newest first, a page at a time."""
    return overrides.register(act(), _quarter(asked), asked.get("page", 1))


@guidance_api.get("/overrides/<int:finding_id>")
@needs("guidance.oversee")
@guidance_api.response(200, OverrideSchema)
def override(finding_id: int) -> overrides.Override:
    """One alert gone against, and what was made of it."""
    return overrides.override(act(), finding_id)


@guidance_api.post("/overrides/<int:finding_id>/reviews")
@needs("guidance.review")
@guidance_api.arguments(ReviewRequestSchema)
@guidance_api.response(201, MadeSchema)
@_refused
def review(given: dict[str, Any], finding_id: int) -> Response:
    """Record what the clinical lead makes of it. A second look is a second row."""
    made = commands.review_override(act(), finding_id, given["comment"])
    return _made(f"overrides/{finding_id}/reviews", made)


@guidance_api.get("/override-rates")
@needs("guidance.oversee")
@guidance_api.arguments(QuarterSchema(only=("quarter",)), location="query")
@guidance_api.response(200, RatesSchema)
def rates(asked: dict[str, Any]) -> overrides.Rates:
    """How often each rule fired and was gone against in a quarter, and by whom."""
    return overrides.rates(act(), _quarter(asked))
