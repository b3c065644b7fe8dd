"""Two years of releases, day by day: every weekday, holiday, time, pharmacy, medicine and way out.

Each case of the grid is counted a second time by walking day after day (test_release_cover.py),
which shares no code with the check.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import islice, product

import pytest

from tests.scheduling.release_cases import HOLIDAYS, Json, a_supply, answer
from tests.scheduling.test_release_cover import (
    CLINIC_WEEKS,
    LONDON,
    NAMED,
    PHARMACY_WEEKS,
    TIMES,
    walked,
)

FIRST, DAYS = date(2023, 5, 1), 731
"""Two years with a coronation, a leap day, two Christmases and four changes of the clocks."""
MEDICINES = ("methadone", "buprenorphine", "buprenorphine_depot")
ROUTES = ("inside", "release", "court", "unplanned")


def instant(day: date, clock: str) -> str:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=LONDON).isoformat()


def cell(
    nation: str, number: int, clock: str, week: Json | None, medicine: str, route: str
) -> Json:
    """Somebody leaving on that day of the two years, that way, at that time.

    Whatever is no side of the grid (appointment, clinic, dose that morning, which instalments are
    collected together) turns with the number of the day.
    """
    out_on = FIRST + timedelta(days=number)
    days = [out_on + timedelta(days=ahead) for ahead in range(6)]
    each_day = [(str(day), [str(day)]) for day in days[1:4]]
    two_at_once = [(str(day), [str(day), str(day + timedelta(days=1))]) for day in days[:4:2]]
    pharmacy: Json = {"name": "Pharmacy"}
    if week is not None:
        pharmacy["hours"] = week
    if number % 7 == 3:
        pharmacy["closures"] = [str(days[1])]
    if number % 11 == 5:
        pharmacy["openings"] = [{"on": str(days[2]), "hours": ["10:00-12:00"]}]
    clinic_week = CLINIC_WEEKS[number % len(CLINIC_WEEKS)]
    case: Json = {
        "case": f"{nation} {out_on} {clock} {medicine} {route}",
        "as_at": instant(out_on, "23:59"),
        "medicine": medicine,
        "prison": {"nation": "england_and_wales"},
        "destination": {"nation": nation},
        "release": {"confirmed_on": str(out_on)},
        "pharmacy": pharmacy,
        "clinic": {} if clinic_week is None else {"hours": clinic_week},
        "bridging_supplies": [a_supply(*(each_day if number % 2 else two_at_once))],
    }
    if number % 5:
        case["appointment"] = {"at": instant(days[1 + number % 5], clock)}
    if medicine == "buprenorphine_depot":
        case["depot_cover_ends_on"] = str(out_on + timedelta(days=number % 4 - 1))
    if route == "inside":
        case["as_at"] = instant(out_on - timedelta(days=1), "12:00")
        case["dose_on_release_day"] = bool(number % 3)
    else:
        case["exit"] = {"at": instant(out_on, clock), "how": route}
        case["doses"] = [{"on": str(out_on - timedelta(days=number % 3 == 0)), "where": "prison"}]
    return case


@pytest.mark.proves("RG-03", "RG-05")
@pytest.mark.parametrize("every", [499, pytest.param(1, marks=pytest.mark.proof)])
@pytest.mark.parametrize("nation", NAMED)
def test_two_years_of_releases_are_counted_as_by_walking_day_after_day(
    nation: str, every: int
) -> None:
    grid = product(range(DAYS), TIMES, PHARMACY_WEEKS, MEDICINES, ROUTES)
    seen: Counter[str] = Counter()
    for number, clock, week, medicine, route in islice(grid, 0, None, every):
        case = cell(nation, number, clock, week, medicine, route)

        given = answer(case)

        expected = walked(case)
        assert {name: given[name] for name in expected} == expected, case
        flags = {flag["flag"]: flag["severity"] for flag in given["flags"]}
        uncovered = len(expected["uncovered_days"])
        assert flags.get("RG-03") == (
            "critical" if uncovered >= 3 else "red" if uncovered else None
        ), case
        after = FIRST + timedelta(days=number + 1)
        shut = after.weekday() > 4 or after in HOLIDAYS.days[nation]
        covered = "amber" if expected["gap_days"] == 0 else "red"
        assert flags.get("RG-05") == (covered if shut else None), case
        seen.update(
            [route, medicine, f"weekday {after.weekday()}", f"uncovered {min(uncovered, 3)}"]
        )
    assert len(seen) == len(ROUTES) + len(MEDICINES) + 7 + 4, seen
