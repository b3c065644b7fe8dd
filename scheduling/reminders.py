"""When is somebody reminded of a visit, in which words, and when is nobody sent anything?

Windows, quiet hours and wordings stand in reminders.toml. Hours before a visit are elapsed time;
quiet hours are London clock time.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from dosing.days import ONE_DAY, at_london, london_day, london_time

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("reminders.toml").read_text("utf-8")
)
_RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}
_WORDINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    each["language"]: each for each in _TABLE["wording"]
}
_QUIET_FROM: Final[time] = _RULES["RM-01"]["from"]
_QUIET_UNTIL: Final[time] = _RULES["RM-01"]["until"]

TRIES: Final[int] = _RULES["RM-02"]["tries"]
BROKEN_OFF: Final = timedelta(minutes=_RULES["RM-03"]["minutes"])
FORBIDDEN: Final[tuple[str, ...]] = tuple(_RULES["RM-04"]["words"])
LANGUAGES: Final[Mapping[str, str]] = {each["language"]: each["name"] for each in _TABLE["wording"]}


@dataclass(frozen=True)
class Window:
    """A span before each visit in which one reminder is sent: from `opens` up to `closes` before."""

    id: str
    says: str
    opens: timedelta
    closes: timedelta

    def sends_at(self, visit_at: datetime) -> datetime | None:
        """The first moment the reminder may go; None when the whole window is quiet. Rule: RM-01."""
        first = not_quiet(visit_at - self.opens)
        return first if first <= visit_at - self.closes else None


WINDOWS: Final[tuple[Window, ...]] = tuple(
    Window(
        each["id"], each["says"], timedelta(hours=each["opens_hours"]),
        timedelta(hours=each["closes_hours"]),
    )
    for each in _TABLE["window"]
)  # fmt: skip
LONGEST: Final = max(window.opens for window in WINDOWS)


def quiet(at: datetime) -> bool:
    """Is this an hour in which nobody is sent anything? Rule: RM-01."""
    clock = london_time(at).time()
    return clock >= _QUIET_FROM or clock < _QUIET_UNTIL


def not_quiet(at: datetime) -> datetime:
    """The moment itself, or the end of the quiet hours it lies in."""
    if not quiet(at):
        return at
    day = london_day(at)
    if london_time(at).time() >= _QUIET_FROM:
        day += ONE_DAY
    return at_london(day, _QUIET_UNTIL)


def due(visit_at: datetime, now: datetime) -> Window | None:
    """The window in which a reminder of this visit may be sent now; None outside, or when quiet."""
    if quiet(now):
        return None
    return next(
        (w for w in WINDOWS if visit_at - w.opens <= now <= visit_at - w.closes),
        None,
    )


@dataclass(frozen=True)
class Words:
    """What is sent: a subject (for e-mail) and one plain sentence or two."""

    subject: str
    text: str


def words(language: str, visit_at: datetime) -> Words:
    """The reminder of a visit in a language; English for one that has no wording (XX-18)."""
    wording = _WORDINGS.get(language, _WORDINGS["en"])
    london = london_time(visit_at)
    text = wording["text"].format(
        weekday=wording["weekdays"][london.weekday()], day=london.day,
        month=wording["months"][london.month - 1], time=f"{london:%H:%M}",
    )  # fmt: skip
    return Words(wording["subject"], text)
