"""Is a case complex, and is nothing unknown taken for plain? (A21)"""

from __future__ import annotations

import tomllib
from decimal import Decimal

import pytest

from dosing.check import rulebook
from dosing.complexity import HERE, REASONS, Case, complexity
from dosing.reading import request_schema

WRITTEN = tomllib.loads((HERE / "complexity.examples.toml").read_text("utf-8"))
EXAMPLES = [
    (example["reason"], outcome, change)
    for example in WRITTEN["example"]
    for outcome in ("holds", "silent", "unknown")
    for change in example[outcome]
]
LIMIT = Decimal(35)


def a_case(**changes):
    said = {**WRITTEN["plain"], **changes}
    said = {name: None if value == "@unknown" else value for name, value in said.items()}
    said = {n: tuple(v) if isinstance(v, list) else v for n, v in said.items()}
    if said["breath_alcohol"] is not None:
        said["breath_alcohol"] = Decimal(said["breath_alcohol"])
    return Case(**said)


@pytest.mark.proves("RP-26", "RP-27", "RP-30")
@pytest.mark.parametrize(("reason", "outcome", "change"), EXAMPLES)
def test_each_reason_does_as_its_examples_say(reason, outcome, change):
    found = complexity(a_case(**change), LIMIT)

    held = {each.id for each in found.reasons}
    unknown = {each.id for each in found.unknown}
    assert (reason in held, reason in unknown) == (outcome == "holds", outcome == "unknown")


def test_every_reason_has_examples_a_source_and_a_mark():
    assert {example["reason"] for example in WRITTEN["example"]} == set(REASONS)
    for reason in REASONS.values():
        assert reason["source"] in rulebook().sources
        assert reason["where"] and reason["confidence"] in ("S", "S2", "M", "D")


def test_the_plain_case_alone_is_non_complex():
    assert complexity(a_case(), LIMIT).state == "non_complex"
    assert complexity(a_case(), LIMIT).non_complex is True
    assert complexity(Case(), LIMIT).state == "not_known"
    assert complexity(Case(), LIMIT).non_complex is False


@pytest.mark.parametrize(
    ("change", "reason", "facts"),
    [
        ({"substances": ("alcohol", "nicotine")}, "CX-01", ("alcohol",)),
        ({"serious_poly_substance": True}, "CX-01", ("serious_poly_substance",)),
        ({"sedation": "3"}, "CX-02", ("sedation",)),
        ({"hard_to_rouse": True}, "CX-02", ("sedation",)),
        ({"breath_alcohol": "35"}, "CX-02", ("breath_alcohol",)),
        ({"clinical_view": "serious"}, "CX-02", ("clinical_view",)),
        ({"pregnancy": "pregnant"}, "CX-04", ("pregnant",)),
        ({"treatment": "unverified"}, "CX-05", ("unverified",)),
        ({"conditions": ("heart_disease",)}, "CX-06", ("heart_disease",)),
        ({"medicine": "buprenorphine"}, "CX-07", ("buprenorphine",)),
    ],
)
def test_a_reason_names_the_facts_it_turns_on_and_no_other_reason_holds(change, reason, facts):
    found = complexity(a_case(**change), LIMIT)

    assert [(each.id, each.facts) for each in found.reasons] == [(reason, facts)]
    assert found.reasons[0].says == REASONS[reason]["says"]
    assert not found.unknown and not found.non_complex


@pytest.mark.parametrize("question", WRITTEN["plain"])
def test_no_answer_left_out_leaves_a_plain_case(question):
    assert not complexity(a_case(**{question: "@unknown"}), LIMIT).non_complex


def test_one_reason_is_enough_whatever_is_not_known():
    found = complexity(Case(substances=("alcohol",)), LIMIT)

    assert found.state == "complex" and found.holds("CX-01")
    assert {each.id for each in found.unknown} == set(REASONS) - {"CX-01"}


def test_the_words_are_those_of_the_dose_check():
    patient = request_schema()["properties"]["patient"]["properties"]
    conditions = set(patient["conditions"]["items"]["enum"])

    assert set(REASONS["CX-01"]["substances"]) == set(patient["substance_use"]["items"]["enum"])
    for reason in ("CX-02", "CX-06"):
        assert set(REASONS[reason]["conditions"]) <= conditions
    named = set(REASONS["CX-02"]["conditions"]) | set(REASONS["CX-06"]["conditions"])
    assert conditions - named == {"recent_loss_of_tolerance"}
