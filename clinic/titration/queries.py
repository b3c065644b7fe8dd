"""Which reviews were made, and which one counts now?"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from clinic.act import Act
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.titration import facts
from clinic.titration.models import TitrationReview
from dosing.days import london_day


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
    """The review that counts for this person at this moment; None when there is none.

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
            TitrationReview.standing_at(at),
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
    course = facts.course_of(act, records, at)
    return None if course is None or course.in_build_up else row
