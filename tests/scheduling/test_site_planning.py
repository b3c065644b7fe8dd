"""What a prison's own figures come to: people at once, keyworkers, group seats, what would change."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from scheduling.site_planning import Figures, outlook

STEADY = Figures(
    received=[14] * 12, stayed=[28] * 20, suited=10, asked=10, beyond=0, keyworkers=3, ceiling=25,
    seats=Fraction(84), could=120,
)  # fmt: skip


@pytest.mark.proves("SP-01", "SP-02")
def test_receptions_a_day_times_days_stayed_are_inside_at_once() -> None:
    found = outlook(STEADY)

    assert (found.unknown, found.days, found.group_days) == (None, 28, 21)
    assert found.usual == found.busy
    # 14 a week for four weeks; 42 of them past day 7, each at two groups a week.
    assert found.usual is not None
    assert (found.usual.inside, found.usual.keyworkers) == (56, 3)
    assert (found.usual.seats, found.usual.sessions) == (84, 7)
    assert list(found.changes) == ["Nothing: it is enough."]
    assert (found.keyworkers_most, found.seats_most) == (18, 14)

    halved = outlook(replace(STEADY, stayed=[7] * 10 + [21] * 10))
    assert (halved.days, halved.group_days) == (14, 7)
    assert halved.usual is not None
    assert (halved.usual.inside, halved.usual.seats) == (28, 28)
    one_to_one = outlook(replace(STEADY, suited=5))
    assert one_to_one.usual is not None
    assert one_to_one.usual.seats == 42


@pytest.mark.proves("SP-01")
def test_with_too_few_weeks_or_stays_nothing_is_expected() -> None:
    for few in (replace(STEADY, received=[14] * 3), replace(STEADY, stayed=[28] * 9)):
        assert (outlook(few).usual, outlook(few).changes) == (None, ())
        assert "Too little is known" in (outlook(few).unknown or "")
    for enough in (replace(STEADY, received=[14] * 4), replace(STEADY, stayed=[28] * 10)):
        assert outlook(enough).unknown is None


@pytest.mark.proves("SP-03", "SP-04")
def test_the_busiest_four_weeks_in_a_row_say_what_would_have_to_change() -> None:
    received = [7, 21, 21, 21, 21, 7, 7, 7, 7, 7, 7, 7]

    found = outlook(replace(STEADY, received=received, beyond=30, could=96))

    assert found.busy is not None
    assert found.busy.receptions == 21
    assert (found.busy.inside, found.busy.keyworkers, found.busy.seats) == (84, 5, 126)
    assert list(found.changes) == [
        "2 more keyworkers, or no more than 11 receptions a week.",
        "4 more group sessions a week, or no more than 14 receptions a week.",
        "The rooms and half-days there are hold 96 seats a week: 3 more half-days of a room a week.",
    ]


@pytest.mark.proves("SP-04")
def test_where_nobody_could_be_received_only_more_of_it_is_said() -> None:
    found = outlook(replace(STEADY, keyworkers=0, seats=0))

    assert all("no more than" not in each for each in found.changes)
    assert "more keyworker" in found.changes[0]


@given(
    some.lists(some.integers(0, 40), min_size=4, max_size=12),
    some.lists(some.integers(1, 28), min_size=10, max_size=30),
    some.integers(0, 60), some.integers(1, 10),
)  # fmt: skip
def test_what_there_is_does_for_as_many_receptions_as_is_said(received, stayed, beyond, workers):
    figures = replace(STEADY, received=received, stayed=stayed, beyond=beyond, keyworkers=workers)
    most = outlook(figures)
    assert most.keyworkers_most is not None

    if most.keyworkers_most and workers * 25 >= beyond:
        just = outlook(replace(figures, received=[most.keyworkers_most] * 4)).busy
        assert just is not None
        assert just.keyworkers <= workers
    if most.seats_most is not None:
        filled = outlook(replace(figures, received=[most.seats_most] * 4)).busy
        assert filled is not None
        assert filled.seats <= figures.seats
