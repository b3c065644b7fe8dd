"""Which private calendars does somebody have, and what does one of them show?

What is shown is when somebody is booked: no name, number, drug or service. So nothing of a
patient's record is read, and a calendar that asks every few minutes leaves no audit entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from clinic.act import Act
from clinic.appointments.models import Resource, Visit, VisitEvent, VisitHold
from clinic.auth import token_hash
from clinic.errors import NotFound
from clinic.feeds.models import CalendarFeed
from clinic.roles import rights_of
from clinic.staff.models import Staff, StaffRole

BACK = timedelta(days=30)
"""How long a cancelled booking is told of, so that every calendar learns of it; and how far back."""
AHEAD = timedelta(days=400)
STANDS = ("booked", "arrived", "did_not_attend")


@dataclass(frozen=True)
class Booking:
    """Somebody's time from one instant to another. `change` rises with every change."""

    visit_id: int
    starts_at: datetime
    ends_at: datetime
    cancelled: bool
    change: int
    changed_at: datetime


def feeds_of(act: Act) -> list[CalendarFeed]:
    """One's own private calendars, the newest first, revoked ones too."""
    return list(
        act.session.scalars(
            select(CalendarFeed)
            .where(CalendarFeed.staff_id == act.staff_id)
            .order_by(CalendarFeed.id.desc())
        )
    )


def feed_with(session: Session, secret: str, today: date) -> CalendarFeed:
    """The feed of this secret. NotFound for a wrong or revoked one, and for one whose owner no
    longer works there: to the caller these are the same.
    """
    feed = session.scalar(
        select(CalendarFeed).where(
            CalendarFeed.secret_hash == token_hash(secret), CalendarFeed.revoked_at.is_(None)
        )
    )
    if feed is None or not _still_may(session, feed, today):
        raise NotFound("There is no such calendar.")
    return feed


def _still_may(session: Session, feed: CalendarFeed, today: date) -> bool:
    owner = session.get_one(Staff, feed.staff_id)
    if owner.left_on is not None and owner.left_on < today:
        return False
    roles = session.scalars(select(StaffRole).where(StaffRole.staff_id == feed.staff_id))
    held = {
        row.role for row in roles
        if row.holds_on(today) and feed.site_id in (None, row.site_id)
    }  # fmt: skip
    return "appointments.read" in rights_of(held, ())


def bookings(session: Session, feed: CalendarFeed, now: datetime) -> list[Booking]:
    """What the feed shows: from 30 days ago to 400 days ahead, in order of time."""
    found = _own(session, feed, now) if feed.site_id is None else _clinic(session, feed, now)
    return sorted(found, key=lambda each: (each.starts_at, each.visit_id))


def _own(session: Session, feed: CalendarFeed, now: datetime) -> Iterable[Booking]:
    """Each visit by the time it holds of the owner; given up (cancelled, moved, another's) it stays
    for 30 days as cancelled.
    """
    rows = session.execute(
        select(Visit, VisitHold, _changed())
        .join(VisitHold, VisitHold.visit_id == Visit.id)
        .join(Resource, Resource.id == VisitHold.resource_id)
        .where(Resource.staff_id == feed.staff_id, *_within(VisitHold, now))
        .order_by(VisitHold.id)
    ).all()
    shown: dict[int, Booking] = {}
    standing: set[int] = set()
    for visit, hold, changed_at in rows:
        if visit.id in standing:
            continue
        if hold.released_at is None and visit.status in STANDS:
            standing.add(visit.id)
            shown[visit.id] = _booking(visit, hold, False, changed_at)
        elif (hold.released_at or now) > now - BACK and visit.status in (*STANDS, "cancelled"):
            shown[visit.id] = _booking(visit, hold, True, changed_at)
    return shown.values()


def _clinic(session: Session, feed: CalendarFeed, now: datetime) -> Iterable[Booking]:
    rows = session.execute(
        select(Visit, _changed()).where(Visit.site_id == feed.site_id, *_within(Visit, now))
    ).all()
    for visit, changed_at in rows:
        if visit.status in STANDS:
            yield _booking(visit, visit, False, changed_at)
        elif visit.status == "cancelled" and changed_at > now - BACK:
            yield _booking(visit, visit, True, changed_at)


def _booking(visit: Visit, span: Visit | VisitHold, gone: bool, changed_at: datetime) -> Booking:
    return Booking(visit.id, span.starts_at, span.ends_at, gone, visit.version, changed_at)


def _changed():  # type: ignore[no-untyped-def]
    """When the visit was last changed."""
    return (
        select(func.max(VisitEvent.recorded_at, type_=VisitEvent.recorded_at.type))
        .where(VisitEvent.visit_id == Visit.id)
        .correlate(Visit)
        .scalar_subquery()
    )


def _within(table: type[Visit] | type[VisitHold], now: datetime):  # type: ignore[no-untyped-def]
    return table.ends_at > now - BACK, table.starts_at < now + AHEAD
