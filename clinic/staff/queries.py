"""Who works here, in which role, and where may somebody work today?"""

from __future__ import annotations

from sqlalchemy import select

from clinic.act import Act
from clinic.sites.models import Site
from clinic.staff.models import StaffRole


def sites_to_work_at(act: Act) -> list[Site]:
    """The sites where the person of this act holds a role today, by name."""
    rows = act.session.scalars(select(StaffRole).where(StaffRole.staff_id == act.staff_id))
    here = {row.site_id for row in rows if row.holds_on(act.today)}
    return list(act.session.scalars(select(Site).where(Site.id.in_(here)).order_by(Site.name)))
