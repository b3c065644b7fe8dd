"""Is this case complex, and exactly why? What the first visit may lead to turns on it.

A case is non-complex only when every question was answered and none of the seven reasons holds;
what nobody recorded leaves it not known, and not known is treated as complex. A prescriber still
signs. Lists, words and sources stand in complexity.toml, worked examples in
complexity.examples.toml (RP-06, RP-11, RP-26 to RP-30; A21).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
REASONS: Final[Mapping[str, Mapping[str, Any]]] = {
    entry["id"]: entry
    for entry in tomllib.loads((HERE / "complexity.toml").read_text("utf-8"))["reason"]
}
COMPLEX, NOT_KNOWN, NON_COMPLEX = "complex", "not_known", "non_complex"
MENTAL_HEALTH: Final = "CX-03"
BUPRENORPHINE: Final = "CX-07"


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of a case. None is not known; () is asked, and none.

    `substances`, `conditions` and `pregnancy` in the words of the dose-check contract.
    `breath_alcohol` in micrograms per 100 ml, it, `sedation`, `hard_to_rouse` and `clinical_view`
    (none, some, serious) from the last 24 hours. `treatment`: none, verified or unverified, now.
    `medicine`: what is planned.
    """

    substances: tuple[str, ...] | None = None
    serious_poly_substance: bool | None = None
    conditions: tuple[str, ...] | None = None
    sedation: str | None = None
    hard_to_rouse: bool = False
    breath_alcohol: Decimal | None = None
    clinical_view: str | None = None
    mental_health: tuple[str, ...] | None = None
    pregnancy: str | None = None
    treatment: str | None = None
    medicine: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One question of the seven: what to say of it, and the facts it turns on, in code words."""

    id: str
    says: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Complexity:
    """The reasons that hold, and the questions nobody can answer yet."""

    reasons: tuple[Reason, ...]
    unknown: tuple[Reason, ...]

    @property
    def state(self) -> str:
        if self.reasons:
            return COMPLEX
        return NOT_KNOWN if self.unknown else NON_COMPLEX

    @property
    def non_complex(self) -> bool:
        return self.state == NON_COMPLEX

    def holds(self, reason: str) -> bool:
        return any(each.id == reason for each in self.reasons)


Answer = tuple[str, ...] | None
"""The facts for which a reason holds, () when it does not, None when that is not known."""


def complexity(case: Case, alcohol_limit: Decimal) -> Complexity:
    """Ask all seven. `alcohol_limit`: breath micrograms per 100 ml from which rule G-AL-01 speaks."""
    answers = {reason: ask(case, REASONS[reason], alcohol_limit) for reason, ask in _ASK.items()}
    return Complexity(
        tuple(Reason(id, REASONS[id]["says"], found) for id, found in answers.items() if found),
        tuple(Reason(id, REASONS[id]["unknown"]) for id, found in answers.items() if found is None),
    )


def _substances(case: Case, reason: Mapping[str, Any], alcohol_limit: Decimal) -> Answer:
    found = tuple(each for each in case.substances or () if each in reason["substances"])
    if case.serious_poly_substance:
        found += ("serious_poly_substance",)
    if found:
        return found
    return None if case.substances is None or case.serious_poly_substance is None else ()


def _intoxication(case: Case, reason: Mapping[str, Any], alcohol_limit: Decimal) -> Answer:
    found: tuple[str, ...] = ()
    if case.sedation in reason["sedation_levels"] or case.hard_to_rouse:
        found += ("sedation",)
    if case.breath_alcohol is not None and case.breath_alcohol >= alcohol_limit:
        found += ("breath_alcohol",)
    if case.clinical_view in reason["clinical_views"]:
        found += ("clinical_view",)
    found += tuple(each for each in case.conditions or () if each in reason["conditions"])
    if found:
        return found
    seen = (case.sedation, case.breath_alcohol, case.clinical_view, case.conditions)
    return None if None in seen else ()


def _mental_health(case: Case, reason: Mapping[str, Any], alcohol_limit: Decimal) -> Answer:
    return case.mental_health


def _pregnancy(case: Case, reason: Mapping[str, Any], alcohol_limit: Decimal) -> Answer:
    if case.pregnancy == "pregnant":
        return ("pregnant",)
    return () if case.pregnancy in ("not_pregnant", "not_possible") else None


def _treatment(case: Case, reason: Mapping[str, Any], alcohol_limit: Decimal) -> Answer:
    if case.treatment == "unverified":
        return ("unverified",)
    return () if case.treatment in ("none", "verified") else None


def _illness(case: Case, reason: Mapping[str, Any], alcohol_limit: Decimal) -> Answer:
    if case.conditions is None:
        return None
    return tuple(each for each in case.conditions if each in reason["conditions"])


def _medicine(case: Case, reason: Mapping[str, Any], alcohol_limit: Decimal) -> Answer:
    if case.medicine is None:
        return None
    return ("buprenorphine",) if case.medicine == "buprenorphine" else ()


_ASK: Final[Mapping[str, Callable[[Case, Mapping[str, Any], Decimal], Answer]]] = {
    "CX-01": _substances,
    "CX-02": _intoxication,
    MENTAL_HEALTH: _mental_health,
    "CX-04": _pregnancy,
    "CX-05": _treatment,
    "CX-06": _illness,
    BUPRENORPHINE: _medicine,
}
