"""Who will breach, when, how likely, and which smallest change of the rota would prevent it?

A forecast is advice: it books nothing, and no limit of prescribing_models.toml moves by it. Chances
come from dice thrown with a seed, so the same facts give the same answer. Numbers: forecast.toml.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain, combinations, groupby
from pathlib import Path
from typing import Any, Final

from dosing.days import end_of, london_day
from scheduling.chairs import Chairs
from scheduling.prescribing_models import RULES, PrescribingModel, rota_findings
from scheduling.slots import (
    Hold,
    Place,
    Rota,
    Session,
    clash,
    first_feasible,
    not_staffed,
    observed_on,
    places_of,
    runs_on,
    still_free,
    withdrawn,
)

TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("forecast.toml").read_text("utf-8")
)
_EVIDENCE: Final[Mapping[str, Any]] = TABLE["evidence"]
_DEFAULTS: Final[Mapping[str, Any]] = TABLE["defaults"]
_A_DAY: Final = timedelta(days=1)


# -- rates ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rate:
    """A share of cases. `own`: from the service's own records; if not, a default of forecast.toml."""

    name: str
    value: float
    cases: int
    own: bool


def rate(name: str, hits: int, cases: int) -> Rate:
    """The service's own share of `hits` among `cases`; the default while these are too few."""
    if cases < _EVIDENCE["fewest"]:
        return Rate(name, _DEFAULTS[name], cases, False)
    return Rate(name, hits / cases, cases, True)


@dataclass(frozen=True)
class Rates:
    """What goes wrong with places, how often."""

    did_not_attend: Rate
    cancelled_late: Rate
    refilled: Rate
    session_lost: Rate


# -- who will breach -----------------------------------------------------------------------


@dataclass(frozen=True)
class Waits:
    """Somebody who waits. In the order in which places are given out; `last_on` None: no limit.

    `busy`: their own other visits, ends excluded. `booked`: the place they have.
    """

    id: int
    last_on: date | None
    busy: tuple[tuple[datetime, datetime], ...] = ()
    booked: Place | None = None


@dataclass(frozen=True)
class Prospect:
    """What lies ahead of one person. `place` None: none within what was looked at.

    `late` None: there is no limit, or nobody looked as far as that. `chance`: of not being seen by
    the last day within the limit, 0 to 1; None without a limit.
    """

    id: int
    place: Place | None
    late: bool | None
    chance: float | None


def crosses(one: Place, other: Place) -> bool:
    """Do these two need the same person or room at the same time?"""
    return any(
        (staff, thing) == (their_staff, their_thing)
        and one.starts_at < their_end
        and other.starts_at < end
        for _, staff, thing, end in one.needs
        for _, their_staff, their_thing, their_end in other.needs
    )


def together(places: Iterable[Place], chairs: Chairs) -> list[Place]:
    """As many of these places as can be given side by side, the earliest to end first.

    Their observation places are taken in `chairs` with it.
    """
    chosen: list[Place] = []
    for place in sorted(places, key=lambda each: (each.until, each)):
        if not any(crosses(place, each) for each in chosen) and chairs.take(place):
            chosen.append(place)
    return chosen


def first_places(
    people: Sequence[Waits], free: Sequence[Place], chairs: Chairs
) -> dict[int, Place | None]:
    """Each person's place when everybody takes their first feasible one, in the order given.

    Those who are booked keep theirs, and their observation place is taken in `chairs` already.
    """
    left, chairs = list(free), chairs.copy()
    found: dict[int, Place | None] = {}
    for person in people:
        if person.booked is not None:
            found[person.id] = person.booked
            continue
        feasible = first_feasible(left, person.busy, len(left))
        place = next((each for each in feasible if chairs.take(each)), None)
        found[person.id] = place
        if place is not None:
            left = [each for each in left if not crosses(each, place)]
    return found


def prospects(
    people: Sequence[Waits],
    free: Sequence[Place],
    rates: Rates,
    chairs: Chairs,
    *,
    looked_to: date,
    seed: int = 1,
) -> list[Prospect]:
    """First place, and the chance of a breach, for everybody in the order given.

    `free`: the free places up to `looked_to`, in order of time; `chairs`: the observation places,
    with what is taken of them. Known leave and holidays are in
    the places; dice stand for the rest: a session that is not held, somebody who does not come and
    is offered another place from the next day on.
    """
    places = first_places(people, free, chairs)
    late_runs = _late_runs(people, free, rates, chairs, random.Random(seed))  # noqa: S311 - no secret
    runs = TABLE["chance"]["runs"]
    made = []
    for person in people:
        place = places[person.id]
        if person.last_on is None:
            made.append(Prospect(person.id, place, None, None))
            continue
        seen_on = london_day(place.starts_at) if place else None
        late: bool | None = looked_to >= person.last_on or None
        if seen_on is not None:
            late = seen_on > person.last_on
        made.append(Prospect(person.id, place, late, late_runs[person.id] / runs))
    return made


def _late_runs(
    people: Sequence[Waits],
    free: Sequence[Place],
    rates: Rates,
    chairs: Chairs,
    dice: random.Random,
) -> dict[int, int]:
    """In how many rounds each person is not seen within their limit."""
    limits = [each.last_on for each in people if each.last_on is not None]
    counts = dict.fromkeys((each.id for each in people), 0)
    if not limits:
        return counts
    stop = end_of(max(limits))
    booked = {each.booked: each for each in people if each.booked is not None}
    ahead = sorted({*(place for place in free), *booked})
    ahead = [place for place in ahead if place.starts_at < stop]
    days = [
        (day, list(of_day), chairs.of_day(day))
        for day, of_day in groupby(ahead, key=lambda each: london_day(each.starts_at))
    ]
    for _ in range(TABLE["chance"]["runs"]):
        for person_id in _late_in_one_round(people, days, booked, rates, dice):
            counts[person_id] += 1
    return counts


def _late_in_one_round(
    people: Sequence[Waits],
    days: Sequence[tuple[date, list[Place], Chairs]],
    booked: Mapping[Place, Waits],
    rates: Rates,
    dice: random.Random,
) -> Iterable[int]:
    waiting = {each.id: each for each in people if each.booked is None}
    order = {each.id: nth for nth, each in enumerate(people)}
    not_before: dict[int, date] = {}
    seen_on: dict[int, date] = {}
    for day, places, of_day in days:
        chairs = of_day.copy()
        held = {
            doctor: dice.random() >= rates.session_lost.value
            for doctor in sorted({each.doctor_id for each in places})
        }
        given: list[Place] = []  # free places never cross those that are booked
        for place in places:
            person = booked.get(place)
            if person is None and any(crosses(place, each) for each in given):
                continue
            if not held[place.doctor_id]:
                if person is not None:
                    waiting[person.id] = person
                continue
            if person is None:
                person = next(
                    (
                        each
                        for each in sorted(waiting.values(), key=lambda each: order[each.id])
                        if not_before.get(each.id, day) <= day
                        and first_feasible([place], each.busy, 1)
                    ),
                    None,
                )
                if person is None or not chairs.take(place):
                    continue
                del waiting[person.id]
                given.append(place)
            if dice.random() >= rates.did_not_attend.value:
                seen_on[person.id] = day
            else:
                waiting[person.id] = person
                not_before[person.id] = day + TABLE["chance"]["rebook_after_days"] * _A_DAY
    return [
        each.id
        for each in people
        if each.last_on is not None and seen_on.get(each.id, date.max) > each.last_on
    ]


# -- the smallest change -------------------------------------------------------------------


@dataclass(frozen=True)
class Day:
    """One day ahead: has it a staffed place (taken or not), how many are free, and how many more
    one extra session could give, two, and so on (none: none can be held).
    """

    on: date
    has_places: bool
    free: int
    could_add: tuple[int, ...]

    def with_extra(self, sessions: int) -> int:
        """How many places so many extra sessions give."""
        return self.could_add[sessions - 1] if sessions else 0


@dataclass(frozen=True)
class _Path:
    """The best way to some day: the extra sessions so far, and the free places they all give."""

    extra: tuple[date, ...]
    places: int


def smallest_change(
    model: PrescribingModel | None,
    days: Sequence[Day],
    slot_days_before: Collection[date],
    last_days: Sequence[date],
    given_up: Sequence[date] = (),
) -> tuple[date, ...] | None:
    """The fewest extra sessions, by date (twice for two on one day), that leave no breach; () if
    none is needed, None if no set of those that could be held is enough.

    No breach: the rota keeps its model over `days` (consecutive dates, both ends included), and
    everybody without a place (`last_days`: the last day of each within the limit) finds one in
    time. Those with least time left go first, and so do those whose last day lies before the first
    of `days`: no session can help them, but they take places. `given_up`: the last days of people
    among `last_days` who need not be in time, and go last of their day. Among equally small
    answers the one with most places early is taken.
    """
    first = days[0].on
    known = [each for each in slot_days_before if each < first]
    # (last day with places, days with places this week) -> number of extra sessions -> best path
    ways: dict[tuple[date | None, int], dict[int, _Path]] = {
        (max(known, default=None), 0): {0: _Path((), 0)}
    }
    for day in days:
        due = _due(day.on, last_days, given_up)
        ways = _one_day_on(model, days, ways, day, due)
        if not ways:
            return None
    left = [path for (last, _), paths in ways.items() for path in paths.values()
            if not _runs_out(model, days, last)]  # fmt: skip
    if not left:
        return None
    return min(left, key=lambda path: (len(path.extra), path.extra)).extra


def _due(on: date, last_days: Sequence[date], given_up: Sequence[date]) -> int:
    """How many places there must have been by this day for those whose last day it is."""
    in_time = last_days.count(on) - given_up.count(on)
    return sum(each < on for each in last_days) + in_time if in_time else 0


@dataclass(frozen=True)
class Remedy:
    """The fewest extra sessions that help everybody who can be helped; None: the model itself
    cannot be kept by any. `beyond_help`: people without a place in time whom no session would help.
    """

    extra: tuple[date, ...] | None
    beyond_help: int


def remedy(
    model: PrescribingModel | None,
    days: Sequence[Day],
    slot_days_before: Collection[date],
    last_days: Sequence[date],
) -> Remedy:
    """As `smallest_change`, giving up those who would be late whatever is added."""
    late = sum(each < days[0].on for each in last_days)
    given_up: list[date] = []
    most = 0
    for day in days:
        most += day.free + day.with_extra(len(day.could_add))
        short = _due(day.on, last_days, ()) - most
        given_up += [day.on] * min(max(short, 0), last_days.count(day.on))
    extra = smallest_change(model, days, slot_days_before, last_days, given_up)
    return Remedy(extra, late + len(given_up))


def _one_day_on(
    model: PrescribingModel | None,
    days: Sequence[Day],
    ways: Mapping[tuple[date | None, int], Mapping[int, _Path]],
    day: Day,
    due: int,
) -> dict[tuple[date | None, int], dict[int, _Path]]:
    on: dict[tuple[date | None, int], dict[int, _Path]] = {}
    for (last, this_week), paths in ways.items():
        for path in paths.values():
            for added in range(len(day.could_add) + 1):
                has = day.has_places or added > 0
                extra = (*path.extra, *([day.on] * added))
                made = _Path(extra, path.places + day.free + day.with_extra(added))
                in_week = (0 if day.on.isoweekday() == 1 else this_week) + has
                if made.places < due or _broken(model, days, day, has, last, in_week):
                    continue
                best = on.setdefault((day.on if has else last, in_week), {})
                kept = best.get(len(extra))
                if kept is None or (-made.places, made.extra) < (-kept.places, kept.extra):
                    best[len(extra)] = made
    return on


def _broken(
    model: PrescribingModel | None,
    days: Sequence[Day],
    day: Day,
    has: bool,
    last: date | None,
    in_week: int,
) -> bool:
    """Does the rota break its model on this day? As rota_findings reads it, day by day."""
    if model in RULES["RP-08"]["model"]:
        return not has and day.on.isoweekday() <= RULES["RP-08"]["last_weekday"]
    rule = RULES["RP-04"]
    if model not in rule["model"]:
        return False
    first = days[0].on
    gap = (day.on - last).days if last is not None else (day.on - first).days + 1
    if has and gap > rule["longest_gap"]:
        return True
    whole_week = day.on.isoweekday() == 7 and (day.on - first).days >= 6
    return bool(whole_week and in_week < rule["slot_days_a_week"])


def _runs_out(model: PrescribingModel | None, days: Sequence[Day], last: date | None) -> bool:
    """Is the gap that runs out of the days already too long?"""
    rule = RULES["RP-04"]
    if model not in rule["model"]:
        return False
    return last is None or (days[-1].on - last).days + 1 > rule["longest_gap"]


def keeps_the_promise(
    model: PrescribingModel | None,
    days: Sequence[Day],
    slot_days_before: Collection[date],
    last_days: Sequence[date],
    extra: Sequence[date],
    given_up: Sequence[date] = (),
) -> bool:
    """Is there no breach with these extra sessions? Asked of the rules themselves, day by day."""
    first, last = days[0].on, days[-1].on
    slot_days = {each.on for each in days if each.has_places or each.on in extra}
    if rota_findings(model, slot_days | {*slot_days_before}, first, last):
        return False
    places = 0
    for day in days:
        places += day.free + day.with_extra(extra.count(day.on))
        before = [each for each in last_days if each < day.on]
        today = [each for each in last_days if each == day.on]
        helped = len(today) - sum(each == day.on for each in given_up)
        if helped and places < len(before) + helped:
            return False
    return True


# -- what an extra session could be --------------------------------------------------------


def extra_sessions(
    rota: Rota, holds: Iterable[Hold], day: date, beside: Collection[Place] = ()
) -> tuple[int, ...]:
    """The most places that one session of the rota would give on a day on which it is not held,
    then two of them, and so on for as long as another gives more.

    `beside`: the places of that day which are given as well, and take observation places.

    The same two people at the same hours, both with the training they need that day, not on leave
    and with no other session or booking then; on no day the site is shut, and at a weekend only where one is
    usual. A bank holiday would need to be
    agreed, as every single session then must be.
    """
    taken = list(holds)
    could = _could_be_held(rota, taken, day)
    found: list[int] = []
    for many in range(1, TABLE["change"]["sessions_a_day"] + 1):
        most = 0
        for chosen in combinations(could, many):
            if any(clash(one, [other]) for (one, _), (other, _) in combinations(chosen, 2)):
                continue
            chairs = Chairs(rota, taken)
            for each in beside:
                chairs.take(each)
            most = max(most, len(together(chain.from_iterable(free for _, free in chosen), chairs)))
        if most <= (found[-1] if found else 0):
            break
        found.append(most)
    return tuple(found)


def _could_be_held(
    rota: Rota, taken: Sequence[Hold], day: date
) -> list[tuple[Session, list[Place]]]:
    """Each session that could be held that day besides its own, once, with its free places."""
    usual = {each.weekday for each in rota.sessions} | set(TABLE["change"]["weekdays"])
    if day in rota.closed_on or day.isoweekday() not in usual:
        return []
    held = [each for each in rota.sessions if runs_on(rota, each, day)]
    beside = [replace(each, weekday=day.isoweekday()) for each in held]
    observed, far = observed_on(rota, day), datetime.min.replace(tzinfo=UTC)
    found: dict[Session, list[Place]] = {}
    for session in rota.sessions:
        over = session.to_on is not None and day > session.to_on
        if session in held or over or day in session.off_on or not_staffed(rota, session, day):
            continue
        that_day = replace(
            session, id=0, weekday=day.isoweekday(), from_on=day, to_on=day, off_on=frozenset(),
            kept_for="rapid", routine_from_hours=None, despite_holiday=True,
        )  # fmt: skip
        if that_day in found or clash(that_day, beside) is not None:
            continue
        could = [
            each for each in places_of(that_day, day, observed) if withdrawn(rota, each) is None
        ]
        if free := still_free(could, taken, now=far, rota=rota):
            found[that_day] = free
    return list(found.items())
