"""Why has somebody no seat, and what would be the least to change?

For every seat there might have been, everything in its way is named, everybody else staying where
they are. The fewest causes that leave no way are the answer; the way with the least effort is what
is proposed (GP-13, groups.toml).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from dosing.days import london_time, start_of
from scheduling.group_board import Board
from scheduling.groups import (
    ASKS,
    CAUSES,
    KINDS,
    RULES,
    SAYS,
    Away,
    Bar,
    Person,
    Span,
    Week,
    day_said,
    material_bars,
    may_sit,
    person_bars,
)

EFFORTS: Final[Mapping[str, int]] = {
    name: each for name, each in RULES["GP-13"].items() if isinstance(each, int)
}
ONE_TO_ONE: Final = "one_to_one"
_MOST_LOOKED_AT: Final = 20_000


@dataclass(frozen=True)
class Cause:
    """One thing that keeps somebody out; `bars` are the single occasions of it, in time order."""

    code: str
    bars: tuple[Bar, ...]

    def __str__(self) -> str:
        """In words, with every day of it."""
        return _in_words(SAYS[self.code], self.bars)


@dataclass(frozen=True)
class Relaxation:
    """The least effort that would place somebody: these bars out of the way, then this session.

    `session_id` names a session of the plan, else a new one on `span` is meant. `topic` None: no seat
    can be named; with `needs` empty it is a one-to-one, which counts the same (TT-23).
    """

    effort: int
    needs: tuple[Bar, ...] = ()
    topic: str | None = None
    span: Span | None = None
    session_id: int | None = None

    def __str__(self) -> str:
        """What to ask for, in words."""
        if self.topic is None or self.span is None:
            return ASKS[self.needs[0].code if self.needs else ONE_TO_ONE]
        asked = [_in_words(ASKS[bar.code], (bar,)) for bar in self.needs]
        then = ASKS["then"].format(
            on=day_said(self.span.on), at=f"{london_time(self.span.starts_at):%H:%M}",
            topic=self.topic.replace("_", " "),
        )  # fmt: skip
        return " ".join([*asked, then])


def _in_words(sentence: str, bars: Sequence[Bar]) -> str:
    days = dict.fromkeys(day_said(bar.on) for bar in bars)
    topics = dict.fromkeys((bar.topic or "").replace("_", " ") for bar in bars)
    return sentence.format(on=_or(list(days)), topic=_or(list(topics)))


def _or(words: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


_ESTATE_FIRST: Final = Relaxation(EFFORTS["estate_not_known"], (Bar("estate_not_known"),))
"""Whose estate nobody recorded can be promised no seat: it is recorded first."""


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
class _Way:
    """One seat somebody might have had, and everything that is in its way."""

    span: Span
    topic: str
    session_id: int | None
    bars: tuple[Bar, ...]


def shortfalls(board: Board) -> Iterator[Shortfall]:
    """Everybody who lacks a session of one of their weeks, in the order of reception."""
    facts = board.facts
    wanting = _Wanting(board)
    for person in facts.by_reception:
        for week in sorted(person.weeks, key=lambda each: each.first_on):
            got = sum(week.first_on <= each.on <= week.last_on for each in board.sits[person.id])
            if got < week.required:
                ways = list(wanting.ways(person, week))
                because = _because(ways)
                unknown = any(each.code == "estate_not_known" for each in because)
                asked = _ESTATE_FIRST if unknown else _relaxation(ways)
                yield Shortfall(person.id, week, week.required - got, because, asked)


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
