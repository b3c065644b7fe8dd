"""Is every number of the rule files held in place by worked examples?

Each limit of each rule, in each set, is moved by one step each way: a dose by a microgram, hours by
a minute, a date by a day, a count by one; a word of a list is left out, a yes becomes a no, a
severity the next one. The rule's own examples of that set must notice. So must, for what several
rules share (facts.toml), any example of the set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from functools import cache
from typing import Any

from dosing.check import rulebook
from dosing.examples import Example
from dosing.facts import Facts, derive
from dosing.reasoning import JUDGES_DOSE, REASONS
from dosing.request import DoseRequest
from dosing.rulebook import SEVERITIES, RuleVersion
from tests.support.known import known_facts, read_examples

NO_VERDICT_CHANGES = {
    ("G-IN-02", "first_day = 0"): "no episode has a day 0",
    ("G-AL-01", "first_day = 0"): "no episode has a day 0",
    ("G-AL-02", "first_day = 0"): "no episode has a day 0",
    ("M-MD-05", "first_day = 0"): "no episode has a day 0",
    ("M-MD-05", "first_day = 2"): "two days are missed on day 4 at the soonest",
    ("P-03", "first_day = 0"): "prison days begin with 1",
    ("M-TI-03", "first_day = 1"): "an order on day 1 is a start and no increase",
    ("M-TI-07", "first_day = 1"): "an order on day 1 is a start and no increase",
    ("M-TI-09", "first_day = 1"): "an order on day 1 is a start and no increase",
    ("M-TI-04", "first_day = 7"): "on day 7 the day seven days ago lies before the episode",
    ("M-TI-11", "first_day = 7"): "on day 7 the day seven days ago lies before the episode",
    ("M-TI-07", "within_hours = 24.016666667"): "a reading older than 24 h is unknown already",
    ("M-MX-07", "experience_above_mg = 119.999"): "up to 120 mg the rule is silent before it asks",
    ("on-sublingual", "dates_before = 3"): "era-2003 only: no rule of that set asks it",
    ("on-sublingual", "dates_before = 1"): "era-2003 only: no rule of that set asks it",
    ("depot-week-1", "days = 8"): "era-2003 only: no rule of that set asks it",
    ("depot-week-1", "days = 6"): "era-2003 only: no rule of that set asks it",
    ("depot-week-1", "extra_mg = 8.001"): "era-2003 only: no rule of that set asks it",
    ("depot-week-1", "extra_mg = 7.999"): "era-2003 only: no rule of that set asks it",
}
"""Moves that no example could notice, and why."""

MICROGRAM = Decimal("0.001")
STEPS = {
    "mg": MICROGRAM,
    "mg_per_ml": MICROGRAM,
    "micrograms": MICROGRAM,
    "share_of_last": Decimal("0.01"),
    "share_of_previous": Decimal("0.01"),
}
"""The smallest step that can tell two requests apart, by how the limit's name ends; else 1."""


@dataclass(frozen=True)
class Moved:
    """A version with one thing changed. `limit` names it, `to` says what it became."""

    version: RuleVersion
    was: RuleVersion
    limit: str
    to: str

    def __str__(self) -> str:
        return f"{self.was.rule} ({self.was.set}) {self.limit} = {self.to}"

    @property
    def why_unnoticed(self) -> str | None:
        """Why no verdict can change; None when one can."""
        why = NO_VERDICT_CHANGES.get((self.was.rule, f"{self.limit} = {self.to}"))
        of_one_set = why is not None and why.startswith("era-2003 only")
        return None if of_one_set and self.was.set != "era-2003" else why


def a_step(name: str) -> Decimal:
    if name.endswith("hours"):
        return Decimal(1) / 60
    return next((step for end, step in STEPS.items() if name.endswith(end)), Decimal(1))


def moved_limits(version: RuleVersion) -> Iterator[Moved]:
    """This version with each limit moved by one step each way."""
    for name, value in version.limits.items():
        for said, becomes in _moved(name, value):
            limits = {**version.limits, name: becomes}
            yield Moved(replace(version, limits=limits), version, name, said)


def _moved(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, bool):
        yield str(not value), not value
    elif isinstance(value, Decimal):
        for sign in (1, -1):
            becomes = value + sign * a_step(name)
            if name.endswith("hours"):
                # A whole number of seconds, whatever a minute is as a part of an hour.
                becomes = becomes.quantize(Decimal("1e-9"), ROUND_CEILING)
            if becomes >= 0:
                yield f"{becomes:f}", becomes
    elif isinstance(value, date):
        for days in (1, -1):
            yield str(value + timedelta(days=days)), value + timedelta(days=days)
    elif isinstance(value, str):
        yield "another word", f"not {value}"
    elif isinstance(value, Mapping):
        for key, each in value.items():
            for said, becomes in _moved("mg" if name == "rows" else key, each):
                yield f"{key} {said}", {**value, key: becomes}
    else:
        for place, each in enumerate(value):
            before, after = value[:place], value[place + 1 :]
            if isinstance(each, str):
                yield f"without {each}", (*before, *after)
            else:
                for said, becomes in _moved(name, each):
                    yield f"[{place}] {said}", (*before, becomes, *after)


def every_version() -> Iterator[RuleVersion]:
    """Each rule and definition as it stands in each set."""
    book = rulebook()
    for held in (*book.rules.values(), *book.definitions.values()):
        yield from held.versions


def moved_dates(version: RuleVersion) -> Iterator[Moved]:
    """This version begun, or ended, a day sooner and later."""
    for name in ("first_on", "last_on"):
        day: date | None = getattr(version, name)
        for days in (1, -1) if day else ():
            becomes = day + timedelta(days=days)
            yield Moved(replace(version, **{name: becomes}), version, name, str(becomes))


def moved_severity(version: RuleVersion) -> Iterator[Moved]:
    """This version with each other severity."""
    for severity in SEVERITIES:
        if severity != version.severity:
            yield Moved(replace(version, severity=severity), version, "severity", severity)


def far_away(version: RuleVersion, limit: str) -> Iterator[Moved]:
    """This version with one limit moved to nothing, and to far more than any example has."""
    for becomes in (Decimal(0), version.limits[limit] * 100 + 100):
        limits = {**version.limits, limit: becomes}
        yield Moved(replace(version, limits=limits), version, limit, f"{becomes:f}")


# -- do the examples notice? ---------------------------------------------------------------


@cache
def _of_rule(rule_set: str) -> Mapping[str, list[tuple[Example, Facts]]]:
    out = defaultdict(list)
    for example, facts in known_facts(rule_set):
        out[example.rule].append((example, facts))
    return out


def noticed_by(moved: Moved) -> list[Example]:
    """The examples that no longer hold when one limit or date of a rule, or definition, moved."""
    return list(_noticed_by(moved))


def is_noticed(moved: Moved) -> bool:
    """Is there such an example?"""
    return next(_noticed_by(moved), None) is not None


def _noticed_by(moved: Moved) -> Iterator[Example]:
    if moved.was.rule in rulebook().definitions:
        return _noticed_by_any(moved)
    return (
        example
        for example, facts in _of_rule(moved.was.set)[moved.was.rule]
        if (version := _in_force(moved, facts.on)) is not None
        and not _holds(example, facts, None if version == "none" else version)
    )


def _in_force(moved: Moved, on: date) -> RuleVersion | str | None:
    """The version the example is judged under now; None when the move does not concern it."""
    held = rulebook().in_force(moved.was.set, on).get(moved.was.rule)
    if (moved.version.first_on or date.min) <= on <= (moved.version.last_on or date.max):
        return moved.version if held is moved.was or held is None else None
    return "none" if held is moved.was else None


def _holds(example: Example, facts: Facts, version: RuleVersion | None) -> bool:
    # As the door has it: without a usable amount the rules that read it do not run.
    silent = facts.request.order.dose_mg is None and example.rule in JUDGES_DOSE
    finding = None if version is None or silent else REASONS[example.rule](facts, version)
    if (finding is not None) is not example.fires:
        return False
    return finding is None or example.severity in (None, finding.severity)


def _noticed_by_any(moved: Moved) -> Iterator[Example]:
    """The examples of any rule. Those that noticed another move of the definition come first."""
    rule_set, name = moved.was.set, moved.was.rule
    telling = _TELLING[rule_set, name]
    for number, (example, request) in (
        *telling.items(), *enumerate(read_examples(rule_set))
    ):  # fmt: skip
        defined = {**rulebook().defined(rule_set, request.on), name: moved.version}
        version = rulebook().in_force(rule_set, request.on).get(example.rule)
        if not _holds(example, derive(request, defined), version):
            telling[number] = example, request
            yield example


_TELLING: dict[tuple[str, str], dict[int, tuple[Example, DoseRequest]]] = defaultdict(dict)
