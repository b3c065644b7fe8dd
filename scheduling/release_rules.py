"""What are the limits and messages of the release-gap rules? release.toml, read once.

Only data: the reasoning stands in release.py and release_cover.py.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any, Final

from scheduling.release_request import WEEKDAYS, Hours, clock_time


@dataclass(frozen=True)
class Limits:
    """The numbers the rules count with; each limit's unit and source stand in release.toml."""

    served_since_sentence: timedelta
    friday_rule_from: date
    late_appointment_after: time
    collection_within: timedelta
    continuity: timedelta
    cjit_notice: timedelta
    outreach: timedelta
    double_dose: timedelta
    missed_in_a_row: int
    search: timedelta
    short_sentence: timedelta
    appointment_tried_at: tuple[time, ...]


@dataclass(frozen=True)
class PharmacyDefaults:
    """Opening hours by weekday (an empty one is closed), and the named days by nation."""

    hours: Mapping[str, Hours]
    named_days: Mapping[str, frozenset[tuple[int, int]]]


@dataclass(frozen=True)
class Rule:
    """One row of the rule table: its words, its severity, and where it turns red or critical.

    `red_at` and `critical_at` count what the row's `unit` says, working days left when it says
    nothing. `table` is the whole row, for what one rule alone has.
    """

    id: str
    message: str
    clears_when: str
    severity: str
    red_at: int | None
    critical_at: int | None
    table: Mapping[str, Any]


def _load() -> tuple[Limits, PharmacyDefaults, dict[str, Rule]]:
    with Path(__file__).with_name("release.toml").open("rb") as file:
        table = tomllib.load(file)
    value = {limit["id"]: limit["value"] for limit in table["limit"]}
    limits = Limits(
        served_since_sentence=timedelta(days=value["served_since_sentence"]),
        friday_rule_from=value["friday_rule_from"],
        late_appointment_after=value["late_appointment_after"],
        collection_within=timedelta(days=value["collection_within"]),
        continuity=timedelta(days=value["continuity"]),
        cjit_notice=timedelta(days=value["cjit_notice"]),
        outreach=timedelta(hours=value["outreach"]),
        double_dose=timedelta(hours=value["double_dose"]),
        missed_in_a_row=value["missed_in_a_row"],
        search=timedelta(days=value["search"]),
        short_sentence=timedelta(days=value["short_sentence"]),
        appointment_tried_at=tuple(value["appointment_tried_at"]),
    )
    week = table["pharmacy"]["hours"]
    pharmacy = PharmacyDefaults(
        hours={
            weekday: tuple(_stretch(hours) for hours in week.get(weekday, ()))
            for weekday in WEEKDAYS
        },
        named_days={
            nation: frozenset(_month_day(day) for day in days)
            for nation, days in table["pharmacy"]["named_days"].items()
        },
    )
    rules = {
        row["id"]: Rule(
            id=row["id"],
            message=row["message"],
            clears_when=row["clears_when"],
            severity=row["severity"],
            red_at=row.get("red_at"),
            critical_at=row.get("critical_at"),
            table=row,
        )
        for row in table["rule"]
    }
    return limits, pharmacy, rules


def _stretch(text: str) -> tuple[time, time]:
    opens, closes = text.split("-")
    return clock_time(opens), clock_time(closes)


def _month_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)


LIMITS, PHARMACY, RULES = _load()
MOST_WORKING_DAYS: Final = max(
    rule.red_at or 0 for rule in RULES.values() if "unit" not in rule.table
)
"""The longest count-down any severity waits for, in working days."""
