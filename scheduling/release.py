"""Will anyone be without medicine after arrival, court, transfer or release? Flags, from facts.

`check` is the door: parsed JSON in, the contract's response out. It reads the request, works
out the picture (dates, cover, first community contact), asks one function per rule, and asks
them all again as if the person left now. It stores nothing, names no amount, and no flag is
ever cleared by a fact that is not known. Words and limits: release.toml.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from dosing.days import ONE_DAY, london_day
from dosing.shape import Answer, JsonSchema, Refused
from scheduling.calendars import HolidayLists, OutOfReach
from scheduling.release_flags import SEVERITIES, flags_of, iso, iso_at, isos
from scheduling.release_picture import ArrivalPicture, picture_of, places_of
from scheduling.release_request import (
    Exit,
    Request,
    calendar_dates,
    out_of_reach,
    read,
    request_schema,
)
from scheduling.release_rules import RULES

__all__ = ["check", "first_change", "request_schema", "response_schema"]


def check(request: Any, holidays: HolidayLists) -> Answer:
    """Which prescribing gaps does this case have, now and if the person left this moment?

    `request` is parsed JSON; the answer is ready for JSON: dates as YYYY-MM-DD, instants in
    London's offset. Raises Refused with the path of the field at fault, also when a date lies
    beyond `holidays`.
    """
    given = read(request, holidays)
    try:
        return _answer(given, holidays)
    except OutOfReach as beyond:
        day = beyond.day
        field, _ = min(calendar_dates(given), key=lambda named: abs(named[1] - day))
        raise Refused(field, out_of_reach(holidays)) from beyond


def first_change(
    request: Any, flags: list[Answer], moments: Iterable[datetime], holidays: HolidayLists
) -> datetime | None:
    """At which of these moments would the flags first be others, if no fact changed until then?

    `flags`: those of the answer to `request`; `moments`: aware, after its `as_at`, in order. None:
    at none of them. A moment beyond `holidays` counts: nobody can say that it brings nothing.
    """
    given = read(request, holidays)
    if _died(given):
        return None
    for moment in moments:
        then = replace(given, as_at=moment)
        if not holidays.first_on <= london_day(moment) <= holidays.last_on:
            return moment
        try:
            if flags_of(picture_of(then, places_of(then, holidays), then.exit)) != flags:
                return moment
        except OutOfReach:
            return moment
    return None


def _died(given: Request) -> bool:
    return given.exit is not None and given.exit.how == "died"


def _answer(given: Request, holidays: HolidayLists) -> Answer:
    if _died(given):
        return _nothing_computed(given, holidays)
    places = places_of(given, holidays)
    picture = picture_of(given, places, given.exit)
    today_too = None
    if not picture.out:
        now = picture_of(given, places, Exit(given.as_at, "unplanned"))
        today_too = {
            "cover_ends_on": iso(now.cover.ends_on),
            "uncovered_days": isos(now.gap.uncovered_days),
            "gap_days": now.gap.days,
            "continuity_deadline_on": iso(now.continuity_deadline_on),
            "flags": flags_of(now),
        }
    cover_ends_on = picture.cover.ends_on
    contact = picture.contact if picture.on_ost else None
    return {
        "case": given.case,
        "expected_release_on": iso(picture.release_on),
        "weekend_rule_on": iso(picture.dates.weekend_rule_on),
        "friday_rule_on": iso(picture.dates.friday_rule_on),
        "cover_ends_on": iso(cover_ends_on),
        "first_community_dose_on": iso(contact.dose_on if contact else None),
        "uncovered_days": isos(picture.gap.uncovered_days),
        "gap_days": picture.gap.days,
        "gap_free_by_on": iso(cover_ends_on + ONE_DAY if cover_ends_on else None),
        "next_working_day_on": iso(picture.next_working_day_on),
        "continuity_deadline_on": iso(picture.continuity_deadline_on),
        "cjit_notice_due_on": iso(picture.cjit_notice_due_on),
        "court_packs": [
            {"court_on": iso(court.on), "due_on": iso(court.due_on), "missing": court.missing}
            for court in picture.courts_ahead
        ],
        "arrival": _arrival_answer(picture.arrival),
        "flags": flags_of(picture),
        "released_today": today_too,
        "calendar_version": holidays.version,
    }


def _nothing_computed(given: Request, holidays: HolidayLists) -> Answer:
    """The answer for someone who died in custody: no flag, no date."""
    answer: Answer = dict.fromkeys(_ANSWER_SHAPES)
    answer.update(
        case=given.case,
        uncovered_days=[],
        court_packs=[],
        flags=[],
        calendar_version=holidays.version,
    )
    return answer


def _arrival_answer(arrival: ArrivalPicture | None) -> dict[str, Any] | None:
    if arrival is None:
        return None
    return {
        "missed_days": None if arrival.missed_days is None else isos(arrival.missed_days),
        "last_dose_at": iso_at(arrival.last_dose.at if arrival.last_dose else None),
        "dose_24h_at": iso_at(arrival.dose_24h_at),
        "confirmation_due_on": iso(arrival.confirmation_due_on),
    }


def _object(properties: dict[str, JsonSchema], *, null: bool = False) -> JsonSchema:
    return {
        "type": ["object", "null"] if null else "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _list(items: JsonSchema, *, null: bool = False) -> JsonSchema:
    return {"type": ["array", "null"] if null else "array", "items": items}


_TEXT: Final[JsonSchema] = {"type": "string"}
_ON: Final[JsonSchema] = {"type": "string", "format": "date"}
_ON_OR_NULL: Final[JsonSchema] = {"type": ["string", "null"], "format": "date"}
_AT_OR_NULL: Final[JsonSchema] = {"type": ["string", "null"], "format": "date-time"}
_DAYS_OR_NULL: Final[JsonSchema] = {"type": ["integer", "null"], "minimum": 0}
_FLAGS: Final = _list(
    _object(
        {
            "flag": {"type": "string", "enum": list(RULES)},
            "severity": {"type": "string", "enum": list(SEVERITIES)},
            "message": _TEXT,
            "clears_when": _TEXT,
            "facts": {"type": "object"},
        }
    )
)
_ANSWER_SHAPES: Final[dict[str, JsonSchema]] = {
    "case": _TEXT,
    "expected_release_on": _ON_OR_NULL,
    "weekend_rule_on": _ON_OR_NULL,
    "friday_rule_on": _ON_OR_NULL,
    "cover_ends_on": _ON_OR_NULL,
    "first_community_dose_on": _ON_OR_NULL,
    "uncovered_days": _list(_ON),
    "gap_days": _DAYS_OR_NULL,
    "gap_free_by_on": _ON_OR_NULL,
    "next_working_day_on": _ON_OR_NULL,
    "continuity_deadline_on": _ON_OR_NULL,
    "cjit_notice_due_on": _ON_OR_NULL,
    "court_packs": _list(_object({"court_on": _ON, "due_on": _ON, "missing": _list(_TEXT)})),
    "arrival": _object(
        {
            "missed_days": _list(_ON, null=True),
            "last_dose_at": _AT_OR_NULL,
            "dose_24h_at": _AT_OR_NULL,
            "confirmation_due_on": _ON_OR_NULL,
        },
        null=True,
    ),
    "flags": _FLAGS,
    "released_today": _object(
        {
            "cover_ends_on": _ON_OR_NULL,
            "uncovered_days": _list(_ON),
            "gap_days": _DAYS_OR_NULL,
            "continuity_deadline_on": _ON_OR_NULL,
            "flags": _FLAGS,
        },
        null=True,
    ),
    "calendar_version": _TEXT,
}


def response_schema() -> JsonSchema:
    """The response as JSON Schema 2020-12."""
    return _object(_ANSWER_SHAPES)
