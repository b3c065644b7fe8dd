"""The contract's own examples, run through the engine, and the shape of every answer."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from config.holidays import bank_holidays
from dosing import shape
from scheduling.calendars import HolidayLists
from scheduling.custody import plan, request_schema, response_schema

EXAMPLES = Path(__file__).parents[1] / "contracts" / "timetable-plan.examples.jsonl"
CASES = [json.loads(line) for line in EXAMPLES.read_text("utf-8").splitlines() if line.strip()]
HOLIDAYS = HolidayLists(**bank_holidays())


def answer(request: Any) -> dict[str, Any]:
    given, _ = shape.answer(lambda asked: plan(asked, HOLIDAYS), request)
    return given


def matches(wanted: dict[str, Any], given: dict[str, Any]) -> bool:
    return all(given[name] == value for name, value in wanted.items())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["request"]["case"])
def test_an_example_of_the_contract_is_answered_as_it_says(case: dict[str, Any]) -> None:
    given = answer(case["request"])

    expect = dict(case["expect"])
    if "error" in expect:
        assert given["error"]["field"] == expect["error"]["field"]
        return
    rows = {
        each["item"] + (f"@{each['for_on']}" if each["for_on"] else ""): each
        for each in given["items"]
    }
    for key, wanted in expect.pop("items", {}).items():
        wanted = wanted if isinstance(wanted, dict) else {"due_on": wanted}
        assert matches(wanted, rows[key]), (key, wanted, rows[key])
    flags = expect.pop("flags", None)
    if flags is not None:
        wanted_flags = [each if isinstance(each, dict) else {"flag": each} for each in flags]
        assert Counter(each["flag"] for each in wanted_flags) == Counter(
            each["flag"] for each in given["flags"]
        )
        assert all(any(matches(each, flag) for flag in given["flags"]) for each in wanted_flags)
    for listed in ("weeks", "sessions"):
        wanted_rows = expect.pop(listed, [])
        for wanted, row in zip(wanted_rows, given[listed][: len(wanted_rows)], strict=True):
            assert matches(wanted, row)
    assert matches(expect, given)
    jsonschema.validate(given, response_schema())
    jsonschema.validate(case["request"], request_schema())
