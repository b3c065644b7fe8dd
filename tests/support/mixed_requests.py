"""Requests nobody wrote down: the worked examples mixed with one another and moved a little.

Two forms of the dose check that answer all of these alike can hardly be told apart; so a change in
dosing/ that no example notices is tried against them before it is called one without effect.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from dosing.check import check, rulebook
from dosing.examples import Example, a_request, all_examples
from dosing.shape import answer

_AMOUNT = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COUNTED = re.compile(r"(@-|@D[+-])([0-9]+)(.*)")


def mixed_requests(count: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """So many requests, the same for one seed. About one in ten is refused."""
    for base, rule_set, changes in islice(_mixed(seed), count):
        yield a_request(base, rule_set, **changes)


def _mixed(seed: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """A base, a rule set and changes that fit together."""
    chance = random.Random(seed)
    every = list(all_examples(rulebook()))
    like: dict[str, list[Example]] = defaultdict(list)
    for each in every:
        like[each.base].append(each)
    while True:
        one = chance.choice(every)
        rule_set = chance.choice(("era-2003", "uk-2017"))
        mixed = dict(one.changes)
        for _ in range(chance.choice((0, 1, 1, 2, 2, 3))):
            other = chance.choice(like[one.base] if chance.random() < 0.8 else every)
            taken = chance.sample(sorted(other.changes), chance.randint(0, len(other.changes)))
            mixed |= {path: other.changes[path] for path in taken}
        mixed = {path: _moved(value, chance) for path, value in mixed.items()}
        try:
            a_request(one.base, rule_set, **mixed)
        except (LookupError, TypeError, ValueError, AttributeError):
            continue  # a place in a list that another example's change took away
        yield one.base, rule_set, mixed


def _moved(value: Any, chance: random.Random) -> Any:
    """The same value three times in four, else one a little or much larger or smaller."""
    if isinstance(value, dict):
        return {name: _moved(each, chance) for name, each in value.items()}
    if isinstance(value, list):
        kept = [each for each in value if chance.random() < 0.95]
        return [_moved(each, chance) for each in kept]
    if chance.random() < 0.75:
        return value
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return max(0, value + chance.choice((-1, 1, -7, 7)))
    if not isinstance(value, str):
        return value
    if _AMOUNT.fullmatch(value):
        step = Decimal(chance.choice(("0.001", "1", "5", "20"))) * chance.choice((-1, 1))
        return f"{max(Decimal('0.001'), Decimal(value) + step):f}"
    if _DAY.fullmatch(value):
        return str(date.fromisoformat(value) + timedelta(days=chance.choice((-1, 1, -30, 30))))
    counted = _COUNTED.fullmatch(value)
    if counted:
        start, number, end = counted.groups()
        return f"{start}{max(0, int(number) + chance.choice((-1, 1, -2, 2, -7, 7)))}{end}"
    return value


def verdict(request: dict[str, Any]) -> tuple[Any, ...]:
    """What is decided: the outcome and each rule with its severity, or the field refused."""
    given, evaluated = answer(check, request)
    if not evaluated:
        return ("refused", given["error"]["field"])
    fired = tuple((each["rule"], each["severity"]) for each in given["findings"])
    return (given["outcome"], *fired)
