"""A community team's person goes into custody: the case manager tells the prison's CARAT team (RC-29)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinic.assessments.commands import record_entry
from clinic.custody import commands as prison_work
from clinic.custody import fact_commands
from clinic.custody.models import Reception
from clinic.errors import Conflict, Invalid, OutsideCaseload
from clinic.handovers import commands, custody, gone, queries
from clinic.handovers.models import ReleaseHandover
from clinic.patients.commands import allocate, correct_patient, take_onto_caseload
from clinic.patients.models import Patient
from clinic.release import consents
from tests.clinic.release.test_pages import send as send_form
from tests.factories.base import a_member_of_staff, a_patient, a_site

PROOF = {"how": "secure_email", "who": "CARAT duty mailbox", "proof": "Receipt 41"}


@pytest.fixture
def team(story):
    """The community team of a case manager, and somebody they look after."""
    story.team = a_site(story.database, name="Northborough drug service", telephone="01632 960001")
    story.manager = a_member_of_staff(
        story.database, story.team, "drugs_worker", name="Cai Rowlands"
    )
    story.nurse = a_member_of_staff(story.database, story.team, "nurse", name="Nia Bevan")
    story.carat = a_member_of_staff(
        story.database, story.prison, "carat_keyworker", name="Moses Ade"
    )
    story.dewi = a_patient(there(story))
    allocate(
        there(story), story.dewi, staff_id=story.manager.id, kind="case_manager", reason="Named"
    )
    story.at += timedelta(minutes=5)
    return story


def there(story):
    return story.act(story.manager, story.team)


def received(story, patient_id=None):
    story.at += timedelta(minutes=5)
    return prison_work.receive_prisoner(
        story.act(), patient_id=patient_id or story.dewi, received_at=story.at, demo=True,
        screening="positive", screened_at=story.at,
    )  # fmt: skip


def stands(story):
    """What the community team's list and the person's own page say."""
    waiting = [each.patient.id for each in gone.to_hand_over(there(story))]
    found = gone.page(there(story), story.dewi).gone
    assert (story.dewi in waiting) == (found is not None and found.stands == "to_prepare")
    return found and found.stands


def version(story, handover_id):
    return there(story).session.get_one(ReleaseHandover, handover_id).version


def sent(story, **more):
    story.at += timedelta(minutes=5)
    given = {"to_site_id": story.prison.id, "basis": "consent", **more}
    made = custody.prepare_into_custody(there(story), story.dewi, **given)
    commands.send(there(story), made, version=version(story, made), **PROOF)
    return made


def consent(story, says="given"):
    return consents.record_consent_of(
        there(story), story.dewi, says=says, decided_at=story.at, to_site_id=story.prison.id
    )


def answered(story, made, accept=True, **more):
    commands.answer(
        story.act(story.carat), made, version=version(story, made), accept=accept, **more
    )


@pytest.mark.proves("RC-29")
def test_received_in_prison_the_case_manager_sends_with_consent_until_the_carat_team_accepts(team):
    story = team
    assert stands(story) is None
    received(story)
    [task] = gone.to_hand_over(there(story))
    assert (task.where, task.case_manager) == ("HMP Northborough", "Cai Rowlands")
    assert task.send_by.date() == date(2026, 8, 18)  # known on a Monday: the next working day

    with pytest.raises(Conflict, match="nothing leaves"):
        sent(story)
    assert stands(story) == "under_way"
    [unsent] = [each.row.id for each in queries.waiting(there(story))]
    commands.withdraw(there(story), unsent, version=version(story, unsent), reason="No consent yet")
    assert stands(story) == "to_prepare"
    consent(story)
    made = sent(story)

    assert queries.waiting(there(story)) == []
    [arrived] = queries.waiting(story.act(story.carat))
    assert arrived.row.id == made
    assert queries.handover(there(story), made).responsible == "Northborough drug service"
    story.at += timedelta(days=2)
    assert [each.stands for each in queries.waiting(there(story))] == ["overdue"]
    answered(story, made, accept=False, reason="Not in this prison")
    assert [each.stands for each in queries.waiting(there(story))] == ["refused"]
    commands.take_back(
        story.act(story.carat), made, version=version(story, made), reason="They are on B wing"
    )
    answered(story, made)

    assert stands(story) == "accepted"
    assert queries.handover(story.act(story.carat), made).responsible == "HMP Northborough"
    commands.take_back(
        story.act(story.carat), made, version=version(story, made), reason="Wrong person"
    )
    assert stands(story) == "under_way"


@pytest.mark.proves("RC-29")
def test_without_consent_nothing_leaves_but_by_a_recorded_decision_or_the_decision_to_send_nothing(
    team,
):
    story = team
    reception = received(story)
    consent(story, "refused")
    with pytest.raises(Conflict, match="nothing leaves"):
        sent(story)
    [unsent] = [each.row.id for each in queries.waiting(there(story))]
    why = "Dr Nair: two overdoses this month"
    commands.change_basis(
        there(story), unsent, version=version(story, unsent), basis="safety", because=why
    )
    commands.send(there(story), unsent, version=version(story, unsent), **PROOF)
    commands.withdraw(there(story), unsent, version=version(story, unsent), reason="Thought over")

    story.at += timedelta(minutes=5)
    row = custody.send_nothing(
        there(story), story.dewi, because="refused", says="Refused again, case manager"
    )
    assert stands(story) == "nothing_sent"
    with pytest.raises(Conflict, match="nothing to decide"):
        custody.send_nothing(there(story), story.dewi, because="other", says="Twice")
    custody.strike_nothing(there(story), row, reason="They agree now")
    assert stands(story) == "to_prepare"

    version_now = story.act().session.get_one(Reception, reception).version
    prison_work.undo_reception(story.act(), reception, version=version_now, reason="Wrong person")
    assert stands(story) is None


@pytest.mark.proves("RC-29")
def test_a_sentence_opens_the_task_before_the_prison_says_so_and_is_not_asked_for_twice(team):
    story = team
    act = there(story)
    with pytest.raises(Conflict, match="Record first"):
        custody.prepare_into_custody(act, story.dewi, recipient="CARAT team, HMP Elsewhere")
    with pytest.raises(Invalid, match="future"):
        custody.record_sentence(
            there(story), story.dewi, sentenced_on=date(2026, 9, 1), says="Court worker"
        )
    today = story.at.date()
    wrong = custody.record_sentence(
        there(story), story.dewi, sentenced_on=today, prison="HMP Elsewhere", days=84,
        says="Court worker, telephone",
    )  # fmt: skip
    with pytest.raises(Conflict, match="already"):
        custody.record_sentence(there(story), story.dewi, sentenced_on=today, says="Again")
    assert stands(story) == "to_prepare"
    custody.strike_sentence(there(story), wrong, reason="Another person of that name")
    assert stands(story) is None
    custody.record_sentence(
        there(story), story.dewi, sentenced_on=today, prison_site_id=story.prison.id,
        says="Court worker, telephone",
    )  # fmt: skip
    consent(story)
    answered(story, sent(story))
    assert stands(story) == "accepted"

    received(story)  # the arrival that sentence led to

    assert stands(story) == "accepted"
    story.at += timedelta(days=3)
    custody.record_sentence(
        there(story), story.dewi, sentenced_on=story.at.date(), says="Further sentence, court"
    )
    assert stands(story) == "to_prepare"
    act = there(story)
    patient = act.session.get_one(Patient, story.dewi)
    correct_patient(act, patient.id, version=patient.version, reason="Reported", died_on=act.today)
    assert gone.to_hand_over(there(story)) == []


def test_a_service_that_took_them_on_for_their_release_has_nothing_to_send(team):
    story = team
    reception = received(story)
    other = a_site(story.database, name="Southborough drug service")
    worker = a_member_of_staff(story.database, other, "drugs_worker")
    story.at += timedelta(days=1)
    take_onto_caseload(story.act(worker, other), story.dewi)
    assert gone.to_hand_over(story.act(worker, other)) == []
    with pytest.raises(OutsideCaseload):
        gone.page(story.act(worker, other), a_patient(there(story), family_name="Jones"))

    fact_commands.record_exit(story.act(), reception, at=story.at, how="release")

    assert stands(story) is None


@pytest.mark.proves("RC-29")
def test_the_package_holds_what_the_community_knows_and_both_sides_walk_it_through_the_pages(
    team, door, clock
):
    story = team
    record_entry(there(story), story.dewi, "risk", {"risk": "overdose"}, happened_at=story.at)
    received(story)
    clock.set(story.at)
    page = door.by_page("drugs_worker", site=story.team)
    here = f"/hand-overs/custody/{story.dewi}"
    assert "Received at HMP Northborough" in page.get("/").text
    assert "To be handed over" in page.get(f"/patients/{story.dewi}").text
    blank = page.get(f"{here}/prepare").text
    assert "checked" not in blank and "HMP Northborough" in blank
    at = {f"{name}-{part}": value for name in ("decided_at", "at") for part, value in zip(
        ("day", "month", "year", "time"), ("17", "8", "2026", "10:20"), strict=True)}  # fmt: skip
    story.at += timedelta(minutes=15)
    clock.set(story.at)
    asked = {"to_site_id": str(story.prison.id), "says": "given", "because": "All of it", **at}
    said = send_form(page, f"{here}/consents/add", asked)
    assert "Consent given" in said.text
    chosen = {"to_site_id": str(story.prison.id), "basis": "consent", "because": "Asked"}
    made = send_form(page, f"{here}/prepare", chosen).text
    for words in ("Nothing has left yet", "Cai Rowlands", "MORGAN, Dewi", "Risk",
                  "No decision on a dose stands", "Consent given"):  # fmt: skip
        assert words in made, words
    [waiting] = queries.waiting(there(story))
    one = f"/hand-overs/{waiting.row.id}"
    story.at += timedelta(minutes=5)
    clock.set(story.at)
    at |= {"at-time": "10:25"}
    sent_now = send_form(page, f"{one}/send", {**PROOF, **at})
    assert "An answer is waited for" in sent_now.text

    prison = door.by_page("carat_keyworker", site=story.prison)
    assert "accept or refuse" in prison.get("/").text
    assert "MORGAN" in prison.get(f"{one}/print").text
    accepted = send_form(prison, f"{one}/answer", {"answer": "accept"})
    assert "Responsible now: <strong>HMP Northborough" in accepted.text
    assert "has accepted" in page.get(here).text

    api = door.by_token("drugs_worker", site=story.team)
    assert api.get("/api/v1/custody-handovers").get_json() == {"to_hand_over": []}
    body = api.get(f"/api/v1/patients/{story.dewi}/into-custody").get_json()
    assert (body["gone"]["stands"], body["handovers"][0]["state"]) == ("accepted", "accepted")
    told = api.post(
        f"/api/v1/patients/{story.dewi}/custody-sentences",
        json={"sentenced_on": "2026-08-17", "says": "Court list", "days": 84},
    )
    assert told.status_code == 201
    row = told.get_json()["id"]
    gone_again = api.post(
        f"/api/v1/custody-sentences/{row}/strike", json={"reason": "Another person"}
    )
    assert gone_again.status_code == 204
    assert "Struck out: Another person" in page.get(here).text
    again = api.post(
        f"/api/v1/patients/{story.dewi}/custody-handovers", json={"recipient": "HMP Elsewhere"}
    )
    assert again.get_json()["plan_id"] is None
    nothing = {"because": "other", "says": "Known there"}
    refused = api.post(f"/api/v1/patients/{story.dewi}/custody-nothing-sent", json=nothing)
    assert refused.status_code == 409
