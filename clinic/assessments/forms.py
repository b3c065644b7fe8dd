"""The forms of the assessment. Nothing is preset but the time; a blank answer stays unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import (
    BooleanField,
    Field,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, StopValidation

from clinic.answers import AskedField, YesNoField, amount, offered, plain, radio, words
from clinic.assessments import words as coded
from clinic.assessments.kinds import (
    ALCOHOL_UNITS,
    ASKED,
    CONDITIONS,
    CONFIRMATIONS,
    DRUGS,
    FINDINGS,
    MEDICINE_CLASSES,
    METHODS,
    OPIOIDS,
    PLANS,
    PREGNANCY,
    PRODUCT_NAMES,
    RESULTS,
    SAMPLES,
    SEDATION,
    STATUSES,
    SUBSTANCES,
    TOLERANCES,
)
from clinic.assessments.scales import COWS, COWS_ITEMS, SCALES
from clinic.consumption.models import SUPERVISION
from clinic.forms import DayField, Form, MgField, MomentField
from dosing.request import SCALE_TOPS
from scheduling import assessment

Data = dict[str, Any]


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
        given = {
            field.name: plain(field)
            for field in self
            if field.name not in self.OURS and (field.data or isinstance(field, AskedField))
        }
        return {name: value for name, value in given.items() if value is not None}


class AssessmentForm(EntryForm):
    finding = radio("Outcome", FINDINGS)


class MainDrugsForm(EntryForm):
    """Whose word it is comes from the address."""

    primary_drug = SelectField("Primary drug", [InputRequired()], choices=offered(DRUGS))
    secondary_drug = SelectField("Secondary drug", choices=offered(DRUGS))


class ToleranceForm(EntryForm):
    tolerance = radio("Tolerance to opioids", TOLERANCES)
    currently_dependent = YesNoField("Dependent on opioids now?")


class MedicalHistoryForm(EntryForm):
    conditions = AskedField("Conditions", CONDITIONS)
    substance_use = AskedField("Other substances used, not prescribed", SUBSTANCES)
    stimulants = AskedField(
        "Stimulants used", {each: DRUGS[each] for each in assessment.STIMULANTS}
    )
    serious_poly_substance = YesNoField(
        "Is the use of more than one substance serious, in your judgement?"
    )
    pregnancy_status = radio("Pregnancy", PREGNANCY, needed=False)
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
        "What kind of medicine is it?", [InputRequired()], choices=words(MEDICINE_CLASSES)
    )
    started_on = DayField("First taken on", [Optional()], description="Leave blank if not known")
    stopped_on = DayField("Last taken on, if stopped", [Optional()])
    last_taken_at = MomentField("Last taken at, if known to the hour", [Optional()])


class OpioidUseForm(EntryForm):
    opioid = radio("Opioid", OPIOIDS)
    name = StringField("Name, if it has another", [Optional(), Length(max=200)])
    last_used_at = MomentField("Last used at", [Optional()], description="If the time is known")
    last_used_on = DayField("Or last used on", [Optional()], description="If only the day is known")
    daily_dose_mg = MgField("Daily dose, if known in mg", [Optional()])


class AskedForm(EntryForm):
    """The topic comes from the address."""


class DrugTestForm(EntryForm):
    sample = radio("Sample", SAMPLES)
    method = radio("Tested by", METHODS)
    result = radio("Result", RESULTS)
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
    LIKE: Mapping[str, str] = dict.fromkeys(ALCOHOL_UNITS, "alcohol")
    withdrawal_scale = SelectField(
        "Withdrawal scale",
        choices=[
            ("", "Withdrawal not scored"),
            *((scale, f"{says}, 0 to {SCALE_TOPS[scale]}") for scale, says in SCALES.items()),
        ],
        description="Two scales are never compared: 10 on one is not 10 on another",
    )
    withdrawal_score = IntegerField(
        "Total, for a scale other than COWS", [Optional(), NumberRange(min=0)]
    )
    sedation = radio("Sedation", SEDATION, needed=False)
    hard_to_rouse_or_heavy_snoring = YesNoField("Hard to rouse, or snoring heavily?")
    clinical_view = radio("Intoxicated, in your view?", coded.CLINICAL_VIEWS, needed=False)
    alcohol = StringField("Alcohol reading", [Optional(), amount])
    alcohol_unit = radio("Unit of the reading", ALCOHOL_UNITS, needed=False)
    reading_checked = BooleanField("I have checked this reading and its unit on the device")

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
    product = SelectField("Product", [InputRequired()], choices=offered(PRODUCT_NAMES))
    daily_dose_mg = MgField("Daily dose", [InputRequired()])
    from_on = DayField("Taken daily from", [InputRequired()])
    to_on = DayField("To, that day included", [InputRequired()])
    supervision = radio("How was it taken?", SUPERVISION, needed=False)
    prescriber = StringField("Who prescribed it?", [Optional(), Length(max=200)])
    pharmacy = StringField("Where was it collected or given?", [Optional(), Length(max=200)])


class ConfirmationForm(EntryForm):
    by = radio("Who was asked?", ASKED)
    outcome = radio("Answer", CONFIRMATIONS)
    source = StringField(
        "Source", [InputRequired(), Length(max=300)], description="Who said it, and how"
    )


class CustodyForm(EntryForm):
    remand_or_sentence = radio("Status", STATUSES)
    sentence_days = IntegerField("Sentence in days", [Optional(), NumberRange(min=1, max=99999)])
    plan = radio("Plan", PLANS)
    expected_release_on = DayField("Expected release", [Optional()])
    bridging_prescription_on = DayField("Bridging prescription for", [Optional()])
    community_appointment_at = MomentField("Community appointment", [Optional()])

    LIKE: Mapping[str, str] = {"status": "remand_or_sentence"}

    def content(self) -> Data:
        given = super().content()
        return {"status": given.pop("remand_or_sentence", None), **given}


class MentalHealthForm(EntryForm):
    problems = AskedField("Mental health problems, now or before", coded.MENTAL_HEALTH)


class SocialForm(EntryForm):
    needs = AskedField("Social needs", coded.SOCIAL)


class PregnancyTestForm(EntryForm):
    offer = radio("Was a pregnancy test offered?", coded.PREGNANCY_OFFERS)
    result = radio("Result", coded.PREGNANCY_RESULTS, needed=False)


class ContestForm(EntryForm):
    """The test comes from the address."""

    by = radio("Who contests the result?", coded.CONTESTED_BY)
    why = radio("Why?", coded.CONTESTED_WHY)


class RiskForm(EntryForm):
    risk = radio("Risk", assessment.RISKS)


class RiskActionForm(EntryForm):
    """The risk comes from the address; only actions that answer it are offered."""

    action = radio("Action", {})
    owner_id = SelectField("Who sees to it?", [InputRequired()], coerce=str, validate_choice=False)
    due_on = DayField("By when", [InputRequired()])

    def content(self) -> Data:
        return {**super().content(), "owner_id": int(self.owner_id.data)}


class ActionDoneForm(EntryForm):
    """The action comes from the address."""

    how = radio("How did it end?", coded.ACTION_ENDS)


class ConsentForm(EntryForm):
    decision = radio("Decision", coded.CONSENTS)
    information = SelectMultipleField("Information given about", choices=words(coded.INFORMATION))
    language = SelectField("In which language?", choices=offered(coded.LANGUAGES))
    formats = SelectMultipleField("In which form?", choices=words(coded.FORMATS))


class FollowUpForm(EntryForm):
    dose_increases_on = DayField("Next review of the dose", [InputRequired()])
    assessment_on = DayField("Assessment continued on", [InputRequired()])
    care_plan_on = DayField(
        "Care plan for mental and physical health made or reviewed on", [InputRequired()]
    )


class HelpForm(EntryForm):
    """The item comes from the address."""

    response = radio(
        "What happened?", {k: v for k, v in coded.RESPONSES.items() if k != coded.HEARD_BEFORE}
    )


class ReminderForm(EntryForm):
    """The overdose reminder: complete only with what the person said or did."""

    response = radio("What happened?", coded.RESPONSES)
    points = SelectMultipleField(
        "What did they say or do, that you checked?", choices=words(assessment.REMINDER_POINTS),
        description="Having heard it before is not enough: say what was checked",
    )  # fmt: skip


class OutcomeForm(EntryForm):
    outcome = radio("Outcome", coded.OUTCOMES)
    why = radio("Reason, unless suitable", coded.OUTCOME_REASONS, needed=False)
    medicine = radio("Medicine planned, if suitable", coded.MEDICINES, needed=False)
    longer_assessment = radio(
        "A longer assessment first, if there is a mental health problem",
        coded.LONGER_ASSESSMENT, needed=False,
    )  # fmt: skip
    next_review_on = DayField(
        "Next review", [Optional()], description="Needed when the patient is not dependent"
    )


_WHERE = radio("Where did they arrive?", coded.ARRIVALS)
"""Made before the questions it stands above: fields are shown in the order they are made."""


class ArrestForm(EntryForm):
    """Asked in police custody."""

    in_treatment = YesNoField("Do they say that they are in treatment?")
    dose_taken_today = YesNoField(
        "Was a substitute taken today, before they came?",
        description="Unless the answer is yes or no, no dose is given here on this day",
    )  # fmt: skip
    surgery = StringField("GP and surgery", [Optional(), Length(max=200)])
    prescriber_continues = YesNoField("Will the original prescriber go on prescribing?")
    community_prescription = radio(
        "What becomes of the prescription outside?", coded.COMMUNITY_PRESCRIPTIONS, needed=False
    )
    told = StringField(
        "Who was told that it is stopped, or kept?", [Optional(), Length(max=200)],
        description="Name, team, and when",
    )  # fmt: skip
    overdose_information = YesNoField("Was overdose and harm-reduction information given?")


class ArrivalForm(ArrestForm):
    """Asked at reception, or back outside."""

    where = _WHERE


class OnwardForm(EntryForm):
    continues = RadioField(
        "Will prescribing go on after release?", [InputRequired()],
        choices=[("yes", "Yes"), ("no", "No")],
    )  # fmt: skip
    instead = radio("If not, what is done about it?", coded.INSTEAD, needed=False)
    confirmed = YesNoField(
        "Has the community worker confirmed the dose and who prescribes after release?"
    )
    source = StringField(
        "Who confirmed it, and what did they say?", [Optional(), Length(max=300)],
        description="Worker and team; the dose they have on record; the prescriber",
    )  # fmt: skip

    def content(self) -> Data:
        return {**super().content(), "continues": self.continues.data == "yes"}


class ArrestReviewForm(EntryForm):
    """The arrest comes from the address."""

    finding = radio("What does the arrest point to?", coded.ARREST_FINDINGS)


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
    "mental_health": MentalHealthForm,
    "social": SocialForm,
    "pregnancy_test": PregnancyTestForm,
    "contest": ContestForm,
    "risk": RiskForm,
    "risk_action": RiskActionForm,
    "action_done": ActionDoneForm,
    "consent": ConsentForm,
    "follow_up": FollowUpForm,
    "help": HelpForm,
    "outcome": OutcomeForm,
    "arrest": ArrestForm,
    "arrest_review": ArrestReviewForm,
    "arrival": ArrivalForm,
    "onward": OnwardForm,
}
