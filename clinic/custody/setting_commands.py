"""Say how a prison counts the 28 days."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from clinic.act import Act, command
from clinic.custody.models import DAY_COUNTS, CompletionChoice, DayCountChoice
from clinic.custody.stays import prison_of, said_why
from clinic.errors import Invalid, one_of
from scheduling.phases import completion_refused


@command
def set_day_count(act: Act, day_count: str, *, from_on: date, reason: str) -> None:
    """Say how this prison numbers the days, for receptions from a day on (TT-01).

    Stays that have begun keep the numbering they began with.
    """
    act.need("sites.manage")
    site = prison_of(act)
    one_of("day_count", day_count, DAY_COUNTS)
    _ahead(act, from_on)
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


@command
def set_completion_day(act: Act, begins: int, *, from_on: date, reason: str) -> None:
    """Say on which day of custody completion begins here, for receptions from a day on (PH-08).

    Stays that have begun keep the day they began with; somebody's own move of the phase stays.
    """
    act.need("sites.manage")
    site = prison_of(act)
    if refused := completion_refused(begins):
        raise Invalid.field("begins", refused)
    _ahead(act, from_on)
    act.session.add(
        CompletionChoice(
            site_id=site.id, begins=begins, from_on=from_on, reason=said_why(reason),
            recorded_at=act.at, recorded_by=act.staff_id,
        )
    )  # fmt: skip
    act.note("custody.completion_day_set", site_id=site.id)


def _ahead(act: Act, from_on: date) -> None:
    if from_on < act.today:
        raise Invalid.field("from_on", "must be today or later: days that have passed are history")
