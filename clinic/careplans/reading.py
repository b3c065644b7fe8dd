"""The rows that both commands and queries look up."""

from __future__ import annotations

from sqlalchemy import select

from clinic.act import Act
from clinic.careplans.models import CarePlanDraft, CarePlanVersion, ClinicalReviewInput
from clinic.custody.models import Delivery


def current_version(act: Act, plan_id: int) -> CarePlanVersion:
    """The newest version of a plan; there is always one."""
    found = act.session.scalars(
        select(CarePlanVersion)
        .where(CarePlanVersion.plan_id == plan_id)
        .order_by(CarePlanVersion.number.desc())
        .limit(1)
    )
    return found.one()


def draft_of(act: Act, plan_id: int) -> CarePlanDraft | None:
    """The changes collected and not put forward; None when there are none."""
    return act.session.scalar(
        select(CarePlanDraft).where(
            CarePlanDraft.plan_id == plan_id, CarePlanDraft.discarded_at.is_(None)
        )
    )


def report_of(act: Act, reception_id: int) -> ClinicalReviewInput | None:
    """The CARATs' report for the clinical review, as long as its delivery stands."""
    return act.session.scalar(
        select(ClinicalReviewInput)
        .join(Delivery, Delivery.id == ClinicalReviewInput.delivery_id)
        .where(
            ClinicalReviewInput.reception_id == reception_id,
            ClinicalReviewInput.kind == "report",
            Delivery.known_until.is_(None),
        )
        .order_by(ClinicalReviewInput.id.desc())
        .limit(1)
    )
