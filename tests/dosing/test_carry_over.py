"""The band of earlier doses still present: exact halves, slow never below fast, more never less."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosing.carry_over import (
    FAST_HOURS,
    PARAMETERS,
    SLOW_HOURS,
    Swallowed,
    band,
    carried,
    has_parameters,
)
from dosing.check import rulebook

AT = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
amounts = st.decimals("0.1", "150", places=1)
hours_ago = st.integers(1, 400)
histories = st.lists(st.tuples(hours_ago, amounts), max_size=12)


def doses(history):
    return [Swallowed(AT - timedelta(hours=hours), mg) for hours, mg in history]


@pytest.mark.parametrize(("lives", "left"), [(0, None), (1, "20"), (2, "10"), (3, "5")])
def test_a_dose_halves_with_each_half_life(lives, left):
    fast = carried([Swallowed(AT, Decimal(40))], AT + lives * timedelta(hours=int(FAST_HOURS)))
    slow = carried([Swallowed(AT, Decimal(40))], AT + lives * timedelta(hours=int(SLOW_HOURS)))

    # A dose at the very moment is not an earlier one.
    assert fast.fast_mg == slow.slow_mg == Decimal(left or 0)


def test_time_is_counted_to_the_part_of_a_second():
    later = timedelta(hours=20, microseconds=500_000)

    found = carried([Swallowed(AT, Decimal(40))], AT + later).fast_mg

    exact = Decimal(40) * Decimal("0.5") ** (Decimal("72000.5") / 72000)
    assert abs(found - exact) < Decimal("1e-9")


def test_the_half_lives_are_the_sources_and_no_other_medicine_has_one():
    assert (Decimal(20), Decimal(37)) == (FAST_HOURS, SLOW_HOURS)
    assert has_parameters("methadone") and not has_parameters("buprenorphine")
    for name, each in PARAMETERS.items():
        assert each["source"] in rulebook().sources, name
        assert each["unit"] and each["where"] and each["confidence"] in ("S", "S2", "M", "D")


@pytest.mark.proves("CO-02")
def test_after_the_window_less_than_a_twentieth_of_a_dose_is_left():
    window = timedelta(days=PARAMETERS["CO-02"]["window"])

    assert carried([Swallowed(AT, Decimal(100))], AT + window).slow_mg < 5


@given(histories)
def test_slow_clearance_never_leaves_less_than_fast(history):
    found = carried(doses(history), AT)

    assert found.slow_mg >= found.fast_mg >= 0


@given(histories, hours_ago, amounts)
def test_another_dose_never_leaves_less(history, hours, mg):
    before = carried(doses(history), AT)
    after = carried(doses([*history, (hours, mg)]), AT)

    assert after.fast_mg >= before.fast_mg and after.slow_mg >= before.slow_mg


@given(histories, st.integers(0, 11), amounts)
def test_a_larger_dose_never_leaves_less(history, place, more):
    larger = [
        (hours, mg + more if number == place else mg) for number, (hours, mg) in enumerate(history)
    ]
    before, after = carried(doses(history), AT), carried(doses(larger), AT)

    assert after.fast_mg >= before.fast_mg and after.slow_mg >= before.slow_mg


@given(histories)
def test_what_is_left_is_never_more_than_what_was_swallowed(history):
    assert carried(doses(history), AT).slow_mg <= sum((mg for _, mg in history), Decimal(0))


@given(histories, st.integers(1, 100))
def test_with_no_new_dose_the_band_only_falls(history, later):
    now, then = band(doses(history), [AT, AT + timedelta(hours=later)])

    assert then.fast_mg <= now.fast_mg and then.slow_mg <= now.slow_mg
