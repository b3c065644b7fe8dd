"""Does every place of a rota have one fate, and the right one?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from dosing.days import at_london
from scheduling.calendars import Calendar
from scheduling.occupancy import Came, fates
from scheduling.slots import Clinician, Hold, Rota, Session
from tests.scheduling.test_calendars import HOLIDAYS

MONDAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NINE = at_london(MONDAY, time(9))
ALWAYS = ((date(2000, 1, 1), None),)
TRAINED = {1: Clinician(trained=ALWAYS, prescribes=ALWAYS), 2: Clinician(competent=ALWAYS)}


def rota(**more: object) -> Rota:
    session = Session(1, 1, time(9), time(10, 30), 90, 1, 2, date(2026, 1, 1), None)
    made = Rota((session,), TRAINED, Calendar("england_and_wales", HOLIDAYS))
    return replace(made, **more)  # type: ignore[arg-type]


def fate(site: Rota, *visits: Came, on: date = MONDAY, now: datetime = NOW) -> str:
    ((_, found),) = fates(site, visits, on, on, now)
    return found


def visit(status: str, cancelled_days_before: int | None = None) -> Came:
    before = None if cancelled_days_before is None else NINE - timedelta(days=cancelled_days_before)
    return Came(NINE, 1, status, before)


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        ([visit("arrived")], "used"),
        ([visit("did_not_attend")], "did_not_attend"),
        ([visit("booked")], "unrecorded"),
        ([], "empty"),
        ([visit("cancelled", 0)], "cancelled_late"),
        ([visit("cancelled", 1)], "cancelled_late"),
        ([visit("cancelled", 2)], "empty"),
        ([visit("cancelled", 0), visit("arrived")], "used"),
    ],
)
def test_a_place_is_what_its_visits_came_to(visits: list[Came], expected: str) -> None:
    assert fate(rota(), *visits) == expected


def test_a_booked_place_ahead_is_booked() -> None:
    assert fate(rota(), visit("booked"), now=NINE - timedelta(hours=1)) == "booked"


def test_a_place_that_was_not_held_is_lost_to_its_cause() -> None:
    plain = rota()
    day_off = replace(plain.sessions[0], off_on=frozenset({MONDAY}))

    assert fate(replace(plain, sessions=(day_off,))) == "staff_away"
    assert fate(rota(away=(Hold(2, NINE, NINE + timedelta(hours=1)),))) == "staff_away"
    assert fate(rota(closed_on=frozenset({MONDAY}))) == "closed"
    assert fate(rota(clinicians={2: TRAINED[2]})) == "not_staffed"
    assert fate(plain, on=date(2026, 12, 28)) == "holiday"


def test_somebody_seen_on_a_day_off_was_seen() -> None:
    day_off = replace(rota().sessions[0], off_on=frozenset({MONDAY}))

    assert fate(rota(sessions=(day_off,)), visit("arrived")) == "used"


def test_a_day_without_a_session_has_no_place() -> None:
    assert (
        list(fates(rota(), [], MONDAY + timedelta(days=1), MONDAY + timedelta(days=6), NOW)) == []
    )


def test_both_days_on_which_the_clocks_change_have_their_full_places() -> None:
    for on in (date(2026, 3, 29), date(2026, 10, 25)):
        session = replace(rota().sessions[0], weekday=7)
        found = list(fates(rota(sessions=(session,)), [], on, on, NOW))
        assert [place.starts_at for place, _ in found] == [at_london(on, time(9))]
