"""A keyworker's first week with somebody, and their move to another prison, from both sides."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from dosing.days import at_london
from tests.factories.custody import RECEIVED, a_prison
from tests.journeys import steps

THU, FRI, MON, TUE = (date(2026, 11, day) for day in (5, 6, 9, 10))


def at(on: date, clock: str) -> datetime:
    return at_london(on, time.fromisoformat(clock))


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.mark.browser
@pytest.mark.proof
@pytest.mark.proves("PS-05", "RC-10", "RC-11", "RC-12", "RC-15", "TT-18")
def test_the_first_week_and_a_move_are_worked_through_in_two_prisons(served, clock, page, axe):
    # Given two prisons, and somebody received in one of them on a Wednesday.
    clock.set(RECEIVED)
    here = a_prison(served.database, name="HMP Marlfield")
    there = a_prison(served.database, name="HMP Glenmoor")
    patient = here.patient(family_name="Lomax", given_name="Reece")
    reception_id = here.receives(patient_id=patient, screening="positive", screened_at=RECEIVED)
    here.close()
    there.close()
    keys = steps.LookedAt(page, served.url, axe)
    ours = steps.Team(served, clock, keys, here.site)
    theirs = steps.Team(served, clock, keys, there.site)
    stay = f"/custody/stays/{reception_id}"

    # When the manager names a keyworker, the keyworker has them in the week,
    ours.comes(here.manager, at(THU, "09:00"))
    keys.follow("Custody")
    keys.follow("Keyworkers, their load and cover")
    keys.follow("Name a keyworker for LOMAX")
    keys.choose("Tom Lewis", "Keyworker")
    keys.press("Save")
    assert "The keyworker is named" in keys.text

    # and records what was done, what was declined and what had to wait.
    ours.comes(here.keyworker, at(FRI, "15:00"))
    keys.follow("Custody")
    keys.follow("Your own people and your week")
    assert "1 of 25 people" in keys.text
    keys.follow("LOMAX")
    keys.follow("Record First keywork session")
    keys.fill_moment("When?", FRI, "10:00")
    keys.choose("Delivered", "What happened?")
    keys.tick("CARAT team")
    keys.tick("The patient")
    keys.choose("Yes", "Were IDTS and the treatment there is in custody explained?")
    keys.press("Save")
    assert "First keywork session: recorded" in keys.text
    keys.follow("Record Relaxation session")
    keys.fill_moment("When?", FRI, "14:00")
    keys.choose("Offered and declined", "What happened?")
    keys.tick("CARAT team")
    keys.press("Save")
    assert "Relaxation session: recorded" in keys.text
    keys.follow("Open the casework file")
    keys.follow("Add a note, or a session offered, missed or moved")
    assert "casework file" in keys.text.lower()

    # When healthcare record the move, the receiving prison sees them before they come,
    ours.comes(here.healthcare, at(FRI, "16:00"))
    keys.open(stay)
    keys.follow("Add a move to another prison")
    keys.fill_day("Day of the move", MON)
    keys.pick("Receiving prison", "HMP Glenmoor")
    keys.choose("No", "Will a prescriber be there on arrival?")
    keys.press("Save")
    assert "HMP Glenmoor" in keys.text
    theirs.comes(there.manager, at(FRI, "16:30"))
    keys.follow("Custody")
    keys.follow("Moves between prisons")
    assert "6 on the move" in keys.text and "No keyworker" in keys.text
    keys.follow("Name a keyworker for LOMAX")
    keys.choose("Tom Lewis", "Keyworker")
    keys.press("Save")

    # and both sides are told when the day has come and nobody has recorded that they left.
    theirs.comes(there.keyworker, at(TUE, "08:30"))
    keys.open("/casework/moves")
    assert "HMP Marlfield records that they left" in keys.text
    ours.comes(here.healthcare, at(TUE, "09:00"))
    keys.follow("Custody")
    keys.follow("Moves between prisons")
    keys.follow("Record the exit of LOMAX")
    keys.fill_moment("When did they leave?", MON, "10:15")
    keys.choose("Moved to another prison", "How?")
    keys.press("Save")
    keys.press("Confirm")
    keys.open("/casework/moves")
    assert "This prison still answers for" in keys.text and "moved" in keys.text

    # When the receiving keyworker accepts, the days go on and the sender is let go.
    theirs.comes(there.keyworker, at(TUE, "10:00"))
    keys.follow("Custody")
    keys.follow("Moves between prisons")
    keys.follow("Transfer page of LOMAX")
    assert "Their days go on" in keys.text and "First keywork session, Fri 6 Nov" in keys.text
    keys.open("/casework/moves")
    keys.follow("Accept LOMAX")
    keys.press("Accept")
    assert "accepted" in keys.text.lower()
    keys.open(stay)
    assert keys.heading == "The first 28 days: day 7"
    ours.comes(here.keyworker, at(TUE, "10:30"))
    keys.open("/casework/moves")
    assert "This prison answers for nobody on the move" in keys.text

    # What was attended there is certified, with what was attended here.
    theirs.comes(there.keyworker, at(TUE, "15:00") + timedelta(days=1))
    keys.open(stay)
    keys.follow("Record Harm minimisation session")
    keys.fill_moment("When?", TUE, "14:00")
    keys.choose("Delivered", "What happened?")
    keys.tick("Healthcare")
    keys.tick("CARAT team")
    keys.tick("The patient")
    keys.press("Save")
    keys.follow("Give the certificate")
    keys.press("Give")
    paper = page.locator("main a[href$='.pdf']").first.get_attribute("href")
    assert page.request.get(served.url + paper).body().startswith(b"%PDF")
