"""Which calendar holds where? Joins the pinned bank holidays with what sites and people recorded."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.sites.models import CalendarChange, Site
from config.holidays import bank_holidays
from scheduling.calendars import HolidayLists


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
