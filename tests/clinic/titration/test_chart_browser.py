"""The charts in Chromium: nothing axe can see is wrong, and their letters can be read on a phone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.base import NOW
from tests.factories.prescriptions import a_clinic
from tests.factories.titration import a_build_up

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True),
]
READABLE = 12
"""The smallest letter of a chart, in CSS pixels."""


@pytest.mark.parametrize("width", [1280, 320])
def test_the_charts_are_accessible_and_readable_at_each_width(served, clock, page, axe, width):
    clinic = a_clinic(served.database)
    person = a_build_up(clinic, "20", "25", None, "25", "35", at=NOW - timedelta(days=5)).patient
    page.set_viewport_size({"width": width, "height": 800})
    served.door.in_browser(page, served.url, "nurse", site=clinic.site)

    for span in ("", "/28"):
        assert page.goto(f"{served.url}/patients/{person}/titration/charts{span}").ok
        axe(page)
        smallest = page.eval_on_selector_all(
            ".app-chart text",
            "texts => Math.min(...texts.map(t => parseFloat(getComputedStyle(t).fontSize)"
            " * t.ownerSVGElement.getScreenCTM().a))",
        )
        assert smallest >= READABLE
        assert page.evaluate("document.documentElement.scrollWidth") <= width
