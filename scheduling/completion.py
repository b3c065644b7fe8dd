"""What is certified, what comes after day 28, and how long has somebody stayed?

Numbers, codes and sources stand in completion.toml. Days are London dates; facts arrive as
arguments.
"""

from __future__ import annotations

import tomllib
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("completion.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}
NEXT_STEPS: Final[tuple[str, ...]] = tuple(RULES["CW-02"]["codes"])
NEXT_EXPLAINED: Final[tuple[str, ...]] = tuple(RULES["CW-02"]["explained"])
NOT_HELD: Final[tuple[str, ...]] = tuple(RULES["CW-05"]["codes"])
NOT_HELD_EXPLAINED: Final[tuple[str, ...]] = tuple(RULES["CW-05"]["explained"])


@dataclass(frozen=True)
class Session:
    """One thing done for somebody, or offered and declined. `topic`, `mode`: of a group session."""

    item: str
    on: date
    outcome: str
    topic: str | None = None
    mode: str | None = None


def certified(done: Iterable[Session]) -> list[Session]:
    """What a certificate lists: sessions attended, in the order of their days. Rule: CW-01."""
    rule = RULES["CW-01"]
    kept = [each for each in done if each.item in rule["items"] and each.outcome == rule["outcome"]]
    return sorted(
        kept, key=lambda each: (each.on, rule["items"].index(each.item), each.topic or "")
    )


def outstanding(referrals: Iterable[tuple[str, str | None]]) -> list[tuple[str, str]]:
    """The kinds of referral to ask about at the end, and why. Rule: CW-04.

    `referrals`: kind and response of those made; None while nobody answered. A waiting list is no
    answer; somewhere that accepted or refused is one.
    """
    rule, made = RULES["CW-04"], list(referrals)
    found = []
    for kind in rule["kinds"]:
        answers = [response for each, response in made if each == kind]
        if not answers:
            found.append((kind, rule["never"]))
        elif all(response in (None, "waiting") for response in answers):
            found.append((kind, rule["waiting"]))
    return found


def next_step_lacking(day_28: date, today: date, *, named: bool) -> str | None:
    """What to say when day 28 has come and nobody said what follows. Rule: CW-02."""
    if named or today < day_28:
        return None
    was = "is today," if today == day_28 else "was"
    return str(RULES["CW-02"]["lacking"]).format(
        was=was, on=f"{day_28:%a} {day_28.day} {day_28:%b %Y}"
    )


@dataclass(frozen=True)
class Retention:
    """How long somebody has been in treatment here. `days`: day 1 included."""

    days: int
    benchmark_on: date
    reached: bool


def retention(received_on: date, until: date) -> Retention:
    """Days kept, against the benchmark. `until`: the day they left, or today. Rule: CW-03."""
    benchmark = months_after(received_on, RULES["CW-03"]["months"])
    return Retention((until - received_on).days + 1, benchmark, until >= benchmark)


def months_after(on: date, months: int) -> date:
    """The same day of the month so many months on, or that month's last day."""
    count = on.month - 1 + months
    year, month = on.year + count // 12, count % 12 + 1
    return date(year, month, min(on.day, monthrange(year, month)[1]))
