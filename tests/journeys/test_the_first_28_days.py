"""From an empty prison to the first duty of the 28 days done, by keyboard alone."""

from __future__ import annotations

from datetime import date

import pytest


@pytest.mark.browser
def test_somebody_is_received_given_a_keyworker_and_seen(desk):
    keys = desk.keyboard

    # Given a prison with healthcare, a CARAT keyworker and their manager.
    desk.set_up("HMP Marlfield", "Prison")
    desk.engage("byrne", "Orla Byrne", "Prison healthcare")
    desk.engage("marsh", "Kit Marsh", "CARAT keyworker")
    desk.engage("stone", "Petra Stone", "Manager")

    # When healthcare receive somebody, the 28 days are planned from the day of reception.
    desk.change_to("byrne")
    desk.receive("Lomax", "Reece")
    assert "nobody named yet" in keys.text

    # And the manager finds them on the worklist and names a keyworker,
    desk.change_to("stone")
    keys.follow("Custody")
    keys.follow("LOMAX")
    keys.follow("Name")
    keys.choose("Kit Marsh", "Keyworker")
    keys.press("Save")
    assert "The keyworker is named" in keys.text

    # then the keyworker finds what is due, and records what was done.
    desk.change_to("marsh")
    keys.follow("Custody")
    keys.follow("LOMAX")
    keys.follow("Record First keywork session")
    keys.fill_moment("When?", date(2026, 11, 4), "08:45")
    keys.choose("Delivered", "What happened?")
    keys.tick("CARAT team")
    keys.tick("The patient")
    keys.choose("Yes", "Were IDTS and the treatment there is in custody explained?")
    keys.press("Save")
    assert "First keywork session: recorded" in keys.text
    assert "Wed 4 Nov 2026, 08:45" in keys.text
