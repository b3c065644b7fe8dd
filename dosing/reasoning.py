"""How does a rule reason? A function for each rule id, registered beside the numbers it reads.

A rule's function takes the facts and the version in force and returns a finding, or None when it
stays silent. `judges_dose` marks those that read the amount: without a usable amount (U-06) they do
not run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dosing.facts import Facts
from dosing.rulebook import Finding, RuleVersion

Reason = Callable[[Facts, RuleVersion], Finding | None]

REASONS: Final[dict[str, Reason]] = {}
JUDGES_DOSE: Final[set[str]] = set()


def reasons(rule: str, *, judges_dose: bool = False) -> Callable[[Reason], Reason]:
    """Register the function of a rule. A rule has one."""

    def register(reason: Reason) -> Reason:
        if rule in REASONS:
            raise ValueError(f"{rule} reasons twice")
        REASONS[rule] = reason
        if judges_dose:
            JUDGES_DOSE.add(rule)
        return reason

    return register


def on_days(facts: Facts, version: RuleVersion) -> bool:
    """Does D fall on the days of the episode this rule is for? An open end has no limit."""
    first, last = version.limits.get("first_day"), version.limits.get("last_day")
    return (first is None or facts.day >= first) and (last is None or facts.day <= last)
