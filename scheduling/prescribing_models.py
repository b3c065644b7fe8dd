"""Does this service keep the limits of its rapid prescribing model? Waits, rota, the first days.

Model 1 refers on to a local specialist or primary care; model 2 has fast-track slots on three days
a week; model 3 is a specialist service on site every weekday. Numbers, words and sources stand in
prescribing_models.toml; a wait is counted in London calendar days after the day of referral.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import IntEnum
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from dosing.days import ONE_DAY, days_between, end_of, london_day

TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("prescribing_models.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in TABLE["rule"]}
_SOURCES: Final[Mapping[str, Mapping[str, Any]]] = {
    source["id"]: source for source in TABLE["source"]
}
_WAIT: Final[Mapping[str, str]] = TABLE["wait"]
_A_WEEK: Final = timedelta(days=7)


class PrescribingModel(IntEnum):
    """How a service gives rapid access to prescribing."""

    MODEL_1 = 1
    MODEL_2 = 2
    MODEL_3 = 3


@dataclass(frozen=True)
class Finding:
    """A visible warning: which rule, in its words, from which source, and the facts behind it."""

    rule: str
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The publication and where in it, as staff would look it up."""
        rule = RULES[self.rule]
        read = _SOURCES[rule["source"]]
        return f"{read['title']} ({read['publisher']}, {read['year']}), {rule['where']}"


def finding(rule: str, words: str = "message", **facts: Any) -> Finding:
    """A finding of this rule in the words of its table, with the facts put in."""
    return Finding(rule, RULES[rule][words].format(**_shown(facts)), facts)


def _shown(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: day_in_words(each) if isinstance(each, date) else each
            for name, each in facts.items()}  # fmt: skip


def day_in_words(day: date) -> str:
    """Mon 23 Nov 2026."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def days_in_words(number: int) -> str:
    """1 day, 3 days."""
    return "1 day" if number == 1 else f"{number} days"


# -- waits ---------------------------------------------------------------------------------


def _rule_for(model: PrescribingModel | None, *rules: str) -> Mapping[str, Any] | None:
    return next((RULES[rule] for rule in rules if model in RULES[rule]["model"]), None)


def wait_limit(model: PrescribingModel | None) -> int | None:
    """The most days from referral to a clinician; None where the model's source names none."""
    rule = _rule_for(model, "RP-02", "RP-05")
    return None if rule is None else int(rule["limit"])


@dataclass(frozen=True)
class Wait:
    """One person's wait. `until` is the day it ends or would end; `days` counts from referral.

    `because`: seen, booked, offered, first_free, none_free (then `until` is the last day looked at and the
    wait is longer) or waiting (nobody looked for a place). `over` None: there is no limit to
    judge by. `last_on` is the last day within the limit.
    """

    model: PrescribingModel | None
    because: str
    days: int
    until: date
    limit: int | None
    last_on: date | None
    over: bool | None

    @property
    def breaches_at(self) -> datetime | None:
        """The midnight (UTC instant) at which the limit is broken; None without a limit."""
        return None if self.last_on is None else end_of(self.last_on)

    @property
    def says(self) -> str:
        """The wait in one or two plain sentences, the limit included."""
        said = _WAIT[self.because].format(
            days=days_in_words(self.days),
            until=day_in_words(self.until),
            after="on the day of" if self.days == 0 else f"{days_in_words(self.days)} after",
        )
        if self.limit is None or self.last_on is None or self.model is None:
            return said
        allowed = _WAIT["over"].format(
            model=self.model.value,
            limit=days_in_words(self.limit),
            last_on=day_in_words(self.last_on),
        )
        return f"{said} {allowed}"

    @property
    def flag(self) -> Finding | None:
        """RP-02 or RP-05 when the limit is or will be broken."""
        rule = _rule_for(self.model, "RP-02", "RP-05")
        if not self.over or rule is None:
            return None
        return Finding(rule["id"], self.says, {"days": self.days, "limit": self.limit})


def wait(
    model: PrescribingModel | None,
    referred_at: datetime,
    today: date,
    *,
    seen_at: datetime | None = None,
    booked_at: datetime | None = None,
    offered_at: datetime | None = None,
    first_free_at: datetime | None = None,
    looked_to: date | None = None,
) -> Wait:
    """How long does this person wait from referral to a clinician, and is it over the limit?

    Takes the first that is known: seen, booked, a place offered, the first free place, no place free up to
    `looked_to` (last day looked at, included). A booking that has passed unrecorded does not stop
    the clock. Rules: RP-02, RP-05 (A11, A12).
    """
    referred_on = london_day(referred_at)
    because, until = "waiting", today
    if seen_at is not None:
        because, until = "seen", london_day(seen_at)
    elif booked_at is not None:
        if london_day(booked_at) >= today:
            because, until = "booked", london_day(booked_at)
    elif offered_at is not None:
        because, until = "offered", london_day(offered_at)
    elif first_free_at is not None:
        because, until = "first_free", london_day(first_free_at)
    elif looked_to is not None:
        because, until = "none_free", max(looked_to, today)
    days = (until - referred_on).days
    limit = wait_limit(model)
    if limit is None:
        return Wait(model, because, days, until, None, None, None)
    # Nothing free on the last day within the limit breaks it, although that day is not over.
    over = days >= limit if because == "none_free" else days > limit
    return Wait(model, because, days, until, limit, referred_on + timedelta(days=limit), over)


def support_missing(model: PrescribingModel | None, on_record: bool) -> Finding | None:
    """RP-03: does a person wait under model 1 without psychosocial support from the team?"""
    if on_record or _rule_for(model, "RP-03") is None:
        return None
    return finding("RP-03")


# -- the rota ------------------------------------------------------------------------------


def rota_findings(
    model: PrescribingModel | None,
    slot_days: Collection[date],
    first: date,
    last: date,
    lacking: Mapping[date, Finding] = MappingProxyType({}),
    not_held: Mapping[date, str] = MappingProxyType({}),
) -> list[Finding]:
    """Where does the rota break the model from `first` to `last`, both included?

    `slot_days`: the days with at least one staffed slot, taken or free. Days before `first` may be
    among them and shorten the gap that runs into the span. Only whole weeks (Monday to Sunday) of
    the span are counted. `lacking`: on days a session runs and cannot be booked, what is missing.
    `not_held`: days of the week's pattern that fall out, and why (a word of RP-04's `because`).
    Model 1 needs no rota of its own. Rules: RP-04 (A11), RP-08.
    """
    if _rule_for(model, "RP-04") is not None:
        found = [*_weeks_with_too_few(slot_days, first, last), *_gaps(slot_days, first, last)]
        return [_with_days_lost(each, not_held) for each in sorted(found, key=_first_day)]
    if (rule := _rule_for(model, "RP-08")) is not None:
        return [
            finding("RP-08", "lacking", day=day, cause=lacking[day].message)
            if day in lacking
            else _with_days_lost(finding("RP-08", day=day), not_held)
            for day in days_between(first, last)
            if day.isoweekday() <= rule["last_weekday"] and day not in slot_days
        ]
    return []


def _with_days_lost(found: Finding, not_held: Mapping[date, str]) -> Finding:
    """The same finding, naming the days within it that the rota loses, each with why."""
    of = found.facts
    if (monday := of.get("week_of")) is not None:
        within = days_between(monday, monday + _A_WEEK - ONE_DAY)
    elif (day := of.get("day")) is not None:
        within = days_between(day, day)
    else:
        since, until = of.get("after") or of["first"], of.get("before") or of["last"]
        within = days_between(since, until)
    says = RULES["RP-04"]["because"]
    lost = [f"{day_in_words(day)} ({says[not_held[day]]})" for day in within if day in not_held]
    if not lost:
        return found
    words = RULES["RP-04"]["not_held"].format(days=", ".join(lost))
    return replace(found, message=f"{found.message} {words}")


def _first_day(found: Finding) -> date:
    return min(value for value in found.facts.values() if isinstance(value, date))


def _weeks_with_too_few(slot_days: Collection[date], first: date, last: date) -> Iterator[Finding]:
    needed = RULES["RP-04"]["slot_days_a_week"]
    monday = first + timedelta(days=-first.weekday() % 7)
    while monday + _A_WEEK - ONE_DAY <= last:
        having = sum(day in slot_days for day in days_between(monday, monday + _A_WEEK - ONE_DAY))
        if having < needed:
            yield finding("RP-04", "too_few", week_of=monday, slot_days=having, needed=needed)
        monday += _A_WEEK


def _gaps(slot_days: Collection[date], first: date, last: date) -> Iterator[Finding]:
    longest = RULES["RP-04"]["longest_gap"]
    known = sorted(day for day in slot_days if day <= last)
    if not known or known[-1] < first:
        yield finding("RP-04", "no_slots", first=first, last=last)
        return
    if known[0] >= first and (days := (known[0] - first).days + 1) > longest:
        yield finding(
            "RP-04", "gap_start", first=first, before=known[0], days=days, longest=longest
        )
    for after, before in pairwise(known):
        if before >= first and (days := (before - after).days) > longest:
            yield finding("RP-04", "gap", after=after, before=before, days=days, longest=longest)
    if (days := (last - known[-1]).days + 1) > longest:
        yield finding("RP-04", "gap_open", after=known[-1], last=last, days=days, longest=longest)


# -- the first days ------------------------------------------------------------------------

CAME, MISSED, TODAY, COMING, NOT_ARRANGED = "came", "missed", "today", "coming", "not_arranged"


@dataclass(frozen=True)
class Attendance:
    """One of the first days of a model 3 start. `state`: see the five words above.

    `here` False: the service is shut then, and that day's own visit is on another date.
    """

    number: int
    on: date
    state: str
    here: bool = True

    @property
    def flag(self) -> Finding | None:
        """RP-10, when the day was missed or nothing is arranged for it."""
        if self.state not in (MISSED, NOT_ARRANGED):
            return None
        return finding("RP-10", self.state, number=self.number, on=self.on)


def first_days(
    model: PrescribingModel | None,
    day_1: date,
    came_on: Collection[date],
    arranged_on: Collection[date],
    shut_on: Collection[date],
    today: date,
    booked_on: Mapping[int, date] | None = None,
) -> list[Attendance]:
    """The attendances a new person's booking creates, and how each stands. Rule: RP-10 (A16).

    Consecutive London dates from `day_1`, the day of the induction visit. `came_on`: dates they
    were seen; `arranged_on`: dates something was arranged for; `shut_on`: dates the service is shut.
    """
    if (rule := _rule_for(model, "RP-10")) is None:
        return []
    days = [(number + 1, day_1 + timedelta(days=number), True) for number in range(rule["days"])]
    if booked_on:
        shut = [(number, on, False) for number, on, _ in days if on in shut_on]
        booked = [(number, on, True) for number, on in booked_on.items()]
        days = sorted([days[0], *booked, *shut], key=lambda each: each[1])
    return [
        Attendance(number, on, _attended(on, came_on, arranged_on, shut_on, today), attends)
        for number, on, attends in days
    ]


def _attended(
    on: date,
    came_on: Collection[date],
    arranged_on: Collection[date],
    shut_on: Collection[date],
    today: date,
) -> str:
    if on in came_on:
        return CAME
    if on in shut_on and on not in arranged_on:
        return NOT_ARRANGED
    if on < today:
        return MISSED
    return TODAY if on == today else COMING


def late_start(
    model: PrescribingModel | None, day_1: date, shut_on: Collection[date] = ()
) -> Finding | None:
    """RP-10 (A16): would the first days of a start on this date run into a weekend or a shut day?"""
    rule = _rule_for(model, "RP-10")
    if rule is None:
        return None
    if day_1.isoweekday() > rule["last_start_weekday"]:
        return finding("RP-10", "late_start", day_1=day_1, days=rule["days"])
    last = day_1 + timedelta(days=rule["days"] - 1)
    shut = next((day for day in days_between(day_1, last) if day in shut_on), None)
    if shut is None:
        return None
    return finding("RP-10", "shut_start", day_1=day_1, shut=shut, days=rule["days"])
