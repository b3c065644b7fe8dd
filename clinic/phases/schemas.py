"""The shapes the API of phases takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from clinic.phases.models import PARTY_WORDS
from clinic.shapes import RecordedSchema, StruckSchema, code, day, instant, row_id, yes_no
from scheduling.phases import MOVABLE


def _text(longest: int = 2000, **more: object) -> fields.String:
    return fields.String(validate=validate.Length(min=1, max=longest), **more)


class MoveRequestSchema(Schema):
    """A phase begins on another day for this person."""

    phase = fields.Integer(strict=True, required=True, validate=validate.OneOf(MOVABLE))
    from_on = day(required=True)
    reason = _text(500, required=True)


class ConsentRequestSchema(Schema):
    """May the triage assessment be shared with others?"""

    consents = fields.Boolean(truthy={True}, falsy={False}, required=True)


class TellingRequestSchema(Schema):
    """A party was told, or talked with. `with_triage`: the triage assessment went along."""

    party = code(PARTY_WORDS, required=True)
    at = instant(required=True)
    says = _text(required=True)
    with_triage = fields.Boolean(truthy={True}, falsy={False}, load_default=False)


class PeerRequestSchema(Schema):
    """A peer supporter. `past_participant` null: not asked."""

    name = _text(200, required=True)
    from_on = day(required=True)
    past_participant = yes_no(load_default=None)


class PeerEndSchema(Schema):
    """The last day of peer support."""

    to_on = day(required=True)


class PhaseSchema(Schema):
    """One phase; `to_on` null: it goes on. `waits`, `merged`: what to say of it."""

    number = fields.Integer(required=True)
    from_on = day(required=True)
    to_on = day(allow_none=True, required=True)
    moved = fields.Boolean(required=True)
    merged = fields.String(allow_none=True, required=True)
    waits = fields.String(allow_none=True, required=True)


class MoveSchema(RecordedSchema):
    phase = fields.Integer(required=True)
    from_on = day(required=True)
    reason = fields.String(required=True)


class CheckedSchema(Schema):
    """One line of the checklist; `done` null: not required."""

    key = fields.String(required=True)
    done = fields.Boolean(allow_none=True, required=True)
    declined = fields.Boolean(required=True)
    due_on = day(allow_none=True, required=True)
    late = fields.Boolean(required=True)


class OfferedSchema(Schema):
    """One part of what everybody is offered; `lacks`: what is not offered yet."""

    key = fields.String(attribute="part.key", required=True)
    offered = fields.Boolean(attribute="part.offered", required=True)
    declined = fields.Boolean(attribute="part.declined", required=True)
    lacks = fields.List(fields.String(), attribute="part.lacks", required=True)
    response = fields.String(allow_none=True, required=True)


class ConsentSchema(RecordedSchema):
    asked_at = instant(required=True)
    consents = fields.Boolean(required=True)


class TellingSchema(StruckSchema):
    party = fields.String(required=True)
    at = instant(required=True)
    says = fields.String(required=True)
    with_triage = fields.Boolean(required=True)


class PeerSchema(StruckSchema):
    name = fields.String(required=True)
    past_participant = yes_no(required=True)
    from_on = day(required=True)
    to_on = day(allow_none=True, required=True)


class PathwaySchema(Schema):
    """The phases of a stay. `consent` null: not asked. `now`: the phases of today."""

    reception_id = row_id(attribute="stay.reception.id", required=True)
    phases = fields.List(fields.Nested(PhaseSchema), required=True)
    now = fields.List(fields.Integer(), required=True)
    moves = fields.Function(lambda view: MoveSchema(many=True).dump(view.moves.values()))
    checklist = fields.List(fields.Nested(CheckedSchema), required=True)
    explained = yes_no(required=True)
    needs = fields.List(fields.String(), required=True)
    silent = fields.String(allow_none=True, required=True)
    minimum = fields.List(fields.Nested(OfferedSchema), required=True)
    cpa = fields.List(fields.String(), required=True)
    consent = fields.Nested(ConsentSchema, allow_none=True, required=True)
    tellings = fields.List(fields.Nested(TellingSchema), required=True)
    peers = fields.List(fields.Nested(PeerSchema), required=True)
