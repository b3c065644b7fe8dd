"""Which sites are there, and what holds at each?"""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import joinedload

from clinic.act import Act
from clinic.sites.models import CalendarChange, Site, SiteChange
from clinic.staff.models import SitePost, Staff, StaffRole


def sites_to_manage(act: Act) -> list[Site]:
    """Every site for an administrator, the own site for a manager; by name."""
    act.need("sites.manage")
    found = select(Site).order_by(Site.name)
    if not act.may("staff.manage"):
        found = found.where(Site.id == act.site_id)
    return list(act.session.scalars(found))


def posts_at(act: Act, site_id: int) -> list[tuple[SitePost, str]]:
    """Who holds or held which post at a site, newest first, with the name."""
    rows = act.session.execute(
        select(SitePost, Staff.name)
        .join(Staff, Staff.id == SitePost.staff_id)
        .where(SitePost.site_id == site_id)
        .order_by(SitePost.post, SitePost.id.desc())
    )
    return [(row, name) for row, name in rows]


def staff_at(act: Act, site_id: int) -> list[Staff]:
    """Everybody who holds a role at a site today, by name."""
    rows = act.session.scalars(select(StaffRole).where(StaffRole.site_id == site_id))
    here = {row.staff_id for row in rows if row.holds_on(act.today)}
    return list(act.session.scalars(select(Staff).where(Staff.id.in_(here)).order_by(Staff.name)))


def changes_of(act: Act, site_id: int) -> list[tuple[SiteChange, str]]:
    """What the details of a site were before, newest first, with who changed them."""
    rows = act.session.execute(
        select(SiteChange, Staff.name)
        .join(Staff, Staff.id == SiteChange.recorded_by)
        .where(SiteChange.site_id == site_id)
        .order_by(SiteChange.id.desc())
    )
    return [(row, name) for row, name in rows]


def calendar_changes(act: Act) -> list[CalendarChange]:
    """Every change of a bank holiday, withdrawn ones too, newest day first."""
    return list(
        act.session.scalars(
            select(CalendarChange).order_by(CalendarChange.on.desc(), CalendarChange.id.desc())
        )
    )


_WITH_CHOICES = (
    select(Site)
    .where(Site.id == bindparam("site_id"))
    .options(joinedload(Site.models), joinedload(Site.rule_sets), joinedload(Site.features))
)


def site_with_choices(act: Act) -> Site:
    """The site of this act with its models, rule sets and features: a few rows, one statement."""
    return act.session.scalars(_WITH_CHOICES, {"site_id": act.site_id}).unique().one()
