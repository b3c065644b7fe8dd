"""Each change of an induction's days, as commands carry it out: start, move, cancel, plan anew, undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments import facts, freed, history, writes
from clinic.appointments.chain import (
    CHANGE,
    STANDING,
    Arranged,
    Rest,
    add_arrangement,
    chain_here,
    put,
    standing_now,
    visits_of_chain,
)
from clinic.appointments.chain_models import ChainArrangement, VisitChain
from clinic.appointments.chain_preview import ARRIVED, CANCELLED, MISSED, MOVES, Row
from clinic.appointments.models import REVIEW, Visit
from clinic.errors import Conflict, Invalid
from clinic.turns import strike
from scheduling import chains
from scheduling.chains import Review
from scheduling.slots import Place

TAKEN_BACK = "taken_back"
"""With a step that cancels a visit because the change that booked it was taken back."""


def start(
    act: Act,
    service: facts.Service,
    *,
    patient_id: int,
    referral_id: int,
    place: Place,
    arrangements: Sequence[Arranged],
) -> Rest:
    """An induction is booked: its next days, planned and arranged for.

    Days 2 and 3 of an induction that did not take place follow the new start.
    """
    writes.one_chooses(act.session, act.site_id or 0)
    rest = Rest(act, service, patient_id, referral_id, place.starts_at)
    known = act.session.scalar(
        select(VisitChain)
        .where(VisitChain.referral_id == referral_id, VisitChain.site_id == act.site_id)
        .order_by(VisitChain.id.desc())
        .limit(1)
        .with_for_update()
    )
    if known is not None:
        stand = [each for each in visits_of_chain(act, known.id) if each.status in STANDING]
        if stand and stand[0].day_number != 1:
            rest.chain = known
            rest.put_aside(each for each in stand if each.status == "booked")
    rest.plan()
    rest.arrange(arrangements)
    return rest


def rest_of(act: Act, service: facts.Service, chain_id: int) -> tuple[Rest, dict[int, Visit]]:
    """A chain to be changed, and its standing visits by day."""
    chain = chain_here(act, chain_id)
    writes.one_chooses(act.session, chain.site_id)
    visits = visits_of_chain(act, chain.id)
    stand = {each.day_number or 0: each for each in visits if each.status in STANDING}
    firsts = [each for each in visits if each.day_number == 1]
    day_1 = stand.get(1) or firsts[-1]
    rest = Rest(act, service, chain.patient_id, chain.referral_id, day_1.starts_at, chain)
    rest.lost = {each.day_number or 0: each for each in visits if each.day_number not in stand}
    return rest, stand


def moving(
    act: Act,
    service: facts.Service,
    visit: Visit,
    place: Place,
    *,
    arrangements: Sequence[Arranged],
    shown: str | None,
    look_first: bool,
) -> Rest:
    """Day 1 moves to another place: the days that follow, looked at and agreed to."""
    rest, stand = rest_of(act, service, visit.chain_id or 0)
    rest.day_1 = place.starts_at
    rest.gone.append(visit)
    rest.put_aside(each for number, each in sorted(stand.items()) if number > 1)
    rest.plan()
    row = Row(
        1, visit.id, visit.version, (visit.starts_at, visit.ends_at),
        (place.starts_at, place.until), MOVES, place.doctor_id, place.nurse_id,
    )  # fmt: skip
    rest.picture(row)
    rest.agreed(shown, look_first=look_first)
    rest.arrange(arrangements)
    return rest


def cancelling(
    act: Act,
    service: facts.Service,
    visit: Visit,
    *,
    keep_rest: bool,
    shown: str | None,
    look_first: bool,
) -> Rest:
    """A day is cancelled, and with it all later ones unless they are kept."""
    number = visit.day_number or 0
    if keep_rest and number == 1:
        raise Invalid.field("keep_rest", "cannot be: without day 1 there is no day 2 or 3")
    rest, stand = rest_of(act, service, visit.chain_id or 0)
    later = [each for day, each in sorted(stand.items()) if day > number]
    rest.kept = {
        day: each
        for day, each in stand.items()
        if day < number or (day > number and (keep_rest or each.status == ARRIVED))
    }
    rest.gone.append(visit)
    if not keep_rest:
        rest.put_aside(each for each in later if each.status == "booked")
    if visit.kind == REVIEW:
        rest.given_up(visit, "cancelled")
    if number > 1 and rest.kept:
        rest.plan(first=chains.DAYS + 1, made_on=_made(act, rest.patient_id, stand))
    row = Row(
        number, visit.id, visit.version, (visit.starts_at, visit.ends_at), None, CANCELLED
    )  # fmt: skip
    rest.picture(row, cancelled=number == 1)
    rest.agreed(shown, look_first=look_first)
    return rest


def missing(
    act: Act,
    service: facts.Service,
    visit: Visit,
    version: int,
    *,
    arrangements: Sequence[Arranged],
    shown: str | None,
) -> Rest | None:
    """A day was missed, and the visit says so already: what becomes of the others, looked at.

    Without day 1 nothing follows: they are cancelled. None when no other day changes.
    """
    rest, stand = rest_of(act, service, visit.chain_id or 0)
    ahead = [each for _, each in sorted(stand.items()) if each.status == "booked"]
    if 1 not in stand:
        if not ahead:
            return None
        rest.put_aside(ahead)
        span = visit.starts_at, visit.ends_at
        rest.picture(Row(visit.day_number or 0, visit.id, version, span, None, MISSED))
    else:
        over = max((day for day, each in stand.items() if each.status == ARRIVED), default=0)
        if (visit.day_number or 0) < over:
            return None
        plan_missing(rest, stand, {})
        rest.picture(None)
    rest.agreed(shown, look_first=True, always=True)
    if 1 in stand:
        rest.arrange(arrangements)
    return rest


def _made(act: Act, patient_id: int, stand: Mapping[int, Visit]) -> set[date]:
    """The days they were in contact, once they have begun."""
    if 1 not in stand or stand[1].status != ARRIVED:
        return set()
    return set(standing_now(act, patient_id).contact_days)


def plan_missing(rest: Rest, stand: Mapping[int, Visit], chosen: Mapping[int, Review]) -> None:
    """Plan the days from the first that is missing, or chosen, on."""
    begun = 1 in stand and stand[1].status == ARRIVED
    over = max((day for day, each in stand.items() if each.status == ARRIVED), default=0)
    missing = [day for day in range(2, chains.DAYS + 1) if day not in stand and day > over]
    first = min([*missing, *chosen], default=None)
    if first is None:
        raise Conflict("Every day of this induction stands: there is nothing to plan anew.")
    rest.kept = {day: each for day, each in stand.items() if day < first or each.status == ARRIVED}
    rest.put_aside(each for day, each in sorted(stand.items()) if day not in rest.kept)
    made_on = _made(rest.act, rest.patient_id, stand)
    rest.plan(chosen=chosen, first=first, pass_over=begun or bool(chosen), made_on=made_on)


def undo(act: Act, visit: Visit, change: int, reason: str) -> None:
    """Take a change of the whole chain back, each day to where it was, if that is still free."""
    chain = chain_here(act, visit.chain_id or 0)
    writes.one_chooses(act.session, chain.site_id)
    piles = {
        each.id: (each, history.standing(history.events(act, each)))
        for each in visits_of_chain(act, chain.id)
    }
    touched = [
        (each, pile) for each, pile in piles.values() if pile and _change(pile[-1]) == change
    ]
    for each, pile in piles.values():
        if any(_change(step) == change for step in pile[:-1]) and not _taken_back(pile):
            raise Conflict(f"Day {each.day_number} has changed since. Take that back first.")
        if not _taken_back(pile) and any(_change(step) > change for step in pile):
            raise Conflict("The days have changed since. Take that back first.")
    for each, pile in touched:
        moved = pile[-1].verb == "moved"
        if moved and datetime.fromisoformat(pile[-2].state["starts_at"]) <= act.at:
            raise Conflict(f"Where day {each.day_number} was has already begun.")
    for each, pile in touched:
        freed.release(act, each.id, because="moved" if pile[-1].verb == "moved" else None)
    put(act=act, table=Visit, ids=[each.id for each, _ in touched], status="cancelled")
    for each, pile in touched:
        _undo_one(act, each, pile, reason)
    _undo_arrangements(act, chain, change)
    chain.version += 1
    act.session.flush()


def may_undo_alone(steps: Sequence[Any]) -> bool:
    """Is the last step one of this day only: that they came, or did not?"""
    pile = history.standing(steps)
    return len(pile) > 1 and pile[-1].verb in ("arrived", "did_not_attend")


def _taken_back(pile: Sequence[Any]) -> bool:
    """Was this visit booked by a change that was taken back?"""
    return bool(pile) and bool(pile[-1].state.get(TAKEN_BACK))


def _change(step: Any) -> int:
    return int(step.state.get(CHANGE, 0))


def change_to_undo(steps: Sequence[Any]) -> int | None:
    """The change of a whole chain that the last step belongs to; the booking itself is none."""
    pile = history.standing(steps)
    change = _change(pile[-1]) if pile else 0
    return change if change > 1 else None


def _undo_one(act: Act, visit: Visit, pile: Sequence[Any], reason: str) -> None:
    if len(pile) < 2:
        put(act=act, table=Visit, ids=[visit.id], version=visit.version + 1)
        act.session.refresh(visit)
        history.add(
            act, visit, "cancelled", reason="in_error", by_whom="service", note=reason,
            more={TAKEN_BACK: True},
        )  # fmt: skip
    else:
        state = pile[-2].state
        values = {
            name: datetime.fromisoformat(value) if name.endswith("_at") and value else value
            for name, value in ((name, state.get(name)) for name in Visit.STATE)
        }
        put(act=act, table=Visit, ids=[visit.id], **values, version=visit.version + 1)
        act.session.refresh(visit)
        if visit.status != "cancelled":
            # That somebody came or not keeps no holds of its own: those of the step before stand.
            held = next(step.state for step in reversed(pile[:-1]) if writes.HOLDS in step.state)
            writes.add_holds(act.session, visit.id, writes.from_json(held))
        history.add(act, visit, history.UNDONE, reason=pile[-1].verb, note=reason)
    act.note("appointments.undone", patient_id=visit.patient_id, visit=visit.id, verb=pile[-1].verb)


def _undo_arrangements(act: Act, chain: VisitChain, change: int) -> None:
    rows = act.session.scalars(
        select(ChainArrangement)
        .where(ChainArrangement.chain_id == chain.id)
        .order_by(ChainArrangement.id)
    ).all()
    for row in rows:
        if row.change == change and row.struck_at is None:
            row.struck_change = chain.version + 1
            strike(act, row, act.at, "The change of days was taken back.")
    for row in rows:
        if row.struck_change == change and row.on >= act.today:
            again = Arranged(row.on, row.kind, row.who, row.contact, row.by_time, row.note)
            add_arrangement(act, chain, again, chain.version + 1)
