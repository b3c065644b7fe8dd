"""Somebody in prison with a care plan, and the people who agree to it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clinic.careplans import agreement_commands, commands
from clinic.careplans.models import CarePlan
from tests.factories.custody import a_prison

DAY_2 = datetime(2026, 11, 5, 10, 0, tzinfo=UTC)
DAY_3 = datetime(2026, 11, 6, 10, 0, tzinfo=UTC)


class Story:
    """A stay at a prison and its plan, worked on by the keyworker from day 2."""

    def __init__(self, prison) -> None:
        self.prison = prison
        self.reception_id = prison.receives()
        self.patient_id = prison.stay(self.reception_id).patient.id
        prison.at = DAY_2
        self.plan_id = commands.start_plan(
            self.act(), self.patient_id, reception_id=self.reception_id
        )

    def act(self, staff=None):
        return self.prison.act(staff or self.prison.keyworker)

    def etag(self):
        with self.prison.database.reading() as session:
            return session.get_one(CarePlan, self.plan_id).version

    def changes(self, **what):
        return commands.change_plan(self.act(), self.plan_id, version=self.etag(), **what)

    def agrees(self, party, number, **more):
        return agreement_commands.agree(
            self.act(), self.plan_id, number=number, party=party, agreed_at=self.prison.at, **more
        )

    def assessed(self):
        self.prison.delivers(self.reception_id, "csma")

    def item(self, key):
        answer = self.prison.stay(self.reception_id).answer
        return next(row for row in answer["items"] if row["item"] == key)


@pytest.fixture
def story(database):
    prison = a_prison(database)
    yield Story(prison)
    prison.close()
