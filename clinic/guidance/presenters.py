"""How are a rule's worked examples and numbers read by somebody who reads no code?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from clinic import ui
from clinic.act import Act
from clinic.errors import NotFound
from dosing.check import rulebook
from dosing.examples import ABSENT, Example, a_request, all_examples, judge, says_otherwise
from dosing.rulebook import as_json_value, limit_words
from dosing.shape import Refused
from scheduling import practice, practice_examples
from scheduling.practice_examples import PracticeExample

_BACK = re.compile(r"@-([0-9]+)([mh])")
_DAY = re.compile(r"@D([+-][0-9]+)?(?: ([0-9]{2}:[0-9]{2}))?")


@dataclass(frozen=True)
class ExampleShown:
    """One worked example: what differs from a request that passes, and what the rule is to do.

    `number`: its place among the rule's examples. After a run, `did` says what the rule did and
    `held` whether that is what the example says; both None before.
    """

    number: int
    rule_set: str
    base: str
    changes: tuple[tuple[str, str], ...]
    expects: str
    did: str | None = None
    held: bool | None = None


def examples_of(rule: str) -> list[ExampleShown]:
    """The worked examples of a rule, each set's in the order of what they change."""
    if of_practice := _practice_examples().get(rule):
        return [_asked(number, each) for number, each in enumerate(of_practice)]
    return [_as_shown(number, each) for number, each in enumerate(_examples().get(rule, ()))]


def run_examples_of(act: Act, rule: str) -> list[ExampleShown]:
    """The same, each tried now against the rules as shipped."""
    act.need("guidance.read")
    if rule not in rulebook().rules and rule not in practice.rules():
        raise NotFound("There is no such rule.")
    act.note("guidance.examples_run", rule=rule)
    if of_practice := _practice_examples().get(rule):
        return [
            _with(_asked(number, each), _answers(each.did()), each.did() == each.expects)
            for number, each in enumerate(of_practice)
        ]
    return [_tried(number, each) for number, each in enumerate(_examples().get(rule, ()))]


def example_request(rule: str, number: int = 0) -> dict[str, Any]:
    """A worked example as a whole request of the dose-check contract."""
    held = _examples().get(rule, ())
    if not 0 <= number < len(held):
        raise NotFound("There is no such example.")
    each = held[number]
    return a_request(each.base, each.rule_set, **each.changes)


@cache
def _examples() -> Mapping[str, tuple[Example, ...]]:
    found: dict[str, list[Example]] = {}
    for each in all_examples(rulebook()):
        found.setdefault(each.rule, []).append(each)
    return {rule: tuple(sorted(held, key=_order)) for rule, held in found.items()}


@cache
def _practice_examples() -> Mapping[str, list[PracticeExample]]:
    found: dict[str, list[PracticeExample]] = {}
    for each in practice_examples.all_examples():
        found.setdefault(each.rule, []).append(each)
    return found


def _asked(number: int, each: PracticeExample) -> ExampleShown:
    said = tuple((path_words(name), value_words(value)) for name, value in each.given.items())
    return ExampleShown(number, practice.SET, "", said, _answers(each.expects))


def _answers(answer: str) -> str:
    return f"answers: {ui.fact(answer)}"


def _order(each: Example) -> tuple[Any, ...]:
    """By set and base, and then by the value that is varied: below, at and above stand together."""
    last = list(each.changes.items())[-1:] or [("", "")]
    path, value = last[0]
    try:
        amount = float(str(value))
    except ValueError:
        amount = float("inf")
    return each.rule_set, each.base, path, amount, str(value)


def _as_shown(number: int, each: Example) -> ExampleShown:
    said = tuple((path_words(path), value_words(value)) for path, value in each.changes.items())
    return ExampleShown(
        number, each.rule_set, each.base.replace("_", " "), said,
        _speaks(each.severity or _severity(each)) if each.fires else "stays silent",
    )  # fmt: skip


def _severity(each: Example) -> str | None:
    versions = rulebook().rules[each.rule].versions
    return next((v.severity for v in versions if v.set == each.rule_set), None)


def _speaks(severity: str | None) -> str:
    return f"speaks: {severity}"


def _tried(number: int, each: Example) -> ExampleShown:
    shown = _as_shown(number, each)
    try:
        finding = judge(each, rulebook())
    except Refused as refused:
        return _with(shown, f"was refused: {refused.message}", False)
    did = "stays silent" if finding is None else f"{_speaks(finding.severity)}: {finding.message}"
    return _with(shown, did, says_otherwise(each, finding) is None)


def _with(shown: ExampleShown, did: str, held: bool) -> ExampleShown:
    return ExampleShown(
        shown.number, shown.rule_set, shown.base, shown.changes, shown.expects, did, held
    )


def path_words(path: str) -> str:
    """`treatment_history.doses.0.dose_mg`: "treatment history, doses 1, dose mg"."""
    parts: list[str] = []
    for part in path.split("."):
        if part.isdigit():
            parts[-1] += f" {int(part) + 1}"
        else:
            parts.append(part.replace("_", " "))
    return ", ".join(parts)


def value_words(value: Any) -> str:
    """A value of an example, its times said against the decision."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {value_words(v)}" for key, v in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(value_words(each) for each in value) or "none"
    text = ui.fact(as_json_value(value)) if isinstance(value, date) else str(value)
    if text in (ABSENT, practice_examples.UNKNOWN):
        return "not given"
    if back := _BACK.fullmatch(text):
        unit = "minutes" if back[2] == "m" else "hours"
        return f"{back[1]} {unit} before the decision"
    if day := _DAY.fullmatch(text):
        return _day_words(int(day[1] or 0), day[2])
    return text.replace("_", " ")


def _day_words(days: int, clock: str | None) -> str:
    if days:
        count = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
        said = f"{count} {'before' if days < 0 else 'after'} the day of the dose"
    else:
        said = "on the day of the dose"
    return f"{said}, {clock}" if clock else said


def limit_told(name: str, value: Any) -> str:
    """A limit in words: "above 40 mg", "items: consent; risk assessment"."""
    what = name.replace("_", " ")
    if isinstance(value, Mapping):
        said = (f"{ui.fact(key)}: {ui.fact(each).rstrip('.')}" for key, each in value.items())
        return f"{what}: {'; '.join(said) or 'none'}"
    if isinstance(value, tuple | list) or isinstance(value, str) and " " in value:
        return f"{what}: {ui.fact(value)}"
    return limit_words(name, ui.fact(value))
