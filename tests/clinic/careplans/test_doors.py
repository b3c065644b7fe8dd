"""A care plan by its pages and over HTTP: the same commands, what was typed kept, who may not told."""

from __future__ import annotations

from datetime import date

import pytest

from clinic.careplans import commands, queries
from clinic.errors import Conflict
from scheduling.careplans import QUESTIONS
from tests.clinic.custody.test_pages import boxes, send, text
from tests.factories.base import a_patient, a_site
from tests.factories.custody import a_prison


@pytest.fixture
def keyworker(app, story, door, clock):
    """The keyworker of the prison, signed in with CSRF switched on."""
    clock.set(story.prison.at)
    app.config["WTF_CSRF_ENABLED"] = True
    story.prison.close()
    yield door.by_page("carat_keyworker", site=story.prison.site)
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.mark.proves("CM-20", "CM-21")
def test_a_plan_is_written_agreed_and_read_without_scripts(keyworker, story):
    here = f"/care-plans/{story.plan_id}"
    begun = keyworker.get(f"/care-plans/patients/{story.patient_id}", follow_redirects=True)
    assert "not asked yet" in begun.text

    kept = send(keyworker, f"{here}/sections/drugs", drugs_needs="x" * 4001, treatment_aim="detox")
    assert kept.status_code == 422
    assert "x" * 4001 in kept.text
    assert "no more than 4000 characters" in text(kept)
    saved = send(keyworker, f"{here}/sections/drugs", drugs_needs="Heroin <daily>")
    assert "Collected in the draft" in text(saved)
    # What waits in the draft is there to go on from, and is told to whoever would agree without it.
    assert "Heroin &lt;daily&gt;" in keyworker.get(f"{here}/sections/drugs").text
    assert "Changes wait in a draft" in text(keyworker.get(f"{here}/agreements"))
    send(keyworker, f"{here}/sections/groups", group_first="motivation_to_change")
    assert "Care plans with changes not put forward" in text(keyworker.get("/"))
    added = send(
        keyworker, f"{here}/goals/new", domain="drugs", what="Two groups", who="Dewi",
        **boxes("by_on", 20),
    )  # fmt: skip
    assert "Goal 1: Drugs and alcohol: Two groups" in text(added)
    with pytest.raises(Conflict, match="collected in a draft"):
        story.changes(answers={"vdt": "agreed"})
    story.prison.close()
    put = send(keyworker, f"{here}/draft/put_forward")
    assert "Nobody has agreed to this version yet" in text(put)
    assert "Goal 1: Two groups" in text(put)
    assert keyworker.get(f"{here}/draft/discard").status_code == 404

    agreement = {"party": "patient", **boxes("agreed_at", 5, time="10:00")}
    refused = send(keyworker, f"{here}/agreements", **agreement)
    assert refused.status_code == 422
    assert "comes before the joint care plan (PS-09, TT-07)" in text(refused)
    assert f"/custody/stays/{story.reception_id}/deliver/csma" in refused.text
    story.assessed()
    story.prison.close()
    early = send(keyworker, f"{here}/agreements", **{**agreement, "agreed_at-time": "08:00"})
    assert "must not be before the comprehensive assessment" in text(early)
    agreed = send(keyworker, f"{here}/agreements", **agreement)
    assert "The agreement is recorded" in text(agreed)
    assert "/withdraw" in agreed.text
    assert "has to be agreed again" in text(keyworker.get(f"{here}/sections/health"))

    progress = {"state": "under_way", "says": "Came once", **boxes("on", 5)}
    send(keyworker, f"{here}/goals/1/progress", **progress)
    for page, words in {
        "history": ["Heroin <daily>"],
        "print": [
            "Care plan, version 2", "Came once", *(each.asks for each in QUESTIONS.values())
        ],
        "plain": ["We wrote this plan with you", "Heroin <daily>", "Motivation to change"],
        "": ["Drugs and alcohol", "Health", "Offending", "Social functioning", "Two groups"],
    }.items():  # fmt: skip
        shown = text(keyworker.get(f"{here}/{page}".rstrip("/")))
        assert [each for each in [*words, "MORGAN, Dewi"] if each not in shown] == []


def test_a_form_of_a_plan_that_moved_on_keeps_what_was_typed(keyworker, story):
    url = f"/care-plans/{story.plan_id}/sections/social"
    stale = send(keyworker, url, housing_needs="A flat")
    commands.draft_change(
        story.act(), story.plan_id, version=story.etag(), answers={"housing_needs": "Hostel"}
    )
    story.prison.close()

    stale = send(keyworker, url, version="1", housing_needs="A house")

    assert stale.status_code == 422
    said = text(stale)
    assert "since you read it. Nothing of yours was saved" in said
    assert "A house" in stale.text
    assert "Hostel" in said


def test_a_review_asked_for_is_on_the_first_page_until_it_is_done(keyworker, story):
    here = f"/care-plans/{story.plan_id}"
    send(keyworker, f"{here}/events/new", code="health", **boxes("on", 5))
    waiting = text(keyworker.get("/"))
    assert "Care plans to review" in waiting
    assert "Review the care plan after: health became better or worse" in waiting

    done = send(
        keyworker, f"{here}/review", outcome="no_change", by=["patient", "carat"],
        **boxes("reviewed_at", 5, time="10:00"),
    )  # fmt: skip

    assert "The review is recorded" in text(done)
    assert "No review of a care plan is due" in text(keyworker.get("/care-plans/"))


def test_the_clinical_review_page_takes_the_report_first(keyworker, story):
    url = f"/care-plans/stays/{story.reception_id}/clinical-review"
    held = {"carat": "report", **boxes("held_at", 5, time="09:00")}
    assert "Write the report first" in text(send(keyworker, url, **held))

    send(keyworker, f"{url}/report", says="Doing well", complex_needs="yes")

    assert "The needs are complex: CARATs attend the review" in text(keyworker.get(url))
    assert "The clinical review is recorded" in text(send(keyworker, url, **held))


def test_over_http_the_etag_and_the_version_agreed_to_are_asked_for(story, door, clock):
    clock.set(story.prison.at)
    story.prison.close()
    api = door.by_token("carat_keyworker", site=story.prison.site)
    url = f"/api/v1/care-plans/{story.plan_id}"
    tag = {"If-Match": api.get(url).headers["ETag"]}
    given = {"answers": {"drugs_needs": "Heroin daily"}}
    changed = api.patch(url, json=given, headers=tag)
    assert changed.get_json()["number"] == 2
    assert api.patch(url, json=given, headers=tag).status_code == 412
    assert api.patch(url, json={"answers": {"shoe": "9"}}, headers=tag).status_code == 422

    agreed = {"number": 2, "party": "carat", "agreed_at": story.prison.at.isoformat()}
    first = api.post(f"{url}/agreements", json=agreed)
    assert (first.status_code, first.get_json()["needs"]) == (409, "csma")
    story.assessed()
    story.prison.close()
    body = api.post(f"{url}/agreements", json=agreed).get_json()
    assert body["not_agreed"] == ["The patient", "Healthcare"]
    assert api.post(f"{url}/agreements", json={**agreed, "number": 1}).status_code == 409
    [row] = body["versions"][0]["agreements"]
    withdrawn = api.post(
        f"{url}/agreements/{row['id']}/withdraw", json={"reason": "A slip"},
        headers={"If-Match": api.get(url).headers["ETag"]},
    )  # fmt: skip
    assert len(withdrawn.get_json()["not_agreed"]) == 3

    elsewhere = door.by_token("carat_keyworker")
    assert elsewhere.get(url).status_code == 403
    auditor = door.by_token("auditor", site=story.prison.site)
    assert auditor.get(url).status_code == 403


def test_somebody_in_the_community_has_one_plan_and_prison_asks_for_its_review(database):
    prison = a_prison(database)
    community = a_site(database)
    act = prison.act()
    act.site_id = community.id
    act.rights |= {"patients.register"}
    patient_id = a_patient(act)
    plan_id = commands.start_plan(act, patient_id)
    with pytest.raises(Conflict, match="There is a care plan already"):
        commands.start_plan(act, patient_id)

    prison.receives(patient_id=patient_id)

    act = prison.act()
    act.site_id = community.id
    view = queries.plan(act, plan_id)
    assert [each.code for each in view.asking] == ["enters_prison"]
    assert view.due.on == date(2026, 11, 11)
    prison.close()


def test_a_draft_is_one_version_whatever_was_collected_and_is_discarded_over_http(
    story, door, clock
):
    clock.set(story.prison.at)
    story.prison.close()
    api = door.by_token("carat_keyworker", site=story.prison.site)
    url = f"/api/v1/care-plans/{story.plan_id}"

    def tag():
        return {"If-Match": api.get(url).headers["ETag"]}

    for key in ("drugs_needs", "housing_needs"):
        body = api.patch(f"{url}/draft", json={"answers": {key: "Said"}}, headers=tag())
        assert body.get_json()["number"] == 1
    api.patch(f"{url}/draft", json={"mark": "complete"}, headers=tag())
    refused = api.post(f"{url}/draft/put-forward", headers=tag())
    assert refused.status_code == 422
    api.patch(f"{url}/draft", json={"mark": "initial"}, headers=tag())
    put = api.post(f"{url}/draft/put-forward", headers=tag())
    assert (put.status_code, put.get_json()["number"], put.get_json()["draft"]) == (201, 2, None)
    assert len(put.get_json()["versions"][0]["changes"]) == 2
    old = tag()
    api.patch(f"{url}/draft", json={"answers": {"vdt": "agreed"}}, headers=old)
    assert api.delete(f"{url}/draft", headers=old).status_code == 412
    gone = api.delete(f"{url}/draft", headers=tag()).get_json()
    assert (gone["number"], gone["draft"]) == (2, None)
    assert api.delete(f"{url}/draft", headers=tag()).status_code == 409
