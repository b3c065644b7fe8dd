"""Which rounds of observations are owed, which were missed, and who owns which task in which phase?

Numbers, codes and sources stand in observations.toml and, for how often, in custody.toml (TT-25).
Instants are aware; days are London dates and days of custody.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from dosing.days import at_london, end_of, start_of
from scheduling.custody_rules import BLOCK_DAYS, LAST_DAY, limit

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("observations.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}
PARTS: Final[tuple[str, ...]] = tuple(RULES["WO-01"]["parts"])
SEEN: Final[tuple[str, ...]] = tuple(RULES["WO-04"]["codes"])
_TURNS: Final[time] = RULES["WO-01"]["turns"]
LAST_OBSERVED: Final[int] = limit("TT-25", "last_day")
assert limit("TT-25", "per_day") == len(PARTS), "as many parts of a day as rounds"


@dataclass(frozen=True)
class Task:
    """A task of the responsibility matrix. `team`: clinical, carat or both."""

    id: str
    phases: tuple[int, ...]
    team: str
    says: str


TASKS: Final[Mapping[str, Task]] = {
    row["id"]: Task(row["id"], tuple(row["phases"]), row["team"], row["says"])
    for row in _TABLE["task"]
}


@dataclass(frozen=True)
class Round:
    """One round: from one instant up to another. `state`: seen, missed, open or to_come."""

    day: int
    on: date
    part: str
    opens_at: datetime
    closes_at: datetime
    state: str


@dataclass(frozen=True)
class End:
    """A clinician set, at this moment, the last day with rounds (A40)."""

    set_at: datetime
    last_on: date


def last_usual(day_1: date) -> date:
    """The last day with rounds where no clinician says otherwise. Rule: TT-25."""
    return day_1 + timedelta(days=LAST_OBSERVED - 1)


def rounds(
    received_at: datetime,
    day_1: date,
    seen_at: Collection[datetime],
    now: datetime,
    left_at: datetime | None = None,
    ends: Sequence[End] = (),
) -> list[Round]:
    """Every round owed, and what became of it. Rules: TT-25, WO-01, WO-05.

    `seen_at`: when they were observed. `ends`: what clinicians set, in the order they did; a round
    that was over by then is owed, or not, by what held until then. Nothing is owed for a round
    after they left.
    """
    found = []
    usual = last_usual(day_1)
    longest = max([usual, *(each.last_on for each in ends)])
    for number, on, part, opens, closes in _spans(day_1, longest):
        last_on = next((each.last_on for each in reversed(ends) if each.set_at < closes), usual)
        if on > last_on:
            continue
        if closes <= received_at or (left_at is not None and left_at <= opens):
            continue
        if any(opens <= at < closes for at in seen_at):
            state = "seen"
        elif now < opens:
            state = "to_come"
        elif now < closes and left_at is None:
            state = "open"
        elif left_at is not None and left_at < closes:
            continue
        else:
            state = "missed"
        found.append(Round(number, on, part, opens, closes, state))
    return found


@lru_cache(maxsize=64)  # a wing's people were received on few days
def _spans(day_1: date, last_on: date) -> tuple[tuple[int, date, str, datetime, datetime], ...]:
    """Every round: day of custody, date, part, from, to."""
    found = []
    for number in range(1, (last_on - day_1).days + 2):
        on = day_1 + timedelta(days=number - 1)
        turns = at_london(on, _TURNS)
        for part, opens, closes in zip(
            PARTS, (start_of(on), turns), (turns, end_of(on)), strict=True
        ):
            found.append((number, on, part, opens, closes))
    return tuple(found)


def may_end(last_on: date, day_1: date, today: date) -> str | None:
    """Why the rounds may not end with a day; None when they may. Rule: WO-05."""
    rule = RULES["WO-05"]
    latest = day_1 + timedelta(days=rule["latest_day"] - 1)
    if last_on < today:
        return "must be today or later: rounds of days that have passed stay as they were"
    if last_on > latest:
        return str(rule["too_late"]).format(
            latest_day=rule["latest_day"], on=f"{latest.day} {latest:%b %Y}"
        )
    return None


def told_at_once(seen: str) -> str | None:
    """What to do about what was seen; None when nothing is. Rule: WO-04."""
    rule = RULES["WO-04"]
    return str(rule["says"]) if seen in rule["told"] else None


def watch(day: int, stimulants: bool | None) -> str | None:
    """What to say of watching somebody's mood; None when they are not watched. Rule: WO-02.

    `stimulants` None: not asked, which is watched like a yes.
    """
    rule = RULES["WO-02"]
    if stimulants is False or not 1 <= day <= rule["last_day"]:
        return None
    return str(rule["says" if stimulants else "not_asked"]).format(last_day=rule["last_day"])


def heightened(day: int) -> str | None:
    """The marker everybody bears in the first days of custody (DR-08). Rule: WO-03."""
    rule = RULES["WO-03"]
    return str(rule["says"]) if 0 <= day <= rule["last_day"] else None


def heightened_after(days_out: int, left_on: date) -> str | None:
    """The marker everybody bears in the first days out of custody (DR-08). Rule: WO-06."""
    rule = RULES["WO-06"]
    if not 0 <= days_out <= rule["last_day"]:
        return None
    return str(rule["says"]).format(on=f"{left_on:%a} {left_on.day} {left_on:%b %Y}")


def phase(day: int) -> int:
    """1, 2 or 3: which phase of the matrix a day of custody belongs to by default (PS-22)."""
    return 1 if day <= BLOCK_DAYS else 2 if day <= LAST_DAY else 3


def tasks_of(number: int) -> list[Task]:
    """The tasks of a phase, clinical ones first, then those of both teams last (PS-38)."""
    order = ("clinical", "carat", "both")
    mine = [each for each in TASKS.values() if number in each.phases]
    return sorted(mine, key=lambda each: order.index(each.team))
