"""A pharmacy records for its own people alone, by its own account, its token or its sheet."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.consumption.supply_models import PharmacyStaff
from clinic.release.premises import close_premises
from tests.factories.base import NOW, a_site
from tests.factories.consumption import CHECKED, a_pharmacy, a_place, ready_for_a_dose
from tests.factories.prescriptions import a_clinic, a_decision, an_assessed_patient

DAY = timedelta(days=1)
TODAY = NOW.date()
LINKS = "/api/v1/consumption/pharmacy-staff"
BOARD = f"/api/v1/consumption/boards/{TODAY}"


@pytest.fixture
def clinic(database, clock):
    made = a_clinic(database)
    clock.set(NOW + timedelta(minutes=10))
    return made


@pytest.fixture
def pharmacy(clinic):
    act = clinic.act()
    made = a_pharmacy(act)
    act.session.close()
    return made


@pytest.fixture
def admin(clinic, door):
    return door.by_token("administrator", site=clinic.site)


@pytest.fixture
def pharmacist(clinic, door):
    return door.by_token("pharmacist", site=clinic.site)


def somebody_at(clinic, place):
    """A person whose doses are taken here (None) or at a pharmacy: their id and decision."""
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    given = {"kind": "on_site"} if place is None else {"kind": "pharmacy", "premises_id": place}
    a_place(act, patient, **given)
    ready_for_a_dose(act, patient)
    act.session.close()
    act = clinic.act()
    decision = a_decision(act, patient, "25")
    act.session.close()
    return patient, decision


def give(client, person):
    patient, decision = person
    path = f"/api/v1/patients/{patient}/dose-decisions/{decision}/doses"
    return client.post(path, json={"outcome": "taken", **CHECKED}).status_code


def on_board(client):
    return {row["patient_id"] for row in client.get(BOARD).json["doses"]}


@pytest.mark.proves("RP-33")
def test_a_pharmacys_account_and_token_record_for_its_own_people_alone(
    clinic, pharmacy, admin, pharmacist
):
    act = clinic.act()
    other = a_pharmacy(act, "Station Road Pharmacy")
    act.session.close()
    here, theirs, others = (somebody_at(clinic, place) for place in (None, pharmacy, other))
    assert on_board(pharmacist) == {here[0]}, "a pharmacist of the service, at its own hatch"

    linked = admin.post(LINKS, json={"staff_id": pharmacist.staff_id, "premises_id": pharmacy})

    assert linked.status_code == 201
    assert on_board(pharmacist) == {theirs[0]}
    assert [give(pharmacist, person) for person in (here, others)] == [403, 403]
    missed = [
        {"patient_id": patient, "decision_id": decision, "increment": 1}
        for patient, decision in (theirs, others)
    ]
    assert pharmacist.post(f"{BOARD}/missed", json={"doses": missed}).status_code == 403
    assert give(pharmacist, theirs) == 201
    looked = {"intoxication": {"result": "clear"}}
    path = f"/api/v1/patients/{others[0]}/gate-checks"
    assert pharmacist.post(path, json=looked).status_code == 403


def test_who_leaves_a_pharmacy_is_not_let_to_the_services_own_hatch(
    clinic, pharmacy, admin, pharmacist, clock
):
    here, theirs = somebody_at(clinic, None), somebody_at(clinic, pharmacy)
    who = {"staff_id": pharmacist.staff_id, "premises_id": pharmacy}
    link = admin.post(LINKS, json=who).json["id"]
    assert admin.post(LINKS, json=who).status_code == 409
    with clinic.database.transaction() as session:
        session.get_one(PharmacyStaff, link).from_on = TODAY - 7 * DAY

    assert admin.post(f"{LINKS}/{link}/end").status_code == 204

    assert admin.post(f"{LINKS}/{link}/end").status_code == 409
    assert [give(pharmacist, person) for person in (here, theirs)] == [403, 403]
    assert on_board(pharmacist) == set()
    (row,) = admin.get(LINKS, query_string={"staff_id": pharmacist.staff_id}).json
    assert row["to_on"] == (TODAY - DAY).isoformat()


def test_a_pharmacy_named_by_mistake_and_ended_the_same_day_changes_nothing(
    clinic, pharmacy, admin, pharmacist
):
    here = somebody_at(clinic, None)
    who = {"staff_id": pharmacist.staff_id, "premises_id": pharmacy}

    admin.post(f"{LINKS}/{admin.post(LINKS, json=who).json['id']}/end")

    assert on_board(pharmacist) == {here[0]}
    assert give(pharmacist, here) == 201


def test_only_who_manages_staff_here_says_who_works_at_which_pharmacy(
    clinic, pharmacy, admin, pharmacist, door
):
    who = {"staff_id": pharmacist.staff_id, "premises_id": pharmacy}
    link = admin.post(LINKS, json=who).json["id"]
    elsewhere = door.by_token("administrator", site=a_site(clinic.database))

    assert pharmacist.post(LINKS, json=who).status_code == 403
    assert pharmacist.get(LINKS, query_string={"staff_id": 1}).status_code == 403
    assert pharmacist.post(f"{LINKS}/{link}/end").status_code == 403
    assert elsewhere.post(f"{LINKS}/{link}/end").status_code == 404
    assert admin.post(LINKS, json={**who, "staff_id": 2**31 - 1}).status_code == 404
    for wrong in (2**31 - 1, 10**30, "²", 0):
        answer = admin.post(LINKS, json={**who, "premises_id": wrong})
        assert [each["field"] for each in answer.json["errors"]] == ["premises_id"], wrong
        asked = admin.get(LINKS, query_string={"staff_id": wrong if wrong != 2**31 - 1 else -1})
        assert asked.status_code == 422, wrong


def test_a_token_for_a_pharmacys_system_is_issued_over_http_and_does_only_that(
    clinic, pharmacy, admin, pharmacist, app
):
    theirs = somebody_at(clinic, pharmacy)
    admin.post(LINKS, json={"staff_id": pharmacist.staff_id, "premises_id": pharmacy})
    path = f"/api/v1/staff/{pharmacist.staff_id}/tokens"
    body = {
        "site_id": clinic.site.id, "label": "High Street till", "days": 30,
        "scopes": ["consumption.record"],
    }  # fmt: skip

    issued = admin.post(path, json=body)

    assert issued.status_code == 201 and issued.json["scopes"] == ["consumption.record"]
    till = {"Authorization": f"Bearer {issued.json['token']}"}
    at = f"/api/v1/patients/{theirs[0]}"
    dose = f"{at}/dose-decisions/{theirs[1]}/doses"
    client = app.test_client()
    given = client.post(dose, json={"outcome": "taken", **CHECKED}, headers=till)
    assert given.status_code == 201
    assert client.get(f"{at}/gate-checks", headers=till).status_code == 403
    for field, wrong in (
        ("scopes", ["consumption.glass"]), ("scopes", ["everything"]), ("scopes", []),
        ("days", 10**30), ("days", 5000), ("site_id", 2**31 - 1), ("label", ""),
    ):  # fmt: skip
        refused = admin.post(path, json={**body, field: wrong})
        assert refused.status_code == 422, (field, wrong)
        assert [each["field"] for each in refused.json["errors"]] == [field]
    assert pharmacist.post(path, json=body).status_code == 403
    assert admin.post("/api/v1/staff/2147483647/tokens", json=body).status_code in (404, 422)


def test_a_day_the_pharmacy_is_closed_is_its_own_gap_and_said_on_the_board(
    clinic, pharmacy, pharmacist, admin
):
    theirs = somebody_at(clinic, pharmacy)
    admin.post(LINKS, json={"staff_id": pharmacist.staff_id, "premises_id": pharmacy})
    act = clinic.act()
    close_premises(act, pharmacy, TODAY, TODAY, reason="Flooded in the night")
    act.session.close()

    (row,) = pharmacist.get(BOARD).json["doses"]

    assert row["patient_id"] == theirs[0]
    assert "closed today" in row["next_step"]


def test_an_administrator_finds_the_pharmacies_of_an_account_and_sets_them(
    clinic, pharmacy, pharmacist, door
):
    admin = door.by_page("administrator", site=clinic.site)
    page = f"/staff/{pharmacist.staff_id}/pharmacies"

    account = admin.get(f"/staff/{pharmacist.staff_id}").get_data(as_text=True)
    assert f'href="{page}"' in account and "Issue a token" in account
    assert "/staff" in admin.get(f"/sites/{clinic.site.id}").get_data(as_text=True)
    assert admin.post(page, data={"premises_id": "²"}).status_code == 422
    assert admin.post(page, data={"premises_id": "9" * 5000}).status_code == 422
    added = admin.post(page, data={"premises_id": str(pharmacy)}, follow_redirects=True)
    assert "High Street Pharmacy" in added.get_data(as_text=True)
    assert door.by_page("nurse", site=clinic.site).get(page).status_code == 403
