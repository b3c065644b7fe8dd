"""Who is suggested as whose keyworker, and is that more than one worker carries?

The facts hold no name, so none can move anybody up or down. Numbers, words and sources stand in
keyworkers.toml; instants are aware. A suggestion is never an order: somebody names the keyworker.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("keyworkers.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}
SOURCES: Final[Mapping[str, str]] = {each["id"]: each["title"] for each in _TABLE["source"]}
CEILING: Final[int] = RULES["KW-02"]["most"]
CHANGES: Final[tuple[str, ...]] = tuple(RULES["KW-04"]["codes"])
EXPLAINED: Final[tuple[str, ...]] = tuple(RULES["KW-04"]["explained"])
_FAR: Final = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Unnamed:
    """Somebody without a keyworker. `ppo`, `heightened_risk` None: not asked.

    `before`: who was their keyworker here in an earlier stay.
    """

    reception_id: int
    deadline: datetime
    received_at: datetime
    ppo: bool | None = None
    heightened_risk: bool | None = None
    before: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Keyworker:
    """What one carries. `people`: their own and those they cover. `away`: on leave now."""

    staff_id: int
    people: int
    next_deadline: datetime | None = None
    away: bool = False


@dataclass(frozen=True)
class Suggestion:
    """Who is suggested for a reception, and why. `staff_id` None: nobody could be named."""

    reception_id: int
    staff_id: int | None
    rule: str
    says: str
    over: str | None = None


def over(people: int, most: int = CEILING) -> str | None:
    """The warning for so many people; None up to the ceiling. Rule: KW-02."""
    return RULES["KW-02"]["over"].format(people=people, most=most) if people > most else None


def own_ceiling_refused(most: int | None) -> str | None:
    """Why a prison may not set this ceiling; None when it may. None: the default. Rule: KW-05."""
    rule = RULES["KW-05"]
    if most is None or rule["least"] <= most <= rule["most"]:
        return None
    return str(rule["outside"]).format(least=rule["least"], most=rule["most"])


def urgency(person: Unnamed) -> tuple[Any, ...]:
    """What people without a keyworker are sorted by: the smaller comes first. Rule: KW-01.

    A risk nobody asked about comes before one that was ruled out.
    """
    by = {
        "deadline": person.deadline,
        "ppo": person.ppo is not True,
        "heightened_risk": {True: 0, None: 1, False: 2}[person.heightened_risk],
        "received_at": person.received_at,
    }
    return (*(by[each] for each in RULES["KW-01"]["by"]), person.reception_id)


def preference(person: Unnamed, worker: Keyworker, most: int = CEILING) -> tuple[Any, ...]:
    """What keyworkers are sorted by for one person: the smaller comes first. Rule: KW-03.

    `most`: the ceiling of this prison.
    """
    by = {
        "not_away": worker.away,
        "under_ceiling": worker.people >= most,
        "knows_them": worker.staff_id not in person.before,
        "people": worker.people,
        "next_deadline": -(worker.next_deadline or _FAR).timestamp(),
        "staff_id": worker.staff_id,
    }
    return tuple(by[each] for each in RULES["KW-03"]["by"])


def suggest(
    people: Iterable[Unnamed], workers: Iterable[Keyworker], most: int = CEILING
) -> list[Suggestion]:
    """A keyworker for everybody, the most urgent first, each counted before the next is placed.

    Nobody who is away is suggested; nobody is left out because all carry too many. `most`: the
    ceiling of this prison.
    Rules: KW-01, KW-02, KW-03.
    """
    carries = {each.staff_id: each for each in workers if not each.away}
    rule, found = RULES["KW-03"], []
    for person in sorted(people, key=urgency):
        if not carries:
            found.append(Suggestion(person.reception_id, None, "KW-03", rule["nobody"]))
            continue
        best = min(carries.values(), key=lambda each: preference(person, each, most))
        knows = best.staff_id in person.before
        says = rule["knows" if knows else "least"].format(people=best.people)
        best = replace(
            best, people=best.people + 1,
            next_deadline=min(best.next_deadline or _FAR, person.deadline),
        )  # fmt: skip
        carries[best.staff_id] = best
        found.append(
            Suggestion(person.reception_id, best.staff_id, "KW-03", says, over(best.people, most))
        )
    return found
