"""Agree to a version of a care plan, and take that back.

In custody an agreement's truth is the delivery it records in the 28 days, in the same transaction.
"""

from __future__ import annotations

from datetime import datetime

from clinic.act import Act, command
from clinic.careplans.models import AGREEING, CarePlan, CarePlanAgreement, CarePlanVersion
from clinic.careplans.plans import LONGEST_LINE, opened, standing_agreements, stay_version, touch
from clinic.careplans.reading import current_version
from clinic.custody import deliveries, fact_commands, facts
from clinic.custody.models import Delivery
from clinic.custody.stays import has_happened
from clinic.errors import Conflict, Invalid, NotFound, needed, one_of, says
from clinic.staff.models import Staff

_HAS_AGREED = "This party has agreed to this version already."
CSMA_FIRST = (
    "The comprehensive assessment (CSMA) comes before the joint care plan (PS-09, TT-07). "
    "Record it first, then the agreement."
)
AGREED = "joint_care_plan"
# SQLite names the columns of a unique index, PostgreSQL the index.
for _name in ("uq_care_plan_agreement_standing", "care_plan_agreement.version_id"):
    says(_name, _HAS_AGREED)


def reopen(act: Act, plan: CarePlan, was: CarePlanVersion, number: int) -> None:
    """Agreements to what the plan no longer says do not add up with later ones to a joint plan.

    A version all three had agreed to was a joint plan in its time, and stays one.
    """
    if plan.reception_id is None:
        return
    rows = [
        row
        for row in facts.rows_of(act.session, Delivery, plan.reception_id)
        if row.item == AGREED and row.outcome == "delivered"
    ]
    if set(facts.agreed_by(rows)) >= set(AGREEING):
        given = {each.delivery_id for each in standing_agreements(act, was)}
        if len(given) in (0, len(AGREEING)):
            return
        rows = [row for row in rows if row.id in given]
    for row in rows:
        fact_commands.strike_out(
            act, plan.reception_id, "delivery", row.id,
            version=stay_version(act, plan.reception_id),
            reason=f"The care plan changed: version {number} is not agreed yet",
        )  # fmt: skip


@command
def agree(
    act: Act,
    plan_id: int,
    *,
    number: int,
    party: str,
    agreed_at: datetime,
    agreed_by: int | None = None,
) -> int:
    """A party agrees to version `number`, which must be the newest. Returns the agreement's id.

    `agreed_by`: who agreed for healthcare or CARATs (oneself when not said). In custody the CSMA
    must come first (PS-09). Conflict when the plan has changed or the party has agreed.
    """
    plan = opened(act, plan_id, "careplans.agreed")
    row = current_version(act, plan.id)
    if row.number != number:
        raise Conflict(
            f"The plan has changed: version {row.number} stands now. Read it before agreeing.",
            more={"number": row.number},
        )
    one_of("party", party, AGREEING)
    has_happened(act, "agreed_at", agreed_at)
    if not row.answers and not row.goals_now:
        raise Conflict("Nothing is written in this plan yet. There is nothing to agree to.")
    if party in {each.party for each in standing_agreements(act, row)}:
        raise Conflict(_HAS_AGREED)
    by = None if party == "patient" else agreed_by or act.staff_id
    if by is not None and act.session.get(Staff, by) is None:
        raise Invalid.field("agreed_by", "must be a member of staff")
    delivery_id = None
    if plan.reception_id is not None:
        if not csma_before(act, plan.reception_id, agreed_at):
            if csma_before(act, plan.reception_id, act.at):
                raise Invalid.field(
                    "agreed_at", "must not be before the comprehensive assessment (CSMA) (PS-09)"
                )
            raise Conflict(
                CSMA_FIRST,
                more={
                    "needs": "csma",
                    "record_at": f"/api/v1/receptions/{plan.reception_id}/deliveries",
                },
            )
        delivery_id = deliveries.record_delivery(
            act, plan.reception_id, whole=True, item=AGREED, done_at=agreed_at, by=[party],
            done_by=by, note=f"Care plan, version {number}",
        )  # fmt: skip
    made = CarePlanAgreement(
        version_id=row.id, party=party, agreed_at=agreed_at, agreed_by=by, delivery_id=delivery_id,
        withdrawn_at=None, withdrawn_by=None, withdrawn_reason=None, recorded_at=act.at,
        recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(made)
    act.session.flush()
    touch(act, plan, f"recorded an agreement to version {number}")
    return made.id


def csma_before(act: Act, reception_id: int, at: datetime) -> bool:
    """Had the CSMA been done, or offered and declined, by then? Either closes TT-07."""
    rows = facts.rows_of(act.session, Delivery, reception_id)
    return any(row.item == "csma" and row.done_at <= at for row in rows)


@command
def withdraw(act: Act, plan_id: int, agreement_id: int, *, version: int, reason: str) -> None:
    """A party takes its agreement to the newest version back. The row stays, with the reason."""
    plan = opened(act, plan_id, "careplans.withdrawn", version)
    row = act.session.get(CarePlanAgreement, agreement_id)
    if row is None or row.version_id != current_version(act, plan.id).id:
        raise NotFound("There is no such agreement to the plan as it stands.")
    if row.withdrawn_at is not None:
        raise Conflict("That agreement was withdrawn already.")
    row.withdrawn_reason = needed("reason", reason, LONGEST_LINE)
    row.withdrawn_at, row.withdrawn_by = act.at, act.staff_id
    act.session.flush()
    if plan.reception_id is not None and row.delivery_id is not None:
        fact_commands.strike_out(
            act, plan.reception_id, "delivery", row.delivery_id,
            version=stay_version(act, plan.reception_id),
            reason=f"Agreement withdrawn: {row.withdrawn_reason}",
        )  # fmt: skip
    touch(act, plan, "withdrew an agreement")
