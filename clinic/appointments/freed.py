"""A place was given up: raise its one task, in the transaction that gives it up."""

from __future__ import annotations

from sqlalchemy import select, update

from clinic.act import Act
from clinic.appointments.models import INDUCTION, Resource, Visit, VisitHold
from clinic.appointments.waiting_models import FreedPlace


def raise_task(act: Act, visit_id: int) -> None:
    """Ask for before a visit's holds are released: its place, if still ahead, may be given on.

    A place is a doctor and a worker together; time of others alone, or a temporary hold that was
    never a booking, is none.
    """
    rows = act.session.execute(
        select(
            VisitHold.needed_as, VisitHold.starts_at, VisitHold.ends_at, Resource.staff_id,
            Visit.site_id, Visit.status,
        )
        .join(Resource, Resource.id == VisitHold.resource_id)
        .join(Visit, Visit.id == VisitHold.visit_id)
        .where(
            VisitHold.visit_id == visit_id, VisitHold.released_at.is_(None),
            VisitHold.starts_at > act.at, Visit.kind == INDUCTION,
            Visit.status.in_(("booked", "cancelled")),
        )
    ).all()  # fmt: skip
    held = {row.needed_as: row for row in rows}
    if not {"doctor", "worker"} <= held.keys():
        return
    doctor, worker = held["doctor"], held["worker"]
    place = {
        "site_id": doctor.site_id, "doctor_id": doctor.staff_id, "worker_id": worker.staff_id,
        "starts_at": doctor.starts_at,
    }  # fmt: skip
    act.session.execute(
        update(FreedPlace)
        .filter_by(**place, superseded_at=None)
        .values(superseded_at=act.at)
        .execution_options(synchronize_session=False)
    )
    row = FreedPlace(
        **place, visit_id=visit_id, ends_at=doctor.ends_at, freed_at=act.at, superseded_at=None,
        because="cancelled" if doctor.status == "cancelled" else "moved",
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("appointments.place_freed", place=row.id, visit=visit_id)
