"""Record that contact was lost, what was tried to reach the person, and take a wrong entry back."""

from __future__ import annotations

from datetime import datetime

from clinic.act import Act, command
from clinic.appointments import missed
from clinic.appointments.missed_models import (
    FITS,
    HOW,
    OUTCOMES,
    REASONS,
    MissedContact,
    MissedContactTry,
)
from clinic.appointments.missed_queries import LOOK_BACK, ladder_here
from clinic.errors import Conflict, Invalid, NotFound, one_of, says
from clinic.patients.access import open_record
from clinic.titration.commands import record_contact, strike_contact
from clinic.turns import past, strike, why

RIGHT = "contacts.record"
LOGGED = ("phone", "outreach")
"""Kinds of try that the log of contact knows too (RP-34)."""

for _name in ("uq_missed_contact_try_once", "missed_contact_try.missed_contact_id"):
    says(_name, "This try is recorded already.")


@command
def begin_lost_contact(act: Act, patient_id: int, *, missed_at: datetime, note: str) -> int:
    """Contact with somebody was lost, at `missed_at`: their ladder begins. Returns its id."""
    patient = open_record(act, patient_id, "appointments.lost_contact", right=RIGHT)
    past(act, "missed_at", missed_at)
    if missed_at < act.at - LOOK_BACK:
        raise Invalid.field("missed_at", f"must be within the last {LOOK_BACK.days} days")
    return missed.add(
        act, patient_id=patient.id, visit_id=None, because="lost_contact", missed_at=missed_at,
        note=why(note, "note"),
    ).id  # fmt: skip


@command
def record_try(
    act: Act,
    ladder_id: int,
    *,
    how: str,
    at: datetime,
    outcome: str,
    reason: str | None = None,
    note: str | None = None,
) -> int:
    """Record one thing tried, and what came of it. Returns its id.

    `reason` is required once the person is reached: why they stayed away is asked (CM-26).
    """
    row = _to_change(act, ladder_id)
    one_of("how", how, HOW)
    one_of("outcome", outcome, {code: OUTCOMES[code] for code in FITS[how]})
    past(act, "at", at)
    if at < row.missed_at:
        raise Invalid.field("at", "cannot be before the visit was missed or contact was lost")
    text = (note or "").strip() or None
    if outcome == "reached":
        if not reason:
            raise Invalid.field("reason", "must be asked of whoever is reached")
        one_of("reason", reason, REASONS)
        if reason == "other" and text is None:
            raise Invalid.field("note", "must say which other reason")
    elif reason:
        raise Invalid.field("reason", "can be known only once the person was reached")
    made = MissedContactTry(
        missed_contact_id=row.id, how=how, at=at, outcome=outcome, reason=reason or None,
        note=text, contact_id=None, recorded_at=act.at, recorded_by=act.staff_id, struck_at=None,
        struck_by=None, struck_reason=None,
    )  # fmt: skip
    act.session.add(made)
    act.session.flush()
    if how in LOGGED:
        made.contact_id = record_contact(
            act, row.patient_id, how=how, happened_at=at, reached=outcome == "reached", note=text
        )
    act.note(
        "appointments.contact_tried", patient_id=row.patient_id, ladder=row.id, tried=made.id,
        how=how, outcome=outcome,
    )  # fmt: skip
    return made.id


def _to_change(act: Act, ladder_id: int) -> MissedContact:
    row = ladder_here(act, ladder_id)
    open_record(act, row.patient_id, "appointments.ladder_read", right=RIGHT)
    if row.struck_at is not None:
        raise Conflict("This was recorded in error: nothing is tried for it.")
    return row


@command
def strike_try(act: Act, ladder_id: int, try_id: int, reason: str) -> None:
    """Strike out a try recorded in error. It stays on record; the ladder goes on as without it."""
    row = ladder_here(act, ladder_id)
    open_record(act, row.patient_id, "appointments.ladder_read", right=RIGHT)
    text = why(reason)
    made = act.session.get(MissedContactTry, try_id, populate_existing=True)
    if made is None or made.missed_contact_id != row.id:
        raise NotFound("There is no such try.")
    if made.struck_at is not None:
        raise Conflict("That was already struck out.")
    strike(act, made, act.at, text)
    if made.contact_id is not None:
        strike_contact(act, row.patient_id, made.contact_id, text)
    act.note("appointments.try_struck", patient_id=row.patient_id, ladder=row.id, tried=try_id)


@command
def strike_lost_contact(act: Act, ladder_id: int, reason: str) -> None:
    """Contact was not lost after all. A ladder of a missed visit ends with the visit's own undo."""
    row = _to_change(act, ladder_id)
    if row.visit_id is not None:
        raise Conflict(
            "A visit began this. Take back that it was missed.", more={"visit_id": row.visit_id}
        )
    strike(act, row, act.at, why(reason))
    act.note("appointments.ladder_struck", patient_id=row.patient_id, ladder=row.id)
