"""Which three months? Calendar quarters of London dates, named 2026-Q4."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from clinic.errors import NotFound

_NAME = re.compile(r"(20[0-9]{2})-Q([1-4])")
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
