"""Care plans of a prison: agreed by all, waiting for one, early ones; referrals with and without answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from clinic.careplans import agreement_commands, follow_up_commands
from clinic.careplans import commands as plans
from clinic.careplans.models import CarePlan
from clinic.custody.models import Delivery, Reception
from clinic.demo.story import Story
from clinic.phases import commands as phases

ANSWERS = {
    "drugs_needs": "Heroin daily for six years, crack at weekends.",
    "treatment_aim": "maintenance",
    "physical_needs": "Hepatitis C test offered; an ulcer on the left leg is dressed.",
    "psychosocial_needs": "Sleeps badly, worries about a daughter.",
    "cpa": "no_dual_diagnosis",
    "offending_needs": "Shoplifting to pay for drugs.",
    "housing_needs": "Sleeps on a friend's sofa; no address to go to.",
    "employment_needs": "Was a roofer. Wants a kitchen job here first.",
    "relationship_needs": "Sees a sister. No contact with the daughter's mother.",
    "risk_strategies": "Knows that tolerance is gone after a week. Will carry naloxone.",
    "group_first": "crack",
    "group_second": "relapse_prevention",
    "release_planning": "Back to Riverside; the community team knows.",
    "continuing_prescribing": "continues",
    "post_28_programme": "The day programme of this prison.",
    "vdt": "agreed",
    "referrals_needed": "Housing and the day programme.",
}
FIRST = ("drugs_needs", "treatment_aim", "release_planning", "group_first")


def write(story: Story, stays: list[int]) -> None:
    """The first are whole and agreed, the next lack an agreement, the last are initial plans."""
    for number, stay in enumerate(stays):
        work = story.by("marsh", story.at(-1, "10:00"))
        patient_id = work.session.get_one(Reception, stay).patient_id
        plan_id = plans.start_plan(work, patient_id, reception_id=stay)
        work.session.close()
        whole = number < 4
        kept = ANSWERS if whole else {key: ANSWERS[key] for key in FIRST}
        _change(story, plan_id, answers=kept)
        if whole:
            goal = {"domain": "drugs", "what": "Come to both groups every week",
                    "who": "The patient, with Kit Marsh",
                    "by_on": story.today + timedelta(days=10)}  # fmt: skip
            _change(story, plan_id, goal=goal, mark="complete")
            _agree(story, plan_id, stay, ("patient", "carat", "healthcare")[: 3 - number % 2])
            _refer(story, plan_id, answered=number % 2 == 0)
        if number == 0:
            _told(story, stay)


def _change(story: Story, plan_id: int, **what: object) -> None:
    work = story.by("marsh", story.at(-1, "11:00"))
    version = work.session.get_one(CarePlan, plan_id).version
    work.session.rollback()
    plans.change_plan(work, plan_id, version=version, **what)  # type: ignore[arg-type]
    work.session.close()


def _agree(story: Story, plan_id: int, stay: int, parties: tuple[str, ...]) -> None:
    at: datetime = story.at(-1, "14:00")
    work = story.by("marsh", at)
    assessed = work.session.scalar(
        select(Delivery.id).where(
            Delivery.reception_id == stay, Delivery.item == "csma", Delivery.known_until.is_(None)
        )
    )
    number = plans.current_version(work, plan_id).number
    work.session.close()
    if assessed is None:  # the CSMA comes first (PS-09)
        return
    for party in parties:
        work = story.by("byrne" if party == "healthcare" else "marsh", at)
        agreement_commands.agree(work, plan_id, number=number, party=party, agreed_at=at)
        work.session.close()


def _refer(story: Story, plan_id: int, *, answered: bool) -> None:
    at = story.at(-1, "15:00")
    work = story.by("marsh", at)
    made = follow_up_commands.refer(
        work, plan_id, kind="housing", to_whom="Riverside Housing", made_at=at
    )
    work.session.close()
    if answered:
        work = story.by("marsh")
        follow_up_commands.record_response(
            work, plan_id, made, response="waiting", responded_on=work.today
        )
        work.session.close()


def _told(story: Story, stay: int) -> None:
    """Consent was asked, parties were told, and somebody who went through it stands by them."""
    at = story.at(-1, "16:00")
    work = story.by("marsh", at)
    phases.ask_consent(work, stay, consents=True)
    phases.tell(
        work, stay, party="cjit", at=at, says="Plan agreed; release expected.", with_triage=True
    )
    phases.tell(work, stay, party="healthcare", at=at, says="Sleep: seen by the nurse.")
    phases.attach_peer(work, stay, name="P. Evans", from_on=at.date(), past_participant=True)
    work.session.close()
