"""The shapes the API of custody takes and gives. What a value means is a command's business.

Instants carry an offset; days are London dates; staff, patients and sites are named by id.
"""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.custody.models import (
    DELIVERY_OUTCOMES,
    HEARING_OUTCOMES,
    MODES,
    PARTIES,
    PLACES_APART,
    SCREENINGS,
    SUITABILITIES,
    TOPIC_NAMES,
    WAYS_OUT,
    WHO_SAID,
)
from clinic.shapes import code, day, instant, row_id, yes_no
from clinic.sites.models import NATIONS

LONGEST_REASON = 500
LONGEST_NOTE = 4000
LONGEST_CELL = 20
LONGEST_NAME = 100


def reason() -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_REASON))


def _cell(**more: object) -> fields.String:
    return fields.String(allow_none=True, validate=validate.Length(max=LONGEST_CELL), **more)


class StrikeOutSchema(Schema):
    """Why something is struck out or undone."""

    reason = reason()


class CameSchema(Schema):
    """From which prison outside this system, and since when they are in custody; null: not known.

    Without `came_from` they came into custody here. `first_received_at` gives its own day.
    """

    came_from = fields.String(allow_none=True, validate=validate.Length(max=LONGEST_NAME))
    came_from_nation = code(NATIONS, allow_none=True)
    told_on = day(allow_none=True)
    first_received_on = day(allow_none=True)
    first_received_at = instant(allow_none=True)
    count_said_by = code(WHO_SAID, allow_none=True)
    keyworker_there = fields.String(allow_none=True, validate=validate.Length(max=LONGEST_NAME))


class ReceptionRequestSchema(CameSchema):
    """An arrival. `heightened_risk`, `ppo`: null when not asked; `wing_id`: when not settled."""

    patient_id = row_id(required=True)
    received_at = instant(required=True)
    prison_number = fields.String(validate=validate.Length(max=20))
    screening = code(SCREENINGS, required=True)
    screened_at = instant()
    heightened_risk = yes_no()
    ppo = yes_no()
    wing_id = row_id(allow_none=True)
    cell = _cell()


class ReceptionCorrectionSchema(CameSchema):
    """What a reception should have said; only what changes."""

    reason = reason()
    received_at = instant()
    screening = code(SCREENINGS)
    heightened_risk = yes_no()
    ppo = yes_no()
    group_suitability = code(SUITABILITIES, allow_none=True)
    needs_post_28_programme = yes_no()


class ScreeningSchema(Schema):
    """The result of a screening that was not done at reception."""

    screening = code([each for each in SCREENINGS if each != "not_done"], required=True)
    screened_at = instant(required=True)


class _DeliveryFields(Schema):
    outcome = code(DELIVERY_OUTCOMES)
    topic = code(TOPIC_NAMES)
    mode = code(MODES)
    for_on = fields.Date()
    done_by = row_id()
    note = fields.String(validate=validate.Length(max=LONGEST_NOTE))
    explained = yes_no()


class DeliveryRequestSchema(_DeliveryFields):
    """Something done for the patient, or offered and declined."""

    item = fields.String(required=True)
    done_at = instant(required=True)
    by = fields.List(code(PARTIES), required=True, validate=validate.Length(min=1))


class DeliveryCorrectionSchema(_DeliveryFields):
    """What a delivery should have said; only what changes."""

    reason = reason()
    done_at = instant()
    by = fields.List(code(PARTIES), validate=validate.Length(min=1))


class HearingRequestSchema(Schema):
    """A court hearing. `known_at`: when the prison learnt of it, now when not said."""

    starts_at = instant(required=True)
    known_at = instant()
    court = fields.String(validate=validate.Length(max=100))
    outcome = code(HEARING_OUTCOMES)


class HearingCorrectionSchema(Schema):
    """What a hearing should have said, its outcome included; only what changes."""

    reason = reason()
    starts_at = instant()
    known_at = instant()
    court = fields.String(validate=validate.Length(max=100), allow_none=True)
    outcome = code(HEARING_OUTCOMES, allow_none=True)


class ReleaseRequestSchema(Schema):
    """The day they will walk out, after any weekend or Friday rule."""

    on = fields.Date(required=True)
    known_at = instant()


class ReleaseCorrectionSchema(Schema):
    """A day of release that moved or was wrong."""

    reason = reason()
    on = fields.Date()
    known_at = instant()


class TransferRequestSchema(Schema):
    """A booked move: to a prison that is a site here, or to one named with its nation."""

    on = fields.Date(required=True)
    booked_on = fields.Date()
    receiving_site_id = row_id()
    receiving_prison = fields.String(validate=validate.Length(max=100))
    nation = code(NATIONS)
    prescriber_cover = yes_no()


class TransferCorrectionSchema(TransferRequestSchema):
    """A move that changed or was wrong; only what changes."""

    reason = reason()
    on = fields.Date()


class UnavailableRequestSchema(Schema):
    """Days on which they cannot come to groups, both included; no end: until further notice."""

    from_on = fields.Date(required=True)
    to_on = fields.Date(allow_none=True, load_default=None)
    place = code(PLACES_APART, required=True)


class UnavailableCorrectionSchema(Schema):
    """Days away from groups, put right; only what changes."""

    reason = reason()
    from_on = fields.Date()
    to_on = fields.Date(allow_none=True)
    place = code(PLACES_APART)


class LocationRequestSchema(Schema):
    """On which wing they live. `from_at`: now when not said."""

    wing_id = row_id(required=True)
    cell = _cell()
    from_at = instant()


class LocationCorrectionSchema(Schema):
    """The wing, cell or time that was wrong; only what changes."""

    reason = reason()
    wing_id = row_id()
    cell = _cell()
    from_at = instant()


class ExitRequestSchema(Schema):
    """They left, and how."""

    at = instant(required=True)
    how = code(WAYS_OUT, required=True)


class ExitCorrectionSchema(Schema):
    """An exit that was recorded wrongly; only what changes."""

    reason = reason()
    at = instant()
    how = code(WAYS_OUT)


class FactSchema(Schema):
    """A fact of the stay as it stands, by its id; its own fields beside it."""

    id = row_id(required=True)
    recorded_at = instant(required=True)
    recorded_by = row_id(required=True)


class HearingSchema(FactSchema):
    starts_at = instant()
    known_at = instant()
    court = fields.String(allow_none=True)
    outcome = fields.String(allow_none=True)


class ReleaseSchema(FactSchema):
    on = fields.Date()
    known_at = instant()


class TransferSchema(FactSchema):
    on = fields.Date()
    booked_on = fields.Date()
    receiving_site_id = row_id(allow_none=True)
    receiving_prison = fields.String()
    nation = fields.String()
    prescriber_cover = yes_no()


class UnavailableSchema(FactSchema):
    from_on = fields.Date()
    to_on = fields.Date(allow_none=True)
    place = fields.String()


class LocationSchema(FactSchema):
    """Where they live from a moment on, until the next one."""

    wing_id = row_id()
    wing = fields.String(attribute="wing.name")
    cell = fields.String(allow_none=True)
    from_at = instant()


class ExitSchema(FactSchema):
    at = instant()
    how = fields.String()


class DeliverySchema(FactSchema):
    item = fields.String()
    for_on = fields.Date(allow_none=True)
    done_at = instant()
    by = fields.List(fields.String())
    done_by = row_id()
    outcome = fields.String()
    topic = fields.String(allow_none=True)
    mode = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    explained = yes_no()


class ChangeSchema(Schema):
    """A date the newest version changed."""

    duty = fields.String(required=True)
    was = fields.Date(allow_none=True, required=True)
    now = fields.Date(allow_none=True, required=True)
    moved_by = fields.List(fields.String(), required=True)
    why = fields.String(required=True)


class VersionSchema(Schema):
    """One version of the timetable and the dates it changed."""

    id = row_id(required=True)
    version = row_id(required=True)
    made_at = instant(required=True)
    because = fields.String(required=True)
    changes = fields.List(fields.Nested(ChangeSchema), required=True)


class DetailSchema(Schema):
    """When they arrived and what was asked; null: not asked."""

    received_at = instant(required=True)
    screening = fields.String(required=True)
    heightened_risk = yes_no(required=True)
    ppo = yes_no(required=True)
    group_suitability = fields.String(allow_none=True, required=True)
    needs_post_28_programme = yes_no(required=True)
    came_from = fields.String(allow_none=True, required=True)
    came_from_nation = fields.String(allow_none=True, required=True)
    told_on = fields.Date(allow_none=True, required=True)
    first_received_on = fields.Date(allow_none=True, required=True)
    first_received_at = instant(allow_none=True, required=True)
    count_said_by = fields.String(allow_none=True, required=True)
    count_unknown = fields.Boolean(required=True)
    keyworker_there = fields.String(allow_none=True, required=True)


class ReportedSchema(FactSchema):
    """Something done at the prison they came from, as reported."""

    item = fields.String()
    on = fields.Date(allow_none=True)
    by = fields.List(fields.String())
    outcome = fields.String()
    topic = fields.String(allow_none=True)
    mode = fields.String(allow_none=True)
    said_by = fields.String()
    note = fields.String(allow_none=True)


class StaySchema(Schema):
    """A stay in custody. `timetable` is the answer of the timetable check at this moment.

    `location`: where in this prison they live, or lived last; null when no wing was recorded.
    """

    id = fields.Integer(attribute="reception.id", required=True)
    patient_id = fields.Integer(attribute="patient.id", required=True)
    site_id = fields.Integer(attribute="reception.site_id", required=True)
    version = fields.Integer(attribute="reception.version", required=True)
    day_count = fields.String(attribute="reception.day_count", required=True)
    plan_made_on = fields.Date(attribute="reception.plan_made_on", required=True)
    undone_at = instant(attribute="reception.undone_at", allow_none=True, required=True)
    reception = fields.Nested(DetailSchema, attribute="detail", required=True)
    keyworker_id = fields.Integer(attribute="keyworker.id", dump_default=None, allow_none=True)
    timetable = fields.Dict(attribute="answer", allow_none=True, required=True)
    calendar_moved = fields.Boolean(required=True)
    versions = fields.List(fields.Nested(VersionSchema), required=True)
    hearings = fields.List(fields.Nested(HearingSchema), required=True)
    release = fields.Nested(ReleaseSchema, allow_none=True, required=True)
    transfer = fields.Nested(TransferSchema, allow_none=True, required=True)
    exit = fields.Nested(ExitSchema, allow_none=True, required=True)
    location = fields.Nested(LocationSchema, allow_none=True, required=True)
    locations = fields.List(fields.Nested(LocationSchema), required=True)
    unavailable = fields.List(fields.Nested(UnavailableSchema), required=True)
    deliveries = fields.List(fields.Nested(DeliverySchema), required=True)
    reported = fields.List(fields.Nested(ReportedSchema), required=True)
    over_on_arrival = fields.Boolean(required=True)


class WorkSchema(Schema):
    """One open duty, in the order of the list: by deadline, then risk."""

    reception_id = row_id(required=True)
    patient_id = row_id(required=True)
    wing = fields.String(attribute="where.wing", dump_default=None, allow_none=True)
    cell = fields.String(attribute="where.cell", dump_default=None, allow_none=True)
    item = fields.String(required=True)
    for_on = fields.Date(allow_none=True, required=True)
    due_on = fields.Date(required=True)
    deadline = instant(required=True)
    amber = fields.Boolean(required=True)
    overdue = fields.Boolean(required=True)
    owner = fields.String(required=True)
    escalate_to = fields.String(allow_none=True, required=True)
    keyworker_id = row_id(allow_none=True, required=True)
    ppo = yes_no(required=True)
    heightened_risk = yes_no(required=True)


class WorklistSchema(Schema):
    """What is overdue, due by midnight or amber at this prison."""

    work = fields.List(fields.Nested(WorkSchema), required=True)
