"""What a certificate lists, what is asked at day 28, and how long somebody has stayed."""

from __future__ import annotations

from datetime import date

import pytest

from scheduling.completion import (
    Session,
    certified,
    months_after,
    next_step_lacking,
    outstanding,
    retention,
)

ON = date(2026, 11, 10)


@pytest.mark.proves("PS-30", "TT-16", "CW-01")
def test_only_what_was_attended_is_certified_group_or_one_to_one() -> None:
    attended = [
        Session("group_session", ON, "delivered", "crack", "group"),
        Session("group_session", ON, "delivered", "alcohol", "one_to_one"),
        Session("relaxation", date(2026, 11, 9), "delivered"),
    ]
    left_out = [
        Session("group_session", ON, "declined", "relaxation", "group"),
        Session("overdose_session", ON, "declined"),
        Session("keywork_week_2", ON, "delivered"),
    ]

    assert certified(left_out + attended) == [attended[2], attended[1], attended[0]]


@pytest.mark.proves("PS-21", "CW-04")
def test_a_referral_never_made_or_never_answered_is_asked_about() -> None:
    asked = outstanding([("vdt", None), ("vdt", "waiting"), ("mutual_aid", "refused")])

    assert asked == [("post_28_programme", "never made"), ("vdt", "no answer yet")]
    assert outstanding([("post_28_programme", "accepted"), ("vdt", None), ("vdt", "accepted"),
                        ("mutual_aid", "accepted")]) == []  # fmt: skip


@pytest.mark.proves("PS-37", "CW-02")
def test_day_28_asks_for_a_next_step_until_there_is_one() -> None:
    assert next_step_lacking(ON, date(2026, 11, 9), named=False) is None
    assert next_step_lacking(ON, ON, named=False) == (
        "Day 28 is today, Tue 10 Nov 2026: say what comes next. Reaching it closes nothing."
    )
    assert next_step_lacking(ON, date(2027, 3, 1), named=True) is None


@pytest.mark.proves("PS-37", "CW-03")
def test_retention_is_counted_against_three_months_whatever_their_length() -> None:
    assert months_after(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert months_after(date(2023, 11, 30), 3) == date(2024, 2, 29)
    assert not retention(date(2026, 11, 4), date(2027, 2, 3)).reached
    kept = retention(date(2026, 11, 4), date(2027, 2, 4))
    assert (kept.reached, kept.days) == (True, 93)
