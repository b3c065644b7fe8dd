"""Record whether the patient came, and take the last step of a visit back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act, command
from clinic.appointments import (
    chain,
    chain_changes,
    facts,
    freed,
    history,
    lapses,
    missed,
    taking,
    writes,
)
from clinic.appointments.chain import Arranged
from clinic.appointments.models import REVIEW, Referral, Resource, Visit
from clinic.errors import Conflict, Invalid
from dosing.days import london_day


@command
def record_arrived(
    act: Act, visit_id: int, *, version: int, arrived_at: datetime | None = None
) -> Visit:
    """The patient came, at `arrived_at` (now when not said); the referral's wait ends there.

    Also after `did not attend` was recorded: a late arrival keeps both steps.
    """
    visit = taking.visit_to_change(act, visit_id)
    history.check_version(act, visit, version)
    if visit.status not in ("booked", "did_not_attend"):
        raise Conflict(f"This visit is {visit.status.replace('_', ' ')} already.")
    at = arrived_at or act.at
    if at > act.at:
        raise Invalid.field("arrived_at", "cannot be in the future")
    if visit.kind == REVIEW and not _began(act, visit):
        raise Conflict("Day 1 of this induction did not take place. Book a new start.")
    if london_day(at) != london_day(visit.starts_at):
        raise Invalid.field("arrived_at", "must be on the day of the visit; move the visit first")
    visit.status = "arrived"
    history.add(act, visit, "arrived", at=at)
    act.note("appointments.arrived", patient_id=visit.patient_id, visit=visit.id)
    if visit.referral_id is not None:
        _end_wait(act, act.session.get_one(Referral, visit.referral_id), at)
    return visit


def _began(act: Act, visit: Visit) -> bool:
    """Did day 1 of this visit's chain take place?"""
    return any(
        each.day_number == 1 and each.status == "arrived"
        for each in chain.visits_of_chain(act, visit.chain_id or 0)
    )


@command
def record_did_not_attend(
    act: Act, visit_id: int, *, version: int, note: str | None = None,
    preview: str | None = None, arrangements: Sequence[Arranged] = (), leave_rest: bool = False,
) -> Visit:  # fmt: skip
    """The patient did not come. The referral waits on, and its clock has never stopped.

    With a day of an induction the others change: Conflict with the `preview`, whose version says
    yes to it. `leave_rest`: they are left as they are on purpose, and stand on the worklist.
    """
    visit = taking.visit_to_change(act, visit_id)
    history.check_version(act, visit, version)
    if visit.status not in ("booked", "arrived"):
        raise Conflict(f"This visit is {visit.status.replace('_', ' ')} already.")
    if act.at < visit.starts_at:
        raise Conflict("The visit has not begun: nobody has missed it yet.")
    was_arrived = visit.status == "arrived"
    visit.status = "did_not_attend"
    act.session.flush()
    rest = None
    if visit.chain_id is not None and not leave_rest:
        service = facts.service(act.session, visit.site_id)
        rest = chain_changes.missing(
            act, service, visit, version, arrangements=arrangements, shown=preview
        )
    history.add(
        act, visit, "did_not_attend", at=visit.starts_at, note=note, more=taking.change_of(rest)
    )
    act.note("appointments.did_not_attend", patient_id=visit.patient_id, visit=visit.id)
    missed.begin(act, visit)
    if was_arrived:
        _resume_wait(act, visit)
    if rest is not None:
        rest.carry_out(
            note=f"Day {visit.day_number} was missed.", reason="other", by_whom="service"
        )
    return visit


def _end_wait(act: Act, referral: Referral, at: datetime) -> None:
    if referral.status == "waiting":
        referral.status, referral.seen_at = "seen", at
        history.add(act, referral, "seen", at=at)


def _resume_wait(act: Act, visit: Visit) -> None:
    """The arrival was no arrival, so the person waits again from the first day on."""
    if visit.referral_id is None:
        return
    referral = act.session.get_one(Referral, visit.referral_id)
    other = act.session.scalar(
        select(Visit.id).where(
            Visit.referral_id == referral.id, Visit.id != visit.id, Visit.status == "arrived"
        )
    )
    if referral.status == "seen" and other is None:
        referral.status, referral.seen_at = "waiting", None
        history.add(act, referral, "waits_again")


# -- undo ----------------------------------------------------------------------------------


@command
def undo_visit(act: Act, visit_id: int, *, version: int, reason: str) -> Visit:
    """Take the last step back: a cancellation, a move, an arrival or a missed visit.

    The place is taken again; Conflict when somebody else has it by now.
    """
    if not reason.strip():
        raise Invalid.field("reason", "must say what was wrong")
    visit = taking.visit_to_change(act, visit_id)
    history.check_version(act, visit, version)
    was_arrived = visit.status == "arrived"
    if visit.chain_id is not None:
        steps = history.events(act, visit)
        if (change := chain_changes.change_to_undo(steps)) is not None:
            chain_changes.undo(act, visit, change, reason)
            if visit.status == "arrived" and visit.referral_id is not None:
                came = history.standing(history.events(act, visit))[-1]
                _end_wait(act, act.session.get_one(Referral, visit.referral_id), came.at)
            return visit
        if not chain_changes.may_undo_alone(steps):
            raise Conflict("There is nothing to undo here. Cancel it, or plan the days anew.")
    undone, before = history.last_but_one(act, visit)
    held_now = visit.status != "cancelled"
    moved = undone.verb == "moved"
    if moved and datetime.fromisoformat(before.state["starts_at"]) <= act.at:
        raise Conflict("The place it was moved from has already begun.")
    if moved:
        freed.release(act, visit.id, because="moved")
    if moved or not held_now:
        since, until = (
            datetime.fromisoformat(before.state[each]) for each in ("starts_at", "ends_at")
        )
        lapses.release(act, since, until, visit.patient_id)
    history.put_back(visit, before.state)
    act.session.flush()
    if moved or not held_now:
        writes.add_holds(act.session, visit.id, _held_before(act, visit, before.state))
    history.add(act, visit, history.UNDONE, reason=undone.verb, note=reason)
    act.note("appointments.undone", patient_id=visit.patient_id, visit=visit.id, verb=undone.verb)
    if was_arrived:
        _resume_wait(act, visit)
    elif visit.status == "arrived" and visit.referral_id is not None:
        _end_wait(act, act.session.get_one(Referral, visit.referral_id), before.at)
    return visit


def _held_before(act: Act, visit: Visit, state: dict[str, Any]) -> list[writes.Held]:
    """What the visit held in an earlier state, to the same minutes.

    A step from before holds were kept with it held the doctor and the worker for the whole visit.
    """
    if writes.HOLDS in state:
        return writes.from_json(state)
    rows = act.session.execute(
        select(Resource.staff_id, Resource.id).where(
            Resource.staff_id.in_((visit.doctor_id, visit.worker_id))
        )
    )
    return [
        writes.Held(
            resource_id, "doctor" if staff_id == visit.doctor_id else "worker", visit.starts_at,
            visit.ends_at,
        )
        for staff_id, resource_id in rows
    ]  # fmt: skip
