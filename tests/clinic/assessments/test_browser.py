"""An assessment finished and signed by keyboard, in a service under a rapid model."""

from __future__ import annotations

from datetime import date

import pytest

from tests.factories.assessments import a_claim, a_rapid_clinic, somebody_assessed
from tests.factories.prescriptions import an_entry
from tests.support.keyboard import Keyboard


@pytest.fixture
def engine_name():
    """One engine: this is about the pages; the commands are proved on both."""
    return "sqlite"


@pytest.mark.browser
@pytest.mark.proves("RP-20", "RP-37", "DR-07")
def test_a_risk_is_met_with_an_action_and_the_outcome_signed_by_keyboard(served, page, axe, clock):
    clinic = a_rapid_clinic(served.database)
    patient = somebody_assessed(clinic)
    act = clinic.act()
    an_entry(act, patient, "risk", {"risk": "no_home"})
    claim = a_claim(act, patient, "40", "2026-09-03", "2026-10-02")
    act.session.close()
    served.door.in_browser(
        page, served.url, "prescriber", site=clinic.site, level="prescriber", name="Dr Elin Price"
    )
    keys = Keyboard(page, served.url)

    # Given an assessment with a risk nobody has acted on, which the first page leads to,
    keys.open("/")
    assert "No action yet: No safe place to live" in keys.text
    keys.open(f"/patients/{patient}/assessment")
    assert "Risk without action" in keys.text and "No first dose can be saved yet" in keys.text
    axe(page)

    # when an action, its owner and its day are recorded, and a case manager is named,
    keys.follow("No safe place to live")
    keys.choose("Referral for housing", "Action")
    keys.pick("Who sees to it?", "Nia Lloyd")
    keys.fill_day("By when", date(2026, 11, 6))
    axe(page)
    keys.press("Save")
    assert "Risk without action" not in keys.text
    keys.follow("Keyworker or case manager")
    keys.choose("Case manager", "Named as")
    keys.pick("Who?", "Nia Lloyd")
    keys.press("Save")
    assert "Nia Lloyd" in keys.text

    # and a prescriber signs the outcome, told first what is missing,
    keys.follow("Outcome, signed by a prescriber")
    keys.choose("Suitable for a rapid start", "Outcome")
    keys.press("Save")
    assert "There is a problem" in keys.text
    axe(page)
    keys.choose("Methadone", "Medicine planned")
    keys.press("Save")

    # then nothing is in the way of a first dose, and each other page reads well.
    assert "No first dose can be saved yet" not in keys.text
    for path in ("assessment", "assessment/continuity", "assessment/help",
                 "prescribing/record/observation", "prescribing/record/consent",
                 f"prescribing/record/confirmation/{claim}",
                 "prescribing/record/help/overdose_reminder", "prescribing"):  # fmt: skip
        keys.open(f"/patients/{patient}/{path}")
        axe(page)
