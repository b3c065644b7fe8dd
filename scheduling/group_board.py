"""What has a plan of groups taken so far, and who and what is still free?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from scheduling.groups import PLACES, Facilitator, GroupFacts, Room, Session, Span, leader_bars


@dataclass(frozen=True)
class Held:
    """One session of a plan, and who sits in it: ids in the order of reception."""

    session: Session
    seats: tuple[int, ...]


class Board:
    """What a plan has taken so far: rooms, facilitators, people's hours."""

    def __init__(self, facts: GroupFacts, held: Iterable[Held] = ()) -> None:
        self.facts = facts
        self.seated: dict[Session, list[int]] = {}
        self.led: defaultdict[int, list[Session]] = defaultdict(list)
        self.used: defaultdict[int, list[Session]] = defaultdict(list)
        self.sits: defaultdict[int, list[Session]] = defaultdict(list)
        self._leaders = sorted(
            facts.facilitators, key=lambda each: (len(each.topics), each.id)
        )  # whoever leads fewest topics first: the others stay free for more
        self._rooms = sorted(
            (each for each in facts.rooms if each.confidential is True),
            key=lambda each: (-min(each.places, PLACES), each.id),
        )
        for each in held:
            self.hold(each.session)
            for person in each.seats:
                self.seat(person, each.session)

    def hold(self, session: Session) -> None:
        self.seated[session] = []
        self.led[session.carat_id].append(session)
        self.led[session.clinical_id].append(session)
        self.used[session.room_id].append(session)

    def seat(self, person: int, session: Session) -> None:
        self.seated[session].append(person)
        self.sits[person].append(session)

    def is_on(self, span: Span, topic: str, estate: str | None) -> bool:
        """Is this topic held for this estate then? A second session of it is not planned beside it."""
        return any(
            each.topic == topic and each.estate == estate and each.span.meets(span)
            for each in self.seated
        )

    def free_room(self, span: Span) -> Room | None:
        """The largest confidential room that is free then."""
        return next(
            (
                room
                for room in self._rooms
                if not any(away.meets(span) for away in room.away)
                and not any(each.span.meets(span) for each in self.used[room.id])
            ),
            None,
        )

    def free_leader(self, kind: str, topic: str, span: Span) -> Facilitator | None:
        """A facilitator of this kind who may lead it: whoever leads the fewest topics, then the least."""
        may = [
            each
            for each in self._leaders
            if each.kind == kind and not any(leader_bars(each, topic, span, self.led[each.id]))
        ]
        return min(may, key=lambda each: (len(each.topics), len(self.led[each.id])), default=None)

    def held(self) -> list[Held]:
        """The sessions with somebody in them, or pinned, in time order."""
        place = {each.id: number for number, each in enumerate(self.facts.by_reception)}
        return [
            Held(session, tuple(sorted(seats, key=place.__getitem__)))
            for session, seats in sorted(self.seated.items(), key=lambda each: in_order(each[0]))
            if seats or session.pinned
        ]


def in_order(session: Session) -> tuple[object, ...]:
    """Sessions by time, topic, estate and number: the same order whoever lists them."""
    return (
        session.starts_at, session.ends_at, session.topic, session.estate,
        session.id is None, session.id or 0, session.room_id,
    )  # fmt: skip
