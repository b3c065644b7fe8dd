"""Sites over the API: details, prescribing model, rules, features, closures, posts, calendar."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from clinic import openapi
from clinic.auth import act, needs
from clinic.openapi import Blueprint
from clinic.sites import commands, queries
from clinic.sites.models import FEATURES, CalendarChange, Site
from clinic.sites.schemas import (
    AddSiteSchema,
    CalendarChangeSchema,
    ClosureSchema,
    EditSiteSchema,
    FeatureSchema,
    PostSchema,
    RuleSetSchema,
    SetModelSchema,
    SiteSchema,
)
from clinic.staff import commands as staff_commands

sites_api = Blueprint(
    "sites_api", __name__, url_prefix="/api/v1", description="Sites and what holds there"
)


def _shown(site: Site) -> dict[str, Any]:
    today = act().today
    return {
        **{field: getattr(site, field) for field in ("id", "version", "kind", "nation")},
        **{field: getattr(site, field) for field in commands.DETAILS},
        "model": site.model_on(today),
        "rule_set": site.rule_set_on(today),
        "features": [feature for feature in FEATURES if site.has(feature, today)],
        "closures": [row for row in site.closures if row.withdrawn_on is None],
    }


def _answer(site_id: int, status: int = 200) -> Response:
    site = commands.managed_site(act(), site_id)
    response = jsonify(SiteSchema().dump(_shown(site)))
    response.status_code = status
    response.headers["Location"] = f"/api/v1/sites/{site.id}"
    return openapi.tag(response, site.version)


@sites_api.get("/sites")
@needs("sites.manage")
@sites_api.response(200, SiteSchema(many=True))
def listed() -> list[dict[str, Any]]:
    """The sites somebody may set up: every one for an administrator, their own for a manager."""
    return [_shown(site) for site in queries.sites_to_manage(act())]


@sites_api.post("/sites")
@needs("staff.manage")
@sites_api.arguments(AddSiteSchema)
@sites_api.response(201, SiteSchema)
@sites_api.alt_response(409, description="There is already a site of this name")
def add(given: dict[str, Any]) -> Response:
    """Add a service or a prison."""
    return _answer(commands.add_site(act(), **given), 201)


@sites_api.get("/sites/<int:site_id>")
@needs("sites.manage")
@sites_api.response(200, SiteSchema)
def shown(site_id: int) -> Response:
    """One site as it stands today, with its version as ETag."""
    return _answer(site_id)


@sites_api.patch("/sites/<int:site_id>")
@needs("sites.manage")
@sites_api.arguments(EditSiteSchema)
@sites_api.response(200, SiteSchema)
@sites_api.alt_response(412, description="Changed meanwhile: says by whom and when")
@sites_api.alt_response(428, description="If-Match is needed")
def edit(given: dict[str, Any], site_id: int) -> Response:
    """Change details under the version that was read (If-Match)."""
    commands.edit_site(act(), site_id, version=openapi.if_match(), **given)
    return _answer(site_id)


@sites_api.post("/sites/<int:site_id>/models")
@needs("sites.manage")
@sites_api.arguments(SetModelSchema)
@sites_api.response(201, SiteSchema)
@sites_api.alt_response(422, description="Model 3 without what it needs, or a day that has passed")
def set_model(given: dict[str, Any], site_id: int) -> Response:
    """Set the rapid prescribing model from a day on."""
    commands.set_model(act(), site_id, **given)
    return _answer(site_id, 201)


@sites_api.post("/sites/<int:site_id>/rule-sets")
@needs("sites.manage")
@sites_api.arguments(RuleSetSchema)
@sites_api.response(201, SiteSchema)
def choose_rule_set(given: dict[str, Any], site_id: int) -> Response:
    """Choose the rules doses are checked against from a day on."""
    commands.choose_rule_set(act(), site_id, **given)
    return _answer(site_id, 201)


@sites_api.post("/sites/<int:site_id>/features")
@needs("sites.manage")
@sites_api.arguments(FeatureSchema)
@sites_api.response(201, SiteSchema)
def add_feature(given: dict[str, Any], site_id: int) -> Response:
    """Record something the site has."""
    commands.add_feature(act(), site_id, **given)
    return _answer(site_id, 201)


@sites_api.post("/sites/<int:site_id>/features/<feature>/end")
@needs("sites.manage")
@sites_api.response(200, SiteSchema)
@sites_api.alt_response(409, description="Model 3 needs it")
def end_feature(site_id: int, feature: str) -> Response:
    """Say that the site no longer has something."""
    commands.end_feature(act(), site_id, feature)
    return _answer(site_id)


@sites_api.post("/sites/<int:site_id>/closures")
@needs("sites.manage")
@sites_api.arguments(ClosureSchema)
@sites_api.response(201, SiteSchema)
@sites_api.alt_response(409, description="Already closed on that day")
def close(given: dict[str, Any], site_id: int) -> Response:
    """Record a day the site is shut."""
    commands.close_site(act(), site_id, **given)
    return _answer(site_id, 201)


@sites_api.post("/closures/<int:closure_id>/withdraw")
@needs("sites.manage")
@sites_api.response(204)
def withdraw_closure(closure_id: int) -> None:
    """The site is open that day after all."""
    commands.withdraw_closure(act(), closure_id)


@sites_api.post("/sites/<int:site_id>/posts")
@needs("sites.manage")
@sites_api.arguments(PostSchema)
@sites_api.response(204)
def give_post(given: dict[str, Any], site_id: int) -> None:
    """Name who holds a post from today; whoever held it until now ends."""
    staff_commands.give_post(act(), site_id, **given)


@sites_api.get("/calendar-changes")
@needs("sites.manage")
@sites_api.response(200, CalendarChangeSchema(many=True))
def calendar_changes() -> list[CalendarChange]:
    """Bank holidays announced late, withdrawn ones too."""
    return queries.calendar_changes(act())


@sites_api.post("/calendar-changes")
@needs("staff.manage")
@sites_api.arguments(CalendarChangeSchema)
@sites_api.response(201, CalendarChangeSchema)
def change_calendar(given: dict[str, Any]) -> CalendarChange:
    """Add or remove a bank holiday for every site of a nation."""
    made = commands.change_calendar(act(), **given)
    return act().session.get_one(CalendarChange, made)


@sites_api.post("/calendar-changes/<int:change_id>/withdraw")
@needs("staff.manage")
@sites_api.response(204)
def withdraw_change(change_id: int) -> None:
    """The change was entered by mistake."""
    commands.withdraw_calendar_change(act(), change_id)
