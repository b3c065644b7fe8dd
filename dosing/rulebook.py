"""What does each rule say, on whose authority, and since when?

Rules are data with a source: each family's TOML holds the numbers, severity, message, source and
dates; the function that reasons stands in the Python file of the same name and reads every limit
from the version it is given. A site that tightens a limit passes an adjusted version.

Facts that several rules share (when an episode begins, when tolerance is low) are definitions,
written on the same form without severity or message (facts.toml).
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from dosing.units import as_text

HERE: Final = Path(__file__).parent

SEVERITIES: Final = ("STOP", "ALERT", "INFO")
CONFIDENCES: Final = ("S", "S2", "M", "D")
_SOURCE_KEY: Final = re.compile(r"S[0-9]+b?(?!\])")


class FaultyRulebook(ValueError):
    """The rules as written cannot be relied on; the service must not start."""


@dataclass(frozen=True, slots=True)
class Source:
    """One publication. `seen` says how much of it was read when the rules were written."""

    id: str
    title: str
    seen: str
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that fired. `facts` holds the values it used, already fit for JSON."""

    rule: str
    severity: str
    message: str
    source: str
    facts: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "severity": self.severity,
            "message": self.message,
            "source": self.source,
            "facts": dict(self.facts),
        }


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One rule (or definition) as it stands in one set, for a span of days.

    `first_on` and `last_on` are both included; None is the set's whole life. `limits` are the
    numbers, lists and tables the reasoning reads; their names carry the unit where it is not
    `unit`. `source` is the rule table's citation, `sources` the publications it names.
    """

    rule: str
    set: str
    unit: str
    source: str
    sources: tuple[str, ...]
    where: str
    confidence: str
    limits: Mapping[str, Any]
    review_by: date
    severity: str | None = None
    message: str = ""
    first_on: date | None = None
    last_on: date | None = None
    checked_by: str | None = None
    checked_on: date | None = None

    @property
    def signed(self) -> bool:
        return self.checked_by is not None and self.checked_on is not None

    def number(self, name: str) -> Decimal:
        limit: Decimal = self.limits[name]
        return limit

    def whole(self, name: str) -> int:
        """A limit counted in whole days, points or milliseconds."""
        return int(self.limits[name])

    def hours(self, name: str) -> timedelta:
        """A limit in hours, as elapsed time."""
        return timedelta(seconds=int(self.limits[name] * 3600))

    def words(self, name: str) -> tuple[str, ...]:
        words: tuple[str, ...] = self.limits[name]
        return words

    def finding(self, *, severity: str | None = None, **facts: Any) -> Finding:
        """This rule fires, on these facts; its message is filled from them."""
        fit = {name: as_json_value(value) for name, value in facts.items()}
        spoken = {
            name: ", ".join(map(str, value)) if isinstance(value, list) else value
            for name, value in fit.items()
        }
        return Finding(
            self.rule,
            severity or self.severity or "",
            self.message.format_map(spoken),
            self.source,
            fit,
        )


def as_json_value(value: Any) -> Any:
    """Decimals as text, dates and instants as ISO text, elapsed time as hours in text."""
    if isinstance(value, Decimal):
        return as_text(value)
    if isinstance(value, timedelta):
        hours = Decimal(int(value.total_seconds())) / 3600
        return as_text(hours.quantize(Decimal("0.01")))
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [as_json_value(each) for each in value]
    return value


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the rule tables: what it asks, the hazard it guards against, its versions.

    `tighter` names the limits a site may move and the one way each may go.
    """

    id: str
    asks: str
    hazard: str
    family: str
    tighter: Mapping[str, str]
    versions: tuple[RuleVersion, ...]


@dataclass(frozen=True)
class Rulebook:
    """Every rule, definition and source. `set_versions` names the edition of each rule set."""

    rules: Mapping[str, Rule]
    definitions: Mapping[str, Rule]
    sources: Mapping[str, Source]
    set_versions: Mapping[str, str]
    _spans: dict[str, tuple[list[date], list[Mapping[str, RuleVersion]]]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for rule_set in self.set_versions:
            for kind, holders in (("rules", self.rules), ("definitions", self.definitions)):
                self._spans[f"{rule_set} {kind}"] = _by_span(rule_set, holders.values())

    def in_force(self, rule_set: str, on: date) -> Mapping[str, RuleVersion]:
        """The version of each rule of a set in force on a London date, by rule id in id order."""
        starts, spans = self._spans[f"{rule_set} rules"]
        return spans[bisect_right(starts, on) - 1]

    def defined(self, rule_set: str, on: date) -> Mapping[str, RuleVersion]:
        """The version of each shared definition in force on a London date."""
        starts, spans = self._spans[f"{rule_set} definitions"]
        return spans[bisect_right(starts, on) - 1]

    def with_version(self, tightened: RuleVersion) -> Rulebook:
        """The same rulebook with one version standing in place of the one it adjusts."""
        held = self.rules[tightened.rule]
        versions = tuple(
            tightened if (v.set, v.first_on) == (tightened.set, tightened.first_on) else v
            for v in held.versions
        )
        return replace(self, rules={**self.rules, held.id: replace(held, versions=versions)})


def _by_span(
    rule_set: str, holders: Iterable[Rule]
) -> tuple[list[date], list[Mapping[str, RuleVersion]]]:
    """The dates on which a set changes, and what is in force from each."""
    versions = [v for rule in holders for v in rule.versions if v.set == rule_set]
    starts = {date.min}
    for v in versions:
        if v.first_on is not None:
            starts.add(v.first_on)
        if v.last_on is not None:
            starts.add(v.last_on + timedelta(days=1))
    dates = sorted(starts)
    return dates, [
        {
            v.rule: v
            for v in sorted(versions, key=lambda v: v.rule)
            if (v.first_on or date.min) <= on <= (v.last_on or date.max)
        }
        for on in dates
    ]


# -- loading ------------------------------------------------------------------------------


def load_rulebook(folder: Path, families: Iterable[str]) -> Rulebook:
    """Read sources, definitions and every family of rules. Raises FaultyRulebook."""
    sources = {
        entry["id"]: Source(**entry)
        for entry in _read(folder / "sources.toml", exact=False)["source"]
    }
    set_versions = {
        entry["set"]: entry["version"] for entry in _read(folder / "rule_sets.toml")["rule_set"]
    }
    definitions = _rules(folder, "facts", "definition", sources, set_versions)
    rules: dict[str, Rule] = {}
    for family in families:
        for rule in _rules(folder, family, "rule", sources, set_versions).values():
            if rule.id in rules:
                raise FaultyRulebook(f"{rule.id} is written twice")
            rules[rule.id] = rule
    return Rulebook(rules, definitions, sources, set_versions)


def _read(path: Path, *, exact: bool = True) -> dict[str, Any]:
    with path.open("rb") as file:
        read = tomllib.load(file, parse_float=Decimal)
    return _exact(read) if exact else read


def _exact(value: Any) -> Any:
    """Whole numbers as Decimal too, lists as tuples: what a rule reads is exact and fixed."""
    if isinstance(value, dict):
        return {name: _exact(each) for name, each in value.items()}
    if isinstance(value, list):
        return tuple(_exact(each) for each in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return value


def _rules(
    folder: Path,
    family: str,
    kind: str,
    sources: Mapping[str, Source],
    set_versions: Mapping[str, str],
) -> dict[str, Rule]:
    read = _read(folder / f"{family}.toml")
    rules: dict[str, Rule] = {}
    for entry in read[kind]:
        try:
            versions = tuple(
                version
                for written in entry["version"]
                for version in _versions(entry, written, read, kind, sources, set_versions)
            )
            rules[entry["id"]] = Rule(
                entry["id"],
                entry["asks"],
                entry.get("hazard", ""),
                family,
                MappingProxyType(dict(entry.get("tighter", {}))),
                versions,
            )
        except KeyError as missing:
            raise FaultyRulebook(f"{entry.get('id')} in {family}.toml lacks {missing}") from None
        _no_overlap(versions)
    return rules


def _versions(
    entry: Mapping[str, Any],
    written: Mapping[str, Any],
    read: Mapping[str, Any],
    kind: str,
    sources: Mapping[str, Source],
    set_versions: Mapping[str, str],
) -> list[RuleVersion]:
    name = entry["id"]
    unit, source, where = entry["unit"], written["source"], written["where"]
    keys = tuple(dict.fromkeys(_SOURCE_KEY.findall(source))) or tuple(
        mark for mark in ("D", "M") if f"[{mark}" in source
    )
    if not unit or not keys or not where or any(key not in sources for key in keys):
        raise FaultyRulebook(f"{name}: a version needs a unit and sources that are listed")
    severity = written["severity"] if kind == "rule" else None
    if kind == "rule" and severity not in SEVERITIES:
        raise FaultyRulebook(f"{name}: {severity} is no severity")
    if written["confidence"] not in CONFIDENCES:
        raise FaultyRulebook(f"{name}: {written['confidence']} is no confidence")
    limits = MappingProxyType(dict(written.get("limits", {})))
    if not set(entry.get("tighter", {})) <= set(limits):
        raise FaultyRulebook(f"{name}: a limit a site may tighten is not among its limits")
    out = []
    for rule_set in written["sets"]:
        if rule_set not in set_versions:
            raise FaultyRulebook(f"{name}: {rule_set} is no rule set")
        out.append(
            RuleVersion(
                name,
                rule_set,
                unit,
                source,
                keys,
                where,
                written["confidence"],
                limits,
                written.get("review_by", read["review_by"]),
                severity,
                written["message"] if kind == "rule" else "",
                written.get("from"),
                written.get("to"),
                written.get("checked_by"),
                written.get("checked_on"),
            )
        )
    return out


def _no_overlap(versions: tuple[RuleVersion, ...]) -> None:
    for place, one in enumerate(versions):
        for other in versions[place + 1 :]:
            if (
                one.set == other.set
                and (one.first_on or date.min) <= (other.last_on or date.max)
                and (other.first_on or date.min) <= (one.last_on or date.max)
            ):
                raise FaultyRulebook(f"{one.rule}: two versions of {one.set} share a day")
