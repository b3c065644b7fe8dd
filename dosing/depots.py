"""May this long-acting injection be given? Numbers and the switch table: depots.toml."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from dosing.days import end_of
from dosing.facts import Facts
from dosing.medicines import (
    LYOPHILISATE,
    MONTHLY_DEPOT,
    SUBLINGUAL,
    WEEKLY_DEPOT,
)
from dosing.reasoning import reasons
from dosing.request import Dose
from dosing.rulebook import Finding, RuleVersion


@reasons("B-DP-01")
def the_depot_is_of_this_period(facts: Facts, version: RuleVersion) -> Finding | None:
    return version.finding(product=facts.request.order.product.name) if facts.depot else None


def _naive(facts: Facts) -> bool:
    """Never had buprenorphine: not ever, not now, no depot and no episode before."""
    return not (
        facts.request.treatment_history.ever_taken_buprenorphine
        or facts.on_sublingual(facts.on)
        or facts.depots
        or facts.earlier_doses
    )


def _test_doses(facts: Facts, version: RuleVersion) -> list[datetime]:
    """When a sublingual dose large enough to be the test dose was taken."""
    history, least = facts.request.treatment_history, version.number("test_dose_mg")
    taken = [
        dose.consumed_at
        for dose in history.doses
        if (history.confirmed or not dose.elsewhere)
        and dose.product.form == SUBLINGUAL
        and dose.dose_mg >= least
    ]
    taken += [
        end_of(steady.from_on)
        for steady in history.steady_doses
        if (history.confirmed or not steady.elsewhere)
        and steady.product.form == SUBLINGUAL
        and steady.daily_dose_mg >= least
    ]
    return taken


@reasons("B-DP-02")
def a_test_dose_came_first(facts: Facts, version: RuleVersion) -> Finding | None:
    if not facts.depot or not _naive(facts):
        return None
    wait = timedelta(minutes=version.whole("observed_after_minutes"))
    taken = _test_doses(facts, version)
    watched = [
        seen.at
        for seen in facts.request.observations
        if seen.sedation is not None or seen.withdrawal_score is not None
    ]
    if any(at >= dose_at + wait for dose_at in taken for at in watched):
        return None
    return version.finding(test_dose_at=max(taken, default=None))


@reasons("B-DP-03", judges_dose=True)
def the_first_weekly_depot_is_licensed(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.request.order.product.form != WEEKLY_DEPOT or facts.depots:
        return None
    limit = version.number("above_mg")
    if facts.on_sublingual(facts.on) or facts.dose_mg <= limit:
        return None
    return version.finding(dose_mg=facts.dose_mg, limit_mg=limit)


def _first_week(facts: Facts) -> list[Dose] | None:
    """The depots so far of a first week that D is in; None outside one.

    A first week is counted where the depot was started in a patient not on sublingual.
    """
    start = facts.depots[0].on if facts.depots else facts.on
    if facts.on_sublingual(start) or (facts.on - start).days >= facts.depot_week_days:
        return None
    return list(facts.depots)


@reasons("B-DP-04", judges_dose=True)
def the_first_week_is_licensed(facts: Facts, version: RuleVersion) -> Finding | None:
    given = _first_week(facts) if facts.depot else None
    if given is None:
        return None
    total = sum((dose.dose_mg for dose in given), facts.dose_mg)
    since = facts.request.decided_at - given[-1].consumed_at if given else None
    # A further syringe larger than the licensed extra is no safer for being larger.
    too_soon = since is not None and since < version.hours("under_hours")
    if total <= version.number("above_mg") and not too_soon:
        return None
    return version.finding(
        week_total_mg=total,
        limit_mg=version.number("above_mg"),
        last_depot_at=given[-1].consumed_at if given else None,
        hours_since=since,
    )


@reasons("B-DP-05", judges_dose=True)
def the_first_depot_matches_the_daily_dose(facts: Facts, version: RuleVersion) -> Finding | None:
    if not facts.depot or facts.depots or not facts.on_sublingual(facts.on):
        return None
    assert facts.previous is not None, "somebody on sublingual has a previous dosing day"
    form = "lyophilisate" if facts.previous.products[-1].form == LYOPHILISATE else "sublingual"
    interval = "monthly" if facts.request.order.product.form == MONTHLY_DEPOT else "weekly"
    daily: Decimal = facts.previous.total_mg
    for row in version.limits["rows"]:
        first, last = row.get(f"{form}_from"), row.get(f"{form}_to")
        if first is not None and first <= daily <= last and row.get(interval) == facts.dose_mg:
            return None
    return version.finding(daily_mg=daily, daily_form=form, dose_mg=facts.dose_mg)


@reasons("B-DP-06")
def the_depot_is_within_its_window(facts: Facts, version: RuleVersion) -> Finding | None:
    if not facts.depot or not facts.depots:
        return None
    start = facts.depots[0].on
    own_week = not facts.on_sublingual(start)
    week_ends = start + timedelta(days=facts.depot_week_days)
    extra = facts.depot_extra_mg
    # In the first week only the amount tells an extra from the next weekly dose: without a unit
    # neither can be said.
    if own_week and facts.on < week_ends and facts.request.order.dose_mg in (extra, None):
        return None
    counted = [
        dose
        for place, dose in enumerate(facts.depots)
        if place == 0 or not (own_week and dose.on < week_ends and dose.dose_mg == extra)
    ]
    last = counted[-1]
    name = "monthly" if last.product.form == MONTHLY_DEPOT else "weekly"
    days = (facts.on - last.on).days
    earliest, latest = version.whole(f"{name}_from_days"), version.whole(f"{name}_to_days")
    if earliest <= days <= latest:
        return None
    return version.finding(
        last_depot_on=last.on, days_since=days, from_days=earliest, to_days=latest
    )


@reasons("B-DP-07")
def a_professional_gives_the_depot(facts: Facts, version: RuleVersion) -> Finding | None:
    supply = facts.request.supply
    taken_home = any(
        collection.take_home_days or not collection.supervised
        for collection in supply.collections or ()
    )
    if not facts.depot or (supply.administered_by == "health_professional" and not taken_home):
        return None
    return version.finding(administered_by=supply.administered_by, taken_home=taken_home)


@reasons("U-08", judges_dose=True)
def the_depot_strength_exists(facts: Facts, version: RuleVersion) -> Finding | None:
    if not facts.depot:
        return None
    monthly = facts.request.order.product.form == MONTHLY_DEPOT
    made: tuple[Decimal, ...] = version.limits["monthly_mg" if monthly else "weekly_mg"]
    if facts.dose_mg in made:
        return None
    return version.finding(dose_mg=facts.dose_mg, syringes_mg=list(made))
