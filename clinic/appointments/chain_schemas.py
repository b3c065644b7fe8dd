"""The shapes of an induction's days over HTTP: reviews, previews of a change, what is arranged.

Instants carry an offset; days are London dates; staff and patients are named by id.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from clinic.appointments.chain import Arranged
from clinic.appointments.chain_models import ARRANGED
from clinic.shapes import instant, longer_text, row_id

LONGEST_NOTE = 2000


class ArrangementSchema(Schema):
    """Who sees the person on a London day the service is shut, where, and by when (London time)."""

    on = fields.Date(required=True)
    kind = fields.String(validate=validate.OneOf(list(ARRANGED)), required=True)
    who = fields.String(required=True, validate=validate.Length(min=1, max=200))
    contact = fields.String(required=True, validate=validate.Length(min=1, max=200))
    by_time = fields.Time(required=True, format="%H:%M")
    note = longer_text(load_default=None, allow_none=True)

    @post_load
    def arranged(self, given: dict[str, Any], **_: Any) -> Arranged:
        return Arranged(**given)


def arrangements_field() -> fields.List:
    return fields.List(
        fields.Nested(ArrangementSchema),
        load_default=list,
        validate=validate.Length(max=14),
        metadata={"description": "Model 3: one for each day that is to be arranged for"},
    )


def preview_field() -> fields.String:
    return fields.String(
        load_default=None,
        validate=validate.Length(max=64),
        metadata={"description": "The version of the preview that was looked at and agreed to"},
    )


class ReviewSchema(Schema):
    """Day 2 or 3: a nurse, and a doctor where one is free then."""

    number = fields.Integer()
    starts_at = instant(required=True)
    ends_at = instant(required=True)
    nurse_id = row_id(required=True)
    doctor_id = row_id(required=True, allow_none=True)


class SpanTimesSchema(Schema):
    """From one instant up to another."""

    starts_at = instant(required=True)
    ends_at = instant(required=True)


class DayPreviewSchema(Schema):
    """One day of an induction, before and after a change."""

    number = fields.Integer(required=True)
    visit_id = row_id(required=True, allow_none=True)
    version = fields.Integer(required=True, allow_none=True)
    was = fields.Nested(SpanTimesSchema, required=True, allow_none=True)
    becomes = fields.Nested(SpanTimesSchema, required=True, allow_none=True)
    what = fields.String(
        required=True, metadata={"description": "stays, arrived, moves, booked, cancelled, missed"}
    )
    doctor_id = row_id(required=True, allow_none=True)
    nurse_id = row_id(required=True, allow_none=True)


class PreviewSchema(Schema):
    """What becomes of the days of an induction. Send `version` to agree to just this.

    `to_arrange`: shut days for which somebody must be named. `broken`: contact that comes too late
    whatever is done. `doses`: what the dosing rules say of missed days.
    """

    version = fields.String(required=True)
    chain_id = row_id(required=True, allow_none=True)
    days = fields.List(fields.Nested(DayPreviewSchema), required=True)
    to_arrange = fields.List(fields.Date(), required=True)
    no_longer_needed = fields.List(fields.String(), required=True)
    passed_over = fields.List(fields.String(), required=True)
    broken = fields.List(fields.String(), required=True)
    warning = fields.String(required=True, allow_none=True)
    doses = fields.List(fields.String(), required=True)


class ReplanSchema(Schema):
    """Yes to a preview, and what is arranged for its shut days."""

    preview = preview_field()
    arrangements = arrangements_field()


class MoveDaySchema(ReplanSchema):
    """Which review day 2 or 3 takes instead."""

    starts_at = instant(required=True)
    nurse_id = row_id(required=True)
    doctor_id = row_id(load_default=None, allow_none=True)
    note = longer_text(load_default=None)


class ArrangementShownSchema(ArrangementSchema):
    """What is arranged, and who wrote it down when."""

    id = row_id(required=True)
    recorded_at = instant(required=True)
    recorded_by = row_id(required=True)


class ChainSchema(Schema):
    """The days of one induction, every visit that was booked for them, and what is arranged."""

    id = row_id(required=True)
    patient_id = row_id(required=True)
    referral_id = row_id(required=True)
    version = fields.Integer(required=True)
    visits = fields.List(fields.Nested("VisitSchema"), required=True)
    arrangements = fields.List(fields.Nested(ArrangementShownSchema), required=True)
    to_replan = fields.Boolean(
        required=True, metadata={"description": "A day was missed or cancelled, and none stands"}
    )
