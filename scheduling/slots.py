"""Which places are free, and may this one be booked? Rota and holds in, places and refusals out.

A place is one induction slot: a doctor and a drugs worker (or nurse) together, for the minutes
its session gives to one person. Sessions are kept in London clock time, places are instants in
UTC. Nothing here reads a clock or a database. Rules: prescribing_models.toml.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Final, NamedTuple, Protocol

from dosing.days import at_london, days_between, london_day, london_time
from scheduling import booking
from scheduling.calendars import Calendar
from scheduling.prescribing_models import RULES, Finding, day_in_words, finding

Spans = tuple[tuple[date, date | None], ...]
"""From one London date to another, both included; None: still so."""


@dataclass(frozen=True)
class Clinician:
    """When somebody is on record as trained for rapid induction, prescribing, competent, and
    trained in drug testing.
    """

    trained: Spans = ()
    prescribes: Spans = ()
    competent: Spans = ()
    tests: Spans = ()


OBSERVED_FOR: Final = timedelta(minutes=RULES["RP-12"]["held"])
"""How long a nurse and an observation place are held from the start of an induction (A15)."""

UNKNOWN_CLINICIAN: Final = Clinician()


@dataclass(frozen=True)
class Session:
    """One session of a rota: each week on `weekday` (Monday is 1) from `from_on` to `to_on`.

    Both dates included; no last date means until further notice. `starts` and `ends` are London
    clock times. `despite_holiday`: agreed for a bank holiday, which no weekly session is.
    `kept_for`: rapid work, until so many hours before a place begins (None: always), or any work.
    """

    id: int
    weekday: int
    starts: time
    ends: time
    slot_minutes: int
    doctor_id: int
    worker_id: int
    from_on: date
    to_on: date | None
    despite_holiday: bool = False
    off_on: frozenset[date] = frozenset()
    nurse_id: int | None = None
    room_id: int | None = None
    kept_for: str = "rapid"
    routine_from_hours: int | None = None


class Place(NamedTuple):
    """A doctor and a drugs worker together, from one instant (UTC) up to another.

    With them the session's nurse and room, where it has them. `observed_until`: so long the nurse
    and an observation place are needed as well (RP-12); None where nobody is observed.
    """

    starts_at: datetime
    ends_at: datetime
    doctor_id: int
    worker_id: int
    nurse_id: int | None = None
    room_id: int | None = None
    observed_until: datetime | None = None

    @property
    def until(self) -> datetime:
        """When the patient may go: their whole visit, the end not included."""
        return self.observed_until or self.ends_at

    @property
    def needs(self) -> Iterator[tuple[str, int | None, int | None, datetime]]:
        """Who and what it needs by name: in which part, staff or resource id, and up to when."""
        yield "doctor", self.doctor_id, None, self.ends_at
        yield "worker", self.worker_id, None, self.ends_at
        if self.nurse_id is not None:
            yield "nurse", self.nurse_id, None, self.until
        if self.room_id is not None:
            yield "room", None, self.room_id, self.ends_at


class Needing(Protocol):
    """Anything that takes the time of people and things: a place, or a review (chains.py)."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def until(self) -> datetime: ...
    @property
    def needs(self) -> Iterator[tuple[str, int | None, int | None, datetime]]: ...


class Hold(NamedTuple):
    """Somebody's time already given away, the end not included; or that of a room or place."""

    staff_id: int | None
    starts_at: datetime
    ends_at: datetime
    resource_id: int | None = None


class Opening(NamedTuple):
    """A site's hours on a weekday from a date on, in London clock time; None: shut all day."""

    weekday: int
    from_on: date
    opens: time | None
    closes: time | None


@dataclass(frozen=True)
class Rota:
    """What a site has said about its clinics: sessions, who staffs them, and when it is shut.

    `away`: leave of its staff, at any site; leaves of one person may cross. `openings`: of two for
    one weekday the later first date counts; a weekday without any is open as its sessions say.
    `observed`: when inductions end under observation (model 3). `in_use`: rooms and observation
    places, with the first day each is no longer there; `observation`: which of them are places.
    `kit`: items of the checklist (RP-19), likewise.
    """

    sessions: tuple[Session, ...]
    clinicians: Mapping[int, Clinician]
    calendar: Calendar
    closed_on: frozenset[date] = frozenset()
    away: tuple[Hold, ...] = ()
    openings: tuple[Opening, ...] = ()
    observed: Spans = ()
    in_use: Mapping[int, date | None] = field(default_factory=dict)
    observation: tuple[int, ...] = ()
    kit: tuple[tuple[str, date | None], ...] = ()


@dataclass(frozen=True)
class Refusal:
    """Why a place may not be booked: one word for programs, one sentence for people.

    `blocked_by`: who or what of the place stands in the way, in the words of `WORDS`. `soft`: the
    block somebody with the right may pass (BK-04); None: nobody may.
    """

    reason: str
    message: str
    rule: str | None = None
    blocked_by: tuple[str, ...] = ()
    soft: str | None = None


WORDS: Final[Mapping[str, str]] = {
    "doctor": "doctor",
    "worker": "drugs worker or nurse",
    "nurse": "nurse",
    "room": "room",
    "place": "observation place",
}
"""What a place is made of, and how staff call it."""


# -- places --------------------------------------------------------------------------------


def runs_on(rota: Rota, session: Session, day: date) -> bool:
    """Is this session held on this London date? OutOfReach beyond the pinned bank holidays."""
    return (
        session.weekday == day.isoweekday()
        and _holds(session.from_on, session.to_on, day)
        and day not in session.off_on
        and day not in rota.closed_on
        and (session.despite_holiday or not rota.calendar.is_bank_holiday(day))
    )


def places_of(session: Session, day: date, observed: bool = False) -> Iterator[Place]:
    """The places of a session on a day it is held, whoever has taken them.

    Its first place starts when London's clocks show `starts`; each lasts its full minutes, so a
    session across a clock change holds as many as fit into the time that really passes.
    """
    starts_at, last = at_london(day, session.starts), at_london(day, session.ends)
    length = timedelta(minutes=session.slot_minutes)
    while (ends_at := starts_at + length) <= last:
        yield Place(
            starts_at, ends_at, session.doctor_id, session.worker_id, session.nurse_id,
            session.room_id, starts_at + OBSERVED_FOR if observed else None,
        )  # fmt: skip
        starts_at = ends_at


def observed_on(rota: Rota, day: date) -> bool:
    """Does an induction end under observation on this day (RP-12)?"""
    return _any_holds(rota.observed, day)


def not_staffed(rota: Rota, session: Session, day: date) -> Finding | None:
    """What is missing on this day for a trained doctor and a competent worker (RP-18), and under
    observation for a nurse and an observation place (RP-12)?
    """
    lacking = _lacking(rota, session, day)
    return None if lacking is None else lacking[1]


def prescribes(rota: Rota, staff_id: int, day: date) -> bool:
    """Is somebody on record as a prescriber on that day?"""
    return _any_holds(rota.clinicians.get(staff_id, UNKNOWN_CLINICIAN).prescribes, day)


def _lacking(rota: Rota, session: Session, day: date) -> tuple[str, Finding] | None:
    doctor = rota.clinicians.get(session.doctor_id, UNKNOWN_CLINICIAN)
    worker = rota.clinicians.get(session.worker_id, UNKNOWN_CLINICIAN)
    if not (_any_holds(doctor.trained, day) and _any_holds(doctor.prescribes, day)):
        return "doctor", finding("RP-18", "doctor", day=day)
    if not _any_holds(worker.competent, day):
        return "worker", finding("RP-18", "worker", day=day)
    if not observed_on(rota, day):
        return None
    if session.nurse_id is None:
        return "nurse", finding("RP-12", "no_nurse")
    if not any(in_use(rota, each, day) for each in rota.observation):
        return "place", finding("RP-12", "no_place")
    return None


def places(rota: Rota, first: date, last: date) -> list[Place]:
    """Every bookable place from first to last (London dates, both included), in order of time."""
    return sorted(
        place
        for day in days_between(first, last)
        for session in rota.sessions
        if runs_on(rota, session, day) and not_staffed(rota, session, day) is None
        for place in places_of(session, day, observed_on(rota, day))
        if withdrawn(rota, place) is None
    )


def withdrawn(rota: Rota, place: Needing) -> Refusal | None:
    """Is the site shut, somebody on leave, or a room or place no longer there for its time?"""
    return _out_of_hours(rota, place) or _gone(rota, place)


def _out_of_hours(rota: Rota, place: Needing) -> Refusal | None:
    if _open(rota, place):
        return None
    return Refusal("closed", "The site is shut for some or all of that time.", soft="opening_hours")


def _gone(rota: Rota, place: Needing) -> Refusal | None:
    for part, staff_id, resource_id, until in place.needs:
        if any(
            each.staff_id == staff_id and each.starts_at < until and place.starts_at < each.ends_at
            for each in rota.away
        ):
            return Refusal("leave", f"The {WORDS[part]} is on leave then.", blocked_by=(part,))
        if resource_id is not None and not in_use(rota, resource_id, london_day(place.starts_at)):
            return Refusal("withdrawn", "The room is no longer in use then.", blocked_by=(part,))
    return None


def in_use(rota: Rota, resource_id: int, day: date) -> bool:
    """Is this room or observation place still there on that day?"""
    if resource_id not in rota.in_use:
        return False
    gone_on = rota.in_use[resource_id]
    return gone_on is None or day < gone_on


def _open(rota: Rota, place: Needing) -> bool:
    day = london_day(place.starts_at)
    hours = [
        each for each in rota.openings if each.weekday == day.isoweekday() and each.from_on <= day
    ]
    if not hours:
        return True
    now = max(hours, key=lambda each: each.from_on)
    if now.opens is None or now.closes is None:
        return False
    return at_london(day, now.opens) <= place.starts_at and place.until <= at_london(
        day, now.closes
    )


def lacking_on(rota: Rota, first: date, last: date) -> dict[date, Finding]:
    """The days sessions run on and none can be booked, each with what is missing (RP-12, RP-18)."""
    found = {}
    for day in days_between(first, last):
        asked = [
            not_staffed(rota, session, day)
            for session in rota.sessions
            if runs_on(rota, session, day)
        ]
        missing = [each for each in asked if each is not None]
        if missing and len(missing) == len(asked):
            found[day] = missing[0]
    return found


def not_held(rota: Rota, first: date, last: date) -> dict[date, str]:
    """The days a weekly session falls on and no place is left of, each with why (RP-04's words)."""
    found = {}
    for day in days_between(first, last):
        due = [
            each
            for each in rota.sessions
            if each.weekday == day.isoweekday() and _holds(each.from_on, each.to_on, day)
        ]
        if due and not places(rota, day, day) and (why := _why_not_held(rota, due, day)):
            found[day] = why
    return found


def _why_not_held(rota: Rota, due: Iterable[Session], day: date) -> str | None:
    """None: for want of staff, which `lacking_on` and `unstaffed` say."""
    if rota.calendar.is_bank_holiday(day):
        return "bank_holiday"
    if day in rota.closed_on:
        return "closed"
    held = [each for each in due if day not in each.off_on]
    if not held:
        return "off"
    lost = [withdrawn(rota, each) for session in held for each in places_of(session, day)]
    reason = next((each.reason for each in lost if each is not None), None)
    return "shut" if reason == "closed" else reason


def unstaffed(rota: Rota, first: date, last: date) -> list[tuple[Session, Finding]]:
    """Sessions that cannot be booked, with what is missing on the first such day (RP-12, RP-18)."""
    found = []
    for session in rota.sessions:
        lacking = (
            not_staffed(rota, session, day)
            for day in days_between(first, last)
            if runs_on(rota, session, day)
        )
        if (missing := next(filter(None, lacking), None)) is not None:
            found.append((session, missing))
    return found


def free_places(
    rota: Rota, holds: Iterable[Hold], first: date, last: date, *, now: datetime
) -> list[Place]:
    """The places nobody has taken and that have not begun, in order of time (RP-16, RP-17)."""
    return still_free(places(rota, first, last), holds, now=now, rota=rota)


def still_free(
    places: Iterable[Place], holds: Iterable[Hold], *, now: datetime, rota: Rota
) -> list[Place]:
    """Those of the places that nobody has taken and that have not begun, in their order."""
    taken = Taken(holds)
    return [
        place
        for place in places
        if place.starts_at > now
        and not taken.at(place)
        and (place.observed_until is None or _free_observation(rota, taken, place) is not None)
    ]


def walk_in_places(rota: Rota, holds: Iterable[Hold], *, now: datetime) -> list[Place]:
    """Today's places, begun ones included, that nobody has taken and of which enough is left."""
    day = london_day(now)
    ahead = [each for each in places(rota, day, day) if _enough_left(each, now)]
    return still_free(ahead, holds, now=datetime.min.replace(tzinfo=now.tzinfo), rota=rota)


def _enough_left(place: Place, now: datetime) -> bool:
    """RP-16: may somebody who stands at the desk still be seen for the least an induction takes?"""
    least = timedelta(minutes=RULES["RP-16"]["least"])
    return place.ends_at - max(now, place.starts_at) >= least


def free_observation(rota: Rota, holds: Iterable[Hold], place: Place) -> int | None:
    """The first observation place that is free for as long as this place needs one (A15)."""
    return _free_observation(rota, Taken(holds), place)


def _free_observation(rota: Rota, taken: Taken, place: Place) -> int | None:
    day = london_day(place.starts_at)
    return next(
        (
            each
            for each in rota.observation
            if in_use(rota, each, day) and not taken.has(place.starts_at, place.until, None, each)
        ),
        None,
    )


def blockers(rota: Rota, holds: Iterable[Hold], place: Place) -> tuple[str, ...]:
    """Who or what of this place is taken by somebody else's visit, in the words of `WORDS`."""
    taken = Taken(holds)
    found = taken.parts(place)
    if place.observed_until is not None and _free_observation(rota, taken, place) is None:
        found.append("place")
    return tuple(found)


def in_words(blocked_by: Iterable[str]) -> str:
    """Taken then: doctor, room. Nothing when everything is free by now."""
    named = ", ".join(WORDS[each] for each in blocked_by)
    return f"Taken then: {named}." if named else "It is free again by now."


def first_feasible(
    free: Iterable[Place], busy: Collection[tuple[datetime, datetime]], how_many: int
) -> list[Place]:
    """The first free places that do not cross the patient's own visits (`busy`, ends excluded)."""
    return list(
        islice(
            (
                place
                for place in free
                if not any(start < place.until and place.starts_at < end for start, end in busy)
            ),
            how_many,
        )
    )


class Taken:
    """The holds of each person and thing in order of time. They never overlap, so one look finds
    a clash.
    """

    def __init__(self, holds: Iterable[Hold]) -> None:
        self._starts: dict[tuple[int | None, int | None], list[datetime]] = {}
        self._ends: dict[tuple[int | None, int | None], list[datetime]] = {}
        for each in sorted(holds, key=lambda hold: hold.starts_at):
            whose = each.staff_id, each.resource_id
            self._starts.setdefault(whose, []).append(each.starts_at)
            self._ends.setdefault(whose, []).append(each.ends_at)

    def at(self, place: Place) -> bool:
        """Is anybody or anything taken that this place needs by name?"""
        starts_at, ends_at = place.starts_at, place.ends_at
        return (
            self.has(starts_at, ends_at, place.doctor_id, None)
            or self.has(starts_at, ends_at, place.worker_id, None)
            or (
                place.nurse_id is not None
                and self.has(starts_at, place.until, place.nurse_id, None)
            )
            or (place.room_id is not None and self.has(starts_at, ends_at, None, place.room_id))
        )

    def parts(self, needing: Needing) -> list[str]:
        """Which of the people and things it needs by name are taken, in the words of `WORDS`?"""
        return [
            part
            for part, staff_id, resource_id, until in needing.needs
            if self.has(needing.starts_at, until, staff_id, resource_id)
        ]

    def has(
        self, starts_at: datetime, ends_at: datetime, staff_id: int | None, resource_id: int | None
    ) -> bool:
        whose = staff_id, resource_id
        starts = self._starts.get(whose)
        if starts is None:
            return False
        begun = bisect_left(starts, ends_at)
        return begun > 0 and self._ends[whose][begun - 1] > starts_at


# -- booking -------------------------------------------------------------------------------


def may_book(
    rota: Rota,
    starts_at: datetime,
    doctor_id: int,
    worker_id: int,
    *,
    now: datetime,
    drugs: Collection[str],
    holds: Iterable[Hold] = (),
    busy: Collection[tuple[datetime, datetime]] = (),
    walk_in: bool = False,
    routine: bool = False,
    notice: bool = False,
    passed: Collection[str] = (),
) -> Place | Refusal:
    """May this person have the place that starts then, with these two? The place, or why not.

    `drugs`: the codes on the referral. `busy`: the patient's own visits. `walk_in`: they are here,
    and a place that has begun will do while enough of it is left. `routine`: work that is not rapid
    and needs no observation. `notice`: they have to come here first. `passed`: soft blocks somebody
    passes, asked after all others. Rules: RP-16, RP-17, RP-18, RP-31, BK-03 to BK-05.
    """
    if no_opioid(drugs):
        return _refused("no_opioid", finding("RP-31"))
    if starts_at <= now and not walk_in:
        return Refusal("past", "This place has already begun.")
    day = london_day(starts_at)
    for session in rota.sessions:
        if (session.doctor_id, session.worker_id) != (doctor_id, worker_id):
            continue
        for place in places_of(session, day, observed_on(rota, day)):
            if place.starts_at != starts_at:
                continue
            if routine:
                place = as_routine(place)  # noqa: PLW2901 - the same place, less of it
            if walk_in and not _enough_left(place, now):
                return _refused("past", finding("RP-16", "too_late", least=RULES["RP-16"]["least"]))
            if runs_on(rota, session, day):
                refused = _refused_for(rota, session, place, holds, busy)
                if refused is None:
                    blocks = _soft(rota, session, place, now, routine, notice)
                    refused = next((each for each in blocks if each.soft not in passed), None)
                return refused or place
            if _shut(rota, session, day):
                return Refusal("closed", "The site is shut on that day.")
    return Refusal("not_on_rota", "The rota has no such place.")


def as_routine(place: Place) -> Place:
    """What of a place a routine visit takes: nobody is observed after it (BK-03)."""
    return place._replace(nurse_id=None, observed_until=None)


def routine_places(rota: Rota, first: date, last: date, *, now: datetime) -> list[Place]:
    """The places routine visits may have, whoever has taken them, in order of time (BK-03)."""
    return sorted(
        as_routine(place)
        for session in rota.sessions
        for place in places(replace(rota, sessions=(session,)), first, last)
        if _kept(session, place, now) is None
    )


def kept_back(
    rota: Rota, first: date, last: date, *, now: datetime, routine: bool
) -> list[tuple[Place, Refusal]]:
    """Places somebody with the right may give although a soft block keeps them back (BK-04).

    Whoever has taken them; in order of time, each with its first block.
    """
    found = []
    for session in rota.sessions:
        for day in days_between(first, last):
            if not runs_on(rota, session, day) or not_staffed(rota, session, day) is not None:
                continue
            for place in places_of(session, day, observed_on(rota, day)):
                asked = as_routine(place) if routine else place
                block = next(_soft(rota, session, asked, now, routine, not routine), None)
                if block is not None and _gone(rota, asked) is None:
                    found.append((asked, block))
    return sorted(found, key=lambda each: each[0])


def _kept(session: Session, place: Place, now: datetime) -> Refusal | None:
    """Is this place kept for rapid work at this moment (BK-03)?"""
    if session.kept_for != "rapid":
        return None
    says = booking.RULES["BK-03"]
    if session.routine_from_hours is None:
        return Refusal("kept", says["never"], "BK-03", soft="carve_out")
    opens = place.starts_at - timedelta(hours=session.routine_from_hours)
    if opens <= now:
        return None
    words = f"{day_in_words(london_day(opens))}, {london_time(opens):%H:%M}"
    return Refusal("kept", says["opens"].format(opens=words), "BK-03", soft="carve_out")


def _soft(
    rota: Rota, session: Session, place: Place, now: datetime, routine: bool, notice: bool
) -> Iterator[Refusal]:
    """Every block of this place that somebody with the right may pass (BK-04)."""
    if routine and (kept := _kept(session, place, now)) is not None:
        yield kept
    if (shut := _out_of_hours(rota, place)) is not None:
        yield shut
    if notice and not booking.in_reach(place.starts_at, now):
        yield Refusal("notice", booking.too_soon(), "BK-05", soft="notice")


def _refused_for(
    rota: Rota,
    session: Session,
    place: Place,
    holds: Iterable[Hold],
    busy: Collection[tuple[datetime, datetime]],
) -> Refusal | None:
    if (lacking := _lacking(rota, session, london_day(place.starts_at))) is not None:
        return _refused("not_staffed", lacking[1], (lacking[0],))
    if (gone := _gone(rota, place)) is not None:
        return gone
    if blocked_by := blockers(rota, holds, place) if holds else ():
        return _refused("taken", finding("RP-17"), blocked_by)
    if not first_feasible([place], busy, 1):
        return Refusal("patient_busy", "The patient has another visit at that time.")
    return None


def _shut(rota: Rota, session: Session, day: date) -> bool:
    """Would the session be held, were the site not shut for that whole day?"""
    return (
        session.weekday == day.isoweekday()
        and _holds(session.from_on, session.to_on, day)
        and (day in rota.closed_on or rota.calendar.is_bank_holiday(day))
    )


def no_opioid(drugs: Collection[str]) -> bool:
    """Is it known that no opioid is used? Drugs not known yet, or none named, say nothing."""
    rule = RULES["RP-31"]
    return bool(drugs) and not set(drugs) & {*rule["opioids"], *rule["unknown"]}


def wrong_length(slot_minutes: int) -> Finding | None:
    """RP-16: is this no length for an induction slot?"""
    least, most = RULES["RP-16"]["least"], RULES["RP-16"]["most"]
    if least <= slot_minutes <= most:
        return None
    return finding("RP-16", least=least, most=most)


def clash(new: Session, others: Iterable[Session]) -> Session | None:
    """A session that needs the same person or room at the same time as the new one, if any."""
    people = _people(new)
    return next(
        (
            each
            for each in others
            if each.weekday == new.weekday
            and (people & _people(each) or new.room_id in {each.room_id} - {None})
            and each.starts < new.ends
            and new.starts < each.ends
            and (new.to_on is None or each.from_on <= new.to_on)
            and (each.to_on is None or new.from_on <= each.to_on)
        ),
        None,
    )


def stands_in(extra: Session, usual: Session, usually: Calendar) -> bool:
    """Is `extra` agreed for a bank holiday on which the other session is not held anyway?

    `usually`: the calendar of the other's site. OutOfReach beyond the pinned bank holidays.
    """
    return (
        extra.despite_holiday
        and not usual.despite_holiday
        and usually.is_bank_holiday(extra.from_on)
    )


def _people(session: Session) -> set[int | None]:
    return {session.doctor_id, session.worker_id, session.nurse_id} - {None}


def _refused(reason: str, found: Finding, blocked_by: tuple[str, ...] = ()) -> Refusal:
    return Refusal(reason, found.message, found.rule, blocked_by)


def _holds(from_on: date, to_on: date | None, day: date) -> bool:
    return from_on <= day and (to_on is None or day <= to_on)


def _any_holds(spans: Spans, day: date) -> bool:
    return any(_holds(from_on, to_on, day) for from_on, to_on in spans)
