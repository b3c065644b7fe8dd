"""Who sits where? The groups of a week, one session with its register, somebody's own groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import func, select

from clinic.act import Act
from clinic.appointments.models import Resource, StaffLeave
from clinic.custody.models import Reception
from clinic.custody.queries import at_a_prison
from clinic.custody.wings import in_custody_here, whereabouts
from clinic.errors import NotFound
from clinic.groups import facts
from clinic.groups.models import (
    EstatePlacement,
    GroupAttendance,
    GroupEvent,
    GroupFacilitator,
    GroupMaterial,
    GroupSeat,
    GroupSession,
    NonAssociation,
    RegimeBlock,
)
from clinic.groups.offers import kept_from
from clinic.groups.seat_commands import attendance_of, why_not_seated
from clinic.groups.session_commands import session_here, why_not_held
from clinic.patients.models import Patient
from clinic.patients.queries import Where, root_of, same_person
from clinic.staff.models import Staff, StaffRole
from dosing.days import end_of, start_of
from scheduling.groups import Bar, Span

WEEK = timedelta(days=6)
MOST_LISTED = 60


def need_a_prison(act: Act) -> None:
    """Groups of the 28 days are held in prisons only."""
    act.need("custody.read")
    if not at_a_prison(act):
        raise NotFound("Groups belong to a prison. This site is a community service.")


@dataclass(frozen=True)
class Seated:
    """A seat and whose it is. `patient`: the record that counts; `was`: what is recorded of it.

    `away`: what of their own keeps them from it as things stand, in words.
    """

    seat: GroupSeat
    patient: Patient
    where: Where | None
    was: GroupAttendance | None
    away: tuple[str, ...] = ()

    @property
    def cell(self) -> str:
        return self.where.says if self.where else "wing not known"


@dataclass(frozen=True)
class Shown:
    """One session as a page shows it. `bars`: why it may not be held as things stand."""

    session: GroupSession
    seats: Sequence[Seated]
    bars: Sequence[Bar]
    events: Sequence[GroupEvent]
    names: Mapping[int, str]
    apart: frozenset[int]

    @property
    def free(self) -> int:
        return self.session.places - len(self.seats)


def week(act: Act, monday: date) -> tuple[list[GroupSession], dict[int, int]]:
    """The sessions of a week, cancelled ones too, and how many seats are taken in each."""
    need_a_prison(act)
    rows = list(
        act.session.scalars(
            select(GroupSession)
            .where(
                GroupSession.site_id == act.site_id,
                GroupSession.starts_at >= start_of(monday),
                GroupSession.starts_at < end_of(monday + WEEK),
            )
            .order_by(GroupSession.starts_at, GroupSession.id)
        )
    )
    counted = act.session.execute(
        select(GroupSeat.session_id, func.count().label("taken"))
        .where(GroupSeat.session_id.in_([row.id for row in rows]), GroupSeat.state != "released")
        .group_by(GroupSeat.session_id)
    )
    return rows, {each.session_id: each.taken for each in counted}


def week_sheet(act: Act, first_on: date, last_on: date) -> list[tuple[GroupSession, list[Seated]]]:
    """The sessions of these days that are or were held, with everybody in them, by wing and cell.

    Audited by whom it shows.
    """
    need_a_prison(act)
    rows = [
        row
        for row in facts.standing_sessions(act, act.site_id or 0, first_on, last_on)
        if row.status != "draft"
    ]
    seats = _seated(act, facts.standing_seats(act, [row.id for row in rows]))
    act.note_shown("groups.week_shown", [each.patient.id for each in seats])
    by_place = sorted(seats, key=lambda each: (each.where is None, each.cell, each.seat.number))
    return [(row, [each for each in by_place if each.seat.session_id == row.id]) for row in rows]


def _seated(act: Act, seats: Sequence[GroupSeat]) -> list[Seated]:
    people = {
        seat.id: act.session.get_one(Patient, root_of(act, seat.reception.patient_id))
        for seat in seats
    }
    places = whereabouts(act, {each.id for each in people.values()})
    was = attendance_of(act, [seat.id for seat in seats])
    return [
        Seated(seat, people[seat.id], places.get(people[seat.id].id), was.get(seat.id))
        for seat in seats
    ]


def one_session(act: Act, session_id: int) -> Shown:
    """One session, everybody in it by the number of their seat; audited by whom it shows."""
    need_a_prison(act)
    row = session_here(act, session_id)
    seats = facts.standing_seats(act, [row.id])
    events = act.session.scalars(
        select(GroupEvent).where(GroupEvent.session_id == row.id).order_by(GroupEvent.id)
    ).all()
    seated = _seated(act, seats)
    act.note_shown("groups.session_shown", [each.patient.id for each in seated])
    pairs = facts.apart_of(act, [seat.reception for seat in seats])
    if row.status == "published" and row.starts_at > act.at:
        seated = [replace(each, away=_away(act, each.seat)) for each in seated]
    live = row.status in ("draft", "published") and row.ends_at > act.at
    return Shown(
        row, seated, why_not_held(act, row) if live else [], events,
        staff_names(act, {each.recorded_by for each in events}),
        frozenset(one for pair in pairs for one in pair),
    )  # fmt: skip


def _away(act: Act, seat: GroupSeat) -> tuple[str, ...]:
    span = Span(seat.starts_at, seat.ends_at)
    met = [each for each in facts.away_of(act, seat.reception, span.on) if each.meets(span)]
    return tuple(dict.fromkeys(str(Bar(each.cause, span.on)) for each in sorted(met)))


def away_from(act: Act, seats: Sequence[GroupSeat]) -> dict[int, tuple[str, ...]]:
    """By seat still to come, what of their own keeps somebody from it, in words."""
    coming = [seat for seat in seats if seat.state != "released" and seat.starts_at > act.at]
    return {seat.id: away for seat in coming if (away := _away(act, seat))}


def people_who_cannot_come(act: Act) -> list[Seated]:
    """Seats to come whose people cannot come then: court, a move, days apart, a visit or the like."""
    need_a_prison(act)
    seats = act.session.scalars(
        select(GroupSeat)
        .join(GroupSession, GroupSession.id == GroupSeat.session_id)
        .where(
            GroupSession.site_id == act.site_id, GroupSession.status == "published",
            GroupSeat.state != "released", GroupSeat.starts_at > act.at, facts.may_be_away(act),
        )
        .order_by(GroupSeat.starts_at, GroupSeat.id)
    ).all()  # fmt: skip
    away = away_from(act, seats)
    found = _seated(act, [seat for seat in seats if seat.id in away])
    act.note_shown("groups.away_shown", [each.patient.id for each in found])
    return [replace(each, away=away[each.seat.id]) for each in found]


def staff_names(act: Act, ids: Collection[int]) -> dict[int, str]:
    return {row.id: row.name for row in act.session.scalars(select(Staff).where(Staff.id.in_(ids)))}


@dataclass(frozen=True)
class Candidate:
    """Somebody who could be asked. `bars`: why they may not sit there; none: they may."""

    reception_id: int
    patient: Patient
    where: Where | None
    bars: Sequence[Bar]


def candidates(act: Act, row: GroupSession) -> list[Candidate]:
    """Those in their groups' weeks without a seat in it: who may sit first, then by reception."""
    act.need("groups.seat")
    taken = {seat.reception_id for seat in facts.standing_seats(act, [row.id])}
    stays = act.session.scalars(
        select(Reception)
        .join(EstatePlacement, EstatePlacement.reception_id == Reception.id)
        .where(
            EstatePlacement.ended_at.is_(None), EstatePlacement.estate == row.estate,
            Reception.undone_at.is_(None), in_custody_here(act), Reception.id.not_in(taken),
            Reception.plan_made_on > row.starts_at.date() - timedelta(days=40),
        )
        .order_by(Reception.id.desc())
        .limit(MOST_LISTED)
    ).all()  # fmt: skip
    people = {
        stay.id: act.session.get_one(Patient, root_of(act, stay.patient_id)) for stay in stays
    }
    places = whereabouts(act, {each.id for each in people.values()})
    found = [
        Candidate(
            stay.id, people[stay.id], places.get(people[stay.id].id), why_not_seated(act, stay, row)
        )
        for stay in stays
    ]
    act.note_shown("groups.candidates_shown", [each.patient.id for each in found])
    in_their_weeks = [
        each for each in found if not any(bar.code == "outside_weeks" for bar in each.bars)
    ]
    return sorted(in_their_weeks, key=lambda each: (bool(each.bars), each.reception_id))


def groups_of(act: Act, reception_id: int) -> list[tuple[GroupSeat, GroupAttendance | None]]:
    """Every seat somebody has or had in this stay, newest last. The page's own record is open already."""
    seats = act.session.scalars(
        select(GroupSeat)
        .where(GroupSeat.reception_id == reception_id)
        .order_by(GroupSeat.starts_at, GroupSeat.id)
    ).all()
    was = attendance_of(act, [seat.id for seat in seats])
    return [(seat, was.get(seat.id)) for seat in seats]


# -- kept apart -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """A pair with one person of it in custody here. `other`: None when they are not here."""

    row: NonAssociation
    other: Patient | None
    where: Where | None


def pairs_of(act: Act, patient_id: int) -> list[Pair]:
    """Whom this person is kept apart from. Another who is not in custody here is not named."""
    act.need("groups.seat")
    own = set(same_person(act, patient_id))
    rows = act.session.scalars(
        select(NonAssociation)
        .where(
            NonAssociation.ended_at.is_(None),
            NonAssociation.one_id.in_(own) | NonAssociation.other_id.in_(own),
        )
        .order_by(NonAssociation.id)
    ).all()
    found = []
    for row in rows:
        other_id = row.other_id if row.one_id in own else row.one_id
        here = act.session.scalar(
            select(Reception.id).where(
                Reception.patient_id.in_(same_person(act, other_id)),
                Reception.undone_at.is_(None), in_custody_here(act),
            )
        )  # fmt: skip
        other = act.session.get_one(Patient, root_of(act, other_id)) if here else None
        where = whereabouts(act, [other.id]).get(other.id) if other else None
        found.append(Pair(row, other, where))
    act.note_shown("groups.apart_shown", [each.other.id for each in found if each.other])
    return found


def shared_sessions(act: Act, reception: Reception) -> list[GroupSession]:
    """Sessions still to come in which they sit beside somebody they are kept apart from."""
    apart = kept_from(act, reception.patient_id)
    if not apart:
        return []
    own = select(GroupSeat.session_id).where(
        GroupSeat.reception_id == reception.id, GroupSeat.state != "released"
    )
    beside = (
        select(GroupSeat.session_id)
        .join(Reception, Reception.id == GroupSeat.reception_id)
        .where(Reception.patient_id.in_(apart), GroupSeat.state != "released")
    )
    return list(
        act.session.scalars(
            select(GroupSession)
            .where(
                GroupSession.id.in_(own), GroupSession.id.in_(beside),
                GroupSession.starts_at > act.at,
            )
            .order_by(GroupSession.starts_at)
        )
    )  # fmt: skip


def sessions_with_pairs(act: Act) -> set[int]:
    """Published sessions to come of this prison in which two people kept apart both sit."""
    rows = act.session.scalars(
        select(GroupSession).where(
            GroupSession.site_id == act.site_id, GroupSession.status == "published",
            GroupSession.starts_at > act.at,
        )
    ).all()  # fmt: skip
    seats = facts.standing_seats(act, [row.id for row in rows])
    stays = {seat.reception_id: seat.reception for seat in seats}
    pairs = facts.apart_of(act, list(stays.values()))
    by_session: dict[int, set[int]] = {}
    for seat in seats:
        by_session.setdefault(seat.session_id, set()).add(seat.reception_id)
    return {each for each, ids in by_session.items() if any(pair <= ids for pair in pairs)}


def sessions_without_leader(act: Act) -> dict[int, list[str]]:
    """Published sessions to come of this prison while a facilitator is on leave: who is away."""
    rows = act.session.execute(
        select(GroupSession.id, Staff.name)
        .join(Staff, Staff.id.in_([GroupSession.carat_id, GroupSession.clinical_id]))
        .join(StaffLeave, StaffLeave.staff_id == Staff.id)
        .where(
            GroupSession.site_id == act.site_id, GroupSession.status == "published",
            GroupSession.starts_at > act.at, StaffLeave.withdrawn_at.is_(None),
            StaffLeave.starts_at < GroupSession.ends_at,
            StaffLeave.ends_at > GroupSession.starts_at,
        )
        .order_by(GroupSession.starts_at, GroupSession.id, Staff.name)
    )  # fmt: skip
    found: dict[int, list[str]] = {}
    for session_id, name in rows:
        found.setdefault(session_id, []).append(name)
    return found


# -- what groups need ------------------------------------------------------------------------------


def materials(act: Act) -> list[GroupMaterial]:
    need_a_prison(act)
    return list(
        act.session.scalars(
            select(GroupMaterial)
            .where(GroupMaterial.site_id == act.site_id)
            .order_by(GroupMaterial.topic, GroupMaterial.id)
        )
    )


def half_days(act: Act) -> list[RegimeBlock]:
    need_a_prison(act)
    return facts.regime_rows(act, act.site_id or 0)


def facilitators(act: Act) -> list[GroupFacilitator]:
    need_a_prison(act)
    return list(
        act.session.scalars(
            select(GroupFacilitator)
            .join(Staff, Staff.id == GroupFacilitator.staff_id)
            .where(GroupFacilitator.site_id == act.site_id, GroupFacilitator.ended_at.is_(None))
            .order_by(GroupFacilitator.kind, Staff.name, Staff.id)
        )
    )


def rooms(act: Act) -> list[Resource]:
    need_a_prison(act)
    return list(
        act.session.scalars(
            select(Resource)
            .where(
                Resource.site_id == act.site_id, Resource.kind == "room",
                Resource.gone_on.is_(None) | (Resource.gone_on > act.today),
            )
            .order_by(Resource.name)
        )
    )  # fmt: skip


def staff_here(act: Act) -> list[Staff]:
    """Everybody who works here now, by name."""
    return list(
        act.session.scalars(
            select(Staff)
            .where(
                Staff.id.in_(
                    select(StaffRole.staff_id).where(
                        StaffRole.site_id == act.site_id, StaffRole.to_on.is_(None)
                    )
                )
            )
            .order_by(Staff.name, Staff.id)
        )
    )


def people_here(act: Act) -> list[tuple[int, Patient]]:
    """Everybody in custody here with their stay, by name; the list is audited by whom it shows."""
    act.need("groups.seat")
    stays = act.session.scalars(
        select(Reception).where(Reception.undone_at.is_(None), in_custody_here(act))
    )
    found = [
        (stay.id, act.session.get_one(Patient, root_of(act, stay.patient_id))) for stay in stays
    ]
    act.note_shown("groups.people_listed", [patient.id for _, patient in found])
    return sorted(found, key=lambda each: (each[1].family_name, each[1].given_name, each[0]))
