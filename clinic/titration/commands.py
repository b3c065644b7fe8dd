"""Record what a review decided, and strike out one that was wrong."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select

from clinic.act import Act, command
from clinic.assessments.models import ClinicalEntry
from clinic.errors import Conflict, Invalid, NotFound
from clinic.patients.access import open_record
from clinic.patients.queries import same_person
from clinic.titration import facts
from clinic.titration.models import DECISIONS, FITS, REASONS, SEEN, TitrationReview
from clinic.turns import one_of, past, strike, take_turn, why
from dosing.days import london_day
from scheduling.reviews import BY_PHONE, MOST_DAYS, counts_until, last_review_day


@command
def record_review(
    act: Act,
    patient_id: int,
    *,
    decision: str,
    reason_code: str,
    reason: str,
    seen: str,
    reviewed_at: datetime,
    next_review_on: date | None = None,
    rests_on: list[int] | None = None,
    once: str | None = None,
) -> int:
    """Record a review of this person's dose (RP-35). Returns its id.

    `rests_on`: entries of this patient's. `next_review_on` is required unless treatment stops.
    `once`: a key that makes a repeat find the first. It carries no amount: to start, raise or
    lower is a prescriber's dose decision.
    """
    patient = open_record(act, patient_id, "titration.reviewing", right="prescribing.assess")
    one_of("decision", decision, DECISIONS)
    one_of("seen", seen, SEEN)
    one_of("reason_code", reason_code, {code: REASONS[code] for code in FITS[decision]})
    text = why(reason)
    past(act, "reviewed_at", reviewed_at)
    if seen == "phone" and decision not in BY_PHONE:
        raise Invalid.field(
            "seen", f"must be in person to {decision}: withdrawal and sedation cannot be heard"
        )
    on = london_day(reviewed_at)
    if next_review_on is None and decision != "stop":
        raise Invalid.field("next_review_on", "is required unless treatment stops")
    if next_review_on is not None and not on < next_review_on <= last_review_day(on):
        raise Invalid.field(
            "next_review_on", f"must be after the day of the review, by at most {MOST_DAYS} days"
        )
    at = take_turn(act, patient.id)
    records = same_person(act, patient.id)
    if once is not None:
        again = act.session.scalar(
            select(TitrationReview.id).where(
                TitrationReview.patient_id == patient.id, TitrationReview.once == once
            )
        )
        if again is not None:
            return again
    _check_entries(act, records, rests_on or [])
    course = facts.course_of(act, records, at)
    row = TitrationReview(
        patient_id=patient.id, site_id=act.site_id, once=once, reviewed_at=reviewed_at,
        reviewed_on=on, seen=seen, decision=decision, reason_code=reason_code, reason=text,
        rests_on=sorted(set(rests_on or [])), next_review_on=next_review_on,
        counts_until=counts_until(
            on, next_review_on, course and course.day, course is not None and course.broken
        ),
        recorded_at=at, recorded_by=act.staff_id, struck_at=None, struck_by=None,
        struck_reason=None,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("titration.reviewed", patient_id=patient.id, review=row.id, decision=decision)
    return row.id


def _check_entries(act: Act, records: list[int], entry_ids: list[int]) -> None:
    """A review rests on what stands on this person's own record."""
    found = act.session.scalars(
        select(ClinicalEntry.id).where(
            ClinicalEntry.id.in_(entry_ids), ClinicalEntry.patient_id.in_(records),
            ClinicalEntry.struck_at.is_(None),
        )
    )  # fmt: skip
    if set(found) != set(entry_ids):
        raise Invalid.field("rests_on", "must be entries of this patient that are not struck out")


@command
def strike_review(act: Act, patient_id: int, review_id: int, reason: str) -> None:
    """Strike a review out as wrong. It stays on the record and counts no longer."""
    patient = open_record(act, patient_id, "titration.reviewing", right="prescribing.assess")
    text = why(reason)
    at = take_turn(act, patient.id)
    row = act.session.get(TitrationReview, review_id, populate_existing=True)
    if row is None or row.patient_id not in same_person(act, patient.id):
        raise NotFound("There is no such review of this patient.")
    if row.struck_at is not None:
        raise Conflict("That review was already struck out.")
    strike(act, row, at, text)
    act.note("titration.review_struck", patient_id=patient.id, review=row.id)
