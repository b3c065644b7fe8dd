"""When was this person seen, when must they be seen next, and for which days does a review count?

A review is somebody looking at a person on treatment and deciding to raise, hold or lower, or to
withhold or stop. Numbers, words and sources stand in reviews.toml. Days are London dates, hours
elapsed time; facts arrive as arguments, and nothing here proposes a dose.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from dosing.days import ONE_DAY
from dosing.units import as_text
from scheduling.prescribing_models import day_in_words

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("reviews.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}
_SOURCES: Final[Mapping[str, Mapping[str, Any]]] = {
    source["id"]: source for source in _TABLE["source"]
}

BUILD_UP_DAYS: Final[int] = RULES["RV-01"]["last_day"]
MOST_DAYS: Final[int] = RULES["RV-02"]["most"]
BY_PHONE: Final[tuple[str, ...]] = tuple(RULES["RV-03"]["by_phone"])
AFTER_LAPSE: Final[tuple[str, ...]] = tuple(RULES["RP-39"]["after_lapse"])
LONGEST: Final = timedelta(days=RULES["RP-34"]["longest"])


@dataclass(frozen=True)
class Flag:
    """A visible warning: which rule, in its words, from which source, and the facts behind it."""

    rule: str
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The publication and where in it, as staff would look it up."""
        return source_of(self.rule)


def source_of(rule: str) -> str:
    """The publication and place a rule of reviews.toml rests on, with its confidence mark."""
    written = RULES[rule]
    read = _SOURCES[written["source"]]
    when = f", {read['year']}" if "year" in read else ""
    mark = f"[{written['confidence']}]"
    return f"{read['title']} ({read['publisher']}{when}), {written['where']} {mark}"


def flag(rule: str, words: str = "message", **facts: Any) -> Flag:
    """A flag of this rule in the words of its table, with the facts put in."""
    return Flag(rule, RULES[rule][words].format(**{k: _shown(v) for k, v in facts.items()}), facts)


def _shown(value: Any) -> Any:
    if isinstance(value, Decimal):
        return as_text(value)
    return day_in_words(value) if isinstance(value, date) else value


# -- for which days a review counts --------------------------------------------------------


def in_build_up(day: int | None, broken: bool) -> bool:
    """Is this a day on which only that day's own review counts? The first dose is day 1.

    No day means no dose yet; `broken`, that missed doses wait for the prescriber. Rule: RV-01.
    """
    return day is None or broken or day <= BUILD_UP_DAYS


def last_review_day(reviewed_on: date) -> date:
    """The latest day the next review may be set for. Rule: RV-02."""
    return reviewed_on + timedelta(days=MOST_DAYS)


def counts_until(
    reviewed_on: date, next_review_on: date | None, day: int | None, broken: bool
) -> date:
    """The last London day a review is good for, that day included.

    In build-up its own day only; afterwards until the next review is due, and never for longer
    than RV-02 allows. Without a next review, its own day only. Rules: RV-01, RV-02.
    """
    if in_build_up(day, broken) or next_review_on is None:
        return reviewed_on
    return max(reviewed_on, min(next_review_on, last_review_day(reviewed_on)))


# -- contact -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gap:
    """Two dates of contact too far apart. `before` None: there has been none since."""

    after: date
    before: date | None
    days: int

    @property
    def broken_on(self) -> date:
        """The first day on which the rule was broken."""
        return self.after + LONGEST + ONE_DAY


@dataclass(frozen=True)
class Contacts:
    """Is a person in build-up seen often enough? Every date is a London date.

    `due_by` is the last day on which contact keeps the rule, None when build-up ends before it.
    `planned_on`: the first contact planned in time. `gaps`: where the rule was broken, an open one
    last.
    """

    last_on: date
    due_by: date | None
    planned_on: date | None
    gaps: tuple[Gap, ...]

    @property
    def open_gap(self) -> Gap | None:
        return self.gaps[-1] if self.gaps and self.gaps[-1].before is None else None

    @property
    def flag(self) -> Flag | None:
        """The warning that stands now: broken, or about to be with nothing planned (RP-34)."""
        longest = LONGEST.days
        if (gap := self.open_gap) is not None:
            return flag(
                "RP-34", "broken", after=gap.after, longest=longest, broken_on=gap.broken_on
            )
        if self.due_by is None or self.planned_on is not None:
            return None
        return flag(
            "RP-34", "unplanned", after=self.last_on, due_by=self.due_by,
            broken_on=self.due_by + ONE_DAY,
        )  # fmt: skip

    @property
    def says(self) -> str | None:
        """What is due next, when nothing is wrong."""
        if self.flag is not None or self.due_by is None or self.planned_on is None:
            return None
        return flag(
            "RP-34", "planned", after=self.last_on, planned_on=self.planned_on, due_by=self.due_by
        ).message

    @property
    def past_gaps(self) -> list[Flag]:
        """Gaps that were closed again: they stay visible."""
        return [
            flag("RP-34", "gap", after=gap.after, before=gap.before, days=gap.days,
                 longest=LONGEST.days)
            for gap in self.gaps
            if gap.before is not None
        ]  # fmt: skip


def gaps_between(days: Iterable[date]) -> list[Gap]:
    """Where are these dates of contact further apart than the rule allows? Rule: RP-34 (A25)."""
    return [
        Gap(after, before, (before - after).days)
        for after, before in pairwise(sorted(days))
        if before - after > LONGEST
    ]


def build_up_ends(first_on: date, rises: Iterable[date]) -> date:
    """The last day of build-up: its first two weeks, and some days after each rise. RV-01, RV-04."""
    after = timedelta(days=RULES["RV-04"]["after_a_rise"])
    return max([first_on + timedelta(days=BUILD_UP_DAYS - 1), *(rise + after for rise in rises)])


def contacts(
    first_on: date,
    last_on: date,
    made_on: Iterable[date],
    planned_on: Iterable[date],
    today: date,
) -> Contacts:
    """How contact stands in a build-up from its first dose to its last day, both included.

    `made_on`: dates of contact; `planned_on`: dates of planned contact. The day of the first dose
    counts as contact. Rule: RP-34 (A25), which has no weekends.
    """
    end = min(last_on, today)
    seen = sorted({first_on, *(day for day in made_on if first_on < day <= end)})
    gaps = gaps_between(seen)
    newest = seen[-1]
    due_by = newest + LONGEST
    if due_by >= last_on:
        return Contacts(newest, None, None, tuple(gaps))
    if today > due_by:
        gaps.append(Gap(newest, None, (today - newest).days))
    planned = min(
        (day for day in planned_on if newest < day <= due_by and day >= today), default=None
    )
    return Contacts(newest, due_by, planned, tuple(gaps))


# -- looking after a dose ------------------------------------------------------------------

NOT_YET, DUE, OVERDUE, DONE, DONE_LATE, PASSED = (
    "not_yet", "due", "overdue", "done", "done_late", "passed",
)  # fmt: skip
_LOOKS: Final = ("OB-01", "OB-02", "OB-03")
LOOKED_AFTER_DAYS: Final[int] = RULES["OB-00"]["last_day"]


@dataclass(frozen=True)
class Look:
    """One observation due after a dose. `done_at`: the first one made from `opens_at` on."""

    rule: str
    dose_at: datetime
    opens_at: datetime
    due_at: datetime
    late_at: datetime
    done_at: datetime | None
    next_dose_at: datetime | None

    @property
    def says(self) -> str:
        words: str = RULES[self.rule]["says"]
        return words

    def state(self, now: datetime) -> str:
        """done, done late, not yet, due, overdue; or passed: the next dose came before it was due."""
        if self.done_at is not None:
            return DONE if self.done_at <= self.late_at else DONE_LATE
        if self.next_dose_at is not None and self.next_dose_at < self.due_at:
            return PASSED
        if now < self.due_at:
            return NOT_YET
        return DUE if now <= self.late_at else OVERDUE


def looks_in_words() -> list[str]:
    """When somebody is looked at after each dose, as the sheet on paper says it."""
    return [RULES[name]["says"] for name in _LOOKS]


def looks_due(doses_at: Sequence[datetime], observed_at: Iterable[datetime]) -> list[Look]:
    """Every observation that each dose calls for, in the order they fall due.

    `observed_at`: when sedation was looked at. Rules: OB-01 to OB-03.
    """
    seen = sorted(observed_at)
    times = sorted(doses_at)
    found = []
    for place, dose_at in enumerate(times):
        following = times[place + 1] if place + 1 < len(times) else None
        for name in _LOOKS:
            rule = RULES[name]
            opens = dose_at + timedelta(minutes=rule["opens"])
            found.append(
                Look(
                    name,
                    dose_at,
                    opens,
                    dose_at + timedelta(minutes=rule["due"]),
                    dose_at + timedelta(minutes=rule["late"]),
                    next((at for at in seen if at >= opens), None),
                    following,
                )
            )
    return sorted(found, key=lambda look: (look.due_at, look.dose_at))


# -- what calls for another look at the dose ------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A day whose total was above the dosing day's before it."""

    on: date
    from_mg: Decimal
    to_mg: Decimal


def steps_up(totals: Mapping[date, Decimal]) -> list[Step]:
    """Every rise of the daily total, in order."""
    days = sorted(totals)
    return [
        Step(now, totals[before], totals[now])
        for before, now in pairwise(days)
        if totals[now] > totals[before]
    ]


def jumps(
    totals: Mapping[date, Decimal], raised_on: Collection[date], largest: tuple[str, Decimal] | None
) -> list[Flag]:
    """Where was the dose raised too far at once, or with no review that raised it? (RP-24)

    `totals`: what was taken on each dosing day of the episode. `raised_on`: the days of reviews
    that raised it. `largest`: the dosing rule that limits a step, and its limit here.
    """
    found, since = [], min(totals, default=date.min)
    for step in steps_up(totals):
        facts = {"on": step.on, "from_mg": step.from_mg, "to_mg": step.to_mg}
        if largest is not None and step.to_mg - step.from_mg > largest[1]:
            found.append(
                flag("RP-24", "too_large", step_mg=largest[1], rule_id=largest[0], **facts)
            )
        if not any(since < day <= step.on for day in raised_on):
            found.append(flag("RP-24", "not_reviewed", **facts))
        since = step.on
    return found


def needs_prescriber(day: int | None, scale: str, score: int) -> bool:
    """Does this withdrawal score, found on treatment, call for the prescriber? (RP-40)"""
    rule = RULES["RP-40"]
    if day is None or day < rule["from_day"]:
        return False
    return score >= rule["from_cows"] if scale == "cows" else score > 0


# -- stability -----------------------------------------------------------------------------


def stable_on(
    totals: Mapping[date, Decimal],
    held_on: Collection[date],
    cows: Mapping[date, Sequence[int]],
    days: int,
) -> date | None:
    """The first day on which a dose was stable: `days` running on one total, then held by a review.

    `totals`: what was taken each day; `held_on`: days of reviews that held the dose; `cows`: the
    scores of each day. Every score of those days is below the limit and there is at least one; a
    missed day begins the count anew. Rule: RV-05.
    """
    below = RULES["RV-05"]["cows_below"]
    for last in sorted(totals):
        span = [last - timedelta(days=back) for back in range(days)]
        if last not in held_on or any(day not in totals for day in span):
            continue
        if len({totals[day] for day in span}) > 1:
            continue
        scores = [score for day in span for score in cows.get(day, ())]
        if scores and max(scores) < below:
            return last
    return None
