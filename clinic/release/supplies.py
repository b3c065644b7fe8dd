"""Which prescription forms bridge the days after release? Issued forms -> supplies of the contract.

A form counts while it stands: issued, put on paper to be signed, not cancelled, not past the last
day it may first be supplied against, its dose decisions not withdrawn, made out to the pharmacy of
the plan. What is not known is never counted as a yes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from clinic.prescriptions.models import DoseDecision
from clinic.scripts.models import CANCELLED, Script, ScriptDay
from dosing.days import london_day

Json = dict[str, Any]


@dataclass(frozen=True)
class FormSupply:
    """One form that covers a day from release on. `why_not` None: it counts.

    `says`: as a supply of the contract; None where the form is no supply at all.
    """

    script_id: int
    form: str
    status: str
    premises_id: int
    says: Json | None
    why_not: str | None


def form_supplies(
    session: Session,
    patient_ids: Sequence[int],
    *,
    release_on: date,
    pharmacy_id: int | None,
    medicine: str | None,
    as_at: datetime,
    known_at: datetime,
) -> list[FormSupply]:
    """The forms with a date from `release_on` on, as known at a moment, the oldest first.

    `pharmacy_id` None: the plan names none, and each form's own is taken for it.
    """
    rows = list(
        session.scalars(
            select(Script)
            .where(
                Script.patient_id.in_(patient_ids), Script.issued_at <= known_at,
                Script.to_on >= release_on,
            )
            .order_by(Script.id)
        )
    )  # fmt: skip
    days = _days_standing(session, [row.id for row in rows], known_at)
    return [
        _read(row, days.get(row.id, set()), release_on, pharmacy_id, medicine, as_at, known_at)
        for row in rows
    ]


def _days_standing(
    session: Session, script_ids: Sequence[int], known_at: datetime
) -> dict[int, set[date]]:
    """The dates each form covered at a moment, those of a withdrawn dose decision left out."""
    standing: dict[int, set[date]] = {}
    for script_id, dose_on in session.execute(
        select(ScriptDay.script_id, ScriptDay.dose_on)
        .join(DoseDecision, DoseDecision.id == ScriptDay.decision_id)
        .where(
            ScriptDay.script_id.in_(script_ids),
            or_(ScriptDay.released_at.is_(None), ScriptDay.released_at > known_at),
            or_(DoseDecision.withdrawn_at.is_(None), DoseDecision.withdrawn_at > known_at),
        )
    ):
        standing.setdefault(script_id, set()).add(dose_on)
    return standing


def _read(
    row: Script,
    standing: set[date],
    release_on: date,
    pharmacy_id: int | None,
    medicine: str | None,
    as_at: datetime,
    known_at: datetime,
) -> FormSupply:
    ended = row.ended_at is not None and row.ended_at <= known_at
    status = row.status if ended else "issued"
    instalments = [
        {"collect_on": each.due_on.isoformat(), "covers": [day.isoformat() for day in covers]}
        for each in row.instalments
        if each.due_on <= (row.valid_until_on or each.due_on)
        and (covers := sorted(
            day for day in standing if each.first_on <= day <= each.last_on and day >= release_on
        ))
    ]  # fmt: skip
    gone = _gone(row, status, medicine, as_at, bool(instalments))
    why_not = gone or _not_yet(row, pharmacy_id, known_at)
    says: Json | None = None
    if gone is None and row.issued_at is not None:
        says = {
            # The contract has one word for a form collected in instalments, whichever nation's.
            "form": "fp10mda",
            "written_at": row.issued_at.isoformat(),
            "instalments": instalments,
            **({} if why_not else {"in_hand": True}),
        }
    return FormSupply(row.id, row.form, status, row.premises_id, says, why_not)


def _gone(
    row: Script, status: str, medicine: str | None, as_at: datetime, covers: bool
) -> str | None:
    """Why a form is no supply at all; None when it is one."""
    if status == CANCELLED:
        return "it is cancelled"
    if row.valid_until_on is None or row.valid_until_on < london_day(as_at):
        return "it has expired"
    if medicine is not None and not medicine.startswith(row.drug or "?"):
        return "it is for another medicine than the plan's"
    return None if covers else "no date of it stands: it was replaced, or its dose was withdrawn"


def _not_yet(row: Script, pharmacy_id: int | None, known_at: datetime) -> str | None:
    """Why a form that stands cannot be counted yet; None when it can."""
    if not any(each.printed_at <= known_at for each in row.prints):
        return "it was never printed, so nobody has signed it"
    if pharmacy_id is not None and row.premises_id != pharmacy_id:
        return "it is made out to another pharmacy than the plan's"
    return None
