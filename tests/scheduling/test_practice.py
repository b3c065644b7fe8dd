"""Every rule beside the dose rules can be read whole, and does what its worked examples say."""

from __future__ import annotations

import json
from datetime import date

import pytest

from dosing.check import rulebook
from dosing.rulebook import as_json_value
from scheduling import practice, practice_examples, reviews
from scheduling.practice_examples import ASKED, all_examples, try_examples


def test_every_rule_has_one_version_with_a_known_source_and_a_review_to_come():
    for rule in practice.rules().values():
        (version,) = rule.versions
        assert rule.asks and version.where and version.unit
        assert version.sources and set(version.sources) <= set(practice.sources())
        assert version.confidence in ("S", "S2", "M", "D")
        assert version.review_by > date(2026, 11, 1)
        assert not version.signed
    assert not set(practice.rules()) & {*rulebook().rules, *rulebook().definitions}


def test_every_number_a_rule_holds_can_be_told_over_http():
    for rule in practice.rules().values():
        json.dumps([as_json_value(value) for value in rule.versions[0].limits.values()])


def test_every_rule_that_reasons_has_examples_and_no_other_has_any():
    assert {each.rule for each in all_examples()} == set(ASKED)
    assert set(ASKED) <= set(practice.rules())


# The examples of a rule are its tests; a requirement (RP-) asks for more than its examples.
EXAMPLES = [
    pytest.param(
        each, id=str(each), marks=[] if each.rule[:2] == "RP" else [pytest.mark.proves(each.rule)]
    )
    for each in all_examples()
]


@pytest.mark.parametrize("each", EXAMPLES)
def test_an_example_is_answered_as_it_says(each):
    assert each.did() == each.expects


def test_a_limit_that_moved_is_named_with_its_rule(monkeypatch):
    moved = {**reviews.RULES["RP-40"], "from_cows": 6}
    monkeypatch.setitem(reviews.RULES, "RP-40", moved)

    (line,) = [line for line in try_examples() if line]

    assert line.startswith("RP-40 (practice)") and line.endswith("it answers no")


def test_what_nobody_answered_is_left_out_of_a_question():
    assert practice_examples.UNKNOWN in {
        value for each in all_examples() for value in each.given.values() if isinstance(value, str)
    }
