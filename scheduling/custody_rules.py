"""What is due in the first 28 days, and by which rule? Reads custody.toml once.

An `Item` is one duty of the timetable, in the order a timetable lists them; a rule's own numbers
(hours, times of day, how many) are looked up by rule id and name with `limit`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any, Final

TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("custody.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in TABLE["rule"]}


@dataclass(frozen=True)
class Item:
    """One duty. The words of `due` and `pulled_by` are explained in custody.toml."""

    key: str
    rule: str
    duty: str
    due: str
    owner: str
    hard: bool
    escalate_to: str | None = None
    day: int | None = None
    week: int | None = None
    owner_from_due_day: str | None = None
    not_needed: str | None = None
    pulled_by: str | None = None
    pull_rule: str = "TT-26"
    dropped_after_release: bool = False
    keeps_day: bool = False
    declined: bool = True

    @property
    def is_groups(self) -> bool:
        """Is this a week's groups, done by counting sessions and not by one delivery?"""
        return self.rule == "TT-14"


def limit(rule: str, name: str) -> int:
    """A whole number the rule reasons with."""
    number = RULES[rule][name]
    if not isinstance(number, int):
        raise TypeError(f"{name} of {rule} is not a whole number")
    return number


def clock(rule: str, name: str) -> time:
    """A time of day, London clock, the rule reasons with."""
    reading = RULES[rule][name]
    if not isinstance(reading, time):
        raise TypeError(f"{name} of {rule} is not a time of day")
    return reading


LAST_DAY: Final = limit("TT-01", "last_day")
BLOCK_DAYS: Final = limit("TT-01", "block_days")
DAY_5: Final = limit("TT-09", "day")
WEEKS: Final = range(1, LAST_DAY // BLOCK_DAYS + 1)


def _items() -> tuple[Item, ...]:
    listed: list[Item] = []
    for row in TABLE["item"]:
        fields = dict(row)
        days = fields.pop("days", [None])
        for day in days:
            week = None if day is None else -(-day // BLOCK_DAYS)
            key = fields["key"] if len(days) == 1 else f"{fields['key']}_{week}"
            listed.append(Item(**{**fields, "key": key, "day": day, "week": week}))
    return tuple(listed)


ITEMS: Final = _items()
BY_KEY: Final = {item.key: item for item in ITEMS}

GROUP_SESSION: Final = "group_session"
"""What is delivered towards a week's groups; the groups themselves are counted, not delivered."""

DELIVERABLE: Final = (*(item.key for item in ITEMS if not item.is_groups), GROUP_SESSION)
