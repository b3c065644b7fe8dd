"""Which calendar holds where? Joins the pinned bank holidays with what sites and people recorded."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.sites.models import CalendarChange, Site
from config.holidays import bank_holidays
from scheduling.calendars import Calendar, HolidayLists
from scheduling.calendars import CalendarChange as Change


@cache
def holiday_lists() -> HolidayLists:
    """The pinned bank holidays of the three nations."""
    return HolidayLists(**bank_holidays())


def calendar_of(session: Session, site: Site) -> dict[str, Any]:
    """A site's calendar object, as the timetable and release contracts take it."""
    return {
        "nation": site.nation,
        "closure_days": [day.isoformat() for day in _closed(site)],
        "calendar_changes": [
            {
                "on": each.on.isoformat(),
                "change": each.change,
                "announced_on": each.announced_on and each.announced_on.isoformat(),
            }
            for each in _changes(session, site.nation)
        ],
    }


def working_days(session: Session, site: Site) -> Calendar:
    """The working days of a site: no weekends, bank holidays or days it is shut."""
    return bank_holidays_of(session, site.nation, _closed(site))


def bank_holidays_of(session: Session, nation: str, closed: list[date] | None = None) -> Calendar:
    """A nation's bank holidays, with what was announced since; `closed`: days shut beside them."""
    return Calendar(nation, holiday_lists(), closed or [], _changes(session, nation))


def _closed(site: Site) -> list[date]:
    return [row.on for row in site.closures if row.withdrawn_on is None]


def _changes(session: Session, nation: str) -> list[Change]:
    rows = session.scalars(
        select(CalendarChange)
        .where(CalendarChange.nation == nation, CalendarChange.withdrawn_on.is_(None))
        .order_by(CalendarChange.on)
    )
    return [Change(row.on, row.change, row.announced_on) for row in rows]


def shut_days(session: Session, site: Site, first: date, days: int = 14) -> set[date]:
    """The days from `first` on that are no working days here: weekends, bank holidays, closures."""
    calendar = working_days(session, site)
    span = (first + timedelta(days=number) for number in range(days))
    return {day for day in span if not calendar.is_working_day(day)}
