"""Which rules are in force here today, and what do their worked examples say?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from clinic.act import Act
from clinic.errors import NotFound
from clinic.sites.models import RULE_SETS, Site
from dosing.check import rulebook
from dosing.examples import all_examples
from dosing.rulebook import RuleVersion, Source

CONFIDENCES = {
    "S": "Seen in the source itself",
    "S2": "Seen, quoted by another source",
    "M": "From memory of the source, not seen",
    "D": "Our own number: no published one was found",
}


@dataclass(frozen=True)
class Shown:
    """One rule as it is in force, its publications, and its worked examples in words."""

    id: str
    asks: str
    hazard: str
    family: str
    version: RuleVersion
    sources: tuple[Source, ...]
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class InForce:
    """A rule set as it stands on one day."""

    rule_set: str
    words: str
    edition: str
    chosen_here: str | None
    rules: list[Shown]


def in_force(act: Act, rule_set: str | None = None, words: str = "") -> InForce:
    """The rules of this site's set today, or of another set; those that have all of `words`."""
    act.need("guidance.read")
    site = act.session.get_one(Site, act.site_id)
    chosen = site.rule_set_on(act.today)
    asked = rule_set or chosen or next(iter(RULE_SETS))
    if asked not in RULE_SETS:
        raise NotFound("There is no such rule set.")
    book = rulebook()
    shown = []
    for rule_id, version in book.in_force(asked, act.today).items():
        rule = book.rules[rule_id]
        one = Shown(
            rule_id, rule.asks, rule.hazard, rule.family.replace("_", " "), version,
            tuple(book.sources[each] for each in version.sources),
            examples_of(rule_id, asked),
        )  # fmt: skip
        if _has(one, words.lower().split()):
            shown.append(one)
    return InForce(asked, RULE_SETS[asked], book.set_versions[asked], chosen, shown)


def _has(one: Shown, words: Iterable[str]) -> bool:
    text = f"{one.id} {one.asks} {one.version.message} {one.family} {one.version.source}".lower()
    return all(word in text for word in words)


@cache
def _examples() -> Mapping[tuple[str, str], tuple[tuple[str, str], ...]]:
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for each in all_examples(rulebook()):
        facts = ", ".join(f"{name} {_value(value)}" for name, value in each.changes.items())
        says = each.severity or "fires" if each.fires else "silent"
        found.setdefault((each.rule, each.rule_set), []).append(
            (facts.replace("_", " ") or "nothing changed", f"{says}, from: {each.base}")
        )
    return {key: tuple(dict.fromkeys(value)) for key, value in found.items()}


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k} {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + "; ".join(_value(each) for each in value) + "]"
    return str(value)


def examples_of(rule_id: str, rule_set: str) -> tuple[tuple[str, str], ...]:
    """The worked examples of a rule: what differs from a request that passes, and what follows."""
    return _examples().get((rule_id, rule_set), ())
