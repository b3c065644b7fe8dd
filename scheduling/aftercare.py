"""Somebody has left: whose are they now, and what is done about them by when?

Numbers and sources stand in aftercare.toml; outreach, day 14 and day 21 in release.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from dosing.days import at_london
from scheduling.release_rules import LIMITS, RULES

_RULES: Final[Mapping[str, Mapping[str, Any]]] = {
    rule["id"]: rule
    for rule in tomllib.loads(Path(__file__).with_name("aftercare.toml").read_text("utf-8"))["rule"]
}
_LAST_MINUTE: Final = time(23, 59)
"""A day's task is due by its last minute: midnight would read as the day after."""


def owner_after(supervised: bool | None, sentence_days: int | None) -> str | None:
    """Whose are they after release: `probation` or `home_cjit`; None while nobody knows. Rule: AF-01.

    `supervised`: under a licence or other statutory supervision, where that is recorded.
    """
    if supervised is None:
        if sentence_days is None:
            return None
        supervised = sentence_days >= _RULES["AF-01"]["supervised_from"]
    return "probation" if supervised else "home_cjit"


@dataclass(frozen=True)
class FollowUp:
    """One thing that waits after release. `cause` tells two of one kind apart."""

    kind: str
    cause: str
    due_at: datetime


def follow_ups(
    left_on: date | None,
    engaged_on: date | None,
    appointment_at: datetime | None,
    attended: bool | None,
) -> list[FollowUp]:
    """What is done about somebody who has left, until treatment began. Rules: AF-02, RG-17, RG-21.

    Was the first appointment attended; outreach within 24 elapsed hours when it was not (A29); and
    whether treatment has begun, on day 14 and day 21, release day counted 0.
    """
    if left_on is None or engaged_on is not None:
        return []
    found = [
        FollowUp(
            f"day_{days}", left_on.isoformat(), at_london(left_on + timedelta(days), _LAST_MINUTE)
        )
        for days in (RULES["RG-21"].table["amber_at"], RULES["RG-21"].table["red_at"])
    ]
    if appointment_at is not None and attended is None:
        due_at = appointment_at + timedelta(hours=_RULES["AF-02"]["hours"])
        found.append(FollowUp("attendance", appointment_at.isoformat(), due_at))
    if appointment_at is not None and attended is False:
        due_at = appointment_at + LIMITS.outreach
        found.append(FollowUp("outreach", appointment_at.isoformat(), due_at))
    return sorted(found, key=lambda each: (each.due_at, each.kind))
