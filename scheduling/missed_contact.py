"""Somebody missed an appointment or was lost sight of: which step is due when, and which are done?

Steps, numbers and sources stand in missed_contact.toml. Hours are elapsed time, so neither a
weekend nor a clock change moves them; working days are the calendar's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from dosing.days import ONE_DAY, at_london, london_day
from scheduling.calendars import WorkingDays

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("missed_contact.toml").read_text("utf-8")
)
STEPS: Final[tuple[Mapping[str, Any], ...]] = tuple(_TABLE["step"])
ENDS: Final[tuple[str, ...]] = tuple(_TABLE["rule"][0]["ends"])
SAYS: Final[str] = _TABLE["rule"][0]["says"]
REBOOK: Final = "rebook"
_LAST_MINUTE: Final = time(23, 59)
"""A step of a working day is due by the last minute of it: midnight would read as the day after."""


@dataclass(frozen=True)
class Try:
    """One thing tried: how, when, and in one word what came of it."""

    how: str
    at: datetime
    outcome: str


@dataclass(frozen=True)
class Step:
    """One step of the ladder: when it is due, and when it was done (None: not yet)."""

    rule: str
    how: str
    says: str
    due_at: datetime
    done_at: datetime | None


def steps(
    missed_at: datetime,
    tries: Iterable[Try],
    calendar: WorkingDays,
    rebooked_at: datetime | None = None,
) -> list[Step]:
    """Every step, the first due first. `missed_at`: when contact was lost. Rule: CM-26 (A29).

    `rebooked_at`: when a new visit was booked, if one is. OutOfReach beyond the known holidays.
    """
    done: dict[str, list[datetime]] = {REBOOK: [] if rebooked_at is None else [rebooked_at]}
    for each in sorted(tries, key=lambda each: each.at):
        done.setdefault(each.how, []).append(each.at)
    found = []
    for step in STEPS:
        times = done.get(step["how"], [])
        nth = step["times"] - 1
        found.append(
            Step(
                step["id"], step["how"], step["says"], _due(step, missed_at, calendar),
                times[nth] if nth < len(times) else None,
            )
        )  # fmt: skip
    return sorted(found, key=lambda step: (step.due_at, step.rule))


def _due(step: Mapping[str, Any], missed_at: datetime, calendar: WorkingDays) -> datetime:
    if "hours" in step:
        return missed_at + timedelta(hours=step["hours"])
    day = london_day(missed_at)
    for _ in range(step["working_days"]):
        day = calendar.next_working_day(day + ONE_DAY)
    return at_london(day, _LAST_MINUTE)


def reached_at(tries: Iterable[Try]) -> datetime | None:
    """When the person was reached, which ends the ladder; None while nobody has. Rule: CM-26."""
    return min((each.at for each in tries if each.outcome in ENDS), default=None)


def next_step(found: Iterable[Step]) -> Step | None:
    """The step that is due first of those not done."""
    return next((step for step in found if step.done_at is None), None)
