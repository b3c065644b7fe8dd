"""Say how a prison counts the 28 days."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from clinic.act import Act, command
from clinic.custody.models import DAY_COUNTS, DayCountChoice
from clinic.custody.stays import prison_of, said_why
from clinic.errors import Invalid, one_of


@command
def set_day_count(act: Act, day_count: str, *, from_on: date, reason: str) -> None:
    """Say how this prison numbers the days, for receptions from a day on (TT-01).

    Stays that have begun keep the numbering they began with.
    """
    act.need("sites.manage")
    site = prison_of(act)
    one_of("day_count", day_count, DAY_COUNTS)
    if from_on < act.today:
        raise Invalid.field("from_on", "must be today or later: days that have passed are history")
    for row in act.session.scalars(select(DayCountChoice).where(DayCountChoice.site_id == site.id)):
        if row.to_on is None or row.to_on >= from_on:
            row.to_on = from_on - timedelta(days=1)
    act.session.add(
        DayCountChoice(
            site_id=site.id, day_count=day_count, reason=said_why(reason), from_on=from_on,
            to_on=None, recorded_at=act.at, recorded_by=act.staff_id,
        )
    )  # fmt: skip
    act.note("custody.day_count_set", site_id=site.id)
