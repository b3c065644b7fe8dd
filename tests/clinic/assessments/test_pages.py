"""The pages of the assessment, and the same over the API."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import select

from clinic.assessments.kinds import KINDS
from clinic.assessments.models import ClinicalEntry
from tests.factories.assessments import a_claim, a_rapid_clinic, somebody_assessed
from tests.factories.base import a_patient
from tests.factories.prescriptions import an_assessed_patient, an_entry

WHEN = {"day": "4", "month": "11", "year": "2026", "time": "09:00", "which": ""}


def boxes(name="happened_at", **changes):
    return {f"{name}-{box}": value for box, value in {**WHEN, **changes}.items()}


def a_day(name, day="6"):
    return {f"{name}-day": day, f"{name}-month": "11", f"{name}-year": "2026"}


@pytest.fixture
def clinic(database, clock):
    return a_rapid_clinic(database)


@pytest.fixture
def prescriber(clinic, door):
    return door.by_page("prescriber", site=clinic.site, level="prescriber", name="Dr Elin Price")


@pytest.fixture
def worker(clinic, door):
    return door.by_page("drugs_worker", site=clinic.site, name="Carys Bowen")


def text_of(response):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))))


def rows(clinic, kind):
    with clinic.database.reading() as session:
        found = select(ClinicalEntry).where(ClinicalEntry.kind == kind).order_by(ClinicalEntry.id)
        return list(session.scalars(found))


def test_the_page_says_what_is_lacking_before_a_dose_is_typed(clinic, prescriber):
    patient = somebody_assessed(clinic)

    journey = prescriber.get(f"/patients/{patient}/assessment")
    order = prescriber.get(f"/patients/{patient}/prescribing/dose")

    for page in (journey, order):
        assert page.status_code == 200
        assert "No first dose can be saved yet" in text_of(page)
        assert f"/patients/{patient}/prescribing/record/outcome" in page.get_data(as_text=True)


def test_an_empty_assessment_says_once_what_is_needed_and_marks_each_part(clinic, prescriber):
    patient = a_patient(clinic.act())

    journey = prescriber.get(f"/patients/{patient}/assessment").get_data(as_text=True)
    order = prescriber.get(f"/patients/{patient}/prescribing/dose").get_data(as_text=True)

    told = re.search(r"(\d+) parts of the assessment are to be completed first", journey)
    assert told is not None
    assert len(re.findall(r"Needed first\s*</strong>", journey)) == int(told[1]) > 3
    warning = journey[journey.index("No first dose can be saved yet") :].partition("</ul>")[0]
    assert warning.count("<li>") == 2  # the parts, and the outcome
    assert f'{told[0]}. <a href="/patients/{patient}/assessment">' in order
    assert "Mental state, examined: not yet" not in order


def test_the_outcome_form_does_not_call_open_what_it_asks_itself(clinic, prescriber):
    patient = somebody_assessed(clinic)

    page = text_of(prescriber.get(f"/patients/{patient}/prescribing/record/outcome"))

    assert "Which medicine is planned: not decided" not in page
    assert "Non-complex" in page
    assert "starting buprenorphine makes it complex" in page
    assert "Which medicine is planned: not decided" in text_of(
        prescriber.get(f"/patients/{patient}/assessment")
    )


def test_a_dose_held_back_is_told_on_the_page_and_not_saved(clinic, prescriber):
    patient = somebody_assessed(clinic)

    page = prescriber.post(f"/patients/{patient}/prescribing/dose", data={
        "product": "methadone_oral_solution", "phase": "induction", "dose": "25", "unit": "mg",
        "doses_remaining_today": "1", **boxes("decided_at"), **a_day("collect_on", "4"),
        "supervised": "yes", "replaces_id": "", "step": "confirm", "once": "k1",
    })  # fmt: skip

    assert page.status_code == 422
    assert "A prescriber has not signed the outcome" in text_of(page)


FILLED = {
    "mental_health": {"problems": "none"},
    "social": {"needs": ["no_home", "money"]},
    "risk": {"risk": "injecting"},
    "consent": {"decision": "given", "information": ["medicine"], "language": "welsh",
                "formats": ["spoken"]},
    "follow_up": {**a_day("dose_increases_on"), **a_day("assessment_on"), **a_day("care_plan_on")},
    "help/keywork": {"response": "planned"},
    "help/overdose_reminder": {"response": "given", "points": ["signs", "call"]},
    "arrest": {"dose_taken_today": "no"},
}  # fmt: skip


@pytest.mark.proves("XX-04")
@pytest.mark.parametrize("what", FILLED)
def test_a_drugs_worker_records_each_thing_that_is_theirs(clinic, worker, what):
    patient = a_patient(clinic.act())
    at = f"/patients/{patient}/prescribing/record/{what}"
    assert worker.get(at).status_code == 200

    done = worker.post(at, data={**boxes(), **FILLED[what]}, follow_redirects=True)

    assert "Recorded." in text_of(done)
    assert len(rows(clinic, what.partition("/")[0])) == 1


@pytest.mark.parametrize(
    "what", ["observation", "assessment/physical_examination", "outcome", "drug_test", "tolerance"]
)
def test_a_form_that_is_not_theirs_does_not_open(clinic, worker, what):
    patient = a_patient(clinic.act())

    assert worker.get(f"/patients/{patient}/prescribing/record/{what}").status_code == 403


@pytest.mark.parametrize(
    "what",
    ["nothing", "help", "help/nothing", "risk_action", "risk_action/9", "contest/x", "risk/1"],
)
def test_an_address_that_names_nothing_is_not_found(clinic, worker, what):
    patient = a_patient(clinic.act())

    assert worker.get(f"/patients/{patient}/prescribing/record/{what}").status_code == 404


def test_a_prescriber_signs_on_the_page_and_is_told_what_is_missing(clinic, prescriber):
    patient = somebody_assessed(clinic)
    at = f"/patients/{patient}/prescribing/record/outcome"

    refused = prescriber.post(at, data={"outcome": "not_dependent", **boxes()})
    signed = prescriber.post(
        at, data={"outcome": "suitable", "medicine": "methadone", **boxes()}, follow_redirects=True
    )

    assert refused.status_code == 422 and "Reason, unless suitable must be one of" in text_of(
        refused
    )
    assert "Outcome: Suitable for a rapid start" in text_of(signed)
    assert "No first dose can be saved yet" not in text_of(signed)


def test_the_alcohol_reading_is_told_in_its_other_units(clinic, prescriber):
    patient = a_patient(clinic.act())
    at = f"/patients/{patient}/prescribing/record/observation"
    reading = {
        "withdrawal_scale": "", "alcohol_unit": "breath_alcohol_mg_per_l", "sedation": "1", **boxes(),
    }  # fmt: skip

    done = prescriber.post(at, data={**reading, "alcohol": "0.35"}, follow_redirects=True)
    odd = prescriber.post(at, data={**reading, "alcohol": "35"})
    sure = prescriber.post(
        at, data={**reading, "alcohol": "35", "reading_checked": "y"}, follow_redirects=True
    )

    assert "35 micrograms per 100 ml of breath, 80 mg per 100 ml of blood" in text_of(done)
    assert odd.status_code == 422 and "I have checked this reading" in text_of(odd)
    assert "3500 micrograms per 100 ml of breath" in text_of(odd)
    assert "Recorded." in text_of(sure)


def test_start_or_continuation_says_why(clinic, worker):
    act = clinic.act()
    patient = somebody_assessed(clinic)
    claim = a_claim(act, patient, "40", "2026-09-03", "2026-11-03", prescriber="HMP healthcare")
    act.session.close()
    at = f"/patients/{patient}/assessment/continuity"
    assert "Lacking: The prescriber elsewhere: nobody has been asked yet" in text_of(worker.get(at))

    for by in ("prescriber", "pharmacy"):
        worker.post(
            f"/patients/{patient}/prescribing/record/confirmation/{claim}",
            data={"by": by, "outcome": "verified", "source": "Orla Byrne, telephone", **boxes()},
        )

    said = text_of(worker.get(at))
    assert "A continuation" in said and "HMP healthcare" in said and "Carys Bowen" in said


def test_a_keyworker_is_named_on_the_page(clinic, worker):
    patient = a_patient(clinic.act())

    done = worker.post(
        f"/patients/{patient}/assessment/keyworker",
        data={"kind": "keyworker", "staff_id": str(worker.staff_id), "reason": ""},
        follow_redirects=True,
    )

    assert "Named." in text_of(done) and "Carys Bowen" in text_of(done)


def test_the_first_page_lists_what_is_due(clinic, worker):
    somebody_assessed(clinic)

    said = text_of(worker.get("/"))

    assert "Assessments and follow-up" in said
    assert "Assessment complete: the outcome is to be signed" in said


def test_another_site_sees_nothing_of_it(clinic, door):
    patient = an_assessed_patient(clinic)
    stranger = door.by_page("nurse")

    for page in ("assessment", "assessment/continuity", "assessment/help"):
        assert stranger.get(f"/patients/{patient}/{page}").status_code in (302, 303, 403)


# -- over the API ---------------------------------------------------------------------------


def test_the_api_says_the_same_and_names_what_is_lacking(clinic, door):
    patient = somebody_assessed(clinic)
    client = door.by_token("prescriber", site=clinic.site, level="prescriber")
    base = f"/api/v1/patients/{patient}"

    before = client.get(f"{base}/assessment").get_json()
    refused = client.post(f"{base}/dose-decisions", json={
        "decided_at": "2026-11-04T09:00:00+00:00",
        "order": {"product": "methadone_oral_solution", "phase": "induction", "dose_mg": "25"},
        "supply": {"collections": [{"collect_on": "2026-11-04", "supervised": True}]},
    })  # fmt: skip
    signed = client.post(f"{base}/assessment-outcomes", json={
        "happened_at": "2026-11-04T09:00:00+00:00",
        "data": {"outcome": "suitable", "medicine": "methadone"},
    })  # fmt: skip

    assert before["first_visit_on"] == "2026-11-04" and before["dependence_established"]
    assert "outcome" in [each["field"] for each in before["lacking"]]
    assert refused.status_code == 422
    assert refused.get_json()["type"].endswith("not-cleared")
    assert signed.status_code == 201
    after = client.get(f"{base}/assessment").get_json()
    assert after["lacking"] == [] and after["complexity"]["state"] == "non_complex"


def test_claims_are_answered_over_the_api(clinic, door):
    act = clinic.act()
    patient = somebody_assessed(clinic)
    claim = a_claim(act, patient, "40", "2026-09-03", "2026-11-03")
    an_entry(
        act,
        patient,
        "confirmation",
        {"by": "prescriber", "outcome": "pending", "source": "Asked", "claim_id": claim},
    )
    act.session.close()

    found = door.by_token("nurse", site=clinic.site).get(f"/api/v1/patients/{patient}/continuity")

    body = found.get_json()
    assert [each["kind"] for each in body["medicines"]] == ["start"]
    [line] = body["claims"]
    assert (line["entry_id"], line["prescriber"], line["pharmacy"]) == (
        claim,
        "pending",
        "not_asked",
    )


def test_every_kind_has_its_doors(clinic, door):
    patient = a_patient(clinic.act())
    client = door.by_token("nurse", site=clinic.site)

    for kind in KINDS.values():
        assert client.get(f"/api/v1/patients/{patient}/{kind.slug}").get_json() == []
