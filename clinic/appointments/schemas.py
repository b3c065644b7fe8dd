"""The shapes the API of appointments takes and gives. What a value means is a command's business.

Instants carry an offset; days are London dates; staff and patients are named by id.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from clinic.appointments.chain_schemas import (
    PreviewSchema,
    ReviewSchema,
    arrangements_field,
    preview_field,
)
from clinic.appointments.models import (
    AWAY_BECAUSE,
    CANCELLED_BECAUSE,
    CANCELLED_BY,
    CLOSED_BECAUSE,
    DRUGS,
    ITEMS,
    KEPT_FOR,
    REFERRAL_STATUSES,
    RESOURCE_KINDS,
    RISKS,
    SENT_TO,
    SOURCES,
    VISIT_KINDS,
    VISIT_STATUSES,
)
from clinic.appointments.overrides import Override
from clinic.openapi import ProblemSchema
from clinic.shapes import code, instant, longer_text, row_id
from scheduling.booking import REASONS

LONGEST_NOTE = 2000


class SpanSchema(Schema):
    """London dates, both included."""

    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")


class PlaceSchema(Schema):
    """A doctor and a drugs worker, together, for one person.

    With them the session's nurse and room, if it has them. `observed_until`: so long the nurse and
    an observation place are held as well; null where nobody is observed.
    """

    starts_at = instant(required=True)
    ends_at = instant(required=True)
    doctor_id = row_id(required=True)
    worker_id = row_id(required=True)
    nurse_id = row_id(allow_none=True)
    room_id = row_id(allow_none=True)
    observed_until = instant(allow_none=True)


class WholeChainSchema(PlaceSchema):
    """A free place; under model 3 with the days that follow it and those to be arranged for."""

    days = fields.List(fields.Nested(ReviewSchema))
    to_arrange = fields.List(fields.Date())


class FreePlacesSchema(Schema):
    """The places nobody has taken, in order of time."""

    site_id = row_id(required=True)
    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")
    places = fields.List(fields.Nested(PlaceSchema), required=True)


class TakenSchema(ProblemSchema):
    """The place is not to be had, or other days change with it. `free_next`: the next two that are.

    Under model 3 each of them is a whole chain; `day_number` and `on` name the day that stands in
    the way. `preview`: what becomes of the other days; send its version to agree.
    """

    class Meta(ProblemSchema.Meta):
        title = "PlaceTaken"

    free_next = fields.List(fields.Nested(WholeChainSchema))
    day_number = fields.Integer()
    on = fields.Date()
    days = fields.List(fields.Nested(ReviewSchema))
    to_arrange = fields.List(fields.Date())
    preview = fields.Nested(PreviewSchema)
    reason = fields.String(
        metadata={
            "description": "past, not_on_rota, closed, leave, withdrawn, not_staffed, kept, held,"
            " taken, chain, to_arrange, look_first, changed"
        }
    )
    blocked_by = fields.List(
        fields.String(),
        metadata={"description": "doctor, worker, nurse, room, place (observation), person"},
    )
    rule = fields.String()
    may_override = fields.String(metadata={"description": "The block somebody may pass, if any"})


class PlaceWantedSchema(Schema):
    """A place, by its start and its two members of staff."""

    starts_at = instant(required=True)
    doctor_id = row_id(required=True)
    worker_id = row_id(required=True)


class ConfirmSchema(Schema):
    """What is arranged for shut days; nothing where none is needed."""

    arrangements = arrangements_field()


class BookingSchema(PlaceWantedSchema):
    """Who gets which place."""

    referral_id = row_id(required=True)
    arrangements = arrangements_field()


class OverrideSchema(Schema):
    """Why a block that may be passed is passed (BK-04). Needs the right to."""

    reason = code(dict(REASONS), required=True)
    note = longer_text(required=True)


class OverridableSchema(Schema):
    """Why a block that keeps a place back is passed, if one is."""

    override = fields.Nested(OverrideSchema, load_default=None, allow_none=True)

    @post_load
    def overridden(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        asked = given.pop("override")
        return {**given, "override": Override(**asked) if asked else None}


class HoldingSchema(OverridableSchema, PlaceWantedSchema):
    """For whom which place is held."""

    referral_id = row_id(required=True)


class OverridableBookingSchema(OverridableSchema, BookingSchema):
    """Who gets which place."""


class MoveSchema(OverridableSchema, PlaceWantedSchema):
    """Which place a visit takes instead."""

    note = longer_text(load_default=None)
    arrangements = arrangements_field()
    preview = preview_field()


class CancelSchema(Schema):
    """Why a visit is cancelled, and by whom."""

    reason = code(CANCELLED_BECAUSE, required=True)
    by_whom = code(CANCELLED_BY, required=True)
    note = longer_text(load_default=None)
    keep_rest = fields.Boolean(
        load_default=False,
        metadata={"description": "Keep the days of the induction after this one"},
    )
    preview = preview_field()


class ArrivedSchema(Schema):
    """When the patient came; now when left out."""

    arrived_at = instant(load_default=None)


class MissedDaySchema(Schema):
    """What is known of the reason; of a day of an induction also what becomes of the other days."""

    note = longer_text(load_default=None)
    preview = preview_field()
    arrangements = arrangements_field()
    leave_rest = fields.Boolean(
        load_default=False,
        metadata={"description": "Leave the other days as they are; they stand on the worklist"},
    )


class WhySchema(Schema):
    """What was wrong."""

    reason = longer_text(required=True)


class VisitSchema(Schema):
    """A visit as it stands. `lapses_at`: a place only held, which from then on counts for nothing."""

    id = row_id(required=True)
    patient_id = row_id(required=True)
    site_id = row_id(required=True)
    referral_id = row_id(required=True, allow_none=True)
    kind = code(VISIT_KINDS, required=True)
    starts_at = instant(required=True)
    ends_at = instant(required=True)
    doctor_id = row_id(required=True, allow_none=True)
    worker_id = row_id(required=True, allow_none=True)
    nurse_id = row_id(required=True, allow_none=True)
    room_id = row_id(required=True, allow_none=True)
    observation_id = row_id(required=True, allow_none=True)
    status = code(VISIT_STATUSES, required=True)
    lapses_at = instant(required=True, allow_none=True)
    chain_id = row_id(required=True, allow_none=True)
    day_number = fields.Integer(required=True, allow_none=True)
    version = fields.Integer(required=True)


class CorrectionSchema(Schema):
    """What a referral should have said. A field left out stays as it is."""

    referred_at = instant()
    source = code(SOURCES)
    drugs = fields.List(code(DRUGS))
    risk = code(RISKS, allow_none=True)
    reason = longer_text(required=True)


class ReferralRequestSchema(Schema):
    """Somebody is referred to this site. `risk` null: not known."""

    patient_id = row_id(required=True)
    referred_at = instant(required=True)
    source = code(SOURCES, required=True)
    drugs = fields.List(code(DRUGS), required=True)
    risk = code(RISKS, load_default=None, allow_none=True)
    received_by = row_id(load_default=None)
    note = longer_text(load_default=None)


class ReferralSchema(Schema):
    """A referral as it stands."""

    id = row_id(required=True)
    patient_id = row_id(required=True)
    site_id = row_id(required=True)
    received_by = row_id(required=True)
    referred_at = instant(required=True)
    source = code(SOURCES, required=True)
    drugs = fields.List(fields.String(), required=True)
    risk = code(RISKS, required=True, allow_none=True)
    status = code(REFERRAL_STATUSES, required=True)
    seen_at = instant(required=True, allow_none=True)
    support_at = instant(required=True, allow_none=True)
    sent_to = code(SENT_TO, required=True, allow_none=True)
    sent_to_name = fields.String(required=True, allow_none=True)
    outside_at = instant(required=True, allow_none=True)
    closed_because = code(CLOSED_BECAUSE, required=True, allow_none=True)
    version = fields.Integer(required=True)


class SupportSchema(Schema):
    """When psychosocial support was given; now when left out."""

    at = instant(load_default=None)
    note = longer_text(load_default=None)


class SendOnSchema(Schema):
    """Where a model 1 referral goes, and the appointment there when it is known."""

    sent_to = code(SENT_TO, required=True)
    sent_to_name = fields.String(required=True, validate=validate.Length(min=1, max=200))
    outside_at = instant(load_default=None)


class SeenSchema(Schema):
    """When a clinician elsewhere saw the person."""

    seen_at = instant(required=True)


class CloseSchema(Schema):
    """Why somebody no longer waits."""

    reason = code(CLOSED_BECAUSE, required=True)
    note = longer_text(load_default=None)


class FindingSchema(Schema):
    """A visible warning and its source."""

    rule = fields.String(required=True)
    message = fields.String(required=True)
    source = fields.String(required=True)


class WaitSchema(Schema):
    """A wait in London days from referral. `over` null: the model has no limit to judge by."""

    because = fields.String(required=True)
    days = fields.Integer(required=True)
    until = fields.Date(required=True)
    limit = fields.Integer(required=True, allow_none=True)
    last_on = fields.Date(required=True, allow_none=True)
    over = fields.Boolean(required=True, allow_none=True)
    breaches_at = instant(required=True, allow_none=True)


class LookSchema(Schema):
    """Which places are looked for: from a day on, with somebody, in a room, within the limit."""

    from_on = fields.Date(load_default=None, data_key="from")
    with_staff = fields.Integer(
        load_default=None, data_key="with", validate=validate.Range(1, 2**31 - 1)
    )
    room_id = fields.Integer(load_default=None, validate=validate.Range(1, 2**31 - 1))
    within_limit = fields.Boolean(load_default=False)


class OfferSchema(Schema):
    """A free place for somebody, what their wait would be with it, and what is not at hand."""

    place = fields.Nested(PlaceSchema, required=True)
    wait = fields.Nested(WaitSchema, required=True)
    missing = fields.List(fields.Nested(FindingSchema), required=True)


class WaitingSchema(Schema):
    """One person on the wait list."""

    referral_id = row_id(required=True)
    patient_id = row_id(required=True)
    referred_at = instant(required=True)
    risk = fields.String(required=True, allow_none=True)
    drugs = fields.List(fields.String(), required=True)
    wait = fields.Nested(WaitSchema, required=True)
    visit_id = row_id(required=True, allow_none=True)
    visit_at = instant(required=True, allow_none=True)
    flags = fields.List(fields.Nested(FindingSchema), required=True)


class WaitListSchema(Schema):
    """Everybody waiting: by time left to the limit, then clinical risk."""

    model = fields.Integer(required=True, allow_none=True)
    rows = fields.List(fields.Nested(WaitingSchema), required=True, data_key="waiting")


class SessionRequestSchema(Schema):
    """A session of the rota, in London clock time; weekday 1 is Monday, both dates included."""

    weekday = fields.Integer(required=True, strict=True, validate=validate.Range(1, 7))
    starts = fields.Time(required=True, format="%H:%M")
    ends = fields.Time(required=True, format="%H:%M")
    slot_minutes = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1440))
    doctor_id = row_id(required=True)
    worker_id = row_id(required=True)
    from_on = fields.Date(required=True)
    to_on = fields.Date(load_default=None, allow_none=True)
    nurse_id = row_id(load_default=None, allow_none=True)
    room_id = row_id(load_default=None, allow_none=True)
    despite_holiday = fields.Boolean(load_default=False)
    kept_for = code(KEPT_FOR, load_default="rapid")
    routine_from_hours = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 336)
    )


class SessionSchema(SessionRequestSchema):
    """A session as it stands."""

    id = row_id(required=True)
    version = fields.Integer(required=True)


class SessionChangeSchema(Schema):
    """From a date on: another nurse, another room, or kept for other work. All are named."""

    from_on = fields.Date(required=True)
    nurse_id = row_id(required=True, allow_none=True)
    room_id = row_id(required=True, allow_none=True)
    kept_for = code(KEPT_FOR, required=True)
    routine_from_hours = fields.Integer(
        required=True, allow_none=True, strict=True, validate=validate.Range(1, 336)
    )


class SessionEndSchema(Schema):
    """The session's last day; null when it goes on."""

    to_on = fields.Date(required=True, allow_none=True)


class DayOffRequestSchema(Schema):
    """A day on which a session is not held."""

    on = fields.Date(required=True)
    reason = fields.String(required=True, validate=validate.Length(min=1, max=200))


class DayOffSchema(DayOffRequestSchema):
    """A day taken off."""

    id = row_id(required=True)


class SessionLineSchema(Schema):
    """A session, its staff by name, and its days off ahead."""

    pattern = fields.Nested(SessionSchema, required=True, data_key="session")
    doctor = fields.String(required=True)
    worker = fields.String(required=True)
    nurse = fields.String(required=True, allow_none=True)
    room = fields.String(required=True, allow_none=True)
    missing = fields.List(fields.Nested(lambda: FindingSchema()), required=True)
    off = fields.List(fields.Nested(DayOffSchema), required=True)


class RotaSchema(Schema):
    """The rota, and where it breaks the model from `from` to `to`."""

    model = fields.Integer(required=True, allow_none=True)
    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")
    sessions = fields.List(fields.Nested(SessionLineSchema), required=True)
    findings = fields.List(fields.Nested(FindingSchema), required=True)


class LeaveRequestSchema(Schema):
    """Somebody is away from one instant up to another, at every site."""

    staff_id = row_id(required=True)
    starts_at = instant(required=True)
    ends_at = instant(required=True)
    reason = code(AWAY_BECAUSE, required=True)


class LeaveSchema(LeaveRequestSchema):
    """A leave as it stands."""

    id = row_id(required=True)


class OpeningRequestSchema(Schema):
    """A site's hours on a weekday from a day on, in London clock time; both null: shut."""

    weekday = fields.Integer(required=True, strict=True, validate=validate.Range(1, 7))
    opens = fields.Time(required=True, format="%H:%M", allow_none=True)
    closes = fields.Time(required=True, format="%H:%M", allow_none=True)
    from_on = fields.Date(required=True)


class OpeningSchema(OpeningRequestSchema):
    """Hours as they stand."""

    id = row_id(required=True)


class MoveProposedSchema(Schema):
    """A place a visit could move to."""

    place = fields.Nested(PlaceSchema, required=True)


class HitSchema(Schema):
    """A booked visit the rota does not carry. `move` null: nothing is free in the weeks looked at."""

    visit_id = row_id(required=True)
    version = fields.Integer(required=True)
    patient_id = row_id(required=True)
    starts_at = instant(required=True)
    why = fields.String(required=True)
    day_number = fields.Integer(
        required=True, allow_none=True, metadata={"description": "2 or 3: moved as a day"}
    )
    move = fields.Pluck(MoveProposedSchema, "place", required=True, allow_none=True)
    wait = fields.Nested(WaitSchema, required=True, allow_none=True)
    breach = fields.Nested(FindingSchema, required=True, allow_none=True)


class HitsSchema(Schema):
    """The visits hit, the most urgent first. Nothing is cancelled or moved by itself."""

    rows = fields.List(fields.Nested(HitSchema), required=True, data_key="visits")
    elsewhere = fields.Function(
        lambda found: dict(found.elsewhere),
        metadata={
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "description": "How many more visits with the same person, by the name of the site",
        },
    )
    waiting = fields.List(
        fields.Nested(lambda: WaitingSchema(only=("referral_id", "patient_id", "wait"))),
        required=True,
        metadata={"description": "People without a visit who would then wait too long"},
    )
    breaks = fields.List(
        fields.Nested(FindingSchema),
        required=True,
        metadata={"description": "Where the rota would then break its model, and does not today"},
    )


class ThingRequestSchema(Schema):
    """A room, an observation place or a piece of kit. `item`: which kit it is; null for the others."""

    kind = code(RESOURCE_KINDS, required=True)
    name = fields.String(required=True, validate=validate.Length(min=1, max=100))
    item = code(ITEMS, load_default=None, allow_none=True)


class ThingSchema(ThingRequestSchema):
    """One as it stands. `gone_on`: the first day it is no longer there."""

    id = row_id(required=True)
    gone_on = fields.Date(required=True, allow_none=True)
    version = fields.Integer(required=True)


class ThingNameSchema(Schema):
    """What it is called from now on."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=100))


class ThingGoneSchema(Schema):
    """The first day it is no longer there; null when it stays."""

    gone_on = fields.Date(required=True, allow_none=True)
