"""What in a dose check's request contradicts itself, though each field reads well alone?

Each function takes a record as read and its path, and raises Refused naming the field at fault.
Where no one field is (neither of two alternatives, or both) it names the record that holds them.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime
from typing import Any

from dosing.days import london_day
from dosing.medicines import PRODUCTS, SUBLINGUAL
from dosing.request import (
    SCALE_TOPS,
    Collection,
    HistoryAsSent,
    Instalment,
    MonitoringPlan,
    Observation,
    OpioidUse,
    OrderAsSent,
    Patient,
    Prescription,
    Prison,
    SteadyDose,
    Supply,
)
from dosing.shape import Refused, join

_ALCOHOL = (
    "breath_alcohol_micrograms_per_100ml",
    "breath_alcohol_mg_per_l",
    "blood_alcohol_mg_per_100ml",
)


def in_observation(observation: Observation, path: str) -> None:
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


def in_opioid_use(use: OpioidUse, path: str) -> None:
    if (use.last_used_at is None) == (use.last_used_on is None):
        raise Refused(path, "must say when it was last used: last_used_at or last_used_on")


def in_steady_dose(steady: SteadyDose, path: str) -> None:
    if steady.product.depot:
        raise Refused(join(path, "product"), "is a depot, which is not taken daily")
    if steady.to_on < steady.from_on:
        raise Refused(join(path, "to_on"), "must not be before from_on")


def in_history(history: HistoryAsSent, path: str) -> None:
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


def in_order(order: OrderAsSent, path: str) -> None:
    if order.dose_mg is order.dose_micrograms is order.dose_without_unit is None:
        raise Refused(join(path, "dose_mg"), "is required")
    if PRODUCTS[order.product].form == SUBLINGUAL and order.stocked_strengths_mg is None:
        raise Refused(join(path, "stocked_strengths_mg"), "is required for a sublingual tablet")


def in_collection(collection: Collection, path: str) -> None:
    until = collection.daily_until_on
    if until is not None and until < collection.collect_on:
        raise Refused(join(path, "daily_until_on"), "must not be before collect_on")


def in_instalment(instalment: Instalment, path: str) -> None:
    if instalment.amount_ml is not None and instalment.amount_tablets is not None:
        raise Refused(path, "must hold one amount: amount_ml or amount_tablets")


def in_form(form: Prescription, path: str) -> None:
    if form.supply_to_on < form.supply_from_on:
        raise Refused(join(path, "supply_to_on"), "must not be before supply_from_on")
    if sum(t is not None for t in (form.total_ml, form.total_tablets, form.total_syringes)) > 1:
        raise Refused(path, "must hold one total: total_ml, total_tablets or total_syringes")


def in_monitoring_plan(plan: MonitoringPlan, path: str) -> None:
    if plan.to_on < plan.from_on:
        raise Refused(join(path, "to_on"), "must not be before from_on")


def in_prison(prison: Prison, path: str) -> None:
    if prison.status == "sentenced" and prison.sentence_days is None:
        raise Refused(join(path, "sentence_days"), "is required for a sentenced prisoner")


# -- the whole request --------------------------------------------------------------------


def in_request(sent: dict[str, Any], path: str) -> None:
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
    history: HistoryAsSent | None = sent["treatment_history"]
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
