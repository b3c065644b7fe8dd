"""The forms of prescribing. Nothing is preset but the time, and a blank answer stays unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from wtforms import (
    Field,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp, StopValidation

from clinic.forms import DayField, Form, MgField, MomentField
from clinic.prescriptions.kinds import (
    ALCOHOL_UNITS,
    CONDITIONS,
    CONFIRMATIONS,
    CONFIRMERS,
    DRUGS,
    FINDINGS,
    MEDICINE_CLASSES,
    METHODS,
    OPIOIDS,
    PHASES,
    PLANS,
    PREGNANCY,
    PRODUCT_NAMES,
    RESULTS,
    SAMPLES,
    SEDATION,
    STATUSES,
    SUBSTANCES,
    TOLERANCES,
    WHOSE_WORD,
)
from clinic.prescriptions.models import OUTCOMES, OVERRIDES, SUPERVISION
from clinic.prescriptions.scales import COWS, COWS_ITEMS, SCALES
from dosing.medicines import PRODUCTS
from dosing.units import as_text

Data = dict[str, Any]
TRUTH = {"yes": True, "no": False}
NONE = "none"
_amount = Regexp(r"\s*[0-9]{1,5}(\.[0-9]{1,3})?\s*")


def _words(codes: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(codes.items())


def _offered(codes: Mapping[str, str]) -> list[tuple[str, str]]:
    return [("", "Choose"), *codes.items()]


def _radio(label: str, codes: Mapping[str, str], needed: bool = True, **more: Any) -> RadioField:
    check = InputRequired() if needed else Optional()
    return RadioField(label, [check], choices=_words(codes), **more)


class YesNoField(RadioField):
    """Yes, no, or not known. `data` is the word; `answer` True, False or None."""

    def __init__(self, label: str, validators: Any = (), **more: Any) -> None:
        super().__init__(
            label, [Optional(), *validators],
            choices=[("yes", "Yes"), ("no", "No"), ("unknown", "Not known")], **more,
        )  # fmt: skip

    @property
    def answer(self) -> bool | None:
        return TRUTH.get(self.data or "")


class AskedField(SelectMultipleField):
    """Several of a list, or "None of these" said in so many words: a blank is not asked."""

    def __init__(self, label: str, codes: Mapping[str, str], **more: Any) -> None:
        super().__init__(label, choices=[*codes.items(), (NONE, "None of these")], **more)

    def pre_validate(self, form: Any) -> None:
        super().pre_validate(form)
        if not self.data:
            raise StopValidation(f"{self.label.text}: tick what applies, or “None of these”")
        if NONE in self.data and len(self.data) > 1:
            raise StopValidation(f"{self.label.text}: “None of these” cannot stand with others")

    @property
    def answer(self) -> list[str]:
        return [each for each in self.data or [] if each != NONE]


def _plain(field: Field) -> Any:
    """A field's answer as the contract writes it; None where nothing was answered."""
    if isinstance(field, YesNoField | AskedField):
        return field.answer
    value = field.data
    if isinstance(value, Decimal):
        return as_text(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        return value.strip() or None
    return value


class EntryForm(Form):
    """One kind of entry. Its fields are named as the contract names them."""

    happened_at = MomentField("When", [InputRequired()])
    note = TextAreaField("Notes", [Optional(), Length(max=2000)])
    reason = TextAreaField(
        "Why is the earlier entry replaced?", [Optional(), Length(max=2000)],
        description="It is struck out and stays on the record.",
    )  # fmt: skip
    OURS = ("csrf_token", "happened_at", "note", "reason")
    LAST = ("happened_at", "note", "reason")

    def content(self) -> Data:
        """What was answered, as an entry holds it."""
        given = {field.name: _plain(field) for field in self if field.name not in self.OURS}
        return {name: value for name, value in given.items() if value is not None}


class AssessmentForm(EntryForm):
    finding = _radio("Outcome", FINDINGS)


class MainDrugsForm(EntryForm):
    whose_word = _radio("Whose word is this?", WHOSE_WORD)
    primary_drug = SelectField("Primary drug", [InputRequired()], choices=_offered(DRUGS))
    secondary_drug = SelectField("Secondary drug", choices=_offered(DRUGS))


class ToleranceForm(EntryForm):
    tolerance = _radio("Tolerance to opioids", TOLERANCES)
    currently_dependent = YesNoField("Dependent on opioids now?")


class MedicalHistoryForm(EntryForm):
    conditions = AskedField("Conditions", CONDITIONS)
    substance_use = AskedField("Other substances used, not prescribed", SUBSTANCES)
    pregnancy_status = _radio("Pregnancy", PREGNANCY, needed=False)
    expected_delivery_on = DayField("Expected delivery, if pregnant", [Optional()])
    children_at_home = YesNoField("Children living in or visiting the home?")
    ever_taken_buprenorphine = YesNoField("Ever taken buprenorphine?")

    def content(self) -> Data:
        given = super().content()
        status = given.pop("pregnancy_status", None)
        due = given.pop("expected_delivery_on", None)
        if status or due:
            given["pregnancy"] = {"status": status, "expected_delivery_on": due}
        return given


class MedicineForm(EntryForm):
    name = StringField("Medicine", [InputRequired(), Length(max=200)])
    classes = SelectMultipleField(
        "What kind of medicine is it?", [InputRequired()], choices=_words(MEDICINE_CLASSES)
    )
    started_on = DayField("First taken on", [Optional()], description="Leave blank if not known")
    stopped_on = DayField("Last taken on, if stopped", [Optional()])
    last_taken_at = MomentField("Last taken at, if known to the hour", [Optional()])


class OpioidUseForm(EntryForm):
    opioid = _radio("Opioid", OPIOIDS)
    name = StringField("Name, if it has another", [Optional(), Length(max=200)])
    last_used_at = MomentField("Last used at", [Optional()], description="If the time is known")
    last_used_on = DayField("Or last used on", [Optional()], description="If only the day is known")
    daily_dose_mg = MgField("Daily dose, if known in mg", [Optional()])


class AskedForm(EntryForm):
    """The topic comes from the address."""


class DrugTestForm(EntryForm):
    sample = _radio("Sample", SAMPLES)
    method = _radio("Tested by", METHODS)
    result = _radio("Result", RESULTS)
    undetectable_opioid = StringField(
        "Opioid used that this kit does not detect", [Optional(), Length(max=200)],
        description="Only if it is documented as not detected",
    )  # fmt: skip
    confirms_id = SelectField("Answers the on-site test of", coerce=str, validate_choice=False)

    def content(self) -> Data:
        given = super().content()
        if "confirms_id" in given:
            given["confirms_id"] = int(given["confirms_id"])
        return given


class _ObservationFields(EntryForm):
    withdrawal_scale = SelectField(
        "Withdrawal scale", choices=[("", "Withdrawal not scored"), *SCALES.items()]
    )
    withdrawal_score = IntegerField(
        "Total, for a scale other than COWS", [Optional(), NumberRange(min=0)]
    )
    sedation = _radio("Sedation", SEDATION, needed=False)
    hard_to_rouse_or_heavy_snoring = YesNoField("Hard to rouse, or snoring heavily?")
    alcohol = StringField("Alcohol reading", [Optional(), _amount])
    alcohol_unit = _radio("Unit of the reading", ALCOHOL_UNITS, needed=False)

    def cows_fields(self) -> list[Field]:
        return [self[f"cows_{item.name}"] for item in COWS_ITEMS]

    def content(self) -> Data:
        given = {k: v for k, v in super().content().items() if not k.startswith("cows_")}
        reading, unit = given.pop("alcohol", None), given.pop("alcohol_unit", None)
        if reading is not None and unit:
            given[unit] = reading
        scores = {
            item.name: int(self[f"cows_{item.name}"].data)
            for item in COWS_ITEMS
            if self[f"cows_{item.name}"].data
        }
        if scores:
            given["cows_items"] = scores
        if given.get("withdrawal_scale") == COWS and "withdrawal_score" not in given:
            given["withdrawal_score"] = sum(scores.values())
        return given

    def validate_alcohol_unit(self, field: Field) -> None:
        if bool(self.alcohol.data and self.alcohol.data.strip()) != bool(field.data):
            raise StopValidation("Unit of the reading: give the reading and its unit together")


ObservationForm = type(
    "ObservationForm",
    (_ObservationFields,),
    {
        f"cows_{item.name}": RadioField(
            item.label, [Optional()],
            choices=[(str(score), f"{score}: {says}") for score, says in item.scores.items()],
        )
        for item in COWS_ITEMS
    },
)  # fmt: skip


class EcgForm(EntryForm):
    qtc_ms = IntegerField("QTc in milliseconds", [InputRequired(), NumberRange(min=1, max=2000)])


class MonitoringPlanForm(EntryForm):
    from_on = DayField("Closer monitoring from", [InputRequired()])
    to_on = DayField("To, that day included", [InputRequired()])


class SteadyDoseForm(EntryForm):
    product = SelectField("Product", [InputRequired()], choices=_offered(PRODUCT_NAMES))
    daily_dose_mg = MgField("Daily dose", [InputRequired()])
    from_on = DayField("Taken daily from", [InputRequired()])
    to_on = DayField("To, that day included", [InputRequired()])
    supervision = _radio("How was it taken?", SUPERVISION, needed=False)


class ConfirmationForm(EntryForm):
    by = _radio("Who was asked?", CONFIRMERS)
    outcome = _radio("Answer", CONFIRMATIONS)
    source = StringField(
        "Source", [InputRequired(), Length(max=300)], description="Who said it, and how"
    )


class CustodyForm(EntryForm):
    remand_or_sentence = _radio("Status", STATUSES)
    sentence_days = IntegerField("Sentence in days", [Optional(), NumberRange(min=1, max=99999)])
    plan = _radio("Plan", PLANS)
    expected_release_on = DayField("Expected release", [Optional()])
    bridging_prescription_on = DayField("Bridging prescription for", [Optional()])
    community_appointment_at = MomentField("Community appointment", [Optional()])

    LIKE: Mapping[str, str] = {"status": "remand_or_sentence"}

    def content(self) -> Data:
        given = super().content()
        return {"status": given.pop("remand_or_sentence", None), **given}


FORMS: dict[str, type[EntryForm]] = {
    "assessment": AssessmentForm,
    "main_drugs": MainDrugsForm,
    "tolerance": ToleranceForm,
    "medical_history": MedicalHistoryForm,
    "medicine": MedicineForm,
    "opioid_use": OpioidUseForm,
    "asked": AskedForm,
    "drug_test": DrugTestForm,
    "observation": ObservationForm,
    "ecg": EcgForm,
    "monitoring_plan": MonitoringPlanForm,
    "steady_dose": SteadyDoseForm,
    "confirmation": ConfirmationForm,
    "custody": CustodyForm,
}


class WhyForm(Form):
    """Something is taken back, and why."""

    reason = TextAreaField("Why?", [InputRequired(), Length(max=2000)])


class SureForm(Form):
    """A button alone."""


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

    product = SelectField("Product", [InputRequired()], choices=_offered(_FOR_TREATMENT))
    phase = _radio("This order is", PHASES)
    dose = StringField(
        "Dose taken at one time", [InputRequired(), _amount],
        description="Figures only. Of a combined tablet, the buprenorphine part.",
    )  # fmt: skip
    unit = _radio("Unit", {MG: "milligrams (mg)", MICROGRAMS: "micrograms"})
    decided_at = MomentField(
        "When is the dose to be taken?", [InputRequired()],
        description="Or the first of them, if it is to be taken several times",
    )  # fmt: skip
    doses_remaining_today = IntegerField(
        "How many such doses are still to be taken that day?",
        [InputRequired(), NumberRange(min=1, max=20)], description="This one included",
    )  # fmt: skip
    replaces_id = RadioField("Earlier decisions in force", coerce=str, validate_choice=False)
    volume_ml = StringField("Volume in ml", [Optional(), _amount])
    strength_mg_per_ml = StringField("Strength in mg per ml", [Optional(), _amount])
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
    administered_by = _radio(
        "Given by",
        {"health_professional": "A health professional", "patient": "The patient"}, needed=False,
    )  # fmt: skip
    once = HiddenField()
    reason_code = _radio("Reason for going on", OVERRIDES, needed=False)
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
            "volume_ml": _plain(self.volume_ml),
            "strength_mg_per_ml": _plain(self.strength_mg_per_ml),
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
                "collect_on": _plain(self.collect_on),
                "daily_until_on": _plain(self.daily_until_on),
                "supervised": self.supervised.answer,
                "take_home_days": self.take_home_days.data,
            }
            given["collections"] = [
                {name: value for name, value in collection.items() if value is not None}
            ]
        return {name: value for name, value in given.items() if value is not None}

    def replaces(self) -> int | None:
        chosen = self.replaces_id.data or ""
        return int(chosen) if chosen.isdigit() else None


class DoseForm(Form):
    """What became of a dose. No outcome is preset."""

    outcome = _radio("What happened?", OUTCOMES)
    consumed_at = MomentField("When?", [InputRequired()])
    dose_mg = MgField("If in part, how much was swallowed?", [Optional()])
    increment = SelectField("Which dose of the day?", coerce=int)
    supervision = _radio("How was it taken?", SUPERVISION, needed=False)
    place = StringField("Where?", [Optional(), Length(max=200)])
    observer = StringField("Seen by", [Optional(), Length(max=200)])
    note = TextAreaField("Notes", [Optional(), Length(max=2000)])


class ElsewhereDoseForm(Form):
    """One dose taken at another service: a claim until it is confirmed."""

    product = SelectField("Product", [InputRequired()], choices=_offered(PRODUCT_NAMES))
    dose_mg = MgField("Dose", [InputRequired()])
    consumed_at = MomentField("When?", [InputRequired()])
    supervision = _radio("How was it taken?", SUPERVISION, needed=False)
    place = StringField("Which service?", [Optional(), Length(max=200)])
    note = TextAreaField("Notes", [Optional(), Length(max=2000)])
