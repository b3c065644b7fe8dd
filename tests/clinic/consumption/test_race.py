"""Many hands at one hatch: whatever is posted at once, a dose is one record and a day one decision.

SQLite is served by one process, PostgreSQL by two, as `throughcare serve` runs them.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from clinic.consumption.models import DoseEvent
from clinic.prescriptions.models import DoseDecision
from tests.factories.base import a_member_of_staff
from tests.factories.consumption import CHECKED, ready_for_a_dose
from tests.factories.prescriptions import (
    a_clinic,
    a_decision,
    a_supply,
    an_assessed_patient,
    an_order,
)
from tests.support import people
from tests.support.race import post, race

CLIENTS = 50


def bearers(clinic: Any, staff: Any, scopes: list[str], count: int) -> list[str]:
    with clinic.database.transaction() as session:
        return [people.an_api_token(session, staff, clinic.site, scopes) for _ in range(count)]


@pytest.fixture
def hatch(fresh_database):
    """A clinic now, somebody decided for and reviewed, and fifty tokens to record with."""
    now = datetime.now(UTC)
    clinic = a_clinic(fresh_database, at=now)
    patient = an_assessed_patient(clinic, at=now)
    act = clinic.act(at=now)
    decision = a_decision(act, patient, "25")
    ready_for_a_dose(act, patient)
    act.session.close()
    now = datetime.now(UTC)  # a dose is given after it was decided on
    path = f"/api/v1/patients/{patient}/dose-decisions/{decision}/doses"
    scopes = ["consumption.record", "consumption.anywhere"]
    return path, now, bearers(clinic, clinic.nurse, scopes, CLIENTS)


def taken(now: datetime) -> dict[str, Any]:
    return {
        "outcome": "taken", "consumed_at": now.isoformat(), "supervision": "supervised", **CHECKED,
    }  # fmt: skip


def standing(database: Any) -> list[DoseEvent]:
    with database.reading() as session:
        return list(session.scalars(select(DoseEvent).where(DoseEvent.struck_at.is_(None))))


def test_the_same_dose_posted_fifty_times_at_once_is_one_record(fresh_database, servers, hatch):
    path, now, tokens = hatch

    answers = race(
        [
            partial(post, servers[nth % len(servers)].url, path, token, taken(now))
            for nth, token in enumerate(tokens)
        ]
    )

    statuses = Counter(status for status, _ in answers)
    assert statuses == {201: 1, 200: CLIENTS - 1}, (statuses, answers[:3])
    (row,) = standing(fresh_database)
    assert {answer["id"] for _, answer in answers} == {row.id}


def test_of_two_outcomes_posted_at_once_one_stands_and_the_others_are_shown_it(
    fresh_database, servers, hatch
):
    path, now, tokens = hatch
    refused = {"outcome": "refused", "consumed_at": now.isoformat()}

    answers = race(
        [
            partial(post, servers[nth % len(servers)].url, path, token,
                    taken(now) if nth % 2 else refused)
            for nth, token in enumerate(tokens)
        ]
    )  # fmt: skip

    statuses = Counter(status for status, _ in answers)
    assert statuses == {201: 1, 200: CLIENTS // 2 - 1, 409: CLIENTS // 2}, (statuses, answers[:3])
    (row,) = standing(fresh_database)
    for status, answer in answers:
        if status == 409:
            assert answer["first"]["id"] == row.id
            assert answer["first"]["outcome"] == row.outcome


@pytest.mark.proves("RP-23")
def test_of_two_prescribers_saving_at_once_the_second_is_judged_on_the_first(
    fresh_database, servers
):
    now = datetime.now(UTC)
    clinic = a_clinic(fresh_database, at=now)
    patient = an_assessed_patient(clinic, at=now)
    other = a_member_of_staff(
        fresh_database, clinic.site, "prescriber", name="Dr Ann Rhys", level="experienced"
    )
    scopes = ["prescribing.prescribe", "prescribing.read"]
    tokens = bearers(clinic, clinic.prescriber, scopes, 1) + bearers(clinic, other, scopes, 1)
    body = {
        "order": an_order("30"), "supply": a_supply(now), "decided_at": now.isoformat(),
        "reason_code": "benefit", "reason": "Discussed with the patient today",
    }  # fmt: skip

    answers = race(
        [
            partial(
                post, servers[nth % len(servers)].url, f"/api/v1/patients/{patient}/dose-decisions",
                token, body,
            )
            for nth, token in enumerate(tokens)
        ]
    )  # fmt: skip

    assert sorted(status for status, _ in answers) == [201, 422], answers
    with fresh_database.reading() as session:
        assert len(list(session.scalars(select(DoseDecision)))) == 1
