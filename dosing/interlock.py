"""May this dose be given now? Gates that all must stand open; numbers and words in interlock.toml.

Facts come in as what happened and when; the answer names every gate that is shut, why, and who can
open it. What is not known shuts a gate. Break-glass passes only what is missing: it never passes a
finding, a STOP, an absent decision or the lock after missed doses. Times are aware instants, days
London dates, and nothing here proposes a dose.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from dosing.days import london_day

STOP: Final = "STOP"
WITHHELD: Final = {"withhold": "withheld", "stop": "stopped"}
"""What a review may say that leaves no dose, and the code of the gate it shuts."""
LOWER: Final = "lower"


@dataclass(frozen=True, slots=True)
class GateRule:
    """One gate as interlock.toml writes it. `holds`: how long a check counts; None has no limit."""

    id: str
    gate: str
    asks: str
    hazard: str
    source: str
    where: str
    confidence: str
    opens: str
    breakable: frozenset[str]
    shut: Mapping[str, str]
    holds: timedelta | None


@dataclass(frozen=True, slots=True)
class Check:
    """One look at the person before a dose. `clear`: it speaks for giving it."""

    at: datetime
    clear: bool


@dataclass(frozen=True, slots=True)
class Review:
    """The review that counts. `says`: start, raise, hold, lower, withhold or stop."""

    at: datetime
    written_at: datetime
    says: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """A prescriber assessed the person `at` a moment, and it was written down by `written_at`."""

    at: datetime
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """A prescriber's decision on a dose: for which days and which doses of the day."""

    written_at: datetime
    days: Collection[date]
    increments: Collection[int]
    withdrawn_at: datetime | None = None
    re_induction: bool = False


@dataclass(frozen=True, slots=True)
class BrokenGlass:
    """Somebody answered for passing these gates, for this one dose."""

    at: datetime
    gates: frozenset[str]


@dataclass(frozen=True, slots=True)
class MissedLimits:
    """The dose rules' own numbers: from how many missed days a prescriber must see the person, and
    from how many treatment begins again (definition missed-days in facts.toml)."""

    prescriber_from: int
    new_episode_from: int


@dataclass(frozen=True, slots=True)
class GiveFacts:
    """What is known when a dose would be given `at` a moment. None is not known.

    `missed_days` counts the days before that day without a consumed dose, as the dose-check contract
    counts them; `last_covered_on` is the last day with one, None when there never was. `rules` is the
    outcome of the dose check made again on what is known now. `in_doubt`: this dose was recorded as
    swallowed and struck out, and nobody else has agreed to that yet.
    """

    at: datetime
    increment: int
    place_set: bool | None
    identity: tuple[Check, ...]
    intoxication: tuple[Check, ...]
    review: Review | None
    decision: Decision | None
    missed_days: int | None
    last_covered_on: date | None
    missed_limits: MissedLimits
    assessments: tuple[Assessment, ...]
    rules: str | None
    recorded: bool | None
    in_doubt: bool = False
    broken: tuple[BrokenGlass, ...] = ()

    @property
    def on(self) -> date:
        return london_day(self.at)


@dataclass(frozen=True, slots=True)
class Shut:
    """A gate that is shut: why, who can open it, and whether break-glass may pass it."""

    gate: str
    code: str
    says: str
    opens: str
    breakable: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gates that are shut, and those that only break-glass passes."""

    shut: tuple[Shut, ...]
    passed: tuple[str, ...]

    @property
    def open(self) -> bool:
        return not self.shut


def may_give(facts: GiveFacts) -> Verdict:
    """May this dose be given? Every gate is asked; one that is shut is enough to say no."""
    shut, passed = [], []
    for gate, asked in GATES.items():
        code = asked(facts)
        if code is None:
            continue
        rule = RULES[gate]
        if code in rule.breakable and _glass_broken(facts, gate):
            passed.append(gate)
        else:
            breakable = code in rule.breakable
            shut.append(Shut(gate, code, rule.shut[code], rule.opens, breakable))
    return Verdict(tuple(shut), tuple(passed))


# -- the gates: the code that shuts it, or None ----------------------------------------------


def _place(facts: GiveFacts) -> str | None:
    return None if facts.place_set else "not_set"


def _identity(facts: GiveFacts) -> str | None:
    last = _last_today(facts, facts.identity)
    if last is None:
        return "not_asked"
    if not last.clear:
        return "not_confirmed"
    return None if _holds(facts, last.at, "identity") else "expired"


def _intoxication(facts: GiveFacts) -> str | None:
    last = _last_today(facts, facts.intoxication)
    if last is None:
        return "not_looked"
    if not last.clear:
        return "positive"
    return None if _holds(facts, last.at, "intoxication") else "expired"


def _review(facts: GiveFacts) -> str | None:
    positive_at = max(
        (each.at for each in _today(facts, facts.intoxication) if not each.clear), default=None
    )
    review = facts.review
    if review is None or review.at > facts.at:
        return "none" if positive_at is None else "after_positive"
    if review.says in WITHHELD:
        return WITHHELD[review.says]
    if positive_at is not None and review.at <= positive_at:
        return "after_positive"
    decision = facts.decision
    if review.says == LOWER and (decision is None or decision.written_at <= review.written_at):
        return "lower"
    return None


def _prescription(facts: GiveFacts) -> str | None:
    decision = facts.decision
    if decision is None:
        return "none"
    if decision.written_at > facts.at:
        return "not_yet"
    if decision.withdrawn_at is not None and decision.withdrawn_at <= facts.at:
        return "withdrawn"
    if facts.on not in decision.days:
        return "not_today"
    return None if facts.increment in decision.increments else "not_this_dose"


def _missed_doses(facts: GiveFacts) -> str | None:
    """Locked from so many missed days until assessed on or after the last of them, and decided."""
    if facts.missed_days is None:
        return "unknown"
    limits = facts.missed_limits
    if facts.missed_days < limits.prescriber_from:
        return None
    if facts.last_covered_on is None:
        return "unknown"
    since = facts.last_covered_on + timedelta(days=limits.prescriber_from)
    seen = [
        each for each in facts.assessments if each.at <= facts.at and london_day(each.at) >= since
    ]
    if not seen:
        return "not_assessed"
    decision = facts.decision
    if decision is None or all(
        decision.written_at <= max(each.at, each.written_at) for each in seen
    ):
        return "not_decided"
    if facts.missed_days >= limits.new_episode_from and not decision.re_induction:
        return "re_induction"
    return None


def _rules(facts: GiveFacts) -> str | None:
    if facts.rules is None:
        return "unknown"
    return "stop" if facts.rules == STOP else None


def _recorded(facts: GiveFacts) -> str | None:
    if facts.recorded is None:
        return "unknown"
    if facts.recorded:
        return "recorded"
    return "in_doubt" if facts.in_doubt else None


GATES: Final[dict[str, Callable[[GiveFacts], str | None]]] = {
    "place": _place,
    "identity": _identity,
    "intoxication": _intoxication,
    "review": _review,
    "prescription": _prescription,
    "missed_doses": _missed_doses,
    "rules": _rules,
    "recorded": _recorded,
}


def _today(facts: GiveFacts, checks: tuple[Check, ...]) -> list[Check]:
    return [each for each in checks if each.at <= facts.at and london_day(each.at) == facts.on]


def _last_today(facts: GiveFacts, checks: tuple[Check, ...]) -> Check | None:
    """The newest check of the day; of two at one moment the one that speaks against."""
    return max(_today(facts, checks), key=lambda each: (each.at, not each.clear), default=None)


def _holds(facts: GiveFacts, since: datetime, gate: str) -> bool:
    """Elapsed time up to the rule's own; at the last minute it still holds."""
    limit = RULES[gate].holds
    return limit is None or facts.at - since <= limit


def _glass_broken(facts: GiveFacts, gate: str) -> bool:
    return any(
        gate in each.gates
        and timedelta(0) <= facts.at - each.at <= BREAK_GLASS_HOLDS
        and london_day(each.at) == facts.on
        for each in facts.broken
    )


# -- the rule file ---------------------------------------------------------------------------


def _load() -> tuple[dict[str, GateRule], timedelta]:
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        table = tomllib.load(file)
    rules = {row["gate"]: _gate_rule(row) for row in table["gate"]}
    if list(rules) != list(GATES):
        raise ValueError("interlock.toml and interlock.py do not name the same gates")
    return rules, timedelta(minutes=table["break_glass"]["holds"])


def _gate_rule(row: Mapping[str, Any]) -> GateRule:
    breakable = frozenset(row["breakable"])
    if not breakable <= set(row["shut"]):
        raise ValueError(f"{row['id']}: only what shuts a gate can be passed")
    return GateRule(
        row["id"], row["gate"], row["asks"], row["hazard"], row["source"], row["where"],
        row["confidence"], row["opens"], breakable, row["shut"],
        timedelta(minutes=row["holds"]) if "holds" in row else None,
    )  # fmt: skip


RULES, BREAK_GLASS_HOLDS = _load()
BREAKABLE: Final = tuple(gate for gate, rule in RULES.items() if rule.breakable)
"""The gates that break-glass may pass, as far as they are merely missing."""
