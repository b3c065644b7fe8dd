"""What does the prison's CARAT team have to know of somebody gone into custody? (RC-29)

The community team's record -> one package, kept as it was: the medicine and who prescribed it, the
last doses, what the assessment found, the risks, help and plan, and the visits still booked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments.models import Visit
from clinic.assessments import presenters
from clinic.assessments.entries import Entries, entries_at
from clinic.assessments.models import ClinicalEntry
from clinic.assessments.queries import newest_stamp
from clinic.careplans.models import CarePlan, CarePlanVersion
from clinic.consumption.places import place_on
from clinic.handovers import parts
from clinic.handovers.parts import NOT_KNOWN, Json, day_said, moment_said
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.prescriptions.models import DoseDecision
from clinic.release.care_models import CONSENTS, SharingConsent
from clinic.sites.models import Site
from clinic.staff.models import Staff
from dosing.days import london_day
from dosing.units import as_text

NEWEST = (
    "main_drugs", "tolerance", "medical_history", "mental_health", "social", "pregnancy_test",
    "drug_test", "ecg", "steady_dose", "confirmation", "consent", "outcome",
)  # fmt: skip
"""Kinds of entries of which the newest goes with it."""
ALL = ("medicine", "risk", "risk_action", "help")
"""Kinds of entries of which all that stand go with it."""


@dataclass(frozen=True)
class About:
    """The occasion: where they are said to be, since when, and who holds their case here."""

    where: str | None
    received_on: date | None
    sentenced_on: date | None
    sentence_days: int | None
    says: str | None
    case_manager: str | None


def make(
    act: Act, patient: Patient, about: About, recipient: str, consent: SharingConsent | None
) -> Json:
    """The package as the community team's record stands at this moment."""
    records = same_person(act, patient.id)
    of = Entries(entries_at(act, records, newest_stamp(act, patient.id)))
    decided, place = _decided(act, records), place_on(act, records, act.today)
    goals = _goals(act, records)
    found = {
        **parts.heads(act, patient, act.session.get_one(Site, act.site_id), recipient),
        **parts.doses(act, records),
        "custody": {
            "where": about.where, "received_on": _iso(about.received_on),
            "sentenced_on": _iso(about.sentenced_on), "sentence_days": about.sentence_days,
            "says": about.says,
        },
        "case_manager": about.case_manager,
        "decided": decided,
        "doses_taken_at": place.name if place else None,
        "assessment": [_entry(row) for kind in NEWEST for row in of.all(kind)[-1:]],
        "risks_and_help": [_entry(row) for kind in ALL for row in of.all(kind)],
        "goals": goals,
        "visits_booked": _visits(act, records),
        "consent": consent and {
            "says": CONSENTS[consent.says], "at": consent.decided_at.isoformat(),
            "because": consent.because,
        },
    }  # fmt: skip
    lacking = {
        "Which prison they are in": about.where, "Case manager": about.case_manager,
        "Medicine decided on": decided, "Where doses are taken": place,
        "Main drugs": of.all("main_drugs"), "Risks: none is recorded, which is not none": of.all("risk"),
        "Health, home and other substances": of.all("medical_history"), "Care plan": goals,
    }  # fmt: skip
    return found | {"not_known": [says for says, value in lacking.items() if not value]}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _decided(act: Act, records: list[int]) -> list[Json]:
    """The newest decision on each medicine that stands: what, who decided, until which day."""
    rows = act.session.execute(
        select(DoseDecision, Staff.name)
        .join(Staff, Staff.id == DoseDecision.recorded_by)
        .where(DoseDecision.patient_id.in_(records), DoseDecision.withdrawn_at.is_(None))
        .order_by(DoseDecision.last_on, DoseDecision.id)
    )
    newest = {row.drug: (row, name) for row, name in rows}
    return [
        {
            "drug": row.drug, "product": row.product, "mg": as_text(row.dose_mg),
            "doses_that_day": row.doses_that_day, "until": row.last_on.isoformat(),
            "prescriber": name,
        }
        for row, name in newest.values()
    ]  # fmt: skip


def _entry(row: ClinicalEntry) -> Json:
    return {
        "what": presenters.what(row),
        "says": presenters.said(row),
        "on": london_day(row.happened_at).isoformat(),
    }


def _goals(act: Act, records: list[int]) -> list[str]:
    """What is worked for in the community's care plan, as its newest version says."""
    row = act.session.scalar(
        select(CarePlanVersion)
        .join(CarePlan, CarePlan.id == CarePlanVersion.plan_id)
        .where(CarePlan.patient_id.in_(records), CarePlan.reception_id.is_(None))
        .order_by(CarePlanVersion.number.desc(), CarePlanVersion.id.desc())
        .limit(1)
    )
    if row is None:
        return []
    return [
        f"{goal['what']}. Who: {goal['who']}. By {day_said(goal['by_on'])}"
        for goal in row.goals_now.values()
    ]


def _visits(act: Act, records: list[int]) -> list[str]:
    """What is still booked at this service and has to be given up or kept."""
    rows = act.session.scalars(
        select(Visit.starts_at)
        .where(
            Visit.patient_id.in_(records), Visit.site_id == act.site_id,
            Visit.status == "booked", Visit.starts_at > act.at,
        )
        .order_by(Visit.starts_at)
    )  # fmt: skip
    return [each.isoformat() for each in rows]


# -- in words ------------------------------------------------------------------------------


def lines(package: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The package as headed lines."""
    yield from parts.head_lines(package)
    yield "In custody", _custody(package["custody"])
    yield "Case manager there", [package["case_manager"] or NOT_KNOWN]
    yield (
        "Medicine decided on",
        [_decision(each) for each in package["decided"]] or ["No decision on a dose stands"],
    )
    yield "Doses taken at", [package["doses_taken_at"] or NOT_KNOWN]
    yield from parts.dose_lines(package)
    yield "Assessment, the newest of each", _entries(package["assessment"])
    yield "Risks, medicines, help and plan", _entries(package["risks_and_help"])
    yield "Goals of the care plan", list(package["goals"]) or [NOT_KNOWN]
    yield (
        "Visits still booked there",
        [moment_said(each) for each in package["visits_booked"]] or ["None is booked"],
    )
    yield "Consent to tell this recipient", [_consent(package["consent"])]
    if package["not_known"]:
        yield "Not known", list(package["not_known"])


def _custody(about: Mapping[str, str | None]) -> list[str]:
    said = [f"At: {about['where'] or NOT_KNOWN}"]
    if about["received_on"]:
        said.append(f"Received on {day_said(about['received_on'])}")
    if about["sentenced_on"]:
        days = f", {about['sentence_days']} days" if about["sentence_days"] else ""
        said.append(f"Sentenced on {day_said(about['sentenced_on'])}{days}")
    return said + ([about["says"]] if about["says"] else [])


def _decision(each: Mapping[str, Any]) -> str:
    times = f", {each['doses_that_day']} times a day" if each["doses_that_day"] > 1 else ""
    return (
        f"{each['drug'].capitalize()} {each['mg']} mg{times}, until {day_said(each['until'])}; "
        f"{each['prescriber']}"
    )


def _entries(rows: Sequence[Mapping[str, str]]) -> list[str]:
    return [f"{row['what']}, {day_said(row['on'])}: {row['says']}" for row in rows] or [NOT_KNOWN]


def _consent(said: Mapping[str, str] | None) -> str:
    if not said:
        return "Nothing is recorded"
    because = f". {said['because']}" if said["because"] else ""
    return f"{said['says']}, {moment_said(said['at'])}{because}"
