"""Set the rota: add a session, end it, take a day off it, and put the day back."""

from __future__ import annotations

from datetime import date, time, timedelta

from sqlalchemy import and_, or_, select, update

from clinic.act import Act, command
from clinic.appointments import facts, freed
from clinic.appointments.models import KEPT_FOR, Resource, RotaDayOff, RotaPattern
from clinic.calendars import bank_holidays_of
from clinic.errors import Conflict, Invalid, NotFound, Stale, says
from clinic.sites.models import Site
from clinic.staff.models import Staff, StaffRole
from dosing.days import london_time
from scheduling import booking, slots
from scheduling.calendars import OutOfReach

for _name in ("uq_rota_day_off_standing", "rota_day_off.pattern_id, rota_day_off.on"):
    says(_name, "This session is already off on that day.")
says("uq_resource_staff_id", "Somebody else changed the rota at the same moment. Try again.")
says("resource.staff_id", "Somebody else changed the rota at the same moment. Try again.")


MOST_HOURS = 14 * 24


@command
def add_session(
    act: Act,
    *,
    weekday: int,
    starts: time,
    ends: time,
    slot_minutes: int,
    doctor_id: int,
    worker_id: int,
    from_on: date,
    to_on: date | None = None,
    nurse_id: int | None = None,
    room_id: int | None = None,
    despite_holiday: bool = False,
    kept_for: str = "rapid",
    routine_from_hours: int | None = None,
) -> RotaPattern:
    """Add a session: each week on a weekday (Monday is 1), in London clock time, both dates included.

    `nurse_id`: who follows the people seen in it; `room_id`: the resource it is held in.
    `despite_holiday`: agreed for a bank holiday; for a session of a single day only. `kept_for`,
    `routine_from_hours`: what its places are for, see RotaPattern.
    """
    act.need("appointments.rota")
    session = slots.Session(
        id=0, weekday=weekday, starts=starts, ends=ends, slot_minutes=slot_minutes,
        doctor_id=doctor_id, worker_id=worker_id, from_on=from_on, to_on=to_on,
        despite_holiday=despite_holiday, nurse_id=nurse_id, room_id=room_id, kept_for=kept_for,
        routine_from_hours=routine_from_hours,
    )  # fmt: skip
    _check_times(act, session)
    _check_holiday(act, session)
    _check_kept(session)
    _check_people(act, session)
    _check_room(act, session)
    _check_clash(act, session)
    row = RotaPattern(
        site_id=act.site_id, weekday=weekday, starts=starts, ends=ends,
        slot_minutes=slot_minutes, doctor_id=doctor_id, worker_id=worker_id, from_on=from_on,
        to_on=to_on, despite_holiday=despite_holiday, nurse_id=nurse_id, room_id=room_id,
        kept_for=kept_for, routine_from_hours=routine_from_hours, ended_at=None, ended_by=None,
        recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    make_holdable(act, *(each for each in (doctor_id, worker_id, nurse_id) if each is not None))
    act.session.flush()
    act.note("appointments.session_added", session=row.id)
    return row


def _check_times(act: Act, session: slots.Session) -> None:
    if not 1 <= session.weekday <= 7:
        raise Invalid.field("weekday", "must be from 1 (Monday) to 7 (Sunday)")
    if (wrong := slots.wrong_length(session.slot_minutes)) is not None:
        raise Invalid(
            wrong.message, faults=[("slot_minutes", wrong.message)], more={"rule": wrong.rule}
        )
    if session.starts >= session.ends:
        raise Invalid.field("ends", "must be after the start, on the same day")
    minutes = (session.ends.hour - session.starts.hour) * 60
    minutes += session.ends.minute - session.starts.minute
    if minutes < session.slot_minutes:
        raise Invalid.field("ends", "must leave room for one slot at least")
    if session.from_on < act.today:
        raise Invalid.field("from_on", "cannot be in the past")
    if session.to_on is not None and session.to_on < session.from_on:
        raise Invalid.field("to_on", "cannot be before the first day")
    if session.despite_holiday and session.to_on != session.from_on:
        raise Invalid.field("despite_holiday", "is agreed for a single day only")
    if session.to_on == session.from_on and session.from_on.isoweekday() != session.weekday:
        raise Invalid.field("weekday", "is not the weekday of that single day")


def _check_holiday(act: Act, session: slots.Session) -> None:
    """A session of one day is agreed for a bank holiday just when that day is one."""
    if session.to_on != session.from_on:
        return
    calendar = bank_holidays_of(act.session, act.session.get_one(Site, act.site_id).nation)
    try:
        holiday = calendar.is_bank_holiday(session.from_on)
    except OutOfReach as beyond:
        raise Invalid.field("from_on", str(beyond)) from beyond
    if holiday and not session.despite_holiday:
        raise Invalid.field(
            "despite_holiday",
            "That day is a bank holiday: say here that the session is held although it is one.",
        )
    if session.despite_holiday and not holiday:
        raise Invalid.field("despite_holiday", "That day is no bank holiday here.")


def _check_kept(session: slots.Session) -> None:
    if session.kept_for not in KEPT_FOR:
        raise Invalid.field("kept_for", f"must be one of: {', '.join(KEPT_FOR)}")
    hours = session.routine_from_hours
    if hours is None:
        return
    if session.kept_for != "rapid":
        raise Invalid.field("routine_from_hours", "is for sessions kept for rapid work only")
    if not 1 <= hours <= MOST_HOURS:
        raise Invalid.field("routine_from_hours", f"must be from 1 to {MOST_HOURS} hours")


def _check_people(act: Act, session: slots.Session) -> None:
    """Two people who work here; the doctor trained and prescribing, the worker competent (RP-18)."""
    if session.doctor_id == session.worker_id:
        raise Invalid.field("worker_id", "must be somebody else than the doctor")
    if session.nurse_id in (session.doctor_id, session.worker_id):
        raise Invalid.field("nurse_id", "must be somebody else than the doctor and the worker")
    for field, staff_id in (
        ("doctor_id", session.doctor_id),
        ("worker_id", session.worker_id),
        ("nurse_id", session.nurse_id),
    ):
        if staff_id is None:
            continue
        here = act.session.scalars(
            select(StaffRole).where(
                StaffRole.staff_id == staff_id, StaffRole.site_id == act.site_id
            )
        )
        roles = {row.role for row in here if row.holds_on(session.from_on)}
        if not roles:
            raise Invalid.field(field, "must be somebody who works at this site then")
        if field == "nurse_id" and "nurse" not in roles:
            raise Invalid.field(field, "must be a nurse of this site")
    on = session.from_on
    doctor = act.session.get_one(Staff, session.doctor_id)
    if doctor.level_on(on) is None or not doctor.competent(facts.TRAINED, on):
        raise Invalid.field(
            "doctor_id", "must be on record as a prescriber trained for rapid induction"
        )
    worker = act.session.get_one(Staff, session.worker_id)
    if not worker.competent(facts.COMPETENT, on):
        raise Invalid.field("worker_id", "must be on record as competent for induction")


def _check_clash(act: Act, session: slots.Session) -> None:
    """Nobody is on two sessions at once, here or at another site."""
    people = [session.doctor_id, session.worker_id]
    if session.nurse_id is not None:
        people.append(session.nurse_id)
    with act.session.no_autoflush:
        others = act.session.scalars(
            select(RotaPattern).where(
                or_(
                    RotaPattern.doctor_id.in_(people),
                    RotaPattern.worker_id.in_(people),
                    RotaPattern.nurse_id.in_(people),
                    and_(RotaPattern.room_id.is_not(None), RotaPattern.room_id == session.room_id),
                ),
                RotaPattern.weekday == session.weekday,
                RotaPattern.id != session.id,
            )
        ).all()
    found = slots.clash(
        session,
        (as_session(row) for row in others if not _in_turn(act, session, row)),
    )
    if found is not None:
        raise Conflict(
            "One of them, or the room, already has a session at that time "
            f"({found.starts:%H:%M} to {found.ends:%H:%M}).",
            more={"session_id": found.id},
        )


def _in_turn(act: Act, session: slots.Session, row: RotaPattern) -> bool:
    """Is one of them agreed for a bank holiday, on which the other is not held?"""
    other = as_session(row)
    if session.despite_holiday == other.despite_holiday:
        return False
    extra, usual, site_id = (
        (session, other, row.site_id) if session.despite_holiday else (other, session, act.site_id)
    )
    nation = act.session.get_one(Site, site_id).nation
    return slots.stands_in(extra, usual, bank_holidays_of(act.session, nation))


def as_session(row: RotaPattern) -> slots.Session:
    """A row of the rota as the rules take it, days off aside."""
    return slots.Session(
        id=row.id, weekday=row.weekday, starts=row.starts, ends=row.ends,
        slot_minutes=row.slot_minutes, doctor_id=row.doctor_id, worker_id=row.worker_id,
        from_on=row.from_on, to_on=row.to_on, despite_holiday=row.despite_holiday,
        nurse_id=row.nurse_id, room_id=row.room_id, kept_for=row.kept_for,
        routine_from_hours=row.routine_from_hours,
    )  # fmt: skip


def _check_room(act: Act, session: slots.Session) -> None:
    if session.room_id is None:
        return
    room = act.session.get(Resource, session.room_id)
    if room is None or room.site_id != act.site_id or room.kind != "room":
        raise Invalid.field("room_id", "must be a room of this site")
    if room.gone_on is not None and room.gone_on <= session.from_on:
        raise Invalid.field("room_id", "is no longer in use then")


def make_holdable(act: Act, *staff_ids: int) -> None:
    """Let the time of these members of staff be held."""
    known = set(
        act.session.scalars(select(Resource.staff_id).where(Resource.staff_id.in_(staff_ids)))
    )
    act.session.add_all(
        Resource(kind="staff", staff_id=each, site_id=None, name=None, item=None, gone_on=None)
        for each in staff_ids
        if each not in known
    )


def _session(act: Act, session_id: int) -> RotaPattern:
    row = act.session.get(RotaPattern, session_id)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such session on this site's rota.")
    return row


@command
def end_session(act: Act, session_id: int, *, version: int, to_on: date | None) -> RotaPattern:
    """Say which day is the session's last, or (None) that it goes on: also how an end is undone.

    Days that have passed stay as they were. A session that has not begun yet and should never have
    been is ended by its first day's date with that day taken off.
    """
    act.need("appointments.rota")
    row = _session(act, session_id)
    _check_version(act, row, version)
    if to_on is not None:
        if to_on < row.from_on:
            raise Invalid.field("to_on", "cannot be before the session's first day")
        if to_on < act.today - timedelta(days=1):
            raise Invalid.field("to_on", "cannot be changed for days that have passed")
    elif row.despite_holiday:
        raise Invalid.field("to_on", "is fixed: this session is agreed for one day only")
    if row.to_on is not None and row.to_on < act.today - timedelta(days=1):
        raise Conflict("This session ended in the past. Add a new one.")
    row.to_on, row.ended_at, row.ended_by = to_on, act.at, act.staff_id
    _check_clash(act, as_session(row))
    act.session.flush()
    act.note("appointments.session_ended", session=row.id, to_on=to_on and to_on.isoformat())
    return row


@command
def change_session(
    act: Act, session_id: int, *, version: int, from_on: date, nurse_id: int | None,
    room_id: int | None, kept_for: str, routine_from_hours: int | None,
) -> RotaPattern:  # fmt: skip
    """From a date on the session has another nurse or room, or is kept for other work.

    It ends the day before and another begins; days taken off from then on go with it. Undone by
    changing it back. From its own first day on, the first version never runs.
    """
    act.need("appointments.rota")
    row = _session(act, session_id)
    _check_version(act, row, version)
    if row.from_on == row.to_on:
        raise Invalid.field("from_on", "cannot be: this session is of one day. End it, add another")
    if from_on < act.today:
        raise Invalid.field("from_on", "cannot be in the past")
    if from_on <= row.from_on:
        raise Invalid.field("from_on", "must be after the session's first day")
    if row.to_on is not None and from_on > row.to_on:
        raise Invalid.field("from_on", "must not be after the session's last day")
    was = (row.nurse_id, row.room_id, row.kept_for, row.routine_from_hours)
    if was == (nurse_id, room_id, kept_for, routine_from_hours):
        raise Invalid.field("kept_for", "and the rest stand so already: nothing would change")
    last = row.to_on
    end_session(act, session_id, version=version, to_on=from_on - timedelta(days=1))
    new = add_session(
        act, weekday=row.weekday, starts=row.starts, ends=row.ends,
        slot_minutes=row.slot_minutes, doctor_id=row.doctor_id, worker_id=row.worker_id,
        from_on=from_on, to_on=last, nurse_id=nurse_id, room_id=room_id, kept_for=kept_for,
        routine_from_hours=routine_from_hours,
    )  # fmt: skip
    for off in act.session.scalars(
        select(RotaDayOff).where(
            RotaDayOff.pattern_id == row.id, RotaDayOff.on >= from_on,
            RotaDayOff.withdrawn_at.is_(None),
        )
    ).all():  # fmt: skip
        off.withdrawn_at, off.withdrawn_by = act.at, act.staff_id
        take_day_off(act, new.id, on=off.on, reason=off.reason)
    act.note("appointments.session_changed", session=row.id, became=new.id)
    return new


def _check_version(act: Act, row: RotaPattern, version: int) -> None:
    if row.version == version:
        return
    name = act.session.scalar(select(Staff.name).where(Staff.id == row.ended_by))
    raise Stale(
        f"{name} changed this session since you read it.",
        more={
            "version": row.version,
            "changed_by": name,
            "changed_at": row.ended_at and row.ended_at.isoformat(),
        },
    )


@command
def take_day_off(act: Act, session_id: int, *, on: date, reason: str) -> int:
    """The session is not held on that day. Visits already booked stand and are flagged. The id."""
    act.need("appointments.rota")
    row = _session(act, session_id)
    if not reason.strip():
        raise Invalid.field("reason", "must say why")
    if on < act.today:
        raise Invalid.field("on", "cannot be in the past")
    if on.isoweekday() != row.weekday or not row.holds_on(on):
        raise Invalid.field("on", "is no day of this session")
    off = RotaDayOff(
        pattern_id=row.id, on=on, reason=reason.strip(), withdrawn_at=None, withdrawn_by=None,
        recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(off)
    act.session.flush()
    act.note("appointments.day_off", session=row.id, on=on.isoformat())
    return off.id


@command
def withdraw_day_off(act: Act, day_off_id: int) -> None:
    """The session is held on that day after all."""
    act.need("appointments.rota")
    off = act.session.get(RotaDayOff, day_off_id)
    if off is None or off.withdrawn_at is not None:
        raise NotFound("There is no such day off.")
    _session(act, off.pattern_id)
    if off.on < act.today:
        raise Invalid.field("on", "has passed")
    act.session.execute(
        update(RotaDayOff)
        .where(RotaDayOff.id == off.id)
        .values(withdrawn_at=act.at, withdrawn_by=act.staff_id)
    )
    act.note("appointments.day_off_withdrawn", session=off.pattern_id, on=off.on.isoformat())
    _offer_what_came_back(act, off.pattern_id, off.on)


def _offer_what_came_back(act: Act, session_id: int, on: date) -> None:
    """The free places of a session given back come unasked: they are offered when near (BK-02)."""
    row = _session(act, session_id)
    service = facts.service(act.session, act.site_id or 0)
    for place in facts.free_places(act.session, service, on, on, act.at):
        ours = (place.doctor_id, place.worker_id) == (row.doctor_id, row.worker_id)
        within = row.starts <= london_time(place.starts_at).time() < row.ends
        if ours and within and booking.near(place.starts_at, act.at):
            freed.add_task(
                act, "given_back", place.ends_at, None, site_id=act.site_id,
                doctor_id=place.doctor_id, worker_id=place.worker_id, starts_at=place.starts_at,
            )  # fmt: skip
