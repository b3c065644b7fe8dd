"""What does a place take of whom, may it be taken, and what is free instead?

What the commands of visits share: the place asked of the rules, the visit written with all it holds,
and a refusal that names who is in the way and what is free next.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments import facts, history, writes
from clinic.appointments.chain import CHANGE, Rest
from clinic.appointments.models import Referral, Visit
from clinic.appointments.overrides import Override
from clinic.assessments.entries import signed_outcome
from clinic.assessments.words import CRACK_ONLY
from clinic.errors import Conflict, Invalid, NotFound, says
from clinic.patients.access import open_record
from dosing.days import london_day
from scheduling import booking, slots

says("visit_hold_no_overlap", "This place has just been taken.")
PERSON_BUSY = "visit_no_overlap_for_patient"
says(PERSON_BUSY, "The patient has another visit at that time.")
for _name in ("uq_visit_booked_for_referral", "visit.referral_id, visit.kind"):
    says(_name, "This referral already has a visit booked. Move that one instead.")

FREE_NEXT = 2


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


@dataclass
class Seen:
    """How far a command had come when it was refused: whose visit, and at which place."""

    patient_id: int | None = None
    place: slots.Place | None = None
    routine: bool = False


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
    first, last = act.today, act.today + facts.LOOK_AHEAD
    service = facts.service(act.session, site_of(act))
    wanted = seen.place
    busy = facts.busy(act.session, seen.patient_id or 0, act.at)
    look = facts.routine_places if seen.routine else facts.places_to_offer
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


def site_of(act: Act) -> int:
    if act.site_id is None:
        raise NotFound("No site is chosen.")
    return act.site_id


# -- may it be taken -----------------------------------------------------------------------


def visit_to_change(act: Act, visit_id: int, right: str = "appointments.book") -> Visit:
    """A visit at this site whose patient's record may be opened; the look is audited.

    Its row is locked, so that of two who change it at once the second reads what the first made.
    """
    visit = act.session.get(Visit, visit_id, with_for_update=True)
    if visit is None or visit.site_id != act.site_id:
        raise NotFound("There is no such visit at this site.")
    open_record(act, visit.patient_id, "appointments.read", right=right)
    return visit


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
    notice: bool = False,
    override: Override | None = None,
    passed: Collection[str] = (),
) -> slots.Place:
    """The place asked for, if the rules allow it, or `override` passes what they put in the way.

    `notice`: they have to come here first (BK-05). `passed`: soft blocks that were passed for it
    before.
    """
    day = london_day(starts_at)
    if not act.today <= day <= act.today + timedelta(days=366):
        raise Invalid.field("starts_at", "must be a time within the coming year")
    now_passed = [] if override is None else override.passed
    now_passed.clear()  # of an earlier try
    while True:
        answer = slots.may_book(
            service.rota, starts_at, doctor_id, worker_id, now=act.at, drugs=drugs,
            walk_in=walk_in, routine=routine, notice=notice, passed=(*passed, *now_passed),
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


def drugs_of(act: Act, visit: Visit) -> list[str]:
    if visit.referral_id is None:
        return []
    outcome = act.session.scalar(select(signed_outcome(visit.patient_id)))
    return used(act.session.get_one(Referral, visit.referral_id).drugs, outcome)


def used(drugs: list[str], outcome: dict[str, Any] | None) -> list[str]:
    """The drugs a place is judged by: what the assessment found comes before the referral (A23)."""
    crack_only = outcome is not None and outcome["outcome"] == CRACK_ONLY
    return ["crack"] if crack_only else drugs


# -- take it --------------------------------------------------------------------------------


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
    writes.one_chooses(act.session, site_of(act))
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
