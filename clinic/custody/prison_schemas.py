"""The shapes the API gives of a prison: its wings today, its settings, its planning."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.custody.models import DAY_COUNTS
from clinic.shapes import RecordedSchema, code, day, instant, row_id, yes_no

LONGEST_WING = 30


class WingRequestSchema(Schema):
    """A wing of this prison, by the name staff use."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=LONGEST_WING))


class DayCountSchema(Schema):
    """How the days are numbered, for receptions from a day on."""

    day_count = code(DAY_COUNTS, required=True)
    from_on = day(required=True)
    reason = fields.String(required=True, validate=validate.Length(max=500))


class CompletionDaySchema(Schema):
    """On which day of custody completion begins, for receptions from a day on."""

    begins = fields.Integer(strict=True, required=True, validate=validate.Range(min=1, max=99))
    from_on = day(required=True)
    reason = fields.String(required=True, validate=validate.Length(max=500))


class DayCountChoiceSchema(RecordedSchema):
    day_count = fields.String(required=True)
    from_on = day(required=True)
    reason = fields.String(required=True)


class CompletionChoiceSchema(RecordedSchema):
    begins = fields.Integer(required=True)
    from_on = day(required=True)
    reason = fields.String(required=True)


class ShutDaySchema(Schema):
    """A weekday that is not worked; `closed`: the prison itself is shut, it is no bank holiday."""

    on = day(required=True)
    closed = fields.Boolean(required=True)


class SettingsSchema(Schema):
    """What holds for somebody received today, and every choice there was, newest first."""

    nation = fields.String(attribute="site.nation", required=True)
    calendar_version = fields.String(required=True)
    day_count = fields.String(required=True)
    day_counts = fields.List(fields.Nested(DayCountChoiceSchema), required=True)
    completion_day = fields.Integer(required=True)
    completions = fields.List(fields.Nested(CompletionChoiceSchema), required=True)
    shut = fields.List(fields.Nested(ShutDaySchema), required=True)


class WingSchema(Schema):
    """A wing. `closed_at`: since when nobody new is put on it."""

    id = row_id(required=True)
    name = fields.String(required=True)
    closed_at = instant(allow_none=True, required=True)


class WingsSchema(Schema):
    """The wings of a prison."""

    wings = fields.List(fields.Nested(WingSchema), required=True)


class DueSchema(Schema):
    """A duty due today or late."""

    duty = fields.String(required=True)
    due_on = fields.Date(required=True)
    overdue = fields.Boolean(required=True)


class OnWingSchema(Schema):
    """One person of a wing today. `round`: of observations, null past the first week."""

    reception_id = row_id(required=True)
    patient_id = row_id(required=True)
    cell = fields.String(allow_none=True, required=True)
    day = fields.Integer(required=True)
    phase = fields.Integer(required=True)
    ppo = yes_no(required=True)
    heightened_risk = yes_no(required=True)
    today = fields.List(fields.String(), required=True)
    due = fields.List(fields.Nested(DueSchema), required=True)
    round = fields.String(allow_none=True, required=True)
    missed = fields.Integer(required=True)


class BoardSchema(Schema):
    """A wing today, by cell."""

    wing = fields.Nested(WingSchema, required=True)
    people = fields.List(fields.Nested(OnWingSchema), required=True)


class CountedSchema(Schema):
    """How many of a wing are in which phase; `late`: duties overdue there."""

    wing_id = row_id(allow_none=True, required=True)
    people = fields.Integer(required=True)
    phases = fields.Dict(keys=fields.Integer(), values=fields.Integer(), required=True)
    late = fields.Integer(required=True)


class BreachSchema(Schema):
    """A duty that is late, for how many people."""

    duty = fields.String(required=True)
    people = fields.Integer(required=True)
    hard = fields.Boolean(required=True)
    longest_on = fields.Date(required=True)


class OverviewSchema(Schema):
    """A prison today, as counts alone."""

    wings = fields.List(fields.Nested(CountedSchema), required=True)
    breaches = fields.List(fields.Nested(BreachSchema), required=True)
    unnamed = fields.Integer(required=True)


class LoadSchema(Schema):
    """What so many receptions a week come to."""

    receptions = fields.Float(required=True)
    inside = fields.Integer(required=True)
    keyworkers = fields.Integer(required=True)
    seats = fields.Integer(required=True)
    sessions = fields.Integer(required=True)


class PlanningSchema(Schema):
    """A prison's own figures and what they come to; `unknown`: why nothing is expected yet."""

    weeks = fields.Function(
        lambda view: [{"from_on": on.isoformat(), "receptions": n} for on, n in view.weeks]
    )
    unknown = fields.String(attribute="outlook.unknown", allow_none=True, required=True)
    days = fields.Float(attribute="outlook.days", allow_none=True, required=True)
    group_days = fields.Float(attribute="outlook.group_days", allow_none=True, required=True)
    usual = fields.Nested(LoadSchema, attribute="outlook.usual", allow_none=True, required=True)
    busy = fields.Nested(LoadSchema, attribute="outlook.busy", allow_none=True, required=True)
    keyworkers = fields.Integer(attribute="figures.keyworkers", required=True)
    ceiling = fields.Integer(attribute="figures.ceiling", required=True)
    seats = fields.Float(attribute="figures.seats", required=True)
    could = fields.Integer(attribute="figures.could", required=True)
    keyworkers_do_for = fields.Integer(
        attribute="outlook.keyworkers_most", allow_none=True, required=True
    )
    seats_do_for = fields.Integer(attribute="outlook.seats_most", allow_none=True, required=True)
    changes = fields.List(fields.String(), attribute="outlook.changes", required=True)
