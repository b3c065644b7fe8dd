"""Write a booked visit whole: its row, the time it holds, and the first step of its history.

Many book at once and hold each other up while they write, so these statements are built once,
know no mapped objects, and reach PostgreSQL as one. SQLite knows no such statement, and needs none:
nothing travels to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    Table,
    bindparam,
    cast,
    func,
    insert,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from clinic.appointments.models import Visit, VisitEvent, VisitHold


class Held(NamedTuple):
    """The time of one resource that a visit takes."""

    resource_id: int
    needed_as: str
    starts_at: datetime
    ends_at: datetime


HOLDS = "holds"
"""Under which name a step of a visit's history keeps what the visit held after it."""


def as_json(holds: Sequence[Held]) -> dict[str, Any]:
    """What a visit holds, to be kept with a step of its history."""
    return {
        HOLDS: [
            [each.resource_id, each.needed_as, each.starts_at.isoformat(), each.ends_at.isoformat()]
            for each in holds
        ]
    }


def from_json(state: Mapping[str, Any]) -> list[Held]:
    """What it held then."""
    return [
        Held(resource_id, part, datetime.fromisoformat(starts), datetime.fromisoformat(ends))
        for resource_id, part, starts, ends in state[HOLDS]
    ]


VISIT = (
    "patient_id", "site_id", "referral_id", "kind", "starts_at", "ends_at", "doctor_id",
    "worker_id", "nurse_id", "room_id", "observation_id", "status", "lapses_at", "chain_id",
    "day_number", "version", "recorded_at", "recorded_by",
)  # fmt: skip
STEP = ("verb", "at", "state", "recorded_at", "recorded_by")


def add_visit(
    session: Session, visit: Mapping[str, Any], holds: Sequence[Held], step: Mapping[str, Any]
) -> int:
    """Write them all; the visit's id. IntegrityError when any of the time is taken."""
    written = {f"visit_{name}": value for name, value in visit.items()}
    told = {f"step_{name}": value for name, value in step.items()}
    if session.get_bind().dialect.name == "postgresql":
        held = _of_holds(holds)
        return session.connection().execute(_whole(len(holds)), written | held | told).scalar_one()
    visit_id: int = session.connection().execute(_add_visit(), written).scalar_one()
    add_holds(session, visit_id, holds)
    session.connection().execute(_add_step(), {"visit_id": visit_id, **told})
    return visit_id


def add_holds(session: Session, visit_id: int, holds: Sequence[Held]) -> None:
    """Let a visit hold this time as well."""
    session.connection().execute(_add_holds(len(holds)), {"visit_id": visit_id, **_of_holds(holds)})


def _of_holds(holds: Sequence[Held]) -> dict[str, Any]:
    """The parameters of these holds, in the order in which everybody queues for the same people
    (migrations: queue_for_an_hour).
    """
    return {
        f"{name}_{nth}": value
        for nth, hold in enumerate(sorted(holds))
        for name, value in hold._asdict().items()
    }


def _values(table: Table, prefix: str, names: Sequence[str]) -> dict[str, Any]:
    return {name: bindparam(f"{prefix}_{name}", type_=table.c[name].type) for name in names}


@cache
def _add_visit() -> Any:
    table = Visit.__table__
    return insert(table).values(_values(table, "visit", VISIT)).returning(table.c.id)


@cache
def _add_holds(how_many: int, visit_id: ColumnElement[int] | None = None) -> Insert:
    table = VisitHold.__table__
    of = bindparam("visit_id", type_=table.c.visit_id.type) if visit_id is None else visit_id
    rows = [
        select(
            of,
            *(bindparam(f"{name}_{nth}", type_=table.c[name].type) for name in Held._fields),
        )
        for nth in range(how_many)
    ]
    return insert(table).from_select(["visit_id", *Held._fields], union_all(*rows))


@cache
def _add_step(visit_id: ColumnElement[int] | None = None) -> Insert:
    table = VisitEvent.__table__
    of = bindparam("visit_id", type_=table.c.visit_id.type) if visit_id is None else visit_id
    values = _values(table, "step", STEP)
    return insert(table).from_select(["visit_id", *values], select(of, *values.values()))


@cache
def _whole(how_many: int) -> Any:
    added = _add_visit().cte("added")
    held = _add_holds(how_many, added.c.id).cte("held")
    told = _add_step(added.c.id).cte("told")
    return select(added.c.id).add_cte(held, told)


def one_chooses(session: Session, site_id: int) -> None:
    """Let those who book at this site choose one after the other, until the transaction ends.

    For what a visit is given and nobody named: two would choose the same, and one be refused while
    another is free. SQLite's writers take turns anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_ONE_CHOOSES, {"site": site_id})


# A lock of one number never meets the locks of two that guard hours (migrations: queue_for_an_hour).
_ONE_CHOOSES = select(func.pg_advisory_xact_lock(cast(bindparam("site"), BigInteger)))
