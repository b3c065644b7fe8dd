"""Record what a review decided, contact made and contact planned; strike out what was wrong."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from clinic.act import Act, command
from clinic.assessments import dues
from clinic.assessments.models import ClinicalEntry
from clinic.errors import Conflict, Invalid, NotFound, one_of
from clinic.patients.access import open_record
from clinic.patients.queries import same_person
from clinic.titration import facts
from clinic.titration.models import (
    DECISIONS,
    FITS,
    HOW,
    REASONS,
    SEEN,
    Contact,
    TitrationReview,
)
from clinic.turns import Strikable, past, strike, take_turn, why
from dosing.days import london_day
from scheduling.reviews import (
    AFTER_LAPSE,
    BY_PHONE,
    MOST_DAYS,
    counts_until,
    flag,
    last_review_day,
)

PLAN_AHEAD = timedelta(days=28)


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
    if (again := _said_before(act, TitrationReview, patient.id, once)) is not None:
        return again
    _check_entries(act, records, rests_on or [])
    course = facts.course_of(act, records, at)
    if course is not None and course.lapsed and decision not in AFTER_LAPSE:
        raise Invalid.field("decision", flag("RP-39", missed=course.known.missed_days).message)
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
    dues.dose_decided(act, records, at)
    act.note("titration.reviewed", patient_id=patient.id, review=row.id, decision=decision)
    return row.id


def _said_before(act: Act, model: Any, patient_id: int, once: str | None) -> int | None:
    """The row an earlier try with the same key has written."""
    if once is None:
        return None
    found: int | None = act.session.scalar(
        select(model.id).where(model.patient_id == patient_id, model.once == once)
    )
    return found


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
    _strike(act, _row(act, TitrationReview, patient.id, review_id, "review"), at, text)
    act.note("titration.review_struck", patient_id=patient.id, review=review_id)


def _row(act: Act, model: Any, patient_id: int, row_id: int, called: str) -> Any:
    row = act.session.get(model, row_id, populate_existing=True)
    if row is None or row.patient_id not in same_person(act, patient_id):
        raise NotFound(f"There is no such {called} of this patient.")
    return row


def _strike(act: Act, row: Strikable, at: datetime, reason: str) -> None:
    if row.struck_at is not None:
        raise Conflict("That was already struck out.")
    strike(act, row, at, reason)


# -- contact -------------------------------------------------------------------------------


@command
def record_contact(
    act: Act,
    patient_id: int,
    *,
    how: str,
    happened_at: datetime,
    reached: bool,
    note: str | None = None,
    once: str | None = None,
) -> int:
    """Record contact made with this person, or tried (RP-34). Returns its id."""
    past(act, "happened_at", happened_at)
    return _add_contact(
        act, patient_id, once, how=how, happened_at=happened_at, planned_on=None, reached=reached,
        note=note,
    )  # fmt: skip


@command
def plan_contact(
    act: Act,
    patient_id: int,
    *,
    how: str,
    planned_on: date,
    note: str | None = None,
    once: str | None = None,
) -> int:
    """Plan contact with this person for a London day, today included. Returns its id."""
    if not act.today <= planned_on <= act.today + PLAN_AHEAD:
        raise Invalid.field("planned_on", f"must be from today to {PLAN_AHEAD.days} days ahead")
    return _add_contact(
        act, patient_id, once, how=how, happened_at=None, planned_on=planned_on, reached=None,
        note=note,
    )  # fmt: skip


def _add_contact(act: Act, patient_id: int, once: str | None, **what: Any) -> int:
    patient = open_record(act, patient_id, "titration.contacting", right="contacts.record")
    one_of("how", what["how"], HOW)
    at = take_turn(act, patient.id)
    if (again := _said_before(act, Contact, patient.id, once)) is not None:
        return again
    what["note"] = (what["note"] or "").strip() or None
    row = Contact(
        patient_id=patient.id, site_id=act.site_id, once=once, recorded_at=at,
        recorded_by=act.staff_id, struck_at=None, struck_by=None, struck_reason=None, **what,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("titration.contact", patient_id=patient.id, contact=row.id, how=row.how)
    return row.id


@command
def strike_contact(act: Act, patient_id: int, contact_id: int, reason: str) -> None:
    """Strike out contact recorded or planned in error. It stays on the record."""
    patient = open_record(act, patient_id, "titration.contacting", right="contacts.record")
    text = why(reason)
    at = take_turn(act, patient.id)
    _strike(act, _row(act, Contact, patient.id, contact_id, "contact"), at, text)
    act.note("titration.contact_struck", patient_id=patient.id, contact=contact_id)
