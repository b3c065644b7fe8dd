"""Plan the days of an induction anew after one was missed or cancelled, and move day 2 or 3."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from clinic.act import Act, command
from clinic.appointments import chain, chain_changes, facts, history
from clinic.appointments.chain import Arranged
from clinic.appointments.chain_models import VisitChain
from clinic.appointments.chain_preview import as_review
from clinic.appointments.models import REVIEW, Visit
from clinic.appointments.taking import visit_to_change
from clinic.errors import Conflict, NotFound
from clinic.patients.access import open_record
from scheduling.chains import NURSE, Review


@command
def replan(
    act: Act, chain_id: int, *, preview: str | None = None, arrangements: Sequence[Arranged] = ()
) -> VisitChain:
    """Book anew the days that were missed or cancelled, and move the ones after them.

    Nothing is done before it was looked at: Conflict with the `preview`, whose version says yes.
    """
    row = chain.chain_here(act, chain_id)
    open_record(act, row.patient_id, "appointments.chain_read", right="appointments.book")
    service = facts.service(act.session, row.site_id)
    rest, stand = chain_changes.rest_of(act, service, row.id)
    if 1 not in stand:
        raise Conflict(
            "Day 1 of this induction did not take place. Book a new start: days 2 and 3 follow it.",
            more={"referral_id": row.referral_id},
        )
    chain_changes.plan_missing(rest, stand, {})
    rest.picture(None)
    rest.agreed(preview, look_first=True, always=True)
    rest.arrange(arrangements)
    rest.carry_out(note="Planned anew.")
    act.note("appointments.replanned", patient_id=row.patient_id, chain=row.id)
    return row


@command
def move_day(
    act: Act,
    visit_id: int,
    *,
    version: int,
    starts_at: datetime,
    nurse_id: int,
    doctor_id: int | None = None,
    note: str | None = None,
    preview: str | None = None,
    arrangements: Sequence[Arranged] = (),
) -> Visit:
    """Move day 2 or 3 to another review, and the day after it along with it."""
    visit = visit_to_change(act, visit_id)
    history.check_version(act, visit, version)
    if visit.kind != REVIEW or visit.chain_id is None or visit.day_number is None:
        raise NotFound("This visit is no day 2 or 3 of an induction.")
    if visit.status != "booked":
        raise Conflict(f"This visit is {visit.status.replace('_', ' ')}: it cannot be moved.")
    service = facts.service(act.session, visit.site_id)
    rest, stand = chain_changes.rest_of(act, service, visit.chain_id)
    wanted = Review(starts_at, starts_at + NURSE, nurse_id, doctor_id)
    if wanted == as_review(visit):
        raise Conflict("That is where the visit already is.")
    chain_changes.plan_missing(rest, stand, {visit.day_number: wanted})
    rest.picture(None)
    rest.agreed(preview, look_first=True)
    rest.arrange(arrangements)
    rest.carry_out(note=note)
    return visit
