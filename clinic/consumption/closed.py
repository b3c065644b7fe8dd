"""On which days can nobody take a dose at a place?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from clinic.act import Act
from clinic.consumption.places import Place
from clinic.errors import Invalid
from clinic.scripts.facts import opening
from clinic.sites.models import Site


def closed_days(act: Act, place: Place | None, days: Iterable[date]) -> set[date]:
    """The days on which this place is shut, of those asked about.

    A pharmacy by its recorded hours; where these are not known it counts as open, so that no dose
    is excused. The service itself is shut on the closures recorded for it; a prison never.
    """
    wanted = set(days)
    if place is None or not wanted:
        return set()
    if place.premises_id is not None:
        try:
            pharmacy = opening(act, place.premises_id)
        except Invalid:
            return set()
        return {day for day in wanted if not pharmacy.is_open(day)}
    site = act.session.get_one(Site, act.site_id)
    if site.kind == "prison":
        return set()
    shut = {row.on for row in site.closures if row.withdrawn_on is None}
    return wanted & shut
