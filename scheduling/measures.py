"""How many of those to whom something was owed had it in time? Numerator, denominator, and who.

A case belongs to the period in which its time was up. One whose time is not up counts in neither
number; one that ended before its time was up is told apart; a reason for a breach changes nothing.
Words, sources and the bound of small numbers stand in measures.toml. Dates are London dates.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Final

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("measures.toml").read_text("utf-8")
)
REASONS: Final[Mapping[str, str]] = _TABLE["reasons"]
SOURCES: Final[Mapping[str, str]] = {each["id"]: each["title"] for each in _TABLE["source"]}
SMALL: Final[int] = _TABLE["small"]["below"]
SMALL_SAYS: Final[str] = _TABLE["small"]["says"].format(below=SMALL)

IN_TIME, LATE, RUNNING, ENDED = "in_time", "late", "running", "ended"


@dataclass(frozen=True)
class Definition:
    """What one measure counts, of which kind of site, and why. `rules` set the time itself."""

    key: str
    kind: str
    title: str
    numerator: str
    denominator: str
    why: str
    rules: tuple[str, ...]
    source: str
    where: str
    confidence: str
    target: str | None = None
    items: tuple[str, ...] = ()

    def of_site(self, kind: str) -> bool:
        return self.kind in ("any", kind)


MEASURES: Final[Mapping[str, Definition]] = {
    each["key"]: Definition(
        **{**each, "rules": tuple(each["rules"]), "items": tuple(each.get("items", ()))}
    )
    for each in _TABLE["measure"]
}


@dataclass(frozen=True)
class Case:
    """One duty owed to one person. `key` names it for good, whatever is worked out anew.

    `due_on`: the last day it was in time. `done_on`: when it was done; `ended_on`: when it stopped
    being owed without having been done; both None while neither happened.
    """

    key: str
    patient_id: int
    due_on: date
    done_on: date | None = None
    ended_on: date | None = None
    done_late_that_day: bool = False
    """Done on the last day, but after the hour it was due."""

    def stands(self, today: date) -> str:
        """in_time, late, running or ended."""
        if self.done_on is not None and self.done_on <= self.due_on:
            return LATE if self.done_late_that_day else IN_TIME
        if self.done_on is None and self.ended_on is not None and self.ended_on <= self.due_on:
            return ENDED
        return LATE if self.done_on is not None or self.due_on < today else RUNNING


@dataclass(frozen=True)
class Count:
    """One measure over one period. `running`: time not up; `ended`: stopped being owed before."""

    in_time: int
    late: int
    running: int
    ended: int

    @property
    def numerator(self) -> int:
        return self.in_time

    @property
    def denominator(self) -> int:
        return self.in_time + self.late

    @property
    def shortfall(self) -> int:
        return self.late

    @property
    def percent(self) -> int | None:
        """Whole per cent, halves up; None of nobody."""
        if not self.denominator:
            return None
        share = Decimal(100 * self.numerator) / self.denominator
        return int(share.quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def small(self) -> bool:
        return self.denominator < SMALL


def in_period(cases: Iterable[Case], first: date, last: date) -> list[Case]:
    """The cases whose time was up between these days, both included, the earliest first."""
    found = [case for case in cases if first <= case.due_on <= last]
    return sorted(found, key=lambda case: (case.due_on, case.key))


def count(cases: Iterable[Case], today: date) -> Count:
    stands = [case.stands(today) for case in cases]
    return Count(*(stands.count(each) for each in (IN_TIME, LATE, RUNNING, ENDED)))
