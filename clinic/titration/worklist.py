"""Who waits for a review, a decision, contact, or has missed one of their first days?

Costs follow what is due: each question first finds the few records it may concern, and only their
history is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from clinic.act import Act
from clinic.appointments.models import INDUCTION, NO_VISIT, Visit
from clinic.assessments.models import ClinicalEntry
from clinic.calendars import shut_days
from clinic.patients.models import Patient, Registration
from clinic.prescriptions.doses import days_of
from clinic.prescriptions.models import DoseDecision
from clinic.sites.models import Site
from clinic.titration import facts
from clinic.titration.models import CHANGE_THE_DOSE, DECISIONS, TitrationReview
from clinic.titration.queries import counts_on, model_here
from clinic.titration.standing import Standing, standing_of
from dosing.days import start_of
from scheduling.prescribing_models import PrescribingModel
from scheduling.reviews import BUILD_UP_DAYS, needs_prescriber

RECENT = timedelta(days=14)
"""A review or a finding older than this is on the person's page and on no list."""
FIRST_WEEK = timedelta(days=6)
BROKEN, GAP, MISSED, DECIDE, REVIEW, PLAN = (
    "Dropped out", "Contact gap", "Missed", "Decision due", "Review due", "Plan contact",
)  # fmt: skip
_GRAVEST = (BROKEN, GAP, MISSED, DECIDE, REVIEW, PLAN)


@dataclass(frozen=True)
class Due:
    """One thing that waits: what, since or by when, and how grave it is."""

    risk: str
    what: str
    due: date | datetime


def waiting(act: Act) -> list[tuple[Patient, Standing, list[Due]]]:
    """Everybody at this site for whom something waits, the gravest and then the oldest first."""
    act.need("prescribing.read")
    model = model_here(act)
    people = facts.people_of(act, _candidates(act, model))
    standing = standing_of(act, people, act.at)
    site = act.session.get_one(Site, act.site_id)
    found = [
        (person, each, due)
        for person, each in standing.items()
        if (due := _due(act, each, model, site))
    ]
    patients = {
        row.id: row
        for row in act.session.scalars(
            select(Patient).where(Patient.id.in_([person for person, _, _ in found]))
        )
    }
    act.note_shown("titration.waiting", patients)
    found.sort(key=lambda each: (_when(each[2][0].due), _GRAVEST.index(each[2][0].risk), each[0]))
    return [(patients[person], each, due) for person, each, due in found]


def _when(due: date | datetime) -> datetime:
    return due if isinstance(due, datetime) else start_of(due + timedelta(days=1))


def _due(act: Act, each: Standing, model: PrescribingModel | None, site: Site) -> list[Due]:
    found: list[Due] = []
    if each.lapse is not None and each.contact is not None:
        found.append(Due(BROKEN, each.lapse.message, each.contact.last_on))
    elif each.contact is not None and each.contact.flag is not None:
        gap = each.contact.open_gap
        found.append(
            Due(GAP, each.contact.flag.message, gap.broken_on)
            if gap is not None
            else Due(PLAN, each.contact.flag.message, each.contact.due_by or each.today)
        )
    if each.day_1 is not None and each.day_1 >= each.today - FIRST_WEEK:
        shut = shut_days(act.session, site, each.day_1)
        found += [
            Due(MISSED, day.flag.message, day.on)
            for day in each.first_days(model, shut)
            if day.flag is not None
        ]
    if (row := each.undecided) is not None:
        said = f"Review said {DECISIONS[row.decision].lower()}: no dose decision since"
        found.append(Due(DECIDE, said, row.reviewed_at))
    if _withdrawal_waits(act, each):
        entry, flag = each.withdrawal_found
        found.append(Due(DECIDE, flag.message, entry.happened_at))
    if (review := _review_due(each)) is not None:
        found.append(review)
    return sorted(found, key=lambda due: (_GRAVEST.index(due.risk), _when(due.due)))


def _review_due(each: Standing) -> Due | None:
    """A review whose day has come, or a dose decided for today that no review speaks for."""
    if each.stopped:
        return None
    newest = each.newest_review
    dosed_today = any(
        row.withdrawn_at is None and each.today in days_of(row) for row in each.decisions
    )
    if newest is not None and newest.reviewed_on == each.today:
        return None
    if dosed_today and not counts_on(newest, each.course, each.today):
        return Due(REVIEW, "Review before today's dose", each.today)
    next_on = None if newest is None else newest.next_review_on
    if next_on is not None and next_on <= each.today:
        return Due(REVIEW, "Review of the dose", next_on)
    return None


def withdrawal_waits_here(act: Act, records: set[int]) -> set[int]:
    """Of these, whose withdrawal is on this list: on treatment, it has its home here and no other."""
    here = select(Registration.patient_id).where(
        Registration.site_id == act.site_id, Registration.ended_at.is_(None),
        Registration.patient_id.in_(records),
    )  # fmt: skip
    people = facts.people_of(act, set(_withdrawal_lately(act, here)))
    standing = standing_of(act, people, act.at)
    return {
        record
        for person, each in standing.items()
        if _withdrawal_waits(act, each)
        for record in people[person]
    }


def _withdrawal_waits(act: Act, each: Standing) -> bool:
    found = each.withdrawal_found
    return found is not None and found[0].happened_at > act.at - RECENT


# -- whom it may concern -------------------------------------------------------------------


def _candidates(act: Act, model: PrescribingModel | None) -> set[int]:
    here = select(Registration.patient_id).where(
        Registration.site_id == act.site_id, Registration.ended_at.is_(None)
    )
    dosed = set(act.session.scalars(_decided_today(act, here)))
    recent = set(act.session.scalars(_decided_lately(act, here)))
    found = facts.maybe_in_first_days(act, dosed | recent, BUILD_UP_DAYS)
    found |= _raised_lately(act, recent)
    for wanted in (
        _reviews_due(act, here), _reviews_to_decide(act, here), _not_reviewed(act, dosed),
    ):  # fmt: skip
        found |= set(act.session.scalars(wanted))
    found |= set(_withdrawal_lately(act, here))
    if model is PrescribingModel.MODEL_3:
        found |= set(act.session.scalars(_first_week(act, here)))
    return found


def _decided_today(act: Act, here: Any) -> Any:
    return select(DoseDecision.patient_id).where(
        DoseDecision.patient_id.in_(here), DoseDecision.withdrawn_at.is_(None),
        DoseDecision.dose_on <= act.today, DoseDecision.last_on >= act.today,
    )  # fmt: skip


def _decided_lately(act: Act, here: Any) -> Any:
    """Whoever had a dose decided for a day of the last weeks: a build-up may have begun then."""
    return select(DoseDecision.patient_id).where(
        DoseDecision.patient_id.in_(here), DoseDecision.last_on > act.today - RECENT
    )


def _raised_lately(act: Act, records: set[int]) -> set[int]:
    """Of these, whose newest decision is of more than the one before it."""
    rows = act.session.execute(
        select(DoseDecision.patient_id, DoseDecision.dose_mg, DoseDecision.doses_that_day)
        .where(DoseDecision.patient_id.in_(records), DoseDecision.last_on > act.today - 2 * RECENT)
        .order_by(DoseDecision.patient_id, DoseDecision.dose_on, DoseDecision.id)
    )
    totals: dict[int, list[Any]] = {}
    for row in rows:
        totals.setdefault(row.patient_id, []).append(row.dose_mg * row.doses_that_day)
    return {
        patient
        for patient, amounts in totals.items()
        if any(now > before for before, now in zip(amounts, amounts[1:], strict=False))
    }


def newest(row: Any) -> Any:
    """No later review of the same record stands."""
    later = aliased(TitrationReview)
    return ~exists().where(
        later.patient_id == row.patient_id, later.struck_at.is_(None),
        later.reviewed_at > row.reviewed_at,
    )  # fmt: skip


def _reviews_due(act: Act, here: Any) -> Any:
    row = TitrationReview
    return select(row.patient_id).where(
        row.site_id == act.site_id, row.next_review_on <= act.today, row.struck_at.is_(None),
        row.patient_id.in_(here), newest(row),
    )  # fmt: skip


def _reviews_to_decide(act: Act, here: Any) -> Any:
    row = TitrationReview
    decided = exists().where(
        DoseDecision.patient_id == row.patient_id, DoseDecision.recorded_at >= row.recorded_at
    )
    return select(row.patient_id).where(
        row.site_id == act.site_id, row.reviewed_on > act.today - RECENT,
        row.decision.in_(CHANGE_THE_DOSE), row.struck_at.is_(None), row.patient_id.in_(here),
        newest(row), ~decided,
    )  # fmt: skip


def _not_reviewed(act: Act, dosed: Iterable[int]) -> Any:
    """Of these, whom no standing review speaks for today."""
    row = TitrationReview
    speaks = exists().where(
        row.patient_id == Patient.id, row.struck_at.is_(None), row.counts_until >= act.today
    )
    return select(Patient.id).where(Patient.id.in_(set(dosed)), ~speaks)


def _withdrawal_lately(act: Act, here: Any) -> Iterable[int]:
    """Whose newest score of the last weeks is high enough to look at their treatment."""
    rows = act.session.scalars(
        select(ClinicalEntry)
        .where(
            ClinicalEntry.site_id == act.site_id, ClinicalEntry.kind == "observation",
            ClinicalEntry.happened_at > act.at - RECENT, ClinicalEntry.struck_at.is_(None),
            ClinicalEntry.patient_id.in_(here),
        )
        .order_by(ClinicalEntry.happened_at, ClinicalEntry.id)
    )  # fmt: skip
    newest = {
        row.patient_id: row.data
        for row in rows
        if row.data.get("withdrawal_score") is not None
    }  # fmt: skip
    return [
        patient
        for patient, data in newest.items()
        if needs_prescriber(BUILD_UP_DAYS, data["withdrawal_scale"], data["withdrawal_score"])
    ]


def _first_week(act: Act, here: Any) -> Any:
    return select(Visit.patient_id).where(
        Visit.site_id == act.site_id, Visit.kind == INDUCTION, Visit.status.not_in(NO_VISIT),
        Visit.starts_at >= start_of(act.today - FIRST_WEEK), Visit.patient_id.in_(here),
    )  # fmt: skip
