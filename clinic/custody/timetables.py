"""Ask the rules what is due in the 28 days of a stay, and keep what they answered.

Each answer that could differ in a date is saved as the next version, with a row an item laid out
for the worklists. A version is never changed; what was delivered since is worked out on reading.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, update

from clinic.act import Act
from clinic.calendars import holiday_lists
from clinic.custody import facts
from clinic.custody.models import Exit, Reception, Timetable, TimetableItem, Transfer
from clinic.errors import Invalid, NotFound
from dosing.days import end_of, london_day
from dosing.shape import Answer, Refused
from scheduling.custody import plan


def calendar_moved_dates(act: Act, reception: Reception) -> bool:
    """Would today's calendars give this stay other dates than its timetable shows?"""
    saved = current_timetable(act, reception)
    if saved is None:
        return False
    now = plan_now(act, reception, saved.plan_made_on, facts.read_elsewhere(act, reception))
    return due_dates(now) != due_dates(saved.answer)


def due_dates(answer: Answer) -> dict[tuple[str, str | None], str | None]:
    """The date of every item, by item and hearing."""
    return {(row["item"], row["for_on"]): row["due_on"] for row in answer["items"]}


def current_timetable(act: Act, reception: Reception) -> Timetable | None:
    """The newest version of the 28 days; None while there are none to plan here (`_none_to_plan`)."""
    if _none_to_plan(act, reception):
        return None
    return _newest(act, reception)


def _none_to_plan(act: Act, reception: Reception) -> bool:
    """Was no drug misuse found, or were the 28 days over before they came from another prison?"""
    detail = facts.detail_of(act.session, reception)
    return detail.screening == "negative" or facts.over_on_arrival(reception, detail)


def _newest(act: Act, reception: Reception) -> Timetable | None:
    return act.session.scalar(
        select(Timetable)
        .where(Timetable.reception_id == reception.id)
        .order_by(Timetable.version.desc())
        .limit(1)
    )


def moved_dates(before: Answer, after: Answer) -> list[tuple[str, str | None]]:
    """The items (and hearings) whose date differs between two versions, in the newer one's order."""
    was, now = due_dates(before), due_dates(after)
    keys = (*now, *(key for key in was if key not in now))
    return [key for key in keys if was.get(key) != now.get(key)]


def last_version(act: Act, reception: Reception) -> int:
    found = act.session.scalar(
        select(func.max(Timetable.version)).where(Timetable.reception_id == reception.id)
    )
    return found or 0


def plan_now(
    act: Act, reception: Reception, plan_made_on: date, elsewhere: dict[str, Any]
) -> Answer:
    request = facts.timetable_request(
        act.session, reception, as_at=act.at, plan_made_on=plan_made_on, elsewhere=elsewhere
    )
    try:
        return plan(request, holiday_lists())
    except Refused as refused:
        field = refused.field.rpartition(".")[2]
        raise Invalid(
            f"The 28 days cannot be planned: {refused.field} {refused.message}",
            faults=[(field, refused.message)],
        ) from refused


def save(act: Act, reception: Reception, because: str) -> None:
    """Ask the rules, and save their answer as the next version with a row an item."""
    act.session.flush()
    version = last_version(act, reception) + 1
    before = _newest(act, reception)
    supersede_items(act, reception)
    if _none_to_plan(act, reception):
        reception.calendar_seen = None
        return
    elsewhere = facts.read_elsewhere(act, reception)
    answer = plan_now(act, reception, reception.plan_made_on, elsewhere)
    timetable = Timetable(
        reception_id=reception.id, version=version, made_at=act.at, made_by=act.staff_id,
        plan_made_on=reception.plan_made_on, calendar_version=answer["calendar_version"],
        because=because, elsewhere=elsewhere, answer=answer,
        moved=len(moved_dates(before.answer, answer)) if before else 0,
    )  # fmt: skip
    act.session.add(timetable)
    reception.calendar_seen = timetable.calendar_version
    act.session.flush()
    transfer = facts.row_of(act.session, Transfer, reception.id)
    whose = _Whose(act, reception, transfer)
    gone = _gone(act, reception)
    act.session.add_all(
        TimetableItem(
            timetable_id=timetable.id, reception_id=reception.id, place=place,
            site_id=whose.site(row), rule=row["rule"],
            item=row["item"], for_on=_day(row["for_on"]), owner=row["owner"],
            escalate_to=row["escalate_to"], hard=row["hard"], due_on=_day(row["due_on"]),
            due_at=_moment(row["due_at"]), deadline=_deadline(row),
            amber_from=_moment(row["amber_from"]), done_at=_moment(row["done_at"]),
            state=_state(row, gone), clock_elsewhere=whose.is_elsewhere(row),
        )
        for place, row in enumerate(answer["items"], start=1)
    )  # fmt: skip
    act.session.flush()
    act.note(
        "custody.timetable_made", patient_id=reception.patient_id, reception=reception.id,
        timetable=timetable.id, version=version,
    )  # fmt: skip


def refresh_items(act: Act, reception: Reception) -> None:
    """What is done and what is open, after a delivery: it moves no date, so no version is made."""
    act.session.flush()
    saved = current_timetable(act, reception)
    if saved is None:
        return
    answer = plan_now(act, reception, saved.plan_made_on, saved.elsewhere)
    gone = _gone(act, reception)
    now = {(row["item"], _day(row["for_on"])): row for row in answer["items"]}
    for item in act.session.scalars(
        select(TimetableItem).where(TimetableItem.timetable_id == saved.id)
    ):
        row = now[item.item, item.for_on]
        item.done_at, item.state = _moment(row["done_at"]), _state(row, gone)


def supersede_items(act: Act, reception: Reception) -> None:
    act.session.execute(
        update(TimetableItem)
        .where(TimetableItem.reception_id == reception.id, TimetableItem.state != "superseded")
        .values(state="superseded")
    )


class _Whose:
    """Which prison works on an item, and whose clock is it?

    What fell due at a prison they were at before is that prison's. Where it is no site here the prison
    that keeps the stay does it all the same, on no clock of its own. What the receiving prison owes a
    move is its own throughout; what one outside owes is asked for by the sender.
    """

    def __init__(self, act: Act, reception: Reception, transfer: Transfer | None) -> None:
        self._now, self._transfer = reception.site_id, transfer
        detail = facts.detail_of(act.session, reception)
        self._before: list[tuple[date, int | None]] = []
        if facts.moved_in(detail):
            self._before.append((london_day(detail.received_at), None))
        for row in facts.passed_moves(act.session, reception.id):
            self._before.append((london_day(row.moved_at), row.from_site_id))

    def site(self, row: Answer) -> int | None:
        before = self._left_behind(row)
        if before:
            return before[0] or self._now
        if self._transfer is not None and row["prison"] == "receiving":
            there = self._transfer.receiving_site_id
            return self._now if there is None and row["rule"] == "TT-18" else there
        return self._now

    def is_elsewhere(self, row: Answer) -> bool:
        return self._left_behind(row) == [None]

    def _left_behind(self, row: Answer) -> list[int | None]:
        """The prison they were at when it fell due; empty where that is the one of now or to come."""
        due_on = _day(row["due_on"])
        if due_on is None or row["rule"] == "TT-18":
            return []
        return [site_id for on, site_id in self._before if due_on < on][:1]


def _gone(act: Act, reception: Reception) -> bool:
    """Have they left for good, or for a prison that is no site here? A transfer to one that is leaves
    the timetable running."""
    left = facts.row_of(act.session, Exit, reception.id)
    if left is not None and left.how == "transfer":
        return facts.moves_outside(act.session, reception)
    return left is not None


def _state(row: Answer, gone: bool) -> str:
    """What a worklist makes of an item's status. Nobody can catch up with somebody who has left; what
    their move asks for can still be done."""
    if row["status"] in ("due", "overdue"):
        return "closed_left" if gone and row["rule"] != "TT-18" else "open"
    return str(row["status"])


def _deadline(row: Answer) -> datetime | None:
    due_on = _day(row["due_on"])
    return _moment(row["due_at"]) or (end_of(due_on) if due_on is not None else None)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


class Replay(NamedTuple):
    """A saved timetable beside what the same facts give now. `now` None: today's rules refuse them."""

    same: bool
    saved: Answer
    now: Answer | None


def replay(act: Act, timetable_id: int) -> Replay:
    """Do the facts as they were known then still give the timetable that was saved?

    The request is rebuilt from the stored rows; only a change of the rules can make a difference.
    """
    act.need("custody.read")
    saved = act.session.get(Timetable, timetable_id)
    if saved is None:
        raise NotFound("There is no such timetable.")
    reception = act.session.get_one(Reception, saved.reception_id)
    act.note("custody.timetable_replayed", patient_id=reception.patient_id, timetable=saved.id)
    request = facts.timetable_request(
        act.session, reception, as_at=saved.made_at, plan_made_on=saved.plan_made_on,
        elsewhere=saved.elsewhere, version=saved.version,
    )  # fmt: skip
    try:
        now = json.loads(json.dumps(plan(request, holiday_lists())))
    except Refused:
        return Replay(False, saved.answer, None)
    return Replay(now == saved.answer, saved.answer, now)
