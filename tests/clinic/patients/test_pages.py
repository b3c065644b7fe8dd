"""The patients' pages and API, as a browser and a script use them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from clinic.audit import AuditEntry
from clinic.db import Database
from clinic.patients import commands
from clinic.patients.pages import _LINKS, _SECTIONS, Section, record_link, record_section
from clinic.sites.models import Site
from tests.factories.base import a_member_of_staff, a_patient, a_site, an_act
from tests.support.people import Door, StaffClient

DEWI = {
    "family_name": "Morgan", "given_name": "Dewi", "born_on-day": "14", "born_on-month": "3",
    "born_on-year": "1986", "sex": "male", "ethnicity": "", "ppo": "", "title": "", "gender": "",
}  # fmt: skip


def _at(database: Database, client: StaffClient, **details: object) -> int:
    """A patient on the caseload of this client's site."""
    with database.reading() as session:
        site = session.get_one(Site, client.site_id)
    return a_patient(an_act(database, a_member_of_staff(database, site, "nurse"), site), **details)


def _elsewhere(database: Database) -> int:
    site = a_site(database)
    return a_patient(an_act(database, a_member_of_staff(database, site, "nurse"), site))


def test_a_patient_is_registered_found_and_shown(door: Door) -> None:
    nurse = door.by_page("nurse")

    made = nurse.post("/patients/register", data={**DEWI, "nhs_number": "999 000 0018"})

    page = nurse.get(made.location).text
    for words in ("MORGAN, Dewi", "14-Mar-1986", "999 000 0018", "Allergies"):
        assert words in page
    assert "MORGAN, Dewi" in nurse.get("/patients").text
    assert "MORGAN, Dewi" in nurse.post("/patients/search", data={"q": "9990000018"}).text
    assert "Nobody of that name" in nurse.post("/patients/search", data={"q": "Rees"}).text


def test_a_search_is_never_in_an_address(door: Door) -> None:
    nurse = door.by_page("nurse")

    assert "<table" not in nurse.get("/patients/search?q=Morgan").text
    assert 'method="post"' in nurse.get("/patients/search").text


def test_somebody_alike_is_shown_and_the_answers_are_kept(door: Door, database: Database) -> None:
    nurse = door.by_page("nurse")
    _at(database, nurse)

    asked = nurse.post("/patients/register", data=DEWI)

    assert asked.status_code == 409
    assert "Is this the same person?" in asked.text
    assert 'name="family_name" value="Morgan"' in asked.text
    changed = nurse.post("/patients/register", data={**DEWI, "step": "change"})
    assert 'value="Morgan"' in changed.text
    made = nurse.post("/patients/register", data={**DEWI, "step": "confirm"})
    assert made.status_code == 302


def test_a_number_of_another_record_is_refused_even_when_sure(
    door: Door, database: Database
) -> None:
    nurse = door.by_page("nurse")
    _at(database, nurse, numbers={"nhs": "9990000018"})

    answer = nurse.post(
        "/patients/register", data={**DEWI, "nhs_number": "9990000018", "step": "confirm"}
    )

    assert answer.status_code == 422
    assert "already belongs to another record" in answer.text


def test_two_who_correct_at_once_see_each_other(door: Door, database: Database) -> None:
    first = door.by_page("nurse", name="Una First")
    patient_id = _at(database, first)
    path = f"/patients/{patient_id}/correct"
    assert first.post(path, data={**DEWI, "given_name": "David", "version": "1"}).status_code == 302

    second = first.post(path, data={**DEWI, "given_name": "Dai", "version": "1"})

    assert second.status_code == 412
    assert "Una First changed this" in second.text
    assert "MORGAN, David" in second.text  # what the record says now
    assert 'value="Dai"' in second.text  # what was typed
    assert 'name="version" type="hidden" value="2"' in second.text
    again = first.post(path, data={**DEWI, "given_name": "Dai", "version": "2"})
    assert again.status_code == 302
    assert "MORGAN, Dai" in first.get(f"/patients/{patient_id}").text


def test_blank_stays_not_asked_through_a_correction(door: Door, database: Database) -> None:
    nurse = door.by_page("nurse")
    patient_id = _at(database, nurse)

    nurse.post(f"/patients/{patient_id}/correct", data={**DEWI, "version": "1", "ppo": "yes"})
    page = nurse.get(f"/patients/{patient_id}/correct").text

    assert '<option value="yes" selected' in page
    corrections = nurse.get(f"/patients/{patient_id}").text.partition("Corrections</caption>")[2]
    assert "<td>Prolific and other priority offender</td>" in corrections
    assert "<td>Yes</td>" in corrections
    nurse.post(f"/patients/{patient_id}/correct", data={**DEWI, "version": "2", "ppo": ""})
    answer = door.by_token("nurse", site=_site(database, nurse)).get(
        f"/api/v1/patients/{patient_id}"
    )
    assert answer.json is not None
    assert (answer.json["ppo"], answer.json["gender"], answer.json["ethnicity"]) == (
        None, None, None,
    )  # fmt: skip


def _site(database: Database, client: StaffClient) -> Site:
    with database.reading() as session:
        return session.get_one(Site, client.site_id)


def test_a_page_outside_the_caseload_asks_for_a_reason_and_goes_on(
    door: Door, database: Database
) -> None:
    nurse = door.by_page("nurse")
    patient_id = _elsewhere(database)

    asked = nurse.get(f"/patients/{patient_id}/numbers")

    assert asked.status_code == 403
    assert "outside your caseload" in asked.text
    assert "MORGAN" not in asked.text
    short = nurse.post(
        f"/patients/{patient_id}/open", data={"reason_code": "cover", "reason": "short"}
    )
    assert short.status_code == 422
    opened = nurse.post(
        f"/patients/{patient_id}/open",
        data={"reason_code": "cover", "reason": "covering for the other team"},
    )
    assert opened.location == f"/patients/{patient_id}/numbers"
    assert nurse.get(opened.location).status_code == 200
    with database.reading() as session:
        rows = session.execute(
            select(AuditEntry.action, AuditEntry.outcome, AuditEntry.purpose).where(
                AuditEntry.patient_id == patient_id, AuditEntry.staff_id == nurse.staff_id
            )
        ).all()
    assert ("patients.outside_caseload", "refused", None) in rows
    assert ("patients.glass_broken", "done", "cover") in rows


def test_a_pharmacist_is_refused_without_being_asked(door: Door, database: Database) -> None:
    answer = door.by_page("pharmacist").get(f"/patients/{_elsewhere(database)}")

    assert answer.status_code == 403
    assert "Why do you need this record?" not in answer.text


def test_the_manager_sees_on_the_first_page_who_opened_what(door: Door, database: Database) -> None:
    nurse = door.by_page("nurse", name="Una Opener")
    patient_id = _elsewhere(database)
    nurse.post(
        f"/patients/{patient_id}/open",
        data={"reason_code": "emergency", "reason": "found collapsed outside"},
    )
    manager = door.by_page("manager", site=_site(database, nurse))

    assert "Una Opener" in manager.get("/").text
    listed = manager.get("/break-glass").text
    assert "found collapsed outside" in listed

    entry = listed.split('action="/break-glass/')[1].split("/seen")[0]
    assert manager.post(f"/break-glass/{entry}/seen").status_code == 302
    assert "Nothing is waiting" in manager.get("/break-glass").text


def test_records_are_joined_after_a_look_and_separated_again(
    door: Door, database: Database
) -> None:
    manager = door.by_page("manager")
    kept, other = _at(database, manager), _at(database, manager, family_name="Morgans")
    given = {"merged_id": str(other), "reason": "same fingerprints"}

    check = manager.post(f"/patients/{kept}/merge", data=given)
    assert "Check before you join" in check.text
    assert "MORGANS, Dewi" in check.text
    assert (
        manager.post(f"/patients/{kept}/merge", data={**given, "step": "confirm"}).status_code
        == 302
    )

    page = manager.get(f"/patients/{other}").text
    assert f"Record number {kept}." in page
    undo = page.split("/merges/")[1].split("/undo")[0]
    assert (
        manager.post(f"/patients/{kept}/merges/{undo}/undo", data={"reason": "twins"}).status_code
        == 302
    )
    assert f"Record number {other}." in manager.get(f"/patients/{other}").text


def test_other_rooms_put_links_and_facts_on_the_record(
    door: Door, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clinic.patients.pages._LINKS", [*_LINKS])
    monkeypatch.setattr("clinic.patients.pages._SECTIONS", [*_SECTIONS])
    record_link("Numbers of theirs", "patients_pages.number", "patients.edit")
    record_link("Not for nurses", "patients_pages.merge", "patients.merge")
    record_link("Not there", "no_such.endpoint", "patients.read")
    record_section("patients.read")(
        lambda act, patient: Section("Today", [{"label": "Dose", "value": None}])
    )
    record_section("patients.read")(lambda act, patient: None)
    nurse = door.by_page("nurse")

    page = nurse.get(f"/patients/{_at(database, nurse)}").text

    assert "Numbers of theirs" in page
    assert "Not for nurses" not in page
    assert "Not there" not in page
    assert ">Today</h2>" in page


# -- the API -------------------------------------------------------------------------------


def test_the_api_keeps_versions(door: Door, database: Database) -> None:
    script = door.by_token("nurse")
    path = f"/api/v1/patients/{_at(database, script)}"

    read = script.get(path)
    assert (read.status_code, read.headers["ETag"]) == (200, '"1"')
    assert script.patch(path, json={"given_name": "Dai"}).status_code == 428
    assert (
        script.patch(path, json={"given_name": "Dai"}, headers={"If-Match": "x"}).status_code == 422
    )
    saved = script.patch(path, json={"given_name": "Dai"}, headers={"If-Match": '"1"'})
    assert (saved.status_code, saved.headers["ETag"]) == (200, '"2"')
    stale = script.patch(path, json={"given_name": "Al"}, headers={"If-Match": '"1"'})

    assert stale.status_code == 412
    assert stale.json is not None
    assert stale.json["type"] == "urn:throughcare:problem:stale"
    assert (stale.json["version"], stale.json["changed_by"]) == (2, "Ann Probert")


def test_the_api_names_who_is_alike(door: Door, database: Database) -> None:
    script = door.by_token("nurse")
    known = _at(database, script)
    given = {"family_name": "Morgan", "given_name": "Al", "born_on": "1986-03-14", "sex": "male"}

    refused = script.post("/api/v1/patients", json=given)

    assert refused.status_code == 409
    assert refused.json is not None
    assert refused.json["type"] == "urn:throughcare:problem:possible-duplicate"
    assert refused.json["patient_ids"] == [known]
    made = script.post("/api/v1/patients", json={**given, "sure": True})
    assert made.status_code == 201
    assert made.headers["Location"].startswith("/api/v1/patients/")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"sex": "x"}, "sex"),
        ({"born_on": "14/03/1986"}, "born_on"),
        ({"born_on": "2986-03-14"}, "born_on"),
        ({"numbers": {"nhs": "4857773456"}}, "nhs_number"),
        ({"ppo": "yes"}, "ppo"),
        ({"surname": "x"}, "surname"),
    ],
)
def test_the_api_names_the_field_at_fault(door: Door, wrong: dict[str, object], field: str) -> None:
    given = {"family_name": "Morgan", "given_name": "Al", "born_on": "1986-03-14", "sex": "male"}

    refused = door.by_token("nurse").post("/api/v1/patients", json={**given, **wrong})

    assert refused.status_code == 422
    assert refused.json is not None
    assert [each["field"] for each in refused.json["errors"]] == [field]


def test_the_api_opens_a_record_elsewhere_with_a_reason(door: Door, database: Database) -> None:
    script = door.by_token("nurse")
    path = f"/api/v1/patients/{_elsewhere(database)}"

    refused = script.get(path)
    assert (refused.status_code, refused.mimetype) == (403, "application/problem+json")
    assert refused.json is not None
    assert refused.json["type"] == "urn:throughcare:problem:outside-caseload"
    given = {"reason_code": "cover", "reason": "covering for the other team"}
    assert script.post(f"{path}/break-glass", json=given).status_code == 201

    assert script.get(path).status_code == 200


def test_the_api_keeps_numbers_names_and_alerts(door: Door, database: Database) -> None:
    script = door.by_token("nurse")
    path = f"/api/v1/patients/{_at(database, script, numbers={})}"

    script.post(f"{path}/numbers", json={"kind": "crn", "value": "x000001"})
    script.post(f"{path}/aliases", json={"family_name": "Smith"})
    told = script.post(f"{path}/alerts", json={"kind": "allergy", "says": "Penicillin"}).json

    assert told is not None
    assert [(each["kind"], each["value"]) for each in told["numbers"]] == [("crn", "X000001")]
    assert [each["family_name"] for each in told["aliases"]] == ["Smith"]
    assert told["allergies_known"] is True
    alert, number = told["alerts"][0]["id"], told["numbers"][0]["id"]
    told = script.post(f"{path}/alerts/{alert}/end", json={}).json
    assert told is not None
    assert (told["alerts"], told["allergies_known"]) == ([], False)
    told = script.post(f"{path}/numbers/{number}/end", json={"reason": "not theirs"}).json
    assert told is not None
    assert told["numbers"] == []
    assert script.post(f"{path}/leave", json={"reason": "moved"}).status_code == 204
    assert script.get(path).status_code == 403


def test_the_api_joins_and_separates(door: Door, database: Database) -> None:
    script = door.by_token("manager")
    kept, other = _at(database, script), _at(database, script, family_name="Rees")

    joined = script.post(
        f"/api/v1/patients/{kept}/merges", json={"merged_id": other, "reason": "same"}
    )
    assert joined.status_code == 201
    assert joined.json is not None
    told = script.get(f"/api/v1/patients/{other}").json
    assert told is not None
    assert told["id"] == kept
    undone = script.post(f"/api/v1/merges/{joined.json['id']}/undo", json={"reason": "twins"})
    assert undone.status_code == 204


def test_the_caseload_and_the_search_say_who_is_here(door: Door, database: Database) -> None:
    script = door.by_token("nurse")
    here, there = _at(database, script), _elsewhere(database)

    caseload = script.get("/api/v1/patients").json
    found = script.post("/api/v1/patients/search", json={"q": "morgan"}).json

    assert caseload is not None
    assert found is not None
    assert [(each["id"], each["on_caseload"]) for each in caseload] == [(here, True)]
    assert {(each["id"], each["on_caseload"]) for each in found} == {(here, True), (there, False)}


def test_a_record_number_nobody_has_is_not_found(door: Door) -> None:
    assert door.by_page("nurse").get("/patients/4711").status_code == 404
    assert door.by_token("nurse").get("/api/v1/patients/4711").status_code == 404


def test_commands_of_the_room_are_all_reached_by_a_page_and_the_api() -> None:
    """A verb nobody can reach is a verb nobody has."""
    from pathlib import Path

    room = Path(commands.__file__).parent
    pages, api = ((room / name).read_text() for name in ("pages.py", "api.py"))

    for verb in (
        "register_patient", "correct_patient", "add_number", "end_number", "add_alias",
        "add_alert", "end_alert", "leave_caseload", "merge_patients", "undo_merge", "break_glass",
    ):  # fmt: skip
        assert f".{verb}(" in pages, verb
        assert f".{verb}(" in api, verb
