"""Who is about to leave? Plans with and without gaps, a booked appointment, hand-overs on both sides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.assessments.commands import record_entry
from clinic.custody.models import Reception
from clinic.demo.people import MARLFIELD, RIVERSIDE
from clinic.demo.story import Story
from clinic.errors import Trouble
from clinic.handovers import commands as handovers
from clinic.handovers import custody
from clinic.handovers.models import ReleaseHandover
from clinic.release import care, closing, consents, premises
from clinic.release import commands as release
from clinic.release.models import ReleasePlan

WEEK = {day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat")}
LEAVE_IN = (1, 4, 9, 15, 30, 60)
PROOF = {"how": "this_system", "who": "Duty worker", "proof": "Shown in their list of hand-overs"}


def tell(story: Story) -> None:
    """Six plans of one prison: three are for Riverside, with consent."""
    story.say("release plans with and without gaps")
    work = story.by("byrne")
    pharmacy = premises.add_premises(
        work,
        kind="pharmacy",
        name="High Street Pharmacy",
        address="12 High Street, Northborough",
        telephone="01632 960050",
    )
    premises.set_week(work, pharmacy, WEEK, nation="england_and_wales", reason="As on its door")
    patients = list(
        work.session.scalars(
            select(Reception.patient_id)
            .where(Reception.site_id == work.site_id)
            .order_by(Reception.id)
            .limit(len(LEAVE_IN))
        )
    )
    work.session.close()
    plans = [_plan(story, number, patient, pharmacy) for number, patient in enumerate(patients)]
    _first_appointment(story, plans[3])
    for plan, accepted in ((plans[3], False), (plans[5], True)):
        _handover(story, plan, accepted)
    work = story.by("byrne")
    for kind, owner in (("gate_pickup", "home_cjit"), ("gp", "healthcare")):
        care.add_task(work, plans[1], kind=kind, owner=owner, due_at=story.now + timedelta(days=2))
    work.session.close()
    _into_custody(story)


def _plan(story: Story, number: int, patient: int, pharmacy: int) -> int:
    work = story.by("byrne")
    plan = release.open_release_plan(work, patient)
    leaves = story.today + timedelta(days=LEAVE_IN[number])
    where = {"nation": "england_and_wales", "area": "Northborough",
             "contact": "duty worker, 01632 960001"}  # fmt: skip
    facts: list[tuple[str, dict[str, Any], dict[str, int]]] = [
        ("treatment", {"on_ost": True, "opioid_history": True, "medicine": "methadone"}, {}),
        ("release", {"confirmed_on": leaves.isoformat(), "kind": "determinate"}, {}),
    ]
    if number % 2:
        facts += [
            ("destination", where, {"site_id": story.site_ids[RIVERSIDE]}),
            ("prescriber", {"name": "Dr A. Nair", "service": RIVERSIDE}, {}),
            ("consent", {"given": True}, {}),
            ("pharmacy", {}, {"premises_id": pharmacy}),
        ]
    else:
        facts.append(("destination", where, {}))
    if number == 4:  # on remand
        early = (story.today + timedelta(days=10)).isoformat()
        facts[1] = ("release", {"calculated_on": leaves.isoformat(), "kind": "remand"}, {})
        facts.append(
            ("possible_earlier", {"on": early, "why": "other", "which": "custody_time_limit"}, {})
        )
    for section, given, more in facts:
        try:
            _record(work, plan, section, given, **more)
        except Trouble as trouble:
            story.say(f"  a fact was refused: {section}: {trouble.detail}")
            work.session.rollback()
    work.session.close()
    return plan


def _record(work: Act, plan: int, section: str, given: dict[str, Any], **more: Any) -> None:
    version = work.session.get_one(ReleasePlan, plan).version
    work.session.rollback()
    release.record(work, plan, section, given, version=version, **more)


def _first_appointment(story: Story, plan_id: int) -> None:
    """Booked in Riverside's own diary, if a place is free on one of the first days."""
    work = story.by("byrne")
    plan = work.session.get_one(ReleasePlan, plan_id)
    version, (_, places) = plan.version, closing.first_places(work, plan)
    work.session.rollback()
    if places:
        first = places[0].place
        closing.book_first_appointment(
            work, plan_id, version=version, starts_at=first.starts_at, doctor_id=first.doctor_id,
            worker_id=first.worker_id,
        )  # fmt: skip
    work.session.close()


def _handover(story: Story, plan_id: int, accepted: bool) -> None:
    work = story.by("byrne")
    made = handovers.prepare(
        work,
        plan_id,
        to_site_id=story.site_ids[RIVERSIDE],
        basis="consent",
        because="Asked at the release planning meeting",
    )
    version = work.session.get_one(ReleaseHandover, made).version
    work.session.rollback()
    handovers.send(work, made, version=version, **PROOF)
    work.session.close()
    if accepted:
        there = story.by("price")
        version = there.session.get_one(ReleaseHandover, made).version
        there.session.rollback()
        handovers.answer(there, made, version=version, accept=True)
        there.session.close()


def _into_custody(story: Story) -> None:
    """Two of Riverside's people were sentenced: one is to be handed over, one waits at Marlfield."""
    marlfield = story.site_ids[MARLFIELD]
    for sent in (False, True):
        patient = story.patient("osei", story.at(-30))
        record_entry(
            story.by("osei", story.at(-9)), patient, "risk", {"risk": "overdose"},
            happened_at=story.at(-9),
        )  # fmt: skip
        work = story.by("osei", story.at(-1, "16:30"))
        custody.record_sentence(
            work, patient, sentenced_on=work.today, prison_site_id=marlfield, days=84,
            says="Court worker, on the telephone",
        )  # fmt: skip
        work.session.close()
        if sent:
            work = story.by("osei")
            consents.record_consent_of(
                work, patient, says="given", decided_at=story.at(-1, "16:45"), to_site_id=marlfield,
                because="All that is on record, said in the court cells",
            )  # fmt: skip
            made = custody.prepare_into_custody(
                work, patient, to_site_id=marlfield, basis="consent", because="In the court cells"
            )
            version = work.session.get_one(ReleaseHandover, made).version
            work.session.rollback()
            handovers.send(work, made, version=version, **PROOF)
            work.session.close()
