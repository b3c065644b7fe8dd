"""A titration story: reviews of a person's dose, contact with them, a dose built up day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clinic.act import Act
from clinic.titration import commands
from clinic.titration.standing import Standing, standing_of
from dosing.days import london_day
from tests.factories.base import NOW
from tests.factories.prescriptions import (
    Clinic,
    a_decision,
    a_dose_taken,
    an_assessed_patient,
    an_observation,
    an_order,
)


def a_review(act: Act, patient_id: int, decision: str = "hold", **more: Any) -> int:
    """Seen in person at this moment, the dose held, to be seen again tomorrow."""
    given: dict[str, Any] = {
        "decision": decision, "reason_code": "other", "reason": "Looked at this morning",
        "seen": "in_person", "reviewed_at": act.at,
        "next_review_on": london_day(act.at) + timedelta(days=1), **more,
    }  # fmt: skip
    return commands.record_review(act, patient_id, **given)


def a_contact(act: Act, patient_id: int, **more: Any) -> int:
    """Spoken to by phone at this moment."""
    given = {"how": "phone", "happened_at": act.at, "reached": True, **more}
    return commands.record_contact(act, patient_id, **given)


def a_plan(act: Act, patient_id: int, days: int, how: str = "phone") -> int:
    """Contact planned for so many days ahead."""
    return commands.plan_contact(
        act, patient_id, how=how, planned_on=london_day(act.at) + timedelta(days=days)
    )


def a_standing(act: Act, patient_id: int, at: datetime | None = None) -> Standing:
    """How this person stands at the act's moment, or another."""
    return standing_of(act, {patient_id: [patient_id]}, at or act.at)[patient_id]


@dataclass(frozen=True)
class Built:
    """Somebody whose dose is being built up: the decisions and doses of each day so far."""

    patient: int
    first_at: datetime


def a_build_up(clinic: Clinic, *amounts: str | None, at: datetime = NOW, **review: Any) -> Built:
    """Assessed, reviewed, dosed and observed each day from this moment on, at the same hour.

    One amount of mg a day; None for a day missed. `review`: of every day, when not a hold.
    """
    patient = an_assessed_patient(clinic, at=at)
    for day, mg in enumerate(amounts):
        if mg is not None:
            a_dosed_day(clinic, patient, mg, at + timedelta(days=day), first=day == 0, **review)
    return Built(patient, at)


def a_dosed_day(
    clinic: Clinic,
    patient: int,
    mg: str,
    at: datetime,
    *,
    first: bool = False,
    cows: dict[str, int] | None = None,
    **review: Any,
) -> int:
    """An observation, a review, a decision and its dose, all at one moment. Returns the decision.

    `cows`: the scores found, when not those of clear withdrawal.
    """
    nurse = clinic.act(clinic.nurse, at=at)
    if not first:
        an_observation(nurse, patient, cows)
    given: dict[str, Any] = {"decision": "start" if first else "hold", **review}
    a_review(nurse, patient, **given)
    nurse.session.close()
    act = clinic.act(at=at)
    phase = {"phase": "induction"}
    decision = a_decision(act, patient, order={**an_order(mg), **phase})
    act.session.close()
    nurse = clinic.act(clinic.nurse, at=at)
    a_dose_taken(nurse, patient, decision)
    nurse.session.close()
    return decision
