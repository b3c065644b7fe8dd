"""The API of custody: receptions, deliveries, facts, versions, and how it refuses."""

from __future__ import annotations

import pytest

from clinic.custody import fact_commands
from tests.factories.custody import RECEIVED, a_prison, london


@pytest.fixture
def api(prison, door, clock):
    clock.set(RECEIVED)
    prison.close()
    return door.by_token("prison_healthcare", site=prison.site)


def received(api, prison, **more):
    patient_id = prison.patient()
    prison.close()
    answer = api.post(
        "/api/v1/receptions",
        json={
            "patient_id": patient_id, "received_at": "2026-11-04T14:00:00+00:00",
            "screening": "not_done", **more,
        },
    )  # fmt: skip
    assert answer.status_code == 201, answer.json
    return answer


def test_a_reception_answers_with_its_timetable_and_where_to_read_it_again(api, prison):
    made = received(api, prison, ppo=True, prison_number="a1234bc")

    assert made.headers["Location"] == f"/api/v1/receptions/{made.json['id']}"
    assert made.headers["ETag"] == '"1"'
    assert made.json["reception"]["ppo"] is True
    assert made.json["reception"]["heightened_risk"] is None
    assert made.json["timetable"]["day_5"] == "2026-11-08"
    read = api.get(made.headers["Location"])
    assert (read.status_code, read.headers["ETag"]) == (200, '"1"')
    assert read.json["timetable"] == made.json["timetable"]
    assert read.json["versions"][0]["version"] == 1


def test_a_refusal_is_a_problem_that_names_the_field(api, prison):
    patient_id = prison.patient()
    prison.close()
    given = {"patient_id": patient_id, "screening": "not_done"}

    for more, field in (
        ({"received_at": "2026-11-04T14:00:00"}, "received_at"),
        ({"received_at": "2026-11-05T14:00:00+00:00"}, "received_at"),
        ({"received_at": "2026-11-04T14:00:00+00:00", "screening": "maybe"}, "screening"),
        ({"received_at": "2026-11-04T14:00:00+00:00", "wing": "B"}, "wing"),
    ):
        answer = api.post("/api/v1/receptions", json=given | more)
        assert answer.status_code == 422
        assert answer.mimetype == "application/problem+json"
        assert answer.json["errors"][0]["field"] == field


def test_the_same_person_twice_is_a_conflict(api, prison):
    made = received(api, prison)

    again = api.post(
        "/api/v1/receptions",
        json={
            "patient_id": made.json["patient_id"], "received_at": "2026-11-04T14:00:00+00:00",
            "screening": "not_done",
        },
    )  # fmt: skip

    assert (again.status_code, again.json["title"]) == (409, "Already taken")


def test_facts_are_recorded_corrected_and_struck_out_under_the_version_that_was_read(api, prison):
    url = received(api, prison).headers["Location"]

    made = api.post(f"{url}/hearings", json={"starts_at": "2026-11-09T10:00:00+00:00"})
    assert (made.status_code, made.headers["ETag"]) == (201, '"2"')
    (hearing,) = made.json["hearings"]
    assert made.json["versions"][0]["changes"]
    moved = {"starts_at": "2026-11-10T10:00:00+00:00", "reason": "Listed a day later"}
    one = f"{url}/hearings/{hearing['id']}"
    assert api.patch(one, json=moved).status_code == 428
    assert api.patch(one, json=moved, headers={"If-Match": '"1"'}).status_code == 412
    put_right = api.patch(one, json=moved, headers={"If-Match": '"2"'})
    assert put_right.status_code == 200
    (hearing,) = put_right.json["hearings"]
    assert hearing["starts_at"].startswith("2026-11-10")
    gone = api.post(
        f"{url}/hearings/{hearing['id']}/strike-out", json={"reason": "Another prisoner's"},
        headers={"If-Match": '"3"'},
    )  # fmt: skip
    assert (gone.status_code, gone.json["hearings"]) == (200, [])


def test_release_transfer_absence_and_exit_have_their_addresses(api, prison):
    url = received(api, prison).headers["Location"]

    posts = {
        "release": {"on": "2026-11-26"},
        "transfer": {"on": "2026-11-20", "receiving_prison": "HMP Else", "nation": "scotland"},
        "unavailable": {"from_on": "2026-11-17", "place": "segregation"},
        "exit": {"at": "2026-11-04T14:20:00+00:00", "how": "court"},
    }
    for name, given in posts.items():
        assert api.post(f"{url}/{name}", json=given).status_code == 201, name
    stay = api.get(url)
    patches = {
        f"release/{stay.json['release']['id']}": {"on": "2026-11-27"},
        f"transfer/{stay.json['transfer']['id']}": {"on": "2026-11-21"},
        f"unavailable/{stay.json['unavailable'][0]['id']}": {"to_on": "2026-11-18"},
        f"exit/{stay.json['exit']['id']}": {"how": "release"},
    }
    for path, given in patches.items():
        etag = api.get(url).headers["ETag"]
        put_right = api.patch(
            f"{url}/{path}", json=given | {"reason": "Wrong"}, headers={"If-Match": etag}
        )
        assert put_right.status_code == 200, (path, put_right.json)
    assert put_right.json["exit"]["how"] == "release"


def test_a_delivery_is_recorded_corrected_and_struck_out(api, prison):
    url = received(api, prison).headers["Location"]

    made = api.post(
        f"{url}/deliveries",
        json={"item": "smta", "done_at": "2026-11-04T14:10:00+00:00", "by": ["healthcare"]},
    )
    assert made.status_code == 201
    (entry,) = made.json["deliveries"]
    put_right = api.patch(
        f"{url}/deliveries/{entry['id']}",
        json={"done_at": "2026-11-04T14:20:00+00:00", "reason": "Ten minutes later"},
        headers={"If-Match": made.headers["ETag"]},
    )
    (entry,) = put_right.json["deliveries"]
    assert entry["done_at"] == "2026-11-04T14:20:00+00:00"
    gone = api.post(
        f"{url}/deliveries/{entry['id']}/strike-out", json={"reason": "Wrong person"},
        headers={"If-Match": put_right.headers["ETag"]},
    )  # fmt: skip
    assert gone.json["deliveries"] == []


def test_the_screening_and_the_reception_are_put_right(api, prison):
    url = received(api, prison).headers["Location"]

    screened = api.post(
        f"{url}/screening",
        json={"screening": "positive", "screened_at": "2026-11-04T14:20:00+00:00"},
    )
    assert screened.status_code == 201
    corrected = api.patch(
        url, json={"received_at": "2026-11-04T13:00:00+00:00", "reason": "Escort record"},
        headers={"If-Match": screened.headers["ETag"]},
    )  # fmt: skip
    assert corrected.json["reception"]["received_at"] == "2026-11-04T13:00:00+00:00"
    assert api.post(f"{url}/replan").status_code == 200
    undone = api.post(
        f"{url}/undo", json={"reason": "Wrong person"},
        headers={"If-Match": corrected.headers["ETag"]},
    )  # fmt: skip
    assert undone.status_code == 204


def test_the_keyworker_is_named_by_a_manager(api, prison, door):
    made = received(api, prison)
    url = f"{made.headers['Location']}/keyworker"
    given = {"staff_id": prison.keyworker.id}

    assert api.post(url, json=given).status_code == 403
    named = door.by_token("manager", site=prison.site).post(url, json=given)

    assert (named.status_code, named.json["keyworker_id"]) == (201, prison.keyworker.id)


def test_the_worklist_comes_in_order(api, prison):
    received(api, prison)
    received(api, prison, ppo=True)

    answer = api.get("/api/v1/custody/worklist")

    assert answer.status_code == 200
    assert [row["ppo"] for row in answer.json["work"]] == [True, None]
    assert answer.json["work"][0]["deadline"] == "2026-11-05T00:00:00+00:00"


def test_another_site_reads_nothing(api, prison, door, database):
    made = received(api, prison)
    other = a_prison(database)
    other.close()

    stranger = door.by_token("prison_healthcare", site=other.site)

    answer = stranger.get(made.headers["Location"])
    assert (answer.status_code, answer.json["title"]) == (
        403, "This patient is outside your caseload",
    )  # fmt: skip
    assert stranger.get("/api/v1/receptions/999999").status_code == 404


def test_a_token_without_the_right_is_refused(prison, door, clock):
    clock.set(RECEIVED)
    reception_id = prison.receives()
    prison.close()
    reader = door.by_token("prison_healthcare", site=prison.site, scopes=["custody.read"])

    assert reader.get(f"/api/v1/receptions/{reception_id}").status_code == 200
    for path in ("hearings", "deliveries", "exit"):
        assert reader.post(f"/api/v1/receptions/{reception_id}/{path}", json={}).status_code == 403


def test_what_somebody_else_recorded_shows_in_the_etag(api, prison):
    made = received(api, prison)
    fact_commands.record_hearing(
        prison.act(at=RECEIVED), made.json["id"], starts_at=london("2026-11-20 10:00")
    )
    prison.close()

    assert api.get(made.headers["Location"]).headers["ETag"] == '"2"'


def test_the_settings_of_a_prison_are_read_and_set_over_http(prison, door, clock):
    clock.set(RECEIVED)
    prison.close()
    manager = door.by_token("manager", site=prison.site)
    url = "/api/v1/custody-settings"

    refused = manager.post(
        f"{url}/completion-day", json={"begins": 30, "from_on": "2026-12-01", "reason": "Why"}
    )
    assert (refused.status_code, "from 8 to 29" in refused.text) == (422, True)
    given = {"begins": 8, "from_on": RECEIVED.date().isoformat(), "reason": "As 16.4 says"}
    assert manager.post(f"{url}/completion-day", json=given).status_code == 204

    read = door.by_token("carat_keyworker", site=prison.site).get(url).json
    assert (read["completion_day"], read["completions"][0]["reason"]) == (8, "As 16.4 says")
    assert read["day_count"] == "reception_is_day_1"
