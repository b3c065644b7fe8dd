"""Register a patient, correct the record, join two records, and say which site looks after whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act, command
from clinic.errors import Conflict, Invalid, NotFound, Stale, says
from clinic.patients import identifiers
from clinic.patients.access import open_record
from clinic.patients.models import (
    ALERT_KINDS,
    ALLOCATIONS,
    ETHNICITIES,
    NO_KNOWN_ALLERGIES,
    SEXES,
    Allocation,
    Patient,
    PatientAlert,
    PatientAlias,
    PatientChange,
    PatientIdentifier,
    PatientMerge,
    Registration,
)
from clinic.patients.queries import look_alikes, same_person
from clinic.sites.models import Site
from clinic.staff.models import Staff, StaffRole

says(
    "uq_patient_identifier_current",
    "That number already belongs to another record. Open that record, or ask a manager to join them.",
)
# SQLite names the columns of a unique index, not the index.
says(
    "patient_identifier.kind, patient_identifier.value",
    "That number already belongs to another record. Open that record, or ask a manager to join them.",
)

OLDEST_YEARS = 120


class PossibleDuplicate(Conflict):
    """Somebody alike is on record already: look first, then say you are sure."""

    title, kind = "Somebody alike is on record", "possible-duplicate"

    def __init__(self, patient_ids: list[int]) -> None:
        super().__init__(
            "Somebody born on that day with one of these names is on record. Is it the same person?",
            more={"patient_ids": patient_ids},
        )
        self.patient_ids = patient_ids


@command
def register_patient(
    act: Act,
    *,
    family_name: str,
    given_name: str,
    born_on: date,
    sex: str,
    demo: bool,
    title: str | None = None,
    gender: str | None = None,
    ethnicity: str | None = None,
    ppo: bool | None = None,
    numbers: Mapping[str, str] | None = None,
    sure: bool = True,
) -> int:
    """Make a record at this site and take the patient onto its caseload. Returns the id.

    `numbers`: identifier kind to text as typed. Blank is kept as not asked. `sure`: when false,
    PossibleDuplicate while somebody on record was born that day under one of the names.
    """
    act.need("patients.register")
    names = {"family_name": family_name.strip(), "given_name": given_name.strip()}
    for field, value in names.items():
        if not value:
            raise Invalid.field(field, "is required")
        if len(value) > 100:
            raise Invalid.field(field, "must be 100 characters or fewer")
    _check_details(act, {"born_on": born_on, "sex": sex, "ethnicity": ethnicity})
    alike = [] if sure else look_alikes(act, **names, born_on=born_on)
    patient = Patient(
        **names, title=title or None, born_on=born_on, sex=sex, gender=gender or None,
        ethnicity=ethnicity or None, ppo=ppo, died_on=None, merged_into_id=None,
    )  # fmt: skip
    act.session.add(patient)
    act.session.flush()
    for kind, text in (numbers or {}).items():
        if text and text.strip():
            _add_number(act, patient.id, kind, text, demo=demo)
    act.session.flush()
    if alike:  # after the numbers: one that is another's says more than a name that is alike
        raise PossibleDuplicate([each.id for each in alike])
    _register(act, patient.id, act.site_id)
    act.note("patients.registered", patient_id=patient.id)
    return patient.id


def _check_details(act: Act, details: Mapping[str, Any]) -> None:
    born_on = details.get("born_on")
    if born_on is not None and not (
        act.today.year - OLDEST_YEARS <= born_on.year and born_on <= act.today
    ):
        raise Invalid.field("born_on", f"must be a past date, at most {OLDEST_YEARS} years ago")
    if details.get("sex") is not None and details["sex"] not in SEXES:
        raise Invalid.field("sex", f"must be one of: {', '.join(SEXES)}")
    if details.get("ethnicity") and details["ethnicity"] not in ETHNICITIES:
        raise Invalid.field("ethnicity", f"must be one of: {', '.join(ETHNICITIES)}")


def _register(act: Act, patient_id: int, site_id: int | None) -> None:
    act.session.add(
        Registration(
            patient_id=patient_id, site_id=site_id, started_at=act.at, ended_at=None,
            ended_reason=None, recorded_at=act.at, recorded_by=act.staff_id,
        )
    )  # fmt: skip


@command
def take_onto_caseload(act: Act, patient_id: int, site_id: int | None = None) -> None:
    """Register a known patient at a site (this one when not said). Nothing changes if they are.

    Used by referrals and receptions, which have already settled that the record may be opened.
    """
    site = site_id or act.site_id
    known = act.session.scalar(
        select(Registration.id).where(
            Registration.patient_id == patient_id,
            Registration.site_id == site,
            Registration.ended_at.is_(None),
        )
    )
    if known is None:
        _register(act, patient_id, site)
        act.note("patients.caseload_added", patient_id=patient_id, site_id=site)


@command
def leave_caseload(act: Act, patient_id: int, reason: str) -> None:
    """This site no longer looks after the patient. The registration stays as history."""
    act.need("patients.edit")
    patient = open_record(act, patient_id, "patients.read")
    rows = act.session.scalars(
        select(Registration).where(
            Registration.patient_id.in_(same_person(act, patient.id)),
            Registration.site_id == act.site_id,
            Registration.ended_at.is_(None),
        )
    ).all()
    if not rows:
        raise NotFound("The patient is not on this site's caseload.")
    if not reason.strip():
        raise Invalid.field("reason", "is required")
    for row in rows:
        row.ended_at, row.ended_reason = act.at, reason.strip()
    act.note("patients.caseload_left", patient_id=patient.id)


EDITABLE = (
    "family_name", "given_name", "title", "born_on", "sex", "gender", "ethnicity", "ppo", "died_on",
)  # fmt: skip


Follower = Callable[[Act, int], None]
_FOLLOWERS: list[Follower] = []


def follows_deaths(follower: Follower) -> Follower:
    """A room that hears, in the same transaction, when a death is recorded or taken back."""
    _FOLLOWERS.append(follower)
    return follower


@command
def correct_patient(
    act: Act, patient_id: int, *, version: int, reason: str | None = None, **details: Any
) -> int:
    """Change details of the record, keeping what they were. Returns the new version.

    `version` is the one that was read; Stale, naming who changed it, when it no longer holds.
    A changed name is kept as an alias.
    """
    act.need("patients.edit")
    patient = open_record(act, patient_id, "patients.read")
    if patient.version != version:
        raise _stale(act, patient)
    if unknown := set(details) - set(EDITABLE):
        raise Invalid.field(sorted(unknown)[0], "cannot be changed")
    for field in ("family_name", "given_name"):
        if field in details and not (details[field] or "").strip():
            raise Invalid.field(field, "is required")
    for field in ("born_on", "sex"):
        if field in details and details[field] is None:
            raise Invalid.field(field, "is required")
    if details.get("died_on") and details["died_on"] > act.today:
        raise Invalid.field("died_on", "cannot be in the future")
    _check_details(act, details)
    changed = {field: value for field, value in details.items() if getattr(patient, field) != value}
    if not changed:
        return patient.version
    if {"family_name", "given_name"} & set(changed):
        act.session.add(
            PatientAlias(
                patient_id=patient.id, family_name=patient.family_name,
                given_name=patient.given_name, recorded_at=act.at, recorded_by=act.staff_id,
            )
        )  # fmt: skip
    for field, value in changed.items():
        was = getattr(patient, field)
        act.session.add(
            PatientChange(
                patient_id=patient.id, field=field, was=None if was is None else str(was),
                became=None if value is None else str(value), reason=reason or None,
                recorded_at=act.at, recorded_by=act.staff_id,
            )
        )  # fmt: skip
        setattr(patient, field, value)
    act.session.flush()
    act.note("patients.corrected", patient_id=patient.id, fields=sorted(changed))
    if "died_on" in changed:
        for follower in _FOLLOWERS:
            follower(act, patient.id)
    return patient.version


def _stale(act: Act, patient: Patient) -> Stale:
    last = act.session.execute(
        select(Staff.name, PatientChange.recorded_at, PatientChange.field)
        .join(Staff, Staff.id == PatientChange.recorded_by)
        .where(PatientChange.patient_id == patient.id)
        .order_by(PatientChange.id.desc())
    ).first()
    if last is None:
        return Stale("The record changed since you read it.", more={"version": patient.version})
    name, at, field = last
    return Stale(
        f"{name} changed this record ({field.replace('_', ' ')}) since you read it.",
        more={"version": patient.version, "changed_by": name, "changed_at": at.isoformat()},
    )


@command
def add_number(act: Act, patient_id: int, kind: str, text: str, *, demo: bool) -> None:
    """Record an identifier. The earlier one of its kind is ended, never deleted."""
    act.need("patients.edit")
    patient = open_record(act, patient_id, "patients.read")
    _add_number(act, patient.id, kind, text, demo=demo)
    act.note("patients.number_added", patient_id=patient.id, kind=kind)


def _add_number(act: Act, patient_id: int, kind: str, text: str, *, demo: bool) -> None:
    value = identifiers.read(kind, text, demo=demo)
    for row in act.session.scalars(
        select(PatientIdentifier).where(
            PatientIdentifier.patient_id == patient_id,
            PatientIdentifier.kind == kind,
            PatientIdentifier.ended_at.is_(None),
        )
    ):
        if row.value == value:
            return
        row.ended_at, row.ended_by, row.ended_reason = act.at, act.staff_id, "replaced"
    act.session.flush()
    act.session.add(
        PatientIdentifier(
            patient_id=patient_id, kind=kind, value=value, ended_at=None, ended_by=None,
            ended_reason=None, recorded_at=act.at, recorded_by=act.staff_id,
        )
    )  # fmt: skip
    act.session.flush()


@command
def end_number(act: Act, patient_id: int, identifier_id: int, reason: str) -> None:
    """The number is not, or no longer, this patient's. It stays in the history."""
    act.need("patients.edit")
    patient = open_record(act, patient_id, "patients.read")
    row = act.session.get(PatientIdentifier, identifier_id)
    if row is None or row.ended_at or row.patient_id not in same_person(act, patient.id):
        raise NotFound("There is no such number in use.")
    if not reason.strip():
        raise Invalid.field("reason", "is required")
    row.ended_at, row.ended_by, row.ended_reason = act.at, act.staff_id, reason.strip()
    act.note("patients.number_ended", patient_id=patient.id, number_kind=row.kind)


@command
def add_alias(act: Act, patient_id: int, family_name: str, given_name: str) -> None:
    """Record another name the patient has gone by."""
    act.need("patients.edit")
    patient = open_record(act, patient_id, "patients.read")
    if not family_name.strip():
        raise Invalid.field("family_name", "is required")
    act.session.add(
        PatientAlias(
            patient_id=patient.id, family_name=family_name.strip(), given_name=(given_name or "").strip(),
            recorded_at=act.at, recorded_by=act.staff_id,
        )
    )  # fmt: skip
    act.note("patients.alias_added", patient_id=patient.id)


@command
def add_alert(act: Act, patient_id: int, kind: str, text: str) -> int:
    """Put an alert or an allergy on the banner, or that somebody asked and there is none."""
    act.need("patients.edit")
    patient = open_record(act, patient_id, "patients.read")
    if kind not in ALERT_KINDS:
        raise Invalid.field("kind", f"must be one of: {', '.join(ALERT_KINDS)}")
    if kind == NO_KNOWN_ALLERGIES:
        text = text.strip() or ALERT_KINDS[kind]
    if not text.strip():
        raise Invalid.field("says", "is required")
    _settle_allergies(act, patient.id, kind)
    row = PatientAlert(
        patient_id=patient.id, kind=kind, says=text.strip(), ended_at=None, ended_by=None,
        recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("patients.alert_added", patient_id=patient.id, alert=row.id)
    return row.id


def _settle_allergies(act: Act, patient_id: int, kind: str) -> None:
    """An allergy ends "none known"; "none known" cannot stand beside an allergy."""
    opposite = {"allergy": NO_KNOWN_ALLERGIES, NO_KNOWN_ALLERGIES: "allergy"}.get(kind)
    for row in act.session.scalars(
        select(PatientAlert).where(
            PatientAlert.patient_id.in_(same_person(act, patient_id)),
            PatientAlert.kind == opposite,
            PatientAlert.ended_at.is_(None),
        )
    ):
        if opposite == "allergy":
            raise Invalid.field("kind", "cannot stand while an allergy is recorded: end that first")
        row.ended_at, row.ended_by = act.at, act.staff_id


@command
def end_alert(act: Act, patient_id: int, alert_id: int) -> None:
    """Take an alert off the banner. It stays in the history."""
    act.need("patients.edit")
    patient = open_record(act, patient_id, "patients.read")
    row = act.session.get(PatientAlert, alert_id)
    if row is None or row.patient_id not in same_person(act, patient.id):
        raise NotFound("There is no such alert.")
    if row.ended_at is None:
        row.ended_at, row.ended_by = act.at, act.staff_id
        act.note("patients.alert_ended", patient_id=patient.id, alert=row.id)


@command
def merge_patients(act: Act, kept_id: int, merged_id: int, reason: str) -> int:
    """Two records are one person: the merged one leads to the kept one from now on.

    Rows stay where they were written; readers follow the link, so undoing is exact.
    """
    act.need("patients.merge")
    if not reason.strip():
        raise Invalid.field("reason", "is required")
    kept, merged = act.session.get(Patient, kept_id), act.session.get(Patient, merged_id)
    if kept is None or merged is None:
        raise NotFound("There is no such patient.")
    if kept_id == merged_id:
        raise Invalid.field("merged_id", "must be another record")
    if kept.merged_into_id is not None or merged.merged_into_id is not None:
        raise Conflict("One of these records was already joined to another.")
    open_record(act, kept_id, "patients.read")
    open_record(act, merged_id, "patients.read")
    merged.merged_into_id = kept.id
    row = PatientMerge(
        kept_id=kept.id, merged_id=merged.id, reason=reason.strip(), undone_at=None,
        undone_by=None, undone_reason=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("patients.merged", patient_id=kept.id, merge=row.id, merged=merged.id)
    return row.id


@command
def undo_merge(act: Act, merge_id: int, reason: str) -> None:
    """The two records are two people after all."""
    act.need("patients.merge")
    row = act.session.get(PatientMerge, merge_id)
    if row is None or row.undone_at is not None:
        raise NotFound("There is no such joined record.")
    if not reason.strip():
        raise Invalid.field("reason", "is required")
    open_record(act, row.kept_id, "patients.read")
    act.session.get_one(Patient, row.merged_id).merged_into_id = None
    row.undone_at, row.undone_by, row.undone_reason = act.at, act.staff_id, reason.strip()
    act.note("patients.merge_undone", patient_id=row.kept_id, merge=row.id)


def allocate(
    act: Act,
    patient_id: int,
    staff_id: int,
    kind: str,
    *,
    started_at: datetime | None = None,
    reason: str | None = None,
) -> bool:
    """Name a keyworker, case manager or cover at this site; part of a room's own command.

    A change from one named person to another needs a reason. False when they already are.
    """
    if kind not in ALLOCATIONS:
        raise Invalid.field("kind", f"must be one of: {', '.join(ALLOCATIONS)}")
    here = act.session.scalars(
        select(StaffRole).where(StaffRole.staff_id == staff_id, StaffRole.site_id == act.site_id)
    )
    if not any(row.holds_on(act.today) for row in here):
        raise Invalid.field("staff_id", "must be somebody who works at this site")
    current = act.session.scalar(
        select(Allocation).where(
            Allocation.patient_id == patient_id,
            Allocation.site_id == act.site_id,
            Allocation.kind == kind,
            Allocation.ended_at.is_(None),
        )
    )
    if current is not None:
        if current.staff_id == staff_id:
            return False
        if not (reason or "").strip():
            raise Invalid.field("reason", "is required when somebody else is already named")
        current.ended_at = act.at
        act.session.flush()
    act.session.add(
        Allocation(
            patient_id=patient_id, site_id=act.site_id, staff_id=staff_id, kind=kind,
            started_at=started_at or act.at, ended_at=None, reason=reason, recorded_at=act.at,
            recorded_by=act.staff_id,
        )
    )  # fmt: skip
    return True


def site_of(act: Act) -> Site:
    """The site this work is done at."""
    if act.site_id is None:
        raise NotFound("No site is chosen.")
    return act.session.get_one(Site, act.site_id)
