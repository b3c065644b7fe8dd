"""What can be recorded before a dose, and what must each thing look like?

The words are the dose-check contract's. What the contract also knows is read by the contract's own
reader, placed in an otherwise empty request, so nothing can be recorded that a check would later
refuse to read. What is ours alone (which laboratory, whose word) has its own small shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clinic.assessments.scales import COWS, COWS_ITEMS, cows_total
from dosing.days import london_day
from dosing.request import read_request
from dosing.shape import Kind as Shape
from dosing.shape import OneOf, Record, Refused, Required, Text, Whole, YesNo

GATE_ITEMS = {
    "opioid_use_history": "History of opioid and other drug use, prescriptions included",
    "dependence_evidence": "Evidence of dependence",
    "physical_examination": "Physical examination",
    "mental_state": "Mental state",
    "risk_assessment": "Risk assessment",
    "consent": "Consent, with information given",
}
ITEMS = {
    **GATE_ITEMS,
    "prescriber_assessed": "Assessed by the prescriber",
    "retitration_plan": "Re-titration plan for a change of product",
    "safe_storage": "Safe storage at home arranged",
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
WHOSE_WORD = {"patient": "The patient's own statement", "worker": "The worker's judgement"}
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


@dataclass(frozen=True)
class Kind:
    """One kind of entry.

    `place` puts the entry into an otherwise empty request and says at which path it stands there;
    `own` are the fields the contract does not know; `also` checks what needs more than one field.
    """

    name: str
    says: str
    slug: str
    place: Callable[[Data, str], tuple[Data, str]] | None = None
    own: Mapping[str, Shape | Required] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    also: Callable[[Data], None] | None = None

    def read(self, data: Data, happened_at: datetime) -> None:
        """Refused names the field at fault, as the entry itself calls it."""
        own = {name: value for name, value in data.items() if name in self.own}
        theirs = {name: value for name, value in data.items() if name not in self.own}
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


KINDS = {
    kind.name: kind
    for kind in (
        Kind("assessment", "Assessment", "assessments",
             own={"item": Required(OneOf(*ITEMS)), "finding": Required(OneOf(*FINDINGS))}),
        Kind("main_drugs", "Main drugs", "main-drugs",
             own={"whose_word": Required(OneOf(*WHOSE_WORD)),
                  "primary_drug": Required(OneOf(*DRUGS)), "secondary_drug": OneOf(*DRUGS)}),
        Kind("tolerance", "Tolerance and dependence now", "tolerance", _assessment,
             needs=("tolerance",)),
        Kind("medical_history", "Health, home and other substances", "medical-history", _history,
             own={"ever_taken_buprenorphine": YesNo()},
             needs=("conditions", "substance_use")),
        Kind("medicine", "Medicine", "medicines", _medicine),
        Kind("opioid_use", "Opioid use outside treatment", "opioid-use", _opioid_use),
        Kind("asked", "Asked, and the list is whole", "asked",
             own={"topic": Required(OneOf(*TOPICS))}),
        Kind("drug_test", "Drug test", "drug-tests", _drug_test,
             own={"method": Required(OneOf(*METHODS)), "confirms_id": Whole(least=1)}),
        Kind("observation", "Observation", "observations", _observation,
             own={"cows_items": _CowsScores()}, also=_cows_agrees),
        Kind("ecg", "ECG", "ecgs", _ecg),
        Kind("monitoring_plan", "Monitoring plan beside a sedative", "monitoring-plans", _plan),
        Kind("steady_dose", "Daily dose taken elsewhere", "doses-elsewhere", _steady_dose),
        Kind("confirmation", "Confirmation of treatment elsewhere", "confirmations",
             own={"by": Required(OneOf(*CONFIRMERS)), "outcome": Required(OneOf(*CONFIRMATIONS)),
                  "source": Required(Text())}),
        Kind("custody", "Sentence, plan and release", "custody", _custody),
    )
}  # fmt: skip
