"""How does a wing stand today, and the prison as a whole? Read in a fixed number of looks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import String, and_, bindparam, exists, func, literal, null, select, union_all
from sqlalchemy.orm import aliased

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
from clinic.custody.wings import in_custody_here, wings_here
from clinic.custody.words import NAMING
from clinic.db import UtcDateTime
from clinic.errors import NotFound
from clinic.groups.models import GroupSeat, GroupSession
from clinic.keyworkers.queries import day_number
from clinic.observations.models import ObservationEnd, WingObservation
from clinic.patients.models import Allocation, Patient, listed
from clinic.phases.models import PhaseMove
from clinic.staff.models import Staff
from dosing.days import ONE_DAY, end_of, london_time, start_of
from scheduling.custody_rules import LAST_DAY
from scheduling.observations import End, last_usual, rounds
from scheduling.phases import phase_on

PHASE_NAMES = {
    1: "Phase 1: settling in",
    2: "Phase 2: the work",
    3: "Phase 3: completion",
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
    count_unknown: bool
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
    rows = _look(act, _LIVES_THERE, wing_id=wing_id, site_id=act.site_id)
    ids = [row.id for row in rows]
    due, takes_place, seen = _due(act, ids), _today(act, ids), _seen(act, ids)
    ends = _ends(act, ids)
    moved = _moved(act)
    people = [
        _on_wing(
            act,
            row,
            due[row.id],
            takes_place[row.id],
            seen[row.id],
            moved[row.id],
            ends[row.id],
        )
        for row in rows
    ]
    people.sort(key=lambda each: (each.cell is None, each.cell or "", each.reception_id))
    act.note_shown("custody.board_shown", [each.patient_id for each in people])
    return Board(wing, people)


def _look(act: Act, statement: Any, **given: Any) -> Sequence[Any]:
    """The plain rows of a statement that was built once; no entity is made of them."""
    return act.session.connection().execute(statement, given).all()


def _later_location(site_id: Any) -> Any:
    later, there = Location.__table__.alias(), Wing.__table__.alias()
    return exists().where(
        later.c.reception_id == Location.reception_id,
        later.c.known_until.is_(None),
        later.c.from_at > Location.from_at,
        there.c.id == later.c.wing_id,
        there.c.site_id == site_id,
    )


@dataclass(frozen=True)
class _Asked:
    """The prison asked about, in statements built before anybody asks."""

    site_id: Any = bindparam("site_id")


_HERE: Any = _Asked()
_MOVED = (
    select(PhaseMove.reception_id, PhaseMove.phase, PhaseMove.from_on)
    .join(Reception, Reception.id == PhaseMove.reception_id)
    .where(in_custody_here(_HERE), PhaseMove.struck_at.is_(None))
)


def _moved(act: Act) -> Mapping[int, dict[int, date]]:
    """The phases that were moved, by reception of this prison."""
    found: defaultdict[int, dict[int, date]] = defaultdict(dict)
    for reception_id, number, from_on in _look(act, _MOVED, site_id=act.site_id):
        found[reception_id][number] = from_on
    return found


_LIVES_THERE = (
    select(
        Reception.id, Reception.day_count, Reception.completion_day,
        Patient.id.label("patient_id"), Patient.family_name,
        Patient.given_name, ReceptionDetail.received_at, ReceptionDetail.screening,
        ReceptionDetail.came_from, ReceptionDetail.first_received_on,
        ReceptionDetail.ppo, ReceptionDetail.heightened_risk, Location.cell,
        Staff.name.label("keyworker"),
    )
    .select_from(Reception)
    .join(Location, Location.reception_id == Reception.id)
    .join(Patient, Patient.id == Reception.patient_id)
    .join(ReceptionDetail, facts.detail_stands())
    .outerjoin(Allocation, facts.is_keyworker_here(_HERE))
    .outerjoin(Staff, Staff.id == Allocation.staff_id)
    .where(
        Location.wing_id == bindparam("wing_id"),
        Location.known_until.is_(None),
        ~_later_location(_HERE.site_id),
        Reception.undone_at.is_(None),
        in_custody_here(_HERE),
    )
)  # fmt: skip


def _on_wing(
    act: Act,
    row: Any,
    due: list[Due],
    today: list[tuple[datetime, str]],
    seen: list[datetime],
    moved: Mapping[int, date],
    ends: Sequence[End],
) -> OnWing:
    day = day_number(row, row, act.today)
    day_1 = act.today - (day - 1) * ONE_DAY
    state, missed = None, 0
    observed = act.today <= (ends[-1].last_on if ends else last_usual(day_1))
    if observed and row.screening != "negative":
        owed = rounds(row.received_at, day_1, seen, act.at, ends=ends)
        state = next(
            (each.state for each in owed if each.opens_at <= act.at < each.closes_at), None
        )
        missed = sum(each.state == "missed" for each in owed)
    today.sort(key=lambda each: each[0])
    return OnWing(
        row.id, row.patient_id, listed(row.family_name, row.given_name), row.cell, day,
        row.came_from is not None and row.first_received_on is None,
        phase_on(act.today, day_1, moved, row.completion_day),
        row.ppo, row.heightened_risk, row.keyworker, [says for _, says in today], due,
        state, missed,
    )  # fmt: skip


_STILL_DUE = (
    select(
        TimetableItem.reception_id, TimetableItem.item, TimetableItem.for_on, TimetableItem.due_on,
        (TimetableItem.deadline < bindparam("at", type_=UtcDateTime)).label("overdue"),
    )
    .where(
        TimetableItem.reception_id.in_(bindparam("ids", expanding=True)),
        TimetableItem.site_id == bindparam("site_id"),
        TimetableItem.state == "open",
        TimetableItem.deadline <= bindparam("midnight"),
    )
    .order_by(TimetableItem.deadline, TimetableItem.id)
)  # fmt: skip


def _due(act: Act, ids: Collection[int]) -> defaultdict[int, list[Due]]:
    """What is late or due by midnight, the longest late first."""
    found: defaultdict[int, list[Due]] = defaultdict(list)
    for reception_id, item, for_on, due_on, overdue in _look(
        act, _STILL_DUE, ids=ids, site_id=act.site_id, at=act.at, midnight=end_of(act.today)
    ):
        found[reception_id].append(Due(words.duty(item, for_on), due_on, bool(overdue)))
    return found


def _takes_place(kind: str, model: Any, at: Any, says: Any, *when: Any) -> Any:
    return select(model.reception_id, literal(kind), at, says).where(
        model.reception_id.in_(bindparam("ids", expanding=True)), *when
    )


def _by_the_clock(column: Any) -> tuple[Any, Any]:
    return column >= bindparam("first"), column < bindparam("last")


_NO_TIME, _NO_WORD = null().cast(UtcDateTime), null().cast(String)
_TAKES_PLACE = union_all(
    _takes_place(
        "group", GroupSeat, GroupSeat.starts_at, GroupSession.topic, GroupSeat.state == "seated",
        *_by_the_clock(GroupSeat.starts_at),
    ).join(GroupSession, GroupSession.id == GroupSeat.session_id),
    _takes_place(
        "court", Hearing, Hearing.starts_at, _NO_WORD, Hearing.known_until.is_(None),
        *_by_the_clock(Hearing.starts_at),
    ),
    _takes_place(
        "transfer", Transfer, _NO_TIME, _NO_WORD, Transfer.known_until.is_(None),
        Transfer.on == bindparam("today"),
    ),
    _takes_place(
        "release", KnownRelease, _NO_TIME, _NO_WORD, KnownRelease.known_until.is_(None),
        KnownRelease.on == bindparam("today"),
    ),
    _takes_place(
        "away", Unavailable, _NO_TIME, Unavailable.place, Unavailable.known_until.is_(None),
        Unavailable.from_on <= bindparam("today"),
        Unavailable.to_on.is_(None) | (Unavailable.to_on >= bindparam("today")),
    ),
)  # fmt: skip
_WHOLE_DAY = {"transfer": "Moves to another prison", "release": "Release"}


def _today(act: Act, ids: Collection[int]) -> defaultdict[int, list[tuple[datetime, str]]]:
    """Groups, hearings, moves, releases and days away that touch today."""
    first = start_of(act.today)
    found: defaultdict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for reception_id, kind, at, word in _look(
        act, _TAKES_PLACE, ids=ids, first=first, last=end_of(act.today), today=act.today
    ):
        clock = "" if at is None else f"{london_time(at):%H:%M}"
        if kind == "group":
            says = f"{clock} group: {TOPIC_NAMES[word]}"
        elif kind == "court":
            says = f"{clock} court"
        elif kind == "away":
            says = f"Away: {word.replace('_', ' ')}"
        else:
            says = _WHOLE_DAY[kind]
        found[reception_id].append((at or first, says))
    return found


_OBSERVED = select(WingObservation.reception_id, WingObservation.at).where(
    WingObservation.reception_id.in_(bindparam("ids", expanding=True)),
    WingObservation.struck_at.is_(None),
    WingObservation.at >= bindparam("since"),
)


_ENDS = (
    select(ObservationEnd.reception_id, ObservationEnd.recorded_at, ObservationEnd.last_on)
    .where(
        ObservationEnd.reception_id.in_(bindparam("ids", expanding=True)),
        ObservationEnd.struck_at.is_(None),
    )
    .order_by(ObservationEnd.id)
)


def _ends(act: Act, ids: Collection[int]) -> defaultdict[int, list[End]]:
    found: defaultdict[int, list[End]] = defaultdict(list)
    for reception_id, set_at, last_on in _look(act, _ENDS, ids=ids):
        found[reception_id].append(End(set_at, last_on))
    return found


def _seen(act: Act, ids: Collection[int]) -> defaultdict[int, list[datetime]]:
    since = start_of(act.today - LAST_DAY * ONE_DAY)
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for reception_id, at in _look(act, _OBSERVED, ids=ids, since=since):
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
        select(
            Reception.id,
            Reception.day_count,
            Reception.completion_day,
            ReceptionDetail.received_at,
            ReceptionDetail.first_received_on,
            there.id,
        )
        .join(ReceptionDetail, facts.detail_stands())
        .outerjoin(
            Location,
            and_(
                Location.reception_id == Reception.id,
                Location.known_until.is_(None),
                Location.wing_id.in_(
                    select(Wing.id).where(Wing.site_id == act.site_id).scalar_subquery()
                ),
                ~_later_location(act.site_id),
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
    where = {row.id: row[-1] for row in rows}
    late_on = Counter(where.get(reception_id) for reception_id, *_ in late)
    phases: defaultdict[int | None, Counter[int]] = defaultdict(Counter)
    moved = _moved(act)
    for row in rows:
        day_1 = facts.day_1(row, row)
        phases[row[-1]][phase_on(act.today, day_1, moved[row.id], row.completion_day)] += 1
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
        TimetableItem.item.in_(NAMING), TimetableItem.clock_elsewhere.is_(False),
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
