"""Numerator, denominator and who is in neither: the counting of measures."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from scheduling.custody_rules import ITEMS
from scheduling.measures import (
    ENDED,
    IN_TIME,
    LATE,
    MEASURES,
    RUNNING,
    SMALL,
    Case,
    count,
    in_period,
)
from scheduling.prescribing_models import RULES

DUE = date(2026, 11, 10)
A_DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("done_on", "ended_on", "today", "stands"),
    [
        (DUE - A_DAY, None, DUE, IN_TIME),
        (DUE, None, DUE, IN_TIME),
        (DUE + A_DAY, None, DUE + A_DAY, LATE),
        (None, None, DUE, RUNNING),
        (None, None, DUE + A_DAY, LATE),
        (None, DUE, DUE + A_DAY, ENDED),
        (None, DUE + A_DAY, DUE + 2 * A_DAY, LATE),
    ],
)
def test_a_case_is_in_time_on_its_last_day_and_late_the_day_after(done_on, ended_on, today, stands):
    assert Case("referral-1", 1, DUE, done_on, ended_on).stands(today) == stands


def test_done_on_the_last_day_after_its_hour_is_late():
    assert Case("stay-1-once", 1, DUE, DUE, done_late_that_day=True).stands(DUE) == LATE


@pytest.mark.proves("KPI-11")
def test_only_those_whose_time_was_up_are_counted_and_one_makes_a_small_number():
    cases = [
        Case("a", 1, DUE, DUE), Case("b", 2, DUE, DUE + A_DAY), Case("c", 3, DUE),
        Case("d", 4, DUE, None, DUE - A_DAY), Case("e", 5, DUE + 9 * A_DAY),
    ]  # fmt: skip

    found = count(cases, DUE + A_DAY)

    assert (found.numerator, found.denominator, found.shortfall) == (1, 3, 2)
    assert (found.running, found.ended, found.percent) == (1, 1, 33)
    assert count(cases[:1] * (SMALL - 1), DUE).small
    assert not count(cases[:1] * SMALL, DUE).small
    assert count([], DUE).percent is None


def test_a_case_is_in_the_period_its_time_was_up_in():
    cases = [Case(str(each), 1, DUE + each * A_DAY) for each in range(-1, 3)]

    assert [each.due_on for each in in_period(cases, DUE, DUE + A_DAY)] == [DUE, DUE + A_DAY]


def test_every_measure_rests_on_a_duty_or_a_target_that_there_is():
    items = {each.key for each in ITEMS}
    targets = {each["name"] for rule in RULES.values() for each in rule.get("target", ())}

    assert {item for each in MEASURES.values() for item in each.items} <= items
    assert {each.target for each in MEASURES.values() if each.target} == targets
