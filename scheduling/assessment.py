"""What does an assessment lead to, and when is each part of it due again?

Chasing a laboratory or another service, the overdose reminder, an action for each risk, the help
beside a prescription, the crack pathway. Numbers, lists and sources stand in assessment.toml; days
are London dates and facts arrive as arguments.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("assessment.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}
SOURCES: Final[Mapping[str, Mapping[str, Any]]] = {
    source["id"]: source for source in _TABLE["source"]
}

RISKS: Final[Mapping[str, str]] = RULES["AS-06"]["risks"]
ACTIONS: Final[Mapping[str, str]] = RULES["AS-06"]["actions"]
IMMEDIATE_HELP: Final[Mapping[str, str]] = RULES["AS-07"]["items"]
PLAN: Final[Mapping[str, str]] = RULES["AS-08"]["items"]
CRACK_PATHWAY: Final[Mapping[str, str]] = RULES["AS-10"]["items"]
HELP: Final[Mapping[str, str]] = {
    **IMMEDIATE_HELP, **PLAN, **RULES["AS-09"]["items"], **CRACK_PATHWAY,
}  # fmt: skip
REMINDER: Final = "overdose_reminder"
REMINDER_POINTS: Final[Mapping[str, str]] = RULES["AS-11"]["points"]
STIMULANTS: Final = ("crack", "cocaine", "amphetamine")


def chase_laboratory_on(sampled_on: date) -> date:
    """The first day a laboratory that has not answered is chased. Rule: AS-01 (RP-22)."""
    return sampled_on + timedelta(days=RULES["AS-01"]["chase_after"])


def begins_anew(last_on: date, on: date) -> bool:
    """Does a finding this day begin a new assessment, after the last finding or dose? Rule: AS-02."""
    return bool((on - last_on).days > RULES["AS-02"]["silence_above"])


def next_reminder_on(completed_on: date | None, first_on: date) -> date:
    """The day the overdose reminder is due: at once, then again and again. Rule: AS-03 (DR-05)."""
    if completed_on is None:
        return first_on
    return completed_on + timedelta(days=RULES["AS-03"]["every"])


def chase_confirmation_on(claimed_on: date, asked_on: date | None) -> date:
    """The day an unanswered claim of earlier treatment is chased. Rule: AS-04 (RP-32)."""
    if asked_on is None:
        return claimed_on
    return asked_on + timedelta(days=RULES["AS-04"]["chase_after"])


def dose_waits(arrived_on: date, on: date) -> bool:
    """Does a dose of this day wait until somebody has asked about one taken elsewhere? Rule: AS-13."""
    return bool(0 <= (on - arrived_on).days <= RULES["AS-13"]["dose_waits"])


def still_asked(arrived_on: date, on: date) -> bool:
    """Are the questions of an arrival still asked on this day? Rule: AS-13 (RC-24)."""
    return asked_since(on) <= arrived_on <= on


def asked_since(on: date) -> date:
    """The earliest day of an arrival whose questions are still asked on this day. Rule: AS-13."""
    return on - timedelta(days=RULES["AS-13"]["asked_for"])


def withdrawal_found(cows: int) -> bool:
    """Does this COWS total show withdrawal? Rule: AS-05 (RP-40)."""
    return bool(cows >= RULES["AS-05"]["cows_from"])


def hardly_possible(breath: Decimal) -> bool:
    """Is this reading (micrograms per 100 ml of breath) one to ask about again? Rule: AS-12."""
    below, above = Decimal(RULES["AS-12"]["below"]), Decimal(RULES["AS-12"]["above"])
    return 0 < breath < below or breath > above


def actions_missing(risk: str, actions: Collection[str]) -> list[tuple[str, ...]]:
    """What this risk still needs: for each thing, the actions any one of which will do.

    An action for another risk does not count. Rule: AS-06 (DR-06, DR-07).
    """
    return [
        tuple(choice) for choice in RULES["AS-06"]["needed"][risk] if not set(choice) & set(actions)
    ]


def answers(risk: str, action: str) -> bool:
    """Is this an action for this risk? Rule: AS-06."""
    return any(action in choice for choice in RULES["AS-06"]["needed"][risk])


def plan_missing(
    used: Collection[str], items: Collection[str], *, opioids: bool
) -> list[tuple[str, str]]:
    """What the plan lacks, as (rule, item) pairs. `used`: drugs beside opioids; `items`: those held.

    Rules: AS-08 (CM-38), AS-09 (RP-31, RP-41).
    """
    minimum = RULES["AS-08"]
    needed = [("AS-08", item) for item in minimum["for_all"]]
    if opioids:
        needed += [("AS-08", item) for item in minimum["for_opioids"]]
    if set(used) & set(STIMULANTS):
        needed += [("AS-08", item) for item in minimum["for_stimulants"]]
    needed += [
        ("AS-09", item) for drug, item in RULES["AS-09"]["needed"].items() if drug in used
    ]  # fmt: skip
    return _once((rule, item) for rule, item in needed if item not in items)


def _once(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each item under the last rule that asks for it: the one about this person's own drugs."""
    last = {item: rule for rule, item in pairs}
    return [(rule, item) for item, rule in last.items()]
