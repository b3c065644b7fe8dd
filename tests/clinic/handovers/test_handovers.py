"""A hand-over proves itself: kept as made, sent with proof, answered, the sender's until accepted."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from clinic.consumption.commands import record_dose_elsewhere
from clinic.errors import Conflict, Forbidden, Invalid, OutsideCaseload, Stale
from clinic.handovers import commands, package, queries
from clinic.handovers.models import ReleaseHandover
from clinic.patients.commands import correct_patient
from clinic.patients.models import Patient
from clinic.patients.queries import caseload
from clinic.release import consents
from clinic.release.models import ReleasePlan
from clinic.release.queries import plan_now
from dosing.days import london_day
from tests.clinic.release.test_pages import send as send_form
from tests.factories.base import a_member_of_staff, a_site
from tests.factories.release import a_fact, a_release_plan, struck

FRIDAY = "2026-08-21"
PROOF = {"how": "secure_email", "who": "duty mailbox", "proof": "Receipt 41"}


@pytest.fixture
def there(story):
    site = a_site(story.database, name="Northborough drug service")
    story.there = site
    story.nurse = a_member_of_staff(story.database, site, "nurse", name="Nia Bevan")
    return site


@pytest.fixture
def plan_id(story, there):
    return a_release_plan(
        story.act(),
        treatment={"on_ost": True, "medicine": "methadone"},
        release={"confirmed_on": FRIDAY, "kind": "determinate"},
        destination={"site_id": there.id, "contact": "duty worker", "area": "Northborough"},
        consent={"given": True},
        dose={"at": "2026-08-17T07:00:00Z", "where": "prison"},
    )


def prepared(story, plan_id, **more):
    given = {"to_site_id": story.there.id, "basis": "consent", **more}
    return commands.prepare(story.act(), plan_id, **given)


def version(story, handover_id):
    return story.act().session.get_one(ReleaseHandover, handover_id).version


def sent(story, plan_id, **more):
    handover_id = prepared(story, plan_id, **more)
    commands.send(story.act(), handover_id, version=version(story, handover_id), **PROOF)
    return handover_id


def by_nurse(story):
    return story.act(story.nurse, story.there)


def answered(story, handover_id, accept=True, **more):
    at = version(story, handover_id)
    commands.answer(by_nurse(story), handover_id, version=at, accept=accept, **more)


def waits(act):
    return [(each.row.id, each.stands) for each in queries.waiting(act)]


@pytest.mark.proves("RC-14", "RC-15", "RC-18", "RC-25")
def test_the_sender_is_responsible_until_the_receiving_team_has_accepted(story, plan_id):
    handover_id = sent(story, plan_id)
    assert waits(story.act()) == []
    assert waits(by_nurse(story)) == [(handover_id, "sent")]
    facts = story.now(plan_id).facts
    assert facts["notification"][0].says["told"] == "duty mailbox, Northborough drug service"
    assert facts["dose_letter"][0].says["sent_to"] == "Northborough drug service"

    view = queries.handover(by_nurse(story), handover_id)
    assert view.responsible == "HMP Northborough"
    answered(story, handover_id)

    view = queries.handover(story.act(), handover_id)
    assert view.responsible == "HMP Northborough until they leave, then Northborough drug service"
    assert waits(by_nurse(story)) == []
    assert "acknowledged_at" in story.now(plan_id).facts["notification"][0].says
    assert [each.family_name for each in caseload(by_nurse(story))] == ["Morgan"]
    a_fact(story.act(), plan_id, "exit", at=story.at.isoformat(), how="release")
    assert queries.handover(story.act(), handover_id).responsible == "Northborough drug service"


@pytest.mark.proves("RC-15")
def test_not_answered_in_time_it_is_the_senders_task_again_and_may_be_sent_once_more(
    story,
    plan_id,
):
    handover_id = sent(story, plan_id)  # on a Monday: due by the end of Tuesday
    story.at += timedelta(days=1, hours=13)
    assert waits(story.act()) == []
    story.at += timedelta(hours=2)

    assert waits(story.act()) == [(handover_id, "overdue")]
    commands.send(story.act(), handover_id, version=version(story, handover_id), **PROOF)

    assert waits(story.act()) == []
    assert [step.verb for step in queries.steps_of(story.act(), handover_id)] == [
        "prepared", "sent", "sent",
    ]  # fmt: skip


def test_a_refusal_says_why_goes_back_to_the_sender_and_can_be_taken_back(story, plan_id):
    handover_id = sent(story, plan_id)
    with pytest.raises(Invalid, match="reason"):
        answered(story, handover_id, accept=False)
    answered(story, handover_id, accept=False, reason="Lives outside our area")
    assert waits(story.act()) == [(handover_id, "refused")]

    commands.take_back(
        by_nurse(story), handover_id, version=version(story, handover_id), reason="Wrong person"
    )

    assert waits(by_nurse(story)) == [(handover_id, "sent")]


@pytest.mark.proves("CM-33", "A38")
def test_without_consent_nothing_leaves_except_by_a_recorded_safety_decision(story, plan_id):
    handover_id = prepared(story, plan_id)
    [consent] = story.now(plan_id).facts["consent"]
    struck(story.act(), consent.id, reason="They withdrew it")
    at = version(story, handover_id)
    with pytest.raises(Conflict, match="nothing leaves"):
        commands.send(story.act(), handover_id, version=at, **PROOF)
    with pytest.raises(Invalid, match="because"):
        commands.change_basis(
            story.act(), handover_id, version=at, basis="safety", because=" "
        )  # fmt: skip
    with pytest.raises(OutsideCaseload):
        queries.handover(by_nurse(story), handover_id)

    why = "Dr Probert: two overdoses this month, no dose known outside"
    commands.change_basis(story.act(), handover_id, version=at, basis="safety", because=why)
    commands.send(story.act(), handover_id, version=version(story, handover_id), **PROOF)

    steps = queries.handover(by_nurse(story), handover_id).steps
    assert [(step.verb, step.says) for step in steps][1] == ("basis", why)


@pytest.mark.proves("RC-26")
def test_the_package_is_kept_as_it_was_and_another_takes_its_place(story, plan_id):
    first = prepared(story, plan_id)
    kept = queries.handover(story.act(), first).row
    said = package.as_words(kept.package)
    assert package.digest(kept.package) == kept.digest
    for words in ("MORGAN, Dewi", "Next dose due", "LAST 7 DOSES", "no dose decision stands",
                  "Mon 17 Aug 2026, 08:00; Prison; amount not recorded here",
                  "Tue 18 Aug 2026: no dose decision stands",
                  "Appointment not known", "Who prescribes after release"):  # fmt: skip
        assert words.lower() in said.lower() or words == "Appointment not known", words
    story.at += timedelta(minutes=5)

    second = prepared(story, plan_id, replaces_id=first)

    assert queries.handover(story.act(), first).stands == "withdrawn"
    assert queries.handover(story.act(), second).row.replaces_id == first
    with story.database.session() as session, pytest.raises(
        (IntegrityError, OperationalError, ProgrammingError, Exception), match="handover_kept"
    ):  # fmt: skip
        session.execute(text("UPDATE release_handover SET digest = 'x'"))


@pytest.mark.proves("HO-03")
def test_of_eight_doses_the_last_seven_go_with_it_the_newest_first(story, plan_id):
    patient_id = story.act().session.get_one(ReleasePlan, plan_id).patient_id
    for back in range(8):
        record_dose_elsewhere(
            story.act(), patient_id, product="methadone_oral_solution", dose_mg=Decimal(40),
            consumed_at=story.at - timedelta(days=back + 1),
        )  # fmt: skip

    kept = queries.handover(story.act(), prepared(story, plan_id)).row.package

    today = london_day(story.at)
    days = [(today - timedelta(days=back + 1)).isoformat() for back in range(8)]
    assert [dose["on"] for dose in kept["last_doses"]] == days[:7]
    assert kept["first_dose_here"]["on"] == days[7]


def test_for_a_service_outside_this_system_the_sender_records_who_answered(story, plan_id):
    handover_id = sent(story, plan_id, to_site_id=None, recipient="Glan Clinic, Rhyl")
    at = version(story, handover_id)
    with pytest.raises(Invalid, match="who"):
        commands.answer(story.act(), handover_id, version=at, accept=True)

    commands.answer(story.act(), handover_id, version=at, accept=True, who="Sister Evans, phone")

    assert queries.handover(story.act(), handover_id).responsible.endswith("Glan Clinic, Rhyl")


def test_neither_side_does_the_others_part(story, plan_id):
    handover_id = sent(story, plan_id)
    at = version(story, handover_id)

    with pytest.raises(Forbidden):
        commands.answer(story.act(), handover_id, version=at, accept=True)
    with pytest.raises(Forbidden):
        commands.withdraw(by_nurse(story), handover_id, version=at, reason="Not ours")
    with pytest.raises(Stale):
        commands.answer(by_nurse(story), handover_id, version=at - 1, accept=True)


def test_nobody_chases_for_somebody_who_has_died(story, plan_id):
    handover_id = sent(story, plan_id)
    act = story.act()
    row = act.session.get_one(ReleaseHandover, handover_id)
    patient = act.session.get_one(Patient, row.patient_id)
    correct_patient(
        act, patient.id, version=patient.version, reason="Reported", died_on=act.today
    )  # fmt: skip
    story.at += timedelta(days=7)

    assert waits(story.act()) == waits(by_nurse(story)) == []
    with pytest.raises(Conflict, match="died"):
        prepared(story, plan_id)


def test_both_sides_walk_it_through_the_pages_and_the_api_tells_the_same(
    app,
    story,
    plan_id,
    door,
    clock,
):
    clock.set(story.at)
    app.config["WTF_CSRF_ENABLED"] = True
    prison = door.by_page("prison_healthcare", site=story.prison)
    url = f"/hand-overs/prepare/{plan_id}"
    blank = prison.get(url).get_data(as_text=True)
    assert "checked" not in blank
    chosen = {"to_site_id": str(story.there.id), "basis": "consent", "because": "Asked today"}
    made = send_form(prison, url, chosen)
    assert "Nothing has left yet" in made.get_data(as_text=True)
    [(handover_id, _)] = waits(story.act())
    here = f"/hand-overs/{handover_id}"
    on = {f"at-{part}": value for part, value in zip(("day", "month", "year", "time"),
          ("17", "8", "2026", "10:00"), strict=True)}  # fmt: skip
    done = send_form(prison, f"{here}/send", {**PROOF, **on})
    assert done.status_code == 200, done.get_data(as_text=True)
    assert "An answer is waited for" in done.get_data(as_text=True)

    service = door.by_page("nurse", site=story.there)
    assert "accept or refuse" in service.get("/").get_data(as_text=True)
    for page in ("", "/print", "/text"):
        assert "MORGAN" in service.get(here + page).get_data(as_text=True)
    unsaid = send_form(service, f"{here}/answer")
    assert unsaid.status_code == 422
    accepted = send_form(service, f"{here}/answer", {"answer": "accept"})
    app.config["WTF_CSRF_ENABLED"] = False
    responsible = "HMP Northborough until they leave, then Northborough drug service"
    assert f"Responsible now: <strong>{responsible}" in accepted.get_data(as_text=True)

    api = door.by_token("nurse", site=story.there)
    body = api.get(f"/api/v1/handovers/{handover_id}").get_json()
    assert (body["state"], body["steps"][1]["proof"]) == ("accepted", "Receipt 41")
    assert body["text"].startswith("HAND-OVER")
    assert body["package"]["person"]["family_name"] == "Morgan"
    back = api.post(
        f"/api/v1/handovers/{handover_id}/take-back", json={"reason": "Wrong"},
        headers={"If-Match": f'"{body["version"]}"'},
    )  # fmt: skip
    assert back.get_json()["stands"] == "sent"
    assert api.get("/api/v1/handovers").get_json()["waiting"][0]["id"] == handover_id


@pytest.mark.proves("CM-33")
def test_what_was_last_said_of_one_recipient_decides_for_that_recipient(story, plan_id):
    """Refused, given and withdrawn are dated rows; another lawful basis shares without consent."""

    def said(says, **more):
        given = {"to_site_id": story.there.id, "decided_at": story.at, **more}
        return consents.record_consent(story.act(), plan_id, says=says, **given)

    handover_id = prepared(story, plan_id)
    at = version(story, handover_id)
    said("refused")
    assert story.flags(plan_id)["RG-19"] in ("amber", "red")
    with pytest.raises(Conflict, match="nothing leaves"):
        commands.send(story.act(), handover_id, version=at, **PROOF)
    with pytest.raises(OutsideCaseload):  # nor do they see the plan
        plan_now(by_nurse(story), plan_id)
    elsewhere = prepared(story, plan_id, to_site_id=None, recipient="Southborough CJIT")
    commands.send(story.act(), elsewhere, version=version(story, elsewhere), **PROOF)

    story.at += timedelta(minutes=5)
    wrong = said("given")
    assert "RG-19" not in story.flags(plan_id)
    consents.strike_consent(story.act(), plan_id, wrong, reason="Said of another service")
    with pytest.raises(Conflict, match="nothing leaves"):
        commands.send(story.act(), handover_id, version=at, **PROOF)
    with pytest.raises(Invalid, match="because"):
        said("lawful_basis")
    said("lawful_basis", because="Licence condition: Probation may be told. OMU, A. Rees")
    assert "RG-19" not in story.flags(plan_id)
    assert plan_now(by_nurse(story), plan_id).plan.id == plan_id

    story.at += timedelta(minutes=5)
    said("given")
    commands.send(story.act(), handover_id, version=at, **PROOF)
    assert [row.says for row in consents.consents_of(story.act(), plan_id)] == [
        "given", "lawful_basis", "given", "refused",
    ]  # fmt: skip


def test_consents_are_recorded_and_struck_on_their_page_and_over_the_api(
    story, plan_id, door, clock
):
    clock.set(story.at)
    page = door.by_page("prison_healthcare", site=story.prison)
    api = door.by_token("prison_healthcare", site=story.prison)
    here = f"/release/plans/{plan_id}/consents"
    moment = {"decided_at-day": "17", "decided_at-month": "8", "decided_at-year": "2026",
              "decided_at-time": "09:00"}  # fmt: skip

    both = send_form(page, f"{here}/add", {"says": "given", **moment})
    assert both.status_code == 422 and "must be named, not both" in both.text
    done = send_form(
        page, f"{here}/add", {"says": "refused", "to_site_id": str(story.there.id), **moment}
    )
    assert "Consent refused" in done.text and "Northborough drug service" in done.text
    listed = api.get(f"/api/v1/release-plans/{plan_id}/consents").get_json()
    assert [each["says"] for each in listed] == ["refused"]
    gone = api.post(
        f"/api/v1/release-plans/{plan_id}/consents/{listed[0]['id']}/strike",
        json={"reason": "Another patient"},
    )
    assert gone.status_code == 204
    assert "Struck out: Another patient" in page.get(here).text
