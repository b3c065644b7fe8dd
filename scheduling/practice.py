"""Which rules beside the dose rules guide the service, with their numbers, sources and marks?

Complexity, the interlock, carry-over, assessment, reviews, missed doses and prescription forms each
read a file of their own and reason beside it. Here the same files are read once more as they are
written, so that they can be shown and signed like the dose rules. They hold whichever rule set a
site chose.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from dosing import rulebook as book
from dosing.check import rulebook
from dosing.rulebook import FaultyRulebook, Rule, RuleVersion, Source

SET: Final = "practice"
"""Stands where a dose rule's version names its rule set."""

HERE: Final = Path(__file__).parent
_FILES: Final[Mapping[str, tuple[Path, tuple[str, ...]]]] = {
    "complexity": (book.HERE / "complexity.toml", ("reason",)),
    "interlock": (book.HERE / "interlock.toml", ("gate", "break_glass")),
    "carry_over": (book.HERE / "carry_over.toml", ("parameter",)),
    "assessment": (HERE / "assessment.toml", ("rule",)),
    "reviews": (HERE / "reviews.toml", ("rule",)),
    "missed_days": (HERE / "consumption.toml", ("step", "rule")),
    "prescription_forms": (HERE / "instalments.toml", ("limit", "products")),
    "wordings": (HERE / "wordings.toml", ("wording",)),
    "waiting": (HERE / "waiting.toml", ("rule",)),
    "booking": (HERE / "booking.toml", ("rule",)),
    "missed_contact": (HERE / "missed_contact.toml", ("rule", "step")),
    "chain": (HERE / "chains.toml", ("rule",)),
    "groups": (HERE / "groups.toml", ("rule",)),
    "keyworkers": (HERE / "keyworkers.toml", ("rule",)),
    "completion": (HERE / "completion.toml", ("rule",)),
    "observations": (HERE / "observations.toml", ("rule",)),
    "handover": (HERE / "handover.toml", ("rule",)),
    "aftercare": (HERE / "aftercare.toml", ("rule",)),
    "site_planning": (HERE / "site_planning.toml", ("rule",)),
    "phases": (HERE / "phases.toml", ("rule",)),
    "reminders": (HERE / "reminders.toml", ("window", "rule", "wording")),
}
_OWN: Final = "own"
_WORDS: Final = ("message", "says", "unknown", "text")
_APART: Final = frozenset({
    "id", "rule", "asks", "hazard", "unit", "source", "where", "confidence", "review_by",
    "checked_by", "checked_on", *_WORDS,
})  # fmt: skip


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule of these files by its id, in the order a person meets them. FaultyRulebook."""
    found: dict[str, Rule] = {}
    for family, (path, tables) in _FILES.items():
        read = book.read_exactly(path)
        for table in tables:
            entries = read[table]
            for entry in (entries,) if isinstance(entries, Mapping) else entries:
                rule = _rule(family, entry, read)
                if rule.id in found or rule.id in rulebook().rules:
                    raise FaultyRulebook(f"{rule.id} is written twice")
                found[rule.id] = rule
    return MappingProxyType(found)


@cache
def sources() -> Mapping[str, Source]:
    """The publications these rules name: those of the dose rules, and each file's own."""
    found = dict(rulebook().sources)
    for path, _ in _FILES.values():
        for entry in tomllib.loads(path.read_text("utf-8")).get("source", ()):
            held = Source(
                entry["id"], entry["title"], "", entry.get("publisher"), entry.get("year")
            )
            if found.setdefault(held.id, held) != held:
                raise FaultyRulebook(f"source {held.id} is written in two ways")
    return MappingProxyType(found)


def _rule(family: str, entry: Mapping[str, Any], read: Mapping[str, Any]) -> Rule:
    try:
        name = entry.get("rule", entry["id"])
        version = RuleVersion(
            name, SET, entry.get("unit", "words"), *_cited(entry), entry["where"],
            entry["confidence"], MappingProxyType(dict(_limits(entry))),
            entry.get("review_by") or read["review_by"], message=_says(entry),
            checked_by=entry.get("checked_by"), checked_on=entry.get("checked_on"),
        )  # fmt: skip
        if version.confidence not in book.CONFIDENCES or not version.where:
            raise FaultyRulebook(f"{name}: a rule needs a place and a confidence mark")
        return Rule(
            name, entry["asks"], entry.get("hazard", ""), family, MappingProxyType({}), (version,)
        )
    except KeyError as missing:
        raise FaultyRulebook(f"{entry.get('id')} of {family} lacks {missing}") from None


def _cited(entry: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The source as it is cited, and the publications it names."""
    written = entry["source"]
    if written in sources():
        mark = entry["confidence"]
        return f"{written} [{mark}]", (written,)
    keys = book.source_keys(written)
    if not keys or any(key not in sources() for key in keys):
        raise FaultyRulebook(f"{entry['id']}: source {written} is not listed")
    return written, keys


def _says(entry: Mapping[str, Any]) -> str:
    """What staff are told; messages that wait for facts keep their names in braces."""
    said = [entry[key] for key in _WORDS if key in entry]
    said += [text for key, text in entry.items() if key not in _WORDS and _is_message(text)]
    return " / ".join(said)


def _limits(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Everything the reasoning reads, and how it is counted and read."""
    for name, value in entry.items():
        if name not in _APART and not _is_message(value):
            yield name, value


def _is_message(value: Any) -> bool:
    return isinstance(value, str) and "{" in value
