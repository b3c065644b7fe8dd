"""What can be recorded before a dose, and what must each thing look like?

The words are the dose-check contract's. What the contract also knows is read by the contract's own
reader, placed in an otherwise empty request, so nothing can be recorded that a check would later
refuse to read. What is ours alone (which laboratory, whose word) has its own small shape.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from clinic.assessments import words
from clinic.assessments.scales import COWS, COWS_ITEMS, cows_total
from dosing import alcohol
from dosing.check import rulebook
from dosing.days import london_day
from dosing.reading import read_request
from dosing.request import RULE_SETS
from dosing.rulebook import RuleVersion
from dosing.shape import Day, ListOf, OneOf, Record, Refused, Required, Text, Whole, YesNo
from dosing.shape import Kind as Shape
from scheduling import assessment

CONSENT = "consent"
FINDING_ITEMS = {
    "opioid_use_history": "History of opioid and other drug use, prescriptions included",
    "dependence_evidence": "Evidence of dependence",
    "physical_examination": "Physical examination",
    "mental_state": "Mental state",
    "risk_assessment": "Risk assessment",
}
GATE_ITEMS = {**FINDING_ITEMS, CONSENT: "Consent, with information given"}
"""What must be recorded before a first dose (G-AS-01). Consent is an entry of its own kind."""
ITEMS = {
    **FINDING_ITEMS,
    "prescriber_assessed": "Assessed by the prescriber",
    "retitration_plan": "Re-titration plan for a change of product",
    "safe_storage": "Safe storage at home arranged",
    "specialist_review": "Specialist review of a pregnancy",
    "buprenorphine_plan": "Induction plan for buprenorphine, with preparation time",
    "informed_choice": "Informed choice of maintenance or detoxification",
    "maintenance_justified": "Maintenance reviewed and justified",
    "naloxone_offered": "Naloxone and overdose advice offered",
    "review_day_5": "Clinical review, day 5",
    "review_day_28": "Clinical review, day 28",
    "review_week_13": "Clinical review, week 13",
}
IN_PRISON_ONLY = (
    "informed_choice", "maintenance_justified", "review_day_5", "review_day_28", "review_week_13",
)  # fmt: skip
WORKERS_ITEMS = ("opioid_use_history", "risk_assessment", "safe_storage", "naloxone_offered")
"""Parts a drugs worker or keyworker may record; the others are a clinician's."""
FINDINGS = {
    "nothing_of_concern": "Done, nothing of concern",
    "concern": "Done, with a concern described below",
}
TOLERANCES = {"high": "High", "moderate": "Moderate", "low": "Low", "uncertain": "Uncertain"}
CONDITIONS = {
    "acute_respiratory_depression": "Acute respiratory depression",
    "acute_asthma_attack": "Acute asthma attack",
    "severe_respiratory_insufficiency": "Severe respiratory insufficiency",
    "copd_stable": "COPD, stable",
    "other_respiratory_disease": "Other respiratory disease",
    "coma": "Coma",
    "head_injury": "Head injury",
    "raised_intracranial_pressure": "Raised intracranial pressure",
    "paralytic_ileus": "Paralytic ileus",
    "hepatic_impairment_moderate": "Liver impairment, moderate",
    "hepatic_impairment_severe": "Liver impairment, severe",
    "renal_impairment_severe": "Kidney impairment, severe",
    "frailty_or_older_age": "Frailty or older age",
    "recent_loss_of_tolerance": "Recent loss of tolerance",
    "acute_alcohol_intoxication": "Acute alcohol intoxication",
    "delirium_tremens": "Delirium tremens",
    "heart_disease": "Heart disease",
    "electrolyte_disturbance": "Electrolyte disturbance",
}
SUBSTANCES = {
    "benzodiazepine": "Benzodiazepine, not prescribed",
    "alcohol": "Alcohol",
    "gabapentinoid": "Gabapentinoid, not prescribed",
    "other_sedative": "Other sedative, not prescribed",
}
PREGNANCY = {
    "pregnant": "Pregnant",
    "not_pregnant": "Not pregnant",
    "not_possible": "Pregnancy not possible",
    "unknown": "Not known",
}
MEDICINE_CLASSES = {
    "benzodiazepine_or_z_drug": "Benzodiazepine or Z-drug",
    "gabapentinoid": "Gabapentinoid",
    "other_sedative": "Other sedative",
    "monoamine_oxidase_inhibitor": "Monoamine-oxidase inhibitor",
    "cyp3a4_inhibitor": "CYP3A4 inhibitor",
    "other_metabolic_inhibitor": "Other inhibitor of methadone's metabolism",
    "enzyme_inducer": "Enzyme inducer",
    "qt_prolonging": "QT-prolonging",
    "opioid_agonist": "Opioid agonist",
    "naltrexone_oral": "Naltrexone by mouth",
    "other": "None of these",
}
TOPICS = {
    "medicines": "Medicines, prescribed or bought: the list here is whole",
    "opioid_use": "Opioid use outside treatment: the list here is whole",
    "treatment_elsewhere": "Treatment elsewhere, now or before: the list here is whole",
}
DRUGS = {
    "heroin": "Heroin",
    "crack": "Crack cocaine",
    "cocaine": "Cocaine powder",
    "methadone": "Methadone, not prescribed",
    "buprenorphine": "Buprenorphine, not prescribed",
    "other_opioid": "Other opioid",
    "benzodiazepine": "Benzodiazepine",
    "alcohol": "Alcohol",
    "cannabis": "Cannabis",
    "amphetamine": "Amphetamine",
    "other": "Other",
    "none": "None",
}
WHOSE_WORD = {"patient": "the patient's own statement", "worker": "the worker's judgement"}
SAMPLES = {"urine": "Urine", "oral_fluid": "Oral fluid"}
METHODS = {"on_site": "On-site kit (can be contested)", "laboratory": "Laboratory"}
RESULTS = {
    "opioid_positive": "Positive for opioids",
    "opioid_negative": "Negative for opioids",
    "pending": "Result awaited",
}
SEDATION = {
    "1": "1: awake and alert",
    "2": "2: slightly drowsy, wakes easily",
    "3": "3: often drowsy, drifts off while talking",
    "4": "4: hardly or not rousable",
    "S": "S: asleep, wakes easily",
}
ALCOHOL_UNITS = {
    "breath_alcohol_micrograms_per_100ml": "micrograms per 100 ml of breath",
    "breath_alcohol_mg_per_l": "mg per litre of breath",
    "blood_alcohol_mg_per_100ml": "mg per 100 ml of blood",
}
OPIOIDS = {
    "heroin": "Heroin",
    "other_short_acting": "Other short-acting opioid",
    "methadone": "Methadone",
    "buprenorphine": "Buprenorphine",
    "other_long_acting": "Other long-acting opioid",
}
PRODUCT_NAMES = {
    "methadone_oral_solution": "Methadone oral solution",
    "methadone_tablets": "Methadone tablets",
    "methadone_linctus": "Methadone linctus (for cough)",
    "methadone_injection": "Methadone injection",
    "buprenorphine_sublingual": "Buprenorphine sublingual tablets",
    "buprenorphine_naloxone_sublingual": "Buprenorphine with naloxone, sublingual tablets",
    "buprenorphine_lyophilisate": "Buprenorphine oral lyophilisate",
    "buprenorphine_depot_weekly": "Buprenorphine depot injection, weekly",
    "buprenorphine_depot_monthly": "Buprenorphine depot injection, monthly",
    "buprenorphine_analgesic_tablets": "Buprenorphine tablets for pain",
    "buprenorphine_patch": "Buprenorphine patch (for pain)",
    "buprenorphine_injection": "Buprenorphine short-acting injection",
}
PHASES = {
    "induction": "Induction",
    "maintenance": "Maintenance",
    "reduction": "Reduction",
    "re_induction": "Re-induction after missed doses",
    "continuation": "Continuation of a dose from elsewhere",
}
CONFIRMERS = {"prescriber": "The prescriber elsewhere", "pharmacy": "The pharmacy elsewhere"}
ASKED = {**CONFIRMERS, "surgery": "The GP surgery"}
"""Whoever may be asked about treatment elsewhere. Only the confirmers' word makes a dose count."""
CONFIRMATIONS = {
    "verified": "Verified: dose, last day taken and supervision confirmed",
    "pending": "Asked, answer awaited",
    "unobtainable": "Cannot be obtained",
}
STATUSES = {"remand": "On remand", "sentenced": "Sentenced"}
PLANS = {
    "stabilisation": "Stabilisation",
    "detoxification": "Detoxification",
    "maintenance_open_ended": "Maintenance, open-ended",
    "maintenance_time_limited": "Maintenance, time-limited",
}

Data = dict[str, Any]
ROW = Whole(least=1, most=2**31 - 1)
CLINICAL, WORKERS, PRESCRIBERS = "prescribing.assess", "assessments.record", "prescribing.prescribe"


@dataclass(frozen=True)
class Kind:
    """One kind of entry.

    `place` puts the entry into an otherwise empty request and says at which path it stands there;
    `own` are the fields the contract does not know; `also` checks what needs more than one field.
    `right`: who may record it. `finding`: does it tell of the person on a day, so that an
    assessment begins or goes on with it?
    """

    name: str
    says: str
    slug: str
    place: Callable[[Data, str], tuple[Data, str]] | None = None
    own: Mapping[str, Shape | Required] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    also: Callable[[Data], None] | None = None
    right: str = CLINICAL
    finding: bool = False

    def in_contract(self, data: Data) -> Data:
        """The fields of an entry that a dose check reads."""
        return {name: value for name, value in data.items() if name not in self.own}

    def read(self, data: Data, happened_at: datetime) -> None:
        """Refused names the field at fault, as the entry itself calls it."""
        own = {name: value for name, value in data.items() if name in self.own}
        theirs = self.in_contract(data)
        Record(dict, self.own).read(own, "")
        for name in self.needs:
            if data.get(name) is None:
                raise Refused(name, "is required")
        if self.place is None:
            Record(dict, {}).read(theirs, "")
        else:
            patch, path = self.place(theirs, happened_at.isoformat())
            try:
                read_request({**_EMPTY, "decided_at": happened_at.isoformat(), **patch})
            except Refused as refused:
                raise Refused(
                    refused.field.removeprefix(path).lstrip("."), refused.message
                ) from refused
        if self.also is not None:
            self.also(data)


_PERSON = {
    "date_of_birth": "1900-01-01", "sex": "unknown", "conditions": [], "medicines": [],
    "substance_use": [],
}  # fmt: skip
_EMPTY: Data = {
    "case": "", "rule_set": "uk-2017", "setting": "hospital", "patient": _PERSON,
    "prescriber": {"experienced": False}, "opioid_use": [],
    "order": {"product": "methadone_oral_solution", "phase": "maintenance", "dose_mg": "1"},
}  # fmt: skip


def _assessment(data: Data, at: str) -> tuple[Data, str]:
    return {"assessment": data}, "assessment"


def _plan(data: Data, at: str) -> tuple[Data, str]:
    return {"assessment": {"sedative_monitoring_plan": data}}, "assessment.sedative_monitoring_plan"


def _history(data: Data, at: str) -> tuple[Data, str]:
    for name in ("date_of_birth", "sex", "medicines", "ecgs"):
        if name in data:
            raise Refused(name, "is not part of the medical history")
    return {"patient": {**_PERSON, **data}}, "patient"


def _medicine(data: Data, at: str) -> tuple[Data, str]:
    return {"patient": {**_PERSON, "medicines": [data]}}, "patient.medicines[0]"


def _ecg(data: Data, at: str) -> tuple[Data, str]:
    on = london_day(datetime.fromisoformat(at)).isoformat()
    return {"patient": {**_PERSON, "ecgs": [{**data, "recorded_on": on}]}}, "patient.ecgs[0]"


def _drug_test(data: Data, at: str) -> tuple[Data, str]:
    return {"drug_tests": [{**data, "sample_taken_at": at}]}, "drug_tests[0]"


def _observation(data: Data, at: str) -> tuple[Data, str]:
    return {"observations": [{**data, "at": at}]}, "observations[0]"


def _opioid_use(data: Data, at: str) -> tuple[Data, str]:
    return {"opioid_use": [data]}, "opioid_use[0]"


def _steady_dose(data: Data, at: str) -> tuple[Data, str]:
    placed = {**data, "recorded_by": "elsewhere"}
    return {"treatment_history": {"steady_doses": [placed]}}, "treatment_history.steady_doses[0]"


def _custody(data: Data, at: str) -> tuple[Data, str]:
    return {
        "setting": "prison",
        "supply": {"in_possession": False},
        "prison": {**data, "received_at": at},
    }, "prison"


class _CowsScores:
    """Each item's score, or refused by the item's name."""

    def read(self, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise Refused(path, "must give the score of each item")
        try:
            cows_total(value)
        except ValueError as error:
            name, _, says = str(error).partition(" ")
            raise Refused(f"{path}.{name}", says) from error
        return value

    def schema(self) -> Data:
        return {
            "type": ["object", "null"],
            "additionalProperties": False,
            "required": [item.name for item in COWS_ITEMS],
            "properties": {item.name: {"enum": list(item.scores)} for item in COWS_ITEMS},
        }


def _cows_agrees(data: Data) -> None:
    """A COWS score comes with its items, whose sum it is; items come with a COWS score."""
    scores, on_cows = data.get("cows_items"), data.get("withdrawal_scale") == COWS
    if on_cows and scores is None:
        raise Refused("cows_items", "are required: COWS is recorded item by item")
    if scores is not None and not on_cows:
        raise Refused("withdrawal_scale", "must be cows where its items are given")
    if scores is not None and data.get("withdrawal_score") != cows_total(scores):
        raise Refused("withdrawal_score", f"must be the sum of the items, {cows_total(scores)}")


def _observation_agrees(data: Data) -> None:
    _cows_agrees(data)
    unit = next((each for each in alcohol.UNITS if data.get(each) is not None), None)
    if unit is None or data.get("reading_checked"):
        return
    breath = in_micrograms(data, unit)
    if assessment.hardly_possible(breath):
        same = ", ".join(
            f"{amount.normalize():f} {ALCOHOL_UNITS[each]}"
            for each, amount in alcohol.in_every_unit(breath, alcohol_units()).items()
        )
        raise Refused(unit, f"would be {same}. Check the unit, then say that it was checked")


def in_micrograms(data: Data, unit: str) -> Decimal:
    """The alcohol reading of an observation, in micrograms per 100 ml of breath."""
    return alcohol.micrograms(Decimal(data[unit]), unit, alcohol_units())


def alcohol_units() -> RuleVersion:
    """What the units are worth in one another; the same in every rule set."""
    return rulebook().defined(RULE_SETS[-1], date.max)["alcohol-units"]


def _pregnancy_agrees(data: Data) -> None:
    if (data["offer"] == "done") != (data.get("result") is not None):
        raise Refused("result", "goes with a test that was done, and only with one")


def _outcome_agrees(data: Data) -> None:
    outcome, fits = data["outcome"], words.REASON_FITS[data["outcome"]]
    if fits and data.get("why") not in fits:
        raise Refused("why", f"must be one of: {', '.join(fits)}")
    if not fits and data.get("why") is not None:
        raise Refused("why", "is not asked for this outcome")
    if (outcome == words.SUITABLE) != (data.get("medicine") is not None):
        raise Refused("medicine", "is required for a rapid start, and only then")
    if outcome == words.NOT_DEPENDENT and data.get("next_review_on") is None:
        raise Refused("next_review_on", "is required")


def _help_agrees(data: Data) -> None:
    reminder, points = data["item"] == assessment.REMINDER, data.get("points")
    if data["response"] == words.HEARD_BEFORE and not reminder:
        raise Refused("response", "is only for the overdose reminder")
    if points and not reminder:
        raise Refused("points", "are only for the overdose reminder")
    if reminder and data["response"] == words.GIVEN and not points:
        raise Refused("points", "must say what they said or did that was checked")


def _arrival_agrees(data: Data) -> None:
    settled = data.get("community_prescription") in ("stopped", "kept")
    if settled and data.get("told") is None:
        raise Refused("told", "must say who was told that it is stopped, or kept")
    if not settled and data.get("told") is not None:
        raise Refused("told", "goes with a prescription that is stopped or kept on purpose")


def _onward_agrees(data: Data) -> None:
    if data["continues"] and data.get("instead") is not None:
        raise Refused("instead", "is only asked where prescribing does not go on")
    if (data.get("confirmed") is True) != (data.get("source") is not None):
        raise Refused("source", "goes with a confirmation: say who gave it, and what they said")


def _consent_agrees(data: Data) -> None:
    if data["decision"] != "given":
        return
    for name in ("information", "language", "formats"):
        if not data.get(name):
            raise Refused(name, "is required: consent is given on information")


def _some(codes: Mapping[str, str]) -> ListOf:
    return ListOf(OneOf(*codes))


def _own_only(
    name: str, says: str, slug: str, own: Mapping[str, Shape | Required],
    right: str = WORKERS, also: Callable[[Data], None] | None = None, finding: bool = False,
) -> Kind:  # fmt: skip
    return Kind(name, says, slug, own=own, right=right, also=also, finding=finding)


_ON_ARRIVAL: Mapping[str, Shape | Required] = {
    "in_treatment": YesNo(), "dose_taken_today": YesNo(), "surgery": Text(),
    "prescriber_continues": YesNo(),
    "community_prescription": OneOf(*words.COMMUNITY_PRESCRIPTIONS), "told": Text(),
    "overdose_information": YesNo(),
}  # fmt: skip
"""What is asked of whoever comes from elsewhere: in police custody, on a first night, back outside."""

KINDS = {
    kind.name: kind
    for kind in (
        Kind("assessment", "Assessment", "assessments",
             own={"item": Required(OneOf(*ITEMS)), "finding": Required(OneOf(*FINDINGS))},
             right=WORKERS, finding=True),
        Kind("main_drugs", "Main drugs", "main-drugs",
             own={"whose_word": Required(OneOf(*WHOSE_WORD)),
                  "primary_drug": Required(OneOf(*DRUGS)), "secondary_drug": OneOf(*DRUGS)},
             right=WORKERS, finding=True),
        Kind("tolerance", "Tolerance and dependence now", "tolerance", _assessment,
             needs=("tolerance",), finding=True),
        Kind("medical_history", "Health, home and other substances", "medical-history", _history,
             own={"ever_taken_buprenorphine": YesNo(),
                  "stimulants": ListOf(OneOf(*assessment.STIMULANTS)),
                  "serious_poly_substance": YesNo()},
             needs=("conditions", "substance_use"), finding=True),
        Kind("medicine", "Medicine", "medicines", _medicine, right=WORKERS),
        Kind("opioid_use", "Opioid use outside treatment", "opioid-use", _opioid_use,
             right=WORKERS, finding=True),
        Kind("asked", "Asked, and the list is whole", "asked",
             own={"topic": Required(OneOf(*TOPICS))}, right=WORKERS),
        Kind("drug_test", "Drug test", "drug-tests", _drug_test,
             own={"method": Required(OneOf(*METHODS)), "confirms_id": ROW},
             finding=True),
        Kind("observation", "Observation", "observations", _observation,
             own={"cows_items": _CowsScores(), "clinical_view": OneOf(*words.CLINICAL_VIEWS),
                  "reading_checked": YesNo()},
             also=_observation_agrees, finding=True),
        Kind("ecg", "ECG", "ecgs", _ecg),
        Kind("monitoring_plan", "Monitoring plan beside a sedative", "monitoring-plans", _plan),
        Kind("steady_dose", "Daily dose taken elsewhere", "doses-elsewhere", _steady_dose,
             own={"prescriber": Text(), "pharmacy": Text()}, right=WORKERS),
        Kind("confirmation", "Confirmation of treatment elsewhere", "confirmations",
             own={"by": Required(OneOf(*ASKED)), "outcome": Required(OneOf(*CONFIRMATIONS)),
                  "source": Required(Text()), "claim_id": ROW}, right=WORKERS),
        Kind("custody", "Sentence, plan and release", "custody", _custody),
        _own_only("mental_health", "Mental health problems", "mental-health",
                  {"problems": Required(_some(words.MENTAL_HEALTH))}, finding=True),
        _own_only("social", "Social circumstances", "social",
                  {"needs": Required(_some(words.SOCIAL))}, finding=True),
        _own_only("pregnancy_test", "Pregnancy test", "pregnancy-tests",
                  {"offer": Required(OneOf(*words.PREGNANCY_OFFERS)),
                   "result": OneOf(*words.PREGNANCY_RESULTS)},
                  CLINICAL, _pregnancy_agrees, finding=True),
        _own_only("contest", "Contested drug test", "contested-tests",
                  {"test_id": Required(ROW),
                   "by": Required(OneOf(*words.CONTESTED_BY)),
                   "why": Required(OneOf(*words.CONTESTED_WHY))}),
        _own_only("risk", "Risk found", "risks", {"risk": Required(OneOf(*assessment.RISKS))}),
        _own_only("risk_action", "Risk-reduction action", "risk-actions",
                  {"risk_id": Required(ROW),
                   "action": Required(OneOf(*assessment.ACTIONS)),
                   "owner_id": Required(ROW), "due_on": Required(Day())}),
        _own_only("action_done", "Risk-reduction action ended", "risk-actions-ended",
                  {"action_id": Required(ROW),
                   "how": Required(OneOf(*words.ACTION_ENDS))}),
        _own_only(CONSENT, "Consent, and the information given", "consents",
                  {"decision": Required(OneOf(*words.CONSENTS)),
                   "information": _some(words.INFORMATION), "language": OneOf(*words.LANGUAGES),
                   "formats": _some(words.FORMATS)}, also=_consent_agrees),
        _own_only("follow_up", "Follow-up arranged", "follow-ups",
                  {"dose_increases_on": Required(Day()), "assessment_on": Required(Day()),
                   "care_plan_on": Required(Day())}),
        _own_only("help", "Help and the plan", "help",
                  {"item": Required(OneOf(*assessment.HELP)),
                   "response": Required(OneOf(*words.RESPONSES)),
                   "points": _some(assessment.REMINDER_POINTS)}, also=_help_agrees),
        _own_only("outcome", "Outcome of the assessment", "assessment-outcomes",
                  {"outcome": Required(OneOf(*words.OUTCOMES)),
                   "why": OneOf(*words.OUTCOME_REASONS), "medicine": OneOf(*words.MEDICINES),
                   "longer_assessment": OneOf(*words.LONGER_ASSESSMENT),
                   "next_review_on": Day()},
                  PRESCRIBERS, _outcome_agrees),
        _own_only("arrest", "Arrest while prescribed for", "arrests",
                  _ON_ARRIVAL, also=_arrival_agrees),
        _own_only("arrival", "Asked on arrival", "arrivals",
                  {"where": Required(OneOf(*words.ARRIVALS)), **_ON_ARRIVAL},
                  also=_arrival_agrees),
        _own_only("onward", "Prescribing after release", "prescribing-after-release",
                  {"continues": Required(YesNo()), "instead": OneOf(*words.INSTEAD),
                   "confirmed": YesNo(), "source": Text()}, also=_onward_agrees),
        _own_only("arrest_review", "Review after an arrest", "arrest-reviews",
                  {"arrest_id": Required(ROW),
                   "finding": Required(OneOf(*words.ARREST_FINDINGS))}, CLINICAL),
    )
}  # fmt: skip


def right_to_record(kind: str, data: Data) -> str:
    """Who may record this entry? Most parts of the examination are a clinician's."""
    if kind == "assessment" and data.get("item") not in WORKERS_ITEMS:
        return CLINICAL
    return KINDS[kind].right


ABOUT_CODES: dict[str, tuple[str, Mapping[str, str]]] = {
    "assessment": ("item", ITEMS),
    "asked": ("topic", TOPICS),
    "help": ("item", assessment.HELP),
    "main_drugs": (
        "whose_word",
        {code: f"Main drugs: {says}" for code, says in WHOSE_WORD.items()},
    ),
}
"""Kinds whose address names a code: its field, and the codes there are."""
ABOUT_ROWS = {
    "contest": ("test_id", "drug_test", True),
    "risk_action": ("risk_id", "risk", True),
    "action_done": ("action_id", "risk_action", True),
    "arrest_review": ("arrest_id", "arrest", True),
    "confirmation": ("claim_id", "steady_dose", False),
}
"""Kinds whose address names another entry: its field, that entry's kind, and whether it must."""


def about_of(kind: str, data: Data) -> Any:
    """What the address of such an entry's form ends in; None where it ends in its kind."""
    if kind in ABOUT_CODES:
        return data[ABOUT_CODES[kind][0]]
    return data.get(ABOUT_ROWS[kind][0]) if kind in ABOUT_ROWS else None


def may_record(rights: Collection[str], kind: str, about: Any = None) -> bool:
    """Do these rights let somebody open the form of such an entry?"""
    data = {ABOUT_CODES[kind][0]: about} if kind in ABOUT_CODES else {}
    return right_to_record(kind, data) in rights
