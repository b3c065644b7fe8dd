"""The prescribing API: exact milligrams, problem objects, and no way to save a stopped dose."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from clinic.prescriptions.models import DoseDecision
from tests.factories.base import NOW, a_patient
from tests.factories.consumption import CHECKED, ready_for_a_dose
from tests.factories.prescriptions import (
    COWS_14,
    a_clinic,
    a_supply,
    an_assessed_patient,
    an_order,
)


@pytest.fixture
def clinic(database, clock):
    return a_clinic(database)


@pytest.fixture
def prescriber(clinic, door):
    return door.by_token("prescriber", site=clinic.site, level="prescriber")


@pytest.fixture
def nurse(clinic, door):
    return door.by_token("nurse", site=clinic.site)


def at(patient, path):
    return f"/api/v1/patients/{patient}/{path}"


def a_body(dose="25", **more):
    order = more.pop("order", None) or an_order(dose)
    return {"order": order, "supply": a_supply(), "decided_at": NOW.isoformat(), **more}


ENTRIES = {
    "assessments": {"item": "mental_state", "finding": "nothing_of_concern"},
    "tolerance": {"tolerance": "low"},
    "medical-history": {"conditions": [], "substance_use": ["alcohol"]},
    "medicines": {"name": "Diazepam", "classes": ["benzodiazepine_or_z_drug"]},
    "opioid-use": {"opioid": "heroin", "last_used_on": "2026-11-03"},
    "drug-tests": {"sample": "urine", "method": "on_site", "result": "pending"},
    "observations": {"withdrawal_scale": "cows", "withdrawal_score": 14, "cows_items": COWS_14},
    "ecgs": {"qtc_ms": 430},
    "confirmations": {"by": "pharmacy", "outcome": "pending", "source": "R. Jones"},
}


@pytest.mark.proves("RP-20", "XX-07")
@pytest.mark.parametrize("path", ENTRIES)
def test_an_entry_is_recorded_and_read_back_with_both_its_times(clinic, nurse, path):
    patient = a_patient(clinic.act())
    happened = NOW - timedelta(hours=2)

    made = nurse.post(
        at(patient, path), json={"happened_at": happened.isoformat(), "data": ENTRIES[path]}
    )

    assert made.status_code == 201
    (row,) = nurse.get(at(patient, path)).json
    assert row["id"] == made.json["id"] and row["data"] == ENTRIES[path]
    assert row["happened_at"] < row["recorded_at"]
    assert row["recorded_by"] == nurse.staff_id


@pytest.mark.parametrize(
    ("path", "data", "field"),
    [
        ("observations", {"withdrawal_scale": "oows", "withdrawal_score": 14}, "withdrawal_score"),
        ("observations", {"withdrawal_scale": "cows", "withdrawal_score": 14}, "cows_items"),
        ("observations", {"withdrawal_scale": "cows", "withdrawal_score": 15,
                          "cows_items": COWS_14}, "withdrawal_score"),
        ("observations", {"withdrawal_scale": "cows", "withdrawal_score": 15,
                          "cows_items": {**COWS_14, "pulse": 3}}, "cows_items.pulse"),
        ("observations", {"breath_alcohol_mg_per_l": 0.1}, "breath_alcohol_mg_per_l"),
        ("medical-history", {"conditions": []}, "substance_use"),
        ("medical-history", {"conditions": ["gout"], "substance_use": []}, "conditions[0]"),
        ("medicines", {"name": "Diazepam"}, "classes"),
        ("drug-tests", {"sample": "hair", "method": "on_site", "result": "pending"}, "sample"),
        ("opioid-use", {"opioid": "heroin", "last_used_on": "2026-11-05"}, "last_used_on"),
        ("assessments", {"item": "shoe_size", "finding": "nothing_of_concern"}, "item"),
        ("tolerance", {"tolerance": "low", "colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_what_cannot_stand_is_refused_by_its_field(clinic, nurse, path, data, field):
    patient = a_patient(clinic.act())

    refused = nurse.post(at(patient, path), json={"happened_at": NOW.isoformat(), "data": data})

    assert refused.status_code == 422
    assert refused.mimetype == "application/problem+json"
    assert [each["field"] for each in refused.json["errors"]] == [field]
    assert nurse.get(at(patient, path)).json == []


def test_nothing_is_recorded_as_of_tomorrow(clinic, nurse):
    patient = a_patient(clinic.act())

    refused = nurse.post(
        at(patient, "ecgs"),
        json={"happened_at": (NOW + timedelta(minutes=1)).isoformat(), "data": {"qtc_ms": 430}},
    )

    assert refused.status_code == 422


def test_an_entry_is_struck_out_and_stays(clinic, nurse):
    patient = a_patient(clinic.act())
    entry = nurse.post(
        at(patient, "ecgs"), json={"happened_at": NOW.isoformat(), "data": {"qtc_ms": 430}}
    ).json["id"]

    struck = nurse.post(at(patient, f"entries/{entry}/strike"), json={"reason": "Another patient"})
    again = nurse.post(at(patient, f"entries/{entry}/strike"), json={"reason": "Another patient"})

    assert (struck.status_code, again.status_code) == (204, 409)
    (row,) = nurse.get(at(patient, "ecgs")).json
    assert row["struck_reason"] == "Another patient"


def test_a_check_saves_nothing_and_a_save_answers_what_it_judged(clinic, prescriber):
    patient = an_assessed_patient(clinic)

    check = prescriber.post(at(patient, "dose-checks"), json=a_body("12.5"))
    none = prescriber.get(at(patient, "dose-decisions")).json
    saved = prescriber.post(at(patient, "dose-decisions"), json=a_body("12.5"))

    assert (check.status_code, check.json["outcome"], none) == (200, "PASS", [])
    assert saved.status_code == 201 and saved.json["dose_mg"] == "12.5"
    assert saved.json["request"]["order"]["dose_mg"] == "12.5"
    (row,) = prescriber.get(at(patient, "dose-decisions")).json
    assert row["id"] == saved.json["id"]
    assert prescriber.get(saved.headers["Location"]).json["rule_set"] == "uk-2017"
    replay = prescriber.get(f"{saved.headers['Location']}/replay").json
    assert replay["same"] is True


@pytest.mark.proves("RP-23", "M-FD-01")
def test_sixty_as_a_start_is_a_problem_that_carries_every_finding(clinic, prescriber):
    patient = an_assessed_patient(clinic)

    refused = prescriber.post(
        at(patient, "dose-decisions"),
        json=a_body("60", reason_code="benefit", reason="The patient asked for it"),
    )

    assert refused.status_code == 422
    assert refused.json["type"] == "urn:throughcare:problem:stopped"
    found = {each["rule"]: each for each in refused.json["check"]["findings"]}
    assert found["M-FD-01"]["severity"] == "STOP" and found["M-FD-01"]["source"]
    assert prescriber.get(at(patient, "dose-decisions")).json == []


@pytest.mark.proves("RP-23")
def test_thirty_and_thirty_is_stopped_over_http(clinic, prescriber):
    patient = an_assessed_patient(clinic)
    first = prescriber.post(at(patient, "dose-decisions"), json=a_body("30"))

    check = prescriber.post(at(patient, "dose-checks"), json=a_body("30")).json
    second = prescriber.post(at(patient, "dose-decisions"), json=a_body("30"))

    assert (first.status_code, second.status_code) == (201, 422)
    assert check["counted_as_taken"] == [first.json["id"]]


def test_an_alert_without_a_reason_names_the_field(clinic, prescriber):
    patient = an_assessed_patient(clinic, substance_use=["alcohol"])

    refused = prescriber.post(at(patient, "dose-decisions"), json=a_body("25"))
    saved = prescriber.post(
        at(patient, "dose-decisions"),
        json=a_body("25", reason_code="benefit", reason="Seen with the team today"),
    )

    assert refused.json["type"].endswith("reason-needed")
    assert refused.json["errors"][0]["field"] == "reason_code"
    assert saved.status_code == 201


def test_missing_facts_are_named_and_a_missing_unit_is_stopped(clinic, prescriber):
    nobody_asked = a_patient(clinic.act())
    patient = an_assessed_patient(clinic)

    missing = prescriber.post(at(nobody_asked, "dose-decisions"), json=a_body("20"))
    unit = prescriber.post(
        at(patient, "dose-decisions"),
        json=a_body(order={"product": "methadone_oral_solution", "phase": "induction",
                           "dose_without_unit": "20"}),
    )  # fmt: skip

    assert missing.json["type"].endswith("facts-missing")
    assert {each["field"] for each in missing.json["errors"]} >= {"medicines", "opioid_use"}
    assert "U-06" in {each["rule"] for each in unit.json["check"]["findings"]}


def test_a_dose_is_taken_once_and_milligrams_are_text(clinic, prescriber, nurse):
    patient = an_assessed_patient(clinic)
    decision = prescriber.post(at(patient, "dose-decisions"), json=a_body("25")).json["id"]
    act = clinic.act()
    ready_for_a_dose(act, patient)
    act.session.close()
    doses = at(patient, f"dose-decisions/{decision}/doses")
    part = {"outcome": "part", "rest": "spat_out", "consumed_at": NOW.isoformat(), **CHECKED}

    number = nurse.post(doses, json={**part, "dose_mg": 5.5})
    taken = nurse.post(doses, json={**part, "dose_mg": "5.5"})
    twice = nurse.post(doses, json={"outcome": "taken", "consumed_at": NOW.isoformat(), **CHECKED})

    assert number.status_code == 422
    assert (taken.status_code, twice.status_code) == (201, 409)
    assert nurse.get(at(patient, "doses")).json[0]["dose_mg"] == "5.5"
    assert twice.json["first"]["dose_mg"] == "5.5"


def test_who_may_not_is_told_so(clinic, door, nurse):
    patient = an_assessed_patient(clinic)
    manager = door.by_token("manager", site=clinic.site)
    narrow = door.by_token(
        "prescriber", site=clinic.site, level="prescriber", scopes=["prescribing.read"]
    )
    stranger = door.by_token("prescriber", level="prescriber")

    refused = [
        client.post(at(patient, "dose-decisions"), json=a_body("20"))
        for client in (nurse, manager, narrow, stranger)
    ]

    assert [each.status_code for each in refused] == [403] * 4
    assert refused[3].json["type"].endswith("outside-caseload")
    with clinic.database.reading() as session:
        assert session.scalars(select(DoseDecision)).all() == []
