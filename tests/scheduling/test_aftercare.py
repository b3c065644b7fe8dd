"""After release: whose somebody is, and what waits about them by when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from scheduling.aftercare import follow_ups, next_asked, owner_after

LEFT = date(2026, 11, 6)
FRIDAY_TEN = datetime(2026, 11, 6, 10, tzinfo=UTC)


@pytest.mark.proves("RC-21", "AF-01")
def test_supervised_is_probations_and_short_and_unsupervised_the_cjits():
    assert owner_after(True, 60) == owner_after(None, 365) == "probation"
    assert owner_after(False, 900) == owner_after(None, 364) == "home_cjit"
    assert owner_after(None, None) is None


def waits(hours, attended=None):
    """What has begun so many hours after the appointment, beside day 14 and day 21: by when due."""
    found = follow_ups(LEFT, None, FRIDAY_TEN, attended, FRIDAY_TEN + timedelta(hours=hours))
    return {each.kind: each.due_at for each in found if not each.kind.startswith("day")}


@pytest.mark.proves("AF-02", "AF-05", "A29")
def test_asked_once_the_time_has_passed_and_unsaid_outreach_is_due_24_hours_after_the_appointment():
    asked, outreach = FRIDAY_TEN + timedelta(hours=4), FRIDAY_TEN + timedelta(hours=24)

    assert waits(0.99) == {}
    assert waits(1) == waits(3.99) == {"attendance": asked}
    assert waits(4) == {"attendance": asked, "outreach": outreach}  # not known is not attended
    assert waits(70) == waits(4)
    assert waits(0, attended=False) == {"outreach": outreach}  # on the Saturday
    assert waits(70, attended=True) == {}


def test_the_clock_is_looked_at_when_it_begins_to_be_asked_and_when_the_answer_is_due():
    def at(hours, attended=None, engaged_on=None):
        now = FRIDAY_TEN + timedelta(hours=hours)
        found = next_asked(LEFT, engaged_on, FRIDAY_TEN, attended, now)
        return found and (found - FRIDAY_TEN) / timedelta(hours=1)

    assert [at(-5), at(1), at(4)] == [1, 4, None]
    assert at(0, attended=False) is at(0, engaged_on=LEFT) is None
    assert next_asked(None, None, FRIDAY_TEN, None, FRIDAY_TEN) is None


def test_day_14_and_21_count_from_release_day_0_and_nothing_waits_once_treatment_began():
    days = [each.due_at.date() for each in follow_ups(LEFT, None, None, None, FRIDAY_TEN)]

    assert days == [date(2026, 11, 20), date(2026, 11, 27)]
    assert (
        follow_ups(LEFT, LEFT, FRIDAY_TEN, False, FRIDAY_TEN)
        == follow_ups(None, None, FRIDAY_TEN, None, FRIDAY_TEN)
        == []
    )
