"""Which month, which three months? Calendar periods of London dates, named 2026-11 and 2026-Q4."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from clinic.errors import NotFound

_NAME = re.compile(r"(20[0-9]{2})-Q([1-4])")
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_MONTHS = ("January to March", "April to June", "July to September", "October to December")


@dataclass(frozen=True, order=True)
class Quarter:
    """A calendar quarter; `first_on` and `last_on` are both included."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> Quarter:
        return cls(day.year, (day.month + 2) // 3)

    @classmethod
    def named(cls, name: str) -> Quarter:
        """NotFound for anything but 2026-Q4 and its like."""
        found = _NAME.fullmatch(name)
        if found is None:
            raise NotFound("A quarter is named like 2026-Q4.")
        return cls(int(found[1]), int(found[2]))

    @property
    def first_on(self) -> date:
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last_on(self) -> date:
        return self.next().first_on - timedelta(days=1)

    def next(self) -> Quarter:
        return Quarter(self.year + self.number // 4, self.number % 4 + 1)

    def before(self) -> Quarter:
        return Quarter.of(self.first_on - timedelta(days=1))

    @property
    def words(self) -> str:
        return f"{_MONTHS[self.number - 1]} {self.year}"

    def __str__(self) -> str:
        return f"{self.year}-Q{self.number}"


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month; `first_on` and `last_on` are both included."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    @property
    def first_on(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last_on(self) -> date:
        return self.next().first_on - timedelta(days=1)

    def next(self) -> Month:
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    def before(self) -> Month:
        return Month.of(self.first_on - timedelta(days=1))

    @property
    def words(self) -> str:
        return f"{self.first_on:%B} {self.year}"

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02}"


Period = Month | Quarter


def named(name: str) -> Period:
    """NotFound for anything but 2026-11, 2026-Q4 and their like."""
    found = _MONTH.fullmatch(name)
    if found is not None:
        return Month(int(found[1]), int(found[2]))
    if _NAME.fullmatch(name):
        return Quarter.named(name)
    raise NotFound("A month is named like 2026-11, a quarter like 2026-Q4.")


def ending(last: Period, count: int) -> list[Period]:
    """So many periods of one kind, oldest first, the last one included."""
    found = [last]
    while len(found) < count:
        found.append(found[-1].before())
    return found[::-1]
