"""Offer, give, take, pin, move and release seats; say who came.

`may_sit` gives the reasons before anything is written; the guards of the database decide when two
ask at once. No reason names another person.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from clinic.act import Act, command
from clinic.custody import deliveries, fact_commands
from clinic.custody.models import Reception
from clinic.errors import Conflict, Invalid, NotFound, one_of
from clinic.groups import facts
from clinic.groups.commands import stay_here, text_of
from clinic.groups.models import (
    MISSED_BECAUSE,
    OUTCOMES,
    RELEASED_BECAUSE,
    SAID_BY_THE_SERVICE,
    GroupAttendance,
    GroupSeat,
    GroupSession,
)
from clinic.groups.session_commands import HERE, add_event, refused, release, session_here
from dosing.days import london_day
from scheduling.custody_rules import GROUP_SESSION
from scheduling.groups import PLACES, Bar, may_sit


def why_not_seated(
    act: Act, stay: Reception, row: GroupSession, *, leaving: int | None = None
) -> list[Bar]:
    """Every reason against this person's seat in this session. `leaving`: a seat given up for it."""
    seats = [each for each in facts.standing_seats(act, [row.id]) if each.id != leaving]
    seated = [each.reception_id for each in seats if each.reception_id != stay.id]
    stays = [stay, *act.session.scalars(select(Reception).where(Reception.id.in_(seated)))]
    on = london_day(row.starts_at)
    known = facts.seat_facts(act, stay, stays, on)
    elsewhere = [
        facts.as_session(each.session)
        for each in seats_of(act, stay.id)
        if each.session_id != row.id and each.id != leaving
    ]
    asked = facts.as_session(row)
    return may_sit(known, known.people[0], asked, seated, elsewhere)


def seats_of(act: Act, reception_id: int) -> list[GroupSeat]:
    """The seats somebody has, in time order."""
    return list(
        act.session.scalars(
            select(GroupSeat)
            .where(GroupSeat.reception_id == reception_id, GroupSeat.state != "released")
            .order_by(GroupSeat.starts_at, GroupSeat.id)
        )
    )


@command
def give_seat(
    act: Act, session_id: int, *, reception_id: int, offered: bool = False, pinned: bool = False
) -> GroupSeat:
    """A seat for this person: theirs, or `offered` until they say yes. The lowest number free."""
    act.need("groups.seat")
    stay = stay_here(act, reception_id, "groups.seat_opened")
    return _give(act, session_here(act, session_id), stay, offered=offered, pinned=pinned)


def _give(
    act: Act,
    row: GroupSession,
    stay: Reception,
    *,
    offered: bool,
    pinned: bool,
    leaving: int | None = None,
) -> GroupSeat:
    # Whoever seats somebody here waits for whoever was first, and then sees what they took.
    act.session.scalar(select(GroupSession.id).where(GroupSession.id == row.id).with_for_update())
    act.session.refresh(row)
    if row.status != "published":
        raise Conflict("People are seated in a published session only.")
    if row.starts_at <= act.at:
        raise Conflict("The session has begun.")
    taken = facts.standing_seats(act, [row.id])
    if any(each.reception_id == stay.id for each in taken):
        raise Conflict(HERE)
    if bars := why_not_seated(act, stay, row, leaving=leaving):
        raise refused(bars)
    return add_seat(act, row, stay, taken, state="offered" if offered else "seated", pinned=pinned)


def free_number(taken: Sequence[GroupSeat]) -> int:
    """The lowest number of a seat that nobody has; one past the last when all are taken."""
    numbers = {each.number for each in taken}
    return next(each for each in range(1, PLACES + 2) if each not in numbers)


def add_seat(
    act: Act,
    row: GroupSession,
    stay: Reception,
    taken: Sequence[GroupSeat],
    *,
    state: str,
    pinned: bool,
    plan_id: int | None = None,
) -> GroupSeat:
    """The lowest seat that is free beside those taken. The guards decide whether it may be theirs."""
    seat = GroupSeat(
        session_id=row.id, reception_id=stay.id,
        number=free_number(taken),
        starts_at=row.starts_at, ends_at=row.ends_at, state=state, pinned=pinned,
        released_because=None, released_at=None, released_by=None, plan_id=plan_id,
        released_by_plan_id=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(seat)
    act.session.flush()
    act.note("groups.seat_given", patient_id=stay.patient_id, session=row.id, seat=seat.id)
    return seat


def seat_here(act: Act, seat_id: int) -> GroupSeat:
    """A standing seat in a session of this prison, held until this transaction ends."""
    act.need("groups.seat")
    seat = act.session.scalar(select(GroupSeat).where(GroupSeat.id == seat_id).with_for_update())
    if seat is None or seat.session.site_id != act.site_id:
        raise NotFound("There is no such seat here.")
    if seat.state == "released":
        raise Conflict("That seat was released already.")
    return seat


@command
def accept_seat(act: Act, seat_id: int) -> GroupSeat:
    """The person it was offered to said yes."""
    seat = seat_here(act, seat_id)
    if seat.state != "offered":
        raise Conflict("That seat is theirs already.")
    stay = stay_here(act, seat.reception_id, "groups.seat_opened")
    seat.state = "seated"
    act.session.flush()
    act.note("groups.seat_accepted", patient_id=stay.patient_id, seat=seat.id)
    return seat


@command
def pin_seat(act: Act, seat_id: int, *, pinned: bool) -> GroupSeat:
    """Staff want this seat kept, whatever is planned anew; or no longer do."""
    seat = seat_here(act, seat_id)
    if seat.starts_at <= act.at:
        raise Conflict("The session has begun.")
    seat.pinned = pinned
    act.session.flush()
    verb = "pinned" if pinned else "unpinned"
    act.note(f"groups.seat_{verb}", patient_id=seat.reception.patient_id, seat=seat.id)
    return seat


@command
def release_seat(act: Act, seat_id: int, *, reason: str) -> GroupSeat:
    """They do not sit there after all. Seating them again undoes it."""
    seat = seat_here(act, seat_id)
    one_of("reason", reason, set(RELEASED_BECAUSE) - SAID_BY_THE_SERVICE)
    if attendance_of(act, [seat.id]):
        raise Conflict("What became of that seat is recorded already. Correct that instead.")
    release(act, seat, reason)
    return seat


@command
def move_seat(act: Act, seat_id: int, *, session_id: int) -> GroupSeat:
    """Released here and seated there at once: both, or neither."""
    seat = seat_here(act, seat_id)
    if attendance_of(act, [seat.id]):
        raise Conflict("What became of that seat is recorded already.")
    stay = stay_here(act, seat.reception_id, "groups.seat_opened")
    other = session_here(act, session_id)
    if other.id == seat.session_id:
        raise Invalid.field("session_id", "must be another session")
    offered, pinned = seat.state == "offered", seat.pinned
    release(act, seat, "moved")
    return _give(act, other, stay, offered=offered, pinned=pinned, leaving=seat.id)


# -- who came -----------------------------------------------------------------------------------


def attendance_of(act: Act, seat_ids: Sequence[int]) -> dict[int, GroupAttendance]:
    """What is recorded of these seats, as it stands."""
    rows = act.session.scalars(
        select(GroupAttendance).where(
            GroupAttendance.seat_id.in_(seat_ids), GroupAttendance.ended_at.is_(None)
        )
    )
    return {row.seat_id: row for row in rows}


@command
def record_attendance(
    act: Act,
    seat_id: int,
    *,
    outcome: str,
    missed_because: str | None = None,
    reason: str | None = None,
) -> GroupAttendance:
    """Attended, declined or missed. The first two are entered in the stay as any delivery is.

    `reason`: why what was recorded before is wrong; asked for when there is something to correct.
    """
    seat = seat_here(act, seat_id)
    one_of("outcome", outcome, OUTCOMES)
    if outcome == "missed":
        one_of("missed_because", missed_because, MISSED_BECAUSE)
    elif missed_because is not None:
        raise Invalid.field("missed_because", "belongs to a session that was missed")
    if act.at < seat.starts_at:
        raise Conflict("The session has not begun.")
    row = seat.session
    # The stay's own order of taking rows: the stay first, then what is written about it.
    stay = act.session.scalars(
        select(Reception).where(Reception.id == seat.reception_id).with_for_update()
    ).one()
    was = attendance_of(act, [seat.id]).get(seat.id)
    if was is not None:
        if (was.outcome, was.missed_because) == (outcome, missed_because):
            raise Invalid("Nothing was changed.")
        was.ended_reason = text_of("reason", reason)
        was.ended_at, was.ended_by = act.at, act.staff_id
        act.session.flush()
        if was.delivery_id is not None:
            fact_commands.strike_out(
                act, stay.id, "delivery", was.delivery_id, version=stay.version,
                reason=was.ended_reason,
            )  # fmt: skip
    delivery_id = None
    if outcome != "missed":
        delivery_id = deliveries.record_delivery(
            act, stay.id, item=GROUP_SESSION, done_at=min(row.ends_at, act.at),
            by=["carat", "healthcare"], done_by=row.carat_id, topic=row.topic, mode="group",
            outcome="delivered" if outcome == "attended" else "declined",
        )  # fmt: skip
    entry = GroupAttendance(
        seat_id=seat.id, outcome=outcome, missed_because=missed_because, delivery_id=delivery_id,
        recorded_at=act.at, recorded_by=act.staff_id, ended_at=None, ended_by=None,
        ended_reason=None,
    )  # fmt: skip
    act.session.add(entry)
    act.session.flush()
    if row.status == "published":
        row.status = "held"
        add_event(act, row, "held")
    act.note("groups.attendance", patient_id=stay.patient_id, seat=seat.id, attendance=entry.id)
    return entry
