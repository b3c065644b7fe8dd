"""Somebody leaves: who is reminded of it, whose are they afterwards, and what is done by when?

Numbers and sources stand in aftercare.toml; outreach, day 14 and day 21 in release.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from dosing.days import at_london, london_day
from scheduling.calendars import OutOfReach, WorkingDays
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
    """One thing that waits around release. `cause` tells two of one kind apart.

    `starts` False: one that waits already goes on waiting, and none is begun.
    """

    kind: str
    cause: str
    due_at: datetime
    starts: bool = True


def follow_ups(
    left_on: date | None,
    engaged_on: date | None,
    appointment_at: datetime | None,
    attended: bool | None,
    now: datetime,
) -> list[FollowUp]:
    """What is done about somebody who has left, until treatment began. Rules: AF-02, AF-05, RG-17, RG-21.

    Did they come to the first appointment, asked once its time has passed; outreach within 24 elapsed
    hours of it when they did not (A29), or when nobody has said so in time: not known is never
    attended. And whether treatment has begun, on day 14 and day 21, release day counted 0.
    """
    if left_on is None or engaged_on is not None:
        return []
    found = [
        FollowUp(
            f"day_{days}", left_on.isoformat(), at_london(left_on + timedelta(days), _LAST_MINUTE)
        )
        for days in (RULES["RG-21"].table["amber_at"], RULES["RG-21"].table["red_at"])
    ]
    if appointment_at is not None and attended is not True:
        asked_at, said_by = _asked(appointment_at)
        if attended is None and asked_at <= now:
            found.append(FollowUp("attendance", appointment_at.isoformat(), said_by))
        if attended is False or said_by <= now:
            due_at = appointment_at + LIMITS.outreach
            found.append(FollowUp("outreach", appointment_at.isoformat(), due_at))
    return sorted(found, key=lambda each: (each.due_at, each.kind))


def _asked(appointment_at: datetime) -> tuple[datetime, datetime]:
    """From when, and by when, is it asked whether they came?"""
    return (
        appointment_at + timedelta(hours=_RULES["AF-05"]["hours"]),
        appointment_at + timedelta(hours=_RULES["AF-02"]["hours"]),
    )


def next_asked(
    left_on: date | None,
    engaged_on: date | None,
    appointment_at: datetime | None,
    attended: bool | None,
    now: datetime,
) -> datetime | None:
    """When does the clock alone next begin something about a first appointment? None: it does not."""
    if left_on is None or engaged_on is not None or appointment_at is None or attended is not None:
        return None
    return min((at for at in _asked(appointment_at) if at > now), default=None)


REMINDED: Final[Mapping[str, int]] = _RULES["AF-03"]["before"]
"""Each party's reminder, and how many days before release it is due."""
PHARMACY: Final = "remind_pharmacy"


def reminded_of(medicine: str | None, forms: Collection[str]) -> frozenset[str]:
    """Whose reminders there are, by what they take and the forms of their supplies. Rule: AF-03."""
    rule = _RULES["AF-03"]
    if not forms and medicine in rule["nothing_to_collect"]:
        return frozenset()
    if forms and set(forms) <= set(rule["no_pharmacy"]):
        return frozenset(REMINDED) - {PHARMACY}
    return frozenset(REMINDED)


def reminders_begin(release_on: date) -> date:
    """The first day on which the parties are reminded of this release. Rule: AF-03."""
    return release_on - timedelta(days=_RULES["AF-03"]["begins"])


def reminders(
    release_on: date | None,
    left_on: date | None,
    engaged_on: date | None,
    collection_on: date | None,
    where: str,
    now: datetime,
    calendar: WorkingDays,
) -> list[FollowUp]:
    """Who is reminded of a first collection, each by its own moment. Rules: AF-03, AF-04.

    `where`: what tells one place of collection from another. `calendar`: the prison's. A reminder
    whose day has passed when it begins is due within hours: release came early, or was known late.
    None begins after the last day it could help: that of release, or of the collection if later.
    """
    if release_on is None or engaged_on is not None:
        return []
    last = max(each for each in (release_on, left_on, collection_on) if each is not None)
    starts = reminders_begin(release_on) <= london_day(now) <= last
    cause = "/".join(
        (release_on.isoformat(), collection_on.isoformat() if collection_on else "", where)
    )
    at_once = now + timedelta(hours=_RULES["AF-04"]["hours"])
    found = []
    for kind, days in REMINDED.items():
        due_at = at_london(_worked(release_on - timedelta(days), calendar), _LAST_MINUTE)
        found.append(FollowUp(kind, cause, due_at if due_at > now else at_once, starts))
    return sorted(found, key=lambda each: (each.due_at, each.kind))


OFFER, MEETING, ADVICE = "gate_offer", "gate_pickup", "overdose_advice"


def gate_offer(
    release_on: date | None, left_on: date | None, now: datetime, calendar: WorkingDays
) -> list[FollowUp]:
    """Is a meeting at the gate to be offered? Once, before they leave. Rules: AF-06, AF-04, DR-03."""
    if release_on is None or left_on is not None:
        return []
    due_at = at_london(
        _worked(release_on - timedelta(_RULES["AF-06"]["before"]), calendar), _LAST_MINUTE
    )
    if due_at <= now:
        due_at = now + timedelta(hours=_RULES["AF-04"]["hours"])
    return [FollowUp(OFFER, "release", due_at, reminders_begin(release_on) <= london_day(now))]


def gate_meeting(release_on: date | None, wanted: bool) -> list[FollowUp]:
    """They want to be met at the gate: on the day of release, whenever that comes to be. AF-06."""
    if release_on is None or not wanted:
        return []
    return [FollowUp(MEETING, release_on.isoformat(), at_london(release_on, _LAST_MINUTE))]


def overdose_advice(left_on: date | None) -> list[FollowUp]:
    """The community team gives overdose advice to whoever has left. Rules: AF-07, DR-03."""
    if left_on is None:
        return []
    due_at = at_london(left_on + timedelta(_RULES["AF-07"]["days"]), _LAST_MINUTE)
    return [FollowUp(ADVICE, left_on.isoformat(), due_at)]


GROUPS, HANDOVER = "drr_groups", "drr_handover"


def drr(left_on: date | None, ends_on: date | None) -> list[FollowUp]:
    """What is owed to somebody out under a drug rehabilitation requirement. Rules: AF-08, AF-09, DR-04.

    `ends_on` None: nobody knows when it ends, and the hand-over is asked for with the groups.
    """
    if left_on is None:
        return []
    groups_on = left_on + timedelta(_RULES["AF-08"]["days"])
    handover_on = groups_on
    if ends_on is not None:
        handover_on = max(left_on, ends_on - timedelta(_RULES["AF-09"]["before"]))
    return [
        FollowUp(GROUPS, left_on.isoformat(), at_london(groups_on, _LAST_MINUTE)),
        FollowUp(
            HANDOVER, ends_on.isoformat() if ends_on else "", at_london(handover_on, _LAST_MINUTE)
        ),
    ]


def told_of_move(on: date, prison: str, calendar: WorkingDays) -> FollowUp:
    """The community team is to know of a move to another prison: TT-18's day, for the far side of it."""
    try:
        due_on = calendar.next_working_day(on)
    except OutOfReach:
        due_on = on
    return FollowUp("transfer", f"{on.isoformat()}/{prison}", at_london(due_on, _LAST_MINUTE))


def _worked(day: date, calendar: WorkingDays) -> date:
    try:
        return calendar.previous_working_day(day)
    except OutOfReach:  # beyond the known bank holidays: the day as it is, rather than no reminder
        return day
