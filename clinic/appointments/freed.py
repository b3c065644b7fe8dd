"""A place was given up: raise its one task, in the transaction that gives it up."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any

from sqlalchemy import select, update

from clinic.act import Act
from clinic.appointments.models import Resource, Visit, VisitHold
from clinic.appointments.waiting_models import FreedPlace
from scheduling import booking


def release(act: Act, visit_id: int, *, because: str | None) -> None:
    """Give back whatever the visit holds. `because`: why its place may be given on (FREED_BECAUSE);
    None when it is not to be.
    """
    if because is not None:
        _raise_task(act, visit_id, because)
    act.session.execute(
        update(VisitHold)
        .where(VisitHold.visit_id == visit_id, VisitHold.released_at.is_(None))
        .values(released_at=act.at)
        .execution_options(synchronize_session=False)
    )


def _raise_task(act: Act, visit_id: int, because: str) -> None:
    """Before the holds are released: the place, if still ahead, may be given on.

    A place is a doctor and a worker together; time of others alone is none. One that was only held
    comes back unasked, and is offered when it is near (BK-02).
    """
    rows = act.session.execute(
        select(
            VisitHold.needed_as, VisitHold.starts_at, VisitHold.ends_at, Resource.staff_id,
            Visit.site_id,
        )
        .join(Resource, Resource.id == VisitHold.resource_id)
        .join(Visit, Visit.id == VisitHold.visit_id)
        .where(
            VisitHold.visit_id == visit_id, VisitHold.released_at.is_(None),
            VisitHold.starts_at > act.at,
        )
    ).all()  # fmt: skip
    held = {row.needed_as: row for row in rows}
    if not {"doctor", "worker"} <= held.keys():
        return
    doctor, worker = held["doctor"], held["worker"]
    if because not in ("cancelled", "moved") and not booking.near(doctor.starts_at, act.at):
        return
    add_task(
        act, because, doctor.ends_at, visit_id, site_id=doctor.site_id, doctor_id=doctor.staff_id,
        worker_id=worker.staff_id, starts_at=doctor.starts_at,
    )  # fmt: skip


def add_task(act: Act, because: str, ends_at: datetime, visit_id: int | None, **place: Any) -> None:
    """The one task of this place. An earlier one that stands is superseded; one that somebody else
    raises at the same moment is as good as this one.
    """
    act.session.execute(
        update(FreedPlace)
        .filter_by(**place, superseded_at=None)
        .values(superseded_at=act.at)
        .execution_options(synchronize_session=False)
    )
    # The words of the database in use alone, which are loaded already (decision 21).
    insert = import_module(f"sqlalchemy.dialects.{act.session.get_bind().dialect.name}").insert
    task_id = act.session.scalar(
        insert(FreedPlace)
        .values(
            **place, visit_id=visit_id, ends_at=ends_at, freed_at=act.at, superseded_at=None,
            because=because,
        )
        .on_conflict_do_nothing()
        .returning(FreedPlace.id)
    )  # fmt: skip
    if task_id is not None:
        act.note(
            "appointments.place_freed", site_id=place["site_id"], place=task_id, visit=visit_id
        )
