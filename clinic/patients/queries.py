"""Find patients, and gather what the banner and the record page show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select

from clinic.act import Act
from clinic.errors import Invalid
from clinic.patients.models import (
    Allocation,
    Patient,
    PatientAlert,
    PatientAlias,
    PatientIdentifier,
    Registration,
)
from clinic.staff.models import Staff

MOST_FOUND = 50


def caseload(act: Act, *, limit: int = 500) -> list[Patient]:
    """Everybody registered at this site, by name. The list is audited by the ids it shows."""
    act.need("patients.read")
    found = list(
        act.session.scalars(
            select(Patient)
            .join(Registration, Registration.patient_id == Patient.id)
            .where(
                Registration.site_id == act.site_id,
                Registration.ended_at.is_(None),
                Patient.merged_into_id.is_(None),
            )
            .order_by(Patient.family_name, Patient.given_name, Patient.id)
            .limit(limit)
        )
    )
    act.note_shown("patients.listed", [patient.id for patient in found])
    return found


def search(act: Act, words: str) -> list[tuple[Patient, bool]]:
    """Patients by name, alias or number, with whether each is on this site's caseload.

    Two letters at least. People elsewhere are found too, so that nobody is registered twice; their
    record still opens only with a reason.
    """
    act.need("patients.read")
    words = " ".join(words.split())
    if len(words) < 2:
        raise Invalid.field("q", "must have at least 2 letters or digits")
    compact = words.replace(" ", "").upper()
    like = f"{words.split(',')[0].strip().lower()}%"
    found = act.session.scalars(
        select(Patient)
        .where(
            Patient.merged_into_id.is_(None),
            or_(
                Patient.family_name.ilike(like),
                Patient.given_name.ilike(like),
                Patient.id.in_(
                    select(PatientAlias.patient_id).where(PatientAlias.family_name.ilike(like))
                ),
                Patient.id.in_(
                    select(PatientIdentifier.patient_id).where(PatientIdentifier.value == compact)
                ),
            ),
        )
        .order_by(Patient.family_name, Patient.given_name, Patient.id)
        .limit(MOST_FOUND)
    ).all()
    here = set(
        act.session.scalars(
            select(Registration.patient_id).where(
                Registration.site_id == act.site_id,
                Registration.ended_at.is_(None),
                Registration.patient_id.in_([patient.id for patient in found]),
            )
        )
    )
    act.note_shown("patients.searched", [patient.id for patient in found])
    return [(patient, patient.id in here) for patient in found]


@dataclass(frozen=True)
class Banner:
    """What the banner on every patient page shows. None means not known."""

    patient_id: int
    family_name: str
    given_name: str
    title: str | None
    born_on: date
    died_on: date | None
    age: int
    sex: str
    gender: str | None
    nhs_number: str | None
    prison_number: str | None
    alerts: tuple[str, ...]
    allergies: tuple[str, ...]
    keyworker: str | None
    location: str | None = None


def banner(act: Act, patient: Patient) -> Banner:
    """The banner of an opened record."""
    alerts = list(
        act.session.scalars(
            select(PatientAlert).where(
                PatientAlert.patient_id == patient.id, PatientAlert.ended_at.is_(None)
            )
        )
    )
    keyworker = act.session.scalar(
        select(Staff.name)
        .join(Allocation, Allocation.staff_id == Staff.id)
        .where(
            Allocation.patient_id == patient.id,
            Allocation.site_id == act.site_id,
            Allocation.kind == "keyworker",
            Allocation.ended_at.is_(None),
        )
    )
    on = patient.died_on or act.today
    return Banner(
        patient_id=patient.id,
        family_name=patient.family_name,
        given_name=patient.given_name,
        title=patient.title,
        born_on=patient.born_on,
        died_on=patient.died_on,
        age=age_on(patient.born_on, on),
        sex=patient.sex,
        gender=patient.gender,
        nhs_number=patient.number("nhs"),
        prison_number=patient.number("prison"),
        alerts=tuple(row.says for row in alerts if row.kind == "alert"),
        allergies=tuple(row.says for row in alerts if row.kind == "allergy"),
        keyworker=keyworker,
    )


def age_on(born_on: date, day: date) -> int:
    """Whole years of age on a day; a birthday on 29 February falls on 1 March in other years."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def same_person(act: Act, patient_id: int) -> list[int]:
    """The ids of every record that leads to this one, itself included."""
    found = [patient_id]
    for each in found:
        found += act.session.scalars(select(Patient.id).where(Patient.merged_into_id == each))
    return found
