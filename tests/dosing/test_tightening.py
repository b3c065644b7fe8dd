"""A site makes limits stricter, never looser, and what it entered is said in the finding."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from dosing.check import check, find, rulebook, site_rulebook
from dosing.examples import a_request
from dosing.facts import Facts, derive
from dosing.reading import read_request
from dosing.rulebook import SEVERITIES
from dosing.tightening import LOWER, NotTighter, SiteLimit, must_be_tighter, tightened
from tests.support.known import known_facts

ON = date(2026, 11, 4)
MOVABLE = sorted(
    (rule.id, version.set, limit)
    for rule in rulebook().rules.values()
    for version in rule.versions
    for limit in rule.tighter
    if limit in version.limits
)
# Numbers that are no limit to tighten, and why. By name where the reason is the same everywhere.
NAMES = {
    "up_to_mg": "the band's other end, where a graver rule takes over",
    "up_to_days": "the band's other end, where a graver rule takes over",
    "below_mg": "the band's other end, or a floor that would speak for more medicine",
    "below_ms": "the band's other end, where a graver rule takes over",
    "below_micrograms": "the band's other end, where a graver rule takes over",
    "above_micrograms": "nothing lies below none",
    "over_by_up_to_mg": "the band's other end, where a graver rule takes over",
    "from_hours": "the band's beginning: a graver rule speaks before it",
    "from_years": "the band's beginning: a graver rule speaks before it",
    "first_day": "the days before have rules of their own",
    "day": "the day the rule is about",
    "days_ago": "the span the rise is measured over: a longer one may show less",
    "experience_above_mg": "where M-MX-06 takes over",
}
SINGLY = {
    ("G-DT-02", "cows_from"): "moved with G-DT-01, which would stop more",
    ("G-DT-04", "cows_from"): "moved with G-DT-03, which would stop more",
    ("M-MD-01", "from_days"): "information about a missed day",
    ("B-MD-01", "from_days"): "information about a missed day",
    ("L-12", "above_days"): "one day is the least",
}


STEADY = "treatment_history.steady_doses"
DOSES = "treatment_history.doses"
# Just past a limit of days, where the worked examples stop short.
MORE: list[tuple[str, dict[str, Any]]] = [
    ("day_10", {"order.dose_mg": "55", "observations.0.at": "@-1441m"}),
    (
        "day_10",
        {
            f"{DOSES}.0.consumed_at": "@D-15 10:00", f"{STEADY}.0.from_on": "@D-14",
            "observations.0.breath_alcohol_micrograms_per_100ml": "20",
        },
    ),
    (
        "maintained",
        {
            "order.dose_mg": "85", f"{STEADY}.0.to_on": "@D-5", f"{STEADY}.1.from_on": "@D-3",
        },
    ),
    *(
        (
            "prison_start",
            {
                "order.phase": phase, "prison.received_at": f"@D-{day - 1} 16:00",
                DOSES: [
                    {
                        "product": "methadone_oral_solution", "dose_mg": "10",
                        "consumed_at": f"@D-{day - 1} 18:00",
                    }
                ],
            },
        )
        for day in (2, 3, 4, 5)
        for phase in ("induction", "continuation")
    ),
]  # fmt: skip


@cache
def known(rule_set: str) -> list[Facts]:
    """The facts of every worked example of a set, whichever rule it was written for, and a few more."""
    out = [facts for _, facts in known_facts(rule_set)]
    for base, changes in MORE:
        request = read_request(a_request(base, rule_set, **changes))
        out.append(derive(request, rulebook().defined(rule_set, request.on)))
    return out


@cache
def as_shipped(rule: str, rule_set: str) -> list[str | None]:
    """The severity with which the shipped rule speaks on each of the known facts."""
    found = (find(rule, facts, rulebook()) for facts in known(rule_set))
    return [finding and finding.severity for finding in found]


def tighter_values(rule: str, rule_set: str, limit: str) -> list[SiteLimit]:
    """A little stricter, and nearly as strict as a site may go."""
    shipped = next(
        v.limits[limit]
        for v in rulebook().rules[rule].versions
        if v.set == rule_set and limit in v.limits
    )
    lower = rulebook().rules[rule].tighter[limit] == LOWER
    step = Decimal(1) if shipped > 1 else Decimal("0.1")
    values = (
        (shipped - step, shipped // 5 or shipped / 5) if lower else (shipped + step, shipped * 5)
    )
    return [SiteLimit(rule, limit, value) for value in values]


def rank(severity: str | None) -> int:
    return len(SEVERITIES) if severity is None else SEVERITIES.index(severity)


def test_every_number_of_a_rule_can_be_tightened_or_has_a_reason_why_not():
    unexplained = {
        (rule.id, name)
        for rule in rulebook().rules.values()
        for version in rule.versions
        for name, value in version.limits.items()
        if isinstance(value, Decimal)
        and name not in rule.tighter
        and name not in NAMES
        and (rule.id, name) not in SINGLY
    }

    assert unexplained == set()


@pytest.mark.parametrize(("rule", "rule_set", "limit"), MOVABLE)
def test_a_tighter_limit_speaks_where_the_shipped_one_is_silent_and_never_says_less(
    rule, rule_set, limit
):
    newly = []

    for each in tighter_values(rule, rule_set, limit):
        here = tightened(rulebook(), rule_set, [each])
        for facts, shipped in zip(known(rule_set), as_shipped(rule, rule_set), strict=True):
            now = find(rule, facts, here)
            assert rank(now and now.severity) <= rank(shipped)
            if now is not None and rank(now.severity) < rank(shipped):
                newly.append(now)

    assert newly, "no worked example shows that moving this limit does anything"
    assert all("This site's tighter limit" in each.message for each in newly)


def test_the_finding_states_the_limit_here_and_as_shipped():
    request = a_request("day_4", **{"order.dose_mg": "55"})
    here = (SiteLimit("M-TI-02", "above_mg", Decimal(12)),)

    as_shipped, at_site = check(request), check(request, here)

    assert as_shipped["outcome"] == "ALERT"
    assert at_site["outcome"] == "STOP"
    stop = at_site["findings"][0]
    assert stop["rule"] == "M-TI-02"
    assert stop["message"] == (
        "Step above 12 mg. This site's tighter limit: above 12 mg, as shipped 20."
    )
    assert stop["facts"]["limit_mg"] == "12"
    assert stop["facts"]["site_limits"] == [{"limit": "above_mg", "here": "12", "shipped": "20"}]


def test_one_set_is_tightened_and_the_other_is_not():
    here = (SiteLimit("M-TI-02", "above_mg", Decimal(12)),)
    book = site_rulebook("uk-2017", here)

    assert book.in_force("uk-2017", ON)["M-TI-02"].number("above_mg") == 12
    assert book.in_force("era-2003", ON)["M-TI-02"].number("above_mg") == 20


def test_the_strictest_of_several_counts_and_a_looser_one_changes_nothing():
    limits = [SiteLimit("M-TI-02", "above_mg", Decimal(n)) for n in (18, 13, 30)]

    assert tightened(rulebook(), "uk-2017", limits).in_force("uk-2017", ON)["M-TI-02"].number(
        "above_mg"
    ) == Decimal(13)
    assert tightened(rulebook(), "uk-2017", limits[2:]) is rulebook()


def test_a_shipped_limit_that_became_stricter_than_the_sites_counts_as_shipped():
    shipped = rulebook().in_force("uk-2017", ON)["M-TI-02"]
    update = rulebook().with_versions(
        [replace(shipped, limits={**shipped.limits, "above_mg": Decimal(10)})]
    )

    version = tightened(update, "uk-2017", [SiteLimit("M-TI-02", "above_mg", Decimal(12))])

    assert version is update


def test_a_limit_the_rules_do_not_have_or_no_site_may_move_is_passed_over():
    for rule, limit in (
        ("M-XX-99", "above_mg"), ("M-TI-02", "old"), ("M-MX-07", "experience_above_mg"),
        ("G-DT-01", "cows_below"),
    ):  # fmt: skip
        here = [SiteLimit(rule, limit, Decimal(1))]
        assert tightened(rulebook(), "uk-2017", here) is rulebook()


@pytest.mark.parametrize(
    ("rule", "limit", "value", "field", "says"),
    [
        ("M-TI-02", "above_mg", "20", "value", "less than as shipped"),
        ("M-TI-02", "above_mg", "20.001", "value", "less than as shipped"),
        ("M-TI-02", "above_mg", "2", "value", "check the unit"),
        ("M-D1-01", "under_hours", "2.5", "value", "more than as shipped"),
        ("M-D1-01", "under_hours", "30", "value", "check the unit"),
        ("M-TI-08", "within_days", "4.5", "value", "whole number"),
        ("M-TI-02", "first_day", "1", "limit", "one of: above_mg"),
        ("M-TI-10", "above_mg", "1", "limit", "nothing"),
        ("G-DT-01", "cows_below", "15", "limit", "nothing"),
        ("M-XX-99", "above_mg", "1", "rule", "a rule of uk-2017"),
        ("G-DT-02", "cows_from", "15", "rule", "a rule of uk-2017"),
    ],
)
def test_loosening_slips_and_unknown_limits_are_refused(rule, limit, value, field, says):
    with pytest.raises(NotTighter, match=says) as refused:
        must_be_tighter(rulebook(), "uk-2017", SiteLimit(rule, limit, Decimal(value)), ON)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("rule", "limit", "value"),
    [
        ("M-TI-02", "above_mg", "19.999"), ("M-TI-02", "above_mg", "2.1"),
        ("M-D1-01", "under_hours", "3.5"), ("U-03", "above_mg_per_ml", "0.5"),
        ("M-TI-05", "fewer_than_days", "4"), ("M-MD-03", "share_of_last", "0.4"),
    ],
)  # fmt: skip
def test_a_tighter_value_is_accepted(rule, limit, value):
    must_be_tighter(rulebook(), "uk-2017", SiteLimit(rule, limit, Decimal(value)), ON)


def test_more_prison_days_watched_leave_a_new_start_with_nothing_taken_since_to_watch():
    again = a_request(
        "prison_day_3",
        **{
            "prison.received_at": "@D-8 16:00",
            "order.phase": "re_induction",
            "treatment_history.doses.0.consumed_at": "@D-8 18:00",
            "treatment_history.doses.1.consumed_at": "@D-7 10:00",
        },
    )
    here = (SiteLimit("P-07", "last_day", Decimal(10)),)

    assert "P-07" not in {each["rule"] for each in check(again, here)["findings"]}


def test_a_tighter_high_dose_speaks_to_the_inexperienced_too():
    request = a_request(
        "maintained",
        **{"order.dose_mg": "110", "patient.ecgs": [{"recorded_on": "@D", "qtc_ms": 420}]},
    )
    here = (SiteLimit("M-MX-07", "above_mg", Decimal(100)),)

    assert "M-MX-07" in {each["rule"] for each in check(request, here)["findings"]}
    assert "M-MX-07" not in {each["rule"] for each in check(request)["findings"]}
