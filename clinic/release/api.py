"""Release plans over HTTP: open one, record its facts, read what the rules say of it now."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from clinic.auth import act, needs
from clinic.openapi import VERSIONED, Blueprint, if_match, tag
from clinic.release import closing, commands, presenters, queries
from clinic.release import premises as pharmacies
from clinic.release.access import open_plan as open_plan_of
from clinic.release.schemas import (
    ComingListSchema,
    PremisesClosureSchema,
    PremisesCorrectSchema,
    PremisesOpeningSchema,
    PremisesRequestSchema,
    PremisesSchema,
    PremisesWeekSchema,
    ReleaseBookSchema,
    ReleaseCloseSchema,
    ReleaseFactCorrectionSchema,
    ReleaseFactSchema,
    ReleaseOpenSchema,
    ReleasePlacesSchema,
    ReleasePlanSchema,
    ReleaseRecordedSchema,
    ReleaseWhySchema,
)

release_api = Blueprint(
    "release_api", __name__, url_prefix="/api/v1", description="Release plans and their gaps"
)

Given = dict[str, Any]

_versioned = release_api.doc(**VERSIONED)
_stale = release_api.alt_response(412, description="Changed meanwhile; says by whom")
_unread = release_api.alt_response(428, description="No If-Match")
_elsewhere = release_api.alt_response(403, description="Outside the caseload, or not your right")
_none = release_api.alt_response(404, description="There is no such plan or fact")


def _plan(plan_id: int, status: int = 200) -> Response:
    now = queries.plan_now(act(), plan_id)
    plan, recorded = now.plan, ReleaseRecordedSchema(many=True)
    body = ReleasePlanSchema().dump(
        {
            "id": plan.id,
            "patient_id": now.patient.id,
            "site_id": plan.site_id,
            "opened_at": plan.opened_at,
            "closed_at": plan.closed_at,
            "closed_as": plan.closed_as,
            "version": plan.version,
            "answer": now.answer,
            "fault": now.fault,
            "flags": now.flags,
            "unknown": presenters.unknown(now),
            "recheck": [row.id for row in now.recheck],
            "possible_ends": [each["end"] for each in presenters.ends(now)],
            "way_out": None if plan.closed_at else closing.way_out(now),
        }
    )
    body["facts"] = {key: recorded.dump(rows) for key, rows in now.facts.items() if rows}
    response = jsonify(body)
    response.status_code = status
    return tag(response, plan.version)


@release_api.post("/release-plans")
@needs("release.plan")
@release_api.arguments(ReleaseOpenSchema)
@release_api.response(201, ReleasePlanSchema)
@_elsewhere
@release_api.alt_response(409, description="They have an open plan already")
def open_plan(given: Given) -> Response:
    """Start planning somebody's release."""
    return _plan(commands.open_release_plan(act(), **given), 201)


@release_api.get("/release-plans")
@needs("release.read")
@release_api.response(200, ComingListSchema)
def plans() -> Any:
    """The open plans of this site, worst first, and who is on the way here."""
    leaving = queries.coming_exits(act())
    any_day = queries.could_leave_any_day(act(), [each.plan_id for each in leaving])
    return {
        "leaving": leaving,
        "coming_here": queries.coming_here(act()),
        "any_day": [{"plan_id": plan, "reasons": why} for plan, why in any_day.items()],
    }


@release_api.get("/release-plans/<int:plan_id>")
@needs("release.read")
@release_api.response(200, ReleasePlanSchema)
@_elsewhere
@_none
def plan(plan_id: int) -> Response:
    """The facts, the flags and what would happen if they were released today."""
    return _plan(plan_id)


@release_api.post("/release-plans/<int:plan_id>/close")
@needs("release.plan")
@_versioned
@release_api.arguments(ReleaseCloseSchema)
@release_api.response(200, ReleasePlanSchema)
@_stale
@_unread
@release_api.alt_response(409, description="Red or critical flags stand")
def close_plan(given: Given, plan_id: int) -> Response:
    """Nothing more is planned here."""
    commands.close_release_plan(act(), plan_id, version=if_match(), **given)
    return _plan(plan_id)


@release_api.post("/release-plans/<int:plan_id>/reopen")
@needs("release.plan")
@_versioned
@release_api.response(200, ReleasePlanSchema)
@_stale
@_unread
def reopen_plan(plan_id: int) -> Response:
    """It was closed too soon."""
    commands.reopen_release_plan(act(), plan_id, version=if_match())
    return _plan(plan_id)


# -- facts ---------------------------------------------------------------------------------


@release_api.post("/release-plans/<int:plan_id>/facts/<section>")
@needs("release.plan")
@_versioned
@release_api.arguments(ReleaseFactSchema)
@release_api.response(201, ReleasePlanSchema)
@_stale
@_unread
@_elsewhere
@_none
@release_api.alt_response(409, description="The section is recorded already: correct it")
def record(given: Given, plan_id: int, section: str) -> Response:
    """Record a fact of a section."""
    says = given.pop("says")
    commands.record(act(), plan_id, section, says, version=if_match(), **given)
    return _plan(plan_id, 201)


@release_api.put("/release-plans/<int:plan_id>/facts/<int:fact_id>")
@needs("release.plan")
@_versioned
@release_api.arguments(ReleaseFactCorrectionSchema)
@release_api.response(200, ReleasePlanSchema)
@_stale
@_unread
@_elsewhere
@_none
def correct(given: Given, plan_id: int, fact_id: int) -> Response:
    """Put another fact in its place. The first is kept as history."""
    says = given.pop("says")
    queries.fact_of_plan(act(), plan_id, fact_id)
    commands.correct(act(), fact_id, says, version=if_match(), **given)
    return _plan(plan_id)


@release_api.post("/release-plans/<int:plan_id>/facts/<int:fact_id>/strike")
@needs("release.plan")
@_versioned
@release_api.arguments(ReleaseWhySchema)
@release_api.response(200, ReleasePlanSchema)
@_stale
@_unread
@_elsewhere
@_none
def strike(given: Given, plan_id: int, fact_id: int) -> Response:
    """Strike out a fact that is wrong or no longer holds."""
    queries.fact_of_plan(act(), plan_id, fact_id)
    commands.strike(act(), fact_id, version=if_match(), reason=given["reason"])
    return _plan(plan_id)


@release_api.post("/release-plans/<int:plan_id>/facts/<int:fact_id>/put-back")
@needs("release.plan")
@_versioned
@release_api.response(200, ReleasePlanSchema)
@_stale
@_unread
@_elsewhere
@_none
def put_back(plan_id: int, fact_id: int) -> Response:
    """Record anew what was struck out by mistake."""
    queries.fact_of_plan(act(), plan_id, fact_id)
    commands.put_back(act(), fact_id, version=if_match())
    return _plan(plan_id)


@release_api.post("/release-plans/<int:plan_id>/facts/<int:fact_id>/reconfirm")
@needs("release.plan")
@_versioned
@release_api.response(200, ReleasePlanSchema)
@_stale
@_unread
@_elsewhere
@_none
def reconfirm(plan_id: int, fact_id: int) -> Response:
    """What was made for another release date is still right."""
    queries.fact_of_plan(act(), plan_id, fact_id)
    commands.reconfirm(act(), fact_id, version=if_match())
    return _plan(plan_id)


@release_api.get("/release-plans/<int:plan_id>/places")
@needs("release.plan")
@release_api.response(200, ReleasePlacesSchema)
@_elsewhere
@_none
@release_api.alt_response(409, description="No service, no consent or no date yet")
def places(plan_id: int) -> Any:
    """The receiving service's free places on the day of release and the next day worked there."""
    plan, _ = open_plan_of(act(), plan_id, "release.plan_seen", right="release.plan")
    site, found = closing.first_places(act(), plan)
    return {"site_id": site.id, "places": [each.place for each in found]}


@release_api.post("/release-plans/<int:plan_id>/appointment")
@needs("release.plan")
@_versioned
@release_api.arguments(ReleaseBookSchema)
@release_api.response(201, ReleasePlanSchema)
@_stale
@_unread
@_elsewhere
@_none
@release_api.alt_response(409, description="The place went, or an appointment stands")
def book_appointment(given: Given, plan_id: int) -> Response:
    """Take a place in the receiving service's diary and record it as the first appointment."""
    closing.book_first_appointment(act(), plan_id, version=if_match(), **given)
    return _plan(plan_id, 201)


# -- pharmacies and clinics ----------------------------------------------------------------


def _premises(premises_id: int, status: int = 200) -> Response:
    premises, _, rows, _ = queries.premises_shown(act(), premises_id)
    body = {
        "id": premises.id, "kind": premises.kind, "name": premises.name, "facts": rows,
        "address": premises.address, "telephone": premises.telephone,
    }  # fmt: skip
    response = jsonify(PremisesSchema().dump(body))
    response.status_code = status
    return tag(response, premises.version)


@release_api.post("/premises")
@needs("release.plan")
@release_api.arguments(PremisesRequestSchema)
@release_api.response(201, PremisesSchema)
def add_premises(given: Given) -> Response:
    """Add a pharmacy or a clinic."""
    return _premises(pharmacies.add_premises(act(), **given), 201)


@release_api.get("/premises/<int:premises_id>")
@needs("release.read")
@release_api.response(200, PremisesSchema)
@_none
def premises(premises_id: int) -> Response:
    """When a pharmacy or clinic opens."""
    return _premises(premises_id)


@release_api.put("/premises/<int:premises_id>")
@needs("release.plan")
@_versioned
@release_api.arguments(PremisesCorrectSchema)
@release_api.response(200, PremisesSchema)
@_stale
@_unread
@_none
def correct_premises(given: Given, premises_id: int) -> Response:
    """Correct where it is and how it is reached."""
    pharmacies.correct_premises(act(), premises_id, version=if_match(), **given)
    return _premises(premises_id)


@release_api.put("/premises/<int:premises_id>/week")
@needs("release.plan")
@release_api.arguments(PremisesWeekSchema)
@release_api.response(200, PremisesSchema)
@_none
def set_week(given: Given, premises_id: int) -> Response:
    """Record its opening hours. Every plan that uses it follows."""
    pharmacies.set_week(act(), premises_id, **given)
    return _premises(premises_id)


@release_api.post("/premises/<int:premises_id>/closures")
@needs("release.plan")
@release_api.arguments(PremisesClosureSchema)
@release_api.response(201, PremisesSchema)
@_none
@release_api.alt_response(409, description="Something is recorded for one of these days")
def close_premises(given: Given, premises_id: int) -> Response:
    """It is closed on these days. Every plan that uses it follows."""
    pharmacies.close_premises(act(), premises_id, **given)
    return _premises(premises_id, 201)


@release_api.post("/premises/<int:premises_id>/openings")
@needs("release.plan")
@release_api.arguments(PremisesOpeningSchema)
@release_api.response(201, PremisesSchema)
@_none
@release_api.alt_response(409, description="Something is recorded for that day")
def open_premises(given: Given, premises_id: int) -> Response:
    """It opens on a day out of the ordinary. Every plan that uses it follows."""
    pharmacies.open_premises(act(), premises_id, **given)
    return _premises(premises_id, 201)


@release_api.post("/premises/facts/<int:fact_id>/strike")
@needs("release.plan")
@release_api.arguments(ReleaseWhySchema)
@release_api.response(204)
@_none
def strike_premises_fact(given: Given, fact_id: int) -> None:
    """A week, closure or opening was wrong. Every plan that uses the place follows."""
    pharmacies.strike_premises_fact(act(), fact_id, reason=given["reason"])
