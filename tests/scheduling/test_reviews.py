"""For which days is a review good? Day 1 of the episode is its first dose."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from scheduling.reviews import BUILD_UP_DAYS, MOST_DAYS, counts_until

ON = date(2026, 11, 4)
LATER = ON + timedelta(days=9)


@pytest.mark.parametrize("day", [None, 1, BUILD_UP_DAYS - 1, BUILD_UP_DAYS])
def test_in_build_up_a_review_is_good_for_its_own_day_only(day):
    assert counts_until(ON, LATER, day, broken=False) == ON


def test_the_day_after_build_up_a_review_is_good_until_the_next_is_due():
    assert counts_until(ON, LATER, BUILD_UP_DAYS + 1, broken=False) == LATER


def test_missed_doses_that_wait_for_the_prescriber_end_the_longer_span():
    assert counts_until(ON, LATER, BUILD_UP_DAYS + 1, broken=True) == ON


@pytest.mark.parametrize(("ahead", "good_for"), [(-1, -1), (0, 0), (1, 0)])
def test_no_review_is_good_for_longer_than_the_rule_allows(ahead, good_for):
    next_on = ON + timedelta(days=MOST_DAYS + ahead)

    assert counts_until(ON, next_on, 90, broken=False) == ON + timedelta(days=MOST_DAYS + good_for)


def test_without_a_next_review_a_review_is_good_for_its_own_day_only():
    assert counts_until(ON, None, 90, broken=False) == ON
