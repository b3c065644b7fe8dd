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
    changes = session.scalars(
        select(CalendarChange)
        .where(CalendarChange.nation == site.nation, CalendarChange.withdrawn_on.is_(None))
        .order_by(CalendarChange.on)
    )
    return {
        "nation": site.nation,
        "closure_days": [row.on.isoformat() for row in site.closures if row.withdrawn_on is None],
        "calendar_changes": [
            {
                "on": row.on.isoformat(),
                "change": row.change,
                "announced_on": row.announced_on and row.announced_on.isoformat(),
            }
            for row in changes
        ],
    }


def working_days(session: Session, site: Site) -> Calendar:
    """The working days of a site: no weekends, bank holidays or days it is shut."""
    known = calendar_of(session, site)
    return Calendar(
        site.nation,
        holiday_lists(),
        [date.fromisoformat(day) for day in known["closure_days"]],
        [
            Change(
                date.fromisoformat(each["on"]),
                each["change"],
                each["announced_on"] and date.fromisoformat(each["announced_on"]),
            )
            for each in known["calendar_changes"]
        ],
    )


def shut_days(session: Session, site: Site, first: date, days: int = 14) -> set[date]:
    """The days from `first` on that are no working days here: weekends, bank holidays, closures."""
    calendar = working_days(session, site)
    span = (first + timedelta(days=number) for number in range(days))
    return {day for day in span if not calendar.is_working_day(day)}
