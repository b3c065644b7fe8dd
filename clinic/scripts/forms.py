"""The forms of this room. No dose, decision, weekday or wording is preset but from a person's row."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from wtforms import Field, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, StopValidation

from clinic.answers import amount, radio, words
from clinic.forms import DayField, Form, VersionField
from clinic.prescriptions.models import OVERRIDES
from clinic.release.forms import WEEKDAY_NAMES
from clinic.scripts.models import FORMS, SUPERVISED, TAKEN_AWAY
from scheduling.instalments import WORDINGS

Data = dict[str, Any]


def _number(chosen: object) -> int | None:
    """The id of a choice; None for the one that stands for nothing chosen."""
    return int(str(chosen)) if str(chosen).isdecimal() else None


def _collects() -> SelectMultipleField:
    return SelectMultipleField(
        "Collected on", choices=words(WEEKDAY_NAMES),
        description="Doses of the days between are taken home with the last collection before them",
    )  # fmt: skip


def _supervised() -> SelectMultipleField:
    return SelectMultipleField(
        "Supervised on", choices=words(WEEKDAY_NAMES),
        description="Of these days, the ones on which the day's dose is taken at the pharmacy",
    )  # fmt: skip


class DaysForm(Form):
    """Weekdays collected on, and on which of them the dose is taken there."""

    collects: SelectMultipleField
    supervised: SelectMultipleField

    LIKE: Mapping[str, str] = {"days": "collects"}

    def validate_collects(self, field: Field) -> None:
        if not field.data:
            raise StopValidation("Collected on: tick at least one day")

    def validate_supervised(self, field: Field) -> None:
        if set(field.data or ()) - set(self.collects.data or ()):
            raise StopValidation("Supervised on: tick only days that are collected on")

    def days(self) -> dict[str, str]:
        return {
            day: SUPERVISED if day in (self.supervised.data or ()) else TAKEN_AWAY
            for day in WEEKDAY_NAMES
            if day in (self.collects.data or ())
        }

    def show_days(self, days: dict[str, str]) -> None:
        self.collects.data = list(days)
        self.supervised.data = [day for day, how in days.items() if how == SUPERVISED]


class DraftForm(DaysForm):
    """What the writer of a form chooses."""

    form = radio("Which form?", FORMS)
    decision_ids = SelectMultipleField(
        "Dose decisions it is written from", coerce=int, validate_choice=False
    )
    from_on = DayField("First dose on", [InputRequired()])
    to_on = DayField("Last dose on", [InputRequired()])
    collects = _collects()
    supervised = _supervised()
    premises_id = SelectField("Pharmacy", coerce=_number, validate_choice=False)
    strength_mg_per_ml = StringField(
        "Strength in mg per ml", [Optional(), amount],
        description="For a liquid, unless the decision states it",
    )  # fmt: skip
    directions = SelectMultipleField(
        "Directions", choices=[(each.id, each.text) for each in WORDINGS.values()],
        description="Home Office approved wordings of 2015, printed word for word",
    )  # fmt: skip
    address = TextAreaField(
        "Patient's address", [InputRequired(), Length(max=300)],
        description="“No fixed abode” is an address",
    )  # fmt: skip

    def validate_decision_ids(self, field: Field) -> None:
        if not field.data:
            raise StopValidation("Dose decisions it is written from: tick at least one")

    def validate_premises_id(self, field: Field) -> None:
        if field.data is None:
            raise StopValidation("Pharmacy: choose one")

    def asked(self) -> Data:
        """As the command takes it."""
        strength = (self.strength_mg_per_ml.data or "").strip()
        return {
            "form": self.form.data, "decision_ids": list(self.decision_ids.data),
            "from_on": self.from_on.data, "to_on": self.to_on.data,
            "premises_id": self.premises_id.data, "days": self.days(),
            "strength_mg_per_ml": Decimal(strength) if strength else None,
            "directions": list(self.directions.data or ()), "address": self.address.data,
        }  # fmt: skip


class EditForm(DraftForm):
    """The same, under the version that was read."""

    version = VersionField()


class IssueForm(Form):
    """The prescriber issues what they see, with a reason where a rule asks for one."""

    version = VersionField()
    reason_code = radio("Reason for going on", OVERRIDES, needed=False)
    reason = TextAreaField("Say why", [Optional(), Length(max=2000)])


class PrintForm(Form):
    """A button: the first print."""


class CancelForm(Form):
    """From which date on, and why."""

    from_on = SelectField("Cancelled from the doses of", choices=[])
    reason = TextAreaField("Why?", [InputRequired(), Length(max=2000)])


class CallForm(Form):
    """Who at the pharmacy was told."""

    who = StringField(
        "Who took the call?", [InputRequired(), Length(max=100)],
        description="They were told which form, from which date, and what replaces it",
    )  # fmt: skip


class ArrangeForm(Form):
    """The pharmacy hands out before a shut day, and the patient knows."""

    who = StringField("Who at the pharmacy agreed?", [InputRequired(), Length(max=100)])
    patient_told = StringField(
        "How was the patient told?", [InputRequired(), Length(max=300)],
        description="Of the day to collect, and how to keep the dose safely at home",
    )  # fmt: skip


class CollectForm(DaysForm):
    """How somebody collects from a date on."""

    from_on = DayField("From", [InputRequired()])
    collects = _collects()
    supervised = _supervised()
    reason = TextAreaField(
        "Why?", [InputRequired(), Length(max=2000)],
        description="For doses taken home: the clinical reason, as the rules ask for it",
    )  # fmt: skip
