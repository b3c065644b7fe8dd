"""What is done for a leaver, and the duty mailbox, over HTTP."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields
from marshmallow.validate import Length

from clinic.auth import act, needs
from clinic.openapi import Blueprint
from clinic.release import care, consents
from clinic.release.access import open_plan
from clinic.release.care_models import CONSENTS, OUTCOMES, OWNERS, TASKS
from clinic.shapes import MadeSchema, StruckSchema, code, instant, row_id

release_care_api = Blueprint(
    "release_care_api", __name__, url_prefix="/api/v1", description="Tasks around a release"
)
Given = dict[str, Any]
_elsewhere = release_care_api.alt_response(
    403, description="Outside the caseload, or not your right"
)
_none = release_care_api.alt_response(404, description="There is no such plan or task")
_conflict = release_care_api.alt_response(409, description="It is finished, or the plan is closed")


class LeaverTaskAddSchema(Schema):
    kind = code(care.BY_HAND, required=True)
    owner = code(OWNERS, required=True)
    due_at = instant(required=True)
    note = fields.String(validate=Length(max=care.LONGEST))


class LeaverTaskFinishSchema(Schema):
    outcome = code(OUTCOMES, required=True)
    done_at = instant(required=True)
    says = fields.String(required=True, validate=Length(min=1, max=care.LONGEST))


class LeaverTaskStrikeSchema(Schema):
    reason = fields.String(required=True, validate=Length(min=1, max=care.LONGEST))


class LeaverTaskSchema(Schema):
    id = row_id(required=True)
    kind = code(TASKS, required=True)
    owner = code(OWNERS, required=True)
    due_at = instant(required=True)
    note = fields.String(required=True, allow_none=True)
    done_at = instant(required=True, allow_none=True)
    outcome = fields.String(required=True, allow_none=True)
    done_says = fields.String(required=True, allow_none=True)


class LeaverTaskListSchema(Schema):
    tasks = fields.List(fields.Nested(LeaverTaskSchema), required=True)


class SharingConsentAddSchema(Schema):
    """Exactly one of `to_site_id` and `recipient`. A lawful basis needs `because`."""

    to_site_id = row_id()
    recipient = fields.String(validate=Length(min=1, max=200))
    says = code(CONSENTS, required=True)
    decided_at = instant(required=True)
    because = fields.String(validate=Length(min=1, max=consents.LONGEST))


class SharingConsentSchema(StruckSchema, SharingConsentAddSchema):
    """A row as it stands; `recipient` null for a service of this system, and the other way round."""

    id = row_id(required=True)
    to_site_id = row_id(required=True, allow_none=True)
    recipient = fields.String(required=True, allow_none=True)
    because = fields.String(required=True, allow_none=True)


class DutyAddressSchema(Schema):
    """`address` null: nobody is told of critical flags here."""

    address = fields.String(required=True, allow_none=True, validate=Length(max=254))


@release_care_api.get("/release-plans/<int:plan_id>/tasks")
@needs("release.read")
@release_care_api.response(200, LeaverTaskListSchema)
@_elsewhere
@_none
def tasks(plan_id: int) -> Any:
    """What is to be done for this leaver, and what was done."""
    open_plan(act(), plan_id, "release.plan_seen")
    return {"tasks": care.tasks_of(act(), plan_id)}


@release_care_api.post("/release-plans/<int:plan_id>/tasks")
@needs("release.plan")
@release_care_api.arguments(LeaverTaskAddSchema)
@release_care_api.response(201, LeaverTaskListSchema)
@_elsewhere
@_none
@_conflict
def add_task(given: Given, plan_id: int) -> Any:
    """Plan something, with an owner and a time."""
    care.add_task(act(), plan_id, **given)
    return {"tasks": care.tasks_of(act(), plan_id)}


@release_care_api.post("/leaver-tasks/<int:task_id>/finish")
@needs("release.plan")
@release_care_api.arguments(LeaverTaskFinishSchema)
@release_care_api.response(204)
@_elsewhere
@_none
@_conflict
def finish_task(given: Given, task_id: int) -> None:
    """What came of it."""
    care.finish_task(act(), task_id, **given)


@release_care_api.post("/leaver-tasks/<int:task_id>/strike")
@needs("release.plan")
@release_care_api.arguments(LeaverTaskStrikeSchema)
@release_care_api.response(204)
@_elsewhere
@_none
def strike_task(given: Given, task_id: int) -> None:
    """It was wrong, or what was recorded of it was."""
    care.strike_task(act(), task_id, **given)


@release_care_api.post("/leaver-tasks/<int:task_id>/undo")
@needs("release.plan")
@release_care_api.arguments(LeaverTaskStrikeSchema)
@release_care_api.response(201, MadeSchema)
@_elsewhere
@_none
@_conflict
def undo_task(given: Given, task_id: int) -> Any:
    """It is not finished after all: it waits again, as a row of its own."""
    return {"id": care.undo_task(act(), task_id, **given)}


@release_care_api.get("/release-plans/<int:plan_id>/consents")
@needs("release.read")
@release_care_api.response(200, SharingConsentSchema(many=True))
@_elsewhere
@_none
def consents_listed(plan_id: int) -> Any:
    """What was said about telling each recipient, the newest first, struck rows included."""
    return consents.consents_of(act(), plan_id)


@release_care_api.post("/release-plans/<int:plan_id>/consents")
@needs("release.plan")
@release_care_api.arguments(SharingConsentAddSchema)
@release_care_api.response(201, MadeSchema)
@_elsewhere
@_none
def record_consent(given: Given, plan_id: int) -> Any:
    """Record what was said about one recipient, and when."""
    return {"id": consents.record_consent(act(), plan_id, **given)}


@release_care_api.post("/release-plans/<int:plan_id>/consents/<int:consent_id>/strike")
@needs("release.plan")
@release_care_api.arguments(LeaverTaskStrikeSchema)
@release_care_api.response(204)
@_elsewhere
@_none
@_conflict
def strike_consent(given: Given, plan_id: int, consent_id: int) -> None:
    """It was recorded wrongly. What stood before it counts again."""
    consents.strike_consent(act(), plan_id, consent_id, **given)


@release_care_api.get("/release-duty")
@needs("release.read")
@release_care_api.response(200, DutyAddressSchema)
def duty() -> Any:
    """Where critical flags of this site are told."""
    row = care.duty_address(act())
    return {"address": row and row.address}


@release_care_api.put("/release-duty")
@needs("sites.manage")
@release_care_api.arguments(DutyAddressSchema)
@release_care_api.response(200, DutyAddressSchema)
def set_duty(given: Given) -> Any:
    """Change where critical flags of this site are told."""
    care.set_duty_address(act(), **given)
    row = care.duty_address(act())
    return {"address": row and row.address}
