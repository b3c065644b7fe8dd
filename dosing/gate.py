"""May a dose be considered at all? Assessment, drug test, intoxication, contra-indications.

Numbers and sources stand in gate.toml.
"""

from __future__ import annotations

from typing import Any

from dosing.days import end_of, london_day
from dosing.facts import DONE_NEGATIVE, INCREASE, REDUCTION, START, Facts
from dosing.medicines import BUPRENORPHINE, METHADONE
from dosing.reasoning import on_days, reasons
from dosing.rulebook import Finding, RuleVersion

PENDING = "pending"


# -- assessment and drug test -------------------------------------------------------------


@reasons("G-AS-01")
def assessment_is_complete(facts: Facts, version: RuleVersion) -> Finding | None:
    if not facts.first_dose:
        return None
    assessment = facts.request.assessment
    missing = [item for item in version.words("items") if getattr(assessment, f"{item}_at") is None]
    if not missing:
        return None
    return version.finding(missing_items=[item.replace("_", " ") for item in missing])


def _no_result(facts: Facts) -> bool:
    return facts.first_dose and (facts.drug_test is None or facts.drug_test.result == PENDING)


def _test_facts(facts: Facts) -> dict[str, Any]:
    test, cows = facts.drug_test, facts.cows
    return {
        "drug_test": "not done" if test is None else test.result,
        "sample_taken_at": None if test is None else test.sample_taken_at,
        "cows": None if cows is None else cows.value,
        "cows_at": None if cows is None else cows.at,
    }


@reasons("G-DT-01")
def a_result_is_known(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _no_result(facts):
        return None
    excused_from = version.limits.get("cows_below")
    if excused_from is not None and facts.cows is not None and facts.cows.value >= excused_from:
        return None
    return version.finding(**_test_facts(facts))


@reasons("G-DT-02")
def withdrawal_stands_in_for_a_result(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _no_result(facts) or facts.cows is None:
        return None
    if facts.cows.value < version.number("cows_from"):
        return None
    return version.finding(**_test_facts(facts))


def _kit_gap(facts: Facts, version: RuleVersion) -> bool:
    """Is the opioid used documented as one this kit does not show, with withdrawal to see?"""
    test = facts.drug_test
    return (
        test is not None
        and bool(test.undetectable_opioid)
        and facts.cows is not None
        and facts.cows.value >= version.number("cows_from")
        and facts.request.prescriber.experienced
    )


def _negative(facts: Facts) -> bool:
    test = facts.drug_test
    return facts.first_dose and test is not None and test.result == DONE_NEGATIVE


@reasons("G-DT-03")
def the_test_is_not_negative(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _negative(facts) or _kit_gap(facts, version):
        return None
    return version.finding(**_test_facts(facts))


@reasons("G-DT-04")
def a_negative_test_is_explained(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _negative(facts) or not _kit_gap(facts, version):
        return None
    assert facts.drug_test is not None, "a negative test is a test"
    return version.finding(
        **_test_facts(facts), undetectable_opioid=facts.drug_test.undetectable_opioid
    )


@reasons("G-DT-05")
def the_sample_is_fresh(facts: Facts, version: RuleVersion) -> Finding | None:
    if not facts.first_dose or facts.drug_test is None:
        return None
    age = facts.request.decided_at - facts.drug_test.sample_taken_at
    if age <= version.hours("above_hours"):
        return None
    return version.finding(
        hours=int(age.total_seconds() // 3600), sample_taken_at=facts.drug_test.sample_taken_at
    )


# -- withdrawal ---------------------------------------------------------------------------


@reasons("G-WD-01")
def withdrawal_was_scored_lately(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.drug != METHADONE or not facts.first_dose:
        return None
    at = facts.withdrawal_at
    if at is not None and facts.request.decided_at - at <= version.hours("within_hours"):
        return None
    return version.finding(last_scored_at=at)


@reasons("G-WD-02")
def withdrawal_is_there(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.drug != METHADONE or not facts.first_dose or facts.cows is None:
        return None
    if facts.cows.value >= version.number("cows_below"):
        return None
    return version.finding(cows=facts.cows.value, cows_at=facts.cows.at)


# -- sedation and alcohol -----------------------------------------------------------------


@reasons("G-IN-01")
def the_patient_is_rousable(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.sedation not in version.words("levels") and not facts.hard_to_rouse:
        return None
    return version.finding(
        sedation=facts.sedation, sedation_at=facts.sedation_at, hard_to_rouse=facts.hard_to_rouse
    )


@reasons("G-IN-02")
def the_patient_is_not_drowsy(facts: Facts, version: RuleVersion) -> Finding | None:
    if not on_days(facts, version) or facts.sedation not in version.words("levels"):
        return None
    return version.finding(sedation=facts.sedation, sedation_at=facts.sedation_at, day=facts.day)


@reasons("G-AL-01")
@reasons("G-AL-03")
def alcohol_is_below_the_limit(facts: Facts, version: RuleVersion) -> Finding | None:
    limit = version.number("from_micrograms")
    if facts.alcohol is None or not on_days(facts, version) or facts.alcohol.value < limit:
        return None
    return version.finding(
        limit=limit, reading=facts.alcohol.value, read_at=facts.alcohol.at, day=facts.day
    )


@reasons("G-AL-02")
@reasons("G-AL-05")
def no_alcohol_is_detected(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.alcohol is None or not on_days(facts, version):
        return None
    above, below = version.number("above_micrograms"), version.number("below_micrograms")
    if not above < facts.alcohol.value < below:
        return None
    return version.finding(
        reading=facts.alcohol.value, read_at=facts.alcohol.at, limit=below, day=facts.day
    )


@reasons("G-AL-04")
def alcohol_was_measured_today(facts: Facts, version: RuleVersion) -> Finding | None:
    if not facts.first_dose:
        return None
    if facts.alcohol is not None and london_day(facts.alcohol.at) == facts.on:
        return None
    return version.finding(last_read_at=None if facts.alcohol is None else facts.alcohol.at)


# -- pregnancy and age --------------------------------------------------------------------


def _pregnancy_status(facts: Facts) -> str:
    pregnancy = facts.request.patient.pregnancy
    return (pregnancy.status if pregnancy is not None else None) or "unknown"


@reasons("G-PG-01")
def pregnancy_was_asked(facts: Facts, version: RuleVersion) -> Finding | None:
    sex = facts.request.patient.sex
    if not facts.first_dose or sex == "male" or _pregnancy_status(facts) != "unknown":
        return None
    return version.finding(sex=sex, pregnancy="unknown")


@reasons("G-PG-02")
def a_pregnant_patient_has_a_plan(facts: Facts, version: RuleVersion) -> Finding | None:
    if _pregnancy_status(facts) != "pregnant":
        return None
    if facts.change not in (START, INCREASE, REDUCTION):
        return None
    return version.finding(change=facts.change, gestation_days=facts.gestation_days)


@reasons("G-AG-01")
def the_patient_is_old_enough(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.age >= version.number("below_years"):
        return None
    return version.finding(age=facts.age, limit=version.number("below_years"))


@reasons("G-AG-02")
def the_patient_is_an_adult(facts: Facts, version: RuleVersion) -> Finding | None:
    if not version.number("from_years") <= facts.age < version.number("below_years"):
        return None
    return version.finding(age=facts.age, limit=version.number("below_years"))


# -- contra-indications -------------------------------------------------------------------


def _conditions(facts: Facts, version: RuleVersion) -> list[str]:
    listed = version.words("conditions")
    return [c.replace("_", " ") for c in facts.request.patient.conditions if c in listed]


@reasons("G-CI-01")
def nothing_contra_indicates_methadone(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.drug != METHADONE:
        return None
    reason = _conditions(facts, version)
    kind: str = version.limits["medicine_class"]
    current = facts.taking(kind)
    reason += [
        medicine.name
        for medicine in facts.request.patient.medicines
        if kind in medicine.classes
        and (
            medicine in current
            or facts.within_days(medicine.stopped_on, version.whole("within_days"))
        )
    ]
    return version.finding(reason=reason) if reason else None


@reasons("G-CI-02")
@reasons("G-CI-04")
def no_condition_calls_for_care_with_methadone(
    facts: Facts, version: RuleVersion
) -> Finding | None:
    reason = _conditions(facts, version)
    return version.finding(reason=reason) if reason and facts.drug == METHADONE else None


@reasons("G-CI-03")
def nothing_contra_indicates_buprenorphine(facts: Facts, version: RuleVersion) -> Finding | None:
    reason = _conditions(facts, version)
    return version.finding(reason=reason) if reason and facts.drug == BUPRENORPHINE else None


@reasons("G-NX-01")
def naltrexone_has_worn_off(facts: Facts, version: RuleVersion) -> Finding | None:
    kind: str = version.limits["medicine_class"]
    for medicine in facts.request.patient.medicines:
        if kind not in medicine.classes:
            continue
        last = medicine.last_taken_at
        if last is None and medicine.stopped_on is not None:
            last = end_of(medicine.stopped_on)
        if last is None and medicine.started_on is not None and medicine.started_on > facts.on:
            continue  # not begun yet
        if last is None or facts.request.decided_at - last <= version.hours("within_hours"):
            return version.finding(medicine=medicine.name, last_taken_at=last)
    return None
