"""What does a plan of groups come to: who is short of a session and why, and what would move?

A plan is a list of sessions held with the seats in them. `finish` works out the rest from the facts
alone, whoever made the plan. Weights and efforts: GP-12 and GP-13 (groups.toml).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from dosing.days import start_of
from scheduling.groups import (
    CAUSES,
    KINDS,
    PLACES,
    RULES,
    Away,
    Bar,
    Facilitator,
    GroupFacts,
    Person,
    Pin,
    Room,
    Session,
    Span,
    Week,
    leader_bars,
    material_bars,
    may_sit,
    person_bars,
)

WEIGHTS: Final[Mapping[str, int]] = {
    name: each for name, each in RULES["GP-12"].items() if isinstance(each, int)
}
EFFORTS: Final[Mapping[str, int]] = {
    name: each for name, each in RULES["GP-13"].items() if isinstance(each, int)
}
ONE_TO_ONE: Final = "one_to_one"
_MOST_LOOKED_AT: Final = 20_000


@dataclass(frozen=True)
class Held:
    """One session of a plan, and who sits in it: ids in the order of reception."""

    session: Session
    seats: tuple[int, ...]


@dataclass(frozen=True)
class Cause:
    """One thing that keeps somebody out; `bars` are the single occasions of it, in time order."""

    code: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Relaxation:
    """The least effort that would place somebody: these bars out of the way, then this session.

    `session_id` names a session of the plan, else a new one on `span` is meant. `needs` empty and
    `topic` None: a one-to-one, which counts the same (TT-23).
    """

    effort: int
    needs: tuple[Bar, ...] = ()
    topic: str | None = None
    span: Span | None = None
    session_id: int | None = None


@dataclass(frozen=True)
class Shortfall:
    """Sessions somebody lacks in one of their weeks, everybody else staying where they are.

    `because`: the smallest set of causes that together leave no way; without any one of them the
    rest would leave a way.
    """

    person_id: int
    week: Week
    missing: int
    because: tuple[Cause, ...]
    relaxation: Relaxation


@dataclass(frozen=True)
class Move:
    """One change against the plan that stands.

    `what`: seat_new, seat_lost, seat_moved, session_new, session_withdrawn, carat_changed,
    clinical_changed or room_changed. `told`: people had been told of what it was. `forced`: why
    the seat could not have been kept; empty when it moved because it pays.
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
    kindness: int


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


def finish(
    facts: GroupFacts,
    held: Iterable[Held],
    unkept: Sequence[tuple[Pin, tuple[Bar, ...]]] = (),
) -> Plan:
    """The whole plan: shortfalls with their causes, moves against what stands, points."""
    board = Board(facts, held)
    sessions = board.held()
    moves = tuple(_moves(facts, sessions))
    short = tuple(_shortfalls(board))
    return Plan(sessions=tuple(sessions), short=short, moves=moves,
                points=_points(board, sessions, short), unkept=tuple(unkept))  # fmt: skip


def short_weight(person: Person, week: Week) -> int:
    """What one missing session of this week costs: GP-12."""
    name = "short_hard" if week.hard else "short"
    return WEIGHTS[f"{name}_ppo" if person.ppo else name]


def topic_rank(person: Person, topic: str) -> int:
    """How many topics this person needs more; one they do not need comes after all they do."""
    return person.topics.index(topic) if topic in person.topics else len(person.topics)


def _points(board: Board, sessions: Sequence[Held], short: Iterable[Shortfall]) -> Points:
    facts = board.facts
    lacking = sum(
        each.missing * short_weight(facts.person[each.person_id], each.week)
        + (each.missing - 1) * WEIGHTS["short_again"]
        for each in short
    )
    kindness = WEIGHTS["session_held"] * len(sessions)
    for person in facts.people:
        sits = board.sits[person.id]
        kindness += sum(WEIGHTS["topic_rank"] * topic_rank(person, each.topic) for each in sits)
        kindness += WEIGHTS["same_day"] * (len(sits) - len({each.on for each in sits}))
    return Points(lacking, _moved(facts, sessions), kindness)


def _moved(facts: GroupFacts, sessions: Iterable[Held]) -> int:
    now = {each.session.id: each for each in sessions if each.session.id is not None}
    moved = 0
    for was in facts.sessions:
        if not was.published:
            continue
        held = None if was.id is None else now.get(was.id)
        kept = () if held is None else held.seats
        moved += WEIGHTS["seat_moved"] * sum(
            seat.session_id == was.id
            and seat.person_id in facts.person
            and seat.person_id not in kept
            for seat in facts.seats
        )
        if held is not None:
            moved += WEIGHTS["staff_changed"] * sum(
                was.led_by(kind) != held.session.led_by(kind) for kind in KINDS
            ) + WEIGHTS["room_changed"] * (was.room_id != held.session.room_id)
    return moved


# -- moves -----------------------------------------------------------------------------------


def _moves(facts: GroupFacts, sessions: Sequence[Held]) -> Iterator[Move]:
    was = {each.id: each for each in facts.sessions if each.id is not None}
    now = {each.session.id: each.session for each in sessions if each.session.id is not None}
    for each in sessions:
        if each.session.id is None:
            yield Move("session_new", now=each.session)
    for session in sorted(facts.sessions, key=in_order):
        stays = None if session.id is None else now.get(session.id)
        if stays is None:
            yield Move("session_withdrawn", was=session, told=session.published)
            continue
        changes = {f"{kind}_changed": session.led_by(kind) != stays.led_by(kind) for kind in KINDS}
        changes["room_changed"] = session.room_id != stays.room_id
        for what, changed in changes.items():
            if changed:
                yield Move(what, session, stays, told=session.published)
    had: defaultdict[int, list[Session]] = defaultdict(list)
    for seat in facts.seats:
        if seat.session_id in was:
            had[seat.person_id].append(was[seat.session_id])
    has: defaultdict[int, list[Session]] = defaultdict(list)
    for held in sessions:
        for sitter in held.seats:
            has[sitter].append(held.session)
    for person in facts.by_reception:
        yield from _seat_moves(facts, person, had[person.id], has[person.id])


def _seat_moves(
    facts: GroupFacts, person: Person, had: Iterable[Session], has: Iterable[Session]
) -> Iterator[Move]:
    kept = {each.id for each in has} & {each.id for each in had}
    new = sorted((each for each in has if each.id is None or each.id not in kept), key=in_order)
    for was in sorted((each for each in had if each.id not in kept), key=in_order):
        forced = tuple(may_sit(facts, person, was))
        week = person.week_of(was.on)
        to = next((each for each in new if week and person.week_of(each.on) == week), None)
        if to is not None:
            new.remove(to)
        yield Move(
            "seat_lost" if to is None else "seat_moved", was, to, person.id, was.published, forced
        )
    for each in new:
        yield Move("seat_new", now=each, person_id=person.id)


# -- shortfalls ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Way:
    """One seat somebody might have had, and everything that is in its way."""

    span: Span
    topic: str
    session_id: int | None
    bars: tuple[Bar, ...]


def _shortfalls(board: Board) -> Iterator[Shortfall]:
    facts = board.facts
    wanting = _Wanting(board)
    for person in facts.by_reception:
        for week in sorted(person.weeks, key=lambda each: each.first_on):
            got = sum(week.first_on <= each.on <= week.last_on for each in board.sits[person.id])
            if got < week.required:
                ways = list(wanting.ways(person, week))
                yield Shortfall(
                    person.id, week, week.required - got, _because(ways), _relaxation(ways)
                )


class _Wanting:
    """What a new session would lack, for each opening and topic, once for all who are short."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._openings = board.facts.openings()
        self._lacks: dict[tuple[Span, str, str | None], tuple[Bar, ...]] = {}

    def lacks(self, span: Span, topic: str, estate: str | None) -> tuple[Bar, ...]:
        key = span, topic, estate
        if key not in self._lacks:
            board, on = self._board, span.on
            found = list(material_bars(board.facts, topic, on))
            if board.free_room(span) is None:
                found.append(Bar("no_room", on))
            found += [
                Bar(f"no_{kind}", on, topic=topic)
                for kind in KINDS
                if board.free_leader(kind, topic, span) is None
            ]
            if board.is_on(span, topic, estate):
                found.append(Bar("topic_on", on, topic=topic))
            self._lacks[key] = tuple(found)
        return self._lacks[key]

    def ways(self, person: Person, week: Week) -> Iterator[_Way]:
        """Every seat of this week there could be; one that stands open tells why nothing else is."""
        facts, sits = self._board.facts, self._board.sits[person.id]
        had = {each.topic for each in sits}
        wanted = [each for each in person.topics if each not in had]
        unknown = [Bar("estate_not_known")] if person.estate is None else []
        openings = [each for each in self._openings if week.first_on <= each.on <= week.last_on]
        for session, seats in self._board.seated.items():
            if week.first_on <= session.on <= week.last_on and session.topic in wanted:
                bars = may_sit(facts, person, session, seats, sits)
                yield _Way(session.span, session.topic, session.id, tuple(bars))
        for span, topic in product(openings, wanted):
            bars = [*person_bars(person, span), *unknown]
            bars += [Bar("busy", each.on, each.id) for each in sits if each.span.meets(span)]
            bars += self.lacks(span, topic, person.estate)
            yield _Way(span, topic, None, tuple(bars))
        if not wanted or not openings:
            none = Bar("no_session_day" if wanted else "no_topic")
            midnight = start_of(week.first_on)
            yield _Way(Span(midnight, midnight), "", None, (none,))


_Key = tuple[str, Away | None]


def _key(bar: Bar) -> _Key:
    """What a bar comes from: one thing of somebody's own, or one that runs through the week."""
    return bar.code, bar.away


def _because(ways: Sequence[_Way]) -> tuple[Cause, ...]:
    bars: defaultdict[_Key, dict[Bar, None]] = defaultdict(dict)
    for way in sorted(ways, key=lambda each: each.span):
        for bar in way.bars:
            bars[_key(bar)][bar] = None
    found = smallest_set([frozenset(map(_key, way.bars)) for way in ways])
    return tuple(Cause(key[0], tuple(bars[key])) for key in found)


def _rank(key: _Key) -> tuple[Any, ...]:
    """Causes in the order they are told in: somebody's own first, as in GP-06."""
    code, away = key
    if away is None:
        return len(CAUSES), code
    return CAUSES.index(code), code, away


def smallest_set(ways: Iterable[frozenset[_Key]]) -> tuple[_Key, ...]:
    """The fewest causes that leave no way: every way has one of them in it. None if a way is open.

    Looked for from a good set downwards; past a great many steps the set found so far stands,
    with everything taken out of it that can be.
    """
    distinct = sorted(set(ways), key=lambda way: (len(way), sorted(map(_rank, way))))
    if not distinct or not distinct[0]:
        return ()
    needed = [way for n, way in enumerate(distinct) if not any(o < way for o in distinct[:n])]
    best = _irreducible(needed)
    looked = 0

    def look(chosen: tuple[_Key, ...]) -> None:
        nonlocal best, looked
        looked += 1
        if looked > _MOST_LOOKED_AT or len(chosen) >= len(best):
            return
        open_way = next((way for way in needed if way.isdisjoint(chosen)), None)
        if open_way is None:
            best = chosen
        elif len(chosen) + 1 < len(best):
            for key in sorted(open_way, key=_rank):
                look((*chosen, key))

    look(())
    return tuple(sorted(best, key=_rank))


def _irreducible(ways: Sequence[frozenset[_Key]]) -> tuple[_Key, ...]:
    """A set that leaves no way, the most common cause taken first, and nothing in it to spare."""
    chosen: list[_Key] = []
    left = list(ways)
    while left:
        counted = Counter(key for way in left for key in way)
        chosen.append(min(counted, key=lambda key: (-counted[key], _rank(key))))
        left = [way for way in left if chosen[-1] not in way]
    for key in list(chosen):
        rest = [each for each in chosen if each != key]
        if not any(way.isdisjoint(rest) for way in ways):
            chosen = rest
    return tuple(chosen)


def _relaxation(ways: Iterable[_Way]) -> Relaxation:
    """The way with the least effort; a one-to-one when no way takes less. Rules: GP-13, TT-23."""
    best = Relaxation(EFFORTS[ONE_TO_ONE])
    for way in sorted(ways, key=lambda each: each.span):
        if all(bar.code in EFFORTS for bar in way.bars):
            effort = sum(EFFORTS[bar.code] for bar in way.bars)
            if effort < best.effort:
                best = Relaxation(effort, way.bars, way.topic, way.span, way.session_id)
    return best
