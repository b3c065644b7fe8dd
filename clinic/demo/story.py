"""The demonstration as it is being told: who works where, and at which moment."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from clinic import clock
from clinic.act import Act
from clinic.db import Database
from clinic.demo import people
from clinic.demo.people import STAFF
from clinic.patients.commands import register_patient
from clinic.roles import rights_of
from dosing.days import at_london, london_day


class Story:
    """Who tells it and what was told: every step is somebody's command at some moment."""

    def __init__(self, database: Database, say: Callable[[str], object]) -> None:
        self.database = database
        self.say = say
        self.now = clock.now()
        self.today = london_day(self.now)
        self.site_ids: dict[str, int] = {}
        self.staff_ids: dict[str, int] = {}
        self.random = random.Random(7)  # noqa: S311 - the same people every time
        self.numbers = people.nhs_numbers()
        self.names = self._names()
        self.prison_numbers = (
            f"A{n:04d}{a}{b}" for n in range(1001, 9999) for a in "BC" for b in "DE"
        )

    def _names(self) -> Iterator[tuple[str, str]]:
        while True:
            for step in range(len(people.GIVEN_NAMES)):
                for place, family in enumerate(people.FAMILY_NAMES):
                    yield family, people.GIVEN_NAMES[(place + step * 7) % len(people.GIVEN_NAMES)]

    def by(self, key: str, at: datetime | None = None) -> Act:
        """A piece of work by a member of staff at their own site, at a moment (now when not said)."""
        member = next(each for each in STAFF if each.key == key)
        return Act(
            session=self.database.session(), at=min(at or self.now, self.now),
            staff_id=self.staff_ids[key], staff_name=member.name,
            site_id=self.site_ids[member.site], role=member.role,
            rights=rights_of([member.role], [member.post] if member.post else []),
            request_id="demonstration",
        )  # fmt: skip

    def at(self, days: int, clock_time: str = "10:00") -> datetime:
        """A London clock time, so many days from today (minus for past ones), never in the future."""
        return min(
            at_london(self.today + timedelta(days=days), time.fromisoformat(clock_time)), self.now
        )

    def patient(self, key: str, at: datetime, *, prison: bool = False, **details: Any) -> int:
        """Register the next synthetic person at the site of whoever does it."""
        family, given = next(self.names)
        numbers = {"nhs": next(self.numbers)}
        if prison:
            numbers["prison"] = next(self.prison_numbers)
        work = self.by(key, at)
        patient = register_patient(
            work, family_name=family, given_name=given,
            **{
                "born_on": date(1965, 1, 1) + timedelta(days=self.random.randint(0, 13_000)),
                "sex": self.random.choice(("male", "male", "female")),
                **details,
            },
            demo=True, numbers=numbers,
        )  # fmt: skip
        work.session.close()
        return patient
