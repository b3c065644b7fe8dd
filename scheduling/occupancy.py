"""What became of the places of a rota: used, lost and by what cause, or wanted by nobody?

Places and visits in, one fate a place out. Days are London dates, both ends included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from dosing.days import days_between, london_day
from scheduling.forecast import TABLE
from scheduling.slots import Place, Rota, Session, not_staffed, places_of, runs_on, withdrawn

USED, BOOKED, UNRECORDED, EMPTY = "used", "booked", "unrecorded", "empty"
LOST: Final = ("did_not_attend", "cancelled_late", "staff_away", "not_staffed", "closed", "holiday")
FATES: Final = (USED, BOOKED, UNRECORDED, *LOST, EMPTY)


@dataclass(frozen=True)
class Came:
    """A visit of the past, or ahead. `status`: booked, arrived, did_not_attend or cancelled."""

    starts_at: datetime
    doctor_id: int
    status: str
    cancelled_at: datetime | None = None


def fates(
    rota: Rota, visits: Iterable[Came], first: date, last: date, now: datetime
) -> Iterator[tuple[Place, str]]:
    """Every place the rota has or would have had from first to last, with what became of it."""
    at_place: dict[tuple[datetime, int], list[Came]] = {}
    for visit in visits:
        at_place.setdefault((visit.starts_at, visit.doctor_id), []).append(visit)
    for day in days_between(first, last):
        for session in rota.sessions:
            yield from _of_session(rota, session, day, at_place, now)


def _of_session(
    rota: Rota,
    session: Session,
    day: date,
    at_place: Mapping[tuple[datetime, int], list[Came]],
    now: datetime,
) -> Iterator[tuple[Place, str]]:
    usual = replace(session, off_on=frozenset(), despite_holiday=True)
    if not runs_on(replace(rota, closed_on=frozenset()), usual, day):
        return
    not_held = _not_held(rota, session, day)
    for place in places_of(session, day):
        visits = at_place.get((place.starts_at, place.doctor_id), [])
        yield place, _fate(rota, place, not_held, visits, now)


def _not_held(rota: Rota, session: Session, day: date) -> str | None:
    if day in session.off_on:
        return "staff_away"
    if day in rota.closed_on:
        return "closed"
    if not runs_on(rota, session, day):
        return "holiday"
    return "not_staffed" if not_staffed(rota, session, day) else None


def _fate(
    rota: Rota, place: Place, not_held: str | None, visits: Iterable[Came], now: datetime
) -> str:
    stands = {each.status for each in visits}
    if "arrived" in stands:
        return USED  # whatever the rota said, somebody was seen
    if "booked" in stands:
        return BOOKED if place.starts_at > now else UNRECORDED
    if "did_not_attend" in stands:
        return "did_not_attend"
    if not_held is not None:
        return not_held
    if (gone := withdrawn(rota, place)) is not None:
        return "staff_away" if gone.reason == "leave" else "closed"
    if any(late(each) for each in visits):
        return "cancelled_late"
    return EMPTY


def late(visit: Came) -> bool:
    """Was it cancelled so late that hardly anybody else could be asked? Number: forecast.toml."""
    return (
        visit.status == "cancelled"
        and visit.cancelled_at is not None
        and (london_day(visit.starts_at) - london_day(visit.cancelled_at)).days
        <= TABLE["evidence"]["late_days"]
    )
