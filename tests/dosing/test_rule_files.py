"""What is read from the rule files, what is refused, and which version is in force on which day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from dosing.rulebook import (
    FaultyRulebook,
    Rule,
    Rulebook,
    RuleVersion,
    as_json_value,
    limit_words,
    load_rulebook,
)

WRITTEN = {
    "sources.toml": """
        [[source]]
        id = "S1"
        title = "One"
        seen = "in full"
        url = "https://example.org/one"
        [[source]]
        id = "D"
        title = "Our own"
        seen = "in full"
    """,
    "rule_sets.toml": """
        [[rule_set]]
        set = "old"
        version = "3"
        earlier = ["1", "2"]
        [[rule_set]]
        set = "new"
        version = "1"
    """,
    "facts.toml": """
        review_by = 2027-11-01
        [[definition]]
        id = "shared"
        asks = "What?"
        unit = "days"
        [[definition.version]]
        sets = ["old"]
        source = "[D]"
        where = "nowhere else"
        confidence = "D"
    """,
    "mine.toml": """
        review_by = 2027-11-01
        [[rule]]
        id = "X-01"
        asks = "Too much?"
        unit = "mg"
        hazard = "H-001"
        tighter = { above_mg = "lower" }
        [[rule.version]]
        sets = ["old"]
        severity = "STOP"
        message = "Above {above_mg} mg after {taken}."
        source = "S1 [S], 2; S1 again"
        where = "2"
        confidence = "S2"
        from = 2003-01-01
        to = 2008-12-31
        review_by = 2028-01-01
        checked_by = "Somebody"
        checked_on = 2026-12-01
        [rule.version.limits]
        above_mg = 40
        share = 0.5
        listed = ["a", 1]
        yes = true
        [[rule.version]]
        sets = ["old"]
        severity = "ALERT"
        message = "Later."
        source = "S1"
        where = "3"
        confidence = "M"
        from = 2009-01-01
        added = "2"
        dropped = "3"
    """,
    "other.toml": """
        review_by = 2027-11-01
        [[rule]]
        id = "X-02"
        asks = "Anything?"
        unit = "days"
        [[rule.version]]
        sets = ["old", "new"]
        severity = "INFO"
        message = "Yes."
        source = "S1"
        where = "4"
        confidence = "S"
    """,
}


def load(folder: Path, **changed: tuple[str, str]) -> Rulebook:
    """The book of these files, with one text in place of another in some of them."""
    for name, written in WRITTEN.items():
        was, becomes = changed.get(name.removesuffix(".toml"), ("", ""))
        assert was in written
        (folder / name).write_text(written.replace(was, becomes, 1), "utf-8")
    return load_rulebook(folder, ["mine", "other"])


def test_everything_written_is_read_exactly(tmp_path):
    book = load(tmp_path)

    first, later = book.rules["X-01"].versions
    assert book.rules["X-01"].tighter == {"above_mg": "lower"}
    assert (book.rules["X-01"].asks, book.rules["X-01"].hazard) == ("Too much?", "H-001")
    assert (book.rules["X-02"].hazard, book.rules["X-02"].tighter) == ("", {})
    assert {id: rule.family for id, rule in book.rules.items()} == {"X-01": "mine", "X-02": "other"}
    assert first == RuleVersion(
        rule="X-01", set="old", unit="mg", source="S1 [S], 2; S1 again", sources=("S1",),
        where="2", confidence="S2", review_by=date(2028, 1, 1), severity="STOP",
        limits={
            "above_mg": Decimal(40), "share": Decimal("0.5"), "listed": ("a", Decimal(1)),
            "yes": True,
        },
        message="Above {above_mg} mg after {taken}.", first_on=date(2003, 1, 1),
        last_on=date(2008, 12, 31), checked_by="Somebody", checked_on=date(2026, 12, 1),
    )  # fmt: skip
    assert type(first.limits["above_mg"]) is type(first.limits["listed"][1]) is Decimal
    assert first.limits["yes"] is True and first.signed
    assert (later.added, later.dropped, later.limits) == ("2", "3", {})
    assert later.review_by == date(2027, 11, 1) and not later.signed
    (shared,) = book.definitions["shared"].versions
    assert (shared.severity, shared.message, shared.sources) == (None, "", ("D",))
    assert book.set_versions == {"old": "3", "new": "1"}
    assert book.editions == {"old": ("1", "2", "3"), "new": ("1",)}


@pytest.mark.parametrize(
    ("file", "was", "becomes", "says"),
    [
        ("sources", 'id = "D"', 'id = "S1"', "written twice"),
        ("sources", "https:", "http:", "https"),
        ("sources", 'seen = "in full"', 'seen = "in full"\nisbn = "0"', "source S1"),
        ("sources", "title", "name", "source S1"),
        ("mine", 'source = "S1"', 'source = ""', "sources that are listed"),
        ("mine", 'source = "S1"', 'source = "S1, S9"', "sources that are listed"),
        ("mine", 'source = "S1"', 'source = "[M]"', "sources that are listed"),
        ("mine", 'unit = "mg"', 'unit = ""', "needs a unit"),
        ("mine", 'where = "3"', 'where = ""', "sources that are listed"),
        ("mine", 'where = "3"', "", "lacks 'where'"),
        ("mine", 'id = "X-01"', "", "lacks 'id'"),
        ("mine", 'severity = "ALERT"', 'severity = "WARN"', "no severity"),
        ("mine", 'severity = "ALERT"', "", "lacks 'severity'"),
        ("mine", 'message = "Later."', "", "lacks 'message'"),
        ("mine", 'confidence = "M"', 'confidence = "S3"', "no confidence"),
        ("mine", 'sets = ["old"]', 'sets = ["older"]', "no rule set"),
        ("mine", 'added = "2"', 'added = "4"', "no edition of old"),
        ("mine", 'dropped = "3"', 'dropped = "4"', "no edition of old"),
        ("other", 'confidence = "S"', 'confidence = "S"\nadded = "2"', "no edition of new"),
        ("mine", "tighter = { above_mg", "tighter = { above", "not among its limits"),
        ("other", 'id = "X-02"', 'id = "X-01"', "written twice"),
    ],
)
def test_what_cannot_be_relied_on_is_refused(tmp_path, file, was, becomes, says):
    with pytest.raises(FaultyRulebook, match=says):
        load(tmp_path, **{file: (was, becomes)})


@pytest.mark.parametrize(
    ("was", "becomes", "shared"),
    [
        ("to = 2008-12-31", "to = 2008-12-31", False),
        ("to = 2008-12-31", "to = 2009-01-01", True),
        ("to = 2008-12-31", "to = 2030-01-01", True),
        ("to = 2008-12-31", "", True),
        ("from = 2003-01-01", "", False),
        ("from = 2003-01-01\n        to = 2008-12-31", "", True),
        ("from = 2009-01-01", "from = 2008-12-31", True),
        ("from = 2009-01-01", "from = 2000-01-01\n        to = 2003-01-01", True),
        ("from = 2009-01-01", "from = 2000-01-01\n        to = 2002-12-31", False),
        ("from = 2009-01-01", "to = 2002-12-31", False),
        ("from = 2009-01-01", "to = 2003-01-01", True),
        ("from = 2009-01-01", "from = 2004-01-01\n        to = 2005-01-01", True),
    ],
)
def test_two_versions_of_one_set_never_share_a_day(tmp_path, was, becomes, shared):
    if shared:
        with pytest.raises(FaultyRulebook, match="two versions of old share a day"):
            load(tmp_path, mine=(was, becomes))
    else:
        load(tmp_path, mine=(was, becomes))


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('dropped = "3"', 'dropped = "3"\n        to = 2030-01-01'),
        ('from = 2009-01-01\n        added = "2"', 'added = "3"'),
    ],
)
def test_versions_that_no_edition_has_together_may_share_days(tmp_path, was, becomes):
    apart = WRITTEN["mine.toml"].replace('        dropped = "3"', "")
    apart = apart.replace("to = 2008-12-31", 'dropped = "2"').replace(was, becomes)

    for name, written in {**WRITTEN, "mine.toml": apart}.items():
        (tmp_path / name).write_text(written, "utf-8")

    assert len(load_rulebook(tmp_path, ["mine"]).rules["X-01"].versions) == 2


def test_versions_of_two_sets_may_share_days(tmp_path):
    later = 'sets = ["old"]\n        severity = "ALERT"'
    added = 'from = 2009-01-01\n        added = "2"\n        dropped = "3"'
    both = WRITTEN["mine.toml"].replace(later, later.replace("old", "new")).replace(added, "")

    for name, written in {**WRITTEN, "mine.toml": both}.items():
        (tmp_path / name).write_text(written, "utf-8")

    assert len(load_rulebook(tmp_path, ["mine"]).rules["X-01"].versions) == 2


def test_a_version_may_have_been_added_by_the_only_edition_of_a_set(tmp_path):
    book = load(tmp_path, other=('confidence = "S"', 'confidence = "S"\nadded = "1"'))

    assert "X-02" in book.in_force("new", date(2026, 1, 1))


# -- which version is in force ------------------------------------------------------------------


def a_version(where: str, rule: str = "X-01", **changes) -> RuleVersion:
    given = {
        "set": "old", "unit": "mg", "source": "S1", "sources": ("S1",), "confidence": "S",
        "limits": {"above_mg": Decimal(40)}, "review_by": date(2027, 11, 1), "severity": "STOP",
    }  # fmt: skip
    return RuleVersion(**{**given, "rule": rule, "where": where, **changes})


def a_book(*versions: RuleVersion) -> Rulebook:
    held = {
        rule: Rule(rule, "What?", "", "mine", {}, tuple(v for v in versions if v.rule == rule))
        for rule in dict.fromkeys(each.rule for each in versions)
    }
    editions = {"old": ("1", "2", "3"), "new": ("1",)}
    return Rulebook(held, held, {}, {"old": "3", "new": "1"}, editions)


def test_each_version_is_in_force_from_its_first_day_to_its_last_and_in_its_set():
    first, last = date(2009, 3, 1), date(2009, 3, 31)
    book = a_book(
        a_version("open", rule="X-09"),
        a_version("until", last_on=first - timedelta(days=1)),
        a_version("during", first_on=first, last_on=last),
        a_version("one day", first_on=date(2009, 5, 1), last_on=date(2009, 5, 1)),
        a_version("since", first_on=date(2009, 6, 1)),
        a_version("of the other set", set="new"),
    )

    def on(day: date, rule_set: str = "old") -> list[str]:
        assert book.in_force(rule_set, day) == book.defined(rule_set, day)
        return [each.where for each in book.in_force(rule_set, day).values()]

    assert on(date.min) == on(date(2009, 2, 28)) == ["until", "open"], "in the order of their ids"
    assert on(first) == on(date(2009, 3, 15)) == on(last) == ["during", "open"]
    assert on(date(2009, 4, 1)) == on(date(2009, 4, 30)) == ["open"]
    assert on(date(2009, 5, 1)) == ["one day", "open"]
    assert on(date(2009, 5, 2)) == on(date(2009, 5, 31)) == ["open"]
    assert on(date(2009, 6, 1)) == on(date.max) == ["since", "open"]
    assert on(date.min, "new") == on(date.max, "new") == ["of the other set"]


@pytest.mark.parametrize(
    ("edition", "stand"),
    [
        ("1", ["always", "until 2", "until 3"]),
        ("2", ["always", "only 2", "since 2", "until 3"]),
        ("3", ["always", "since 2", "since 3"]),
    ],
)
def test_an_edition_has_what_was_added_by_then_and_not_yet_dropped(edition, stand):
    book = a_book(
        a_version("always", rule="X-01"),
        a_version("only 2", rule="X-02", added="2", dropped="3"),
        a_version("since 2", rule="X-03", added="2"),
        a_version("since 3", rule="X-04", added="3"),
        a_version("until 2", rule="X-05", dropped="2"),
        a_version("until 3", rule="X-06", dropped="3"),
    )

    found = book.as_of("old", edition)

    assert [each.where for each in found.in_force("old", date(2026, 1, 1)).values()] == stand
    assert found.set_versions == {"old": edition, "new": "1"}


def test_only_the_adjusted_version_of_a_rule_is_replaced():
    was = [
        a_version("one", last_on=date(2008, 12, 31)),
        a_version("two", first_on=date(2009, 1, 1)),
        a_version("three", first_on=date(2009, 1, 1), added="3"),
        a_version("four", set="new", first_on=date(2009, 1, 1)),
    ]

    book = a_book(*was).with_versions([replace(was[1], where="changed")])

    found = [each.where for each in book.rules["X-01"].versions]
    assert found == ["one", "changed", "three", "four"]


# -- what a version says -----------------------------------------------------------------------


def test_a_finding_is_as_severe_as_its_version_unless_the_reasoning_says_otherwise():
    version = a_version("1", message="Above {above_mg} mg after {taken}, {who}.")

    found = version.finding(taken=Decimal("20.0"), who=["a", "b"])

    assert found.as_json() == {
        "rule": "X-01", "severity": "STOP", "message": "Above 40 mg after 20, a, b.",
        "source": "S1", "facts": {"taken": "20", "who": ["a", "b"]},
    }  # fmt: skip
    assert version.finding(severity="INFO", taken=1, who=2).severity == "INFO"
    assert version.says() == "Above 40 mg after [taken], [who]."


def test_what_a_site_moved_is_told_and_nothing_else():
    shipped = a_version("1", limits={"above_mg": Decimal(40), "days": Decimal(3)}, message="High.")
    here = replace(shipped, limits={"above_mg": Decimal(30), "days": Decimal(3)}, shipped=shipped)

    found = here.finding()

    assert found.message == "High. This site's tighter limit: above 30 mg, as shipped 40."
    assert found.facts["site_limits"] == [{"limit": "above_mg", "here": "30", "shipped": "40"}]
    assert shipped.finding().message == "High." and shipped.moved() == []


def test_signed_is_by_somebody_on_a_day():
    on = date(2026, 12, 1)

    assert a_version("1", checked_by="A", checked_on=on).signed
    assert not a_version("1", checked_by="A").signed
    assert not a_version("1", checked_on=on).signed


def test_a_signature_stays_good_until_what_is_signed_changes():
    version = a_version(
        "1", limits={"above_mg": Decimal(40), "words": ("a",)}, message="High.",
        first_on=date(2009, 1, 1), last_on=date(2009, 12, 31),
    )  # fmt: skip
    other_order = replace(version, limits=dict(reversed(version.limits.items())))

    given_years_ago = "43e1795a8bec05ef32007420e033827731409e1d66169915b4ddbb4012b656b5"

    assert version.fingerprint("Much?") == other_order.fingerprint("Much?") == given_years_ago


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (Decimal("1.50"), "1.5"), (timedelta(hours=1, minutes=30), "1.5"),
        (timedelta(days=2, minutes=20), "48.33"), (date(2026, 11, 4), "2026-11-04"),
        (time(9, 30), "09:30:00"), (datetime(2026, 11, 4, 9, tzinfo=UTC), "2026-11-04T09:00:00+00:00"),
        ((Decimal(1), "a"), ["1", "a"]), ([date(2026, 11, 4)], ["2026-11-04"]),
        ({"a": {"b": Decimal(1)}}, {"a": {"b": "1"}}), ("text", "text"), (True, True), (3, 3),
        (None, None),
    ],
)  # fmt: skip
def test_a_value_is_told_in_json(value, json):
    assert as_json_value(value) == json and type(as_json_value(value)) is type(json)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("above_mg", "above 5 mg"), ("above_mg_per_ml", "above 5 mg/ml"),
        ("under_hours", "under 5 hours"), ("last_minutes", "last 5 minutes"),
        ("fewer_than_days", "fewer than 5 days"), ("under_years", "under 5 years"),
        ("above_ms", "above 5 ms"), ("from_micrograms", "from 5 micrograms"),
        ("day_1_mg", "day 1: 5 mg"), ("cows_below", "cows below 5"),
    ],
)  # fmt: skip
def test_a_limit_is_named_with_its_unit(name, words):
    assert limit_words(name, 5) == words
