"""Measures over HTTP: the numbers, the people behind one, and why a case was late."""

from __future__ import annotations

from typing import Any

from clinic import periods
from clinic.auth import act, needs
from clinic.measures import commands, queries
from clinic.measures.schemas import (
    ExplainSchema,
    MeasuredSchema,
    OneMeasureSchema,
    PeriodSchema,
    WithdrawSchema,
)
from clinic.openapi import Blueprint
from clinic.shapes import MadeSchema

measures_api = Blueprint(
    "measures_api", __name__, url_prefix="/api/v1",
    description="The clocks a service is measured by: numbers, people behind them, why some were late",
)  # fmt: skip


def _period(asked: dict[str, Any]) -> periods.Period:
    name = asked.get("period")
    return periods.named(name) if name else periods.Month.of(act().today)


@measures_api.get("/measures")
@needs("measures.read")
@measures_api.arguments(PeriodSchema, location="query")
@measures_api.response(200, MeasuredSchema(many=True))
def measures(asked: dict[str, Any]) -> list[queries.Measured]:
    """Every measure of this site in a period, with the five periods before it."""
    return queries.measures(act(), _period(asked))


@measures_api.get("/measures/<key>")
@needs("measures.read")
@measures_api.arguments(PeriodSchema, location="query")
@measures_api.response(200, OneMeasureSchema)
def measure(asked: dict[str, Any], key: str) -> queries.OneMeasure:
    """One measure with the people behind its numbers, late ones first."""
    return queries.measure(act(), key, _period(asked))


@measures_api.post("/measures/<key>/reasons")
@needs("measures.explain")
@measures_api.arguments(ExplainSchema)
@measures_api.response(201, MadeSchema)
@measures_api.alt_response(409, description="A reason stands already")
def explain(given: dict[str, Any], key: str) -> dict[str, int]:
    """Say why a late case was late. It stays late."""
    period = periods.named(given["period"])
    row = commands.explain(
        act(), key, given["case"], period, code=given["code"], note=given.get("note")
    )
    return {"id": row}


@measures_api.post("/measure-reasons/<int:reason_id>/withdraw")
@needs("measures.explain")
@measures_api.arguments(WithdrawSchema)
@measures_api.response(204)
def withdraw(given: dict[str, Any], reason_id: int) -> None:
    """Take a reason back, and say why."""
    commands.withdraw(act(), reason_id, reason=given["reason"])
