"""Release plans over HTTP: versions, problem objects, rights, and the same commands as the pages."""

from __future__ import annotations

import pytest

from tests.factories.base import a_site
from tests.factories.release import a_release_plan

PLANS = "/api/v1/release-plans"


@pytest.fixture
def api(story, door, clock):
    clock.set(story.at)
    return door.by_token("prison_healthcare", site=story.prison)


@pytest.fixture
def plan(story, api):
    return api.post(PLANS, json={"patient_id": story.patient()}).get_json()


def fact(api, plan, section, version=None, **body):
    tag = api.get(f"{PLANS}/{plan['id']}").headers["ETag"] if version is None else version
    return api.post(f"{PLANS}/{plan['id']}/facts/{section}", json=body, headers={"If-Match": tag})


def test_a_plan_is_opened_and_read_with_its_etag(api, plan):
    read = api.get(f"{PLANS}/{plan['id']}")

    assert read.headers["ETag"] == '"1"'
    body = read.get_json()
    assert body["answer"]["expected_release_on"] is None
    assert body["answer"]["released_today"]["flags"]
    assert {flag["flag"] for flag in body["flags"]} == {"RG-01", "RG-13", "RG-19"}
    assert "Release date: nothing can be counted towards it" in body["unknown"]


def test_a_fact_is_recorded_corrected_struck_out_and_put_back(api, plan):
    recorded = fact(api, plan, "consent", says={"given": True})
    assert recorded.status_code == 201
    body = recorded.get_json()
    [row] = body["facts"]["consent"]
    assert "RG-19" not in {flag["flag"] for flag in body["flags"]}
    here = f"{PLANS}/{plan['id']}/facts/{row['id']}"

    corrected = api.put(
        here, json={"says": {"given": False}, "reason": "Withdrawn"},
        headers={"If-Match": recorded.headers["ETag"]},
    )  # fmt: skip
    assert corrected.status_code == 200
    [now] = corrected.get_json()["facts"]["consent"]
    assert (now["says"], now["place"]) == ({"given": False}, row["place"])

    there = f"{PLANS}/{plan['id']}/facts/{now['id']}"
    struck = api.post(
        f"{there}/strike", json={"reason": "Wrong person"},
        headers={"If-Match": corrected.headers["ETag"]},
    )  # fmt: skip
    assert "consent" not in struck.get_json()["facts"]
    back = api.post(f"{there}/put-back", headers={"If-Match": struck.headers["ETag"]})
    assert back.get_json()["facts"]["consent"][0]["says"] == {"given": False}


def test_what_hung_on_an_old_date_is_named_and_reconfirmed(api, plan, clock):
    fact(api, plan, "release", says={"confirmed_on": "2026-09-16"})
    booked = fact(api, plan, "appointment", says={"at": "2026-09-17T09:00:00Z"}).get_json()
    dated = booked["facts"]["release"][0]["id"]
    clock.forward(hours=1)
    moved = api.put(
        f"{PLANS}/{plan['id']}/facts/{dated}",
        json={"says": {"confirmed_on": "2026-09-15"}, "reason": "OMU"},
        headers={"If-Match": f'"{booked["version"]}"'},
    )
    [stale] = moved.get_json()["recheck"]

    right = api.post(
        f"{PLANS}/{plan['id']}/facts/{stale}/reconfirm",
        headers={"If-Match": moved.headers["ETag"]},
    )

    assert right.status_code == 200
    assert right.get_json()["recheck"] == []


def test_the_field_the_rules_refuse_is_named_in_the_problem(api, plan):
    refused = fact(api, plan, "appointment", says={"at": "tomorrow"})

    assert refused.status_code == 422
    assert refused.mimetype == "application/problem+json"
    assert refused.get_json()["errors"][0]["field"] == "at"


def test_a_change_needs_the_version_read(api, plan):
    url = f"{PLANS}/{plan['id']}/facts/consent"
    fact(api, plan, "prescriber", says={"name": "Dr A"})

    without = api.post(url, json={"says": {"given": True}})
    stale = fact(api, plan, "consent", version='"1"', says={"given": True})

    assert (without.status_code, stale.status_code) == (428, 412)
    assert "changed this plan" in stale.get_json()["detail"]


def test_other_sites_are_refused_without_a_reason(story, door, api, plan):
    stranger = door.by_token("nurse", site=a_site(story.database))

    assert stranger.get(f"{PLANS}/{plan['id']}").status_code == 403
    assert fact(stranger, plan, "consent", version='"1"', says={"given": True}).status_code == 403
    assert stranger.get(PLANS).get_json() == {"leaving": [], "coming_here": [], "any_day": []}


def test_a_reader_and_a_stranger_to_the_service_change_nothing(story, door, app, plan):
    reader = door.by_token("pharmacist", site=story.prison)

    assert fact(reader, plan, "consent", version='"1"', says={"given": True}).status_code == 403
    nobody = app.test_client().get(f"{PLANS}/{plan['id']}", headers={"Accept": "application/json"})
    assert nobody.status_code == 401


def test_a_fact_of_another_plan_is_not_found_on_this_one(story, api, plan):
    other = a_release_plan(story.act(), story.patient(), consent={"given": True})
    row = story.now(other).facts["consent"][0].id

    for way in ("strike", "put-back", "reconfirm"):
        answer = api.post(
            f"{PLANS}/{plan['id']}/facts/{row}/{way}", json={"reason": "x"},
            headers={"If-Match": '"1"'},
        )  # fmt: skip
        assert answer.status_code == 404


def test_the_list_shows_who_leaves_worst_first(story, api, plan):
    soon = a_release_plan(story.act(), story.patient(), release={"confirmed_on": "2026-08-18"})

    body = api.get(PLANS).get_json()

    assert [each["plan_id"] for each in body["leaving"]] == [soon, plan["id"]]
    assert body["leaving"][0]["worst"] == "critical"


def test_a_pharmacy_is_added_closed_and_opened(api):
    made = api.post("/api/v1/premises", json={"kind": "pharmacy", "name": "High Street"})
    here = f"/api/v1/premises/{made.get_json()['id']}"
    week = api.put(
        f"{here}/week",
        json={"week": {"mon": ["09:00-17:00"]}, "nation": "scotland", "reason": "Phoned"},
    )
    twice_a_day = {"week": {"mon": ["09:00-17:00", "12:00-18:00"]}, "nation": "scotland"}
    overlapping = api.put(f"{here}/week", json={**twice_a_day, "reason": "Phoned"})
    moved = {"address": "2 High Street", "telephone": "01632 960002", "reason": "Phoned"}
    read = {"If-Match": api.get(here).headers["ETag"]}
    corrected = api.put(here, json=moved, headers=read)
    stale = api.put(here, json={**moved, "address": "4 High Street"}, headers=read)
    assert (overlapping.status_code, corrected.status_code, stale.status_code) == (422, 200, 412)
    assert "overlap" in overlapping.text
    assert api.get(here).get_json()["address"] == "2 High Street"
    closed = api.post(
        f"{here}/closures",
        json={"first_on": "2026-08-29", "last_on": "2026-08-31", "reason": "Refit"},
    )
    twice = api.post(
        f"{here}/openings",
        json={"on": "2026-08-29", "hours": ["10:00-12:00"], "reason": "No"},
    )
    [newest, *_] = closed.get_json()["facts"]
    struck = api.post(f"/api/v1/premises/facts/{newest['id']}/strike", json={"reason": "Open"})
    opened = api.post(
        f"{here}/openings",
        json={"on": newest["on"], "hours": ["10:00-12:00"], "reason": "Yes"},
    )

    assert [made.status_code, week.status_code, closed.status_code] == [201, 200, 201]
    assert (twice.status_code, struck.status_code, opened.status_code) == (409, 204, 201)
    assert len(api.get(here).get_json()["facts"]) == 5


def test_closing_and_reopening_a_plan(api, plan):
    here = f"{PLANS}/{plan['id']}"
    closed = api.post(
        f"{here}/close", json={"closed_as": "finished", "reason": "Treated outside"},
        headers={"If-Match": '"1"'},
    )  # fmt: skip
    reopened = api.post(f"{here}/reopen", headers={"If-Match": closed.headers["ETag"]})

    assert closed.get_json()["closed_as"] == "finished"
    assert reopened.get_json()["closed_at"] is None
