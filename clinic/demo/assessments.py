"""Assessments in telling states, in the demonstration: begun, waiting, contested, claimed, ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from clinic.assessments.commands import name_worker, record_entries, record_entry
from clinic.assessments.kinds import FINDING_ITEMS, TOPICS
from clinic.assessments.scales import COWS_ITEMS
from clinic.demo.story import Story
from clinic.errors import Trouble
from clinic.patients.models import Patient
from dosing.days import london_day
from scheduling.assessment import CRACK_PATHWAY

Entry = tuple[str, dict[str, Any]]
SCORES = (1, 3, 1, 2, 1, 2, 2, 1, 1, 1, 0)
COWS = {item.name: score for item, score in zip(COWS_ITEMS, SCORES, strict=True)}
CONSENT = {"decision": "given", "information": ["medicine", "overdose", "storage"],
           "language": "english", "formats": ["spoken", "written"]}  # fmt: skip


def entry(
    story: Story, key: str, patient: int, at: datetime, kind: str, data: dict[str, Any]
) -> int | None:
    """One entry by a member of staff, two minutes after it happened. None when it was refused."""
    work = story.by(key, at + timedelta(minutes=2))
    try:
        return record_entry(work, patient, kind, data, happened_at=min(at, work.at))
    except Trouble as trouble:
        story.say(f"  an entry was refused: {kind}: {trouble.detail}")
        return None
    finally:
        work.session.close()


def findings(sex: str | None, at: datetime, **history: Any) -> list[Entry]:
    """Every part of an assessment, as entries. `history`: other answers of the medical history."""
    day = london_day(at)
    used = at - timedelta(hours=11)
    parts: list[Entry] = [
        ("assessment", {"item": item, "finding": "nothing_of_concern"}) for item in FINDING_ITEMS
    ]
    parts += [
        ("consent", CONSENT),
        ("medical_history", {"conditions": [], "substance_use": [], "stimulants": [],
                             "serious_poly_substance": False, "children_at_home": False,
                             **history}),
        ("mental_health", {"problems": []}),
        ("social", {"needs": ["no_work"]}),
        ("opioid_use", {"opioid": "heroin", "last_used_at": used.isoformat()}),
        ("main_drugs", {"whose_word": "patient", "primary_drug": "heroin"}),
        ("main_drugs", {"whose_word": "worker", "primary_drug": "heroin"}),
        ("tolerance", {"tolerance": "moderate", "currently_dependent": True}),
        ("drug_test", {"sample": "urine", "result": "opioid_positive", "method": "on_site"}),
        ("observation", {"withdrawal_scale": "cows", "withdrawal_score": sum(COWS.values()),
                         "cows_items": COWS, "sedation": "1", "clinical_view": "none",
                         "breath_alcohol_micrograms_per_100ml": "0"}),
        ("follow_up", {"dose_increases_on": (day + timedelta(days=1)).isoformat(),
                       "assessment_on": (day + timedelta(days=2)).isoformat(),
                       "care_plan_on": (day + timedelta(days=7)).isoformat()}),
        ("help", {"item": "overdose_reminder", "response": "given", "points": ["signs", "call"]}),
    ]  # fmt: skip
    parts += [("asked", {"topic": topic}) for topic in TOPICS]
    if sex != "male":
        parts.append(("pregnancy_test", {"offer": "done", "result": "negative"}))
    return parts


def assess(
    story: Story, key: str, patient: int, at: datetime, *, without: Sequence[str] = (),
    **history: Any,
) -> None:  # fmt: skip
    """A whole assessment by one member of staff, but for the kinds left out."""
    with story.database.reading() as session:
        sex = session.get_one(Patient, patient).sex
    work = story.by(key, at + timedelta(minutes=2))
    try:
        record_entries(
            work, patient,
            [
                {"kind": kind, "data": data, "happened_at": min(at, work.at)}
                for kind, data in findings(sex, at, **history)
                if kind not in without
            ],
        )  # fmt: skip
    except Trouble as trouble:
        story.say(f"  an assessment was refused: {trouble.detail}")
    finally:
        work.session.close()


def sign(
    story: Story, key: str, patient: int, at: datetime, outcome: str = "suitable", **more: Any
) -> None:
    """A prescriber signs the outcome."""
    if outcome == "suitable":
        more.setdefault("medicine", "methadone")
    entry(story, key, patient, at, "outcome", {"outcome": outcome, **more})


def tell(story: Story) -> None:
    """People at the Model 2 service whose assessment waits for somebody."""
    story.say("assessments in telling states")
    for told in (
        _begun, _to_be_signed, _contested, _not_dependent, _back_from_remand, _pending,
        _crack_only, _pregnant,
    ):  # fmt: skip
        told(story)


def _person(story: Story, days: int, keyworker: str | None = "osei") -> tuple[int, datetime]:
    at = story.at(days, "10:20")
    patient = story.patient("price", at - timedelta(minutes=15))
    if keyworker is not None:
        work = story.by("price", at)
        name_worker(work, patient, kind="keyworker", staff_id=story.staff_ids[keyworker])
        work.session.close()
    return patient, at


def _begun(story: Story) -> None:
    """Half assessed four days ago, nobody named, and a risk without an action."""
    patient, at = _person(story, -4, keyworker=None)
    assess(story, "price", patient, at, without=("mental_health", "social", "consent", "help"))
    entry(story, "osei", patient, at, "risk", {"risk": "injecting"})
    entry(story, "osei", patient, at, "risk", {"risk": "mixing"})


def _to_be_signed(story: Story) -> None:
    """Assessed over two days, with every risk acted on, and waiting for a prescriber."""
    patient, at = _person(story, -1)
    assess(story, "price", patient, at)
    risk = entry(story, "osei", patient, at, "risk", {"risk": "overdose"})
    if risk is not None:
        entry(story, "osei", patient, at, "risk_action", {
            "risk_id": risk, "action": "overdose_training", "owner_id": story.staff_ids["osei"],
            "due_on": (london_day(at) + timedelta(days=1)).isoformat(),
        })  # fmt: skip
    entry(story, "price", patient, story.at(0, "08:40"), "mental_health", {"problems": ["anxiety"]})


def _contested(story: Story) -> None:
    """An on-site result contested sixteen days ago; the laboratory has not answered."""
    patient, at = _person(story, -16, keyworker="doyle")
    assess(story, "price", patient, at, without=("drug_test",))
    test = entry(story, "price", patient, at, "drug_test", {
        "sample": "urine", "result": "opioid_negative", "method": "on_site",
    })  # fmt: skip
    entry(story, "osei", patient, at, "contest", {
        "test_id": test, "by": "patient", "why": "used_undetected",
    })  # fmt: skip
    sign(story, "nair", patient, at, "extended", why="results_awaited")


def _not_dependent(story: Story) -> None:
    """Judged not dependent a month ago; the review set then was yesterday."""
    patient, at = _person(story, -30)
    assess(story, "price", patient, at)
    sign(
        story, "nair", patient, at, "not_dependent", why="occasional_use",
        next_review_on=(story.today - timedelta(days=1)).isoformat(),
    )  # fmt: skip


def _claim(
    story: Story, patient: int, at: datetime, dose: str, first: int, last: int
) -> int | None:
    return entry(story, "osei", patient, at, "steady_dose", {
        "product": "methadone_oral_solution", "daily_dose_mg": dose, "supervision": "supervised",
        "from_on": (story.today + timedelta(days=first)).isoformat(),
        "to_on": (story.today + timedelta(days=last)).isoformat(),
        "prescriber": "HMP Marlfield healthcare", "pharmacy": "HMP Marlfield, medicine chart",
    })  # fmt: skip


def _back_from_remand(story: Story) -> None:
    """Out of prison yesterday: 40 mg there is confirmed, and 70 mg of last year was stopped."""
    patient, at = _person(story, 0)
    _claim(story, patient, at, "70", -420, -400)
    claim = _claim(story, patient, at, "40", -61, -1)
    for by in ("prescriber", "pharmacy"):
        entry(story, "osei", patient, at, "confirmation", {
            "by": by, "outcome": "verified", "claim_id": claim,
            "source": "Orla Byrne, prison healthcare, by telephone",
        })  # fmt: skip
    assess(story, "price", patient, at)


def _pending(story: Story) -> None:
    """Says 60 mg from another service; the prescriber there was asked three days ago."""
    patient, at = _person(story, -3, keyworker="doyle")
    claim = _claim(story, patient, at, "60", -40, -4)
    entry(story, "doyle", patient, at, "confirmation", {
        "by": "prescriber", "outcome": "pending", "claim_id": claim,
        "source": "Message left with the practice",
    })  # fmt: skip
    assess(story, "price", patient, at)
    sign(story, "nair", patient, at, "extended", why="results_awaited")


def _crack_only(story: Story) -> None:
    """Uses crack and no opioid: the crack pathway, half of it offered."""
    patient, at = _person(story, -2)
    for whose in ("patient", "worker"):
        entry(story, "osei", patient, at, "main_drugs",
              {"whose_word": whose, "primary_drug": "crack"})  # fmt: skip
    sign(story, "ellery", patient, at, "crack_only", why="stimulants_only")
    for item in list(CRACK_PATHWAY)[:4]:
        entry(story, "osei", patient, at, "help", {"item": item, "response": "offered"})


def _pregnant(story: Story) -> None:
    """Pregnant, and waiting for the specialist: not sent away."""
    at = story.at(-1, "14:10")
    patient = story.patient("price", at - timedelta(minutes=15), sex="female")
    assess(story, "price", patient, at, without=("pregnancy_test",))
    entry(story, "price", patient, at, "pregnancy_test", {"offer": "done", "result": "positive"})
