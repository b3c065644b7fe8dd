"""May this session be held, and may this person sit in it? The facts of groups, and the two answers.

`GroupFacts` is all the planner knows: no name, no offence, no clock, no database. Its people carry
the number of their reception and nothing that says who they are. `may_hold` and `may_sit` give the
reasons a page, the API and the planner refuse for; an empty answer means yes. Everything here is
frozen and can be pickled, so that a plan can be worked out in a process of its own.

    openings = facts.openings()                     where a session of 90 minutes fits
    plan = group_placing.place(facts)               at once
    solved = group_solver.solve(facts)              the better plan; the only module with a solver
    group_checker.breaches(facts, plan.sessions)    what neither of them may be trusted to see

Instants are aware and half open, dates are London's. Numbers, words and sources: groups.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from dosing.days import at_london, days_between, london_day

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("groups.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}
SAYS: Final[Mapping[str, str]] = _TABLE["says"]
ASKS: Final[Mapping[str, str]] = _TABLE["asks"]

TOPICS: Final[tuple[str, ...]] = tuple(RULES["GP-01"]["topics"])
SESSION: Final = timedelta(minutes=RULES["GP-02"]["minutes"])
PLACES: Final[int] = RULES["GP-03"]["places"]
KINDS: Final[tuple[str, ...]] = tuple(RULES["GP-04"]["kinds"])
WEIGHTS: Final[Mapping[str, int]] = {
    name: each for name, each in RULES["GP-12"].items() if isinstance(each, int)
}
"""What a plan costs (GP-12), unless a prison set its own (GP-15)."""
CARAT, CLINICAL = KINDS
CAUSES: Final[tuple[str, ...]] = (*RULES["GP-06"]["causes"], *RULES["GP-06"]["apart"])
"""Why somebody is away, in the order in which they are named."""
ESTATES: Final[tuple[str, ...]] = tuple(RULES["GP-07"]["estates"])


@dataclass(frozen=True, order=True)
class Span:
    """From one instant until another, which is no longer in it."""

    starts_at: datetime
    ends_at: datetime

    def meets(self, other: Span) -> bool:
        """Do the two share an instant? Spans that only touch do not."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    @property
    def on(self) -> date:
        return london_day(self.starts_at)


@dataclass(frozen=True, order=True)
class Away(Span):
    """When somebody, or a room, cannot be had. `cause`: of a person, one of CAUSES."""

    cause: str = "other"


@dataclass(frozen=True, order=True)
class Block(Span):
    """One half-day of the regime: a session lies within it."""

    part: str = ""


@dataclass(frozen=True)
class Week:
    """One of a person's weeks from day 8: how many sessions are still to be placed in it.

    `required` leaves out what was attended or declined already, and counts seats still to come.
    `hard`: owed, not only hoped for (TT-14).
    """

    number: int
    first_on: date
    last_on: date
    required: int
    hard: bool = True


@dataclass(frozen=True)
class Person:
    """Somebody in their first 28 days. `id`: their reception; `topics`: still wanted, most needed first.

    `estate` None: not known. Who is away for days (segregation, hospital) is away from midnight on.
    """

    id: int
    received_at: datetime
    estate: str | None
    weeks: tuple[Week, ...]
    topics: tuple[str, ...]
    ppo: bool = False
    one_to_one: bool = False
    away: tuple[Away, ...] = ()

    def week_of(self, on: date) -> Week | None:
        """The week this date lies in, if groups are owed in it at all."""
        return next((each for each in self.weeks if each.first_on <= on <= each.last_on), None)


@dataclass(frozen=True)
class Facilitator:
    """Who leads sessions. `kind`: one of KINDS; `a_week` None: no limit.

    `elsewhere`: London dates of sessions outside this plan that count towards the week's limit
    (Monday to Sunday); the hours of sessions still to come elsewhere belong in `away`.
    """

    id: int
    kind: str
    topics: frozenset[str]
    a_week: int | None = None
    away: tuple[Away, ...] = ()
    elsewhere: tuple[date, ...] = ()


@dataclass(frozen=True)
class Room:
    """`confidential` None: not known, so not fit."""

    id: int
    places: int
    confidential: bool | None
    away: tuple[Away, ...] = ()


@dataclass(frozen=True)
class Material:
    """Validated material of a topic, first_on to last_on, both included; last_on None: open."""

    topic: str
    first_on: date
    last_on: date | None = None


@dataclass(frozen=True)
class Session:
    """A session that stands, or one that is planned. `id` None: not written down yet.

    `published`: people were told, so a change to it is a move. `pinned`: it must be held.
    """

    id: int | None
    topic: str
    estate: str
    starts_at: datetime
    ends_at: datetime
    room_id: int
    carat_id: int
    clinical_id: int
    places: int = PLACES
    published: bool = False
    pinned: bool = False
    runs_on_bank_holiday: bool = False

    @property
    def span(self) -> Span:
        return Span(self.starts_at, self.ends_at)

    @property
    def on(self) -> date:
        return london_day(self.starts_at)

    def led_by(self, kind: str) -> int:
        return self.carat_id if kind == CARAT else self.clinical_id

    def under(self, leader: Facilitator) -> Session:
        """The same session with another facilitator of this one's kind."""
        if leader.kind == CARAT:
            return replace(self, carat_id=leader.id)
        return replace(self, clinical_id=leader.id)


@dataclass(frozen=True)
class Seat:
    """Somebody's seat in a session that stands. `pinned`: staff want it kept."""

    session_id: int
    person_id: int
    pinned: bool = False


def day_said(on: date | None) -> str:
    """A day as staff are told of it: "Monday 30 November"."""
    return "that day" if on is None else f"{on:%A} {on.day} {on:%B}"


@dataclass(frozen=True)
class Bar:
    """One reason against: its code (a key of `says` in groups.toml) and what it is about.

    `on`: the day of the session, where it matters. `ref`: the session, room or facilitator it is
    about; of a person kept apart, never the person. `away`: what of somebody's own it is.
    """

    code: str
    on: date | None = None
    ref: int | None = None
    topic: str | None = None
    away: Away | None = None

    def __str__(self) -> str:
        return SAYS[self.code].format(
            on=day_said(self.on),
            topic=(self.topic or "").replace("_", " "),
        )


@dataclass(frozen=True)
class GroupFacts:
    """All that is known when groups are planned. The order of any of it changes nothing.

    `apart`: pairs of person ids, whatever the level. `sessions`, `seats`: the plan that stands, as
    far as it may still change. `working_days`: of this prison, throughout. `weights`: of GP-12, or
    what this prison set (GP-15).
    """

    blocks: tuple[Block, ...]
    working_days: frozenset[date]
    people: tuple[Person, ...]
    facilitators: tuple[Facilitator, ...]
    rooms: tuple[Room, ...]
    materials: tuple[Material, ...]
    apart: frozenset[frozenset[int]] = frozenset()
    sessions: tuple[Session, ...] = ()
    seats: tuple[Seat, ...] = field(default=())
    weights: Mapping[str, int] = field(default_factory=lambda: dict(WEIGHTS))

    def openings(self) -> list[Span]:
        """Where a new session may begin: with each half-day of a working day that is long enough."""
        return sorted({
            Span(block.starts_at, block.starts_at + SESSION)
            for block in self.blocks
            if block.on in self.working_days and block.ends_at - block.starts_at >= SESSION
        })  # fmt: skip

    @cached_property
    def by_reception(self) -> tuple[Person, ...]:
        """Everybody in the order of their reception (GP-11): the order that settles ties."""
        return tuple(sorted(self.people, key=lambda each: (each.received_at, each.id)))

    @cached_property
    def person(self) -> Mapping[int, Person]:
        return {each.id: each for each in self.people}

    @cached_property
    def room(self) -> Mapping[int, Room]:
        return {each.id: each for each in self.rooms}

    @cached_property
    def facilitator(self) -> Mapping[int, Facilitator]:
        return {each.id: each for each in self.facilitators}

    @cached_property
    def kept_from(self) -> Mapping[int, frozenset[int]]:
        """Whom each person is kept apart from."""
        found: dict[int, set[int]] = {}
        for pair in self.apart:
            for one in pair:
                found.setdefault(one, set()).update(pair - {one})
        return {one: frozenset(others) for one, others in found.items()}


def blocks_of(
    first_on: date,
    last_on: date,
    regime: Mapping[int, Iterable[tuple[str, time, time]]] | None = None,
) -> Iterator[Block]:
    """The half-days of every date, both ends included; by weekday (Monday is 1), or the default GP-05.

    Bank holidays are not left out here: they are no working days.
    """
    rule = RULES["GP-05"]
    sample = [(each["part"], each["starts"], each["ends"]) for each in rule["blocks"]]
    by_weekday = dict.fromkeys(rule["weekdays"], sample) if regime is None else regime
    for on in days_between(first_on, last_on):
        for part, starts, ends in by_weekday.get(on.isoweekday(), ()):
            yield Block(at_london(on, starts), at_london(on, ends), part)


def places_a_week(rooms: int, days: int | None = None) -> int:
    """How many seats so many rooms give in a week of the default regime: 120 for one (GP-03, GP-05)."""
    rule = RULES["GP-05"]
    worked = len(rule["weekdays"]) if days is None else days
    return rooms * worked * len(rule["blocks"]) * PLACES


# -- may it be held? -------------------------------------------------------------------------


def may_hold(facts: GroupFacts, session: Session, others: Iterable[Session] = ()) -> list[Bar]:
    """Every reason against holding this session beside the others; none means it may be held.

    Rules: GP-01 to GP-05, GP-09, GP-10, TT-22.
    """
    beside = [each for each in others if each is not session]
    return [
        *_when(facts, session),
        *material_bars(facts, session.topic, session.on),
        *_room_bars(facts, session, beside),
        *(bar for kind in KINDS for bar in _leader_bars(facts, session, kind, beside)),
    ]  # fmt: skip


def _when(facts: GroupFacts, session: Session) -> Iterator[Bar]:
    span = session.span
    if session.ends_at - session.starts_at != SESSION:
        yield Bar("wrong_length")
    if session.on not in facts.working_days and not session.runs_on_bank_holiday:
        yield Bar("not_working_day", session.on)
    if not session.runs_on_bank_holiday and not any(
        block.starts_at <= span.starts_at and span.ends_at <= block.ends_at
        for block in facts.blocks
    ):
        yield Bar("outside_regime")


def material_bars(facts: GroupFacts, topic: str, on: date) -> Iterator[Bar]:
    """Is there validated material for this topic on this day? Rules: GP-01, GP-10."""
    if topic not in TOPICS:
        yield Bar("unknown_topic")
    elif not any(
        each.topic == topic and each.first_on <= on <= (each.last_on or date.max)
        for each in facts.materials
    ):
        yield Bar("no_material", on, topic=topic)


def _room_bars(facts: GroupFacts, session: Session, beside: list[Session]) -> Iterator[Bar]:
    room = facts.room.get(session.room_id)
    if session.places > (PLACES if room is None else min(PLACES, room.places)):
        yield Bar("too_many_places")
    if room is None:
        yield Bar("room_not_known")
        return
    if room.confidential is not True:
        yield Bar("room_not_confidential", ref=room.id)
    if any(away.meets(session.span) for away in room.away):
        yield Bar("room_away", session.on, room.id)
    if any(each.room_id == room.id and each.span.meets(session.span) for each in beside):
        yield Bar("room_taken", session.on, room.id)


def _leader_bars(
    facts: GroupFacts, session: Session, kind: str, beside: list[Session]
) -> Iterator[Bar]:
    leader = facts.facilitator.get(session.led_by(kind))
    if leader is None or leader.kind != kind:
        yield Bar(f"{kind}_not_known")
        return
    theirs = [each for each in beside if each.led_by(kind) == leader.id]
    yield from leader_bars(leader, session.topic, session.span, theirs)


def leader_bars(
    leader: Facilitator, topic: str, span: Span, theirs: Collection[Session]
) -> Iterator[Bar]:
    """Every reason against this facilitator leading this topic then, `theirs` being led too."""
    kind = leader.kind
    if topic not in leader.topics:
        yield Bar(f"{kind}_topic", ref=leader.id, topic=topic)
    if any(away.meets(span) for away in leader.away):
        yield Bar(f"{kind}_away", span.on, leader.id)
    if any(each.span.meets(span) for each in theirs):
        yield Bar(f"{kind}_taken", span.on, leader.id)
    if leader.a_week is not None:
        week = week_key(span.on)
        led = [*leader.elsewhere, *(each.on for each in theirs)]
        if sum(week_key(on) == week for on in led) >= leader.a_week:
            yield Bar(f"{kind}_limit", span.on, leader.id)


def week_key(on: date) -> tuple[int, int]:
    """The week, Monday to Sunday, a facilitator's limit counts in."""
    return on.isocalendar()[:2]


# -- may they sit in it? ---------------------------------------------------------------------


def may_sit(
    facts: GroupFacts,
    person: Person,
    session: Session,
    seated: Collection[int] = (),
    elsewhere: Iterable[Session] = (),
) -> list[Bar]:
    """Every reason against this person's seat, the one that gives way last named first.

    `seated`: ids of those who sit in it, themselves left out; `elsewhere`: the other sessions they
    sit in. Rules: GP-03, GP-06 to GP-08, TT-22, TT-23. That a topic was had before, or is not among
    those wanted, bars nobody here; the planner seats nobody twice in one topic.
    """
    return [
        *person_bars(person, session.span),
        *_estate(person, session.estate),
        *_beside(facts, person, session, seated),
        *(Bar("busy", each.on, each.id) for each in elsewhere if each.span.meets(session.span)),
    ]  # fmt: skip


def person_bars(person: Person, span: Span) -> list[Bar]:
    """What of their own keeps this person from any session then, in the order of GP-06."""
    met = sorted(away for away in person.away if away.meets(span))
    found = [
        Bar(away.cause, span.on, away=away)
        for away in sorted(met, key=lambda each: CAUSES.index(each.cause))
    ]
    if person.one_to_one:
        found.append(Bar("one_to_one_only"))
    if person.week_of(span.on) is None:
        found.append(Bar("outside_weeks"))
    return found


def _estate(person: Person, estate: str) -> Iterator[Bar]:
    if person.estate is None:
        yield Bar("estate_not_known")
    elif person.estate != estate:
        yield Bar("estate")


def _beside(
    facts: GroupFacts, person: Person, session: Session, seated: Collection[int]
) -> Iterator[Bar]:
    if not facts.kept_from.get(person.id, frozenset()).isdisjoint(seated):
        yield Bar("keep_apart", ref=session.id)
    if len(seated) >= min(session.places, PLACES):
        yield Bar("full", ref=session.id)


# -- pins ------------------------------------------------------------------------------------

Pin = Session | Seat
"""What staff want kept: a session held, or a seat in one."""


def pins(facts: GroupFacts) -> list[Pin]:
    """Every pin: sessions first, then seats, each in an order of their own."""
    sessions = sorted((each for each in facts.sessions if each.pinned), key=_by_id)
    seats = sorted(
        (each for each in facts.seats if each.pinned and each.person_id in facts.person),
        key=lambda each: (each.session_id, each.person_id),
    )  # fmt: skip
    return [*sessions, *seats]


def _by_id(session: Session) -> int:
    return session.id or 0
