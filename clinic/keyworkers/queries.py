"""Who carries whom, who is away, who is suggested, and what is due for a keyworker's people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, func, select

from clinic.act import Act
from clinic.appointments.models import StaffLeave
from clinic.custody import facts, worklists
from clinic.custody.models import Reception, ReceptionDetail, Timetable, TimetableItem
from clinic.custody.wings import in_custody_here, whereabouts
from clinic.custody.worklists import said_due
from clinic.errors import NotFound
from clinic.keyworkers.models import KeyworkerCeiling, KeyworkerCover
from clinic.patients.models import Allocation, Patient
from clinic.patients.queries import Where
from clinic.staff.models import Staff, StaffRole
from dosing.days import ONE_DAY, end_of, london_day
from scheduling.keyworkers import (
    CEILING,
    RULES,
    SOURCES,
    Keyworker,
    Suggestion,
    Unnamed,
    over,
    suggest,
)

KEYWORKER_ROLE = "carat_keyworker"
WEEK = timedelta(days=7)
MOST = 2_000
"""More than any prison holds."""


@dataclass(frozen=True)
class Load:
    """What a keyworker carries. `own`: their people; `covered`: people of those they cover today.

    `next_deadline`: the nearest open one of their own people. `away`: on leave, or covered.
    `most`: the ceiling of this prison today.
    """

    staff_id: int
    name: str
    own: int
    next_deadline: datetime | None
    most: int = CEILING
    covered: int = 0
    away: bool = False
    covered_by: str | None = None
    covers: Sequence[str] = ()

    @property
    def people(self) -> int:
        return self.own + self.covered

    @property
    def over(self) -> str | None:
        """What to say when it is more than one worker carries (KW-02)."""
        return over(self.people, self.most)

    @property
    def next_due(self) -> date | datetime | None:
        """The nearest deadline as it is said."""
        if self.next_deadline is None:
            return None
        return said_due(london_day(self.next_deadline) - ONE_DAY, self.next_deadline)


def keyworkers_here(act: Act) -> dict[int, str]:
    """Names of the keyworkers of this site today, by staff id."""
    rows = act.session.execute(
        select(Staff, StaffRole)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(StaffRole.site_id == act.site_id, StaffRole.role == KEYWORKER_ROLE)
        .order_by(Staff.id)
    )
    return {staff.id: staff.name for staff, role in rows if role.holds_on(act.today)}


@dataclass(frozen=True)
class Ceiling:
    """How many people one keyworker here carries at the most, and who said so. `row` None: the default.

    `rows`: all that was ever set, the newest first.
    """

    most: int
    row: KeyworkerCeiling | None
    rows: Sequence[KeyworkerCeiling]
    names: Mapping[int, str]

    @property
    def source(self) -> str:
        """Where the default comes from."""
        rule = RULES["KW-02"]
        return f"{SOURCES[rule['source']]}, {rule['where']}"


def ceiling(act: Act) -> Ceiling:
    """The ceiling of this prison today: its own, or the default (KW-02, KW-05)."""
    rows = act.session.scalars(
        select(KeyworkerCeiling)
        .where(KeyworkerCeiling.site_id == act.site_id)
        .order_by(KeyworkerCeiling.from_on.desc(), KeyworkerCeiling.id.desc())
    ).all()
    row = next((each for each in rows if each.from_on <= act.today), None)
    if row is not None and row.most is None:
        row = None
    names = act.session.execute(
        select(Staff.id, Staff.name).where(Staff.id.in_({each.recorded_by for each in rows}))
    )
    return Ceiling(
        row.most if row and row.most else CEILING, row, rows,
        dict(names.tuples().all()),
    )  # fmt: skip


def covers(act: Act, *, on: date | None = None) -> list[KeyworkerCover]:
    """Cover that stands here on a day, or from today on."""
    wanted = select(KeyworkerCover).where(
        KeyworkerCover.site_id == act.site_id, KeyworkerCover.withdrawn_at.is_(None),
        KeyworkerCover.to_on >= (on or act.today),
    )  # fmt: skip
    if on is not None:
        wanted = wanted.where(KeyworkerCover.from_on <= on)
    return list(act.session.scalars(wanted.order_by(KeyworkerCover.from_on, KeyworkerCover.id)))


def covered_by(act: Act, staff_id: int) -> list[int]:
    """Whose people somebody looks after today, beside their own."""
    return [row.staff_id for row in covers(act, on=act.today) if row.cover_id == staff_id]


def cover_of(act: Act, staff_id: int) -> str | None:
    """Who looks after a keyworker's people today, by name; None when nobody does."""
    found = [row.cover_id for row in covers(act, on=act.today) if row.staff_id == staff_id]
    return act.session.get_one(Staff, found[0]).name if found else None


def loads(act: Act) -> list[Load]:
    """The keyworkers of this site today, the least loaded first; among equals the one whose next
    duty is furthest, then the lower staff id. People counted are those still in custody.
    """
    act.need("custody.read")
    names = keyworkers_here(act)
    counted = act.session.execute(
        select(
            Allocation.staff_id,
            func.count(func.distinct(Allocation.patient_id)),
            func.min(TimetableItem.deadline),
        )
        .join(Patient, func.coalesce(Patient.merged_into_id, Patient.id) == Allocation.patient_id)
        .join(Reception, Reception.patient_id == Patient.id)
        .outerjoin(
            TimetableItem,
            and_(TimetableItem.reception_id == Reception.id, TimetableItem.state == "open"),
        )
        .where(
            Allocation.staff_id.in_(names),
            Allocation.site_id == act.site_id,
            Allocation.kind == "keyworker",
            Allocation.ended_at.is_(None),
            Reception.undone_at.is_(None),
            in_custody_here(act),
        )
        .group_by(Allocation.staff_id)
    )
    own = {staff_id: (people, deadline) for staff_id, people, deadline in counted}
    most = ceiling(act).most
    standing = covers(act, on=act.today)
    away = _on_leave(act, names) | {row.staff_id for row in standing}
    made = []
    for staff_id, name in names.items():
        people, deadline = own.get(staff_id, (0, None))
        covered = [row.staff_id for row in standing if row.cover_id == staff_id]
        cover = next((row.cover_id for row in standing if row.staff_id == staff_id), None)
        made.append(
            Load(
                staff_id, name, people, deadline, most, sum(own.get(each, (0,))[0] for each in covered),
                staff_id in away, names.get(cover) if cover else None,
                [names[each] for each in covered if each in names],
            )
        )  # fmt: skip
    return sorted(
        made,
        key=lambda load: (
            load.people,
            -(load.next_deadline.timestamp() if load.next_deadline else float("inf")),
            load.staff_id,
        ),
    )


def _on_leave(act: Act, staff_ids: Collection[int]) -> set[int]:
    return set(
        act.session.scalars(
            select(StaffLeave.staff_id).where(
                StaffLeave.staff_id.in_(staff_ids),
                StaffLeave.withdrawn_at.is_(None),
                StaffLeave.starts_at <= act.at,
                StaffLeave.ends_at > act.at,
            )
        )
    )


def suggestions(
    act: Act, waiting: Sequence[worklists.Work], carried: Sequence[Load]
) -> dict[int, Suggestion]:
    """Who is suggested for everybody on the list of those to be named, by reception."""
    ids = [row.reception_id for row in waiting]
    received = dict(
        act.session.execute(
            select(ReceptionDetail.reception_id, ReceptionDetail.received_at).where(
                ReceptionDetail.reception_id.in_(ids), ReceptionDetail.known_until.is_(None)
            )
        ).all()
    )
    before = _before(act, [row.patient_id for row in waiting])
    people = [
        Unnamed(
            row.reception_id, row.deadline, received[row.reception_id], row.ppo,
            row.heightened_risk, before.get(row.patient_id, frozenset()),
        )
        for row in waiting
    ]  # fmt: skip
    return {each.reception_id: each for each in suggest(people, _facts(carried), _most(carried))}


def suggested_for(
    act: Act, reception_id: int, patient_id: int, carried: Sequence[Load]
) -> Suggestion:
    """Who is suggested for one person, whether or not somebody is named."""
    row = worklists.to_be_named(act, reception_id=reception_id)
    if row:
        return suggestions(act, row, carried)[reception_id]
    before = _before(act, [patient_id]).get(patient_id, frozenset())
    return suggest(
        [Unnamed(reception_id, act.at, act.at, before=before)], _facts(carried), _most(carried)
    )[0]


def _most(carried: Sequence[Load]) -> int:
    """The ceiling these loads are set against."""
    return carried[0].most if carried else CEILING


def _facts(carried: Sequence[Load]) -> list[Keyworker]:
    return [
        Keyworker(each.staff_id, each.people, each.next_deadline, each.away) for each in carried
    ]


def _before(act: Act, patient_ids: Collection[int]) -> Mapping[int, frozenset[int]]:
    """Who was keyworker here to each of these people before, by the patient of the reception."""
    rows = act.session.execute(
        select(Patient.id, Allocation.staff_id)
        .join(
            Allocation, Allocation.patient_id == func.coalesce(Patient.merged_into_id, Patient.id)
        )
        .where(
            Patient.id.in_(patient_ids),
            Allocation.site_id == act.site_id,
            Allocation.kind == "keyworker",
            Allocation.ended_at.is_not(None),
        )
    )
    found: dict[int, frozenset[int]] = {}
    for patient_id, staff_id in rows:
        found[patient_id] = found.get(patient_id, frozenset()) | {staff_id}
    return found


# -- a caseload ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Carried:
    """One person on a caseload. `day`: of custody, whatever the 28 days say. `next`: None when
    nothing is left to do.
    """

    reception_id: int
    patient_id: int
    person: str
    where: Where | None
    keyworker_id: int
    keyworker: str
    day: int
    count_unknown: bool
    ppo: bool | None
    heightened_risk: bool | None
    next: worklists.Work | None


def caseload(act: Act, staff_id: int | None = None) -> list[Carried]:
    """A keyworker's own people in custody here, or the whole team's, by their next deadline."""
    act.need("custody.read")
    names = keyworkers_here(act)
    if staff_id is not None and staff_id not in names:
        raise NotFound("There is no such keyworker here.")
    rows = act.session.execute(
        select(Reception, ReceptionDetail, Patient, Staff)
        .join(Patient, Patient.id == Reception.patient_id)
        .join(ReceptionDetail, facts.detail_stands())
        .join(Allocation, facts.is_keyworker_here(act))
        .join(Staff, Staff.id == Allocation.staff_id)
        .where(
            Reception.undone_at.is_(None),
            in_custody_here(act),
            *([] if staff_id is None else [Allocation.staff_id == staff_id]),
        )
        .order_by(Reception.id)
    ).all()
    coming = {
        row.reception_id: row for row in worklists.next_work(act, of_keyworker=staff_id, limit=MOST)
    }
    where = whereabouts(act, {patient.id for _, _, patient, _ in rows})
    made = [
        Carried(
            reception.id, patient.id, patient.listed_name, where.get(patient.id), staff.id,
            staff.name, day_number(reception, detail, act.today),
            detail.count_unknown, detail.ppo, detail.heightened_risk, coming.get(reception.id),
        )
        for reception, detail, patient, staff in rows
    ]  # fmt: skip
    act.note_shown("custody.caseload_shown", [each.patient_id for each in made])
    far = end_of(date.max - timedelta(days=2))
    return sorted(
        made,
        key=lambda each: (each.next.deadline if each.next else far, each.ppo is not True,
                          each.heightened_risk is not True, each.reception_id),
    )  # fmt: skip


@dataclass(frozen=True)
class DatesChanged:
    """The dates of somebody's 28 days moved. `dates`: how many."""

    reception_id: int
    patient_id: int
    person: str
    at: datetime
    because: str
    dates: int


CHANGES_SHOWN = timedelta(days=7)  # how long a caseload tells of it; the stay tells for good


def dates_changed(act: Act, staff_id: int) -> list[DatesChanged]:
    """Whose dates moved lately, of a keyworker's people and those they cover; newest first."""
    act.need("custody.read")
    rows = act.session.execute(
        select(
            Timetable.reception_id, Timetable.made_at, Timetable.because, Timetable.moved, Patient
        )
        .join(Reception, Reception.id == Timetable.reception_id)
        .join(Patient, Patient.id == Reception.patient_id)
        .join(Allocation, facts.is_keyworker_here(act))
        .where(
            Timetable.made_at >= act.at - CHANGES_SHOWN,
            Timetable.moved > 0,
            Reception.undone_at.is_(None),
            in_custody_here(act),
            Allocation.staff_id.in_([staff_id, *covered_by(act, staff_id)]),
        )
        .order_by(Timetable.made_at.desc(), Timetable.id.desc())
        .limit(MOST)
    ).all()
    act.note_shown("custody.dates_changed_shown", [patient.id for *_, patient in rows])
    return [
        DatesChanged(
            reception_id, patient.id, patient.listed_name, made_at, because, moved,
        )
        for reception_id, made_at, because, moved, patient in rows
    ]  # fmt: skip


def day_number(reception: Reception, detail: ReceptionDetail, on: date) -> int:
    """Which day of custody it is, by how this stay numbers its days (TT-01). May pass 28."""
    return (on - facts.day_1(reception, detail)).days + 1


@dataclass(frozen=True)
class Day:
    """What is due on one day of a keyworker's week."""

    on: date
    work: Sequence[worklists.Work]


def week(act: Act, staff_id: int) -> tuple[list[worklists.Work], list[Day]]:
    """What is overdue for a keyworker's people and those they cover, then seven days from today."""
    act.need("custody.read")
    whose = [staff_id, *covered_by(act, staff_id)]
    rows = worklists.coming_work(act, until=end_of(act.today + WEEK - ONE_DAY), of_keyworkers=whose)
    late = [row for row in rows if row.deadline < act.at]
    days = [act.today + timedelta(days=number) for number in range(WEEK.days)]
    return late, [
        Day(on, [row for row in rows if row not in late and row.due_on == on]) for on in days
    ]
