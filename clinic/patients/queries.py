"""Find patients, and gather what the banner and the record page show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, Select, bindparam, exists, func, or_, select

from clinic.act import Act
from clinic.errors import Invalid, NotFound
from clinic.patients.models import (
    NO_KNOWN_ALLERGIES,
    Allocation,
    Patient,
    PatientAlert,
    PatientAlias,
    PatientChange,
    PatientIdentifier,
    PatientMerge,
    Registration,
)
from clinic.sites.models import Site
from clinic.staff.models import BreakGlass, Staff

MOST_FOUND = 50


def same_person(act: Act, patient_id: int) -> list[int]:
    """The ids of every record of this person, the kept one first; from any one of them.

    Rows stay where they were written when records are joined: readers ask for all of these.
    """
    rows = act.session.execute(_SAME, {"joined": patient_id}).all()
    if any(row.id == patient_id and row.merged_into_id is not None for row in rows):
        return same_person(act, root_of(act, patient_id))
    return [patient_id, *(row.id for row in rows if row.id != patient_id)]


def records_of(act: Act, patient_ids: Iterable[int]) -> dict[int, int]:
    """Every record of these people, with the one of `patient_ids` it was found by."""
    found = {each: each for each in patient_ids}
    joined = act.session.execute(
        select(Patient.id, Patient.merged_into_id).where(Patient.merged_into_id.is_not(None))
    ).all()
    kept = {row.id: row.merged_into_id for row in joined}

    def root(record: int) -> int:
        while record in kept:
            record = kept[record]
        return record

    asked = {root(each): each for each in found}
    return found | {
        record: asked[root(record)] for record in {*kept, *asked} if root(record) in asked
    }


def root_of(act: Act, patient_id: int) -> int:
    """The record this one leads to; itself unless it was joined to another."""
    while (onward := act.session.scalar(_JOINED_TO, {"joined": patient_id})) is not None:
        patient_id = onward
    return patient_id


def registered_here() -> ColumnElement[bool]:
    """Is a record that leads to the patient `joined` registered at the site `site_id`? Part of a query."""
    return exists().where(
        Registration.patient_id.in_(select(_leading_here().c.id)),
        Registration.site_id == bindparam("site_id"),
        Registration.ended_at.is_(None),
    )


def _leading_here() -> CTE:
    """The record `joined`, and every one that was joined to it or to one of those."""
    known = Patient.__table__.c
    found = (
        select(known.id, known.merged_into_id)
        .where(known.id == bindparam("joined"))
        .cte("person", recursive=True)
    )
    joined = Patient.__table__.alias("joined_record").c
    return found.union(
        select(joined.id, joined.merged_into_id).where(joined.merged_into_id == found.c.id)
    )


_JOINED_TO = select(Patient.merged_into_id).where(Patient.id == bindparam("joined"))
_SAME = select(_leading_here()).order_by("id")


def _kept(act: Act, patient_ids: Iterable[int]) -> set[int]:
    """The records these lead to. Nearly all lead to themselves, so only joined ones are followed."""
    ids = set(patient_ids)
    joined = set(act.session.scalars(select(Patient.id).where(Patient.merged_into_id.is_not(None))))
    return (ids - joined) | {root_of(act, each) for each in ids & joined}


def _registered(act: Act) -> set[int]:
    """Everybody this site looks after, by the record that was kept."""
    return _kept(
        act,
        act.session.scalars(
            select(Registration.patient_id).where(
                Registration.site_id == act.site_id, Registration.ended_at.is_(None)
            )
        ),
    )


def caseload(act: Act, *, limit: int = 500) -> list[Patient]:
    """Everybody registered at this site, by name. The list is audited by the ids it shows."""
    act.need("patients.read")
    found = _by_name(act, _registered(act), limit)
    act.note_shown("patients.listed", [patient.id for patient in found])
    return found


def _by_name(act: Act, ids: Collection[int], limit: int) -> list[Patient]:
    return list(
        act.session.scalars(
            select(Patient)
            .where(Patient.id.in_(ids))
            .order_by(Patient.family_name, Patient.given_name, Patient.id)
            .limit(limit)
        )
    )


def search(act: Act, words: str) -> list[tuple[Patient, bool]]:
    """Patients by name, alias or number, with whether each is on this site's caseload.

    Two letters at least; every word begins a family or given name, or all together are a number.
    People elsewhere are found too, so that nobody is registered twice; their record still opens
    only with a reason. A joined record is found under the one that was kept.
    """
    act.need("patients.read")
    parts = words.replace(",", " ").split()
    number = "".join(parts).upper()
    if len(number) < 2:
        raise Invalid.field("q", "must have at least 2 letters or digits")
    ids = _kept(act, act.session.scalars(_named(parts).limit(MOST_FOUND)))
    ids |= _kept(
        act,
        act.session.scalars(
            select(PatientIdentifier.patient_id).where(PatientIdentifier.value == number)
        ),
    )
    found = _by_name(act, ids, MOST_FOUND)
    here = _registered(act)
    act.note_shown("patients.searched", [patient.id for patient in found])
    return [(patient, patient.id in here) for patient in found]


def _named(parts: list[str]) -> Select[int]:
    wanted = select(Patient.id).order_by(Patient.family_name, Patient.given_name, Patient.id)
    for part in parts:
        alias = select(PatientAlias.patient_id).where(
            or_(
                PatientAlias.family_name.istartswith(part, autoescape=True),
                PatientAlias.given_name.istartswith(part, autoescape=True),
            )
        )
        wanted = wanted.where(
            or_(
                Patient.family_name.istartswith(part, autoescape=True),
                Patient.given_name.istartswith(part, autoescape=True),
                Patient.id.in_(alias),
            )
        )
    return wanted


def look_alikes(act: Act, family_name: str, given_name: str, born_on: date) -> list[Patient]:
    """Who on record was born that day under that family or given name, aliases too?"""
    act.need("patients.read")
    names = {"family": family_name.strip().lower(), "given": given_name.strip().lower()}
    alias = select(PatientAlias.patient_id).where(
        func.lower(PatientAlias.family_name) == names["family"]
    )
    found = act.session.scalars(
        select(Patient.id).where(
            Patient.born_on == born_on,
            or_(
                func.lower(Patient.family_name) == names["family"],
                func.lower(Patient.given_name) == names["given"],
                Patient.id.in_(alias),
            ),
        )
    )
    return _by_name(act, _kept(act, found), MOST_FOUND)


@dataclass(frozen=True)
class Banner:
    """What the banner on every patient page shows. None means not known.

    `risk`: what puts them at heightened risk just now, beyond their alerts; None: nothing known.
    `allergies`: () only when somebody asked and there are none. `in_prison`: this site is one.
    """

    patient_id: int
    family_name: str
    given_name: str
    title: str | None
    born_on: date
    died_on: date | None
    on: date
    age: int
    sex: str
    gender: str | None
    nhs_number: str | None
    prison_number: str | None
    alerts: tuple[str, ...]
    allergies: tuple[str, ...] | None
    risk: str | None
    keyworker: str | None
    in_prison: bool
    wing: str | None


class Where(NamedTuple):
    """On which wing somebody lives, and in which cell; None: not recorded."""

    wing: str
    cell: str | None

    @property
    def says(self) -> str:
        """As staff say it: "B, cell 2-14"."""
        return f"{self.wing}, cell {self.cell}" if self.cell else self.wing


Whereabouts = Callable[[Act, Collection[int]], dict[int, Where]]
_WHEREABOUTS: list[Whereabouts] = []


def tells_wing(reader: Whereabouts) -> Whereabouts:
    """The room that knows on which wing patients are offers its reader to the banner and lists."""
    _WHEREABOUTS.append(reader)
    return reader


Risk = Callable[[Act, Collection[int]], str | None]
_RISKS: list[Risk] = []


def tells_risk(reader: Risk) -> Risk:
    """The room that knows of a time of heightened risk offers its reader to the banner."""
    _RISKS.append(reader)
    return reader


def wings(act: Act, patient_ids: Collection[int]) -> dict[int, Where]:
    """Where in this prison each of these patients lives, as far as that is recorded."""
    found: dict[int, Where] = {}
    for read in _WHEREABOUTS:
        found |= read(act, patient_ids)
    return found


def on_wing(where: Where | None) -> str:
    """Where somebody in prison is, as a list says it."""
    return f"Wing {where.wing}" if where else "Wing not known"


def wing_lines(act: Act, patient_ids: Collection[int]) -> dict[int, str]:
    """`on_wing` for each of these patients at a prison; nothing at a community service."""
    site = act.session.get(Site, act.site_id) if act.site_id else None
    if site is None or site.kind != "prison":
        return {}
    where = wings(act, patient_ids)
    return {each: on_wing(where.get(each)) for each in patient_ids}


def banner(act: Act, patient: Patient) -> Banner:
    """The banner of an opened record, from every record of the person."""
    ids = same_person(act, patient.id)
    alerts = act.session.scalars(
        select(PatientAlert)
        .where(PatientAlert.patient_id.in_(ids), PatientAlert.ended_at.is_(None))
        .order_by(PatientAlert.id)
    ).all()
    allergies = tuple(row.says for row in alerts if row.kind == "allergy")
    asked = bool(allergies) or any(row.kind == NO_KNOWN_ALLERGIES for row in alerts)
    keyworker = act.session.scalar(
        select(Staff.name)
        .join(Allocation, Allocation.staff_id == Staff.id)
        .where(
            Allocation.patient_id.in_(ids),
            Allocation.site_id == act.site_id,
            Allocation.kind == "keyworker",
            Allocation.ended_at.is_(None),
        )
        .order_by(Allocation.id.desc())
    )
    site = act.session.get(Site, act.site_id) if act.site_id else None
    in_prison = site is not None and site.kind == "prison"
    on = patient.died_on or act.today
    return Banner(
        patient_id=patient.id,
        family_name=patient.family_name,
        given_name=patient.given_name,
        title=patient.title,
        born_on=patient.born_on,
        died_on=patient.died_on,
        on=on,
        age=age_on(patient.born_on, on),
        sex=patient.sex,
        gender=patient.gender,
        nhs_number=number_of(act, ids, "nhs"),
        prison_number=number_of(act, ids, "prison"),
        alerts=tuple(row.says for row in alerts if row.kind == "alert"),
        allergies=allergies if asked else None,
        risk=next((said for read in _RISKS if (said := read(act, ids))), None),
        keyworker=keyworker,
        in_prison=in_prison,
        wing=next((where.says for where in wings(act, ids).values()), None) if in_prison else None,
    )


def number_of(act: Act, ids: list[int], kind: str) -> str | None:
    """The person's current identifier of a kind, the kept record's first; None when unknown."""
    rows = act.session.scalars(
        select(PatientIdentifier).where(
            PatientIdentifier.patient_id.in_(ids),
            PatientIdentifier.kind == kind,
            PatientIdentifier.ended_at.is_(None),
        )
    )
    current = {row.patient_id: row.value for row in rows}
    return next((current[each] for each in ids if each in current), None)


def age_on(born_on: date, day: date) -> int:
    """Whole years of age on a day; a birthday on 29 February falls on 1 March in other years."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


@dataclass(frozen=True)
class Record:
    """All the record page shows beside the banner; rows newest first, names by staff id."""

    identifiers: list[PatientIdentifier]
    aliases: list[PatientAlias]
    alerts: list[PatientAlert]
    registrations: list[Registration]
    allocations: list[Allocation]
    changes: list[PatientChange]
    merges: list[PatientMerge]
    staff_names: dict[int, str]
    site_names: dict[int, str]


def record(act: Act, patient: Patient) -> Record:
    """The whole history of an opened record, over every record of the person."""
    ids = same_person(act, patient.id)

    def rows(kind: type[Any]) -> list[Any]:
        wanted = select(kind).where(kind.patient_id.in_(ids)).order_by(kind.id.desc())
        return list(act.session.scalars(wanted))

    merges = list(
        act.session.scalars(
            select(PatientMerge)
            .where(or_(PatientMerge.kept_id.in_(ids), PatientMerge.merged_id.in_(ids)))
            .order_by(PatientMerge.id.desc())
        )
    )
    return Record(
        rows(PatientIdentifier), rows(PatientAlias), rows(PatientAlert), rows(Registration),
        rows(Allocation), rows(PatientChange), merges,
        {row.id: row.name for row in act.session.scalars(select(Staff))},
        {row.id: row.name for row in act.session.scalars(select(Site))},
    )  # fmt: skip


def alert_text(act: Act, patient_id: int, alert_id: int) -> str:
    """What an alert of this person says. NotFound when it is somebody else's."""
    row = act.session.get(PatientAlert, alert_id)
    if row is None or row.patient_id not in same_person(act, patient_id):
        raise NotFound("There is no such alert.")
    return row.says


def keyworkers(act: Act) -> dict[int, str]:
    """Who is keyworker of whom at this site, by patient; part of a list that is audited itself."""
    rows = act.session.execute(
        select(Allocation.patient_id, Staff.name)
        .join(Staff, Staff.id == Allocation.staff_id)
        .where(
            Allocation.site_id == act.site_id,
            Allocation.kind == "keyworker",
            Allocation.ended_at.is_(None),
        )
    )
    return {root_of(act, patient_id): name for patient_id, name in rows}


def glass_to_review(act: Act) -> list[tuple[BreakGlass, str, Patient]]:
    """Records opened here outside the caseload that no manager has looked at yet, oldest first."""
    act.need("breakglass.review")
    rows = act.session.execute(
        select(BreakGlass, Staff.name, Patient)
        .join(Staff, Staff.id == BreakGlass.staff_id)
        .join(Patient, Patient.id == BreakGlass.patient_id)
        .where(BreakGlass.site_id == act.site_id, BreakGlass.seen_at.is_(None))
        .order_by(BreakGlass.opened_at, BreakGlass.id)
    )
    found = [(row, name, patient) for row, name, patient in rows]
    act.note_shown("patients.glass_listed", [row.patient_id for row, _, _ in found])
    return found
