"""Score plans again: what they rest on was recorded elsewhere, or their time has come.

For the commands of other rooms, which have settled that the record may be changed, and for the sweep.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from clinic import logs
from clinic.act import Act, command
from clinic.patients.queries import same_person
from clinic.release import scoring
from clinic.release.models import ReleasePlan
from clinic.release.reading import Reading
from dosing.shape import Refused

LONGEST = 200


@command
def follow_patient(act: Act, patient_id: int) -> None:
    """Something a release plan reads was recorded elsewhere: score the open plan again, if any.

    For the commands of other rooms, which have settled that the record may be changed. What they
    recorded stands whatever becomes of the scoring: a dose that was swallowed is on record though
    the plan could not be scored. That is kept on the plan as its fault, and tried again.
    """
    plan_ids = act.session.scalars(
        select(ReleasePlan.id).where(
            ReleasePlan.patient_id.in_(same_person(act, patient_id)),
            ReleasePlan.closed_at.is_(None),
        )
    ).all()
    if not plan_ids:
        return
    try:
        with act.session.begin_nested():
            follow_plans(act, plan_ids)
    except DBAPIError:
        raise  # the database's own refusals decide over everything done with them
    except Exception:  # whatever it is: see above
        logs.exception("plan not scored", plans=list(plan_ids))
        for plan_id in plan_ids:
            note_fault(act, plan_id, "could not be scored: a fault of the service")


@command
def follow_plan(act: Act, plan_id: int) -> None:
    """Score one plan again, as `follow_plans` does."""
    follow_plans(act, [plan_id])


@command
def follow_plans(act: Act, plan_ids: Sequence[int]) -> None:
    """Score plans again. Facts the rules cannot read are kept on their plan as its fault.

    The last flags then stay as they are: nothing is cleared by facts nobody can read.
    """
    plans = act.session.scalars(
        select(ReleasePlan).where(ReleasePlan.id.in_(plan_ids)).order_by(ReleasePlan.id)
    ).all()
    reading = Reading(act, plans)
    for plan in plans:
        try:
            scoring.score(act, plan, reading)
        except Refused as refused:
            note_fault(act, plan.id, f"{refused.field} {refused.message}")
    act.session.flush()


@command
def note_fault(act: Act, plan_id: int, says: str) -> None:
    """Keep on the plan why it could not be scored; the next sweep tries again."""
    plan = act.session.get_one(ReleasePlan, plan_id)
    plan.fault, plan.scored_at = says[:LONGEST], act.at
    plan.next_due_at = act.at
