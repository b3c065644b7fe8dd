"""No order of events gives a dose past a shut gate, but for break-glass at a gate it may pass."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosing import interlock
from dosing.check import rulebook
from dosing.interlock import (
    BREAKABLE,
    GATES,
    RULES,
    Assessment,
    BrokenGlass,
    Check,
    Decision,
    GiveFacts,
    Review,
    may_give,
)
from dosing.rulebook import HERE
from tests.dosing.interlock_walk import LIMITS, Start, disagreements, given_by_rules, walk

AT = datetime(2026, 11, 4, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HISTORIES = [Start(), Start(missed=0), Start(missed=2), Start(missed=3), Start(missed=5)]
OUTSIDE = [Start(rules="STOP"), Start(rules=None), Start(rules="ALERT"), Start(place_set=False)]
"""What no event at the hatch changes: the rules judge the dose again, the place was set before."""


def ready(**changes) -> GiveFacts:
    """Everything as it should be for an ordinary dose, but for the changes."""
    facts = GiveFacts(
        at=AT, increment=1, place_set=True, identity=(Check(AT - MINUTE, True),),
        intoxication=(Check(AT - MINUTE, True),), review=Review(AT - MINUTE, AT - MINUTE, "hold"),
        decision=Decision(AT - 2 * MINUTE, {AT.date()}, (1,)), missed_days=0,
        last_covered_on=(AT - timedelta(days=1)).date(), missed_limits=LIMITS, assessments=(),
        rules="PASS", recorded=False,
    )  # fmt: skip
    return replace(facts, **changes)


def shut(**changes) -> list[tuple[str, str]]:
    return [(each.gate, each.code) for each in may_give(ready(**changes)).shut]


# -- the walk ------------------------------------------------------------------------------


@pytest.mark.proves("RP-25", "RP-39")
@pytest.mark.parametrize("start", [*HISTORIES, *OUTSIDE], ids=str)
def test_no_order_of_six_events_gives_a_dose_past_a_gate(start):
    assert list(disagreements(start, 6)) == []


def test_what_is_merged_in_the_walk_no_rule_can_tell_apart():
    for start in (Start(missed=2), Start(missed=3)):
        assert list(disagreements(start, 3, merged=False)) == []


@pytest.mark.proof
@pytest.mark.proves("RP-25", "RP-39")
@pytest.mark.parametrize("start", [*HISTORIES, *OUTSIDE], ids=str)
def test_no_order_of_eight_events_gives_a_dose_past_a_gate(start):
    assert list(disagreements(start, 8)) == []


@pytest.mark.proof
@pytest.mark.parametrize("start", HISTORIES, ids=str)
def test_every_single_history_of_four_events_is_as_its_merged_one(start):
    assert list(disagreements(start, 4, merged=False)) == []


@pytest.mark.parametrize("gate", GATES)
def test_the_walk_notices_a_gate_that_is_stuck_open(gate, monkeypatch):
    monkeypatch.setitem(GATES, gate, lambda facts: None)

    past = (path for start in (*OUTSIDE, *HISTORIES) for path in disagreements(start, 6))

    assert next(past, None) is not None, f"nothing tells that {gate} is gone"


def test_the_walk_notices_break_glass_that_passes_more_than_what_is_missing(monkeypatch):
    everything = {
        gate: replace(rule, breakable=frozenset(rule.shut)) for gate, rule in RULES.items()
    }
    for gate in BREAKABLE:
        monkeypatch.setattr(interlock, "RULES", {**RULES, gate: everything[gate]})
        past = (path for start in HISTORIES for path in disagreements(start, 6))
        assert next(past, None) is not None, gate


@pytest.mark.parametrize(
    ("start", "needs"),
    [
        (Start(), {"identity ok", "clear", "review start", "decide"}),
        (Start(missed=2), {"identity ok", "clear", "review start", "decide"}),
        (Start(missed=3), {"identity ok", "clear", "review start", "assess", "decide"}),
        (Start(missed=5),
         {"identity ok", "clear", "review start", "assess", "decide again from the start"}),
    ],
    ids=("nothing missed", "two days missed", "three days missed", "five days missed"),
)  # fmt: skip
def test_the_walk_does_give_doses_and_opens_every_lock(start, needs):
    without_glass = (path for path in walk(start, 6) if "break glass" not in path)

    shortest = next(path for path in without_glass if given_by_rules(start, path))

    assert set(shortest) == needs


# -- each gate, just inside and just outside -------------------------------------------------


def test_with_everything_in_order_the_dose_may_be_given():
    verdict = may_give(ready())

    assert verdict.open and verdict.passed == ()


@pytest.mark.proves("RP-25")
@given(
    st.lists(st.sampled_from(["identity", "review"])),
    st.sampled_from(["start", "raise", "hold", "lower"]),
    st.integers(0, 2),
    st.booleans(),
)
def test_without_a_look_for_intoxication_it_stays_shut(gates, says, missed, yesterday):
    """Whatever else is in order, and whoever answered for other gates."""
    looked = (Check(AT - timedelta(days=1), True),) if yesterday else ()

    verdict = may_give(
        ready(
            intoxication=looked, review=Review(AT - 5 * MINUTE, AT - 5 * MINUTE, says),
            missed_days=missed, broken=(BrokenGlass(AT, frozenset(gates)),),
        )
    )  # fmt: skip

    assert [(each.gate, each.code) for each in verdict.shut] == [("intoxication", "not_looked")]


@pytest.mark.parametrize("gate", ["identity", "intoxication"])
@pytest.mark.parametrize(("minutes", "code"), [(29, None), (30, None), (31, "expired")])
def test_a_check_holds_for_its_minutes_and_no_longer(gate, minutes, code):
    found = shut(**{gate: (Check(AT - minutes * MINUTE, True),)})

    assert found == ([] if code is None else [(gate, code)])


@pytest.mark.parametrize("gate", ["identity", "intoxication"])
def test_the_newest_check_counts_and_of_two_at_once_the_one_against(gate):
    older, newer = AT - 2 * MINUTE, AT - MINUTE
    review = Review(AT, AT, "hold")

    assert not shut(**{gate: (Check(older, False), Check(newer, True))}, review=review)
    assert shut(**{gate: (Check(older, True), Check(newer, False))}, review=review)
    assert shut(**{gate: (Check(newer, False), Check(newer, True))}, review=review)
    assert shut(**{gate: (Check(AT + MINUTE, True),)}), "what happens later is no check yet"


def test_yesterdays_checks_do_not_open_todays_gates():
    midnight = datetime(2026, 11, 4, 0, 10, tzinfo=UTC)

    found = shut(
        at=midnight, identity=(Check(midnight - 20 * MINUTE, True),),
        intoxication=(Check(midnight - 20 * MINUTE, True),),
        review=Review(midnight, midnight, "hold"),
        decision=Decision(midnight, {midnight.date()}, (1,)),
    )  # fmt: skip

    assert found == [("identity", "not_asked"), ("intoxication", "not_looked")]


@pytest.mark.proves("RP-25")
def test_after_signs_of_intoxication_a_clear_look_is_not_enough_without_another_review():
    smelt, cleared = Check(AT - 9 * MINUTE, False), Check(AT - MINUTE, True)
    glass = (BrokenGlass(AT, frozenset(BREAKABLE)),)

    def seen(review):
        return shut(intoxication=(smelt, cleared), review=review, broken=glass)

    assert seen(Review(AT - 10 * MINUTE, AT, "hold")) == [("review", "after_positive")]
    assert seen(None) == [("review", "after_positive")]
    assert seen(Review(AT - 9 * MINUTE, AT, "hold")) == [("review", "after_positive")]
    assert seen(Review(AT - 8 * MINUTE, AT, "hold")) == []
    smelt_again = shut(
        intoxication=(smelt, Check(AT - 5 * MINUTE, False), cleared),
        review=Review(AT - 8 * MINUTE, AT, "hold"),
    )
    assert smelt_again == [("review", "after_positive")]


def test_a_review_still_to_come_is_none_and_a_lower_one_waits_for_a_decision():
    ahead, lower = Review(AT + MINUTE, AT, "hold"), Review(AT, AT, "lower")

    assert shut(review=ahead) == [("review", "none")]
    assert shut(review=lower, decision=None) == [("review", "lower"), ("prescription", "none")]


@pytest.mark.parametrize(
    ("says", "decided", "code"),
    [
        ("start", 0, None), ("raise", 0, None), ("hold", 0, None),
        ("lower", 0, "lower"), ("lower", 1, None),
        ("withhold", 1, "withheld"), ("stop", 1, "stopped"),
    ],
)  # fmt: skip
def test_the_review_decides_whether_there_is_a_dose(says, decided, code):
    """`decided`: minutes after the review that the decision was made."""
    found = shut(
        review=Review(AT - 5 * MINUTE, AT - 5 * MINUTE, says),
        decision=Decision(AT - (5 - decided) * MINUTE, {AT.date()}, (1,)),
    )

    assert found == ([] if code is None else [("review", code)])


@pytest.mark.parametrize(
    ("decision", "code"),
    [
        (None, "none"),
        (Decision(AT + MINUTE, {AT.date()}, (1,)), "not_yet"),
        (Decision(AT - MINUTE, {AT.date()}, (1,), withdrawn_at=AT), "withdrawn"),
        (Decision(AT - MINUTE, {AT.date()}, (1,), withdrawn_at=AT + MINUTE), None),
        (Decision(AT - MINUTE, {AT.date() + timedelta(days=1)}, (1,)), "not_today"),
        (Decision(AT - MINUTE, {AT.date()}, (2,)), "not_this_dose"),
    ],
)
def test_only_a_decision_in_force_for_this_day_and_dose_opens(decision, code):
    found = shut(decision=decision)

    assert found == ([] if code is None else [("prescription", code)])


@pytest.mark.proves("RP-39", "M-MD-02", "M-MD-04")
@pytest.mark.parametrize(
    ("missed", "assessed_on", "re_induction", "code"),
    [
        (2, None, False, None),
        (3, None, False, "not_assessed"),
        (3, -1, False, "not_assessed"),  # the day before the third missed date
        (3, 0, False, None),
        (4, 0, False, None),
        (5, 0, False, "re_induction"),
        (5, 0, True, None),
        (None, 0, True, "unknown"),
    ],
)
def test_the_lock_after_missed_days_opens_by_assessment_and_decision(
    missed, assessed_on, re_induction, code
):
    """`assessed_on`: days from the third missed date."""
    last = None if missed is None else AT.date() - timedelta(days=missed + 1)
    seen = []
    if assessed_on is not None and last is not None:
        at = datetime.combine(last, AT.timetz()) + timedelta(days=3 + assessed_on)
        seen = [Assessment(at, at)]

    found = shut(
        missed_days=missed, last_covered_on=last, assessments=tuple(seen),
        decision=Decision(AT - MINUTE, {AT.date()}, (1,), re_induction=re_induction),
        review=Review(AT, AT, "hold"),
    )  # fmt: skip

    assert found == ([] if code is None else [("missed_doses", code)])


@pytest.mark.parametrize(("minutes", "code"), [(-2, None), (0, "not_decided"), (1, "not_assessed")])
def test_an_assessment_counts_from_its_moment_on_and_a_decision_after_it(minutes, code):
    at = AT + minutes * MINUTE
    missed = {
        "missed_days": 3, "last_covered_on": AT.date() - timedelta(days=4),
        "assessments": (Assessment(at, at),),
    }  # fmt: skip
    undecided = code or "not_decided"

    found = shut(**missed, decision=Decision(AT - MINUTE, {AT.date()}, (1,)))

    assert found == ([] if code is None else [("missed_doses", code)])
    assert shut(**missed, decision=None) == [("prescription", "none"), ("missed_doses", undecided)]


def test_a_second_assessment_leaves_a_decision_made_on_the_first_as_good_as_it_was():
    seen = tuple(Assessment(AT - n * MINUTE, AT - n * MINUTE) for n in (9, 1))

    found = shut(
        missed_days=3, last_covered_on=AT.date() - timedelta(days=4), assessments=seen,
        decision=Decision(AT - 5 * MINUTE, {AT.date()}, (1,)),
    )  # fmt: skip

    assert found == []


def test_a_decision_begins_again_only_when_it_says_so():
    found = shut(
        missed_days=5, last_covered_on=AT.date() - timedelta(days=6),
        assessments=(Assessment(AT - 2 * MINUTE, AT - 2 * MINUTE),),
        decision=Decision(AT - MINUTE, {AT.date()}, (1,)), review=Review(AT, AT, "hold"),
    )  # fmt: skip

    assert found == [("missed_doses", "re_induction")]


def test_a_decision_made_before_the_assessment_was_written_does_not_open_the_lock():
    seen = Assessment(AT - 9 * MINUTE, AT - 4 * MINUTE)
    last = AT.date() - timedelta(days=4)

    def found(decided):
        return shut(missed_days=3, last_covered_on=last, assessments=(seen,),
                    decision=Decision(AT - decided * MINUTE, {AT.date()}, (1,)))  # fmt: skip

    assert found(5) == found(4) == [("missed_doses", "not_decided")]
    assert found(3) == []


@pytest.mark.parametrize(
    ("changes", "gate", "code"),
    [
        ({"rules": "STOP"}, "rules", "stop"),
        ({"rules": None}, "rules", "unknown"),
        ({"recorded": True}, "recorded", "recorded"),
        ({"recorded": None}, "recorded", "unknown"),
        ({"in_doubt": True}, "recorded", "in_doubt"),
        ({"place_set": None}, "place", "not_set"),
        ({"missed_days": 3, "last_covered_on": None}, "missed_doses", "unknown"),
    ],
)
def test_what_is_not_known_shuts_a_gate(changes, gate, code):
    assert shut(**changes) == [(gate, code)]


@pytest.mark.parametrize(("minutes", "passes"), [(0, True), (30, True), (31, False), (-1, False)])
def test_break_glass_passes_what_is_missing_for_its_minutes(minutes, passes):
    glass = (BrokenGlass(AT - minutes * MINUTE, frozenset({"identity", "review"})),)

    verdict = may_give(ready(identity=(), review=None, broken=glass))

    assert verdict.open is passes
    assert verdict.passed == (("identity", "review") if passes else ())


def test_break_glass_counts_on_its_day_and_whatever_was_broken_before():
    midnight = datetime(2026, 11, 4, 0, 10, tzinfo=UTC)
    yesterday, now = (BrokenGlass(midnight - n * MINUTE, frozenset({"review"})) for n in (20, 1))

    def passed(*broken):
        checks = (Check(midnight - MINUTE, True),)
        facts = ready(at=midnight, identity=checks, intoxication=checks, review=None,
                      decision=Decision(midnight, {midnight.date()}, (1,)), broken=broken)  # fmt: skip
        return may_give(facts).passed

    assert passed(yesterday) == ()
    assert passed(yesterday, now) == passed(now, yesterday) == ("review",)


def test_a_shut_gate_says_whether_break_glass_may_pass_it():
    found = may_give(ready(identity=(), intoxication=(Check(AT - 2 * MINUTE, False),))).shut

    assert [(each.gate, each.breakable) for each in found] == [
        ("identity", True),
        ("intoxication", False),
    ]
    assert found[0].says == RULES["identity"].shut["not_asked"]
    assert found[0].opens == RULES["identity"].opens


def test_every_gate_says_who_opens_it_and_rests_on_a_listed_source():
    sources = rulebook().sources
    with (HERE / "interlock.toml").open("rb") as file:
        table = tomllib.load(file)

    assert table["review_by"] and BREAKABLE == ("identity", "intoxication", "review")
    for row in [*table["gate"], table["break_glass"]]:
        assert row["confidence"] in {"S", "S2", "M", "D"} and row["where"] and row["hazard"]
        assert ("holds" in row) == (row.get("unit") == "minutes")
        cited = row["source"].replace(";", ",").split(",")
        for each in cited:
            key = each.split()[0] if each.strip()[0] != "[" else each.strip()[1]
            assert key in sources, each
    for rule in RULES.values():
        assert rule.opens and all(says.endswith(".") for says in rule.shut.values())


def test_a_rule_file_that_names_other_gates_or_passes_what_shuts_nothing_is_refused(monkeypatch):
    row = {
        **dict.fromkeys(
            ("id", "gate", "asks", "hazard", "source", "where", "confidence", "opens"), ""
        ),
        "shut": {"none": "None.", "old": "Old."},
    }

    assert interlock._gate_rule({**row, "breakable": ["none", "old"]}).breakable == {"none", "old"}
    with pytest.raises(ValueError, match="only what shuts a gate"):
        interlock._gate_rule({**row, "breakable": ["none", "never"]})
    monkeypatch.setattr(interlock, "GATES", dict(reversed(GATES.items())))
    with pytest.raises(ValueError, match="do not name the same gates"):
        interlock._load()
