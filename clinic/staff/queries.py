"""Who works here, in which role, and where may somebody work today?"""

from __future__ import annotations

from sqlalchemy import select

from clinic.act import Act
from clinic.errors import Forbidden, NotFound
from clinic.sites.models import Site
from clinic.sites.queries import Here, what_holds
from clinic.staff.models import ApiToken, Staff, StaffRole


def sites_to_work_at(act: Act) -> list[Site]:
    """The sites where the person of this act holds a role today, by name."""
    rows = act.session.scalars(select(StaffRole).where(StaffRole.staff_id == act.staff_id))
    here = {row.site_id for row in rows if row.holds_on(act.today)}
    return list(act.session.scalars(select(Site).where(Site.id.in_(here)).order_by(Site.name)))


def everybody(act: Act) -> list[Staff]:
    """Every account, those who left too, by name."""
    act.need("staff.manage")
    return list(act.session.scalars(select(Staff).order_by(Staff.name, Staff.id)))


def one(act: Act, staff_id: int) -> Staff:
    """One account. NotFound when there is none."""
    act.need("staff.manage")
    staff = act.session.get(Staff, staff_id)
    if staff is None:
        raise NotFound("There is no such member of staff.")
    return staff


def site_names(act: Act) -> dict[int, str]:
    """Every site's name by its id, in the order of the names."""
    return {row.id: row.name for row in act.session.scalars(select(Site).order_by(Site.name))}


def tokens_of(act: Act, staff_id: int) -> list[ApiToken]:
    """The tokens of an account, newest first. The tokens themselves are not kept."""
    return list(
        act.session.scalars(
            select(ApiToken).where(ApiToken.staff_id == staff_id).order_by(ApiToken.id.desc())
        )
    )


def as_prescriber(act: Act) -> Here:
    """What holds here. Forbidden unless this person may prescribe, and has a prescriber level today."""
    act.need("prescribing.prescribe")
    here = what_holds(act)
    if here.level_on(act.today) is None:
        raise Forbidden("Your account has no prescriber level today. Ask your administrator.")
    return here
