"""Book, move and cancel a visit.

A booking holds the doctor and the drugs worker together: both or neither, in one transaction.
Whoever loses a race is told what is free next.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, exists, or_, select

from clinic.act import Act, command
from clinic.appointments import (
    chain,
    chain_changes,
    facts,
    freed,
    history,
    lapses,
    outcome_commands,
    overrides,
    taking,
    writes,
)
from clinic.appointments.chain import Arranged, Rest
from clinic.appointments.models import (
    CANCELLED_BECAUSE,
    CANCELLED_BY,
    INDUCTION,
    REVIEW,
    Referral,
    Visit,
)
from clinic.appointments.overrides import Override
from clinic.appointments.taking import Booked, Seen
from clinic.assessments.entries import signed_outcome
from clinic.errors import Conflict, Invalid, NotFound, OutsideCaseload
from clinic.patients.access import glass_broken
from clinic.patients.models import Patient, Registration
from clinic.ui import clock_time, moment
from dosing.days import london_day
from scheduling import booking

WALKED_IN = "Walked in: seen now, the later place given up."

# -- book ----------------------------------------------------------------------------------


def book_visit(
    act: Act, *, referral_id: int, starts_at: datetime, doctor_id: int, worker_id: int,
    hold: bool = False, arrangements: Sequence[Arranged] = (), override: Override | None = None,
) -> Booked:  # fmt: skip
    """Book the place that starts then for the person referred, with this doctor and worker.

    Conflict, with `free_next`, when the place is not to be had (RP-16 to RP-18); Invalid when no
    substitute exists for what the person uses (RP-31). Under model 3 days 2 and 3 are booked with
    it or nothing is (RP-10); `arrangements`: for each day of them the service is shut. `hold`: see
    hold_commands; only day 1 is held.
    `override`: why a soft block is passed (BK-04).
    """
    seen = Seen()
    try:
        return _book_visit(
            act,
            seen,
            referral_id,
            starts_at,
            doctor_id,
            worker_id,
            arrangements,
            hold=hold,
            override=override,
        )
    except Conflict as conflict:
        if seen.patient_id is None or conflict.more.get("visit_id"):
            raise
        raise taking.with_free_next(act, conflict, seen) from conflict


def walk_in(
    act: Act, *, referral_id: int, starts_at: datetime, doctor_id: int, worker_id: int,
    arrangements: Sequence[Arranged] = (),
) -> int:  # fmt: skip
    """The person referred is here: they take this place of today and have arrived. The visit's id.

    A visit booked for later moves here and leaves its place free, in the same transaction.
    Conflict, with `free_next`, as for a booking; a place that has begun will do while enough of it
    is left (RP-16).
    """
    seen = Seen()
    try:
        return _walk_in(act, seen, referral_id, starts_at, doctor_id, worker_id, arrangements)
    except Conflict as conflict:
        if seen.patient_id is None:
            raise
        raise taking.with_free_next(act, conflict, seen) from conflict


@command
def _walk_in(
    act: Act, seen: Seen, referral_id: int, starts_at: datetime, doctor_id: int, worker_id: int,
    arrangements: Sequence[Arranged],
) -> int:  # fmt: skip
    act.need("appointments.book")
    if london_day(starts_at) != act.today:
        raise Invalid.field("starts_at", "must be a place of today")
    wanted = starts_at, doctor_id, worker_id
    visit = act.session.scalar(
        select(Visit)
        .where(
            Visit.referral_id == referral_id, Visit.site_id == act.site_id,
            Visit.kind == INDUCTION, Visit.status == "booked",
        )
        .with_for_update()
    )  # fmt: skip
    if visit is None:
        visit_id = _book_visit(act, seen, referral_id, *wanted, arrangements, walk_in=True).id
        version = 1
    else:
        visit_id = visit.id
        if (visit.starts_at, visit.doctor_id, visit.worker_id) != wanted:
            _move_visit(
                act, seen, visit_id, visit.version, *wanted, WALKED_IN, arrangements,
                look_first=False, walk_in=True,
            )  # fmt: skip
        version = visit.version
    outcome_commands.record_arrived(act, visit_id, version=version)
    act.note("appointments.walked_in", visit=visit_id)
    return visit_id


@command
def _book_visit(
    act: Act, seen: Seen, referral_id: int, starts_at: datetime, doctor_id: int, worker_id: int,
    arrangements: Sequence[Arranged] = (), *, walk_in: bool = False, hold: bool = False,
    override: Override | None = None,
) -> Booked:  # fmt: skip
    act.need("appointments.book")
    referral = _referral_to_book(act, referral_id)
    if hold:
        may_hold(act, referral.patient_id, referral_id)
    seen.patient_id = referral.patient_id
    service = facts.service(act.session, taking.site_of(act), referral.rota_stamp)
    drugs = taking.used(referral.drugs, referral.outcome)
    seen.place = place = taking.place_asked(
        act, service, drugs, starts_at, doctor_id, worker_id, walk_in=walk_in, notice=not walk_in,
        override=override,
    )  # fmt: skip
    if referral.held:
        own = None if hold else referral_id
        lapses.release(act, place.starts_at, place.until, referral.patient_id, own)
    rest: Rest | None = None
    if not hold and chain.chained(service, london_day(place.starts_at)):
        rest = chain_changes.start(
            act, service, patient_id=referral.patient_id, referral_id=referral_id, place=place,
            arrangements=arrangements,
        )  # fmt: skip
    booked = taking.write(
        act, service, place, referral.patient_id, referral_id, INDUCTION, hold=hold, rest=rest
    )
    waited = (london_day(place.starts_at) - london_day(referral.referred_at)).days
    overrides.record(act, booked.id, override, waited)
    verb = "held" if hold else "booked"
    act.note(
        f"appointments.{verb}", patient_id=referral.patient_id, visit=booked.id,
        referral=referral_id,
    )  # fmt: skip
    if rest is not None:
        rest.carry_out()
    return booked


def may_hold(act: Act, patient_id: int, referral_id: int | None = None) -> None:
    """One place held for a person at a time, and none for a referral that has its visit."""
    wanted = and_(Visit.patient_id == patient_id, Visit.status == "held")
    if referral_id is not None:
        wanted = or_(wanted, and_(Visit.referral_id == referral_id, Visit.status == "booked"))
    rows = act.session.scalars(select(Visit).where(wanted)).all()
    for each in rows:
        if each.status == "booked":
            raise Conflict(
                "This referral already has a visit booked. Move that one instead.",
                more={"visit_id": each.id},
            )
        if each.lapses_at is not None and each.lapses_at > act.at:
            until = clock_time(each.lapses_at)
            more: dict[str, Any] = {"reason": "held", "rule": "BK-01"}
            if each.site_id == act.site_id:
                more["visit_id"] = each.id
            raise Conflict(booking.RULES["BK-01"]["held"].format(until=until), more=more)


# Whose the referral is, how it stands, and whether the patient is this site's: booking is asked for
# too often for three looks, and for building the question anew each time.
_REFERRAL_TO_BOOK = (
    select(
        Referral.site_id,
        Referral.status,
        Referral.drugs,
        Referral.referred_at,
        Patient.id.label("patient_id"),
        exists()
        .where(
            Registration.patient_id == Patient.id,
            Registration.site_id == bindparam("site_id"),
            Registration.ended_at.is_(None),
        )
        .label("on_caseload"),
        facts.STAMP.label("rota_stamp"),
        exists()
        .where(
            Visit.status == "held",
            or_(Visit.lapses_at <= bindparam("at"), Visit.referral_id == Referral.id),
        )
        .correlate(Referral)
        .label("held"),
        signed_outcome(Patient.id).label("outcome"),
    )
    .join(Patient, Patient.id == Referral.patient_id)
    .where(Referral.id == bindparam("referral_id"))
    .with_for_update(key_share=True, of=Referral)
)


def _referral_to_book(act: Act, referral_id: int) -> Any:
    row = (
        act.session.connection()
        .execute(
            _REFERRAL_TO_BOOK, {"referral_id": referral_id, "site_id": act.site_id, "at": act.at}
        )
        .first()
    )
    # The site is looked at here: asked for there, PostgreSQL may go by it and read all who wait.
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such referral at this site.")
    if not row.on_caseload and not glass_broken(act, row.patient_id):
        raise OutsideCaseload(row.patient_id)
    if row.status != "waiting":
        raise Conflict(
            "This referral is not waiting any more.", more={"referral_status": row.status}
        )
    return row


# -- move and cancel -----------------------------------------------------------------------


def move_visit(
    act: Act,
    visit_id: int,
    *,
    version: int,
    starts_at: datetime,
    doctor_id: int,
    worker_id: int,
    note: str | None = None,
    arrangements: Sequence[Arranged] = (),
    preview: str | None = None,
    look_first: bool = True,
    override: Override | None = None,
) -> Visit:
    """Give up the visit's place and take another, both or neither. Conflict with `free_next`.

    Days 2 and 3 move along. What becomes of them is looked at first: Conflict with the `preview`,
    whose version says yes to it. `look_first` False: whoever does this has the person before them.
    """
    seen = Seen()
    try:
        return _move_visit(
            act, seen, visit_id, version, starts_at, doctor_id, worker_id, note, arrangements,
            preview=preview, look_first=look_first, override=override,
        )  # fmt: skip
    except Conflict as conflict:
        if seen.patient_id is None:
            raise
        raise taking.with_free_next(act, conflict, seen) from conflict


@command
def _move_visit(
    act: Act, seen: Seen, visit_id: int, version: int, starts_at: datetime, doctor_id: int,
    worker_id: int, note: str | None, arrangements: Sequence[Arranged] = (),
    *, preview: str | None = None, look_first: bool = True, walk_in: bool = False,
    override: Override | None = None,
) -> Visit:  # fmt: skip
    visit = taking.visit_to_change(act, visit_id)
    history.check_version(act, visit, version)
    if visit.status != "booked":
        raise Conflict(f"This visit is {visit.status.replace('_', ' ')}: it cannot be moved.")
    if visit.ends_at <= act.at:  # moved away, nobody would ever know that it was missed
        raise Conflict(
            f"The visit of {moment(visit.starts_at)} is over. Record first whether they came."
        )
    if visit.kind == REVIEW:
        raise Conflict(f"Day {visit.day_number} is moved as a day of its induction.")
    seen.patient_id, seen.routine = visit.patient_id, visit.kind in booking.ROUTINE
    if (visit.starts_at, visit.doctor_id, visit.worker_id) == (starts_at, doctor_id, worker_id):
        raise Invalid.field("starts_at", "is where the visit already is")
    service = facts.service(act.session, taking.site_of(act))
    place = taking.place_asked(
        act, service, taking.drugs_of(act, visit), starts_at, doctor_id, worker_id, walk_in=walk_in,
        routine=seen.routine, notice=not (walk_in or seen.routine), override=override,
    )  # fmt: skip
    seen.place = place
    rest: Rest | None = None
    lapses.release(act, place.starts_at, place.until, visit.patient_id)
    freed.release(act, visit.id, because="moved")
    if visit.chain_id is not None:
        rest = chain_changes.moving(
            act, service, visit, place, arrangements=arrangements, shown=preview,
            look_first=look_first,
        )  # fmt: skip
    holds = taking.take(act, service, visit, place)
    history.add(act, visit, "moved", note=note, more=writes.as_json(holds) | taking.change_of(rest))
    overrides.record(act, visit.id, override, _waited(act, visit.referral_id, place.starts_at))
    act.note("appointments.moved", patient_id=visit.patient_id, visit=visit.id)
    if rest is not None:
        rest.carry_out(note=note)
    return visit


def _waited(act: Act, referral_id: int | None, starts_at: datetime) -> int | None:
    """London days from the referral to a place; None for routine work."""
    if referral_id is None:
        return None
    referred_at = act.session.get_one(Referral, referral_id).referred_at
    return (london_day(starts_at) - london_day(referred_at)).days


@command
def cancel_visit(
    act: Act, visit_id: int, *, version: int, reason: str, by_whom: str, note: str | None = None,
    keep_rest: bool = False, preview: str | None = None, look_first: bool = True,
) -> Visit:  # fmt: skip
    """Cancel a booked visit and free its place. `reason` and `by_whom` are coded.

    With a day of an induction all later days go, unless `keep_rest`; see `move_visit` for
    `preview` and `look_first`.
    """
    if reason not in CANCELLED_BECAUSE:
        raise Invalid.field("reason", f"must be one of: {', '.join(CANCELLED_BECAUSE)}")
    if by_whom not in CANCELLED_BY:
        raise Invalid.field("by_whom", f"must be one of: {', '.join(CANCELLED_BY)}")
    if reason == "other" and not (note or "").strip():
        raise Invalid.field("note", "must say which other reason")
    visit = taking.visit_to_change(act, visit_id)
    history.check_version(act, visit, version)
    if visit.status != "booked":
        raise Conflict(f"This visit is {visit.status.replace('_', ' ')}: it cannot be cancelled.")
    rest: Rest | None = None
    if visit.chain_id is not None:
        rest = chain_changes.cancelling(
            act, facts.service(act.session, taking.site_of(act)), visit, keep_rest=keep_rest,
            shown=preview, look_first=look_first,
        )  # fmt: skip
    visit.status = "cancelled"
    act.session.flush()
    freed.release(act, visit.id, because="cancelled")
    history.add(
        act, visit, "cancelled", reason=reason, by_whom=by_whom, note=note, more=taking.change_of(rest)
    )  # fmt: skip
    if rest is not None:
        rest.carry_out(note=note, reason=reason, by_whom=by_whom)
    act.note("appointments.cancelled", patient_id=visit.patient_id, visit=visit.id, reason=reason)
    return visit
