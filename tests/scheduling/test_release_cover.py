"""Cover, pharmacies, the first community contact, and the days left uncovered.

The case in order is released on Wednesday 18 September 2019, clinic on Thursday 19.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.scheduling.release_cases import (
    HOLIDAYS,
    Json,
    a_case,
    a_supply,
    answer,
    flags,
    out_since,
)


def cover_ends_on(request: Json) -> str | None:
    ends: str | None = answer(request)["cover_ends_on"]
    return ends


def first_dose_on(request: Json) -> str | None:
    first: str | None = answer(request)["first_community_dose_on"]
    return first


# -- base: the last day covered by a dose -------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "ends_on"),
    [
        ({"dose_on_release_day": True}, "2019-09-18"),
        ({"dose_on_release_day": False}, "2019-09-17"),
        ({"dose_on_release_day": None}, "2019-09-17"),
        ({"depot_cover_ends_on": "2019-09-17"}, "2019-09-18"),
        ({"depot_cover_ends_on": "2019-09-30"}, "2019-09-30"),
        ({"medicine": "buprenorphine_depot", "depot_cover_ends_on": "2019-09-30"}, "2019-09-30"),
        ({"medicine": "buprenorphine_depot", "depot_cover_ends_on": "2019-09-10"}, "2019-09-10"),
        ({"medicine": "buprenorphine_depot"}, None),
        ({"medicine": None}, "2019-09-18"),
        # doses given inside say nothing about the day of leaving
        ({"dose_on_release_day": False, "doses": [{"on": "2019-09-02", "where": "prison"}]},
         "2019-09-17"),
    ],
)  # fmt: skip
def test_before_leaving_cover_runs_to_release_or_the_day_before(
    facts: Json, ends_on: str | None
) -> None:
    given = answer(a_case(**facts))

    assert given["cover_ends_on"] == ends_on
    expected = ends_on and (date.fromisoformat(ends_on) + timedelta(days=1)).isoformat()
    assert given["gap_free_by_on"] == expected


@pytest.mark.parametrize(
    ("facts", "ends_on"),
    [
        ({"doses": [{"on": "2019-09-18", "where": "prison"}]}, "2019-09-18"),
        ({"doses": [{"on": "2019-09-17", "where": "prison"}]}, "2019-09-17"),
        ({"doses": [{"at": "2019-09-17T23:30Z", "where": "prison"}]}, "2019-09-18"),
        ({"doses": [{"on": "2019-09-18", "where": "court"}, {"on": "2019-09-16", "where": "prison"}]},
         "2019-09-18"),
        ({"doses": []}, None),
        ({"doses": None}, None),
        ({"doses": None, "depot_cover_ends_on": "2019-09-25"}, "2019-09-25"),
        ({"medicine": "buprenorphine_depot"}, None),
    ],
)  # fmt: skip
def test_once_out_cover_runs_from_the_last_dose_known(facts: Json, ends_on: str | None) -> None:
    assert cover_ends_on(out_since(**facts)) == ends_on


def test_once_out_a_dose_meant_for_release_day_is_not_a_dose_given() -> None:
    gone = out_since(dose_on_release_day=True, doses=[{"on": "2019-09-17", "where": "prison"}])

    assert cover_ends_on(gone) == "2019-09-17"


# -- supplies -----------------------------------------------------------------------------

FRIDAY = {
    "release": {"confirmed_on": "2019-09-20"},
    "appointment": {"at": "2019-09-23T10:00+01:00"},
}
WEEKEND_DAYS = ["2019-09-21", "2019-09-22"]


@pytest.mark.proves("RG-15")
@pytest.mark.parametrize(
    ("supply", "uncovered"),
    [
        (a_supply(("2019-09-21", WEEKEND_DAYS)), []),
        (a_supply(("2019-09-20", WEEKEND_DAYS)), []),
        (a_supply(("2019-09-19", WEEKEND_DAYS)), WEEKEND_DAYS),         # before release
        (a_supply(("2019-09-22", WEEKEND_DAYS)), WEEKEND_DAYS),         # closed on Sunday
        (a_supply(("2019-09-21", ["2019-09-21"])), ["2019-09-22"]),
        (a_supply(("2019-09-21", ["2019-09-22"])), ["2019-09-21"]),     # a hole is not filled
        (a_supply(("2019-09-21", WEEKEND_DAYS), in_hand=False), WEEKEND_DAYS),
        (a_supply(("2019-09-21", WEEKEND_DAYS), in_hand=None), WEEKEND_DAYS),
        (a_supply(("2019-09-21", WEEKEND_DAYS), form="fp10"), []),
        # a pack is handed over: no pharmacy, no paper
        (a_supply(("2019-09-20", WEEKEND_DAYS), form="gate_pack", in_hand=None), []),
        (a_supply(("2019-09-22", WEEKEND_DAYS), form="gate_pack"), ["2019-09-21"]),
        (a_supply(("2019-09-19", WEEKEND_DAYS), form="gate_pack"), WEEKEND_DAYS),
    ],
)  # fmt: skip
def test_a_supply_covers_only_what_can_be_collected_in_time(
    supply: Json, uncovered: list[str]
) -> None:
    case = a_case(**FRIDAY, bridging_supplies=[supply])

    assert answer(case)["uncovered_days"] == uncovered


@pytest.mark.parametrize(("collected", "covered"), [(True, True), (None, True), (False, False)])
@pytest.mark.parametrize("form", ["fp10mda", "gate_pack"])
def test_an_instalment_known_not_to_be_collected_covers_nothing(
    form: str, collected: bool | None, covered: bool
) -> None:
    supply = a_supply(("2019-09-20", WEEKEND_DAYS), form=form)
    supply["instalments"][0]["collected"] = collected

    case = a_case(**FRIDAY, bridging_supplies=[supply])
    assert (answer(case)["gap_days"] == 0) == covered


def test_without_a_named_pharmacy_nothing_but_a_pack_can_be_collected() -> None:
    paper = a_supply(("2019-09-20", WEEKEND_DAYS))
    pack = a_supply(("2019-09-20", WEEKEND_DAYS), form="gate_pack")

    unnamed: Json = {**FRIDAY, "pharmacy": None}
    assert answer(a_case(**unnamed, bridging_supplies=[paper]))["gap_days"] == 2
    assert answer(a_case(**unnamed, bridging_supplies=[pack]))["gap_days"] == 0


def test_cover_ends_at_the_first_hole_though_later_days_are_supplied() -> None:
    supply = a_supply(("2019-09-19", ["2019-09-19"]), ("2019-09-21", ["2019-09-21"]))
    given = answer(a_case(bridging_supplies=[supply], appointment={"at": "2019-09-23T10:00+01:00"}))

    assert given["cover_ends_on"] == "2019-09-19"
    assert given["uncovered_days"] == ["2019-09-20", "2019-09-22"]
    assert (given["gap_days"], given["gap_free_by_on"]) == (2, "2019-09-20")


@pytest.mark.proves("RC-23", "RG-15")
@pytest.mark.parametrize(
    ("left_at", "covered"),
    [("2019-09-20T17:59+01:00", True), ("2019-09-20T18:00+01:00", False)],
)
def test_on_the_day_of_leaving_the_pharmacy_must_close_after_the_exit(
    left_at: str, covered: bool
) -> None:
    gone = out_since(
        at=left_at, as_at="2019-09-20T19:00+01:00", appointment=FRIDAY["appointment"],
        bridging_supplies=[a_supply(("2019-09-20", WEEKEND_DAYS))],
    )  # fmt: skip

    assert (answer(gone)["uncovered_days"] == []) == covered
    assert ("RG-15" in flags(gone)) != covered
    assert "RG-05" in flags(gone)


# -- pharmacy days ------------------------------------------------------------------------


def collectable(day: str, nation: str = "england_and_wales", **pharmacy: Any) -> bool:
    """Can an instalment be collected on that day?"""
    release_on = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
    pharmacy = {"name": "High Street Pharmacy", **pharmacy}
    case = a_case(
        as_at="2010-01-05T10:00Z", release={"confirmed_on": release_on}, appointment=None,
        received_at=None, notification=None, dose_letter=None, naloxone=None,
        overdose_session=None, destination={"nation": nation}, pharmacy=pharmacy,
        bridging_supplies=[a_supply((day, [day]))],
    )  # fmt: skip
    return answer(case)["cover_ends_on"] == day


@pytest.mark.parametrize(
    ("day", "open_in"),
    [
        ("2019-09-21", "ESN"),  # Saturday
        ("2019-09-22", ""),     # Sunday
        ("2020-04-10", ""),     # Good Friday
        ("2020-04-13", "S"),    # Easter Monday
        ("2021-12-25", ""),     # Christmas Day on a Saturday: the day itself
        ("2021-12-27", ""),     # and both substitutes
        ("2021-12-28", ""),
        ("2020-12-26", ""),     # Boxing Day on a Saturday
        ("2022-01-01", ""),     # New Year on a Saturday
        ("2022-01-03", ""),
        ("2021-01-02", "EN"),   # 2 January on a Saturday, Scotland only
        ("2022-01-04", "EN"),   # its substitute in 2022
        ("2019-11-30", "EN"),   # St Andrew's Day on a Saturday
        ("2019-12-02", "EN"),   # and on the Monday after
        ("2018-03-17", "ES"),   # St Patrick's Day on a Saturday
        ("2018-03-19", "ES"),
        ("2014-07-12", "ES"),   # 12 July on a Saturday
        ("2014-07-14", "ES"),
        ("2019-08-05", "EN"),   # first Monday of August
        ("2019-08-26", "S"),    # last Monday of August
        ("2020-05-08", ""),     # moved early May holiday
        ("2020-05-04", "ESN"),
    ],
)  # fmt: skip
def test_pharmacies_close_on_the_nations_holidays_named_day_and_substitute(
    day: str, open_in: str
) -> None:
    nations = {"E": "england_and_wales", "S": "scotland", "N": "northern_ireland"}

    assert "".join(key for key, nation in nations.items() if collectable(day, nation)) == open_in


SUNDAYS = {"hours": {"sun": ["10:00-16:00"], "wed": ["09:00-18:00"]}}


@pytest.mark.parametrize(
    ("day", "pharmacy", "is_open"),
    [
        ("2019-09-22", SUNDAYS, True),                                         # its own Sunday
        ("2019-09-21", SUNDAYS, False),                                        # no Saturday named
        ("2019-12-25", SUNDAYS, False),                                        # a Wednesday, holiday
        ("2016-12-25", SUNDAYS, False),                                        # a Sunday, named day
        ("2019-09-18", {"hours": {"wed": []}}, False),
        ("2019-09-18", {"closures": ["2019-09-18"]}, False),
        ("2019-09-22", {"openings": [{"on": "2019-09-22", "hours": ["10:00-11:00"]}]}, True),
        ("2019-12-25", {"openings": [{"on": "2019-12-25", "hours": ["10:00-11:00"]}]}, True),
        ("2019-09-18", {"closures": ["2019-09-18"],
                        "openings": [{"on": "2019-09-18", "hours": ["10:00-11:00"]}]}, True),
        ("2019-09-18", {"openings": [{"on": "2019-09-18", "hours": []}]}, False),
    ],
)  # fmt: skip
def test_an_opening_wins_then_a_closure_then_holidays_then_the_week(
    day: str, pharmacy: Json, is_open: bool
) -> None:
    assert collectable(day, **pharmacy) == is_open


def test_changes_to_the_destinations_calendar_move_pharmacies_and_closure_days_do_not() -> None:
    supply = {"bridging_supplies": [a_supply(("2019-09-19", ["2019-09-19"]))]}
    added = {"calendar_changes": [{"on": "2019-09-19", "change": "added"}]}
    later = {
        "calendar_changes": [{"on": "2019-09-19", "change": "added", "announced_on": "2019-09-03"}]
    }
    closed = {"closure_days": ["2019-09-19"]}

    assert cover_ends_on(a_case(**supply, destination=added)) == "2019-09-18"
    assert cover_ends_on(a_case(**supply, destination=later)) == "2019-09-19"
    assert cover_ends_on(a_case(**supply, destination=closed)) == "2019-09-19"


def test_a_holiday_taken_away_opens_the_pharmacy() -> None:
    removed = {"calendar_changes": [{"on": "2019-08-26", "change": "removed"}]}
    case = {"as_at": "2019-08-23T10:00+01:00", "release": {"confirmed_on": "2019-08-25"},
            "bridging_supplies": [a_supply(("2019-08-26", ["2019-08-26"]))],
            "dose_letter": None, "naloxone": None, "overdose_session": None}  # fmt: skip

    assert cover_ends_on(a_case(**case)) == "2019-08-25"
    assert cover_ends_on(a_case(**case, destination=removed)) == "2019-08-26"


# -- A and the first community dose -------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "dose_on"),
    [
        ("2019-09-19T15:59+01:00", "2019-09-19"),
        ("2019-09-19T16:00+01:00", "2019-09-19"),   # at the limit is not after it
        ("2019-09-19T16:01+01:00", "2019-09-20"),
        ("2019-09-20T16:30+01:00", "2019-09-21"),   # the pharmacy opens on Saturday
        ("2019-09-21T10:00+01:00", "2019-09-23"),   # the clinic does not
        ("2019-09-21T17:00+01:00", "2019-09-23"),   # late on a closed day: Monday, in time
    ],
)  # fmt: skip
def test_the_first_dose_is_on_the_appointments_open_day_or_after_a_late_one(
    at: str, dose_on: str
) -> None:
    assert first_dose_on(a_case(appointment={"at": at})) == dose_on


def test_a_late_friday_appointment_with_the_pharmacy_closed_at_weekends_waits_till_monday() -> None:
    case = a_case(
        appointment={"at": "2019-09-20T16:30+01:00"},
        pharmacy={"hours": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}},
    )

    assert first_dose_on(case) == "2019-09-23"


def test_a_site_may_set_another_late_hour() -> None:
    case = a_case(appointment={"at": "2019-09-19T16:30+01:00"})

    assert first_dose_on(case | {"settings": {"late_appointment_after": "16:30"}}) == "2019-09-19"
    assert first_dose_on(case | {"settings": {"late_appointment_after": "16:29"}}) == "2019-09-20"


def test_the_late_hour_is_londons_on_both_sides_of_the_clock_changes() -> None:
    summer = a_case(release={"confirmed_on": "2019-10-24"}, appointment={"at": "2019-10-25T15:30Z"})
    winter = a_case(release={"confirmed_on": "2019-10-24"}, appointment={"at": "2019-10-28T15:30Z"})

    assert first_dose_on(summer) == "2019-10-26"  # 16:30 in London
    assert first_dose_on(winter) == "2019-10-28"  # 15:30 in London


@pytest.mark.parametrize(
    ("clinic", "at", "dose_on"),
    [
        ({"hours": {"thu": ["13:00-17:00"]}}, "2019-09-19T10:00+01:00", "2019-09-19"),
        ({"hours": {"thu": ["09:00-12:00"], "tue": ["09:00-12:00"]}}, "2019-09-19T12:00+01:00",
         "2019-09-24"),
        ({"hours": {"tue": ["09:00-12:00"]}}, "2019-09-19T10:00+01:00", "2019-09-24"),
        ({"hours": {"sat": ["09:00-12:00"], "mon": ["09:00-12:00"]}}, "2019-09-19T10:00+01:00",
         "2019-09-23"),
        ({"closures": ["2019-09-19"]}, "2019-09-19T10:00+01:00", "2019-09-20"),
        ({"closures": ["2019-09-19", "2019-09-20"]}, "2019-09-19T10:00+01:00", "2019-09-23"),
    ],
)  # fmt: skip
def test_while_the_clinic_is_closed_the_gap_runs_to_its_next_open_day(
    clinic: Json, at: str, dose_on: str
) -> None:
    assert first_dose_on(a_case(clinic=clinic, appointment={"at": at})) == dose_on


def test_a_clinic_that_never_opens_gives_no_appointment() -> None:
    given = answer(a_case(clinic={"hours": {}}))

    assert (given["first_community_dose_on"], given["gap_days"]) == (None, None)
    assert {flag["flag"] for flag in given["flags"]} == {"RG-02", "RG-04"}


def a_collection(on: str = "2019-09-19", **changes: Any) -> Json:
    return {
        "live": True, "next_collection_on": on, "confirmed_valid_at": "2019-09-01T10:00+01:00",
        **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("collection", "dose_on"),
    [
        (a_collection("2019-09-17"), None),           # before release
        (a_collection("2019-09-18"), "2019-09-18"),
        (a_collection("2019-09-19"), "2019-09-19"),
        (a_collection("2019-09-21"), "2019-09-21"),   # three days after the last dose
        (a_collection("2019-09-22"), None),           # three missed days end it
        (a_collection(live=False), None),
        (a_collection(live=None), None),
        (a_collection(confirmed_valid_at=None), None),
        (a_collection(next_collection_on=None), None),
    ],
)  # fmt: skip
def test_a_live_confirmed_prescription_counts_until_three_days_are_missed(
    collection: Json, dose_on: str | None
) -> None:
    assert first_dose_on(a_case(appointment=None, community_prescription=collection)) == dose_on


def test_a_collection_on_a_closed_day_waits_for_the_next_open_one() -> None:
    case = a_case(release={"confirmed_on": "2019-09-20"}, appointment=None,
                  community_prescription=a_collection("2019-09-22"))  # fmt: skip

    assert first_dose_on(case) == "2019-09-23"


def test_with_the_last_dose_unknown_a_prescription_cannot_be_relied_on() -> None:
    gone = out_since(
        doses=None, appointment=None, community_prescription=a_collection("2019-09-18")
    )

    assert first_dose_on(gone) is None


def test_the_earlier_of_appointment_and_collection_counts() -> None:
    collection = {"community_prescription": a_collection("2019-09-20")}

    assert first_dose_on(a_case(**collection)) == "2019-09-19"
    later = a_case(**collection, appointment={"at": "2019-09-23T10:00+01:00"})
    assert first_dose_on(later) == "2019-09-20"
    # A late appointment on the very day of a collection: the collection comes first.
    same = a_case(**collection, appointment={"at": "2019-09-20T17:00+01:00"})
    assert first_dose_on(same) == "2019-09-20"


def test_a_missed_appointment_leaves_the_collection_to_count() -> None:
    gone = out_since(
        as_at="2019-09-20T10:00+01:00", appointment={"attended": False},
        community_prescription=a_collection("2019-09-20"),
    )  # fmt: skip

    given = answer(gone)
    assert given["first_community_dose_on"] == "2019-09-20"
    assert given["uncovered_days"] == ["2019-09-19"]
    assert "RG-17" in flags(gone)


# -- uncovered days -----------------------------------------------------------------------


@pytest.mark.proves("RG-03")
def test_without_an_appointment_no_day_is_counted_before_leaving() -> None:
    given = answer(a_case(appointment=None))

    assert (given["uncovered_days"], given["gap_days"]) == ([], None)


@pytest.mark.proves("RG-03")
def test_without_an_appointment_every_day_up_to_today_is_uncovered_once_out() -> None:
    supply = a_supply(("2019-09-20", ["2019-09-20"]))
    gone = out_since(as_at="2019-09-22T09:00+01:00", appointment=None, bridging_supplies=[supply])

    given = answer(gone)
    assert given["uncovered_days"] == ["2019-09-19", "2019-09-21", "2019-09-22"]
    assert given["gap_days"] is None
    assert flags(gone)["RG-03"]["severity"] == "critical"


@pytest.mark.proves("RG-03")
@pytest.mark.parametrize("clocks", ["2019-03-30", "2019-10-26"])
def test_a_gap_across_a_clock_change_counts_whole_london_days(clocks: str) -> None:
    # Out on the Saturday before the clocks change, clinic on Monday: Sunday is one day, no more.
    saturday = date.fromisoformat(clocks)
    monday = saturday + timedelta(days=2)
    gone = out_since(
        at=f"{clocks}T10:00Z", as_at=f"{clocks}T12:00Z",
        appointment={"at": f"{monday}T10:00Z", "booked_at": None, "acknowledged_at": None},
        notification=None, dose_letter=None, naloxone=None, overdose_session=None, received_at=None,
    )  # fmt: skip

    assert answer(gone)["uncovered_days"] == [(saturday + timedelta(days=1)).isoformat()]


@pytest.mark.proves("RG-03")
def test_a_dose_day_is_the_london_day_on_a_summer_night() -> None:
    # 00:30 on 19 September in London is still the 18th in UTC.
    gone = out_since(
        as_at="2019-09-19T09:00+01:00",
        doses=[{"at": "2019-09-18T23:30Z", "where": "prison"}],
        appointment={"at": "2019-09-20T10:00+01:00"},
    )

    assert answer(gone)["uncovered_days"] == []


@pytest.mark.proves("RG-03")
def test_christmas_at_a_weekend_leaves_four_days_when_nobody_plans_for_it() -> None:
    # Friday 24 December 2021; Saturday to Tuesday closed: two named days and their substitutes.
    case = {
        "as_at": "2021-12-01T10:00Z", "release": {"confirmed_on": "2021-12-24"},
        "appointment": {"at": "2021-12-29T10:00Z"},
    }  # fmt: skip
    daily = [f"2021-12-{day}" for day in (25, 26, 27, 28)]
    each_day = [a_supply((day, [day])) for day in daily]
    at_once = [a_supply(("2021-12-24", daily))]

    unplanned = answer(a_case(**case, bridging_supplies=each_day))
    assert unplanned["uncovered_days"] == daily
    severities = {flag["flag"]: flag["severity"] for flag in unplanned["flags"]}
    assert severities == {"RG-03": "critical", "RG-05": "red", "RG-15": "critical"}

    planned = answer(a_case(**case, bridging_supplies=at_once))
    assert planned["gap_days"] == 0
    assert [(flag["flag"], flag["severity"]) for flag in planned["flags"]] == [("RG-05", "amber")]


# -- an independent count -----------------------------------------------------------------

LONDON = ZoneInfo("Europe/London")
DEFAULT_WEEK = {n: [("09:00", "18:00")] for n in range(6)}
NAMED = {
    "england_and_wales": {"12-25", "12-26", "01-01"},
    "scotland": {"12-25", "12-26", "01-01", "01-02", "11-30"},
    "northern_ireland": {"12-25", "12-26", "01-01", "03-17", "07-12"},
}
TIMES = ("00:30", "09:00", "12:30", "15:59", "16:00", "16:01", "17:00", "18:00", "23:30")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PHARMACY_WEEKS: tuple[Json | None, ...] = (
    None,
    {day: ["09:00-17:30"] for day in DAYS[:5]},
    {day: ["08:00-22:00"] for day in DAYS},
    {"mon": ["09:00-12:00", "14:00-18:00"], "wed": ["09:00-12:00"], "sat": ["09:00-13:00"]},
)
CLINIC_WEEKS: tuple[Json | None, ...] = (
    None,
    {day: ["09:00-17:00"] for day in DAYS[:5]},
    {"tue": ["09:00-12:00"], "thu": ["12:00-20:00"]},
)
# Weeks that hold a bank holiday, a clock change, a leap day, or nothing at all.
WEEKS = (
    "2012-02-27", "2012-06-01", "2016-12-23", "2018-03-14", "2019-03-28", "2019-07-09",
    "2019-09-16", "2019-10-24", "2019-11-28", "2020-04-07", "2020-12-23", "2021-12-23",
    "2021-12-30", "2022-09-16", "2024-05-03", "2024-08-01", "2025-01-01", "2026-03-27",
)  # fmt: skip


def pharmacy_closes(case: Json, day: date) -> str | None:
    """The last closing time of the pharmacy that day, written out afresh; None when closed."""
    pharmacy, nation = case["pharmacy"], case["destination"]["nation"]
    for opening in pharmacy.get("openings", []):
        if opening["on"] == str(day):
            return max((hours.split("-")[1] for hours in opening["hours"]), default=None)
    closed = str(day) in pharmacy.get("closures", []) or str(day)[5:] in NAMED[nation]
    if closed or day in HOLIDAYS.days[nation]:
        return None
    week = pharmacy.get("hours")
    if week is None:
        return None if day.weekday() == 6 else "18:00"
    return max((hours.split("-")[1] for hours in week.get(DAYS[day.weekday()], [])), default=None)


def clinic_closes(case: Json, day: date) -> str | None:
    """The last closing time of the clinic that day; "24" when it keeps no hours, None when shut."""
    nation = case["destination"]["nation"]
    if day.weekday() > 4 or day in HOLIDAYS.days[nation]:
        return None
    if "hours" not in case["clinic"]:
        return "24"
    week = case["clinic"]["hours"]
    return max((hours.split("-")[1] for hours in week.get(DAYS[day.weekday()], [])), default=None)


def walked(case: Json) -> Json:
    """The gap by walking day after day, asking of each: is there anything to take today?"""
    if "exit" in case:
        left = datetime.fromisoformat(case["exit"]["at"]).astimezone(LONDON)
        out_on, left_clock = left.date(), f"{left:%H:%M}"
        last_dose = max(date.fromisoformat(dose["on"]) for dose in case["doses"])
    else:
        out_on, left_clock = date.fromisoformat(case["release"]["confirmed_on"]), ""
        last_dose = out_on - timedelta(days=0 if case["dose_on_release_day"] else 1)
    if "depot_cover_ends_on" in case:
        covered_to = date.fromisoformat(case["depot_cover_ends_on"])
        only = case["medicine"] == "buprenorphine_depot"
        last_dose = covered_to if only else max(last_dose, covered_to)
    today = datetime.fromisoformat(case["as_at"]).astimezone(LONDON).date()
    in_hand: set[date] = set()
    for supply in case["bridging_supplies"]:
        for instalment in supply["instalments"]:
            on = date.fromisoformat(instalment["collect_on"])
            closes = pharmacy_closes(case, on)
            by_paper = (
                supply["in_hand"] and closes is not None
                and (on != out_on or closes > left_clock)
            )  # fmt: skip
            if on >= out_on and (supply["form"] == "gate_pack" or by_paper):
                in_hand |= {
                    day for day in map(date.fromisoformat, instalment["covers"]) if day >= on
                }

    stop: date | None = None
    if "appointment" in case:
        seen = datetime.fromisoformat(case["appointment"]["at"]).astimezone(LONDON)
        stop, clock = seen.date(), f"{seen:%H:%M}"
        if (clinic_closes(case, stop) or "") <= clock:
            stop += timedelta(days=1)
            while clinic_closes(case, stop) is None:
                stop += timedelta(days=1)
        elif clock > "16:00":
            stop += timedelta(days=1)
            while pharmacy_closes(case, stop) is None:
                stop += timedelta(days=1)
    counted_to = today if "exit" in case else last_dose
    end = counted_to + timedelta(days=1) if stop is None else stop

    uncovered, unbroken, cover = [], True, last_dose
    day = last_dose + timedelta(days=1)
    while day < end:
        if day not in in_hand:
            uncovered.append(str(day))
        day += timedelta(days=1)
    while unbroken:
        unbroken = cover + timedelta(days=1) in in_hand
        cover += timedelta(days=1) if unbroken else timedelta()
    return {
        "first_community_dose_on": None if stop is None else str(stop),
        "uncovered_days": uncovered,
        "gap_days": None if stop is None else len(uncovered),
        "cover_ends_on": str(cover),
    }


def drawn(chance: random.Random) -> Json:
    """A person just out, with a pharmacy, clinic, supplies and appointment drawn by lot."""
    out_on = date.fromisoformat(chance.choice(WEEKS)) + timedelta(days=chance.randrange(7))

    def instant(days_later: int, clock: str) -> str:
        moment = datetime.fromisoformat(f"{out_on + timedelta(days=days_later)}T{clock}")
        return moment.replace(tzinfo=LONDON).isoformat()

    def day(least: int, most: int) -> str:
        return str(out_on + timedelta(days=chance.randint(least, most)))

    supplies = []
    for _ in range(chance.randrange(4)):
        collect_on = date.fromisoformat(day(-1, 7))
        covers = [str(collect_on + timedelta(days=n)) for n in range(-1, chance.randint(1, 4))]
        supplies.append(
            a_supply(
                (str(collect_on), covers),
                form=chance.choice(("fp10mda", "fp10", "gate_pack")),
                in_hand=chance.random() < 0.8,
            )
        )
    pharmacy: Json = {"name": "Pharmacy"}
    if (week := chance.choice(PHARMACY_WEEKS)) is not None:
        pharmacy["hours"] = week
    if chance.random() < 0.3:
        pharmacy["closures"] = [day(0, 5)]
    if chance.random() < 0.3:
        pharmacy["openings"] = [{"on": day(0, 5), "hours": chance.choice((["10:00-12:00"], []))}]
    clinic = {} if (week := chance.choice(CLINIC_WEEKS)) is None else {"hours": week}
    case: Json = {
        "case": "drawn",
        "as_at": instant(0, "23:59"),
        "prison": {"nation": "england_and_wales"},
        "destination": {"nation": chance.choice(list(NAMED))},
        "exit": {"at": instant(0, chance.choice(TIMES)), "how": "release"},
        "doses": [{"on": day(-2, 0), "where": "prison"}],
        "pharmacy": pharmacy,
        "clinic": clinic,
        "bridging_supplies": supplies,
    }
    if chance.random() < 0.85:
        case["appointment"] = {"at": instant(chance.randint(0, 8), chance.choice(TIMES))}
    return case


@pytest.mark.proves("RG-03")
@pytest.mark.parametrize("many", [400, pytest.param(20_000, marks=pytest.mark.proof)])
def test_the_uncovered_days_are_those_found_by_walking_day_after_day(many: int) -> None:
    chance = random.Random(many)
    gaps = 0
    for _ in range(many):
        case = drawn(chance)

        given = answer(case)

        expected = walked(case)
        assert {name: given[name] for name in expected} == expected, case
        gaps += bool(expected["uncovered_days"])
    assert many / 10 < gaps < many, "the lots drawn should hold both gaps and none"


@pytest.mark.parametrize("many", [200, pytest.param(5_000, marks=pytest.mark.proof)])
def test_another_supply_in_hand_never_adds_an_uncovered_day(many: int) -> None:
    chance = random.Random(many)
    for _ in range(many):
        case = drawn(chance)
        before = answer(case)["uncovered_days"]
        out_on = answer(case)["expected_release_on"]
        covers = [str(date.fromisoformat(out_on) + timedelta(days=n)) for n in range(3)]

        case["bridging_supplies"].append(a_supply((out_on, covers), form="gate_pack"))

        assert set(answer(case)["uncovered_days"]) <= set(before)


@pytest.mark.parametrize("many", [200, pytest.param(5_000, marks=pytest.mark.proof)])
def test_taking_away_a_fact_about_cover_never_clears_the_gap_flag(many: int) -> None:
    chance = random.Random(many)
    tried = 0
    for _ in range(many):
        case = drawn(chance)
        if "RG-03" in flags(case):
            tried += 1
            for fact in ("bridging_supplies", "doses"):
                less = {name: value for name, value in case.items() if name != fact}
                assert "RG-03" in flags(less), (fact, case)
    assert tried > many / 10
