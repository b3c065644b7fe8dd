"""The shapes of doses, checks and supply over HTTP. What a value means is a command's business."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.assessments.kinds import SEDATION
from clinic.consumption.words import (
    ASKED,
    GLASS_REASONS,
    IDENTIFIED_BY,
    INCIDENT_REASONS,
    LOOKS,
    PLACES,
    RESTS,
    SEEN_VOMITED,
    SIGNS,
    SUPERVISION,
    WITHHELD_FOR,
)
from clinic.shapes import (
    Milligrams,
    RecordedSchema,
    StruckSchema,
    code,
    day,
    instant,
    longer_text,
    row_id,
)
from dosing.medicines import PRODUCTS


class IdentitySchema(Schema):
    """How somebody made sure who this is."""

    how = code(IDENTIFIED_BY, required=True)
    note = longer_text()


class IntoxicationSchema(Schema):
    """What somebody saw who looked for intoxication, and what they measured."""

    result = code(LOOKS, required=True)
    signs = fields.List(code(SIGNS))
    note = longer_text()
    sedation = code(SEDATION)
    hard_to_rouse_or_heavy_snoring = fields.Boolean()
    breath_alcohol_micrograms_per_100ml = fields.String()
    breath_alcohol_mg_per_l = fields.String()
    blood_alcohol_mg_per_100ml = fields.String()


class GlassSchema(Schema):
    """Why a gate that is merely missing is passed."""

    reason_code = code(GLASS_REASONS, required=True)
    reason = longer_text(required=True)


class WithChecksSchema(Schema):
    """The looks made together with a dose, and a reason for passing what is missing."""

    identity = fields.Nested(IdentitySchema)
    intoxication = fields.Nested(IntoxicationSchema)
    glass = fields.Nested(GlassSchema)


class OutcomeSchema(WithChecksSchema):
    outcome = code(ASKED, required=True)
    dose_mg = Milligrams()
    rest = code(RESTS)
    why_code = code(WITHHELD_FOR)
    withheld_by = longer_text()
    supervision = code(SUPERVISION)
    observer_id = row_id()
    note = longer_text()


class DoseRequestSchema(OutcomeSchema):
    """What became of a decided dose. `dose_mg` and `rest` only for one taken in part."""

    consumed_at = instant()
    increment = row_id()
    place = longer_text()
    observer = longer_text()
    replaces_id = row_id()


class CorrectionSchema(OutcomeSchema):
    """What became of a dose, said anew."""

    reason = longer_text(required=True)
    consumed_at = instant()


class ElsewhereDoseRequestSchema(Schema):
    """A dose taken at another service: a claim until prescriber and pharmacy confirm it."""

    product = code(PRODUCTS, required=True)
    dose_mg = Milligrams(required=True)
    consumed_at = instant(required=True)
    supervision = code(SUPERVISION)
    place = longer_text()
    note = longer_text()


class IncidentSchema(Schema):
    """A dose found to have been swallowed against shut gates."""

    product = code(PRODUCTS, required=True)
    dose_mg = Milligrams(required=True)
    consumed_at = instant(required=True)
    reason_code = code(INCIDENT_REASONS, required=True)
    reason = longer_text(required=True)
    decision_id = row_id()
    note = longer_text()


class VomitedSchema(Schema):
    vomited_at = instant(required=True)
    seen = code(SEEN_VOMITED, required=True)
    seen_by = longer_text()
    note = longer_text()


class GivenSchema(Schema):
    """The effective record of a dose. `first` false: it was there before, and says the same."""

    id = row_id(required=True)
    first = fields.Boolean(required=True)


class DoseSchema(StruckSchema):
    decision_id = row_id(allow_none=True)
    product = fields.String(required=True)
    dose_on = day(required=True)
    increment = fields.Integer(required=True)
    outcome = fields.String(required=True)
    dose_mg = Milligrams(allow_none=True)
    consumed_at = instant(required=True)
    supervision = fields.String(allow_none=True)
    elsewhere = fields.Boolean(required=True)
    incident = fields.Boolean(required=True)
    place = fields.String(allow_none=True)
    observer = fields.String(allow_none=True)
    observer_id = row_id(allow_none=True)
    rest = fields.String(allow_none=True)
    why_code = fields.String(allow_none=True)
    withheld_by = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    corrects_id = row_id(allow_none=True)
    replaces_id = row_id(allow_none=True)
    agreed_at = instant(allow_none=True)
    agreed_by = row_id(allow_none=True)


class ShutGateSchema(Schema):
    gate = fields.String(required=True)
    code = fields.String(required=True)
    message = fields.String(required=True)
    opened_by = fields.String(required=True)
    breakable = fields.Boolean(required=True)


class GatesSchema(Schema):
    """May this dose be given now? `shut` is empty when it may."""

    open = fields.Boolean(required=True)
    shut = fields.List(fields.Nested(ShutGateSchema), required=True)
    passed = fields.List(fields.String(), required=True)
    rules = fields.String(allow_none=True)
    missed_days = fields.Integer(allow_none=True)


class WhichDoseSchema(Schema):
    increment = fields.Integer(validate=validate.Range(min=1, max=2**31 - 1))


class CheckRequestSchema(Schema):
    """One look before a dose: `identity` or `intoxication`."""

    identity = fields.Nested(IdentitySchema)
    intoxication = fields.Nested(IntoxicationSchema)
    checked_at = instant()


class CheckMadeSchema(Schema):
    ids = fields.List(row_id(), required=True)


class GateCheckSchema(StruckSchema):
    kind = fields.String(required=True)
    checked_at = instant(required=True)
    clear = fields.Boolean(required=True)
    how = fields.String(allow_none=True)
    signs = fields.List(fields.String(), required=True)
    note = fields.String(allow_none=True)
    entry_id = row_id(allow_none=True)


class GlassRequestSchema(GlassSchema):
    increment = row_id()


class BrokenGateSchema(RecordedSchema):
    patient_id = row_id(required=True)
    kind = fields.String(required=True)
    decision_id = row_id(allow_none=True)
    dose_on = day(required=True)
    increment = fields.Integer(required=True)
    gates = fields.List(fields.String(), required=True)
    broken_at = instant(required=True)
    reason_code = fields.String(required=True)
    reason = fields.String(required=True)
    acknowledged_at = instant(allow_none=True)
    acknowledged_by = row_id(allow_none=True)
    acknowledged_note = fields.String(allow_none=True)


class AcknowledgeSchema(Schema):
    note = longer_text()


class PlaceRequestSchema(Schema):
    kind = code(PLACES, required=True)
    premises_id = row_id()
    from_on = day(required=True)
    note = longer_text()


class PlaceSchema(StruckSchema):
    kind = fields.String(required=True)
    premises_id = row_id(allow_none=True)
    from_on = day(required=True)
    note = fields.String(allow_none=True)


class DispenseRequestSchema(WithChecksSchema):
    """Doses handed over to be taken home, each for its own date."""

    dates = fields.List(day(), required=True, validate=validate.Length(min=1, max=31))
    handed_at = instant()
    note = longer_text()


class DispensedSchema(StruckSchema):
    decision_id = row_id(required=True)
    product = fields.String(required=True)
    dose_on = day(required=True)
    increment = fields.Integer(required=True)
    dose_mg = Milligrams(required=True)
    how = fields.String(required=True)
    handed_at = instant(required=True)
    premises_id = row_id(allow_none=True)
    place = fields.String(allow_none=True)
    note = fields.String(allow_none=True)


class OnBoardSchema(Schema):
    """One dose of one person on the board of a day."""

    patient_id = row_id(required=True)
    decision_id = row_id(required=True)
    increment = fields.Integer(required=True)
    product = fields.String(required=True)
    dose_mg = Milligrams(required=True)
    attended = fields.Boolean(required=True)
    outcome = fields.String(allow_none=True)
    dose_id = row_id(allow_none=True)
    place = fields.String(allow_none=True)
    missed_days = fields.Integer(required=True)
    locked = fields.Boolean(required=True)
    next_step = fields.String(required=True)


class BoardSchema(Schema):
    on = day(required=True)
    doses = fields.List(fields.Nested(OnBoardSchema), required=True)


class BoardDoseSchema(Schema):
    patient_id = row_id(required=True)
    decision_id = row_id(required=True)
    increment = row_id(required=True)


class MissedRequestSchema(Schema):
    """The doses of a day that somebody has looked through and found missed."""

    doses = fields.List(
        fields.Nested(BoardDoseSchema), required=True, validate=validate.Length(min=1, max=500)
    )


class UndoMissedSchema(Schema):
    ids = fields.List(row_id(), required=True, validate=validate.Length(min=1, max=500))
    reason = longer_text(required=True)


class PharmacyStaffRequestSchema(Schema):
    """An account, and the pharmacy whose people it records for."""

    staff_id = row_id(required=True)
    premises_id = row_id(required=True)


class PharmacyStaffSchema(RecordedSchema):
    staff_id = row_id(required=True)
    premises_id = row_id(required=True)
    from_on = day(required=True)
    to_on = day(allow_none=True)


class WhoseSchema(Schema):
    staff_id = fields.Integer(required=True, validate=validate.Range(min=1, max=2**31 - 1))


class SheetRequestSchema(Schema):
    """A sheet of doses as CSV text. Nothing is saved unless `save` is true."""

    sheet = fields.String(required=True, validate=validate.Length(max=500_000))
    save = fields.Boolean(load_default=False)


class SheetFaultSchema(Schema):
    field = fields.String(required=True)
    message = fields.String(required=True)


class SheetRowSchema(Schema):
    """What becomes of one line. `result`: recorded, repeated (the first record stands), refused."""

    line = fields.Integer(required=True)
    result = fields.String(required=True)
    dose_id = row_id(allow_none=True)
    message = fields.String(required=True)
    faults = fields.List(fields.Nested(SheetFaultSchema), required=True)


class SheetSchema(Schema):
    saved = fields.Boolean(required=True)
    rows = fields.List(fields.Nested(SheetRowSchema), required=True)
