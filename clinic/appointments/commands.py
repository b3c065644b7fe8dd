"""Book, move and cancel a visit, and record whether the patient came.

A booking holds the doctor and the drugs worker together: both or neither, in one transaction.
Whoever loses a race is told what is free next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
    missed,
    overrides,
    writes,
)
from clinic.appointments.chain import CHANGE, Arranged, Rest
from clinic.appointments.models import (
    CANCELLED_BECAUSE,
    CANCELLED_BY,
    INDUCTION,
    REVIEW,
    Referral,
    Resource,
    Visit,
    VisitEvent,
)
from clinic.appointments.overrides import Override
from clinic.assessments.entries import signed_outcome
from clinic.assessments.words import CRACK_ONLY
from clinic.errors import Conflict, Invalid, NotFound, OutsideCaseload, says
from clinic.patients.access import glass_broken, open_record
from clinic.patients.models import Patient, Registration
from clinic.ui import clock_time
from dosing.days import london_day
from scheduling import booking, slots

says("visit_hold_no_overlap", "This place has just been taken.")
PERSON_BUSY = "visit_no_overlap_for_patient"
says(PERSON_BUSY, "The patient has another visit at that time.")
for _name in ("uq_visit_booked_for_referral", "visit.referral_id, visit.kind"):
    says(_name, "This referral already has a visit booked. Move that one instead.")

LOOK_AHEAD = timedelta(days=28)
FREE_NEXT = 2
WALKED_IN = "Walked in: seen now, the later place given up."


@dataclass(frozen=True)
class Booked:
    """A visit just saved, without another look at the database. `lapses_at`: it is only held."""

    id: int
    version: int
    patient_id: int
    referral_id: int | None
    place: slots.Place
    observation_id: int | None
    lapses_at: datetime | None = None
    chain_id: int | None = None


# -- what is free --------------------------------------------------------------------------


def place_as_json(place: slots.Place) -> dict[str, Any]:
    """A place as the API gives it: instants with their offset, staff by id, and what it has."""
    return {
        name: value for name, value in history.as_json(place._asdict()).items() if value is not None
    }


def visit_as_json(booked: Booked) -> dict[str, Any]:
    """When a visit just booked is, and who and what is held for it, as the API gives it."""
    return history.as_json(
        {
            **_taken_by(booked.place, booked.observation_id), "lapses_at": booked.lapses_at,
            "chain_id": booked.chain_id, "day_number": 1 if booked.chain_id else None,
        }
    )  # fmt: skip


def with_free_next(act: Act, conflict: Conflict, seen: Seen) -> Conflict:
    """The same refusal, saying who or what is taken and which places are free next."""
    first, last = act.today, act.today + LOOK_AHEAD
    service = facts.service(act.session, _site(act))
    wanted = seen.place
    busy = facts.busy(act.session, seen.patient_id or 0, act.at)
    look = facts.routine_places if seen.routine else facts.free_places
    free = look(act.session, service, first, last, act.at)
    detail, more = conflict.detail, dict(conflict.more)
    if wanted is not None and more.get("constraint"):
        if more["constraint"] == PERSON_BUSY:
            more["blocked_by"] = ["person"]
        else:
            held = facts.holds(act.session, service, wanted.starts_at, wanted.until, act.at)
            more["blocked_by"] = list(slots.blockers(service.rota, held, wanted))
            detail = f"{detail} {slots.in_words(more['blocked_by'])}"
        more["reason"] = "taken"
    next_free = slots.first_feasible(free, busy, FREE_NEXT)
    act.session.rollback()
    more.setdefault("free_next", [place_as_json(place) for place in next_free])
    return Conflict(detail, faults=conflict.faults, more=more)


def _site(act: Act) -> int:
    if act.site_id is None:
        raise NotFound("No site is chosen.")
    return act.site_id


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
        raise with_free_next(act, conflict, seen) from conflict


@dataclass
class Seen:
    """How far a command had come when it was refused: whose visit, and at which place."""

    patient_id: int | None = None
    place: slots.Place | None = None
    routine: bool = False


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
        raise with_free_next(act, conflict, seen) from conflict


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
    record_arrived(act, visit_id, version=version)
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
        _may_hold(act, referral_id, referral.patient_id)
    seen.patient_id = referral.patient_id
    service = facts.service(act.session, _site(act), referral.rota_stamp)
    drugs = _used(referral.drugs, referral.outcome)
    seen.place = place = place_asked(
        act, service, drugs, starts_at, doctor_id, worker_id, walk_in=walk_in, override=override
    )
    if referral.held:
        own = None if hold else referral_id
        lapses.release(act, place.starts_at, place.until, referral.patient_id, own)
    rest: Rest | None = None
    if not hold and chain.chained(service, london_day(place.starts_at)):
        rest = chain_changes.start(
            act, service, patient_id=referral.patient_id, referral_id=referral_id, place=place,
            arrangements=arrangements,
        )  # fmt: skip
    booked = write(
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


def write(
    act: Act, service: facts.Service, place: slots.Place, patient_id: int,
    referral_id: int | None, kind: str, *, hold: bool = False, rest: Rest | None = None,
) -> Booked:  # fmt: skip
    """Write a visit with all it holds; lapsed holds are given back before."""
    observation_id = _observation(act, service, place)
    holds = _holds(place, service.resources, observation_id)
    lapses_at = booking.held_until(act.at, place.starts_at) if hold else None
    verb = "held" if hold else "booked"
    state = {**_taken_by(place, observation_id), "status": verb, "lapses_at": lapses_at}
    chain_id = None if rest is None else rest.begin()
    visit_id = writes.add_visit(
        act.session,
        {
            **state, "patient_id": patient_id, "site_id": act.site_id,
            "referral_id": referral_id, "kind": kind, "chain_id": chain_id,
            "day_number": None if rest is None else 1, "version": 1, "recorded_at": act.at,
            "recorded_by": act.staff_id,
        },
        holds,
        {
            "verb": verb, "at": act.at,
            "state": history.as_json(state) | writes.as_json(holds) | change_of(rest),
            "recorded_at": act.at, "recorded_by": act.staff_id,
        },
    )  # fmt: skip
    return Booked(
        visit_id, 1, patient_id, referral_id, place, observation_id, lapses_at, chain_id
    )  # fmt: skip


def change_of(rest: Rest | None) -> dict[str, int]:
    """Kept with a step of day 1: to which change of its chain it belongs."""
    return {} if rest is None else {CHANGE: rest.change}


def _may_hold(act: Act, referral_id: int, patient_id: int) -> None:
    """One place held for a person at a time, and none for a referral that has its visit."""
    rows = act.session.scalars(
        select(Visit).where(
            or_(
                and_(Visit.referral_id == referral_id, Visit.status == "booked"),
                and_(Visit.patient_id == patient_id, Visit.status == "held"),
            )
        )
    ).all()
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
    .where(Referral.id == bindparam("referral_id"), Referral.site_id == bindparam("site_id"))
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
    if row is None:
        raise NotFound("There is no such referral at this site.")
    if not row.on_caseload and not glass_broken(act, row.patient_id):
        raise OutsideCaseload(row.patient_id)
    if row.status != "waiting":
        raise Conflict(
            "This referral is not waiting any more.", more={"referral_status": row.status}
        )
    return row


def place_asked(
    act: Act,
    service: facts.Service,
    drugs: list[str],
    starts_at: datetime,
    doctor_id: int,
    worker_id: int,
    *,
    walk_in: bool = False,
    routine: bool = False,
    override: Override | None = None,
) -> slots.Place:
    """The place asked for, if the rules allow it, or `override` passes what they put in the way."""
    day = london_day(starts_at)
    if not act.today <= day <= act.today + timedelta(days=366):
        raise Invalid.field("starts_at", "must be a time within the coming year")
    passed = [] if override is None else override.passed
    passed.clear()  # of an earlier try
    while True:
        answer = slots.may_book(
            service.rota, starts_at, doctor_id, worker_id, now=act.at, drugs=drugs,
            walk_in=walk_in, routine=routine, passed=passed,
        )  # fmt: skip
        if isinstance(answer, slots.Place):
            return answer
        if override is None or not override.passes(act, answer):
            break
    more: dict[str, Any] = {"reason": answer.reason, "rule": answer.rule}
    if answer.blocked_by:
        more["blocked_by"] = list(answer.blocked_by)
    if answer.soft:
        more["may_override"] = answer.soft
    if answer.reason == "no_opioid":
        raise Invalid(answer.message, faults=[("referral_id", answer.message)], more=more)
    raise Conflict(answer.message, more=more)


def _holds(
    place: slots.Place, resources: Mapping[int, int], observation_id: int | None
) -> list[writes.Held]:
    """What a place holds of whom and of what: all of it together, or none."""
    held = [
        writes.Held(
            resources[staff_id] if staff_id is not None else resource_id or 0, part,
            place.starts_at, until,
        )
        for part, staff_id, resource_id, until in place.needs
    ]  # fmt: skip
    if observation_id is not None:
        held.append(writes.Held(observation_id, "observation", place.starts_at, place.until))
    return held


def _observation(act: Act, service: facts.Service, place: slots.Place) -> int | None:
    """The observation place this visit is given; None where nobody is observed.

    Those who book here at once choose one after the other, so that two do not choose the same and
    one is refused while another place is free. Only a service that observes asks for this.
    """
    if place.observed_until is None:
        return None
    writes.one_chooses(act.session, _site(act))
    found = facts.holds(act.session, service, place.starts_at, place.until, act.at)
    chosen = slots.free_observation(service.rota, found, place)
    if chosen is None:
        blocked_by = slots.blockers(service.rota, found, place)
        raise Conflict(
            slots.in_words(blocked_by), more={"reason": "taken", "blocked_by": list(blocked_by)}
        )
    return chosen


def _taken_by(place: slots.Place, observation_id: int | None) -> dict[str, Any]:
    """What of a place stands on its visit."""
    return {
        "starts_at": place.starts_at, "ends_at": place.until, "doctor_id": place.doctor_id,
        "worker_id": place.worker_id, "nurse_id": place.nurse_id, "room_id": place.room_id,
        "observation_id": observation_id,
    }  # fmt: skip


def take(act: Act, service: facts.Service, visit: Visit, place: slots.Place) -> list[writes.Held]:
    """Let a visit have this place, with everything it holds of whom and of what."""
    observation_id = _observation(act, service, place)
    for name, value in _taken_by(place, observation_id).items():
        setattr(visit, name, value)
    act.session.flush()
    holds = _holds(place, service.resources, observation_id)
    writes.add_holds(act.session, visit.id, holds)
    return holds


def visit_to_change(act: Act, visit_id: int, right: str = "appointments.book") -> Visit:
    """A visit at this site whose patient's record may be opened; the look is audited.

    Its row is locked, so that of two who change it at once the second reads what the first made.
    """
    visit = act.session.get(Visit, visit_id, with_for_update=True)
    if visit is None or visit.site_id != act.site_id:
        raise NotFound("There is no such visit at this site.")
    open_record(act, visit.patient_id, "appointments.read", right=right)
    return visit


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
) -> Visit:
    """Give up the visit's place and take another, both or neither. Conflict with `free_next`.

    Days 2 and 3 move along. What becomes of them is looked at first: Conflict with the `preview`,
    whose version says yes to it. `look_first` False: whoever does this has the person before them.
    """
    seen = Seen()
    try:
        return _move_visit(
            act, seen, visit_id, version, starts_at, doctor_id, worker_id, note, arrangements,
            preview=preview, look_first=look_first,
        )  # fmt: skip
    except Conflict as conflict:
        if seen.patient_id is None:
            raise
        raise with_free_next(act, conflict, seen) from conflict


@command
def _move_visit(
    act: Act, seen: Seen, visit_id: int, version: int, starts_at: datetime, doctor_id: int,
    worker_id: int, note: str | None, arrangements: Sequence[Arranged] = (),
    *, preview: str | None = None, look_first: bool = True, walk_in: bool = False,
) -> Visit:  # fmt: skip
    visit = visit_to_change(act, visit_id)
    history.check_version(act, visit, version)
    if visit.status != "booked":
        raise Conflict(f"This visit is {visit.status.replace('_', ' ')}: it cannot be moved.")
    if visit.kind == REVIEW:
        raise Conflict(f"Day {visit.day_number} is moved as a day of its induction.")
    seen.patient_id, seen.routine = visit.patient_id, visit.kind in booking.ROUTINE
    if (visit.starts_at, visit.doctor_id, visit.worker_id) == (starts_at, doctor_id, worker_id):
        raise Invalid.field("starts_at", "is where the visit already is")
    service = facts.service(act.session, _site(act))
    place = place_asked(
        act, service, drugs_of(act, visit), starts_at, doctor_id, worker_id, walk_in=walk_in,
        routine=seen.routine,
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
    holds = take(act, service, visit, place)
    history.add(act, visit, "moved", note=note, more=writes.as_json(holds) | change_of(rest))
    act.note("appointments.moved", patient_id=visit.patient_id, visit=visit.id)
    if rest is not None:
        rest.carry_out(note=note)
    return visit


def drugs_of(act: Act, visit: Visit) -> list[str]:
    if visit.referral_id is None:
        return []
    outcome = act.session.scalar(select(signed_outcome(visit.patient_id)))
    return _used(act.session.get_one(Referral, visit.referral_id).drugs, outcome)


def _used(drugs: list[str], outcome: dict[str, Any] | None) -> list[str]:
    """The drugs a place is judged by: what the assessment found comes before the referral (A23)."""
    crack_only = outcome is not None and outcome["outcome"] == CRACK_ONLY
    return ["crack"] if crack_only else drugs


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
    visit = visit_to_change(act, visit_id)
    history.check_version(act, visit, version)
    if visit.status != "booked":
        raise Conflict(f"This visit is {visit.status.replace('_', ' ')}: it cannot be cancelled.")
    rest: Rest | None = None
    if visit.chain_id is not None:
        rest = chain_changes.cancelling(
            act, facts.service(act.session, _site(act)), visit, keep_rest=keep_rest,
            shown=preview, look_first=look_first,
        )  # fmt: skip
    visit.status = "cancelled"
    act.session.flush()
    freed.release(act, visit.id, because="cancelled")
    history.add(
        act, visit, "cancelled", reason=reason, by_whom=by_whom, note=note, more=change_of(rest)
    )  # fmt: skip
    if rest is not None:
        rest.carry_out(note=note, reason=reason, by_whom=by_whom)
    act.note("appointments.cancelled", patient_id=visit.patient_id, visit=visit.id, reason=reason)
    return visit


# -- did they come? ------------------------------------------------------------------------


@command
def record_arrived(
    act: Act, visit_id: int, *, version: int, arrived_at: datetime | None = None
) -> Visit:
    """The patient came, at `arrived_at` (now when not said); the referral's wait ends there.

    Also after `did not attend` was recorded: a late arrival keeps both steps.
    """
    visit = visit_to_change(act, visit_id)
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
    act: Act, visit_id: int, *, version: int, note: str | None = None
) -> Visit:
    """The patient did not come. The referral waits on, and its clock has never stopped."""
    visit = visit_to_change(act, visit_id)
    history.check_version(act, visit, version)
    if visit.status not in ("booked", "arrived"):
        raise Conflict(f"This visit is {visit.status.replace('_', ' ')} already.")
    if act.at < visit.starts_at:
        raise Conflict("The visit has not begun: nobody has missed it yet.")
    was_arrived = visit.status == "arrived"
    visit.status = "did_not_attend"
    history.add(act, visit, "did_not_attend", at=visit.starts_at, note=note)
    act.note("appointments.did_not_attend", patient_id=visit.patient_id, visit=visit.id)
    missed.begin(act, visit)
    if was_arrived:
        _resume_wait(act, visit)
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
    visit = visit_to_change(act, visit_id)
    history.check_version(act, visit, version)
    was_arrived = visit.status == "arrived"
    if visit.chain_id is not None:
        steps = history.events(act, visit)
        if (change := chain_changes.change_to_undo(steps)) is not None:
            chain_changes.undo(act, visit, change, reason)
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


def events_of(act: Act, visit: Visit) -> list[VisitEvent]:
    """The visit's history, oldest first."""
    return list(history.events(act, visit))
