"""The hatch over HTTP: each route does its work, names what is wrong, and knows whose record it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from clinic.consumption.models import BrokenGate, DoseEvent, DoseVomited, GateCheck
from clinic.consumption.supply_models import ConsumptionPlace, DispensedDose
from tests.factories.base import NOW, a_patient
from tests.factories.consumption import CHECKED, a_dose, ready_for_a_dose
from tests.factories.prescriptions import (
    a_clinic,
    a_decision,
    a_lead,
    an_assessed_patient,
)

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
TODAY = NOW.date()
LATER = NOW + timedelta(hours=2)
WHY = "Written down for another patient"
GLASS = {"reason_code": "nobody_to_review", "reason": "Dr Pugh reviewed by phone, line then lost"}
TOOK = {"outcome": "taken", "consumed_at": NOW.isoformat(), **CHECKED}
HOME = {
    "collections": [
        {"collect_on": TODAY.isoformat(), "supervised": True, "take_home_days": 1},
    ]
}
TABLES = (BrokenGate, DoseEvent, DoseVomited, GateCheck, ConsumptionPlace, DispensedDose)


@dataclass
class Story:
    """Somebody with a decision for today and tomorrow, whose dose of today was given."""

    clinic: Any
    patient: int
    decision: int
    dose: int
    lead: Any

    def path(self, rest: str) -> str:
        return f"/api/v1/patients/{self.patient}/{rest}"

    def one(self, model: Any) -> int:
        with self.clinic.database.reading() as session:
            return int(session.scalar(select(func.max(model.id))) or 0)

    def counted(self) -> list[int]:
        with self.clinic.database.reading() as session:
            return [
                session.scalar(select(func.count()).select_from(model)) or 0 for model in TABLES
            ]


def decided(clinic: Any, patient: int) -> int:
    act = clinic.act()
    ready_for_a_dose(act, patient)
    act.session.close()
    act = clinic.act()
    decision = a_decision(act, patient, "25", supply=HOME)
    act.session.close()
    return decision


@pytest.fixture
def story(database, clock):
    clinic = a_clinic(database)
    lead = a_lead(clinic)
    patient = an_assessed_patient(clinic)
    decision = decided(clinic, patient)
    act = clinic.act(clinic.nurse)
    dose = a_dose(act, patient, decision).id
    act.session.close()
    clock.set(LATER)
    return Story(clinic, patient, decision, dose, lead)


@pytest.fixture
def nurse(story, door):
    return door.by_token("nurse", site=story.clinic.site)


@pytest.fixture
def another(story, door):
    """A second person, who is not the clinical lead."""
    return door.by_token("prescriber", site=story.clinic.site, level="prescriber")


def fields_of(answer) -> list[str]:
    assert answer.mimetype == "application/problem+json", answer.text
    return [each["field"] for each in answer.json["errors"]]


# -- what each route does ------------------------------------------------------------------


def test_a_dose_is_given_once_and_said_again_it_is_the_first_record(story, nurse):
    tomorrow = an_assessed_patient(story.clinic)
    decision = decided(story.clinic, tomorrow)
    path = f"/api/v1/patients/{tomorrow}/dose-decisions/{decision}"

    shut = nurse.get(f"{path}/gates").json
    first = nurse.post(f"{path}/doses", json=TOOK)
    again = nurse.post(f"{path}/doses", json=TOOK)
    other = nurse.post(f"{path}/doses", json={"outcome": "refused"})

    assert [each["gate"] for each in shut["shut"]] == ["identity", "intoxication"]
    assert (shut["open"], shut["missed_days"], shut["rules"]) == (False, 0, "ALERT")
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json == {"id": first.json["id"], "first": False}
    assert first.headers["Location"].endswith(f"/{tomorrow}/doses/{first.json['id']}")
    assert other.json["first"]["outcome"] == "taken" and other.json["first"]["dose_mg"] == "25"


def test_a_shut_gate_names_itself_why_and_who_opens_it(story, nurse):
    other = an_assessed_patient(story.clinic)
    decision = decided(story.clinic, other)

    refused = nurse.post(
        f"/api/v1/patients/{other}/dose-decisions/{decision}/doses",
        json={"outcome": "taken", "identity": CHECKED["identity"]},
    )

    assert refused.status_code == 422
    (gate,) = refused.json["gates"]
    assert (gate["gate"], gate["code"], gate["breakable"]) == ("intoxication", "not_looked", True)
    assert gate["opened_by"]


def test_a_correction_is_a_new_event_linked_to_the_old(story, nurse, another):
    part = {"reason": WHY, "outcome": "part", "dose_mg": "12.5", "rest": "spat_out"}

    new = nurse.post(story.path(f"doses/{story.dose}/correction"), json=part)
    again = nurse.post(story.path(f"doses/{story.dose}/correction"), json=part)

    assert (new.status_code, again.status_code) == (201, 409)
    now, before = nurse.get(story.path("doses")).json
    assert (now["corrects_id"], now["dose_mg"], now["struck_at"]) == (story.dose, "12.5", None)
    assert (before["id"], before["dose_mg"], before["struck_reason"]) == (story.dose, "25", WHY)
    agreed = another.post(story.path(f"doses/{story.dose}/agree"))
    assert agreed.status_code == 204
    assert nurse.get(story.path("doses")).json[1]["agreed_by"] == another.staff_id


def test_a_dose_is_struck_out_by_one_and_agreed_to_by_another(story, nurse, another):
    struck = nurse.post(story.path(f"doses/{story.dose}/strike"), json={"reason": WHY})
    own = nurse.post(story.path(f"doses/{story.dose}/agree"))
    agreed = another.post(story.path(f"doses/{story.dose}/agree"))
    again = another.post(story.path(f"doses/{story.dose}/agree"))

    assert (struck.status_code, agreed.status_code, again.status_code) == (204, 204, 409)
    assert own.status_code == 422 and fields_of(own) == ["agreed_by"]
    assert nurse.get(story.path("doses")).json[0]["struck_reason"] == WHY


def test_vomiting_is_recorded_and_struck_out(story, nurse):
    said = {"vomited_at": LATER.isoformat(), "seen": "seen", "seen_by": "Nia Lloyd"}

    made = nurse.post(story.path(f"doses/{story.dose}/vomited"), json=said)
    again = nurse.post(story.path(f"doses/{story.dose}/vomited"), json=said)
    struck = nurse.post(story.path(f"vomited/{made.json['id']}/strike"), json={"reason": WHY})
    twice = nurse.post(story.path(f"vomited/{made.json['id']}/strike"), json={"reason": WHY})

    codes = [each.status_code for each in (made, again, struck, twice)]
    assert codes == [201, 409, 204, 409]


def test_a_dose_taken_elsewhere_is_a_claim_beside_those_of_here(story, nurse):
    said = {
        "product": "methadone_oral_solution", "dose_mg": "12.345",
        "consumed_at": (NOW - DAY).isoformat(), "place": "Cardiff Royal Infirmary",
    }  # fmt: skip

    made = nurse.post(story.path("doses"), json=said)

    assert made.status_code == 201
    row = next(
        each for each in nurse.get(story.path("doses")).json if each["id"] == made.json["id"]
    )
    assert (row["elsewhere"], row["decision_id"], row["dose_mg"]) == (True, None, "12.345")


def test_an_incident_and_a_gate_passed_wait_for_a_clinical_lead_who_was_not_there(
    story, nurse, door
):
    lead = door.by_token("prescriber", site=story.clinic.site, post="clinical_lead")
    other = an_assessed_patient(story.clinic)
    decision = decided(story.clinic, other)
    path = f"/api/v1/patients/{other}/dose-decisions/{decision}/break-glass"

    passed = nurse.post(path, json=GLASS)
    found = nurse.post(
        story.path("dose-incidents"),
        json={
            "product": "methadone_oral_solution", "dose_mg": "5", "consumed_at": LATER.isoformat(),
            "reason_code": "wrong_person", "reason": "Handed the cup meant for somebody else",
        },
    )  # fmt: skip

    assert (passed.status_code, found.status_code) == (201, 201)
    waiting = lead.get("/api/v1/consumption/broken-gates").json
    assert [row["kind"] for row in waiting] == ["glass", "incident"]
    assert waiting[0]["gates"] == ["identity", "intoxication"]
    answer = f"/api/v1/consumption/broken-gates/{passed.json['id']}/acknowledge"
    assert lead.post(answer, json={"note": "The line is mended"}).status_code == 204
    assert lead.post(answer, json={}).status_code == 409
    assert [row["id"] for row in lead.get("/api/v1/consumption/broken-gates").json] == [
        waiting[1]["id"]
    ]
    elsewhere = door.by_token("prescriber", post="clinical_lead")
    answer = f"/api/v1/consumption/broken-gates/{waiting[1]['id']}/acknowledge"
    assert elsewhere.post(answer, json={}).status_code == 404


def test_a_look_is_recorded_and_a_finding_is_struck_out_by_somebody_else(story, nurse, another):
    signs = {"intoxication": {"result": "signs", "signs": ["drowsy"], "sedation": "2"}}

    made = nurse.post(story.path("gate-checks"), json=signs)
    (look,) = made.json["ids"]
    own = nurse.post(story.path(f"gate-checks/{look}/strike"), json={"reason": WHY})
    struck = another.post(story.path(f"gate-checks/{look}/strike"), json={"reason": WHY})

    assert (made.status_code, own.status_code, struck.status_code) == (201, 422, 204)
    row = next(row for row in nurse.get(story.path("gate-checks")).json if row["id"] == look)
    assert (row["kind"], row["clear"], row["signs"]) == ("intoxication", False, ["drowsy"])
    assert row["entry_id"] and row["struck_by"] == another.staff_id


def test_the_place_is_set_for_each_day_once_and_struck_out(story, nurse):
    said = {"kind": "on_site", "from_on": (TODAY + DAY).isoformat()}

    made = nurse.post(story.path("consumption-places"), json=said)
    again = nurse.post(story.path("consumption-places"), json=said)
    (place,) = [
        row["id"]
        for row in nurse.get(story.path("consumption-places")).json
        if row["id"] == made.json["id"]
    ]
    struck = nurse.post(story.path(f"consumption-places/{place}/strike"), json={"reason": WHY})
    anew = nurse.post(story.path("consumption-places"), json=said)

    codes = [each.status_code for each in (made, again, struck, anew)]
    assert codes == [201, 409, 204, 201]


def test_doses_to_take_home_are_handed_over_once_and_struck_out(story, nurse):
    said = {"dates": [(TODAY + DAY).isoformat()], **CHECKED}
    path = story.path(f"dose-decisions/{story.decision}/dispensed-doses")

    made = nurse.post(path, json=said)
    again = nurse.post(path, json=said)
    (handed,) = made.json["ids"]
    struck = nurse.post(story.path(f"dispensed-doses/{handed}/strike"), json={"reason": WHY})

    assert (made.status_code, again.status_code, struck.status_code) == (201, 409, 204)
    row = next(row for row in nurse.get(story.path("dispensed-doses")).json if row["id"] == handed)
    assert (row["how"], row["dose_on"], row["dose_mg"]) == (
        "take_home", (TODAY + DAY).isoformat(), "25",
    )  # fmt: skip
    assert row["struck_reason"] == WHY


def test_the_board_says_who_is_to_come_and_the_day_is_closed_and_opened_by_name(story, nurse):
    other = an_assessed_patient(story.clinic)
    decision = decided(story.clinic, other)
    board = f"/api/v1/consumption/boards/{TODAY}"

    to_come, done = nurse.get(board).json["doses"]
    named = {"patient_id": other, "decision_id": decision, "increment": 1}
    closed = nurse.post(f"{board}/missed", json={"doses": [named]})
    twice = nurse.post(f"{board}/missed", json={"doses": [{**named, "decision_id": decision + 99}]})
    undone = nurse.post(
        "/api/v1/consumption/missed/undo", json={"ids": closed.json["ids"], "reason": WHY}
    )

    assert (to_come["patient_id"], to_come["attended"]) == (other, False)
    assert (done["dose_id"], done["outcome"], done["dose_mg"]) == (story.dose, "taken", "25")
    codes = [each.status_code for each in (closed, twice, undone)]
    assert codes == [201, 404, 204]
    assert not nurse.get(board).json["doses"][0]["attended"]


def test_one_wrong_name_closes_nobodys_day(story, nurse):
    other = an_assessed_patient(story.clinic)
    named = {"patient_id": other, "decision_id": decided(story.clinic, other), "increment": 1}
    taken = {"patient_id": story.patient, "decision_id": story.decision, "increment": 1}
    before = story.counted()

    refused = nurse.post(
        f"/api/v1/consumption/boards/{TODAY}/missed", json={"doses": [named, taken]}
    )

    assert refused.status_code == 409
    assert story.counted() == before


def test_a_sheet_is_looked_at_line_by_line_and_saved_only_when_asked(story, nurse):
    head = "decision,nhs_number,date,time,outcome\n"
    body = {"sheet": head + f"{story.decision},1234567890,2026-11-04,09:05,missed\n"}

    looked = nurse.post("/api/v1/consumption/sheets", json=body)
    headless = nurse.post("/api/v1/consumption/sheets", json={"sheet": "no,such,sheet\n1,2,3\n"})

    assert looked.status_code == 200 and looked.json["saved"] is False
    (line,) = looked.json["rows"]
    assert (line["result"], line["line"], line["dose_id"]) == ("refused", 2, None)
    assert [each["field"] for each in line["faults"]] == ["decision"]
    assert headless.status_code == 422 and fields_of(headless) == ["sheet"]


# -- what is wrong is named ----------------------------------------------------------------

DOSES = "dose-decisions/{decision}/doses"
GLASS_AT = "dose-decisions/{decision}/break-glass"
BIG, HUGE = 2**31, 10**30
ELSEWHERE = {
    "product": "methadone_oral_solution", "dose_mg": "5", "consumed_at": NOW.isoformat(),
}  # fmt: skip
FOUND = {**ELSEWHERE, "reason_code": "other", "reason": WHY}
VOMITED = {"vomited_at": LATER.isoformat(), "seen": "told"}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    (DOSES, {}, "outcome"),
    (DOSES, {"outcome": "given"}, "outcome"),
    (DOSES, {"outcome": "not_taken"}, "outcome"),
    (DOSES, {"outcome": "missed", "colour": "green"}, "colour"),
    (DOSES, {"outcome": "part", "dose_mg": 5, "rest": "spilt"}, "dose_mg"),
    (DOSES, {"outcome": "part", "dose_mg": "0", "rest": "spilt"}, "dose_mg"),
    (DOSES, {"outcome": "part", "dose_mg": "1e1", "rest": "spilt"}, "dose_mg"),
    (DOSES, {"outcome": "part", "dose_mg": "²", "rest": "spilt"}, "dose_mg"),
    (DOSES, {"outcome": "part", "dose_mg": "9" * 5000, "rest": "spilt"}, "dose_mg"),
    (DOSES, {"outcome": "missed", "increment": BIG}, "increment"),
    (DOSES, {"outcome": "missed", "increment": "²"}, "increment"),
    (DOSES, {"outcome": "missed", "increment": 0}, "increment"),
    (DOSES, {"outcome": "missed", "increment": 7}, "increment"),
    (DOSES, {"outcome": "missed", "observer_id": HUGE}, "observer_id"),
    (DOSES, {**TOOK, "increment": 1, "replaces_id": HUGE}, "replaces_id"),
    (DOSES, {"outcome": "missed", "consumed_at": "0001-01-01T00:00:00+14:00"}, "consumed_at"),
    (DOSES, {"outcome": "missed", "consumed_at": "0001-01-01T00:00:00Z"}, "consumed_at"),
    (DOSES, {"outcome": "missed", "consumed_at": "9999-12-31T23:59:59-14:00"}, "consumed_at"),
    (DOSES, {"outcome": "missed", "consumed_at": "2026-11-04T09:00:00"}, "consumed_at"),
    (DOSES, {"outcome": "missed", "consumed_at": (LATER + MINUTE).isoformat()}, "consumed_at"),
    (DOSES, {**TOOK, "identity": {"how": "by_face"}}, "identity.how"),
    (DOSES, {**TOOK, "intoxication": {"result": "clear", "signs": ["drowsy"]}}, "signs"),
    ("doses", {**ELSEWHERE, "product": "codeine"}, "product"),
    ("doses", {**ELSEWHERE, "dose_mg": "-5"}, "dose_mg"),
    ("doses", {**ELSEWHERE, "consumed_at": "0001-01-01T00:00:00+14:00"}, "consumed_at"),
    ("dose-incidents", {**FOUND, "reason": "short"}, "reason"),
    ("dose-incidents", {**FOUND, "decision_id": BIG}, "decision_id"),
    ("dose-incidents", {**FOUND, "consumed_at": "9999-12-31T23:59:59-14:00"}, "consumed_at"),
    ("doses/{dose}/correction", {"outcome": "missed", "reason": "wrong"}, "reason"),
    ("doses/{dose}/correction", {"outcome": "missed", "reason": WHY,
                                 "consumed_at": (NOW - DAY).isoformat()}, "consumed_at"),
    ("doses/{dose}/correction", {"outcome": "part", "reason": WHY, "dose_mg": "25",
                                 "rest": "spilt"}, "dose_mg"),
    ("doses/{dose}/strike", {"reason": "   too short   "[:12]}, "reason"),
    ("doses/{dose}/strike", {"reason": "x" * 5000}, "reason"),
    ("doses/{dose}/vomited", {**VOMITED, "seen": "heard"}, "seen"),
    ("doses/{dose}/vomited", {**VOMITED, "seen": "seen"}, "seen_by"),
    ("doses/{dose}/vomited", {**VOMITED, "vomited_at": (NOW - MINUTE).isoformat()}, "vomited_at"),
    ("doses/{dose}/vomited", {**VOMITED, "vomited_at": "0001-01-01T00:00:00+14:00"}, "vomited_at"),
    ("gate-checks", {}, "identity"),
    ("gate-checks", {"intoxication": {"result": "signs"}}, "signs"),
    ("gate-checks", {**CHECKED, "checked_at": "0001-01-01T00:00:00+14:00"}, "checked_at"),
    ("gate-checks", {"intoxication": {"result": "clear", "breath_alcohol_mg_per_l": "²"}},
     "breath_alcohol_mg_per_l"),
    (GLASS_AT, {**GLASS, "reason": "quick"}, "reason"),
    (GLASS_AT, {**GLASS, "reason_code": "why"}, "reason_code"),
    (GLASS_AT, {**GLASS, "increment": BIG}, "increment"),
    (GLASS_AT, {**GLASS, "increment": 9}, "increment"),
    ("consumption-places", {"kind": "home", "from_on": TODAY.isoformat()}, "kind"),
    ("consumption-places", {"kind": "on_site", "from_on": "0001-01-01"}, "from_on"),
    ("consumption-places", {"kind": "on_site", "from_on": "9999-12-31"}, "from_on"),
    ("consumption-places", {"kind": "pharmacy", "from_on": TODAY.isoformat()}, "premises_id"),
    ("consumption-places", {"kind": "pharmacy", "from_on": TODAY.isoformat(),
                            "premises_id": 2**31 - 1}, "premises_id"),
    ("consumption-places", {"kind": "pharmacy", "from_on": TODAY.isoformat(),
                            "premises_id": HUGE}, "premises_id"),
    ("dose-decisions/{decision}/dispensed-doses", {"dates": []}, "dates"),
    ("dose-decisions/{decision}/dispensed-doses", {"dates": ["0001-01-01"], **CHECKED}, "dates[0]"),
    ("dose-decisions/{decision}/dispensed-doses", {"dates": ["9999-12-31"], **CHECKED}, "dates[0]"),
    ("dose-decisions/{decision}/dispensed-doses", {"dates": ["2199-12-31"], **CHECKED}, "dates"),
    ("dose-decisions/{decision}/dispensed-doses", {"dates": ["tomorrow"]}, "dates[0]"),
    ("dose-decisions/{decision}/dispensed-doses",
     {"dates": [(TODAY + DAY).isoformat()], "handed_at": "0001-01-01T00:00:00+14:00"}, "handed_at"),
]  # fmt: skip


def test_what_cannot_stand_is_refused_by_its_field_and_nothing_is_kept(story, nurse):
    other = an_assessed_patient(story.clinic)
    still_to_come = {"decision": decided(story.clinic, other), "dose": story.dose}
    given = {"decision": story.decision, "dose": story.dose}
    before = story.counted()

    for path, body, field in WRONG:
        who, ids = (other, still_to_come) if path in (DOSES, GLASS_AT) else (story.patient, given)
        refused = nurse.post(f"/api/v1/patients/{who}/{path.format(**ids)}", json=body)

        assert refused.status_code == 422, (path, body, refused.text)
        assert fields_of(refused) == [field], (path, body, refused.text)
    assert story.counted() == before


def test_no_hostile_address_or_body_is_a_fault_of_the_service(story, nurse):
    board, undo = "/api/v1/consumption/boards", "/api/v1/consumption/missed/undo"
    days = ["0001-01-01", "9999-12-31", "²", "9" * 5000, "2026-02-30", "tomorrow"]
    numbers = [HUGE, BIG, "²", "٣", "9" * 5000, "-1", "0"]

    for day in days:
        assert nurse.get(f"{board}/{day}").status_code in (404, 422), day
        named = {"doses": [{"patient_id": 1, "decision_id": 1, "increment": 1}]}
        assert nurse.post(f"{board}/{day}/missed", json=named).status_code in (404, 422), day
    for number in numbers:
        gates = story.path(f"dose-decisions/{story.decision}/gates")
        assert nurse.get(gates, query_string={"increment": number}).status_code == 422, number
        for path in (f"doses/{number}/strike", f"gate-checks/{number}/strike",
                     f"vomited/{number}/strike", f"consumption-places/{number}/strike",
                     f"dispensed-doses/{number}/strike"):  # fmt: skip
            assert nurse.post(story.path(path), json={"reason": WHY}).status_code == 404, path
        assert nurse.get(f"/api/v1/patients/{number}/gate-checks").status_code == 404, number
        assert nurse.post(undo, json={"ids": [number], "reason": WHY}).status_code == 422, number
    raw = '{"ids": [' + "9" * 5000 + '], "reason": "Far too many digits"}'
    answer = nurse.post(undo, data=raw, content_type="application/json")
    assert answer.status_code in (400, 422), answer.text


# -- whose it is ---------------------------------------------------------------------------


def routes(story: Story, patient: int, decision: int, ids: dict[str, int]) -> list[tuple[str, Any]]:
    """Every route about one person, with a body that is sound: None is read."""
    base, strike = f"/api/v1/patients/{patient}", {"reason": WHY}
    at = f"{base}/dose-decisions/{decision}"
    return [
        (f"{base}/doses", None), (f"{at}/gates", None), (f"{base}/gate-checks", None),
        (f"{base}/consumption-places", None), (f"{base}/dispensed-doses", None),
        (f"{base}/doses", ELSEWHERE), (f"{at}/doses", TOOK), (f"{at}/break-glass", GLASS),
        (f"{at}/dispensed-doses", {"dates": [(TODAY + DAY).isoformat()], **CHECKED}),
        (f"{base}/dose-incidents", FOUND), (f"{base}/gate-checks", CHECKED),
        (f"{base}/consumption-places",
         {"kind": "on_site", "from_on": (TODAY + 2 * DAY).isoformat()}),
        (f"{base}/doses/{ids['dose']}/correction",
         {"outcome": "missed", "reason": WHY}),
        (f"{base}/doses/{ids['dose']}/strike", strike), (f"{base}/doses/{ids['dose']}/agree", {}),
        (f"{base}/doses/{ids['dose']}/vomited", VOMITED),
        (f"{base}/vomited/{ids['vomited']}/strike", strike),
        (f"{base}/gate-checks/{ids['check']}/strike", strike),
        (f"{base}/consumption-places/{ids['place']}/strike", strike),
        (f"{base}/dispensed-doses/{ids['handed']}/strike", strike),
    ]  # fmt: skip


def asked(client: Any, path: str, body: Any) -> int:
    return (
        client.get(path).status_code if body is None else client.post(path, json=body).status_code
    )


@pytest.fixture
def ids(story, nurse):
    made = nurse.post(story.path(f"doses/{story.dose}/vomited"), json=VOMITED).json["id"]
    return {
        "dose": story.dose, "vomited": made, "check": story.one(GateCheck),
        "place": story.one(ConsumptionPlace), "handed": story.one(DispensedDose),
    }  # fmt: skip


def test_no_route_answers_another_service_or_a_token_without_the_right(story, ids, door):
    elsewhere = door.by_token("prescriber", level="prescriber")
    narrow = door.by_token("prescriber", site=story.clinic.site, scopes=["patients.read"])
    before = story.counted()

    for path, body in routes(story, story.patient, story.decision, ids):
        assert asked(elsewhere, path, body) == 403, path
        assert asked(narrow, path, body) == 403, path
    for path in ("boards/2026-11-04/missed", "missed/undo", "sheets"):
        assert narrow.post(f"/api/v1/consumption/{path}", json={}).status_code == 403
    for path in ("boards/2026-11-04", "broken-gates"):
        assert narrow.get(f"/api/v1/consumption/{path}").status_code == 403
    undo = {"ids": [story.dose], "reason": WHY}
    assert elsewhere.post("/api/v1/consumption/missed/undo", json=undo).status_code in (403, 404)
    assert elsewhere.get(f"/api/v1/consumption/boards/{TODAY}").json["doses"] == []
    assert story.counted() == before


def test_nothing_of_one_person_is_reached_through_another(story, ids, nurse):
    stranger = a_patient(story.clinic.act())
    before = story.counted()

    for path, body in routes(story, stranger, story.decision, ids):
        about_them = any(word in path for word in ("dose-decisions/", "/strike", "/agree"))
        if about_them or path.endswith(("/correction", "/vomited")):
            assert asked(nurse, path, body) == 404, path
    linked = {**FOUND, "decision_id": story.decision}
    path = f"/api/v1/patients/{stranger}/dose-incidents"
    assert nurse.post(path, json=linked).status_code in (404, 422)
    assert story.counted() == before
