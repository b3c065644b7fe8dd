"""Do the worked examples say what they seem to say, and is one that fails named?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from dosing.check import rulebook
from dosing.examples import (
    Example,
    a_request,
    all_examples,
    bases,
    judge,
    run_examples,
    says_otherwise,
    try_examples,
)
from dosing.rulebook import FaultyRulebook, RuleVersion

SUMMER = "2024-07-02T12:00:00+01:00"


def at(written: str) -> str:
    """A time as an example writes it, on a summer noon."""
    return a_request("start", decided_at=SUMMER, there=written)["there"]


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("@-90m", "2024-07-02T10:30:00+01:00"),
        ("@-4h", "2024-07-02T08:00:00+01:00"),
        ("@D", "2024-07-02"),
        ("@D-3", "2024-06-29"),
        ("@D+7", "2024-07-09"),
        ("@D-1 09:05", "2024-07-01T08:05:00+00:00"),
        ("@D 00:00", "2024-07-01T23:00:00+00:00"),
        ("@D-200 09:00", "2023-12-15T09:00:00+00:00"),
        ("as it is", "as it is"),
    ],
)
def test_a_time_is_written_against_the_decision(written, means):
    assert at(written) == means


@pytest.mark.parametrize("written", ["@absently", "@-4", "@-4d", "@D 9:00", "@"])
def test_what_only_looks_like_a_time_is_refused(written):
    with pytest.raises(FaultyRulebook, match="no time an example can be written in"):
        at(written)


def test_a_request_is_the_base_with_its_changes_and_leaves_the_base_as_it_was():
    before = a_request("start")

    changed = a_request(
        "start", "era-2003",
        **{
            "order.dose_mg": "12", "patient.ecgs": [{"recorded_on": "@D", "qtc_ms": 400}],
            "patient.ecgs.0.qtc_ms": 410, "observations.0": {"at": "@-1h", "sedation": "S"},
            "assessment.tolerance": "@absent", "new.made.here": 1, "case": "mine",
            "gone": "@absent",
        },
    )  # fmt: skip

    assert (changed["case"], changed["rule_set"]) == ("mine", "era-2003")
    assert (before["case"], before["rule_set"]) == ("start", "uk-2017")
    assert changed["order"] == {**before["order"], "dose_mg": "12"}
    assert changed["patient"]["ecgs"][0]["qtc_ms"] == 410
    assert changed["observations"][0]["sedation"] == "S"
    assert "tolerance" not in changed["assessment"] and "gone" not in changed
    assert changed["new"] == {"made": {"here": 1}}
    assert a_request("start") == before
    assert set(bases()) >= {"start", "prison_start"}


def test_what_is_put_into_a_request_stays_apart_from_it():
    given = [{"recorded_on": "2024-01-01", "qtc_ms": 400}]

    a_request("start", **{"patient.ecgs": given, "patient.ecgs.0.qtc_ms": 410})

    assert given[0]["qtc_ms"] == 400


def test_every_example_of_a_rule_is_of_a_set_that_has_it():
    book = rulebook()

    every = list(all_examples(book))

    assert all(
        each.rule_set in {version.set for version in book.rules[each.rule].versions}
        for each in every
    )
    assert {each.fires for each in every} == {True, False}
    assert {each.severity for each in every} == {None, "ALERT", "INFO"}
    assert {each.rule_set for each in every if each.rule == "B-LY-02"} == {"uk-2017"}
    assert {each.rule_set for each in every if each.rule == "M-TI-02"} == {"uk-2017", "era-2003"}


# -- an example that fails ---------------------------------------------------------------------


def moved(rule: str, limit: str, to: int) -> list[RuleVersion]:
    return [
        replace(version, limits={**version.limits, limit: Decimal(to)})
        for version in rulebook().rules[rule].versions
    ]


def test_a_rule_that_does_not_as_its_examples_say_is_named_and_no_other(monkeypatch):
    some = [each for each in all_examples(rulebook()) if each.rule in ("M-TI-02", "M-TI-03")]
    monkeypatch.setattr("dosing.examples.all_examples", lambda book: some)
    book = rulebook().with_versions(moved("M-TI-02", "above_mg", 21))

    tried = list(try_examples(book))
    failed = run_examples(book)

    assert len(tried) == len(some)
    assert failed == [line for line in tried if line is not None]
    assert {line.split()[0] for line in failed} == {"M-TI-02"}
    assert run_examples(rulebook()) == []


def test_an_example_that_is_no_request_is_told_as_refused(monkeypatch):
    unreadable = Example("M-TI-02", "uk-2017", "start", {"order.dose_mg": "0"}, True, None)
    monkeypatch.setattr("dosing.examples.all_examples", lambda book: [unreadable])

    (line,) = run_examples(rulebook())

    assert line == (
        "M-TI-02 (uk-2017) fires on start with {'order.dose_mg': '0'}: "
        "refused, order.dose_mg: must be more than zero"
    )


@pytest.mark.parametrize(
    ("fires", "severity", "found", "says"),
    [
        (True, None, "STOP", None),
        (True, "STOP", "STOP", None),
        (True, "STOP", "ALERT", "as ALERT"),
        (True, None, None, "it does not"),
        (True, "STOP", None, "it does not"),
        (False, None, None, None),
        (False, None, "STOP", "it does not"),
        (False, "STOP", "STOP", "it does not"),
        (False, "STOP", None, None),
    ],
)
def test_an_example_holds_when_the_rule_fires_as_severely_as_it_says(fires, severity, found, says):
    version = rulebook().rules["M-TI-02"].versions[0]
    example = Example("M-TI-02", "uk-2017", "start", {}, fires, severity)

    line = says_otherwise(example, None if found is None else version.finding(severity=found))

    word = "fires" if fires else "is silent"
    begins = f"M-TI-02 (uk-2017) {word} on start with {{}}: "
    assert line == (None if says is None else f"{begins}{says}")


def test_one_rule_alone_judges_its_example():
    high = Example("M-TI-02", "uk-2017", "day_4", {"order.dose_mg": "61"}, True, "STOP")
    lower = replace(high, changes={"order.dose_mg": "60"})

    found = judge(high, rulebook())

    assert found is not None and found.rule == "M-TI-02"
    assert judge(lower, rulebook()) is None
