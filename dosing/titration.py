"""Is this change, and this amount, within limits? Rises, high doses and the heart, reductions.

Numbers and sources stand in titration.toml.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from dosing.facts import INCREASE, REDUCTION, SAME, Facts
from dosing.medicines import BUPRENORPHINE, METHADONE
from dosing.reasoning import on_days, reasons
from dosing.rulebook import Finding, RuleVersion


def _raised(facts: Facts) -> bool:
    """An increase of methadone, whatever was missed."""
    return facts.drug == METHADONE and facts.change == INCREASE


def _raised_unbroken(facts: Facts) -> bool:
    """An increase with no break that the missed-dose rules speak to instead."""
    return _raised(facts) and not facts.missed_dose_order


def _between(amount: Decimal, version: RuleVersion) -> bool:
    most = version.limits.get("up_to_mg")
    return amount > version.number("above_mg") and (most is None or amount <= most)


def _rise(facts: Facts, version: RuleVersion, from_mg: Decimal, **more: Any) -> Finding | None:
    rise = facts.total_mg - from_mg
    if not _between(rise, version):
        return None
    return version.finding(
        total_mg=facts.total_mg,
        from_mg=from_mg,
        rise_mg=rise,
        limit_mg=version.number("above_mg"),
        day=facts.day,
        **more,
    )


def _step(facts: Facts, version: RuleVersion, **more: Any) -> Finding | None:
    assert facts.previous is not None, "an increase has a day it rose from"
    return _rise(facts, version, facts.previous.total_mg, previous_on=facts.previous_on, **more)


@reasons("M-TI-01", judges_dose=True)
def the_step_is_usual(facts: Facts, version: RuleVersion) -> Finding | None:
    return _step(facts, version) if _raised_unbroken(facts) else None


@reasons("M-TI-02", judges_dose=True)
def the_step_is_within_the_licence(facts: Facts, version: RuleVersion) -> Finding | None:
    return _step(facts, version) if _raised(facts) else None


@reasons("M-TI-03", judges_dose=True)
def week_1_stays_near_the_start(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _raised(facts) or not on_days(facts, version):
        return None
    return _rise(facts, version, facts.spans[0].total_mg, from_on=facts.episode_from)


def _rise_in_days(facts: Facts, version: RuleVersion) -> Finding | None:
    if not on_days(facts, version):
        return None
    then = facts.on - timedelta(days=version.whole("days_ago"))
    from_mg = facts.total_on_or_before(then)
    return None if from_mg is None else _rise(facts, version, from_mg, from_on=then)


@reasons("M-TI-04", judges_dose=True)
def week_2_rises_slowly(facts: Facts, version: RuleVersion) -> Finding | None:
    return _rise_in_days(facts, version) if _raised(facts) else None


@reasons("M-TI-06", judges_dose=True)
@reasons("M-TI-11", judges_dose=True)
def later_weeks_rise_slowly(facts: Facts, version: RuleVersion) -> Finding | None:
    return _rise_in_days(facts, version) if _raised_unbroken(facts) else None


@reasons("M-TI-05", judges_dose=True)
def increases_are_days_apart(facts: Facts, version: RuleVersion) -> Finding | None:
    last = facts.last_increase_on
    if not _raised_unbroken(facts) or not on_days(facts, version) or last is None:
        return None
    days = (facts.on - last).days
    if days >= version.number("fewer_than_days"):
        return None
    return version.finding(last_increase_on=last, days_since=days, day=facts.day)


@reasons("M-TI-07", judges_dose=True)
def seen_before_each_increase(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _raised_unbroken(facts) or not on_days(facts, version):
        return None
    oldest = facts.request.decided_at - version.hours("within_hours")
    cows_at = None if facts.cows is None else facts.cows.at
    if all(at is not None and at >= oldest for at in (cows_at, facts.sedation_at)):
        return None
    return version.finding(cows_at=cows_at, sedation_at=facts.sedation_at, day=facts.day)


@reasons("M-TI-08", judges_dose=True)
def no_increase_after_a_missed_dose(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _raised_unbroken(facts):
        return None
    missed = facts.missed_within(version.whole("within_days"))
    return version.finding(missed_on=missed) if missed else None


@reasons("M-TI-09", judges_dose=True)
def small_steps_for_the_cautious(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _raised_unbroken(facts) or not on_days(facts, version) or not facts.cautious:
        return None
    return _step(
        facts, version, tolerance=facts.tolerance, risk_modifiers=list(facts.risk_modifiers)
    )


@reasons("M-TI-10", judges_dose=True)
def the_full_effect_takes_days(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _raised_unbroken(facts):
        return None
    return version.finding(total_mg=facts.total_mg, rise_mg=facts.rise_mg)


# -- high doses and the heart -------------------------------------------------------------


@reasons("M-MX-01", judges_dose=True)
def a_high_dose_has_an_ecg(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.drug != METHADONE or facts.total_mg <= version.number("above_mg"):
        return None
    recorded_on = None if facts.ecg is None else facts.ecg.recorded_on
    if facts.within_days(recorded_on, version.whole("within_days")):
        return None
    return version.finding(
        total_mg=facts.total_mg, limit_mg=version.number("above_mg"), ecg_on=recorded_on
    )


def _long_qtc(facts: Facts, version: RuleVersion) -> bool:
    return (
        facts.drug == METHADONE
        and facts.ecg is not None
        and facts.ecg.qtc_ms >= version.number("from_ms")
    )


def _ecg(facts: Facts, version: RuleVersion, limit: Decimal) -> Finding:
    assert facts.ecg is not None, "a QTc is read from an ECG"
    return version.finding(
        qtc_ms=facts.ecg.qtc_ms,
        ecg_on=facts.ecg.recorded_on,
        limit_ms=limit,
        change=facts.change,
    )


@reasons("M-MX-02")
def no_start_or_rise_with_a_long_qtc(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _long_qtc(facts, version) or not facts.starts_or_raises:
        return None
    return _ecg(facts, version, version.number("from_ms"))


@reasons("M-MX-03")
def a_long_qtc_is_reviewed(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _long_qtc(facts, version) or facts.change not in (SAME, REDUCTION):
        return None
    return _ecg(facts, version, version.number("from_ms"))


@reasons("M-MX-04")
def a_raised_qtc_is_weighed(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.drug != METHADONE or facts.ecg is None or not facts.starts_or_raises:
        return None
    female = facts.request.patient.sex == "female"
    limit = version.number("female_from_ms" if female else "from_ms")
    if not limit <= facts.ecg.qtc_ms < version.number("below_ms"):
        return None
    return _ecg(facts, version, limit)


@reasons("M-MX-05")
def a_qt_risk_has_an_ecg(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.drug != METHADONE or facts.ecg is not None or not facts.starts_or_raises:
        return None
    return version.finding(qt_risks=list(facts.qt_risks)) if facts.qt_risks else None


def _very_high_needs_experience(facts: Facts, limit: Decimal) -> bool:
    return (
        facts.total_mg > limit
        and facts.starts_or_raises
        and not facts.request.prescriber.experienced
    )


@reasons("M-MX-06", judges_dose=True)
def a_very_high_dose_is_for_the_experienced(facts: Facts, version: RuleVersion) -> Finding | None:
    limit = version.number("above_mg")
    if facts.drug != METHADONE or not _very_high_needs_experience(facts, limit):
        return None
    return version.finding(total_mg=facts.total_mg, limit_mg=limit, experienced=False)


@reasons("M-MX-07", judges_dose=True)
def a_very_high_dose_is_explained(facts: Facts, version: RuleVersion) -> Finding | None:
    limit = version.number("above_mg")
    if facts.drug != METHADONE or facts.total_mg <= limit:
        return None
    if _very_high_needs_experience(facts, version.number("experience_above_mg")):
        return None
    return version.finding(total_mg=facts.total_mg, limit_mg=limit)


@reasons("M-MX-08", judges_dose=True)
def the_dose_is_plausible(facts: Facts, version: RuleVersion) -> Finding | None:
    limit = version.number("above_mg")
    if facts.drug != METHADONE or facts.total_mg <= limit:
        return None
    if facts.request.order.phase == "continuation" and facts.confirmed:
        return None
    return version.finding(total_mg=facts.total_mg, limit_mg=limit, confirmed=facts.confirmed)


# -- reductions in pregnancy --------------------------------------------------------------


def _reduced_in_pregnancy(facts: Facts) -> bool:
    pregnancy = facts.request.patient.pregnancy
    return (
        facts.drug == METHADONE
        and facts.change == REDUCTION
        and pregnancy is not None
        and pregnancy.status == "pregnant"
    )


@reasons("M-RD-01", judges_dose=True)
def no_reduction_in_the_outer_trimesters(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _reduced_in_pregnancy(facts) or facts.trimester == 2:
        return None
    return version.finding(trimester=facts.trimester, gestation_days=facts.gestation_days)


@reasons("M-RD-02", judges_dose=True)
def second_trimester_reductions_are_slow(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _reduced_in_pregnancy(facts) or facts.trimester != 2:
        return None
    fall = -facts.rise_mg
    last = facts.last_reduction_on
    days = None if last is None else (facts.on - last).days
    if fall <= version.number("above_mg") and (
        days is None or days >= version.number("fewer_than_days")
    ):
        return None
    return version.finding(fall_mg=fall, last_reduction_on=last, days_since=days)


# -- buprenorphine ------------------------------------------------------------------------


def _daily_buprenorphine(facts: Facts) -> bool:
    return facts.drug == BUPRENORPHINE and not facts.depot


def _daily_total(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _between(facts.total_mg, version):
        return None
    return version.finding(
        total_mg=facts.total_mg, limit_mg=version.number("above_mg"), day=facts.day
    )


@reasons("B-TI-01", judges_dose=True)
@reasons("B-TI-02", judges_dose=True)
def day_2_within_limits(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _daily_buprenorphine(facts) or facts.day != version.number("day"):
        return None
    return _daily_total(facts, version)


@reasons("B-MX-01", judges_dose=True)
@reasons("B-MX-02", judges_dose=True)
def buprenorphine_alone_within_limits(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.request.order.product.name != "buprenorphine_sublingual":
        return None
    return _daily_total(facts, version) if on_days(facts, version) else None


@reasons("B-MX-03", judges_dose=True)
def buprenorphine_naloxone_within_limits(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.request.order.product.name != "buprenorphine_naloxone_sublingual":
        return None
    return _daily_total(facts, version) if on_days(facts, version) else None
