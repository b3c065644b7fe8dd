"""A bank holiday was announced or a prison closes: the timetables it moves are made again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, union, update

from clinic import logs
from clinic.act import Act, command
from clinic.calendars import holiday_lists
from clinic.custody.commands import replan_in_sweep
from clinic.custody.models import Reception, Timetable, TimetableItem
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

    Looked at are only stays under a calendar that changed since the day before, or last seen under
    other holiday lists: what a night costs follows what changed, however many are in custody.
    """
    forget_finished(act)
    ids = stays_due(act, since=start_of(day - ONE_DAY))
    act.session.rollback()  # let go of the reading, each stay takes its own turn to write
    moved = 0
    for reception_id in ids:
        try:
            moved += replan_in_sweep(act, reception_id)
        except Exception:
            logs.exception("stay not replanned", reception=reception_id)
        act.session.expunge_all()
    return moved


@command
def forget_finished(act: Act) -> None:
    """Stays with nothing open ahead need no look under new holiday lists."""
    ahead = _OPEN.where(TimetableItem.deadline > act.at, TimetableItem.reception_id == Reception.id)
    act.session.execute(
        update(Reception)
        .where(or_(*_seen_under_others()), ~ahead.exists())
        .values(calendar_seen=None)
        .execution_options(synchronize_session=False)
    )


def stays_due(act: Act, *, since: datetime) -> list[int]:
    """The stays whose dates a calendar may have moved since their timetable was made."""
    due: list[Any] = [select(Reception.id).where(other) for other in _seen_under_others()]
    ahead = _OPEN.join(Timetable, Timetable.id == TimetableItem.timetable_id).where(
        TimetableItem.deadline > act.at
    )
    due += [
        ahead.where(TimetableItem.site_id == site_id, Timetable.made_at < at)
        for site_id, at in _closures(act, since).items()
    ]
    due += [
        ahead.join(Site, Site.id == TimetableItem.site_id).where(
            Site.nation == nation, Timetable.made_at < at
        )
        for nation, at in _holidays(act, since).items()
    ]
    return sorted(act.session.scalars(union(*due)))


_OPEN = select(TimetableItem.reception_id).where(TimetableItem.state == "open")


def _seen_under_others() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Two spans of an index: everything but the lists in use."""
    seen, lists = Reception.calendar_seen, holiday_lists().version
    return seen < lists, seen > lists


def _holidays(act: Act, since: datetime) -> dict[str, datetime]:
    """By nation: the newest change of its bank holidays that became known since."""
    found: dict[str, datetime] = {}
    for change in act.session.scalars(select(CalendarChange)):
        if change.announced_on is not None and change.announced_on > act.today:
            continue  # not known yet
        at = max(
            change.recorded_at,
            start_of(change.announced_on) if change.announced_on else change.recorded_at,
            end_of(change.withdrawn_on) if change.withdrawn_on else change.recorded_at,
        )
        if at >= since:
            found[change.nation] = max(at, found.get(change.nation, at))
    return found


def _closures(act: Act, since: datetime) -> dict[int, datetime]:
    """By prison: the newest day of closing, or its withdrawal, recorded since."""
    found: dict[int, datetime] = {}
    for closure in act.session.scalars(
        select(SiteClosure).where(
            or_(SiteClosure.recorded_at >= since, SiteClosure.withdrawn_on >= since.date())
        )
    ):
        at = end_of(closure.withdrawn_on) if closure.withdrawn_on else closure.recorded_at
        found[closure.site_id] = max(at, found.get(closure.site_id, at))
    return found
