"""What does a plan of groups come to: who is short of a session, what would move, what does it cost?

A plan is a list of sessions held with the seats in them. `finish` works out the rest from the facts
alone, whoever made the plan. Weights: GP-12 (groups.toml), or what the prison set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from scheduling.group_board import Board, Held, in_order
from scheduling.group_causes import Shortfall, shortfalls
from scheduling.groups import (
    KINDS,
    RULES,
    WEIGHTS,
    Bar,
    GroupFacts,
    Person,
    Pin,
    Session,
    Week,
    may_hold,
    may_sit,
)


@dataclass(frozen=True)
class Move:
    """One change against the plan that stands.

    `what`: seat_new, seat_lost, seat_moved, session_new, session_withdrawn, carat_changed,
    clinical_changed or room_changed. `told`: people had been told of what it was. `forced`: what
    stands against it as it was, those who stay being there; empty when it changed because it pays.
    """

    what: str
    was: Session | None = None
    now: Session | None = None
    person_id: int | None = None
    told: bool = False
    forced: tuple[Bar, ...] = ()


@dataclass(frozen=True, order=True)
class Points:
    """What a plan costs, to be compared in this order: GP-12. Fewer is better."""

    short: int
    moved: int
    fit: int


@dataclass(frozen=True)
class Plan:
    """A plan with everything it comes to. `unkept`: pins it does not keep, with the reasons known."""

    sessions: tuple[Held, ...]
    short: tuple[Shortfall, ...]
    moves: tuple[Move, ...]
    points: Points
    unkept: tuple[tuple[Pin, tuple[Bar, ...]], ...] = ()

    @property
    def missing(self) -> int:
        return sum(each.missing for each in self.short)

    @property
    def seats(self) -> int:
        return sum(len(each.seats) for each in self.sessions)


def finish(
    facts: GroupFacts,
    held: Iterable[Held],
    unkept: Sequence[tuple[Pin, tuple[Bar, ...]]] = (),
) -> Plan:
    """The whole plan: shortfalls with their causes, moves against what stands, points."""
    board = Board(facts, held)
    sessions = board.held()
    moves = tuple(_moves(facts, sessions))
    short = tuple(shortfalls(board))
    return Plan(sessions=tuple(sessions), short=short, moves=moves,
                points=_points(board, sessions, short), unkept=tuple(unkept))  # fmt: skip


def short_weight(person: Person, week: Week, weights: Mapping[str, int]) -> int:
    """What one missing session of this week costs: GP-12."""
    name = "short_hard" if week.hard else "short"
    return weights[f"{name}_ppo" if person.ppo else name]


def topic_rank(person: Person, topic: str) -> int:
    """How many topics this person needs more; one they do not need comes after all they do."""
    return person.topics.index(topic) if topic in person.topics else len(person.topics)


def _points(board: Board, sessions: Sequence[Held], short: Iterable[Shortfall]) -> Points:
    facts = board.facts
    lacking = sum(
        each.missing * short_weight(facts.person[each.person_id], each.week, facts.weights)
        + (each.missing - 1) * facts.weights["short_again"]
        for each in short
    )
    fit = facts.weights["session_held"] * len(sessions)
    for person in facts.people:
        sits = board.sits[person.id]
        fit += sum(facts.weights["topic_rank"] * topic_rank(person, each.topic) for each in sits)
        fit += facts.weights["same_day"] * (len(sits) - len({each.on for each in sits}))
    return Points(lacking, _moved(facts, sessions), fit)


def _moved(facts: GroupFacts, sessions: Iterable[Held]) -> int:
    now = {each.session.id: each for each in sessions if each.session.id is not None}
    moved = 0
    for was in facts.sessions:
        if not was.published:
            continue
        held = None if was.id is None else now.get(was.id)
        kept = () if held is None else held.seats
        moved += facts.weights["seat_moved"] * sum(
            seat.session_id == was.id
            and seat.person_id in facts.person
            and seat.person_id not in kept
            for seat in facts.seats
        )
        if held is not None:
            moved += facts.weights["staff_changed"] * sum(
                was.led_by(kind) != held.session.led_by(kind) for kind in KINDS
            ) + facts.weights["room_changed"] * (was.room_id != held.session.room_id)
    return moved


# -- moves -----------------------------------------------------------------------------------


def _moves(facts: GroupFacts, sessions: Sequence[Held]) -> Iterator[Move]:
    was = {each.id: each for each in facts.sessions if each.id is not None}
    now: dict[int | None, Held] = {e.session.id: e for e in sessions if e.session.id is not None}
    for each in sessions:
        if each.session.id is None:
            yield Move("session_new", now=each.session)
    for session in sorted(was.values(), key=in_order):
        held = now.get(session.id)
        against = tuple(may_hold(facts, session))
        if held is None:
            yield Move("session_withdrawn", session, told=session.published, forced=against)
            continue
        stays = held.session
        changes = {f"{kind}_changed": session.led_by(kind) != stays.led_by(kind) for kind in KINDS}
        changes["room_changed"] = session.room_id != stays.room_id
        for what, changed in changes.items():
            if changed:
                yield Move(what, session, stays, told=session.published, forced=against)
    had: defaultdict[int, list[Session]] = defaultdict(list)
    sat: defaultdict[int | None, set[int]] = defaultdict(set)
    for seat in facts.seats:
        if seat.session_id in was:
            had[seat.person_id].append(was[seat.session_id])
            sat[seat.session_id].add(seat.person_id)
    has: defaultdict[int, list[Session]] = defaultdict(list)
    for each in sessions:
        for person_id in each.seats:
            has[person_id].append(each.session)
    for person in facts.by_reception:
        for move in _seat_moves(person, had[person.id], has[person.id]):
            if move.was is not None:
                move = replace(move, forced=_forced(facts, person, move.was, sat, now))
            yield move


def _forced(
    facts: GroupFacts,
    person: Person,
    was: Session,
    sat: Mapping[int | None, set[int]],
    now: Mapping[int | None, Held],
) -> tuple[Bar, ...]:
    """What stands against a seat as it was, beside those who keep theirs."""
    held = now.get(was.id)
    if held is None:
        return *may_sit(facts, person, was), *may_hold(facts, was)
    return tuple(may_sit(facts, person, was, sat[was.id].intersection(held.seats)))


def _seat_moves(person: Person, had: Iterable[Session], has: Iterable[Session]) -> Iterator[Move]:
    """Seats this person no longer has, each with the new one of the same week, and those beside."""
    kept = {each.id for each in has} & {each.id for each in had}
    new = sorted((each for each in has if each.id is None or each.id not in kept), key=in_order)
    for was in sorted((each for each in had if each.id not in kept), key=in_order):
        week = person.week_of(was.on)
        to = next((each for each in new if week and person.week_of(each.on) == week), None)
        if to is not None:
            new.remove(to)
        yield Move("seat_lost" if to is None else "seat_moved", was, to, person.id, was.published)
    for each in new:
        yield Move("seat_new", now=each, person_id=person.id)


def weights_refused(given: Mapping[str, int]) -> list[tuple[str, str]]:
    """What is wrong with weights a prison would set, by name; nothing when they may stand. GP-15."""
    rule = RULES["GP-15"]
    found = [(name, "is not a weight") for name in given if name not in WEIGHTS]
    found += [
        (name, str(rule["outside"]).format(least=rule["least"], most=rule["most"]))
        for name in WEIGHTS
        if not rule["least"] <= given.get(name, WEIGHTS[name]) <= rule["most"]
    ]
    whole = {**WEIGHTS, **given}
    found += [
        (name, str(rule["rising"]).format(before=before, before_is=whole[before]))
        for before, name in pairwise(rule["falling"])
        if whole[name] > whole[before]
    ]
    return found
