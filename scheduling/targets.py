"""Did this person reach the targets of the service's model, and did most people? Advice only.

A target never raises a dose: it says reached, due or passed, and nothing else. Numbers, words and
the clock each is counted from stand in prescribing_models.toml. Dates are London dates.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from scheduling.prescribing_models import RULES, TABLE, PrescribingModel, day_in_words

REACHED, DUE, PASSED, NO_CLOCK = "reached", "due", "passed", "no_clock"
_TARGET: Final[Mapping[str, Any]] = TABLE["target"]
LOOKED_BACK: Final = timedelta(days=_TARGET["looked_back_days"])
"""How long ago somebody may have been referred to count in a service's rate."""


@dataclass(frozen=True)
class Target:
    """One target for one person: advice, and never more. `day` counts as the rule's clock does.

    `state`: reached (then `on` and `day`; `late` when after `due_on`), due, passed, or no_clock
    (then `on` where it was reached all the same).
    `since_shown`: days from the second clock it is also shown from, when both are known.
    """

    rule: str
    name: str
    state: str
    due_on: date | None = None
    on: date | None = None
    day: int | None = None
    since_shown: int | None = None

    @property
    def late(self) -> bool:
        return self.on is not None and self.due_on is not None and self.on > self.due_on

    @property
    def in_time(self) -> bool | None:
        """Was it reached in time? None while its time is not up and it is not reached."""
        if self.state == REACHED:
            return not self.late
        return False if self.state == PASSED else None

    @property
    def title(self) -> str:
        says: str = _target(self.rule, self.name)["says"]
        return says

    @property
    def says(self) -> str:
        """How it stands, in one plain sentence."""
        due_on = "" if self.due_on is None else day_in_words(self.due_on)
        if self.state == NO_CLOCK:
            clock = _TARGET["clock"][_target(self.rule, self.name)["clock"]]
            if self.on is not None:
                return str(_TARGET["not_counted"].format(on=day_in_words(self.on), clock=clock))
            return str(_TARGET[NO_CLOCK].format(clock=clock))
        if self.state != REACHED or self.on is None:
            return str(_TARGET[self.state].format(due_on=due_on))
        late = _TARGET["late"].format(due_on=due_on) if self.late else ""
        return str(_TARGET[REACHED].format(on=day_in_words(self.on), day=self.day, late=late))


def _target(rule: str, name: str) -> Mapping[str, Any]:
    return next(each for each in RULES[rule]["target"] if each["name"] == name)


def targets(
    model: PrescribingModel | None,
    clocks: Mapping[str, date | None],
    reached: Mapping[str, date | None],
    today: date,
) -> list[Target]:
    """How each target of the model, and the aim of all, stands for one person. Advice (A13).

    `clocks`: the dates of `referral`, `day_1` and `first_dose`, None where unknown. `reached`: for
    each target's name, the date it was reached. Rules: RP-07, RP-13, RP-15 (A12).
    """
    return [
        _how_it_stands(rule["id"], each, clocks, reached.get(each["name"]), today)
        for rule in RULES.values()
        if "target" in rule and ("model" not in rule or model in rule["model"])
        for each in rule["target"]
    ]


def _how_it_stands(
    rule: str,
    target: Mapping[str, Any],
    clocks: Mapping[str, date | None],
    on: date | None,
    today: date,
) -> Target:
    start = clocks.get(target["clock"])
    if start is None:
        return Target(rule, target["name"], NO_CLOCK, on=on)
    # A referral's own date is day 0, that of a visit or a dose day 1.
    counted_from = 0 if target["clock"] == "referral" else 1
    due_on = start + timedelta(days=target["within"] - counted_from)
    shown = clocks.get(target.get("shown_from", ""))
    since = None if shown is None else ((on or today) - shown).days
    if on is not None:
        day = (on - start).days + counted_from
        return Target(rule, target["name"], REACHED, due_on, on, day, since)
    state = DUE if today <= due_on else PASSED
    return Target(rule, target["name"], state, due_on, since_shown=since)


@dataclass(frozen=True)
class Rate:
    """How many of a service's people reached one target in time. `closed`: reached it, or their
    time is up; those still within it are not counted."""

    rule: str
    name: str
    reached: int
    closed: int

    @property
    def title(self) -> str:
        says: str = _target(self.rule, self.name)["says"]
        return says

    @property
    def most(self) -> bool | None:
        """More than half; None while nobody's time is up."""
        return None if self.closed == 0 else self.reached * 2 > self.closed

    @property
    def says(self) -> str:
        if self.most is None:
            return str(_TARGET["none"])
        return str(
            _TARGET["rate"].format(
                reached=self.reached,
                closed=self.closed,
                most=_TARGET["most" if self.most else "not_most"],
            )
        )


def rates(people: Collection[Collection[Target]]) -> list[Rate]:
    """The rate of each target over these people, in the order of the first person's targets."""
    counted: dict[tuple[str, str], list[bool]] = {}
    for person in people:
        for each in person:
            known = counted.setdefault((each.rule, each.name), [])
            if each.in_time is not None:
                known.append(each.in_time)
    return [
        Rate(rule, name, sum(answers), len(answers)) for (rule, name), answers in counted.items()
    ]
