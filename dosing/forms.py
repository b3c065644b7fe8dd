"""Is the prescription form lawful and consistent? Numbers and sources stand in forms.toml."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dosing.days import days_between
from dosing.facts import Facts
from dosing.reasoning import reasons
from dosing.request import Instalment, Item, Prescription
from dosing.rulebook import Finding, RuleVersion
from dosing.supply import INSTALMENT_FORMS
from dosing.words import words_say

SATURDAY = 5


def _days(form: Prescription) -> int:
    return (form.supply_to_on - form.supply_from_on).days + 1


@reasons("L-01")
def instalments_run_for_two_weeks_at_most(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if form is None or form.form not in INSTALMENT_FORMS:
        return None
    if _days(form) <= version.number("above_days"):
        return None
    return version.finding(form=form.form, days=_days(form), limit=version.number("above_days"))


def _on_an_instalment_form(item: Item, version: RuleVersion) -> bool:
    name = item.name.strip().lower()
    for mark in (" ", "-", "/"):
        name = name.replace(mark, "_")
    return item.schedule in version.words("schedules") or name in version.words("names")


@reasons("L-02")
def every_item_may_go_in_instalments(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if form is None or form.form not in version.words("forms"):
        return None
    wrong = [item.name for item in form.items or () if not _on_an_instalment_form(item, version)]
    return version.finding(items=wrong) if wrong else None


def _amount(instalment: Instalment) -> Decimal | None:
    if instalment.amount_ml is not None:
        return instalment.amount_ml
    return instalment.amount_tablets


@reasons("L-03")
def each_instalment_has_amount_and_day(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if form is None or form.form not in INSTALMENT_FORMS:
        return None
    lacking = [
        place
        for place, each in enumerate(form.instalments or (), 1)
        if each.due_on is None or _amount(each) is None
    ]
    if form.instalments and not lacking:
        return None
    return version.finding(instalments=len(form.instalments or ()), incomplete=lacking)


def _total(form: Prescription) -> tuple[Decimal | None, str]:
    for unit, total in (
        ("millilitres", form.total_ml),
        ("tablets", form.total_tablets),
        ("syringes", form.total_syringes),
    ):
        if total is not None:
            return total, unit
    return None, ""


@reasons("L-04")
def words_and_figures_agree(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if form is None:
        return None
    total, unit = _total(form)
    words = (form.total_in_words or "").strip()
    if total is not None and words_say(words, total, unit):
        return None
    return version.finding(total=total, unit=unit, in_words=words or None)


@reasons("L-05")
def instalments_add_up_to_the_total(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if form is None or not form.instalments:
        return None
    total, unit = _total(form)
    if total is None or any(_amount(each) is None for each in form.instalments):
        return None
    same_unit = [
        each.amount_ml if unit == "millilitres" else each.amount_tablets
        for each in form.instalments
    ]
    added = sum((amount for amount in same_unit if amount is not None), Decimal(0))
    if added == total:
        return None
    return version.finding(instalments=added, total=total, unit=unit)


@reasons("L-06")
def the_dose_is_stated(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if form is None:
        return None
    said = form.dose_directions
    if said is not None and said not in version.words("directions"):
        return None
    return version.finding(dose_directions=said)


@reasons("L-07")
def form_and_strength_are_stated(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if form is None:
        return None
    product = facts.request.order.product.name
    missing = []
    if not (form.written_form or "").strip():
        missing.append("form")
    one_strength = product in version.words("one_strength")
    if not (form.written_strength or "").strip() and not one_strength:
        missing.append("strength")
    return version.finding(missing=missing) if missing else None


@reasons("L-08")
def a_long_supply_is_justified(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if form is None or _days(form) <= version.number("above_days"):
        return None
    return version.finding(days=_days(form), limit=version.number("above_days"))


def _appropriate_on(form: Prescription) -> date:
    """The date the law counts from: the signature's, or a later start written on the form."""
    return max(form.signed_on, form.start_on or form.signed_on)


def last_supply_on(version: RuleVersion, signed_on: date, appropriate_on: date) -> date:
    """The last date a form may first be supplied against, by the L-09 in force; included."""
    older: date | None = version.limits.get("signed_before")
    name = "within_days"
    if older is not None and signed_on < older:
        name = "before_within_days"
    return appropriate_on + timedelta(days=version.whole(name))


@reasons("L-09")
def the_form_is_still_valid(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if form is None or not form.supplies:
        return None
    first = min(each.supplied_on for each in form.supplies)
    last = last_supply_on(version, form.signed_on, _appropriate_on(form))
    if first <= last:
        return None
    return version.finding(
        appropriate_on=_appropriate_on(form), supplied_on=first, valid_until_on=last
    )


@reasons("L-10")
def nothing_is_supplied_early(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if form is None:
        return None
    closed = set(facts.request.supply.pharmacy_closed_on or ())
    before_closing = "closed_day" in (form.directions or ())
    early: list[Any] = []
    for each in form.supplies or ():
        excused = before_closing and each.due_on in closed
        too_early = each.due_on is not None and each.supplied_on < each.due_on and not excused
        if each.supplied_on < _appropriate_on(form) or too_early:
            early.append(each.supplied_on)
    if not early:
        return None
    return version.finding(supplied_on=early, appropriate_on=_appropriate_on(form))


@reasons("L-11")
def a_private_form_is_the_right_one(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if form is None or form.private is not True:
        return None
    # Items nobody listed are taken for controlled ones: what is ordered here always is.
    controlled = form.items is None or any(
        item.schedule in version.words("schedules") for item in form.items
    )
    numbered = bool((form.prescriber_number or "").strip())
    if not controlled or (form.form == version.limits["form"] and numbered):
        return None
    return version.finding(form=form.form, prescriber_number_given=numbered)


@reasons("L-12")
def one_day_on_each_release_form(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if form is None or form.for_release is not True or form.form not in version.words("forms"):
        return None
    holidays = set(form.bank_holidays_on or ())
    weekdays = 0
    for day in days_between(form.supply_from_on, form.supply_to_on):
        weekdays += day.weekday() < SATURDAY and day not in holidays
        if weekdays > version.number("above_days"):
            return version.finding(form=form.form, days=_days(form))
    return None


@reasons("L-13")
def the_form_is_handwritten(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if form is None or form.signed_on >= version.limits["signed_before"]:
        return None
    if form.handwritten is True or form.handwriting_exempt is True:
        return None
    return version.finding(signed_on=form.signed_on)
