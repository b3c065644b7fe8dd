"""A small wing whose facts a test names one by one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from dosing.days import at_london, days_between
from scheduling.groups import (
    TOPICS,
    Away,
    Block,
    Facilitator,
    GroupFacts,
    Material,
    Person,
    Room,
    Session,
    Week,
)

MONDAY = date(2026, 11, 30)
AM, PM = time(9), time(13)
ALL = frozenset(TOPICS)


def at(on: date, clock: time) -> datetime:
    return at_london(on, clock)


def a_week(required: int = 2, first_on: date = MONDAY, *, days: int = 7, hard: bool = True) -> Week:
    return Week(2, first_on, first_on + timedelta(days=days - 1), required, hard)


def a_person(number: int = 1, **given: Any) -> Person:
    """Somebody of the main estate who is owed two groups in the week of MONDAY."""
    wanted: dict[str, Any] = {
        "received_at": datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(minutes=number),
        "estate": "main", "weeks": (a_week(),), "topics": ("crack", "alcohol"),
    }  # fmt: skip
    return Person(id=number, **{**wanted, **given})


def away(cause: str, on: date, since: time = time(8), until: time = time(12, 30)) -> Away:
    return Away(at(on, since), at(on, until), cause)


def a_session(number: int | None = 1, on: date = MONDAY, clock: time = AM, **given: Any) -> Session:
    begins = at(on, clock)
    wanted: dict[str, Any] = {
        "topic": "crack", "estate": "main", "starts_at": begins,
        "ends_at": begins + timedelta(minutes=90), "room_id": 1, "carat_id": 1, "clinical_id": 2,
        "published": number is not None,
    }  # fmt: skip
    return Session(id=number, **{**wanted, **given})


def some_facts(people: Iterable[Person] = (), days: int = 1, **given: Any) -> GroupFacts:
    """A prison with a morning and an afternoon from MONDAY on, one room and one pair to lead."""
    dates = list(days_between(MONDAY, MONDAY + timedelta(days=days - 1)))
    wanted: dict[str, Any] = {
        "blocks": tuple(
            Block(at(on, since), at(on, until), part)
            for on in dates
            for part, since, until in (("am", AM, time(12)), ("pm", PM, time(16, 30)))
        ),
        "working_days": frozenset(dates),
        "facilitators": (Facilitator(1, "carat", ALL), Facilitator(2, "clinical", ALL)),
        "rooms": (Room(1, 12, True),),
        "materials": tuple(Material(topic, date(2026, 1, 1)) for topic in TOPICS),
    }  # fmt: skip
    return GroupFacts(people=tuple(people), **{**wanted, **given})
