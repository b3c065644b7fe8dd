"""What does the next service have to know? A release plan and its doses -> one package, kept as it was.

Plain JSON, for their system; the text and the printed page are made from it and from nothing else.
What nobody knows is said to be not known.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.consumption.models import DoseEvent
from clinic.consumption.queries import in_force
from clinic.consumption.words import OUTCOMES, SUPERVISION, SWALLOWED
from clinic.patients.queries import banner, same_person
from clinic.release import presenters
from clinic.release.queries import PlanNow
from clinic.release.sections import SECTIONS
from clinic.sites.models import Site
from clinic.ui import day, moment
from dosing.days import ONE_DAY
from dosing.units import as_text
from scheduling.handover import DOSES

Json = dict[str, Any]
NOT_KNOWN = "not known"


def make(act: Act, now: PlanNow, recipient: str) -> Json:
    """The package of a plan as it stands at this moment."""
    records = same_person(act, now.patient.id)
    who = banner(act, now.patient)
    site = act.session.get_one(Site, now.plan.site_id)
    answer = now.answer or {}
    doses = _doses(act, records)
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
        "medicine": _says(now, "treatment"),
        "last_doses": doses[:DOSES],
        "first_dose_here": doses[-1] if doses else None,
        "next_dose": _next_dose(act, records, doses),
        "prescriber": _says(now, "prescriber"),
        "appointment": now.request.get("appointment"),
        "first_collection": _first_collection(now),
        "pharmacy": (now.request.get("pharmacy") or {}).get("name"),
        "plan": {
            name: answer.get(name)
            for name in (
                "expected_release_on", "cover_ends_on", "first_community_dose_on",
                "uncovered_days", "gap_days", "continuity_deadline_on",
            )
        },
        "risks": [{"severity": each.severity, "says": each.message} for each in now.flags],
        "naloxone": _says(now, "naloxone"),
        "overdose_session": _says(now, "overdose_session"),
        "consent": _says(now, "consent"),
        "not_known": presenters.unknown(now) + ([now.fault] if now.fault else []),
    }  # fmt: skip


def digest(package: Mapping[str, Any]) -> str:
    """SHA-256 of the package, the same on every machine: what was sent can be told from what was not."""
    text = json.dumps(package, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _says(now: PlanNow, section: str) -> Json | None:
    rows = now.facts[section]
    return dict(rows[0].says) if rows else None


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


def _next_dose(act: Act, records: list[int], doses: list[Json]) -> Json | None:
    """The first day from today without a dose, and what is decided on for it; None: nothing is."""
    had = {each["on"] for each in doses if each["outcome"] in SWALLOWED}
    on = act.today if act.today.isoformat() not in had else act.today + ONE_DAY
    decided = in_force(act, records, on)
    return {
        "on": on.isoformat(),
        "decided": [
            {"drug": row.drug, "mg": as_text(row.dose_mg), "doses": row.doses_that_day}
            for row in decided
        ],
    }


def _first_collection(now: PlanNow) -> Json | None:
    """The first day something is to be collected, of the supplies that are recorded."""
    found = [
        (each["collect_on"], each["covers"], supply)
        for supply in now.request.get("bridging_supplies", ())
        for each in supply["instalments"]
    ]
    if not found:
        return None
    on, covers, supply = min(found, key=lambda each: each[0])
    return {"on": on, "covers": covers, "form": supply["form"], "in_hand": supply.get("in_hand")}


# -- in words ------------------------------------------------------------------------------


def lines(package: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The package as headed lines: the printed page and the plain text are both made of them."""
    person, plan = package["person"], package["plan"]
    yield (
        "Person",
        [
            f"{person['family_name'].upper()}, {person['given_name']}",
            f"Born {_day(person['born_on'])}; NHS number {person['nhs_number'] or NOT_KNOWN}; "
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
    yield "Medicine", _facts("treatment", package["medicine"])
    yield (
        f"Last {DOSES} doses, the newest first",
        ([_dose(each) for each in package["last_doses"]] or ["No dose is recorded"]),
    )
    first = package["first_dose_here"]
    if first and first not in package["last_doses"]:
        yield "First dose recorded", [_dose(first)]
    yield "Next dose due", [_next(package["next_dose"])]
    yield "Prescriber after release", _facts("prescriber", package["prescriber"])
    yield "First appointment", _facts("appointment", package["appointment"])
    yield "First collection", [_collection(package)]
    yield (
        "The plan",
        [
            f"Release: {_day(plan['expected_release_on'])}. Cover ends: {_day(plan['cover_ends_on'])}. "
            f"First community dose: {_day(plan['first_community_dose_on'])}",
            _gap(plan),
            f"In treatment outside by: {_day(plan['continuity_deadline_on'])}",
        ],
    )
    yield (
        "Risks",
        [f"{each['severity'].capitalize()}: {each['says']}" for each in package["risks"]]
        or ["No flag stands"],
    )
    yield "Naloxone", _facts("naloxone", package["naloxone"])
    yield "Overdose session", _facts("overdose_session", package["overdose_session"])
    yield "Consent to share", _facts("consent", package["consent"])
    if package["not_known"]:
        yield "Not known", list(package["not_known"])


def as_words(package: Mapping[str, Any]) -> str:
    """The package as plain text."""
    parts = ["HAND-OVER", f"Made {_moment(package['made_at'])} by {package['made_by']}", ""]
    for head, said in lines(package):
        parts += [head.upper(), *(f"- {line}" for line in said), ""]
    return "\n".join(parts)


def _facts(section: str, says: Json | None) -> list[str]:
    if not says:
        return [NOT_KNOWN]
    asks = SECTIONS[section].asks
    return [
        f"{ask.label.rstrip('?')}: {presenters.said(ask, says[ask.name])}"
        for ask in asks
        if ask.name in says
    ]


def _dose(each: Mapping[str, Any]) -> str:
    what = (
        f"{each['drug'].capitalize()} {each['mg']} mg" if each["mg"] else each["drug"].capitalize()
    )
    at = f" at {moment(datetime.fromisoformat(each['at']))}" if each["at"] else ""
    how = SUPERVISION.get(each["supervision"] or "", "")
    where = f", reported from {each['elsewhere']}" if each["elsewhere"] else ""
    said = [_day(each["on"]), what, OUTCOMES[each["outcome"]] + at, how]
    return "; ".join(filter(None, said)) + where


def _next(given: Mapping[str, Any]) -> str:
    decided = [f"{each['drug']} {each['mg']} mg" for each in given["decided"]]
    return f"{_day(given['on'])}: " + (
        "decided: " + ", ".join(decided) if decided else "no dose decision stands for this day"
    )


def _collection(package: Mapping[str, Any]) -> str:
    first = package["first_collection"]
    if first is None:
        return "No supply is recorded"
    in_hand = {True: "script in hand", False: "script not in hand"}.get(
        first["in_hand"], "not known whether the script is in hand"
    )
    where = "at the gate" if first["form"] == "gate_pack" else package["pharmacy"] or NOT_KNOWN
    return f"{_day(first['on'])}, {where}; {in_hand}"


def _gap(plan: Mapping[str, Any]) -> str:
    if plan["gap_days"] is None:
        return "Days without medicine: cannot be counted"
    days = ", ".join(_day(each) for each in plan["uncovered_days"] or ())
    return f"Days without medicine: {plan['gap_days']}" + (f" ({days})" if days else "")


def _day(text: str | None) -> str:
    return day(date.fromisoformat(text)) if text else NOT_KNOWN


def _moment(text: str) -> str:
    return moment(datetime.fromisoformat(text))


def _list(found: list[str] | None) -> str:
    return NOT_KNOWN if found is None else ", ".join(found) or "asked, none known"


def leaves_on(package: Mapping[str, Any]) -> date | None:
    """The day they leave, as the package has it."""
    text = package["plan"]["expected_release_on"]
    return date.fromisoformat(text) if text else None
