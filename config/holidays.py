"""Which days are bank holidays? Reads the pinned files of config/bank_holidays.

`scheduling.calendars.HolidayLists(**bank_holidays())` is how `clinic` hands them to the rules;
the two packages do not know each other.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import TypedDict

FOLDER = Path(__file__).parent / "bank_holidays"


class BankHolidays(TypedDict):
    """The fields of `HolidayLists`: weekdays off by nation, first_on to last_on included."""

    version: str
    first_on: date
    last_on: date
    days: Mapping[str, frozenset[date]]


@cache
def bank_holidays(folder: Path = FOLDER) -> BankHolidays:
    """The bank holidays of every nation that has a file.

    ValueError when the files are not of one version and one span: a mixture would answer for
    years that one nation's list does not know.
    """
    files = [tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.toml"))]
    spans = {(each["version"], each["first_on"], each["last_on"]) for each in files}
    if len(spans) != 1:
        raise ValueError(f"the bank holiday files in {folder} are not one version and span")
    version, first_on, last_on = spans.pop()
    return {
        "version": version,
        "first_on": first_on,
        "last_on": last_on,
        "days": {
            each["nation"]: frozenset(date.fromisoformat(day) for day in each["days"])
            for each in files
        },
    }
