"""Prescription forms over HTTP: drafted, judged, issued, printed and ended, with clear refusals."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pypdf
import pytest
from sqlalchemy import select

from clinic.audit import AuditEntry
from clinic.db import Database
from clinic.scripts.models import Script
from clinic.staff.models import Staff
from tests.factories.base import NOW
from tests.factories.scripts import ScriptClinic, a_script_clinic, asking, somebody_dosed
from tests.support.people import Door, StaffClient

SURE = {"reason_code": "benefit", "reason": "Discussed with the patient today"}


@pytest.fixture
def clinic(database: Database, clock: Any) -> ScriptClinic:
    return a_script_clinic(database)


@pytest.fixture
def prescriber(clinic: ScriptClinic, door: Door) -> StaffClient:
    client = door.by_token("prescriber", site=clinic.site, level="prescriber")
    with clinic.database.transaction() as session:
        session.get_one(Staff, client.staff_id).registration = "GMC 9990002"
    return client


@pytest.fixture
def nurse(clinic: ScriptClinic, door: Door) -> StaffClient:
    return door.by_token("nurse", site=clinic.site)


def body(clinic: ScriptClinic, decision_id: int, **more: Any) -> dict[str, Any]:
    given = asking(clinic, decision_id, strength_mg_per_ml="1", **more)
    return {**given, "from_on": given["from_on"].isoformat(), "to_on": given["to_on"].isoformat()}


def test_a_form_lives_from_draft_to_the_call_that_ends_it(
    clinic: ScriptClinic, prescriber: StaffClient, nurse: StaffClient
) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    forms = f"/api/v1/patients/{patient_id}/prescription-forms"

    drafted = nurse.post(forms, json=body(clinic, decision_id))
    one = drafted.headers["Location"]
    checked = nurse.post(f"{one}/check")
    refused = nurse.post(f"{one}/issue", json={}, headers={"If-Match": drafted.headers["ETag"]})
    unversioned = prescriber.post(f"{one}/issue", json={})
    issued = prescriber.post(f"{one}/issue", json=SURE, headers={"If-Match": '"1"'})
    again = prescriber.post(f"{one}/issue", json=SURE, headers={"If-Match": '"2"'})
    paper = prescriber.post(f"{one}/prints", json={})
    unsaid = prescriber.post(f"{one}/prints", json={})
    reprint = prescriber.post(f"{one}/prints", json={"reason": "The printer jammed"})
    cancelled = prescriber.post(
        f"{one}/cancel", json={"from_on": "2026-11-09", "reason": "Taken into hospital"}
    )
    called = nurse.post(f"{one}/call", json={"who": "Mr Rees"})
    settled = nurse.post(f"{one}/settle", json={"reason": "In hospital until further notice"})

    assert (drafted.status_code, drafted.json["status"]) == (201, "draft")
    assert checked.json["outcome"] == "PASS"
    assert {each["wording"] for each in checked.json["needs"] if each["must"]} == {
        "closed_day", "supervise",
    }  # fmt: skip
    assert (refused.status_code, unversioned.status_code) == (403, 428)
    assert (issued.status_code, again.status_code) == (200, 409)
    assert issued.json["total_mg"] == "420"
    assert [each["mg"] for each in issued.json["instalments"]][:4] == ["30", "30", "30", "60"]
    assert (paper.status_code, paper.mimetype) == (200, "application/pdf")
    assert (unsaid.status_code, reprint.status_code) == (422, 200)
    assert "REPRINT, copy 2" in text_of(reprint.data)
    assert "REPRINT" not in text_of(paper.data)
    assert (cancelled.json["status"], cancelled.json["call_due"]) == ("cancelled", True)
    assert cancelled.json["last_on"] == "2026-11-08"
    assert called.json["called_at"]
    assert settled.json["settled_at"]
    assert [each["id"] for each in nurse.get(forms).json] == [issued.json["id"]]
    with clinic.database.reading() as session:
        actions = set(session.scalars(select(AuditEntry.action)))
    assert {
        "scripts.drafted", "scripts.checked", "scripts.issued", "scripts.printed",
        "scripts.cancelled", "scripts.pharmacy_told", "scripts.settled", "scripts.read",
    } <= actions  # fmt: skip


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def test_a_stop_names_its_rule_and_leaves_the_draft(
    clinic: ScriptClinic, prescriber: StaffClient
) -> None:
    patient_id, decision_id = somebody_dosed(clinic, days=20)
    given = body(clinic, decision_id) | {"to_on": "2026-11-18"}
    one = prescriber.post(
        f"/api/v1/patients/{patient_id}/prescription-forms", json=given
    ).headers["Location"]  # fmt: skip

    answer = prescriber.post(f"{one}/issue", json=SURE, headers={"If-Match": "1"})

    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert answer.json["check"]["findings"][0]["rule"] == "L-01"
    with clinic.database.reading() as session:
        assert session.scalars(select(Script.status)).all() == ["draft"]
        outcomes = session.scalars(
            select(AuditEntry.outcome).where(AuditEntry.action == "scripts.stopped")
        )
        assert list(outcomes) == ["refused"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("directions", ["Take as directed"]),
        ("days", {"mon": "sometimes"}),
        ("strength_mg_per_ml", 1),
        ("form", "fp10pcd"),
        ("dose_mg", "40"),
        ("address", ""),
    ],
)
def test_what_cannot_be_on_a_form_is_named(
    clinic: ScriptClinic, nurse: StaffClient, field: str, value: object
) -> None:
    patient_id, decision_id = somebody_dosed(clinic)

    answer = nurse.post(
        f"/api/v1/patients/{patient_id}/prescription-forms",
        json={**body(clinic, decision_id), field: value},
    )

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"].split(".")[0].split("[")[0] == field


def test_a_draft_is_changed_under_the_version_that_was_read(
    clinic: ScriptClinic, nurse: StaffClient
) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    one = nurse.post(
        f"/api/v1/patients/{patient_id}/prescription-forms", json=body(clinic, decision_id)
    ).headers["Location"]  # fmt: skip
    shorter = body(clinic, decision_id) | {"to_on": "2026-11-05"}

    changed = nurse.put(one, json=shorter, headers={"If-Match": '"1"'})
    stale = nurse.put(one, json=shorter, headers={"If-Match": '"1"'})

    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert changed.json["to_on"] == "2026-11-05"
    assert stale.status_code == 412


def test_how_somebody_collects_is_set_read_and_struck_out(
    clinic: ScriptClinic, prescriber: StaffClient, nurse: StaffClient
) -> None:
    patient_id, _ = somebody_dosed(clinic)
    path = f"/api/v1/patients/{patient_id}/collections"
    given = {"from_on": (NOW + timedelta(days=1)).date().isoformat(),
             "days": {"mon": "supervised", "thu": "taken_away"}, "reason": "Works early shifts"}  # fmt: skip

    refused = nurse.post(path, json=given)
    made = prescriber.post(path, json=given)
    struck = prescriber.post(f"{path}/{made.json['id']}/strike", json={"reason": "Wrong patient"})
    shown = nurse.get(path).json

    assert (refused.status_code, made.status_code, struck.status_code) == (403, 201, 204)
    assert shown[0]["days"] == given["days"]
    assert shown[0]["struck_reason"] == "Wrong patient"
    assert shown[0]["outcome"] == "ALERT"


def test_the_paper_reads_back_what_the_record_says(
    clinic: ScriptClinic, prescriber: StaffClient
) -> None:
    patient_id, decision_id = somebody_dosed(clinic, "12.5")
    forms = f"/api/v1/patients/{patient_id}/prescription-forms"
    one = prescriber.post(forms, json=body(clinic, decision_id)).headers["Location"]
    issued = prescriber.post(f"{one}/issue", json=SURE, headers={"If-Match": "1"}).json

    content = prescriber.post(f"{one}/prints", json={}).data

    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]
    for number, text in enumerate(pages, 1):
        assert "MORGAN, Dewi" in text
        assert issued["paper"]["patient"]["nhs_number"] in text
        assert f"Page {number} of {len(pages)}" in text
        assert "Printed Wed 4 Nov 2026, 09:00" in text
    whole = " ".join(" ".join(pages).split())
    assert "12.5 mg (12.5 ml) by mouth once a day" in whole
    assert "175 ml (one hundred and seventy-five millilitres)" in whole
    assert "Not valid unless signed by hand" in whole
    assert "as directed" not in whole.lower()
    for each in issued["paper"]["instalments"]:
        supervised = "yes" if each["supervised"] else "no"
        line = f"{each['number']} {each['due']} {each['for']} {supervised} {each['amount']} {each['mg']}"
        assert line in whole
    for each in issued["paper"]["wordings"]:
        assert each["text"].replace("'", "’") in whole.replace("'", "’")
    for words in ("WP10MDA", "GMC 9990002", "1 High Street", "3 Mill Lane", "Bridge Pharmacy",
                  "Taff Vale Health Board", "Wed 2 Dec 2026"):  # fmt: skip
        assert words in whole
    total = sum(Decimal(each["mg"]) for each in issued["paper"]["instalments"])
    assert total == Decimal(issued["total_mg"]) == Decimal(175)
