"""Would a dose of this medicine now be a start or a continuation, and why?

Read from the facts every dose check derives (facts.py): what counts as treatment, how many days
were missed and when an episode begins anew are decided there and nowhere else (RP-32, A17).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from dosing.check import rulebook
from dosing.facts import Facts, derive
from dosing.reading import read_request

START, CONTINUATION, BROKEN = "start", "continuation", "broken"
SEE_FIRST: Final = "see_first"
"""Broken: so many days missed that only a new induction is left. See first: fewer, and the
prescriber assesses before the next dose."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """How treatment with one drug stands. `last_on`: the last date covered by a dose that counts."""

    drug: str
    kind: str
    first_dose: bool
    missed_days: int
    last_on: date | None
    confirmed: bool


def treatment_of(request: Any) -> Treatment:
    """How treatment with the order's drug stands at the moment of a request. Raises Refused."""
    read = read_request(request)
    defined = rulebook().defined(read.rule_set, read.on)
    facts = derive(read, defined)
    missed = defined["missed-days"]
    return Treatment(
        facts.drug, _kind(facts, missed.whole("new_episode_from")), facts.first_dose,
        facts.missed_days, facts.last_covered_on, facts.confirmed,
    )  # fmt: skip


def _kind(facts: Facts, new_episode_from: int) -> str:
    if facts.last_covered_on is None:
        return START
    if facts.missed_days >= new_episode_from:
        return BROKEN
    return SEE_FIRST if facts.missed_dose_order else CONTINUATION
