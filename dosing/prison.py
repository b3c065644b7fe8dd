"""What does custody add? The stabilisation envelope, observations, reviews, release.

Numbers and sources stand in prison.toml.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from dosing.days import ONE_DAY, london_day
from dosing.facts import DONE_POSITIVE, Facts
from dosing.medicines import LYOPHILISATE, METHADONE, SUBLINGUAL
from dosing.reasoning import reasons
from dosing.request import Prison
from dosing.rulebook import Finding, RuleVersion

ENVELOPE_DAYS = 5
REVIEWS = ("day_5", "day_28", "week_13")
CONTINUATION = "continuation"
INDUCTION_PHASES = ("induction", "re_induction")


def _unconfirmed_methadone(facts: Facts) -> bool:
    return facts.request.prison is not None and facts.drug == METHADONE and not facts.confirmed


def _envelope(facts: Facts, version: RuleVersion) -> Decimal:
    """The day's ceiling; the last day's goes on after it."""
    assert facts.prison_day is not None, "read in prison only"
    return version.number(f"prison_day_{min(facts.prison_day, ENVELOPE_DAYS)}_mg")


def _stabilising(facts: Facts) -> bool:
    """A first dose or an induction, on a day the envelope is written for."""
    phase = facts.request.order.phase
    return (
        _unconfirmed_methadone(facts)
        and phase != CONTINUATION
        and (facts.first_dose or phase in INDUCTION_PHASES)
        and facts.prison_day is not None
        and facts.prison_day <= ENVELOPE_DAYS
    )


def _over(facts: Facts, version: RuleVersion) -> Finding:
    return version.finding(
        total_mg=facts.total_mg,
        prison_day=facts.prison_day,
        envelope_mg=_envelope(facts, version),
    )


@reasons("P-01", judges_dose=True)
def within_the_envelope(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _stabilising(facts):
        return None
    over = facts.total_mg - _envelope(facts, version)
    return _over(facts, version) if 0 < over <= version.number("over_by_up_to_mg") else None


@reasons("P-02", judges_dose=True)
def not_far_above_the_envelope(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _stabilising(facts):
        return None
    over = facts.total_mg - _envelope(facts, version)
    return _over(facts, version) if over > version.number("over_by_mg") else None


def _on_prison_days(facts: Facts, version: RuleVersion) -> bool:
    return facts.prison_day is not None and version.number(
        "first_day"
    ) <= facts.prison_day <= version.number("last_day")


@reasons("P-03", judges_dose=True)
def early_doses_are_split(facts: Facts, version: RuleVersion) -> Finding | None:
    limit = version.number("above_mg")
    if not _unconfirmed_methadone(facts) or not _on_prison_days(facts, version):
        return None
    if facts.dose_mg <= limit:
        return None
    return version.finding(dose_mg=facts.dose_mg, limit_mg=limit, prison_day=facts.prison_day)


@reasons("P-04")
def a_first_dose_has_test_and_withdrawal(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _unconfirmed_methadone(facts) or not facts.first_dose:
        return None
    positive = facts.drug_test is not None and facts.drug_test.result == DONE_POSITIVE
    cows = facts.cows
    if positive and cows is not None and cows.value >= version.number("cows_from"):
        return None
    return version.finding(
        drug_test="not done" if facts.drug_test is None else facts.drug_test.result,
        cows=None if cows is None else cows.value,
        cows_at=None if cows is None else cows.at,
    )


@reasons("P-05", judges_dose=True)
def a_continuation_is_confirmed(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _unconfirmed_methadone(facts) or facts.request.order.phase != CONTINUATION:
        return None
    return _over(facts, version) if facts.total_mg > _envelope(facts, version) else None


@reasons("P-06", judges_dose=True)
def an_unsupervised_dose_is_divided(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.drug != METHADONE or not facts.confirmed:
        return None
    if not facts.first_in_prison or facts.last_outside_supervised:
        return None
    limit = version.number("above_mg")
    if facts.dose_mg <= limit:
        return None
    return version.finding(dose_mg=facts.dose_mg, limit_mg=limit)


@reasons("P-07")
def observed_since_the_last_dose(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _on_prison_days(facts, version) or facts.last_dose_at is None:
        return None
    if any(at > facts.last_dose_at for at in facts.observed_at):
        return None
    return version.finding(last_dose_at=facts.last_dose_at, prison_day=facts.prison_day)


@reasons("P-08")
def observed_twice_the_day_before(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _on_prison_days(facts, version):
        return None
    before = facts.on - ONE_DAY
    sets = sum(london_day(at) == before for at in facts.observed_at)
    if sets >= version.number("fewer_than"):
        return None
    return version.finding(observations=sets, on=before, prison_day=facts.prison_day)


@reasons("P-09")
def reviews_are_held(facts: Facts, version: RuleVersion) -> Finding | None:
    prison = facts.request.prison
    if prison is None:
        return None
    received_on = london_day(prison.received_at)
    held = {each.review for each in prison.reviews_held or () if each.held_on >= received_on}
    due = {
        review: received_on + timedelta(days=version.whole(f"{review}_after_days"))
        for review in REVIEWS
    }
    open_reviews = {
        review: day for review, day in due.items() if review not in held and day <= facts.on
    }
    if not open_reviews:
        return None
    late = max((facts.on - day).days for day in open_reviews.values())
    return version.finding(
        severity=None
        if late > version.number("overdue_above_days")
        else str(version.limits["until_overdue"]),
        reviews=list(open_reviews),
        due_on=list(open_reviews.values()),
    )


@reasons("P-10")
def nothing_in_possession(facts: Facts, version: RuleVersion) -> Finding | None:
    product = facts.request.order.product
    supervised_only = product.drug == METHADONE or product.form in (SUBLINGUAL, LYOPHILISATE)
    if facts.request.prison is None or not supervised_only:
        return None
    if facts.request.supply.in_possession is not True:
        return None
    return version.finding(product=product.name)


def _short_stay(prison: Prison, days: Decimal) -> bool:
    return prison.status == "remand" or (
        prison.sentence_days is not None and prison.sentence_days <= days
    )


@reasons("P-11")
def a_detoxification_is_chosen(facts: Facts, version: RuleVersion) -> Finding | None:
    prison = facts.request.prison
    if prison is None or prison.plan not in version.words("plans"):
        return None
    if not _short_stay(prison, version.number("sentence_up_to_days")):
        return None
    if prison.informed_choice_recorded_at is not None:
        return None
    return version.finding(
        status=prison.status, sentence_days=prison.sentence_days, plan=prison.plan
    )


@reasons("P-12")
def open_ended_maintenance_is_justified(facts: Facts, version: RuleVersion) -> Finding | None:
    prison = facts.request.prison
    if prison is None or prison.plan not in version.words("plans"):
        return None
    if _short_stay(prison, version.number("sentence_above_days")):
        return None
    justified = prison.maintenance_justified_on or ()
    if any(facts.within_days(day, version.whole("within_days")) for day in justified):
        return None
    return version.finding(
        sentence_days=prison.sentence_days, last_justified_on=max(justified, default=None)
    )


def _leaving(prison: Prison, facts: Facts, version: RuleVersion) -> bool:
    release_on = prison.expected_release_on
    return release_on is not None and (release_on - facts.on).days <= version.number("within_days")


@reasons("P-13")
def care_goes_on_after_release(facts: Facts, version: RuleVersion) -> Finding | None:
    prison = facts.request.prison
    if prison is None or not _leaving(prison, facts, version):
        return None
    if prison.bridging_prescription_on is not None or prison.community_appointment_at is not None:
        return None
    return version.finding(expected_release_on=prison.expected_release_on)


@reasons("P-14")
def naloxone_is_offered(facts: Facts, version: RuleVersion) -> Finding | None:
    prison = facts.request.prison
    if prison is None or not _leaving(prison, facts, version):
        return None
    if prison.naloxone_offered_on is not None:
        return None
    return version.finding(expected_release_on=prison.expected_release_on)
