"""The service dies in the middle of its writes. What it acknowledged is there; nothing is half there.

Eight signed-in clients register, refer and book over HTTP. The processes are ended as by a power
cut and started again, round after round on one database: one process on SQLite, two on PostgreSQL.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from clinic import audit
from clinic.appointments import place_queries
from clinic.appointments.models import (
    Referral,
    ReferralEvent,
    Visit,
    VisitEvent,
    VisitHold,
)
from clinic.audit import AuditEntry
from clinic.db import Database
from clinic.patients.models import Patient, Registration
from tests.factories import appointments as made
from tests.support import people
from tests.support.server import Server, a_server, run_command

CLIENTS = 8
SCOPES = ["patients.register", "patients.read", "appointments.refer", "appointments.book"]


@dataclass
class Told:
    """What was asked, and what the service said was done."""

    asked: set[str] = field(default_factory=set)
    patients: dict[int, str] = field(default_factory=dict)
    referrals: dict[int, int] = field(default_factory=dict)
    visits: dict[int, int] = field(default_factory=dict)
    refused: Counter[int] = field(default_factory=Counter)
    cut_off: int = 0

    @property
    def done(self) -> int:
        return len(self.patients) + len(self.referrals) + len(self.visits)


@dataclass
class Stage:
    """A clinic with three thousand free places, and a token for each client."""

    database: Database
    tokens: list[str]
    places: Iterator[dict[str, Any]]
    names: Iterator[int] = field(default_factory=lambda: count(1))


def a_stage(database: Database) -> Stage:
    clinic = made.a_clinic(
        database, weekdays=range(1, 8), at=datetime.now(UTC), starts=clock_time(5),
        ends=clock_time(23), slot_minutes=60,
    )  # fmt: skip
    for number in range(5):
        doctor = made.a_doctor(database, clinic.site, f"Dr Ivor {number}")
        worker = made.a_worker(database, clinic.site, f"Gwen {number}")
        for weekday in range(1, 8):
            made.a_session(
                clinic, weekday=weekday, starts=clock_time(5), ends=clock_time(23), slot_minutes=60,
                doctor_id=doctor.id, worker_id=worker.id,
            )  # fmt: skip
    first = clinic.act.today + timedelta(days=1)
    free = place_queries.free_places(clinic.act, clinic.site.id, first, first + timedelta(days=27))
    clinic.act.session.close()
    with database.transaction() as session:
        tokens = [
            people.an_api_token(session, clinic.nurse, clinic.site, SCOPES) for _ in range(CLIENTS)
        ]
    return Stage(
        database,
        tokens,
        iter(
            [
                {
                    "starts_at": place.starts_at.isoformat(),
                    "doctor_id": place.doctor_id,
                    "worker_id": place.worker_id,
                }
                for place in free
            ]
        ),
    )


def work_until_cut_off(
    stage: Stage, told: Told, lock: threading.Lock, number: int, url: str
) -> None:
    """Register, refer and book, again and again, until the service no longer answers."""
    where = urlsplit(url)
    headers = {
        "Authorization": f"Bearer {stage.tokens[number]}",
        "Content-Type": "application/json",
    }
    line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)

    def post(path: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        line.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
        answer = line.getresponse()
        said = json.loads(answer.read())
        if answer.status == 201:
            return said  # type: ignore[no-any-return]
        with lock:
            told.refused[answer.status] += 1
        return None

    with closing(line):
        try:
            while True:
                with lock:
                    name, place = f"Cut{next(stage.names)}", next(stage.places, None)
                    told.asked.add(name)
                patient = post(
                    "patients",
                    {"family_name": name, "given_name": "Ann", "born_on": "1980-01-01",
                     "sex": "female", "sure": True},
                )  # fmt: skip
                if patient is None:
                    continue
                told.patients[patient["id"]] = name
                referral = post(
                    "referrals",
                    {"patient_id": patient["id"], "referred_at": datetime.now(UTC).isoformat(),
                     "source": "arrest_referral", "drugs": ["heroin"]},
                )  # fmt: skip
                if referral is None:
                    continue
                told.referrals[referral["id"]] = patient["id"]
                if place is None:
                    continue
                visit = post("visits", {"referral_id": referral["id"], **place})
                if visit is not None:
                    told.visits[visit["id"]] = referral["id"]
        except (OSError, http.client.HTTPException, ValueError):
            with lock:
                told.cut_off += 1


def a_round(
    stage: Stage, told: Told, url: str, servers: int, folder: Path, chance: random.Random
) -> None:
    """Serve, let the clients get something done, and pull the plug at a moment of chance."""
    with ExitStack() as stack:
        started: list[Server] = [stack.enter_context(a_server(url, folder)) for _ in range(servers)]
        lock = threading.Lock()
        threads = [
            threading.Thread(
                target=work_until_cut_off,
                args=(stage, told, lock, number, started[number % servers].url),
            )
            for number in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        wanted = told.done + chance.randint(CLIENTS, 5 * CLIENTS)
        give_up = time.monotonic() + 60
        while told.done < wanted and time.monotonic() < give_up:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.05))
        for server in started:
            server.kill()
        for thread in threads:
            thread.join(timeout=60)
            assert not thread.is_alive()


def assert_whole(database: Database, told: Told) -> None:
    """Everything acknowledged is there, and everything that is there is whole.

    Looked at as it is at one moment: PostgreSQL may still carry out a commit it was asked for just
    before the server was killed.
    """
    with database.reading() as session:
        if not database.is_sqlite:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        patients = {
            row.id: row.family_name
            for row in session.execute(
                select(Patient.id, Patient.family_name).where(Patient.family_name.like("Cut%"))
            )
        }
        referrals = dict(session.execute(select(Referral.id, Referral.patient_id)).all())
        visits = {row.id: row for row in session.scalars(select(Visit))}
        entries = session.execute(
            select(AuditEntry.action, AuditEntry.patient_id, AuditEntry.detail)
        ).all()
        verdict = audit.verify(session)

        assert told.patients.items() <= patients.items(), "an acknowledged patient is gone"
        assert told.referrals.items() <= referrals.items(), "an acknowledged referral is gone"
        assert {id: visits[id].referral_id for id in told.visits if id in visits} == told.visits
        assert max(Counter(patients.values()).values(), default=1) == 1, "registered twice"
        assert set(patients.values()) <= told.asked

        registered = session.scalars(select(Registration.patient_id)).all()
        assert sorted(registered) == sorted(patients)
        assert _noted(entries, "patients.registered", None) == Counter(list(patients))
        assert Counter(session.scalars(select(ReferralEvent.referral_id))) == Counter(
            list(referrals)
        )
        assert _noted(entries, "appointments.referred", "referral") == Counter(list(referrals))
        assert Counter(session.scalars(select(VisitEvent.visit_id))) == Counter(list(visits))
        assert _noted(entries, "appointments.booked", "visit") == Counter(list(visits))

        holds = session.scalars(select(VisitHold)).all()
        assert Counter((hold.visit_id, hold.needed_as) for hold in holds) == Counter(
            (visit, needed_as) for visit in visits for needed_as in ("doctor", "worker")
        )
        for hold in holds:
            visit = visits[hold.visit_id]
            assert (hold.starts_at, hold.ends_at) == (visit.starts_at, visit.ends_at)
        twice = session.execute(
            select(VisitHold.resource_id, VisitHold.starts_at)
            .group_by(VisitHold.resource_id, VisitHold.starts_at)
            .having(func.count() > 1)
        ).all()
        assert not twice, "somebody is in two places"
        assert not verdict.breaks


def _noted(entries: Any, action: str, key: str | None) -> Counter[int]:
    """Whom or what the entries of this action are about, and how often."""
    return Counter(
        entry.patient_id if key is None else entry.detail[key]
        for entry in entries
        if entry.action == action
    )


def pull_the_plug(
    rounds: int, database: Database, url: str, engine_name: str, folder: Path
) -> Told:
    stage, told = a_stage(database), Told()
    chance = random.Random(rounds)
    for _ in range(rounds):
        a_round(
            stage, told, url, 1 if engine_name == "sqlite" else 2, folder,
            chance,
        )  # fmt: skip
        assert_whole(database, told)
    assert run_command("audit", "verify", database_url=url).returncode == 0
    return told


def assert_worth_it(told: Told, rounds: int) -> None:
    """The plug was pulled on clients at work, and they had got something done."""
    assert told.cut_off == rounds * CLIENTS
    assert len(told.visits) >= rounds
    assert told.asked - set(told.patients.values()), "nothing was cut off in the middle"
    assert not told.refused, told.refused


@pytest.fixture
def plug(
    fresh_database: Database, fresh_url: str, engine_name: str, tmp_path: Path
) -> Callable[[int], Told]:
    return lambda rounds: pull_the_plug(rounds, fresh_database, fresh_url, engine_name, tmp_path)


def test_what_was_acknowledged_survives_three_power_cuts(plug):
    told = plug(3)

    assert_worth_it(told, 3)


@pytest.mark.proof
def test_what_was_acknowledged_survives_fifty_power_cuts(plug):
    told = plug(50)

    assert_worth_it(told, 50)
