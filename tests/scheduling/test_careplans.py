"""By when is a care plan reviewed, and agreed to again? Just before, on and after each limit."""

from __future__ import annotations

from datetime import date

import pytest

from scheduling.careplans import agree_again, review_due

ON = date(2026, 11, 5)


@pytest.mark.parametrize(
    ("in_custody", "rule", "due"),
    [
        pytest.param(False, "CP-01", date(2027, 2, 25), marks=pytest.mark.proves("CP-01")),
        pytest.param(True, "CP-02", date(2026, 12, 3), marks=pytest.mark.proves("CP-02")),
    ],
)
def test_without_an_event_a_plan_is_reviewed_112_days_on_and_in_custody_28(in_custody, rule, due):
    found = review_due(ON, in_custody=in_custody, events=[])

    assert (found.on, found.rule, found.event) == (due, rule, None)


@pytest.mark.proves("CP-03")
@pytest.mark.parametrize(
    ("event_on", "due"),
    [
        (ON, (date(2026, 11, 12), "CP-03")),
        (date(2026, 11, 25), (date(2026, 12, 2), "CP-03")),
        (date(2026, 11, 26), (date(2026, 12, 3), "CP-03")),
        (date(2026, 11, 27), (date(2026, 12, 3), "CP-02")),
    ],
)
def test_an_event_asks_for_a_review_7_days_on_and_never_puts_the_regular_one_back(event_on, due):
    found = review_due(ON, in_custody=True, events=[(event_on, "housing")])

    assert (found.on, found.rule) == due


@pytest.mark.proves("CP-03")
def test_of_several_events_the_first_decides():
    events = [(date(2026, 11, 9), "health"), (date(2026, 11, 7), "arrested")]

    found = review_due(ON, in_custody=True, events=events)

    assert (found.on, found.event) == (date(2026, 11, 14), "arrested")


@pytest.mark.proves("CP-04")
def test_a_plan_changed_after_all_three_agreed_is_agreed_again_within_7_days():
    due, says = agree_again(date(2026, 3, 25), 2)  # over the change to summer time

    assert due == date(2026, 4, 1)
    assert says == "Agree the changed care plan: 2 to go."
