"""A plan that was found, as its row keeps it: plain values, ids for people, words for reasons.

It says what changes against the sessions that stand, who is short of what and why, and how good it
is proved to be. No reason names another person.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scheduling.group_board import Held
from scheduling.group_causes import Shortfall
from scheduling.group_plan import Move, finish
from scheduling.group_solver import Solved
from scheduling.groups import GroupFacts, Pin, Session


def as_kept(known: GroupFacts, asked: GroupFacts, solved: Solved) -> dict[str, Any]:
    """What was found. `asked`: what the solver knew, `known` and the pins of a plan beside it."""
    held = [
        Held(
            each.session if (each.session.id or 0) >= 0 else replace(each.session, id=None),
            each.seats,
        )
        for each in solved.plan.sessions
    ]  # fmt: skip
    pinned = {(seat.session_id, seat.person_id) for seat in asked.seats if seat.pinned}
    plan = finish(known, held)
    return {
        "sessions": [
            _session(each.session) | {
                "seats": list(each.seats),
                "pinned": [who for who in each.seats if (was.session.id, who) in pinned],
            }
            for each, was in zip(held, solved.plan.sessions, strict=True)
        ],
        "short": [_short(each) for each in plan.short],
        "moves": [_move(each) for each in plan.moves],
        "levels": [
            {"name": each.name, "value": each.value, "bound": each.bound, "gap": each.gap,
             "proved": each.proved}
            for each in solved.levels
        ],
        "missing": plan.missing,
        "seats": plan.seats,
        "unkept": bool(solved.plan.unkept or solved.clash),
        "clash": None if solved.clash is None else {
            "pins": [_pin(asked, pin) for pin in solved.clash.pins],
            "because": [str(bar) for bar in solved.clash.bars],
        },
    }  # fmt: skip


def _session(session: Session) -> dict[str, Any]:
    return {
        "id": session.id, "topic": session.topic, "estate": session.estate,
        "starts_at": session.starts_at.isoformat(), "ends_at": session.ends_at.isoformat(),
        "room_id": session.room_id, "carat_id": session.carat_id,
        "clinical_id": session.clinical_id, "places": session.places,
    }  # fmt: skip


def _short(each: Shortfall) -> dict[str, Any]:
    return {
        "reception": each.person_id, "week": each.week.number,
        "from_on": each.week.first_on.isoformat(), "to_on": each.week.last_on.isoformat(),
        "missing": each.missing, "hard": each.week.hard,
        "because": [{"code": cause.code, "says": str(cause)} for cause in each.because],
        "ask": str(each.relaxation),
    }  # fmt: skip


def _move(move: Move) -> dict[str, Any]:
    return {
        "what": move.what, "reception": move.person_id, "told": move.told,
        "was": move.was and _session(move.was), "now": move.now and _session(move.now),
        "forced": list(dict.fromkeys(str(bar) for bar in move.forced)),
    }  # fmt: skip


def _pin(asked: GroupFacts, pin: Pin) -> dict[str, Any]:
    if isinstance(pin, Session):
        return {"reception": None, "session": _session(pin)}
    session = next((each for each in asked.sessions if each.id == pin.session_id), None)
    return {"reception": pin.person_id, "session": session and _session(session)}
