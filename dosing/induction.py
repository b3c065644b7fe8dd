"""Is this a safe start? The first dose, the rest of day 1, and coming from another opioid.

Numbers and sources stand in induction.toml.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from dosing.facts import HIGH, LOST, Facts
from dosing.medicines import BUPRENORPHINE, METHADONE, SUBLINGUAL
from dosing.reasoning import reasons
from dosing.rulebook import Finding, RuleVersion


def _between(amount: Decimal, version: RuleVersion) -> bool:
    """Above the one limit, up to the other when there is one."""
    most = version.limits.get("up_to_mg")
    return amount > version.number("above_mg") and (most is None or amount <= most)


def _patient(facts: Facts) -> dict[str, Any]:
    """What about the patient moved the limit."""
    return {
        "tolerance": facts.tolerance,
        "opioid_free_days": facts.opioid_free_days,
        "risk_modifiers": list(facts.risk_modifiers),
        "experienced": facts.request.prescriber.experienced,
    }


# -- first dose of methadone --------------------------------------------------------------


def _first_methadone(facts: Facts) -> bool:
    return facts.drug == METHADONE and facts.first_dose


def _suited_to_a_high_start(facts: Facts) -> bool:
    return (
        facts.request.prescriber.experienced
        and facts.tolerance == HIGH
        and not facts.risk_modifiers
    )


@reasons("M-FD-01", judges_dose=True)
def no_full_dose_start(facts: Facts, version: RuleVersion) -> Finding | None:
    limit = version.number("from_mg")
    if not _first_methadone(facts) or facts.dose_mg < limit:
        return None
    return version.finding(dose_mg=facts.dose_mg, limit_mg=limit)


@reasons("M-FD-02", judges_dose=True)
def first_dose_below_the_ceiling(facts: Facts, version: RuleVersion) -> Finding | None:
    above, below = version.number("above_mg"), version.number("below_mg")
    if not _first_methadone(facts) or not above < facts.dose_mg < below:
        return None
    return version.finding(dose_mg=facts.dose_mg, limit_mg=above)


@reasons("M-FD-03", judges_dose=True)
def a_high_start_is_for_the_suited(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _first_methadone(facts) or not _between(facts.dose_mg, version):
        return None
    if _suited_to_a_high_start(facts):
        return None
    return version.finding(
        dose_mg=facts.dose_mg, limit_mg=version.number("above_mg"), **_patient(facts)
    )


@reasons("M-FD-04", judges_dose=True)
def a_high_start_is_explained(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _first_methadone(facts) or not _between(facts.dose_mg, version):
        return None
    if not _suited_to_a_high_start(facts):
        return None
    return version.finding(dose_mg=facts.dose_mg, limit_mg=version.number("above_mg"))


@reasons("M-FD-05", judges_dose=True)
def low_tolerance_starts_low(facts: Facts, version: RuleVersion) -> Finding | None:
    # Lost tolerance has its own, stricter rules (M-FD-08, M-FD-09).
    if not _first_methadone(facts) or facts.tolerance == LOST or not facts.cautious:
        return None
    if not _between(facts.dose_mg, version):
        return None
    return version.finding(
        dose_mg=facts.dose_mg, limit_mg=version.number("above_mg"), **_patient(facts)
    )


@reasons("M-FD-06", judges_dose=True)
def first_dose_in_the_usual_range(facts: Facts, version: RuleVersion) -> Finding | None:
    limit = version.number("below_mg")
    if not _first_methadone(facts) or facts.dose_mg >= limit:
        return None
    return version.finding(dose_mg=facts.dose_mg, limit_mg=limit)


@reasons("M-FD-07", judges_dose=True)
def low_tolerance_within_international_range(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _first_methadone(facts) or facts.tolerance == LOST or not facts.low_tolerance:
        return None
    if not _between(facts.dose_mg, version):
        return None
    return version.finding(
        dose_mg=facts.dose_mg, limit_mg=version.number("above_mg"), tolerance=facts.tolerance
    )


@reasons("M-FD-08", judges_dose=True)
@reasons("M-FD-09", judges_dose=True)
def lost_tolerance_starts_lowest(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _first_methadone(facts) or facts.tolerance != LOST:
        return None
    if not _between(facts.dose_mg, version):
        return None
    return version.finding(
        dose_mg=facts.dose_mg,
        limit_mg=version.number("above_mg"),
        opioid_free_days=facts.opioid_free_days,
    )


# -- further doses on day 1 ---------------------------------------------------------------


def _further_methadone(facts: Facts) -> bool:
    return facts.drug == METHADONE and facts.further_dose


def _since_last(facts: Facts) -> timedelta:
    return facts.request.decided_at - facts.consumed_today[-1].consumed_at


@reasons("M-D1-01")
def the_peak_has_passed(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _further_methadone(facts) or _since_last(facts) >= version.hours("under_hours"):
        return None
    return version.finding(
        last_dose_at=facts.consumed_today[-1].consumed_at, hours_since=_since_last(facts)
    )


@reasons("M-D1-02")
def the_peak_is_well_past(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _further_methadone(facts):
        return None
    if facts.request.setting in version.words("settings_excused"):
        return None
    if not version.hours("from_hours") <= _since_last(facts) < version.hours("under_hours"):
        return None
    return version.finding(
        last_dose_at=facts.consumed_today[-1].consumed_at, hours_since=_since_last(facts)
    )


@reasons("M-D1-03")
def seen_before_the_next_dose(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _further_methadone(facts):
        return None
    oldest = facts.request.decided_at - timedelta(minutes=version.whole("within_minutes"))
    cows_at = None if facts.cows is None else facts.cows.at
    if _not_before(cows_at, oldest) and _not_before(facts.sedation_at, oldest):
        return None
    return version.finding(cows_at=cows_at, sedation_at=facts.sedation_at)


def _not_before(at: datetime | None, oldest: datetime) -> bool:
    return at is not None and at >= oldest


@reasons("M-D1-04")
def withdrawal_is_left_to_treat(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _further_methadone(facts) or facts.cows is None:
        return None
    if facts.cows.value >= version.number("cows_below"):
        return None
    return version.finding(cows=facts.cows.value, cows_at=facts.cows.at)


@reasons("M-D1-05", judges_dose=True)
@reasons("M-D1-06", judges_dose=True)
def further_dose_is_small(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _further_methadone(facts) or not _between(facts.dose_mg, version):
        return None
    return version.finding(dose_mg=facts.dose_mg, limit_mg=version.number("above_mg"))


def _day_1_methadone(facts: Facts, version: RuleVersion) -> bool:
    return facts.drug == METHADONE and facts.divided_day_1 and _between(facts.total_mg, version)


def _on_site_protocol(facts: Facts) -> bool:
    request = facts.request
    return (
        request.on_site_titration_protocol
        and request.setting == "on_site"
        and request.prescriber.experienced
        and not facts.cautious
    )


def _total(facts: Facts, version: RuleVersion, **more: Any) -> Finding:
    return version.finding(total_mg=facts.total_mg, limit_mg=version.number("above_mg"), **more)


@reasons("M-D1-07", judges_dose=True)
def day_1_below_every_ceiling(facts: Facts, version: RuleVersion) -> Finding | None:
    return _total(facts, version) if _day_1_methadone(facts, version) else None


@reasons("M-D1-08", judges_dose=True)
def day_1_above_40_is_for_the_protocol(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _day_1_methadone(facts, version) or _on_site_protocol(facts):
        return None
    return _total(facts, version, setting=facts.request.setting, **_patient(facts))


@reasons("M-D1-09", judges_dose=True)
def day_1_under_the_protocol_is_explained(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _day_1_methadone(facts, version) or not _on_site_protocol(facts):
        return None
    return _total(facts, version)


@reasons("M-D1-10", judges_dose=True)
def day_1_above_30_is_for_the_experienced(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _day_1_methadone(facts, version) or facts.request.prescriber.experienced:
        return None
    return _total(facts, version, experienced=False)


@reasons("M-D1-11", judges_dose=True)
def a_high_day_1_is_explained(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _day_1_methadone(facts, version) or not facts.request.prescriber.experienced:
        return None
    return _total(facts, version, experienced=True)


@reasons("M-D1-12", judges_dose=True)
@reasons("M-D1-13", judges_dose=True)
def day_1_fits_this_patient(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _day_1_methadone(facts, version) or not facts.cautious:
        return None
    return _total(facts, version, **_patient(facts))


# -- precipitated withdrawal --------------------------------------------------------------


def _first_buprenorphine(facts: Facts) -> bool:
    return facts.drug == BUPRENORPHINE and facts.first_dose


def _since(facts: Facts, at: datetime | None) -> timedelta | None:
    return None if at is None else facts.request.decided_at - at


def _after_methadone(facts: Facts) -> datetime | None:
    return None if facts.methadone_before is None else facts.methadone_before.last_at


def _too_soon(facts: Facts, version: RuleVersion, at: datetime | None) -> Finding | None:
    since = _since(facts, at)
    if not _first_buprenorphine(facts) or since is None or since >= version.hours("under_hours"):
        return None
    return version.finding(last_used_at=at, hours_since=since)


def _wait_for_withdrawal(facts: Facts, version: RuleVersion, at: datetime | None) -> Finding | None:
    since = _since(facts, at)
    if not _first_buprenorphine(facts) or since is None or facts.cows is None:
        return None
    if not version.hours("from_hours") <= since < version.hours("under_hours"):
        return None
    if facts.cows.value > version.number("cows_up_to"):
        return None
    return version.finding(
        last_used_at=at, hours_since=since, cows=facts.cows.value, cows_at=facts.cows.at
    )


@reasons("B-PW-01")
def heroin_has_worn_off(facts: Facts, version: RuleVersion) -> Finding | None:
    return _too_soon(facts, version, facts.short_acting_at)


@reasons("B-PW-02")
def withdrawal_from_heroin_is_clear(facts: Facts, version: RuleVersion) -> Finding | None:
    return _wait_for_withdrawal(facts, version, facts.short_acting_at)


@reasons("B-PW-03")
def withdrawal_is_objective(facts: Facts, version: RuleVersion) -> Finding | None:
    since = _since(facts, facts.short_acting_at)
    if not _first_buprenorphine(facts) or since is None or facts.cows is None:
        return None
    if facts.request.assessment.currently_dependent is False:
        return None
    if since < version.hours("from_hours") or facts.cows.value >= version.number("cows_below"):
        return None
    return version.finding(
        last_used_at=facts.short_acting_at,
        hours_since=since,
        cows=facts.cows.value,
        cows_at=facts.cows.at,
    )


@reasons("B-PW-04")
def methadone_has_worn_off(facts: Facts, version: RuleVersion) -> Finding | None:
    return _too_soon(facts, version, _after_methadone(facts))


@reasons("B-PW-05")
def withdrawal_from_methadone_is_clear(facts: Facts, version: RuleVersion) -> Finding | None:
    return _wait_for_withdrawal(facts, version, _after_methadone(facts))


def _methadone_too_high(facts: Facts, version: RuleVersion) -> Finding | None:
    before = facts.methadone_before
    if not _first_buprenorphine(facts) or before is None or not facts.methadone_counts:
        return None
    if before.total_mg is not None and before.total_mg <= version.number("above_mg"):
        return None
    return version.finding(
        methadone_mg=before.total_mg,
        last_on=before.last_on,
        limit_mg=version.number("above_mg"),
        experienced=facts.request.prescriber.experienced,
    )


@reasons("B-PW-06")
def a_transfer_from_high_methadone_is_explained(
    facts: Facts, version: RuleVersion
) -> Finding | None:
    if not facts.request.prescriber.experienced:
        return None
    return _methadone_too_high(facts, version)


@reasons("B-PW-08")
def a_transfer_from_high_methadone_is_for_the_experienced(
    facts: Facts, version: RuleVersion
) -> Finding | None:
    return None if facts.request.prescriber.experienced else _methadone_too_high(facts, version)


@reasons("B-PW-07")
def withdrawal_was_scored(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _first_buprenorphine(facts) or facts.cows is not None:
        return None
    return version.finding(cows=None)


# -- first dose and day 1 of buprenorphine ------------------------------------------------


def _first_sublingual(facts: Facts) -> bool:
    return _first_buprenorphine(facts) and facts.request.order.product.form == SUBLINGUAL


@reasons("B-FD-01", judges_dose=True)
def first_sublingual_dose_below_the_ceiling(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _first_sublingual(facts) or not _between(facts.dose_mg, version):
        return None
    return version.finding(dose_mg=facts.dose_mg, limit_mg=version.number("above_mg"))


@reasons("B-FD-02", judges_dose=True)
def a_higher_sublingual_start_is_explained(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _first_sublingual(facts) or not _between(facts.dose_mg, version):
        return None
    if not version.limits["any_patient"] and not facts.cautious:
        return None
    return version.finding(
        dose_mg=facts.dose_mg, limit_mg=version.number("above_mg"), **_patient(facts)
    )


@reasons("B-FD-03", judges_dose=True)
def first_sublingual_dose_in_the_licensed_range(
    facts: Facts, version: RuleVersion
) -> Finding | None:
    limit = version.number("below_mg")
    if not _first_sublingual(facts) or facts.dose_mg >= limit:
        return None
    return version.finding(dose_mg=facts.dose_mg, limit_mg=limit)


@reasons("B-D1-01", judges_dose=True)
@reasons("B-D1-02", judges_dose=True)
def day_1_of_buprenorphine_within_limits(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.drug != BUPRENORPHINE or facts.depot or facts.day != 1:
        return None
    return _total(facts, version) if _between(facts.total_mg, version) else None
