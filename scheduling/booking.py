"""For how long is a place held, what is routine, which blocks may be passed with a reason, and how
soon is too soon?

Numbers, words and sources stand in booking.toml; instants are aware, minutes elapsed time.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from dosing.days import london_day

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("booking.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}

ROUTINE: Final[Mapping[str, str]] = RULES["BK-03"]["kinds"]
"""Kinds of visit that wait for no model's limit, and their names."""
SOFT: Final[Mapping[str, str]] = RULES["BK-04"]["blocks"]
"""Blocks that may be passed with a reason, and how staff call them."""
REASONS: Final[Mapping[str, str]] = RULES["BK-04"]["reasons"]
_NOTICE: Final = timedelta(minutes=RULES["BK-05"]["minutes"])


def held_until(now: datetime, starts_at: datetime) -> datetime:
    """When a hold made now lapses: from then on it counts for nothing. Rule: BK-01."""
    return min(now + timedelta(minutes=RULES["BK-01"]["minutes"]), starts_at)


def near(starts_at: datetime, now: datetime) -> bool:
    """Is a place that came back unasked offered to those who wait at once? Rule: BK-02."""
    ahead = (london_day(starts_at) - london_day(now)).days
    return starts_at > now and ahead < RULES["BK-02"]["days"]


def in_reach(starts_at: datetime, now: datetime) -> bool:
    """Is there time for somebody who is not here yet to come to a place? Rule: BK-05."""
    return starts_at - now >= _NOTICE


def too_soon(words: str = "too_soon") -> str:
    """Why a place that begins soon is not for somebody who is elsewhere."""
    return str(RULES["BK-05"][words].format(minutes=RULES["BK-05"]["minutes"]))
