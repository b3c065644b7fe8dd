"""How long does a plan of groups take, and how near the best is it?

A wing is made up by dice: people received on different days, some in court, on visits or moved,
facilitators with days off and limits, pairs kept apart. Tests use the same wings.
"""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from dosing.days import days_between, start_of
from scheduling import group_checker, group_placing, group_solver
from scheduling.group_plan import Plan
from scheduling.groups import (
    ESTATES,
    PLACES,
    TOPICS,
    Away,
    Facilitator,
    GroupFacts,
    Material,
    Person,
    Room,
    Seat,
    Week,
    blocks_of,
)

FIRST = date(2026, 11, 30)
"""A Monday, from which four weeks are planned."""
DAYS = 28
PEOPLE_A_ROOM = 60
"""At two groups a week, 120 seats a week to a room."""
WINGS = (60, 150)
"""People of the wings that are measured: all of it is to end within 5 s and a minute (GP-14)."""
_APART = 0.004  # of all pairs: 45 in a wing of 150


def a_wing(
    seed: int, people: int, rooms: int, facilitators: int, estates: int = 1, days: int = DAYS
) -> GroupFacts:
    """A made-up wing: the same seed gives the same one."""
    dice = random.Random(seed)  # noqa: S311 - not a secret
    last = FIRST + timedelta(days=days - 1)
    worked = frozenset(on for on in days_between(FIRST, last) if on.weekday() < 5)
    everybody = tuple(_person(dice, number, estates, last) for number in range(1, people + 1))
    pairs = people * (people - 1) // 2
    chosen = {
        frozenset(dice.sample(range(1, people + 1), 2))
        for _ in range(round(pairs * _APART) + people // 10)
    } if people > 1 else set()  # fmt: skip
    return GroupFacts(
        blocks=tuple(blocks_of(FIRST, last)),
        working_days=worked,
        people=everybody,
        facilitators=tuple(
            _facilitator(dice, number, "carat" if number % 2 else "clinical", last)
            for number in range(1, facilitators + 1)
        ),
        rooms=tuple(
            Room(number, PLACES if number % 3 else 8, True) for number in range(1, rooms + 1)
        ),
        materials=tuple(Material(topic, FIRST - timedelta(days=365)) for topic in TOPICS),
        apart=frozenset(chosen),
    )


def _person(dice: random.Random, number: int, estates: int, last: date) -> Person:
    received = FIRST + timedelta(days=dice.randint(-27, 13))
    weeks = []
    for week in (2, 3, 4):
        first_on = received + timedelta(days=7 * (week - 1))
        last_on = first_on + timedelta(days=6)
        inside = [on for on in days_between(first_on, last_on) if FIRST <= on <= last]
        worked = sum(on.weekday() < 5 for on in inside)
        if worked:
            weeks.append(Week(week, inside[0], inside[-1], min(2, worked), dice.random() < 0.85))
    away = [
        _half_day(dice, cause, last)
        for cause, often in (("court", 0.5), ("visit", 0.8), ("appointment", 0.8),
                             ("adjudication", 0.1))
        for _ in range(2) if dice.random() < often
    ]  # fmt: skip
    if dice.random() < 0.1:
        since = start_of(FIRST + timedelta(days=dice.randint(0, DAYS)))
        away.append(Away(since, start_of(last + timedelta(days=1)), "transfer"))
    return Person(
        id=number,
        received_at=datetime(received.year, received.month, received.day, 18, tzinfo=UTC)
        + timedelta(minutes=number),
        estate=ESTATES[dice.randrange(estates)],
        weeks=tuple(weeks),
        topics=tuple(dice.sample(TOPICS, dice.randint(5, 8))),
        ppo=dice.random() < 0.1,
        one_to_one=dice.random() < 0.04,
        away=tuple(away),
    )


def _half_day(dice: random.Random, cause: str, last: date) -> Away:
    on = FIRST + timedelta(days=dice.randint(0, (last - FIRST).days))
    since = start_of(on) + timedelta(hours=dice.choice((8, 13)))
    return Away(since, since + timedelta(hours=4), cause)


def _facilitator(dice: random.Random, number: int, kind: str, last: date) -> Facilitator:
    off = dice.randint(0, 4)
    return Facilitator(
        number, kind, frozenset(dice.sample(TOPICS, 5)), a_week=8,
        away=tuple(
            Away(start_of(on), start_of(on + timedelta(days=1)))
            for on in days_between(FIRST, last) if on.weekday() == off
        ),
    )  # fmt: skip


def published(facts: GroupFacts, plan: Plan) -> GroupFacts:
    """The same wing once this plan is published."""
    sessions = [
        replace(each.session, id=number, published=True)
        for number, each in enumerate(plan.sessions, start=1)
    ]
    seats = [
        Seat(number, person)
        for number, each in enumerate(plan.sessions, start=1)
        for person in each.seats
    ]
    return replace(facts, sessions=tuple(sessions), seats=tuple(seats))


def disrupted(facts: GroupFacts, seed: int) -> GroupFacts:
    """The wing after a bad morning: a facilitator ill for a week, somebody in court, a new pair apart."""
    dice = random.Random(seed)  # noqa: S311 - not a secret
    since = start_of(FIRST + timedelta(days=7 * dice.randint(0, 1)))
    people, leaders = list(facts.people), list(facts.facilitators)
    if leaders:
        number = dice.randrange(len(leaders))
        ill = Away(since, since + timedelta(days=7))
        leaders[number] = replace(leaders[number], away=(*leaders[number].away, ill))
    number = dice.randrange(len(people))
    court = Away(since, since + timedelta(days=2), "court")
    people[number] = replace(people[number], away=(*people[number].away, court))
    apart = set(facts.apart)
    if len(people) > 1:
        apart.add(frozenset(each.id for each in dice.sample(people, 2)))
    return replace(facts, people=tuple(people), facilitators=tuple(leaders), apart=frozenset(apart))


def measure(people: int, seconds: int, tell: Callable[[str], None], seed: int = 1) -> None:
    """Plan a wing from nothing, publish it, and plan again after a bad morning; tell what it took."""
    rooms = -(-people // PEOPLE_A_ROOM)
    facts = a_wing(seed, people, rooms, facilitators=6 * rooms)
    owed = sum(week.required for person in facts.people for week in person.weeks)
    tell(f"{people} people, {DAYS} days, {rooms} rooms, {owed} seats owed, {seconds} s of solving")
    plan = _timed(facts, seconds, tell, "from nothing")
    _timed(disrupted(published(facts, plan), seed), seconds, tell, "after a bad morning")


def _timed(facts: GroupFacts, seconds: int, tell: Callable[[str], None], what: str) -> Plan:
    began = time.perf_counter()
    greedy = group_placing.place(facts)
    tell(f"  {what}, at once: {_told(greedy)}, {time.perf_counter() - began:.2f} s")
    began, worked = time.perf_counter(), time.process_time()
    solved = group_solver.solve(facts, group_solver.Options(seconds=seconds))
    took = f"{time.perf_counter() - began:.1f} s, {time.process_time() - worked:.1f} of processor"
    wrong = group_checker.breaches(facts, solved.plan.sessions)
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    tell(f"  {what}, solved: {_told(solved.plan)}, {took}, {len(wrong)} breaches, {mib} MiB")
    for level in solved.levels:
        proved = ", proved" if level.proved else ""
        tell(f"    {level.name}: {level.value}, bound {level.bound}, gap {level.gap}{proved}")
    return solved.plan


def _told(plan: Plan) -> str:
    moved = sum(each.what in ("seat_moved", "seat_lost") and each.told for each in plan.moves)
    return (
        f"{plan.seats} seats, {plan.missing} missing, {len(plan.sessions)} sessions, {moved} moved"
    )
