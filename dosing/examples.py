"""Do the rules still do what their worked examples say? The service asks this as it starts.

Each family ships worked examples beside its numbers: changes to a named base request, and
whether the rule then fires. A base is a request that passes; `examples.toml` holds them. Times
are written against the decision, so that one base serves any date:

    @-90m  @-4h       elapsed time before decided_at
    @D  @D-3  @D+7    London dates, D being the decision's
    @D-1 09:00        a London time on such a date
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any, Final

from dosing.check import FAMILIES, find
from dosing.days import at_london, london_day
from dosing.facts import derive
from dosing.reading import read_request
from dosing.rulebook import HERE, FaultyRulebook, Finding, Rulebook
from dosing.shape import Refused

ABSENT: Final = "@absent"
_RELATIVE: Final = re.compile(r"@(?:-([0-9]+)([mh])|D([+-][0-9]+)?(?: ([0-9]{2}):([0-9]{2}))?)")


@dataclass(frozen=True, slots=True)
class Example:
    """One request judged by one rule of one set: does it fire?"""

    rule: str
    rule_set: str
    base: str
    changes: Mapping[str, Any]
    fires: bool
    severity: str | None

    def __str__(self) -> str:
        word = "fires" if self.fires else "is silent"
        return f"{self.rule} ({self.rule_set}) {word} on {self.base} with {dict(self.changes)}"


def a_request(base: str, rule_set: str = "uk-2017", **changes: Any) -> dict[str, Any]:
    """A base request, changed at dotted paths (`order.dose_mg`), as parsed JSON.

    The value @absent takes a field out. Times are resolved last, so a changed decided_at moves
    everything written against it.
    """
    written = _base(base)
    written = {"case": base, **deepcopy(written), "rule_set": rule_set}
    for path, value in changes.items():
        _change(written, path, value)
    decided_at = datetime.fromisoformat(written["decided_at"])
    resolved: dict[str, Any] = _resolved(written, decided_at)
    return resolved


@cache
def _bases() -> dict[str, Any]:
    with (HERE / "examples.toml").open("rb") as file:
        return tomllib.load(file)["base"]  # type: ignore[no-any-return]


@cache
def _base(name: str) -> dict[str, Any]:
    """A base with the changes it makes to the one it stands on."""
    written = _bases()[name]
    request: dict[str, Any] = deepcopy(
        written["request"] if "request" in written else _base(written["on"])
    )
    for path, value in written.get("with", {}).items():
        _change(request, path, value)
    return request


def bases() -> list[str]:
    """The names of the base requests."""
    return list(_bases())


def _change(request: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    at: Any = request
    for name in parents:
        at = at[int(name)] if isinstance(at, list) else at.setdefault(name, {})
    if isinstance(at, list):
        at[int(last)] = deepcopy(value)
    elif value == ABSENT:
        at.pop(last, None)
    else:
        at[last] = deepcopy(value)


def _resolved(value: Any, decided_at: datetime) -> Any:
    if isinstance(value, dict):
        return {name: _resolved(each, decided_at) for name, each in value.items()}
    if isinstance(value, list):
        return [_resolved(each, decided_at) for each in value]
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    said = _RELATIVE.fullmatch(value)
    if said is None:
        raise FaultyRulebook(f"{value} is no time an example can be written in")
    back, unit, days, hour, minute = said.groups()
    if back is not None:
        past = timedelta(minutes=int(back)) if unit == "m" else timedelta(hours=int(back))
        return (decided_at - past).isoformat()
    on = london_day(decided_at) + timedelta(days=int(days or 0))
    if hour is None:
        return on.isoformat()
    return at_london(on, time(int(hour), int(minute))).isoformat()


def all_examples(book: Rulebook) -> Iterator[Example]:
    """Every worked example, once for each rule set it holds in."""
    for family in FAMILIES:
        with (HERE / f"{family}.examples.toml").open("rb") as file:
            written = tomllib.load(file)["example"]
        for entry in written:
            rule, fixed, vary = entry["rule"], entry.get("with", {}), entry.get("vary")
            versions = book.rules[rule].versions
            for rule_set in entry.get("sets", dict.fromkeys(v.set for v in versions)):
                for fires in (True, False):
                    for change in entry.get("fires" if fires else "silent", ()):
                        yield Example(
                            rule,
                            rule_set,
                            entry["base"],
                            {**fixed, **(change if vary is None else {vary: change})},
                            fires,
                            entry.get("severity"),
                        )


def run_examples(book: Rulebook) -> list[str]:
    """One line for each worked example the rules do not do as it says; none when all hold."""
    return [failure for failure in try_examples(book) if failure is not None]


def try_examples(book: Rulebook) -> Iterator[str | None]:
    """For each worked example in turn, one line when the rules do not do as it says."""
    for each in all_examples(book):
        yield _failure(each, book)


def judge(example: Example, book: Rulebook) -> Finding | None:
    """What the rule of an example says to it. Raises Refused for a request that is no request."""
    request = read_request(a_request(example.base, example.rule_set, **example.changes))
    facts = derive(request, book.defined(request.rule_set, request.on))
    return find(example.rule, facts, book)


def _failure(example: Example, book: Rulebook) -> str | None:
    try:
        finding = judge(example, book)
    except Refused as refused:
        return f"{example}: refused, {refused}"
    return says_otherwise(example, finding)


def says_otherwise(example: Example, finding: Finding | None) -> str | None:
    """One line when the rule does not do as the example says; None when it does."""
    if (finding is not None) != example.fires:
        return f"{example}: it does not"
    if finding is not None and example.severity not in (None, finding.severity):
        return f"{example}: as {finding.severity}"
    return None
