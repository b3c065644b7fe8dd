"""What does each rule say, on whose authority, and since when?

Rules are data with a source: each family's TOML holds the numbers, severity, message, source and
dates; the function that reasons stands in the Python file of the same name and reads every limit
from the version it is given. A site that tightens a limit passes an adjusted version
(tightening.py).

A change is a new edition of its set: the version it replaces is marked `dropped`, the new one
`added`, and both stay, so that a decision is judged again as its own edition judged it.

Facts that several rules share (when an episode begins, when tolerance is low) are definitions,
written on the same form without severity or message (facts.toml).
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from dosing.medicines import BUPRENORPHINE, METHADONE
from dosing.units import as_text

HERE: Final = Path(__file__).parent

DRUGS: Final = (METHADONE, BUPRENORPHINE)
SEVERITIES: Final = ("STOP", "ALERT", "INFO")
CONFIDENCES: Final = ("S", "S2", "M", "D")
_SOURCE_KEY: Final = re.compile(r"S[0-9]+b?(?!\])")


class FaultyRulebook(ValueError):
    """The rules as written cannot be relied on; the service must not start."""


class UnknownEdition(ValueError):
    """No edition of this name was ever shipped with these rules."""


@dataclass(frozen=True, slots=True)
class Source:
    """One publication. `seen` says how much of it was read when the rules were written.

    Publisher, year and public address are None where they are not certain.
    """

    id: str
    title: str
    seen: str
    publisher: str | None = None
    year: int | None = None
    url: str | None = None


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
    `unit`. `source` is the rule table's citation, `sources` the publications it names. `added` and
    `dropped`: the editions that brought it and that no longer have it, None where it was always
    there or still is. `shipped`: the version a site's tighter limits were put into.
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
    added: str | None = None
    dropped: str | None = None
    shipped: RuleVersion | None = None

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
        """This rule fires, on these facts; its message is filled from them and from the limits."""
        fit = {name: as_json_value(value) for name, value in facts.items()}
        message = self.message.format_map(_Spoken(self.limits, fit))
        if self.shipped is not None:
            moved = self.moved()
            fit["site_limits"] = [
                {"limit": name, "here": here, "shipped": was} for name, here, was in moved
            ]
            told = "; ".join(
                f"{limit_words(name, here)}, as shipped {was}" for name, here, was in moved
            )
            message += f" This site's tighter limit: {told}."
        return Finding(self.rule, severity or self.severity or "", message, self.source, fit)

    def moved(self) -> list[tuple[str, str, str]]:
        """The limits a site has tightened: name, its value here, its value as shipped."""
        if self.shipped is None:
            return []
        return [
            (name, as_text(value), as_text(self.shipped.limits[name]))
            for name, value in self.limits.items()
            if value != self.shipped.limits[name]
        ]

    def says(self) -> str:
        """The message before any facts are known: limits filled in, facts named in brackets."""
        return self.message.format_map(_Spoken(self.limits, {}))

    def fingerprint(self, asks: str) -> str:
        """What a signature is put under. It changes with any word, number or date of this version."""
        written = {
            "asks": asks, "rule": self.rule, "set": self.set, "unit": self.unit,
            "source": self.source, "where": self.where, "confidence": self.confidence,
            "limits": {name: as_json_value(value) for name, value in self.limits.items()},
            "severity": self.severity, "message": self.message,
            "from": as_json_value(self.first_on), "to": as_json_value(self.last_on),
        }  # fmt: skip
        text = json.dumps(written, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class _Spoken(dict[str, Any]):
    """What fills a message: the facts, then the limits; a fact nobody knows yet is named instead."""

    def __init__(self, limits: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        super().__init__(facts)
        self._limits = limits

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            if name not in self._limits:
                return f"[{name.replace('_', ' ')}]"
            return as_json_value(self._limits[name])
        value = super().__getitem__(name)
        return ", ".join(map(str, value)) if isinstance(value, list) else value


_UNITS: Final = (
    "mg_per_ml", "mg", "hours", "minutes", "days", "years", "ms", "micrograms",
)  # fmt: skip


def limit_words(name: str, value: object) -> str:
    """`above_mg` and 40: "above 40 mg". The unit is read from the name."""
    for unit in _UNITS:
        if name.endswith(f"_{unit}"):
            what = name.removesuffix(f"_{unit}").replace("_", " ")
            mark = ":" if what[-1:].isdigit() else ""
            return f"{what}{mark} {value} {unit.replace('mg_per_ml', 'mg/ml')}"
    return f"{name.replace('_', ' ')} {value}"


def as_json_value(value: Any) -> Any:
    """Decimals as text, dates, times and instants as ISO text, elapsed time as hours in text."""
    if isinstance(value, Decimal):
        return as_text(value)
    if isinstance(value, timedelta):
        hours = Decimal(int(value.total_seconds())) / 3600
        return as_text(hours.quantize(Decimal("0.01")))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [as_json_value(each) for each in value]
    if isinstance(value, Mapping):
        return {name: as_json_value(each) for name, each in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the rule tables: what it asks, the hazard it guards against, its versions.

    `tighter` names the limits a site may move and the one way each may go (lower or higher).
    """

    id: str
    asks: str
    hazard: str
    family: str
    tighter: Mapping[str, str]
    versions: tuple[RuleVersion, ...]


def drugs_of(rule: str) -> tuple[str, ...]:
    """The medicines a rule of this id speaks of: M- methadone, B- buprenorphine, any other both."""
    return {"M": (METHADONE,), "B": (BUPRENORPHINE,)}.get(rule.split("-")[0], DRUGS)


@dataclass(frozen=True)
class Rulebook:
    """Every rule, definition and source. `set_versions` names the edition of each rule set.

    `editions`: every edition of each set there has been, oldest first.
    """

    rules: Mapping[str, Rule]
    definitions: Mapping[str, Rule]
    sources: Mapping[str, Source]
    set_versions: Mapping[str, str]
    editions: Mapping[str, tuple[str, ...]]
    _spans: dict[str, tuple[list[date], list[Mapping[str, RuleVersion]]]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for rule_set in self.set_versions:
            for kind, holders in (("rules", self.rules), ("definitions", self.definitions)):
                versions = [
                    v
                    for rule in holders.values()
                    for v in rule.versions
                    if v.set == rule_set and self.stands(v)
                ]
                self._spans[f"{rule_set} {kind}"] = _by_span(versions)

    def stands(self, version: RuleVersion) -> bool:
        """Is this version part of its set's edition? One dropped since, or not yet added, is not."""
        return _stands(version, self.set_versions[version.set], self.editions[version.set])

    def as_of(self, rule_set: str, edition: str) -> Rulebook:
        """The same rulebook with one set as an earlier edition had it. UnknownEdition."""
        if edition == self.set_versions[rule_set]:
            return self
        if edition not in self.editions[rule_set]:
            raise UnknownEdition(f"{rule_set} has had no edition {edition}")
        return replace(self, set_versions={**self.set_versions, rule_set: edition})

    def in_force(self, rule_set: str, on: date) -> Mapping[str, RuleVersion]:
        """The version of each rule of a set in force on a London date, by rule id in id order."""
        starts, spans = self._spans[f"{rule_set} rules"]
        return spans[bisect_right(starts, on) - 1]

    def defined(self, rule_set: str, on: date) -> Mapping[str, RuleVersion]:
        """The version of each shared definition in force on a London date."""
        starts, spans = self._spans[f"{rule_set} definitions"]
        return spans[bisect_right(starts, on) - 1]

    def with_versions(self, adjusted: Iterable[RuleVersion]) -> Rulebook:
        """The same rulebook with these versions standing in place of the ones they adjust."""
        rules = dict(self.rules)
        for version in adjusted:
            held = rules[version.rule]
            versions = tuple(version if _same(v, version) else v for v in held.versions)
            rules[held.id] = replace(held, versions=versions)
        return replace(self, rules=rules)


def _same(one: RuleVersion, other: RuleVersion) -> bool:
    return (one.set, one.first_on, one.added) == (other.set, other.first_on, other.added)


def _stands(version: RuleVersion, edition: str, editions: tuple[str, ...]) -> bool:
    at = editions.index(edition)
    return (version.added is None or editions.index(version.added) <= at) and (
        version.dropped is None or at < editions.index(version.dropped)
    )


def _by_span(
    versions: list[RuleVersion],
) -> tuple[list[date], list[Mapping[str, RuleVersion]]]:
    """The dates on which a set changes, and what is in force from each."""
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
    sources: dict[str, Source] = {}
    for entry in tomllib.loads((folder / "sources.toml").read_text("utf-8"))["source"]:
        source = _source(entry)
        if source.id in sources:
            raise FaultyRulebook(f"source {source.id} is written twice")
        sources[source.id] = source
    written = read_exactly(folder / "rule_sets.toml")["rule_set"]
    set_versions = {entry["set"]: entry["version"] for entry in written}
    editions = {
        entry["set"]: (*entry.get("earlier", ()), entry["version"]) for entry in written
    }  # fmt: skip
    definitions = _rules(folder, "facts", "definition", sources, editions)
    rules: dict[str, Rule] = {}
    for family in families:
        for rule in _rules(folder, family, "rule", sources, editions).values():
            if rule.id in rules:
                raise FaultyRulebook(f"{rule.id} is written twice")
            rules[rule.id] = rule
    return Rulebook(rules, definitions, sources, set_versions, editions)


def _source(entry: Mapping[str, Any]) -> Source:
    try:
        source = Source(**entry)
    except TypeError as wrong:
        raise FaultyRulebook(f"source {entry.get('id')}: {wrong}") from None
    if source.url is not None and not source.url.startswith("https://"):
        raise FaultyRulebook(f"source {source.id}: its address must begin with https://")
    return source


def source_keys(citation: str) -> tuple[str, ...]:
    """The publications a citation names; of one that names none, what it rests on instead."""
    return tuple(dict.fromkeys(_SOURCE_KEY.findall(citation))) or tuple(
        mark for mark in ("D", "M") if f"[{mark}" in citation
    )


def read_exactly(path: Path) -> dict[str, Any]:
    """A rule file as it is written: every number a Decimal, every list a tuple."""
    with path.open("rb") as file:
        read: dict[str, Any] = _exact(tomllib.load(file, parse_float=Decimal))
    return read


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
    editions: Mapping[str, tuple[str, ...]],
) -> dict[str, Rule]:
    read = read_exactly(folder / f"{family}.toml")
    rules: dict[str, Rule] = {}
    for entry in read[kind]:
        try:
            versions = tuple(
                version
                for written in entry["version"]
                for version in _versions(entry, written, read, kind, sources, editions)
            )
            if not set(entry.get("tighter", {})) <= {name for v in versions for name in v.limits}:
                raise FaultyRulebook(f"{entry['id']}: a limit to tighten is not among its limits")
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
        _no_overlap(versions, editions)
    return rules


def _versions(
    entry: Mapping[str, Any],
    written: Mapping[str, Any],
    read: Mapping[str, Any],
    kind: str,
    sources: Mapping[str, Source],
    editions: Mapping[str, tuple[str, ...]],
) -> list[RuleVersion]:
    name = entry["id"]
    unit, source, where = entry["unit"], written["source"], written["where"]
    keys = source_keys(source)
    if not unit or not keys or not where or any(key not in sources for key in keys):
        raise FaultyRulebook(f"{name}: a version needs a unit and sources that are listed")
    severity = written["severity"] if kind == "rule" else None
    if kind == "rule" and severity not in SEVERITIES:
        raise FaultyRulebook(f"{name}: {severity} is no severity")
    if written["confidence"] not in CONFIDENCES:
        raise FaultyRulebook(f"{name}: {written['confidence']} is no confidence")
    limits = MappingProxyType(dict(written.get("limits", {})))
    added, dropped = written.get("added"), written.get("dropped")
    out = []
    for rule_set in written["sets"]:
        if rule_set not in editions:
            raise FaultyRulebook(f"{name}: {rule_set} is no rule set")
        if not {added, dropped} <= {None, *editions[rule_set]}:
            raise FaultyRulebook(f"{name}: added or dropped in no edition of {rule_set}")
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
                added,
                dropped,
            )
        )
    return out


def _no_overlap(versions: tuple[RuleVersion, ...], editions: Mapping[str, tuple[str, ...]]) -> None:
    for place, one in enumerate(versions):
        for other in versions[place + 1 :]:
            every = editions[one.set]
            if (
                one.set == other.set
                and any(_stands(one, each, every) and _stands(other, each, every) for each in every)
                and (one.first_on or date.min) <= (other.last_on or date.max)
                and (other.first_on or date.min) <= (one.last_on or date.max)
            ):
                raise FaultyRulebook(f"{one.rule}: two versions of {one.set} share a day")
