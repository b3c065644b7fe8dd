"""What is a plan of 28 days worked out from? Everybody owed groups, and what they need most.

A plan is for whole days to come. People of another wing, or past their own weeks, who sit in its
sessions are known too: their seats are not its to move.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments.models import Resource
from clinic.careplans.models import CarePlan, CarePlanVersion
from clinic.custody import facts as custody_facts
from clinic.custody.models import Delivery, Reception, ReceptionDetail, ReportedElsewhere
from clinic.custody.wings import in_custody_here
from clinic.groups import facts
from clinic.groups.models import GroupAttendance, GroupHold, GroupPlan, GroupSeat, GroupSession
from dosing.days import end_of, london_day, start_of
from scheduling.careplans import GROUPS_NEEDED
from scheduling.custody_rules import GROUP_SESSION
from scheduling.groups import (
    RULES,
    Away,
    Facilitator,
    GroupFacts,
    Person,
    Seat,
    Session,
    Week,
)

LONGEST_STAY = timedelta(days=30)
"""Past the last of the 28 days, whichever is day 1."""


def world(act: Act, plan: GroupPlan) -> GroupFacts:
    """All that is known of these days, as it stands. Nothing in it hangs on the hour."""
    first_on, last_on = plan.first_on, plan.last_on
    stays = _stays(act, first_on, plan.wing_id)
    people = [person for stay in stays if (person := _planned(act, stay, first_on, last_on)).weeks]
    mine = {person.id for person in people}
    known = facts.group_facts(act, first_on, last_on)
    seats = facts.standing_seats(act, [each.id or 0 for each in known.sessions])
    others = {seat.reception_id: seat.reception for seat in seats if seat.reception_id not in mine}
    apart = facts.apart_of(act, [*(each for each in stays if each.id in mine), *others.values()])
    estate = {each.id: each.estate for each in known.sessions}
    return replace(
        known,
        weights=dict(plan.weights),
        people=(*people, *_others(act, plan, seats, estate, others)),
        facilitators=tuple(_busy_elsewhere(act, plan, known.facilitators)),
        # Two of another wing who share a session already are shown to be moved; not by this plan.
        apart=frozenset(pair for pair in apart if not pair <= others.keys()),
        seats=tuple(
            Seat(each.session_id, each.reception_id, each.pinned or each.reception_id not in mine)
            for each in seats
        ),
    )


def _stays(act: Act, first_on: date, wing_id: int | None) -> list[Reception]:
    """Everybody here whose 28 days are not over by the first day; of one wing, if one is given."""
    stays = act.session.scalars(
        select(Reception)
        .join(ReceptionDetail, ReceptionDetail.reception_id == Reception.id)
        .where(
            Reception.undone_at.is_(None), in_custody_here(act),
            ReceptionDetail.known_until.is_(None),
            ReceptionDetail.received_at > start_of(first_on) - LONGEST_STAY,
        )
        .order_by(Reception.id)
    ).all()  # fmt: skip
    if wing_id is None:
        return list(stays)
    where = {stay.id: custody_facts.location_of(act.session, stay, act.site_id) for stay in stays}
    return [stay for stay in stays if (at := where[stay.id]) and at.wing_id == wing_id]


def _planned(act: Act, stay: Reception, first_on: date, last_on: date) -> Person:
    """This stay with what is left of each week, and the topics needed most named first."""
    person = facts.person_of(act, stay, last_on)
    if person.one_to_one:
        return replace(person, weeks=())
    before = _seats_before(act, stay, first_on)
    weeks = []
    for week in person.weeks:
        taken = sum(week.first_on <= on <= week.last_on for on, _, open_ in before if open_)
        if week.last_on >= first_on and week.first_on <= last_on:
            weeks.append(
                Week(
                    week.number, max(week.first_on, first_on), min(week.last_on, last_on),
                    max(0, week.required - taken), week.hard,
                )
            )  # fmt: skip
    had = {row.topic for row in custody_facts.rows_of(act.session, Delivery, stay.id)
           if row.item == GROUP_SESSION and row.outcome == "delivered"}  # fmt: skip
    had |= {topic for _, topic, open_ in before if open_}
    had |= {row.topic for row in custody_facts.rows_of(act.session, ReportedElsewhere, stay.id)
            if row.topic is not None and row.outcome == "delivered"}  # fmt: skip
    return replace(person, weeks=tuple(weeks), topics=_topics(act, stay, had))


def _seats_before(act: Act, stay: Reception, first_on: date) -> list[tuple[date, str, bool]]:
    """Seats before the first day: day, topic, and whether what became of it is still open."""
    rows = act.session.execute(
        select(GroupSeat.starts_at, GroupSession.topic, GroupAttendance.id)
        .join(GroupSession, GroupSession.id == GroupSeat.session_id)
        .outerjoin(
            GroupAttendance,
            (GroupAttendance.seat_id == GroupSeat.id) & GroupAttendance.ended_at.is_(None),
        )
        .where(
            GroupSeat.reception_id == stay.id, GroupSeat.state != "released",
            GroupSeat.starts_at < start_of(first_on),
        )
    )  # fmt: skip
    return [(london_day(starts_at), topic, said is None) for starts_at, topic, said in rows]


def _topics(act: Act, stay: Reception, had: Collection[str | None]) -> tuple[str, ...]:
    """Those their care plan names first; those they had already last of all."""
    answers = act.session.scalar(
        select(CarePlanVersion.answers)
        .join(CarePlan, CarePlan.id == CarePlanVersion.plan_id)
        .where(CarePlan.reception_id == stay.id)
        .order_by(CarePlanVersion.number.desc())
        .limit(1)
    )
    named = [answer for key in GROUPS_NEEDED if (answer := (answers or {}).get(key))]
    topics = dict.fromkeys([*named, *RULES["GP-01"]["topics"]])
    return tuple(sorted(topics, key=lambda topic: topic in had))


def _others(
    act: Act,
    plan: GroupPlan,
    seats: Sequence[GroupSeat],
    estate: Mapping[int | None, str],
    others: Mapping[int, Reception],
) -> Iterable[Person]:
    """People whose seats stay where they are: owed nothing here, and away from nothing."""
    for each in others.values():
        theirs = [seat for seat in seats if seat.reception_id == each.id]
        yield Person(
            id=each.id,
            received_at=custody_facts.detail_of(act.session, each).received_at,
            estate=estate[theirs[0].session_id],
            weeks=(Week(0, plan.first_on, plan.last_on, 0, hard=False),),
            topics=(),
        )


def _busy_elsewhere(
    act: Act, plan: GroupPlan, facilitators: Iterable[Facilitator]
) -> Iterable[Facilitator]:
    """With the hours they lead groups at another prison, and the days before that count in the week."""
    monday = plan.first_on - timedelta(days=plan.first_on.weekday())
    earlier = facts.standing_sessions(
        act, plan.site_id, monday, plan.first_on - timedelta(days=1)
    ) if monday < plan.first_on else []  # fmt: skip
    held: dict[int, list[Away]] = {}
    for staff_id, starts_at, ends_at in act.session.execute(
        select(Resource.staff_id, GroupHold.starts_at, GroupHold.ends_at)
        .join(Resource, Resource.id == GroupHold.resource_id)
        .join(GroupSession, GroupSession.id == GroupHold.session_id)
        .where(
            Resource.staff_id.in_([each.id for each in facilitators]),
            GroupHold.released_at.is_(None), GroupSession.site_id != plan.site_id,
            GroupHold.starts_at < end_of(plan.last_on), GroupHold.ends_at > start_of(monday),
        )
        .order_by(GroupHold.starts_at)
    ):  # fmt: skip
        held.setdefault(staff_id or 0, []).append(Away(starts_at, ends_at))
    for each in facilitators:
        days = [london_day(row.starts_at) for row in earlier
                if each.id in (row.carat_id, row.clinical_id)]  # fmt: skip
        days += [span.on for span in held.get(each.id, [])]
        yield replace(
            each, away=(*each.away, *held.get(each.id, [])),
            elsewhere=tuple(sorted(days)),
        )  # fmt: skip


# -- pins of a plan that is not accepted ----------------------------------------------------------


def with_pins(known: GroupFacts, pins: Sequence[Mapping[str, Any]]) -> GroupFacts:
    """The same prison with these pins kept: each a reception and the session of a plan it sits in.

    A session that is not written down yet stands for the while under a number below nothing.
    """
    sessions = {(each.id or 0): each for each in known.sessions}
    planned: dict[tuple[Any, ...], Session] = {}
    seats = {(each.session_id, each.person_id): each for each in known.seats}
    for pin in pins:
        wanted = session_of(pin["session"])
        if wanted.id is None:
            key = wanted.starts_at, wanted.topic, wanted.estate
            wanted = planned.setdefault(key, replace(wanted, id=-1 - len(planned)))
        elif wanted.id not in sessions:
            continue  # it is cancelled meanwhile
        seats[wanted.id or 0, pin["reception"]] = Seat(
            wanted.id or 0, pin["reception"], pinned=True
        )
    return replace(
        known, sessions=(*known.sessions, *planned.values()), seats=tuple(seats.values())
    )


def session_of(told: Mapping[str, Any]) -> Session:
    """A session as a plan's result tells it (plan_results.py)."""
    return Session(
        id=told["id"], topic=told["topic"], estate=told["estate"],
        starts_at=datetime.fromisoformat(told["starts_at"]),
        ends_at=datetime.fromisoformat(told["ends_at"]), room_id=told["room_id"],
        carat_id=told["carat_id"], clinical_id=told["clinical_id"], places=told["places"],
    )  # fmt: skip
