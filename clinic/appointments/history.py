"""What was done to a referral or a visit, and what does taking the last step back give?

Every step is a row that holds how things stood after it. Undoing adds a row too: the history is
walked as a pile, where `undone` takes the top one off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import insert, select

from clinic.act import Act
from clinic.appointments.models import Referral, ReferralEvent, Visit, VisitEvent
from clinic.errors import Conflict, Stale
from clinic.staff.models import Staff

UNDONE = "undone"
Follower = Callable[[Act, Visit], None]
_FOLLOWERS: list[Follower] = []
Kept = Referral | Visit
Event = TypeVar("Event", ReferralEvent, VisitEvent)


def follows_visits(follower: Follower) -> Follower:
    """A room that hears of every step of a visit after its booking, in the step's own transaction."""
    _FOLLOWERS.append(follower)
    return follower


def state_of(row: Kept) -> dict[str, Any]:
    """How the row stands, as plain JSON; instants in ISO form."""
    return as_json({name: getattr(row, name) for name in type(row).STATE})


def as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def put_back(row: Kept, state: Mapping[str, Any]) -> None:
    """Let the row stand as it did in `state`."""
    for name in type(row).STATE:
        value = state.get(name)  # a step from before this was kept had none of it
        if name.endswith("_at") and value is not None:
            value = datetime.fromisoformat(value)
        if getattr(row, name) != value:
            setattr(row, name, value)


def add(
    act: Act,
    row: Kept,
    verb: str,
    *,
    at: datetime | None = None,
    reason: str | None = None,
    by_whom: str | None = None,
    note: str | None = None,
    more: Mapping[str, Any] | None = None,
    by: int | None = None,
) -> None:
    """Add a step: `at` is when it happened (now when not said), beside when it was recorded.

    `by`: whose step it is, when it is not of whoever does this.
    """
    act.session.flush()
    key, add_step = _ADD[type(row)]
    act.session.execute(
        add_step,
        {
            key: row.id, "verb": verb, "at": at or act.at, "reason": reason, "by_whom": by_whom,
            "note": (note or "").strip() or None, "state": state_of(row) | dict(more or {}),
            "recorded_at": act.at, "recorded_by": by or act.staff_id,
        },
    )  # fmt: skip
    if isinstance(row, Visit) and verb not in _BEGINNINGS:
        for follower in _FOLLOWERS:
            follower(act, row)


_BEGINNINGS = ("booked", "held", "confirmed")
_ADD = {
    Visit: ("visit_id", insert(VisitEvent.__table__)),
    Referral: ("referral_id", insert(ReferralEvent.__table__)),
}


def events(act: Act, row: Kept) -> Sequence[Any]:
    """Every step, oldest first."""
    if isinstance(row, Visit):
        return act.session.scalars(
            select(VisitEvent).where(VisitEvent.visit_id == row.id).order_by(VisitEvent.id)
        ).all()
    return act.session.scalars(
        select(ReferralEvent).where(ReferralEvent.referral_id == row.id).order_by(ReferralEvent.id)
    ).all()


def standing(steps: Sequence[Event]) -> list[Event]:
    """The steps that still count: those undone are gone, and so are the undoings."""
    pile: list[Event] = []
    for step in steps:
        if step.verb == UNDONE:
            pile.pop()
        else:
            pile.append(step)
    return pile


def check_version(act: Act, row: Kept, version: int) -> None:
    """Stale, naming who changed it and when, unless `version` is the row's own."""
    if row.version == version:
        return
    last = events(act, row)[-1]
    name = act.session.scalar(select(Staff.name).where(Staff.id == last.recorded_by))
    raise Stale(
        f"{name} changed this ({last.verb.replace('_', ' ')}) since you read it.",
        more={
            "version": row.version,
            "changed_by": name,
            "changed_at": last.recorded_at.isoformat(),
        },
    )


def undoable(steps: Sequence[Any]) -> tuple[Any, Any] | None:
    """The step that can be taken back and the one to go back to, if any.

    No step leads back to a hold: its minutes are over.
    """
    pile = standing(steps)
    if len(pile) < 2 or pile[-2].state.get("status") in ("held", "let_go"):
        return None
    return pile[-1], pile[-2]


def last_but_one(act: Act, row: Kept) -> tuple[Any, Any]:
    """The step to take back and the one to go back to. Conflict when there is none."""
    found = undoable(events(act, row))
    if found is None:
        raise Conflict("There is nothing to undo here. Cancel or close it instead.")
    return found
