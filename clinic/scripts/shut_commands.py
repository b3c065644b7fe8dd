"""Record that a collection of a shut day is handed out before it; strike that out again."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select

from clinic.act import Act, command
from clinic.errors import Conflict, Invalid, NotFound, says
from clinic.patients.access import open_record
from clinic.scripts.commands import script_of
from clinic.scripts.models import ENDED_OR_ISSUED, Script, ShutArranged
from clinic.scripts.shut import shut_of
from clinic.turns import strike, take_turn, why

for _name in ("uq_script_shut_arranged", "script_shut_arranged.script_id"):
    says(_name, "That is already arranged.")


@command
def arrange_shut_day(
    act: Act, patient_id: int, script_id: int, *, due_on: date, who: str, patient_told: str
) -> int:
    """The pharmacy hands out before a day it is shut on, and the patient knows. Returns the row's id.

    Only what the form's own wording allows; Conflict where it does not, or that day is not shut.
    `who` agreed at the pharmacy; `patient_told`: how the patient was told.
    """
    patient = open_record(act, patient_id, "scripts.calling", right="prescribing.assess")
    at = take_turn(act, patient.id)
    row = script_of(act, patient, script_id, *ENDED_OR_ISSUED)
    found = next((each for each in shut_of(act, [row]) if each.due_on == due_on), None)
    if found is None or not found.known:
        raise Invalid.field("due_on", "must be a collection of that form on a shut day")
    if found.before_on is None or not found.worded:
        raise Conflict("Nothing on that form lets the pharmacy hand it out before: replace it.")
    for field, text in (("who", who), ("patient_told", patient_told)):
        if not text.strip():
            raise Invalid.field(field, "is required")
    if found.arranged is not None:
        raise Conflict("That is already arranged.")
    _unarrange(act, row, due_on, at)
    made = ShutArranged(
        script_id=row.id, due_on=due_on, before_on=found.before_on, who=who.strip(),
        patient_told=patient_told.strip(), struck_at=None, struck_by=None, struck_reason=None,
        recorded_at=at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(made)
    act.session.flush()
    act.note("scripts.shut_day_arranged", patient_id=patient.id, script=row.id, arranged=made.id)
    return made.id


def _unarrange(act: Act, row: Script, due_on: date, at: datetime) -> None:
    """An earlier arrangement was for a day the pharmacy has closed on since."""
    old = act.session.scalar(
        select(ShutArranged).where(
            ShutArranged.script_id == row.id, ShutArranged.due_on == due_on,
            ShutArranged.struck_at.is_(None),
        )
    )  # fmt: skip
    if old is not None:
        strike(act, old, at, "The pharmacy is shut on that day as well")


@command
def strike_shut_arranged(
    act: Act, patient_id: int, script_id: int, arranged_id: int, *, reason: str
) -> None:
    """That was wrong, or holds no longer. The collection waits on the list again."""
    patient = open_record(act, patient_id, "scripts.calling", right="prescribing.assess")
    text, at = why(reason), take_turn(act, patient.id)
    row = script_of(act, patient, script_id, *ENDED_OR_ISSUED)
    made = act.session.get(ShutArranged, arranged_id, populate_existing=True)
    if made is None or made.script_id != row.id:
        raise NotFound("There is no such arrangement for that form.")
    if made.struck_at is not None:
        raise Conflict("That was already struck out.")
    strike(act, made, at, text)
    act.note("scripts.shut_day_struck", patient_id=patient.id, script=row.id, arranged=made.id)
