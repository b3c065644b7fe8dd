"""Who comes first among people waiting, whom is a freed place for, and until when may they say yes?

The facts of a person hold neither a name nor an offence, so neither can move anybody up or down.
Numbers, words and sources stand in waiting.toml; instants are aware, hours elapsed time.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("waiting.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}

NO_PLACE_TO_GIVE: Final[tuple[str, ...]] = tuple(RULES["WQ-04"]["reasons"])
NOT_ASKED, LAPSED, DECLINED = "not_asked", "lapsed", "declined"
_RISKS: Final[Mapping[str | None, int]] = {
    None if risk == "not_known" else risk: place
    for place, risk in enumerate(RULES["WQ-01"]["risks"])
}
_FAR: Final = datetime(9999, 12, 31, tzinfo=UTC)
_BEFORE_START: Final = timedelta(minutes=RULES["WQ-02"]["before_start"])


@dataclass(frozen=True)
class Person:
    """What may be known of somebody who waits. `breaches_at` None: under no limit.

    `over`: is or will their wait be over the limit? `booked_at`: their own place, if any. `busy`:
    other visits of theirs, from and to. `asked`: what came of an offer of this very place.
    """

    referral_id: int
    breaches_at: datetime | None
    risk: str | None
    referred_at: datetime
    over: bool | None = None
    booked_at: datetime | None = None
    busy: tuple[tuple[datetime, datetime], ...] = ()
    asked: str = NOT_ASKED


def urgency(person: Person) -> tuple[Any, ...]:
    """What people who wait are sorted by: the smaller comes first. Rules: RP-45, WQ-01."""
    by = {
        "time_left": person.breaches_at or _FAR,
        "clinical_risk": _RISKS.get(person.risk, _RISKS[None]),
        "referred_at": person.referred_at,
    }
    return (*(by[each] for each in RULES["RP-45"]["by"]), person.referral_id)


def candidates(
    starts_at: datetime,
    ends_at: datetime,
    waiting: Iterable[Person],
    given_up_by: Collection[int] = (),
) -> list[Person]:
    """Whom a freed place is for, the first to be asked first. Rules: WQ-03, RP-45.

    `given_up_by`: referrals whose place it was. Whoever let an offer lapse comes after everybody
    not asked yet; whoever declined comes no more.
    """
    order = RULES["WQ-03"]["first"]
    fit = [
        person
        for person in waiting
        if person.asked in order
        and person.referral_id not in given_up_by
        and (person.booked_at is None or (person.over is True and starts_at < person.booked_at))
        and not any(since < ends_at and starts_at < until for since, until in person.busy)
    ]
    return sorted(fit, key=lambda person: (order.index(person.asked), urgency(person)))


def offer_until(starts_at: datetime, now: datetime) -> datetime | None:
    """Until when an offer made now stands; None when it is too late to make one. Rule: WQ-02."""
    ahead = starts_at - now
    for band in RULES["WQ-02"]["bands"]:
        if ahead >= timedelta(hours=band["from_hours"]):
            until = min(now + timedelta(minutes=band["minutes"]), starts_at - _BEFORE_START)
            return until if until > now else None
    return None


def too_late() -> str:
    """Why a place that begins soon is not offered."""
    rule = RULES["WQ-02"]
    return str(rule["too_late"].format(before_start=rule["before_start"]))
