"""The page and the API of site planning."""

from __future__ import annotations

from flask import render_template

from clinic.auth import act, needs
from clinic.custody import planning
from clinic.custody.pages import Page, custody_pages
from clinic.custody.prison_schemas import PlanningSchema
from clinic.custody.wing_api import wings_api
from scheduling.site_planning import RULES


@custody_pages.get("/planning")
@needs("custody.read")
def site_planning() -> Page:
    """Whom this prison receives against the keyworkers and group seats it has."""
    return render_template(
        "custody/planning.jinja", view=planning.site_planning(act()), rules=RULES
    )


@wings_api.get("/site-planning")
@needs("custody.read")
@wings_api.response(200, PlanningSchema)
def site_planning_figures() -> planning.Planning:
    """Throughput and length of stay against keyworker and group places, from a prison's own figures."""
    return planning.site_planning(act())
