"""What stands on the paper, word for word, and does it add up?

Built once, when a form is issued, and kept with it: page, PDF and API show the same words. Amounts
are exact decimal text.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from clinic.act import Act
from clinic.errors import Invalid, Trouble
from clinic.patients.models import Patient
from clinic.scripts.facts import Made, tablet_counts, tablets_of
from clinic.scripts.models import Script
from clinic.sites.models import Site
from clinic.staff.models import Staff
from clinic.ui import day, day_born, nhs_number
from dosing.units import as_text
from dosing.words import in_words, words_say
from scheduling.instalments import WORDINGS

Data = dict[str, Any]
NAMES = {"fp10mda": "FP10MDA", "wp10mda": "WP10MDA"}
SHORT = {"millilitres": "ml", "tablets": "tablets"}
RELEASE = {"mark": "HMP", "exemption": "0015"}
UNSIGNED = "Not valid unless signed by hand by the prescriber."


class WillNotPrint(Trouble):
    """What is kept does not agree with itself: it is never put on paper."""

    status, title, kind = 409, "This form will not be printed", "will-not-print"


def write(
    act: Act,
    script: Script,
    made: Made,
    *,
    start_on: date | None,
    valid_until_on: date,
) -> Data:
    """The words of a form signed today by whoever does this. Invalid where a fact is missing."""
    plan, unit = made.plan, made.written.unit
    paper: Data = {
        "form": NAMES[script.form],
        "release": RELEASE if made.for_release else None,
        "patient": _patient(made.patient, script),
        "prescriber": _prescriber(act, made),
        "pharmacy": {
            "name": script.premises.name,
            "address": script.premises.address,
            "telephone": script.premises.telephone,
        },
        "item": {
            "name": made.written.name,
            "form": made.written.form,
            "strength": made.strength_words,
        },
        "doses": [
            {
                "when": span(first, last),
                "mg": as_text(decision.dose_mg),
                "text": _dose(made, decision),
            }
            for decision, first, last in made.steps
        ],
        "unit": SHORT[unit],
        "total": as_text(plan.total),
        "total_in_words": in_words(plan.total, unit),
        "total_mg": as_text(plan.total_mg),
        "tablets": [
            {
                "strength": f"{as_text(strength)} mg",
                "total": str(count),
                "total_in_words": in_words(Decimal(count), unit),
            }
            for strength, count in tablets_of(made).items()
        ]
        if unit == "tablets"
        else [],
        "instalments": [
            {
                "number": number,
                "due": day(each.due_on),
                "for": span(each.dates[0], each.dates[-1]),
                "supervised": each.supervised,
                "take_home_days": len(each.taken_home),
                "amount": as_text(each.amount),
                "mg": as_text(each.mg),
            }
            for number, each in enumerate(plan.instalments, 1)
        ],
        "wordings": [
            {"id": name, "version": WORDINGS[name].version, "text": WORDINGS[name].text}
            for name in script.asked["directions"]
        ],
        "first_day": day(script.from_on),
        "last_day": day(script.to_on),
        "signed_on": day(act.today),
        "start_on": day(start_on) if start_on else None,
        "valid_until": day(valid_until_on),
        "unsigned": UNSIGNED,
    }
    must_agree(paper)
    return paper


def span(first: date, last: date) -> str:
    return day(first) if first == last else f"{day(first)} to {day(last)}"


def _patient(patient: Patient, script: Script) -> Data:
    title = f" ({patient.title})" if patient.title else ""
    return {
        "name": f"{patient.family_name.upper()}, {patient.given_name}{title}",
        "born": day_born(patient.born_on),
        "nhs_number": nhs_number(patient.number("nhs")),
        "address": script.asked["address"],
    }


def _prescriber(act: Act, made: Made) -> Data:
    site = act.session.get_one(Site, act.site_id)
    staff = act.session.get_one(Staff, act.staff_id)
    if not site.address:
        raise Invalid.field("site", "This service has no address recorded: ask a manager to add it")
    if made.for_release and not site.telephone:
        raise Invalid.field(
            "site", "A release form shows the prison's telephone: ask a manager to add it"
        )
    return {
        "name": staff.name,
        "number": staff.registration,
        "service": site.name,
        "address": site.address,
        "telephone": site.telephone,
        "body": site.area,
        "ods_code": site.ods_code,
    }


def _dose(made: Made, decision: Any) -> str:
    """ "40 mg (40 ml) by mouth once a day": never "as directed"."""
    if made.strength is not None:
        counted = f"{as_text(decision.dose_mg / made.strength)} ml"
    else:
        counted = " and ".join(
            f"{count} x {as_text(strength)} mg tablet{'s' if count > 1 else ''}"
            for strength, count in tablet_counts(decision).items()
        )
    times = decision.doses_that_day
    often = "once a day" if times == 1 else f"{times} times a day"
    return f"{as_text(decision.dose_mg)} mg ({counted}) {made.written.route} {often}"


def must_agree(paper: Data) -> None:
    """WillNotPrint unless figures, words and instalments agree, as they stand on the paper."""
    units = {short: long for long, short in SHORT.items()}
    unit = units[paper["unit"]]
    for total in (paper, *paper["tablets"]):
        if not words_say(total["total_in_words"], Decimal(total["total"]), unit):
            raise WillNotPrint("Words and figures of the total differ.")
    for part, whole in (("amount", "total"), ("mg", "total_mg")):
        added = sum((Decimal(each[part]) for each in paper["instalments"]), Decimal(0))
        if added != Decimal(paper[whole]):
            raise WillNotPrint(f"Instalments add to {added}, the total says {paper[whole]}.")
    counted = sum((Decimal(each["total"]) for each in paper["tablets"]), Decimal(0))
    if paper["tablets"] and counted != Decimal(paper["total"]):
        raise WillNotPrint("The tablets of each strength do not add to the total.")
    if not all(each["text"].strip() for each in paper["doses"]) or not paper["item"]["strength"]:
        raise WillNotPrint("No dose or no strength is stated.")
