"""From an empty service to a booked induction, by keyboard alone."""

from __future__ import annotations

from datetime import date

import pytest


@pytest.mark.browser
def test_an_empty_service_books_its_first_induction(desk):
    keys = desk.keyboard

    # Given a community service that works under model 2, with its people.
    desk.set_up("Taff Vale", "Community service")
    keys.follow("Sites")
    keys.follow("Taff Vale")
    keys.follow("Set the model")
    keys.choose("Model 2", "Rapid prescribing model")
    keys.press("Save")
    assert "Model 2" in keys.text
    desk.engage(
        "hughes", "Dr Owen Hughes", "Prescriber", level="Prescriber", competence="Trained for rapid"
    )
    desk.engage("price", "Sian Price", "Nurse", competence="Competent drugs worker")
    desk.engage("rees", "Mair Rees", "Manager")

    # And a rota of three mornings a week.
    desk.change_to("rees")
    for weekday in ("Monday", "Wednesday", "Friday"):
        keys.follow("Rota")
        keys.follow("Add a session")
        keys.pick("Weekday", weekday)
        keys.fill("Starts", "09:30")
        keys.fill("Ends", "12:30")
        keys.pick("Doctor", "Dr Owen Hughes")
        keys.pick("Drugs worker or nurse", "Sian Price")
        keys.press("Add the session")
        assert "The session is on the rota" in keys.text

    # When a nurse refers somebody nobody knows yet,
    desk.change_to("price")
    keys.follow("Wait list")
    keys.follow("Register a referral")
    keys.fill("Name or number", "Calder")
    keys.press("Search")
    assert "Nobody was found" in keys.text
    keys.follow("Register a new person and the referral")
    keys.fill("Family name", "Calder")
    keys.fill("Given name", "Jade")
    keys.fill_day("Date of birth", date(1990, 2, 14))
    keys.choose("Female", "Sex")
    keys.fill_moment("Time of the referral", date(2026, 11, 3), "16:30")
    keys.pick("Referred by", "Arrest referral")
    keys.tick("Heroin")
    keys.choose("High", "Clinical risk")
    keys.press("Register person and referral")

    # then the first places are offered with their wait, and one is booked.
    assert keys.heading == "Offer a place"
    assert "within the limit" in keys.text
    keys.choose("", "Choose a place")
    keys.press("Continue")
    assert keys.heading == "Book this visit?"
    assert "Dr Owen Hughes" in keys.text
    keys.press("Confirm and book")
    assert "The visit is booked" in keys.text

    # And whoever looks at the wait list sees it.
    keys.follow("Wait list")
    assert "Calder" in keys.text.upper().title()
