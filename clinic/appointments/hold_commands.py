"""Hold a place while the person is asked; then confirm it, or let it go.

A hold takes its place like a booking, for the minutes of BK-01. After that it counts for nothing;
it may still be confirmed as long as nobody else has the place.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from clinic.act import Act, command
from clinic.appointments import (
    chain,
    chain_changes,
    commands,
    facts,
    freed,
    history,
    lapses,
    overrides,
    taking,
    writes,
)
from clinic.appointments.chain import Arranged, Rest
from clinic.appointments.models import Referral, Visit
from clinic.appointments.overrides import Override
from clinic.errors import Conflict, says
from dosing.days import london_day
from scheduling import booking

for _name in ("uq_visit_held_for_patient", "UNIQUE constraint failed: visit.patient_id"):
    says(_name, "A place is held for this person already. Confirm it or let it go first.")


def hold_place(
    act: Act, *, referral_id: int, starts_at: datetime, doctor_id: int, worker_id: int,
    override: Override | None = None,
) -> taking.Booked:  # fmt: skip
    """Hold the place that starts then for the person referred, until `lapses_at` by the clock.

    Refused as a booking would be, and while another place is held for them. What `override` passes
    stays passed when the place is confirmed. For routine work see routine_commands.
    """
    return commands.book_visit(
        act, referral_id=referral_id, starts_at=starts_at, doctor_id=doctor_id,
        worker_id=worker_id, hold=True, override=override,
    )  # fmt: skip


@command
def let_go(act: Act, visit_id: int, *, version: int) -> Visit:
    """The person does not want it, or is not reached: the place is free at once."""
    visit = taking.visit_to_change(act, visit_id)
    history.check_version(act, visit, version)
    if visit.status != "held":
        raise Conflict(f"This visit is {visit.status.replace('_', ' ')}: nothing is held.")
    lapses.let_go(act, visit)
    return visit


def confirm_hold(
    act: Act, visit_id: int, *, version: int, arrangements: Sequence[Arranged] = ()
) -> Visit:
    """The person says yes: the place held is booked, with everything asked anew (RP-16 to RP-18).

    Under model 3 the days that follow are booked with it now, or nothing is (RP-10).

    A hold that lapsed or was let go books its place afresh, if that is still free: else Conflict
    with `free_next`.
    """
    seen = taking.Seen()
    try:
        return _confirm(act, seen, visit_id, version, arrangements)
    except Conflict as conflict:
        if seen.patient_id is None:
            raise
        raise taking.with_free_next(act, conflict, seen) from conflict


@command
def _confirm(
    act: Act, seen: taking.Seen, visit_id: int, version: int, arrangements: Sequence[Arranged]
) -> Visit:
    visit = taking.visit_to_change(act, visit_id)
    if visit.status not in ("held", lapses.LET_GO):
        raise Conflict(f"This visit is {visit.status.replace('_', ' ')} already.")
    _check_version(act, visit, version)
    _check_waits(act, visit)
    seen.patient_id, seen.routine = visit.patient_id, visit.kind in booking.ROUTINE
    service = facts.service(act.session, visit.site_id)
    place = taking.place_asked(
        act, service, taking.drugs_of(act, visit), visit.starts_at, visit.doctor_id or 0,
        visit.worker_id or 0, routine=seen.routine,
        passed=overrides.passed_for(act, [visit.id]).get(visit.id, ()),
    )  # fmt: skip
    seen.place = place
    rest: Rest | None = None
    chained: dict[str, int] = {}
    if visit.referral_id is not None and chain.chained(service, london_day(place.starts_at)):
        rest = chain_changes.start(
            act, service, patient_id=visit.patient_id, referral_id=visit.referral_id, place=place,
            arrangements=arrangements,
        )  # fmt: skip
        chained = {"chain_id": rest.begin(), "day_number": 1}
    as_held = visit.status == "held" and (place.until, place.nurse_id, place.room_id) == (
        visit.ends_at, visit.nurse_id, visit.room_id,
    )  # fmt: skip
    if as_held:
        holds = {writes.HOLDS: history.events(act, visit)[-1].state[writes.HOLDS]}
        visit.status, visit.lapses_at = "booked", None
        _say(visit, chained)
    else:
        lapses.release(act, place.starts_at, place.until, visit.patient_id)
        freed.release(act, visit.id, because=None)
        visit.status, visit.lapses_at = "booked", None
        _say(visit, chained)
        holds = writes.as_json(taking.take(act, service, visit, place))
    history.add(act, visit, "confirmed", more=holds | taking.change_of(rest))
    act.note("appointments.booked", patient_id=visit.patient_id, visit=visit.id)
    if rest is not None:
        rest.carry_out()
    return visit


def _say(visit: Visit, chained: dict[str, int]) -> None:
    """Which day of which chain it is from now on, if it is one."""
    for name, value in chained.items():
        setattr(visit, name, value)


def _check_version(act: Act, visit: Visit, version: int) -> None:
    """That the clock has meanwhile passed is no change by somebody: the place alone decides."""
    if visit.version == version + 1 and history.events(act, visit)[-1].verb == lapses.LAPSED:
        return
    history.check_version(act, visit, version)


def _check_waits(act: Act, visit: Visit) -> None:
    if visit.referral_id is None:
        return
    status = act.session.scalar(
        select(Referral.status)
        .where(Referral.id == visit.referral_id)
        .with_for_update(key_share=True)
    )
    if status != "waiting":
        raise Conflict("This referral is not waiting any more.", more={"referral_status": status})
