"""A clinical lead reads, signs, tightens and reviews in Chromium, and takes each of them back."""

from __future__ import annotations

import pytest

from tests.factories.prescriptions import Clinic, a_clinic, a_decision, an_assessed_patient

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True),
]
"""What a browser makes of a page does not depend on the database."""


@pytest.fixture
def clinic(served, clock) -> Clinic:
    return a_clinic(served.database)


def sign_in(served, page, clinic):
    served.door.in_browser(
        page, served.url, "prescriber", site=clinic.site, post="clinical_lead", level="experienced",
        name="Dr Mair Ellis",
    )  # fmt: skip


def test_a_limit_is_tightened_and_put_back_without_scripts(served, no_scripts_page, clinic):
    page = no_scripts_page
    sign_in(served, page, clinic)
    page.goto(f"{served.url}/rules?q=first+dose+above&severity=STOP&medicine=methadone")

    page.click("text=M-FD-02")
    page.click("text=Make stricter >> nth=0")
    page.fill("[name=value]", "45")
    page.fill("[name=reason]", "Two near misses in October")
    page.click("button:text('Save')")
    assert "less than as shipped (above 40 mg)" in page.inner_text(".nhsuk-error-summary")
    assert page.input_value("[name=reason]") == "Two near misses in October"
    page.fill("[name=value]", "24")
    page.click("button:text('Save')")
    assert "Here: above 24 mg" in page.inner_text("main")

    patient = an_assessed_patient(clinic)
    page.goto(f"{served.url}/patients/{patient}/prescribing/dose")
    page.select_option("[name=product]", "methadone_oral_solution")
    page.check("[name=phase][value=induction]")
    page.fill("[name=dose]", "25")
    page.check("[name=unit][value=mg]")
    page.fill("[name=doses_remaining_today]", "1")
    for box, value in (("day", "4"), ("month", "11"), ("year", "2026")):
        page.fill(f"[name=collect_on-{box}]", value)
    page.check("[name=supervised][value=yes]")
    page.click("text=Check this dose")
    assert "This site's tighter limit: above 24 mg, as shipped 40" in page.inner_text("main")
    page.click("a:text('M-FD-02')")

    page.click("text=Back to as shipped")
    page.fill("[name=reason]", "The audit is finished")
    page.click("button:text('Go back to it')")
    assert "Here:" not in page.inner_text("main")
    assert page.locator("caption:text('Changes at this site') ~ tbody tr").count() == 2


def test_a_rule_is_signed_and_the_signature_withdrawn(served, page, clinic):
    sign_in(served, page, clinic)
    page.goto(f"{served.url}/rules/M-FD-02")

    page.click("text=Sign this >> nth=0")
    page.click("main button:text('Sign')")
    assert "registration number" in page.inner_text(".nhsuk-error-summary")
    page.fill("[name=registration]", "GMC 1234567")
    page.click("main button:text('Sign')")
    assert "GMC 1234567" in page.inner_text("table.app-versions")

    page.click("text=Withdraw")
    page.fill("[name=reason]", "Signed the wrong rule by mistake")
    page.click("button:text('Withdraw it')")
    assert "unsigned again" in page.inner_text("main")
    assert "Signed the wrong rule by mistake" in page.inner_text("main")


@pytest.mark.proof  # the short form has the crawl, which shows axe each of these pages
def test_every_page_of_the_rule_book_is_accessible(served, page, clinic, axe):
    patient = an_assessed_patient(clinic, substance_use=["alcohol"])
    a_decision(clinic.act(), patient, "25")
    sign_in(served, page, clinic)

    for address in (
        "/", "/rules?family=supply", "/rules/M-FD-05", "/rules/tolerance", "/rules/AS-06",
        "/rules/to-sign?set=era-2003", "/rules/tightened",
        "/rules/hazards", "/rules/M-FD-05/try/1", "/rules/M-FD-05/sign/uk-2017",
        "/rules/M-FD-05/tighten/uk-2017/above_mg", "/overrides", "/overrides/rates",
    ):  # fmt: skip
        assert page.goto(served.url + address).ok, address
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            axe(page)
    page.goto(f"{served.url}/rules/M-FD-05")
    page.click("text=Try its examples now")
    assert "did as they say" in page.inner_text("[role=status]")
    axe(page)

    page.goto(f"{served.url}/overrides")
    page.click("text=Override 1")
    page.fill("[name=comment]", "Reasonable with the plan made")
    axe(page)
    page.click("button:text('Record this review')")
    assert "Reasonable with the plan made" in page.inner_text("main")
    assert "None of the last 90 days waits" in page.goto(served.url).text()
