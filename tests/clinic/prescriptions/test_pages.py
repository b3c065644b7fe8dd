"""The prescribing pages: what a nurse and a prescriber see, and that no page saves a stopped dose."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select

from clinic.assessments.kinds import ITEMS, KINDS
from clinic.assessments.models import ClinicalEntry
from clinic.assessments.scales import COWS_ITEMS
from clinic.audit import AuditEntry
from clinic.prescriptions import answered_by
from clinic.prescriptions.models import DoseDecision, DoseStop
from clinic.roles import RIGHTS
from dosing.check import rulebook
from tests.factories.base import NOW, a_patient
from tests.factories.prescriptions import (
    COWS_14,
    a_clinic,
    a_decision,
    a_dose_taken,
    an_assessed_patient,
)

WHEN = {"day": "4", "month": "11", "year": "2026", "time": "09:00", "which": ""}


def boxes(name, **changes):
    return {f"{name}-{box}": value for box, value in {**WHEN, **changes}.items()}


def a_day(name, day="4"):
    return {f"{name}-day": day, f"{name}-month": "11", f"{name}-year": "2026"}


def the_order(dose="25", **more):
    return {
        "product": "methadone_oral_solution", "phase": "induction", "dose": dose, "unit": "mg",
        "doses_remaining_today": "1", **boxes("decided_at"), **a_day("collect_on"),
        "supervised": "yes", "replaces_id": "", **more,
    }  # fmt: skip


@pytest.fixture
def clinic(database, clock):
    return a_clinic(database)


@pytest.fixture
def prescriber(clinic, door):
    return door.by_page("prescriber", site=clinic.site, level="prescriber", name="Dr Elin Price")


@pytest.fixture
def nurse(clinic, door):
    return door.by_page("nurse", site=clinic.site, name="Mair Evans")


def text_of(response):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))))


def rows(clinic, model):
    with clinic.database.reading() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def test_the_record_says_what_is_missing_and_leads_to_it(clinic, nurse):
    patient = a_patient(clinic.act())

    page = nurse.get(f"/patients/{patient}/prescribing")

    said = text_of(page)
    assert page.status_code == 200
    assert "A dose cannot be checked until these are recorded" in said
    assert "No assessment is open; no outcome signed" in said
    assert f"/patients/{patient}/prescribing/record/asked/medicines" in page.get_data(as_text=True)
    assert "Decide on a dose" not in said


@pytest.mark.proves("XX-07")
def test_an_observation_is_recorded_item_by_item_and_its_total_told(clinic, nurse):
    patient = a_patient(clinic.act())
    at = f"/patients/{patient}/prescribing/record/observation"
    assert nurse.get(at).status_code == 200

    done = nurse.post(
        at,
        data={
            "withdrawal_scale": "cows", "sedation": "1", "alcohol": "0.05",
            "alcohol_unit": "breath_alcohol_mg_per_l", **boxes("happened_at", time="08:30"),
            **{f"cows_{name}": str(score) for name, score in COWS_14.items()},
        },
        follow_redirects=True,
    )  # fmt: skip

    assert "COWS total 14." in text_of(done)
    (row,) = rows(clinic, ClinicalEntry)
    assert row.data["withdrawal_score"] == 14
    assert row.data["cows_items"] == COWS_14
    assert row.data["breath_alcohol_mg_per_l"] == "0.05"
    assert (row.happened_at.hour, row.recorded_at) == (8, NOW)


def test_an_item_left_out_of_cows_is_named(clinic, nurse):
    patient = a_patient(clinic.act())
    scores = {f"cows_{name}": str(score) for name, score in COWS_14.items() if name != "tremor"}

    refused = nurse.post(
        f"/patients/{patient}/prescribing/record/observation",
        data={"withdrawal_scale": "cows", **boxes("happened_at"), **scores},
    )

    assert refused.status_code == 422
    assert "Tremor, hands held out must be one of: 0, 1, 2, 4" in text_of(refused)
    assert rows(clinic, ClinicalEntry) == []


@pytest.mark.proves("XX-06")
def test_the_medical_history_takes_no_blank_for_none(clinic, nurse):
    patient = a_patient(clinic.act())
    at = f"/patients/{patient}/prescribing/record/medical_history"

    blank = nurse.post(at, data=boxes("happened_at"))
    both = nurse.post(
        at, data={"conditions": ["none", "coma"], "substance_use": "none", "stimulants": "none",
                  **boxes("happened_at")},
    )  # fmt: skip
    done = nurse.post(
        at, data={"conditions": "none", "substance_use": "alcohol", "stimulants": "none",
                  **boxes("happened_at")},
    )  # fmt: skip

    assert (blank.status_code, both.status_code, done.status_code) == (422, 422, 302)
    (row,) = rows(clinic, ClinicalEntry)
    assert row.data == {"conditions": [], "substance_use": ["alcohol"], "stimulants": []}


FILLED = {
    "assessment/mental_state": {"finding": "nothing_of_concern"},
    "main_drugs/patient": {"primary_drug": "heroin", "secondary_drug": "crack"},
    "tolerance": {"tolerance": "moderate", "currently_dependent": "yes"},
    "medicine": {"name": "Diazepam", "classes": ["benzodiazepine_or_z_drug"]},
    "opioid_use": {"opioid": "heroin", **a_day("last_used_on", "3")},
    "asked/medicines": {},
    "drug_test": {"sample": "urine", "method": "on_site", "result": "opioid_positive",
                  "confirms_id": ""},
    "ecg": {"qtc_ms": "430"},
    "monitoring_plan": {**a_day("from_on"), **a_day("to_on", "18")},
    "steady_dose": {"product": "methadone_oral_solution", "daily_dose_mg": "40",
                    **a_day("from_on", "1"), **a_day("to_on", "3"), "supervision": "supervised"},
    "confirmation": {"by": "pharmacy", "outcome": "verified", "source": "R. Jones, telephone"},
    "custody": {"remand_or_sentence": "sentenced", "sentence_days": "84", "plan": "stabilisation"},
}  # fmt: skip


@pytest.mark.proves("XX-04")
@pytest.mark.parametrize("what", FILLED)
def test_each_kind_of_entry_has_a_form_that_saves_it(clinic, nurse, what):
    patient = a_patient(clinic.act())
    at = f"/patients/{patient}/prescribing/record/{what}"
    assert nurse.get(at).status_code == 200

    done = nurse.post(at, data={**boxes("happened_at"), **FILLED[what]}, follow_redirects=True)

    assert "Recorded." in text_of(done)
    assert [row.kind for row in rows(clinic, ClinicalEntry)] == [what.partition("/")[0]]


def test_what_a_rule_refuses_is_said_in_the_labels_of_the_form(clinic, nurse):
    at = f"/patients/{a_patient(clinic.act())}/prescribing/record/steady_dose"
    swapped = {**FILLED["steady_dose"], **a_day("from_on", "3"), **a_day("to_on", "1")}

    refused = text_of(nurse.post(at, data={**boxes("happened_at"), **swapped}))

    assert "To, that day included must not be before “Taken daily from”" in refused


def test_an_entry_is_replaced_by_another_with_a_reason(clinic, nurse):
    patient = an_assessed_patient(clinic)
    wrong = next(row for row in rows(clinic, ClinicalEntry) if row.kind == "tolerance")
    at = f"/patients/{patient}/prescribing/record/tolerance?replaces={wrong.id}"

    refused = nurse.post(at, data={"tolerance": "low", **boxes("happened_at")})
    nurse.post(at, data={"tolerance": "low", "reason": "Misheard at first", **boxes("happened_at")})

    assert refused.status_code == 422
    first, second = [row for row in rows(clinic, ClinicalEntry) if row.kind == "tolerance"]
    assert (first.struck_reason, second.replaces_id) == ("Misheard at first", first.id)


def test_a_dose_is_checked_and_then_saved(clinic, prescriber):
    patient = an_assessed_patient(clinic)
    at = f"/patients/{patient}/prescribing/dose"
    blank = prescriber.get(at).get_data(as_text=True)
    assert "checked" not in re.sub(r"aria-checked", "", blank), "nothing is preset"

    check = prescriber.post(at, data=the_order())
    saved = prescriber.post(at, data=the_order(step="confirm", once="k1"), follow_redirects=True)

    assert "No rule fired" in text_of(check) and rows(clinic, DoseDecision)[0].outcome == "PASS"
    assert "The decision is saved." in text_of(saved)
    assert "25 mg" in text_of(saved) and "Dr Elin Price" in text_of(saved)


@pytest.mark.proves("RP-23")
@pytest.mark.parametrize("step", [{}, {"step": "confirm"}])
def test_no_page_saves_sixty_as_a_start(clinic, prescriber, step):
    patient = an_assessed_patient(clinic)

    page = prescriber.post(f"/patients/{patient}/prescribing/dose", data=the_order("60", **step))

    said = text_of(page)
    assert "This dose cannot be saved" in said and "M-FD-01" in said
    assert "Save this decision" not in said
    assert page.status_code == 422
    assert len(rows(clinic, DoseStop)) == 1
    assert rows(clinic, DoseDecision) == []


@pytest.mark.proves("RP-23")
def test_no_page_saves_thirty_and_thirty(clinic, prescriber):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    a_dose_taken(act, patient, a_decision(act, patient, "30"))
    act.session.close()

    page = prescriber.post(
        f"/patients/{patient}/prescribing/dose", data=the_order("30", step="confirm")
    )

    assert page.status_code == 422 and "M-D1-07" in text_of(page)
    assert len(rows(clinic, DoseDecision)) == 1


def test_an_alert_asks_for_its_reason_on_the_page_and_keeps_what_was_typed(clinic, prescriber):
    patient = an_assessed_patient(clinic, substance_use=["benzodiazepine"])
    at = f"/patients/{patient}/prescribing/dose"

    check = prescriber.post(at, data=the_order())
    without = prescriber.post(at, data=the_order(step="confirm", reason="Seen with the team today"))
    saved = prescriber.post(
        at,
        data=the_order(step="confirm", reason_code="benefit", reason="Seen with the team today"),
        follow_redirects=True,
    )

    assert "M-FD-05" in text_of(check) and "Say why" in text_of(check)
    assert without.status_code == 422 and "Seen with the team today" in text_of(without)
    assert "Seen with the team today" in text_of(saved)


def test_a_dose_still_to_be_recorded_is_shown_as_counted(clinic, prescriber):
    patient = an_assessed_patient(clinic)
    decision = a_decision(clinic.act(), patient, "20")

    page = prescriber.post(f"/patients/{patient}/prescribing/dose", data=the_order("10"))

    assert "Counted as taken although not recorded yet" in text_of(page)
    assert f"Decision {decision}: 20 mg Methadone oral solution, decided on for Wed 4 Nov" in (
        text_of(page)
    )


def test_missing_facts_are_listed_with_the_form_kept(clinic, prescriber):
    patient = a_patient(clinic.act())

    page = prescriber.post(f"/patients/{patient}/prescribing/dose", data=the_order("12.5"))

    assert page.status_code == 422
    assert "Record these first" in text_of(page)
    assert 'value="12.5"' in page.get_data(as_text=True)


def test_an_amount_is_read_whole_or_not_at_all(clinic, prescriber):
    """A comma, a unit, or what else stands behind the figures is not read past."""
    patient = an_assessed_patient(clinic)

    for typed in ("12,5", "12 mg", "1e1", "12.5555"):
        page = prescriber.post(
            f"/patients/{patient}/prescribing/dose",
            data=the_order(typed, strength_mg_per_ml=typed),
        )
        form = prescriber.post(
            f"/patients/{patient}/prescription-forms/new", data={"strength_mg_per_ml": typed}
        )

        said = text_of(page)
        assert (page.status_code, form.status_code) == (422, 422)
        assert "Dose taken at one time: enter a number such as 40 or 2.5" in said
        assert "Strength in mg per ml: enter a number" in said
        assert "Strength in mg per ml: enter a number" in text_of(form)
        assert f'value="{typed}"' in page.get_data(as_text=True), "what was typed is kept"


def test_a_stop_for_an_old_look_leads_to_where_the_new_one_is_recorded(clinic, door, clock):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    a_dose_taken(act, patient, a_decision(act, patient, "10"))
    act.session.close()
    clock.set(NOW + timedelta(hours=5))
    prescriber = door.by_page("prescriber", site=clinic.site, level="prescriber")
    order = the_order("5", **{"decided_at-time": "14:00"})

    page = prescriber.post(f"/patients/{patient}/prescribing/dose", data=order)

    assert "M-D1-03" in text_of(page)
    way = re.search(r'href="([^"]+)">Record: observation', page.get_data(as_text=True))
    assert way is not None
    assert "Pulse" in text_of(prescriber.get(way[1]))


def test_every_rule_that_reads_a_fact_names_where_it_is_put_right(app):
    rules = {
        rule for name in ("uk-2017", "era-2003") for rule in rulebook().in_force(name, NOW.date())
    }

    for rule, entries in answered_by.ENTRIES.items():
        assert rule in rules
        for kind, about in entries:
            assert kind in KINDS and (about is None or about in ITEMS)
            assert answered_by.said((kind, about)).startswith("Record: ")
    for rule, page in answered_by.PAGES.items():
        assert rule in rules and page.right in RIGHTS
        app.url_map.bind("").build(page.endpoint, {"patient_id": 1})
    assert rules >= answered_by.TYPED_REASON
    asking = {
        rule
        for rule, version in rulebook().in_force("uk-2017", NOW.date()).items()
        if version.severity != "INFO" and not rule.startswith("L-")
    }
    dynamic = {"G-AS-01", "P-09"}
    answered = {*answered_by.ENTRIES, *answered_by.PAGES, *answered_by.TYPED_REASON, *dynamic}
    # What is left is about the order: its amount, product, unit, tablets, supply or when it is for,
    # or about who prescribes. It is put right by changing the order, on the page itself.
    assert asking - answered == {
        "B-D1-01", "B-D1-02", "B-DP-03", "B-DP-05", "B-DP-07", "B-FD-01", "B-LY-02", "B-LY-03",
        "B-LY-04", "B-MX-01", "B-MX-02", "B-MX-03", "B-SW-02", "B-TI-01", "B-TI-02", "M-D1-02",
        "M-D1-05", "M-D1-06", "M-D1-07", "M-D1-08", "M-D1-10", "M-D1-11", "M-FD-01", "M-FD-02",
        "M-MX-06", "M-MX-07", "M-MX-08", "M-TI-02", "M-TI-03", "M-TI-04", "M-TI-05", "M-TI-06",
        "P-10", "S-01", "S-03", "S-06", "U-01", "U-02", "U-03", "U-04", "U-05", "U-06", "U-07",
        "U-08",
    }  # fmt: skip


def test_a_decision_that_would_be_stopped_now_says_not_to_give_it(clinic, nurse):
    from tests.factories.prescriptions import an_observation

    patient = an_assessed_patient(clinic)
    decision = a_decision(clinic.act(), patient, "25")
    act = clinic.act()
    an_observation(act, patient, sedation="3")
    act.session.close()

    page = nurse.get(f"/patients/{patient}/prescribing/decisions/{decision}")

    assert "Do not give this dose" in text_of(page) and "G-IN-01" in text_of(page)


def test_a_decision_is_withdrawn_with_a_reason(clinic, prescriber):
    patient = an_assessed_patient(clinic)
    decision = a_decision(clinic.act(), patient, "25")
    at = f"/patients/{patient}/prescribing/decisions/{decision}/withdraw"

    short = prescriber.post(at, data={"reason": "no"})
    prescriber.post(at, data={"reason": "Patient left before dosing"})

    assert short.status_code == 422
    assert rows(clinic, DoseDecision)[0].withdrawn_by == prescriber.staff_id


def test_a_nurse_cannot_open_the_dose_page_and_another_site_cannot_look(clinic, nurse, door):
    patient = an_assessed_patient(clinic)
    stranger = door.by_page("prescriber", level="prescriber")

    assert nurse.get(f"/patients/{patient}/prescribing/dose").status_code == 403
    assert stranger.get(f"/patients/{patient}/prescribing").status_code in (302, 303, 403)


def test_the_first_page_lists_who_waits(clinic, prescriber):
    an_assessed_patient(clinic)

    assert "Observed today: no dose decision yet" in text_of(prescriber.get("/"))
    assert "MORGAN, Dewi" in text_of(prescriber.get("/prescribing"))


def test_every_look_is_audited(clinic, prescriber):
    patient = an_assessed_patient(clinic)
    decision = a_decision(clinic.act(), patient, "25")
    before = len(rows(clinic, AuditEntry))

    prescriber.get(f"/patients/{patient}/prescribing")
    prescriber.get(f"/patients/{patient}/prescribing/decisions/{decision}")

    new = rows(clinic, AuditEntry)[before:]
    assert [(row.action, row.patient_id) for row in new] == [("prescribing.read", patient)] * 2


def test_every_score_of_cows_is_offered_and_no_other(clinic, nurse):
    patient = a_patient(clinic.act())

    page = nurse.get(f"/patients/{patient}/prescribing/record/observation").get_data(as_text=True)

    for item in COWS_ITEMS:
        offered = re.findall(rf'name="cows_{item.name}" type="radio" value="(\d)"', page)
        assert [int(each) for each in offered] == list(item.scores)
