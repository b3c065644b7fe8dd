"""Plan, publish, change, pin and cancel sessions, and say what a refused write of groups means.

`may_hold` gives the reasons before anything is written; the guards of the database decide when two
ask at once. No reason names another person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select

from clinic.act import Act, command
from clinic.appointments.models import Resource
from clinic.custody.stays import prison_of
from clinic.errors import Conflict, Invalid, NotFound, Stale, one_of, says
from clinic.groups import facts
from clinic.groups.models import (
    CANCELLED_BECAUSE,
    ESTATE_NAMES,
    SAID_BY_THE_SERVICE,
    GroupEvent,
    GroupHold,
    GroupMaterial,
    GroupSeat,
    GroupSession,
)
from dosing.days import london_day
from scheduling.groups import (
    CARAT,
    CLINICAL,
    PLACES,
    SAYS,
    SESSION,
    TOPICS,
    Bar,
    may_hold,
)

_FULL = "Somebody took that seat a moment ago. Look again."
HERE = "They have a seat in this session already."
for _name, _sentence in {
    "group_hold_no_overlap": "The room or a facilitator has another session then.",
    "group_seat_no_overlap": SAYS["busy"],
    "group_seat_not_on_offer": "That seat is not on offer: the session is not published, or is full.",
    "group_seat_kept_apart": SAYS["keep_apart"],
    "group_seat_meets_visit": "They have an appointment then.",
    "visit_meets_group_seat": "They are expected elsewhere then. In prison a group gives way: release "
    "their seat, then book.",
    "uq_group_seat_number": _FULL,
    "group_seat.session_id, group_seat.number": _FULL,
    "uq_group_seat_person": HERE,
    "group_seat.session_id, group_seat.reception_id": HERE,
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


KEPT = (
    "status", "room_id", "carat_id", "clinical_id", "material_id", "places", "estate", "pinned",
    "cancelled_because",
)  # fmt: skip
"""How a session stood after a step, as its history keeps it."""


def add_event(
    act: Act, row: GroupSession, verb: str, reason: str | None = None, plan_id: int | None = None
) -> None:
    """A step in its history; `plan_id`: the plan it came with."""
    act.session.flush()
    act.session.add(
        GroupEvent(
            session_id=row.id, verb=verb, at=act.at, reason=reason, recorded_at=act.at,
            recorded_by=act.staff_id, state={name: getattr(row, name) for name in KEPT},
            plan_id=plan_id,
        )
    )  # fmt: skip
    act.note(f"groups.session_{verb}", session=row.id)


def let_go(act: Act, row: GroupSession) -> dict[str, int]:
    """Release what it held and no longer needs; what it needs and does not hold yet."""
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
    return wanted


def take(act: Act, row: GroupSession) -> None:
    """Take the time of its room and facilitators, releasing what it held before."""
    wanted = let_go(act, row)
    for part, resource_id in sorted(wanted.items(), key=lambda each: each[1]):
        act.session.add(
            GroupHold(
                session_id=row.id, resource_id=resource_id, needed_as=part,
                starts_at=row.starts_at, ends_at=row.ends_at, released_at=None,
            )
        )  # fmt: skip
        act.session.flush()


def material_on(act: Act, topic: str, on: date) -> GroupMaterial | None:
    """The newest validated material of a topic here on a day."""
    return act.session.scalars(
        select(GroupMaterial)
        .where(
            GroupMaterial.site_id == act.site_id, GroupMaterial.topic == topic,
            GroupMaterial.ended_at.is_(None), GroupMaterial.validated_on <= on,
            GroupMaterial.valid_until.is_(None) | (GroupMaterial.valid_until >= on),
        )
        .order_by(GroupMaterial.validated_on.desc(), GroupMaterial.id.desc())
    ).first()  # fmt: skip


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
    material = material_on(act, topic, on)
    if material is None:
        raise refused([Bar("no_material", on, topic=topic)])
    row = GroupSession(
        site_id=site.id, topic=topic, material_id=material.id, room_id=room_id, carat_id=carat_id,
        clinical_id=clinical_id, starts_at=starts_at, ends_at=starts_at + SESSION, places=places,
        estate=estate, runs_on_bank_holiday=runs_on_bank_holiday, status="draft",
        cancelled_because=None, pinned=False, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    if bars := why_not_held(act, row):
        raise refused(bars)
    act.session.add(row)
    act.session.flush()
    take(act, row)
    add_event(act, row, "planned")
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
    add_event(act, row, "published")
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
    add_event(act, row, "withdrawn")
    return row


@command
def cancel_session(act: Act, session_id: int, *, version: int, reason: str) -> GroupSession:
    """It is not held: every seat is released, its room and facilitators are free again."""
    row = _to_change(act, session_id, version, "groups.manage")
    one_of("reason", reason, set(CANCELLED_BECAUSE) - SAID_BY_THE_SERVICE)
    if row.status not in ("draft", "published"):
        raise Conflict("It was held or cancelled already.")
    for seat in facts.standing_seats(act, [row.id]):
        release(act, seat, "session_cancelled")
    row.status, row.cancelled_because = "cancelled", reason
    act.session.flush()
    take(act, row)
    add_event(act, row, "cancelled", reason)
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
    take(act, row)
    add_event(act, row, "reinstated")
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
    take(act, row)
    add_event(act, row, "changed")
    return row


@command
def pin_session(act: Act, session_id: int, *, version: int, pinned: bool) -> GroupSession:
    """Staff want this session held, whatever is planned anew; or no longer do."""
    row = _to_change(act, session_id, version, "groups.manage")
    if row.status not in ("draft", "published") or row.starts_at <= act.at:
        raise Conflict("Only a session to come can be pinned.")
    if row.pinned != pinned:
        row.pinned = pinned
        add_event(act, row, "pinned" if pinned else "unpinned")
    return row


def release(act: Act, seat: GroupSeat, reason: str, plan_id: int | None = None) -> None:
    """Free a seat. `plan_id`: the plan whose acceptance took it away."""
    seat.state, seat.released_because = "released", reason
    seat.released_at, seat.released_by = act.at, act.staff_id
    seat.released_by_plan_id = plan_id
    act.session.flush()
    act.note("groups.seat_released", patient_id=seat.reception.patient_id, seat=seat.id)
