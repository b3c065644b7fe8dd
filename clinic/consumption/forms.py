"""The forms of the hatch. No outcome, no check and no dose is preset."""

from __future__ import annotations

from typing import Any

from wtforms import (
    BooleanField,
    FileField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from clinic.answers import amount, offered, radio, words
from clinic.assessments.kinds import ALCOHOL_UNITS, PRODUCT_NAMES, SEDATION
from clinic.consumption.words import (
    ASKED,
    GLASS_REASONS,
    IDENTIFIED_BY,
    INCIDENT_REASONS,
    LOOKS,
    RESTS,
    SEEN_VOMITED,
    SIGNS,
    SUPERVISION,
    WITHHELD_FOR,
)
from clinic.forms import DayField, Form, MgField, MomentField

Data = dict[str, Any]
NOTE = [Optional(), Length(max=2000)]


class ChecksForm(Form):
    """Who is this, and how do they seem? A blank is not asked, and not looked."""

    identity = radio("Who is this?", IDENTIFIED_BY, needed=False)
    intoxication = radio("How do they seem?", LOOKS, needed=False)
    signs = SelectMultipleField("What was seen?", choices=words(SIGNS))
    seen = TextAreaField("What else was seen", NOTE)
    sedation = radio("Sedation, if measured", SEDATION, needed=False)
    alcohol = StringField("Alcohol reading, if measured", [Optional(), amount])
    alcohol_unit = radio("Unit of the reading", ALCOHOL_UNITS, needed=False)

    def validate_alcohol_unit(self, field: Any) -> None:
        if bool(self.alcohol.data and self.alcohol.data.strip()) != bool(field.data):
            raise ValidationError("Give the alcohol reading with its unit, or leave both blank")

    def validate_signs(self, field: Any) -> None:
        if field.data and not self.intoxication.data:
            raise ValidationError("Say that there are signs of intoxication, or tick none of them")

    def checks(self) -> Data:
        """The checks that were made, as the commands take them."""
        out: Data = {}
        if self.identity.data:
            out["identity"] = {"how": self.identity.data}
        if self.intoxication.data:
            look: Data = {
                "result": self.intoxication.data, "signs": self.signs.data or [],
                "note": self.seen.data, "sedation": self.sedation.data or None,
            }  # fmt: skip
            if self.alcohol.data and self.alcohol.data.strip():
                look[self.alcohol_unit.data] = self.alcohol.data.strip()
            out["intoxication"] = look
        return out


class GlassFields(ChecksForm):
    glass_reason_code = radio("Why may it be passed?", GLASS_REASONS, needed=False)
    glass_reason = TextAreaField("Say why, in your own words", NOTE)

    def glass(self) -> Data | None:
        if not self.glass_reason_code.data and not (self.glass_reason.data or "").strip():
            return None
        return {"reason_code": self.glass_reason_code.data, "reason": self.glass_reason.data}


class GiveForm(GlassFields):
    """One dose at the hatch. Without an outcome only the checks are kept."""

    outcome = radio("What became of the dose?", ASKED, needed=False)
    dose_mg = MgField("If in part, how much was swallowed?", [Optional()])
    rest = radio("What happened to the rest?", RESTS, needed=False)
    why_code = radio("If withheld, why?", WITHHELD_FOR, needed=False)
    withheld_by = StringField("If withheld, by whom?", [Optional(), Length(max=200)])
    observer_id = SelectField("Watched by", [Optional()], choices=[])
    replaces_id = SelectField("Does it replace a dose that was vomited?", choices=[])
    at_home = BooleanField("It was taken at home, from what was handed over")
    consumed_at = MomentField("When, if not just now", [Optional()])
    note = TextAreaField("Notes", NOTE)

    @property
    def supervision(self) -> str | None:
        """Here a dose is seen to be taken, or not taken, unless it went home or nobody came."""
        if self.at_home.data:
            return "take_home"
        return None if self.outcome.data == "missed" else "supervised"

    def given(self) -> Data:
        """What became of the dose, as the command takes it."""
        return {
            "outcome": self.outcome.data, "dose_mg": self.dose_mg.data,
            "rest": self.rest.data or None, "why_code": self.why_code.data or None,
            "withheld_by": self.withheld_by.data, "supervision": self.supervision,
            "observer_id": int(self.observer_id.data) if self.observer_id.data else None,
            "consumed_at": self.consumed_at.data, "note": self.note.data,
        }  # fmt: skip


class CorrectForm(GiveForm):
    """What became of a dose, said anew, and why."""

    outcome = radio("What became of the dose?", ASKED)
    reason = TextAreaField("Why is the record wrong?", [InputRequired(), Length(max=2000)])


class VomitedForm(Form):
    vomited_at = MomentField("When was it vomited?", [InputRequired()])
    seen = radio("Who says so?", SEEN_VOMITED)
    seen_by = StringField("Seen by", [Optional(), Length(max=200)])
    note = TextAreaField("Notes", NOTE)


class ElsewhereDoseForm(Form):
    """One dose taken at another service: a claim until it is confirmed."""

    product = SelectField("Product", [InputRequired()], choices=offered(PRODUCT_NAMES))
    dose_mg = MgField("Dose", [InputRequired()])
    consumed_at = MomentField("When?", [InputRequired()])
    supervision = radio("How was it taken?", SUPERVISION, needed=False)
    place = StringField("Which service?", [Optional(), Length(max=200)])
    note = TextAreaField("Notes", NOTE)


class IncidentForm(Form):
    """A dose found to have been swallowed against shut gates."""

    product = SelectField("Product", [InputRequired()], choices=offered(PRODUCT_NAMES))
    dose_mg = MgField("How much was swallowed?", [InputRequired()])
    consumed_at = MomentField("When?", [InputRequired()])
    decision_id = SelectField("On which decision?", choices=[])
    reason_code = radio("How did it come about?", INCIDENT_REASONS)
    reason = TextAreaField("Say what happened", [InputRequired(), Length(max=2000)])


class PlaceForm(Form):
    place = SelectField("Where are the doses taken?", [InputRequired()], choices=[])
    from_on = DayField("From which day on?", [InputRequired()])
    note = TextAreaField("Notes", NOTE)


class DispenseForm(GlassFields):
    """Doses to take home, each ticked for its own day."""

    dates = SelectMultipleField("For which days?", choices=[])
    handed_at = MomentField("When, if not just now", [Optional()])
    note = TextAreaField("Notes", NOTE)


class AcknowledgeForm(Form):
    note = TextAreaField("What follows from it", NOTE)


class MissedForm(Form):
    """The doses of a day that were looked through, each ticked by hand."""

    doses = SelectMultipleField("Who did not attend?", choices=[])


class UndoForm(Form):
    ids = HiddenField()
    reason = TextAreaField("Why?", [InputRequired(), Length(max=2000)])


class SheetForm(Form):
    """A sheet chosen as a file, and the text of it once it has been looked at."""

    file = FileField("CSV file")
    sheet = HiddenField()


class PharmacyForm(Form):
    premises_id = SelectField("Pharmacy", [InputRequired()], choices=[])
