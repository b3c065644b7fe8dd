"""The shapes of prescription forms over HTTP. What a value means is a command's business."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.prescriptions.models import OVERRIDES
from clinic.prescriptions.schemas import DoseFindingSchema
from clinic.scripts.commands import UNDOABLE
from clinic.scripts.models import FORMS, HOW, STATUSES
from clinic.shapes import (
    Milligrams,
    RecordedSchema,
    StruckSchema,
    code,
    instant,
    longer_text,
    row_id,
)
from scheduling.instalments import WORDINGS
from scheduling.release_request import WEEKDAYS


class WeekdaysSchema(fields.Dict):
    """Weekday -> how it is collected on; a weekday left out is not collected on."""

    def __init__(self, **more: object) -> None:
        super().__init__(
            keys=fields.String(validate=validate.OneOf(WEEKDAYS)),
            values=fields.String(validate=validate.OneOf(list(HOW))),
            **more,  # type: ignore[arg-type]
        )


class DraftSchema(Schema):
    """What the writer chooses. The dose comes from the decisions and is never sent."""

    form = code(FORMS, required=True)
    decision_ids = fields.List(
        row_id(), required=True, validate=validate.Length(min=1, max=20)
    )  # fmt: skip
    from_on = fields.Date(required=True)
    to_on = fields.Date(required=True)
    premises_id = row_id(required=True)
    days = WeekdaysSchema(required=True)
    strength_mg_per_ml = Milligrams(load_default=None, allow_none=True)
    directions = fields.List(code(WORDINGS), load_default=list)
    address = fields.String(required=True, validate=validate.Length(min=1, max=300))


class NewDraftSchema(DraftSchema):
    replaces_id = row_id(load_default=None, allow_none=True)


class IssueSchema(Schema):
    reason_code = code(OVERRIDES)
    reason = longer_text()


class CancelSchema(Schema):
    from_on = fields.Date(required=True)
    reason = longer_text(required=True)


class CallSchema(Schema):
    who = fields.String(required=True, validate=validate.Length(min=1, max=100))


class UndoSchema(Schema):
    what = code(UNDOABLE, required=True)
    reason = longer_text(required=True)


class PrintSchema(Schema):
    """`reason` from the second print on."""

    reason = longer_text()


class InstalmentSchema(Schema):
    number = fields.Integer(required=True)
    due_on = fields.Date(required=True)
    first_on = fields.Date(required=True)
    last_on = fields.Date(required=True)
    supervised = fields.Boolean(required=True)
    mg = Milligrams(required=True)
    amount = Milligrams(required=True)


class ArrangeSchema(Schema):
    """The pharmacy hands out before a shut day, under the form's wording."""

    due_on = fields.Date(required=True)
    who = fields.String(required=True, validate=validate.Length(min=1, max=100))
    patient_told = longer_text(required=True)


class ArrangedSchema(StruckSchema):
    due_on = fields.Date(required=True)
    before_on = fields.Date(required=True)
    who = fields.String(required=True)
    patient_told = fields.String(required=True)


class ShutSchema(Schema):
    """A collection due on a day the pharmacy is shut, as is known now; `known` false: nobody knows
    its hours. `before_on`: the last open day before it."""

    due_on = fields.Date(required=True)
    first_on = fields.Date(required=True)
    last_on = fields.Date(required=True)
    known = fields.Boolean(required=True)
    before_on = fields.Date(required=True, allow_none=True)
    worded = fields.Boolean(required=True)
    arranged = fields.Nested(ArrangedSchema, required=True, allow_none=True)


class ScriptSchema(RecordedSchema):
    """One form. What is fixed when it is issued is null before that."""

    patient_id = row_id(required=True)
    site_id = row_id(required=True)
    status = code(STATUSES, required=True)
    form = code(FORMS, required=True)
    from_on = fields.Date(required=True)
    to_on = fields.Date(required=True)
    premises_id = row_id(required=True)
    replaces_id = row_id(allow_none=True)
    asked = fields.Dict(required=True)
    product = fields.String(allow_none=True)
    issued_at = instant(allow_none=True)
    issued_by = row_id(allow_none=True)
    signed_on = fields.Date(allow_none=True)
    start_on = fields.Date(allow_none=True)
    valid_until_on = fields.Date(allow_none=True)
    last_on = fields.Date(allow_none=True)
    total_mg = Milligrams(allow_none=True)
    total = Milligrams(allow_none=True)
    paper = fields.Dict(allow_none=True)
    outcome = fields.String(allow_none=True)
    reason_code = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    instalments = fields.List(fields.Nested(InstalmentSchema), required=True)
    shut = fields.List(fields.Nested(ShutSchema))
    earlier_endings = fields.List(fields.Dict(), allow_none=True)
    ended_at = instant(allow_none=True)
    ended_from_on = fields.Date(allow_none=True)
    ended_reason = fields.String(allow_none=True)
    call_due = fields.Boolean(required=True)
    called_at = instant(allow_none=True)
    settled_at = instant(allow_none=True)


class NeedSchema(Schema):
    """A wording the instalments ask for. `must`: the form is not issued without it."""

    wording = code(WORDINGS, required=True)
    why = fields.String(required=True)
    must = fields.Boolean(required=True)


class ScriptCheckSchema(Schema):
    """A draft worked out and judged as it stands. Nothing is saved."""

    outcome = fields.String(required=True)
    rule_set = fields.String(required=True)
    rule_set_version = fields.String(required=True)
    findings = fields.List(fields.Nested(DoseFindingSchema), required=True)
    needs = fields.List(fields.Nested(NeedSchema), required=True)
    counted_ahead = fields.Integer(required=True)


class RegimenRequestSchema(Schema):
    from_on = fields.Date(required=True)
    days = WeekdaysSchema(required=True)
    reason = longer_text(required=True)


class RegimenSchema(StruckSchema):
    patient_id = row_id(required=True)
    from_on = fields.Date(required=True)
    days = WeekdaysSchema(required=True)
    reason = fields.String(required=True)
    outcome = fields.String(allow_none=True)
    answer = fields.Dict(allow_none=True)
