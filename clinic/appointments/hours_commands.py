"""Say when staff are away and when the site is open, and take either back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from clinic.act import Act, command
from clinic.appointments.models import AWAY_BECAUSE, SiteOpening, StaffLeave
from clinic.errors import Invalid, NotFound, says
from clinic.staff.models import StaffRole

LONGEST_LEAVE = timedelta(days=366)

for _name in (
    "uq_site_opening_standing",
    "site_opening.site_id, site_opening.weekday, site_opening.from_on",
):
    says(_name, "Hours from that day on are already recorded. Withdraw them first.")


@command
def record_leave(
    act: Act, *, staff_id: int, starts_at: datetime, ends_at: datetime, reason: str
) -> int:
    """Somebody who works here is away, at every site. Visits booked then stand. Returns the id.

    `reason`: a code of AWAY_BECAUSE.
    """
    act.need("appointments.rota")
    _works_here(act, staff_id)
    if reason not in AWAY_BECAUSE:
        raise Invalid.field("reason", f"must be one of: {', '.join(AWAY_BECAUSE)}")
    if ends_at <= starts_at:
        raise Invalid.field("ends_at", "must be after the start")
    if ends_at <= act.at:
        raise Invalid.field("ends_at", "cannot be in the past")
    if ends_at - starts_at > LONGEST_LEAVE:
        raise Invalid.field("ends_at", f"must be within {LONGEST_LEAVE.days} days of the start")
    row = StaffLeave(
        staff_id=staff_id, starts_at=starts_at, ends_at=ends_at, reason=reason, withdrawn_at=None,
        withdrawn_by=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("appointments.leave_recorded", leave=row.id, staff=staff_id)
    return row.id


def _works_here(act: Act, staff_id: int) -> None:
    here = act.session.scalars(
        select(StaffRole).where(StaffRole.staff_id == staff_id, StaffRole.site_id == act.site_id)
    )
    if not any(row.holds_on(act.today) for row in here):
        raise Invalid.field("staff_id", "must be somebody who works at this site")


@command
def withdraw_leave(act: Act, leave_id: int) -> None:
    """They are not away after all: their places are back."""
    act.need("appointments.rota")
    row = act.session.get(StaffLeave, leave_id, with_for_update=True)
    if row is None or row.withdrawn_at is not None:
        raise NotFound("There is no such leave.")
    _works_here(act, row.staff_id)
    if row.ends_at <= act.at:
        raise Invalid("This leave has passed: it is history.")
    row.withdrawn_at, row.withdrawn_by = act.at, act.staff_id
    act.note("appointments.leave_withdrawn", leave=row.id, staff=row.staff_id)


@command
def set_opening(
    act: Act, *, weekday: int, opens: time | None, closes: time | None, from_on: date
) -> int:
    """The site's hours on a weekday (Monday is 1) from a day on; neither time: shut. Returns the id."""
    act.need("appointments.rota")
    if not 1 <= weekday <= 7:
        raise Invalid.field("weekday", "must be from 1 (Monday) to 7 (Sunday)")
    if (opens is None) != (closes is None):
        raise Invalid.field(
            "opens" if opens is None else "closes",
            "is required, or leave both times empty for a day the site is shut",
        )
    if opens is not None and closes is not None and closes <= opens:
        raise Invalid.field("closes", "must be after the opening time")
    if from_on < act.today:
        raise Invalid.field("from_on", "cannot be in the past")
    row = SiteOpening(
        site_id=act.site_id, weekday=weekday, opens=opens, closes=closes, from_on=from_on,
        withdrawn_at=None, withdrawn_by=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("appointments.opening_set", opening=row.id)
    return row.id


@command
def withdraw_opening(act: Act, opening_id: int) -> None:
    """These hours do not come into force, or not from today on as entered: the ones before go on."""
    act.need("appointments.rota")
    row = act.session.get(SiteOpening, opening_id, with_for_update=True)
    if row is None or row.withdrawn_at is not None or row.site_id != act.site_id:
        raise NotFound("There are no such hours at this site.")
    if row.from_on < act.today:
        raise Invalid("These hours have been in force: that is history. Set new ones from today.")
    row.withdrawn_at, row.withdrawn_by = act.at, act.staff_id
    act.note("appointments.opening_withdrawn", opening=row.id)
