"""Which booked visits does the rota no longer carry, and where could each of them go?

The same question is asked before hours are withdrawn (of the rota as it would be) and afterwards
(of the rota as it is). Nothing here moves or cancels a visit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act, rehearsed
from clinic.appointments import facts
from clinic.appointments.models import REVIEW, Referral, Resource, Visit, VisitHold
from clinic.appointments.queries import Waiting, off_rota, staff_names, wait_list
from clinic.appointments.rota_queries import rota_page
from clinic.patients.models import Patient
from clinic.sites.models import Site
from scheduling import slots
from scheduling.booking import ROUTINE
from scheduling.prescribing_models import Finding, PrescribingModel, Wait, wait
from scheduling.waiting import Person, urgency


@dataclass(frozen=True)
class Move:
    """The first feasible place for a visit that cannot stay, and what the wait would then be."""

    place: slots.Place
    doctor: str
    worker: str


@dataclass(frozen=True)
class Hit:
    """A booked visit the rota does not carry: why, where it could go, and the wait that gives.

    `move` None: no place is free in the weeks looked at, or it is day 2 or 3 of an induction, which
    takes no place. `wait` None: the visit has no referral.
    """

    visit_id: int
    version: int
    patient_id: int
    listed_name: str
    starts_at: datetime
    why: str
    move: Move | None
    wait: Wait | None
    day_number: int | None = None

    @property
    def is_review(self) -> bool:
        """Is it day 2 or 3 of an induction?"""
        return (self.day_number or 1) > 1

    @property
    def breach(self) -> Finding | None:
        """The limit of the model that the proposed move, or the lack of one, breaks."""
        return None if self.wait is None else self.wait.flag


@dataclass(frozen=True)
class Hits:
    """The visits hit, the most urgent first, and how many more there are at other sites.

    `waiting`: people without a visit whose first place free would then be over the limit, which it
    is not today. `breaks`: where the rota would break its model and does not today.
    """

    rows: tuple[Hit, ...]
    elsewhere: tuple[tuple[str, int], ...] = ()
    waiting: tuple[Waiting, ...] = ()
    breaks: tuple[Finding, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rows or self.elsewhere or self.waiting or self.breaks)


def without_staff(act: Act) -> Hits:
    """Every booked visit ahead that the rota as it is does not carry. The look is audited."""
    act.need("appointments.read")
    found = _hits(act, set())
    act.note_shown("appointments.hits_listed", [row.patient_id for row in found])
    return Hits(found)


def would_hit(act: Act, work: Callable[[], object], *, leave_of: int | None = None) -> Hits:
    """What would this withdrawal of hours hit that is carried today? It is rehearsed, not done.

    `leave_of`: the member of staff whose leave it is; visits with them at other sites are counted.
    """
    act.need("appointments.rota")
    known = {visit.id: why for visit, why in _lost(act)}
    late = {row.referral_id for row in _too_late(act)}
    broken = {each.message for each in rota_page(act).findings}

    def look() -> Hits:
        elsewhere = () if leave_of is None else _elsewhere(act, leave_of)
        return Hits(
            _hits(act, set(known)), elsewhere,
            tuple(row for row in _too_late(act) if row.referral_id not in late),
            tuple(each for each in rota_page(act).findings if each.message not in broken),
        )  # fmt: skip

    found = rehearsed(act, work, look)
    shown = [*found.rows, *found.waiting]
    act.note_shown("appointments.hits_listed", [row.patient_id for row in shown])
    return found


def _too_late(act: Act) -> list[Waiting]:
    """Who waits without a visit, and would wait too long for the first place free."""
    return [row for row in wait_list(act).rows if row.visit_at is None and row.wait.over]


def _lost(act: Act) -> list[tuple[Visit, str]]:
    visits = act.session.scalars(
        select(Visit).where(
            Visit.site_id == act.site_id, Visit.status == "booked", Visit.starts_at > act.at
        )
    ).all()
    lost = off_rota(act, visits)
    return [(visit, lost[visit.id]) for visit in visits if visit.id in lost]


def _hits(act: Act, already: set[int]) -> tuple[Hit, ...]:
    lost = {visit.id: (visit, why) for visit, why in _lost(act) if visit.id not in already}
    if not lost:
        return ()
    service = facts.service(act.session, act.site_id or 0)
    model = service.model_on(act.today)
    first, last = act.today, act.today + facts.LOOK_AHEAD
    places = {
        False: facts.places_to_offer(act.session, service, first, last, act.at),
        True: facts.routine_places(act.session, service, first, last, act.at),
    }
    names = staff_names(act, service.resources)
    rows = act.session.execute(
        select(
            Visit.id, Patient.family_name, Patient.given_name, Referral.risk, Referral.referred_at
        )
        .join(Patient, Patient.id == Visit.patient_id)
        .outerjoin(Referral, Referral.id == Visit.referral_id)
        .where(Visit.id.in_(lost))
    ).all()  # fmt: skip
    found = []
    for row in sorted(rows, key=lambda row: _urgency(act, model, row)):
        visit, why = lost[row.id]
        busy = [
            (starts, ends)
            for starts, ends in facts.busy(act.session, visit.patient_id, act.at)
            if (starts, ends) != (visit.starts_at, visit.ends_at)
        ]
        place = None
        if visit.kind != REVIEW:  # day 2 or 3 has a page of its own to be moved on
            free = places[visit.kind in ROUTINE]
            place = next(iter(slots.first_feasible(free, busy, 1)), None)
        if place is not None:  # two visits are not sent to one place
            for kind, others in places.items():
                places[kind] = [
                    each
                    for each in others
                    if (each.starts_at, each.doctor_id) != (place.starts_at, place.doctor_id)
                ]
        found.append(
            Hit(
                visit.id, visit.version, visit.patient_id,
                f"{row.family_name.upper()}, {row.given_name}", visit.starts_at, why,
                place and Move(place, names[place.doctor_id], names[place.worker_id]),
                row.referred_at
                and wait(
                    model, row.referred_at, act.today,
                    offered_at=place and place.starts_at, looked_to=last,
                ),
                visit.day_number,
            )
        )  # fmt: skip
    return tuple(found)


def _urgency(act: Act, model: PrescribingModel | None, row: Any) -> tuple[Any, ...]:
    """As the wait list: by time left to the limit, then clinical risk, never by name."""
    referred_at = row.referred_at or act.at
    judged = wait(model, referred_at, act.today)
    return urgency(Person(row.id, judged.breaches_at, row.risk, referred_at))


def _elsewhere(act: Act, staff_id: int) -> tuple[tuple[str, int], ...]:
    """Booked visits with this person at other sites that fall into leave of theirs, by site."""
    away = [
        each
        for each in act.session.execute(facts.AWAY, {"people": [staff_id]})
        if each.ends_at > act.at
    ]
    held = (
        select(Site.name, Visit.starts_at, Visit.ends_at)
        .join(Visit, Visit.site_id == Site.id)
        .join(VisitHold, VisitHold.visit_id == Visit.id)
        .join(Resource, Resource.id == VisitHold.resource_id)
        .where(
            Resource.staff_id == staff_id, Site.id != act.site_id, Visit.status == "booked",
            VisitHold.released_at.is_(None), Visit.starts_at > act.at,
        )
    )  # fmt: skip
    count: dict[str, int] = {}
    for name, starts, ends in act.session.execute(held):
        if any(each.starts_at < ends and starts < each.ends_at for each in away):
            count[name] = count.get(name, 0) + 1
    return tuple(sorted(count.items()))
