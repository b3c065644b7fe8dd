"""Model 2 in its first eleven days: built up, rung at the weekend, raised, missed, locked."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinic.consumption.commands import record_dose
from tests.factories.appointments import works_under
from tests.factories.base import NOW
from tests.factories.prescriptions import a_decision
from tests.factories.scripts import a_script_clinic
from tests.factories.titration import a_build_up, a_dosed_day
from tests.journeys import steps
from tests.support.keyboard import Keyboard


def on(day: int) -> date:
    """The date of a day; the first is Wednesday 4 November."""
    return NOW.date() + timedelta(days=day - 1)


def at(day: int, minutes: int = 0):
    return NOW + timedelta(days=day - 1, minutes=minutes)


@pytest.mark.browser
@pytest.mark.proves("RP-34")
def test_building_up_through_a_weekend_and_missed_days_by_keyboard(served, clock, page, axe):
    # Given a fast-track service, and somebody started on Wednesday and seen on three days.
    clinic = a_script_clinic(served.database)
    works_under(served.database, clinic.site, 2)
    person = a_build_up(clinic, "20", "20", "25").patient
    keys = Keyboard(page, served.url)
    team = steps.Team(served, clock, keys, clinic.site)

    # When Friday's team plans a call for Sunday and it is made,
    team.comes(clinic.nurse, at(3, 60))
    keys.open(f"/patients/{person}/titration")
    keys.follow("Plan contact")
    keys.choose("Spoken to by phone", "How?")
    keys.fill_day("Which day?", on(5))
    keys.press("Save")
    assert "The contact is planned." in keys.text
    a_dosed_day(clinic, person, "25", at(4))
    team.comes(clinic.nurse, at(5))
    keys.open(f"/patients/{person}/titration")
    keys.follow("Record contact")
    keys.choose("Spoken to by phone", "How?")
    keys.choose("Yes", "Did it come about?")
    keys.press("Save")
    assert "The contact is recorded." in keys.text
    axe(page)
    a_dosed_day(clinic, person, "25", at(5, 30))

    # Monday's review raises the dose, the prescriber states it, and the nurse gives it.
    team.comes(clinic.prescriber, at(6))
    keys.open(f"/patients/{person}/titration/day")
    keys.follow("Record an observation")
    steps.observe(keys, steps.COWS_6)
    keys.follow("Titration and reviews")
    steps.review(keys, "Raise", "Withdrawal before", "COWS 6 before the dose", on(7))
    steps.state(keys, "30", on(6))
    keys.press("Save this decision")
    team.comes(clinic.nurse, at(6, 5))
    keys.follow("Doses", whole=True)
    keys.follow("Give a dose")
    steps.give(keys)

    # Three days go by without a dose, each written down; the next is held until they are assessed.
    a_dosed_day(clinic, person, "30", at(7))
    for day in (8, 9, 10):
        act = clinic.act(at=at(day))
        missed = a_decision(act, person, "30")
        act.session.close()
        act = clinic.act(clinic.nurse, at=at(day, 400))
        record_dose(act, person, missed, outcome="missed", consumed_at=act.at)
        act.session.close()
    team.comes(clinic.prescriber, at(11))
    keys.open(f"/patients/{person}/titration")
    assert "No contact since Tue 10 Nov 2026" in keys.text
    axe(page)
    keys.open(f"/patients/{person}/prescribing")
    keys.follow("Decide on a dose")
    steps.state(keys, "30", on(11))
    assert keys.heading == "This dose cannot be saved"
    assert "3 days missed. Hold supply until assessed." in keys.text
    axe(page)

    # And the chart tells of the days taken and the days missed.
    keys.open(f"/patients/{person}/titration")
    keys.follow("Charts of dose")
    assert "missed on 3 days" in keys.text, keys.text
    axe(page)
