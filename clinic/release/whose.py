"""Whose is a release plan? The prison's they are in, and after a move not before that prison accepts.

Asked with every scoring, so an acceptance, and one that counts no more, are followed at once. Until
the receiving prison's drug team has accepted, the sender stays responsible (RC-15).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from clinic.act import Act
from clinic.casework.models import Acceptance
from clinic.custody.models import Exit, Reception, Transfer
from clinic.patients.queries import same_person
from clinic.release.care_models import LeaverTask
from clinic.release.models import PlanMove, ReleasePlan
from clinic.release.reading import Reading
from clinic.sites.models import Site


def keep(act: Act, plan: ReleasePlan, reading: Reading, at: datetime) -> None:
    """Let the plan go with the person, or come back, as the acceptances stand; part of a scoring."""
    found = _goes_to(plan, reading)
    if found is None:
        return
    site_id, acceptance_id, accepted = found
    row = PlanMove(
        plan_id=plan.id, from_site_id=plan.site_id, to_site_id=site_id,
        acceptance_id=acceptance_id, accepted=accepted, recorded_at=at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    reading.moves.setdefault(plan.id, []).append(row)
    plan.site = act.session.get_one(Site, site_id)
    if act.staff_id is not None:
        plan.changed_by, plan.version = act.staff_id, plan.version + 1
        plan.changed_what = f"{'went' if accepted else 'came back'} to {plan.site.name}"
    act.session.flush()
    act.note("release.plan_moved", patient_id=plan.patient_id, plan=plan.id, to=site_id)


def _goes_to(plan: ReleasePlan, reading: Reading) -> tuple[int, int, bool] | None:
    """The prison the plan goes to, by which acceptance, and whether that stands; None: it stays."""
    people = reading.people[plan.patient_id]
    rows = [row for each in people for row in reading.acceptances.get(each, ())]
    stays = [row for each in people for row in reading.stays.get(each, ())]
    now = max(
        (row for row in stays if row.undone_at is None and row.struck_at is None),
        key=lambda row: (row.received_at, row.id), default=None,
    )  # fmt: skip
    # The newest that stands, for whoever moved twice; one that was followed already sends it nowhere.
    of_this_stay = [row for row in rows if now and row.reception_id == now.id and row.stands]
    newest = max(of_this_stay, key=lambda row: row.id, default=None)
    followed = {row.acceptance_id for row in reading.moves.get(plan.id, ()) if row.accepted}
    goes = newest is not None and newest.id not in followed
    if goes and newest.receiving_site_id not in (None, plan.site_id):
        return newest.receiving_site_id, newest.id, True
    last = next(reversed(reading.moves.get(plan.id, ())), None)
    if last is None or not last.accepted or last.to_site_id != plan.site_id:
        return None
    stands = any(row.stands for row in rows if row.id == last.acceptance_id)
    return None if stands else (last.from_site_id, last.acceptance_id, False)


def prison_as_known(reading: Reading, plan: ReleasePlan, known_at: datetime) -> Site:
    """Whose the plan was at a moment."""
    moves = reading.moves.get(plan.id, [])
    before = [row for row in moves if row.recorded_at <= known_at]
    if len(before) == len(moves):
        return plan.site
    site_id = before[-1].to_site_id if before else moves[0].from_site_id
    return reading.session.get_one(Site, site_id)


def moves_of(act: Act, plan_id: int) -> Sequence[PlanMove]:
    """Each time an opened plan went to another prison or came back, the newest first."""
    return act.session.scalars(
        select(PlanMove).where(PlanMove.plan_id == plan_id).order_by(PlanMove.id.desc())
    ).all()


def not_accepted(act: Act, plan: ReleasePlan) -> Transfer | None:
    """The move they have made and the receiving prison's drug team has not accepted."""
    return act.session.scalar(
        select(Transfer)
        .join(Reception, Reception.id == Transfer.reception_id)
        .join(Exit, Exit.reception_id == Reception.id)
        .outerjoin(
            Acceptance, (Acceptance.transfer_id == Transfer.id) & Acceptance.struck_at.is_(None)
        )
        .where(
            Reception.patient_id.in_(same_person(act, plan.patient_id)),
            Reception.undone_at.is_(None),
            func.coalesce(Transfer.receiving_site_id, 0) != plan.site_id,
            Transfer.known_until.is_(None), Exit.known_until.is_(None), Exit.how == "transfer",
            Acceptance.id.is_(None),
        )
        .order_by(Transfer.id.desc())
        .limit(1)
    )  # fmt: skip


def handed_outside(act: Act, plan: ReleasePlan) -> tuple[Transfer, Acceptance] | None:
    """The prison that is no site here which accepted them, and who there did. It cannot take the plan
    over: it is printed and handed on, and ends here."""
    found = act.session.execute(
        select(Transfer, Acceptance)
        .join(Reception, Reception.id == Transfer.reception_id)
        .join(Exit, Exit.reception_id == Reception.id)
        .join(Acceptance, Acceptance.transfer_id == Transfer.id)
        .where(
            Reception.patient_id.in_(same_person(act, plan.patient_id)),
            Reception.undone_at.is_(None), Transfer.receiving_site_id.is_(None),
            Transfer.known_until.is_(None), Exit.known_until.is_(None), Exit.how == "transfer",
            Acceptance.struck_at.is_(None),
        )
        .order_by(Transfer.id.desc())
        .limit(1)
    ).first()  # fmt: skip
    return (found[0], found[1]) if found else None


def untold_move(act: Act, plan_id: int) -> LeaverTask | None:
    """The community team's task to note a move to another prison, while nobody has answered it."""
    return act.session.scalar(
        select(LeaverTask)
        .where(
            LeaverTask.plan_id == plan_id, LeaverTask.kind == "transfer",
            LeaverTask.done_at.is_(None), LeaverTask.struck_at.is_(None),
        )
        .limit(1)
    )  # fmt: skip
