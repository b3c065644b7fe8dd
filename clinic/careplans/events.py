"""What the stay tells the plan, and what the plan keeps the stay from. Knows no command of custody."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from clinic.act import Act
from clinic.careplans.models import CarePlan, CarePlanAgreement, CarePlanEvent, CarePlanVersion


def raise_event(
    act: Act,
    code: str,
    on: date,
    *,
    reception_id: int | None = None,
    patient_ids: Collection[int] = (),
    note: str | None = None,
) -> None:
    """Ask for a review of the plan of this stay, or of these people in the community (CM-22).

    Nothing happens where there is no plan, or the same is asked for already.
    """
    whose = (
        CarePlan.reception_id == reception_id
        if reception_id is not None
        else CarePlan.reception_id.is_(None) & CarePlan.patient_id.in_(patient_ids)
    )
    for plan in act.session.scalars(select(CarePlan).where(whose)):
        asked = select(CarePlanEvent.id).where(
            CarePlanEvent.plan_id == plan.id, CarePlanEvent.code == code, CarePlanEvent.on == on,
            CarePlanEvent.review_id.is_(None), CarePlanEvent.struck_at.is_(None),
            CarePlanEvent.note.is_not_distinct_from(note),
        )  # fmt: skip
        if act.session.scalar(asked.limit(1)) is not None:
            continue
        row = CarePlanEvent(
            plan_id=plan.id, code=code, on=on, note=note, review_id=None, struck_at=None,
            struck_by=None, struck_reason=None, recorded_at=act.at, recorded_by=act.staff_id,
        )  # fmt: skip
        act.session.add(row)
        act.session.flush()
        act.note("careplans.event", patient_id=plan.patient_id, plan=plan.id, event=row.id)


def take_event_back(
    act: Act, reception_id: int, codes: Collection[str], raised_at: datetime, reason: str
) -> None:
    """What a fact of the stay asked the plan for, once that fact was struck out and nobody looked."""
    rows = act.session.scalars(
        select(CarePlanEvent)
        .join(CarePlan, CarePlan.id == CarePlanEvent.plan_id)
        .where(
            CarePlan.reception_id == reception_id, CarePlanEvent.recorded_at == raised_at,
            CarePlanEvent.code.in_(codes),
            CarePlanEvent.review_id.is_(None), CarePlanEvent.struck_at.is_(None),
        )
    )  # fmt: skip
    for row in rows:
        row.struck_at, row.struck_by, row.struck_reason = act.at, act.staff_id, reason.strip()
        act.note("careplans.event_struck", reception=reception_id, event=row.id)


def has_plan(act: Act, reception_id: int) -> bool:
    """Is there a plan for this stay? Then agreements are given to one of its versions."""
    found = select(CarePlan.id).where(CarePlan.reception_id == reception_id)
    return act.session.scalar(found) is not None


def holds(act: Act, delivery_id: int) -> bool:
    """Does this delivery stand for an agreement to the newest version of a plan?"""
    later = aliased(CarePlanVersion)
    found = (
        select(CarePlanAgreement.id)
        .join(CarePlanVersion, CarePlanVersion.id == CarePlanAgreement.version_id)
        .where(
            CarePlanAgreement.delivery_id == delivery_id,
            CarePlanAgreement.withdrawn_at.is_(None),
            ~exists().where(
                later.plan_id == CarePlanVersion.plan_id, later.number > CarePlanVersion.number
            ),
        )
    )
    return act.session.scalar(found) is not None
