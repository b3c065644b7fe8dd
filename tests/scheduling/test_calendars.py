"""Working days: nations, closures, announced changes, a move between prisons, and the reach."""

from __future__ import annotations

from datetime import date

import pytest

from config.holidays import bank_holidays
from dosing import shape
from scheduling.calendars import (
    CALENDAR_SHAPE,
    NATIONS,
    Calendar,
    CalendarAcrossMove,
    CalendarChange,
    CalendarFacts,
    HolidayLists,
    OutOfReach,
)

HOLIDAYS = HolidayLists(**bank_holidays())


def on(day: str) -> date:
    return date.fromisoformat(day)


def a_calendar(nation: str = "england_and_wales", **facts: object) -> Calendar:
    return Calendar(nation, HOLIDAYS, **facts)  # type: ignore[arg-type]


def test_the_pinned_lists_hold_every_nation() -> None:
    assert set(HOLIDAYS.days) == set(NATIONS)


def test_a_weekday_is_worked_and_a_weekend_is_not() -> None:
    calendar = a_calendar()

    week = calendar.working_days(on("2019-09-02"), on("2019-09-08"))

    assert week == [on(f"2019-09-0{day}") for day in (2, 3, 4, 5, 6)]


def test_next_and_previous_working_day_are_the_day_itself_when_it_is_worked() -> None:
    calendar = a_calendar()

    assert calendar.next_working_day(on("2019-09-04")) == on("2019-09-04")
    assert calendar.previous_working_day(on("2019-09-04")) == on("2019-09-04")


@pytest.mark.parametrize(
    ("nation", "next_day", "previous_day"),
    [
        ("england_and_wales", "2020-01-02", "2019-12-31"),
        ("scotland", "2020-01-03", "2019-12-31"),
        ("northern_ireland", "2020-01-02", "2019-12-31"),
    ],
)
def test_new_year_is_stepped_over_by_the_nations_own_list(
    nation: str, next_day: str, previous_day: str
) -> None:
    calendar = a_calendar(nation)

    assert calendar.next_working_day(on("2020-01-01")) == on(next_day)
    assert calendar.previous_working_day(on("2020-01-01")) == on(previous_day)


def test_a_local_closure_day_is_not_worked_and_is_no_bank_holiday() -> None:
    calendar = a_calendar(closure_days=[on("2019-09-04")])

    assert not calendar.is_working_day(on("2019-09-04"))
    assert not calendar.is_bank_holiday(on("2019-09-04"))


ADDED = CalendarChange(on("2019-09-04"), "added", announced_on=on("2019-09-01"))
REMOVED = CalendarChange(on("2019-08-26"), "removed", announced_on=on("2019-08-20"))


@pytest.mark.parametrize(
    ("known_on", "holiday"),
    [("2019-08-31", False), ("2019-09-01", True), ("2019-09-02", True), (None, True)],
)
def test_an_added_day_is_a_holiday_from_the_day_it_is_announced(
    known_on: str | None, holiday: bool
) -> None:
    calendar = a_calendar(changes=[ADDED], known_on=known_on and on(known_on))

    assert calendar.is_bank_holiday(ADDED.on) is holiday


@pytest.mark.parametrize(
    ("known_on", "holiday"), [("2019-08-19", True), ("2019-08-20", False), (None, False)]
)
def test_a_removed_day_is_worked_from_the_day_it_is_announced(
    known_on: str | None, holiday: bool
) -> None:
    calendar = a_calendar(changes=[REMOVED], known_on=known_on and on(known_on))

    assert calendar.is_bank_holiday(REMOVED.on) is holiday


def test_a_listed_day_is_worked_before_the_request_says_it_was_announced() -> None:
    funeral = CalendarChange(on("2022-09-19"), "added", announced_on=on("2022-09-10"))

    assert a_calendar(changes=[funeral], known_on=on("2022-09-09")).is_working_day(funeral.on)
    assert not a_calendar(changes=[funeral], known_on=on("2022-09-10")).is_working_day(funeral.on)


def test_an_unlisted_day_is_not_worked_before_its_removal_is_announced() -> None:
    removed = CalendarChange(on("2020-05-04"), "removed", announced_on=on("2019-06-07"))

    assert not a_calendar(changes=[removed], known_on=on("2019-06-06")).is_working_day(removed.on)
    assert a_calendar(changes=[removed], known_on=on("2019-06-07")).is_working_day(removed.on)


def test_a_change_without_an_announcement_has_always_been_known() -> None:
    calendar = a_calendar(changes=[CalendarChange(ADDED.on, "added")], known_on=on("2001-01-01"))

    assert calendar.is_bank_holiday(ADDED.on)


@pytest.mark.parametrize(
    ("known_on", "holiday"), [("2019-08-31", False), ("2019-09-01", True), ("2019-09-03", False)]
)
def test_of_two_changes_to_one_day_the_later_announcement_known_by_then_stands(
    known_on: str, holiday: bool
) -> None:
    taken_back = CalendarChange(ADDED.on, "removed", announced_on=on("2019-09-03"))

    calendar = a_calendar(changes=[taken_back, ADDED], known_on=on(known_on))

    assert calendar.is_bank_holiday(ADDED.on) is holiday


def test_the_receiving_prisons_calendar_begins_on_the_day_of_the_move() -> None:
    across = CalendarAcrossMove(
        a_calendar("england_and_wales"), a_calendar("scotland"), moved_on=on("2019-08-05")
    )

    # 5 August 2019 is a holiday in Scotland only, 26 August in England only.
    assert across.working_days(on("2019-08-02"), on("2019-08-06")) == [
        on("2019-08-02"),
        on("2019-08-06"),
    ]
    assert across.is_working_day(on("2019-08-26"))


@pytest.mark.parametrize("day", ["1999-12-31", "2036-01-01", "2036-01-05"])
def test_a_day_the_list_does_not_reach_is_refused_even_at_a_weekend(day: str) -> None:
    with pytest.raises(OutOfReach, match=day) as refused:
        a_calendar().is_working_day(on(day))

    assert refused.value.day == on(day)


@pytest.mark.parametrize("day", ["2000-01-04", "2035-12-31"])
def test_the_first_and_the_last_days_of_the_list_are_answered(day: str) -> None:
    assert a_calendar().is_working_day(on(day))


def test_a_walk_beyond_the_list_is_refused() -> None:
    with pytest.raises(OutOfReach):
        a_calendar(closure_days=[on("2035-12-31")]).next_working_day(on("2035-12-31"))


def test_a_calendar_object_is_read_with_its_changes() -> None:
    facts = CALENDAR_SHAPE.read(
        {
            "nation": "scotland",
            "closure_days": ["2019-09-05"],
            "calendar_changes": [
                {"on": "2019-09-04", "change": "added", "announced_on": "2019-09-01"}
            ],
        },
        "prison",
    )

    assert facts == CalendarFacts("scotland", (on("2019-09-05"),), (ADDED,))
    assert not Calendar.of(facts, HOLIDAYS).is_working_day(on("2019-09-05"))


def test_another_places_nation_stands_in_when_none_is_named() -> None:
    calendar = Calendar.of(CalendarFacts(nation=None), HOLIDAYS, nation="scotland")

    assert calendar.is_bank_holiday(on("2026-06-15"))


@pytest.mark.parametrize(
    ("calendar", "field"),
    [
        ({}, "prison.nation"),
        ({"nation": "wales"}, "prison.nation"),
        ({"nation": "scotland", "nations": 1}, "prison.nations"),
        ({"nation": "scotland", "closure_days": ["2019-02-29"]}, "prison.closure_days[0]"),
        (
            {"nation": "scotland", "calendar_changes": [{"on": "2019-09-04", "change": "moved"}]},
            "prison.calendar_changes[0].change",
        ),
        (
            {"nation": "scotland", "calendar_changes": [{"change": "added"}]},
            "prison.calendar_changes[0].on",
        ),
    ],
)
def test_a_fault_in_a_calendar_object_is_named_by_its_path(
    calendar: dict[str, object], field: str
) -> None:
    with pytest.raises(shape.Refused) as refused:
        CALENDAR_SHAPE.read(calendar, "prison")

    assert refused.value.field == field
