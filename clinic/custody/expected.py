"""Who is to come from a prison outside this system, and who will be their keyworker?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from clinic.act import Act
from clinic.custody.expected_models import NOT_COMING, ExpectedArrival
from clinic.errors import NotFound
from clinic.patients.models import Allocation, Patient
from clinic.staff.models import Staff

MOST_LISTED = 200
SHOWN = timedelta(days=7)  # how long the list keeps who will not come, to take it back


@dataclass(frozen=True)
class Expected:
    """One person to come. `day`: of custody on the day of the move; None: nobody can say."""

    row: ExpectedArrival
    patient_id: int
    person: str
    day: int | None
    keyworker: str | None
    late: bool

    @property
    def open(self) -> bool:
        return self.row.ended_as is None


def expected(act: Act) -> Sequence[Expected]:
    """Who is expected here, by day; then who, said lately, will not come."""
    act.need("custody.read")
    rows = act.session.execute(
        select(ExpectedArrival, Patient, Staff.name)
        .join(Patient, Patient.id == ExpectedArrival.patient_id)
        .outerjoin(
            Allocation,
            (Allocation.patient_id == func.coalesce(Patient.merged_into_id, Patient.id))
            & (Allocation.site_id == act.site_id) & (Allocation.kind == "keyworker")
            & Allocation.ended_at.is_(None),
        )
        .outerjoin(Staff, Staff.id == Allocation.staff_id)
        .where(
            ExpectedArrival.site_id == act.site_id, ExpectedArrival.struck_at.is_(None),
            ExpectedArrival.ended_as.is_(None)
            | ((ExpectedArrival.ended_as == NOT_COMING)
               & (ExpectedArrival.ended_at > act.at - SHOWN)),
        )
        .order_by(ExpectedArrival.on, ExpectedArrival.id)
        .limit(MOST_LISTED)
    ).all()  # fmt: skip
    act.note_shown("custody.expected_shown", [patient.id for _, patient, _ in rows])
    found = [
        Expected(
            row, patient.id, patient.listed_name,
            (row.on - row.first_received_on).days + 1 if row.first_received_on else None,
            name, row.ended_as is None and row.on < act.today,
        )
        for row, patient, name in rows
    ]  # fmt: skip
    return sorted(found, key=lambda each: not each.open)


def one(act: Act, row_id: int) -> ExpectedArrival:
    """An entry of this prison that was not struck out."""
    act.need("custody.read")
    row = act.session.get(ExpectedArrival, row_id)
    if row is None or row.site_id != act.site_id or row.struck_at is not None:
        raise NotFound("There is no such entry here.")
    act.note("custody.expected_opened", patient_id=row.patient_id, expected=row.id)
    return row
