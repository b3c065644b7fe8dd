"""The published examples of the dose-check contract, through the one door and the command."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from dosing.check import check, request_schema, response_schema
from dosing.shape import answer, answer_lines

CONTRACTS = Path(__file__).parents[1] / "contracts"
EXAMPLES = [
    json.loads(line)
    for line in (CONTRACTS / "dose-check.examples.jsonl").read_text("utf-8").splitlines()
]
JUDGED = [each for each in EXAMPLES if "error" not in each["expect"]]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each["request"]["case"])
def test_the_published_example_is_answered_as_promised(example):
    given, evaluated = answer(check, example["request"])
    expect = example["expect"]

    if "error" in expect:
        assert not evaluated
        assert given["error"]["field"] == expect["error"]["field"]
        return
    fired = {each["rule"]: each["severity"] for each in given["findings"]}
    assert given["outcome"] == expect["outcome"]
    assert {rule: fired.get(rule) for rule in expect["must_fire"]} == expect["must_fire"]
    assert not set(expect["must_not_fire"]) & set(fired)
    assert {r for r, severity in fired.items() if severity != "INFO"} <= set(expect["must_fire"])


@pytest.mark.parametrize("example", JUDGED, ids=lambda each: each["request"]["case"])
def test_the_example_and_its_answer_fit_the_published_schemas(example):
    given, _ = answer(check, example["request"])

    jsonschema.validate(example["request"], request_schema())
    jsonschema.validate(given, response_schema())


@pytest.mark.parametrize(
    ("name", "schema"), [("request", request_schema), ("response", response_schema)]
)
def test_the_schema_is_the_one_published(name, schema):
    """Fields, words and bounds of the contract, kept apart from the code that reads them."""
    published = (CONTRACTS / f"dose-check.{name}.schema.json").read_text("utf-8")

    assert schema() == json.loads(published)


def test_the_schema_of_the_answer_takes_nothing_else():
    given, _ = answer(check, next(e for e in JUDGED if e["expect"]["outcome"] == "STOP")["request"])
    schema = jsonschema.Draft202012Validator(response_schema())
    first = given["findings"][0]

    def spoiled(record):
        yield 4
        yield {**record, "more": "x"}
        for name in record:
            yield {each: value for each, value in record.items() if each != name}
            yield {**record, name: 4}
            if name in ("rule_set", "outcome", "severity"):
                yield {**record, name: "another word"}

    assert schema.is_valid(given) and schema.is_valid({**given, "findings": []})
    for each in (*spoiled(given), *({**given, "findings": [one]} for one in spoiled(first))):
        assert not schema.is_valid(each), each


def test_a_refused_line_leaves_the_others_evaluated():
    written: list[str] = []
    lines = ["", "not json", json.dumps(EXAMPLES[0]["request"]), "[]", json.dumps({"case": "x"})]

    every = answer_lines(check, lines, written.append)

    answers = [json.loads(each) for each in written]
    assert not every
    assert [each.get("error", {}).get("field") for each in answers] == ["", None, "", "rule_set"]
    assert [each["case"] for each in answers] == [None, "a first dose", None, "x"]


def test_text_that_no_encoding_can_hold_is_given_back_and_the_other_lines_answered():
    """A JSON escape can name half of a surrogate pair, which cannot be written as UTF-8."""
    written: list[str] = []
    lines = [b'{"case": "\\ud800 \xc3\xa9"}', json.dumps(EXAMPLES[0]["request"]).encode()]

    answer_lines(check, lines, written.append)

    assert [each.encode("ascii").decode() for each in written] == written
    assert [json.loads(each)["case"] for each in written] == ["\ud800 é", "a first dose"]
