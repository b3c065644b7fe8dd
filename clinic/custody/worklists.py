"""What is due at a prison, for whom and by when?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from clinic.act import Act
from clinic.custody import facts, words
from clinic.custody.models import (
    Reception,
    ReceptionDetail,
    TimetableItem,
)
from clinic.custody.wings import whereabouts
from clinic.patients.models import Allocation, Patient
from clinic.patients.queries import Where
from clinic.staff.models import Staff
from dosing.days import end_of
from scheduling.custody_rules import ITEMS

MOST_LISTED = 200
OWNED_BY_HEALTHCARE = ("healthcare", "keyworker_and_healthcare", "carat_and_healthcare")
OWNED_BY_CARAT = (
    "keyworker", "carat", "keyworker_and_healthcare", "carat_and_healthcare", "receiving_carat",
)  # fmt: skip


@dataclass(frozen=True)
class Work:
    """One open duty on a worklist. `person` is the listed name; `where` None: not recorded.

    `day`: of custody, today.
    """

    reception_id: int
    patient_id: int
    person: str
    where: Where | None
    item: str
    for_on: date | None
    duty: str
    due_on: date
    due_at: datetime | None
    deadline: datetime
    amber: bool
    overdue: bool
    owner: str
    escalate_to: str | None
    keyworker_id: int | None
    keyworker: str | None
    day: int
    ppo: bool | None
    heightened_risk: bool | None

    @property
    def due(self) -> date | datetime | None:
        return said_due(self.due_on, self.due_at)


def said_due(due_on: date | None, due_at: datetime | None) -> date | datetime | None:
    """A deadline as staff say it: the hour, unless it is the midnight that ends the day."""
    if due_on is None or due_at is None or due_at == end_of(due_on):
        return due_on
    return due_at


def _owner_on(day: date) -> ColumnElement[str]:
    """Who owns a duty on this day: some pass to another team from the day they are due."""
    passing = [
        (and_(TimetableItem.item == item.key, TimetableItem.due_on <= day), item.owner_from_due_day)
        for item in ITEMS
        if item.owner_from_due_day is not None
    ]
    return case(*passing, else_=TimetableItem.owner) if passing else TimetableItem.owner


def _first_among_equals() -> list[ColumnElement[int]]:
    """PPOs first (PS-31), then those found at heightened risk; never by name."""
    return [
        case((ReceptionDetail.ppo.is_(True), 0), else_=1),
        case((ReceptionDetail.heightened_risk.is_(True), 0), else_=1),
    ]


def _open_work(act: Act, *which: ColumnElement[bool], limit: int) -> list[Work]:
    owner, keyworker = _owner_on(act.today), aliased(Staff)
    found = act.session.execute(
        select(TimetableItem, Patient, Reception, ReceptionDetail, keyworker, owner)
        .join(Reception, Reception.id == TimetableItem.reception_id)
        .join(Patient, Patient.id == Reception.patient_id)
        .join(ReceptionDetail, facts.detail_stands())
        .outerjoin(Allocation, facts.is_keyworker_here(act))
        .outerjoin(keyworker, keyworker.id == Allocation.staff_id)
        .where(TimetableItem.site_id == act.site_id, TimetableItem.state == "open", *which)
        .order_by(TimetableItem.deadline, *_first_among_equals(), TimetableItem.id)
        .limit(limit)
    ).all()
    where = whereabouts(act, {patient.id for _, patient, *_ in found})
    work = [
        Work(
            reception_id=item.reception_id,
            patient_id=patient.id,
            person=patient.listed_name,
            where=where.get(patient.id),
            item=item.item,
            for_on=item.for_on,
            duty=words.duty(item.item, item.for_on),
            due_on=item.due_on,
            due_at=item.due_at,
            deadline=item.deadline,
            amber=item.amber_from is not None and item.amber_from <= act.at,
            overdue=item.deadline < act.at,
            owner=owned_by,
            escalate_to=item.escalate_to,
            keyworker_id=named.id if named else None,
            keyworker=named.name if named else None,
            day=(act.today - facts.day_1(reception, detail)).days + 1,
            ppo=detail.ppo,
            heightened_risk=detail.heightened_risk,
        )
        for item, patient, reception, detail, named, owned_by in found
    ]
    act.note_shown("custody.worklist_shown", [row.patient_id for row in work])
    return work


def due_work(
    act: Act,
    *,
    owners: Sequence[str] | None = None,
    of_keyworkers: Sequence[int] | None = None,
    limit: int = MOST_LISTED,
) -> list[Work]:
    """What is overdue, due by midnight or amber at this prison, by deadline and then risk.

    `owners`: only duties of these. `of_keyworkers`: only people these are keyworkers to.
    """
    act.need("custody.read")
    which: list[ColumnElement[bool]] = [
        or_(TimetableItem.deadline <= end_of(act.today), TimetableItem.amber_from <= act.at)
    ]
    if owners is not None:
        which.append(_owner_on(act.today).in_(owners))
    if of_keyworkers is not None:
        which.append(Allocation.staff_id.in_(of_keyworkers))
    return _open_work(act, *which, limit=limit)


def coming_work(act: Act, *, until: datetime, of_keyworkers: Sequence[int]) -> list[Work]:
    """What is overdue or due by a moment for the people of these keyworkers."""
    act.need("custody.read")
    which = (TimetableItem.deadline <= until, Allocation.staff_id.in_(of_keyworkers))
    return _open_work(act, *which, limit=MOST_LISTED)


def overdue_work(act: Act, *, limit: int = MOST_LISTED) -> list[Work]:
    """What is past its deadline at this prison, the longest late first."""
    act.need("custody.read")
    return _open_work(act, TimetableItem.deadline < act.at, limit=limit)


def to_be_named(
    act: Act, *, reception_id: int | None = None, limit: int = MOST_LISTED
) -> list[Work]:
    """Everybody without a keyworker, the nearest deadline first; or one of them.

    Whoever came from a prison outside is owed one by this prison, not by the one before.
    """
    act.need("custody.read")
    which = [TimetableItem.item.in_(words.NAMING), TimetableItem.clock_elsewhere.is_(False)]
    if reception_id is not None:
        which.append(TimetableItem.reception_id == reception_id)
    return _open_work(act, *which, limit=limit)


def next_work(act: Act, *, of_keyworker: int | None = None, limit: int = MOST_LISTED) -> list[Work]:
    """Everybody in custody here with something left to do, by their next deadline.

    `of_keyworker`: only people this member of staff is keyworker to.
    """
    act.need("custody.read")
    nearest = (
        select(TimetableItem.reception_id, func.min(TimetableItem.deadline).label("deadline"))
        .where(TimetableItem.site_id == act.site_id, TimetableItem.state == "open")
        .group_by(TimetableItem.reception_id)
        .subquery()
    )
    first = (
        select(func.min(TimetableItem.id))
        .join(
            nearest,
            and_(
                nearest.c.reception_id == TimetableItem.reception_id,
                nearest.c.deadline == TimetableItem.deadline,
            ),
        )
        .where(TimetableItem.site_id == act.site_id, TimetableItem.state == "open")
        .group_by(TimetableItem.reception_id)
    )
    which = [TimetableItem.id.in_(first)]
    if of_keyworker is not None:
        which.append(Allocation.staff_id == of_keyworker)
    return _open_work(act, *which, limit=limit)
