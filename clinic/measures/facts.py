"""The cases of each measure at a site: one question to the database a measure.

What a limit, a target, a deadline or a gap is, is read where it is worked out for one person; only
the counting is done here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import func, or_, select

from clinic.act import Act
from clinic.appointments.facts import service
from clinic.appointments.models import INDUCTION, Referral, ReferralEvent, Visit
from clinic.custody.models import Reception, TimetableItem
from clinic.patients.models import Patient
from clinic.release.models import ReleaseAssessment, ReleaseFact, ReleasePlan
from clinic.titration import facts as treatment
from clinic.titration.standing import standing_of
from dosing.days import end_of, london_day, start_of
from scheduling.measures import Case, Definition
from scheduling.prescribing_models import wait
from scheduling.release_rules import LIMITS
from scheduling.targets import LOOKED_BACK

_IN_ERROR = "in_error"
_OPENED_IN_ERROR = "opened_in_error"
_MOMENT = timedelta(microseconds=1)
_LONGEST_WAIT = timedelta(days=31)
"""No model's limit is longer: whoever was referred before was due before."""


def cases(act: Act, measure: Definition, first: date, last: date) -> list[Case]:
    """Every case of the measure at this site whose time was up, or will be, between these days."""
    if measure.target is not None:
        return _targets(act, measure.target, first, last)
    if measure.items:
        return _items(act, measure.items, first, last)
    return _OTHERS[measure.key](act, first, last)


def _waits(act: Act, first: date, last: date) -> list[Case]:
    closed = (
        select(ReferralEvent.referral_id, func.max(ReferralEvent.at).label("at"))
        .where(ReferralEvent.verb == "closed")
        .group_by(ReferralEvent.referral_id)
        .subquery()
    )
    rows = act.session.execute(
        select(
            Referral.id, Referral.patient_id, Referral.referred_at, Referral.seen_at,
            Referral.status, closed.c.at.label("closed_at"),
        )
        .outerjoin(closed, closed.c.referral_id == Referral.id)
        .where(
            Referral.site_id == act.site_id,
            Referral.referred_at >= start_of(first) - _LONGEST_WAIT,
            Referral.referred_at < end_of(last),
            or_(Referral.closed_because.is_(None), Referral.closed_because != _IN_ERROR),
        )
    ).all()  # fmt: skip
    here = service(act.session, act.site_id or 0)
    found = []
    for row in rows:
        model = here.model_on(london_day(row.referred_at))
        due_on = wait(model, row.referred_at, act.today).last_on
        if due_on is not None:
            ended = row.closed_at if row.status == "closed" else None
            found.append(
                Case(
                    f"referral-{row.id}", row.patient_id, due_on,
                    _day(row.seen_at), _day(ended),
                )
            )  # fmt: skip
    return found


def _targets(act: Act, name: str, first: date, last: date) -> list[Case]:
    """As things stood when the period ended: a target reached later was late."""
    at = min(act.at, end_of(last))
    since = start_of(first) - LOOKED_BACK
    referred = select(Referral.patient_id).where(
        Referral.site_id == act.site_id, Referral.referred_at.between(since, at),
        or_(Referral.closed_because.is_(None), Referral.closed_because != _IN_ERROR),
    )  # fmt: skip
    came = select(Visit.patient_id).where(
        Visit.site_id == act.site_id, Visit.kind == INDUCTION, Visit.status == "arrived",
        Visit.starts_at.between(since, at),
    )  # fmt: skip
    asked = set(act.session.scalars(referred)) | set(act.session.scalars(came))
    model = service(act.session, act.site_id or 0).model_on(last)
    found = []
    for patient_id, standing in standing_of(act, treatment.people_of(act, asked), at).items():
        for each in standing.targets(model):
            if each.name == name and each.due_on is not None:
                started = each.due_on.isoformat()
                found.append(
                    Case(f"{name}-{patient_id}-{started}", patient_id, each.due_on, each.on)
                )
    return found


def _items(act: Act, items: Sequence[str], first: date, last: date) -> list[Case]:
    rows = act.session.execute(
        select(
            TimetableItem.reception_id, TimetableItem.item, TimetableItem.deadline,
            TimetableItem.done_at, TimetableItem.due_on, Reception.patient_id, Reception.left_at,
        )
        .join(Reception, Reception.id == TimetableItem.reception_id)
        .where(
            TimetableItem.site_id == act.site_id, TimetableItem.item.in_(items),
            TimetableItem.clock_elsewhere.is_(False),
            TimetableItem.state.in_(("open", "done", "closed_left")),
            TimetableItem.deadline > start_of(first), TimetableItem.deadline <= end_of(last),
            Reception.undone_at.is_(None),
        )
    ).all()  # fmt: skip
    return [
        Case(
            f"stay-{row.reception_id}-{row.item}", row.patient_id,
            london_day(row.deadline - _MOMENT),
            _day(row.done_at), None if row.done_at else _day(row.left_at),
            row.done_at is not None and row.done_at > row.deadline,
        )
        for row in rows
    ]  # fmt: skip


def _exits(act: Act, first: date, last: date) -> list[Case]:
    """People who left, by their newest scoring. Not known to be covered is not covered."""
    newest = (
        select(ReleaseAssessment.plan_id, func.max(ReleaseAssessment.id).label("id"))
        .group_by(ReleaseAssessment.plan_id)
        .subquery()
    )
    rows = act.session.execute(
        select(
            ReleasePlan.id, ReleasePlan.patient_id, ReleasePlan.left_on,
            ReleaseAssessment.request, ReleaseAssessment.answer,
        )
        .join(newest, newest.c.plan_id == ReleasePlan.id)
        .join(ReleaseAssessment, ReleaseAssessment.id == newest.c.id)
        .where(
            or_(ReleasePlan.site_id == act.site_id, ReleasePlan.destination_site_id == act.site_id),
            ReleasePlan.left_on.between(first, last),
        )
    ).all()  # fmt: skip
    return [
        Case(
            f"release-{row.id}", row.patient_id, row.left_on,
            row.left_on, done_late_that_day=row.answer["gap_days"] != 0,
        )
        for row in rows
        if row.request.get("on_ost") is not False
    ]  # fmt: skip


def _engaged(act: Act, first: date, last: date) -> list[Case]:
    """People whose three weeks after release were up. A death before that ended what was owed."""
    left, within = ReleasePlan.left_on, LIMITS.continuity
    began = (
        select(ReleaseFact.plan_id, ReleaseFact.says)
        .where(ReleaseFact.section == "engagement", ReleaseFact.struck_at.is_(None))
        .subquery()
    )
    treated = (
        select(ReleaseFact.plan_id, ReleaseFact.says)
        .where(ReleaseFact.section == "treatment", ReleaseFact.struck_at.is_(None))
        .subquery()
    )
    rows = act.session.execute(
        select(
            ReleasePlan.id, ReleasePlan.patient_id, left, began.c.says, Patient.died_on,
            treated.c.says.label("treatment"),
        )
        .join(Patient, Patient.id == ReleasePlan.patient_id)
        .outerjoin(began, began.c.plan_id == ReleasePlan.id)
        .outerjoin(treated, treated.c.plan_id == ReleasePlan.id)
        .where(
            or_(ReleasePlan.site_id == act.site_id, ReleasePlan.destination_site_id == act.site_id),
            left.between(first - within, last - within),
            or_(ReleasePlan.closed_as.is_(None), ReleasePlan.closed_as != _OPENED_IN_ERROR),
        )
    ).all()  # fmt: skip
    return [
        Case(
            f"engaged-{row.id}", row.patient_id, row.left_on + within,
            row.says and date.fromisoformat(row.says["engaged_on"]), row.died_on,
        )
        for row in rows
        if (row.treatment or {}).get("on_ost") is not False
    ]  # fmt: skip


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else london_day(moment)


_OTHERS: dict[str, Callable[[Act, date, date], list[Case]]] = {
    "wait": _waits,
    "release_covered": _exits,
    "engaged": _engaged,
}
