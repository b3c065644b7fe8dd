"""Does this plan of groups break a hard rule? Looked at from outside.

Shares no code with the placing and the solver: it reads the facts with its own eyes and counts on
nothing `may_hold` or `may_sit` says. Every plan passes here before it is shown. Rules: GP-01 to
GP-10, TT-22; numbers from groups.toml.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from scheduling.group_board import Held
    from scheduling.groups import GroupFacts, Session

_WRITTEN: Final = {
    rule["id"]: rule
    for rule in tomllib.loads(Path(__file__).with_name("groups.toml").read_text("utf-8"))["rule"]
}
_MINUTES: Final[int] = _WRITTEN["GP-02"]["minutes"]
_MOST: Final[int] = _WRITTEN["GP-03"]["places"]
_LONDON: Final = ZoneInfo("Europe/London")


def breaches(facts: GroupFacts, plan: Iterable[Held]) -> list[str]:
    """Every breach of a hard rule, in words for whoever looks after the planner; none is right."""
    held = list(plan)
    return [
        *(f"{_name(each.session)}: {said}" for each in held for said in _of_one(facts, each)),
        *_of_staff_and_rooms(facts, [each.session for each in held]),
        *_of_people(facts, held),
        *_of_pins(facts, held),
    ]


def _name(session: Session) -> str:
    return f"{session.topic} at {session.starts_at.astimezone(_LONDON):%d %B %H:%M}"


def _of_one(facts: GroupFacts, held: Held) -> Iterator[str]:
    session, seats = held.session, held.seats
    on = session.starts_at.astimezone(_LONDON).date()
    if session.ends_at - session.starts_at != timedelta(minutes=_MINUTES):
        yield "wrong length"
    if not session.runs_on_bank_holiday:
        if on not in facts.working_days:
            yield "not a working day"
        if all(
            session.starts_at < block.starts_at or session.ends_at > block.ends_at
            for block in facts.blocks
        ):
            yield "outside the regime"
    valid = [m for m in facts.materials if m.topic == session.topic and m.first_on <= on]
    if session.topic not in _WRITTEN["GP-01"]["topics"] or all(
        m.last_on is not None and m.last_on < on for m in valid
    ):
        yield "no validated material"
    rooms = [room for room in facts.rooms if room.id == session.room_id]
    if not rooms or rooms[0].confidential is not True:
        yield "no confidential room"
    most = min([_MOST, session.places, *(room.places for room in rooms)])
    if len(seats) > most:
        yield f"{len(seats)} seats of {most}"
    if len(set(seats)) != len(seats):
        yield "somebody sits twice"
    for pair in facts.apart:
        if len(pair) == 2 and pair <= set(seats):
            yield "two who are kept apart"
    for kind, who in (("carat", session.carat_id), ("clinical", session.clinical_id)):
        leaders = [f for f in facts.facilitators if f.id == who and f.kind == kind]
        if not leaders or session.topic not in leaders[0].topics:
            yield f"no {kind} facilitator for it"
    for person in facts.people:
        if person.id not in seats:
            continue
        if person.estate is None or person.estate != session.estate:
            yield "another estate"
        if person.one_to_one:
            yield "somebody seen one to one only"
        if not any(week.first_on <= on <= week.last_on for week in person.weeks):
            yield "outside somebody's weeks"
    if not set(seats) <= {person.id for person in facts.people}:
        yield "somebody nobody knows"


def _of_staff_and_rooms(facts: GroupFacts, sessions: Sequence[Session]) -> Iterator[str]:
    for room in facts.rooms:
        taken = [s for s in sessions if s.room_id == room.id]
        yield from _crossing(f"room {room.id}", [(s.starts_at, s.ends_at) for s in taken],
                             [(a.starts_at, a.ends_at) for a in room.away])  # fmt: skip
    for leader in facts.facilitators:
        led = [s for s in sessions if leader.id in (s.carat_id, s.clinical_id)]
        yield from _crossing(f"facilitator {leader.id}", [(s.starts_at, s.ends_at) for s in led],
                             [(a.starts_at, a.ends_at) for a in leader.away])  # fmt: skip
        days = [s.starts_at.astimezone(_LONDON).date() for s in led]
        weeks = Counter(day - timedelta(days=day.weekday()) for day in (*days, *leader.elsewhere))
        if leader.a_week is not None and any(
            weeks[day - timedelta(days=day.weekday())] > leader.a_week for day in days
        ):
            yield f"facilitator {leader.id}: more than {leader.a_week} in a week"


def _of_people(facts: GroupFacts, held: Sequence[Held]) -> Iterator[str]:
    pinned = {(seat.session_id, seat.person_id) for seat in facts.seats if seat.pinned}
    for person in facts.people:
        theirs = [each.session for each in held if person.id in each.seats]
        yield from _crossing(f"reception {person.id}", [(s.starts_at, s.ends_at) for s in theirs],
                             [(a.starts_at, a.ends_at) for a in person.away])  # fmt: skip
        free = Counter(s.topic for s in theirs if (s.id, person.id) not in pinned)
        kept = {s.topic for s in theirs if (s.id, person.id) in pinned}
        if any(number + (topic in kept) > 1 for topic, number in free.items()):
            yield f"reception {person.id}: one topic twice"


def _crossing(
    whose: str, taken: Sequence[tuple[object, object]], away: Sequence[tuple[object, object]]
) -> Iterator[str]:
    for number, (since, until) in enumerate(taken):
        for other_since, other_until in (*taken[number + 1 :], *away):
            if since < other_until and other_since < until:  # type: ignore[operator]
                yield f"{whose}: two things at once"


def _of_pins(facts: GroupFacts, held: Sequence[Held]) -> Iterator[str]:
    standing = {each.session.id: each.seats for each in held if each.session.id is not None}
    here = {person.id for person in facts.people}
    for session in facts.sessions:
        if session.pinned and session.id not in standing:
            yield f"{_name(session)}: pinned and not held"
    for seat in facts.seats:
        if (
            seat.pinned
            and seat.person_id in here
            and seat.person_id not in standing.get(seat.session_id, ())
        ):
            yield f"reception {seat.person_id}: a pinned seat lost"
