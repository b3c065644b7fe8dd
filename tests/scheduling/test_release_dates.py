"""The expected release date: what OMU confirmed, or the weekend and Friday rules of the nation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scheduling.release_cases import Json, a_case, an_exit, answer, out_since


def dates(as_at: str = "2023-11-01T10:00Z", **changes: Any) -> tuple[str | None, ...]:
    """Expected, weekend-rule and Friday-rule date of a case with a calculated date."""
    release: Json = {"confirmed_on": None, **changes.pop("release")}
    given = answer(a_case(as_at=as_at, release=release, **changes))
    return given["expected_release_on"], given["weekend_rule_on"], given["friday_rule_on"]


ENGLAND = [
    # calculated     expected      weekend rule  Friday rule
    # the setting's first day, Tuesday 12 December 2023: the eve decides by the calculated date
    ("2023-12-08", "2023-12-08", "2023-12-08", None),          # Friday before it
    ("2023-12-11", "2023-12-11", "2023-12-11", None),
    ("2023-12-12", "2023-12-12", "2023-12-12", "2023-12-12"),
    ("2023-12-15", "2023-12-14", "2023-12-15", "2023-12-14"),  # Friday after it
    ("2023-12-16", "2023-12-14", "2023-12-15", "2023-12-14"),  # Saturday
    ("2023-12-17", "2023-12-14", "2023-12-15", "2023-12-14"),  # Sunday
    ("2023-12-18", "2023-12-18", "2023-12-18", "2023-12-18"),
    # Christmas 2023: Monday and Tuesday are holidays
    ("2023-12-22", "2023-12-21", "2023-12-22", "2023-12-21"),
    ("2023-12-26", "2023-12-21", "2023-12-22", "2023-12-21"),
    ("2023-12-27", "2023-12-27", "2023-12-27", "2023-12-27"),
    # Easter 2024: Good Friday 29 March, Monday 1 April
    ("2024-03-28", "2024-03-27", "2024-03-28", "2024-03-27"),  # Thursday, the eve
    ("2024-03-29", "2024-03-27", "2024-03-28", "2024-03-27"),
    ("2024-04-01", "2024-03-27", "2024-03-28", "2024-03-27"),
    ("2024-04-02", "2024-04-02", "2024-04-02", "2024-04-02"),
    # before the rule: weekend and holiday only
    ("2019-12-25", "2019-12-24", "2019-12-24", None),
    ("2019-04-22", "2019-04-18", "2019-04-18", None),          # Easter Monday
]  # fmt: skip


@pytest.mark.proves("RG-06")
@pytest.mark.parametrize(("calculated", "expected", "weekend", "friday"), ENGLAND)
def test_in_england_and_wales_a_release_comes_forward_from_days_before_a_closed_one(
    calculated: str, expected: str, weekend: str, friday: str | None
) -> None:
    release = {"calculated_on": calculated, "sentenced_on": "2018-01-01"}
    as_at = f"{int(calculated[:4]) - 1}-11-01T10:00Z"
    past = {"dose_letter": None, "naloxone": None, "overdose_session": None}
    past |= {"notification": None, "appointment": None, "received_at": None}

    assert dates(as_at, release=release, **past) == (expected, weekend, friday)


@pytest.mark.proves("RG-06")
@pytest.mark.parametrize(
    ("sentenced_on", "moved"),
    [("2024-05-18", False), ("2024-05-17", True), ("2024-05-16", True), (None, True)],
)
def test_the_friday_rule_waits_for_twenty_eight_days_since_sentence(
    sentenced_on: str | None, moved: bool
) -> None:
    # Friday 14 June 2024 less 28 days is 17 May; the day of sentence counts as none.
    release = {"calculated_on": "2024-06-14", "sentenced_on": sentenced_on}

    expected = "2024-06-13" if moved else "2024-06-14"
    assert dates(release=release)[0] == expected


@pytest.mark.proves("RG-06")
def test_a_site_may_date_the_friday_rule_otherwise() -> None:
    release = {"calculated_on": "2023-12-01"}

    assert dates(release=release)[0] == "2023-12-01"
    earlier = {"settings": {"friday_rule_from": "2023-11-30"}}
    assert dates(release=release, **earlier)[0] == "2023-11-30"


@pytest.mark.proves("RG-06")
def test_an_unknown_kind_counts_as_determinate() -> None:
    release = {"calculated_on": "2024-06-15", "sentenced_on": "2024-01-02", "kind": None}

    assert dates(release=release) == ("2024-06-13", "2024-06-14", "2024-06-13")


@pytest.mark.proves("RG-06")
@pytest.mark.parametrize("kind", ["hdc", "parole", "indeterminate", "remand"])
def test_other_kinds_of_release_do_not_move(kind: str) -> None:
    assert dates(release={"calculated_on": "2024-06-15", "kind": kind}) == (
        "2024-06-15",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("calculated", "expected"),
    [
        ("2024-06-14", "2024-06-14"),  # a Friday is not moved
        ("2024-06-15", "2024-06-14"),
        ("2024-04-01", "2024-04-01"),  # Easter Monday is worked
        ("2024-01-02", "2023-12-29"),  # 1 and 2 January, and the weekend before
        ("2024-08-05", "2024-08-02"),  # first Monday of August
        ("2024-12-02", "2024-11-29"),  # St Andrew's Day falls on Saturday, kept on Monday
    ],
)
def test_in_scotland_weekends_and_bank_holidays_of_the_destination_are_stepped_over(
    calculated: str, expected: str
) -> None:
    release = {"calculated_on": calculated}
    there = {"prison": {"nation": "scotland"}, "destination": {"nation": "scotland"}}

    assert dates(release=release, **there) == (expected, expected, None)


def test_a_scottish_release_to_england_follows_english_holidays_and_no_closure_days() -> None:
    places: Json = {"prison": {"nation": "scotland", "closure_days": ["2024-03-28"]}}
    places["destination"] = {"closure_days": ["2024-03-28"]}

    assert dates(release={"calculated_on": "2024-04-01"}, **places)[0] == "2024-03-28"


@pytest.mark.parametrize("calculated", ["2024-06-15", "2024-07-12", "2024-12-25"])
def test_in_northern_ireland_no_rule_moves_a_release(calculated: str) -> None:
    place = {"prison": {"nation": "northern_ireland"}}

    assert dates(release={"calculated_on": calculated}, **place) == (calculated, None, None)


def test_closure_days_and_announced_changes_of_the_prison_move_the_date() -> None:
    release = {"calculated_on": "2024-06-12"}  # a Wednesday
    closed = {"prison": {"closure_days": ["2024-06-12"]}}
    announced = {"on": "2024-06-12", "change": "added", "announced_on": "2023-11-01"}

    assert dates(release=release, **closed)[0] == "2024-06-10"
    assert dates(release=release, prison={"calendar_changes": [announced]})[0] == "2024-06-10"
    later = announced | {"announced_on": "2023-11-02"}
    assert dates(release=release, prison={"calendar_changes": [later]})[0] == "2024-06-12"


@pytest.mark.proves("RG-06")
def test_the_confirmed_date_stands_as_it_is_and_no_rule_is_worked_out() -> None:
    release = {"confirmed_on": "2024-06-15", "calculated_on": "2024-06-15"}

    assert dates(release=release) == ("2024-06-15", None, None)


@pytest.mark.parametrize("how", ["release", "court", "unplanned"])
def test_once_out_the_release_date_is_the_london_day_of_leaving(how: str) -> None:
    # 00:30 in London on the 18th, still the 17th in UTC.
    gone = a_case(as_at="2019-09-18T09:00+01:00", exit=an_exit("2019-09-17T23:30Z", how))

    assert answer(gone)["expected_release_on"] == "2019-09-18"


def test_without_any_release_fact_the_date_is_unknown() -> None:
    given = answer(a_case(release=None))

    names = ("expected_release_on", "next_working_day_on", "continuity_deadline_on",
             "cjit_notice_due_on")  # fmt: skip
    assert [given[name] for name in names] == [None] * 4


@pytest.mark.parametrize(
    ("release_on", "next_on", "deadline_on"),
    [
        ("2019-09-18", "2019-09-19", "2019-10-09"),
        ("2020-04-09", "2020-04-14", "2020-04-30"),   # over Easter
        ("2021-12-24", "2021-12-29", "2022-01-14"),   # Christmas at a weekend, both substitutes
        ("2020-02-28", "2020-03-02", "2020-03-20"),   # over a leap day
    ],
)  # fmt: skip
def test_the_dates_after_release_are_counted_from_it(
    release_on: str, next_on: str, deadline_on: str
) -> None:
    given = answer(a_case(release={"confirmed_on": release_on}))

    assert (given["next_working_day_on"], given["continuity_deadline_on"]) == (next_on, deadline_on)


def test_the_next_working_day_is_the_destinations() -> None:
    easter = out_since(at="2020-04-09T10:00+01:00", destination={"nation": "scotland"})

    # Good Friday is kept in Scotland, Easter Monday is not.
    assert answer(easter)["next_working_day_on"] == "2020-04-13"


def test_an_unnamed_destination_follows_the_prisons_calendar_and_its_own_closures() -> None:
    prison = {"nation": "scotland"}
    here: Json = {"nation": None, "closure_days": ["2020-04-13"]}
    case = {"as_at": "2020-03-02T10:00Z", "release": {"confirmed_on": "2020-04-09"}}

    unnamed = answer(a_case(**case, prison=prison, destination=here))
    absent = answer(a_case(**case, prison=prison, destination=None))

    assert unnamed["next_working_day_on"] == "2020-04-14"
    assert absent["next_working_day_on"] == "2020-04-13"
