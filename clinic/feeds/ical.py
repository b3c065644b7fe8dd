"""A private calendar as iCalendar (RFC 5545) text: when, and nothing else.

The zone is written by its own two rules, because lists of single changes, as libraries make them,
are misread by some calendars.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard, vDuration

from clinic.feeds.queries import Booking
from dosing.days import LONDON

NAME: Final = "Appointments"
REFRESH: Final = timedelta(minutes=15)


def as_ical(bookings: Iterable[Booking], key: str) -> bytes:
    """The calendar. `key`: the service's secret, which keeps the number of a visit out of its UID."""
    calendar = Calendar()
    calendar.add("prodid", "-//Throughcare//Private calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", NAME)
    calendar.add("x-wr-calname", NAME)
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    calendar.add_component(_london())
    for booking in bookings:
        calendar.add_component(_event(booking, key))
    return calendar.to_ical(sorted=False)  # type: ignore[no-any-return]


def _event(booking: Booking, key: str) -> Event:
    event = Event()
    event.add("uid", _uid(booking.visit_id, key))
    event.add("sequence", booking.change)
    event.add("dtstamp", booking.changed_at)
    event.add("last-modified", booking.changed_at)
    event.add("dtstart", _local(booking.starts_at))
    event.add("dtend", _local(booking.ends_at))
    event.add("summary", "Cancelled: appointment" if booking.cancelled else "Appointment")
    event.add("status", "CANCELLED" if booking.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if booking.cancelled else "OPAQUE")
    event.add("class", "PRIVATE")
    return event


def _uid(visit_id: int, key: str) -> str:
    made = hmac.new(key.encode(), f"visit {visit_id}".encode(), "sha256").hexdigest()
    return f"{made[:32]}@throughcare.invalid"


def _local(at: datetime) -> datetime:
    """In London time, as people read it; as UTC in the hour that comes twice in October, which
    calendars do not read alike.
    """
    london = at.astimezone(LONDON)
    twice = london.replace(fold=0).utcoffset() != london.replace(fold=1).utcoffset()
    return at if twice else london


def _london() -> Timezone:
    zone = Timezone()
    zone.add("tzid", "Europe/London")
    for part, name, month, before, after, hour in (
        (TimezoneDaylight(), "BST", 3, 0, 1, 1),
        (TimezoneStandard(), "GMT", 10, 1, 0, 2),
    ):
        part.add("tzname", name)
        part.add("dtstart", datetime(1996, month, 31 if month == 3 else 27, hour))  # noqa: DTZ001
        part.add("rrule", {"freq": "yearly", "bymonth": month, "byday": "-1SU"})
        part.add("tzoffsetfrom", timedelta(hours=before))
        part.add("tzoffsetto", timedelta(hours=after))
        zone.add_component(part)
    return zone
