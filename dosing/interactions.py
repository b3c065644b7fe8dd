"""Which other medicine changes what a dose does? Numbers and sources stand in interactions.toml."""

from __future__ import annotations

from dosing.facts import Facts, is_current
from dosing.medicines import METHADONE
from dosing.reasoning import reasons
from dosing.request import Medicine
from dosing.rulebook import Finding, RuleVersion


@reasons("I-BZ-01")
def sedatives_are_watched(facts: Facts, version: RuleVersion) -> Finding | None:
    plan = facts.request.assessment.sedative_monitoring_plan
    watched_to = None
    if plan is not None and (plan.to_on - plan.from_on).days + 1 >= version.number("plan_days"):
        watched_to = plan.to_on
    unwatched = [
        medicine.name
        for medicine in facts.taking(version.limits["medicine_class"])
        # A start nobody knows may be today's.
        if watched_to is None or watched_to < (medicine.started_on or facts.on)
    ]
    if not unwatched:
        return None
    return version.finding(
        medicines=unwatched,
        plan_from_on=None if plan is None else plan.from_on,
        plan_to_on=None if plan is None else plan.to_on,
    )


@reasons("I-GB-01")
def gabapentinoids_are_weighed(facts: Facts, version: RuleVersion) -> Finding | None:
    taken = [medicine.name for medicine in facts.taking(version.limits["medicine_class"])]
    if version.limits["substance"] in facts.request.patient.substance_use:
        taken.append("not prescribed")
    return version.finding(medicines=taken) if taken else None


@reasons("I-CY-01")
@reasons("I-CY-02")
def metabolism_is_steady(facts: Facts, version: RuleVersion) -> Finding | None:
    if facts.drug != METHADONE:
        return None
    classes, days = version.words("medicine_classes"), version.whole("within_days")

    def changed(medicine: Medicine) -> bool:
        return (
            facts.within_days(medicine.started_on, days)
            or facts.within_days(medicine.stopped_on, days)
            or (medicine.started_on is None and is_current(medicine, facts.on))
        )

    found = [
        medicine.name
        for medicine in facts.request.patient.medicines
        if any(kind in classes for kind in medicine.classes) and changed(medicine)
    ]
    return version.finding(medicines=found) if found else None


@reasons("I-OP-01")
def no_second_opioid(facts: Facts, version: RuleVersion) -> Finding | None:
    found = [medicine.name for medicine in facts.taking(version.limits["medicine_class"])]
    return version.finding(medicines=found) if found else None
