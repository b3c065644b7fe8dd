"""May it leave, by when is it answered, and whose is the person meanwhile?"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from scheduling import handover
from scheduling.calendars import Calendar
from tests.scheduling.release_cases import HOLIDAYS

THERE = Calendar("england_and_wales", HOLIDAYS, [], [])
FRIDAY = datetime(2026, 8, 28, 14, 0, tzinfo=UTC)  # Monday 31 August is a bank holiday


@pytest.mark.proves("CM-33", "A38", "HO-01")
@pytest.mark.parametrize(
    ("basis", "because", "consented", "leaves"),
    [
        ("consent", None, True, True),
        ("consent", "they would agree", False, False),
        ("lawful_basis", "Vital interests", False, True),
        ("lawful_basis", " ", False, False),
        ("safety", "Found unconscious twice this week", False, True),
        ("safety", None, True, False),
        (None, "no reason helps", True, False),
    ],
)
def test_nothing_leaves_without_consent_a_lawful_basis_or_a_reasoned_decision(
    basis, because, consented, leaves
):
    assert handover.may_leave(basis, because, consented=consented) is leaves


@pytest.mark.proves("HO-02")
@pytest.mark.parametrize(
    ("leaves_on", "last"),
    [
        (None, date(2026, 9, 1)),
        (date(2026, 9, 4), date(2026, 9, 1)),
        (date(2026, 8, 29), date(2026, 8, 29)),
        (date(2026, 8, 20), date(2026, 8, 28)),
    ],
)
def test_an_answer_is_due_by_the_next_working_day_or_the_day_they_leave(leaves_on, last):
    due = handover.answer_by(FRIDAY, leaves_on, THERE)

    assert due.astimezone(UTC) == datetime(last.year, last.month, last.day, 22, 59, tzinfo=UTC)


@pytest.mark.proves("RC-15")
def test_the_sender_is_responsible_until_somebody_has_accepted():
    due = handover.answer_by(FRIDAY, None, THERE)

    assert handover.stands("sent", due, FRIDAY) == "sent"
    assert handover.stands("sent", due, due) == "overdue"
    assert handover.stands("accepted", due, due) == "accepted"
    assert [
        state for state in ("prepared", "sent", "overdue", "refused", "withdrawn", "accepted")
        if not handover.sender_responsible(state)
    ] == ["accepted"]  # fmt: skip


@pytest.mark.proves("HO-04", "HO-05")
def test_a_sentence_and_the_arrival_it_leads_to_are_one_occasion_and_a_later_one_another():
    def known(day, hour=12):
        return handover.Known(date(2026, 8, day), datetime(2026, 8, day, hour, tzinfo=UTC))

    assert handover.into_custody([], []) is None
    assert handover.into_custody([], [known(3)]) == known(3)
    assert handover.into_custody([known(4)], [known(3)]).known_at == known(3).known_at
    assert handover.into_custody([known(10)], [known(3)]).known_at == known(3).known_at
    assert handover.into_custody([known(11)], [known(3)]) == known(11)
    assert handover.into_custody([known(3)], [known(4)]) == known(4)  # from remand to a sentence
    assert handover.into_custody([known(3), known(20)], []) == known(20)

    due = handover.send_by(FRIDAY, THERE)
    assert due.astimezone(UTC) == datetime(2026, 9, 1, 22, 59, tzinfo=UTC)  # past the holiday
