"""How does this prison count the 28 days, and who said so? Conventions, and the calendar dates follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from clinic.act import Act
from clinic.calendars import bank_holidays_of, holiday_lists, working_days
from clinic.custody.models import CompletionChoice, DayCountChoice
from clinic.sites.models import CalendarChange, Site
from clinic.staff.models import Staff
from scheduling.custody_request import RECEPTION_IS_DAY_1
from scheduling.phases import COMPLETION_DAY

AHEAD = timedelta(days=90)


@dataclass(frozen=True)
class ShutDay:
    """A weekday ahead that is no working day. `closed`: the prison itself is shut, no bank holiday."""

    on: date
    closed: bool


@dataclass(frozen=True)
class Settings:
    """What holds at a prison for somebody received today, and every choice there was, newest first.

    `calendar_version`: the pinned holiday lists. `shut`: weekdays of the next three months that
    are not worked. `changes`: bank holidays of the nation announced late, withdrawn ones too.
    """

    site: Site
    day_count: str
    day_counts: Sequence[DayCountChoice]
    completion_day: int
    completions: Sequence[CompletionChoice]
    calendar_version: str
    shut: Sequence[ShutDay]
    changes: Sequence[CalendarChange]
    names: dict[int, str]


def settings(act: Act) -> Settings:
    """The settings of this prison's 28 days."""
    act.need("custody.read")
    site = act.session.get_one(Site, act.site_id)
    counts = act.session.scalars(
        select(DayCountChoice)
        .where(DayCountChoice.site_id == site.id)
        .order_by(DayCountChoice.id.desc())
    ).all()
    completions = act.session.scalars(
        select(CompletionChoice)
        .where(CompletionChoice.site_id == site.id)
        .order_by(CompletionChoice.from_on.desc(), CompletionChoice.id.desc())
    ).all()
    ids = {row.recorded_by for row in (*counts, *completions)}
    names = act.session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids)))
    changes = act.session.scalars(
        select(CalendarChange)
        .where(CalendarChange.nation == site.nation)
        .order_by(CalendarChange.on.desc())
    ).all()
    return Settings(
        site=site,
        day_count=next(
            (row.day_count for row in counts if row.holds_on(act.today)), RECEPTION_IS_DAY_1
        ),
        day_counts=counts,
        completion_day=next(
            (row.begins for row in completions if row.from_on <= act.today), COMPLETION_DAY
        ),
        completions=completions,
        calendar_version=holiday_lists().version,
        shut=_shut(act, site),
        changes=changes,
        names=dict(names.all()),
    )


def _shut(act: Act, site: Site) -> list[ShutDay]:
    own, nation = working_days(act.session, site), bank_holidays_of(act.session, site.nation)
    days = (act.today + timedelta(days=number) for number in range(AHEAD.days))
    return [
        ShutDay(day, nation.is_working_day(day))
        for day in days
        if day.isoweekday() <= 5 and not own.is_working_day(day)
    ]
