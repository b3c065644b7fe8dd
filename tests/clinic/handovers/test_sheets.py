"""Three sheets of one page: the leaver's own, the court pack, the transfer sheet."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html import unescape

import pytest

from scheduling.handover import WORDINGS
from tests.factories.release import (
    a_fact,
    a_hearing,
    a_pharmacy,
    a_release_plan,
    a_stay,
    a_transfer,
    instalment,
)

NOW = "2026-08-17T08:00:00Z"


@pytest.fixture
def client(story, door, clock):
    clock.set(story.at)
    return door.by_page("prison_healthcare", site=story.prison)


def words(client, url):
    answer = client.get(url)
    assert answer.status_code == 200, url
    html = answer.get_data(as_text=True).split('id="maincontent"')[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.mark.proves("RC-09")
def test_the_leavers_own_sheet_says_where_and_when_next_and_what_is_missing(story, client):
    plan_id = a_release_plan(story.act(), release={"confirmed_on": "2026-08-21"})
    url = f"/hand-overs/sheets/{plan_id}/leaver"
    empty = words(client, url)
    assert empty.count("This is not arranged yet. Ask healthcare before you leave.") == 3
    assert "Your last dose is not recorded here." in empty
    assert "In an emergency ring 999" in empty

    a_fact(story.act(), plan_id, "pharmacy", premises_id=a_pharmacy(story.act()))
    a_fact(story.act(), plan_id, "prescriber", service="Northborough drug service")
    a_fact(story.act(), plan_id, "appointment", at="2026-08-24T09:00:00Z")
    a_fact(story.act(), plan_id, "supply", form="fp10mda", in_hand=True,
           instalments=[instalment("2026-08-22", "2026-08-22", "2026-08-23")])  # fmt: skip
    a_fact(story.act(), plan_id, "supply", form="fp10", in_hand=False,
           instalments=[instalment("2026-08-25", "2026-08-25")])  # fmt: skip
    full = words(client, url)

    assert "Monday 24 August at 10:00 At Northborough drug service" in full
    assert "Saturday 22 August: collect at High Street Pharmacy, for 2 days" in full
    assert "25 August" not in full  # that script is in nobody's hands
    assert "Monday to Saturday: 09:00-18:00 Sunday: closed" in full
    assert "Closed on Monday 31 August" in full  # a bank holiday on which its week would be open
    assert all(says in full for says in WORDINGS.values())


def test_the_leavers_own_sheet_tells_a_dose_the_plan_knows_of_and_that_nothing_is_to_be_collected(
    story, client
):
    plan_id = a_release_plan(
        story.act(), release={"confirmed_on": "2026-08-21"}, last_dose={"dose_on_release_day": True},
        appointment={"at": "2026-08-21T13:00:00Z"}, dose={"at": "2026-08-17T07:00:00Z", "where": "prison"},
    )  # fmt: skip

    sheet = words(client, f"/hand-overs/sheets/{plan_id}/leaver")

    assert "Last taken on Monday 17 August at 08:00" in sheet
    assert "Nothing to collect before your first appointment." in sheet
    plan = words(client, f"/release/plans/{plan_id}")
    assert (
        "First community dose Release Appointment 14:00 Covered already by an earlier dose" in plan
    )


def test_the_court_pack_says_each_tick_and_what_release_at_court_would_leave_uncovered(
    story, client
):
    patient_id = story.patient()
    stay = a_stay(story.act(), patient_id, datetime(2026, 8, 10, 15, 0, tzinfo=UTC))
    a_hearing(story.act(), stay, datetime(2026, 8, 18, 9, 0, tzinfo=UTC))
    plan_id = a_release_plan(
        story.act(), patient_id,
        appointment={"at": "2026-08-20T09:00:00Z"}, last_dose={"dose_on_release_day": True},
        court_pack={"court_on": "2026-08-18", "cjit_contact_at": NOW},
    )  # fmt: skip
    sheet = words(client, f"/hand-overs/sheets/{plan_id}/court/2026-08-18")

    assert "When the CJIT was contacted: Mon 17 Aug 2026, 09:00" in sheet
    assert "When naloxone was put in: not known" in sheet
    assert "If released at court: days without medicine 1" in sheet
    assert "No dose is recorded" in sheet
    assert client.get(f"/hand-overs/sheets/{plan_id}/court/2026-08-19").status_code == 404
    assert client.get(f"/hand-overs/sheets/{plan_id}/transfer").status_code == 404


def test_the_transfer_sheet_says_medicine_times_and_cover_or_that_they_are_not_known(story, client):
    patient_id = story.patient()
    stay = a_stay(story.act(), patient_id, datetime(2026, 8, 10, 15, 0, tzinfo=UTC))
    a_transfer(story.act(), stay, on=date(2026, 8, 21), booked_on=date(2026, 8, 14))
    plan_id = a_release_plan(
        story.act(), patient_id,
        transfer_information={"transfer_on": "2026-08-21", "drug": "Methadone",
                              "last_dose_at": NOW},
    )  # fmt: skip

    sheet = words(client, f"/hand-overs/sheets/{plan_id}/transfer")

    assert "Medicine: Methadone" in sheet
    assert "Last dose given: Mon 17 Aug 2026, 09:00" in sheet
    assert "Next dose due: not known" in sheet
    assert "Somebody there can prescribe on the day and the next: not known" in sheet
