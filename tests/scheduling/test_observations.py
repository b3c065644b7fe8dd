"""Rounds of observations over the clock changes, the watch, and whose task it is in which phase."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from dosing.days import at_london
from scheduling.observations import (
    LAST_OBSERVED,
    End,
    heightened,
    heightened_after,
    may_end,
    phase,
    rounds,
    tasks_of,
    told_at_once,
    watch,
)

AFTERNOON = datetime(2026, 11, 4, 14, 30, tzinfo=UTC)


@pytest.mark.proves("TT-25", "PS-33")
def test_two_rounds_a_day_to_day_7_and_what_nobody_saw_is_missed() -> None:
    seen = [AFTERNOON + timedelta(hours=3), datetime(2026, 11, 5, 13, 0, tzinfo=UTC)]
    now = datetime(2026, 11, 6, 9, 0, tzinfo=UTC)

    found = rounds(AFTERNOON, date(2026, 11, 4), seen, now)

    assert len(found) == 2 * LAST_OBSERVED - 1  # the morning before reception is none
    states = [(each.day, each.part, each.state) for each in found[:6]]
    assert states == [
        (1, "evening", "seen"),
        (2, "morning", "missed"),  # seen at 13:00 is the evening's
        (2, "evening", "seen"),
        (3, "morning", "open"),
        (3, "evening", "to_come"),
        (4, "morning", "to_come"),
    ]


@pytest.mark.proves("WO-01")
@pytest.mark.parametrize("on", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_round_is_a_part_of_a_london_day_whatever_its_length(on: date) -> None:
    found = rounds(
        at_london(on, AFTERNOON.time().replace(hour=0)), on, [], at_london(on, AFTERNOON.time())
    )

    assert (found[0].opens_at, found[1].closes_at) == (
        at_london(on, AFTERNOON.time().min), at_london(on + timedelta(days=1), AFTERNOON.time().min),
    )  # fmt: skip
    assert found[1].opens_at == at_london(on, AFTERNOON.time().replace(hour=13, minute=0))


def test_nothing_is_owed_for_a_round_somebody_left_in_or_before() -> None:
    left = datetime(2026, 11, 5, 10, 0, tzinfo=UTC)

    found = rounds(AFTERNOON, date(2026, 11, 4), [], left + timedelta(days=3), left)

    assert [(each.day, each.part, each.state) for each in found] == [(1, "evening", "missed")]


@pytest.mark.proves("WO-05")
def test_rounds_go_on_or_end_early_by_a_clinicians_day_and_never_before_today() -> None:
    day_1, now = date(2026, 11, 4), datetime(2026, 11, 12, 9, 0, tzinfo=UTC)

    until = date(2026, 11, 13)
    in_time = rounds(AFTERNOON, day_1, [], now, ends=[End(now - timedelta(days=3), until)])
    assert [(each.day, each.state) for each in in_time[-6:]] == [
        (8, "missed"), (8, "missed"), (9, "open"), (9, "to_come"), (10, "to_come"), (10, "to_come"),
    ]  # fmt: skip
    late = rounds(AFTERNOON, day_1, [], now, ends=[End(now, until)])
    assert [each.day for each in late[-5:]] == [7, 9, 9, 10, 10]  # nobody owed day 8
    shorter = [End(AFTERNOON, date(2026, 11, 6)), End(now, until)]
    assert [each.day for each in rounds(AFTERNOON, day_1, [], now, ends=shorter)] == [
        1, 2, 2, 3, 3, 9, 9, 10, 10
    ]  # fmt: skip
    assert may_end(now.date(), day_1, now.date()) is None
    assert may_end(date(2026, 12, 1), day_1, now.date()) is None
    assert "after day 28 (1 Dec 2026)" in (may_end(date(2026, 12, 2), day_1, now.date()) or "")
    assert "days that have passed" in (may_end(date(2026, 11, 11), day_1, now.date()) or "")


@pytest.mark.proves("WO-06", "DR-08")
def test_whoever_left_custody_is_at_heightened_risk_for_three_weeks() -> None:
    left_on = date(2026, 11, 20)

    assert heightened_after(0, left_on) == "Heightened risk: out of custody since Fri 20 Nov 2026"
    assert heightened_after(21, left_on)
    assert heightened_after(22, left_on) is None


@pytest.mark.proves("PS-33", "DR-08", "WO-02", "WO-03", "WO-04")
def test_not_asked_is_watched_and_everybody_is_at_heightened_risk_to_day_28() -> None:
    assert "not asked" in (watch(3, None) or "")
    assert watch(28, True) == "Stimulant user: watch mood and behaviour to day 28"
    assert watch(29, True) is None
    assert watch(3, False) is None
    assert heightened(28)
    assert heightened(29) is None
    assert told_at_once("unwell") == "Tell the duty nurse now"
    assert told_at_once("settled") is None


@pytest.mark.proves("PS-38")
def test_the_matrix_says_which_team_owns_what_in_each_phase() -> None:
    assert [phase(day) for day in (1, 7, 8, 28, 29)] == [1, 1, 2, 2, 3]
    owners = {number: {each.team for each in tasks_of(number)} for number in (1, 2, 3)}
    assert owners == dict.fromkeys((1, 2, 3), {"clinical", "carat", "both"})
    assert [each.id for each in tasks_of(1)][0] == "stabilise"
    assert tasks_of(3)[-1].id == "release_planning"
