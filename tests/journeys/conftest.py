"""An empty service, and somebody at a keyboard who sets it up through its pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from tests.support.keyboard import Keyboard

PASSWORD = "a few words to remember"


@pytest.fixture
def engine_name() -> str:
    """One engine: these stories are about the pages, and each room proves its own on both."""
    return "sqlite"


@dataclass
class Desk:
    """The screen everybody in the story comes to, one after another."""

    keyboard: Keyboard

    def set_up(self, site: str, kind: str) -> None:
        """Given a service nobody has an account of yet: make the first site and administrator."""
        keys = self.keyboard
        keys.open("/")
        assert keys.heading == "Set up this service"
        keys.fill("Name of the first site", site)
        keys.choose(kind, "Kind of site")
        keys.choose("England and Wales", "Nation")
        keys.choose("UK 2017", "Doses are checked against")
        keys.fill("Your name", "Sam Archer")
        keys.fill("Your e-mail address", "archer@example.org")
        keys.fill("Your password", PASSWORD)
        keys.press("Set up")
        self.sign_in("archer")

    def sign_in(self, who: str) -> None:
        keys = self.keyboard
        keys.open("/")
        keys.fill("E-mail address", f"{who}@example.org")
        keys.fill("Password", PASSWORD)
        keys.press("Sign in")
        assert "Signed in as" in keys.text

    def sign_out(self) -> None:
        self.keyboard.open("/")
        self.keyboard.press("Sign out")

    def change_to(self, who: str) -> None:
        self.sign_out()
        self.sign_in(who)

    def engage(
        self, who: str, name: str, role: str, *, level: str = "", competence: str = ""
    ) -> None:
        """The administrator gives somebody an account, a role, and what their work asks of them."""
        keys = self.keyboard
        keys.follow("Staff")
        keys.follow("Add a member of staff")
        keys.fill("Name", name)
        keys.fill("E-mail address", f"{who}@example.org")
        keys.fill("First password", PASSWORD)
        keys.press("Save")
        keys.choose(role, "Role")
        keys.press("Save")
        if level:
            keys.follow("Set the level")
            keys.choose(level, "Prescriber level")
            keys.press("Save")
        if competence:
            keys.follow("Record a competence")
            keys.choose(competence, "Competence")
            keys.press("Save")
        assert keys.heading == name

    def receive(self, family: str, given: str) -> None:
        """Prison healthcare record somebody nobody knows, who came yesterday and screened positive."""
        keys = self.keyboard
        keys.follow("Custody")
        keys.follow("Record an arrival")
        keys.fill("Name or number", family)
        keys.press("Search")
        keys.follow("Register a new person and receive them")
        keys.fill("Family name", family)
        keys.fill("Given name", given)
        keys.fill_day("Date of birth", date(1986, 7, 2))
        keys.choose("Male", "Sex")
        keys.fill_moment("When did they arrive?", date(2026, 11, 3), "16:30")
        keys.choose(
            "No: from court, the police or the community", "Did they come from another prison?"
        )
        keys.choose("Positive", "Reception screening")
        keys.fill_moment("When was the screening done?", date(2026, 11, 3), "17:10")
        keys.press("Go on to check")
        assert keys.heading == "Check the arrival"
        keys.press("Confirm")
        assert "the 28 days are planned" in keys.text


@pytest.fixture
def desk(served, clock, page) -> Desk:
    return Desk(Keyboard(page, served.url))
