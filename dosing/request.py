"""What does a dose check ask? The contract's request: its shape, and what makes it unreadable.

`REQUEST.read(parsed_json, "")` gives a frozen DoseRequest or raises Refused naming the field at
fault. A field left out is None, unknown; what unknown means is for the facts and rules to say.
Where no one field is at fault (neither of two alternatives, or both) the record that holds them
is named.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dosing.days import london_day
from dosing.medicines import PRODUCTS, SUBLINGUAL, Product
from dosing.shape import (
    Day,
    DecimalText,
    Instant,
    ListOf,
    OneOf,
    Record,
    Refused,
    Required,
    Text,
    Whole,
    YesNo,
    join,
)
from dosing.units import mg_from_micrograms

RULE_SETS = ("era-2003", "uk-2017")


@dataclass(frozen=True, slots=True)
class Medicine:
    name: str
    classes: tuple[str, ...]
    started_on: date | None
    stopped_on: date | None
    last_taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pregnancy:
    status: str | None
    expected_delivery_on: date | None


@dataclass(frozen=True, slots=True)
class Ecg:
    recorded_on: date
    qtc_ms: int


@dataclass(frozen=True, slots=True)
class Patient:
    date_of_birth: date
    sex: str
    conditions: tuple[str, ...]
    medicines: tuple[Medicine, ...]
    substance_use: tuple[str, ...]
    pregnancy: Pregnancy | None
    ecgs: tuple[Ecg, ...] | None
    children_at_home: bool | None


@dataclass(frozen=True, slots=True)
class Prescriber:
    experienced: bool


@dataclass(frozen=True, slots=True)
class MonitoringPlan:
    from_on: date
    to_on: date


@dataclass(frozen=True, slots=True)
class Assessment:
    opioid_use_history_at: datetime | None = None
    dependence_evidence_at: datetime | None = None
    physical_examination_at: datetime | None = None
    mental_state_at: datetime | None = None
    risk_assessment_at: datetime | None = None
    consent_at: datetime | None = None
    tolerance: str | None = None
    currently_dependent: bool | None = None
    prescriber_assessed_at: tuple[datetime, ...] | None = None
    sedative_monitoring_plan: MonitoringPlan | None = None


@dataclass(frozen=True, slots=True)
class DrugTest:
    sample: str
    sample_taken_at: datetime
    result: str
    undetectable_opioid: str | None


@dataclass(frozen=True, slots=True)
class Observation:
    at: datetime
    withdrawal_scale: str | None
    withdrawal_score: int | None
    sedation: str | None
    hard_to_rouse_or_heavy_snoring: bool | None
    breath_alcohol_micrograms_per_100ml: Decimal | None
    breath_alcohol_mg_per_l: Decimal | None
    blood_alcohol_mg_per_100ml: Decimal | None


@dataclass(frozen=True, slots=True)
class OpioidUse:
    opioid: str
    name: str | None
    last_used_at: datetime | None
    last_used_on: date | None
    daily_dose_mg: Decimal | None


@dataclass(frozen=True, slots=True)
class Dose:
    """One dose consumed; `on` is the London date of the moment it was consumed."""

    product: Product
    dose_mg: Decimal
    consumed_at: datetime
    supervision: str | None
    elsewhere: bool
    on: date


@dataclass(frozen=True, slots=True)
class SteadyDose:
    """The same daily dose on every date from from_on to to_on, both included."""

    product: Product
    daily_dose_mg: Decimal
    from_on: date
    to_on: date
    supervision: str | None
    elsewhere: bool


@dataclass(frozen=True, slots=True)
class TreatmentHistory:
    doses: tuple[Dose, ...] = ()
    steady_doses: tuple[SteadyDose, ...] = ()
    ever_taken_buprenorphine: bool = False
    confirmed: bool = False
    """Both the prescriber and the pharmacy elsewhere have confirmed."""


@dataclass(frozen=True, slots=True)
class Tablets:
    strength_mg: Decimal
    count: int


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be taken. `dose_mg` is None when the unit is missing or stated twice (U-06)."""

    product: Product
    phase: str
    dose_mg: Decimal | None
    doses_remaining_today: int
    volume_ml: Decimal | None
    strength_mg_per_ml: Decimal | None
    tablets: tuple[Tablets, ...]
    stocked_strengths_mg: tuple[Decimal, ...] | None
    diluted: bool
    retitration_plan_recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Collection:
    collect_on: date
    daily_until_on: date | None
    supervised: bool
    take_home_days: int | None


@dataclass(frozen=True, slots=True)
class Supply:
    collections: tuple[Collection, ...] | None = None
    pharmacy_closed_on: tuple[date, ...] | None = None
    safe_storage_recorded_on: date | None = None
    in_possession: bool | None = None
    administered_by: str | None = None
    dispensed_product: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    schedule: str


@dataclass(frozen=True, slots=True)
class Instalment:
    due_on: date | None
    amount_ml: Decimal | None
    amount_tablets: Decimal | None


@dataclass(frozen=True, slots=True)
class SupplyMade:
    supplied_on: date
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Prescription:
    form: str
    signed_on: date
    start_on: date | None
    supply_from_on: date
    supply_to_on: date
    items: tuple[Item, ...] | None
    dose_directions: str | None
    written_form: str | None
    written_strength: str | None
    total_ml: Decimal | None
    total_tablets: Decimal | None
    total_syringes: Decimal | None
    total_in_words: str | None
    instalments: tuple[Instalment, ...] | None
    directions: tuple[str, ...] | None
    supplies: tuple[SupplyMade, ...] | None
    private: bool | None
    for_release: bool | None
    handwritten: bool | None
    handwriting_exempt: bool | None
    prescriber_number: str | None
    bank_holidays_on: tuple[date, ...] | None


@dataclass(frozen=True, slots=True)
class ReviewHeld:
    review: str
    held_on: date


@dataclass(frozen=True, slots=True)
class Prison:
    received_at: datetime
    status: str
    sentence_days: int | None
    plan: str
    informed_choice_recorded_at: datetime | None
    maintenance_justified_on: tuple[date, ...] | None
    reviews_held: tuple[ReviewHeld, ...] | None
    expected_release_on: date | None
    bridging_prescription_on: date | None
    community_appointment_at: datetime | None
    naloxone_offered_on: date | None


@dataclass(frozen=True, slots=True)
class DoseRequest:
    """One order and every fact it is judged on. `on` is D, the London date of decided_at."""

    case: str
    rule_set: str
    decided_at: datetime
    on: date
    setting: str
    on_site_titration_protocol: bool
    patient: Patient
    prescriber: Prescriber
    opioid_use: tuple[OpioidUse, ...]
    order: Order
    assessment: Assessment = field(default=Assessment())
    drug_tests: tuple[DrugTest, ...] = ()
    observations: tuple[Observation, ...] = ()
    treatment_history: TreatmentHistory = field(default=TreatmentHistory())
    supply: Supply = field(default=Supply())
    prescription: Prescription | None = None
    prison: Prison | None = None


# -- reading one record -------------------------------------------------------------------

_DOSE_MG = DecimalText(zero_allowed=False)
_PRODUCT = OneOf(*PRODUCTS)
_SUPERVISION = OneOf("supervised", "take_home")
_RECORDED_BY = OneOf("this_service", "elsewhere")

SCALE_TOPS = {"cows": 48, "sows_handelsman": 64, "oows": 13, "sows_gossop": 30, "cina": 31}
_ALCOHOL = (
    "breath_alcohol_micrograms_per_100ml",
    "breath_alcohol_mg_per_l",
    "blood_alcohol_mg_per_100ml",
)


def _observed(observation: Observation, path: str) -> None:
    scale, score = observation.withdrawal_scale, observation.withdrawal_score
    if scale is None and score is not None:
        raise Refused(join(path, "withdrawal_scale"), "is required with a withdrawal score")
    if scale is not None:
        if score is None:
            raise Refused(join(path, "withdrawal_score"), "is required with a withdrawal scale")
        if score > SCALE_TOPS[scale]:
            raise Refused(
                join(path, "withdrawal_score"), f"must be from 0 to {SCALE_TOPS[scale]} on {scale}"
            )
    alcohol = sum(getattr(observation, name) is not None for name in _ALCOHOL)
    if alcohol > 1:
        raise Refused(path, "must hold at most one alcohol reading")
    if (
        not alcohol
        and scale is None
        and observation.sedation is None
        and observation.hard_to_rouse_or_heavy_snoring is None
    ):
        raise Refused(path, "must hold a withdrawal score, a sedation level or an alcohol reading")


def _used(use: OpioidUse, path: str) -> None:
    if (use.last_used_at is None) == (use.last_used_on is None):
        raise Refused(path, "must say when it was last used: last_used_at or last_used_on")


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


def _steady(steady: SteadyDose, path: str) -> None:
    if steady.product.depot:
        raise Refused(join(path, "product"), "is a depot, which is not taken daily")
    if steady.to_on < steady.from_on:
        raise Refused(join(path, "to_on"), "must not be before from_on")


@dataclass(frozen=True, slots=True)
class _HistoryAsSent:
    doses: tuple[Dose, ...] | None
    steady_doses: tuple[SteadyDose, ...] | None
    ever_taken_buprenorphine: bool | None
    elsewhere_confirmed_by_prescriber_at: datetime | None
    elsewhere_confirmed_by_pharmacy_at: datetime | None


def _stated_once(history: _HistoryAsSent, path: str) -> None:
    """Each date once per drug: in single doses or in one range."""
    ranges: dict[str, list[tuple[date, date]]] = {}
    for place, steady in enumerate(history.steady_doses or ()):
        taken = ranges.setdefault(steady.product.drug, [])
        before = bisect_right(taken, (steady.from_on, date.max))
        if (before and taken[before - 1][1] >= steady.from_on) or (
            before < len(taken) and taken[before][0] <= steady.to_on
        ):
            raise Refused(f"{path}.steady_doses[{place}]", "repeats a date already stated")
        taken.insert(before, (steady.from_on, steady.to_on))
    for place, dose in enumerate(history.doses or ()):
        taken = ranges.get(dose.product.drug, [])
        before = bisect_right(taken, (dose.on, date.max))
        if before and taken[before - 1][1] >= dose.on:
            raise Refused(
                f"{path}.doses[{place}].consumed_at", "is on a date a steady dose already covers"
            )


@dataclass(frozen=True, slots=True)
class _OrderAsSent:
    product: str
    phase: str
    dose_mg: Decimal | None
    dose_micrograms: Decimal | None
    dose_without_unit: Decimal | None
    doses_remaining_today: int | None
    volume_ml: Decimal | None
    strength_mg_per_ml: Decimal | None
    tablets: tuple[Tablets, ...] | None
    stocked_strengths_mg: tuple[Decimal, ...] | None
    diluted: bool | None
    retitration_plan_recorded_at: datetime | None


def _ordered(order: _OrderAsSent, path: str) -> None:
    if order.dose_mg is order.dose_micrograms is order.dose_without_unit is None:
        raise Refused(join(path, "dose_mg"), "is required")
    if PRODUCTS[order.product].form == SUBLINGUAL and order.stocked_strengths_mg is None:
        raise Refused(join(path, "stocked_strengths_mg"), "is required for a sublingual tablet")


def _dose_in_mg(order: _OrderAsSent) -> Decimal | None:
    """The dose when exactly one unit was stated, else None."""
    if order.dose_without_unit is not None:
        return None
    if order.dose_micrograms is None:
        return order.dose_mg
    return mg_from_micrograms(order.dose_micrograms) if order.dose_mg is None else None


def _collected(collection: Collection, path: str) -> None:
    until = collection.daily_until_on
    if until is not None and until < collection.collect_on:
        raise Refused(join(path, "daily_until_on"), "must not be before collect_on")


def _instalment(instalment: Instalment, path: str) -> None:
    if instalment.amount_ml is not None and instalment.amount_tablets is not None:
        raise Refused(path, "must hold one amount: amount_ml or amount_tablets")


def _written(form: Prescription, path: str) -> None:
    if form.supply_to_on < form.supply_from_on:
        raise Refused(join(path, "supply_to_on"), "must not be before supply_from_on")
    if sum(t is not None for t in (form.total_ml, form.total_tablets, form.total_syringes)) > 1:
        raise Refused(path, "must hold one total: total_ml, total_tablets or total_syringes")


def _planned(plan: MonitoringPlan, path: str) -> None:
    if plan.to_on < plan.from_on:
        raise Refused(join(path, "to_on"), "must not be before from_on")


def _in_prison(prison: Prison, path: str) -> None:
    if prison.status == "sentenced" and prison.sentence_days is None:
        raise Refused(join(path, "sentence_days"), "is required for a sentenced prisoner")


# -- reading the whole request ------------------------------------------------------------


def _request(**sent: Any) -> DoseRequest:
    """The request with every optional part in place: a part not sent holds only unknowns."""
    history: _HistoryAsSent | None = sent.pop("treatment_history")
    order: _OrderAsSent = sent.pop("order")
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


def _whole_request(sent: dict[str, Any], path: str) -> None:
    """Faults that need the setting, the product or the moment of the decision to see."""
    setting, product = sent["setting"], PRODUCTS[sent["order"].product]
    supply: Supply = sent["supply"] or Supply()
    if product.depot:
        if supply.administered_by is None:
            raise Refused("supply.administered_by", "is required for a depot")
    elif setting == "prison":
        if supply.in_possession is None:
            raise Refused("supply.in_possession", "is required in prison")
    elif setting in ("community", "on_site") and supply.collections is None:
        raise Refused("supply.collections", "is required in the community and on site")
    if setting == "prison" and sent["prison"] is None:
        raise Refused("prison", "is required in prison")
    if setting != "prison" and sent["prison"] is not None:
        raise Refused("prison", "is for the prison setting only")
    _nothing_later(sent)


def _nothing_later(sent: dict[str, Any]) -> None:
    """No fact already recorded may be later than the decision: it could not have been known.

    Plans may: a medicine's dates, a pregnancy's due date, collections, the monitoring plan, the
    dates a form is for, a release and what is arranged for it.
    """
    at: datetime = sent["decided_at"]
    on = london_day(at)

    def not_later(record: Any, path: str, *names: str) -> None:
        for name in names:
            value = getattr(record, name)
            if value is not None and (value > at if isinstance(value, datetime) else value > on):
                raise Refused(join(path, name), "must not be later than decided_at")

    def each_not_later(values: Any, path: str) -> None:
        for place, value in enumerate(values or ()):
            if value > at if isinstance(value, datetime) else value > on:
                raise Refused(f"{path}[{place}]", "must not be later than decided_at")

    patient: Patient = sent["patient"]
    not_later(patient, "patient", "date_of_birth")
    for place, medicine in enumerate(patient.medicines):
        not_later(medicine, f"patient.medicines[{place}]", "last_taken_at")
    for place, ecg in enumerate(patient.ecgs or ()):
        not_later(ecg, f"patient.ecgs[{place}]", "recorded_on")
    if sent["assessment"] is not None:
        not_later(
            sent["assessment"],
            "assessment",
            "opioid_use_history_at",
            "dependence_evidence_at",
            "physical_examination_at",
            "mental_state_at",
            "risk_assessment_at",
            "consent_at",
        )
        each_not_later(
            sent["assessment"].prescriber_assessed_at, "assessment.prescriber_assessed_at"
        )
    for place, test in enumerate(sent["drug_tests"] or ()):
        not_later(test, f"drug_tests[{place}]", "sample_taken_at")
    for place, observation in enumerate(sent["observations"] or ()):
        not_later(observation, f"observations[{place}]", "at")
    for place, use in enumerate(sent["opioid_use"]):
        not_later(use, f"opioid_use[{place}]", "last_used_at", "last_used_on")
    history: _HistoryAsSent | None = sent["treatment_history"]
    if history is not None:
        for place, dose in enumerate(history.doses or ()):
            not_later(dose, f"treatment_history.doses[{place}]", "consumed_at")
        for place, steady in enumerate(history.steady_doses or ()):
            if steady.to_on >= on:
                raise Refused(
                    f"treatment_history.steady_doses[{place}].to_on",
                    "must be before the date of decided_at",
                )
        not_later(
            history,
            "treatment_history",
            "elsewhere_confirmed_by_prescriber_at",
            "elsewhere_confirmed_by_pharmacy_at",
        )
    not_later(sent["order"], "order", "retitration_plan_recorded_at")
    if sent["supply"] is not None:
        not_later(sent["supply"], "supply", "safe_storage_recorded_on")
    form: Prescription | None = sent["prescription"]
    if form is not None:
        not_later(form, "prescription", "signed_on")
        for place, made in enumerate(form.supplies or ()):
            not_later(made, f"prescription.supplies[{place}]", "supplied_on")
    prison: Prison | None = sent["prison"]
    if prison is not None:
        not_later(
            prison, "prison", "received_at", "informed_choice_recorded_at", "naloxone_offered_on"
        )
        each_not_later(prison.maintenance_justified_on, "prison.maintenance_justified_on")
        for place, held in enumerate(prison.reviews_held or ()):
            not_later(held, f"prison.reviews_held[{place}]", "held_on")


# -- the declaration ----------------------------------------------------------------------

_PATIENT = Record(
    Patient,
    {
        "date_of_birth": Required(Day()),
        "sex": Required(OneOf("male", "female", "unknown")),
        "conditions": Required(
            ListOf(
                OneOf(
                    "acute_respiratory_depression",
                    "acute_asthma_attack",
                    "severe_respiratory_insufficiency",
                    "copd_stable",
                    "other_respiratory_disease",
                    "coma",
                    "head_injury",
                    "raised_intracranial_pressure",
                    "paralytic_ileus",
                    "hepatic_impairment_moderate",
                    "hepatic_impairment_severe",
                    "renal_impairment_severe",
                    "frailty_or_older_age",
                    "recent_loss_of_tolerance",
                    "acute_alcohol_intoxication",
                    "delirium_tremens",
                    "heart_disease",
                    "electrolyte_disturbance",
                )
            )
        ),
        "medicines": Required(
            ListOf(
                Record(
                    Medicine,
                    {
                        "name": Required(Text()),
                        "classes": Required(
                            ListOf(
                                OneOf(
                                    "benzodiazepine_or_z_drug",
                                    "gabapentinoid",
                                    "other_sedative",
                                    "monoamine_oxidase_inhibitor",
                                    "cyp3a4_inhibitor",
                                    "other_metabolic_inhibitor",
                                    "enzyme_inducer",
                                    "qt_prolonging",
                                    "opioid_agonist",
                                    "naltrexone_oral",
                                    "other",
                                )
                            )
                        ),
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
            MonitoringPlan, {"from_on": Required(Day()), "to_on": Required(Day())}, also=_planned
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
    also=_observed,
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
    also=_used,
)

_HISTORY = Record(
    _HistoryAsSent,
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
                also=_steady,
            )
        ),
        "ever_taken_buprenorphine": YesNo(),
        "elsewhere_confirmed_by_prescriber_at": Instant(),
        "elsewhere_confirmed_by_pharmacy_at": Instant(),
    },
    also=_stated_once,
)

_ORDER = Record(
    _OrderAsSent,
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
    also=_ordered,
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
                also=_collected,
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
                also=_instalment,
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
    also=_written,
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
    also=_in_prison,
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
    also=_whole_request,
)


def read_request(parsed: Any) -> DoseRequest:
    """Parsed JSON as one request; one read before as it is. Raises Refused, naming the first fault."""
    if isinstance(parsed, DoseRequest):
        return parsed
    return _request(**_SHAPE.read(parsed, ""))


def request_schema() -> dict[str, Any]:
    """The request as JSON Schema 2020-12; faults that need two fields are not in it."""
    return _SHAPE.schema()
