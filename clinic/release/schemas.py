"""The shapes of release plans in the API. What a fact may say is its section of the contract."""

from __future__ import annotations

from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf

from clinic.appointments.chain_schemas import arrangements_field
from clinic.release.sections import ENDINGS, PREMISES
from clinic.shapes import instant, row_id
from clinic.sites.models import NATIONS


class ReleaseOpenSchema(Schema):
    """Whose plan, and which prison they are leaving (this site when left out)."""

    patient_id = row_id(required=True)
    site_id = row_id()


class ReleaseFactSchema(Schema):
    """A fact: `says` holds fields of the release check, named and written as its contract has them.

    A field left out is not known. `premises_id` names a pharmacy or clinic, `site_id` the
    community service of the destination.
    """

    says = fields.Dict(keys=fields.String(), load_default=dict)
    premises_id = row_id()
    site_id = row_id()


class ReleaseWhySchema(Schema):
    """Why something recorded is struck out."""

    reason = fields.String(required=True, validate=Length(min=1, max=200))


class ReleaseFactCorrectionSchema(ReleaseFactSchema, ReleaseWhySchema):
    """The whole fact as it should read, and why it changes."""


class ReleaseCloseSchema(ReleaseWhySchema):
    closed_as = fields.String(required=True, validate=OneOf(list(ENDINGS)))


class ReleaseRecordedSchema(Schema):
    """A fact that stands, with who recorded it and when."""

    id = fields.Integer(required=True)
    place = fields.Integer(required=True)
    says = fields.Dict(required=True)
    premises_id = fields.Integer(required=True, allow_none=True)
    site_id = fields.Integer(required=True, allow_none=True)
    recorded_at = fields.AwareDateTime(required=True, format="iso")
    recorded_by = fields.Integer(required=True)


class ReleaseFlagSchema(Schema):
    """A flag of the release check, with whose desk it lies on and the sections that clear it."""

    flag = fields.String(required=True)
    severity = fields.String(required=True)
    message = fields.String(required=True)
    clears_when = fields.String(required=True)
    facts = fields.Dict(required=True)
    owner = fields.String(required=True)
    since = fields.AwareDateTime(required=True, format="iso")
    sections = fields.List(fields.String(), required=True)


class ReleaseStepSchema(Schema):
    """One step out of a gap: the section its fact belongs to and the flags that need it."""

    section = fields.String(required=True)
    clears = fields.List(fields.String(), required=True)
    on = fields.Date(required=True, allow_none=True)


class ReleaseWayOutSchema(Schema):
    """The fewest steps after which no red or critical flag stands but those that remain."""

    steps = fields.List(fields.Nested(ReleaseStepSchema), required=True)
    remains = fields.List(fields.String(), required=True)


class ReleasePlaceSchema(Schema):
    """A free place of the receiving service."""

    starts_at = instant(required=True)
    doctor_id = row_id(required=True)
    worker_id = row_id(required=True)


class ReleaseBookSchema(ReleasePlaceSchema):
    """The place to book, as the free places give it, and what is arranged for its shut days."""

    arrangements = arrangements_field()


class ReleasePlacesSchema(Schema):
    site_id = row_id(required=True)
    places = fields.List(fields.Nested(ReleasePlaceSchema), required=True)


class ReleaseEndSchema(Schema):
    """One day they could leave on, answered as if it were the confirmed one."""

    on = fields.Date(required=True)
    why = fields.String(required=True)
    check_on = fields.Date(required=True)
    cover_ends_on = fields.Date(required=True, allow_none=True)
    uncovered_days = fields.List(fields.Date(), required=True)
    gap_days = fields.Integer(required=True, allow_none=True)
    grave = fields.List(fields.String(), required=True)


class ReleasePlanSchema(Schema):
    """A plan as it stands at the moment of asking.

    `answer` is the release check's own, `released_today` in it included; null with a `fault` when
    the facts cannot be read. `recheck`: ids of facts made for another release date.
    """

    id = fields.Integer(required=True)
    patient_id = fields.Integer(required=True)
    site_id = fields.Integer(required=True)
    opened_at = fields.AwareDateTime(required=True, format="iso")
    closed_at = fields.AwareDateTime(required=True, format="iso", allow_none=True)
    closed_as = fields.String(required=True, allow_none=True)
    version = fields.Integer(required=True)
    facts = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Nested(ReleaseRecordedSchema)),
        required=True,
    )
    answer = fields.Dict(required=True, allow_none=True)
    fault = fields.String(required=True, allow_none=True)
    flags = fields.List(fields.Nested(ReleaseFlagSchema), required=True)
    unknown = fields.List(fields.String(), required=True)
    recheck = fields.List(fields.Integer(), required=True)
    possible_ends = fields.List(fields.Nested(ReleaseEndSchema), required=True)
    way_out = fields.Nested(ReleaseWayOutSchema, required=True, allow_none=True)


class ComingSchema(Schema):
    """One open plan in a list, worst first."""

    plan_id = fields.Integer(required=True)
    patient_id = fields.Integer(required=True, attribute="patient.id")
    release_on = fields.Date(required=True, allow_none=True)
    worst = fields.String(required=True, allow_none=True)
    fault = fields.String(required=True, allow_none=True)
    flags = fields.List(fields.Nested(ReleaseFlagSchema), required=True)


class AnyDaySchema(Schema):
    """Somebody who could leave on any day, and why."""

    plan_id = fields.Integer(required=True)
    reasons = fields.List(fields.String(), required=True)


class ComingListSchema(Schema):
    """Who leaves this prison, who of them could on any day, and who is on the way to this service."""

    leaving = fields.List(fields.Nested(ComingSchema), required=True)
    coming_here = fields.List(fields.Nested(ComingSchema), required=True)
    any_day = fields.List(fields.Nested(AnyDaySchema), required=True)


class PremisesRequestSchema(Schema):
    kind = fields.String(required=True, validate=OneOf(list(PREMISES)))
    name = fields.String(required=True, validate=Length(min=1, max=200))
    address = fields.String(validate=Length(max=200))
    telephone = fields.String(validate=Length(max=50))


class PremisesCorrectSchema(ReleaseWhySchema):
    """Its address and telephone as they should read; one left out is not known. And who says so."""

    address = fields.String(validate=Length(max=200), allow_none=True)
    telephone = fields.String(validate=Length(max=50), allow_none=True)


class PremisesWeekSchema(ReleaseWhySchema):
    """mon to sun, each a list such as ["09:00-18:00"]; a weekday left out is closed.

    `nation`: whose bank holidays it is closed on.
    """

    nation = fields.String(required=True, validate=OneOf(list(NATIONS)))
    week = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True)


class PremisesClosureSchema(ReleaseWhySchema):
    """Closed from the first day to the last, both included."""

    first_on = fields.Date(required=True)
    last_on = fields.Date(required=True)


class PremisesOpeningSchema(ReleaseWhySchema):
    """Open on a day out of the ordinary."""

    on = fields.Date(required=True)
    hours = fields.List(fields.String(), required=True)


class PremisesFactSchema(Schema):
    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    on = fields.Date(required=True, allow_none=True)
    hours = fields.Dict(required=True, allow_none=True)
    nation = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    struck_at = fields.AwareDateTime(required=True, format="iso", allow_none=True)


class PremisesSchema(Schema):
    """A pharmacy or clinic and everything recorded of its opening, newest first."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True)
    address = fields.String(required=True, allow_none=True)
    telephone = fields.String(required=True, allow_none=True)
    facts = fields.List(fields.Nested(PremisesFactSchema), required=True)
