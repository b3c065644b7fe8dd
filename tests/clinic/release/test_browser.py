"""A release planned in a real browser: with scripts off, and every page seen by axe."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from clinic.handovers import commands as handovers
from clinic.release import care
from tests.factories.base import a_patient, a_site, an_act
from tests.factories.release import a_fact, a_hearing, a_release_plan, a_stay, instalment

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True),
]
NOW = datetime(2026, 8, 17, 9, 0, tzinfo=UTC)


@pytest.fixture
def walk(served, clock):
    """Sign somebody in at a prison; `walk(page)` gives an act of theirs in that database."""
    clock.set(NOW)
    prison = a_site(served.database, kind="prison", name="HMP Northborough")

    def begin(page):
        staff_id, _ = served.door.in_browser(page, served.url, "prison_healthcare", site=prison)
        with served.database.reading() as session:
            from clinic.staff.models import Staff

            staff = session.get_one(Staff, staff_id)
        return an_act(served.database, staff, prison, at=NOW)

    return begin


def boxes(page, group: str, on: date, clock: str | None = None) -> None:
    for box, value in (("day", on.day), ("month", on.month), ("year", on.year)):
        page.get_by_role("group", name=group).get_by_label(box.capitalize()).fill(str(value))
    if clock:
        page.get_by_role("group", name=group).get_by_label("Time").fill(clock)


def choose(page, group: str, label: str) -> None:
    page.get_by_role("group", name=group).get_by_label(label, exact=True).check()


def press(page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def test_a_release_is_planned_with_scripts_off(served, walk, no_scripts_page):
    page = no_scripts_page
    act = walk(page)
    a_patient(act, family_name="Jones", given_name="Rhys")

    page.goto(f"{served.url}/release")
    page.get_by_role("link", name="Start a plan for JONES, Rhys").click()
    press(page, "Start the plan")
    assert "Nothing in it is known yet" in page.inner_text("main")
    page.get_by_role("link", name="Record Release date").click()
    boxes(page, "Release date confirmed by OMU", date(2026, 8, 28))
    press(page, "Continue")
    assert "Fri 28 Aug 2026" in page.inner_text("main")
    press(page, "Confirm and save")
    page.get_by_role("link", name="Record Bridging supply").click()
    choose(page, "Form", "Pack given at the gate")
    press(page, "Save")
    assert page.locator(".nhsuk-error-summary__list a").count() == 1
    press(page, "Add another collection")
    assert page.get_by_role("group", name="Collection 4").count() == 1
    first = page.get_by_role("group", name="Collection 1")
    for group in ("Collected on", "First day it covers"):
        for box, value in (("Day", "28"), ("Month", "8"), ("Year", "2026")):
            first.get_by_role("group", name=group).get_by_label(box).fill(value)
    press(page, "Save")
    assert "Bridging supply: saved." in page.inner_text("main")
    page.get_by_role("link", name="Strike out Bridging supply 1").click()
    page.get_by_label("Why").fill("Not ordered")
    press(page, "Strike out")
    page.get_by_role("link", name="Everything recorded").click()
    press(page, "Put back Bridging supply")
    assert "Bridging supply: stands again." in page.inner_text("main")


@pytest.mark.proof  # the short form has the crawl, which shows axe each of these pages
def test_every_page_of_release_is_accessible(served, walk, page, axe):
    act = walk(page)
    patient_id = a_patient(act)
    stay = a_stay(act, patient_id, datetime(2026, 6, 1, 15, 0, tzinfo=UTC))
    a_hearing(act, stay, datetime(2026, 8, 18, 9, 0, tzinfo=UTC))
    plan_id = a_release_plan(
        act, patient_id, treatment={"on_ost": True}, release={"confirmed_on": "2026-08-28"},
        last_dose={"dose_on_release_day": True},
        appointment={"at": "2026-09-01T13:00:00Z", "for_release_on": "2026-08-27"},
        supply={"form": "gate_pack", "instalments": [instalment("2026-08-28", "2026-08-29")]},
    )  # fmt: skip
    fact_id = a_fact(act, plan_id, "consent", given=True)
    care.add_task(act, plan_id, kind="gp", owner="healthcare", due_at=act.at)
    handover_id = handovers.prepare(act, plan_id, recipient="Glan Clinic, Rhyl", basis="consent")
    act.session.close()
    sheets, sent = f"/hand-overs/sheets/{plan_id}", f"/hand-overs/{handover_id}"
    here = f"/release/plans/{plan_id}"
    for address in (
        "/release", here, f"{here}/print", f"{here}/history", f"{here}/close",
        f"{here}/facts/supply", f"{here}/facts/destination", f"{here}/facts/pharmacy",
        f"/release/facts/{fact_id}/correct", f"/release/facts/{fact_id}/strike",
        "/release/premises", "/release/premises/add", "/", "/release/duty", f"{here}/tasks/add",
        f"{here}/consents", f"{here}/consents/add",
        "/hand-overs", f"/hand-overs/prepare/{plan_id}", sent, f"{sent}/send", f"{sent}/print",
        f"{sheets}/leaver", f"{sheets}/court/2026-08-18",
    ):  # fmt: skip
        page.goto(served.url + address)
        assert page.locator("h1").count() == 1, address
        axe(page)
    for sheet in (
        f"{here}/print",
        f"{sent}/print",
        f"{sheets}/leaver",
        f"{sheets}/court/2026-08-18",
    ):
        page.goto(served.url + sheet)
        pages = re.findall(rb"/Type /Page\b", page.pdf(prefer_css_page_size=True))
        assert len(pages) == 1, sheet
    page.goto(f"{served.url}/release/premises/add")
    page.get_by_label("Pharmacy").check()
    page.get_by_label("Name").fill("High Street Pharmacy")
    press(page, "Save")
    for link in ("Record the opening hours", "Record days it is closed", "Record a day it opens"):
        page.get_by_role("link", name=link).click()
        axe(page)
        page.get_by_role("link", name="Cancel").click()
    axe(page)
