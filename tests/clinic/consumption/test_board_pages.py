"""The day's board in the browser: who is still to come, and days that have passed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.consumption.board_pages import LOOKS_BACK
from tests.factories.base import NOW
from tests.factories.prescriptions import a_clinic, a_decision, an_assessed_patient

DAY = timedelta(days=1)
TODAY = NOW.date()


@pytest.fixture
def nurse(database, clock, door):
    clinic = a_clinic(database)
    a_decision(clinic.act(), an_assessed_patient(clinic), "25")
    return door.by_page("nurse", site=clinic.site)


def test_somebody_with_a_dose_today_is_still_to_come(nurse):
    page = nurse.get("/doses").get_data(as_text=True)

    assert "<strong>1</strong> still to come, <strong>0</strong> done" in page
    assert "25 mg" in page


@pytest.mark.parametrize(
    ("back", "leads_on"), [(0, True), (LOOKS_BACK.days - 1, True), (LOOKS_BACK.days, False)]
)
def test_the_board_leads_back_four_weeks_and_no_further(nurse, back, leads_on):
    page = nurse.get(f"/doses/{TODAY - DAY * back}")

    assert page.status_code == 200
    assert ("The day before" in page.get_data(as_text=True)) is leads_on


def test_a_day_to_come_and_a_word_have_no_board(nurse):
    assert nurse.get(f"/doses/{TODAY + DAY}").status_code == 404
    assert nurse.get("/doses/tomorrow").status_code == 404
