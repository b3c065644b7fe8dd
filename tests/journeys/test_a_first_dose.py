"""From an empty service to a first dose seen to be swallowed, by keyboard alone."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinic.assessments.kinds import FINDING_ITEMS
from clinic.assessments.scales import COWS_ITEMS
from tests.factories.prescriptions import COWS_14

LISTED = (
    "Opioids used outside treatment: the list is whole",
    "Medicines, prescribed or bought: the list is whole",
)
TODAY = date(2026, 11, 4)


def assess(keys) -> None:
    """Everything the check has no default for, as a prescriber records it."""
    keys.follow("Open the assessment")
    for part in FINDING_ITEMS.values():
        keys.follow(part)
        keys.choose("Done, nothing of concern", "Outcome")
        keys.press("Save")
    keys.follow("Consent, and the information given")
    keys.choose("Consent given", "Decision")
    keys.tick("The medicine")
    keys.pick("In which language?", "English")
    keys.tick("Spoken")
    keys.press("Save")
    keys.follow("On-site urine or oral-fluid test")
    keys.choose("Urine", "Sample")
    keys.choose("On-site kit", "Tested by")
    keys.choose("Positive for opioids", "Result")
    keys.press("Save")
    keys.follow("Withdrawal, sedation, intoxication and alcohol")
    keys.pick("Withdrawal scale", "COWS")
    for item in COWS_ITEMS:
        keys.choose(f"{COWS_14[item.name]}:", item.label)
    keys.choose("1: awake", "Sedation")
    keys.choose("Not intoxicated", "Intoxicated, in your view?")
    keys.fill("Alcohol reading", "0")
    keys.choose("micrograms per 100 ml", "Unit of the reading")
    keys.press("Save")
    assert "COWS total 14" in keys.text
    assert "0 mg per litre of breath" in keys.text
    keys.follow("Tolerance and dependence now")
    keys.choose("Low", "Tolerance to opioids")
    keys.choose("Yes", "Dependent on opioids now?")
    keys.press("Save")
    keys.follow("Health, home and other substances")
    keys.tick("None of these")
    keys.tick("None of these")
    keys.tick("None of these")
    keys.choose("No", "Is the use of more than one substance serious")
    keys.choose("No", "Children living in")
    keys.press("Save")
    keys.follow("Opioid use outside treatment", whole=True)
    keys.choose("Heroin", "Opioid")
    keys.fill_moment("Last used at", date(2026, 11, 3), "19:00")
    keys.press("Save")
    keys.follow("Mental health problems")
    keys.tick("None of these")
    keys.press("Save")
    keys.follow("Pregnancy test: offer and result")
    keys.choose("Offered and done", "Was a pregnancy test offered?")
    keys.choose("Negative", "Result")
    keys.press("Save")
    keys.follow("Social circumstances")
    keys.tick("None of these")
    keys.press("Save")
    keys.follow("Follow-up arranged before induction")
    keys.fill_day("Next review of the dose", TODAY + timedelta(days=1))
    keys.fill_day("Assessment continued on", TODAY + timedelta(days=1))
    keys.fill_day("Care plan for mental and physical health", TODAY + timedelta(days=7))
    keys.press("Save")
    for topic in LISTED:
        keys.follow(topic)
        keys.press("Save")
    keys.follow("Treatment elsewhere: start or continuation")
    assert "a dose of any medicine is a start" in keys.text
    keys.follow("Say that the list of treatment elsewhere is whole")
    keys.press("Save")


def sign(keys) -> None:
    """The outcome of the assessment."""
    keys.open("/patients/1/assessment")
    keys.follow("Outcome, signed by a prescriber")
    keys.choose("Suitable for a rapid start", "Outcome")
    keys.choose("Methadone", "Medicine planned")
    keys.press("Save")
    assert "No first dose can be saved yet" not in keys.text, keys.text
    keys.open("/patients/1/prescribing")


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
    assess(keys)
    keys.open("/patients/1/prescribing")
    assert "A dose cannot be checked" not in keys.text

    # And a first dose over the limit is stopped: there is no button to save it.
    order(keys, "60")
    assert keys.heading == "This dose cannot be saved"
    assert "Save this decision" not in keys.text
    keys.follow("Cancel")

    # And none is saved before a prescriber has signed what the assessment came to.
    sign(keys)

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
