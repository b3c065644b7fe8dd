"""The pages that look further off, in Chromium: whole at each width, and nothing axe can see is wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.appointments import a_booking, a_clinic, a_referral
from tests.factories.base import NOW

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True),
]


@pytest.mark.parametrize("width", [1280, 320])
def test_every_view_is_accessible_and_whole_at_each_width(served, clock, page, axe, width):
    clock.set(NOW - timedelta(days=7))
    clinic = a_clinic(served.database, at=NOW - timedelta(days=7))
    a_booking(clinic)
    a_referral(clinic)
    clock.set(NOW)
    page.set_viewport_size({"width": width, "height": 800})
    served.door.in_browser(page, served.url, "nurse", site=clinic.site)

    for address in (
        "/appointments/month", "/appointments/occupancy", "/appointments/clinic?by=week",
        "/appointments/clinic/2026-11-04/print", "/forecast", "/forecast/year",
        "/account/calendars",
    ):  # fmt: skip
        assert page.goto(served.url + address).ok
        axe(page)
        if "print" not in address:
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(served.url + "/forecast/year")
    page.get_by_role("button", name="Work it out").click()
    page.get_by_role("heading", name="The three years side by side").wait_for()
    axe(page)
