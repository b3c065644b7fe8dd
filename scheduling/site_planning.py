"""Has a prison keyworkers and group seats for the people it receives, and what would have to change?

A prison's own figures in, needs out. Rules and sources stand in site_planning.toml. Weeks are whole,
Monday to Sunday; days count from reception, day 1 included. Exact fractions until the last step.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any, Final

from scheduling.custody_rules import BLOCK_DAYS, limit
from scheduling.groups import PLACES

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("site_planning.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}
WEEKS_BACK: Final[int] = RULES["SP-01"]["weeks"]
A_WEEK: Final = 7
SESSIONS_A_WEEK: Final = limit("TT-14", "sessions")


@dataclass(frozen=True)
class Figures:
    """What a prison knows of itself.

    `received`: receptions of each whole week, oldest first. `stayed`: days inside the 28 of
    everybody whose 28 days are over, 1 to 28. `suited`: how many of `asked` people come to groups.
    `beyond`: people past their 28 days who have a keyworker. `ceiling`: people to one keyworker.
    `seats`: group seats on offer in a week. `could`: those that rooms and half-days would hold.
    """

    received: Sequence[int]
    stayed: Sequence[int]
    suited: int
    asked: int
    beyond: int
    keyworkers: int
    ceiling: int
    seats: Fraction
    could: int


@dataclass(frozen=True)
class Load:
    """What so many receptions a week come to, rounded up: people, keyworkers, seats, sessions."""

    receptions: Fraction
    inside: int
    keyworkers: int
    seats: int
    sessions: int


@dataclass(frozen=True)
class Outlook:
    """What is to be expected. `unknown`: why nothing is; then the rest is None or empty.

    `days`: inside the 28 on average; `group_days`: of them from day 8 on. `keyworkers_most`,
    `seats_most`: receptions a week that what there is would do for; None: any number.
    """

    unknown: str | None
    days: Fraction | None = None
    group_days: Fraction | None = None
    usual: Load | None = None
    busy: Load | None = None
    keyworkers_most: int | None = None
    seats_most: int | None = None
    changes: Sequence[str] = ()


def outlook(figures: Figures) -> Outlook:
    """Needs against what there is, in a usual and a busy week. Rules: SP-01 to SP-04, KW-02, TT-14."""
    rule = RULES["SP-01"]
    weeks, stays = len(figures.received), len(figures.stayed)
    if weeks < rule["fewest_weeks"] or stays < rule["fewest_stays"]:
        return Outlook(str(rule["unknown"]).format(
            weeks=weeks, stays=stays, fewest_weeks=rule["fewest_weeks"],
            fewest_stays=rule["fewest_stays"],
        ))  # fmt: skip
    days = Fraction(sum(figures.stayed), stays)
    group_days = Fraction(sum(max(0, each - BLOCK_DAYS) for each in figures.stayed), stays)
    span = RULES["SP-03"]["weeks"]
    sums = [sum(figures.received[at : at + span]) for at in range(weeks - span + 1)]
    usual = _load(Fraction(sum(figures.received), weeks), figures, days, group_days)
    busy = _load(Fraction(max(sums), span), figures, days, group_days)
    free = max(0, figures.keyworkers * figures.ceiling - figures.beyond)
    keyworkers_most = floor(free * A_WEEK / days)
    a_reception = _seats(Fraction(1), figures, group_days)
    seats_most = floor(figures.seats / a_reception) if a_reception else None
    return Outlook(
        None, days, group_days, usual, busy, keyworkers_most, seats_most,
        _changes(figures, busy, keyworkers_most, seats_most),
    )  # fmt: skip


def _seats(receptions: Fraction, figures: Figures, group_days: Fraction) -> Fraction:
    """Seats a week for people suited to groups; where nobody was asked, everybody counts."""
    share = Fraction(figures.suited, figures.asked) if figures.asked else Fraction(1)
    return receptions * group_days / A_WEEK * share * SESSIONS_A_WEEK


def _load(receptions: Fraction, figures: Figures, days: Fraction, group_days: Fraction) -> Load:
    inside = ceil(receptions * days / A_WEEK)
    seats = ceil(_seats(receptions, figures, group_days))
    return Load(
        receptions, inside, ceil(Fraction(inside + figures.beyond, figures.ceiling)), seats,
        ceil(Fraction(seats, PLACES)),
    )  # fmt: skip


def _changes(
    figures: Figures, busy: Load, keyworkers_most: int, seats_most: int | None
) -> list[str]:
    """What a busy week would ask for beyond what there is; one sentence when nothing. Rule: SP-04."""
    rule, found = RULES["SP-04"], []
    lacking = busy.keyworkers - figures.keyworkers
    if lacking > 0:
        words = "keyworker" if lacking == 1 else "keyworkers"
        found.append(
            str(rule["keyworkers"]).format(
                count=lacking, keyworkers=words, or_fewer=_or_fewer(keyworkers_most)
            )
        )
    short = busy.seats - figures.seats
    if short > 0:
        sessions = ceil(short / PLACES)
        words = "session" if sessions == 1 else "sessions"
        found.append(
            str(rule["sessions"]).format(
                count=sessions, sessions=words, or_fewer=_or_fewer(seats_most or 0)
            )
        )
    if busy.seats > figures.could:
        count = ceil(Fraction(busy.seats - figures.could, PLACES))
        found.append(str(rule["space"]).format(could=figures.could, count=count))
    return found or [str(rule["enough"])]


def _or_fewer(most: int) -> str:
    """What would do instead; nothing where it would be to receive nobody. Rule: SP-04."""
    return str(RULES["SP-04"]["or_fewer"]).format(receptions=most) if most else ""
