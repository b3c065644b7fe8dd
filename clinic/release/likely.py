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


IN_ORDER = {
    "dose_letter": (("sent_at", "prepared_at"),),
    "notification": (("acknowledged_at", "sent_at"),),
    "supply": (("sent_at", "written_at"),),
    "transfer_information": (("next_dose_at", "last_dose_at"),),
}
"""By section, what cannot have happened before what."""
WHEN = {
    "prepared_at": "it was prepared", "sent_at": "they were told", "written_at": "it was written",
    "last_dose_at": "the last dose",
}  # fmt: skip
SECTIONS = frozenset((*NOT_BEFORE_ARRIVAL, *IN_ORDER))


def check_days(section: str, given: Json, request: Json, today: date) -> None:
    """Invalid, with the field, for a day that cannot be meant. `request`: what the plan knows."""
    received_at = request.get("received_at")
    if received_at is not None:
        received_on = london_day(datetime.fromisoformat(received_at))
        for name in NOT_BEFORE_ARRIVAL.get(section, ()):
            on = _day(given.get(name))
            if on is not None and on < received_on:
                raise Invalid.field(name, f"must not be before they arrived, {day(received_on)}")
    for name, first in IN_ORDER.get(section, ()):
        before, after = _instant(given.get(first)), _instant(given.get(name))
        if before and after and after < before:
            raise Invalid.field(name, f"must not be before {WHEN[first]}")
    if section == "release":
        sentenced_on = _day(given.get("sentenced_on"))
        if sentenced_on is not None and sentenced_on > today:
            raise Invalid.field("sentenced_on", "must not be later than today")
        leaves_on = _day(given.get("confirmed_on")) or _day(given.get("calculated_on"))
        ends_on = _day(given.get("drr_ends_on"))
        if ends_on is not None and leaves_on is not None and ends_on < leaves_on:
            raise Invalid.field("drr_ends_on", f"must not be before the release, {day(leaves_on)}")


def _day(value: Any) -> date | None:
    """The London day of a day or instant; None for what is neither, which the rules refuse."""
    instant = _instant(value)
    if instant is not None:
        return london_day(instant)
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _instant(value: Any) -> datetime | None:
    """An aware instant; None for anything else."""
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return instant if instant.tzinfo is not None else None
