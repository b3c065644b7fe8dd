"""Which days are worked? Working-day calendars for a prison or for the place of release.

A working day is a Monday to Friday that is neither a bank holiday of the nation nor a local
closure day. The bank holidays arrive as an argument; nothing here knows today.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from dosing import shape
from dosing.days import ONE_DAY, days_between

NATIONS: Final = ("england_and_wales", "scotland", "northern_ireland")

_SATURDAY: Final = 5
"""`date.weekday()` of the first day of the weekend."""


class OutOfReach(ValueError):
    """A working day was asked for on a date the pinned bank holidays do not cover."""

    def __init__(self, day: date, holidays: HolidayLists) -> None:
        super().__init__(
            f"needs the bank holidays of {day}, and the list runs"
            f" from {holidays.first_on} to {holidays.last_on}"
        )
        self.day = day


@dataclass(frozen=True)
class HolidayLists:
    """Which weekdays are bank holidays in each nation, first_on to last_on, both included.

    A holiday that falls at a weekend is listed on its substitute day only.
    """

    version: str
    first_on: date
    last_on: date
    days: Mapping[str, frozenset[date]]


@dataclass(frozen=True)
class CalendarChange:
    """A bank holiday added or removed by proclamation; announced_on None: always known."""

    on: date
    change: str
    announced_on: date | None = None


@dataclass(frozen=True)
class CalendarFacts:
    """What a request says about one place's calendar. The nation may be unknown."""

    nation: str | None
    closure_days: tuple[date, ...] | None = None
    calendar_changes: tuple[CalendarChange, ...] | None = None


_CHANGE: Final = shape.Record(
    CalendarChange,
    {
        "on": shape.Required(shape.Day()),
        "change": shape.Required(shape.OneOf("added", "removed")),
        "announced_on": shape.Day(),
    },
)

CALENDAR_FIELDS: Final[Mapping[str, shape.Kind | shape.Required]] = {
    "nation": shape.Required(shape.OneOf(*NATIONS)),
    "closure_days": shape.ListOf(shape.Day()),
    "calendar_changes": shape.ListOf(_CHANGE),
}
"""The fields of a calendar object; a record that holds more of them adds its own."""

CALENDAR_SHAPE: Final = shape.Record(CalendarFacts, CALENDAR_FIELDS)


class WorkingDays(ABC):
    """A calendar that can be walked from one working day to another."""

    @abstractmethod
    def is_working_day(self, day: date) -> bool:
        """Is this day worked? OutOfReach when the bank holidays of that date are not known."""

    def next_working_day(self, day: date) -> date:
        """The day itself if it is worked, else the first working day after it: nwd."""
        while not self.is_working_day(day):
            day += ONE_DAY
        return day

    def previous_working_day(self, day: date) -> date:
        """The day itself if it is worked, else the last working day before it: pwd."""
        while not self.is_working_day(day):
            day -= ONE_DAY
        return day

    def working_days(self, first: date, last: date) -> list[date]:
        """The working days from first to last, both included."""
        return [day for day in days_between(first, last) if self.is_working_day(day)]


class Calendar(WorkingDays):
    """One place's working days, as they were known on `known_on` (None: everything is known).

    A change announced after `known_on` is undone: an added day is worked even if the list holds
    it, a removed day is a holiday even if the list does not. Of two changes to the same date
    the one announced later stands.
    """

    def __init__(
        self,
        nation: str,
        holidays: HolidayLists,
        closure_days: Iterable[date] = (),
        changes: Iterable[CalendarChange] = (),
        known_on: date | None = None,
    ) -> None:
        self._holidays = holidays
        self._listed = holidays.days[nation]
        self._closed = frozenset(closure_days)
        self._changed = _changed(changes, known_on) if changes else {}

    @classmethod
    def of(
        cls,
        facts: CalendarFacts,
        holidays: HolidayLists,
        *,
        known_on: date | None = None,
        nation: str | None = None,
    ) -> Calendar:
        """The calendar a request describes; `nation` stands in when it names none."""
        named = facts.nation or nation
        if named is None:
            raise ValueError("a calendar needs a nation")
        return cls(
            named, holidays, facts.closure_days or (), facts.calendar_changes or (), known_on
        )

    def is_bank_holiday(self, day: date) -> bool:
        """Is this day a bank holiday here, by the list and the changes to it?"""
        if not self._holidays.first_on <= day <= self._holidays.last_on:
            raise OutOfReach(day, self._holidays)
        changed = self._changed.get(day)
        return day in self._listed if changed is None else changed

    def is_working_day(self, day: date) -> bool:
        return not (self.is_bank_holiday(day) or day.weekday() >= _SATURDAY or day in self._closed)


class CalendarAcrossMove(WorkingDays):
    """The sending prison's working days before the day of transfer, the receiving one's from it."""

    def __init__(self, sending: WorkingDays, receiving: WorkingDays, moved_on: date) -> None:
        self._sending = sending
        self._receiving = receiving
        self._moved_on = moved_on

    def is_working_day(self, day: date) -> bool:
        here = self._sending if day < self._moved_on else self._receiving
        return here.is_working_day(day)


def _changed(changes: Iterable[CalendarChange], known_on: date | None) -> dict[date, bool]:
    """Each changed date: is it a holiday as known on that day?"""
    in_order = sorted(changes, key=lambda change: change.announced_on or date.min)
    known = [
        change
        for change in in_order
        if known_on is None or change.announced_on is None or change.announced_on <= known_on
    ]
    # Undoing runs backwards from the last announcement; what is known then has the last word.
    holiday = {change.on: change.change == "removed" for change in reversed(in_order[len(known) :])}
    holiday.update({change.on: change.change == "added" for change in known})
    return holiday
