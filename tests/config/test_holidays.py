"""The pinned bank holidays, against the library they were written from and the days that moved."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest

from config.holidays import FOLDER, bank_holidays
from tests.config import write_bank_holidays as script

ENGLAND, SCOTLAND, NORTHERN_IRELAND = "england_and_wales", "scotland", "northern_ireland"
EVERYWHERE = {ENGLAND, SCOTLAND, NORTHERN_IRELAND}


@pytest.mark.parametrize("nation", sorted(EVERYWHERE))
def test_each_pinned_file_is_what_the_script_writes(nation: str) -> None:
    assert (FOLDER / f"{nation}.toml").read_text("utf-8") == script.text(nation)


def test_the_lists_cover_2000_to_2035_in_all_three_nations() -> None:
    pinned = bank_holidays()

    assert (pinned["first_on"], pinned["last_on"]) == (date(2000, 1, 1), date(2035, 12, 31))
    assert set(pinned["days"]) == EVERYWHERE
    for days in pinned["days"].values():
        assert {day.year for day in days} == set(range(2000, 2036))


def test_no_pinned_day_is_at_a_weekend() -> None:
    for days in bank_holidays()["days"].values():
        assert all(day.weekday() < 5 for day in days)


@pytest.mark.parametrize(
    ("day", "off_in"),
    [
        ("2000-01-04", {SCOTLAND}),  # 2 January fell on a Sunday
        ("2002-05-27", set()),  # the spring holiday moved to June
        ("2002-06-03", EVERYWHERE),  # Golden Jubilee
        ("2002-06-04", EVERYWHERE),
        ("2006-11-30", set()),  # before the Act of 2007
        ("2007-11-30", {SCOTLAND}),
        ("2011-04-29", EVERYWHERE),  # royal wedding
        ("2012-05-28", set()),
        ("2012-06-04", EVERYWHERE),
        ("2012-06-05", EVERYWHERE),  # Diamond Jubilee
        ("2013-12-02", {SCOTLAND}),  # 30 November fell on a Saturday
        ("2020-05-04", set()),  # May day moved to the Friday
        ("2020-05-08", EVERYWHERE),
        ("2020-07-13", {NORTHERN_IRELAND}),  # 12 July fell on a Sunday
        ("2022-05-30", set()),
        ("2022-06-02", EVERYWHERE),
        ("2022-06-03", EVERYWHERE),  # Platinum Jubilee
        ("2022-09-19", EVERYWHERE),  # state funeral
        ("2023-05-08", EVERYWHERE),  # coronation
        ("2024-03-18", {NORTHERN_IRELAND}),  # 17 March fell on a Sunday
        ("2024-04-01", {ENGLAND, NORTHERN_IRELAND}),  # Easter Monday
        ("2024-08-05", {SCOTLAND}),
        ("2024-08-26", {ENGLAND, NORTHERN_IRELAND}),
        ("2026-06-15", {SCOTLAND}),
    ],
)
def test_a_moved_or_single_day_is_off_in_its_own_nations_only(day: str, off_in: set[str]) -> None:
    days = bank_holidays()["days"]

    assert {nation for nation in days if date.fromisoformat(day) in days[nation]} == off_in


def test_christmas_2010_and_2022_are_off_on_the_substitute_days() -> None:
    for days in bank_holidays()["days"].values():
        assert {day for day in days if day.year == 2010 and day.month == 12 and day.day > 20} == {
            date(2010, 12, 27),
            date(2010, 12, 28),
        }
        assert {day for day in days if day.year == 2022 and day.month == 12 and day.day > 20} == {
            date(2022, 12, 26),
            date(2022, 12, 27),
        }


def easter_sunday(year: int) -> date:
    """Easter Sunday by the arithmetic printed in Butcher's Ecclesiastical Calendar."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * weekday) // 433
    month = (h + weekday - 7 * m + 90) // 25
    return date(year, month, (h + weekday - 7 * m + 33 * month + 19) % 32)


def test_good_friday_is_off_everywhere_and_easter_monday_not_in_scotland() -> None:
    days = bank_holidays()["days"]

    for year in range(2000, 2036):
        easter = easter_sunday(year)
        assert all(easter - timedelta(days=2) in days[nation] for nation in days)
        monday = easter + timedelta(days=1)
        assert {nation for nation in days if monday in days[nation]} == EVERYWHERE - {SCOTLAND}


def test_the_days_announced_are_days_in_the_list_and_were_announced_before_they_came() -> None:
    for path in FOLDER.glob("*.toml"):
        pinned = tomllib.loads(path.read_text("utf-8"))
        for day, announced_on in pinned["announced"].items():
            assert day in pinned["days"]
            assert announced_on < date.fromisoformat(day)


def test_files_of_two_versions_are_refused(tmp_path: Path) -> None:
    for place, path in enumerate(FOLDER.glob("*.toml")):
        text = path.read_text("utf-8").replace("2035.1", f"2035.{place}")
        (tmp_path / path.name).write_text(text, "utf-8")

    with pytest.raises(ValueError, match="not one version"):
        bank_holidays(tmp_path)
