"""Prescription forms in the demonstration: one just issued, and one that ends before the next dose."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from clinic.demo.assessments import assess, sign
from clinic.demo.doses import REASON
from clinic.demo.story import Story
from clinic.errors import Trouble
from clinic.prescriptions.commands import save_dose_decision
from clinic.release import premises
from clinic.roles import RIGHTS
from clinic.scripts import commands
from clinic.scripts.models import SUPERVISED
from clinic.sites.commands import edit_site
from clinic.sites.models import Site
from clinic.staff.commands import set_registration
from dosing.days import london_day
from scheduling.instalments import WORDINGS
from scheduling.release_request import WEEKDAYS

MON_TO_SAT = {day: ["09:00-18:00"] for day in WEEKDAYS[:6]}


def tell(story: Story) -> None:
    """A pharmacy shut on Sundays, and two people whose doses are collected there every day."""
    story.say("prescription forms")
    pharmacy = _set_up(story)
    _form(story, pharmacy, days_ago=0)
    _form(story, pharmacy, days_ago=12)  # the last day covered is tomorrow


def _set_up(story: Story) -> int:
    """What a form names: the service's address, the prescriber's number, the pharmacy."""
    work = replace(story.by("frost", story.at(-30)), rights=frozenset(RIGHTS))
    site = work.session.get_one(Site, work.site_id)
    version = site.version
    work.session.rollback()
    edit_site(
        work, work.site_id or 0, version=version, address="4 Quay Street, Northborough",
        area="Northborough",
    )  # fmt: skip
    set_registration(
        work, story.staff_ids["nair"], "GMC 9990001", version=1, reason="Seen on the register"
    )
    pharmacy = premises.add_premises(
        work, kind="pharmacy", name="Bridge Pharmacy", address="2 Bridge Street, Northborough"
    )
    premises.set_week(
        work, pharmacy, MON_TO_SAT, nation="england_and_wales", reason="Asked by telephone"
    )
    work.session.close()
    return pharmacy


def _form(story: Story, pharmacy: int, *, days_ago: int) -> None:
    at = story.at(-days_ago, "09:40")
    patient = story.patient("price", at - timedelta(minutes=30))
    assess(story, "price", patient, at - timedelta(minutes=20))
    sign(story, "nair", patient, at - timedelta(minutes=5))
    work = story.by("nair", at)
    first = london_day(work.at)
    until = first + timedelta(days=13)
    supply = {
        "collections": [
            {"collect_on": first.isoformat(), "daily_until_on": until.isoformat(),
             "supervised": True}
        ]
    }  # fmt: skip
    order = {"product": "methadone_oral_solution", "phase": "induction", "dose_mg": "20"}
    try:
        decision = save_dose_decision(
            work, patient, order=order, supply=supply, decided_at=work.at, **REASON
        )
        script = commands.draft_script(
            work, patient, form="fp10mda", decision_ids=[decision], from_on=first, to_on=until,
            premises_id=pharmacy, days=dict.fromkeys(WEEKDAYS, SUPERVISED),
            strength_mg_per_ml=Decimal(1), directions=list(WORDINGS),
            address="3 Mill Lane, Northborough",
        )  # fmt: skip
        commands.issue_script(work, patient, script, version=1, **REASON)
    except Trouble as trouble:
        story.say(f"  a form was refused: {trouble.detail} {trouble.faults}")
    finally:
        work.session.close()
