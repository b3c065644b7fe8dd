"""Groups placed at once: hard rules kept, the order of placing, who is short and why, what moves."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from clinic.bench.groups import a_wing, disrupted, published
from scheduling.group_board import Held
from scheduling.group_causes import smallest_set
from scheduling.group_checker import breaches
from scheduling.group_placing import place
from scheduling.group_plan import Plan, finish, weights_refused
from scheduling.groups import CAUSES, WEIGHTS, Facilitator, GroupFacts, Material, Room, Seat
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

TUESDAY = MONDAY + timedelta(days=1)
wings = some.builds(
    a_wing, seed=some.integers(0, 10_000), people=some.integers(1, 14), rooms=some.integers(0, 2),
    facilitators=some.integers(0, 6), estates=some.integers(1, 3), days=some.sampled_from([7, 14]),
)  # fmt: skip


def seats_of(plan: Plan, person: int) -> list[tuple[str, datetime]]:
    return [
        (each.session.topic, each.session.starts_at)
        for each in plan.sessions
        if person in each.seats
    ]


def shuffled(facts: GroupFacts, chance: random.Random) -> GroupFacts:
    def mixed(name: str) -> tuple:
        listed = list(getattr(facts, name))
        chance.shuffle(listed)
        return tuple(listed)

    return replace(facts, **{
        name: mixed(name)
        for name in ("people", "facilitators", "rooms", "materials", "sessions", "seats", "blocks")
    })  # fmt: skip


# -- hard rules ------------------------------------------------------------------------------


@pytest.mark.proves("PS-24", "PS-27", "TT-22")
@settings(max_examples=30, deadline=None)
@given(wings, some.integers(0, 1000))
def test_no_plan_made_at_once_breaks_a_hard_rule_nor_one_made_anew_after_a_change(wing, seed):
    first = place(wing)
    later = disrupted(published(wing, first), seed)

    second = place(later)

    assert breaches(wing, first.sessions) == []
    assert breaches(later, second.sessions) == []
    owed = sum(week.required for person in later.people for week in person.weeks)
    assert second.seats + second.missing >= owed


@settings(max_examples=12, deadline=None)
@given(wings, some.randoms(use_true_random=False))
def test_the_plan_does_not_hang_on_how_the_facts_were_listed(wing, chance):
    plan = place(wing)

    assert place(shuffled(wing, chance)) == plan
    stands = published(wing, plan)
    assert place(shuffled(stands, chance)) == place(stands)


def test_the_checker_finds_each_breach_of_a_plan_made_by_hand():
    people = [a_person(number) for number in range(1, 14)]
    facts = some_facts(people, days=2, apart=frozenset({frozenset({1, 2})}))
    session, seats = a_session(None), (1, 3)
    late = a_session(None, clock=time(10))
    wrong = {
        "13 seats of 12": (Held(session, (1, *range(3, 14), 99)),),
        "kept apart": (Held(session, (1, 2)),),
        "sits twice": (Held(session, (1, 1)),),
        "nobody knows": (Held(session, (99,)),),
        "wrong length": (Held(replace(session, ends_at=session.ends_at + timedelta(1)), seats),),
        "not a working day": (Held(a_session(None, MONDAY + timedelta(days=5)), seats),),
        "outside the regime": (Held(a_session(None, clock=time(12)), seats),),
        "no validated material": (Held(replace(session, topic="anger"), seats),),
        "no confidential room": (Held(replace(session, room_id=2), seats),),
        "no carat facilitator": (Held(replace(session, carat_id=2), seats),),
        "no clinical facilitator": (Held(replace(session, clinical_id=1), seats),),
        "another estate": (Held(replace(session, estate="women"), seats),),
        "room 1: two things at once": (Held(session, (1,)), Held(late, (3,))),
        "facilitator 1: two things": (Held(session, (1,)), Held(late, (3,))),
        "reception 1: two things": (Held(session, (1,)), Held(late, (1,))),
        "one topic twice": (Held(session, (1,)), Held(a_session(None, clock=PM), (1,))),
    }

    assert breaches(facts, [Held(session, seats)]) == []
    for said, plan in wrong.items():
        assert any(said in line for line in breaches(facts, plan)), said


def test_the_checker_asks_each_persons_own_facts_and_the_pins():
    session = a_session(1)
    facts = some_facts([a_person(1)], sessions=(session,))
    plan = [Held(session, (1,))]
    told = {
        "two things at once": replace(
            facts, people=(a_person(1, away=(away("court", MONDAY),)),)
        ),
        "one to one": replace(facts, people=(a_person(1, one_to_one=True),)),
        "weeks": replace(facts, people=(a_person(1, weeks=(a_week(first_on=TUESDAY),)),)),
        "more than 0 in a week": replace(
            facts, facilitators=(Facilitator(1, "carat", ALL, 0), facts.facilitators[1])
        ),
        "room 1: two things": replace(
            facts, rooms=(Room(1, 12, True, (away("other", MONDAY),)),)
        ),
        "facilitator 2: two things": replace(
            facts,
            facilitators=(
                facts.facilitators[0],
                Facilitator(2, "clinical", ALL, away=(away("other", MONDAY),)),
            ),
        ),
        "no validated material": replace(
            facts, materials=(Material("crack", MONDAY - timedelta(9), MONDAY - timedelta(1)),)
        ),
        "1 seats of 0": replace(facts, rooms=(Room(1, 0, True),)),
        "a pinned seat lost": replace(
            facts, people=(a_person(1), a_person(2)), seats=(Seat(1, 2, pinned=True),)
        ),
        "pinned and not held": replace(facts, sessions=(session, replace(session, id=2, pinned=True))),
    }  # fmt: skip

    assert breaches(facts, plan) == []
    for said, changed in told.items():
        assert any(said in line for line in breaches(changed, plan)), said


# -- who is placed first ---------------------------------------------------------------------


def one_place(people, **given):
    """A plan of one day with a single seat in each of its half-days."""
    return place(some_facts(people, rooms=(Room(1, 1, True),), **given))


@pytest.mark.proves("PS-31", "TT-24", "GP-11")
def test_ppo_come_first_then_owed_weeks_then_fewest_ways_deadline_and_reception():
    only_morning = (away("visit", MONDAY, time(13), time(16)),)
    wanted = {"weeks": (a_week(1),), "away": only_morning}
    ordinary = a_person(1, **wanted)
    pairs = [
        (a_person(2, ppo=True, **wanted), ordinary),
        (ordinary, a_person(2, **{**wanted, "weeks": (a_week(1, hard=False),)})),
        (a_person(2, **{**wanted, "weeks": (a_week(1, days=3),)}), ordinary),
        (ordinary, a_person(2, **wanted)),
    ]

    for first, second in pairs:
        plan = one_place([second, first])

        assert [each.person_id for each in plan.short] == [second.id], (first, second)


def test_whoever_has_one_way_left_goes_before_whoever_has_two():
    plan = one_place([
        a_person(1, weeks=(a_week(1),)),
        a_person(2, weeks=(a_week(1),), away=(away("visit", MONDAY, time(13), time(16)),)),
    ])  # fmt: skip

    assert plan.missing == 0


# -- who is short, and why -------------------------------------------------------------------


def test_somebody_away_whenever_there_is_a_session_is_told_each_cause_and_none_to_spare():
    court, visit = away("court", MONDAY), away("visit", MONDAY, time(14), time(15))
    blocked = a_person(1, weeks=(a_week(1),), away=(visit, court))
    facts = some_facts([blocked])

    (short,) = place(facts).short

    assert [each.code for each in short.because] == ["court", "visit"]
    for kept in (court, visit):
        assert place(replace(facts, people=(replace(blocked, away=(kept,)),))).missing == 0
    assert short.relaxation.effort == 4
    assert [bar.code for bar in short.relaxation.needs] == ["visit"]
    assert short.relaxation.span == facts.openings()[1]


@pytest.mark.proves("GP-13")
@pytest.mark.parametrize(
    ("morning", "asked", "effort"), [("appointment", "appointment", 2), ("court", "visit", 4)]
)
def test_what_gives_way_most_easily_is_asked_for_first_and_court_never(morning, asked, effort):
    hours = away(morning, MONDAY, time(9, 30), time(11)), away("visit", MONDAY, time(14), time(15))

    (short,) = place(some_facts([a_person(1, weeks=(a_week(1),), away=hours)])).short

    assert [bar.code for bar in short.relaxation.needs] == [asked]
    assert short.relaxation.effort == effort


def test_the_smallest_set_leaves_out_what_alone_decides_nothing():
    nobody_clinical = (Facilitator(1, "carat", ALL),)
    facts = some_facts([a_person(1, away=(away("court", MONDAY),))], facilitators=nobody_clinical)

    (short,) = place(facts).short

    assert [each.code for each in short.because] == ["no_clinical"]
    assert short.missing == 2


@pytest.mark.parametrize(
    ("person", "changes", "code"),
    [
        ({"one_to_one": True}, {}, "one_to_one_only"),
        ({"estate": None}, {}, "estate_not_known"),
        ({"topics": ()}, {}, "no_topic"),
        ({}, {"rooms": ()}, "no_room"),
        ({}, {"rooms": (Room(1, 12, None),)}, "no_room"),
        ({}, {"materials": (Material("relaxation", MONDAY),)}, "no_material"),
        ({}, {"working_days": frozenset()}, "no_session_day"),
    ],
)
def test_one_thing_that_runs_through_the_week_is_the_whole_cause(person, changes, code):
    (short,) = place(some_facts([a_person(1, **person)], **changes)).short

    assert [each.code for each in short.because] == [code]
    assert ("Record which estate" in str(short.relaxation)) == (code == "estate_not_known")


@pytest.mark.proves("PS-28", "TT-23")
def test_what_cannot_give_way_leaves_a_one_to_one_which_counts_the_same():
    (short,) = place(some_facts([a_person(1, away=(away("court", MONDAY),),
                                          weeks=(a_week(2),), topics=("crack",))])).short  # fmt: skip

    assert short.missing == 1
    assert [each.code for each in short.because] == ["no_topic"]
    assert (short.relaxation.topic, short.relaxation.needs) == (None, ())


@settings(max_examples=12, deadline=None)
@given(wings)
def test_what_is_said_to_be_lacking_once_it_is_there_places_somebody(wing):
    plan = place(wing)
    lacking = [
        each for each in plan.short
        if each.relaxation.needs
        and all(bar.code in ("no_carat", "no_clinical", "no_room")
                for bar in each.relaxation.needs)
    ][:3]  # fmt: skip

    for short in lacking:
        codes = {bar.code for bar in short.relaxation.needs}
        helped = replace(
            wing,
            facilitators=(*wing.facilitators, *(
                Facilitator(900 + n, kind, ALL) for n, kind in enumerate(("carat", "clinical"))
                if f"no_{kind}" in codes
            )),
            rooms=(*wing.rooms, *([Room(900, 12, True)] if "no_room" in codes else [])),
        )  # fmt: skip

        assert place(helped, plan.sessions).missing < plan.missing


causes = some.tuples(some.sampled_from(["full", "no_room", "busy", "estate", *CAUSES]), some.none())


@settings(max_examples=60)
@given(some.lists(some.frozensets(causes.filter(lambda key: key[0] not in CAUSES), min_size=1,
                                  max_size=3), min_size=1, max_size=8))  # fmt: skip
def test_no_smaller_set_of_causes_leaves_no_way(ways):
    found = smallest_set(ways)

    assert not any(way.isdisjoint(found) for way in ways)
    every = sorted({key for way in ways for key in way})
    for fewer in combinations(every, len(found) - 1):
        assert any(way.isdisjoint(fewer) for way in ways)


# -- what stands, and what moves -------------------------------------------------------------


def test_a_published_plan_that_still_works_does_not_move():
    facts = some_facts([a_person(number) for number in range(1, 9)], days=3)
    stands = published(facts, place(facts))

    plan = place(stands)

    assert plan.moves == () and plan.points.moved == 0


def test_a_facilitator_who_falls_ill_is_stood_in_for_and_nobody_moves():
    session = a_session(1)
    ill = Facilitator(1, "carat", ALL, away=(away("other", MONDAY),))
    facts = some_facts(
        [a_person(1, weeks=(a_week(1),))], sessions=(session,), seats=(Seat(1, 1),),
        facilitators=(ill, Facilitator(2, "clinical", ALL), Facilitator(3, "carat", ALL)),
    )  # fmt: skip

    plan = place(facts)

    assert [(each.what, each.now and each.now.carat_id) for each in plan.moves] == [
        ("carat_changed", 3)
    ]
    assert plan.points.moved == 2
    assert [bar.code for each in plan.moves for bar in each.forced] == ["carat_away"]


def test_a_seat_that_cannot_stay_moves_and_says_why_it_had_to():
    facts = some_facts(
        [a_person(1, weeks=(a_week(1),), away=(away("court", MONDAY),))],
        sessions=(a_session(1),), seats=(Seat(1, 1),),
    )  # fmt: skip

    moves = {each.what: each for each in place(facts).moves}

    assert set(moves) == {"session_new", "session_withdrawn", "seat_moved"}
    assert [bar.code for bar in moves["seat_moved"].forced] == ["court"]
    assert moves["seat_moved"].told


def test_a_pair_kept_apart_only_later_loses_one_seat_and_not_the_pinned_one():
    facts = some_facts(
        [a_person(1), a_person(2)], sessions=(a_session(1),),
        seats=(Seat(1, 1), Seat(1, 2, pinned=True)), apart=frozenset({frozenset({1, 2})}),
    )  # fmt: skip

    plan = place(facts)

    assert breaches(facts, plan.sessions) == []
    assert ("crack", a_session().starts_at) in seats_of(plan, 2)
    assert ("crack", a_session().starts_at) not in seats_of(plan, 1)
    (forced,) = [each.forced for each in plan.moves if each.what in ("seat_lost", "seat_moved")]
    assert [bar.code for bar in forced] == ["keep_apart"]


def test_a_session_that_can_no_longer_be_held_says_so_to_everybody_it_moves():
    holiday = some_facts(
        [a_person(1)], days=2, sessions=(a_session(1),), seats=(Seat(1, 1),),
        working_days=frozenset({TUESDAY}),
    )  # fmt: skip

    moves = {each.what: each for each in place(holiday).moves}

    assert [bar.code for bar in moves["session_withdrawn"].forced] == ["not_working_day"]
    assert [bar.code for bar in moves["seat_moved"].forced] == ["not_working_day"]


def test_a_pin_that_cannot_be_kept_is_named_with_its_reason():
    pinned = Seat(1, 1, pinned=True)
    facts = some_facts(
        [a_person(1, away=(away("court", MONDAY),))], sessions=(a_session(1),), seats=(pinned,)
    )

    ((pin, bars),) = place(facts).unkept

    assert pin == pinned and [bar.code for bar in bars] == ["court"]


@pytest.mark.proves("GP-12")
def test_points_are_counted_from_the_plan_whoever_made_it():
    people = [a_person(1, ppo=True), a_person(2, weeks=(a_week(2, hard=False),))]
    facts = some_facts(people, sessions=(a_session(1),), seats=(Seat(1, 1),))

    nothing = finish(facts, []).points
    both = finish(facts, [Held(a_session(1, topic="crack"), (1, 2))]).points

    assert (nothing.short, nothing.moved, nothing.fit) == (2 * 120 + 1 + 2 * 5 + 1, 10, 0)
    assert (both.short, both.moved, both.fit) == (120 + 5, 0, 5)


@pytest.mark.proves("GP-15")
def test_a_prison_weighs_for_itself_within_bounds_and_ppos_stay_first():
    facts = replace(some_facts([a_person(1, ppo=True)]), weights={**WEIGHTS, "short_hard_ppo": 300})
    assert finish(facts, []).points.short == 2 * 300 + 1

    for given_, named in (
        ({}, []), ({"room_changed": 0, "seat_moved": 1000}, []), ({"seat_moved": 1001}, ["seat_moved"]),
        ({"short": -1}, ["short"]), ({"short_hard": 121}, ["short_hard"]),
        ({"short_hard": 120}, []), ({"shoe": 1}, ["shoe"]),
    ):  # fmt: skip
        assert [name for name, _ in weights_refused(given_)] == named


def test_two_sessions_of_one_day_and_a_less_needed_topic_cost_a_little():
    facts = some_facts([a_person(1)])

    plan = place(facts)

    assert seats_of(plan, 1) == [
        ("crack", facts.openings()[0].starts_at), ("alcohol", facts.openings()[1].starts_at)
    ]  # fmt: skip
    assert plan.points.fit == 2 * 5 + 3 + 1


def test_somebody_received_at_the_same_instant_is_told_apart_by_the_order_of_reception_alone():
    same = datetime(2026, 11, 20, 12, tzinfo=UTC)
    people = [a_person(n, received_at=same, weeks=(a_week(1),)) for n in (7, 5)]

    plan = place(some_facts(people, rooms=(Room(1, 1, True),), blocks=some_facts().blocks[:1]))

    assert [each.person_id for each in plan.short] == [7]
