"""What time is it? The only place that reads the clock; tests replace `now`."""

from __future__ import annotations

from datetime import UTC, date, datetime

from dosing.days import london_day


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The London date of this moment."""
    return london_day(now())
