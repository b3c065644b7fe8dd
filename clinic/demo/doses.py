"""Assessments, doses saved, doses stopped and doses waiting, in the demonstration."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from clinic.appointments.models import Visit
from clinic.consumption.commands import record_dose
from clinic.consumption.supply_commands import set_place
from clinic.demo.assessments import assess, entry, sign
from clinic.demo.story import Story
from clinic.errors import Trouble
from clinic.prescriptions.commands import save_dose_decision
from clinic.titration.commands import record_review
from dosing.days import london_day
from dosing.units import as_text

REASON = {"reason_code": "closer_monitoring", "reason": "Seen twice today; withdrawal is marked"}


GLASS = {
    "reason_code": "nobody_to_review",
    "reason": "Dr Ellery reviewed by phone and the line was lost before it was written down",
}


def tell(story: Story) -> None:
    """What prescribers and nurses wrote about those who arrived at the community services."""
    story.say("assessments and doses")
    with story.database.reading() as session:
        arrived = session.execute(
            select(Visit.patient_id, Visit.starts_at)
            .where(
                Visit.status == "arrived", Visit.site_id == story.site_ids["Riverside Drug Service"]
            )
            .order_by(Visit.starts_at.desc())
        ).all()
    for number, (patient, began) in enumerate(arrived[:8]):
        _assess(story, patient, began + timedelta(minutes=15), number)
        if number % 4 == 3:  # assessed, and waiting for a decision
            continue
        _dose(story, patient, began + timedelta(minutes=50), number)
        if number == 0:  # arrested after the first dose: using on top, or too little?
            later = began + timedelta(hours=5)
            entry(story, "osei", patient, later, "arrest", {"dose_taken_today": True})


def _assess(story: Story, patient: int, at: datetime, number: int) -> None:
    assess(
        story, "price", patient, at,
        without=("consent",) if number == 6 else (),  # one whose assessment is not complete
        conditions=["copd_stable"] if number == 2 else [],
        substance_use=["benzodiazepine"] if number == 1 else [],
        children_at_home=number % 3 == 0,
    )  # fmt: skip
    if number != 6 and number % 4 != 3:
        sign(story, "nair", patient, at + timedelta(minutes=20))


def _dose(story: Story, patient: int, at: datetime, number: int) -> None:
    dose = (Decimal(20), Decimal(25), Decimal(15), Decimal(60))[number % 4 if number != 5 else 3]
    work = story.by("ellery" if number % 2 else "nair", at)
    given: dict[str, Any] = {
        "order": {
            "product": "methadone_oral_solution", "phase": "induction", "dose_mg": as_text(dose),
            "volume_ml": as_text(dose), "strength_mg_per_ml": "1",
        },
        "supply": {
            "collections": [{"collect_on": london_day(work.at).isoformat(), "supervised": True}]
        },
        "decided_at": work.at,
    }  # fmt: skip
    try:
        decision = save_dose_decision(work, patient, **given, **REASON)
    except Trouble as trouble:
        story.say(f"  {as_text(dose)} mg: {trouble.title}")
        work.session.close()
        return
    work.session.close()
    _at_the_hatch(story, patient, decision, at, number)


def _at_the_hatch(story: Story, patient: int, decision: int, at: datetime, number: int) -> None:
    """The place, the review, the looks and the dose, as a nurse writes them one after another."""
    nurse = story.by("price", at + timedelta(minutes=10))
    checks: dict[str, Any] = {
        "identity": {"how": "name_and_birth"}, "intoxication": {"result": "clear"},
    }  # fmt: skip
    try:
        set_place(nurse, patient, kind="on_site", from_on=nurse.today)
        if number != 4:  # the one whose review was promised by phone
            record_review(
                nurse, patient, decision="start", reason_code="withdrawal", seen="in_person",
                reason="In withdrawal; nothing speaks against a start", reviewed_at=nurse.at,
                next_review_on=nurse.today + timedelta(days=1),
            )  # fmt: skip
        if number % 3 != 2:
            record_dose(
                nurse, patient, decision, outcome="taken", consumed_at=nurse.at,
                supervision="supervised", glass=GLASS if number == 4 else None, **checks,
            )  # fmt: skip
    except Trouble as trouble:
        story.say(f"  a dose taken was refused: {trouble.detail}")
    nurse.session.close()
