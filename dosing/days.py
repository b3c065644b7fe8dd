"""Which London day is it? The one place an instant becomes a date.

A dose day is a calendar date in Europe/London, never a multiple of 24 hours: at 00:30 BST it is
already tomorrow although UTC says today. Hours, by contrast, are exact elapsed time and are
always taken between UTC instants, so the clock changes do not shift them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
ONE_DAY = timedelta(days=1)


def london_day(instant: datetime) -> date:
    """The Europe/London date of an aware instant. ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("a naive time has no London day")
    return instant.astimezone(LONDON).date()


def london_time(instant: datetime) -> datetime:
    """The same instant, carrying London's offset of that moment."""
    return instant.astimezone(LONDON)


def at_london(day: date, clock: time) -> datetime:
    """The instant (UTC) when London's clocks show `clock` on `day`; the first of two in autumn."""
    return datetime.combine(day, clock, tzinfo=LONDON).astimezone(UTC)


def start_of(day: date) -> datetime:
    """The first instant (UTC) of a London date."""
    return at_london(day, time(0))


def end_of(day: date) -> datetime:
    """The midnight (UTC) that ends a London date."""
    return start_of(day + ONE_DAY)


def days_between(first: date, last: date) -> Iterator[date]:
    """Every date from first to last, both included; none when last is earlier."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
