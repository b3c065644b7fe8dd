"""The rule book over HTTP: read, sign, tighten, undo, review - each by its own scope."""

from __future__ import annotations

import pytest

from dosing.check import rulebook
from scheduling import practice
from tests.factories.prescriptions import a_clinic, a_decision, an_assessed_patient

WHY = "Agreed at the governance meeting in October"
LEAD = {"post": "clinical_lead", "level": "experienced", "name": "Dr Mair Ellis"}


@pytest.fixture
def clinic(database, clock):
    return a_clinic(database)


@pytest.fixture
def lead(clinic, door):
    return door.by_token("prescriber", site=clinic.site, **LEAD)


def version_of(rule, rule_set="uk-2017"):
    return next(each for each in rule["versions"] if each["set"] == rule_set)


def test_rules_are_read_with_numbers_source_and_what_this_site_tightened(lead):
    made = lead.post("/api/v1/limit-tightenings",
                     json={"rule": "M-FD-02", "limit": "above_mg", "value": "35", "reason": WHY})  # fmt: skip

    found = lead.get("/api/v1/rules?tightened=true").json
    one = lead.get("/api/v1/rules/M-FD-02").json

    assert made.status_code == 201
    assert [each["id"] for each in found["rules"]] == ["M-FD-02"]
    limit = next(each for each in version_of(one)["limits"] if each["name"] == "above_mg")
    assert limit == {"name": "above_mg", "shipped": "40", "here": "35", "tighter": "lower"}
    assert version_of(one)["rests_on"] == "memory"
    assert version_of(one, "era-2003")["limits"][0]["here"] is None
    assert lead.get("/api/v1/rules/B-DP-05").json["versions"][0]["limits"][0]["shipped"][0] == {
        "sublingual_from": "2", "sublingual_to": "6", "lyophilisate_from": "2",
        "lyophilisate_to": "4", "weekly": "8",
    }  # fmt: skip


def test_a_tightening_is_ended_and_both_rows_stay(lead):
    given = {"rule": "M-FD-02", "limit": "above_mg", "reason": WHY}
    assert lead.post("/api/v1/limit-tightenings", json={**given, "value": "35"}).status_code == 201

    ended = lead.post("/api/v1/limit-tightenings/end", json=given)
    again = lead.post("/api/v1/limit-tightenings/end", json=given)

    rows = lead.get("/api/v1/limit-tightenings?rule=M-FD-02").json
    assert (ended.status_code, again.status_code) == (201, 404)
    assert [(row["value"], row["state"]) for row in rows] == [
        (None, "holds"), ("35", "no longer")
    ]  # fmt: skip
    assert rows[0]["recorded_by_name"] == "Dr Mair Ellis"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"value": "45"}, "value"), ({"value": 35}, "value"), ({"value": "1e1"}, "value"),
        ({"limit": "up_to_mg"}, "limit"), ({"rule_set": "uk-2050"}, "rule_set"),
        ({"from_on": "2026-11-03"}, "from_on"), ({"reason": "so"}, "reason"),
    ],
)  # fmt: skip
def test_what_cannot_stand_is_a_problem_that_names_its_field(lead, given, field):
    answer = lead.post(
        "/api/v1/limit-tightenings",
        json={"rule": "M-FD-02", "limit": "above_mg", "value": "35", "reason": WHY, **given},
    )

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]


def test_a_rule_is_signed_and_the_signature_withdrawn(lead):
    version = version_of(lead.get("/api/v1/rules/M-FD-02").json)
    given = {"rule": "M-FD-02", "fingerprint": version["fingerprint"]}

    nameless = lead.post("/api/v1/rule-signatures", json=given)
    made = lead.post("/api/v1/rule-signatures", json={**given, "registration": "GMC 1234567"})
    twice = lead.post("/api/v1/rule-signatures", json={**given, "registration": "GMC 1234567"})
    signed = version_of(lead.get("/api/v1/rules/M-FD-02").json)
    back = lead.post(
        f"/api/v1/rule-signatures/{made.json['id']}/withdraw", json={"reason": "The wrong rule"}
    )

    assert [each.status_code for each in (nameless, made, twice, back)] == [422, 201, 409, 204]
    assert signed["signed"] and signed["signature"]["registration"] == "GMC 1234567"
    assert not version_of(lead.get("/api/v1/rules/M-FD-02").json)["signed"]
    (kept,) = lead.get("/api/v1/rule-signatures?rule=M-FD-02").json
    assert kept["withdrawn_reason"] == "The wrong rule"


def test_examples_are_tried_and_the_list_to_sign_is_whole(lead):
    tried = lead.post("/api/v1/rules/M-FD-02/examples").json
    listed = lead.get("/api/v1/rules-to-sign?set=uk-2017").json

    assert tried and all(each["held"] for each in tried)
    assert {"what": "order, dose mg", "value": "40.001"} in [
        change for each in tried for change in each["changes"]
    ]
    assert {each["version"]["set"] for each in listed} == {"uk-2017", practice.SET}
    assert len(listed) == 147 + len(rulebook().definitions) + len(practice.rules())


def test_a_rule_of_practice_is_listed_read_tried_and_signed(lead):
    every = lead.get("/api/v1/rules").json
    read = lead.get("/api/v1/rules/RV-04").json
    tried = lead.post("/api/v1/rules/RV-04/examples").json
    (version,) = read["versions"]
    signed = lead.post(
        "/api/v1/rule-signatures",
        json={
            "rule": "RV-04",
            "fingerprint": version["fingerprint"],
            "registration": "GMC 1234567",
        },
    )

    assert {each["id"] for each in every["practice"]} == set(practice.rules())
    assert every["practice_unsigned"] == every["practice_total"] == len(practice.rules())
    assert read["of_practice"] and version["rests_on"] == "memory" and not version["signed"]
    assert {"name": "after_a_rise", "shipped": "5", "here": None, "tighter": None} in version[
        "limits"
    ]
    assert tried and all(each["held"] for each in tried)
    assert signed.status_code == 201
    assert lead.get("/api/v1/rules/RV-04").json["versions"][0]["signed"]


def test_overrides_are_read_rated_and_reviewed(clinic, lead):
    patient = an_assessed_patient(clinic, substance_use=["alcohol"])
    a_decision(clinic.act(), patient, "25")

    found = lead.get("/api/v1/overrides?quarter=2026-Q4").json
    (one,) = found["overrides"]
    made = lead.post(
        f"/api/v1/overrides/{one['id']}/reviews", json={"comment": "Reasonable; plan agreed"}
    )
    rates = lead.get("/api/v1/override-rates").json

    assert (one["rule"], one["reason_code"], one["patient_id"]) == ("M-FD-05", "benefit", patient)
    assert found["quarter"] == "2026-Q4"
    assert made.status_code == 201
    assert lead.get(f"/api/v1/overrides/{one['id']}").json["reviews"][0]["by"] == "Dr Mair Ellis"
    assert rates["by_rule"] == [
        {"of": "M-FD-05", "staff_id": None, "alerts": 1, "gone_against": 1, "stops": 0,
         "percent": 100}
    ]  # fmt: skip
    assert lead.get("/api/v1/overrides?quarter=2026-Q9").status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "limit-tightenings"), ("post", "limit-tightenings/end"),
        ("post", "rule-signatures"), ("post", "rule-signatures/1/withdraw"),
        ("get", "overrides"), ("get", "override-rates"), ("post", "overrides/1/reviews"),
    ],
)  # fmt: skip
def test_a_token_without_the_scope_does_nothing(clinic, door, method, path):
    reader = door.by_token("prescriber", site=clinic.site, scopes=["guidance.read"], **LEAD)
    doctor = door.by_token("prescriber", site=clinic.site)

    for client in (reader, doctor):
        assert getattr(client, method)(f"/api/v1/{path}").status_code == 403
