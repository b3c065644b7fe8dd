"""A bank holiday was announced or a prison closes: the timetables it moves are made again."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, false, or_, select

from clinic import logs
from clinic.act import Act
from clinic.calendars import holiday_lists
from clinic.custody.commands import replan_in_sweep
from clinic.custody.models import Timetable, TimetableItem
from clinic.sites.models import CalendarChange, Site, SiteClosure
from clinic.sweeps.schedule import sweep
from dosing.days import ONE_DAY, end_of, start_of
from scheduling.custody_rules import LAST_DAY


@sweep(
    "custody-calendars", "Replan the stays whose dates a change of the calendar moved", at=(3, 0),
    look_back_days=LAST_DAY,
)  # fmt: skip
def replan_moved_stays(act: Act, day: date) -> int:
    """One transaction a stay: one that cannot be planned is logged and the others go on.

    Looked at are only stays under a calendar that changed since the day before, or planned from
    other holiday lists: a night on which nothing changed looks at nobody.
    """
    ids = list(
        act.session.scalars(
            select(TimetableItem.reception_id)
            .join(Timetable, Timetable.id == TimetableItem.timetable_id)
            .join(Site, Site.id == TimetableItem.site_id)
            .where(
                TimetableItem.state == "open",
                TimetableItem.deadline > act.at,
                _calendar_changed(act, since=start_of(day - ONE_DAY)),
            )
            .distinct()
            .order_by(TimetableItem.reception_id)
        )
    )
    act.session.rollback()  # let go of the reading, each stay takes its own turn to write
    moved = 0
    for reception_id in ids:
        try:
            moved += replan_in_sweep(act, reception_id)
        except Exception:
            logs.exception("stay not replanned", reception=reception_id)
        act.session.expunge_all()
    return moved


def _calendar_changed(act: Act, *, since: datetime) -> ColumnElement[bool]:
    """Did the calendar of an open item's prison change after its timetable was made?"""
    nations: dict[str, datetime] = {}
    for change in act.session.scalars(select(CalendarChange)):
        if change.announced_on is not None and change.announced_on > act.today:
            continue  # not known yet
        at = max(
            change.recorded_at,
            start_of(change.announced_on) if change.announced_on else change.recorded_at,
            end_of(change.withdrawn_on) if change.withdrawn_on else change.recorded_at,
        )
        nations[change.nation] = max(at, nations.get(change.nation, at))
    shut: dict[int, datetime] = {}
    for closure in act.session.scalars(
        select(SiteClosure).where(
            or_(SiteClosure.recorded_at >= since, SiteClosure.withdrawn_on >= since.date())
        )
    ):
        at = end_of(closure.withdrawn_on) if closure.withdrawn_on else closure.recorded_at
        shut[closure.site_id] = max(at, shut.get(closure.site_id, at))
    return or_(
        false(),
        Timetable.calendar_version != holiday_lists().version,
        *(
            and_(Site.nation == nation, Timetable.made_at < at)
            for nation, at in nations.items()
            if at >= since
        ),
        *(and_(Site.id == site_id, Timetable.made_at < at) for site_id, at in shut.items()),
    )
