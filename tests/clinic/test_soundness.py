"""A rule that fails its own worked examples shuts its medicine, and no other."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from clinic import create_app, soundness
from clinic.errors import NotReady
from config.settings import Settings
from dosing import complexity
from dosing.check import rulebook
from dosing.complexity import REASONS
from dosing.examples import run_examples
from scheduling import practice_examples
from tests.factories.assessments import a_claim, a_rapid_clinic, confirmed, somebody_assessed
from tests.factories.prescriptions import (
    a_clinic,
    a_decision,
    an_assessed_patient,
    an_order,
    an_outcome,
)


def a_broken_rule(rule: str) -> list[str]:
    """What a start finds with one limit of this rule out of place."""
    version = next(v for v in rulebook().rules[rule].versions if v.set == "uk-2017")
    moved = {
        name: value + 1 if isinstance(value, Decimal) else value
        for name, value in version.limits.items()
    }
    return run_examples(rulebook().with_versions([replace(version, limits=moved)]))


@pytest.fixture
def broken(app, monkeypatch):
    def use(rule):
        monkeypatch.setitem(app.extensions, "rule_failures", a_broken_rule(rule))

    return use


@pytest.mark.parametrize(
    ("rule", "shut"),
    [
        ("M-FD-02", {"methadone": ["M-FD-02"]}),
        ("B-FD-01", {"buprenorphine": ["B-FD-01"]}),
        ("G-AG-01", {"methadone": ["G-AG-01"], "buprenorphine": ["G-AG-01"]}),
    ],
)
def test_a_broken_rule_shuts_the_medicine_it_speaks_of(app, broken, rule, shut):
    broken(rule)

    assert soundness.failing_rules(app) == shut


def test_no_dose_of_that_medicine_is_saved_and_another_is(app, database, clock, broken):
    clinic = a_clinic(database)
    broken("B-FD-01")
    buprenorphine = {
        "product": "buprenorphine_sublingual", "phase": "induction", "dose_mg": "4",
        "stocked_strengths_mg": ["0.4", "2", "8"],
    }  # fmt: skip

    with app.app_context():
        with pytest.raises(NotReady, match=r"B-FD-01.*No dose of buprenorphine"):
            planned = an_assessed_patient(clinic, medicine="buprenorphine")
            a_decision(clinic.act(), planned, order=buprenorphine)
        assert a_decision(clinic.act(), an_assessed_patient(clinic), "25")


@pytest.fixture
def fewer_illnesses(app, monkeypatch):
    """The start of a service whose list of major illnesses lost all but one."""
    reasons = {**REASONS, "CX-06": {**REASONS["CX-06"], "conditions": ["coma"]}}
    monkeypatch.setattr(complexity, "REASONS", reasons)
    lines = [line for line in practice_examples.try_examples() if line]
    monkeypatch.undo()
    monkeypatch.setitem(app.extensions, "rule_failures", lines)


def test_a_broken_rule_of_complexity_holds_first_doses_and_no_dose_on_treatment(
    app, client, database, clock, fewer_illnesses
):
    clinic = a_rapid_clinic(database)
    new = somebody_assessed(clinic)
    an_outcome(clinic.act(), new)
    on_treatment = somebody_assessed(clinic)
    claim = a_claim(clinic.act(), on_treatment, "40", "2026-09-03", "2026-11-03")
    confirmed(clinic.act(), on_treatment, claim)
    continued = an_order("40", phase="continuation")

    with app.app_context():
        with pytest.raises(NotReady, match=r"CX-06.*No first dose is saved"):
            a_decision(clinic.act(), new, "20")
        assert a_decision(clinic.act(), on_treatment, order=continued)

    assert client.get("/health/ready").json["shut"] == {"first doses": ["CX-06"]}


def test_everybody_is_told_that_first_doses_are_held(door, database, clock, fewer_illnesses):
    clinic = a_clinic(database)

    shown = door.by_page("nurse", site=clinic.site).get("/prescribing").text

    assert "No first dose can be saved." in shown and "CX-06" in shown
    assert "No dose of methadone" not in shown


@pytest.mark.parametrize("rule", ["IL-02", "MS-03"])
def test_a_broken_gate_or_step_of_missed_days_shuts_both_medicines(app, monkeypatch, rule):
    monkeypatch.setitem(app.extensions, "rule_failures", [f"{rule} (practice) answers open: no"])

    assert soundness.failing_rules(app) == {"methadone": [rule], "buprenorphine": [rule]}


def test_readiness_names_the_rule_and_the_medicine(client, broken):
    assert client.get("/health/ready").status_code == 200

    broken("M-FD-02")

    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json["shut"] == {"methadone": ["M-FD-02"]}


def test_while_the_examples_are_still_running_nothing_is_ready_and_nothing_is_saved(
    app, client, database, clock, monkeypatch
):
    clinic = a_clinic(database)
    patient = an_assessed_patient(clinic)
    monkeypatch.delitem(app.extensions, "rule_failures")
    monkeypatch.setitem(app.extensions, "rule_trial", threading.current_thread())

    with app.app_context(), pytest.raises(NotReady):
        a_decision(clinic.act(), patient, "25")

    assert client.get("/health/ready").status_code == 503


def test_a_service_that_has_just_started_answers_and_is_ready_once_the_examples_have_run(
    fresh_url, monkeypatch
):
    done = threading.Event()
    monkeypatch.setattr(soundness, "_run", lambda: [] if done.wait(60) else ["never"])
    app = create_app(Settings(mode="test", database_url=fresh_url))
    visitor = app.test_client()

    page, ready = visitor.get("/sign-in", follow_redirects=True), visitor.get("/health/ready")
    done.set()
    app.extensions["rule_trial"].join()

    assert (page.status_code, ready.status_code) == (200, 503)
    assert "still trying" in ready.json["detail"]
    assert visitor.get("/health/ready").status_code == 200


def test_a_worker_forked_while_the_examples_run_runs_them_itself(fresh_url, monkeypatch):
    started = []
    monkeypatch.setattr(soundness, "_run", lambda: started.append("trial") or [])
    app = create_app(Settings(mode="test", database_url=fresh_url))
    app.extensions["rule_trial"].join()
    del app.extensions["rule_failures"]  # as a fork finds it: the thread stayed with its parent

    app.test_client().get("/health/live")
    app.extensions["rule_trial"].join()

    assert started == ["trial", "trial"]
    assert app.test_client().get("/health/ready").status_code == 200


def test_outside_the_served_service_the_examples_are_run_too(database, monkeypatch):
    clinic = a_clinic(database)
    monkeypatch.setattr(
        soundness, "_run", lambda: ["M-FD-02 (uk-2017) fires on start: it does not"]
    )

    with pytest.raises(NotReady):
        a_decision(clinic.act(), an_assessed_patient(clinic), "25")


def test_everybody_who_may_see_doses_is_told_on_every_page(door, database, clock, broken):
    clinic = a_clinic(database)
    patient = an_assessed_patient(clinic)
    nurse = door.by_page("nurse", site=clinic.site)
    pages = ("/", "/prescribing", f"/patients/{patient}/prescribing")
    told = "No dose of methadone can be saved"
    assert all(told not in nurse.get(path).text for path in pages)

    broken("M-FD-02")

    for path in pages:
        shown = nurse.get(path).text
        assert told in shown and "M-FD-02" in shown
        assert "No dose of buprenorphine" not in shown
