"""Which places were freed, who is first in order for each, and how does each offer stand?

Whether a place is still to be had is worked out from the rota and the holds each time, so a task
never outlives its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select

from clinic.act import Act
from clinic.appointments import facts, queries
from clinic.appointments.models import Referral, Visit, VisitEvent
from clinic.appointments.waiting_models import FreedPlace, PlaceOffer
from clinic.errors import NotFound
from clinic.patients.models import Patient
from dosing.days import london_day
from scheduling.waiting import (
    DECLINED,
    LAPSED,
    NO_PLACE_TO_GIVE,
    NOT_ASKED,
    candidates,
    offer_until,
)

OPEN = "open"
STATES = {
    OPEN: "Free",
    "taken": "Taken again",
    "begun": "Begun",
    "off_rota": "No longer on the rota",
    "superseded": "Taken and freed once more since",
}


@dataclass(frozen=True)
class Offered:
    """One offer of a freed place, with whom it was made to and how it stands now."""

    row: PlaceOffer
    family_name: str
    given_name: str
    stands: str

    @property
    def listed_name(self) -> str:
        return f"{self.family_name.upper()}, {self.given_name}"


@dataclass(frozen=True)
class Task:
    """A freed place: how it stands, its standing offer, and whom to ask, the first in order first.

    `asked`: referral to what came of an earlier offer. `until`: when an offer made now would
    lapse; None: too late to offer.
    """

    row: FreedPlace
    state: str
    doctor: str
    worker: str
    candidates: tuple[queries.Waiting, ...]
    asked: dict[int, str]
    offers: tuple[Offered, ...]
    until: datetime | None

    @property
    def standing(self) -> Offered | None:
        return next((each for each in self.offers if each.stands == "offered"), None)


def freed_places(act: Act) -> list[Task]:
    """Every place freed at this site that is still to be had, in order of time."""
    act.need("appointments.read")
    no_place = exists().where(
        VisitEvent.visit_id == FreedPlace.visit_id, VisitEvent.verb == "cancelled",
        VisitEvent.recorded_at == FreedPlace.freed_at, VisitEvent.reason.in_(NO_PLACE_TO_GIVE),
    )  # fmt: skip
    rows = act.session.scalars(
        select(FreedPlace)
        .where(
            FreedPlace.site_id == act.site_id, FreedPlace.superseded_at.is_(None),
            FreedPlace.starts_at > act.at, ~no_place,
        )
        .order_by(FreedPlace.starts_at, FreedPlace.id)
    ).all()  # fmt: skip
    return [each for each in tasks(act, rows) if each.state == OPEN]


def freed_place(act: Act, place_id: int) -> Task:
    """One freed place of this site, whatever became of it."""
    act.need("appointments.read")
    row = act.session.get(FreedPlace, place_id)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such freed place at this site.")
    return tasks(act, [row])[0]


def tasks(act: Act, rows: Sequence[FreedPlace]) -> list[Task]:
    """These freed places with their candidates and offers."""
    if not rows:
        return []
    states = _states(act, rows)
    offers = _offers(act, rows)
    anyone = any(each == OPEN for each in states.values())
    waiting = queries.wait_list(act).rows if anyone else ()
    waiting = tuple(row for row in waiting if not row.crack_pathway)
    busy = _busy(act, [row.patient_id for row in waiting])
    elsewhere = _offered_now(act, [row.referral_id for row in waiting])
    names = queries.staff_names(act, [i for row in rows for i in (row.doctor_id, row.worker_id)])
    gave_up = _referrals_of(act, [row.visit_id for row in rows])
    made = []
    for row in rows:
        asked = _asked(offers.get(row.id, ()))
        people = {
            each.referral_id: each
            for each in waiting
            if elsewhere.get(each.referral_id, row.id) == row.id
        }
        found = candidates(
            row.starts_at, row.ends_at,
            [
                replace(
                    each.person, asked=asked.get(each.referral_id, NOT_ASKED),
                    busy=tuple(
                        (since, until)
                        for visit, since, until in busy.get(each.patient_id, ())
                        if visit != each.visit_id
                    ),
                )
                for each in people.values()
            ],
            gave_up.get(row.visit_id, ()),
        )  # fmt: skip
        is_open = states[row.id] == OPEN
        made.append(
            Task(
                row, states[row.id], names[row.doctor_id], names[row.worker_id],
                tuple(people[each.referral_id] for each in found) if is_open else (), asked,
                offers.get(row.id, ()), offer_until(row.starts_at, act.at),
            )
        )  # fmt: skip
    return made


def _states(act: Act, rows: Sequence[FreedPlace]) -> dict[int, str]:
    ahead = [row for row in rows if row.superseded_at is None and row.starts_at > act.at]
    free: set[Any] = set()
    rota: set[Any] = set()
    if ahead:
        days = [london_day(row.starts_at) for row in ahead]
        service = facts.service(act.session, act.site_id or 0)
        first, last = min(days), max(days)
        free = set(map(_key, facts.free_places(act.session, service, first, last, act.at)))
        rota = set(map(_key, service.places(first, last)))

    def state(row: FreedPlace) -> str:
        if row.superseded_at is not None:
            return "superseded"
        if row.starts_at <= act.at:
            return "begun"
        if _key(row) in free:
            return OPEN
        return "taken" if _key(row) in rota else "off_rota"

    return {row.id: state(row) for row in rows}


def _key(place: Any) -> tuple[Any, ...]:
    return place.starts_at, place.ends_at, place.doctor_id, place.worker_id


def _offers(act: Act, rows: Iterable[FreedPlace]) -> dict[int, tuple[Offered, ...]]:
    found: dict[int, tuple[Offered, ...]] = {}
    for offer, family, given in act.session.execute(
        select(PlaceOffer, Patient.family_name, Patient.given_name)
        .join(Referral, Referral.id == PlaceOffer.referral_id)
        .join(Patient, Patient.id == Referral.patient_id)
        .where(PlaceOffer.freed_place_id.in_([row.id for row in rows]))
        .order_by(PlaceOffer.id)
    ):
        made = Offered(offer, family, given, offer.standing(act.at))
        found[offer.freed_place_id] = (*found.get(offer.freed_place_id, ()), made)
    return found


def _asked(offers: Iterable[Offered]) -> dict[int, str]:
    """What came of the newest offer to each that still counts."""
    words = {"declined": DECLINED, "lapsed": LAPSED, "offered": NOT_ASKED}
    return {
        each.row.referral_id: words[each.stands] for each in offers if each.stands in words
    }  # fmt: skip


def _busy(act: Act, patient_ids: list[int]) -> dict[int, list[tuple[int, datetime, datetime]]]:
    """The standing visits ahead of these patients, at any site."""
    found: dict[int, list[tuple[int, datetime, datetime]]] = {}
    for row in act.session.execute(
        select(Visit.id, Visit.patient_id, Visit.starts_at, Visit.ends_at).where(
            Visit.patient_id.in_(patient_ids), Visit.takes_time(act.at), Visit.ends_at > act.at,
        )
    ):  # fmt: skip
        found.setdefault(row.patient_id, []).append((row.id, row.starts_at, row.ends_at))
    return found


def _offered_now(act: Act, referral_ids: list[int]) -> dict[int, int]:
    """Which of these hold an offer that stands, and of which freed place."""
    rows = act.session.execute(
        select(PlaceOffer.referral_id, PlaceOffer.freed_place_id).where(
            PlaceOffer.referral_id.in_(referral_ids), PlaceOffer.answer.is_(None),
            PlaceOffer.lapsed_at.is_(None), PlaceOffer.struck_at.is_(None),
            PlaceOffer.until_at > act.at,
        )
    )  # fmt: skip
    return {row.referral_id: row.freed_place_id for row in rows}


def _referrals_of(act: Act, visit_ids: list[int]) -> dict[int, tuple[int, ...]]:
    rows = act.session.execute(
        select(Visit.id, Visit.referral_id).where(
            Visit.id.in_(visit_ids), Visit.referral_id.is_not(None)
        )
    )
    return {row.id: (row.referral_id,) for row in rows if row.referral_id is not None}
