"""A visit was missed: begin its ladder, in the transaction that says so."""

from __future__ import annotations

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments.missed_models import MissedContact
from clinic.appointments.models import Visit


def begin(act: Act, visit: Visit) -> None:
    """Begin the ladder of a visit not attended. Said again after an undo, it goes on as it was."""
    known = act.session.scalar(select(MissedContact.id).where(MissedContact.visit_id == visit.id))
    if known is None:
        add(
            act, patient_id=visit.patient_id, visit_id=visit.id, because="did_not_attend",
            missed_at=visit.starts_at, note=None,
        )  # fmt: skip


def add(act: Act, **what: object) -> MissedContact:
    """Write a ladder's first row."""
    row = MissedContact(
        **what, site_id=act.site_id, recorded_at=act.at, recorded_by=act.staff_id, struck_at=None,
        struck_by=None, struck_reason=None,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("appointments.ladder_began", patient_id=row.patient_id, ladder=row.id)
    return row
