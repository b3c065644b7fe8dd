"""Can these days of a fact be meant? The rules read any day; a slip of the pen is caught here."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from clinic.errors import Invalid
from clinic.release.facts import Json
from clinic.ui import day
from dosing.days import london_day

NOT_BEFORE_ARRIVAL = {
    "release": ("calculated_on", "confirmed_on"),
    "possible_earlier": ("on",),
    "appointment": ("at",),
}
"""By section, the days that come after somebody arrived in prison."""


def check_days(section: str, given: Json, request: Json, today: date) -> None:
    """Invalid, with the field, for a day that cannot be meant. `request`: what the plan knows."""
    received_at = request.get("received_at")
    if received_at is not None:
        received_on = london_day(datetime.fromisoformat(received_at))
        for name in NOT_BEFORE_ARRIVAL.get(section, ()):
            on = _day(given.get(name))
            if on is not None and on < received_on:
                raise Invalid.field(name, f"must not be before they arrived, {day(received_on)}")
    if section == "release":
        sentenced_on = _day(given.get("sentenced_on"))
        if sentenced_on is not None and sentenced_on > today:
            raise Invalid.field("sentenced_on", "must not be later than today")


def _day(value: Any) -> date | None:
    """The London day of a day or instant; None for what is neither, which the rules refuse."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        pass
    try:
        return london_day(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return None
