"""Who is away, when is the site open, and which rooms, places and kit does it have?"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments.models import Resource, SiteOpening, StaffLeave
from clinic.sites.queries import staff_at
from clinic.staff.models import Staff


@dataclass(frozen=True)
class Away:
    """A leave that has not passed, by name."""

    row: StaffLeave
    name: str


def leave_ahead(act: Act) -> list[Away]:
    """Leave of everybody who works here today that has not passed, the first to begin first."""
    act.need("appointments.read")
    here = [each.id for each in staff_at(act, act.site_id or 0)]
    rows = act.session.execute(
        select(StaffLeave, Staff.name)
        .join(Staff, Staff.id == StaffLeave.staff_id)
        .where(
            StaffLeave.staff_id.in_(here), StaffLeave.ends_at > act.at,
            StaffLeave.withdrawn_at.is_(None),
        )
        .order_by(StaffLeave.starts_at, StaffLeave.id)
    )  # fmt: skip
    return [Away(row, name) for row, name in rows]


def openings(act: Act) -> list[SiteOpening]:
    """The hours of each weekday in force and to come; what they replaced is left out."""
    act.need("appointments.read")
    rows = act.session.scalars(
        select(SiteOpening)
        .where(SiteOpening.site_id == act.site_id, SiteOpening.withdrawn_at.is_(None))
        .order_by(SiteOpening.weekday, SiteOpening.from_on)
    ).all()
    return [
        row
        for row in rows
        if not any(
            other.weekday == row.weekday and row.from_on < other.from_on <= act.today
            for other in rows
        )
    ]


def things(act: Act, *kinds: str) -> list[Resource]:
    """The rooms, observation places and kit of this site that are not gone, in order of kind and name.

    `kinds`: only these.
    """
    act.need("appointments.read")
    found = select(Resource).where(
        Resource.site_id == act.site_id, Resource.gone_on.is_(None) | (Resource.gone_on > act.today)
    )
    if kinds:
        found = found.where(Resource.kind.in_(kinds))
    return list(act.session.scalars(found.order_by(Resource.kind, Resource.name, Resource.id)))
