"""Move a phase, ask for consent, tell somebody, attach a peer supporter, and strike an entry out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act, command
from clinic.custody import facts, timetables
from clinic.custody.models import Reception
from clinic.custody.stays import (
    add_entry,
    entry_to_strike,
    has_happened,
    opened,
    strike_entry,
)
from clinic.errors import Conflict, Invalid, NotFound, needed, one_of, says
from clinic.phases.models import PARTY_WORDS, PeerSupporter, PhaseMove, Telling, TriageConsent
from dosing.days import london_day
from scheduling.phases import MOVABLE, may_begin, may_have_triage

_MOMENT_AGO = "Somebody recorded this a moment ago. Look again."
for _name in (
    "uq_phase_move_standing",
    "phase_move.reception_id, phase_move.phase",
    "uq_triage_consent_standing",
    "triage_consent.reception_id",
):
    says(_name, _MOMENT_AGO)  # SQLite names the columns of a unique index, PostgreSQL the index

LONGEST = 2000
_MODELS: dict[str, type[Any]] = {
    "move": PhaseMove, "consent": TriageConsent, "telling": Telling, "peer": PeerSupporter,
}  # fmt: skip


def _kept(act: Act, reception: Reception, model: type[Any], **values: Any) -> int:
    row = add_entry(act, reception, model, **values)
    name = model.__tablename__
    act.note(f"phases.{name}_recorded", patient_id=reception.patient_id, entry=row.id)
    return int(row.id)


@command
def move_phase(act: Act, reception_id: int, *, phase: int, from_on: date, reason: str) -> int:
    """A phase begins on another day for this person; a reason is all it needs (PS-19). Returns its id.

    Moved again, the move before stays, struck out.
    """
    reception = opened(act, reception_id, "custody.deliver")
    one_of("phase", phase, MOVABLE)
    why = needed("reason", reason, LONGEST)
    planned = timetables.current_timetable(act, reception)
    if planned is None:
        raise Conflict("No 28 days are planned for this person: there is no phase to move.")
    day_1 = date.fromisoformat(planned.answer["day_1"])
    if refused := may_begin(phase, from_on, day_1):
        raise Invalid.field("from_on", refused)
    before = standing_moves(act, reception.id).get(phase)
    if before is not None:
        strike_entry(act, before, f"Moved again: {why}")
    return _kept(act, reception, PhaseMove, phase=phase, from_on=from_on, reason=why)


def standing_moves(act: Act, reception_id: int) -> dict[int, PhaseMove]:
    """The moves that stand, by phase."""
    rows = act.session.scalars(
        select(PhaseMove).where(
            PhaseMove.reception_id == reception_id, PhaseMove.struck_at.is_(None)
        )
    )
    return {row.phase: row for row in rows}


@command
def ask_consent(act: Act, reception_id: int, *, consents: bool) -> int:
    """May the triage assessment be shared with others? Asked now. Returns the answer's id (PS-03)."""
    reception = opened(act, reception_id, "custody.deliver")
    before = standing_consent(act, reception.id)
    if before is not None:
        if before.consents == consents:
            raise Invalid.field("consents", "is what is recorded already")
        strike_entry(act, before, "Asked again")
    return _kept(act, reception, TriageConsent, asked_at=act.at, consents=consents)


def standing_consent(act: Act, reception_id: int) -> TriageConsent | None:
    """The answer that stands; None when nobody asked."""
    return act.session.scalar(
        select(TriageConsent).where(
            TriageConsent.reception_id == reception_id, TriageConsent.struck_at.is_(None)
        )
    )


@command
def tell(
    act: Act,
    reception_id: int,
    *,
    party: str,
    at: datetime,
    says: str,
    with_triage: bool = False,
) -> int:
    """A party was told, or talked with, about somebody's treatment (PS-07). Returns the entry's id.

    `with_triage`: the triage assessment went along; refused without consent, and where nobody asked.
    """
    reception = opened(act, reception_id, "custody.deliver")
    one_of("party", party, PARTY_WORDS)
    has_happened(act, "at", at)
    if london_day(at) < london_day(facts.detail_of(act.session, reception).received_at):
        raise Invalid.field("at", "must not be before the day of reception")
    if with_triage:
        answer = standing_consent(act, reception.id)
        refused = may_have_triage(party, answer.consents if answer else None)
        if refused:
            raise Invalid.field("with_triage", refused)
    return _kept(
        act, reception, Telling, party=party, at=at, says=needed("says", says, LONGEST),
        with_triage=with_triage,
    )  # fmt: skip


@command
def attach_peer(
    act: Act,
    reception_id: int,
    *,
    name: str,
    from_on: date,
    past_participant: bool | None = None,
) -> int:
    """A peer supporter stands by somebody (PS-40). `past_participant` None: not asked. Returns its id."""
    reception = opened(act, reception_id, "custody.deliver")
    if from_on > act.today:
        raise Invalid.field("from_on", "must not be in the future")
    return _kept(
        act, reception, PeerSupporter, name=needed("name", name, LONGEST), from_on=from_on, to_on=None,
        past_participant=past_participant,
    )  # fmt: skip


@command
def end_peer(act: Act, reception_id: int, peer_id: int, *, to_on: date) -> None:
    """The peer support ended on a day."""
    reception = opened(act, reception_id, "custody.deliver")
    row = act.session.get(PeerSupporter, peer_id, with_for_update=True)
    if row is None or row.reception_id != reception.id or row.struck_at is not None:
        raise NotFound("There is no such peer supporter here.")
    if row.to_on is not None:
        raise Conflict("That peer support has ended already.")
    if not row.from_on <= to_on <= act.today:
        raise Invalid.field("to_on", "must not be before the first day, nor in the future")
    row.to_on = to_on
    act.note("phases.peer_ended", patient_id=reception.patient_id, entry=row.id)


@command
def strike_out(act: Act, what: str, row_id: int, *, reason: str) -> None:
    """It was recorded in error: it counts no more and stays visible with the reason."""
    row, reception = entry_to_strike(act, _MODELS[what], row_id)
    strike_entry(act, row, reason)
    act.note(f"phases.{what}_struck_out", patient_id=reception.patient_id, entry=row.id)
