"""A prescription-form story: a clinic with a pharmacy, a dose decided on for two weeks, its form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from clinic.act import Act
from clinic.db import Database
from clinic.release import premises
from clinic.scripts import commands
from clinic.scripts.models import SUPERVISED
from clinic.sites.models import Site
from clinic.staff.models import Staff
from dosing.days import london_day
from scheduling.instalments import WORDINGS
from scheduling.release_request import WEEKDAYS
from tests.factories.base import NOW
from tests.factories.prescriptions import Clinic, a_clinic, a_decision, an_assessed_patient

DAILY = dict.fromkeys(WEEKDAYS, SUPERVISED)
MON_TO_SAT = {day: ["09:00-18:00"] for day in WEEKDAYS[:6]}
SURE = {"reason_code": "benefit", "reason": "Discussed with the patient today"}


@dataclass
class ScriptClinic(Clinic):
    """A clinic whose address and prescriber's number are known, and a pharmacy shut on Sundays."""

    pharmacy_id: int = 0


def a_script_clinic(database: Database, at: datetime = NOW, **more: Any) -> ScriptClinic:
    """Opening hours and all; `more` as for `a_clinic`."""
    details = {"address": "1 High Street, Pontypridd", "telephone": "01632 960001", **more}
    made = a_clinic(database, at=at, **details)
    with database.transaction() as session:
        session.get_one(Staff, made.prescriber.id).registration = "GMC 9990001"
        session.get_one(Site, made.site.id).area = "Taff Vale Health Board"
    clinic = ScriptClinic(**vars(made))
    act = clinic.act(at=at)
    clinic.pharmacy_id = a_pharmacy(act)
    act.session.close()
    return clinic


def a_pharmacy(
    act: Act,
    week: dict[str, list[str]] | None = None,
    nation: str = "england_and_wales",
    **more: Any,
) -> int:
    """A pharmacy open Monday to Saturday in England unless said."""
    acting = replace(act, rights=act.rights | {"release.plan"})
    details = {"name": "Bridge Pharmacy", "address": "2 Bridge Street", **more}
    pharmacy = premises.add_premises(acting, kind="pharmacy", **details)
    premises.set_week(
        acting, pharmacy, week or MON_TO_SAT, nation=nation, reason="Asked by telephone"
    )
    return pharmacy


def a_daily_decision(
    act: Act, patient_id: int, dose_mg: str = "30", days: int = 14, **more: Any
) -> int:
    """A dose for today and the days after it, supervised daily."""
    first = london_day(act.at)
    until = first + timedelta(days=days - 1)
    supply = {
        "collections": [
            {"collect_on": first.isoformat(), "daily_until_on": until.isoformat(),
             "supervised": True}
        ]
    }  # fmt: skip
    return a_decision(act, patient_id, dose_mg, supply=supply, **more)


def somebody_dosed(clinic: Clinic, dose_mg: str = "30", days: int = 14) -> tuple[int, int]:
    """A patient and the decision for two weeks from today."""
    patient_id = an_assessed_patient(clinic)
    act = clinic.act()
    decision_id = a_daily_decision(act, patient_id, dose_mg, days)
    act.session.close()
    return patient_id, decision_id


def asking(clinic: ScriptClinic, decision_id: int, **more: Any) -> dict[str, Any]:
    """What a writer chooses: two weeks from today, daily and supervised, every wording."""
    first: date = more.pop("from_on", london_day(NOW))
    return {
        "form": "wp10mda", "decision_ids": [decision_id], "from_on": first,
        "to_on": first + timedelta(days=13), "premises_id": clinic.pharmacy_id, "days": DAILY,
        "strength_mg_per_ml": None, "directions": list(WORDINGS),
        "address": "3 Mill Lane, Pontypridd", **more,
    }  # fmt: skip


def a_draft(act: Act, clinic: ScriptClinic, patient_id: int, decision_id: int, **more: Any) -> int:
    more.setdefault("strength_mg_per_ml", Decimal(1))
    replaces_id = more.pop("replaces_id", None)
    return commands.draft_script(
        act, patient_id, replaces_id=replaces_id, **asking(clinic, decision_id, **more)
    )


def an_issued_script(
    act: Act, clinic: ScriptClinic, patient_id: int, decision_id: int, **more: Any
) -> int:
    """A form drafted and issued at this moment, with a reason should an alert ask for one."""
    script_id = a_draft(act, clinic, patient_id, decision_id, **more)
    commands.issue_script(act, patient_id, script_id, version=1, **SURE)
    return script_id
