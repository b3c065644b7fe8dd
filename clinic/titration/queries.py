"""Which reviews were made and which one counts now, and how does a person stand?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select

from clinic.act import Act
from clinic.appointments.models import INDUCTION, Referral, Visit
from clinic.calendars import shut_days
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.sites.models import Site
from clinic.staff.models import Staff
from clinic.titration import facts
from clinic.titration.facts import Course
from clinic.titration.models import Contact, TitrationReview
from clinic.titration.standing import Standing, standing_of
from dosing.days import london_day
from scheduling.prescribing_models import Attendance, Finding, PrescribingModel, late_start
from scheduling.reviews import Flag
from scheduling.targets import LOOKED_BACK, Rate, Target, rates


def reviews_of(act: Act, patient_id: int) -> tuple[Patient, list[TitrationReview]]:
    """Every review of a patient, newest first, struck ones included; the look is audited."""
    patient = open_record(act, patient_id, "titration.read", right="prescribing.read")
    rows = act.session.scalars(
        select(TitrationReview)
        .where(TitrationReview.patient_id.in_(same_person(act, patient.id)))
        .order_by(TitrationReview.reviewed_at.desc(), TitrationReview.id.desc())
    )
    return patient, list(rows)


def review_counting(act: Act, records: list[int], at: datetime) -> TitrationReview | None:
    """The review that counts for this person at this moment, on what is recorded now; or None.

    Only the newest one standing can count: a later one ends those before it, so a dose withheld by
    phone is not given on last week's review. One of an earlier day counts no longer once the person
    is in the first days of an episode again, whatever it was good for when it was made.

    `allows_a_dose` says whether its decision leaves a dose to give; `asks_for_a_decision` that it
    waits for a prescriber's.
    """
    row = act.session.scalar(
        select(TitrationReview)
        .where(
            TitrationReview.patient_id.in_(records), TitrationReview.reviewed_at <= at,
            TitrationReview.struck_at.is_(None),
        )
        .order_by(TitrationReview.reviewed_at.desc(), TitrationReview.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )  # fmt: skip
    on = london_day(at)
    if row is None or on > row.counts_until:
        return None
    if row.reviewed_on == on:
        return row
    return row if counts_on(row, facts.course_of(act, records, at), on) else None


def counts_on(row: TitrationReview | None, course: Course | None, on: date) -> bool:
    """Does the newest review count on this London day, as the course stands?"""
    if row is None or not row.reviewed_on <= on <= row.counts_until:
        return False
    return row.reviewed_on == on or (course is not None and not course.in_build_up)


def contacts_of(act: Act, patient_id: int) -> tuple[Patient, list[Contact]]:
    """Contact made and planned, the entry written last first; the look is audited."""
    patient = open_record(act, patient_id, "titration.read", right="prescribing.read")
    rows = act.session.scalars(
        select(Contact)
        .where(Contact.patient_id.in_(same_person(act, patient.id)))
        .order_by(Contact.id.desc())
    )
    return patient, list(rows)


def model_here(act: Act) -> PrescribingModel | None:
    """The rapid prescribing model this site works under today."""
    model = act.session.get_one(Site, act.site_id).model_on(act.today)
    return None if model is None else PrescribingModel(model)


def names_of(act: Act, staff_ids: Iterable[int | None]) -> dict[int, str]:
    """Who these members of staff are."""
    found = act.session.execute(
        select(Staff.id, Staff.name).where(Staff.id.in_({each for each in staff_ids if each}))
    )
    return {row.id: row.name for row in found}


@dataclass(frozen=True)
class Person:
    """One person's build-up, for their page: how it stands, and every review and contact."""

    patient: Patient
    standing: Standing
    reviews: list[TitrationReview]
    contacts: list[Contact]
    counting: TitrationReview | None
    model: PrescribingModel | None
    first_days: list[Attendance]
    starts_late: Finding | None
    targets: list[Target]
    names: dict[int, str]

    @property
    def flags(self) -> list[Flag | Finding]:
        """Every warning that stands, the gravest first."""
        found: list[Flag | Finding] = []
        if self.standing.lapse is not None:
            found.append(self.standing.lapse)
        if self.standing.contact is not None and self.standing.contact.flag is not None:
            found.append(self.standing.contact.flag)
        if self.standing.withdrawal_found is not None:
            found.append(self.standing.withdrawal_found[1])
        found += [each.flag for each in self.first_days if each.flag is not None]
        if self.starts_late is not None:
            found.append(self.starts_late)
        found += self.standing.jumps
        if self.standing.contact is not None:
            found += self.standing.contact.past_gaps
        return found


def first_days_of(act: Act, patient_id: int) -> tuple[list[Attendance], Finding | None]:
    """The attendances a model 3 booking creates (RP-10), and the warning of a late start (A16).

    For a record that has been opened. Nothing where another model is in force or no visit stands.
    """
    records = same_person(act, patient_id)
    return _first_days(act, standing_of(act, {patient_id: records}, act.at)[patient_id])


def _first_days(act: Act, standing: Standing) -> tuple[list[Attendance], Finding | None]:
    model, day_1 = model_here(act), standing.day_1
    if day_1 is None:
        return [], None
    shut = shut_days(act.session, act.session.get_one(Site, act.site_id), day_1)
    warning = late_start(model, day_1) if day_1 >= act.today else None
    return standing.first_days(model, shut), warning


def person(act: Act, patient_id: int) -> Person:
    """How one person's build-up stands now; the look is audited."""
    patient, reviews = reviews_of(act, patient_id)
    records = same_person(act, patient.id)
    _, contacts = contacts_of(act, patient.id)
    standing = standing_of(act, {patient.id: records}, act.at)[patient.id]
    model = model_here(act)
    first_days, starts_late = _first_days(act, standing)
    staff: set[Any] = {row.recorded_by for row in (*reviews, *contacts, *standing.observations)}
    staff |= {row.struck_by for row in (*reviews, *contacts)}
    staff |= {row.recorded_by for row in standing.doses}
    return Person(
        patient, standing, reviews, contacts, review_counting(act, records, act.at), model,
        first_days, starts_late, standing.targets(model),
        names_of(act, staff),
    )  # fmt: skip


def rates_here(act: Act) -> list[Rate]:
    """How many people of this service reached each target in time (RP-07, RP-13, RP-15). Advice.

    Those referred, or seen first, in the last weeks; the look at their records is audited.
    """
    act.need("prescribing.read")
    since = act.at - LOOKED_BACK
    referred = select(Referral.patient_id).where(
        Referral.site_id == act.site_id, Referral.referred_at > since,
        or_(Referral.closed_because.is_(None), Referral.closed_because != "in_error"),
    )  # fmt: skip
    came = select(Visit.patient_id).where(
        Visit.site_id == act.site_id, Visit.kind == INDUCTION, Visit.status == "arrived",
        Visit.starts_at > since,
    )  # fmt: skip
    found = set(act.session.scalars(referred)) | set(act.session.scalars(came))
    people = facts.people_of(act, found)
    model = model_here(act)
    standing = standing_of(act, people, act.at)
    act.note_shown("titration.rates", people)
    return rates([each.targets(model) for each in standing.values()])
