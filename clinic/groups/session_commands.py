"""Plan, publish and cancel sessions; offer, take, move and release seats; say who came.

`may_hold` and `may_sit` give the reasons before anything is written; the guards of the database
decide when two ask at once. No reason names another person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from clinic.act import Act, command
from clinic.appointments.models import Resource
from clinic.custody import commands as custody
from clinic.custody import deliveries
from clinic.custody.models import Reception
from clinic.custody.stays import prison_of
from clinic.errors import Conflict, Invalid, NotFound, Stale, one_of, says
from clinic.groups import facts
from clinic.groups.commands import stay_here, text_of
from clinic.groups.models import (
    CANCELLED_BECAUSE,
    ESTATE_NAMES,
    MISSED_BECAUSE,
    OUTCOMES,
    RELEASED_BECAUSE,
    GroupAttendance,
    GroupEvent,
    GroupHold,
    GroupMaterial,
    GroupSeat,
    GroupSession,
)
from dosing.days import london_day
from scheduling.custody_rules import GROUP_SESSION
from scheduling.groups import CARAT, CLINICAL, PLACES, SAYS, SESSION, TOPICS, Bar, may_hold, may_sit

_FULL = "Somebody took that seat a moment ago. Look again."
_HERE = "They have a seat in this session already."
for _name, _sentence in {
    "group_hold_no_overlap": "The room or a facilitator has another session then.",
    "group_seat_no_overlap": SAYS["busy"],
    "group_seat_not_on_offer": "That seat is not on offer: the session is not published, or is full.",
    "group_seat_kept_apart": SAYS["keep_apart"],
    "uq_group_seat_number": _FULL,
    "group_seat.session_id, group_seat.number": _FULL,
    "uq_group_seat_person": _HERE,
    "group_seat.session_id, group_seat.reception_id": _HERE,
    "ck_group_seat_number": SAYS["full"],
    "uq_group_attendance_standing": "Somebody recorded this a moment ago. Look again.",
    "group_attendance.seat_id": "Somebody recorded this a moment ago. Look again.",
}.items():
    says(_name, _sentence)


def refused(bars: Sequence[Bar]) -> Conflict:
    """The reasons against, as one refusal; each with its code."""
    return Conflict(
        " ".join(str(bar) for bar in bars),
        more={"reasons": [{"code": bar.code, "says": str(bar)} for bar in bars]},
    )


# -- sessions -----------------------------------------------------------------------------------


def session_here(act: Act, session_id: int) -> GroupSession:
    """A session of this prison."""
    row = act.session.get(GroupSession, session_id)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such group session here.")
    return row


def _to_change(act: Act, session_id: int, version: int, right: str) -> GroupSession:
    """The same, held until this transaction ends. Stale when it moved on since `version`."""
    act.need(right)
    row = act.session.scalar(
        select(GroupSession)
        .where(GroupSession.id == session_id, GroupSession.site_id == act.site_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("There is no such group session here.")
    if row.version != version:
        raise Stale(
            "Somebody changed this session since you read it.", more={"version": row.version}
        )
    return row


def why_not_held(act: Act, row: GroupSession) -> list[Bar]:
    """Every reason against holding this session, as things stand."""
    on = london_day(row.starts_at)
    monday = on - timedelta(days=on.weekday())
    known = facts.group_facts(act, monday, monday + timedelta(days=6))
    asked = facts.as_session(row)
    return may_hold(known, asked, [each for each in known.sessions if each.id != row.id])


def _event(act: Act, row: GroupSession, verb: str, reason: str | None = None) -> None:
    act.session.flush()
    kept = ("status", "room_id", "carat_id", "clinical_id", "material_id", "places", "estate")
    act.session.add(
        GroupEvent(
            session_id=row.id, verb=verb, at=act.at, reason=reason, recorded_at=act.at,
            recorded_by=act.staff_id, state={name: getattr(row, name) for name in kept},
        )
    )  # fmt: skip
    act.note(f"groups.session_{verb}", session=row.id)


def _hold(act: Act, row: GroupSession) -> None:
    """Take the time of its room and facilitators, releasing what it held before."""
    standing = act.session.scalars(
        select(GroupHold).where(GroupHold.session_id == row.id, GroupHold.released_at.is_(None))
    ).all()
    staff = {
        each.staff_id: each.id
        for each in act.session.scalars(
            select(Resource).where(Resource.staff_id.in_((row.carat_id, row.clinical_id)))
        )
    }
    wanted = {
        "room": row.room_id, CARAT: staff[row.carat_id], CLINICAL: staff[row.clinical_id],
    }  # fmt: skip
    if row.status == "cancelled":
        wanted = {}
    for hold in standing:
        if wanted.get(hold.needed_as) == hold.resource_id:
            del wanted[hold.needed_as]
        else:
            hold.released_at = act.at
    act.session.flush()
    for part, resource_id in sorted(wanted.items(), key=lambda each: each[1]):
        act.session.add(
            GroupHold(
                session_id=row.id, resource_id=resource_id, needed_as=part,
                starts_at=row.starts_at, ends_at=row.ends_at, released_at=None,
            )
        )  # fmt: skip
        act.session.flush()


@command
def plan_session(
    act: Act,
    *,
    topic: str,
    estate: str,
    starts_at: datetime,
    room_id: int,
    carat_id: int,
    clinical_id: int,
    places: int = PLACES,
    runs_on_bank_holiday: bool = False,
) -> GroupSession:
    """A draft of a session of 90 minutes: it holds its room and facilitators, and has no seats yet."""
    act.need("groups.manage")
    site = prison_of(act)
    one_of("topic", topic, TOPICS)
    one_of("estate", estate, ESTATE_NAMES)
    if starts_at <= act.at:
        raise Invalid.field("starts_at", "must be in the future")
    if not 1 <= places <= PLACES:
        raise Invalid.field("places", f"must be from 1 to {PLACES}")
    if carat_id == clinical_id:
        raise Invalid.field("clinical_id", "must be somebody else than the CARAT facilitator")
    on = london_day(starts_at)
    material = act.session.scalars(
        select(GroupMaterial)
        .where(
            GroupMaterial.site_id == site.id, GroupMaterial.topic == topic,
            GroupMaterial.ended_at.is_(None), GroupMaterial.validated_on <= on,
            GroupMaterial.valid_until.is_(None) | (GroupMaterial.valid_until >= on),
        )
        .order_by(GroupMaterial.validated_on.desc(), GroupMaterial.id.desc())
    ).first()  # fmt: skip
    if material is None:
        raise refused([Bar("no_material", on, topic=topic)])
    row = GroupSession(
        site_id=site.id, topic=topic, material_id=material.id, room_id=room_id, carat_id=carat_id,
        clinical_id=clinical_id, starts_at=starts_at, ends_at=starts_at + SESSION, places=places,
        estate=estate, runs_on_bank_holiday=runs_on_bank_holiday, status="draft",
        cancelled_because=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    if bars := why_not_held(act, row):
        raise refused(bars)
    act.session.add(row)
    act.session.flush()
    _hold(act, row)
    _event(act, row, "planned")
    return row


@command
def publish_session(act: Act, session_id: int, *, version: int) -> GroupSession:
    """People may be seated in it from now on."""
    row = _to_change(act, session_id, version, "groups.manage")
    if row.status != "draft":
        raise Conflict("Only a draft can be published.")
    if bars := why_not_held(act, row):
        raise refused(bars)
    row.status = "published"
    _event(act, row, "published")
    return row


@command
def withdraw_session(act: Act, session_id: int, *, version: int) -> GroupSession:
    """Undo the publishing: a draft again, while nobody has a seat."""
    row = _to_change(act, session_id, version, "groups.manage")
    if row.status != "published":
        raise Conflict("Only a published session can become a draft again.")
    if facts.standing_seats(act, [row.id]):
        raise Conflict("Somebody has a seat in it. Cancel it instead, or move them first.")
    row.status = "draft"
    _event(act, row, "withdrawn")
    return row


@command
def cancel_session(act: Act, session_id: int, *, version: int, reason: str) -> GroupSession:
    """It is not held: every seat is released, its room and facilitators are free again."""
    row = _to_change(act, session_id, version, "groups.manage")
    one_of("reason", reason, CANCELLED_BECAUSE)
    if row.status not in ("draft", "published"):
        raise Conflict("It was held or cancelled already.")
    for seat in facts.standing_seats(act, [row.id]):
        _release(act, seat, "session_cancelled")
    row.status, row.cancelled_because = "cancelled", reason
    act.session.flush()
    _hold(act, row)
    _event(act, row, "cancelled", reason)
    return row


@command
def reinstate_session(act: Act, session_id: int, *, version: int) -> GroupSession:
    """Undo a cancellation: a draft again, if its room and facilitators are still free. No seat returns."""
    row = _to_change(act, session_id, version, "groups.manage")
    if row.status != "cancelled":
        raise Conflict("It is not cancelled.")
    if row.starts_at <= act.at:
        raise Conflict("Its time has passed.")
    row.status, row.cancelled_because = "draft", None
    if bars := why_not_held(act, row):
        raise refused(bars)
    act.session.flush()
    _hold(act, row)
    _event(act, row, "reinstated")
    return row


@command
def change_session(
    act: Act, session_id: int, *, version: int, room_id: int, carat_id: int, clinical_id: int
) -> GroupSession:
    """Another room or facilitator. Everybody keeps their seat; a change back undoes it."""
    row = _to_change(act, session_id, version, "groups.manage")
    if row.status not in ("draft", "published"):
        raise Conflict("It was held or cancelled already.")
    if carat_id == clinical_id:
        raise Invalid.field("clinical_id", "must be somebody else than the CARAT facilitator")
    given = (room_id, carat_id, clinical_id)
    if (row.room_id, row.carat_id, row.clinical_id) == given:
        raise Invalid("Nothing was changed.")
    with act.session.no_autoflush:
        row.room_id, row.carat_id, row.clinical_id = given
        if bars := why_not_held(act, row):
            raise refused(bars)
    act.session.flush()
    _hold(act, row)
    _event(act, row, "changed")
    return row


# -- seats --------------------------------------------------------------------------------------


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
        raise Conflict(_HERE)
    if bars := why_not_seated(act, stay, row, leaving=leaving):
        raise refused(bars)
    numbers = {each.number for each in taken}
    number = next(each for each in range(1, PLACES + 2) if each not in numbers)
    seat = GroupSeat(
        session_id=row.id, reception_id=stay.id, number=number, starts_at=row.starts_at,
        ends_at=row.ends_at, state="offered" if offered else "seated", pinned=pinned,
        released_because=None, released_at=None, released_by=None, recorded_at=act.at,
        recorded_by=act.staff_id,
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
def release_seat(act: Act, seat_id: int, *, reason: str) -> GroupSeat:
    """They do not sit there after all. Seating them again undoes it."""
    seat = seat_here(act, seat_id)
    one_of("reason", reason, set(RELEASED_BECAUSE) - {"moved", "session_cancelled"})
    if attendance_of(act, [seat.id]):
        raise Conflict("What became of that seat is recorded already. Correct that instead.")
    _release(act, seat, reason)
    return seat


def _release(act: Act, seat: GroupSeat, reason: str) -> None:
    seat.state, seat.released_because = "released", reason
    seat.released_at, seat.released_by = act.at, act.staff_id
    act.session.flush()
    act.note("groups.seat_released", patient_id=seat.reception.patient_id, seat=seat.id)


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
    _release(act, seat, "moved")
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
            custody.strike_out(
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
        _event(act, row, "held")
    act.note("groups.attendance", patient_id=stay.patient_id, seat=seat.id, attendance=entry.id)
    return entry
