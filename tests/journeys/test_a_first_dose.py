"""From an empty service to a first dose seen to be swallowed, by keyboard alone."""

from __future__ import annotations

from datetime import date

import pytest

from tests.journeys import steps

TODAY = date(2026, 11, 4)


def order(keys, dose: str) -> None:
    keys.follow("Decide on a dose")
    keys.pick("Product", "Methadone oral solution")
    keys.choose("Induction", "This order is")
    keys.fill("Dose taken at one time", dose)
    keys.choose("milligrams", "Unit")
    keys.fill("How many such doses", "1")
    keys.fill_day("First collected or taken on", TODAY)
    keys.choose("Yes", "Taken under supervision?")
    keys.press("Check this dose")


def review(keys) -> None:
    """Seen today, and the dose stands."""
    keys.follow("Titration and reviews")
    keys.follow("Record a review")
    keys.choose("Hold", "Decision")
    keys.choose("Still using", "Main reason")
    keys.fill("What was found", "In withdrawal this morning, awake, nothing speaks against it")
    keys.choose("Seen in person", "How were they seen?")
    keys.fill_day("Next review or contact", date(2026, 11, 5))
    keys.press("Save the review")
    assert "The review is recorded" in keys.text


@pytest.mark.browser
def test_a_first_dose_is_assessed_for_stopped_lowered_saved_and_taken(desk):
    keys = desk.keyboard

    # Given a community service with a prescriber.
    desk.set_up("Taff Vale", "Community service")
    desk.engage("hughes", "Dr Owen Hughes", "Prescriber", level="Prescriber")
    desk.change_to("hughes")
    keys.open("/patients/register")
    keys.fill("Family name", "Calder")
    keys.fill("Given name", "Jade")
    keys.fill_day("Date of birth", date(1990, 2, 14))
    keys.choose("Female", "Sex")
    keys.press("Register")
    keys.follow("Prescribing")

    # When nothing is assessed, no dose can be checked, and every missing fact is named.
    assert "A dose cannot be checked until these are recorded" in keys.text
    keys.follow("Open the assessment")
    steps.assess(keys, TODAY, tolerance="Low")
    keys.open("/patients/1/prescribing")
    assert "A dose cannot be checked" not in keys.text

    # And a first dose over the limit is stopped: there is no button to save it.
    order(keys, "60")
    assert keys.heading == "This dose cannot be saved"
    assert "Save this decision" not in keys.text
    keys.follow("Cancel")

    # And none is saved before a prescriber has signed what the assessment came to.
    keys.open("/patients/1/assessment")
    steps.sign(keys)
    keys.open("/patients/1/prescribing")

    # Then a dose within it is saved with a reason for its alerts, and not without one,
    order(keys, "25")
    assert keys.heading == "Check this dose"
    keys.press("Save this decision")
    assert "Choose a reason for going on" in keys.text
    keys.choose("", "Reason for going on")
    keys.fill("Say why", "Discussed with her today; naloxone is offered at the next visit")
    keys.press("Save this decision")
    assert "The decision is saved" in keys.text

    # and it is given only once the place is set, the dose reviewed and the person looked at,
    keys.follow("Give a dose")
    keys.choose("Taken, all of it", "What became of the dose?")
    keys.press("Save")
    assert "This dose may not be given" in keys.text
    assert "Nobody has looked for intoxication today" in keys.text
    keys.follow("Where doses are taken")
    keys.pick("Where are the doses taken?", "Here")
    keys.fill_day("From which day on?", TODAY)
    keys.press("Save")
    review(keys)
    keys.follow("Doses at the hatch")
    keys.follow("Give a dose")
    keys.choose("Asked for name and date of birth", "Who is this?")
    keys.choose("No signs of intoxication", "How do they seem?")
    keys.choose("Taken, all of it", "What became of the dose?")
    keys.press("Save")
    assert "The dose is recorded" in keys.text

    # once: going back and sending it again changes nothing.
    keys.page.go_back()
    keys.choose("Asked for name and date of birth", "Who is this?")
    keys.choose("No signs of intoxication", "How do they seem?")
    keys.choose("Taken, all of it", "What became of the dose?")
    keys.press("Save")
    assert "Nothing was added: do not give it again" in keys.text
