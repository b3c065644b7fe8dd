"""The clock changes flags nobody touches: plans that are due are scored again just after midnight."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union

from clinic import logs
from clinic.act import Act
from clinic.consumption.models import DoseEvent
from clinic.custody.models import Exit, Hearing, KnownRelease, Reception, ReceptionDetail, Transfer
from clinic.patients.models import PatientChange
from clinic.release import care
from clinic.release.following import follow_plans, note_fault
from clinic.release.models import ReleasePlan
from clinic.reminders.ports import ports_of
from clinic.sites.models import CalendarChange, SiteClosure
from clinic.sweeps.models import SweepRun
from clinic.sweeps.schedule import sweep
from config.settings import from_environment
from dosing.days import ONE_DAY, end_of, start_of

SWEEP = "release-plans"
LONG_AGO = date(1900, 1, 1)
AT_ONCE = 50
"""So many plans are read, scored and written together."""


@sweep(SWEEP, "Ask the release rules again about every plan that is due", at=(0, 5))
def score_due_plans(act: Act, day: date) -> int:
    """Score every plan that is due, some in each transaction. Returns how many.

    Where one of them fails they are scored one by one: that one is logged, keeps the reason on
    itself and is due again; the others go on.
    """
    return _score(act, plans_due(act))


def _score(act: Act, ids: list[int]) -> int:
    act.session.rollback()  # let go of the reading, each turn to write is taken anew
    for some in (ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE)):
        try:
            follow_plans(act, some)
        except Exception:
            for plan_id in some:
                _follow_alone(act, plan_id)
        act.session.expunge_all()
    return len(ids)


def _follow_alone(act: Act, plan_id: int) -> None:
    try:
        follow_plans(act, [plan_id])
    except Exception as error:
        logs.exception("release plan not scored", plan=plan_id)
        note_fault(act, plan_id, f"could not be worked out ({type(error).__name__})")


def plans_due(act: Act) -> list[int]:
    """The open plans whose time has come, or whose facts changed since they were last scored.

    What changed before the last finished run of the sweep was seen by it: only what was written
    since is looked at, so that a quiet night reads next to nothing.
    """
    since = _last_run_at(act)
    due = [_OPEN.where(ReleasePlan.next_due_at <= act.at)]
    of_stay = _OPEN.join(Reception, Reception.patient_id == ReleasePlan.patient_id)
    models: tuple[Any, ...] = (ReceptionDetail, Hearing, KnownRelease, Transfer, Exit)
    for model in models:
        due += [
            of_stay.join(model, model.reception_id == Reception.id).where(changed)
            for changed in _changes(model, since)
        ]
    of_patient = _OPEN.join(DoseEvent, DoseEvent.patient_id == ReleasePlan.patient_id)
    due += [of_patient.where(changed) for changed in _changes(DoseEvent, since)]
    due.append(
        _OPEN.join(PatientChange, PatientChange.patient_id == ReleasePlan.patient_id).where(
            PatientChange.field == "died_on", PatientChange.recorded_at > since,
            PatientChange.recorded_at > ReleasePlan.scored_at,
        )
    )  # fmt: skip
    due += _of_calendars(act, since)
    return sorted(act.session.scalars(union(*due)))


_OPEN = select(ReleasePlan.id).where(ReleasePlan.closed_at.is_(None))


def _last_run_at(act: Act) -> datetime:
    """When the last finished run began, less a day for whatever was being written then."""
    began = act.session.scalar(
        select(func.max(SweepRun.began_at)).where(
            SweepRun.name == SWEEP, SweepRun.outcome == "done"
        )
    )
    return start_of(LONG_AGO) if began is None else began - ONE_DAY


def _changes(table: Any, since: datetime) -> list[ColumnElement[bool]]:
    """Rows written, or struck out, after the plan was last scored: one look for each."""
    return [
        and_(at > since, at > ReleasePlan.scored_at) for at in (table.recorded_at, table.struck_at)
    ]


def _of_calendars(act: Act, since: datetime) -> list[Select[tuple[int]]]:
    """Plans scored before a bank holiday or a closure of their prison or destination was known.

    A withdrawal is dated by the day alone: a plan scored that day may not know of it.
    """
    due = []
    for change in act.session.scalars(_written(CalendarChange, since)):
        due.append(_OPEN.where(ReleasePlan.scored_at < _known_at(change)))
    for closure in act.session.scalars(_written(SiteClosure, since)):
        due += [
            _OPEN.where(ReleasePlan.scored_at < _known_at(closure), site == closure.site_id)
            for site in (ReleasePlan.site_id, ReleasePlan.destination_site_id)
        ]
    return due


def _written(table: Any, since: datetime) -> Any:
    return select(table).where(or_(table.recorded_at > since, table.withdrawn_on >= since.date()))


def _known_at(row: CalendarChange | SiteClosure) -> datetime:
    return end_of(row.withdrawn_on) if row.withdrawn_on else row.recorded_at


@sweep(
    "first-appointments", "Ask who came to a first appointment once its time has passed", at=(0, 20),
    look_back_days=0, every_minutes=5,
)  # fmt: skip
def ask_who_came(act: Act, day: date) -> int:
    """Score the plans of those who have left whose time has come within the day. Returns how many."""
    due = _OPEN.where(ReleasePlan.left_on.is_not(None), ReleasePlan.next_due_at <= act.at)
    return _score(act, sorted(act.session.scalars(due)))


@sweep(
    "critical-flags", "Tell the duty address of each critical release flag, once", at=(0, 15),
    look_back_days=0, every_minutes=5,
)  # fmt: skip
def tell_critical_flags(act: Act, day: date) -> int:
    return care.tell_critical_flags(act, ports_of(from_environment()))
