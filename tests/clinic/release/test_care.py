"""What is done for a leaver, who hears of a critical flag, and how a death ends it all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from clinic.errors import Conflict, Invalid
from clinic.patients.commands import correct_patient
from clinic.patients.models import Patient
from clinic.release import care, queries, scoring
from clinic.release.care_models import FlagNotice
from clinic.reminders.ports import NotSent, Unsure
from tests.factories.base import a_member_of_staff, a_site
from tests.factories.release import a_fact, a_release_plan

TOMORROW = "2026-08-18"


@dataclass
class Mailbox:
    """A port that keeps what it is given, or says that it did not go."""

    troubles: list[Exception] = field(default_factory=list)
    letters: list[object] = field(default_factory=list)

    def send(self, message):
        if self.troubles:
            raise self.troubles.pop(0)
        self.letters.append(message)


@pytest.fixture
def plan_id(story):
    return a_release_plan(story.act(), release={"confirmed_on": TOMORROW})


def duty(story, address="duty@marlfield.example.org"):
    act = story.act()
    act.rights |= {"sites.manage"}
    care.set_duty_address(act, address=address)


def by_hand(rows):
    """What somebody planned, beside what starts by itself."""
    return [row.kind for row in rows if row.kind in care.BY_HAND]


def tell(story, mailbox):
    return care.tell_critical_flags(story.act(), {"email": mailbox})


def test_a_critical_flag_is_told_once_to_the_duty_mailbox_and_names_nobody(story, plan_id):
    mailbox = Mailbox()
    assert story.flags(plan_id)["RG-02"] == "critical"
    assert tell(story, mailbox) == 0  # nobody is to be told yet
    duty(story)

    assert (tell(story, mailbox), tell(story, mailbox)) == (1, 0)

    [letter] = mailbox.letters
    assert letter.to == "duty@marlfield.example.org"
    said = f"{letter.subject} {letter.text} {letter.key}"
    assert "HMP Northborough" in said
    for private in ("Morgan", "Dewi", "999", "methadone", "RG-02", TOMORROW):
        assert private not in said


def test_a_notice_that_certainly_did_not_go_is_tried_again_and_a_doubtful_one_never(story, plan_id):
    duty(story)
    mailbox = Mailbox([NotSent("refused"), Unsure("line broke")])

    assert [tell(story, mailbox) for _ in range(3)] == [0, 0, 0]

    row = story.act().session.scalars(select(FlagNotice)).one()
    assert (row.outcome, row.tries, mailbox.letters) == ("unsure", 2, [])


@pytest.mark.proves("RC-19", "RC-20", "RC-27")
def test_what_is_done_for_a_leaver_has_an_owner_a_time_and_an_outcome(story, plan_id, door, clock):
    service = a_site(story.database, name="Northborough drug service")
    nurse = a_member_of_staff(story.database, service, "nurse")
    a_fact(story.act(), plan_id, "destination", site_id=service.id)
    a_fact(story.act(), plan_id, "consent", given=True)
    due = story.at + timedelta(days=1)
    care.add_task(story.act(), plan_id, kind="gate_pickup", owner="home_cjit", due_at=due)
    task_id = care.add_task(story.act(), plan_id, kind="gp", owner="healthcare", due_at=due)
    with pytest.raises(Invalid, match="note"):
        care.add_task(story.act(), plan_id, kind="other", owner="healthcare", due_at=due)
    here, there = care.tasks_here(story.act()), care.tasks_here(story.act(nurse, service))
    assert [by_hand(rows) for rows in (here, there)] == [["gp"], ["gate_pickup"]]

    clock.set(story.at)
    client = door.by_page("prison_healthcare", site=story.prison)
    assert "Registered with a GP" in client.get("/").get_data(as_text=True)
    care.finish_task(
        story.act(), task_id, outcome="done", says="High Street Surgery", done_at=story.at
    )
    with pytest.raises(Conflict):
        care.finish_task(story.act(), task_id, outcome="done", says="again", done_at=story.at)
    page = client.get(f"/release/plans/{plan_id}").get_data(as_text=True)
    assert "Done, Mon 17 Aug 2026, 10:00: High Street Surgery" in page

    care.strike_task(story.act(), task_id, reason="Another patient")
    assert by_hand(care.tasks_of(story.act(), plan_id)) == ["gate_pickup"]


@pytest.mark.proves("DR-09")
def test_a_death_ends_every_flag_and_task_at_once_and_an_entry_in_error_brings_them_back(
    story, plan_id
):
    duty(story)
    care.add_task(
        story.act(), plan_id, kind="housing", owner="keyworker", due_at=story.at - timedelta(days=1)
    )
    a_fact(story.act(), plan_id, "exit", at="2026-08-17T08:00:00Z", how="release")
    assert "RG-02" in story.flags(plan_id)
    story.at = datetime(2026, 8, 20, 9, 0, tzinfo=UTC)

    def died(on):
        act = story.act()
        patient = act.session.get_one(Patient, queries.plan_now(act, plan_id).patient.id)
        act.session.commit()
        correct_patient(act, patient.id, version=patient.version, reason="Coroner", died_on=on)

    died(date(2026, 8, 19))

    assert scoring.standing_flags(story.act(), plan_id) == []
    assert list(care.tasks_here(story.act())) == []
    assert tell(story, Mailbox()) == 0
    with pytest.raises(Conflict, match="died"):
        care.add_task(story.act(), plan_id, kind="gp", owner="keyworker", due_at=story.at)

    died(None)
    assert "RG-02" in {row.flag for row in scoring.standing_flags(story.act(), plan_id)}


def test_the_duty_mailbox_is_set_by_a_manager_and_seen_by_all(story, door, clock, plan_id):
    clock.set(story.at)
    manager = door.by_page("manager", site=story.prison)
    bad = manager.post("/release/duty", data={"address": "not an address"})
    good = manager.post(
        "/release/duty", data={"address": "duty@example.org"}, follow_redirects=True
    )
    seen = door.by_page("prison_healthcare", site=story.prison).get("/release/duty")
    api = door.by_token("prison_healthcare", site=story.prison)

    assert (bad.status_code, good.status_code) == (422, 200)
    assert "duty@example.org" in seen.get_data(as_text=True)
    assert api.get("/api/v1/release-duty").get_json() == {"address": "duty@example.org"}
    assert api.put("/api/v1/release-duty", json={"address": None}).status_code == 403
    tasks = f"/api/v1/release-plans/{plan_id}/tasks"
    made = api.post(
        tasks, json={"kind": "gp", "owner": "keyworker", "due_at": "2026-08-18T09:00:00Z"}
    )
    [task] = [row for row in made.get_json()["tasks"] if row["kind"] == "gp"]
    done = api.post(
        f"/api/v1/leaver-tasks/{task['id']}/finish",
        json={"outcome": "declined", "says": "No GP wanted", "done_at": "2026-08-17T08:00:00Z"},
    )  # fmt: skip
    struck = api.post(f"/api/v1/leaver-tasks/{task['id']}/strike", json={"reason": "Wrong person"})
    assert (made.status_code, done.status_code, struck.status_code) == (201, 204, 204)
    assert not [row for row in api.get(tasks).get_json()["tasks"] if row["kind"] == "gp"]


@pytest.mark.proves("RC-07")
def test_who_could_leave_on_any_day_is_listed_with_the_reason(story, door, clock):
    clock.set(story.at)
    remanded = a_release_plan(story.act(), release={"confirmed_on": "2026-12-01", "kind": "remand"})
    a_release_plan(story.act(), release={"confirmed_on": "2026-12-01", "kind": "determinate"})
    early = a_release_plan(
        story.act(), release={"confirmed_on": "2026-12-01", "kind": "determinate"},
        possible_earlier={"on": TOMORROW, "why": "hdc", "which": "hdc_eligibility"},
    )  # fmt: skip
    client = door.by_page("prison_healthcare", site=story.prison)

    def listed():
        api = door.by_token("prison_healthcare", site=story.prison)
        rows = api.get("/api/v1/release-plans").get_json()["any_day"]
        return {row["plan_id"]: row["reasons"] for row in rows}

    assert listed() == {remanded: ["remand"]}
    page = client.get("/release").get_data(as_text=True)
    assert "Could leave on any day, unplanned" in page
    clock.set(story.at + timedelta(days=1))
    assert listed() == {remanded: ["remand"], early: ["possible_now"]}
    client = door.by_page("prison_healthcare", site=story.prison)
    assert "HDC eligibility date" in client.get(f"/release/plans/{early}").get_data(as_text=True)
