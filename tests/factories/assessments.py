"""An assessment story: a service under a rapid model, and somebody at each step of the way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clinic.act import Act
from clinic.db import Database
from tests.factories.appointments import works_under
from tests.factories.base import NOW, a_member_of_staff, a_patient, an_act
from tests.factories.prescriptions import Clinic, a_clinic, an_assessment, an_entry


def a_rapid_clinic(database: Database, model: int = 2, **more: Any) -> Clinic:
    """A community service under a rapid prescribing model, with a prescriber and a nurse."""
    clinic = a_clinic(database, **more)
    works_under(database, clinic.site, model)
    return clinic


def a_drugs_worker(clinic: Clinic, at: datetime = NOW) -> Act:
    """A piece of work by a drugs worker of the clinic."""
    staff = a_member_of_staff(clinic.database, clinic.site, "drugs_worker", name="Sian Price")
    return an_act(clinic.database, staff, clinic.site, at=at)


def somebody_assessed(clinic: Clinic, at: datetime = NOW, **history: Any) -> int:
    """Every part is recorded and no outcome is signed yet."""
    act = clinic.act(at=at)
    patient_id = a_patient(act)
    an_assessment(act, patient_id, **history)
    act.session.close()
    return patient_id


def a_claim(act: Act, patient_id: int, dose_mg: str, from_on: str, to_on: str, **more: Any) -> int:
    """Methadone said to have been taken daily elsewhere. Returns the entry's id."""
    data = {
        "product": "methadone_oral_solution", "daily_dose_mg": dose_mg, "from_on": from_on,
        "to_on": to_on, "supervision": "supervised", **more,
    }  # fmt: skip
    return an_entry(act, patient_id, "steady_dose", data)


def an_answer(
    act: Act, patient_id: int, claim_id: int, by: str, outcome: str = "verified", **more: Any
) -> int:
    """What the prescriber or the pharmacy elsewhere answered about a claim."""
    data = {"by": by, "outcome": outcome, "claim_id": claim_id, "source": "By telephone", **more}
    return an_entry(act, patient_id, "confirmation", data)


def confirmed(act: Act, patient_id: int, claim_id: int) -> None:
    """Both answered, and verified the claim."""
    for by in ("prescriber", "pharmacy"):
        an_answer(act, patient_id, claim_id, by)
