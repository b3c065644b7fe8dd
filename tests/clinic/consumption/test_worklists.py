"""Who is missing rises on the first page of whoever gives doses; a lock is a prescriber's to answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.consumption import commands, gates
from tests.factories.base import NOW
from tests.factories.consumption import a_dose, a_place, ready_for_a_dose
from tests.factories.prescriptions import a_clinic, a_decision, a_supply, an_assessed_patient

DAY = timedelta(days=1)
LONG = {"daily_until_on": "2026-11-17"}
GLASS = {"reason_code": "nobody_to_review", "reason": "Dr Pugh reviewed by phone, line then lost"}


@pytest.fixture
def clinic(database, clock):
    return a_clinic(database)


def last_seen(clinic, days_ago):
    """Somebody with doses for a fortnight who took the first one and missed every one since."""
    first = NOW - days_ago * DAY
    patient = an_assessed_patient(clinic, at=first)
    act = clinic.act(at=first)
    ready_for_a_dose(act, patient)
    act.session.close()
    act = clinic.act(at=first)
    decision = a_decision(act, patient, "25", supply=a_supply(first, **LONG))
    act.session.close()
    act = clinic.act(clinic.nurse, at=first)
    a_dose(act, patient, decision)
    act.session.close()
    for day in range(1, days_ago):
        act = clinic.act(clinic.nurse, at=first + day * DAY)
        commands.record_dose(act, patient, decision, outcome="missed")
        act.session.close()
    return patient, decision


def home_of(client):
    return client.get("/").get_data(as_text=True)


def order_of(page, patients):
    found = [(page.find(f'href="/patients/{patient}/doses"'), patient) for patient in patients]
    assert all(at >= 0 for at, _ in found), found
    return [patient for _, patient in sorted(found)]


@pytest.mark.proves("RP-33")
@pytest.mark.parametrize("role", ["nurse", "pharmacist", "prison_healthcare"])
def test_who_missed_most_stands_first_on_the_first_page_of_whoever_gives_doses(
    clinic, door, role, clock
):
    seen, one, three = (last_seen(clinic, days)[0] for days in (1, 2, 4))
    for patient in (seen, one, three):
        act = clinic.act(at=NOW - 5 * DAY)
        a_place(act, patient, from_on=(NOW - 5 * DAY).date())
        act.session.close()
    clock.set(NOW + timedelta(hours=1))

    page = home_of(door.by_page(role, site=clinic.site))

    assert "Doses today: 3 still to come, 0 done" in page
    assert order_of(page, (seen, one, three)) == [three, one, seen]
    assert "Locked: 3 days missed" in page and "1 day missed" in page


@pytest.mark.proves("RP-39")
def test_a_dose_locked_after_missed_days_is_a_prescribers_to_review(clinic, door, clock):
    patient, _ = last_seen(clinic, 4)
    last_seen(clinic, 2)
    clock.set(NOW + timedelta(hours=1))

    prescriber = home_of(door.by_page("prescriber", site=clinic.site, level="prescriber"))
    nurse = home_of(door.by_page("nurse", site=clinic.site))

    locked = prescriber[prescriber.index("Locked doses") :]
    assert f'href="/patients/{patient}/doses"' in locked
    assert "Locked doses" not in nurse


def test_break_glass_waits_on_the_leads_first_page_and_is_answered_from_there(clinic, door, clock):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    decision = a_decision(act, patient, "25")
    act.session.close()
    act = clinic.act(clinic.nurse)
    a_place(act, patient)
    entry = gates.break_glass(act, patient, decision, None, **GLASS)
    act.session.close()
    clock.set(NOW + timedelta(hours=1))
    lead = door.by_page("prescriber", site=clinic.site, post="clinical_lead")
    answer = f"/doses/gates-passed/{entry}"

    assert f'href="{answer}"' in home_of(lead)
    assert GLASS["reason"] in lead.get(answer).get_data(as_text=True)
    assert lead.post(answer, data={"note": "Spoken to her"}).status_code == 302

    assert f'href="{answer}"' not in home_of(lead)
    assert lead.get(answer).status_code == 404
    other = door.by_page("prescriber", site=clinic.site)
    assert "Gates passed before a dose" not in home_of(other)
