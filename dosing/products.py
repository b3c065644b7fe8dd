"""Is it the right product, and does the arithmetic hold? Numbers and sources: products.toml."""

from __future__ import annotations

from decimal import Decimal

from dosing.facts import Facts
from dosing.medicines import LYOPHILISATE, METHADONE, PRODUCTS, SUBLINGUAL, Product
from dosing.reasoning import reasons
from dosing.rulebook import Finding, RuleVersion
from dosing.units import as_text, can_be_made


def _lyophilisate(facts: Facts) -> bool:
    return facts.request.order.product.form == LYOPHILISATE


@reasons("B-LY-01")
def lyophilisate_is_of_this_period(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _lyophilisate(facts):
        return None
    return version.finding(product=facts.request.order.product.name)


@reasons("B-LY-02", judges_dose=True)
def lyophilisate_starts_low(facts: Facts, version: RuleVersion) -> Finding | None:
    limit = version.number("above_mg")
    if not _lyophilisate(facts) or not facts.first_dose or facts.dose_mg <= limit:
        return None
    return version.finding(dose_mg=facts.dose_mg, limit_mg=limit)


@reasons("B-LY-03", judges_dose=True)
def lyophilisate_day_1_within_limit(facts: Facts, version: RuleVersion) -> Finding | None:
    limit = version.number("above_mg")
    if not _lyophilisate(facts) or facts.day != 1 or facts.total_mg <= limit:
        return None
    return version.finding(total_mg=facts.total_mg, limit_mg=limit)


@reasons("B-LY-04", judges_dose=True)
def lyophilisate_within_its_maximum(facts: Facts, version: RuleVersion) -> Finding | None:
    limit = version.number("above_mg")
    if not _lyophilisate(facts) or facts.total_mg <= limit:
        return None
    return version.finding(total_mg=facts.total_mg, limit_mg=limit)


def _tongue_and_tablet(one: Product, other: Product) -> bool:
    return {one.form, other.form} == {SUBLINGUAL, LYOPHILISATE}


@reasons("B-SW-01")
def a_switch_is_titrated_again(facts: Facts, version: RuleVersion) -> Finding | None:
    order = facts.request.order
    if facts.consumed_today:
        last = facts.consumed_today[-1].product
    elif facts.previous is not None:
        last = facts.previous.products[-1]
    else:
        return None
    if not _tongue_and_tablet(last, order.product):
        return None
    if order.retitration_plan_recorded_at is not None:
        return None
    return version.finding(last_product=last.name, product=order.product.name)


@reasons("B-SW-02")
def what_is_dispensed_is_what_was_ordered(facts: Facts, version: RuleVersion) -> Finding | None:
    dispensed = facts.request.supply.dispensed_product
    ordered = facts.request.order.product
    if dispensed is None or not _tongue_and_tablet(PRODUCTS[dispensed], ordered):
        return None
    return version.finding(product=ordered.name, dispensed_product=dispensed)


# -- units --------------------------------------------------------------------------------


@reasons("U-01", judges_dose=True)
def the_sum_is_the_dose(facts: Facts, version: RuleVersion) -> Finding | None:
    order = facts.request.order
    sums: list[tuple[str, Decimal]] = []
    if order.volume_ml is not None and order.strength_mg_per_ml is not None:
        strength = order.strength_mg_per_ml
        sums.append(
            (
                f"{as_text(order.volume_ml)} ml x {as_text(strength)} mg/ml",
                order.volume_ml * strength,
            )
        )
    if order.tablets:
        sums.append(
            (
                " + ".join(f"{t.count} x {as_text(t.strength_mg)} mg" for t in order.tablets),
                sum((t.strength_mg * t.count for t in order.tablets), Decimal(0)),
            )
        )
    for said, made in sums:
        if made != facts.dose_mg:
            return version.finding(sum=said, made_mg=made, dose_mg=facts.dose_mg)
    return None


@reasons("U-02")
def a_volume_has_a_strength(facts: Facts, version: RuleVersion) -> Finding | None:
    order = facts.request.order
    if order.volume_ml is None or order.strength_mg_per_ml is not None:
        return None
    return version.finding(volume_ml=order.volume_ml)


@reasons("U-03")
def concentrate_is_diluted(facts: Facts, version: RuleVersion) -> Finding | None:
    order = facts.request.order
    strength = order.strength_mg_per_ml
    if facts.drug != METHADONE or strength is None or order.diluted:
        return None
    if strength <= version.number("above_mg_per_ml"):
        return None
    return version.finding(strength_mg_per_ml=strength)


@reasons("U-04")
def the_product_is_for_this_treatment(facts: Facts, version: RuleVersion) -> Finding | None:
    product = facts.request.order.product
    return None if product.for_treatment else version.finding(product=product.name)


@reasons("U-05", judges_dose=True)
def whole_tablets_make_the_dose(facts: Facts, version: RuleVersion) -> Finding | None:
    order = facts.request.order
    if order.product.form != SUBLINGUAL:
        return None
    stocked = order.stocked_strengths_mg or ()
    if can_be_made(facts.dose_mg, stocked):
        return None
    return version.finding(dose_mg=facts.dose_mg, stocked_strengths_mg=list(stocked))


@reasons("U-06")
def the_unit_is_stated(facts: Facts, version: RuleVersion) -> Finding | None:
    return version.finding() if facts.request.order.dose_mg is None else None


@reasons("U-07", judges_dose=True)
def no_unexplained_fall(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.depot or facts.previous is None or facts.missed_dose_order:
        return None
    if facts.request.order.phase in version.words("phases_excused"):
        return None
    if facts.total_mg > facts.previous.total_mg * version.number("share_of_previous"):
        return None
    return version.finding(
        total_mg=facts.total_mg, previous_mg=facts.previous.total_mg, previous_on=facts.previous_on
    )
