"""A stay, the facts of it, and who may touch them: what every command about a stay begins with."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select

from clinic.act import Act
from clinic.careplans import events as plans
from clinic.custody import facts, timetables
from clinic.custody.models import Delivery, Reception
from clinic.errors import Conflict, Invalid, NotFound, Stale, says
from clinic.patients.access import open_record
from clinic.patients.commands import site_of
from clinic.sites.models import Site
from clinic.staff.models import Staff
from clinic.turns import Strikable

T = TypeVar("T", bound=Strikable)

_ALREADY_HERE = "This person is already in custody here. Open that stay, or record how it ended."
_ONE_AT_A_TIME = "This was recorded a moment ago by somebody else. Look again before correcting it."
for _name, _sentence in {
    "uq_reception_in_custody": _ALREADY_HERE,
    "reception.patient_id, reception.site_id": _ALREADY_HERE,
    **{
        name: _ONE_AT_A_TIME
        for table in ("reception_detail", "known_release", "transfer", "custody_exit")
        for name in (f"uq_{table}_standing", f"{table}.reception_id")
    },
    "uq_location_moment": _ONE_AT_A_TIME,
    "location.reception_id, location.from_at": _ONE_AT_A_TIME,
    "timetable_kept": "A saved timetable is never changed.",
}.items():
    says(_name, _sentence)  # SQLite names the columns of a unique index, PostgreSQL the index


def prison_of(act: Act) -> Site:
    """The prison this work is done at. Invalid at a community service."""
    site = site_of(act)
    if site.kind != "prison":
        raise Invalid("Receptions are recorded at a prison. This site is a community service.")
    return site


def opened(act: Act, reception_id: int, right: str, version: int | None = None) -> Reception:
    """The stay, held until this transaction ends. Stale when it moved on since `version`."""
    act.need(right)
    reception = held(act, reception_id)
    open_record(act, reception.patient_id, "custody.opened", right=right)
    if act.site_id not in facts.prisons_of(act.session, reception):
        raise NotFound("That stay is at another prison.")
    if version is not None and version != reception.version:
        by = act.session.get_one(Staff, reception.changed_by).name
        raise Stale(
            f"{by} {reception.changed_what} since you read it.",
            more={
                "version": reception.version,
                "changed_by": by,
                "changed_at": reception.changed_at.isoformat(),
            },
        )
    return reception


def held(act: Act, reception_id: int) -> Reception:
    reception = act.session.scalar(
        select(Reception).where(Reception.id == reception_id).with_for_update()
    )
    if reception is None or reception.undone_at is not None:
        raise NotFound("There is no such reception, or it was undone.")
    return reception


def touch(act: Act, reception: Reception, what: str) -> None:
    reception.version += 1
    reception.changed_at, reception.changed_by = act.at, act.staff_id or reception.changed_by
    reception.changed_what = what


def add(act: Act, reception: Reception, model: type[Any], values: dict[str, Any]) -> Any:
    row = model(
        **values, reception_id=reception.id, known_from=timetables.last_version(act, reception) + 1,
        known_until=None, struck_at=None, struck_by=None, struck_reason=None, recorded_at=act.at,
        recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    return row


def standing(act: Act, reception: Reception, model: type[Any], fact_id: int) -> Any:
    row = act.session.get(model, fact_id)
    if row is None or row.reception_id != reception.id:
        raise NotFound("There is no such entry.")
    if row.known_until is not None:
        raise Conflict("That entry was already corrected or struck out.")
    if model is Delivery and plans.holds(act, row.id):
        raise Conflict("This is an agreement to the care plan. Withdraw it there, with a reason.")
    return row


def strike(act: Act, reception: Reception, row: Any, reason: str) -> None:
    why, until = said_why(reason), timetables.last_version(act, reception) + 1
    row.struck_reason, row.known_until = why, until
    row.struck_at, row.struck_by = act.at, act.staff_id
    act.session.flush()


def add_entry(act: Act, reception: Reception, model: type[T], **values: Any) -> T:
    """A row about a stay that no timetable reads: kept as it is said, struck out when it was wrong."""
    row = model(
        **values, reception_id=reception.id, struck_at=None, struck_by=None, struck_reason=None,
        recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    return row


def strike_entry(act: Act, row: Any, reason: str | None) -> None:
    """It counts no more, and stays with who and why."""
    row.struck_reason, row.struck_at, row.struck_by = said_why(reason), act.at, act.staff_id
    act.session.flush()


def entry_to_strike(act: Act, model: type[T], row_id: int) -> tuple[T, Reception]:
    """An entry that stands, held until the transaction ends, and its stay. NotFound, Conflict."""
    act.need("custody.deliver")
    row: Any = act.session.get(model, row_id)
    if row is None:
        raise NotFound("There is no such entry.")
    reception = opened(act, row.reception_id, "custody.deliver")
    act.session.refresh(row, with_for_update=True)
    if row.struck_at is not None:
        raise Conflict("That entry was struck out already.")
    return row, reception


def said_why(reason: str | None) -> str:
    text = (reason or "").strip()
    if not text:
        raise Invalid.field("reason", "is required")
    return text


def has_happened(act: Act, field: str, at: datetime) -> None:
    """Invalid, at this field, for a moment that is missing or has not come."""
    if at is None:
        raise Invalid.field(field, "is required")
    if at > act.at:
        raise Invalid.field(field, "must not be in the future")
