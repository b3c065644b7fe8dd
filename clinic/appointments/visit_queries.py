"""One referral or one visit: how it stands, what happened to it, what may be undone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments import facts, history
from clinic.appointments.chain_changes import change_to_undo, may_undo_alone
from clinic.appointments.models import (
    CANCELLED_BECAUSE,
    CANCELLED_BY,
    CLOSED_BECAUSE,
    DRUGS,
    RISKS,
    SENT_TO,
    SOURCES,
    VISIT_STATUSES,
    Referral,
    Resource,
    Visit,
)
from clinic.appointments.queries import off_rota, staff_names
from clinic.errors import NotFound
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.ui import clock_time, moment
from scheduling.checklist import missing_at
from scheduling.prescribing_models import (
    Finding,
    Wait,
    support_missing,
    wait,
)


@dataclass(frozen=True)
class Step:
    """One step of a history in words."""

    what: str
    at: datetime
    detail: str
    recorded_at: datetime
    by: str


@dataclass(frozen=True)
class ReferralPage:
    """A referral with its patient, its wait, its visits and its history."""

    referral: Referral
    patient: Patient
    received_by: str
    wait: Wait
    flags: tuple[Finding, ...]
    visits: tuple[Visit, ...]
    steps: tuple[Step, ...]
    can_undo: str | None


def referral_page(act: Act, referral_id: int) -> ReferralPage:
    """Everything about one referral. The look is audited."""
    referral = act.session.get(Referral, referral_id)
    if referral is None or referral.site_id != act.site_id:
        raise NotFound("There is no such referral at this site.")
    patient = open_record(
        act, referral.patient_id, "appointments.referral_read", right="appointments.read"
    )
    visits = act.session.scalars(
        select(Visit).where(Visit.referral_id == referral.id).order_by(Visit.starts_at, Visit.id)
    ).all()
    model = facts.service(act.session, referral.site_id).model_on(act.today)
    booked = next((each.starts_at for each in visits if each.status == "booked"), None)
    judged = wait(
        model, referral.referred_at, act.today, seen_at=referral.seen_at,
        booked_at=booked or referral.outside_at,
    )  # fmt: skip
    flags: list[Finding | None] = []
    if referral.status != "closed":
        flags.append(judged.flag)
    if referral.status == "waiting":
        flags.append(support_missing(model, referral.support_at is not None))
    events = history.events(act, referral)
    names = staff_names(act, [referral.received_by, *(each.recorded_by for each in events)])
    return ReferralPage(
        referral=referral,
        patient=patient,
        received_by=names[referral.received_by],
        wait=judged,
        flags=tuple(filter(None, flags)),
        visits=tuple(visits),
        steps=tuple(_referral_steps(events, names)),
        can_undo=_undoable(events),
    )


def _undoable(events: Sequence[Any], visit: Visit | None = None) -> str | None:
    if visit is not None and visit.chain_id is not None:
        may = change_to_undo(events) is not None or may_undo_alone(events)
        return history.standing(events)[-1].verb if may else None
    found = history.undoable(events)
    return None if found is None else found[0].verb


REFERRAL_STEPS = {
    "received": "Referral received",
    "corrected": "Corrected",
    "supported": "Psychosocial support given",
    "sent_on": "Sent on to a prescriber",
    "seen": "Seen by a clinician",
    "waits_again": "Waits again",
    "closed": "Closed",
    history.UNDONE: "Step taken back",
}


VISIT_STEPS = {
    "held": "Place held",
    "let_go": "Hold let go",
    "lapsed": "Hold lapsed",
    "confirmed": "Confirmed: booked",
    "booked": "Booked",
    "moved": "Moved",
    "cancelled": "Cancelled",
    "arrived": "Arrived",
    "did_not_attend": "Did not attend",
    history.UNDONE: "Step taken back",
}


def _referral_steps(events: Sequence[Any], names: dict[int | None, str]) -> Iterable[Step]:
    before: dict[str, Any] = {}
    for event in events:
        detail = []
        if event.verb == history.UNDONE:
            detail.append(REFERRAL_STEPS.get(event.reason, event.reason))
        elif event.reason:
            detail.append(CLOSED_BECAUSE.get(event.reason, event.reason))
        if event.verb == "corrected":
            detail += [
                f"{_FIELD_WORDS[name]} was {_in_words(name, before[name])}"
                for name in ("referred_at", "source", "drugs", "risk")
                if before.get(name) != event.state[name]
            ]
        if event.verb == "sent_on":
            detail.append(f"{SENT_TO[event.state['sent_to']]}: {event.state['sent_to_name']}")
        if event.note:
            detail.append(event.note)
        before = event.state
        yield Step(
            REFERRAL_STEPS[event.verb], event.at, ". ".join(detail), event.recorded_at,
            names[event.recorded_by],
        )  # fmt: skip


_FIELD_WORDS = {
    "referred_at": "Referred at",
    "source": "Source",
    "drugs": "Drugs",
    "risk": "Clinical risk",
}


def _in_words(field: str, value: Any) -> str:
    if value is None:
        return "not known"
    if field == "referred_at":
        return moment(datetime.fromisoformat(value))
    if field == "drugs":
        return ", ".join(DRUGS[each] for each in value)
    return (SOURCES if field == "source" else RISKS)[value]


def stands(visit: Visit, at: datetime) -> str:
    """How a visit stands at this moment, in words; a hold by the clock."""
    if visit.lapses_at is None:
        return VISIT_STATUSES[visit.status]
    until = clock_time(visit.lapses_at)
    return f"Held until {until}" if at < visit.lapses_at else f"Hold lapsed at {until}"


def held_for(act: Act, referral_id: int) -> Visit | None:
    """The place held for this referral at this moment. For pages that have opened the record."""
    found: Visit | None = act.session.scalar(
        select(Visit).where(
            Visit.referral_id == referral_id, Visit.status == "held", Visit.lapses_at > act.at
        )
    )
    return found


@dataclass(frozen=True)
class VisitPage:
    """A visit with its patient, its staff, its referral and its history."""

    visit: Visit
    patient: Patient
    doctor: str | None
    worker: str | None
    nurse: str | None
    room: str | None
    observation: str | None
    missing: tuple[Finding, ...]
    referral: Referral | None
    wait: Wait | None
    steps: tuple[Step, ...]
    can_undo: str | None
    off_rota: str | None


def visit_page(act: Act, visit_id: int) -> VisitPage:
    """Everything about one visit. The look is audited."""
    visit = visit_here(act, visit_id)
    patient = open_record(
        act, visit.patient_id, "appointments.visit_read", right="appointments.read"
    )
    referral = (
        None if visit.referral_id is None else act.session.get_one(Referral, visit.referral_id)
    )
    events = history.events(act, visit)
    names = staff_names(
        act,
        [
            visit.doctor_id, visit.worker_id, visit.nurse_id,
            *(each.recorded_by for each in events),
        ],
    )  # fmt: skip
    things = {
        row.id: row.name
        for row in act.session.scalars(
            select(Resource).where(Resource.id.in_((visit.room_id, visit.observation_id)))
        )
    }
    day = act.today
    judged = None
    service = facts.service(act.session, visit.site_id)
    ahead = visit.status in ("held", "booked") and visit.starts_at > act.at
    if referral is not None:
        judged = wait(
            service.model_on(day), referral.referred_at, day, seen_at=referral.seen_at,
            booked_at=visit.starts_at if visit.status == "booked" else None,
            offered_at=visit.starts_at if visit.status == "held" else None,
        )  # fmt: skip
    return VisitPage(
        visit=visit,
        patient=patient,
        doctor=names.get(visit.doctor_id),
        worker=names.get(visit.worker_id),
        nurse=names.get(visit.nurse_id),
        room=things.get(visit.room_id or 0),
        observation=things.get(visit.observation_id or 0),
        missing=tuple(missing_at(service.rota, visit.doctor_id, visit.starts_at) if ahead else ()),
        referral=referral,
        wait=judged,
        steps=tuple(_visit_steps(events, names)),
        can_undo=_undoable(events, visit),
        off_rota=off_rota(act, [visit]).get(visit.id),
    )


def may_confirm(act: Act, view: VisitPage) -> bool:
    """May the place be booked that is or was held, as far as the page can tell?"""
    waits = view.referral is None or view.referral.status == "waiting"
    return act.may("appointments.book") and waits and view.visit.starts_at > act.at


def visit_here(act: Act, visit_id: int) -> Visit:
    """The visit, if it is at this site."""
    visit = act.session.get(Visit, visit_id)
    if visit is None or visit.site_id != act.site_id:
        raise NotFound("There is no such visit at this site.")
    return visit


def _visit_steps(events: Sequence[Any], names: dict[int | None, str]) -> Iterable[Step]:
    for event in events:
        detail = []
        if event.verb == history.UNDONE:
            detail.append(VISIT_STEPS.get(event.reason, event.reason))
        elif event.reason:
            detail.append(CANCELLED_BECAUSE[event.reason])
        if event.by_whom:
            detail.append(f"Cancelled by: {CANCELLED_BY[event.by_whom]}")
        if event.verb in ("held", "booked", "moved", history.UNDONE):
            detail.append(f"For {moment(datetime.fromisoformat(event.state['starts_at']))}")
        if event.note:
            detail.append(event.note)
        yield Step(
            VISIT_STEPS[event.verb], event.at, ". ".join(detail), event.recorded_at,
            names[event.recorded_by],
        )  # fmt: skip
