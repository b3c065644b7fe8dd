"""Who is expected on a day though no visit of theirs has a time: a planned review, day 2 or day 3?

The clinic's own list holds visits. Somebody being titrated comes on the days between as well, and
nobody may be told that the day is empty.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments.models import INDUCTION, Visit
from clinic.calendars import shut_days
from clinic.patients.models import Patient, Registration
from clinic.sites.models import Site
from clinic.titration.models import TitrationReview
from clinic.titration.queries import model_here
from clinic.titration.worklist import newest
from dosing.days import end_of, london_day, start_of
from scheduling.prescribing_models import COMING, RULES, TODAY, first_days

DAYS = timedelta(days=RULES["RP-10"]["days"])


@dataclass(frozen=True)
class Expected:
    """Somebody still to come on a day, and why."""

    patient: Patient
    why: str


def expected(act: Act, first: date, last: date) -> dict[date, list[Expected]]:
    """Day -> who is expected without a visit, from today on, both ends included; by name.

    Who was reviewed that day, or has a visit on it, is not expected beside it.
    """
    act.need("appointments.read")
    first = max(first, act.today)
    if last < first:
        return {}
    here = select(Registration.patient_id).where(
        Registration.site_id == act.site_id, Registration.ended_at.is_(None)
    )
    why: dict[tuple[date, int], list[str]] = defaultdict(list)
    for day, patient_id, number in _first_days(act, here, first, last):
        why[day, patient_id].append(f"Day {number} of the induction")
    for row in act.session.scalars(_reviews(act, here, first, last)):
        why[row.next_review_on, row.patient_id].append("Review of the dose")
    for key in _seen(act, first, last) & why.keys():
        del why[key]
    patients = {
        row.id: row
        for row in act.session.scalars(
            select(Patient).where(Patient.id.in_({patient_id for _, patient_id in why}))
        )
    }
    act.note_shown("titration.expected", patients)
    found: dict[date, list[Expected]] = defaultdict(list)
    for (day, patient_id), said in why.items():
        found[day].append(Expected(patients[patient_id], ", ".join(said)))
    for each in found.values():
        each.sort(key=lambda one: (one.patient.listed_name, one.patient.id))
    return found


def _first_days(act: Act, here: Any, first: date, last: date) -> list[tuple[date, int, int]]:
    """The later first days of inductions whose first day was kept: (day, patient, number)."""
    model = model_here(act)
    rows = act.session.execute(
        select(Visit.patient_id, Visit.starts_at).where(
            Visit.site_id == act.site_id, Visit.kind == INDUCTION, Visit.status == "arrived",
            Visit.starts_at >= start_of(first - DAYS), Visit.starts_at < end_of(last),
            Visit.patient_id.in_(here),
        )
    ).all()  # fmt: skip
    if not rows or not first_days(model, first, (), (), (), first):
        return []
    shut = shut_days(
        act.session, act.session.get_one(Site, act.site_id), first, (last - first).days + 1
    )
    return [
        (each.on, row.patient_id, each.number)
        for row in rows
        for each in first_days(model, london_day(row.starts_at), (), (), shut, act.today)
        if first <= each.on <= last and each.number > 1 and each.state in (TODAY, COMING)
    ]


def _reviews(act: Act, here: Any, first: date, last: date) -> Any:
    row = TitrationReview
    return select(row).where(
        row.site_id == act.site_id, row.next_review_on.between(first, last),
        row.struck_at.is_(None), row.patient_id.in_(here), newest(row),
    )  # fmt: skip


def _seen(act: Act, first: date, last: date) -> set[tuple[date, int]]:
    """The days on which people have a visit here or were reviewed already."""
    visits = act.session.execute(
        select(Visit.starts_at, Visit.patient_id).where(
            Visit.site_id == act.site_id, Visit.status != "cancelled",
            Visit.starts_at >= start_of(first), Visit.starts_at < end_of(last),
        )
    )  # fmt: skip
    reviewed = act.session.execute(
        select(TitrationReview.reviewed_on, TitrationReview.patient_id).where(
            TitrationReview.site_id == act.site_id, TitrationReview.struck_at.is_(None),
            TitrationReview.reviewed_on.between(first, last),
        )
    )  # fmt: skip
    return {(london_day(row.starts_at), row.patient_id) for row in visits} | {
        (row.reviewed_on, row.patient_id) for row in reviewed
    }
