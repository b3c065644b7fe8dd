"""What every hand-over says, of a leaver or of somebody gone into custody: as data, and in words.

What nobody knows is said to be not known.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.consumption.models import DoseEvent
from clinic.consumption.queries import in_force
from clinic.consumption.words import OUTCOMES, SUPERVISION, SWALLOWED
from clinic.patients.models import Patient
from clinic.patients.queries import banner
from clinic.sites.models import Site
from clinic.ui import day, day_born, moment
from dosing.days import ONE_DAY
from dosing.units import as_text
from scheduling.handover import DOSES, last_doses

Json = dict[str, Any]
NOT_KNOWN = "not known"


def heads(act: Act, patient: Patient, site: Site, recipient: str) -> Json:
    """Who made it, from where to whom, and who the person is."""
    who = banner(act, patient)
    return {
        "made_at": act.at.isoformat(),
        "made_by": act.staff_name,
        "from": {
            "service": site.name, "telephone": site.telephone,
            "out_of_hours_line": site.out_of_hours_line,
        },
        "to": recipient,
        "person": {
            "family_name": who.family_name, "given_name": who.given_name,
            "born_on": who.born_on.isoformat() if who.born_on else None, "gender": who.gender,
            "nhs_number": who.nhs_number, "prison_number": who.prison_number,
        },
        "alerts": list(who.alerts),
        "allergies": None if who.allergies is None else list(who.allergies),
    }  # fmt: skip


def doses(act: Act, records: list[int], told_on: Collection[str] = ()) -> Json:
    """The last doses, the first one recorded, and the next one due. `told_on`: days on which another
    paper knows of a dose, so that none is due twice.
    """
    found = _doses(act, records)
    return {
        "last_doses": list(last_doses(found)),
        "first_dose_here": found[-1] if found else None,
        "next_dose": _next_dose(act, records, found, told_on),
    }


def digest(package: Mapping[str, Any]) -> str:
    """SHA-256 of the package, the same on every machine: what was sent can be told from what was not."""
    text = json.dumps(package, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _doses(act: Act, records: list[int]) -> list[Json]:
    """Every dose recorded, the newest first."""
    rows = act.session.scalars(
        select(DoseEvent)
        .where(DoseEvent.patient_id.in_(records), DoseEvent.struck_at.is_(None))
        .order_by(DoseEvent.consumed_at.desc(), DoseEvent.id.desc())
    )
    return [
        {
            "on": row.dose_on.isoformat(),
            "at": row.consumed_at.isoformat() if row.outcome in SWALLOWED else None,
            "drug": row.drug,
            "mg": None if row.dose_mg is None else as_text(row.dose_mg),
            "outcome": row.outcome,
            "supervision": row.supervision,
            "elsewhere": row.place if row.elsewhere else None,
        }
        for row in rows
    ]


def _next_dose(
    act: Act, records: list[int], doses: list[Json], told_on: Collection[str]
) -> Json | None:
    """The first day from today without a dose, and what is decided on for it; None: nothing is."""
    had = {each["on"] for each in doses if each["outcome"] in SWALLOWED} | set(told_on)
    on = act.today if act.today.isoformat() not in had else act.today + ONE_DAY
    decided = in_force(act, records, on)
    return {
        "on": on.isoformat(),
        "decided": [
            {"drug": row.drug, "mg": as_text(row.dose_mg), "doses": row.doses_that_day}
            for row in decided
        ],
    }


# -- in words ------------------------------------------------------------------------------


def head_lines(package: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The person, and from where to whom."""
    person = package["person"]
    yield (
        "Person",
        [
            f"{person['family_name'].upper()}, {person['given_name']}",
            f"Born {_born(person['born_on'])}; NHS number {person['nhs_number'] or NOT_KNOWN}; "
            f"prison number {person['prison_number'] or NOT_KNOWN}",
            "Allergies: " + _list(package["allergies"]),
            "Alerts: " + (", ".join(package["alerts"]) or "none recorded"),
        ],
    )
    yield (
        "From and to",
        [
            f"From {package['from']['service']}, telephone {package['from']['telephone'] or NOT_KNOWN}",
            f"To {package['to']}",
        ],
    )


def dose_lines(package: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    yield (
        f"Last {DOSES} doses, the newest first",
        ([_dose(each) for each in package["last_doses"]] or ["No dose is recorded"]),
    )
    first = package["first_dose_here"]
    if first and first not in package["last_doses"]:
        yield "First dose recorded", [_dose(first)]
    yield "Next dose due", [_next(package["next_dose"])]


def _dose(each: Mapping[str, Any]) -> str:
    what = (
        f"{each['drug'].capitalize()} {each['mg']} mg" if each["mg"] else each["drug"].capitalize()
    )
    at = f" at {moment(datetime.fromisoformat(each['at']))}" if each["at"] else ""
    how = SUPERVISION.get(each["supervision"] or "", "")
    where = f", reported from {each['elsewhere']}" if each["elsewhere"] else ""
    said = [day_said(each["on"]), what, OUTCOMES[each["outcome"]] + at, how]
    return "; ".join(filter(None, said)) + where


def _next(given: Mapping[str, Any]) -> str:
    decided = [
        f"{each['drug']} {each['mg']} mg"
        + (f", {each['doses']} times that day" if each["doses"] > 1 else "")
        for each in given["decided"]
    ]
    return f"{day_said(given['on'])}: " + (
        "decided: " + ", ".join(decided) if decided else "no dose decision stands for this day"
    )


def _born(on: str | None) -> str:
    return day_born(date.fromisoformat(on) if on else None)


def day_said(text: str | None) -> str:
    return day(date.fromisoformat(text)) if text else NOT_KNOWN


def moment_said(text: str) -> str:
    return moment(datetime.fromisoformat(text))


def _list(found: list[str] | None) -> str:
    return NOT_KNOWN if found is None else ", ".join(found) or "asked, none known"
