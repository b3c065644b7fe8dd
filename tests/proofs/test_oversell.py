"""Nobody and nothing is ever given away twice, whatever sixty-four people do at once.

Signed-in clients book, hold, confirm, move, cancel and put back visits over HTTP at two services,
while holds lapse, leave and days off come and go and the processes are killed: one process on
SQLite, two on PostgreSQL. A watcher looks at what is committed all the while. Everything is as
scarce as can be: every client wants the same few days.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from clinic import audit
from clinic.appointments import lapses, place_queries
from clinic.appointments.models import AWAY_BECAUSE, Visit, VisitEvent, VisitHold
from clinic.appointments.taking import place_as_json
from clinic.db import Database
from clinic.patients.commands import take_onto_caseload
from tests.factories import appointments as made
from tests.factories import base
from tests.support import people
from tests.support.server import Server, a_server, run_command

CLIENTS = 64
DAYS = 4
PEOPLE = 48
SCOPES = [
    "appointments.read", "appointments.book", "appointments.refer", "appointments.rota",
    "appointments.override",
]  # fmt: skip
# What the clients do, and how often of a hundred times.
ACTIONS = {
    "book": 16, "move": 13, "cancel": 17, "undo": 7, "leave": 4, "day_off": 4,
    "hold": 14, "confirm": 8, "let_go": 7, "expire": 3, "routine": 4, "override": 3,
}  # fmt: skip
EXPECTED = {
    200, 201, 204, 404,  # 404: somebody else withdrew it first
    409, 412,  # taken or in no state for it, and changed by somebody else: each with a reason
    422,  # a place that has begun meanwhile
}  # fmt: skip
CROSSING = """
    SELECT count(*) FROM {table} a JOIN {table} b
    ON a.id < b.id AND a.{owner} = b.{owner}
    AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
    WHERE {a_stands} AND {b_stands}
"""


@dataclass
class Service:
    """One of the two services, with its scarce places and a token for each client."""

    clinic: made.Clinic
    tokens: list[str]
    places: list[dict[str, Any]]
    staff: list[int]
    referrals: list[int]
    patients: list[int]


@dataclass
class Known:
    """What the clients know between them. Guarded by `lock`; the servers by theirs."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    urls: list[str] = field(default_factory=list)
    visits: dict[int, tuple[int, int, str]] = field(default_factory=dict)
    withdrawable: list[str] = field(default_factory=list)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    acknowledged: dict[int, int] = field(default_factory=dict)
    left: int = 0
    cut_off: int = 0
    watched: int = 0


# -- the stage -----------------------------------------------------------------------------


def two_services(database: Database) -> list[Service]:
    """A model 2 service with three pairs and one room for two of them, and a model 3 service with
    two pairs, a nurse each and one observation chair. The same people are referred to both.
    """
    now = datetime.now(UTC)
    hours: dict[str, Any] = {
        "starts": clock_time(8), "ends": clock_time(18), "slot_minutes": 60,
    }  # fmt: skip
    services: list[Service] = []
    patients: list[int] = []
    for model, pairs in ((2, 3), (3, 2)):
        clinic = made.a_clinic(database, model=model, weekdays=range(1, 8), at=now, **hours)
        staff = [clinic.doctor.id, clinic.worker.id]
        for number in range(1, pairs):
            doctor = made.a_doctor(database, clinic.site, f"Dr Pair {model} {number}")
            worker = made.a_worker(database, clinic.site, f"Worker {model} {number}")
            nurse = base.a_member_of_staff(database, clinic.site, "nurse", name=f"Nurse {number}")
            staff += [doctor.id, worker.id]
            for weekday in range(1, 8):
                made.a_session(
                    clinic, weekday=weekday, doctor_id=doctor.id, worker_id=worker.id, kept_for="any",
                    **hours, **({"nurse_id": nurse.id} if model == 3 else {}),
                )  # fmt: skip
        if not patients:
            patients = [base.a_patient(clinic.act) for _ in range(PEOPLE)]
        else:
            for each in patients:
                take_onto_caseload(clinic.act, each)
        referrals = [made.a_referral(clinic, patient_id=each) for each in patients]
        first = clinic.act.today + timedelta(days=1)
        free = place_queries.free_places(
            clinic.act, clinic.site.id, first, first + timedelta(days=DAYS - 1)
        )
        clinic.act.session.close()
        manager = base.a_member_of_staff(database, clinic.site, "manager", name="Mair Rees")
        with database.transaction() as session:
            tokens = [
                people.an_api_token(session, manager, clinic.site, SCOPES) for _ in range(CLIENTS)
            ]
        services.append(
            Service(
                clinic, tokens, [place_as_json(each) for each in free], staff, referrals, patients
            )  # fmt: skip
        )
    return services


# -- the clients ---------------------------------------------------------------------------


class Client:
    """One client: a line to whichever server stands, and one action after another."""

    def __init__(self, number: int, services: list[Service], known: Known) -> None:
        self.number, self.services, self.known = number, services, known
        self.chance = random.Random(number)
        self.line: http.client.HTTPConnection | None = None

    def run(self) -> None:
        while True:
            with self.known.lock:
                if self.known.left <= 0:
                    return
                self.known.left -= 1
            verb = self.chance.choices(list(ACTIONS), list(ACTIONS.values()))[0]
            try:
                getattr(self, verb)(self.chance.randrange(2))
            except (OSError, http.client.HTTPException, ValueError):
                self.line = None
                with self.known.lock:
                    self.known.cut_off += 1
                time.sleep(0.05)

    def ask(
        self,
        verb: str,
        at: int,
        method: str,
        path: str,
        body: Any = None,
        version: int | None = None,
    ) -> tuple[int, dict[str, Any]]:
        with self.known.lock:
            url = self.known.urls[self.number % len(self.known.urls)]
        where = urlsplit(url)
        if self.line is None or self.line.port != where.port:
            self.line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        headers = {
            "Authorization": f"Bearer {self.services[at].tokens[self.number]}",
            "Content-Type": "application/json",
        }
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        sent = None if body is None else json.dumps(body)
        self.line.request(method, f"/api/v1/{path}", sent, headers)
        answer = self.line.getresponse()
        read = answer.read()
        told = json.loads(read) if read else {}
        with self.known.lock:
            self.known.answers[verb, answer.status] += 1
            if answer.status not in EXPECTED:
                self.known.wrong.append(f"{verb}: {answer.status} {told}")
            elif answer.status >= 400 and not told.get("detail"):
                self.known.wrong.append(f"{verb}: {answer.status} without a reason")
            elif (
                verb in ("book", "move", "hold", "confirm", "routine", "override")
                and answer.status == 409
                and not _says_why(told)
            ):
                self.known.wrong.append(f"{verb}: refused without naming what blocks it: {told}")
        return answer.status, told

    def keep(self, at: int, status: int, visit: dict[str, Any], known_as: int = 0) -> None:
        if status == 412:  # as a person does: read who was first, and go on from there
            with self.known.lock:
                stands = self.known.visits[known_as][2]
                self.known.visits[known_as] = at, visit["version"], stands
        if status == 409 and known_as:  # its minutes are over, or somebody let it go
            with self.known.lock:
                _, version, stands = self.known.visits[known_as]
                if stands == "held":
                    self.known.visits[known_as] = at, version, "let_go"
        if status in (200, 201):
            with self.known.lock:
                before = self.known.visits.get(visit["id"], (at, 0))
                if visit["version"] >= before[1]:
                    self.known.visits[visit["id"]] = at, visit["version"], visit["status"]
                seen = self.known.acknowledged.get(visit["id"], 0)
                self.known.acknowledged[visit["id"]] = max(seen, visit["version"])

    def agreed(
        self, verb: str, at: int, path: str, body: dict[str, Any], version: int
    ) -> tuple[int, dict[str, Any]]:
        """As a person does: look at what becomes of the other days, and say yes to it."""
        status, told = self.ask(verb, at, "POST", path, body, version)
        if status == 409 and "preview" in told:
            body = {**body, "preview": told["preview"]["version"]}
            status, told = self.ask(verb, at, "POST", path, body, version)
        return status, told

    def some_visit(self, at: int, *stands: str) -> tuple[int, int] | None:
        with self.known.lock:
            here = [
                (each, version)
                for each, (site, version, stood) in self.known.visits.items()
                if site == at and (stood in stands if stands else stood != "held")
            ]
        return self.chance.choice(here) if here else None

    def book(self, at: int) -> None:
        service = self.services[at]
        wanted = {
            "referral_id": self.chance.choice(service.referrals),
            **_wanted(self.chance.choice(service.places)),
        }
        self.keep(at, *self.ask("book", at, "POST", "visits", wanted))

    def hold(self, at: int) -> None:
        service = self.services[at]
        wanted = {
            "referral_id": self.chance.choice(service.referrals),
            **_wanted(self.chance.choice(service.places)),
        }
        self.keep(at, *self.ask("hold", at, "POST", "visits/hold", wanted))

    def confirm(self, at: int) -> None:
        if visit := self.some_visit(at, "held", "let_go"):
            path = f"visits/{visit[0]}/confirm"
            self.keep(at, *self.ask("confirm", at, "POST", path, None, visit[1]), visit[0])

    def let_go(self, at: int) -> None:
        if self.some_visit(at, "held") is None:
            self.hold(at)
        if visit := self.some_visit(at, "held"):
            path = f"visits/{visit[0]}/let-go"
            self.keep(at, *self.ask("let_go", at, "POST", path, None, visit[1]), visit[0])

    def routine(self, at: int, why: dict[str, str] | None = None) -> None:
        service = self.services[at]
        wanted = {
            "patient_id": self.chance.choice(service.patients), "kind": "keywork",
            "override": why, **_wanted(self.chance.choice(service.places)),
        }  # fmt: skip
        verb = "override" if why else "routine"
        self.keep(at, *self.ask(verb, at, "POST", "visits/routine", wanted))

    def override(self, at: int) -> None:
        """The first pair's places are kept for rapid work: somebody passes that."""
        self.routine(at, {"reason": "agreed", "note": "Agreed with both"})

    def expire(self, at: int) -> None:
        """The minutes of some holds are over; now and then the sweep comes by."""
        now = datetime.now(UTC)
        database = self.services[at].clinic.database
        over = 0
        with suppress(OperationalError), database.transaction() as session:
            over = session.execute(
                update(Visit)
                .where(Visit.status == "held", Visit.id % 2 == self.chance.randrange(2))
                .values(lapses_at=now)
            ).rowcount
        if self.chance.random() < 0.5:
            with database.session() as session:
                lapses.release_all(replace(self.services[at].clinic.act, session=session, at=now))
        with self.known.lock:
            self.known.answers["expire", 200 if over else 204] += 1

    def move(self, at: int) -> None:
        if visit := self.some_visit(at):
            wanted = _wanted(self.chance.choice(self.services[at].places))
            path = f"visits/{visit[0]}/move"
            self.keep(at, *self.agreed("move", at, path, wanted, visit[1]), visit[0])

    def cancel(self, at: int) -> None:
        if visit := self.some_visit(at):
            body = {"reason": "cannot_come", "by_whom": "patient"}
            path = f"visits/{visit[0]}/cancel"
            self.keep(at, *self.agreed("cancel", at, path, body, visit[1]), visit[0])

    def undo(self, at: int) -> None:
        if visit := self.some_visit(at):
            path = f"visits/{visit[0]}/undo"
            self.keep(
                at,
                *self.ask("undo", at, "POST", path, {"reason": "By mistake"}, visit[1]),
                visit[0],
            )

    def leave(self, at: int) -> None:
        starts = datetime.fromisoformat(self.chance.choice(self.services[at].places)["starts_at"])
        body = {
            "staff_id": self.chance.choice(self.services[at].staff),
            "starts_at": starts.isoformat(),
            "ends_at": (starts + timedelta(hours=3)).isoformat(),
            "reason": next(iter(AWAY_BECAUSE)),
        }
        self.comes_and_goes("leave", at, "rota/leave", body, "rota/leave/{}")

    def day_off(self, at: int) -> None:
        service = self.services[at]
        on = datetime.fromisoformat(self.chance.choice(service.places)["starts_at"]).date()
        session = service.clinic.sessions[on.weekday()]
        body = {"on": on.isoformat(), "reason": "Training"}
        self.comes_and_goes("day_off", at, f"rota/{session}/days-off", body, "rota/days-off/{}")

    def comes_and_goes(self, verb: str, at: int, path: str, body: Any, back: str) -> None:
        status, told = self.ask(verb, at, "POST", path, body)
        if status == 201:
            time.sleep(self.chance.uniform(0, 0.2))
            self.ask(verb, at, "DELETE", back.format(told["id"]))


def _wanted(place: dict[str, Any]) -> dict[str, Any]:
    return {name: place[name] for name in ("starts_at", "doctor_id", "worker_id")}


def _says_why(told: dict[str, Any]) -> bool:
    """Places free next and who or what is taken; what becomes of the other days of an induction; or,
    in words, how the visit or the hold stands.
    """
    said = ("is cancelled", "is held", "is let go", "booked", "held until", "is held for")
    return (
        "free_next" in told
        or "preview" in told
        or "referral_status" in told
        or any(words in told["detail"] for words in said)
    )


# -- what must hold at every moment --------------------------------------------------------


def given_twice(database: Database) -> dict[str, int]:
    """Pairs of unreleased holds of one resource that cross, and of standing visits of one person."""
    standing = "{}.status IN ('held', 'booked', 'arrived')"
    with database.reading() as session:
        return {
            "resource": session.scalar(text(CROSSING.format(
                table="visit_hold", owner="resource_id",
                a_stands="a.released_at IS NULL", b_stands="b.released_at IS NULL",
            ))) or 0,
            "person": session.scalar(text(CROSSING.format(
                table="visit", owner="patient_id",
                a_stands=standing.format("a"), b_stands=standing.format("b"),
            ))) or 0,
        }  # fmt: skip


def half_held(database: Database) -> list[int]:
    """Visits that hold less or more than they should at one committed moment: one statement."""
    wrong = """
        SELECT v.id FROM visit v
        LEFT JOIN visit_hold h ON h.visit_id = v.id AND h.released_at IS NULL
        GROUP BY v.id, v.status, v.doctor_id, v.worker_id, v.nurse_id, v.room_id, v.observation_id
        HAVING count(h.id) <> CASE WHEN v.status IN ('cancelled', 'let_go') THEN 0 ELSE
                CASE WHEN v.doctor_id IS NULL THEN 0 ELSE 1 END
              + CASE WHEN v.worker_id IS NULL THEN 0 ELSE 1 END
              + CASE WHEN v.nurse_id IS NULL THEN 0 ELSE 1 END
              + CASE WHEN v.room_id IS NULL THEN 0 ELSE 1 END
              + CASE WHEN v.observation_id IS NULL THEN 0 ELSE 1 END END
    """
    with database.reading() as session:
        return list(session.scalars(text(wrong)))


def broken_chains(database: Database) -> list[int]:
    """Days of an induction that stand without the day before them, or on or before it."""
    wrong = """
        SELECT v.id FROM visit v
        LEFT JOIN visit d ON d.chain_id = v.chain_id AND d.day_number = v.day_number - 1
            AND d.status IN ('booked', 'arrived') AND d.starts_at < v.starts_at
        WHERE v.day_number > 1 AND v.status IN ('booked', 'arrived') AND d.id IS NULL
    """
    with database.reading() as session:
        return list(session.scalars(text(wrong)))


@contextmanager
def watched(database: Database, known: Known) -> Iterator[None]:
    """Look at what is committed, again and again, until the block ends."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.3):
            twice, half = given_twice(database), half_held(database) + broken_chains(database)
            with known.lock:
                known.watched += 1
                if any(twice.values()):
                    known.wrong.append(f"given away twice: {twice}")
                if half:
                    known.wrong.append(f"half held: {half}")

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def assert_reconciled(database: Database, known: Known) -> None:
    """Rows, histories and acknowledged answers agree to the last one."""
    assert given_twice(database) == {"resource": 0, "person": 0}
    assert half_held(database) == []
    with database.reading() as session:
        visits = {row.id: row for row in session.scalars(select(Visit))}
        steps = dict(
            session.execute(
                select(VisitEvent.visit_id, func.count()).group_by(VisitEvent.visit_id)
            ).all()
        )
        assert steps == {id: visit.version for id, visit in visits.items()}
        for id, version in known.acknowledged.items():
            assert visits[id].version >= version, "an acknowledged change is gone"
        held = session.scalars(select(VisitHold).where(VisitHold.released_at.is_(None))).all()
        longest: dict[int, datetime] = {}
        for hold in held:
            assert hold.starts_at == visits[hold.visit_id].starts_at
            longest[hold.visit_id] = max(hold.ends_at, longest.get(hold.visit_id, hold.ends_at))
        assert longest == {
            id: visit.ends_at
            for id, visit in visits.items()
            if visit.status not in ("cancelled", "let_go")
        }
        assert not audit.verify(session).breaks


# -- the run -------------------------------------------------------------------------------


def everybody_at_once(
    database: Database, url: str, servers: int, folder: Path, *, actions: int, kills: int
) -> Known:
    services, known = two_services(database), Known(left=actions)
    with ExitStack() as stack:
        standing: list[Server] = [
            stack.enter_context(a_server(url, folder)) for _ in range(servers)
        ]
        known.urls = [server.url for server in standing]
        threads = [
            threading.Thread(target=Client(number, services, known).run)
            for number in range(CLIENTS)
        ]
        with watched(database, known):
            for thread in threads:
                thread.start()
            for nth in range(kills):
                _wait_for(known, actions - (nth + 1) * actions // (kills + 1))
                fallen = nth % servers
                standing[fallen].kill()
                standing[fallen] = stack.enter_context(a_server(url, folder))
                with known.lock:
                    known.urls[fallen] = standing[fallen].url
            for thread in threads:
                thread.join(timeout=3600)
                assert not thread.is_alive()
            what_chance_left_out(Client(0, services, known))
    assert run_command("audit", "verify", database_url=url).returncode == 0
    return known


def done_at_least_once(known: Known) -> set[str]:
    return {verb for verb, status in known.answers if status in (200, 201)}


def what_chance_left_out(client: Client) -> None:
    """In a short run nobody may have come through with a rare action: one client, with nobody in its
    way, frees something and tries it again, on the same full rota and under the same watch.
    """
    for verb in sorted(set(ACTIONS) - done_at_least_once(client.known)):
        for attempt in range(60):
            getattr(client, verb)(attempt % 2)
            if verb in done_at_least_once(client.known):
                break
            client.cancel(attempt % 2)


def _wait_for(known: Known, left: int) -> None:
    while known.left > left:
        time.sleep(0.02)


@pytest.fixture
def run(fresh_database: Database, fresh_url: str, engine_name: str, tmp_path: Path):
    servers = 1 if engine_name == "sqlite" else 2

    def go(actions: int, kills: int) -> Known:
        with suppress(KeyboardInterrupt):
            known = everybody_at_once(
                fresh_database, fresh_url, servers, tmp_path, actions=actions, kills=kills
            )
        assert known.wrong == []
        assert_reconciled(fresh_database, known)
        return known

    return go


@pytest.mark.proves("RP-16", "RP-17")
def test_nothing_is_given_away_twice_by_sixty_four_clients(run) -> None:
    known = run(actions=1_000, kills=1)

    assert done_at_least_once(known) == set(ACTIONS)
    assert known.answers["book", 409] and known.watched


@pytest.mark.proof
@pytest.mark.proves("RP-16", "RP-17")
def test_nothing_is_given_away_twice_in_a_hundred_thousand_actions(run) -> None:
    known = run(actions=100_000, kills=24)

    assert known.cut_off >= 24
