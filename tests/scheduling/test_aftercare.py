"""After release: whose somebody is, and what waits about them by when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from scheduling.aftercare import follow_ups, owner_after

LEFT = date(2026, 11, 6)
FRIDAY_TEN = datetime(2026, 11, 6, 10, tzinfo=UTC)


@pytest.mark.proves("RC-21", "AF-01")
def test_supervised_is_probations_and_short_and_unsupervised_the_cjits():
    assert owner_after(True, 60) == owner_after(None, 365) == "probation"
    assert owner_after(False, 900) == owner_after(None, 364) == "home_cjit"
    assert owner_after(None, None) is None


@pytest.mark.proves("AF-02")
def test_attendance_is_asked_the_same_session_and_outreach_is_due_in_24_hours_over_a_weekend():
    asked = follow_ups(LEFT, None, FRIDAY_TEN, None)
    assert [(each.kind, each.due_at) for each in asked][0] == (
        "attendance", FRIDAY_TEN + timedelta(hours=4),
    )  # fmt: skip

    missed = follow_ups(LEFT, None, FRIDAY_TEN, attended=False)
    assert [(each.kind, each.due_at) for each in missed][0] == (
        "outreach", FRIDAY_TEN + timedelta(hours=24),
    )  # fmt: skip
    assert [each.kind for each in follow_ups(LEFT, None, FRIDAY_TEN, True)] == ["day_14", "day_21"]


def test_day_14_and_21_count_from_release_day_0_and_nothing_waits_once_treatment_began():
    days = [each.due_at.date() for each in follow_ups(LEFT, None, None, None)]

    assert days == [date(2026, 11, 20), date(2026, 11, 27)]
    assert (
        follow_ups(LEFT, LEFT, FRIDAY_TEN, False) == follow_ups(None, None, FRIDAY_TEN, None) == []
    )
