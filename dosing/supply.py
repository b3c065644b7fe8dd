"""Is the dose supervised, and kept safely? Community and on site; numbers in supply.toml.

Collections may run for years, so the dates a dose is taken home are kept as ranges.
"""

from __future__ import annotations

from datetime import date, timedelta

from dosing.days import days_between
from dosing.facts import Facts
from dosing.reasoning import reasons
from dosing.rulebook import Finding, RuleVersion

SETTINGS = ("community", "on_site")
INSTALMENT_FORMS = ("fp10mda", "wp10mda")


def _applies(facts: Facts) -> bool:
    return facts.request.setting in SETTINGS and not facts.depot


def _taken_home(facts: Facts) -> list[tuple[date, date]]:
    """The dates doses are taken home for, as ranges with both ends included.

    Supervised: the dates after the collection. Not supervised: the collection's own date first.
    """
    ranges = []
    for collection in facts.request.supply.collections or ():
        first, last = collection.collect_on, collection.daily_until_on or collection.collect_on
        days = collection.take_home_days or 0
        if collection.supervised and days:
            ranges.append((first + timedelta(days=1), last + timedelta(days=days)))
        elif not collection.supervised:
            ranges.append((first, last + timedelta(days=max(days, 1) - 1)))
    return ranges


@reasons("S-01")
@reasons("S-02")
def supervised_while_new(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _applies(facts):
        return None
    closed = set(facts.request.supply.pharmacy_closed_on or ())
    begin = facts.episode_from + timedelta(days=version.whole("first_day") - 1)
    end = facts.episode_from + timedelta(days=version.whole("last_day") - 1)
    for first, last in _taken_home(facts):
        for day in days_between(max(first, begin), min(last, end)):
            if day not in closed:
                return version.finding(unsupervised_on=day, day=facts.day_number(day))
    return None


@reasons("S-03")
def a_week_at_most_at_home(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _applies(facts):
        return None
    limit = version.number("above_days")
    for collection in facts.request.supply.collections or ():
        days = collection.take_home_days
        if days is not None and days > limit:
            return version.finding(
                take_home_days=days, collect_on=collection.collect_on, limit=limit
            )
    return None


@reasons("S-05")
def doses_at_home_are_safe_from_children(facts: Facts, version: RuleVersion) -> Finding | None:
    if not _applies(facts) or not _taken_home(facts):
        return None
    children = facts.request.patient.children_at_home
    if children is False or facts.request.supply.safe_storage_recorded_on is not None:
        return None
    return version.finding(children_at_home=children)


@reasons("S-06")
def closed_days_can_be_supplied(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if not _applies(facts) or form is None or "closed_day" in (form.directions or ()):
        return None
    closed = set(facts.request.supply.pharmacy_closed_on or ())
    due = [each.due_on for each in form.instalments or () if each.due_on in closed]
    return version.finding(closed_on=due) if due else None


@reasons("S-07")
def the_three_day_direction_is_there(facts: Facts, version: RuleVersion) -> Finding | None:
    form = facts.request.prescription
    if not _applies(facts) or form is None or form.form not in INSTALMENT_FORMS:
        return None
    if "three_day" in (form.directions or ()):
        return None
    return version.finding(form=form.form)
