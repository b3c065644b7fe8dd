"""The clinic seen from further off, over the API."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from clinic.appointments import occupancy
from clinic.appointments.queries import LONGEST_SPAN
from clinic.auth import act, needs
from clinic.errors import Invalid
from clinic.web import LAST_ROW
from scheduling.calendars import OutOfReach

views_api = Blueprint(
    "views_api", __name__, url_prefix="/api/v1/clinic", description="Places used, free and lost"
)


class SpanSchema(Schema):
    """From one London date to another, both included; of one member of staff if named."""

    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")
    with_staff = fields.Integer(
        data_key="with", load_default=None, validate=validate.Range(1, LAST_ROW)
    )


class DaySchema(Schema):
    """One day's places. `reason`: why some are lost."""

    on = fields.Date(required=True)
    taken = fields.Integer(required=True)
    free = fields.Integer(required=True)
    lost = fields.Integer(required=True)
    reason = fields.String(required=True, allow_none=True)


class WeekSchema(Schema):
    """One week: places by what became of them, and the waits of the people seen in it."""

    monday = fields.Date(required=True)
    places = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    seen = fields.Function(lambda week: len(week.waits), metadata={"type": "integer"})
    mean_wait = fields.Float(required=True, allow_none=True)
    late = fields.Integer(required=True, allow_none=True)


@views_api.get("/days")
@needs("appointments.read")
@views_api.arguments(SpanSchema, location="query")
@views_api.response(200, DaySchema(many=True))
def days(given: dict[str, Any]) -> list[occupancy.DayGlance]:
    """Each day's places, taken, free and lost. Shows no patient."""
    first: date = given["first"]
    last: date = given["last"]
    if not timedelta(0) <= last - first <= LONGEST_SPAN:
        raise Invalid.field("to", f"must be on or after from, within {LONGEST_SPAN.days} days")
    try:
        return occupancy.month(act(), first, last, given["with_staff"])
    except OutOfReach as beyond:
        raise Invalid.field("to", str(beyond)) from beyond


@views_api.get("/weeks")
@needs("appointments.read")
@views_api.response(200, WeekSchema(many=True))
def weeks() -> list[occupancy.Week]:
    """The last twelve weeks and this one: places by what became of them, and waits."""
    return occupancy.weeks(act())
