"""Writes config/bank_holidays/*.toml: `python -m tests.config.write_bank_holidays`.

The days come from the `holidays` package, always asked by subdivision (without one it drops
Easter Monday and the August holiday), and are then corrected by hand below. The service reads
the files and never the package, so that an upgrade cannot move a date already lived through.
Raise VERSION with every change to a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import holidays

FOLDER = Path(__file__).parents[2] / "config" / "bank_holidays"
VERSION = "uk-2000-2035.1"
FIRST_YEAR, LAST_YEAR = 2000, 2035
SUBDIVISIONS = {"england_and_wales": "ENG", "scotland": "SCT", "northern_ireland": "NIR"}

NOT_A_HOLIDAY = {
    # The St Andrew's Day Bank Holiday (Scotland) Act became law in 2007.
    ("scotland", date(2006, 11, 30)),
}

ANNOUNCED = {
    # When the moved and single days became public, where that day is established; the
    # Golden Jubilee days of 2002 are not. Scotland's own proclamations could come later.
    date(2011, 4, 29): date(2010, 11, 23),
    date(2012, 6, 4): date(2010, 1, 5),
    date(2012, 6, 5): date(2010, 1, 5),
    date(2020, 5, 8): date(2019, 6, 7),
    date(2022, 6, 2): date(2020, 11, 12),
    date(2022, 6, 3): date(2020, 11, 12),
    date(2022, 9, 19): date(2022, 9, 10),
    date(2023, 5, 8): date(2022, 11, 6),
    date(2026, 6, 15): date(2026, 2, 4),
}


def days_off(nation: str) -> dict[date, str]:
    """The weekdays off in one nation, with names; a weekend holiday on its substitute only."""
    listed = holidays.country_holidays(
        "GB",
        subdiv=SUBDIVISIONS[nation],
        years=range(FIRST_YEAR, LAST_YEAR + 1),
        language="en_GB",
    )
    return {
        day: name.replace("(observed)", "(substitute day)")
        for day, name in sorted(listed.items())
        if day.weekday() < 5 and (nation, day) not in NOT_A_HOLIDAY
    }


def lines(nation: str) -> Iterator[str]:
    """One nation's file, line by line."""
    days = days_off(nation)
    yield f"# Bank holidays on which offices close, {nation.replace('_', ' ')}: weekdays only."
    yield "# Written by tests/config/write_bank_holidays.py; correct it there, not here."
    yield f'nation = "{nation}"'
    yield f'version = "{VERSION}"'
    yield f"first_on = {date(FIRST_YEAR, 1, 1)}"
    yield f"last_on = {date(LAST_YEAR, 12, 31)}"
    yield ""
    yield "[days]"
    for day, name in days.items():
        yield f'{day} = "{name}"'
    yield ""
    yield "[announced]  # when a moved or single day became public"
    for day, announced_on in ANNOUNCED.items():
        if day in days:
            yield f"{day} = {announced_on}"


def text(nation: str) -> str:
    return "\n".join(lines(nation)) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for nation in SUBDIVISIONS:
        (FOLDER / f"{nation}.toml").write_text(text(nation), encoding="utf-8")


if __name__ == "__main__":
    main()
