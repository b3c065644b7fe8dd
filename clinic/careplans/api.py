"""Care plans, agreements, reviews and referrals over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask.typing import ResponseReturnValue

from clinic.auth import act, needs
from clinic.careplans import (
    agreement_commands,
    clinical_review_commands,
    commands,
    follow_up_commands,
    queries,
)
from clinic.careplans.schemas import (
    AgreementRequestSchema,
    ChangeSchema,
    ClinicalReviewRequestSchema,
    EventRequestSchema,
    PlanSchema,
    ProgressRequestSchema,
    ReferralRequestSchema,
    ReportRequestSchema,
    ResponseRequestSchema,
    ReviewRequestSchema,
    StartSchema,
    WithdrawalSchema,
    WorklistSchema,
)
from clinic.openapi import VERSIONED, Blueprint, if_match, tag
from clinic.shapes import MadeSchema

careplans_api = Blueprint(
    "careplans_api", __name__, url_prefix="/api/v1",
    description="Care plans: versions, the three agreements, reviews and referrals",
)  # fmt: skip

_stale = careplans_api.alt_response(412, description="Changed meanwhile; says by whom")
_refused = careplans_api.alt_response(422, description="A value that cannot stand, by field")
_taken = careplans_api.alt_response(409, description="Somebody was first, or something comes first")
_versioned = careplans_api.doc(**VERSIONED)
_ONE = "/care-plans/<int:plan_id>"


def _plan(plan_id: int, status: int = 200) -> Response:
    """The whole plan, its version as the ETag: every change answers with what it led to."""
    view = queries.plan(act(), plan_id)
    response = jsonify(PlanSchema().dump(view))
    response.status_code = status
    return tag(response, view.plan.version)


@careplans_api.get("/care-plans")
@needs("careplans.read")
@careplans_api.response(200, WorklistSchema)
def worklist() -> dict[str, Any]:
    """The plans to be reviewed here within a week, by day."""
    return {"work": queries.due_work(act())}


@careplans_api.post("/patients/<int:patient_id>/care-plans")
@needs("careplans.write")
@careplans_api.arguments(StartSchema)
@careplans_api.response(201, PlanSchema)
@_taken
@_refused
def start(given: dict[str, Any], patient_id: int) -> ResponseReturnValue:
    """Begin a plan."""
    plan_id = commands.start_plan(act(), patient_id, **given)
    response = _plan(plan_id, 201)
    response.headers["Location"] = f"/api/v1/care-plans/{plan_id}"
    return response


@careplans_api.get(_ONE)
@needs("careplans.read")
@careplans_api.response(200, PlanSchema)
def plan(plan_id: int) -> ResponseReturnValue:
    """A plan as it stands, with its versions and agreements."""
    return _plan(plan_id)


@careplans_api.patch(_ONE)
@needs("careplans.write")
@careplans_api.arguments(ChangeSchema)
@careplans_api.response(200, PlanSchema)
@_versioned
@_stale
@_refused
def change(given: dict[str, Any], plan_id: int) -> ResponseReturnValue:
    """Make the next version, to which nobody has agreed yet."""
    commands.change_plan(act(), plan_id, version=if_match(), **given)
    return _plan(plan_id)


@careplans_api.patch(f"{_ONE}/draft")
@needs("careplans.write")
@careplans_api.arguments(ChangeSchema)
@careplans_api.response(200, PlanSchema)
@_versioned
@_stale
@_refused
def draft_change(given: dict[str, Any], plan_id: int) -> ResponseReturnValue:
    """Collect a change in the draft; it is no version until it is put forward."""
    commands.draft_change(act(), plan_id, version=if_match(), **given)
    return _plan(plan_id)


@careplans_api.post(f"{_ONE}/draft/put-forward")
@needs("careplans.write")
@careplans_api.response(201, PlanSchema)
@_versioned
@_stale
@_taken
@_refused
def put_forward(plan_id: int) -> ResponseReturnValue:
    """Make what the draft says the next version, for all three to agree to."""
    commands.put_forward(act(), plan_id, version=if_match())
    return _plan(plan_id, 201)


@careplans_api.delete(f"{_ONE}/draft")
@needs("careplans.write")
@careplans_api.response(200, PlanSchema)
@_versioned
@_stale
@_taken
def discard_draft(plan_id: int) -> ResponseReturnValue:
    """Give the collected changes up; the plan stays as it is."""
    commands.discard_draft(act(), plan_id, version=if_match())
    return _plan(plan_id)


@careplans_api.post(f"{_ONE}/drafts/<int:draft_id>/take-up")
@needs("careplans.write")
@careplans_api.response(200, PlanSchema)
@_versioned
@_stale
@_taken
def take_up(plan_id: int, draft_id: int) -> ResponseReturnValue:
    """Go on with changes that were discarded: they are the draft once more."""
    commands.take_up_draft(act(), plan_id, draft_id, version=if_match())
    return _plan(plan_id)


@careplans_api.post(f"{_ONE}/agreements")
@needs("careplans.write")
@careplans_api.arguments(AgreementRequestSchema)
@careplans_api.response(201, PlanSchema)
@_taken
@_refused
def agree(given: dict[str, Any], plan_id: int) -> ResponseReturnValue:
    """A party agrees to the newest version; in custody the duty of day 5 follows."""
    agreement_commands.agree(act(), plan_id, **given)
    return _plan(plan_id, 201)


@careplans_api.post(f"{_ONE}/agreements/<int:agreement_id>/withdraw")
@needs("careplans.write")
@careplans_api.arguments(WithdrawalSchema)
@careplans_api.response(200, PlanSchema)
@_versioned
@_stale
@_taken
def withdraw(given: dict[str, Any], plan_id: int, agreement_id: int) -> ResponseReturnValue:
    """A party takes its agreement back."""
    agreement_commands.withdraw(act(), plan_id, agreement_id, version=if_match(), **given)
    return _plan(plan_id)


@careplans_api.post(f"{_ONE}/goals/<int:number>/progress")
@needs("careplans.write")
@careplans_api.arguments(ProgressRequestSchema)
@careplans_api.response(201, PlanSchema)
@_refused
def progress(given: dict[str, Any], plan_id: int, number: int) -> ResponseReturnValue:
    """How a goal stands."""
    follow_up_commands.record_progress(act(), plan_id, number, **given)
    return _plan(plan_id, 201)


@careplans_api.post(f"{_ONE}/events")
@needs("careplans.write")
@careplans_api.arguments(EventRequestSchema)
@careplans_api.response(201, PlanSchema)
@_refused
def event(given: dict[str, Any], plan_id: int) -> ResponseReturnValue:
    """Something significant happened: a review is asked for."""
    follow_up_commands.record_event(act(), plan_id, **given)
    return _plan(plan_id, 201)


@careplans_api.post(f"{_ONE}/reviews")
@needs("careplans.write")
@careplans_api.arguments(ReviewRequestSchema)
@careplans_api.response(201, PlanSchema)
@_versioned
@_stale
@_refused
def review(given: dict[str, Any], plan_id: int) -> ResponseReturnValue:
    """The plan was looked at."""
    follow_up_commands.record_review(act(), plan_id, version=if_match(), **given)
    return _plan(plan_id, 201)


@careplans_api.post(f"{_ONE}/referrals")
@needs("careplans.write")
@careplans_api.arguments(ReferralRequestSchema)
@careplans_api.response(201, PlanSchema)
@_refused
def refer(given: dict[str, Any], plan_id: int) -> ResponseReturnValue:
    """Ask for help elsewhere."""
    follow_up_commands.refer(act(), plan_id, **given)
    return _plan(plan_id, 201)


@careplans_api.post(f"{_ONE}/referrals/<int:referral_id>/response")
@needs("careplans.write")
@careplans_api.arguments(ResponseRequestSchema)
@careplans_api.response(200, PlanSchema)
@_taken
@_refused
def response(given: dict[str, Any], plan_id: int, referral_id: int) -> ResponseReturnValue:
    """What came back on a referral."""
    follow_up_commands.record_response(act(), plan_id, referral_id, **given)
    return _plan(plan_id)


@careplans_api.post(
    f"{_ONE}/<any(progress, event, review, referral, answer):what>/<int:row_id>/strike-out"
)
@needs("careplans.write")
@careplans_api.arguments(WithdrawalSchema)
@careplans_api.response(200, PlanSchema)
@_taken
@_refused
def strike_out(given: dict[str, Any], plan_id: int, what: str, row_id: int) -> ResponseReturnValue:
    """It was recorded in error: it counts no more and stays visible with the reason."""
    follow_up_commands.strike_out(act(), plan_id, what, row_id, **given)
    return _plan(plan_id)


@careplans_api.post("/receptions/<int:reception_id>/clinical-review/report")
@needs("careplans.write")
@careplans_api.arguments(ReportRequestSchema)
@careplans_api.response(201, MadeSchema)
@_taken
@_refused
def report(given: dict[str, Any], reception_id: int) -> dict[str, int]:
    """The CARATs' written report for the clinical review."""
    return {"id": clinical_review_commands.write_report(act(), reception_id, **given)}


@careplans_api.post("/receptions/<int:reception_id>/clinical-review")
@needs("careplans.write")
@careplans_api.arguments(ClinicalReviewRequestSchema)
@careplans_api.response(201, MadeSchema)
@_refused
def clinical_review(given: dict[str, Any], reception_id: int) -> dict[str, int]:
    """The clinical review was held. The id is that of the delivery."""
    return {"id": clinical_review_commands.hold_review(act(), reception_id, **given)}
