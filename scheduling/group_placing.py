"""Who sits where, found at once: the greedy plan of groups.

What stands is kept as far as it may be. Then each missing session is placed, the people hardest to
place first: PPO, weeks that are owed, fewest ways, nearest deadline, order of reception (GP-11). The
solver begins from this plan (group_solver.py); on its own it is a plan, not the best one.

Sets of people are whole numbers, one bit for each person in the order of reception: who is free,
who wants a topic and who still needs a session are then one `&` away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from scheduling.group_board import Board, Held, in_order
from scheduling.group_plan import Plan, finish, topic_rank
from scheduling.groups import (
    CARAT,
    CLINICAL,
    KINDS,
    PLACES,
    RULES,
    Bar,
    GroupFacts,
    Person,
    Pin,
    Seat,
    Session,
    Span,
    Week,
    material_bars,
    may_hold,
    may_sit,
    person_bars,
)

_STAFF: Final = frozenset(f"{kind}_{why}" for kind in KINDS
                          for why in ("not_known", "topic", "away", "taken", "limit"))  # fmt: skip
_ROOM: Final = frozenset({
    "room_not_known", "room_not_confidential", "room_away", "room_taken", "too_many_places",
})  # fmt: skip


def place(facts: GroupFacts, start: Iterable[Held] | None = None) -> Plan:
    """A plan at once: what stands is kept, then everybody still short is placed in turn.

    Whoever shows it asks group_checker.py first. `start`: begin from these
    sessions and seats, all of them allowed, and only fill what is still open.
    """
    placing = _Placing(facts)
    if start is None:
        placing.keep_what_stands()
    else:
        for each in start:
            placing.hold(each.session)
            for person in each.seats:
                placing.seat(facts.person[person], each.session)
    placing.fill()
    return finish(facts, placing.board.held(), placing.unkept)


class _Placing:
    def __init__(self, facts: GroupFacts) -> None:
        self.facts = facts
        self.board = Board(facts)
        self.unkept: list[tuple[Pin, tuple[Bar, ...]]] = []
        people = facts.by_reception
        self._bit: Mapping[int, int] = {each.id: 1 << n for n, each in enumerate(people)}
        self._openings = facts.openings()
        self._free = {
            span: self._mask(each for each in people if not person_bars(each, span))
            for span in self._openings
        }
        self._wants = {
            topic: self._mask(each for each in people if topic in each.topics)
            for topic in {topic for each in people for topic in each.topics}
        }
        self._estate = {
            estate: self._mask(each for each in people if each.estate == estate)
            for estate in {each.estate for each in people if each.estate is not None}
        }
        self._apart = {
            one: sum(self._bit.get(other, 0) for other in others)
            for one, others in facts.kept_from.items()
        }
        # For each opening, who still needs a session in the week of theirs it lies in.
        self._short = dict.fromkeys(self._openings, 0)
        self._left = {(each.id, week): week.required for each in people for week in each.weeks}
        for person in people:
            for week in person.weeks:
                self._mark(person, week)

    def _mask(self, people: Iterable[Person]) -> int:
        return sum(self._bit[each.id] for each in people)

    def _mark(self, person: Person, week: Week) -> None:
        bit = self._bit[person.id]
        for span in self._in(week):
            if self._left[person.id, week] > 0:
                self._short[span] |= bit
            else:
                self._short[span] &= ~bit

    def _in(self, week: Week) -> Iterator[Span]:
        return (each for each in self._openings if week.first_on <= each.on <= week.last_on)

    def hold(self, session: Session) -> None:
        self.board.hold(session)

    def seat(self, person: Person, session: Session) -> None:
        """Seat somebody, and take them out of what they are no longer free for, or in want of."""
        self.board.seat(person.id, session)
        bit = self._bit[person.id]
        for span in self._openings:
            if span.meets(session.span):
                self._free[span] &= ~bit
        if session.topic in self._wants:
            self._wants[session.topic] &= ~bit
        week = person.week_of(session.on)
        if week is not None:
            self._left[person.id, week] -= 1
            self._mark(person, week)

    # -- what stands -------------------------------------------------------------------------

    def keep_what_stands(self) -> None:
        """Hold the sessions there are, with another room or facilitator where theirs is not to be had."""
        pinned = {each.session_id for each in self.facts.seats if each.pinned}
        now: dict[int, Session] = {}
        for was in sorted(
            self.facts.sessions,
            key=lambda each: (not (each.pinned or each.id in pinned), not each.published,
                              in_order(each)),
        ):  # fmt: skip
            session = self._as_it_may_be(was)
            if session is not None and was.id is not None:
                self.hold(session)
                now[was.id] = session
            elif was.pinned:
                self.unkept.append((was, tuple(may_hold(self.facts, was, self.board.seated))))
        first = {each.id: n for n, each in enumerate(sorted(self.facts.people, key=_first))}
        for seat in sorted(
            (each for each in self.facts.seats if each.person_id in self.facts.person),
            key=lambda each: (not each.pinned, first[each.person_id], each.session_id),
        ):
            self._keep_seat(seat, now.get(seat.session_id))

    def _as_it_may_be(self, was: Session) -> Session | None:
        bars = {each.code for each in may_hold(self.facts, was, self.board.seated)}
        session = was
        if bars & _ROOM:
            room = self.board.free_room(was.span)
            if room is None:
                return None
            places = min(was.places, room.places, PLACES)
            session = replace(session, room_id=room.id, places=places)
        for kind in KINDS:
            if any(code in _STAFF and code.startswith(kind) for code in bars):
                leader = self.board.free_leader(kind, was.topic, was.span)
                if leader is None:
                    return None
                session = session.under(leader)
        return None if may_hold(self.facts, session, self.board.seated) else session

    def _keep_seat(self, seat: Seat, session: Session | None) -> None:
        person = self.facts.person[seat.person_id]
        bars = [] if session is None else self._bars(person, session)
        if session is not None and not bars:
            self.seat(person, session)
        elif seat.pinned:
            self.unkept.append((seat, tuple(bars)))

    def _bars(self, person: Person, session: Session) -> list[Bar]:
        sits = self.board.sits[person.id]
        bars = may_sit(self.facts, person, session, self.board.seated[session], sits)
        if any(each.topic == session.topic for each in sits):
            bars.append(Bar("topic_had"))
        return bars

    # -- what is still open ------------------------------------------------------------------

    def fill(self) -> None:
        """Place each missing session in turn; no seat once given is taken away again."""
        for person, week in sorted(self._missing(), key=lambda each: self._hardest_first(*each)):
            while self._left[person.id, week] > 0 and self._place(person, week):
                pass

    def _missing(self) -> Iterator[tuple[Person, Week]]:
        for person in self.facts.by_reception:
            for week in person.weeks:
                if self._left[person.id, week] > 0:
                    yield person, week

    def _hardest_first(self, person: Person, week: Week) -> tuple[Any, ...]:
        """GP-11. The ways somebody has are the openings of the week they are free in."""
        bit = self._bit[person.id]
        by = {
            "ppo": not person.ppo,
            "hard": not week.hard,
            "fewest_ways": sum(bool(self._free[span] & bit) for span in self._in(week)),
            "deadline": week.last_on,
            "received": (person.received_at, person.id),
        }
        return tuple(by[each] for each in RULES["GP-11"]["by"])

    def _place(self, person: Person, week: Week) -> bool:
        days = {each.on for each in self.board.sits[person.id]}
        session = self._open_session(person, week, days) or self._new_session(person, week, days)
        if session is None:
            return False
        self.seat(person, session)
        return True

    def _open_session(self, person: Person, week: Week, days: set[Any]) -> Session | None:
        """A session held already with a seat for them: another day first, then the topic most needed."""
        may = [
            session
            for session in self.board.seated
            if week.first_on <= session.on <= week.last_on
            and session.topic in person.topics
            and not self._bars(person, session)
        ]
        return min(
            may, default=None,
            key=lambda each: (each.on in days, topic_rank(person, each.topic),
                              -len(self.board.seated[each]), in_order(each)),
        )  # fmt: skip

    def _new_session(self, person: Person, week: Week, days: set[Any]) -> Session | None:
        """A new session where it serves the most people who are short."""
        bit, estate = self._bit[person.id], person.estate
        if estate is None:
            return None
        others = self._estate[estate] & ~self._apart.get(person.id, 0)
        found = []
        for span in self._in(week):
            if self._free[span] & bit:
                fit = self._free[span] & self._short[span] & others
                found += [
                    ((span.on in days, -min((fit & self._wants[topic]).bit_count(), PLACES),
                      rank, span), topic)
                    for rank, topic in enumerate(person.topics) if self._wants[topic] & bit
                ]  # fmt: skip
        for (*_, span), topic in sorted(found):
            session = self._held_at(span, topic, estate)
            if session is not None:
                self.hold(session)
                return session
        return None

    def _held_at(self, span: Span, topic: str, estate: str) -> Session | None:
        """This session, with a room and two facilitators, if they can be had."""
        board = self.board
        if any(material_bars(self.facts, topic, span.on)) or board.is_on(span, topic, estate):
            return None
        room = board.free_room(span)
        carat = room and board.free_leader(CARAT, topic, span)
        clinical = carat and board.free_leader(CLINICAL, topic, span)
        if room is None or carat is None or clinical is None:
            return None
        return Session(
            None, topic, estate, span.starts_at, span.ends_at, room.id, carat.id, clinical.id,
            min(PLACES, room.places),
        )  # fmt: skip


def _first(person: Person) -> tuple[Any, ...]:
    return not person.ppo, person.received_at, person.id
