"""Record what was seen on the wing, who is watched, what is held already, and which task is done."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act, command
from clinic.custody import facts
from clinic.custody.models import Exit, Reception
from clinic.custody.stays import (
    add_entry,
    entry_to_strike,
    has_happened,
    opened,
    strike_entry,
)
from clinic.errors import Invalid, needed, one_of, says, written
from clinic.observations.models import (
    HELD_KINDS,
    MOODS,
    SEEN_WORDS,
    HeldAssessment,
    ObservationEnd,
    PhaseTask,
    StimulantUse,
    WingObservation,
)
from dosing.days import london_day
from scheduling.observations import TASKS, last_usual, may_end

for _name, _what in {
    "uq_stimulant_use_standing": "Somebody recorded this a moment ago. Look again.",
    "stimulant_use.reception_id": "Somebody recorded this a moment ago. Look again.",
    "uq_phase_task_standing": "That task is recorded as done already.",
    "phase_task.reception_id, phase_task.task, phase_task.phase": (
        "That task is recorded as done already."
    ),
}.items():
    says(_name, _what)  # SQLite names the columns of a unique index, PostgreSQL the index

LONGEST = 2000
ENDING = "prescribing.assess"  # a clinician's: nobody else extends or ends the rounds
_MODELS: dict[str, type[Any]] = {
    "observation": WingObservation, "stimulants": StimulantUse, "held": HeldAssessment,
    "task": PhaseTask, "end": ObservationEnd,
}  # fmt: skip


def _kept(act: Act, reception: Reception, model: type[Any], **values: Any) -> int:
    row = add_entry(act, reception, model, **values)
    name = model.__tablename__
    act.note(f"observations.{name}_recorded", patient_id=reception.patient_id, entry=row.id)
    return int(row.id)


def _in_stay(act: Act, reception: Reception, field: str, at: datetime) -> None:
    has_happened(act, field, at)
    if at < facts.detail_of(act.session, reception).received_at:
        raise Invalid.field(field, "must not be before the reception")
    left = facts.row_of(act.session, Exit, reception.id)
    if left is not None and left.how != "transfer" and at > left.at:
        raise Invalid.field(field, "must not be after they left")


@command
def observe(
    act: Act,
    reception_id: int,
    *,
    at: datetime,
    seen: str,
    mood: str | None = None,
    says: str | None = None,
) -> int:
    """Somebody was seen (TT-25). Going round and not seeing them is no observation. Returns its id."""
    reception = opened(act, reception_id, "custody.deliver")
    _in_stay(act, reception, "at", at)
    one_of("seen", seen, SEEN_WORDS)
    if mood is not None:
        one_of("mood", mood, MOODS)
    return _kept(
        act,
        reception,
        WingObservation,
        at=at,
        seen=seen,
        mood=mood,
        says=written("says", says, LONGEST),
    )


@command
def say_stimulants(act: Act, reception_id: int, *, uses: bool) -> int:
    """Whether they use stimulants, asked now. The answer before stays, struck out."""
    reception = opened(act, reception_id, "custody.deliver")
    before = act.session.scalar(
        select(StimulantUse).where(
            StimulantUse.reception_id == reception.id, StimulantUse.struck_at.is_(None)
        )
    )
    if before is not None:
        if before.uses == uses:
            raise Invalid.field("uses", "is what is recorded already")
        before.struck_at, before.struck_by = act.at, act.staff_id
        before.struck_reason = "Asked again"
        act.session.flush()
    return _kept(act, reception, StimulantUse, asked_at=act.at, uses=uses)


@command
def end_observations(act: Act, reception_id: int, *, last_on: date, reason: str) -> int:
    """The last day with rounds for this person, later or earlier than day 7 (A40, WO-05).

    What was set before stays, and holds again should this one be struck out. Returns its id.
    """
    act.need(ENDING)
    reception = opened(act, reception_id, "custody.deliver")
    day_1 = facts.day_1(reception, facts.detail_of(act.session, reception))
    if fault := may_end(last_on, day_1, act.today):
        raise Invalid.field("last_on", fault)
    why = needed("reason", reason, LONGEST)
    before = act.session.scalar(
        select(ObservationEnd.last_on)
        .where(ObservationEnd.reception_id == reception.id, ObservationEnd.struck_at.is_(None))
        .order_by(ObservationEnd.id.desc())
        .limit(1)
    )
    if last_on == (before or last_usual(day_1)):
        raise Invalid.field("last_on", "is the last day already")
    return _kept(act, reception, ObservationEnd, last_on=last_on, reason=why)


@command
def hold_assessment(
    act: Act,
    reception_id: int,
    *,
    kind: str,
    done_on: date,
    held_from: str,
    covers: str | None = None,
    consent: bool | None = None,
) -> int:
    """An assessment made elsewhere is here: later ones begin from it (PS-01, PS-04)."""
    reception = opened(act, reception_id, "custody.deliver")
    one_of("kind", kind, HELD_KINDS)
    if done_on > act.today:
        raise Invalid.field("done_on", "must not be in the future")
    whence = needed("held_from", held_from, LONGEST)
    return _kept(
        act, reception, HeldAssessment, kind=kind, done_on=done_on, held_from=whence,
        covers=written("covers", covers, LONGEST), consent=consent,
    )  # fmt: skip


@command
def do_task(
    act: Act,
    reception_id: int,
    *,
    task: str,
    phase: int,
    done_at: datetime,
    says: str | None = None,
) -> int:
    """A task of the responsibility matrix was done in this phase (PS-38)."""
    reception = opened(act, reception_id, "custody.deliver")
    one_of("task", task, TASKS)
    one_of("phase", phase, TASKS[task].phases)
    has_happened(act, "done_at", done_at)
    if london_day(done_at) < london_day(facts.detail_of(act.session, reception).received_at):
        raise Invalid.field("done_at", "must not be before the day of reception")
    return _kept(
        act,
        reception,
        PhaseTask,
        task=task,
        phase=phase,
        done_at=done_at,
        says=written("says", says, LONGEST),
    )


@command
def strike_out(act: Act, what: str, row_id: int, *, reason: str) -> None:
    """It was recorded in error: it counts no more and stays visible with the reason."""
    if what == "end":
        act.need(ENDING)
    row, reception = entry_to_strike(act, _MODELS[what], row_id)
    strike_entry(act, row, reason)
    act.note(f"observations.{what}_struck_out", patient_id=reception.patient_id, entry=row.id)
