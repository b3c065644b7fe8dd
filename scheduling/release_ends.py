"""On which days could this person leave, and what would each of those days be without?

Every possible end is held side by side: the expected date, each earlier one not ruled out, each
hearing, and today. The release check itself is asked about each, as if that day were the confirmed
one; nothing is worked out here a second time. Rules: RC-06, RC-07; numbers in release.toml.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from dosing.days import ONE_DAY, london_day
from scheduling.calendars import HolidayLists
from scheduling.release import check
from scheduling.release_flags import SEVERITIES
from scheduling.release_picture import places_of
from scheduling.release_request import read
from scheduling.release_rules import LIMITS

Json = dict[str, Any]

_MOVED: Final = ("calculated_on", "confirmed_on", "possible_earlier", "previous_on", "changed_at")


@dataclass(frozen=True)
class PossibleEnd:
    """One day they could leave on. `why`: today, expected, court, hdc, early_release or other.

    `check_on`: the last working day of the prison before it, on which everything is looked at once
    more. `uncovered_days` are known only with a first contact; `gap_days` None: nobody can say.
    `grave`: the red and critical flags that would stand if this were the confirmed day.
    """

    on: date
    why: str
    check_on: date
    cover_ends_on: date | None
    uncovered_days: tuple[date, ...]
    gap_days: int | None
    grave: tuple[str, ...]


def possible_ends(request: Json, holidays: HolidayLists) -> list[PossibleEnd]:
    """Every day this person could leave on, the soonest first; none once out, moved or dead.

    Raises Refused as `check` does.
    """
    answer = check(request, holidays)
    if answer["released_today"] is None or request.get("exit"):
        return []
    given = read(request, holidays)
    prison = places_of(given, holidays).prison
    today = london_day(given.as_at)
    release = request.get("release") or {}
    days: list[tuple[date, str]] = []
    if answer["expected_release_on"]:
        days.append((date.fromisoformat(answer["expected_release_on"]), "expected"))
    days += [
        (date.fromisoformat(each["on"]), each["why"])
        for each in release.get("possible_earlier", ())
        if not each.get("ruled_out_at")
    ]
    days += [(date.fromisoformat(pack["court_on"]), "court") for pack in answer["court_packs"]]
    ends = [_today(today, answer["released_today"])]
    for on, why in days:
        tried = {name: value for name, value in release.items() if name not in _MOVED}
        then = check(
            {**request, "release": {**tried, "confirmed_on": max(on, today).isoformat()}}, holidays
        )
        ends.append(_end(max(on, today), why, prison.previous_working_day(on - ONE_DAY), then))
    return sorted(ends, key=lambda end: (end.on, end.why != "today"))


def _today(today: date, now: Json) -> PossibleEnd:
    return _end(today, "today", today, now)


def _end(on: date, why: str, check_on: date, answer: Json) -> PossibleEnd:
    ends_on = answer["cover_ends_on"]
    return PossibleEnd(
        on, why, check_on,
        date.fromisoformat(ends_on) if ends_on else None,
        tuple(date.fromisoformat(day) for day in answer["uncovered_days"]),
        answer["gap_days"],
        tuple(
            dict.fromkeys(
                flag["flag"] for flag in answer["flags"] if flag["severity"] in SEVERITIES[2:]
            )
        ),
    )  # fmt: skip


def any_day(request: Json, answer: Json) -> tuple[str, ...]:
    """Why could this person leave on any day, unplanned? Empty when nothing says so. RC-07.

    remand; short_sentence; court (a hearing ahead); possible_now (an earlier date that has come,
    not ruled out); no_date (nobody knows when). Whoever has left is past that.
    """
    if answer["released_today"] is None or request.get("exit"):
        return ()
    today = london_day(datetime.fromisoformat(request["as_at"]))
    release = request.get("release") or {}
    expected = answer["expected_release_on"]
    sentenced = release.get("sentenced_on")
    reasons = {
        "remand": release.get("kind") == "remand",
        "short_sentence": bool(
            sentenced
            and expected
            and date.fromisoformat(expected) - date.fromisoformat(sentenced)
            <= LIMITS.short_sentence
        ),
        "court": bool(answer["court_packs"]),
        "possible_now": any(
            date.fromisoformat(each["on"]) <= today and not each.get("ruled_out_at")
            for each in release.get("possible_earlier", ())
        ),
        "no_date": expected is None,
    }
    return tuple(reason for reason, true in reasons.items() if true)
