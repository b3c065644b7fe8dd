"""A year of waits under models 1, 2 and 3, from the service's own arrivals.

People are referred at random, at the rate of each weekday; places come by the calendar; somebody
who did not come is referred still and waits on. Run with SimPy (decision 12). Times are in days
from the start, days are London dates. Numbers: forecast.toml.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import fmean
from typing import Any, Final

from scheduling.calendars import Calendar
from scheduling.forecast import TABLE, Rates
from scheduling.prescribing_models import PrescribingModel, wait_limit

MODELS: Final[Mapping[int, Mapping[str, Any]]] = {each["model"]: each for each in TABLE["model"]}
YEAR: Final[Mapping[str, Any]] = TABLE["year"]

USED, EMPTY = "used", "empty"
LOST: Final = ("did_not_attend", "cancelled_late", "session_lost", "holiday")
FATES: Final = (USED, EMPTY, *LOST)
"""What becomes of a place. Lost places have a cause; an empty one had nobody waiting for it."""

_NINE: Final = 9 / 24
_HOUR: Final = 1 / 24


@dataclass(frozen=True)
class Slot:
    """`places` at one moment, in days from the start. `holiday`: none of them is given."""

    at: float
    places: int
    holiday: bool = False


@dataclass
class Outcome:
    """What a run of a simulated service came to. `waits`: whole days from referral, one a person.

    `exact`: the same waits in days and parts of a day. `fates`: places by what became of them.
    """

    waits: list[int] = field(default_factory=list)
    exact: list[float] = field(default_factory=list)
    fates: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FATES, 0))
    left_waiting: int = 0


def run(
    arrivals: Iterable[float],
    slots: Iterable[Slot],
    rates: Rates,
    *,
    until: float,
    count_from: float,
    seed: int,
) -> Outcome:
    """Let people who arrive take the places in turn, and count from `count_from` on.

    Whoever has waited longest goes first. Each place: not held if its session is lost (slots of
    one day share that fate); given up late, and then given to the next or lost; not attended, and
    then lost, its person waiting on with their referral as old as it is, from the next day on.
    """
    import simpy  # few ask for a simulated year: nobody else waits for it

    dice = random.Random(seed)  # noqa: S311 - no secret
    world = simpy.Environment()
    queue: deque[float] = deque()
    missed: list[float] = []
    outcome = Outcome()

    def people() -> Generator[Any, Any, None]:
        for at in arrivals:
            yield world.timeout(at - world.now)
            queue.append(at)

    def clinic() -> Generator[Any, Any, None]:
        held, today = True, -1
        for slot in slots:
            yield world.timeout(slot.at - world.now)
            if int(slot.at) != today:
                today, held = int(slot.at), dice.random() >= rates.session_lost.value
                queue.extendleft(
                    reversed(missed)
                )  # they were referred before everybody behind them
                missed.clear()
            for _ in range(slot.places):
                fate = "holiday" if slot.holiday else taken(held)
                if slot.at >= count_from:
                    outcome.fates[fate] += 1

    def taken(held: bool) -> str:
        if not held:
            return "session_lost"
        if not queue:
            return EMPTY
        referred_at = queue.popleft()
        if dice.random() < rates.cancelled_late.value:
            missed.append(referred_at)
            if not queue or dice.random() >= rates.refilled.value:
                return "cancelled_late"
            referred_at = queue.popleft()
        if dice.random() < rates.did_not_attend.value:
            missed.append(referred_at)
            return "did_not_attend"
        if world.now >= count_from:
            outcome.waits.append(int(world.now) - int(referred_at))
            outcome.exact.append(world.now - referred_at)
        return USED

    world.process(people())
    world.process(clinic())
    world.run(until=until)
    outcome.left_waiting = len(queue) + len(missed)
    return outcome


# -- a year of a service -------------------------------------------------------------------


@dataclass(frozen=True)
class Access:
    """How a simulated service gives access: its places on each weekday (Monday is 1)."""

    model: PrescribingModel
    places: Mapping[int, int]


@dataclass(frozen=True)
class Year:
    """A year under one model, from several runs together.

    Waits in whole days; shares from 0 to 1; hours for each person started, by role, time of lost
    places included. `over_limit` None: the model has no limit. `waits`: people by days waited.
    """

    access: Access
    people: float
    mean_wait: float | None
    half_within: int | None
    nine_of_ten_within: int | None
    over_limit: float | None
    left_waiting: float
    places: Mapping[str, float]
    hours: Mapping[str, float]
    waits: Mapping[int, float]

    @property
    def keeps_up(self) -> bool:
        """Does the queue end the year no longer than people who are referred in two weeks?"""
        return self.left_waiting <= max(2, self.people / 26)


def year(
    access: Access,
    referrals_a_week: Mapping[int, float],
    rates: Rates,
    calendar: Calendar,
    first: date,
    *,
    seed: int = 1,
) -> Year:
    """A year from `first` on. `referrals_a_week`: people referred on each weekday, on average."""
    days, warm_up = YEAR["days"], YEAR["warm_up_days"]
    until = days + warm_up
    runs = [
        run(
            _referred(referrals_a_week, first, until, seed * 1000 + nth),
            list(_slots(access, calendar, first, until)),
            rates, until=until, count_from=warm_up, seed=seed * 1000 + nth,
        )
        for nth in range(YEAR["runs"])
    ]  # fmt: skip
    return _together(access, runs)


def _referred(a_week: Mapping[int, float], first: date, until: float, seed: int) -> Iterator[float]:
    """Moments of referral: at random within a day, at its weekday's rate."""
    dice = random.Random(f"referred {seed}")  # noqa: S311 - no secret
    for day in range(int(until)):
        rate = a_week.get((first + timedelta(days=day)).isoweekday(), 0)
        if rate <= 0:
            continue
        at = day + dice.expovariate(rate)
        while at < day + 1:
            yield at
            at += dice.expovariate(rate)


def _slots(access: Access, calendar: Calendar, first: date, days: int) -> Iterator[Slot]:
    for day in range(days):
        on = first + timedelta(days=day)
        places = access.places.get(on.isoweekday(), 0)
        for nth in range(places):
            yield Slot(day + _NINE + nth * _HOUR, 1, calendar.is_bank_holiday(on))


def _together(access: Access, runs: Sequence[Outcome]) -> Year:
    many = len(runs)
    waits = sorted(each for outcome in runs for each in outcome.waits)
    limit = wait_limit(access.model)
    fates = {fate: sum(each.fates[fate] for each in runs) / many for fate in FATES}
    return Year(
        access=access,
        people=len(waits) / many,
        mean_wait=fmean(waits) if waits else None,
        half_within=_within(waits, 5),
        nine_of_ten_within=_within(waits, 9),
        over_limit=None
        if limit is None or not waits
        else sum(each > limit for each in waits) / len(waits),
        left_waiting=sum(each.left_waiting for each in runs) / many,
        places=fates,
        hours=_hours(access.model, fates),
        waits={day: waits.count(day) / many for day in sorted(set(waits))},
    )


def _within(waits: Sequence[int], of_ten: int) -> int | None:
    """The days within which so many of ten people were seen."""
    return waits[len(waits) * of_ten // 10] if waits else None


def _hours(model: PrescribingModel, fates: Mapping[str, float]) -> dict[str, float]:
    """Hours for each person started, by role (RP-44): their own and those of places lost.

    A place given up late or not attended costs the staff who stood ready for it; a session that
    was not held, a holiday and a place nobody waited for cost nothing here.
    """
    table = MODELS[model.value]
    started = fates[USED]
    stood_ready = started + fates["did_not_attend"] + fates["cancelled_late"]
    if not started:
        return {}
    return {
        role: (stood_ready * minutes + started * table["later_minutes"][role]) / started / 60
        for role, minutes in table["minutes"].items()
    }
