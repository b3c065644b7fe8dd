"""A prison, its people, and what the timetable rules answer for somebody in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.factories.custody import a_prison

AFTERNOON = datetime(2026, 11, 4, 16, 0, tzinfo=UTC)


@pytest.fixture
def prison(database):
    made = a_prison(database)
    yield made
    made.close()


@pytest.fixture
def staff(app, prison, door, clock):
    """`staff("manager")`: somebody signed in at the prison, with CSRF switched on."""
    clock.set(AFTERNOON)
    app.config["WTF_CSRF_ENABLED"] = True

    def sign_in(role: str, site: Any = None) -> Any:
        prison.close()
        return door.by_page(role, site=site or prison.site)

    yield sign_in
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def healthcare(staff):
    return staff("prison_healthcare")
