"""Book a routine visit: work that is not rapid, in places that are not kept for rapid work (BK-03)."""

from __future__ import annotations

from datetime import datetime

from clinic.act import Act, command
from clinic.appointments import facts, lapses, overrides, taking
from clinic.appointments.commands import may_hold
from clinic.appointments.overrides import Override
from clinic.errors import Conflict, Invalid
from clinic.patients.access import open_record
from scheduling.booking import ROUTINE


def book_routine(
    act: Act, *, patient_id: int, kind: str, starts_at: datetime, doctor_id: int, worker_id: int,
    override: Override | None = None, hold: bool = False,
) -> int:  # fmt: skip
    """The place that starts then, with both, for somebody on the caseload. The visit's id.

    Conflict, with `free_next`, when it is not to be had; one kept for rapid work says until when.
    `hold`: it is only held while they are asked (hold_commands).
    """
    seen = taking.Seen(routine=True)
    try:
        return _book_routine(
            act, seen, patient_id, kind, starts_at, doctor_id, worker_id, override, hold
        )
    except Conflict as conflict:
        if seen.patient_id is None:
            raise
        raise taking.with_free_next(act, conflict, seen) from conflict


@command
def _book_routine(
    act: Act, seen: taking.Seen, patient_id: int, kind: str, starts_at: datetime,
    doctor_id: int, worker_id: int, override: Override | None, hold: bool,
) -> int:  # fmt: skip
    if kind not in ROUTINE:
        raise Invalid.field("kind", f"must be one of: {', '.join(ROUTINE)}")
    patient = open_record(act, patient_id, "appointments.booking", right="appointments.book")
    if hold:
        may_hold(act, patient.id)
    seen.patient_id = patient.id
    service = facts.service(act.session, act.site_id or 0)
    seen.place = place = taking.place_asked(
        act, service, [], starts_at, doctor_id, worker_id, routine=True, override=override
    )
    lapses.release(act, place.starts_at, place.until, patient.id, routine=True)
    visit_id = taking.write(act, service, place, patient.id, None, kind, hold=hold).id
    overrides.record(act, visit_id, override, None)
    verb = "held" if hold else "booked"
    act.note(f"appointments.{verb}", patient_id=patient.id, visit=visit_id, kind=kind)
    return visit_id
