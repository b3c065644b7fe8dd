"""A first dose from assessment to swallow, in Chromium, and every page of it readable by all."""

from __future__ import annotations

import pytest

from tests.factories.base import a_patient
from tests.factories.consumption import ready_for_a_dose
from tests.factories.prescriptions import COWS_14, Clinic, a_clinic, an_assessed_patient

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True),
]
"""What a browser makes of a page does not depend on the database."""


@pytest.fixture
def clinic(served, clock) -> Clinic:
    return a_clinic(served.database)


def sign_in(served, page, clinic, role="prescriber"):
    served.door.in_browser(page, served.url, role, site=clinic.site, level="prescriber")


def fill_moment(page, name, time="09:00"):
    for box, value in (("day", "4"), ("month", "11"), ("year", "2026"), ("time", time)):
        page.fill(f"[name={name}-{box}]", value)


def fill_day(page, name, day="4"):
    for box, value in (("day", day), ("month", "11"), ("year", "2026")):
        page.fill(f"[name={name}-{box}]", value)


def state(page, dose):
    page.select_option("[name=product]", "methadone_oral_solution")
    page.check("[name=phase][value=induction]")
    page.fill("[name=dose]", dose)
    page.check("[name=unit][value=mg]")
    page.fill("[name=doses_remaining_today]", "1")
    fill_day(page, "collect_on")
    page.check("[name=supervised][value=yes]")
    page.click("text=Check this dose")


def test_a_first_dose_is_decided_on_and_recorded_without_scripts(served, no_scripts_page, clinic):
    page = no_scripts_page
    patient = an_assessed_patient(clinic)
    sign_in(served, page, clinic)
    page.goto(f"{served.url}/patients/{patient}/prescribing")

    page.click("text=Decide on a dose")
    state(page, "60")
    assert page.locator("h1").inner_text() == "This dose cannot be saved"
    page.click("text=Change the order")
    assert page.input_value("[name=dose]") == "60"
    page.fill("[name=dose]", "25")
    page.click("text=Check this dose")
    page.click("text=Save this decision")
    assert "The decision is saved." in page.inner_text("main")

    act = clinic.act()
    ready_for_a_dose(act, patient)
    act.session.close()
    page.click("text=Give a dose")
    page.check("[name=identity][value=name_and_birth]")
    page.check("[name=intoxication][value=clear]")
    page.check("[name=outcome][value=taken]")
    page.click("button:text('Save')")
    assert "The dose is recorded." in page.inner_text("main")
    assert "25 mg Methadone oral solution" in page.inner_text("main")


@pytest.mark.proof  # the short form has the crawl, which shows axe each of these pages
def test_every_page_of_prescribing_is_accessible(served, page, clinic, axe):
    nobody = a_patient(clinic.act())
    patient = an_assessed_patient(clinic, substance_use=["alcohol"])
    sign_in(served, page, clinic)
    base = f"{served.url}/patients/{patient}/prescribing"

    for address in (
        f"{served.url}/", f"{served.url}/prescribing",
        f"{served.url}/patients/{nobody}/prescribing", base, f"{base}/record/medical_history",
        f"{base}/record/assessment/consent", f"{base}/record/drug_test", f"{base}/dose",
        f"{served.url}/patients/{patient}/doses/elsewhere",
    ):  # fmt: skip
        page.goto(address)
        axe(page)

    page.goto(f"{base}/record/observation")
    page.select_option("[name=withdrawal_scale]", "cows")
    for name, score in COWS_14.items():
        page.check(f"[name=cows_{name}][value='{score}']")
    axe(page)
    page.click("button:text('Save')")
    assert "COWS total 14." in page.inner_text("main")

    page.goto(f"{base}/dose")
    state(page, "25")
    axe(page)
    page.click("text=Save this decision")
    assert page.title().startswith("Error: ")
    axe(page)
    page.check("[name=reason_code][value=benefit]")
    page.fill("[name=reason]", "Seen with the team today")
    page.click("text=Save this decision")
    axe(page)
    decision = page.url
    page.goto(f"{decision}/withdraw")
    axe(page)


def test_the_page_of_rules_is_accessible_and_a_rule_has_its_own_address(served, page, clinic, axe):
    sign_in(served, page, clinic, "nurse")

    page.goto(f"{served.url}/rules?q=M-FD#M-FD-01")

    axe(page)
    assert page.locator("#M-FD-01").is_visible()
