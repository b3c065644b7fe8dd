"""The forms of doses taken. No outcome is preset."""

from __future__ import annotations

from typing import Any

from wtforms import (
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from clinic.answers import offered, radio
from clinic.assessments.kinds import (
    PRODUCT_NAMES,
)
from clinic.consumption.models import OUTCOMES, SUPERVISION
from clinic.forms import Form, MgField, MomentField

Data = dict[str, Any]


class DoseForm(Form):
    """What became of a dose. No outcome is preset."""

    outcome = radio("What happened?", OUTCOMES)
    consumed_at = MomentField("When?", [InputRequired()])
    dose_mg = MgField("If in part, how much was swallowed?", [Optional()])
    increment = SelectField("Which dose of the day?", coerce=int)
    supervision = radio("How was it taken?", SUPERVISION, needed=False)
    place = StringField("Where?", [Optional(), Length(max=200)])
    observer = StringField("Seen by", [Optional(), Length(max=200)])
    note = TextAreaField("Notes", [Optional(), Length(max=2000)])


class ElsewhereDoseForm(Form):
    """One dose taken at another service: a claim until it is confirmed."""

    product = SelectField("Product", [InputRequired()], choices=offered(PRODUCT_NAMES))
    dose_mg = MgField("Dose", [InputRequired()])
    consumed_at = MomentField("When?", [InputRequired()])
    supervision = radio("How was it taken?", SUPERVISION, needed=False)
    place = StringField("Which service?", [Optional(), Length(max=200)])
    note = TextAreaField("Notes", [Optional(), Length(max=2000)])
