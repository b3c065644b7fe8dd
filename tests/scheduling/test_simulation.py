"""Does the simulated queue behave as queueing theory says, and does a year say what it should?"""

from __future__ import annotations

import math
import random
from datetime import date
from itertools import count
from statistics import fmean

import pytest

from scheduling import simulation
from scheduling.calendars import Calendar
from scheduling.forecast import Rate, Rates
from scheduling.prescribing_models import PrescribingModel
from scheduling.simulation import Access, Slot
from tests.scheduling.test_calendars import HOLIDAYS


def rates(**given: float) -> Rates:
    names = ("did_not_attend", "cancelled_late", "refilled", "session_lost")
    return Rates(*(Rate(name, given.get(name, 0.0), 1000, True) for name in names))


def poisson(a_day: float, until: float, seed: int):
    dice, at = random.Random(seed), 0.0
    while (at := at + dice.expovariate(a_day)) < until:
        yield at


def mean_wait(a_day: float, *, people: int, servers: int = 1, missed: float = 0.0, seed: int = 3):
    """The mean wait in days when `servers` places come each day and a share comes to nothing."""
    until = people / a_day
    slots = (Slot(float(day), servers) for day in count(1))
    outcome = simulation.run(
        poisson(a_day, until, seed), slots, rates(did_not_attend=missed),
        until=until, count_from=until / 50, seed=seed,
    )  # fmt: skip
    return fmean(outcome.exact)


@pytest.mark.parametrize(("load", "people"), [(0.2, 50_000), (0.5, 50_000), (0.8, 200_000)])
def test_one_sure_place_a_day_waits_as_a_slotted_queue_with_fixed_service(
    load: float, people: int
) -> None:
    """M/D/1 in slots of a day: half a day, and the queue of Pollaczek and Khinchine."""
    expected = 0.5 + load / (2 * (1 - load))

    assert mean_wait(load, people=people) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("load", "missed"), [(0.3, 0.5), (0.4, 0.25), (0.6, 0.2)])
def test_places_that_come_to_nothing_wait_as_a_slotted_queue_with_geometric_service(
    load: float, missed: float
) -> None:
    """Poisson arrivals of `load` a slot, each try a success with `1 - missed`; balance of X squared."""
    before_a_slot = (2 * load - load**2) / (2 * (1 - missed - load))
    expected = (before_a_slot - load / 2) / load

    assert mean_wait(
        load, missed=missed, people=200_000 if load > 0.5 else 50_000
    ) == pytest.approx(expected, rel=0.02)


@pytest.mark.proof
def test_short_slots_against_long_service_wait_as_m_m_1() -> None:
    arrives, served = 0.004, 0.01  # a day; a slot is a hundredth of a mean service

    found = mean_wait(arrives, missed=1 - served, people=60_000)

    assert found == pytest.approx(1 / (served - arrives), rel=0.02)


@pytest.mark.proof
def test_short_slots_of_three_places_wait_as_erlang_says_of_m_m_3() -> None:
    arrives, served, servers = 0.016, 0.01, 3
    offered = arrives / served
    none = sum(offered**n / math.factorial(n) for n in range(servers))
    queued = offered**servers / math.factorial(servers) / (1 - offered / servers)
    expected = queued / (none + queued) / (servers * served - arrives) + 1 / served

    found = mean_wait(arrives, servers=servers, missed=1 - served, people=60_000)

    assert found == pytest.approx(expected, rel=0.02)


# -- a year ----------------------------------------------------------------------------------

EVERY_WEEKDAY = dict.fromkeys(range(1, 6), 1.0)
FIRST = date(2026, 11, 30)


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return Calendar("england_and_wales", HOLIDAYS)


def a_year(model: int, places: dict[int, int], calendar: Calendar, **more: float):
    return simulation.year(
        Access(PrescribingModel(model), places), EVERY_WEEKDAY, rates(**more), calendar, FIRST
    )


def test_more_days_a_week_mean_shorter_waits_for_the_same_places(calendar: Calendar) -> None:
    once = a_year(1, {3: 8}, calendar)
    three_days = a_year(2, {1: 3, 3: 3, 5: 2}, calendar)
    every_day = a_year(3, {1: 2, 2: 2, 3: 2, 4: 1, 5: 1}, calendar)

    assert once.mean_wait > three_days.mean_wait > every_day.mean_wait


def test_the_same_facts_give_the_same_year(calendar: Calendar) -> None:
    places = {1: 3, 3: 3, 5: 2}

    assert a_year(2, places, calendar) == a_year(2, places, calendar)


def test_every_place_of_the_year_has_one_fate(calendar: Calendar) -> None:
    found = a_year(2, {1: 3, 3: 3, 5: 2}, calendar, did_not_attend=0.2, session_lost=0.1)

    assert sum(found.places.values()) == pytest.approx(52 * 8)
    assert found.places["holiday"] > 0
    assert found.places["did_not_attend"] / found.people == pytest.approx(0.25, abs=0.06)


def test_too_few_places_are_said_not_to_keep_up(calendar: Calendar) -> None:
    short, enough = a_year(2, {1: 1, 3: 1, 5: 1}, calendar), a_year(2, {1: 3, 3: 3, 5: 3}, calendar)

    assert not short.keeps_up
    assert enough.keeps_up
    assert short.over_limit > 0.9 > 0.3 > enough.over_limit


def test_hours_count_the_staff_who_stood_ready_in_vain(calendar: Calendar) -> None:
    places = {1: 3, 3: 3, 5: 3}
    table = simulation.MODELS[2]
    sure, unsure = a_year(2, places, calendar), a_year(2, places, calendar, did_not_attend=0.25)

    base = table["minutes"]["doctor"] / 60
    later = table["later_minutes"]["doctor"] / 60
    assert sure.hours["doctor"] == pytest.approx(base + later)
    assert unsure.hours["doctor"] > sure.hours["doctor"]


def test_model_3_asks_for_nurses_and_model_2_for_none(calendar: Calendar) -> None:
    assert a_year(3, dict.fromkeys(range(1, 6), 2), calendar).hours["nurse"] >= 4
    assert a_year(2, {1: 3, 3: 3, 5: 3}, calendar).hours["nurse"] == 0


def test_a_service_nobody_is_referred_to_has_no_wait_to_tell(calendar: Calendar) -> None:
    found = simulation.year(Access(PrescribingModel.MODEL_2, {1: 2}), {}, rates(), calendar, FIRST)

    assert (found.mean_wait, found.over_limit, found.hours) == (None, None, {})
    assert found.keeps_up
