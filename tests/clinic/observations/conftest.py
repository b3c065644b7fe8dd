"""A prison, its people, and what the timetable rules answer for somebody in it."""

from __future__ import annotations

import pytest

from tests.factories.custody import a_prison


@pytest.fixture
def prison(database):
    made = a_prison(database)
    yield made
    made.close()
