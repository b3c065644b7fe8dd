"""A wing's groups as variables and constraints, for the solver to choose among.

Every session that stands is a candidate, and every topic for every estate at every opening. What
may not be is left out or constrained; what is owed and wanted is counted in the points of
group_plan.py. The empty model arrives as an argument (`cp`, a CpModel of CP-SAT): this module
imports no solver. Built in an order that hangs on no listing of the facts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from typing import Any, Final

from scheduling.group_board import Held, in_order
from scheduling.group_plan import short_weight, topic_rank
from scheduling.groups import (
    CARAT,
    CLINICAL,
    KINDS,
    PLACES,
    GroupFacts,
    Pin,
    Room,
    Session,
    Span,
    leader_bars,
    material_bars,
    may_hold,
    person_bars,
    pins,
    week_key,
)

_UNTIMELY: Final = frozenset({
    "wrong_length", "not_working_day", "outside_regime", "unknown_topic", "no_material",
})  # fmt: skip

Var = Any
"""A variable of the solver, or an expression of several."""


@dataclass(frozen=True)
class _Candidate:
    """A session that might be held: one that stands, or a topic for an estate at an opening."""

    topic: str
    estate: str
    span: Span
    was: Session | None = None

    @property
    def on(self) -> date:
        return self.span.on


class Model:
    """Who may lead, be in and sit in which session, as variables; the rules between them."""

    def __init__(self, facts: GroupFacts, cp: Any) -> None:
        self.facts = facts
        self.cp = cp
        self.rooms = sorted(
            (each for each in facts.rooms if each.confidential is True and each.places > 0),
            key=lambda each: each.id,
        )
        self.leaders = sorted(facts.facilitators, key=lambda each: each.id)
        self.had = _had(facts)
        self.candidates = list(self._candidates())
        self.open = [self.cp.new_bool_var("") for _ in self.candidates]
        self.sits: dict[tuple[int, int], Var] = {}
        self.leads: dict[tuple[int, int], Var] = {}
        self.in_room: dict[tuple[int, int], Var] = {}  # standing sessions: by room
        self.in_class: dict[tuple[int, int], Var] = {}  # new ones: by places of the room
        self.short: dict[tuple[int, date], tuple[Var, Var]] = {}
        self.same_day: dict[tuple[int, date], Var] = {}
        for number, candidate in enumerate(self.candidates):
            self._staff(number, candidate)
            self._room_of(number, candidate)
            self._seats(number, candidate)
        self._no_two_at_once()
        self._no_more_than_a_week_allows()
        self._people()
        self.pins = dict(self._pins())

    def _candidates(self) -> Iterator[_Candidate]:
        facts = self.facts
        standing = []
        for was in sorted(facts.sessions, key=in_order):
            if not any(bar.code in _UNTIMELY for bar in may_hold(facts, was)):
                standing.append(_Candidate(was.topic, was.estate, was.span, was))
        yield from standing
        estates = sorted({each.estate for each in facts.people if each.estate is not None})
        topics = sorted({topic for each in facts.people for topic in each.topics})
        for span in facts.openings():
            free = [each for each in facts.by_reception if not person_bars(each, span)]
            for topic, estate in product(topics, estates):
                if (
                    any(each.estate == estate and topic in each.topics for each in free)
                    and not any(material_bars(facts, topic, span.on))
                    and not any(
                        each.topic == topic and each.estate == estate and each.span.meets(span)
                        for each in standing
                    )
                ):
                    yield _Candidate(topic, estate, span)

    def _staff(self, number: int, candidate: _Candidate) -> None:
        for kind in KINDS:
            may = []
            for leader in self.leaders:
                if leader.kind == kind and not any(
                    leader_bars(leader, candidate.topic, candidate.span, ())
                ):
                    self.leads[number, leader.id] = self.cp.new_bool_var("")
                    may.append(self.leads[number, leader.id])
            self.cp.add(sum(may) == self.open[number])

    def _room_of(self, number: int, candidate: _Candidate) -> None:
        free = [
            room for room in self.rooms if not any(away.meets(candidate.span) for away in room.away)
        ]
        if candidate.was is not None:
            keys, held = [room.id for room in free], self.in_room
        else:
            keys, held = sorted({_places(room) for room in free}), self.in_class
        for key in keys:
            held[number, key] = self.cp.new_bool_var("")
        self.cp.add(sum(held[number, key] for key in keys) == self.open[number])

    def _seats(self, number: int, candidate: _Candidate) -> None:
        facts, was = self.facts, candidate.was
        here = []
        for person in facts.by_reception:
            seated = was is not None and (person.id, was.id) in self.had
            if (
                person.estate == candidate.estate
                and (candidate.topic in person.topics or seated)
                and not person_bars(person, candidate.span)
            ):
                self.sits[person.id, number] = self.cp.new_bool_var("")
                here.append(self.sits[person.id, number])
        if was is None:
            rooms = {places: places for (held, places) in self.in_class if held == number}
            chosen = self.in_class
        else:
            rooms = {
                room.id: min(was.places, _places(room))
                for room in self.rooms
                if (number, room.id) in self.in_room
            }
            chosen = self.in_room
        self.cp.add(sum(here) <= sum(chosen[number, key] * most for key, most in rooms.items()))
        for one, other in sorted(tuple(sorted(pair)) for pair in facts.apart if len(pair) == 2):
            if (one, number) in self.sits and (other, number) in self.sits:
                self.cp.add_at_most_one(self.sits[one, number], self.sits[other, number])

    def _no_two_at_once(self) -> None:
        """Of sessions that share an instant nobody is in two, and no room holds two."""
        for at in sorted({each.span.starts_at for each in self.candidates}):
            now = [
                number
                for number, each in enumerate(self.candidates)
                if each.span.starts_at <= at < each.span.ends_at
            ]
            for held, keys in (
                (self.leads, [each.id for each in self.leaders]),
                (self.in_room, [each.id for each in self.rooms]),
            ):
                for key in keys:
                    self._at_most_one(held[n, key] for n in now if (n, key) in held)
            for person in self.facts.by_reception:
                self._at_most_one(
                    self.sits[person.id, n] for n in now if (person.id, n) in self.sits
                )
        for span in self.facts.openings():
            self._rooms_at(span)

    def _at_most_one(self, variables: Iterable[Var]) -> None:
        listed = list(variables)
        if len(listed) > 1:
            self.cp.add_at_most_one(listed)

    def _rooms_at(self, span: Span) -> None:
        """New sessions take what rooms of each size the standing ones leave."""
        for places in sorted({_places(room) for room in self.rooms}):
            rooms = [
                room
                for room in self.rooms
                if _places(room) == places and not any(away.meets(span) for away in room.away)
            ]
            standing = [
                self.in_room[n, room.id]
                for n, each in enumerate(self.candidates)
                for room in rooms
                if each.span.meets(span) and (n, room.id) in self.in_room
            ]
            new = [
                self.in_class[n, places]
                for n, each in enumerate(self.candidates)
                if each.was is None and each.span == span and (n, places) in self.in_class
            ]
            if new:
                self.cp.add(sum(new) + sum(standing) <= len(rooms))

    def _no_more_than_a_week_allows(self) -> None:
        for leader in self.leaders:
            if leader.a_week is None:
                continue
            by_week = defaultdict(list)
            for (number, who), var in self.leads.items():
                if who == leader.id:
                    by_week[week_key(self.candidates[number].on)].append(var)
            for week, led in sorted(by_week.items()):
                before = sum(week_key(on) == week for on in leader.elsewhere)
                self.cp.add(sum(led) <= max(0, leader.a_week - before))

    def _people(self) -> None:
        """Each week's sessions, each topic once, and two on one day told apart."""
        kept = {(each.person_id, each.session_id) for each in self.facts.seats if each.pinned}
        for person in self.facts.by_reception:
            mine = [
                (each, self.sits[person.id, number])
                for number, each in enumerate(self.candidates)
                if (person.id, number) in self.sits
            ]
            for week in sorted(person.weeks, key=lambda each: each.first_on):
                inside = [
                    (each, var) for each, var in mine if week.first_on <= each.on <= week.last_on
                ]
                had = sum(
                    each.was is not None and (person.id, each.was.id) in self.had
                    for each, _ in inside
                )
                got = sum(var for _, var in inside)
                if inside:
                    self.cp.add(got <= max(week.required, had))
                missing = self.cp.new_int_var(0, week.required, "")
                again = self.cp.new_int_var(0, max(0, week.required - 1), "")
                self.cp.add(missing >= week.required - got)
                self.cp.add(again >= missing - 1)
                self.short[person.id, week.first_on] = missing, again
            by_topic: dict[str, list[Any]] = defaultdict(list)
            by_day: dict[date, list[Any]] = defaultdict(list)
            pinned: dict[str, int] = defaultdict(int)
            for each, var in mine:
                by_topic[each.topic].append(var)
                by_day[each.on].append(var)
                pinned[each.topic] += each.was is not None and (person.id, each.was.id) in kept
            for topic, chosen in sorted(by_topic.items()):
                if len(chosen) > 1:
                    self.cp.add(sum(chosen) <= max(1, pinned[topic]))
            for on, chosen in sorted(by_day.items()):
                if len(chosen) > 1:
                    more = self.same_day[person.id, on] = self.cp.new_int_var(0, len(chosen), "")
                    self.cp.add(more >= sum(chosen) - 1)

    def _pins(self) -> Iterator[tuple[Pin, Var | None]]:
        """Each pin's variable; None when the facts alone forbid it."""
        place = {each.was.id: n for n, each in enumerate(self.candidates) if each.was is not None}
        for pin in pins(self.facts):
            if isinstance(pin, Session):
                yield pin, self.open[place[pin.id]] if pin.id in place else None
            else:
                yield pin, self.sits.get((pin.person_id, place.get(pin.session_id, -1)))

    # -- what it costs: the points of group_plan.py, GP-12 -----------------------------------

    def cost(self, level: str) -> Any:
        """The points of one level, as the solver counts them."""
        return {"short": self._short, "moved": self._moved, "fit": self._fit}[level]()

    def _short(self) -> Any:
        return sum(
            short_weight(person, week, self.facts.weights) * self.short[person.id, week.first_on][0]
            + self.facts.weights["short_again"] * self.short[person.id, week.first_on][1]
            for person in self.facts.by_reception
            for week in person.weeks
        )

    def _moved(self) -> Any:
        place = {each.was.id: n for n, each in enumerate(self.candidates) if each.was is not None}
        told = {e.id: e for e in self.facts.sessions if e.published and e.id is not None}
        cost: Any = 0
        for person_id, held in sorted(self.had):
            if held in told:
                var = self.sits.get((person_id, place.get(held, -1)), 0)
                cost += self.facts.weights["seat_moved"] * (1 - var)
        for session_id, was in told.items():
            number = place.get(session_id)
            if number is None:
                continue
            for kind in KINDS:
                same = self.leads.get((number, was.led_by(kind)), 0)
                cost += self.facts.weights["staff_changed"] * (self.open[number] - same)
            same = self.in_room.get((number, was.room_id), 0)
            cost += self.facts.weights["room_changed"] * (self.open[number] - same)
        return cost

    def _fit(self) -> Any:
        people = self.facts.person
        return (
            sum(self.facts.weights["session_held"] * each for each in self.open)
            + sum(self.facts.weights["same_day"] * each for each in self.same_day.values())
            + sum(
                self.facts.weights["topic_rank"]
                * topic_rank(people[person], self.candidates[number].topic)
                * var
                for (person, number), var in self.sits.items()
            )
        )

    # -- there and back ----------------------------------------------------------------------

    def hint(self, held: Iterable[Held]) -> None:
        """Begin the search from this plan."""
        on: set[tuple[str, int] | tuple[str, int, int]] = set()
        place = {(e.span, e.topic, e.estate, e.was and e.was.id): n
                 for n, e in enumerate(self.candidates)}  # fmt: skip
        rooms = self.facts.room
        for each in held:
            now = each.session
            number = place.get((now.span, now.topic, now.estate, now.id))
            if number is None:
                continue
            on.add(("open", number))
            on |= {("leads", number, now.led_by(kind)) for kind in KINDS}
            on.add(("room", number, now.room_id))
            on.add(("class", number, _places(rooms[now.room_id])))
            on |= {("sits", person, number) for person in each.seats}
        self.cp.clear_hints()
        for n, var in enumerate(self.open):
            self.cp.add_hint(var, ("open", n) in on)
        for kind, variables in (("leads", self.leads), ("room", self.in_room),
                                ("class", self.in_class), ("sits", self.sits)):  # fmt: skip
            for key, var in variables.items():
                self.cp.add_hint(var, (kind, *key) in on)

    def read(self, chosen: Callable[[Var], bool]) -> list[Held]:
        """The plan the solver came to; rooms of one size are given out in their own order."""
        taken: list[Session] = []
        held = []
        for number, each in enumerate(self.candidates):
            if not chosen(self.open[number]):
                continue
            leader = {
                self.facts.facilitator[who].kind: who
                for (n, who), var in self.leads.items()
                if n == number and chosen(var)
            }
            room = self._room(chosen, number, each, taken)
            session = replace(
                each.was or _new(each, room),
                room_id=room.id, carat_id=leader[CARAT], clinical_id=leader[CLINICAL],
                places=min(PLACES if each.was is None else each.was.places, _places(room)),
            )  # fmt: skip
            taken.append(session)
            seats = tuple(
                person.id
                for person in self.facts.by_reception
                if (person.id, number) in self.sits and chosen(self.sits[person.id, number])
            )
            held.append(Held(session, seats))
        return held

    def _room(
        self, chosen: Callable[[Var], bool], number: int, each: _Candidate, taken: list[Session]
    ) -> Room:
        if each.was is not None:
            return next(
                room
                for room in self.rooms
                if (number, room.id) in self.in_room and chosen(self.in_room[number, room.id])
            )
        places = next(
            places for (n, places), var in self.in_class.items() if n == number and chosen(var)
        )
        return next(
            room
            for room in self.rooms
            if _places(room) == places
            and not any(away.meets(each.span) for away in room.away)
            and not any(t.room_id == room.id and t.span.meets(each.span) for t in taken)
        )


def _new(each: _Candidate, room: Room) -> Session:
    span = each.span
    return Session(None, each.topic, each.estate, span.starts_at, span.ends_at, room.id, 0, 0)


def _places(room: Room) -> int:
    return min(room.places, PLACES)


def _had(facts: GroupFacts) -> set[tuple[int, int]]:
    """Who has a seat in which standing session now, of those still here."""
    standing = {each.id for each in facts.sessions}
    return {
        (each.person_id, each.session_id)
        for each in facts.seats
        if each.person_id in facts.person and each.session_id in standing
    }
