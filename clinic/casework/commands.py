"""Write the casework file: sessions not held and notes, the final review, certificates, transfers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import func, select

from clinic.act import Act, command
from clinic.casework.models import (
    ENTRIES,
    NEXT_STEP_WORDS,
    NOT_HELD_WORDS,
    NOTE,
    Acceptance,
    CaseworkEntry,
    Certificate,
    Completion,
)
from clinic.custody import deliveries, facts, timetables
from clinic.custody.models import Delivery, Exit, ReportedElsewhere, Transfer
from clinic.custody.stays import (
    add_entry,
    entry_to_strike,
    has_happened,
    opened,
    said_why,
    strike,
    strike_entry,
    touch,
)
from clinic.errors import Conflict, Invalid, needed, one_of, says, written
from clinic.patients.models import Allocation
from clinic.release.following import follow_patient
from dosing.days import london_day
from scheduling.completion import (
    NEXT_EXPLAINED,
    NOT_HELD_EXPLAINED,
    RULES,
    Session,
    certified,
)
from scheduling.custody_rules import DELIVERABLE

_ACCEPTED = "This transfer is accepted already."
for _table, _column, _what in (
    ("completion", "reception_id", "The final review is recorded already. Correct that one."),
    ("certificate", "reception_id", "There is a certificate already. Replace that one."),
    ("transfer_acceptance", "transfer_id", _ACCEPTED),
):
    says(f"uq_{_table}_standing", _what)
    says(f"{_table}.{_column}", _what)  # SQLite names the columns, PostgreSQL the index

LONGEST = 4000
T = TypeVar("T", CaseworkEntry, Completion, Certificate, Acceptance)
_MODELS: dict[str, type[Any]] = {
    "entry": CaseworkEntry, "completion": Completion, "certificate": Certificate,
    "acceptance": Acceptance,
}  # fmt: skip


# -- sessions not held, and notes --------------------------------------------------------------


@command
def record_entry(
    act: Act,
    reception_id: int,
    *,
    kind: str,
    at: datetime,
    item: str | None = None,
    reason: str | None = None,
    says: str | None = None,
) -> int:
    """A session was offered, missed, moved or made lighter, or there is something to note.

    The day it is due by stays as it is (PS-35). Returns the entry's id.
    """
    reception = opened(act, reception_id, "custody.deliver")
    one_of("kind", kind, ENTRIES)
    has_happened(act, "at", at)
    if london_day(at) < london_day(facts.detail_of(act.session, reception).received_at):
        raise Invalid.field("at", "must not be before the day of reception")
    must = kind == NOTE or reason in NOT_HELD_EXPLAINED
    said = (needed if must else written)("says", says, LONGEST)
    if item is not None:
        one_of("item", item, DELIVERABLE)
    elif kind != NOTE:
        raise Invalid.field("item", "is required: which session was it?")
    if kind in ("missed", "moved", "light"):
        one_of("reason", reason, NOT_HELD_WORDS)
    elif reason is not None:
        raise Invalid.field("reason", "belongs to a session that was missed, moved or made lighter")
    row = add_entry(
        act, reception, CaseworkEntry, at=at, kind=kind, item=item, reason=reason, says=said
    )
    act.note("casework.entered", patient_id=reception.patient_id, entry=row.id)
    return row.id


def standing(act: Act, model: type[T], reception_id: int) -> T | None:
    """The row of a stay that counts, where there is one at most."""
    return act.session.scalar(
        select(model)
        .where(model.reception_id == reception_id, model.struck_at.is_(None))
        .order_by(model.id.desc())
        .limit(1)
    )


@command
def strike_out(act: Act, what: str, row_id: int, *, reason: str) -> None:
    """An entry, a final review, a certificate or an acceptance was wrong: it counts no more.

    It stays visible with the reason. What it made done in the 28 days is open again.
    """
    row, reception = entry_to_strike(act, _MODELS[what], row_id)
    strike_entry(act, row, reason)
    undone = {"completion": "final_review", "certificate": "certificate"}.get(what)
    for done in facts.rows_of(act.session, Delivery, reception.id):
        if done.item == undone and (what != "certificate" or done.id == row.delivery_id):
            strike(act, reception, done, reason)
    touch(act, reception, "struck out an entry of the casework file")
    act.note(f"casework.{what}_struck_out", patient_id=reception.patient_id, entry=row.id)
    timetables.refresh_items(act, reception)
    if what == "acceptance":
        follow_patient(act, reception.patient_id)


# -- the end of the 28 days --------------------------------------------------------------------


@command
def complete(
    act: Act,
    reception_id: int,
    *,
    reviewed_at: datetime,
    exit_strategy: str,
    next_step: str,
    next_says: str | None = None,
    next_on: date | None = None,
    by: Sequence[str] = ("carat", "patient"),
    reason: str | None = None,
) -> int:
    """Record the final case review with the exit strategy and the step that follows.

    Where one is recorded already `reason` says why it is put right: the first stays, struck out.
    Nothing is closed by it (PS-37). Returns its id.
    """
    reception = opened(act, reception_id, "custody.deliver")
    has_happened(act, "reviewed_at", reviewed_at)
    strategy = needed("exit_strategy", exit_strategy, LONGEST)
    one_of("next_step", next_step, NEXT_STEP_WORDS)
    said = (needed if next_step in NEXT_EXPLAINED else written)("next_says", next_says, LONGEST)
    if next_on is not None and next_on < london_day(reviewed_at):
        raise Invalid.field("next_on", "must not be before the review")
    before = standing(act, Completion, reception.id)
    if before is not None:
        strike_entry(act, before, reason)
        for done in facts.rows_of(act.session, Delivery, reception.id):
            if done.item == "final_review":
                strike(act, reception, done, said_why(reason))
    deliveries.record_delivery(
        act, reception_id, whole=True, item="final_review", done_at=reviewed_at, by=list(by)
    )
    row = add_entry(
        act, reception, Completion, reviewed_at=reviewed_at, exit_strategy=strategy,
        next_step=next_step, next_says=said, next_on=next_on,
    )  # fmt: skip
    act.note("casework.completed", patient_id=reception.patient_id, completion=row.id)
    return row.id


def sessions_attended(act: Act, reception_id: int) -> list[Session]:
    """What a certificate given now would list."""
    return certified(
        Session(row.item, london_day(row.done_at), row.outcome, row.topic, row.mode)
        for row in facts.rows_of(act.session, Delivery, reception_id)
    )


def sessions_elsewhere(act: Act, reception_id: int) -> list[Session]:
    """What is reported to have been attended at the prison outside they came from, by its file."""
    return certified(
        Session(row.item, row.on, row.outcome, row.topic, row.mode)
        for row in facts.rows_of(act.session, ReportedElsewhere, reception_id)
        if row.on is not None
    )


@command
def certify(act: Act, reception_id: int, *, reason: str | None = None) -> int:
    """Give a certificate of the sessions attended (PS-30). Returns its id.

    A second one takes the place of the first, with `reason`; both stay. Nothing attended: Conflict.
    """
    reception = opened(act, reception_id, "custody.deliver")
    attended = sessions_attended(act, reception.id)
    elsewhere = sessions_elsewhere(act, reception.id)
    if not attended and not elsewhere:
        raise Conflict(RULES["CW-01"]["nothing"])
    before = standing(act, Certificate, reception.id)
    if before is not None:
        strike_entry(act, before, reason)
        for done in facts.rows_of(act.session, Delivery, reception.id):
            if done.id == before.delivery_id:
                strike(act, reception, done, said_why(reason))
    there = facts.detail_of(act.session, reception).came_from
    delivery_id = deliveries.record_delivery(
        act, reception_id, whole=True, item="certificate", done_at=act.at, by=["carat"]
    )
    last = select(func.max(Certificate.number)).where(Certificate.reception_id == reception.id)
    row = add_entry(
        act, reception, Certificate, number=(act.session.scalar(last) or 0) + 1, issued_at=act.at,
        sessions=[
            *(_listed(each) for each in attended),
            *(_listed(each) | {"elsewhere": there} for each in elsewhere),
        ],
        delivery_id=delivery_id,
    )  # fmt: skip
    act.note("casework.certified", patient_id=reception.patient_id, certificate=row.id)
    return row.id


def _listed(each: Session) -> dict[str, str | None]:
    return {"item": each.item, "on": each.on.isoformat(), "topic": each.topic, "mode": each.mode}


# -- transfers between prisons ------------------------------------------------------------------


@command
def accept_transfer(
    act: Act,
    reception_id: int,
    *,
    accepted_by: str | None = None,
    accepted_at: datetime | None = None,
    says: str | None = None,
) -> int:
    """The receiving prison's drug team takes somebody over; until then the sender keeps them (RC-15).

    At that prison a keyworker is named first. Where it is no site here the sending prison records
    who accepted there, and when (`accepted_at`; now when not said). Returns the acceptance's id.
    """
    reception = opened(act, reception_id, "custody.deliver")
    transfer = facts.row_of(act.session, Transfer, reception.id)
    if transfer is None:
        raise Conflict("No move is recorded for this person.")
    here = transfer.receiving_site_id == act.site_id
    if not here and transfer.receiving_site_id is not None:
        raise Conflict("The receiving prison accepts: it is a site of this service.")
    left = facts.row_of(act.session, Exit, reception.id)
    if left is None:
        raise Conflict("They have not moved yet.")
    if accepted_at is not None:
        if here:
            raise Invalid.field("accepted_at", "is now: this prison accepts")
        has_happened(act, "accepted_at", accepted_at)
        if accepted_at < left.at:
            raise Invalid.field("accepted_at", "must not be before they left")
    taken = select(Acceptance.id).where(
        Acceptance.transfer_id == transfer.id, Acceptance.struck_at.is_(None)
    )
    if act.session.scalar(taken) is not None:
        raise Conflict(_ACCEPTED)
    named = select(Allocation.id).where(
        Allocation.patient_id == facts.kept_record(act.session, reception.patient_id).id,
        Allocation.site_id == act.site_id, Allocation.kind == "keyworker",
        Allocation.ended_at.is_(None),
    )  # fmt: skip
    if here and act.session.scalar(named) is None:
        raise Conflict("Name a keyworker first: whoever accepts answers for them.")
    row = add_entry(
        act, reception, Acceptance, transfer_id=transfer.id, accepted_at=accepted_at or act.at,
        accepted_by=None if here else needed("accepted_by", accepted_by, LONGEST),
        says=written("says", says, LONGEST),
    )  # fmt: skip
    touch(act, reception, "accepted the transfer")
    act.note("casework.transfer_accepted", patient_id=reception.patient_id, acceptance=row.id)
    follow_patient(act, reception.patient_id)  # their release plan goes with them
    return row.id
