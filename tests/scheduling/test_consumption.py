"""The ladder of missed days, and who on the board is missing most."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scheduling.consumption
from dosing.interlock import MissedLimits
from scheduling.consumption import STEPS, ladder, step_for, urgency

LIMITS = MissedLimits(prescriber_from=3, new_episode_from=5)
WED = date(2026, 11, 4)


def missed(days: int, closed=()):
    return ladder(WED - timedelta(days=days + 1), WED, LIMITS, closed)


@pytest.mark.proves("RP-39", "M-MD-01", "M-MD-02", "M-MD-04")
@pytest.mark.parametrize(
    ("days", "step", "locked"),
    [
        (0, None, False), (1, "MS-01", False), (2, "MS-02", False), (3, "MS-03", True),
        (4, "MS-03", True), (5, "MS-04", True), (40, "MS-04", True),
    ],
)  # fmt: skip
def test_each_missed_day_climbs_the_ladder(days, step, locked):
    found = missed(days)

    assert (found.step and found.step.id, found.locked) == (step, locked)
    assert found.missed_days == days


def test_the_lock_follows_the_dose_rules_own_numbers():
    stricter = MissedLimits(prescriber_from=2, new_episode_from=4)

    assert [step_for(days, stricter).id for days in (1, 2, 4)] == ["MS-01", "MS-03", "MS-04"]


@given(st.integers(0, 60))
def test_one_more_missed_day_never_lowers_the_step(days):
    def height(n):
        step = step_for(n, LIMITS)
        return -1 if step is None else STEPS.index(step)

    assert height(days) <= height(days + 1)


def test_today_is_never_missed_and_nobody_misses_before_the_first_dose():
    assert ladder(None, WED, LIMITS).missed_days == 0
    assert ladder(WED, WED, LIMITS).missed_days == 0
    assert ladder(WED - timedelta(days=1), WED, LIMITS).missed_days == 0
    assert ladder(WED + timedelta(days=9), WED, LIMITS).missed_days == 0, "a depot still covers"


def test_a_closed_day_without_supply_is_a_gap_of_the_services_and_counts():
    sunday, elsewhere = WED - timedelta(days=3), WED - timedelta(days=20)

    found = missed(3, {sunday, elsewhere})

    assert found.gaps == (sunday,)
    assert found.missed_days == 3 and found.locked


def test_the_most_missed_come_first_then_induction_then_risk():
    nobody = urgency(0, 40, 0)
    in_order = [
        urgency(4, 40, 0), urgency(3, 14, 0), urgency(3, 15, 2), urgency(3, 15, 0),
        urgency(0, None, 1), urgency(0, 1, 0), urgency(0, 40, 1), nobody,
    ]  # fmt: skip

    from_the_end = list(reversed(in_order))
    from_the_end.sort()
    assert from_the_end == in_order


def test_every_step_has_a_source_a_mark_and_words():
    path = Path(scheduling.consumption.__file__).with_suffix(".toml")
    table = tomllib.loads(path.read_text("utf-8"))
    sources = {row["id"] for row in table["source"]}

    assert table["review_by"]
    for row in [*table["step"], *table["rule"]]:
        assert (
            row["source"] in sources and row["where"] and row["confidence"] in {"S", "S2", "M", "D"}
        )
    for row in table["step"]:
        assert row["says"].endswith(".") and ("from_days" in row) != ("from_limit" in row)
