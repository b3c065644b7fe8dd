"""When was this person seen, when must they be seen next, and for which days does a review count?

A review is somebody looking at a person on treatment and deciding to raise, hold or lower, or to
withhold or stop. Numbers, words and sources stand in reviews.toml. Days are London dates; facts
arrive as arguments, and nothing here proposes a dose.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("reviews.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}

BUILD_UP_DAYS: Final[int] = RULES["RV-01"]["last_day"]
MOST_DAYS: Final[int] = RULES["RV-02"]["most"]
BY_PHONE: Final[tuple[str, ...]] = tuple(RULES["RV-03"]["by_phone"])


def in_build_up(day: int | None, broken: bool) -> bool:
    """Is the dose still being built up on this day of the episode? Its first dose is day 1.

    No day means no dose yet; `broken`, that missed doses wait for the prescriber. Rule: RV-01.
    """
    return day is None or broken or day <= BUILD_UP_DAYS


def last_review_day(reviewed_on: date) -> date:
    """The latest day the next review may be set for. Rule: RV-02."""
    return reviewed_on + timedelta(days=MOST_DAYS)


def counts_until(
    reviewed_on: date, next_review_on: date | None, day: int | None, broken: bool
) -> date:
    """The last London day a review is good for, that day included.

    In build-up its own day only; afterwards until the next review is due, and never for longer
    than RV-02 allows. Without a next review, its own day only. Rules: RV-01, RV-02.
    """
    if in_build_up(day, broken) or next_review_on is None:
        return reviewed_on
    return max(reviewed_on, min(next_review_on, last_review_day(reviewed_on)))
