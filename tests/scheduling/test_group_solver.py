"""The solver's plan: the best there is on wings small enough to try everything, and its word kept."""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta
from itertools import combinations, permutations, product

import pytest

from clinic.bench.groups import a_wing, published
from scheduling import group_solver
from scheduling.group_checker import breaches
from scheduling.group_placing import place
from scheduling.group_solver import Level, Options, Progress, solve
from scheduling.groups import (
    Facilitator,
    GroupFacts,
    Person,
    Room,
    Seat,
    Span,
)
from tests.factories.groups import (
    ALL,
    MONDAY,
    PM,
    a_person,
    a_session,
    a_week,
    away,
    some_facts,
)
from tests.scheduling.test_group_plans import shuffled

ONCE = Options(seconds=20, repeatable=True)
BRIEFLY = Options(seconds=1, repeatable=True)
TUESDAY = MONDAY + timedelta(days=1)


# -- trying everything -----------------------------------------------------------------------


def a_tiny_wing(seed: int) -> GroupFacts:
    """Three people, four half-days, two topics; one room for two, one pair of facilitators."""
    dice = random.Random(seed)
    people = [
        a_person(
            number, ppo=dice.random() < 0.3, topics=tuple(dice.sample(("crack", "alcohol"), 2)),
            weeks=(a_week(dice.randint(1, 2), hard=dice.random() < 0.7),),
            away=tuple(
                away(dice.choice(("court", "visit")), dice.choice((MONDAY, TUESDAY)),
                     *dice.choice(((time(8), time(12)), (time(13), time(15)))))
                for _ in range(dice.randint(0, 2))
            ),
        )
        for number in (1, 2, 3)
    ]  # fmt: skip
    limited = Facilitator(1, "carat", ALL, dice.choice((2, 3, None)))
    return some_facts(
        people, days=2, rooms=(Room(1, dice.choice((1, 2, 3)), True),),
        facilitators=(limited, Facilitator(2, "clinical", frozenset(dice.sample(sorted(ALL), 7)))),
        apart=frozenset({frozenset(dice.sample((1, 2, 3), 2))} if dice.random() < 0.5 else ()),
    )  # fmt: skip


Taken = tuple[tuple[Span, str], ...]


def choices(facts: GroupFacts, person: Person) -> Iterator[Taken]:
    """Every way this person might sit in so many sessions as are owed, or fewer."""
    (week,) = person.weeks
    free = [
        span for span in facts.openings()
        if not any(a.starts_at < span.ends_at and span.starts_at < a.ends_at for a in person.away)
    ]  # fmt: skip
    for number in range(week.required + 1):
        for spans in combinations(free, number):
            for topics in permutations(person.topics, number):
                yield tuple(zip(spans, topics, strict=True))


def the_best_there_is(facts: GroupFacts) -> tuple[int, int, int]:
    """The fewest points of any plan: every choice of everybody tried, counted by hand."""
    carat, clinical = facts.facilitators
    had = {
        (seat.person_id, session.span, session.topic)
        for session in facts.sessions for seat in facts.seats if seat.session_id == session.id
    }  # fmt: skip
    return min(
        (
            sum(_short(person, taken) for person, taken in zip(facts.people, each, strict=True)),
            10 * sum(
                not any(person.id == who and (span, topic) in taken
                        for person, taken in zip(facts.people, each, strict=True))
                for who, span, topic in had
            ),
            5 * len({held for taken in each for held in taken})
            + sum(_misfit(person, taken) for person, taken in zip(facts.people, each, strict=True)),
        )
        for each in product(*(list(choices(facts, person)) for person in facts.people))
        if _allowed(facts, carat, clinical, each)
    )  # fmt: skip


def _short(person: Person, taken: Taken) -> int:
    (week,) = person.weeks
    missing = week.required - len(taken)
    weight = (120 if person.ppo else 100) if week.hard else (6 if person.ppo else 5)
    return weight * missing + max(0, missing - 1)


def _misfit(person: Person, taken: Taken) -> int:
    days = [span.on for span, _ in taken]
    return 3 * (len(days) - len(set(days))) + sum(person.topics.index(topic) for _, topic in taken)


def _allowed(
    facts: GroupFacts, carat: Facilitator, clinical: Facilitator, each: tuple[Taken, ...]
) -> bool:
    seated: dict[tuple[Span, str], set[int]] = {}
    for person, taken in zip(facts.people, each, strict=True):
        for held in taken:
            seated.setdefault(held, set()).add(person.id)
    spans = [span for span, _ in seated]
    return (
        len(spans) == len(set(spans))
        and (carat.a_week is None or len(spans) <= carat.a_week)
        and all(topic in clinical.topics for _, topic in seated)
        and all(len(people) <= facts.rooms[0].places for people in seated.values())
        and not any(pair <= people for pair in facts.apart for people in seated.values())
    )


@pytest.mark.parametrize("seed", range(8))
def test_the_plan_is_the_best_of_all_and_so_is_the_next_after_a_change(seed):
    facts = a_tiny_wing(seed)
    dice = random.Random(seed)

    solved = solve(facts, ONCE)

    assert all(level.proved for level in solved.levels)
    assert breaches(facts, solved.plan.sessions) == []
    points = solved.plan.points
    assert (points.short, points.moved, points.fit) == the_best_there_is(facts)

    who = dice.randrange(3)
    in_court = replace(
        facts.people[who], away=(*facts.people[who].away, away("court", dice.choice((MONDAY, TUESDAY))))
    )  # fmt: skip
    people = tuple(in_court if n == who else each for n, each in enumerate(facts.people))
    later = replace(published(facts, solved.plan), people=people)
    again = solve(later, ONCE)

    assert all(level.proved for level in again.levels)
    assert breaches(later, again.plan.sessions) == []
    points = again.plan.points
    assert (points.short, points.moved, points.fit) == the_best_there_is(later)


# -- what it promises ------------------------------------------------------------------------


def a_small_wing() -> GroupFacts:
    return a_wing(4, people=6, rooms=1, facilitators=4, estates=2, days=7)


@pytest.mark.proves("GP-14")
def test_a_wing_of_60_is_looked_at_for_3_seconds_and_a_larger_one_for_45():
    assert [group_solver.seconds_for(people) for people in (1, 60, 61, 150)] == [3, 3, 45, 45]


def test_a_wing_is_planned_no_worse_than_at_once_alike_however_listed_and_told_as_it_goes():
    facts = a_small_wing()
    heard: list[Progress] = []

    solved = solve(facts, BRIEFLY, heard.append)

    assert solved.plan.points <= place(facts).points
    assert [(level.name, level.value) for level in solved.levels] == [
        ("short", solved.plan.points.short), ("moved", 0), ("fit", solved.plan.points.fit)
    ]  # fmt: skip
    assert all(level.gap >= 0 for level in solved.levels)
    assert heard and {each.level for each in heard} <= {"short", "fit"}
    mixed = pickle.loads(pickle.dumps(shuffled(facts, random.Random(1))))
    assert solve(mixed, BRIEFLY) == solved


def test_nothing_moves_in_a_published_plan_that_cannot_be_made_less_short():
    facts = a_small_wing()
    stands = published(facts, solve(facts, BRIEFLY).plan)

    assert solve(stands, BRIEFLY).plan.points.moved == 0


def test_somebody_moves_when_it_places_somebody_else():
    """The only seat 2 can have is taken by 1, who can also come in the afternoon."""
    facts = some_facts(
        [a_person(1, weeks=(a_week(1),)),
         a_person(2, weeks=(a_week(1),), away=(away("visit", MONDAY, time(13), time(16)),))],
        rooms=(Room(1, 1, True),), sessions=(a_session(1, places=1),), seats=(Seat(1, 1),),
    )  # fmt: skip

    at_once, solved = place(facts), solve(facts, BRIEFLY)

    assert at_once.missing == 1
    assert solved.plan.missing == 0
    assert [each.what for each in solved.plan.moves if each.told] == ["seat_moved"]
    assert solved.levels[1] == Level("moved", 10, 10)


def test_a_listener_who_says_no_keeps_the_plan_made_at_once():
    facts = a_small_wing()

    solved = solve(facts, BRIEFLY, lambda _: False)

    assert solved.plan.points == place(facts).points
    assert not solved.levels[0].proved or solved.levels[0].value == 0


def test_a_plan_the_checker_finds_a_breach_in_is_no_plan(monkeypatch):
    monkeypatch.setattr(group_solver, "breaches", lambda facts, plan: ["two who are kept apart"])

    with pytest.raises(group_solver.BrokenPlan, match="kept apart"):
        solve(some_facts([a_person(1)]), ONCE)


# -- pins ------------------------------------------------------------------------------------


def test_pins_that_clash_are_named_without_those_that_do_not():
    """Two sessions at once with one pair to lead them; a third, and a seat in it, clash with nothing."""
    first = a_session(1, pinned=True)
    second = a_session(2, topic="alcohol", room_id=2, pinned=True)
    third = a_session(3, clock=PM, pinned=True)
    facts = some_facts(
        [a_person(1)], rooms=(Room(1, 12, True), Room(2, 12, True)),
        sessions=(third, second, first), seats=(Seat(3, 1, pinned=True),),
    )  # fmt: skip

    solved = solve(facts, ONCE)

    assert solved.clash is not None and set(solved.clash.pins) == {first, second}
    assert solved.levels == ()
    for fewer in ((first, third), (second, third)):
        kept = solve(replace(facts, sessions=fewer), ONCE)
        assert (
            kept.clash is None
            and breaches(replace(facts, sessions=fewer), kept.plan.sessions) == []
        )


def test_thirteen_pins_in_twelve_seats_clash_and_no_twelve_of_them_do():
    people = [a_person(number) for number in range(1, 14)]
    seats = tuple(Seat(1, each.id, pinned=True) for each in people)
    facts = some_facts(people, sessions=(a_session(1),), seats=seats)

    solved = solve(facts, ONCE)

    assert solved.clash is not None and set(solved.clash.pins) == set(seats)
    assert solve(replace(facts, seats=seats[1:]), ONCE).clash is None


def test_a_pin_against_the_rules_clashes_alone_and_says_why():
    pin = Seat(1, 1, pinned=True)
    facts = some_facts(
        [a_person(1, away=(away("court", MONDAY),))], sessions=(a_session(1),), seats=(pin,)
    )

    clash = solve(facts, ONCE).clash

    assert clash is not None and clash.pins == (pin,)
    assert [bar.code for bar in clash.bars] == ["court"]


def test_a_pinned_session_nobody_can_lead_clashes_alone_and_says_who_is_away():
    session = a_session(1, pinned=True)
    ill = Facilitator(1, "carat", ALL, away=(away("other", MONDAY),))
    facts = some_facts(
        [a_person(1)], sessions=(session,), facilitators=(ill, Facilitator(2, "clinical", ALL))
    )

    clash = solve(facts, ONCE).clash

    assert clash is not None and clash.pins == (session,)
    assert [bar.code for bar in clash.bars] == ["carat_away"]


def test_pins_the_first_plan_could_not_keep_are_kept_by_moving_who_leads():
    """At once, 1 stays with alcohol; only 1 can lead crack too, and 3 can stand in for alcohol."""
    alcohol = a_session(1, topic="alcohol", carat_id=1, pinned=True)
    crack = a_session(2, room_id=2, carat_id=9, clinical_id=4, pinned=True)
    facts = some_facts(
        [a_person(1, weeks=(a_week(1),))], sessions=(crack, alcohol),
        rooms=(Room(1, 12, True), Room(2, 12, True)),
        facilitators=(
            Facilitator(1, "carat", frozenset({"crack", "alcohol"})),
            Facilitator(3, "carat", frozenset({"alcohol"})),
            Facilitator(2, "clinical", ALL), Facilitator(4, "clinical", ALL),
        ),
    )  # fmt: skip

    assert place(facts).unkept
    solved = solve(facts, ONCE)

    assert solved.clash is None and breaches(facts, solved.plan.sessions) == []
    led = {each.session.id: each.session.carat_id for each in solved.plan.sessions}
    assert led == {1: 3, 2: 1}
