"""The shapes the API of the first days takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.observations.models import HELD_KINDS, MOODS, SEEN_WORDS
from clinic.shapes import RecordedSchema, StruckSchema, code, day, instant, row_id, yes_no
from scheduling.observations import TASKS


def _text(longest: int = 2000, **more: object) -> fields.String:
    return fields.String(validate=validate.Length(max=longest), **more)


class ObservationRequestSchema(Schema):
    """Somebody was seen. `mood` left out: not looked at."""

    at = instant(required=True)
    seen = code(SEEN_WORDS, required=True)
    mood = code(MOODS)
    says = _text()


class StimulantRequestSchema(Schema):
    """Whether they use stimulants."""

    uses = fields.Boolean(truthy={True}, falsy={False}, required=True)


class EndRequestSchema(Schema):
    """The last day with rounds, and why."""

    last_on = day(required=True)
    reason = _text(required=True)


class HeldRequestSchema(Schema):
    """An assessment made elsewhere. `consent` null: not asked."""

    kind = code(HELD_KINDS, required=True)
    done_on = day(required=True)
    held_from = _text(200, required=True)
    covers = _text(200)
    consent = yes_no()


class TaskRequestSchema(Schema):
    """A task of the responsibility matrix was done."""

    task = code(TASKS, required=True)
    phase = fields.Integer(strict=True, required=True, validate=validate.Range(min=1, max=3))
    done_at = instant(required=True)
    says = _text()


class ObservationSchema(StruckSchema):
    at = instant(required=True)
    seen = fields.String(required=True)
    mood = fields.String(allow_none=True, required=True)
    says = fields.String(allow_none=True, required=True)


class HeldSchema(StruckSchema):
    kind = fields.String(required=True)
    done_on = day(required=True)
    held_from = fields.String(required=True)
    covers = fields.String(allow_none=True, required=True)
    consent = yes_no(required=True)


class EndSchema(StruckSchema):
    """A last day with rounds that a clinician set; the newest that is not struck out holds."""

    last_on = day(required=True)
    reason = fields.String(required=True)


class RoundSchema(Schema):
    """One round: seen, missed, open or to_come."""

    day = fields.Integer(required=True)
    on = fields.Date(required=True)
    part = fields.String(required=True)
    opens_at = instant(required=True)
    closes_at = instant(required=True)
    state = fields.String(required=True)


class DoneSchema(RecordedSchema):
    done_at = instant(required=True)


class FirstDaysSchema(Schema):
    """The first days of a stay on the clinical side. `stimulants` null: not asked.

    `last_on`: the last day with rounds; `end` null: that of the first week, which nobody changed.
    """

    reception_id = fields.Integer(attribute="stay.reception.id", required=True)
    day = fields.Integer(required=True)
    watch = fields.String(allow_none=True, required=True)
    heightened = fields.String(allow_none=True, required=True)
    stimulants = fields.Boolean(attribute="stimulants.uses", dump_default=None, allow_none=True)
    rounds = fields.List(fields.Nested(RoundSchema), required=True)
    last_on = fields.Date(required=True)
    end = fields.Nested(EndSchema, allow_none=True, required=True)
    ends = fields.List(fields.Nested(EndSchema), required=True)
    observations = fields.List(fields.Nested(ObservationSchema), required=True)
    held = fields.List(fields.Nested(HeldSchema), required=True)
    tasks = fields.Method("_tasks", required=True)

    def _tasks(self, view: object) -> list[dict[str, object]]:
        return [
            {"phase": number, "task": task.id, "team": task.team,
             "done": DoneSchema().dump(done) if done else None}
            for number, tasks in view.tasks  # type: ignore[attr-defined]
            for task, done in tasks
        ]  # fmt: skip


class ToSeeSchema(Schema):
    """One person of this round."""

    reception_id = row_id(required=True)
    patient_id = row_id(required=True)
    day = fields.Integer(required=True)
    now = fields.Nested(RoundSchema, allow_none=True, required=True)
    missed = fields.List(fields.Nested(RoundSchema), required=True)
    watch = fields.String(allow_none=True, required=True)
    ppo = yes_no(required=True)
    heightened_risk = yes_no(required=True)


class ThisRoundSchema(Schema):
    """Everybody here with rounds to be seen in, those not seen this round first."""

    people = fields.List(fields.Nested(ToSeeSchema), required=True)
