"""Somebody of a community service in custody, over HTTP: what is known, decide, hand over, put right."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields
from marshmallow.validate import Range

from clinic.auth import act, needs
from clinic.handovers import custody, gone
from clinic.handovers.api import one
from clinic.handovers.models import STATES, WHY_NOTHING
from clinic.handovers.schemas import HandoverPrepareSchema, HandoverSchema, said
from clinic.openapi import Blueprint
from clinic.release import consents
from clinic.release.care_api import SharingConsentAddSchema, SharingConsentSchema
from clinic.shapes import MadeSchema, StruckSchema, code, day, instant, row_id

custody_handovers_api = Blueprint(
    "custody_handovers_api", __name__, url_prefix="/api/v1",
    description="Hand-overs of somebody gone into custody",
)  # fmt: skip
Given = dict[str, Any]
ONE = "/patients/<int:patient_id>"
_elsewhere = custody_handovers_api.alt_response(
    403, description="Outside the caseload, or not your right"
)
_none = custody_handovers_api.alt_response(404, description="There is no such patient or entry")
_conflict = custody_handovers_api.alt_response(409, description="It does not stand so")


class SentenceAddSchema(Schema):
    """`prison_site_id` or `prison`; neither: not known yet. `says`: who said so."""

    sentenced_on = day(required=True)
    prison_site_id = row_id()
    prison = said()
    days = fields.Integer(strict=True, validate=Range(min=1, max=99999))
    says = said(required=True)


class SentenceSchema(StruckSchema, SentenceAddSchema):
    prison_site_id = row_id(required=True, allow_none=True)
    prison = fields.String(required=True, allow_none=True)
    days = fields.Integer(required=True, allow_none=True)


class NothingSentAddSchema(Schema):
    because = code(WHY_NOTHING, required=True)
    says = said(required=True)


class NothingSentSchema(StruckSchema, NothingSentAddSchema):
    """A decision that nothing is sent, as it stands."""


class CustodyReasonSchema(Schema):
    reason = said(required=True)


class GoneSchema(Schema):
    """Somebody in custody, as far as this service knows. `where` null: which prison is not known."""

    patient_id = row_id(required=True, attribute="patient.id")
    happened_on = day(required=True, attribute="known.on")
    known_at = instant(required=True, attribute="known.known_at")
    where = fields.String(required=True, allow_none=True)
    prison_site_id = row_id(required=True, allow_none=True)
    stands = code(gone.WORDS, required=True)
    send_by = instant(required=True, allow_none=True)
    case_manager = fields.String(required=True, allow_none=True)


class GoneListSchema(Schema):
    to_hand_over = fields.List(fields.Nested(GoneSchema), required=True)


class CustodyHandoverSchema(Schema):
    id = row_id(required=True)
    recipient = fields.String(required=True)
    state = code(STATES, required=True)


class CustodyPageSchema(Schema):
    """`gone` null: nobody here knows of a stay in custody that has not ended."""

    gone = fields.Nested(GoneSchema, required=True, allow_none=True)
    sentences = fields.List(fields.Nested(SentenceSchema), required=True)
    nothing = fields.List(fields.Nested(NothingSentSchema), required=True)
    handovers = fields.List(fields.Nested(CustodyHandoverSchema), required=True)


@custody_handovers_api.get("/custody-handovers")
@needs("release.read")
@custody_handovers_api.response(200, GoneListSchema)
def to_hand_over() -> Any:
    """Who of this community service is in custody, and not handed over to the prison."""
    return {"to_hand_over": gone.to_hand_over(act())}


@custody_handovers_api.get(f"{ONE}/into-custody")
@needs("release.read")
@custody_handovers_api.response(200, CustodyPageSchema)
@_elsewhere
@_none
def person(patient_id: int) -> Any:
    """What is known of one person's custody, decided, and handed over."""
    view = gone.page(act(), patient_id)
    return {
        "gone": view.gone, "sentences": view.sentences, "nothing": view.nothing,
        "handovers": [row for row, _ in view.handovers],
    }  # fmt: skip


@custody_handovers_api.post(f"{ONE}/custody-handovers")
@needs("release.plan")
@custody_handovers_api.arguments(HandoverPrepareSchema)
@custody_handovers_api.response(201, HandoverSchema)
@_elsewhere
@_none
@_conflict
def prepare(given: Given, patient_id: int) -> Response:
    """Make the package for the prison's team, and keep it. It is sent and answered as any hand-over."""
    return one(custody.prepare_into_custody(act(), patient_id, **given), 201)


@custody_handovers_api.post(f"{ONE}/custody-sentences")
@needs("release.plan")
@custody_handovers_api.arguments(SentenceAddSchema)
@custody_handovers_api.response(201, MadeSchema)
@_elsewhere
@_none
@_conflict
def record_sentence(given: Given, patient_id: int) -> Any:
    """A sentence to custody became known."""
    return {"id": custody.record_sentence(act(), patient_id, **given)}


@custody_handovers_api.post("/custody-sentences/<int:row_id>/strike")
@needs("release.plan")
@custody_handovers_api.arguments(CustodyReasonSchema)
@custody_handovers_api.response(204)
@_elsewhere
@_none
@_conflict
def strike_sentence(given: Given, row_id: int) -> None:
    """It was recorded wrongly."""
    custody.strike_sentence(act(), row_id, **given)


@custody_handovers_api.post(f"{ONE}/custody-nothing-sent")
@needs("release.plan")
@custody_handovers_api.arguments(NothingSentAddSchema)
@custody_handovers_api.response(201, MadeSchema)
@_elsewhere
@_none
@_conflict
def send_nothing(given: Given, patient_id: int) -> Any:
    """Nothing is handed over this time, and why."""
    return {"id": custody.send_nothing(act(), patient_id, **given)}


@custody_handovers_api.post("/custody-nothing-sent/<int:row_id>/strike")
@needs("release.plan")
@custody_handovers_api.arguments(CustodyReasonSchema)
@custody_handovers_api.response(204)
@_elsewhere
@_none
@_conflict
def strike_nothing(given: Given, row_id: int) -> None:
    """That decision no longer holds: it is to be handed over again."""
    custody.strike_nothing(act(), row_id, **given)


@custody_handovers_api.get(f"{ONE}/sharing-consents")
@needs("release.read")
@custody_handovers_api.response(200, SharingConsentSchema(many=True))
@_elsewhere
@_none
def consents_listed(patient_id: int) -> Any:
    """What was said about telling each recipient, with or without a release plan."""
    return consents.said_of(act(), gone.page(act(), patient_id).patient.id)


@custody_handovers_api.post(f"{ONE}/sharing-consents")
@needs("release.plan")
@custody_handovers_api.arguments(SharingConsentAddSchema)
@custody_handovers_api.response(201, MadeSchema)
@_elsewhere
@_none
def record_consent(given: Given, patient_id: int) -> Any:
    """Record what was said about one recipient, and when."""
    return {"id": consents.record_consent_of(act(), patient_id, **given)}


@custody_handovers_api.post(f"{ONE}/sharing-consents/<int:consent_id>/strike")
@needs("release.plan")
@custody_handovers_api.arguments(CustodyReasonSchema)
@custody_handovers_api.response(204)
@_elsewhere
@_none
@_conflict
def strike_consent(given: Given, patient_id: int, consent_id: int) -> None:
    """It was recorded wrongly. What stood before it counts again."""
    consents.strike_consent_of(act(), patient_id, consent_id, **given)
