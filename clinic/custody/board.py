"""How does a wing stand today, and the prison as a whole? Read in a fixed number of looks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import aliased, lazyload

from clinic.act import Act
from clinic.custody import facts, words
from clinic.custody.models import (
    TOPIC_NAMES,
    Hearing,
    KnownRelease,
    Location,
    Reception,
    ReceptionDetail,
    TimetableItem,
    Transfer,
    Unavailable,
    Wing,
)
from clinic.custody.queries import NAMING
from clinic.custody.wings import in_custody_here, wings_here
from clinic.errors import NotFound
from clinic.groups.models import GroupSeat, GroupSession
from clinic.keyworkers.queries import day_number
from clinic.observations.models import WingObservation
from clinic.patients.models import Allocation, Patient
from clinic.staff.models import Staff
from dosing.days import ONE_DAY, end_of, london_day, london_time, start_of
from scheduling.custody_request import RECEPTION_IS_DAY_1
from scheduling.custody_rules import LAST_DAY
from scheduling.observations import LAST_OBSERVED, phase, rounds

PHASE_NAMES = {
    1: "Phase 1: days 1 to 7",
    2: "Phase 2: days 8 to 28",
    3: "Past day 28",
}


@dataclass(frozen=True)
class Due:
    """A duty due today or late."""

    duty: str
    due_on: date
    overdue: bool


@dataclass(frozen=True)
class OnWing:
    """One person of a wing today. `today`: what takes place, by the clock. `round`: seen, open,
    missed rounds beside it, or None past the first week.
    """

    reception_id: int
    patient_id: int
    person: str
    cell: str | None
    day: int
    phase: int
    ppo: bool | None
    heightened_risk: bool | None
    keyworker: str | None
    today: Sequence[str]
    due: Sequence[Due]
    round: str | None
    missed: int

    @property
    def overdue(self) -> int:
        return sum(each.overdue for each in self.due)


@dataclass(frozen=True)
class Board:
    """A wing today, by cell."""

    wing: Wing
    people: Sequence[OnWing]


def board(act: Act, wing_id: int) -> Board:
    """Everybody who lives on a wing of this prison now, and what today holds for each."""
    act.need("custody.read")
    wing = act.session.get(Wing, wing_id)
    if wing is None or wing.site_id != act.site_id:
        raise NotFound("There is no such wing here.")
    rows = act.session.execute(
        select(Reception, ReceptionDetail, Patient, Location.cell, Staff.name)
        .join(Location, Location.reception_id == Reception.id)
        .join(Patient, Patient.id == Reception.patient_id)
        .join(ReceptionDetail, facts.detail_stands())
        .outerjoin(Allocation, facts.is_keyworker_here(act))
        .outerjoin(Staff, Staff.id == Allocation.staff_id)
        .where(
            Location.wing_id == wing_id,
            Location.known_until.is_(None),
            ~_later_location(act),
            Reception.undone_at.is_(None),
            in_custody_here(act),
        )
        .options(lazyload(Patient.identifiers))
    ).all()
    ids = [reception.id for reception, *_ in rows]
    due, takes_place, seen = _due(act, ids), _today(act, ids), _seen(act, ids)
    people = [
        _on_wing(act, row, due[row[0].id], takes_place[row[0].id], seen[row[0].id]) for row in rows
    ]
    people.sort(key=lambda each: (each.cell is None, each.cell or "", each.reception_id))
    act.note_shown("custody.board_shown", [each.patient_id for each in people])
    return Board(wing, people)


def _later_location(act: Act) -> Any:
    later, there = aliased(Location), aliased(Wing)
    return exists().where(
        later.reception_id == Location.reception_id,
        later.known_until.is_(None),
        later.from_at > Location.from_at,
        there.id == later.wing_id,
        there.site_id == act.site_id,
    )


def _on_wing(
    act: Act,
    row: Any,
    due: list[Due],
    today: list[tuple[datetime | None, str]],
    seen: list[datetime],
) -> OnWing:
    reception, detail, patient, cell, keyworker = row
    day = day_number(reception, detail, act.today)
    state, missed = None, 0
    if day <= LAST_OBSERVED and detail.screening != "negative":
        owed = rounds(detail.received_at, act.today - (day - 1) * ONE_DAY, seen, act.at)
        state = next(
            (each.state for each in owed if each.opens_at <= act.at < each.closes_at), None
        )
        missed = sum(each.state == "missed" for each in owed)
    today.sort(key=lambda each: each[0] or start_of(act.today))
    return OnWing(
        reception.id, patient.id, patient.listed_name, cell, day, phase(day), detail.ppo,
        detail.heightened_risk, keyworker, [says for _, says in today], due, state, missed,
    )  # fmt: skip


def _due(act: Act, ids: Collection[int]) -> defaultdict[int, list[Due]]:
    """What is late or due by midnight, the longest late first."""
    rows = act.session.execute(
        select(
            TimetableItem.reception_id, TimetableItem.item, TimetableItem.for_on,
            TimetableItem.due_on, TimetableItem.deadline,
        )
        .where(
            TimetableItem.reception_id.in_(ids),
            TimetableItem.site_id == act.site_id,
            TimetableItem.state == "open",
            TimetableItem.deadline <= end_of(act.today),
        )
        .order_by(TimetableItem.deadline, TimetableItem.id)
    )  # fmt: skip
    found: defaultdict[int, list[Due]] = defaultdict(list)
    for reception_id, item, for_on, due_on, deadline in rows:
        found[reception_id].append(Due(words.duty(item, for_on), due_on, deadline < act.at))
    return found


def _today(act: Act, ids: Collection[int]) -> defaultdict[int, list[tuple[datetime | None, str]]]:
    """Groups, hearings, moves, releases and days away that touch today."""
    first, last = start_of(act.today), end_of(act.today)
    found: defaultdict[int, list[tuple[datetime | None, str]]] = defaultdict(list)

    def clock(at: datetime) -> str:
        return f"{london_time(at):%H:%M}"

    for reception_id, starts_at, topic in act.session.execute(
        select(GroupSeat.reception_id, GroupSeat.starts_at, GroupSession.topic)
        .join(GroupSession, GroupSession.id == GroupSeat.session_id)
        .where(
            GroupSeat.reception_id.in_(ids), GroupSeat.state == "seated",
            GroupSeat.starts_at >= first, GroupSeat.starts_at < last,
        )
    ):  # fmt: skip
        found[reception_id].append((starts_at, f"{clock(starts_at)} group: {TOPIC_NAMES[topic]}"))
    for reception_id, starts_at in act.session.execute(
        select(Hearing.reception_id, Hearing.starts_at).where(
            Hearing.reception_id.in_(ids), Hearing.known_until.is_(None),
            Hearing.starts_at >= first, Hearing.starts_at < last,
        )
    ):  # fmt: skip
        found[reception_id].append((starts_at, f"{clock(starts_at)} court"))
    for model, says in ((Transfer, "Moves to another prison"), (KnownRelease, "Release")):
        for reception_id in act.session.scalars(
            select(model.reception_id).where(  # type: ignore[attr-defined]
                model.reception_id.in_(ids),
                model.known_until.is_(None),
                model.on == act.today,  # type: ignore[attr-defined]
            )
        ):
            found[reception_id].append((None, says))
    for reception_id, place in act.session.execute(
        select(Unavailable.reception_id, Unavailable.place).where(
            Unavailable.reception_id.in_(ids), Unavailable.known_until.is_(None),
            Unavailable.from_on <= act.today,
            (Unavailable.to_on.is_(None)) | (Unavailable.to_on >= act.today),
        )
    ):  # fmt: skip
        found[reception_id].append((None, f"Away: {place.replace('_', ' ')}"))
    return found


def _seen(act: Act, ids: Collection[int]) -> defaultdict[int, list[datetime]]:
    rows = act.session.execute(
        select(WingObservation.reception_id, WingObservation.at).where(
            WingObservation.reception_id.in_(ids),
            WingObservation.struck_at.is_(None),
            WingObservation.at >= start_of(act.today - LAST_OBSERVED * ONE_DAY),
        )
    )
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for reception_id, at in rows:
        found[reception_id].append(at)
    return found


# -- the prison as a whole ---------------------------------------------------------------------


@dataclass(frozen=True)
class Counted:
    """How many people of a wing are in which phase, and how many duties are late there."""

    wing_id: int | None
    wing: str
    phases: Counter[int]
    late: int

    @property
    def people(self) -> int:
        return sum(self.phases.values())


@dataclass(frozen=True)
class Breach:
    """A duty that is late for somebody. `longest_on`: the day the longest late was due."""

    duty: str
    people: int
    hard: bool
    longest_on: date


@dataclass(frozen=True)
class Overview:
    """A prison today: phases and lateness by wing, and every kind of duty that is late."""

    wings: Sequence[Counted]
    breaches: Sequence[Breach]
    unnamed: int

    @property
    def phases(self) -> Counter[int]:
        return sum((each.phases for each in self.wings), Counter())


def overview(act: Act) -> Overview:
    """Phases by wing and breaches by duty, without a name: counts alone."""
    act.need("custody.read")
    there = aliased(Wing)
    rows = act.session.execute(
        select(Reception.id, Reception.day_count, ReceptionDetail.received_at, there.id)
        .join(ReceptionDetail, facts.detail_stands())
        .outerjoin(
            Location,
            and_(
                Location.reception_id == Reception.id,
                Location.known_until.is_(None),
                Location.wing_id.in_(
                    select(Wing.id).where(Wing.site_id == act.site_id).scalar_subquery()
                ),
                ~_later_location(act),
            ),
        )
        .outerjoin(there, there.id == Location.wing_id)
        .where(Reception.undone_at.is_(None), in_custody_here(act))
    ).all()
    late = act.session.execute(
        select(
            TimetableItem.reception_id, TimetableItem.item, TimetableItem.hard, TimetableItem.due_on
        ).where(
            TimetableItem.site_id == act.site_id,
            TimetableItem.state == "open",
            TimetableItem.deadline < act.at,
        )
    ).all()
    where = {reception_id: wing_id for reception_id, _, _, wing_id in rows}
    late_on = Counter(where.get(reception_id) for reception_id, *_ in late)
    phases: defaultdict[int | None, Counter[int]] = defaultdict(Counter)
    for _, day_count, received_at, wing_id in rows:
        first = london_day(received_at)
        day = (act.today - first).days + (day_count == RECEPTION_IS_DAY_1)
        phases[wing_id][phase(day)] += 1
    named = [(wing.id, wing.name) for wing in wings_here(act, closed=True)]
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row in late:
        found[row.item].append(row)
    breaches = [
        Breach(
            words.duty(item), len({row.reception_id for row in mine}),
            any(row.hard for row in mine), min(row.due_on for row in mine),
        )
        for item, mine in found.items()
    ]  # fmt: skip
    breaches.sort(key=lambda each: (not each.hard, -each.people, each.longest_on, each.duty))
    act.note("custody.overview_shown", people=len(rows))
    unnamed = select(func.count(TimetableItem.id)).where(
        TimetableItem.site_id == act.site_id, TimetableItem.state == "open",
        TimetableItem.item.in_(NAMING),
    )  # fmt: skip
    return Overview(
        [
            Counted(wing_id, name, phases[wing_id], late_on[wing_id])
            for wing_id, name in [*named, (None, "Wing not recorded")]
            if phases[wing_id]
        ],
        breaches,
        act.session.scalar(unnamed) or 0,
    )


assert LAST_DAY == 28, "PHASE_NAMES says the days"
