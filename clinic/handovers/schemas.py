"""The shapes of hand-overs in the API."""

from __future__ import annotations

from marshmallow import Schema, fields
from marshmallow.validate import Length

from clinic.handovers.commands import LONGEST
from clinic.handovers.models import STATES, VERBS
from clinic.release.sections import HOW
from clinic.shapes import code, instant, row_id
from scheduling.handover import BASES


def said(**more: object) -> fields.String:
    return fields.String(validate=Length(min=1, max=LONGEST), **more)  # type: ignore[arg-type]


class HandoverPrepareSchema(Schema):
    """To whom, and on what basis. `basis` left out: nothing lets it leave yet."""

    to_site_id = row_id()
    recipient = fields.String(validate=Length(min=1, max=200))
    basis = code(BASES)
    because = said()
    replaces_id = row_id()


class HandoverBasisSchema(Schema):
    basis = code(BASES, required=True)
    because = said(required=True)


class HandoverSendSchema(Schema):
    """How it went, to whom, and what proves it; `at` left out: now."""

    how = code(HOW, required=True)
    who = said(required=True)
    proof = said(required=True)
    at = instant()


class HandoverAnswerSchema(Schema):
    """`who` gave it is needed where the recipient does not use this system."""

    accept = fields.Boolean(required=True, truthy={True}, falsy={False})
    who = said()
    reason = said()


class HandoverWhySchema(Schema):
    reason = said(required=True)


class HandoverStepSchema(Schema):
    verb = code(VERBS, required=True)
    at = instant(required=True)
    how = fields.String(required=True, allow_none=True)
    who = fields.String(required=True, allow_none=True)
    proof = fields.String(required=True, allow_none=True)
    says = fields.String(required=True, allow_none=True)
    recorded_at = instant(required=True)
    recorded_by = row_id(required=True)


class HandoverSchema(Schema):
    """A hand-over. `stands`: its state, or overdue once nobody answered in time.

    `plan_id` null: to a prison's team, of somebody gone into custody.
    """

    id = row_id(required=True)
    plan_id = row_id(required=True, allow_none=True)
    patient_id = row_id(required=True)
    from_site_id = row_id(required=True)
    to_site_id = row_id(required=True, allow_none=True)
    recipient = fields.String(required=True)
    basis = fields.String(required=True, allow_none=True)
    state = code(STATES, required=True)
    stands = fields.String(required=True)
    answer_by = instant(required=True, allow_none=True)
    replaces_id = row_id(required=True, allow_none=True)
    version = fields.Integer(required=True)
    package = fields.Dict(required=True)
    digest = fields.String(required=True)
    text = fields.String(required=True)
    steps = fields.List(fields.Nested(HandoverStepSchema), required=True)


class HandoverWaitingSchema(Schema):
    id = row_id(required=True, attribute="row.id")
    patient_id = row_id(required=True, attribute="row.patient_id")
    recipient = fields.String(required=True, attribute="row.recipient")
    stands = fields.String(required=True)
    answer_by = instant(required=True, allow_none=True, attribute="row.answer_by")


class HandoverListSchema(Schema):
    waiting = fields.List(fields.Nested(HandoverWaitingSchema), required=True)
