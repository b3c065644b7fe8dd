"""What was a plan of groups worked out from, and has any of it changed since?

A digest of each fact, by kind and id: two looks at a prison are compared without keeping what was
known of anybody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from scheduling.groups import GroupFacts

KINDS: Final[Mapping[str, str]] = {
    "person": "people", "session": "sessions", "facilitator": "facilitators", "room": "rooms",
    "material": "material", "half_days": "half-days or working days", "apart": "pairs kept apart",
}  # fmt: skip
"""What may change, and what several of it are called."""

Known = Mapping[str, Mapping[str, str]]


def known(facts: GroupFacts) -> Known:
    """The digest of every fact, by kind and id. Takes the facts in any order."""
    seats: dict[str, list[Any]] = {}
    for seat in facts.seats:
        seats.setdefault(str(seat.session_id), []).append(seat)
    return {
        "person": {str(each.id): _digest(each) for each in facts.people},
        "session": {
            str(each.id): _digest([each, sorted(map(_plain, seats.get(str(each.id), [])))])
            for each in facts.sessions
        },
        "facilitator": {str(each.id): _digest(each) for each in facts.facilitators},
        "room": {str(each.id): _digest(each) for each in facts.rooms},
        "material": {"": _digest(frozenset(facts.materials))},
        "half_days": {"": _digest([frozenset(facts.blocks), facts.working_days])},
        "apart": {"": _digest(facts.apart)},
    }


def changed(was: Known, now: Known) -> list[tuple[str, str]]:
    """What came, went or changed between two looks: (kind, id), in the order of KINDS."""
    return [
        (kind, each)
        for kind in KINDS
        for each in sorted({*was.get(kind, {}), *now.get(kind, {})}, key=_by_number)
        if was.get(kind, {}).get(each) != now.get(kind, {}).get(each)
    ]


def said(changes: list[tuple[str, str]]) -> str:
    """The same in words, such as "2 people, 1 session"."""
    counted = {kind: sum(each == kind for each, _ in changes) for kind in KINDS}
    one = {"person": "person"}
    return ", ".join(
        KINDS[kind] if kind in ("material", "half_days", "apart")
        else f"{number} {KINDS[kind] if number > 1 else one.get(kind, kind)}"
        for kind, number in counted.items()
        if number
    )  # fmt: skip


def _by_number(text: str) -> tuple[int, str]:
    return len(text), text


def _digest(fact: Any) -> str:
    return hashlib.sha256(_plain(fact).encode()).hexdigest()[:16]


def _plain(fact: Any) -> str:
    """A fact as text that is the same in every process, whatever order a set is listed in."""
    if is_dataclass(fact):
        inside = ",".join(_plain(getattr(fact, each.name)) for each in fields(fact))
        return f"{type(fact).__name__}({inside})"
    if isinstance(fact, frozenset):
        return "{" + ",".join(sorted(map(_plain, fact))) + "}"
    if isinstance(fact, tuple | list):
        return "[" + ",".join(map(_plain, fact)) + "]"
    if hasattr(fact, "isoformat"):
        return str(fact.isoformat())
    return repr(fact)
