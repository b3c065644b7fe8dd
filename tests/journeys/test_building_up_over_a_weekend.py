"""Model 2: eleven days by keyboard; and three weeks, from the assessment to the restart."""

from __future__ import annotations

from datetime import date, timedelta

import pypdf
import pytest

from clinic.consumption.commands import record_dose
from tests.factories.appointments import a_referral, works_under
from tests.factories.base import NOW, a_patient
from tests.factories.prescriptions import COWS_14, a_decision
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
@pytest.mark.proof
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


QUIET = {**dict.fromkeys(COWS_14, 0), "pulse": 1, "anxiety": 1}
HELD = {"cows": QUIET, "reason_code": "settled", "reason": "Slept well, no withdrawal"}


def a_day(team, clinic, person, day, *, decision, why, found, dose, cows, until=None):
    """Looked at and reviewed by the prescriber, who states the dose; given by the nurse."""
    keys = team.keys
    team.comes(clinic.prescriber, at(day))
    keys.open(f"/patients/{person}/titration/day")
    keys.follow("Record an observation")
    steps.observe(keys, cows)
    keys.follow("Titration and reviews")
    steps.review(keys, decision, why, found, on(day + 1))
    if decision not in ("Raise", "Start", "Lower"):
        keys.follow("The prescribing record")
        keys.follow("Decide on a dose")
    steps.state(keys, dose, on(day), until)
    reason_and_save(keys)
    team.comes(clinic.nurse, at(day, 5))
    keys.open(f"/patients/{person}/doses")
    keys.follow("Give a dose")
    steps.give(keys)


def reason_and_save(keys):
    """An alert is answered with its reason; then the decision is saved."""
    if "Reason for going on" in keys.text:
        keys.choose("", "Reason for going on")
        keys.fill("Say why", "Looked at just now, and reviewed with the team")
    keys.press("Save this decision")
    assert "The decision is saved" in keys.text, keys.text


def to_the_pharmacy(team, clinic, person):
    """Day 14: a form for two weeks from tomorrow is written, issued and printed."""
    keys = team.keys
    team.comes(clinic.prescriber, at(14, 30))
    keys.open(f"/patients/{person}/prescription-forms")
    keys.follow("Write a prescription form")
    keys.choose("WP10MDA", "Which form?")
    keys.tick("Decision")
    keys.fill_day("First dose on", on(15))
    keys.fill_day("Last dose on", on(28))
    keys.fill("Strength in mg per ml", "1")
    for ticks in (7, 6):  # collected daily, and supervised but on Sundays
        for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[
            :ticks
        ]:
            keys.tick(day)
    keys.pick("Pharmacy", "Bridge Pharmacy")
    keys.tick("Please dispense instalments due on pharmacy closed days")
    keys.tick("Consult the prescriber")
    keys.tick("Supervise consumption")
    keys.fill("Patient's address", "3 Mill Lane, Pontypridd")
    keys.press("Save the draft")
    keys.press("Issue this form")
    assert "Issued. Print it, and sign the paper by hand." in keys.text, keys.text
    keys._to("Print to sign", "button")
    with keys.page.expect_download() as printed:
        keys.page.keyboard.press("Enter")
    text = "".join(each.extract_text() for each in pypdf.PdfReader(printed.value.path()).pages)
    assert "50 mg (50 ml) by mouth once a day" in text
    assert "700 ml (seven hundred millilitres), which is 700 mg" in text
    team.comes(clinic.nurse, at(14, 40))
    keys.open(f"/patients/{person}/doses")
    keys.follow("Set")
    keys.pick("Where are the doses taken?", "Bridge Pharmacy")
    keys.fill_day("From which day on?", on(15))
    keys.press("Save")


def missed_and_locked(team, clinic, person):
    """Days 15 and 16 taken and stable, 17 to 19 missed; on day 20 nothing can be given."""
    keys = team.keys
    for day in (15, 16):
        team.comes(clinic.nurse, at(day))
        keys.open(f"/patients/{person}/titration")
        found = "Rang them at the pharmacy"
        steps.review(keys, "Hold", "Settled", found, on(day + 1), "By phone")
        keys.open(f"/patients/{person}/doses")
        keys.follow("Give a dose")
        steps.give(keys)
    keys.open(f"/patients/{person}/titration")
    assert "On methadone or buprenorphine Reached on Wed 4 Nov 2026, day 0" in keys.text
    assert "Stable on an optimised dose Reached on" in keys.text
    for day in (17, 18, 19):
        team.comes(clinic.nurse, at(day, 540))
        keys.open(f"/patients/{person}/doses")
        keys.follow("Give a dose")
        keys.choose("Missed: did not attend", "What became of the dose?")
        keys.press("Save")
        assert "The dose is recorded" in keys.text, keys.text
    team.comes(clinic.prescriber, at(20))
    assert "Locked doses" in keys.text
    keys.open(f"/patients/{person}/doses")
    assert "3 days missed" in keys.text
    keys.follow("Give a dose")
    keys.choose("Taken, all of it", "What became of the dose?")
    keys.press("Save")
    assert "This dose may not be given" in keys.text


def restarted(team, clinic, person):
    """Day 20: assessed anew, the form cancelled, less than before; day 21 held."""
    keys = team.keys
    keys.open(f"/patients/{person}/prescribing")
    keys.follow("Decide on a dose")
    steps.state(keys, "50", on(20))
    assert "3 days missed. Hold supply until assessed." in keys.text
    keys.follow("Record: assessed by the prescriber")
    keys.choose("Done, nothing of concern", "Outcome")
    keys.press("Save")
    keys.open(f"/patients/{person}/titration/day")
    keys.follow("Record an observation")
    steps.observe(keys, COWS_14)
    keys.follow("Titration and reviews")
    steps.review(keys, "Lower", "Doses were missed", "Back after three days", on(21))
    steps.state(keys, "25", on(20))
    keys.press("Change the order")
    keys.choose("It takes the place of decision", "Earlier decisions in force")
    keys.press("Check this dose")
    reason_and_save(keys)

    # The paper at the pharmacy says the old dose still: it is cancelled, and they are told.
    keys.open("/")
    assert "was withdrawn: cancel form" in keys.text
    keys.open(f"/patients/{person}/prescription-forms/1")
    keys.follow("Cancel this form")
    keys.pick("Cancelled from the doses of", "Mon 23 Nov 2026")
    keys.fill("Why?", "Three days missed: started again here")
    keys.press("Cancel form 1")
    keys.follow("Record the call")
    keys.fill("Who took the call?", "Mr Rees")
    keys.press("Record the call")
    assert "The call is recorded." in keys.text

    # And the dose is given here, today and, on a review that holds it, tomorrow.
    team.comes(clinic.nurse, at(20, 40))
    keys.open(f"/patients/{person}/doses")
    keys.follow("Set")
    keys.pick("Where are the doses taken?", "Here")
    keys.fill_day("From which day on?", on(20))
    keys.press("Save")
    keys.follow("Give a dose")
    steps.give(keys)
    a_day(
        team, clinic, person, 21, decision="Hold", why="The full effect", dose="25",
        found="First full day back", cows=steps.COWS_6,
    )  # fmt: skip
    team.comes(clinic.prescriber, at(21, 30))
    keys.open(f"/patients/{person}/titration")
    keys.follow("Charts of dose")
    assert "missed on 3 days" in keys.text


@pytest.mark.browser
@pytest.mark.proof
@pytest.mark.proves("RP-07", "RP-13", "RP-36", "RP-39")
def test_three_weeks_from_assessment_to_the_restart_after_missed_days(served, clock, page, axe):
    # Given a fast-track service with a pharmacy down the road, and somebody who was registered.
    clinic = a_script_clinic(served.database)
    works_under(served.database, clinic.site, 2)
    person = a_patient(clinic.act(), family_name="Calder", given_name="Jade", sex="female")
    a_referral(None, act=clinic.act(), patient_id=person, referred_at=at(1))
    keys = Keyboard(page, served.url)
    team = steps.Team(served, clock, keys, clinic.site)

    # When they are assessed and the outcome is signed, the first dose is stated and given.
    team.comes(clinic.prescriber, at(1))
    keys.open(f"/patients/{person}/assessment")
    assert "parts of the assessment are to be completed first" in keys.text
    steps.assess(keys, on(1))
    steps.sign(keys)
    keys.follow("Titration and reviews")
    steps.review(keys, "Start", "Withdrawal before", "COWS 14, awake", on(2))
    steps.state(keys, "20", on(1))
    keys.press("Save this decision")
    assert "The decision is saved" in keys.text
    team.comes(clinic.nurse, at(1, 10))
    keys.open(f"/patients/{person}/doses")
    keys.follow("Set")
    keys.pick("Where are the doses taken?", "Here")
    keys.fill_day("From which day on?", on(1))
    keys.press("Save")
    assert "Hand over doses to take home" not in keys.text
    keys.follow("Give a dose")
    steps.give(keys)

    # Step by step the dose is raised, each time on a review, with days between.
    for day in (2, 3):
        a_dosed_day(clinic, person, "20", at(day))
    for day, dose, days_held in ((4, "30", (5, 6)), (7, "40", (8, 9)), (10, "50", ())):
        a_day(
            team, clinic, person, day, decision="Raise", why="Withdrawal before", dose=dose,
            found="Withdrawal again before the dose", cows=steps.COWS_6,
        )  # fmt: skip
        for each in days_held:
            a_dosed_day(clinic, person, dose, at(each))
    for day in (11, 12, 13):
        a_dosed_day(clinic, person, "50", at(day), **HELD)

    # Held on the day it has settled, and prescribed for two weeks at the pharmacy.
    a_day(
        team, clinic, person, 14, decision="Hold", why="Settled", dose="50",
        found="No withdrawal over the day", cows=QUIET, until=on(28),
    )  # fmt: skip
    to_the_pharmacy(team, clinic, person)

    # Three days without a dose lock the next one, whoever asks, until they are assessed anew.
    missed_and_locked(team, clinic, person)
    axe(page)
    restarted(team, clinic, person)
    axe(page)
