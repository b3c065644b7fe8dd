"""Which phase is somebody in, what does the next one wait for, and what is everybody offered?

Days, codes and sources stand in phases.toml. Days are London dates; facts arrive as arguments.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from scheduling.custody_rules import BLOCK_DAYS, LAST_DAY

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("phases.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}
NUMBERS: Final = (1, 2, 3)
MOVABLE: Final = (2, 3)
NEEDED: Final[tuple[str, ...]] = tuple(RULES["PH-02"]["needs"])
"""The duties, and the task "stabilise", that come before phase 2."""
CPA_TASK: Final[str] = RULES["PH-05"]["task"]
PARTIES: Final[tuple[str, ...]] = tuple(RULES["PH-06"]["codes"])
_BEGINS: Final[Sequence[int]] = RULES["PH-01"]["begins"]
_EARLIEST: Final[Sequence[int]] = RULES["PH-01"]["earliest"]
COMPLETION_DAY: Final[int] = _BEGINS[2]
"""The day completion begins on where a prison does not say otherwise (PH-01, PH-08)."""
assert _BEGINS[1] == BLOCK_DAYS + 1 and _BEGINS[2] == LAST_DAY + 1, "the blocks of TT-01"


@dataclass(frozen=True)
class Phase:
    """One phase of one person, both days included. `to_on` None: it goes on.

    `moved`: it begins on another day than usual. `merged`: what to say of a completion that is
    part of phase 2. `waits`: what to say while phase 2 has come and something should be before it.
    """

    number: int
    from_on: date
    to_on: date | None
    moved: bool = False
    merged: str | None = None
    waits: str | None = None

    def holds(self, on: date) -> bool:
        """Is somebody in this phase on a day? Phases overlap, so in another perhaps as well."""
        return self.from_on <= on and (self.to_on is None or on <= self.to_on)


def phases(
    day_1: date,
    *,
    today: date,
    moved: Mapping[int, date] | None = None,
    leaves_on: date | None = None,
    missing: Sequence[str] = (),
    completion_day: int = COMPLETION_DAY,
) -> list[Phase]:
    """The three phases of one person. Rules: PH-01, PH-02, PH-03.

    `moved`: the first day of a phase that was moved. `leaves_on`: the last day in custody as far as
    it is known, a move to another prison apart. `missing`: in words, what should come before phase
    2 and has not been done. `completion_day`: on which completion begins unless it was moved.
    """
    moved = moved or {}
    begins = [moved.get(number, on_day(day_1, usual)) for number, usual in _usual(completion_day)]
    last = on_day(day_1, LAST_DAY)
    merges = leaves_on is not None and leaves_on < last
    if merges:
        begins[2] = min(begins[2], begins[1])
    second_to = max(last, begins[2] - timedelta(days=1)) if not merges else leaves_on
    waits = None
    if missing and 2 not in moved and today >= begins[1]:
        waits = str(RULES["PH-02"]["waits"]).format(missing=", ".join(missing))
    said = None
    if merges and leaves_on is not None:
        said = str(RULES["PH-03"]["says"]).format(day=(leaves_on - day_1).days + 1)
    first_to = max(begins[0], begins[1] - timedelta(days=1), on_day(day_1, BLOCK_DAYS))
    return [
        Phase(1, begins[0], min(first_to, leaves_on) if leaves_on else first_to),
        Phase(2, begins[1], second_to, 2 in moved, waits=waits),
        Phase(3, begins[2], leaves_on if merges else None, 3 in moved, merged=said),
    ]


def _usual(completion_day: int) -> list[tuple[int, int]]:
    """The day of custody each phase begins on, by its number."""
    return [(1, _BEGINS[0]), (2, _BEGINS[1]), (3, completion_day)]


def completion_refused(day: int) -> str | None:
    """Why a prison may not say that completion begins on a day; None when it may. Rule: PH-08."""
    first, last = RULES["PH-08"]["between"]
    if first <= day <= last:
        return None
    return str(RULES["PH-08"]["out_of_it"]).format(first=first, last=last)


def phase_on(
    on: date, day_1: date, moved: Mapping[int, date], completion_day: int = COMPLETION_DAY
) -> int:
    """The last phase that has begun by a day: the one somebody is counted in. Rule: PH-01.

    `moved`: the first day of a phase that was moved. `completion_day`: as for `phases`.
    """
    begun = (
        number
        for number, usual in _usual(completion_day)
        if moved.get(number, on_day(day_1, usual)) <= on
    )
    return max(begun, default=NUMBERS[0])


def on_day(day_1: date, number: int) -> date:
    """The date of a day of custody."""
    return day_1 + timedelta(days=number - 1)


def may_begin(number: int, on: date, day_1: date) -> str | None:
    """Why a phase may not begin on a day; None when it may. Rule: PH-01."""
    earliest = _EARLIEST[number - 1]
    first = on_day(day_1, earliest)
    if on >= first:
        return None
    return str(RULES["PH-01"]["too_early"]).format(earliest=earliest, on=first.isoformat())


# -- what everybody is offered ---------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """One part of the minimum set. `declined`: it was offered and not wanted."""

    key: str
    offered: bool
    declined: bool
    lacks: tuple[str, ...]


def minimum_set(outcomes: Mapping[str, str], *, plan_written: bool) -> list[Part]:
    """What somebody was offered of what everybody is, however short the stay. Rule: PH-04.

    `outcomes`: delivered or declined, by duty; one that is not there was not offered.
    `plan_written`: a care plan stands in which something is written, initial or complete.
    `lacks`: duties of which, for an assessment or a plan, any one would do.
    """
    rule = RULES["PH-04"]
    assessed = [each for each in rule["assessment"] if each in outcomes]
    planned = [each for each in rule["plan"] if each in outcomes]
    first = () if assessed else ("csma",)
    second = () if planned or plan_written else ("joint_care_plan",)
    parts = [
        Part(
            "assessment_and_plan", not first and not second,
            bool(assessed) and all(outcomes[each] == "declined" for each in assessed),
            (*first, *second),
        )
    ]  # fmt: skip
    for key in ("harm", "referral"):
        lacks = tuple(each for each in rule[key] if each not in outcomes)
        declined = not lacks and all(outcomes[each] == "declined" for each in rule[key])
        parts.append(Part(key, not lacks, declined, lacks))
    return parts


# -- dual diagnosis --------------------------------------------------------------------------


def cpa_lacking(answer: str | None, done_in: Collection[int], begun: Collection[int]) -> list[str]:
    """What to say about the Care Programme Approach; nothing when it is in order. Rule: PH-05.

    `answer`: of the care plan, None when it was not asked. `done_in`: phases with CPA recorded.
    """
    rule = RULES["PH-05"]
    if answer is None:
        return [str(rule["not_asked"])]
    if answer not in rule["dual"]:
        return []
    return [str(rule["lacking"]).format(phase=each) for each in begun if each not in done_in]


# -- the triage assessment, and who is told --------------------------------------------------


def may_have_triage(party: str, consents: bool | None) -> str | None:
    """Why a party may not be given the triage assessment; None when it may. Rule: PH-06.

    `consents` None: not asked, which withholds it like a no.
    """
    rule = RULES["PH-06"]
    if party in rule["may_have_triage"] or consents:
        return None
    return str(rule["not_asked" if consents is None else "refused"])


WITHHELD: Final[str] = RULES["PH-06"]["withheld"]


def silent_with_healthcare(since: date, last_on: date | None, today: date) -> str | None:
    """What to say when CARATs and healthcare have not talked for too long. Rule: PH-07.

    `since`: the day phase 2 began. `last_on`: when they last talked.
    """
    days = (today - max(since, last_on or since)).days
    rule = RULES["PH-07"]
    return str(rule["says"]).format(days=days) if days > rule["most"] else None
