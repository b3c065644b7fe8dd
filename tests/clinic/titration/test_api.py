"""Contact and standing over HTTP: a keyworker records contact, nobody reads a proposed dose."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.base import NOW
from tests.factories.prescriptions import a_clinic
from tests.factories.titration import a_build_up


@pytest.fixture
def clinic(database, clock):
    return a_clinic(database)


@pytest.mark.proves("RP-34")
def test_a_keyworker_records_plans_and_strikes_contact(clinic, door):
    person = a_build_up(clinic, "20", at=NOW - timedelta(days=1)).patient
    worker = door.by_token("drugs_worker", site=clinic.site)
    at = f"/api/v1/patients/{person}/contacts"

    made = worker.post(
        at, json={"how": "phone", "happened_at": NOW.isoformat(), "reached": True, "note": "Well"}
    )
    planned = worker.post(f"{at}/planned", json={"how": "outreach", "planned_on": "2026-11-06"})
    struck = worker.post(f"{at}/{planned.json['id']}/strike", json={"reason": "Wrong weekend"})

    assert (made.status_code, planned.status_code, struck.status_code) == (201, 201, 204)
    plan, call = worker.get(at).json
    assert (call["how"], call["reached"], call["planned_on"]) == ("phone", True, None)
    assert plan["struck_reason"] == "Wrong weekend"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("", {"how": "pigeon", "happened_at": NOW.isoformat(), "reached": True}, "how"),
        ("", {"how": "phone", "happened_at": "2026-11-05T09:00:00Z", "reached": True},
         "happened_at"),
        ("", {"how": "phone", "happened_at": NOW.isoformat(), "reached": "perhaps"}, "reached"),
        ("/planned", {"how": "phone", "planned_on": "2026-11-03"}, "planned_on"),
    ],
)  # fmt: skip
def test_contact_that_cannot_be_names_the_field(clinic, door, path, body, field):
    person = a_build_up(clinic, "20", at=NOW - timedelta(days=1)).patient
    nurse = door.by_token("nurse", site=clinic.site)

    answer = nurse.post(f"/api/v1/patients/{person}/contacts{path}", json=body)

    assert answer.status_code == 422
    assert field in answer.get_data(as_text=True)
    assert nurse.get(f"/api/v1/patients/{person}/contacts").json == []


def test_how_a_build_up_stands_is_told_with_its_flags_and_no_dose(clinic, door):
    person = a_build_up(clinic, "20", "25", at=NOW - timedelta(days=6)).patient
    nurse = door.by_token("nurse", site=clinic.site)

    found = nurse.get(f"/api/v1/patients/{person}/titration").json

    assert (found["day"], found["missed_days"], found["last_contact_on"]) == (7, 4, "2026-10-30")
    assert [each["rule"] for each in found["flags"]] == ["RP-34", "RP-24"]
    assert found["counting_review_id"] is None
    assert {each["name"] for each in found["targets"]} == {"aim_on_treatment", "aim_adequate_dose"}


def test_a_pharmacist_reads_and_writes_no_contact(clinic, door):
    person = a_build_up(clinic, "20").patient
    pharmacist = door.by_token("pharmacist", site=clinic.site)
    at = f"/api/v1/patients/{person}/contacts"

    assert pharmacist.get(at).status_code == 200
    assert pharmacist.post(
        at, json={"how": "phone", "happened_at": NOW.isoformat(), "reached": True}
    ).status_code == 403  # fmt: skip
