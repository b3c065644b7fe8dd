"""From an empty prison to a release with no day without medicine, by keyboard alone."""

from __future__ import annotations

from datetime import date

import pytest


@pytest.mark.browser
@pytest.mark.proves("RC-02")
def test_a_release_gap_is_seen_and_closed(desk):
    keys = desk.keyboard

    # Given somebody received into a prison yesterday.
    desk.set_up("HMP Marlfield", "Prison")
    desk.engage("byrne", "Orla Byrne", "Prison healthcare")
    desk.change_to("byrne")
    desk.receive("Lomax", "Reece")

    # When their release plan is opened, nothing in it is known and nothing is preset.
    keys.follow("Releases")
    keys.follow("Start a plan")
    keys.press("Start the plan")
    assert "Nothing in it is known yet" in keys.text

    # And they leave tomorrow after a dose, with an appointment only on Tuesday,
    keys.follow("Record Treatment")
    keys.choose("Yes", "On opioid substitution treatment")
    keys.choose("Methadone", "Medicine")
    keys.press("Save")
    keys.follow("Record Release date")
    keys.fill_day("Release date confirmed by OMU", date(2026, 11, 5))
    keys.choose("Remand", "Kind of release")
    keys.press("Continue")
    keys.press("Confirm")
    keys.follow("Record Dose on the day of release")
    keys.choose("Yes", "Will a dose be given before leaving?")
    keys.press("Save")
    keys.follow("Record First community prescribing appointment")
    keys.fill_moment("When", date(2026, 11, 10), "14:00")
    keys.press("Save")

    # then the days without medicine are named.
    for day in ("Fri 6 Nov", "Sat 7 Nov", "Sun 8 Nov", "Mon 9 Nov"):
        assert day in keys.text

    # And when the service finds an appointment on the Friday, none is left.
    keys.follow("Change First community prescribing appointment")
    keys.fill_moment("When", date(2026, 11, 6), "10:00")
    keys.fill("Why does this change?", "The service found an earlier one")
    keys.press("Save")
    assert "Sun 8 Nov" not in keys.text
