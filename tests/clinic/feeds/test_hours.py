"""Is every instant read as it was meant, when the clocks change too?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import icalendar
import pytest

from clinic.feeds.ical import as_ical
from clinic.feeds.queries import Booking
from dosing.days import LONDON

HOUR = timedelta(hours=1)
# ical.js 2.2.1, MPL-2.0, as its authors publish it for browsers without modules.
ICAL_JS = Path(__file__).parents[2] / "support" / "ical.es5.min.js"

WINTER, SUMMER = timedelta(0), timedelta(hours=1)
# Instant, and the wall time and distance from UTC it must be read with.
INSTANTS = [
    (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), "2026-03-29 00:30", WINTER),
    (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "2026-03-29 02:00", SUMMER),
    (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25 01:30", SUMMER),
    (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25 01:30", WINTER),
    (datetime(2026, 10, 25, 2, 30, tzinfo=UTC), "2026-10-25 02:30", WINTER),
    (datetime(2028, 2, 29, 9, 0, tzinfo=UTC), "2028-02-29 09:00", WINTER),
    (datetime(2026, 4, 7, 8, 0, tzinfo=UTC), "2026-04-07 09:00", SUMMER),
]


def of_instants():
    return as_ical(
        [Booking(n, at, at + HOUR, False, 1, at) for n, (at, _, _) in enumerate(INSTANTS)], "key"
    )


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


def test_icalendar_reads_every_instant_as_it_was_meant():
    events = icalendar.Calendar.from_ical(of_instants()).walk("VEVENT")

    for event, (at, wall, offset) in zip(events, INSTANTS, strict=True):
        london = event["DTSTART"].dt.astimezone(LONDON)
        assert (f"{london:%Y-%m-%d %H:%M}", london.utcoffset()) == (wall, offset)
        assert event["DTSTART"].dt.astimezone(UTC) == at
        assert event["DTEND"].dt.astimezone(UTC) == at + HOUR


@pytest.mark.browser
def test_ical_js_in_a_browser_reads_every_instant_as_it_was_meant(page):
    page.add_script_tag(path=ICAL_JS)
    found = page.evaluate(
        """text => {
          const calendar = new ICAL.Component(ICAL.parse(text));
          ICAL.TimezoneService.register(calendar.getFirstSubcomponent('vtimezone'));
          return calendar.getAllSubcomponents('vevent').map(each => {
            const event = new ICAL.Event(each);
            return [event.startDate.toUnixTime(), event.endDate.toUnixTime()];
          });
        }""",
        of_instants().decode(),
    )

    assert found == [[int(at.timestamp()), int((at + HOUR).timestamp())] for at, _, _ in INSTANTS]


def test_the_zone_is_given_by_its_two_rules_and_no_list_of_dates():
    zone = icalendar.Calendar.from_ical(of_instants()).walk("VTIMEZONE")[0]

    assert zone["TZID"] == "Europe/London"
    assert [part["RRULE"].to_ical().decode() for part in zone.subcomponents] == [
        "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
    ]  # fmt: skip
    assert date(1996, 3, 31) == zone.subcomponents[0]["DTSTART"].dt.date()
