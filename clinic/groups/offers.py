"""Which groups may the timetable of a stay know of? Sessions on offer, and the seats of the stay."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select

from clinic.act import Act
from clinic.custody.models import Reception, ReceptionDetail
from clinic.groups.models import EstatePlacement, GroupSeat, GroupSession, NonAssociation
from clinic.patients.queries import same_person

_ALL_OF_THEM = timedelta(days=30)
"""Past the last of the 28 days, whichever is day 1; the timetable leaves out what lies outside."""


def sessions_on_offer(act: Act, reception: Reception) -> list[dict[str, Any]]:
    """The published and held sessions of their estate and those they sit in, as the contract has it.

    `non_associate_booked` says that somebody is there, never who.
    """
    session = act.session
    estate = session.scalar(
        select(EstatePlacement.estate).where(
            EstatePlacement.reception_id == reception.id, EstatePlacement.ended_at.is_(None)
        )
    )
    sits = set(
        session.scalars(
            select(GroupSeat.session_id).where(
                GroupSeat.reception_id == reception.id, GroupSeat.state != "released"
            )
        )
    )
    if estate is None and not sits:
        return []
    received_at = session.scalars(
        select(ReceptionDetail.received_at).where(
            ReceptionDetail.reception_id == reception.id, ReceptionDetail.known_until.is_(None)
        )
    ).one()
    prison_id = act.site_id or reception.site_id  # the service itself works at no prison
    rows = session.scalars(
        select(GroupSession)
        .where(
            GroupSession.status.in_(("published", "held")),
            GroupSession.starts_at.between(received_at, received_at + _ALL_OF_THEM),
            or_(
                GroupSession.id.in_(sits),
                (GroupSession.site_id == prison_id) & (GroupSession.estate == estate),
            ),
        )
        .order_by(GroupSession.starts_at, GroupSession.id)
    ).all()
    taken: Counter[int] = Counter()
    barred: set[int] = set()
    apart = kept_from(act, reception.patient_id)
    for session_id, patient_id in session.execute(
        select(GroupSeat.session_id, Reception.patient_id)
        .join(Reception, Reception.id == GroupSeat.reception_id)
        .where(GroupSeat.session_id.in_([row.id for row in rows]), GroupSeat.state != "released")
    ):
        taken[session_id] += 1
        if patient_id in apart:
            barred.add(session_id)
    return [
        {
            "starts_at": row.starts_at.isoformat(),
            "topic": row.topic,
            "place_taken": row.id in sits,
            "non_associate_booked": row.id in barred,
            "places_left": row.places - taken[row.id],
            "runs_on_bank_holiday": row.runs_on_bank_holiday,
        }
        for row in rows
    ]


def kept_from(act: Act, patient_id: int) -> set[int]:
    """Every record of everybody this person is kept apart from."""
    own = same_person(act, patient_id)
    pairs = act.session.execute(
        select(NonAssociation.one_id, NonAssociation.other_id).where(
            NonAssociation.ended_at.is_(None),
            NonAssociation.one_id.in_(own) | NonAssociation.other_id.in_(own),
        )
    ).all()
    found: set[int] = set()
    for one, other in pairs:
        found.update(same_person(act, other if one in own else one))
    return found


def release_after(act: Act, reception: Reception, left_at: datetime) -> None:
    """They left this prison: their seats from then on in its sessions are free again."""
    for seat in act.session.scalars(
        select(GroupSeat)
        .join(GroupSession, GroupSession.id == GroupSeat.session_id)
        .where(
            GroupSeat.reception_id == reception.id, GroupSeat.state != "released",
            GroupSeat.starts_at >= left_at, GroupSession.site_id == act.site_id,
        )
    ):  # fmt: skip
        seat.state, seat.released_because = "released", "left"
        seat.released_at, seat.released_by = act.at, act.staff_id
        act.note("groups.seat_released", patient_id=reception.patient_id, seat=seat.id)
