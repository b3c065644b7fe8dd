"""What do missed days do to the next dose? Numbers and sources stand in missed_doses.toml."""

from __future__ import annotations

from datetime import timedelta

from dosing.days import london_day
from dosing.facts import Facts
from dosing.medicines import BUPRENORPHINE, METHADONE
from dosing.reasoning import on_days, reasons
from dosing.rulebook import Finding, RuleVersion

RE_INDUCTION = "re_induction"


def _missed(facts: Facts, version: RuleVersion, drug: str) -> bool:
    """As many days missed, of this drug, as the rule is for."""
    most = version.limits.get("up_to_days")
    return (
        facts.drug == drug
        and facts.missed_days >= version.number("from_days")
        and (most is None or facts.missed_days <= most)
    )


def _assessed(facts: Facts, version: RuleVersion) -> bool:
    """Did a prescriber see the patient on or after the missed date that calls for it?"""
    assert facts.last_covered_on is not None, "days are missed after a dose"
    since = facts.last_covered_on + timedelta(days=version.whole("from_days"))
    return any(
        london_day(at) >= since for at in facts.request.assessment.prescriber_assessed_at or ()
    )


def _say(facts: Facts, version: RuleVersion) -> Finding:
    return version.finding(
        missed_days=facts.missed_days, last_covered_on=facts.last_covered_on, day=facts.day
    )


@reasons("M-MD-01")
def a_missed_day_or_two(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _missed(facts, version, METHADONE) or not on_days(facts, version):
        return None
    return _say(facts, version)


@reasons("B-MD-01")
def a_missed_day_or_two_of_buprenorphine(facts: Facts, version: RuleVersion) -> Finding | None:
    return _say(facts, version) if _missed(facts, version, BUPRENORPHINE) else None


@reasons("M-MD-02")
def seen_after_missed_days(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _missed(facts, version, METHADONE) or _assessed(facts, version):
        return None
    return _say(facts, version)


@reasons("B-MD-02")
def seen_after_missed_days_of_buprenorphine(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _missed(facts, version, BUPRENORPHINE) or _assessed(facts, version):
        return None
    return _say(facts, version)


@reasons("M-MD-03", judges_dose=True)
def lower_after_missed_days(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _missed(facts, version, METHADONE) or not _assessed(facts, version):
        return None
    assert facts.previous is not None, "days are missed after a dose"
    share = facts.previous.total_mg * version.number("share_of_last")
    cap = version.number("cap_mg")
    capped = facts.missed_days >= version.number("capped_from_days")
    if facts.total_mg <= share and not (capped and facts.total_mg > cap):
        return None
    return version.finding(
        missed_days=facts.missed_days,
        total_mg=facts.total_mg,
        last_mg=facts.previous.total_mg,
        limit_mg=min(share, cap) if capped else share,
    )


@reasons("M-MD-04")
def a_long_break_starts_again(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _missed(facts, version, METHADONE) or facts.request.order.phase == RE_INDUCTION:
        return None
    return _say(facts, version)


@reasons("B-MD-04")
def a_long_break_of_buprenorphine_starts_again(
    facts: Facts, version: RuleVersion
) -> Finding | None:
    if not _missed(facts, version, BUPRENORPHINE) or facts.request.order.phase == RE_INDUCTION:
        return None
    return _say(facts, version)


@reasons("M-MD-05")
def two_missed_in_induction(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.drug != METHADONE or facts.missed_days != version.number("days"):
        return None
    return _say(facts, version) if on_days(facts, version) else None
