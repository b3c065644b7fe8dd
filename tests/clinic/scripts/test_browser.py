"""A form drafted, issued, printed and replaced by keyboard alone, and every page readable by all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pypdf
import pytest
from playwright.sync_api import Page

from clinic.prescriptions.commands import withdraw_decision
from clinic.scripts import commands
from clinic.staff.models import Staff
from tests.factories.base import NOW
from tests.factories.scripts import (
    DAILY,
    ScriptClinic,
    a_draft,
    a_script_clinic,
    an_issued_script,
    somebody_dosed,
)
from tests.support.keyboard import Keyboard

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True),
]
"""What a browser makes of a page does not depend on the database."""

TODAY = date(2026, 11, 4)


@pytest.fixture
def clinic(served: Any, clock: Any) -> ScriptClinic:
    return a_script_clinic(served.database)


def sign_in(served: Any, page: Page, clinic: ScriptClinic) -> None:
    staff_id, _ = served.door.in_browser(
        page, served.url, "prescriber", site=clinic.site, level="prescriber", name="Dr Ann Probert"
    )
    with clinic.database.transaction() as session:
        session.get_one(Staff, staff_id).registration = "GMC 9990003"


def write(keys: Keyboard, *, closed_day: bool) -> None:
    keys.choose("WP10MDA", "Which form?")
    keys.tick("Decision 1")
    keys.fill_day("First dose on", TODAY)
    keys.fill_day("Last dose on", TODAY + timedelta(days=6))
    keys.fill("Strength in mg per ml", "1")
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"):
        keys.tick(day)
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"):
        keys.tick(day)
    keys.pick("Pharmacy", "Bridge Pharmacy")
    if closed_day:
        keys.tick("Please dispense instalments due on pharmacy closed days")
    keys.tick("Consult the prescriber")
    keys.tick("Supervise consumption")
    keys.fill("Patient's address", "No fixed abode")
    keys.press("Save the draft")


@pytest.mark.proves("RP-36")
def test_a_form_is_written_issued_printed_and_cancelled_by_keyboard(
    served: Any, page: Page, clinic: ScriptClinic
) -> None:
    patient_id, _ = somebody_dosed(clinic)
    sign_in(served, page, clinic)
    keys = Keyboard(page, served.url)

    # Given somebody with a dose for two weeks, and a form drafted without the closed-day wording.
    keys.open(f"/patients/{patient_id}/prescription-forms")
    keys.follow("Write a prescription form")
    write(keys, closed_day=False)
    assert "Needed" in keys.text
    assert "Moved because the pharmacy is closed: Sun 8 Nov 2026 to Sat 7 Nov 2026" in keys.text

    # When it is issued, it is refused until the wording is there.
    keys.press("Issue this form")
    assert "must include" in keys.text
    keys.follow("Change this draft")
    keys.tick("Please dispense instalments due on pharmacy closed days")
    keys.press("Save the draft")
    keys.press("Issue this form")
    assert "Issued. Print it, and sign the paper by hand." in keys.text
    assert "210 ml (two hundred and ten millilitres), 210 mg" in keys.text

    # Then it is printed once, and the paper says the same.
    keys._to("Print to sign", "button")
    with page.expect_download() as printed:
        page.keyboard.press("Enter")
    text = "".join(each.extract_text() for each in pypdf.PdfReader(printed.value.path()).pages)
    assert "210 ml (two hundred and ten millilitres), which is 210 mg" in text
    keys.open(f"/patients/{patient_id}/prescription-forms/1")
    assert "Print to sign" not in keys.text

    # And cancelled from an instalment on, with the call to the pharmacy waited for.
    keys.follow("Cancel this form")
    keys.pick("Cancelled from the doses of", "Mon 9 Nov 2026")
    keys.fill("Why?", "Taken into hospital today")
    keys.press("Cancel form 1")
    assert "The pharmacy has not been told" in keys.text
    keys.follow("Record the call")
    keys.fill("Who took the call?", "Mr Rees")
    keys.press("Record the call")
    assert "The call is recorded." in keys.text
    assert "The pharmacy has not been told" not in keys.text


@pytest.mark.proof  # the short form has the crawl, which shows axe each of these pages
def test_every_page_of_prescription_forms_is_accessible(
    served: Any, page: Page, clinic: ScriptClinic, axe: Callable[[Page], None]
) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    draft = a_draft(act, clinic, patient_id, decision_id, directions=[], days=_away())
    issued = an_issued_script(act, clinic, patient_id, decision_id, to_on=TODAY)
    ended = an_issued_script(
        act, clinic, patient_id, decision_id, from_on=TODAY + timedelta(days=1),
        to_on=TODAY + timedelta(days=13),
    )  # fmt: skip
    commands.cancel_script(
        act, patient_id, ended, from_on=TODAY + timedelta(days=1), reason="Written twice by mistake"
    )
    withdraw_decision(clinic.act(at=NOW), patient_id, decision_id, "Stopped by the patient")
    act.session.close()
    sign_in(served, page, clinic)
    base = f"/patients/{patient_id}/prescription-forms"

    for path in (
        "/prescription-forms", base, f"{base}/new", f"{base}/collections/new", f"{base}/{draft}",
        f"{base}/{draft}/edit", f"{base}/{issued}", f"{base}/{issued}/cancel",
        f"{base}/{issued}/sheet", f"{base}/{issued}/patient", f"{base}/{issued}/replace",
        f"{base}/{ended}", f"{base}/{ended}/call",
    ):  # fmt: skip
        assert page.goto(served.url + path).status == 200, path  # type: ignore[union-attr]
        axe(page)


def _away() -> dict[str, str]:
    return dict.fromkeys(DAILY, "taken_away")
