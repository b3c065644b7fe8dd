"""What does a dose check know? One order and every fact it is judged on, as records.

A field left out is None, unknown; what unknown means is for the facts and rules to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from dosing.medicines import Product

RULE_SETS = ("era-2003", "uk-2017")
SCALE_TOPS = {"cows": 48, "sows_handelsman": 64, "oows": 13, "sows_gossop": 30, "cina": 31}


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


# -- as sent: what two fields together mean is not worked out yet ----------------------------


@dataclass(frozen=True, slots=True)
class HistoryAsSent:
    doses: tuple[Dose, ...] | None
    steady_doses: tuple[SteadyDose, ...] | None
    ever_taken_buprenorphine: bool | None
    elsewhere_confirmed_by_prescriber_at: datetime | None
    elsewhere_confirmed_by_pharmacy_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderAsSent:
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
