"""Which prescription forms does a release plan count as cover, and what never counts?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic.act import Act
from clinic.prescriptions.commands import withdraw_decision
from clinic.release import queries
from clinic.release.facts import facts_known, release_request
from clinic.release.models import ReleaseFlag, ReleasePlan
from clinic.scripts import commands as scripts
from tests.factories.base import NOW
from tests.factories.prescriptions import a_decision, an_assessed_patient, an_entry
from tests.factories.release import a_fact, a_release_plan, a_stay, corrected
from tests.factories.scripts import (
    ScriptClinic,
    a_draft,
    a_pharmacy,
    a_script_clinic,
    an_issued_script,
)

TODAY = date(2026, 11, 4)  # a Wednesday
OUT = TODAY + timedelta(days=1)
LAST = OUT + timedelta(days=6)


class Leaving:
    """Somebody leaving prison tomorrow with a dose decided on, and a plan that names no supply."""

    def __init__(self, clinic: ScriptClinic) -> None:
        self.clinic = clinic
        self.patient_id = an_assessed_patient(clinic)
        act = self.act()
        a_stay(act, self.patient_id, NOW - timedelta(days=30))
        an_entry(act, self.patient_id, "custody", {"status": "remand", "plan": "stabilisation"})
        supply = {
            "in_possession": False,
            "collections": [{"collect_on": TODAY.isoformat(), "supervised": True,
                             "daily_until_on": (TODAY + timedelta(days=13)).isoformat()}],
        }  # fmt: skip
        self.decision_id = a_decision(act, self.patient_id, "20", supply=supply)
        self.plan_id = a_release_plan(
            act, self.patient_id, treatment={"on_ost": True, "medicine": "methadone"},
            release={"confirmed_on": OUT.isoformat(), "kind": "determinate"},
        )  # fmt: skip
        act.session.close()

    def act(self, minutes: int = 0) -> Act:
        act = self.clinic.act(at=NOW + timedelta(minutes=minutes))
        return replace(act, rights=act.rights | {"release.plan", "release.read"})

    def issue(self, **more: object) -> int:
        act = self.act(1)
        given = {"from_on": OUT, "to_on": LAST, "form": "fp10mda", **more}
        script_id = an_issued_script(act, self.clinic, self.patient_id, self.decision_id, **given)
        act.session.close()
        return script_id

    def printed(self) -> int:
        script_id = self.issue()
        scripts.print_script(self.act(2), self.patient_id, script_id)
        return script_id

    def now(self, minutes: int = 10) -> queries.PlanNow:
        return queries.plan_now(self.act(minutes), self.plan_id)

    def flags_stored(self) -> set[str]:
        with self.clinic.database.reading() as session:
            return set(
                session.scalars(
                    select(ReleaseFlag.flag).where(
                        ReleaseFlag.plan_id == self.plan_id, ReleaseFlag.cleared_at.is_(None)
                    )
                )
            )


@pytest.fixture
def leaving(database) -> Leaving:
    return Leaving(a_script_clinic(database, kind="prison", name="HMP Northborough"))


def covered(now: queries.PlanNow) -> list[str]:
    return [
        day
        for supply in now.request["bridging_supplies"]
        if supply.get("in_hand")
        for each in supply["instalments"]
        for day in each["covers"]
    ]


def test_a_form_in_force_covers_the_days_its_collections_cover(leaving):
    before = leaving.now(0).answer

    script_id = leaving.printed()

    now = leaving.now()
    [form] = now.forms
    assert (form.script_id, form.status, form.why_not) == (script_id, "issued", None)
    assert covered(now) == [(OUT + timedelta(days=n)).isoformat() for n in range(7)]
    assert [each["collect_on"] for each in form.says["instalments"]] == [
        "2026-11-05", "2026-11-06", "2026-11-07", "2026-11-09", "2026-11-10", "2026-11-11",
    ]  # fmt: skip
    assert now.request["pharmacy"]["name"] == "Bridge Pharmacy"
    assert now.answer["cover_ends_on"] in (None, LAST.isoformat())
    assert before["cover_ends_on"] != LAST.isoformat()


def test_a_form_nobody_put_on_paper_counts_for_nothing(leaving):
    leaving.issue()

    now = leaving.now()

    assert covered(now) == []
    assert "never printed" in now.forms[0].why_not
    assert "RG-15" in {flag.flag for flag in now.flags}


def test_a_draft_is_no_supply(leaving):
    act = leaving.act(1)
    a_draft(act, leaving.clinic, leaving.patient_id, leaving.decision_id, from_on=OUT, to_on=LAST)

    now = leaving.now()

    assert now.forms == []
    assert now.request["bridging_supplies"] == []


def test_a_cancelled_form_counts_no_more_and_the_flags_know_at_once(leaving):
    script_id = leaving.issue()
    assert "RG-15" in leaving.flags_stored()
    scripts.print_script(leaving.act(2), leaving.patient_id, script_id)
    assert "RG-15" not in leaving.flags_stored()

    scripts.cancel_script(
        leaving.act(3), leaving.patient_id, script_id, from_on=LAST, reason="Written in error"
    )

    now = leaving.now()
    assert now.request["bridging_supplies"] == []
    assert (now.forms[0].status, now.forms[0].why_not) == ("cancelled", "it is cancelled")
    earlier = release_request(
        leaving.act(20), leaving.plan_id, NOW + timedelta(minutes=2), NOW + timedelta(minutes=2)
    )
    assert earlier["bridging_supplies"][0]["in_hand"] is True


def test_a_form_whose_dose_was_withdrawn_counts_no_more(leaving):
    leaving.printed()

    withdraw_decision(leaving.act(3), leaving.patient_id, leaving.decision_id, "Dose too high")

    now = leaving.now()
    assert now.request["bridging_supplies"] == []
    assert "withdrawn" in now.forms[0].why_not
    with leaving.clinic.database.reading() as session:
        plan = session.get_one(ReleasePlan, leaving.plan_id)
        assert plan.scored_at == NOW + timedelta(minutes=3)


def test_of_a_replaced_form_only_what_still_stands_counts(leaving):
    old = leaving.printed()
    act = leaving.act(3)
    new = an_issued_script(
        act, leaving.clinic, leaving.patient_id, leaving.decision_id, form="fp10mda",
        from_on=OUT + timedelta(days=2), to_on=LAST, replaces_id=old,
    )  # fmt: skip
    act.session.close()

    unprinted = leaving.now()
    scripts.print_script(leaving.act(4), leaving.patient_id, new)

    assert covered(unprinted) == ["2026-11-05", "2026-11-06"]
    assert [form.status for form in unprinted.forms] == ["replaced", "issued"]
    assert len(covered(leaving.now())) == len(set(covered(leaving.now()))) == 7


@pytest.mark.parametrize(("days", "counts"), [(28, True), (29, True), (30, False)])
def test_a_form_past_its_last_day_of_supply_counts_for_nothing(leaving, days, counts):
    """Signed on 4 November to start on the 5th: first supplied until 3 December, day 29, at the latest."""
    leaving.printed()

    at = NOW + timedelta(days=days)
    request = release_request(leaving.act(), leaving.plan_id, at, at)

    assert bool(request["bridging_supplies"]) is counts


def test_a_form_for_another_medicine_than_the_plans_is_not_counted(leaving):
    leaving.printed()
    before = leaving.now()
    act = leaving.act(3)
    [treatment] = [
        row
        for row in facts_known(act.session, leaving.plan_id, act.at)
        if row.section == "treatment"
    ]
    corrected(act, treatment.id, on_ost=True, medicine="buprenorphine")
    act.session.close()

    now = leaving.now()

    assert covered(before) != []
    assert now.request["bridging_supplies"] == []
    assert "another medicine" in now.forms[0].why_not
    assert now.answer["cover_ends_on"] != LAST.isoformat()


def test_a_form_for_another_pharmacy_is_not_counted(leaving):
    leaving.printed()
    act = leaving.act(3)
    other = a_pharmacy(act, name="High Street Pharmacy")
    a_fact(act, leaving.plan_id, "pharmacy", premises_id=other)
    act.session.close()

    elsewhere = leaving.now()

    assert covered(elsewhere) == []
    assert "another pharmacy" in elsewhere.forms[0].why_not
    assert elsewhere.request["pharmacy"]["name"] == "High Street Pharmacy"


def test_while_nobody_knows_the_day_of_release_no_form_is_read(database):
    clinic = a_script_clinic(database, kind="prison", name="HMP Northborough")
    patient_id = an_assessed_patient(clinic)
    act = clinic.act()
    plan_id = a_release_plan(replace(act, rights=act.rights | {"release.plan"}), patient_id)
    act.session.close()

    now = queries.plan_now(clinic.act(), plan_id)

    assert (now.forms, now.request["bridging_supplies"]) == ([], [])
