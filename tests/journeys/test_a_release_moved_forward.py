"""A release before Christmas moved forward on the day, seen to its first appointment from both sides."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from clinic.release import closing
from clinic.release.models import ReleasePlan
from dosing.days import at_london
from tests.factories import appointments
from tests.factories.custody import a_prison
from tests.factories.release import a_fact, a_pharmacy, a_release_plan, instalment, version_of
from tests.journeys import steps

WED, MON, EVE = (date(2026, 12, day) for day in (16, 21, 24))


def at(on: date, clock: str) -> datetime:
    return at_london(on, time.fromisoformat(clock))


def planned_for_christmas_eve(prison, service) -> int:
    """Out on Thursday with a dose; the pharmacy gives what reaches to the appointment on Tuesday."""
    patient_id = prison.patient(family_name="Varga", given_name="Tom")
    prison.receives(patient_id=patient_id, screening="positive", screened_at=prison.at)
    act = prison.act()
    plan_id = a_release_plan(
        act, patient_id,
        treatment={"on_ost": True, "opioid_history": True, "medicine": "methadone"},
        release={"confirmed_on": "2026-12-24", "kind": "parole"},
        destination={"site_id": service.site.id, "contact": "duty worker", "area": "Northborough"},
        prescriber={"name": "Dr A. Example", "service": "Northborough drug service"},
        consent={"given": True}, last_dose={"dose_on_release_day": True},
        notification={"sent_at": act.at.isoformat(), "acknowledged_at": act.at.isoformat()},
    )  # fmt: skip
    a_fact(act, plan_id, "pharmacy", premises_id=a_pharmacy(act))
    a_fact(
        act, plan_id, "supply", form="fp10mda", in_hand=True,
        instalments=[instalment("2026-12-24", *(f"2026-12-{day}" for day in (25, 26, 27, 28)))],
    )  # fmt: skip
    _, places = closing.first_places(act, act.session.get_one(ReleasePlan, plan_id))
    last = places[-1].place
    closing.book_first_appointment(
        act, plan_id, version=version_of(act, plan_id), starts_at=last.starts_at,
        doctor_id=last.doctor_id, worker_id=last.worker_id,
    )  # fmt: skip
    prison.close()
    return plan_id


@pytest.mark.browser
@pytest.mark.proof
@pytest.mark.proves("RG-14")
def test_a_release_moved_forward_on_the_day_is_mended_and_arrives(served, clock, page, axe):
    # Given somebody who leaves on Christmas Eve, covered to their appointment on the Tuesday after.
    clock.set(at(WED, "10:00"))
    prison = a_prison(served.database, at=at(WED, "10:00"), name="HMP Marlfield")
    service = appointments.a_clinic(
        served.database, at=at(WED, "10:00"), weekdays=(1, 2, 3, 4, 5),
        name="Northborough drug service", telephone="01632 960011",
    )  # fmt: skip
    plan_id = planned_for_christmas_eve(prison, service)
    service.act.session.close()
    keys = steps.LookedAt(page, served.url, axe)
    ours = steps.Team(served, clock, keys, prison.site)
    theirs = steps.Team(served, clock, keys, service.site)
    plan = f"/release/plans/{plan_id}"

    # When OMU says on Monday morning that they go today, what that would come to is said first,
    ours.comes(prison.healthcare, at(MON, "08:15"))
    keys.follow("Releases")
    keys.follow("VARGA, Tom")
    assert (
        "Leaves Thu 24 Dec 2026. Covered to Mon 28 Dec 2026. No day without medicine." in keys.text
    )
    keys.unfold("What is recorded")
    keys.follow("Change Release date")
    keys.fill_day("Release date confirmed by OMU", MON)
    keys.fill("Why does this change?", "OMU rang: released today")
    keys.press("Continue")
    uncovered = "Days without medicine: Tue 22 Dec 2026, Wed 23 Dec 2026, Thu 24 Dec 2026."
    assert uncovered in keys.text
    assert "must be looked at again" in keys.text
    keys.press("Confirm")

    # and the plan names what was made for the other day.
    assert uncovered in keys.text
    assert "Release moved 24 Dec 2026→21 Dec 2026" in keys.text
    assert "CJIT not told of the new date" in keys.text

    # The appointment's place is given back and another booked for today, in one go.
    keys.follow("Give its place back and book another")
    keys.fill("Why", "Released today")
    keys.press("Strike out")
    assert "Book another here" in keys.text
    keys.choose("Mon 21 Dec 2026, 11:00", "Which place?")
    keys.press("Book it")
    assert (
        "Leaves Mon 21 Dec 2026. Covered to Mon 21 Dec 2026. No day without medicine." in keys.text
    )

    # The supply is no longer needed, the team is told again, and the letter goes by fax.
    keys.unfold("What is recorded")
    keys.follow("Strike out Bridging supply")
    keys.fill("Why", "Seen by the service today")
    keys.press("Strike out")
    keys.unfold("What is recorded")
    keys.follow("Change Notice to the community team")
    keys.fill_moment("When they were told", MON, "08:10")
    keys.fill_moment("When they acknowledged it", MON, "08:12")
    keys.fill_day("Release date it was made for", MON)  # told before it was recorded here
    keys.fill("Why does this change?", "Told of the new day")
    keys.press("Save")
    keys.follow("Dose letter")
    keys.fill_moment("When it was prepared", MON, "08:11")
    keys.fill_moment("When it was sent", MON, "08:12")
    keys.fill("To whom", "Northborough drug service, fax 01632 960012")
    keys.choose("Fax", "How")
    keys.press("Save")
    keys.follow("Naloxone")
    keys.choose("Issued", "Outcome")
    keys.fill_day("On which day", MON)
    keys.press("Save")
    keys.follow("Overdose session")
    keys.choose("Delivered", "Outcome")
    keys.fill_day("On which day", MON)
    keys.press("Save")
    assert "No flag stands" in keys.text, keys.text

    # Until the promised dose is recorded it counts as missing; then the sheet tells all of it.
    keys.unfold("Not known")
    assert "Today's dose, said to be given before leaving: not recorded as given" in keys.text
    keys.unfold("What is recorded")
    keys.follow("Record Dose recorded elsewhere")
    keys.fill_moment("When it was taken", MON, "08:05")
    keys.choose("Prison", "Where")
    keys.press("Save")
    keys.open(f"/hand-overs/sheets/{plan_id}/leaver")
    axe(page)
    assert "Last taken on Monday 21 December at 08:05" in keys.text
    assert "Monday 21 December at 11:00" in keys.text
    assert "Nothing to collect before your first appointment." in keys.text
    assert "Closed on Friday 25 December" in keys.text

    # The exit is recorded once, on the stay, and the plan counts from it.
    ours.comes(prison.healthcare, at(MON, "09:40"))
    keys.open(plan)
    keys.unfold("What is recorded")
    keys.follow("Record Left custody")
    keys.follow("Record the exit there")
    keys.fill_moment("When did they leave?", MON, "09:30")
    keys.choose("Released from this prison", "How?")
    keys.press("Save")
    keys.press("Confirm")
    keys.open(plan)
    assert "Left Mon 21 Dec 2026. Covered to Mon 21 Dec 2026. No day without medicine." in keys.text

    # At the service they are in the day's clinic; their record there leads to the same plan.
    theirs.comes(service.nurse, at(MON, "11:05"))
    keys.follow("Clinic")
    keys.follow("VARGA, Tom")
    keys.follow("Record the arrival")
    keys.press("Save")
    assert "The arrival is recorded" in keys.text
    keys.follow("VARGA, Tom")
    assert "Left custody Mon 21 Dec 2026" in keys.text
    keys.open(plan)
    assert "No flag stands" in keys.text
    assert "Heightened risk." in keys.text
