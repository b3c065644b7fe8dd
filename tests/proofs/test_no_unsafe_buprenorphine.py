"""Does any sequence of orders that the rules let through reach an unsafe start of buprenorphine?

Over 14 days on a grid of 2 mg, under both rule sets: tablets, combination tablets and lyophilisate,
alone and mixed on one day, split doses, missed days, re-inductions, and a depot taken at any moment,
whether or not the rules would have let it through. Forbidden, with limits read from the rule files:
a day-1 total over the product's limit, a first tablet dose and a day-2 total over theirs.

**What the rules that can STOP read of the past**: on which day of the episode D is (1, 2 or later),
the mg of daily products taken on D, whether anything of the episode came before, the missed days.
They read no earlier amount, for no rule limits a rise of buprenorphine; a depot counts as a start of
the episode and covers dates, never as mg of a day. Checked below by four days walked without merging.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.proofs.induction_walk import (
    FIRST_DAYS,
    PHASES,
    Ask,
    Limits,
    Record,
    Taken,
    request_for,
    stops,
)

pytestmark = pytest.mark.proves("RP-23")

TABLET, COMBINED = "buprenorphine_sublingual", "buprenorphine_naloxone_sublingual"
LYOPHILISATE, DEPOT = "buprenorphine_lyophilisate", "buprenorphine_depot_weekly"
DAILY = (TABLET, COMBINED, LYOPHILISATE)
DEPOT_MG, DEPOT_COVERS = 16, 9
MOST = 34


class BuprenorphineLimits(Limits):
    def __init__(self, rule_set: str) -> None:
        super().__init__(rule_set)
        self.first_tablet = self._rule("induction", "B-FD-01", "above_mg")
        self.day_1 = self._rule("induction", "B-D1-01", "above_mg")
        self.day_2 = self._rule("titration", "B-TI-02", "above_mg")
        # No lyophilisate at all before it was to be had (B-LY-01).
        self.lyophilisate_day_1 = (
            self._rule("products", "B-LY-03", "above_mg") if rule_set == "uk-2017" else 0
        )


class Past(NamedTuple):
    """The past as the rules can tell it apart. Day 0 has no episode running."""

    day: int = 0
    """1, 2, or 3 for any later day."""
    today: int = 0
    depot_today: bool = False
    missed: int = 0
    covered: int = 0
    """The dates, this one included, that a depot of an earlier date covers."""
    again: bool = False
    """Was there an episode before, ended by a break?"""


class Order(NamedTuple):
    product: str
    mg: int
    doses: int = 1
    phase: str = "re_induction"
    setting: str = "community"


def unsafe(past: Past, order: Order, limits: BuprenorphineLimits) -> Iterator[str]:
    """What would be wrong with taking all of this order, by plain arithmetic."""
    total = past.today + order.mg * order.doses
    if past.day <= 1:
        lyophilisate = order.product == LYOPHILISATE
        if total > (limits.lyophilisate_day_1 if lyophilisate else limits.day_1):
            yield "a day-1 total over its limit"
        if past.day == 0 and not lyophilisate and order.mg > limits.first_tablet:
            yield "a first tablet dose over its limit"
    if past.day == 2 and total > limits.day_2:
        yield "a day-2 total over its limit"


def after_taking(past: Past, mg: int) -> Past:
    return past._replace(day=past.day or 1, today=past.today + mg, missed=0)


def after_depot(past: Past) -> Past:
    return past._replace(day=past.day or 1, depot_today=True, missed=0)


def after_night(past: Past, limits: Limits) -> Past:
    if past.day == 0:
        return past
    covered = DEPOT_COVERS if past.depot_today else max(0, past.covered - 1)
    missed = 0 if past.today or past.depot_today or past.covered else past.missed + 1
    if missed >= limits.new_episode_from:
        return Past(again=True)
    return Past(min(past.day + 1, 3), missed=missed, covered=covered, again=past.again)


def request(rule_set: str, taken: list[tuple[str, Taken]], date: int, order: Order) -> Any:
    """The whole request, from what was taken and the moment, every other fact as open as can be."""
    record = Record(tuple(dose for _, dose in taken), date)
    ask = Ask(order.mg, order.doses, order.phase, order.setting)
    out = request_for(rule_set, record, ask)
    for (product, _), dose in zip(taken, out["treatment_history"]["doses"], strict=True):
        dose["product"] = product
    out["order"] |= {"product": order.product, "stocked_strengths_mg": ["2", "8"]}
    return out


def taken_in(past: Past) -> tuple[list[tuple[str, Taken]], int]:
    """What somebody in this past took, as a record, and the date of the order."""
    date = past.missed + (0, 0, 1, 2)[past.day]
    taken = [(TABLET, Taken(-6, 9, 4))] if past.again else []
    taken += [(TABLET, Taken(on, 9, 4)) for on in range(date - past.missed)]
    if past.depot_today:
        taken.append((DEPOT, Taken(date, 8, DEPOT_MG)))
    if past.today:
        taken.append((TABLET, Taken(date, 9, past.today)))
    return taken, date


class Walk:
    def __init__(self, rule_set: str) -> None:
        self.rule_set = rule_set
        self.limits = BuprenorphineLimits(rule_set)
        self.asked: dict[tuple[Past, Order], bool] = {}
        self.found: set[tuple[str, Past, Order]] = set()
        self._evenings: dict[Past, set[Past]] = {}

    def lets_through(self, past: Past, order: Order) -> bool:
        """Asked once for all pasts and orders that the rules cannot tell apart."""
        if past.day or not past.again:
            order = order._replace(phase="induction")  # B-MD-04 alone reads it, after a break
        if past.day > 1:
            order = order._replace(mg=past.today + order.mg * order.doses, doses=1)
            past = Past(past.day, missed=past.missed)
        if (past, order) not in self.asked:
            taken, date = taken_in(past)
            asked = request(self.rule_set, taken, date, order)
            self.asked[past, order] = not stops(asked)
        return self.asked[past, order]

    def run(self, dates: int) -> list[set[Past]]:
        """The pasts on each date, before its first dose."""
        mornings, here = [], {Past()}
        for _ in range(dates):
            mornings.append(here)
            here = {after_night(e, self.limits) for m in here for e in self.evenings(m)}
        return mornings

    def evenings(self, morning: Past) -> set[Past]:
        if morning not in self._evenings:
            reached, new = {morning}, {morning}
            while new:
                new = {after for past in new for after in self._next(past)} - reached
                reached |= new
            self._evenings[morning] = reached
        return self._evenings[morning]

    def _next(self, past: Past) -> Iterator[Past]:
        if not past.depot_today:
            yield after_depot(past)
        for order in orders(past):
            if self.lets_through(past, order):
                for breach in unsafe(past, order, self.limits):
                    self.found.add((breach, past, order))
                yield after_taking(past, order.mg)


def orders(past: Past) -> Iterator[Order]:
    """Every order of the grid that leaves the day's total on it."""
    for mg in range(2, MOST + 1, 2):
        for doses in (1, 2, 3):
            if past.today + mg * doses <= MOST:
                for product in DAILY:
                    for phase in PHASES:
                        for setting in ("community", "prison"):
                            yield Order(product, mg, doses, phase, setting)


rule_sets = pytest.mark.parametrize("rule_set", sorted(FIRST_DAYS))


@rule_sets
def test_no_way_of_orders_let_through_reaches_an_unsafe_start(rule_set):
    walk = Walk(rule_set)

    reached = set().union(*walk.run(14))

    assert walk.found == set()
    first_days = {e.today for m in reached if m.day == 0 for e in walk.evenings(m)}
    assert max(first_days) == walk.limits.day_1, "the walk did not go up to the limit"
    assert {past.missed for past in reached} == set(range(walk.limits.new_episode_from))
    assert Past(again=True) in reached


HOURS = (9, 12)


def past_of(taken: list[tuple[str, Taken]], date: int, limits: Limits) -> Past:
    """The past a record of one episode is in, by its dates and amounts alone."""
    covers = {dose.date for _, dose in taken if dose.date < date}
    depots = [dose.date for product, dose in taken if product == DEPOT]
    covers |= {on for depot in depots for on in range(depot, depot + DEPOT_COVERS + 1)}
    before = [on for on in covers if on < date]
    today = [(product, dose.mg) for product, dose in taken if dose.date == date]
    return Past(
        min(date - min(dose.date for _, dose in taken) + 1, 3) if taken else 0,
        sum(mg for product, mg in today if product != DEPOT),
        DEPOT in dict(today),
        date - max(before) - 1 if before and not today else 0,
        max((depot + DEPOT_COVERS - date + 1 for depot in depots if depot < date), default=0),
    )


class Unmerged:
    """Every way of a few dates, each with its own whole record."""

    def __init__(self, walk: Walk, mg: tuple[int, ...]) -> None:
        self.walk, self.mg = walk, mg
        self.choose = random.Random(4)
        self.disagreed: list[Any] = []
        self.asked = 0

    def go(self, taken: list[tuple[str, Taken]], date: int, dates: int) -> None:
        if date < dates:
            for evening in self._evenings(taken, date, 0):
                self.go(evening, date + 1, dates)

    def _evenings(
        self, taken: list[tuple[str, Taken]], date: int, turn: int
    ) -> Iterator[list[tuple[str, Taken]]]:
        yield taken
        if turn == len(HOURS):
            return
        hour = HOURS[turn]
        for mg in self.mg:
            product = self.choose.choice(DAILY)
            order = Order(
                product,
                mg,
                self.choose.choice((1, 2)),
                self.choose.choice(PHASES),
                self.choose.choice(("community", "prison")),
            )
            if self._given(taken, date, order):
                yield from self._evenings(
                    [*taken, (product, Taken(date, hour, mg))], date, turn + 1
                )
        if turn == 0:
            depot = (DEPOT, Taken(date, hour, DEPOT_MG))
            yield from self._evenings([*taken, depot], date, turn + 1)

    def _given(self, taken: list[tuple[str, Taken]], date: int, order: Order) -> bool:
        self.asked += 1
        past = past_of(taken, date, self.walk.limits)
        if past.today + order.mg * order.doses > MOST:
            return False
        given = not stops(request(self.walk.rule_set, taken, date, order))
        if given is not self.walk.lets_through(past, order):
            self.disagreed.append((taken, date, order))
        return given


@pytest.mark.parametrize(
    "mg", [pytest.param((4, 12), id="short"), pytest.param((2, 4, 8, 12), marks=pytest.mark.proof)]
)
@rule_sets
def test_four_days_walked_without_merging_come_to_the_same(rule_set, mg):
    unmerged = Unmerged(Walk(rule_set), mg)

    unmerged.go([], 0, 4)

    assert unmerged.disagreed == []
    assert unmerged.asked > 500
