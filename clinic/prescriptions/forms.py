"""The order form. No dose, unit or answer is preset."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from wtforms import (
    Field,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, StopValidation

from clinic.answers import TRUTH, YesNoField, amount, offered, plain, radio
from clinic.assessments.kinds import (
    PHASES,
    PRODUCT_NAMES,
)
from clinic.forms import DayField, Form, MomentField
from clinic.prescriptions.models import OVERRIDES
from clinic.web import row_number
from dosing.medicines import PRODUCTS

Data = dict[str, Any]
MG, MICROGRAMS = "mg", "micrograms"
_TABLETS = re.compile(r"\s*([0-9]{1,5}(?:\.[0-9]{1,3})?)\s*(?:mg)?\s*x\s*([0-9]{1,3})\s*", re.I)


_FOR_TREATMENT = {
    name: words for name, words in PRODUCT_NAMES.items() if PRODUCTS[name].for_treatment
}
"""Linctus, patches and the like stand in no pick list of treatment; over HTTP a rule stops them."""


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in re.split(r"[,;\n]", text or "") if part.strip()]


class OrderForm(Form):
    """A dose as the prescriber states it. No dose, unit or answer is preset."""

    product = SelectField("Product", [InputRequired()], choices=offered(_FOR_TREATMENT))
    phase = radio("This order is", PHASES)
    dose = StringField(
        "Dose taken at one time", [InputRequired(), amount],
        description="Figures only. Of a combined tablet, the buprenorphine part.",
    )  # fmt: skip
    unit = radio("Unit", {MG: "milligrams (mg)", MICROGRAMS: "micrograms"})
    decided_at = MomentField(
        "When is the dose to be taken?", [InputRequired()],
        description="Or the first of them, if it is to be taken several times",
    )  # fmt: skip
    doses_remaining_today = IntegerField(
        "How many such doses are still to be taken that day?",
        [InputRequired(), NumberRange(min=1, max=20)], description="This one included",
    )  # fmt: skip
    replaces_id = RadioField("Earlier decisions in force", coerce=str, validate_choice=False)
    volume_ml = StringField("Volume in ml", [Optional(), amount])
    strength_mg_per_ml = StringField("Strength in mg per ml", [Optional(), amount])
    diluted = YesNoField("Diluted before it is given?")
    tablets = StringField(
        "Tablets", [Optional(), Length(max=200)],
        description="Strength in mg x number, several separated by commas",
    )  # fmt: skip
    stocked = StringField(
        "Strengths stocked here, in mg", [Optional(), Length(max=200)],
        description="For sublingual tablets: every strength kept, separated by commas",
    )  # fmt: skip
    collect_on = DayField("First collected or taken on", [Optional()])
    daily_until_on = DayField(
        "Collected daily until", [Optional()], description="Leave blank for one collection"
    )
    supervised = YesNoField("Taken under supervision?")
    take_home_days = IntegerField(
        "Take-home days at each collection", [Optional(), NumberRange(min=0, max=366)]
    )
    in_possession = YesNoField("Held in possession?")
    administered_by = radio(
        "Given by",
        {"health_professional": "A health professional", "patient": "The patient"}, needed=False,
    )  # fmt: skip
    once = HiddenField()
    reason_code = radio("Reason for going on", OVERRIDES, needed=False)
    reason = TextAreaField("Say why", [Optional(), Length(max=2000)])

    LIKE: Mapping[str, str] = {
        "dose_mg": "dose", "dose_micrograms": "dose", "dose_without_unit": "dose",
        "collections": "collect_on", "stocked_strengths_mg": "stocked", "supply": "collect_on",
    }  # fmt: skip

    def validate_tablets(self, field: Field) -> None:
        if any(_TABLETS.fullmatch(part) is None for part in _listed(field.data)):
            raise StopValidation(
                "Tablets must be written as strength x number, separated by commas"
            )

    def validate_stocked(self, field: Field) -> None:
        if any(
            not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", part) for part in _listed(field.data)
        ):
            raise StopValidation(
                "Strengths stocked here must be numbers of mg, separated by commas"
            )

    def validate_supervised(self, field: Field) -> None:
        if self.collect_on.data is not None and TRUTH.get(field.data or "") is None:
            raise StopValidation("Taken under supervision?: choose yes or no for the collection")

    def order(self) -> Data:
        """The contract's order."""
        unit = {MG: "dose_mg", MICROGRAMS: "dose_micrograms"}[self.unit.data]
        given: Data = {
            "product": self.product.data,
            "phase": self.phase.data,
            unit: self.dose.data.strip(),
            "doses_remaining_today": self.doses_remaining_today.data,
            "volume_ml": plain(self.volume_ml),
            "strength_mg_per_ml": plain(self.strength_mg_per_ml),
            "diluted": self.diluted.answer,
            "stocked_strengths_mg": _listed(self.stocked.data) or None,
            "tablets": [
                {"strength_mg": found[1], "count": int(found[2])}
                for part in _listed(self.tablets.data)
                if (found := _TABLETS.fullmatch(part))
            ]
            or None,
        }
        return {name: value for name, value in given.items() if value is not None}

    def supply(self) -> Data:
        """The contract's supply: the one collection of this form, repeated daily if said."""
        given: Data = {
            "in_possession": self.in_possession.answer,
            "administered_by": self.administered_by.data or None,
        }
        if self.collect_on.data is not None:
            collection = {
                "collect_on": plain(self.collect_on),
                "daily_until_on": plain(self.daily_until_on),
                "supervised": self.supervised.answer,
                "take_home_days": self.take_home_days.data,
            }
            given["collections"] = [
                {name: value for name, value in collection.items() if value is not None}
            ]
        return {name: value for name, value in given.items() if value is not None}

    def replaces(self) -> int | None:
        return row_number(self.replaces_id.data)
