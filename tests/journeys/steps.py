"""What a team does with somebody from assessment to dose, step by step over the pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from playwright.sync_api import Page

from clinic.assessments.scales import COWS_ITEMS
from clinic.sites.models import Site
from clinic.staff.models import Staff
from tests.factories.prescriptions import COWS_14
from tests.support.keyboard import Keyboard

COWS_6 = {**dict.fromkeys(COWS_14, 0), **dict.fromkeys(
    ("pulse", "sweating", "aches", "yawning", "anxiety", "nose_and_eyes"), 1,
)}  # fmt: skip
EXAMINED = (
    "History of opioid and other drug use", "Evidence of dependence", "Physical examination",
    "Mental state, examined", "Risk assessment",
)  # fmt: skip
LISTED = (
    "Opioids used outside treatment: the list is whole",
    "Medicines, prescribed or bought: the list is whole",
)


class LookedAt(Keyboard):
    """A keyboard that asks of every page it comes to whether axe finds fault with it."""

    def __init__(self, page: Page, url: str, axe: Callable[[Page], None]) -> None:
        super().__init__(page, url)
        self._axe = axe

    def _enter(self) -> None:
        super()._enter()
        self._axe(self.page)


class Team:
    """Who comes to the screen, and when: each signs in anew, since a day has gone by."""

    def __init__(self, served, clock, keys: Keyboard, site: Site) -> None:
        self._served, self._clock, self._site = served, clock, site
        self.keys = keys

    def comes(self, who: Staff, at: datetime) -> None:
        self._clock.set(at)
        self._served.door.again_in_browser(self.keys.page, self._served.url, who, self._site)
        self.keys.open("/")


def observe(keys: Keyboard, cows: dict[str, int]) -> None:
    """COWS item by item; awake, not intoxicated, nothing in the breath."""
    keys.pick("Withdrawal scale", "COWS")
    for item in COWS_ITEMS:
        keys.choose(f"{cows[item.name]}:", item.label)
    keys.choose("1: awake", "Sedation")
    keys.choose("Not intoxicated", "Intoxicated, in your view?")
    keys.fill("Alcohol reading", "0")
    keys.choose("micrograms per 100 ml", "Unit of the reading")
    keys.press("Save")


def assess(keys: Keyboard, today: date, tolerance: str = "Moderate") -> None:
    """Every part a rapid start waits for, from the task list."""
    tomorrow = today + timedelta(days=1)
    keys.follow("Opioid use outside treatment", whole=True)
    keys.choose("Heroin", "Opioid")
    keys.fill_moment("Last used at", today - timedelta(days=1), "19:00")
    keys.press("Save")
    for topic in LISTED:
        keys.follow(topic)
        keys.press("Save")
    keys.follow("Treatment elsewhere: start or continuation")
    assert "a dose of any medicine is a start" in keys.text
    keys.follow("Say that the list of treatment elsewhere is whole")
    keys.press("Save")
    for part in EXAMINED:
        keys.follow(part)
        keys.choose("Done, nothing of concern", "Outcome")
        keys.press("Save")
    keys.follow("On-site urine or oral-fluid test")
    keys.choose("Urine", "Sample")
    keys.choose("On-site kit", "Tested by")
    keys.choose("Positive for opioids", "Result")
    keys.press("Save")
    keys.follow("Withdrawal, sedation, intoxication and alcohol")
    observe(keys, COWS_14)
    assert "COWS total 14" in keys.text
    assert "0 mg per litre of breath" in keys.text
    keys.follow("Tolerance and dependence now")
    keys.choose(tolerance, "Tolerance to opioids")
    keys.choose("Yes", "Dependent on opioids now?")
    keys.press("Save")
    keys.follow("Health, home and other substances")
    for _ in range(3):
        keys.tick("None of these")
    keys.choose("No", "Is the use of more than one substance serious")
    keys.choose("No", "Children living in")
    keys.press("Save")
    keys.follow("Mental health problems")
    keys.tick("None of these")
    keys.press("Save")
    keys.follow("Pregnancy test")
    keys.choose("Offered and done", "Was a pregnancy test offered?")
    keys.choose("Negative", "Result")
    keys.press("Save")
    keys.follow("Social circumstances")
    keys.tick("None of these")
    keys.press("Save")
    keys.follow("Consent, and the information given")
    keys.choose("Consent given", "Decision")
    keys.tick("The medicine")
    keys.pick("In which language?", "English")
    keys.tick("Spoken")
    keys.press("Save")
    keys.follow("Follow-up arranged before induction")
    keys.fill_day("Next review of the dose", tomorrow)
    keys.fill_day("Assessment continued on", tomorrow)
    keys.fill_day("Care plan", today + timedelta(days=7))
    keys.press("Save")


def sign(keys: Keyboard) -> None:
    """From the task list: the outcome of the assessment."""
    keys.follow("Outcome, signed by a prescriber")
    keys.choose("Suitable for a rapid start", "Outcome")
    keys.choose("Methadone", "Medicine planned")
    keys.press("Save")
    assert "Non-complex" in keys.text
    assert "No first dose can be saved yet" not in keys.text, keys.text


def review(
    keys: Keyboard, decision: str, why: str, found: str, next_on: date, how: str = "Seen in person"
) -> None:
    """From the person's titration page: what was decided on seeing them."""
    keys.follow("Record a review")
    keys.choose(decision, "Decision")
    keys.choose(why, "Main reason")
    keys.fill("What was found", found)
    keys.choose(how, "How were they seen?")
    keys.fill_day("Next review or contact", next_on)
    keys.press("Save the review")
    assert "The review is recorded" in keys.text


def state(keys: Keyboard, dose: str, on: date, until: date | None = None) -> None:
    """The order form filled in and checked."""
    keys.pick("Product", "Methadone oral solution")
    keys.choose("Induction", "This order is")
    keys.fill("Dose taken at one time", dose)
    keys.choose("milligrams", "Unit")
    keys.fill("How many such doses", "1")
    keys.fill_day("First collected or taken on", on)
    if until is not None:
        keys.fill_day("Collected daily until", until)
    keys.choose("Yes", "Taken under supervision?")
    keys.press("Check this dose")


def give(keys: Keyboard) -> None:
    """At the hatch: who this is, how they seem, and the dose swallowed."""
    keys.choose("Asked for name and date of birth", "Who is this?")
    keys.choose("No signs of intoxication", "How do they seem?")
    keys.choose("Taken, all of it", "What became of the dose?")
    keys.press("Save")
    assert "The dose is recorded" in keys.text
