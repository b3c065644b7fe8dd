"""Who waits, what may be offered, who comes when, and does the rota keep the model?"""

from __future__ import annotations

from calendar import day_name as day_names
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import false, not_, or_, select
from sqlalchemy.orm import aliased

from clinic.act import Act
from clinic.appointments import facts, history, overrides
from clinic.appointments.chain import chained as chained_on
from clinic.appointments.chain_changes import change_to_undo, may_undo_alone
from clinic.appointments.chain_models import VisitChain
from clinic.appointments.chain_preview import as_review
from clinic.appointments.commands import LOOK_AHEAD
from clinic.appointments.models import (
    CANCELLED_BECAUSE,
    CANCELLED_BY,
    CLOSED_BECAUSE,
    DRUGS,
    REVIEW,
    RISKS,
    SENT_TO,
    SOURCES,
    VISIT_STATUSES,
    Referral,
    Resource,
    RotaDayOff,
    RotaPattern,
    Visit,
)
from clinic.errors import Invalid, NotFound
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.sites.models import Site
from clinic.staff.models import PrescriberLevel, Staff, StaffCompetence, StaffRole
from clinic.ui import clock_time, moment
from dosing.days import end_of, london_day, start_of
from scheduling import chains, slots
from scheduling.booking import ROUTINE
from scheduling.calendars import OutOfReach
from scheduling.checklist import missing, missing_at
from scheduling.prescribing_models import (
    RULES,
    Finding,
    PrescribingModel,
    Wait,
    rota_findings,
    support_missing,
    wait,
)
from scheduling.waiting import Person, urgency

OFFERS = 6
LONGEST_SPAN = timedelta(days=92)
ROTA_WEEKS = 8


# -- who waits -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """One person on the wait list, with their wait against the model's limit."""

    referral_id: int
    version: int
    patient_id: int
    family_name: str
    given_name: str
    referred_at: datetime
    risk: str | None
    drugs: tuple[str, ...]
    wait: Wait
    visit_id: int | None
    visit_at: datetime | None
    flags: tuple[Finding, ...]

    @property
    def listed_name(self) -> str:
        return f"{self.family_name.upper()}, {self.given_name}"

    @property
    def crack_pathway(self) -> bool:
        return slots.no_opioid(self.drugs)

    @property
    def person(self) -> Person:
        """What they are ranked by."""
        return Person(
            self.referral_id, self.wait.breaches_at, self.risk, self.referred_at, self.wait.over,
            self.visit_at,
        )  # fmt: skip


@dataclass(frozen=True)
class WaitList:
    """Everybody waiting at the site, most urgent first. `model` None: the site has none set."""

    model: PrescribingModel | None
    rows: tuple[Waiting, ...]


def wait_list(act: Act) -> WaitList:
    """Everybody referred here and not yet seen: by time left to the limit, then clinical risk.

    Never by name. Somebody without a place is shown the first one that is free (RP-05: full slots
    are no excuse).
    """
    act.need("appointments.read")
    first, last = act.today, act.today + LOOK_AHEAD
    rows = act.session.execute(
        select(
            Referral.id, Referral.version, Referral.patient_id, Referral.referred_at,
            Referral.risk, Referral.drugs, Referral.support_at, Referral.outside_at,
            Patient.family_name, Patient.given_name, Visit.id.label("visit_id"), Visit.starts_at,
        )
        .join(Patient, Patient.id == Referral.patient_id)
        .outerjoin(Visit, (Visit.referral_id == Referral.id) & (Visit.status == "booked"))
        .where(Referral.site_id == act.site_id, Referral.status == "waiting")
    ).all()  # fmt: skip
    service = facts.service(act.session, act.site_id or 0)
    model = service.model_on(act.today)
    free = facts.free_places(act.session, service, first, last, act.at) if rows else []
    act.note_shown("appointments.wait_listed", [row.patient_id for row in rows])
    made = [_waiting(row, model, act, free[0].starts_at if free else None, last) for row in rows]
    return WaitList(model, tuple(sorted(made, key=lambda row: urgency(row.person))))


def _waiting(
    row: Any, model: PrescribingModel | None, act: Act, first_free: datetime | None, last: date
) -> Waiting:
    # Under model 1 the place is elsewhere: nothing free on a rota of ours says anything.
    looked_to = None if model is PrescribingModel.MODEL_1 or slots.no_opioid(row.drugs) else last
    found = wait(
        model,
        row.referred_at,
        act.today,
        booked_at=row.starts_at or row.outside_at,
        first_free_at=None if looked_to is None else first_free,
        looked_to=looked_to,
    )
    flags = (found.flag, support_missing(model, row.support_at is not None))
    return Waiting(
        referral_id=row.id, version=row.version, patient_id=row.patient_id,
        family_name=row.family_name, given_name=row.given_name, referred_at=row.referred_at,
        risk=row.risk, drugs=tuple(row.drugs), wait=found, visit_id=row.visit_id,
        visit_at=row.starts_at or row.outside_at, flags=tuple(filter(None, flags)),
    )  # fmt: skip


# -- what is free --------------------------------------------------------------------------


def free_places(act: Act, site_id: int, first: date, last: date) -> list[slots.Place]:
    """The free places of this site from first to last, both included. Shows no patient."""
    act.need("appointments.read")
    if site_id != act.site_id:
        raise NotFound("There is no such site, or you do not work there.")
    if last < first:
        raise Invalid.field("to", "cannot be before from")
    if last - first > LONGEST_SPAN:
        raise Invalid.field("to", f"must be within {LONGEST_SPAN.days} days of from")
    try:
        service = facts.service(act.session, site_id)
        return facts.free_places(act.session, service, first, last, act.at)
    except OutOfReach as beyond:
        raise Invalid.field("to", str(beyond)) from beyond


def routine_places(act: Act, first: date, last: date) -> list[slots.Place]:
    """The free places routine visits may have here, both days included. Shows no patient."""
    act.need("appointments.read")
    if not timedelta(0) <= last - first <= LONGEST_SPAN:
        raise Invalid.field("to", f"must be on or after from, within {LONGEST_SPAN.days} days")
    service = facts.service(act.session, act.site_id or 0)
    return facts.routine_places(act.session, service, first, last, act.at)


@dataclass(frozen=True)
class Kept:
    """A free place for somebody, with why it is kept back, if it is."""

    place: slots.Place
    doctor: str
    worker: str
    why: str

    @property
    def key(self) -> str:
        return place_key(self.place)


def place_key(place: slots.Place) -> str:
    """The place in one word, for the value of a form's choice."""
    return f"{place.starts_at:%Y%m%dT%H%MZ}-{place.doctor_id}-{place.worker_id}"


def kept_places(
    act: Act, patient_id: int, from_on: date, *, routine: bool, kept_back: bool
) -> list[Kept]:
    """The first places for somebody that are for routine work, or that a soft block keeps back.

    For pages that have opened the record.
    """
    first = max(from_on, act.today)
    last = first + LOOK_AHEAD
    service = facts.service(act.session, act.site_id or 0)
    why: dict[slots.Place, str] = {}
    if kept_back:
        rows = facts.kept_back(act.session, service, first, last, act.at, routine)
        why = {place: block.message for place, block in rows}
        free = list(why)
    else:
        free = facts.routine_places(act.session, service, first, last, act.at)
    found = slots.first_feasible(free, facts.busy(act.session, patient_id, act.at), OFFERS)
    names = staff_names(act, [i for place in found for i in (place.doctor_id, place.worker_id)])
    return [
        Kept(place, names[place.doctor_id], names[place.worker_id], why.get(place, ""))
        for place in found
    ]


@dataclass(frozen=True)
class Offer:
    """A place somebody may be given, and what the wait would then be."""

    place: slots.Place
    doctor: str
    worker: str
    wait: Wait
    nurse: str | None = None
    missing: tuple[Finding, ...] = ()
    rest: chains.Plan | None = None

    @property
    def key(self) -> str:
        return place_key(self.place)


@dataclass(frozen=True)
class Offers:
    """What may be offered to one person from a day on, and the wait if it is the first."""

    referral: Referral
    patient: Patient
    model: PrescribingModel | None
    offers: tuple[Offer, ...]
    first: Wait
    looked_to: date
    crack_pathway: bool


@dataclass(frozen=True)
class Only:
    """Which places are looked for: with somebody, in a room, within the limit of the model."""

    with_staff: int | None = None
    room_id: int | None = None
    within_limit: bool = False

    def has(self, place: slots.Place, limit: date | None) -> bool:
        people = (None, place.doctor_id, place.worker_id, place.nurse_id)
        return (
            self.with_staff in people
            and self.room_id in (None, place.room_id)
            and (limit is None or london_day(place.starts_at) <= limit)
        )


def offers(
    act: Act,
    referral_id: int,
    *,
    from_on: date | None = None,
    how_many: int = OFFERS,
    walk_in: bool = False,
    only: Only | None = None,
) -> Offers:
    """The first feasible places for somebody referred, each with the wait against the limit.

    `walk_in`: they are here; today's places alone, begun ones included while enough is left.
    `only`: what is looked for. Places that cross the person's own visits are never among them.
    """
    referral = act.session.get(Referral, referral_id)
    if referral is None or referral.site_id != act.site_id:
        raise NotFound("There is no such referral at this site.")
    patient = open_record(
        act, referral.patient_id, "appointments.offered", right="appointments.read"
    )
    first = max(from_on or act.today, act.today)
    last = first + LOOK_AHEAD
    service = facts.service(act.session, act.site_id or 0)
    model = service.model_on(act.today) or service.model_on(first)
    crack = slots.no_opioid(referral.drugs)
    taken = facts.busy(act.session, patient.id, act.at)
    # Days 2 and 3 of an induction move along with day 1, and a visit booked for later today moves
    # to a walk-in's place: neither stands in anybody's way.
    own = select(Visit.starts_at, Visit.ends_at).where(
        Visit.status == "booked",
        Visit.chain_id.in_(select(VisitChain.id).where(VisitChain.referral_id == referral.id))
        | ((Visit.referral_id == referral.id) if walk_in else false()),
    )
    gone = {(row.starts_at, row.ends_at) for row in act.session.execute(own)}
    taken = [each for each in taken if each not in gone]
    if walk_in:
        free = facts.walk_in_places(act.session, service, act.at)
    else:
        free = facts.free_places(act.session, service, first, last, act.at)
    free = [] if crack else free
    if only is not None:
        limit = wait(model, referral.referred_at, act.today).last_on if only.within_limit else None
        free = [each for each in free if only.has(each, limit)]
    rests = _rests(act, service, slots.first_feasible(free, taken, len(free)), taken, how_many)
    found = [place for place, _ in rests]
    names = staff_names(
        act,
        [each for place in found for each in (place.doctor_id, place.worker_id, place.nurse_id)],
    )
    made = tuple(
        Offer(
            place,
            names[place.doctor_id],
            names[place.worker_id],
            wait(model, referral.referred_at, act.today, offered_at=place.starts_at),
            names.get(place.nurse_id),
            tuple(missing_at(service.rota, place.doctor_id, place.starts_at)),
            rest,
        )
        for place, rest in rests
    )
    judged = wait(
        model, referral.referred_at, act.today, seen_at=referral.seen_at,
        first_free_at=made[0].place.starts_at if made else None,
        looked_to=None if crack else last,
    )  # fmt: skip
    return Offers(referral, patient, model, made, judged, last, crack)


def _rests(
    act: Act,
    service: facts.Service,
    places: Sequence[slots.Place],
    taken: list[tuple[datetime, datetime]],
    how_many: int,
) -> list[tuple[slots.Place, chains.Plan | None]]:
    """The first of the places; under model 3 those whose next two days are free too (RP-10)."""
    chained = [each for each in places if chained_on(service, london_day(each.starts_at))]
    if not chained:
        return [(each, None) for each in places[:how_many]]
    first, last = london_day(chained[0].starts_at), london_day(chained[-1].starts_at)
    held = facts.holds(
        act.session, service, start_of(first), end_of(last + 2 * chains.LOOK_AHEAD), act.at
    )  # fmt: skip
    diary = chains.Diary(service.rota, held, now=act.at, busy=taken)
    found: list[tuple[slots.Place, chains.Plan | None]] = []
    for place in places:
        if len(found) == how_many:
            break
        if not chained_on(service, london_day(place.starts_at)):
            found.append((place, None))
        else:
            found += chains.whole_chains(diary, [place], 1)
    return found


def wait_until(act: Act, found: Offers, starts_at: datetime) -> Wait:
    """What the wait of the person offered places would be with one that starts then."""
    return wait(found.model, found.referral.referred_at, act.today, offered_at=starts_at)


def staff_names(act: Act, ids: Iterable[int | None]) -> dict[int | None, str]:
    """The names of these members of staff, by id."""
    wanted = sorted({each for each in ids if each is not None})
    rows = act.session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(wanted)))
    return {row.id: row.name for row in rows}


# -- one referral, one visit ---------------------------------------------------------------


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
    waits = view.referral is not None and view.referral.status == "waiting"
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


# -- the clinic, day by day ----------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One visit on the list of the clinic."""

    visit: Visit
    family_name: str
    given_name: str
    born_on: date
    doctor: str | None
    worker: str | None
    nurse: str | None
    off_rota: str | None

    @property
    def listed_name(self) -> str:
        return f"{self.family_name.upper()}, {self.given_name}"


def clinic_list(
    act: Act, first: date, last: date, *, cancelled: bool = False, with_staff: int | None = None
) -> list[Line]:
    """Who comes from first to last (London dates, both included), in order of time.

    `with_staff`: only to this doctor, worker or nurse.
    """
    act.need("appointments.read")
    if last < first or last - first > LONGEST_SPAN:
        raise Invalid.field("to", f"must be on or after from, within {LONGEST_SPAN.days} days")
    doctor, worker, nurse = aliased(Staff), aliased(Staff), aliased(Staff)
    wanted = (
        select(Visit, Patient.family_name, Patient.given_name, Patient.born_on,
               doctor.name.label("doctor"), worker.name.label("worker"),
               nurse.name.label("nurse"))
        .join(Patient, Patient.id == Visit.patient_id)
        .outerjoin(doctor, doctor.id == Visit.doctor_id)
        .outerjoin(worker, worker.id == Visit.worker_id)
        .outerjoin(nurse, nurse.id == Visit.nurse_id)
        .where(
            Visit.site_id == act.site_id,
            Visit.starts_at >= start_of(first),
            Visit.starts_at < end_of(last),
        )
        .order_by(Visit.starts_at, Visit.id)
    )  # fmt: skip
    wanted = wanted.where(Visit.status != "let_go", not_(Visit.lapsed(act.at)))
    if not cancelled:
        wanted = wanted.where(Visit.status != "cancelled")
    if with_staff is not None:
        named = Visit.doctor_id, Visit.worker_id, Visit.nurse_id
        wanted = wanted.where(or_(*(each == with_staff for each in named)))
    rows = act.session.execute(wanted).all()
    act.note_shown("appointments.clinic_listed", [row.Visit.patient_id for row in rows])
    lost = off_rota(act, [row.Visit for row in rows])
    return [
        Line(
            row.Visit, row.family_name, row.given_name, row.born_on, row.doctor, row.worker, row.nurse,
            lost.get(row.Visit.id),
        )
        for row in rows
    ]  # fmt: skip


def off_rota(act: Act, visits: Iterable[Visit]) -> dict[int, str]:
    """Booked visits ahead that the rota no longer carries, each with what is wrong.

    A session that ended, a day taken off, a closed day, a training that lapsed: the visit stands
    until somebody moves it.
    """
    ahead = [each for each in visits if each.status == "booked" and each.starts_at > act.at]
    if not ahead:
        return {}
    rota = facts.service(act.session, act.site_id or 0).rota
    found = {}
    passed = overrides.passed_for(act, [each.id for each in ahead])
    for each in ahead:
        if each.kind == REVIEW:
            if as_review(each) not in chains.reviews_on(rota, london_day(each.starts_at)):
                found[each.id] = chains.RULES["CH-02"]["unknown"]
            continue
        answer = slots.may_book(
            rota, each.starts_at, each.doctor_id or 0, each.worker_id or 0, now=act.at, drugs=(),
            routine=each.kind in ROUTINE, passed=passed.get(each.id, ()),
        )  # fmt: skip
        if isinstance(answer, slots.Refusal):
            found[each.id] = answer.message
        elif answer.until != each.ends_at:
            found[each.id] = "The rota now gives this place another length."
    return found


def visits_to_settle(act: Act) -> list[Line]:
    """Visits that passed without a word whether the patient came, and visits off the rota."""
    act.need("appointments.read")
    lines = clinic_list(act, act.today - timedelta(days=28), act.today + LOOK_AHEAD)
    return [
        line
        for line in lines
        if line.off_rota or (line.visit.status == "booked" and line.visit.ends_at < act.at)
    ]


def visits_of(act: Act, patient_id: int) -> list[Visit]:
    """A patient's visits at this site, newest first. For pages that have opened the record."""
    return list(
        act.session.scalars(
            select(Visit)
            .where(Visit.patient_id == patient_id, Visit.site_id == act.site_id)
            .order_by(Visit.starts_at.desc(), Visit.id.desc())
        )
    )


# -- the rota ------------------------------------------------------------------------------


@dataclass(frozen=True)
class SessionLine:
    """A session of the rota, named, with its days off ahead and what it lacks (RP-19)."""

    pattern: RotaPattern
    doctor: str
    worker: str
    nurse: str | None
    room: str | None
    off: tuple[RotaDayOff, ...]
    missing: tuple[Finding, ...]


@dataclass(frozen=True)
class RotaPage:
    """The rota of a site and where it breaks the model over the weeks ahead."""

    model: PrescribingModel | None
    sessions: tuple[SessionLine, ...]
    findings: tuple[Finding, ...]
    unstaffed: tuple[tuple[int, Finding], ...]
    first: date
    last: date


def rota_page(act: Act) -> RotaPage:
    """Every session not over yet, and the check of the weeks ahead (RP-04, RP-08, RP-18)."""
    act.need("appointments.read")
    doctor, worker, nurse = aliased(Staff), aliased(Staff), aliased(Staff)
    rows = act.session.execute(
        select(RotaPattern, doctor.name, worker.name, nurse.name, Resource.name)
        .join(doctor, doctor.id == RotaPattern.doctor_id)
        .join(worker, worker.id == RotaPattern.worker_id)
        .outerjoin(nurse, nurse.id == RotaPattern.nurse_id)
        .outerjoin(Resource, Resource.id == RotaPattern.room_id)
        .where(
            RotaPattern.site_id == act.site_id,
            RotaPattern.to_on.is_(None) | (RotaPattern.to_on >= act.today),
        )
        .order_by(RotaPattern.weekday, RotaPattern.starts, RotaPattern.id)
    ).all()
    off = act.session.scalars(
        select(RotaDayOff)
        .where(
            RotaDayOff.pattern_id.in_([row[0].id for row in rows]),
            RotaDayOff.on >= act.today,
            RotaDayOff.withdrawn_at.is_(None),
        )
        .order_by(RotaDayOff.on)
    ).all()
    first = act.today
    last = first + timedelta(weeks=ROTA_WEEKS) - timedelta(days=1)
    # A gap or a week that runs into today is judged with the days before it.
    since = first - timedelta(weeks=1)
    service = facts.service(act.session, act.site_id or 0)
    sessions = {each.id: each for each in service.rota.sessions}
    slot_days = {london_day(each.starts_at) for each in service.places(since, last)}
    model = service.model_on(act.today)
    return RotaPage(
        model=model,
        sessions=tuple(
            SessionLine(
                row, doctor_name, worker_name, nurse_name, room_name,
                tuple(each for each in off if each.pattern_id == row.id),
                tuple(missing(service.rota, sessions[row.id], max(first, row.from_on))),
            )
            for row, doctor_name, worker_name, nurse_name, room_name in rows
        ),
        findings=tuple(
            rota_findings(
                model, slot_days, first, last, slots.lacking_on(service.rota, first, last)
            )
        ),
        unstaffed=tuple(
            (session.id, missing) for session, missing in slots.unstaffed(service.rota, first, last)
        ),
        first=first,
        last=last,
    )  # fmt: skip


def clinicians(act: Act) -> list[tuple[int, str]]:
    """Everybody on the rota of the site, past or present: (id, name) pairs, by name."""
    people = facts.service(act.session, act.site_id or 0).resources
    names = staff_names(act, people)
    return sorted(((each, names[each]) for each in people), key=lambda each: (each[1], each[0]))


@dataclass(frozen=True)
class ModelCheck:
    """What would break a model at this site over the weeks ahead, each with its day."""

    model: PrescribingModel
    findings: tuple[Finding, ...]
    unstaffed: tuple[tuple[str, Finding], ...]


def against_models(act: Act, site_id: int) -> list[ModelCheck]:
    """Could the rota as it is keep each of the models over the weeks ahead (RP-04, RP-08, RP-12)?"""
    first = act.today
    last = first + timedelta(weeks=ROTA_WEEKS) - timedelta(days=1)
    since = first - timedelta(weeks=1)
    rota = facts.service(act.session, site_id).rota
    checks = []
    for model in PrescribingModel:
        observed = RULES["RP-12"]["model"]
        as_if = replace(rota, observed=((since, None),) if model in observed else ())
        days = {london_day(each.starts_at) for each in slots.places(as_if, since, last)}
        checks.append(
            ModelCheck(
                model,
                tuple(
                    rota_findings(model, days, first, last, slots.lacking_on(as_if, first, last))
                ),
                tuple(
                    (f"{day_names[session.weekday - 1]} {session.starts:%H:%M}", lacking)
                    for session, lacking in slots.unstaffed(as_if, first, last)
                ),
            )
        )
    return checks


def possible_staff(act: Act) -> tuple[list[tuple[int, str]], ...]:
    """Who here may be a session's doctor, its drugs worker, its nurse, today: (id, name) pairs."""
    here = (
        select(StaffRole.staff_id)
        .where(
            StaffRole.site_id == act.site_id,
            StaffRole.from_on <= act.today,
            StaffRole.to_on.is_(None) | (StaffRole.to_on >= act.today),
        )
        .distinct()
    )

    def having(competence: str) -> Any:
        return select(StaffCompetence.staff_id).where(
            StaffCompetence.competence == competence,
            StaffCompetence.from_on <= act.today,
            StaffCompetence.to_on.is_(None) | (StaffCompetence.to_on >= act.today),
        )

    prescribing = select(PrescriberLevel.staff_id).where(
        PrescriberLevel.from_on <= act.today,
        PrescriberLevel.to_on.is_(None) | (PrescriberLevel.to_on >= act.today),
    )
    named = select(Staff.id, Staff.name).where(Staff.id.in_(here)).order_by(Staff.name, Staff.id)
    doctors = named.where(Staff.id.in_(having(facts.TRAINED)), Staff.id.in_(prescribing))
    workers = named.where(Staff.id.in_(having(facts.COMPETENT)))
    nurses = named.where(Staff.id.in_(here.where(StaffRole.role == "nurse")))
    return tuple(
        [(staff_id, name) for staff_id, name in act.session.execute(each)]
        for each in (doctors, workers, nurses)
    )


def is_community(act: Act) -> bool:
    """Is this a community service, which has referrals and a clinic?"""
    return act.session.get_one(Site, act.site_id).kind == "community"
