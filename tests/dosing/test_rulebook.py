"""Is every rule of both tables written, reasoned, sourced and shown by examples?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from dosing.check import FAMILIES, check, check_dose, rulebook
from dosing.examples import a_request, all_examples, bases, run_examples
from dosing.reasoning import REASONS
from dosing.rulebook import HERE, UnknownEdition, drugs_of, load_rulebook
from tests.support.known import known_facts
from tests.support.moved_limits import (
    NO_VERDICT_CHANGES,
    every_version,
    far_away,
    is_noticed,
    moved_dates,
    moved_limits,
    noticed_by,
)

# The rule tables' ids, kept apart from the rules so that one lost from both is still noticed.
IN_BOTH = """
B-D1-01 B-FD-01 B-FD-02 B-FD-03 B-MD-01 B-MD-02 B-MD-04 B-MX-01 B-MX-02 B-MX-03 B-PW-01 B-PW-02
B-PW-03 B-PW-04 B-PW-05 B-PW-06 B-PW-07 B-PW-08 B-TI-01 B-TI-02 G-AG-01 G-AG-02 G-AL-01 G-AL-02
G-AL-03 G-AL-04 G-AL-05 G-AS-01 G-CI-01 G-CI-02 G-CI-03 G-CI-04 G-DT-01 G-DT-03 G-DT-04 G-DT-05
G-IN-01 G-IN-02 G-NX-01 G-PG-01 G-PG-02 G-WD-01 G-WD-02 I-BZ-01 I-CY-01 I-CY-02 I-GB-01 I-OP-01
L-01 L-02 L-03 L-04 L-05 L-06 L-07 L-08 L-09 L-10 L-11 L-12 M-D1-01 M-D1-02 M-D1-03 M-D1-04
M-D1-05 M-D1-06 M-D1-07 M-D1-08 M-D1-09 M-D1-10 M-D1-11 M-D1-12 M-D1-13 M-FD-01 M-FD-02 M-FD-03
M-FD-04 M-FD-05 M-FD-06 M-FD-08 M-FD-09 M-MD-01 M-MD-02 M-MD-03 M-MD-04 M-MD-05 M-MX-01 M-MX-02
M-MX-03 M-MX-04 M-MX-05 M-MX-06 M-MX-07 M-MX-08 M-RD-01 M-RD-02 M-TI-01 M-TI-02 M-TI-03 M-TI-04
M-TI-05 M-TI-06 M-TI-07 M-TI-08 M-TI-09 M-TI-10 P-01 P-02 P-03 P-04 P-05 P-06 P-07 P-08 P-09
P-10 P-11 P-12 P-13 P-14 S-01 S-02 S-03 S-05 S-06 U-01 U-02 U-03 U-04 U-05 U-06 U-07
"""
IN_ERA_ONLY = """
B-DP-01 B-LY-01 G-DT-02 L-13 M-TI-11
"""
IN_CURRENT_ONLY = """
B-D1-02 B-DP-02 B-DP-03 B-DP-04 B-DP-05 B-DP-06 B-DP-07 B-LY-02 B-LY-03 B-LY-04 B-SW-01 B-SW-02
M-FD-07 S-07 U-08
"""

BOTH, ERA_ONLY, CURRENT_ONLY = (
    frozenset(ids.split()) for ids in (IN_BOTH, IN_ERA_ONLY, IN_CURRENT_ONLY)
)
SETS = {"era-2003": {*BOTH, *ERA_ONLY}, "uk-2017": {*BOTH, *CURRENT_ONLY}}
ALL = sorted({*BOTH, *ERA_ONLY, *CURRENT_ONLY})


def test_the_tables_hold_137_and_147_rules():
    assert {name: len(ids) for name, ids in SETS.items()} == {"era-2003": 137, "uk-2017": 147}


@pytest.mark.parametrize("rule_set", SETS)
def test_every_rule_of_a_set_is_in_force_and_no_other(rule_set):
    in_force = rulebook().in_force(rule_set, date(2012, 1, 1))

    assert set(in_force) == SETS[rule_set]


@cache
def _failures() -> list[str]:
    return run_examples(rulebook())


@cache
def _alone() -> set[tuple[str, str, bool]]:
    """Which rules the examples show firing, and which silent, in which set."""
    return {(each.rule, each.rule_set, each.fires) for each in all_examples(rulebook())}


def test_every_worked_example_holds_and_names_a_rule():
    assert _failures() == []
    assert set(rulebook().rules) == set(ALL)


@pytest.mark.parametrize(
    "rule", [pytest.param(each, marks=pytest.mark.proves(each)) for each in ALL]
)
def test_the_rule_does_what_its_worked_examples_say(rule):
    failures = [line for line in _failures() if line.startswith(f"{rule} ")]

    for version in rulebook().rules[rule].versions:
        assert (rule, version.set, True) in _alone(), "no example of it firing"
        assert (rule, version.set, False) in _alone(), "no example of it staying silent"
    assert failures == []


def test_a_limit_moved_by_its_smallest_step_is_noticed_by_the_rules_own_examples():
    moves = [m for v in every_version() for m in (*moved_limits(v), *moved_dates(v))]

    unnoticed = [moved for moved in moves if not is_noticed(moved)]

    assert len(moves) > 1000
    assert [str(each) for each in unnoticed if each.why_unnoticed is None] == []
    reasons = {(each.was.rule, f"{each.limit} = {each.to}") for each in unnoticed}
    assert reasons == set(NO_VERDICT_CHANGES), "a reason for what is noticed after all"


PAST_THE_RULE = {
    "M-MX-07 experience_above_mg": "up to 120 mg this rule is silent whoever asks",
    "M-MD-03 capped_from_days": "four missed days are the most this rule speaks of",
}
"""Limits with no example on one side, because the rule ends there."""


def test_every_number_has_examples_below_at_and_above_it_in_each_set():
    lacking = []
    for version in every_version():
        if version.rule in rulebook().definitions:
            continue
        for name, value in version.limits.items():
            if not isinstance(value, Decimal) or f"{version.rule} {name}" in PAST_THE_RULE:
                continue
            steps = [moved for moved in moved_limits(version) if moved.limit == name]
            told_apart = {
                str(example)
                for moved in (*steps, *far_away(version, name))
                for example in noticed_by(moved)
            }
            if len(told_apart) < 3:
                lacking.append(f"{version.rule} ({version.set}) {name}")

    assert lacking == []


@pytest.mark.parametrize("rule", ALL)
def test_the_rule_is_reasoned_and_every_version_is_sourced(rule):
    book = rulebook()
    held = book.rules[rule]

    assert rule in REASONS
    assert held.asks.endswith("?")
    assert held.hazard
    for version in held.versions:
        assert version.unit
        assert version.where
        assert version.confidence in ("S", "S2", "M", "D")
        assert version.sources
        assert all(source in book.sources for source in version.sources)
        assert version.message
        assert version.review_by > date(2026, 11, 1)
        assert not version.signed, "nobody has signed a rule yet"


def test_every_source_is_listed_once_and_says_how_much_was_seen():
    sources = rulebook().sources

    assert all(source.title and source.seen for source in sources.values())
    assert len({source.title for source in sources.values()}) == len(sources)


def test_an_address_stands_only_with_its_publisher_and_is_nobody_elses():
    addressed = [source for source in rulebook().sources.values() if source.url]

    assert len(addressed) >= 10
    assert all(source.publisher and source.url.startswith("https://") for source in addressed)
    assert len({source.url for source in addressed}) == len(addressed)


@pytest.mark.parametrize("base", bases())
def test_every_base_request_of_the_examples_passes(base):
    answer = check(a_request(base))

    assert answer["findings"] == []
    assert answer["outcome"] == "PASS"


def test_every_finding_of_the_examples_fills_its_message_and_keeps_it_free_of_a_dose():
    for _, facts in (*known_facts("era-2003"), *known_facts("uk-2017")):
        for finding in check_dose(facts, rulebook()):
            assert "{" not in finding.message
            assert "None" not in finding.message
            assert finding.severity in ("STOP", "ALERT", "INFO")


def test_what_a_rule_reads_is_exact():
    for rule in rulebook().rules.values():
        for version in rule.versions:
            assert not [limit for limit in version.limits.values() if isinstance(limit, float)]


@pytest.mark.parametrize(
    ("rule", "last", "first"),
    [
        ("M-MX-01", date(2006, 4, 30), date(2006, 5, 1)),
        ("M-MX-02", date(2006, 4, 30), date(2006, 5, 1)),
        ("M-MX-03", date(2006, 4, 30), date(2006, 5, 1)),
        ("M-MX-04", date(2006, 4, 30), date(2006, 5, 1)),
        ("M-MX-05", date(2006, 4, 30), date(2006, 5, 1)),
        ("L-11", date(2006, 7, 6), date(2006, 7, 7)),
        ("S-02", date(2007, 1, 23), date(2007, 1, 24)),
        ("P-12", date(2010, 2, 28), date(2010, 3, 1)),
    ],
)
def test_a_rule_of_the_era_begins_on_its_own_date(rule, last, first):
    book = rulebook()

    assert rule not in book.in_force("era-2003", last)
    assert rule in book.in_force("era-2003", first)
    assert rule in book.in_force("uk-2017", last)


# -- editions and signatures --------------------------------------------------------------


def a_copy(folder: Path) -> Path:
    for path in HERE.glob("*.toml"):
        (folder / path.name).write_text(path.read_text("utf-8"), "utf-8")
    return folder


def a_new_edition(folder: Path) -> Path:
    """The rules with I-BZ-01 an ALERT from a second edition of the older set on."""
    a_copy(folder)
    sets, rules = folder / "rule_sets.toml", folder / "interactions.toml"
    sets.write_text(
        sets.read_text("utf-8").replace(
            'version = "2026.11.1"', 'version = "2027.02.1"\nearlier = ["2026.11.1"]', 1
        ),
        "utf-8",
    )
    first, era, rest = rules.read_text("utf-8").split("[[rule.version]]", 2)
    old = era.replace('sets = ["era-2003"]', 'sets = ["era-2003"]\ndropped = "2027.02.1"')
    new = era.replace('sets = ["era-2003"]', 'sets = ["era-2003"]\nadded = "2027.02.1"')
    mark = "[[rule.version]]"
    rules.write_text(
        first + mark + old + mark + new.replace("INFO", "ALERT") + mark + rest, "utf-8"
    )
    return folder


def test_a_new_edition_replaces_a_version_and_the_earlier_one_can_still_be_asked(tmp_path):
    book = load_rulebook(a_new_edition(tmp_path), FAMILIES)
    on = date(2012, 1, 1)

    before = book.as_of("era-2003", "2026.11.1")

    assert book.in_force("era-2003", on)["I-BZ-01"].severity == "ALERT"
    assert before.in_force("era-2003", on)["I-BZ-01"].severity == "INFO"
    assert before.set_versions == {"era-2003": "2026.11.1", "uk-2017": "2026.11.1"}
    assert set(before.in_force("uk-2017", on)) == SETS["uk-2017"]
    assert book.as_of("era-2003", "2027.02.1") is book
    with pytest.raises(UnknownEdition):
        book.as_of("era-2003", "2019.01.1")


def test_a_signature_is_put_under_the_words_numbers_and_dates_of_one_version():
    rule = rulebook().rules["M-TI-02"]
    version = rule.versions[0]
    signed = version.fingerprint(rule.asks)

    changed = [
        replace(version, message="Step above 21 mg."),
        replace(version, limits={"above_mg": 21}),
        replace(version, last_on=date(2030, 1, 1)),
        replace(version, set="another"),
    ]

    assert signed == version.fingerprint(rule.asks)
    assert signed not in {each.fingerprint(rule.asks) for each in changed}
    assert signed != version.fingerprint("Another question?")


@pytest.mark.parametrize(
    ("rule", "drugs"),
    [
        ("M-FD-01", ("methadone",)), ("B-FD-01", ("buprenorphine",)),
        ("G-AS-01", ("methadone", "buprenorphine")), ("MX-01", ("methadone", "buprenorphine")),
    ],
)  # fmt: skip
def test_a_rule_is_about_the_medicine_its_id_names_and_otherwise_about_both(rule, drugs):
    assert drugs_of(rule) == drugs


def test_a_message_is_shown_with_its_limits_and_the_names_of_facts_not_known_yet():
    book = rulebook().in_force("uk-2017", date(2026, 11, 4))

    assert book["M-TI-02"].says() == "Step above 20 mg."
    assert book["M-MX-02"].says() == "QTc [qtc ms] ms. Do not start or increase."
