"""A day at the hatch by keyboard alone, and every page of it readable by all, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from clinic.consumption import commands, gates
from clinic.patients.models import Patient
from tests.factories.base import NOW, a_member_of_staff
from tests.factories.consumption import CHECKED, a_dose, a_pharmacy, a_place, ready_for_a_dose
from tests.factories.prescriptions import (
    Clinic,
    a_clinic,
    a_decision,
    a_lead,
    a_supply,
    an_assessed_patient,
)
from tests.support.keyboard import Keyboard

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True),
]
"""What a browser makes of a page does not depend on the database."""

DAY = timedelta(days=1)
TODAY = NOW.date()
GLASS = {"reason_code": "nobody_to_review", "reason": "Dr Pugh reviewed by phone, line then lost"}
STICKS_OUT = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def clinic(served: Any, clock: Any) -> Clinic:
    clock.set(NOW + timedelta(minutes=10))
    return a_clinic(served.database)


def somebody(clinic: Clinic, family_name: str, **supply: Any) -> tuple[int, int]:
    """Named so; their dose of yesterday taken, or today's the first when no supply is said."""
    first = NOW - 2 * DAY if supply else NOW
    patient = an_assessed_patient(clinic, at=first, children_at_home=True)
    with clinic.database.transaction() as session:
        session.get_one(Patient, patient).family_name = family_name
    act = clinic.act(at=first)
    ready_for_a_dose(act, patient)
    act.session.close()
    act = clinic.act(at=first)
    decision = a_decision(act, patient, "25", supply=a_supply(first, **supply))
    act.session.close()
    return patient, decision


def missed_yesterday(clinic: Clinic) -> tuple[int, int]:
    """Took the first dose, missed yesterday's, and was reviewed this morning."""
    patient, decision = somebody(clinic, "Vaughan", daily_until_on="2026-11-17", take_home_days=1)
    act = clinic.act(clinic.nurse, at=NOW - 2 * DAY)
    a_dose(act, patient, decision)
    act.session.close()
    act = clinic.act(clinic.nurse, at=NOW - DAY)
    commands.record_dose(act, patient, decision, outcome="missed")
    act.session.close()
    act = clinic.act(clinic.nurse)
    ready_for_a_dose(act, patient)
    act.session.close()
    return patient, decision


@pytest.mark.proves("RP-33")
def test_a_day_at_the_hatch_by_keyboard(
    served: Any, page: Page, clinic: Clinic, clock: Any
) -> None:
    missing, _ = missed_yesterday(clinic)
    somebody(clinic, "Bowen")
    served.door.in_browser(page, served.url, "nurse", site=clinic.site, name="Nia Lloyd")
    keys = Keyboard(page, served.url)

    # Given the first page, on which whoever missed a dose stands first.
    keys.open("/")
    assert keys.text.index("VAUGHAN") < keys.text.index("BOWEN")
    keys.follow("Today's board")
    assert "2 still to come, 0 done" in keys.text

    # When the nurse gives the dose without having looked, it is refused at the gate.
    keys.follow("VAUGHAN")
    keys.follow("Give a dose")
    keys.choose("Asked for name", "Who is this?")
    keys.choose("Taken, all of it", "What became of the dose?")
    keys.press("Save")
    assert "This dose may not be given. Nobody has looked for intoxication today." in keys.text

    # And given once they have looked.
    keys.choose("No signs", "How do they seem?")
    keys.press("Save")
    assert "The dose is recorded." in keys.text

    # It was wrong: half of it was spilt. The old record stays.
    clock.forward(minutes=2)
    keys.follow("Put right")
    keys.choose("Taken in part", "What became of the dose?")
    keys.unfold("Taken in part")
    keys.fill("If in part, how much was swallowed?", "12.5")
    keys.choose("Spilt", "What happened to the rest?")
    keys.fill("Why is the record wrong?", "Half of the cup was spilt")
    keys.press("Put it right")
    assert "The old record stays, struck out" in keys.text
    assert "12.5 mg" in keys.text and "Half of the cup was spilt" in keys.text

    # The day is closed by name, and opened again.
    keys.open("/doses")
    keys.follow("Close the day")
    keys.tick("BOWEN")
    keys.press("Record those ticked as missed")
    assert "1 dose recorded as missed" in keys.text
    keys.fill("Why?", "He came in after all")
    keys.press("Take all of it back")
    assert "They are to attend again." in keys.text
    assert "1 still to come, 1 done" in keys.text


@pytest.mark.proof  # the short form has the crawl, which shows axe each of these pages
def test_every_page_of_the_hatch_is_accessible_wide_and_narrow(
    served: Any, page: Page, clinic: Clinic, axe: Callable[[Page], None]
) -> None:
    a_lead(clinic)
    missing, decision = missed_yesterday(clinic)
    other, first = somebody(clinic, "Bowen")
    act = clinic.act(clinic.nurse)
    pharmacy = a_pharmacy(act)
    a_place(act, missing, kind="pharmacy", premises_id=pharmacy, from_on=TODAY + DAY)
    gates.break_glass(act, other, first, None, **GLASS)
    act.session.close()
    act = clinic.act(clinic.nurse, at=NOW + timedelta(minutes=5))
    given = commands.record_dose(act, missing, decision, outcome="taken", **CHECKED).id
    act.session.close()
    worker = a_member_of_staff(clinic.database, clinic.site, "pharmacist", name="Leila Haddad")
    served.door.in_browser(
        page, served.url, "prescriber", "administrator", site=clinic.site, post="clinical_lead"
    )
    of = f"/patients/{other}/doses"
    his = f"/patients/{missing}/doses"

    for path in (
        "/", "/doses", f"/doses/{TODAY}/missed", f"/doses/{TODAY}/print", "/doses/sheet",
        "/doses/gates-passed", "/doses/gates-passed/1", f"/staff/{worker.id}/pharmacies",
        of, f"{of}/give/{first}", f"{of}/place", f"{of}/incident", f"{of}/elsewhere",
        his, f"{his}/give/{decision}", f"{his}/take-home/{decision}", f"{his}/{given}/correct",
        f"{his}/{given}/vomited", f"{his}/{given}/strike",
    ):  # fmt: skip
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.goto(served.url + path).status == 200, path  # type: ignore[union-attr]
            axe(page)
            assert page.evaluate(STICKS_OUT) <= 0, (path, width)
