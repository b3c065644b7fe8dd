"""What does a dose check ask? The contract's request, declared once: its fields, and how they read.

`read_request(parsed_json)` gives a frozen DoseRequest or raises Refused naming the field at fault.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dosing import contradictions
from dosing.days import london_day
from dosing.medicines import PRODUCTS
from dosing.request import (
    RULE_SETS,
    SCALE_TOPS,
    Assessment,
    Collection,
    Dose,
    DoseRequest,
    DrugTest,
    Ecg,
    HistoryAsSent,
    Instalment,
    Item,
    Medicine,
    MonitoringPlan,
    Observation,
    OpioidUse,
    Order,
    OrderAsSent,
    Patient,
    Pregnancy,
    Prescriber,
    Prescription,
    Prison,
    ReviewHeld,
    SteadyDose,
    Supply,
    SupplyMade,
    Tablets,
    TreatmentHistory,
)
from dosing.shape import (
    Day,
    DecimalText,
    Instant,
    ListOf,
    OneOf,
    Record,
    Required,
    Text,
    Whole,
    YesNo,
)
from dosing.units import mg_from_micrograms

# -- from what was sent to what is known ---------------------------------------------------


def _dose(
    product: str,
    dose_mg: Decimal,
    consumed_at: datetime,
    supervision: str | None,
    recorded_by: str | None,
) -> Dose:
    return Dose(
        PRODUCTS[product],
        dose_mg,
        consumed_at,
        supervision,
        recorded_by == "elsewhere",
        london_day(consumed_at),
    )


def _steady_dose(
    product: str,
    daily_dose_mg: Decimal,
    from_on: date,
    to_on: date,
    supervision: str | None,
    recorded_by: str | None,
) -> SteadyDose:
    return SteadyDose(
        PRODUCTS[product], daily_dose_mg, from_on, to_on, supervision, recorded_by == "elsewhere"
    )


def _dose_in_mg(order: OrderAsSent) -> Decimal | None:
    """The dose when exactly one unit was stated, else None."""
    if order.dose_without_unit is not None:
        return None
    if order.dose_micrograms is None:
        return order.dose_mg
    return mg_from_micrograms(order.dose_micrograms) if order.dose_mg is None else None


def _request(**sent: Any) -> DoseRequest:
    """The request with every optional part in place: a part not sent holds only unknowns."""
    history: HistoryAsSent | None = sent.pop("treatment_history")
    order: OrderAsSent = sent.pop("order")
    return DoseRequest(
        case=sent["case"],
        rule_set=sent["rule_set"],
        decided_at=sent["decided_at"],
        on=london_day(sent["decided_at"]),
        setting=sent["setting"],
        on_site_titration_protocol=bool(sent["on_site_titration_protocol"]),
        patient=sent["patient"],
        prescriber=sent["prescriber"],
        assessment=sent["assessment"] or Assessment(),
        drug_tests=sent["drug_tests"] or (),
        observations=sent["observations"] or (),
        opioid_use=sent["opioid_use"],
        treatment_history=TreatmentHistory()
        if history is None
        else TreatmentHistory(
            history.doses or (),
            history.steady_doses or (),
            bool(history.ever_taken_buprenorphine),
            history.elsewhere_confirmed_by_prescriber_at is not None
            and history.elsewhere_confirmed_by_pharmacy_at is not None,
        ),
        order=Order(
            PRODUCTS[order.product],
            order.phase,
            _dose_in_mg(order),
            order.doses_remaining_today or 1,
            order.volume_ml,
            order.strength_mg_per_ml,
            order.tablets or (),
            order.stocked_strengths_mg,
            bool(order.diluted),
            order.retitration_plan_recorded_at,
        ),
        supply=sent["supply"] or Supply(),
        prescription=sent["prescription"],
        prison=sent["prison"],
    )


# -- the declaration ----------------------------------------------------------------------

_DOSE_MG = DecimalText(zero_allowed=False)
_PRODUCT = OneOf(*PRODUCTS)
_SUPERVISION = OneOf("supervised", "take_home")
_RECORDED_BY = OneOf("this_service", "elsewhere")
_CONDITION = OneOf(
    "acute_respiratory_depression", "acute_asthma_attack", "severe_respiratory_insufficiency",
    "copd_stable", "other_respiratory_disease", "coma", "head_injury",
    "raised_intracranial_pressure", "paralytic_ileus", "hepatic_impairment_moderate",
    "hepatic_impairment_severe", "renal_impairment_severe", "frailty_or_older_age",
    "recent_loss_of_tolerance", "acute_alcohol_intoxication", "delirium_tremens", "heart_disease",
    "electrolyte_disturbance",
)  # fmt: skip
_MEDICINE_CLASS = OneOf(
    "benzodiazepine_or_z_drug", "gabapentinoid", "other_sedative", "monoamine_oxidase_inhibitor",
    "cyp3a4_inhibitor", "other_metabolic_inhibitor", "enzyme_inducer", "qt_prolonging",
    "opioid_agonist", "naltrexone_oral", "other",
)  # fmt: skip

_PATIENT = Record(
    Patient,
    {
        "date_of_birth": Required(Day()),
        "sex": Required(OneOf("male", "female", "unknown")),
        "conditions": Required(ListOf(_CONDITION)),
        "medicines": Required(
            ListOf(
                Record(
                    Medicine,
                    {
                        "name": Required(Text()),
                        "classes": Required(ListOf(_MEDICINE_CLASS)),
                        "started_on": Day(),
                        "stopped_on": Day(),
                        "last_taken_at": Instant(),
                    },
                )
            )
        ),
        "substance_use": Required(
            ListOf(OneOf("benzodiazepine", "alcohol", "gabapentinoid", "other_sedative"))
        ),
        "pregnancy": Record(
            Pregnancy,
            {
                "status": OneOf("pregnant", "not_pregnant", "not_possible", "unknown"),
                "expected_delivery_on": Day(),
            },
        ),
        "ecgs": ListOf(
            Record(Ecg, {"recorded_on": Required(Day()), "qtc_ms": Required(Whole(least=1))})
        ),
        "children_at_home": YesNo(),
    },
)

_ASSESSMENT = Record(
    Assessment,
    {
        "opioid_use_history_at": Instant(),
        "dependence_evidence_at": Instant(),
        "physical_examination_at": Instant(),
        "mental_state_at": Instant(),
        "risk_assessment_at": Instant(),
        "consent_at": Instant(),
        "tolerance": OneOf("high", "moderate", "low", "uncertain"),
        "currently_dependent": YesNo(),
        "prescriber_assessed_at": ListOf(Instant()),
        "sedative_monitoring_plan": Record(
            MonitoringPlan,
            {"from_on": Required(Day()), "to_on": Required(Day())},
            also=contradictions.in_monitoring_plan,
        ),
    },
)

_DRUG_TEST = Record(
    DrugTest,
    {
        "sample": Required(OneOf("urine", "oral_fluid")),
        "sample_taken_at": Required(Instant()),
        "result": Required(OneOf("opioid_positive", "opioid_negative", "pending")),
        "undetectable_opioid": Text(),
    },
)

_OBSERVATION = Record(
    Observation,
    {
        "at": Required(Instant()),
        "withdrawal_scale": OneOf(*SCALE_TOPS),
        "withdrawal_score": Whole(least=0, most=max(SCALE_TOPS.values())),
        "sedation": OneOf("S", "1", "2", "3", "4"),
        "hard_to_rouse_or_heavy_snoring": YesNo(),
        "breath_alcohol_micrograms_per_100ml": DecimalText(),
        "breath_alcohol_mg_per_l": DecimalText(),
        "blood_alcohol_mg_per_100ml": DecimalText(),
    },
    also=contradictions.in_observation,
)

_OPIOID_USE = Record(
    OpioidUse,
    {
        "opioid": Required(
            OneOf("heroin", "other_short_acting", "methadone", "buprenorphine", "other_long_acting")
        ),
        "name": Text(),
        "last_used_at": Instant(),
        "last_used_on": Day(),
        "daily_dose_mg": _DOSE_MG,
    },
    also=contradictions.in_opioid_use,
)

_HISTORY = Record(
    HistoryAsSent,
    {
        "doses": ListOf(
            Record(
                _dose,
                {
                    "product": Required(_PRODUCT),
                    "dose_mg": Required(_DOSE_MG),
                    "consumed_at": Required(Instant()),
                    "supervision": _SUPERVISION,
                    "recorded_by": _RECORDED_BY,
                },
            )
        ),
        "steady_doses": ListOf(
            Record(
                _steady_dose,
                {
                    "product": Required(_PRODUCT),
                    "daily_dose_mg": Required(_DOSE_MG),
                    "from_on": Required(Day()),
                    "to_on": Required(Day()),
                    "supervision": _SUPERVISION,
                    "recorded_by": _RECORDED_BY,
                },
                also=contradictions.in_steady_dose,
            )
        ),
        "ever_taken_buprenorphine": YesNo(),
        "elsewhere_confirmed_by_prescriber_at": Instant(),
        "elsewhere_confirmed_by_pharmacy_at": Instant(),
    },
    also=contradictions.in_history,
)

_ORDER = Record(
    OrderAsSent,
    {
        "product": Required(_PRODUCT),
        "phase": Required(
            OneOf("induction", "maintenance", "reduction", "re_induction", "continuation")
        ),
        "dose_mg": _DOSE_MG,
        "dose_micrograms": _DOSE_MG,
        "dose_without_unit": _DOSE_MG,
        "doses_remaining_today": Whole(least=1),
        "volume_ml": DecimalText(),
        "strength_mg_per_ml": DecimalText(zero_allowed=False),
        "tablets": ListOf(
            Record(
                Tablets,
                {
                    "strength_mg": Required(DecimalText(zero_allowed=False)),
                    "count": Required(Whole(least=0)),
                },
            )
        ),
        "stocked_strengths_mg": ListOf(DecimalText(zero_allowed=False)),
        "diluted": YesNo(),
        "retitration_plan_recorded_at": Instant(),
    },
    also=contradictions.in_order,
)

_SUPPLY = Record(
    Supply,
    {
        "collections": ListOf(
            Record(
                Collection,
                {
                    "collect_on": Required(Day()),
                    "daily_until_on": Day(),
                    "supervised": Required(YesNo()),
                    "take_home_days": Whole(least=0, most=366),
                },
                also=contradictions.in_collection,
            )
        ),
        "pharmacy_closed_on": ListOf(Day()),
        "safe_storage_recorded_on": Day(),
        "in_possession": YesNo(),
        "administered_by": OneOf("health_professional", "patient"),
        "dispensed_product": _PRODUCT,
    },
)

_PRESCRIPTION = Record(
    Prescription,
    {
        "form": Required(OneOf("fp10", "fp10mda", "wp10", "wp10mda", "fp10pcd", "private_other")),
        "signed_on": Required(Day()),
        "start_on": Day(),
        "supply_from_on": Required(Day()),
        "supply_to_on": Required(Day()),
        "items": ListOf(
            Record(
                Item,
                {
                    "name": Required(Text()),
                    "schedule": Required(OneOf("2", "3", "4", "5", "none")),
                },
            )
        ),
        "dose_directions": OneOf("stated", "as_directed", "when_required"),
        "written_form": Text(),
        "written_strength": Text(),
        "total_ml": DecimalText(),
        "total_tablets": DecimalText(),
        "total_syringes": DecimalText(),
        "total_in_words": Text(),
        "instalments": ListOf(
            Record(
                Instalment,
                {"due_on": Day(), "amount_ml": DecimalText(), "amount_tablets": DecimalText()},
                also=contradictions.in_instalment,
            )
        ),
        "directions": ListOf(
            OneOf("closed_day", "missed_collection", "three_day", "supervise", "daily_packs")
        ),
        "supplies": ListOf(Record(SupplyMade, {"supplied_on": Required(Day()), "due_on": Day()})),
        "private": YesNo(),
        "for_release": YesNo(),
        "handwritten": YesNo(),
        "handwriting_exempt": YesNo(),
        "prescriber_number": Text(),
        "bank_holidays_on": ListOf(Day()),
    },
    also=contradictions.in_form,
)

_PRISON = Record(
    Prison,
    {
        "received_at": Required(Instant()),
        "status": Required(OneOf("remand", "sentenced")),
        "sentence_days": Whole(least=0),
        "plan": Required(
            OneOf(
                "stabilisation",
                "detoxification",
                "maintenance_open_ended",
                "maintenance_time_limited",
            )
        ),
        "informed_choice_recorded_at": Instant(),
        "maintenance_justified_on": ListOf(Day()),
        "reviews_held": ListOf(
            Record(
                ReviewHeld,
                {
                    "review": Required(OneOf("day_5", "day_28", "week_13")),
                    "held_on": Required(Day()),
                },
            )
        ),
        "expected_release_on": Day(),
        "bridging_prescription_on": Day(),
        "community_appointment_at": Instant(),
        "naloxone_offered_on": Day(),
    },
    also=contradictions.in_prison,
)

_SHAPE = Record(
    dict,
    {
        "case": Required(Text()),
        "rule_set": Required(OneOf(*RULE_SETS)),
        "decided_at": Required(Instant()),
        "setting": Required(OneOf("community", "on_site", "hospital", "prison")),
        "on_site_titration_protocol": YesNo(),
        "patient": Required(_PATIENT),
        "prescriber": Required(Record(Prescriber, {"experienced": Required(YesNo())})),
        "assessment": _ASSESSMENT,
        "drug_tests": ListOf(_DRUG_TEST),
        "observations": ListOf(_OBSERVATION),
        "opioid_use": Required(ListOf(_OPIOID_USE)),
        "treatment_history": _HISTORY,
        "order": Required(_ORDER),
        "supply": _SUPPLY,
        "prescription": _PRESCRIPTION,
        "prison": _PRISON,
    },
    also=contradictions.in_request,
)


def read_request(parsed: Any) -> DoseRequest:
    """Parsed JSON as one request; one read before as it is. Raises Refused, naming the first fault."""
    if isinstance(parsed, DoseRequest):
        return parsed
    return _request(**_SHAPE.read(parsed, ""))


def request_schema() -> dict[str, Any]:
    """The request as JSON Schema 2020-12; faults that need two fields are not in it."""
    return _SHAPE.schema()
