"""What may the timetable know about this stay? Rows -> the request of the timetable contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
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
    ReportedElsewhere,
    Transfer,
    Unavailable,
)
from clinic.custody.passed_models import PassedMove
from clinic.groups.offers import sessions_on_offer
from clinic.patients.models import Allocation, Patient
from clinic.patients.queries import same_person
from clinic.sites.models import Site
from dosing.days import ONE_DAY, at_london, end_of, london_day
from scheduling.custody_request import RECEPTION_IS_DAY_1
from scheduling.custody_rules import BY_KEY, GROUP_SESSION, LAST_DAY

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


def day_1(reception: Reception, detail: ReceptionDetail) -> date:
    """Day 1 of this stay, by how it numbers its days (TT-01).

    For somebody from a prison outside this system the count goes on from the day they were first
    received into custody (A10). While that is not known it is the day they came here: the latest it
    can be. Any row with these columns will do for the two.
    """
    on: date = detail.first_received_on or london_day(detail.received_at)
    return on + (reception.day_count != RECEPTION_IS_DAY_1) * ONE_DAY


def moved_in(detail: ReceptionDetail) -> bool:
    """Did they come from a prison outside on a later day of custody than the first?"""
    first = detail.first_received_on
    return first is not None and first < london_day(detail.received_at)


def over_on_arrival(reception: Reception, detail: ReceptionDetail) -> bool:
    """Were their 28 days over before they came here? Then nothing of them is planned here."""
    day = (london_day(detail.received_at) - day_1(reception, detail)).days + 1
    return moved_in(detail) and day > LAST_DAY


MIDDAY = time(12)


def first_received(detail: ReceptionDetail) -> datetime:
    """When custody began, as the timetable takes it.

    Where the day is known and the hour is not, midday stands for it: every deadline is then the one
    the earliest hour would give, and no late reception is claimed.
    """
    on = detail.first_received_on
    if on is None:
        return detail.received_at
    return detail.first_received_at or min(at_london(on, MIDDAY), detail.received_at)


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
    passed = last_passed(session, reception.id, version)
    rows = rows_of(session, Delivery, reception.id, version)
    delivered = _delivered(_of_this_move(rows, passed, ahead=transfer is not None))
    arrival, before = None, elsewhere.get("before")
    if moved_in(detail):
        arrival, before = _arrival(detail, elsewhere), {"nation": detail.came_from_nation}
        delivered = _with_arrival(
            detail, delivered, rows_of(session, ReportedElsewhere, reception.id, version),
            told=transfer is None and passed is None,
        )  # fmt: skip
    if passed is not None:
        arrival, before = _passed(passed, elsewhere), elsewhere.get("before")
        if transfer is None and passed.from_site_id is None:
            delivered.append(_told(passed.moved_at))
    return {
        "case": f"reception-{reception.id}",
        "as_at": as_at.isoformat(),
        "received_at": first_received(detail).isoformat(),
        # Of two moves the one ahead is planned for; the calendar before it is then this prison's own.
        "prison": before if arrival and transfer is None else elsewhere["prison"],
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
        }
        or arrival,
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
        "delivered": delivered,
        "earlier_stays": elsewhere["earlier_stays"],
    }


def _arrival(detail: ReceptionDetail, elsewhere: dict[str, Any]) -> dict[str, Any]:
    """The move that brought them here, as the contract has a transfer."""
    on = london_day(detail.received_at)
    told_on = detail.told_on or on
    return {"on": on.isoformat(), "booked_on": told_on.isoformat(), **elsewhere["prison"]}


def _with_arrival(
    detail: ReceptionDetail,
    delivered: list[dict[str, Any]],
    reported: list[ReportedElsewhere],
    *,
    told: bool,
) -> list[dict[str, Any]]:
    """With what is reported from the prison they came from, and what their coming itself settles.

    A day without an hour counts as its end, the latest it can have been; what is reported without a
    day makes nothing done. Whoever is named keyworker here is so for the first prison's duty too.
    """
    found = list(delivered)
    for row in reported:
        if row.on is not None:
            found.append(
                {
                    "item": row.item, "done_at": latest(row.on, detail).isoformat(),
                    "by": row.by or None, "outcome": row.outcome, "topic": row.topic,
                    "mode": row.mode,
                }
            )  # fmt: skip
    if told:
        began = first_received(detail)
        for row in delivered:  # named before they came: never before it can have been owed
            if row["item"] == "keyworker_named":
                row["done_at"] = max(datetime.fromisoformat(row["done_at"]), began).isoformat()
                found.append({**row, "item": "receiving_keyworker_named"})
        told_at = max(
            latest(detail.told_on or london_day(detail.received_at), detail),
            first_received(detail),
        )
        found.append(_told(told_at))
    return found


def _told(at: datetime) -> dict[str, Any]:
    return {"item": "tell_receiving_team", "done_at": at.isoformat(), "by": ["carat"]}


def _passed(passed: PassedMove, elsewhere: dict[str, Any]) -> dict[str, Any]:
    """The move that led to this prison, as the contract has a transfer."""
    return {
        "on": london_day(passed.moved_at).isoformat(), "booked_on": passed.booked_on.isoformat(),
        **elsewhere["prison"],
    }  # fmt: skip


def done_for_this_move(session: Session, reception: Reception, item: str) -> list[Delivery]:
    """What was recorded of an item, those of moves that went before left out."""
    rows = [row for row in rows_of(session, Delivery, reception.id) if row.item == item]
    ahead = row_of(session, Transfer, reception.id) is not None
    return _of_this_move(rows, last_passed(session, reception.id), ahead=ahead)


def _of_this_move(
    rows: list[Delivery], passed: PassedMove | None, *, ahead: bool
) -> list[Delivery]:
    """Without the steps of moves that went before: telling, naming and sending are done for each."""
    since = passed and (passed.recorded_at if ahead else passed.steps_since)
    if since is None:
        return rows
    return [
        row
        for row in rows
        if row.item == GROUP_SESSION or BY_KEY[row.item].rule != "TT-18" or row.recorded_at >= since
    ]


def latest(on: date, detail: ReceptionDetail) -> datetime:
    """The last moment of a day at the prison they came from."""
    return min(end_of(on) - timedelta(seconds=1), detail.received_at)


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
    passed = last_passed(session, reception.id)
    return {
        "before": passed and _calendar_before(session, passed),
        "prison": calendar_of(session, session.get_one(Site, reception.site_id)),
        "receiving": receiving and calendar_of(session, receiving),
        "earlier_stays": _earlier_stays(act, reception),
        "sessions": sessions_on_offer(act, reception),
    }


def _calendar_before(session: Session, passed: PassedMove) -> dict[str, Any]:
    if passed.from_site_id is None:
        return {"nation": passed.from_nation}
    return calendar_of(session, session.get_one(Site, passed.from_site_id))


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
    """The prisons whose staff record in this stay: every one they were at, and one to be moved to."""
    passed = {row.from_site_id for row in passed_moves(session, reception.id)}
    return current_prisons(session, reception) | passed


def current_prisons(session: Session, reception: Reception) -> set[int | None]:
    """The prison that keeps the stay, and the one they move or have just moved to."""
    transfer = row_of(session, Transfer, reception.id)
    return {reception.site_id} | ({transfer.receiving_site_id} if transfer else set())


def moves_outside(session: Session, reception: Reception) -> bool:
    """Is the move ahead, or just made, one to a prison that is no site here?"""
    transfer = row_of(session, Transfer, reception.id)
    return transfer is not None and transfer.receiving_site_id is None


def passed_moves(
    session: Session, reception_id: int, version: int | None = None
) -> Sequence[PassedMove]:
    """The moves that were followed by another, oldest first; those a version knew of."""
    wanted = select(PassedMove).where(PassedMove.reception_id == reception_id)
    if version is not None:
        wanted = wanted.where(PassedMove.known_from <= version)
    return session.scalars(wanted.order_by(PassedMove.id)).all()


def last_passed(
    session: Session, reception_id: int, version: int | None = None
) -> PassedMove | None:
    """The move that led to the prison that keeps the stay, where it is not the first."""
    return next(reversed(passed_moves(session, reception_id, version)), None)
