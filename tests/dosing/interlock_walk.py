"""Every order of events up to a length, and whether a dose would be given at its end.

`given_by_rules` asks the interlock with the facts of a history. `given_by_hand` is written apart
from it: it plays the history forward as somebody at the hatch would, with a slate for the day, and
shares no code with it. Histories that no rule can tell apart are merged by `slate`; `walk` with
`merged=False` follows every single one, which is how the merging itself is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from dosing.interlock import (
    Assessment,
    BrokenGlass,
    Check,
    Decision,
    GiveFacts,
    MissedLimits,
    Review,
    may_give,
)

MORNING = datetime(2026, 11, 4, 9, tzinfo=UTC)
LIMITS = MissedLimits(3, 5)
EVENTS = (
    "identity ok", "identity not", "clear", "positive", "review start", "review hold",
    "review lower", "review withhold", "review stop", "decide", "decide again from the start",
    "withdraw", "assess", "missed", "break glass", "wait", "next day", "give",
)  # fmt: skip

History = tuple[str, ...]


@dataclass(frozen=True)
class Start:
    """How things stand before the first event. `missed`: days missed so far; None: no dose ever."""

    missed: int | None = None
    rules: str | None = "PASS"
    place_set: bool = True

    @property
    def covered_on(self) -> date | None:
        return None if self.missed is None else MORNING.date() - timedelta(days=self.missed + 1)


# -- asked of the interlock ------------------------------------------------------------------


def facts_of(start: Start, history: History) -> tuple[GiveFacts, bool]:
    """The facts at the end of a history, and whether this day's dose has been swallowed."""
    at = MORNING
    identity: list[Check] = []
    intoxication: list[Check] = []
    review: Review | None = None
    decision: Decision | None = None
    assessed: list[Assessment] = []
    broken: list[BrokenGlass] = []
    recorded: set[date] = set()
    taken = set() if start.covered_on is None else {start.covered_on}

    def now() -> GiveFacts:
        on = at.date()
        before = [each for each in taken if each < on]
        counting = review if review is not None and review.at.date() == on else None
        return GiveFacts(
            at=at, increment=1, place_set=start.place_set, identity=tuple(identity),
            intoxication=tuple(intoxication), review=counting, decision=decision,
            missed_days=(on - max(before)).days - 1 if before else 0,
            last_covered_on=max(before, default=None), missed_limits=LIMITS,
            assessments=tuple(assessed), rules=start.rules, recorded=on in recorded,
            broken=tuple(broken),
        )  # fmt: skip

    for event in history:
        at += timedelta(seconds=1)
        if event.startswith("identity"):
            identity.append(Check(at, event == "identity ok"))
        elif event in ("clear", "positive"):
            intoxication.append(Check(at, event == "clear"))
        elif event.startswith("review"):
            review = Review(at, at, event.removeprefix("review "))
        elif event.startswith("decide"):
            days = [at.date() + timedelta(days=ahead) for ahead in range(14)]
            decision = Decision(at, days, (1,), re_induction=event != "decide")
        elif event == "withdraw" and decision is not None and decision.withdrawn_at is None:
            decision = Decision(decision.written_at, decision.days, (1,), at, decision.re_induction)
        elif event == "assess":
            assessed.append(Assessment(at, at))
        elif event == "missed":
            recorded.add(at.date())
        elif event == "break glass":
            broken.append(BrokenGlass(at, frozenset({"identity", "intoxication", "review"})))
        elif event == "wait":
            at += timedelta(minutes=30)
        elif event == "next day":
            at = datetime(at.year, at.month, at.day, 9, tzinfo=UTC) + timedelta(days=1)
        elif event == "give" and may_give(now()).open:
            recorded.add(at.date())
            taken.add(at.date())
    return now(), at.date() in taken


def given_by_rules(start: Start, history: History) -> bool:
    """Would the interlock let the dose be given after these events?"""
    return may_give(facts_of(start, history)[0]).open


# -- played forward by hand ------------------------------------------------------------------


def slate(start: Start, history: History) -> tuple[object, ...]:
    """All that is left of a history that could matter to a dose, now or later."""
    day = _Day(start)
    for event in history:
        day.hear(event)
    return day.left


def given_by_hand(start: Start, history: History) -> bool:
    day = _Day(start)
    for event in history:
        day.hear(event)
    return day.would_give


class _Day:
    """The hatch's own slate: wiped each morning but for what stands on the prescriber's side."""

    def __init__(self, start: Start) -> None:
        self.start = start
        self.missed = start.missed
        self.on_paper = "nothing"  # the decision: nothing, withdrawn, normal, from the start
        self.seen = "no"  # since the third missed day: no, yes, yes and decided since
        self.wipe()

    def wipe(self) -> None:
        self.who = self.look = "nobody"  # nobody, fine, stale, bad
        self.glass = "whole"  # whole, broken, stale
        self.review = "none"  # none, fine, no dose, lower
        self.smelt = False  # intoxicated today, and nobody has reviewed since
        self.ticked = self.swallowed = False

    def hear(self, event: str) -> None:
        if event == "give":
            self.swallowed = self.swallowed or self.would_give
            self.ticked = self.ticked or self.swallowed
        elif event == "next day":
            if self.swallowed:
                self.missed, self.seen = 0, "no"
            elif self.missed is not None:
                self.missed = min(self.missed + 1, 6)
            self.wipe()
        elif event == "wait":
            self.who, self.look, self.glass = (
                {"fine": "stale", "broken": "stale"}.get(each, each)
                for each in (self.who, self.look, self.glass)
            )
        elif event == "identity ok":
            self.who = "fine"
        elif event == "identity not":
            self.who = "bad"
        elif event == "clear":
            self.look = "fine"
        elif event == "positive":
            self.look, self.smelt = "bad", True
        elif event == "break glass":
            self.glass = "broken"
        elif event == "missed":
            self.ticked = True
        elif event == "assess":
            # Today may become the third missed day. A second assessment leaves a decision made on
            # the first as good as it was.
            if self.missed is not None and self.missed >= 2 and self.seen == "no":
                self.seen = "yes"
        elif event == "withdraw":
            if self.on_paper != "nothing":
                self.on_paper = "withdrawn"
        elif event in ("decide", "decide again from the start"):
            self.on_paper = "normal" if event == "decide" else "from the start"
            if self.seen == "yes":
                self.seen = "yes and decided since"
            if self.review == "lower":
                self.review = "lower, and decided since"
        elif event in ("review withhold", "review stop"):
            self.review, self.smelt = "no dose", False
        elif event == "review lower":
            self.review, self.smelt = "lower", False
        else:
            self.review, self.smelt = "fine", False

    @property
    def would_give(self) -> bool:
        def missing(what: str) -> bool:
            """Nobody did it, and nobody answers for that."""
            return what in ("nobody", "stale") and self.glass != "broken"

        if self.ticked or not self.start.place_set or self.start.rules in (None, "STOP"):
            return False
        if self.on_paper not in ("normal", "from the start"):
            return False
        if self.missed is not None and self.missed >= 3:
            if self.seen != "yes and decided since":
                return False
            if self.missed >= 5 and self.on_paper != "from the start":
                return False
        if "bad" in (self.who, self.look) or missing(self.who) or missing(self.look):
            return False
        if self.smelt or self.review in ("no dose", "lower"):
            return False
        return self.review != "none" or self.glass == "broken"

    @property
    def left(self) -> tuple[object, ...]:
        return (
            self.missed, self.on_paper, self.seen, self.who, self.look, self.glass, self.review,
            self.smelt, self.ticked, self.swallowed,
        )  # fmt: skip


# -- walking -----------------------------------------------------------------------------------


def walk(start: Start, longest: int, *, merged: bool = True) -> Iterator[History]:
    """A history for every state that up to so many events lead to, the shortest first."""
    heads: list[History] = [()]
    known = {slate(start, ())}
    yield ()
    for _ in range(longest):
        longer = []
        for history in heads:
            for event in EVENTS:
                further = (*history, event)
                if merged:
                    state = slate(start, further)
                    if state in known:
                        continue
                    known.add(state)
                longer.append(further)
                yield further
        heads = longer


def disagreements(start: Start, longest: int, *, merged: bool = True) -> Iterator[History]:
    """Histories after which the interlock and the hatch's slate do not say the same."""
    for history in walk(start, longest, merged=merged):
        if given_by_rules(start, history) != given_by_hand(start, history):
            yield history
