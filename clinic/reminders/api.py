"""Reminders, and how somebody wants to be reached, over HTTP."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from clinic.auth import act, needs
from clinic.errors import NotFound
from clinic.patients.access import open_record
from clinic.reminders import commands, queries
from clinic.reminders.models import CHANNELS, ContactChoice
from clinic.reminders.ports import ports_of
from clinic.shapes import MadeSchema, RecordedSchema, code, instant, longer_text, row_id
from scheduling.reminders import LANGUAGES, WINDOWS

reminders_api = Blueprint(
    "reminders_api", __name__, url_prefix="/api/v1", description="Reminders of visits"
)
_no_choice = reminders_api.alt_response(404, description="Nothing is in force")


class ChoiceRequestSchema(Schema):
    """What the patient said when asked. `address`: needed unless they said no."""

    channel = code(CHANNELS, required=True)
    address = longer_text(load_default=None, allow_none=True)
    language = code(LANGUAGES, load_default="en")
    large_print = fields.Boolean(load_default=False)
    needs = longer_text(load_default=None, allow_none=True)


class ChoiceSchema(RecordedSchema, ChoiceRequestSchema):
    """What is in force."""


class ReminderSchema(Schema):
    """A reminder, sent or not. `id` null: nothing was tried. It shows no address and no words."""

    id = row_id(required=True, allow_none=True, attribute="reminder.id", dump_default=None)
    visit_id = row_id(required=True)
    patient_id = row_id(required=True, attribute="patient.id")
    visit_at = instant(required=True)
    window = code([window.id for window in WINDOWS], required=True)
    stands = code(queries.WILL, required=True)
    at = instant(required=True, allow_none=True)
    channel = code(CHANNELS, required=True, allow_none=True)
    old_time = fields.Boolean(required=True)


class SureSchema(Schema):
    """`sure`: true to send again one that may have gone and may then arrive twice."""

    sure = fields.Boolean(load_default=False)


class CameSchema(Schema):
    """What came of it: sent, failed or unsure."""

    stands = fields.String(required=True)


@reminders_api.get("/reminders")
@needs("appointments.read")
@reminders_api.response(200, ReminderSchema(many=True))
def reminders() -> list[queries.Line]:
    """What was sent, is due, failed or will not be sent: what needs somebody first."""
    return queries.reminders_page(act(), frozenset(ports_of(current_app.config["SETTINGS"])))


@reminders_api.post("/reminders/<int:reminder_id>/retry")
@needs("appointments.book")
@reminders_api.arguments(SureSchema)
@reminders_api.response(200, CameSchema)
@reminders_api.alt_response(404, description="No such reminder at this site")
@reminders_api.alt_response(409, description="Sent, moved, cancelled, quiet hours or not wanted")
def retry(given: dict[str, Any], reminder_id: int) -> dict[str, str]:
    """Send again a reminder that failed or was broken off."""
    ports = ports_of(current_app.config["SETTINGS"])
    return {"stands": commands.retry(act(), reminder_id, ports, **given)}


@reminders_api.get("/patients/<int:patient_id>/contact-choice")
@needs("patients.read")
@reminders_api.response(200, ChoiceSchema)
@_no_choice
def choice(patient_id: int) -> ContactChoice:
    """How does this person want to be reached?"""
    found = commands.choice_in_force(act(), open_record(act(), patient_id, "reminders.read").id)
    if found is None:
        raise NotFound("Nobody asked, or they withdrew what they said.")
    return found


@reminders_api.put("/patients/<int:patient_id>/contact-choice")
@needs("patients.edit")
@reminders_api.arguments(ChoiceRequestSchema)
@reminders_api.response(200, MadeSchema)
def record_choice(given: dict[str, Any], patient_id: int) -> dict[str, int]:
    """Record what the patient said; it takes the place of what they said before."""
    return {"id": commands.record_choice(act(), patient_id, **given)}


@reminders_api.delete("/patients/<int:patient_id>/contact-choice")
@needs("patients.edit")
@reminders_api.response(204)
@_no_choice
def withdraw_choice(patient_id: int) -> None:
    """The patient no longer wants to be reminded."""
    commands.withdraw_choice(act(), patient_id)
