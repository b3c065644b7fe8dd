"""What may the timetable know about this stay? Rows -> the request of the timetable contract."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from clinic.act import Act
from clinic.calendars import calendar_of
from clinic.custody.models import (
    Delivery,
    Exit,
    Fact,
    Hearing,
    KnownRelease,
    Location,
    Reception,
    ReceptionDetail,
    Transfer,
    Unavailable,
)
from clinic.groups.offers import sessions_on_offer
from clinic.patients.models import Allocation, Patient
from clinic.patients.queries import same_person
from clinic.sites.models import Site
from dosing.days import ONE_DAY, london_day
from scheduling.custody_request import RECEPTION_IS_DAY_1

F = TypeVar("F", bound=Fact)

REUSABLE = ("smta", "collate_assessments", "csma")
"""The assessments of an earlier stay that are offered for review (TT-21)."""


def detail_stands() -> ColumnElement[bool]:
    """The detail of a reception that stands, to join it by."""
    return and_(ReceptionDetail.reception_id == Reception.id, ReceptionDetail.known_until.is_(None))


def is_keyworker_here(act: Act) -> ColumnElement[bool]:
    """The naming of the patient's keyworker at this prison that stands, to join it by."""
    return and_(
        Allocation.patient_id == func.coalesce(Patient.merged_into_id, Patient.id),
        Allocation.site_id == act.site_id,
        Allocation.kind == "keyworker",
        Allocation.ended_at.is_(None),
    )


def rows_of(
    session: Session, model: type[F], reception_id: int, version: int | None = None
) -> list[F]:
    """The facts of one kind, oldest first: those that stand, or those a version was made from."""
    table: Any = model
    standing = (
        table.known_until.is_(None)
        if version is None
        else (table.known_from <= version)
        & or_(table.known_until.is_(None), table.known_until > version)
    )
    return list(
        session.scalars(
            select(model).where(table.reception_id == reception_id, standing).order_by(table.id)
        )
    )


def row_of(
    session: Session, model: type[F], reception_id: int, version: int | None = None
) -> F | None:
    """The one fact of a kind of which a stay has one at most."""
    return next(iter(rows_of(session, model, reception_id, version)), None)


def day_1_of(received_at: datetime, day_count: str) -> date:
    """Day 1 of a stay, by when they came and how the stay numbers its days (TT-01)."""
    return london_day(received_at) + (day_count != RECEPTION_IS_DAY_1) * ONE_DAY


def day_1(reception: Reception, detail: ReceptionDetail) -> date:
    """Day 1 of this stay."""
    return day_1_of(detail.received_at, reception.day_count)


def detail_of(
    session: Session, reception: Reception, version: int | None = None
) -> ReceptionDetail:
    """When they arrived and what was asked, as it stands or as a version knew it."""
    detail = row_of(session, ReceptionDetail, reception.id, version)
    assert detail is not None, "a reception is never without its details"
    return detail


def location_of(
    session: Session, reception: Reception, site_id: int | None, *, at: datetime | None = None
) -> Location | None:
    """Where in this prison they live: by the newest row, or the newest up to a moment."""
    rows = [
        row
        for row in rows_of(session, Location, reception.id)
        if row.wing.site_id == site_id and (at is None or row.from_at <= at)
    ]
    return max(rows, key=lambda row: (row.from_at, row.id), default=None)


def timetable_request(
    session: Session,
    reception: Reception,
    *,
    as_at: datetime,
    plan_made_on: date,
    elsewhere: dict[str, Any],
    version: int | None = None,
) -> dict[str, Any]:
    """The request of `timetable plan` for this stay, from the facts that stand.

    `version`: from the facts that version of the timetable was made from instead.
    """
    detail = detail_of(session, reception, version)
    release = row_of(session, KnownRelease, reception.id, version)
    transfer = row_of(session, Transfer, reception.id, version)
    left = row_of(session, Exit, reception.id, version)
    return {
        "case": f"reception-{reception.id}",
        "as_at": as_at.isoformat(),
        "received_at": detail.received_at.isoformat(),
        "prison": elsewhere["prison"],
        "plan_made_on": plan_made_on.isoformat(),
        "day_count": reception.day_count,
        "courts": [
            {
                "starts_at": row.starts_at.isoformat(),
                "known_at": row.known_at.isoformat(),
                "outcome": row.outcome,
            }
            for row in rows_of(session, Hearing, reception.id, version)
        ],
        "known_release": release
        and {"on": release.on.isoformat(), "known_at": release.known_at.isoformat()},
        "transfer": transfer
        and {
            "on": transfer.on.isoformat(),
            "booked_on": transfer.booked_on.isoformat(),
            **(elsewhere["receiving"] or {"nation": transfer.nation}),
            "prescriber_cover": transfer.prescriber_cover,
        },
        "exit": left and {"at": left.at.isoformat(), "how": left.how},
        "unavailable": [
            {
                "from_on": row.from_on.isoformat(),
                "to_on": row.to_on and row.to_on.isoformat(),
                "reason": row.place,
            }
            for row in rows_of(session, Unavailable, reception.id, version)
        ],
        "sessions": elsewhere.get("sessions"),  # a version made before groups knew of none
        "group_suitability": detail.group_suitability,
        "ppo": detail.ppo,
        "needs_post_28_programme": detail.needs_post_28_programme,
        "delivered": _delivered(rows_of(session, Delivery, reception.id, version)),
        "earlier_stays": elsewhere["earlier_stays"],
    }


def _delivered(rows: list[Delivery]) -> list[dict[str, Any]]:
    agreements = [
        row for row in rows if row.item == "joint_care_plan" and row.outcome == "delivered"
    ]
    told = [
        {
            "item": row.item,
            "done_at": row.done_at.isoformat(),
            "by": row.by,
            "outcome": row.outcome,
            "topic": row.topic,
            "mode": row.mode,
            "for_on": row.for_on and row.for_on.isoformat(),
        }
        for row in rows
        if row not in agreements
    ]
    return told + _care_plan(agreements)


def _care_plan(agreements: list[Delivery]) -> list[dict[str, Any]]:
    """The agreements given one by one, as the one delivery they make: agreed when the last came."""
    agreed_at = agreed_by(agreements)
    if not agreed_at:
        return []
    return [
        {
            "item": "joint_care_plan",
            "done_at": max(agreed_at.values()).isoformat(),
            "by": sorted(agreed_at),
        }
    ]


def agreed_by(agreements: list[Delivery]) -> dict[str, datetime]:
    """Who agreed the joint care plan, and when they first did."""
    first: dict[str, datetime] = {}
    for row in sorted(agreements, key=lambda each: each.done_at):
        for party in row.by:
            first.setdefault(party, row.done_at)
    return first


def read_elsewhere(act: Act, reception: Reception) -> dict[str, Any]:
    """What a timetable reads from outside the stay's own rows: calendars, earlier stays, groups."""
    session = act.session
    transfer = row_of(session, Transfer, reception.id)
    receiving = (
        session.get_one(Site, transfer.receiving_site_id)
        if transfer and transfer.receiving_site_id
        else None
    )
    return {
        "prison": calendar_of(session, session.get_one(Site, reception.site_id)),
        "receiving": receiving and calendar_of(session, receiving),
        "earlier_stays": _earlier_stays(act, reception),
        "sessions": sessions_on_offer(act, reception),
    }


def _earlier_stays(act: Act, reception: Reception) -> list[dict[str, Any]]:
    session = act.session
    records = same_person(act, kept_record(session, reception.patient_id).id)
    received_at = detail_of(session, reception).received_at
    earlier = session.execute(
        select(Reception, ReceptionDetail.received_at, Exit.at)
        .join(ReceptionDetail, ReceptionDetail.reception_id == Reception.id)
        .join(Exit, Exit.reception_id == Reception.id)
        .where(
            Reception.patient_id.in_(records),
            Reception.id != reception.id,
            Reception.undone_at.is_(None),
            ReceptionDetail.known_until.is_(None),
            Exit.known_until.is_(None),
            Exit.at <= received_at,
        )
        .order_by(Exit.at)
    ).all()
    return [
        {
            "received_at": began.isoformat(),
            "left_at": left.isoformat(),
            "assessments": [
                {"item": item, "done_on": done_on} for item, done_on in _assessments(session, stay)
            ],
        }
        for stay, began, left in earlier
    ]


def _assessments(session: Session, stay: Reception) -> list[tuple[str, str]]:
    return [
        (row.item, london_day(row.done_at).isoformat())
        for row in rows_of(session, Delivery, stay.id)
        if row.item in REUSABLE and row.outcome == "delivered"
    ]


def kept_record(session: Session, patient_id: int) -> Patient:
    """The record a person's work belongs to now, were two records joined meanwhile."""
    patient = session.get_one(Patient, patient_id)
    while patient.merged_into_id is not None:
        patient = session.get_one(Patient, patient.merged_into_id)
    return patient


def prisons_of(session: Session, reception: Reception) -> set[int | None]:
    """The prisons whose staff record in this stay: the one that received, and one moved to."""
    transfer = row_of(session, Transfer, reception.id)
    return {reception.site_id} | ({transfer.receiving_site_id} if transfer else set())
