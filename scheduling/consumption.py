"""What do missed days ask for, and who on today's board is missing most?

Days are London dates and arrive as facts, as does the number of missed days: it is counted where
the dose check counts it (dosing/facts.py). Steps, words and sources stand in consumption.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from dosing.days import ONE_DAY, days_between
from dosing.interlock import MissedLimits

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text("utf-8")
)
INDUCTION_DAYS: Final[int] = next(row["last_day"] for row in _TABLE["rule"] if row["id"] == "MS-06")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder: from how many missed days, what is done and by whom.

    Its number is its own (`from_days`) or one of the dose rules (`from_limit`). `locked`: the next
    dose waits for a prescriber.
    """

    id: str
    name: str
    says: str
    who: str
    locked: bool
    from_days: int | None = None
    from_limit: str | None = None

    def begins(self, limits: MissedLimits) -> int:
        if self.from_days is not None:
            return self.from_days
        assert self.from_limit is not None, "a step has a number"
        return int(getattr(limits, self.from_limit))


STEPS: Final = tuple(
    Step(
        row["id"], row["name"], row["says"], row["who"], row["locked"],
        row.get("from_days"), row.get("from_limit"),
    )
    for row in _TABLE["step"]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ladder:
    """Where somebody stands: the missed dates, the step they call for, and the service's own gaps.

    `gaps`: missed dates on which the place was closed and no dose was supplied in advance. They
    count as missed for safety.
    """

    missed_on: tuple[date, ...]
    step: Step | None
    gaps: tuple[date, ...]

    @property
    def missed_days(self) -> int:
        return len(self.missed_on)

    @property
    def locked(self) -> bool:
        return self.step is not None and self.step.locked


def ladder(
    last_covered_on: date | None, on: date, limits: MissedLimits, closed: Collection[date] = ()
) -> Ladder:
    """The dates strictly between the last covered one and `on`, and the step they call for.

    Covered are dates of a dose consumed, taken home, or supplied in advance of a closed day.
    Nobody who never had a dose has missed one. Rules: MS-01 to MS-05.
    """
    if last_covered_on is None or last_covered_on >= on:
        return Ladder((), None, ())
    missed = tuple(days_between(last_covered_on + ONE_DAY, on - ONE_DAY))
    return Ladder(missed, step_for(len(missed), limits), tuple(d for d in missed if d in closed))


def step_for(missed_days: int, limits: MissedLimits) -> Step | None:
    """The highest step that so many missed days reach, a lock before none; None below them all."""
    reached = [step for step in STEPS if step.begins(limits) <= missed_days]
    return max(reached, key=lambda step: (step.begins(limits), step.locked), default=None)


def urgency(missed_days: int, episode_day: int | None, risk_markers: int) -> tuple[int, int, int]:
    """The place of somebody still to attend: sort by it, the most urgent first.

    Most missed days first; of those, people still in induction (or with no dose yet); then by how
    many risks are marked. Rule: MS-06.
    """
    induction = episode_day is None or episode_day <= INDUCTION_DAYS
    return (-missed_days, 0 if induction else 1, -risk_markers)
