"""What of access gets slower, unfair or late: a tenfold history, one place wanted by fifty, chains.

Each figure stands beside that of the floor in the same run: what the machine does to both is in
neither. Everything stays on, as in run.py.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from itertools import islice
from pathlib import Path

from sqlalchemy import create_engine, event, select, text

from clinic import audit, clock
from clinic.act import Act
from clinic.appointments import commands, facts, place_queries, writes
from clinic.appointments.models import INDUCTION, Resource, RotaPattern, Visit
from clinic.appointments.rota_commands import add_session
from clinic.appointments.things_commands import add_thing
from clinic.bench import run
from clinic.bench.floor import prepare_floor
from clinic.bench.load import Ask, Told, keep_busy
from clinic.db import Database
from clinic.roles import RIGHTS
from clinic.staff.models import ApiToken
from dosing.days import at_london

Say = Callable[[str], object]
DATABASES = 4
HISTORY, TENFOLD = 1_000, 10
ROUNDS = 5
CLIENTS = 50
WRITERS = 8
TEAMS = 8
HOURS = range(9, 17)


@contextmanager
def _working(url: str) -> Iterator[Act]:
    """A piece of work with every right in a database just prepared."""
    database = Database(url)
    session = database.session()
    issued = session.scalars(select(ApiToken).order_by(ApiToken.id.desc())).first()
    assert issued is not None, "prepared before it is worked in"
    yield Act(
        session=session, at=clock.now(), staff_id=issued.staff_id, site_id=issued.site_id,
        rights=frozenset(RIGHTS),
    )  # fmt: skip
    session.close()
    database.engine.dispose()


def measure(urls: Sequence[str], say: Say, processes: int) -> None:
    """Everything but SQLite's turns, on databases of one kind."""
    one_place(urls[0], say, processes)
    chains(urls[1], say, processes)
    history((urls[2], urls[3]), say, processes)


# -- a history ten times as long -------------------------------------------------------------


def grow(act: Act, visits: int) -> None:
    """So many visits that were, before any there are: each with what it held, its step, its audit."""
    session = act.session
    people = list(session.scalars(select(Visit.patient_id).distinct()).all()) or list(
        session.execute(text("SELECT id FROM patient ORDER BY id")).scalars()
    )
    pairs = session.execute(
        select(RotaPattern.doctor_id, RotaPattern.worker_id).distinct().order_by("doctor_id")
    ).all()
    resources = {
        row.staff_id: row.id
        for row in session.scalars(select(Resource).where(Resource.staff_id.is_not(None)))
    }
    earliest = session.scalar(select(Visit.starts_at).order_by(Visit.starts_at).limit(1))
    day = (earliest or act.at).date()
    made = 0
    while made < visits:
        day -= timedelta(days=1)
        for hour in HOURS:
            starts = at_london(day, clock_time(hour))
            for doctor, worker in pairs:
                _seen(act, people[made % len(people)], starts, doctor, worker, resources)
                made += 1
    audit.write_queued(session)
    session.commit()
    if session.get_bind().dialect.name == "postgresql":  # as its own housekeeping would in time
        session.execute(text("ANALYZE"))
        session.commit()


def _seen(
    act: Act, patient: int, starts: datetime, doctor: int, worker: int, resources: dict[int, int]
) -> None:
    ends = starts + timedelta(hours=1)
    state = {
        "starts_at": starts, "ends_at": ends, "doctor_id": doctor, "worker_id": worker,
        "nurse_id": None, "room_id": None, "observation_id": None, "status": "arrived",
        "lapses_at": None,
    }  # fmt: skip
    visit_id = writes.add_visit(
        act.session,
        {
            **state, "patient_id": patient, "site_id": act.site_id, "referral_id": None,
            "kind": INDUCTION, "chain_id": None, "day_number": None, "version": 1,
            "recorded_at": starts, "recorded_by": act.staff_id,
        },
        [
            writes.Held(resources[doctor], "doctor", starts, ends),
            writes.Held(resources[worker], "worker", starts, ends),
        ],
        {
            "verb": "arrived", "at": starts, "state": {}, "recorded_at": starts,
            "recorded_by": act.staff_id,
        },
    )  # fmt: skip
    act.note("appointments.arrived", patient_id=patient, visit=visit_id)


def history(urls: tuple[str, str], say: Say, processes: int, visits: int = HISTORY) -> None:
    """Bookings and free places with a history and with one ten times as long, turn and turn about."""
    ready = [run.prepare(url, 40 * ROUNDS, 0) for url in urls]
    for url, many in zip(urls, (visits, visits * TENFOLD), strict=True):
        with _working(url) as act:
            grow(act, many)
    one, other = ready
    with (
        run.served(run.ours, urls[0], "/health/live", processes) as (short, _, _),
        run.served(run.ours, urls[1], "/health/live", processes) as (long, _, _),
    ):
        books: list[list[float]] = [[], []]
        reads: list[list[float]] = [[], []]
        places = [run.places(ports[0], each) for ports, each in ((short, one), (long, other))]
        for turn in range(ROUNDS + 1):
            for nth, (ports, each) in enumerate(((short, one), (long, other))):
                free = f"/api/v1/sites/{each.site_id}/free-places?from={each.first}&to={each.last}"
                read = keep_busy(ports, [Ask("GET", free)] * 60, 8, each.token)
                if turn == 0:  # the first look warms both
                    continue
                mine = slice((turn - 1) * 30, turn * 30)
                asks = [
                    run.booking(place, referral)
                    for place, referral in zip(
                        places[nth][mine], each.referrals[mine], strict=False
                    )
                ]
                booked = keep_busy(ports, asks, 16, each.token)
                books[nth].append(booked.per_second)
                reads[nth].append(read.per_second)
    for what, (few, many_) in (("bookings", books), ("free places of 4 weeks", reads)):
        before, after = statistics.median(few), statistics.median(many_)
        say(
            f"{f'{what}, {visits} visits and ten times as many':45} {before:8.0f}/s then"
            f" {after:6.0f}/s  ratio {after / before:5.0%}  (target at least 90%)"
        )


# -- one place, and everybody wants it -------------------------------------------------------


def one_place(url: str, say: Say, processes: int, rounds: int = 3, clients: int = CLIENTS) -> Told:
    """So many clients ask for one place at once; told of the round that took longest."""
    ready = run.prepare(url, clients * rounds, 0)
    with run.served(run.ours, url, "/health/live", processes) as (ports, _, _):
        wanted = run.places(ports[0], ready)
        for port in ports:
            keep_busy([port], [Ask("GET", "/api/v1/freed-places")], 1, ready.token)
        told = []
        for turn in range(rounds):
            theirs = ready.referrals[turn * clients : (turn + 1) * clients]
            asks = [run.booking(wanted[turn * 5], referral) for referral in theirs]
            told.append(keep_busy(ports, asks, clients, ready.token))
    prepare_floor(url, [clock.now()] * rounds)
    with run.served(run.floor(url), url, "/none", processes) as (ports, _, _):
        bare = [
            keep_busy(
                ports,
                [Ask("POST", "/bookings", {"place": n, "person": m}) for m in range(clients)],
                clients,
            )
            for n in range(1, rounds + 1)
        ]
    worst = max(told, key=lambda each: max(each.seconds))
    floor_worst = max(max(each.seconds) for each in bare)
    took = max(worst.seconds)
    say(
        f"{f'{clients} clients for one place, the last answer':45} {took * 1000:8.0f} ms"
        f"  floor {floor_worst * 1000:6.0f} ms  ratio {took / floor_worst:5.1f}"
        f"  (target under 1000 ms)  answers {[dict(each.statuses) for each in told]}"
    )
    return worst


# -- writers that take turns -----------------------------------------------------------------


def fairness(folder: Path, say: Say, writers: int = WRITERS, seconds: float = 4.0) -> float:
    """The share of the slowest of so many threads writing to SQLite, of what is fair: 1 is just so.

    Each books a place of its own and cancels it, over and over, by the commands a click calls.
    """
    url = f"sqlite:///{folder}/fairness.sqlite"
    ready = run.prepare(url, writers, 0)
    database = Database(url)
    counts, errors = [0] * writers, list[Exception]()
    ready_all, over = threading.Barrier(writers + 1), threading.Event()
    with _working(url) as act:
        staff, site = act.staff_id, act.site_id
        found = place_queries.free_places(act, site or 0, ready.first, ready.last)
        apart = found[:: max(1, len(found) // writers)][:writers]

    def write(nth: int) -> None:
        place = apart[nth]
        wanted = {
            "starts_at": place.starts_at, "doctor_id": place.doctor_id,
            "worker_id": place.worker_id,
        }  # fmt: skip
        ready_all.wait()
        while not over.is_set():
            work = Act(
                session=database.session(), at=clock.now(), staff_id=staff, site_id=site,
                rights=frozenset(RIGHTS),
            )  # fmt: skip
            try:
                booked = commands.book_visit(work, referral_id=ready.referrals[nth], **wanted)
                commands.cancel_visit(
                    work, booked.id, version=1, reason="in_error", by_whom="service"
                )
            except Exception as error:  # noqa: BLE001 - any of them is told below
                errors.append(error)
                return
            finally:
                work.session.close()
            counts[nth] += 2

    _for_a_while([threading.Thread(target=write, args=(nth,)) for nth in range(writers)],
                 ready_all, over, seconds)  # fmt: skip
    database.engine.dispose()
    if errors:
        raise errors[0]
    bare = _bare_writers(folder, writers, seconds / 2)
    share, floor = (min(each) * writers / sum(each) for each in (counts, bare))
    say(
        f"{f'{writers} writers on SQLite, the slowest has':45} {share:8.0%} of its fair share"
        f"  floor {floor:5.0%}  (target at least 33%)  {sum(counts) / seconds:.0f} commands/s"
    )
    return share


def _for_a_while(
    threads: Sequence[threading.Thread], ready: threading.Barrier, over: threading.Event,
    seconds: float,
) -> None:  # fmt: skip
    for thread in threads:
        thread.start()
    ready.wait()
    time.sleep(seconds)
    over.set()
    for thread in threads:
        thread.join()


def _bare_writers(folder: Path, writers: int, seconds: float) -> list[int]:
    """The same of a bare SQLite, whose writers wait for its busy timeout."""
    engine = create_engine(f"sqlite:///{folder}/bare.sqlite", pool_size=writers)

    @event.listens_for(engine, "connect")
    def _connect(connection, record):  # type: ignore[no-untyped-def]
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=20000"):
            connection.execute(f"PRAGMA {pragma}")

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE written (id INTEGER PRIMARY KEY, by INTEGER)"))
    counts = [0] * writers
    ready, over = threading.Barrier(writers + 1), threading.Event()

    def write(nth: int) -> None:
        ready.wait()
        while not over.is_set():
            with engine.begin() as connection:
                connection.execute(text("INSERT INTO written (by) VALUES (:by)"), {"by": nth})
            counts[nth] += 1

    _for_a_while([threading.Thread(target=write, args=(nth,)) for nth in range(writers)],
                 ready, over, seconds)  # fmt: skip
    engine.dispose()
    return counts


# -- chains ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chained:
    """A model 3 service, and a start for each person that needs nothing arranged."""

    ready: run.Prepared
    starts: list[dict[str, object]]


def instant(text_: object) -> datetime:
    """An instant as the API takes it."""
    return datetime.fromisoformat(str(text_))


def prepare_chains(url: str, weeks: int = 4, teams: int = TEAMS) -> Chained:
    """Teams of doctor, worker and nurse on every weekday, each with one start a day Monday to
    Wednesday of weeks without a bank holiday: the last days first, so that nobody's day 2 is where
    somebody starts.
    """
    starts: list[dict[str, object]] = []

    def rota(act: Act, first: date) -> None:
        pairs = []
        for team in range(teams):
            doctor, worker = run.a_pair(act, team)
            nurse = run.a_nurse(act, team)
            add_thing(act, kind="observation", name=f"Chair {team}")
            for weekday in range(1, 6):
                add_session(
                    act, weekday=weekday, starts=clock_time(9), ends=clock_time(12),
                    slot_minutes=90, doctor_id=doctor, worker_id=worker, nurse_id=nurse,
                    from_on=first,
                )  # fmt: skip
            pairs.append((doctor, worker))
        shut = facts.service(act.session, act.site_id or 0).rota.calendar.is_bank_holiday
        whole = (
            monday
            for monday in (first + timedelta(days=7 * week) for week in range(3 * weeks))
            if not any(shut(monday + timedelta(days=each)) for each in range(5))
        )
        act.session.rollback()
        for monday in islice(whole, weeks):
            for day in (monday + timedelta(days=each) for each in range(3)):
                starts.extend(
                    {
                        "starts_at": at_london(day, clock_time(9)).isoformat(),
                        "doctor_id": doctor, "worker_id": worker,
                    }
                    for doctor, worker in pairs
                )  # fmt: skip

    ready = run.prepare(url, teams * weeks * 3, 0, model=3, rota=rota)
    return Chained(ready, sorted(starts, key=lambda each: str(each["starts_at"]), reverse=True))


def chains(url: str, say: Say, processes: int, weeks: int = 4) -> Told:
    """Whole inductions booked a second: three visits, or none, and whoever is taken is named."""
    made = prepare_chains(url, weeks)
    ready = made.ready
    asks = [
        run.booking(place, referral)
        for place, referral in zip(made.starts, ready.referrals, strict=True)
    ]
    with run.served(run.ours, url, "/health/live", processes) as (ports, _, _):
        for port in ports:
            run.places(port, ready)
        told = keep_busy(ports, asks, 16, ready.token)
    prepare_floor(url, [clock.now()] * len(asks) * 4)
    with run.served(run.floor(url), url, "/none", processes) as (ports, _, _):
        bare = keep_busy(
            ports,
            [Ask("POST", "/bookings", {"place": n + 1, "person": n}) for n in range(len(asks) * 4)],
            16,
        )
    run.report(say, "chains of three days, 16 clients", told, bare)
    return told
