"""A prescribing story: somebody assessed and fit for a first dose, orders, and doses taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from clinic.act import Act
from clinic.assessments import commands as assessments
from clinic.assessments.kinds import CONSENT, FINDING_ITEMS, TOPICS
from clinic.db import Database
from clinic.prescriptions import commands
from clinic.sites.commands import add_feature, choose_rule_set
from clinic.sites.models import Site
from clinic.sites.queries import what_holds
from clinic.staff.models import Staff
from dosing.days import london_day
from tests.factories.base import NOW, a_member_of_staff, a_patient, a_site, an_act
from tests.factories.consumption import a_dose

CONSENT_GIVEN = {
    "decision": "given", "information": ["medicine", "overdose"], "language": "english",
    "formats": ["spoken"],
}  # fmt: skip
COWS_14 = {
    "pulse": 2, "sweating": 2, "restlessness": 1, "pupils": 2, "aches": 2, "nose_and_eyes": 1,
    "gut": 1, "tremor": 1, "yawning": 1, "anxiety": 1, "gooseflesh": 0,
}  # fmt: skip


@dataclass
class Clinic:
    """A site with its rule set, a prescriber and a nurse."""

    database: Database
    site: Site
    prescriber: Staff
    nurse: Staff

    def act(self, staff: Staff | None = None, at: datetime = NOW) -> Act:
        """A new piece of work by the prescriber, or by whoever is named."""
        return an_act(self.database, staff or self.prescriber, self.site, at=at)


def a_clinic(
    database: Database,
    *,
    rule_set: str | None = "uk-2017",
    level: str | None = "prescriber",
    features: tuple[str, ...] = (),
    at: datetime = NOW,
    **site: Any,
) -> Clinic:
    """A site with a rule set since long ago (None: none chosen) and somebody in each role."""
    made = a_site(database, **site)
    manager = a_member_of_staff(database, made, "manager", name="Glenys Rees")
    clinic = Clinic(
        database, made,
        a_member_of_staff(database, made, "prescriber", name="Dr Huw Pugh", level=level),
        a_member_of_staff(database, made, "nurse", name="Nia Lloyd"),
    )  # fmt: skip
    since = date(2000, 1, 1)
    if rule_set is not None:
        act = an_act(database, manager, made, at=at)
        choose_rule_set(act, made.id, rule_set, from_on=since)
        act.session.close()
    for feature in features:
        act = an_act(database, manager, made, at=at)
        add_feature(act, made.id, feature, from_on=since)
        act.session.close()
    return clinic


def a_lead(clinic: Clinic, **person: Any) -> Staff:
    """The clinical lead of the clinic, a prescriber."""
    given = {"name": "Dr Mair Ellis", "level": "experienced", "post": "clinical_lead", **person}
    return a_member_of_staff(clinic.database, clinic.site, "prescriber", **given)


def an_entry(act: Act, patient_id: int, kind: str, data: dict[str, Any], **more: Any) -> int:
    """One entry, happened at the act's moment unless said."""
    more.setdefault("happened_at", act.at)
    return assessments.record_entry(act, patient_id, kind, data, **more)


def an_observation(
    act: Act, patient_id: int, cows: dict[str, int] | None = None, **more: Any
) -> int:
    """COWS 14 unless said, awake, not intoxicated, no alcohol in the breath."""
    return an_entry(act, patient_id, "observation", _observed(cows, **more))


def _observed(cows: dict[str, int] | None = None, **more: Any) -> dict[str, Any]:
    scores = COWS_14 if cows is None else cows
    return {
        "withdrawal_scale": "cows", "withdrawal_score": sum(scores.values()),
        "cows_items": scores, "sedation": "1", "breath_alcohol_micrograms_per_100ml": "0",
        "clinical_view": "none",
        **more,
    }  # fmt: skip


def an_assessment(act: Act, patient_id: int, **history: Any) -> None:
    """Every part of the assessment, an hour ago, of somebody a rule has nothing against.

    `history`: other answers of the medical history.
    """
    hour_ago = act.at - timedelta(hours=1)
    earlier = [
        *(
            ("assessment", {"item": item, "finding": "nothing_of_concern"})
            for item in FINDING_ITEMS
        ),
        (CONSENT, CONSENT_GIVEN),
        ("drug_test", {"sample": "urine", "method": "on_site", "result": "opioid_positive"}),
    ]
    now = [
        ("tolerance", {"tolerance": "moderate", "currently_dependent": True}),
        (
            "medical_history",
            {
                "conditions": [], "substance_use": [], "stimulants": [],
                "serious_poly_substance": False, "children_at_home": False, **history,
            },
        ),
        ("mental_health", {"problems": []}),
        ("social", {"needs": []}),
        ("follow_up", a_follow_up(act.at)),
        (
            "opioid_use",
            {"opioid": "heroin", "last_used_at": (act.at - timedelta(hours=14)).isoformat()},
        ),
        *(("asked", {"topic": topic}) for topic in TOPICS),
        ("observation", _observed()),
    ]  # fmt: skip
    assessments.record_entries(
        act, patient_id,
        [
            {"kind": kind, "data": data, "happened_at": at}
            for at, parts in ((hour_ago, earlier), (act.at, now))
            for kind, data in parts
        ],
    )  # fmt: skip


def a_follow_up(at: datetime) -> dict[str, Any]:
    """Follow-up arranged for the day after, and the plan for a week on."""
    tomorrow = (london_day(at) + timedelta(days=1)).isoformat()
    week_on = (london_day(at) + timedelta(days=7)).isoformat()
    return {"dose_increases_on": tomorrow, "assessment_on": tomorrow, "care_plan_on": week_on}


def an_outcome(act: Act, patient_id: int, outcome: str = "suitable", **more: Any) -> int:
    """The outcome of the assessment, signed by the act's prescriber: for methadone unless said."""
    data = {"outcome": outcome, **more}
    if outcome == "suitable":
        data.setdefault("medicine", "methadone")
    return an_entry(act, patient_id, "outcome", data)


def an_assessed_patient(
    clinic: Clinic, at: datetime = NOW, medicine: str = "methadone", **history: Any
) -> int:
    """Somebody registered at the clinic and assessed at this moment.

    Where first doses are held the outcome is signed as well; who has more to tell, which may make
    the case complex, first came the day before.
    """
    act = clinic.act(at=at)
    patient_id = a_patient(act)
    complicated = history or medicine != "methadone"
    if complicated and what_holds(act).kind == "community":
        day_before = replace(act, at=at - timedelta(days=1))
        an_entry(day_before, patient_id, "social", {"needs": []})
    an_assessment(replace(act), patient_id, **history)
    if what_holds(act).kind == "community":
        if medicine != "methadone":
            plan = {"item": "buprenorphine_plan", "finding": "nothing_of_concern"}
            an_entry(act, patient_id, "assessment", plan)
        an_outcome(act, patient_id, medicine=medicine)
    act.session.close()
    return patient_id


def an_order(dose_mg: str = "30", **more: Any) -> dict[str, Any]:
    """Methadone solution 1 mg/ml, for induction."""
    return {
        "product": "methadone_oral_solution", "phase": "induction", "dose_mg": dose_mg, **more,
    }  # fmt: skip


def a_supply(at: datetime = NOW, **more: Any) -> dict[str, Any]:
    """One supervised collection, on the day itself."""
    return {"collections": [{"collect_on": london_day(at).isoformat(), "supervised": True, **more}]}


def a_decision(act: Act, patient_id: int, dose_mg: str = "30", **more: Any) -> int:
    """A dose decided on for this moment, with a reason should an alert ask for one."""
    order = more.pop("order", None) or an_order(dose_mg)
    given = {
        "order": order, "supply": a_supply(act.at), "decided_at": act.at,
        "reason_code": "benefit", "reason": "Discussed with the patient today", **more,
    }  # fmt: skip
    return commands.save_dose_decision(act, patient_id, **given)


def a_dose_taken(act: Act, patient_id: int, decision_id: int, **more: Any) -> int:
    """The whole dose, seen to be swallowed at this moment, through every gate."""
    given = {"place": "Taff Vale", "observer": "Nia Lloyd", **more}
    return a_dose(act, patient_id, decision_id, **given).id
