"""What a release plan does in the diary of the service that will see somebody."""

from __future__ import annotations

from dataclasses import replace

from clinic.act import Act
from clinic.appointments import commands as visits
from clinic.appointments.models import Visit
from clinic.release.models import ReleaseFact
from clinic.sites.models import Site

_RIGHTS = frozenset({"appointments.read", "appointments.refer", "appointments.book"})
"""What booking somebody's first appointment takes, and no more."""


def at_the_service(act: Act, site: Site) -> Act:
    """The same work, done at that service."""
    return replace(act, site_id=site.id, rights=_RIGHTS)


def give_place_back(act: Act, row: ReleaseFact, reason: str) -> None:
    """The appointment no longer stands: a visit still ahead is cancelled there."""
    visit = row.visit_id and act.session.get(Visit, row.visit_id)
    if not visit or visit.status != "booked" or visit.starts_at <= act.at:
        return
    site = act.session.get_one(Site, visit.site_id)
    visits.cancel_visit(
        at_the_service(act, site), visit.id, version=visit.version, reason="other",
        by_whom="referrer", note=f"Release plan: {reason}", look_first=False,
    )  # fmt: skip
