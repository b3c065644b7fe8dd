"""Offer a freed place to somebody who waits, record their answer, and take an offer back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update

from clinic.act import Act, command
from clinic.appointments import commands, waiting_queries
from clinic.appointments.chain import Arranged
from clinic.appointments.models import Referral, Visit
from clinic.appointments.waiting_models import ANSWERS, FreedPlace, PlaceOffer
from clinic.errors import Conflict, Invalid, NotFound, one_of, says
from clinic.patients.access import open_record
from clinic.turns import strike, why
from clinic.ui import clock_time, moment
from scheduling.waiting import too_late

for _name in ("uq_place_offer_standing", "place_offer.freed_place_id"):
    says(_name, "This place has just been offered to somebody.")
for _name in ("uq_place_offer_person", "place_offer.referral_id"):
    says(_name, "This person has just been offered a place.")


@command
def offer_place(
    act: Act, freed_place_id: int, *, referral_id: int, reason: str | None = None
) -> int:
    """Offer a freed place to somebody named for it, until the rule's time. Returns the offer's id.

    Anybody but the first in order needs a written reason. An offer holds nothing (WQ-02).
    """
    act.need("appointments.book")
    place = _place(act, freed_place_id)
    task = waiting_queries.freed_place(act, freed_place_id)
    if task.state != waiting_queries.OPEN:
        raise Conflict(f"{waiting_queries.STATES[task.state]}: this place cannot be offered.")
    if task.standing is not None:
        until = task.standing.row.until_at
        raise Conflict(
            f"This place is offered to somebody until {clock_time(until)}.",
            more={"until_at": until.isoformat()},
        )
    if task.until is None:
        raise Conflict(too_late())
    order = [each.referral_id for each in task.candidates]
    if referral_id not in order:
        raise Invalid.field("referral_id", "must be one of the people named for this place")
    why_not_first = None if referral_id == order[0] else why(reason)
    chosen = task.candidates[order.index(referral_id)]
    open_record(act, chosen.patient_id, "appointments.offering", right="appointments.book")
    _lapse(act, place.id, referral_id)
    row = PlaceOffer(
        freed_place_id=place.id, referral_id=referral_id, until_at=task.until,
        reason=why_not_first, lapsed_at=None, answer=None, answered_at=None, answered_by=None,
        note=None, visit_id=None, recorded_at=act.at, recorded_by=act.staff_id, struck_at=None,
        struck_by=None, struck_reason=None,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note(
        "appointments.place_offered", patient_id=chosen.patient_id, place=place.id, offer=row.id,
        referral=referral_id, rank=order.index(referral_id) + 1,
    )  # fmt: skip
    return row.id


def _place(act: Act, freed_place_id: int) -> FreedPlace:
    """The freed place, held until this transaction ends: one offer of it at a time."""
    row = act.session.scalar(
        select(FreedPlace).where(FreedPlace.id == freed_place_id).with_for_update()
    )
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such freed place at this site.")
    return row


def _lapse(act: Act, freed_place_id: int, referral_id: int) -> None:
    """Write down which offers lapsed by the clock, so that they no longer stand in the way."""
    act.session.execute(
        update(PlaceOffer)
        .where(
            or_(
                PlaceOffer.freed_place_id == freed_place_id, PlaceOffer.referral_id == referral_id
            ),
            PlaceOffer.answer.is_(None), PlaceOffer.lapsed_at.is_(None),
            PlaceOffer.struck_at.is_(None), PlaceOffer.until_at <= act.at,
        )
        .values(lapsed_at=PlaceOffer.until_at)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def offer_here(act: Act, offer_id: int) -> tuple[PlaceOffer, FreedPlace, Referral]:
    """An offer made at this site, with its place and the referral it was made to."""
    offer = act.session.get(PlaceOffer, offer_id, populate_existing=True)
    place = None if offer is None else act.session.get(FreedPlace, offer.freed_place_id)
    if offer is None or place is None or place.site_id != act.site_id:
        raise NotFound("There is no such offer at this site.")
    return offer, place, act.session.get_one(Referral, offer.referral_id)


@command
def answer_offer(
    act: Act, offer_id: int, *, answer: str, note: str | None = None,
    arrangements: Sequence[Arranged] = (),
) -> PlaceOffer:  # fmt: skip
    """The person said yes or no. Yes books the place, or moves their later visit there.

    Conflict when the offer lapsed or somebody else has the place by now. `arrangements`: as for a
    booking, under model 3.
    """
    act.need("appointments.book")
    one_of("answer", answer, ANSWERS)
    offer, place, referral = offer_here(act, offer_id)
    _place(act, place.id)
    act.session.refresh(offer)
    open_record(act, referral.patient_id, "appointments.offering", right="appointments.book")
    if not offer.stands(act.at):
        raise Conflict(_over(offer, act.at))
    if answer == "accepted":
        offer.visit_id = _book(act, place, referral.id, arrangements)
    offer.answer, offer.answered_at, offer.answered_by = answer, act.at, act.staff_id
    offer.note = (note or "").strip() or None
    act.session.flush()
    act.note(
        f"appointments.offer_{answer}", patient_id=referral.patient_id, place=place.id,
        offer=offer.id,
    )  # fmt: skip
    return offer


def _over(offer: PlaceOffer, at: datetime) -> str:
    stands = offer.standing(at)
    if stands == "lapsed":
        return f"This offer lapsed: it stood until {moment(offer.until_at)}. Offer the place again."
    return f"This offer is over: {stands.replace('_', ' ')}."


def _book(act: Act, place: FreedPlace, referral_id: int, arrangements: Sequence[Arranged]) -> int:
    """The place for this person: booked, or their later visit moved to it."""
    wanted: dict[str, Any] = {
        "starts_at": place.starts_at, "doctor_id": place.doctor_id,
        "worker_id": place.worker_id, "arrangements": arrangements,
    }  # fmt: skip
    booked = act.session.scalar(
        select(Visit).where(Visit.referral_id == referral_id, Visit.status == "booked")
    )
    if booked is None:
        return commands.book_visit(act, referral_id=referral_id, **wanted).id
    return commands.move_visit(
        act, booked.id, version=booked.version, **wanted, look_first=False
    ).id


@command
def take_back_offer(act: Act, offer_id: int, *, reason: str) -> PlaceOffer:
    """An offer or an answer was recorded in error: it stays on record and counts no more.

    Conflict for one that booked a visit: cancel or move the visit.
    """
    act.need("appointments.book")
    offer, place, referral = offer_here(act, offer_id)
    text = why(reason)
    _place(act, place.id)
    act.session.refresh(offer)
    open_record(act, referral.patient_id, "appointments.offering", right="appointments.book")
    if offer.struck_at is not None:
        raise Conflict("This offer was already taken back.")
    if offer.answer == "accepted":
        raise Conflict(
            "The place is booked. Cancel or move the visit.", more={"visit_id": offer.visit_id}
        )
    strike(act, offer, act.at, text)
    act.note(
        "appointments.offer_taken_back", patient_id=referral.patient_id, place=place.id,
        offer=offer.id,
    )  # fmt: skip
    return offer
