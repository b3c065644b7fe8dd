"""A prison, its healthcare, and a plan in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from clinic.act import Act
from clinic.db import Database
from clinic.release import queries
from clinic.sites.models import Site
from clinic.staff.models import Staff
from tests.factories.base import a_member_of_staff, a_patient, a_site, an_act

MONDAY = datetime(2026, 8, 17, 9, 0, tzinfo=UTC)


@dataclass
class Story:
    """Somebody at work in a prison; `act` is a new piece of work at the time it stands at."""

    database: Database
    prison: Site
    staff: Staff
    at: datetime = MONDAY
    _acts: list[Act] = field(default_factory=list)

    def act(self, staff: Staff | None = None, site: Site | None = None, **more: Any) -> Act:
        """A piece of work. The reads of the ones before it end: what others saved since stays."""
        for earlier in self._acts:
            earlier.session.commit()
        act = an_act(self.database, staff or self.staff, site or self.prison, at=self.at, **more)
        self._acts.append(act)
        return act

    def patient(self) -> int:
        return a_patient(self.act())

    def now(self, plan_id: int) -> queries.PlanNow:
        act = self.act()
        found = queries.plan_now(act, plan_id)
        act.session.commit()
        return found

    def flags(self, plan_id: int) -> dict[str, str]:
        """The flags that stand, as the page shows them: rule id to severity."""
        return {flag.flag: flag.severity for flag in self.now(plan_id).flags}

    def close(self) -> None:
        for act in self._acts:
            act.session.close()


@pytest.fixture
def story(database):
    prison = a_site(database, kind="prison", name="HMP Northborough")
    staff = a_member_of_staff(database, prison, "prison_healthcare", name="Ann Probert")
    made = Story(database, prison, staff)
    yield made
    made.close()
