"""A day of titration on site by keyboard alone: reviewed, watched, on the board, planned for, drawn."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.factories.base import NOW
from tests.factories.prescriptions import (
    a_clinic,
    a_decision,
    a_dose_taken,
    an_assessed_patient,
)
from tests.support.keyboard import Keyboard


@pytest.mark.browser
@pytest.mark.proves("RP-12", "RP-34", "RP-35")
def test_somebody_is_reviewed_watched_and_planned_for_by_keyboard(served, clock, page, axe):
    # Given a service with on-site titration, and somebody assessed this morning.
    clinic = a_clinic(
        served.database,
        features=("specialist_service", "supervised_dispensing", "on_site_titration_protocol"),
    )
    person = an_assessed_patient(clinic)
    keys = Keyboard(page, served.url)
    served.door.in_browser(page, served.url, "prescriber", site=clinic.site, level="prescriber")

    # When the prescriber reviews them, the facts stand above the form and nothing is preset;
    keys.open(f"/patients/{person}/titration")
    keys.follow("Record a review")
    axe(page)
    keys.press("Save the review")
    assert "There is a problem" in keys.text
    keys.choose("Start", "Decision")
    keys.choose("Withdrawal before", "Main reason")
    keys.fill("What was found", "Marked withdrawal, no sedation, breath clear")
    keys.choose("Seen in person", "How were they seen?")
    keys.tick("Wed 4 Nov 2026, 09:00: COWS 14")
    keys.fill_day("Next review or contact", date(2026, 11, 5))
    keys.press("Save the review")

    # then a change of dose is the prescriber's own decision, stated on the order.
    assert "The review is recorded: start. State the dose." in keys.text
    assert page.url.endswith(f"/patients/{person}/prescribing/dose")
    act = clinic.act()
    decision = a_decision(act, person, "20")
    act.session.close()
    a_dose_taken(clinic.act(clinic.nurse), person, decision)

    # When nobody has looked 80 minutes after the dose, the board says so in words,
    clock.set(NOW + timedelta(minutes=80))
    served.door.in_browser(page, served.url, "nurse", site=clinic.site)
    keys.open("/titration/board")
    assert "Overdue by 5 min: look 1 hour after the dose" in keys.text
    assert "Not before 12:00, with a reason until 13:00" in keys.text
    axe(page)

    # and the nurse records what is seen from the sheet.
    keys.follow("MORGAN, Dewi")
    assert "Overdue" in keys.text
    axe(page)
    keys.follow("Record an observation")
    keys.choose("2: slightly drowsy", "Sedation")
    keys.press("Save")
    assert "The observation is recorded." in keys.text and "Done late" in keys.text

    # Then contact is planned for the day after next, and the chart shows the day.
    keys.follow("Titration and reviews")
    keys.follow("Plan contact")
    keys.choose("Spoken to by phone", "How?")
    keys.fill_day("Which day?", date(2026, 11, 6))
    keys.press("Save")
    assert "The contact is planned." in keys.text
    axe(page)
    keys.follow("Charts of dose")
    assert "Attendance: taken on 1 day." in keys.text
    axe(page)


@pytest.mark.browser
def test_the_board_refreshes_itself_until_it_is_stopped(served, clock, page):
    clinic = a_clinic(served.database, features=("supervised_dispensing",))
    person = an_assessed_patient(clinic)
    keys = Keyboard(page, served.url)
    served.door.in_browser(page, served.url, "nurse", site=clinic.site)
    page.clock.install()
    keys.open("/titration/board")
    assert "Nobody is being titrated now." in keys.text

    act = clinic.act()
    decision = a_decision(act, person, "20")
    act.session.close()
    a_dose_taken(clinic.act(clinic.nurse), person, decision)
    page.clock.run_for(61_000)

    page.get_by_text("MORGAN, Dewi").wait_for()
    page.locator("#board-pause").press("Enter")
    assert page.locator("#board-pause").inner_text() == "Refresh by itself"


@pytest.mark.browser
def test_the_board_works_without_scripts(served, clock, no_scripts_page):
    clinic = a_clinic(served.database, features=("supervised_dispensing",))
    served.door.in_browser(no_scripts_page, served.url, "nurse", site=clinic.site)

    no_scripts_page.goto(f"{served.url}/titration/board")

    assert "This page refreshes itself every 60 seconds." in no_scripts_page.inner_text("main")
    no_scripts_page.get_by_role("link", name="Stop refreshing").click()
    assert "Refresh by itself" in no_scripts_page.inner_text("main")
