"""The clock changes flags nobody touches: plans that are due are scored again just after midnight."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import or_, select, true, union

from clinic import logs
from clinic.act import Act
from clinic.consumption.models import DoseEvent
from clinic.custody.models import Exit, Hearing, KnownRelease, Reception, ReceptionDetail, Transfer
from clinic.patients.models import PatientChange
from clinic.release import care, scoring
from clinic.release.commands import follow_plan, note_fault
from clinic.release.models import ReleasePlan
from clinic.reminders.ports import ports_of
from clinic.sites.models import CalendarChange, SiteClosure
from clinic.sweeps.schedule import sweep
from config.settings import from_environment
from dosing.days import end_of

_PLANS_IN_MEMORY = 200


@sweep("release-plans", "Ask the release rules again about every plan that is due", at=(0, 5))
def score_due_plans(act: Act, day: date) -> int:
    """Score every plan that is due, each in its own transaction. Returns how many.

    A plan that fails is logged, keeps the reason on itself and is due again; the others go on.
    """
    ids = plans_due(act)
    act.session.rollback()  # let go of the reading, each plan takes its own turn to write
    for number, plan_id in enumerate(ids):
        try:
            follow_plan(act, plan_id)
        except Exception as error:
            logs.exception("release plan not scored", plan=plan_id)
            note_fault(act, plan_id, f"could not be worked out ({type(error).__name__})")
        if number % _PLANS_IN_MEMORY == 0:
            act.session.expunge_all()
    return len(ids)


def plans_due(act: Act) -> list[int]:
    """The open plans whose time has come, or whose facts changed since they were last scored."""
    open_plans = select(ReleasePlan.id).where(ReleasePlan.closed_at.is_(None))
    due = [open_plans.where(ReleasePlan.next_due_at <= act.at)]
    of_stay = open_plans.join(Reception, Reception.patient_id == ReleasePlan.patient_id)
    models: tuple[Any, ...] = (ReceptionDetail, Hearing, KnownRelease, Transfer, Exit)
    for model in models:
        due.append(
            of_stay.join(model, model.reception_id == Reception.id).where(_changed_since(model))
        )
    due.append(
        open_plans.join(DoseEvent, DoseEvent.patient_id == ReleasePlan.patient_id).where(
            _changed_since(DoseEvent)
        )
    )
    due.append(
        open_plans.join(PatientChange, PatientChange.patient_id == ReleasePlan.patient_id).where(
            PatientChange.field == "died_on", PatientChange.recorded_at > ReleasePlan.scored_at
        )
    )
    for place in (SiteClosure, CalendarChange):
        recorded = select(place.id).where(
            _of_plan(place), place.recorded_at > ReleasePlan.scored_at
        )
        due.append(open_plans.where(recorded.exists()))
        # A withdrawal is dated by the day alone: a plan scored that day may not know of it.
        since = act.today - scoring.LOOK_AHEAD
        for on in filter(
            None,
            act.session.scalars(
                select(place.withdrawn_on).where(place.withdrawn_on >= since).distinct()
            ),
        ):
            withdrawn = select(place.id).where(_of_plan(place), place.withdrawn_on == on)
            due.append(open_plans.where(withdrawn.exists(), ReleasePlan.scored_at < end_of(on)))
    return sorted(act.session.scalars(union(*due)))


def _changed_since(table: Any) -> Any:
    """Was this row written, or struck out, after the plan was last scored?"""
    return or_(table.recorded_at > ReleasePlan.scored_at, table.struck_at > ReleasePlan.scored_at)


def _of_plan(place: Any) -> Any:
    """Is it a closure of the plan's prison or destination? A bank holiday may be anybody's."""
    if place is CalendarChange:
        return true()
    return or_(
        place.site_id == ReleasePlan.site_id, place.site_id == ReleasePlan.destination_site_id
    )


@sweep(
    "critical-flags", "Tell the duty address of each critical release flag, once", at=(0, 15),
    look_back_days=0, every_minutes=5,
)  # fmt: skip
def tell_critical_flags(act: Act, day: date) -> int:
    return care.tell_critical_flags(act, ports_of(from_environment()))
