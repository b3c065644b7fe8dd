"""What is free, what is kept back, and what may be offered to whom?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlalchemy import false, select

from clinic.act import Act
from clinic.appointments import facts
from clinic.appointments.chain import chained as chained_on
from clinic.appointments.chain_models import VisitChain
from clinic.appointments.models import (
    Referral,
    Visit,
)
from clinic.appointments.queries import LONGEST_SPAN, staff_names
from clinic.errors import Invalid, NotFound
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from dosing.days import end_of, london_day, start_of
from scheduling import booking, chains, slots
from scheduling.calendars import OutOfReach
from scheduling.checklist import missing_at
from scheduling.prescribing_models import (
    Finding,
    PrescribingModel,
    Wait,
    wait,
)

OFFERS = 6
T = TypeVar("T")


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
        return facts.free_places_of(act.session, site_id, first, last, act.at)
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
    """The first places for somebody that are for routine work, or that a soft block keeps back; all
    of the last one's day.

    For pages that have opened the record.
    """
    first = max(from_on, act.today)
    last = first + facts.LOOK_AHEAD
    service = facts.service(act.session, act.site_id or 0)
    why: dict[slots.Place, str] = {}
    if kept_back:
        rows = facts.kept_back(act.session, service, first, last, act.at, routine)
        why = {place: block.message for place, block in rows}
        free = list(why)
    else:
        free = facts.routine_places(act.session, service, first, last, act.at)
        soon = [each for each in free if not booking.in_reach(each.starts_at, act.at)]
        why = dict.fromkeys(soon, booking.too_soon("only_here"))
    feasible = slots.first_feasible(
        free, facts.busy(act.session, patient_id, act.at), len(free)
    )  # fmt: skip
    found = [each for each, _ in _first(((each, None) for each in feasible), OFFERS, True)]
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
    """What may be offered to one person from a day on, and the wait if it is the first.

    `first` says of the first place free only where every place from today on was looked at.
    """

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
    whole_days: bool = False,
    walk_in: bool = False,
    only: Only | None = None,
) -> Offers:
    """The first feasible places for somebody referred, each with the wait against the limit.

    `whole_days`: those that are left of the last one's day as well, so that the next look begins
    on another day and passes none over. `walk_in`: they are here; today's places alone, begun ones
    included while enough is left. Otherwise none that begins too soon to be reached (BK-05).
    `only`: what is looked for. Places that cross the person's own visits are never among them.
    """
    referral = act.session.get(Referral, referral_id)
    if referral is None or referral.site_id != act.site_id:
        raise NotFound("There is no such referral at this site.")
    patient = open_record(
        act, referral.patient_id, "appointments.offered", right="appointments.read"
    )
    first = max(from_on or act.today, act.today)
    last = first + facts.LOOK_AHEAD
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
        free = facts.places_to_offer(act.session, service, first, last, act.at)
    free = [] if crack else free
    if only is not None:
        limit = wait(model, referral.referred_at, act.today).last_on if only.within_limit else None
        free = [each for each in free if only.has(each, limit)]
    feasible = slots.first_feasible(free, taken, len(free))
    rests = _first(_rests(act, service, feasible, taken), OFFERS, whole_days)
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
    first_at = made[0].place.starts_at if made else None
    looked_at_all = first == act.today and only in (None, Only())
    judged = wait(
        model, referral.referred_at, act.today, seen_at=referral.seen_at,
        offered_at=None if looked_at_all else first_at,
        first_free_at=first_at if looked_at_all else None,
        looked_to=last if looked_at_all and not crack else None,
    )  # fmt: skip
    return Offers(referral, patient, model, made, judged, last, crack)


def _rests(
    act: Act,
    service: facts.Service,
    places: Sequence[slots.Place],
    taken: list[tuple[datetime, datetime]],
) -> Iterator[tuple[slots.Place, chains.Plan | None]]:
    """These places one by one; under model 3 those whose next two days are free too (RP-10)."""
    chained = [each for each in places if chained_on(service, london_day(each.starts_at))]
    if not chained:
        yield from ((each, None) for each in places)
        return
    first, last = london_day(chained[0].starts_at), london_day(chained[-1].starts_at)
    held = facts.holds(
        act.session, service, start_of(first), end_of(last + 2 * chains.LOOK_AHEAD), act.at
    )  # fmt: skip
    diary = chains.Diary(service.rota, held, now=act.at, busy=taken, known=service.reviews)
    for place in places:
        if chained_on(service, london_day(place.starts_at)):
            yield from chains.whole_chains(diary, [place], 1)
        else:
            yield place, None


def _first(
    found: Iterable[tuple[slots.Place, T]], how_many: int, whole_days: bool
) -> list[tuple[slots.Place, T]]:
    """So many of them, and with `whole_days` all of the last one's day, so that whoever looks on
    from the next day passes none over.
    """
    chosen: list[tuple[slots.Place, T]] = []
    for place, more in found:
        if len(chosen) >= how_many and not (
            whole_days and london_day(place.starts_at) == london_day(chosen[-1][0].starts_at)
        ):
            break
        chosen.append((place, more))
    return chosen


def why_not(
    act: Act, found: Offers, starts_at: datetime, doctor_id: int, worker_id: int, *, here: bool
) -> str:
    """Why a place that was on the page is not among what is offered now. `here`: they walked in."""
    service = facts.service(act.session, act.site_id or 0)
    day = london_day(starts_at)
    held = facts.holds(act.session, service, start_of(day), end_of(day), act.at)
    answer = slots.may_book(
        service.rota, starts_at, doctor_id, worker_id, now=act.at, drugs=found.referral.drugs,
        holds=held, busy=facts.busy(act.session, found.patient.id, act.at), walk_in=here,
        notice=not here,
    )  # fmt: skip
    if isinstance(answer, slots.Place):
        return "A place for one of the days that follow it is gone."
    taken = slots.in_words(answer.blocked_by) if answer.reason == "taken" else ""
    return f"{answer.message} {taken}".strip()


def wait_until(act: Act, found: Offers, starts_at: datetime) -> Wait:
    """What the wait of the person offered places would be with one that starts then."""
    return wait(found.model, found.referral.referred_at, act.today, offered_at=starts_at)
