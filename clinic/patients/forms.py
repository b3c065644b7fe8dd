"""What staff type about a patient."""

from __future__ import annotations

from wtforms import IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from clinic.act import Act
from clinic.errors import Invalid
from clinic.forms import DayField, Form, VersionField
from clinic.patients.access import REASONS, SHORTEST_REASON
from clinic.patients.models import ALERT_KINDS, ETHNICITIES, IDENTIFIER_KINDS, SEXES, Patient
from clinic.patients.queries import search

NOT_ASKED = ("", "Not asked")
HINTS = {
    "nhs": "10 digits, such as 999 000 0018",
    "prison": "Such as A1234BC",
    "pnc": "Such as 1999/9999999V",
    "crn": "Such as X000001",
}


def _said(value: object) -> str:
    return {"True": "yes", "False": "no", "None": ""}.get(str(value), str(value))


def _asked(value: str | None) -> bool | None:
    return {"yes": True, "no": False}.get(value or "")


class _Person(Form):
    family_name = StringField("Family name", [InputRequired(), Length(max=100)])
    given_name = StringField("Given name", [InputRequired(), Length(max=100)])
    title = StringField("Title", [Length(max=30)])
    born_on = DayField("Date of birth", [InputRequired()])
    sex = RadioField("Sex", [InputRequired()], choices=list(SEXES.items()))
    gender = StringField("Gender, in the patient's words", [Length(max=50)])
    ethnicity = SelectField("Ethnicity", choices=[NOT_ASKED, *ETHNICITIES.items()])
    ppo = SelectField(
        "Prolific and other priority offender",
        choices=[NOT_ASKED, ("yes", "Yes"), ("no", "No")],
        coerce=_said,
    )  # fmt: skip

    def details(self) -> dict[str, object]:
        """The answers as the commands take them; blank is not asked."""
        answers = self.answers()
        return {
            "family_name": (answers["family_name"] or "").strip(),
            "given_name": (answers["given_name"] or "").strip(),
            "title": (answers["title"] or "").strip() or None,
            "born_on": answers["born_on"],
            "sex": answers["sex"],
            "gender": (answers["gender"] or "").strip() or None,
            "ethnicity": answers["ethnicity"] or None,
            "ppo": _asked(answers["ppo"]),
        }


class FindForm(Form):
    """Who is it? Looked for before anybody is registered, so that nobody is twice."""

    words = StringField(
        "Name or number",
        [InputRequired(), Length(min=2, max=100)],
        description="Family name, given name, NHS number or prison number",
    )

    def found(self, act: Act) -> list[Patient] | None:
        """Who answers to what was sent; None where nothing was, or it cannot be looked for."""
        if self.validate_on_submit():
            try:
                return list(search(act, self.words.data or ""))
            except Invalid as refusal:
                self.refuse(refusal.detail, [("words", says) for _, says in refusal.faults])
        return None


class SearchForm(Form):
    q = StringField(
        "Name or number", [InputRequired(), Length(max=100)],
        description="Family or given name, an alias, or an NHS, prison, PNC or CRN number",
    )  # fmt: skip


class RegisterForm(_Person):
    nhs_number = StringField("NHS number (if known)", [Length(max=20)], description=HINTS["nhs"])
    prison_number = StringField(
        "Prison number (if known)", [Length(max=20)], description=HINTS["prison"]
    )
    pnc_id = StringField("PNC id (if known)", [Length(max=20)], description=HINTS["pnc"])
    crn = StringField("CRN (if known)", [Length(max=20)], description=HINTS["crn"])

    def numbers(self) -> dict[str, str]:
        typed = {
            "nhs": self.nhs_number, "prison": self.prison_number, "pnc": self.pnc_id,
            "crn": self.crn,
        }  # fmt: skip
        return {kind: field.data or "" for kind, field in typed.items()}


class CorrectForm(_Person):
    died_on = DayField("Date of death", [Optional()])
    reason = StringField("Why is it changed?", [Length(max=300)])
    version = VersionField()


class NumberForm(Form):
    kind = RadioField("Which number?", [InputRequired()], choices=list(IDENTIFIER_KINDS.items()))
    text = StringField("Number", [InputRequired(), Length(max=20)])


class AliasForm(Form):
    family_name = StringField("Family name", [InputRequired(), Length(max=100)])
    given_name = StringField("Given name", [Length(max=100)])


class AlertForm(Form):
    kind = RadioField("Kind", [InputRequired()], choices=list(ALERT_KINDS.items()))
    says = StringField(
        "In words", [Length(max=200)],
        description="Shown on every page of this patient. Leave empty for no known allergies",
    )  # fmt: skip


class ReasonForm(Form):
    reason = TextAreaField("Reason", [InputRequired(), Length(max=500)])


class SureForm(Form):
    """Nothing to type: one button."""


class MergeForm(Form):
    merged_id = IntegerField(
        "Record number of the other record", [InputRequired(), NumberRange(min=1)],
        description="The number shown on its page. This record is kept, the other leads to it",
    )  # fmt: skip
    reason = TextAreaField(
        "How do you know they are one person?", [InputRequired(), Length(max=500)]
    )


class GlassForm(Form):
    reason_code = RadioField(
        "Why do you need this record?", [InputRequired()], choices=list(REASONS.items())
    )
    reason = TextAreaField(
        "In your own words", [InputRequired(), Length(min=SHORTEST_REASON, max=500)]
    )
