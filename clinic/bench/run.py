"""Measure the service against its floor, on the same database, machine and server settings.

Figures are ratios taken in one run: absolute rates say more about the machine than about us.
Everything stays on: sign-in, rights, rules, audit.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

from sqlalchemy import select

from clinic import clock, migrate
from clinic.act import Act
from clinic.appointments.referral_commands import register_referral
from clinic.appointments.rota_commands import add_session
from clinic.assessments.commands import record_entries
from clinic.bench.floor import prepare_floor
from clinic.bench.load import WARM, Ask, Told, keep_busy, warmed
from clinic.db import Database
from clinic.demo.assessments import findings
from clinic.demo.people import nhs_numbers
from clinic.patients.commands import register_patient
from clinic.roles import RIGHTS
from clinic.sites.commands import add_feature, set_model
from clinic.staff.commands import (
    add_staff,
    give_role,
    issue_token,
    record_competence,
    set_level,
    set_up,
)
from clinic.staff.models import Staff
from dosing.days import london_day

PAIRS, WEEKS, SLOT = 4, 4, 60
PASSWORD = "benchmark-only-password"  # noqa: S105 - of a throw-away database
PROCESSES = 2
THREADS = 4
"""In all, ours and the floor's: two for each core, shared out among the processes."""

FEATURES = ("specialist_service", "supervised_dispensing")
"""What model 3 asks of a site."""


@dataclass(frozen=True)
class Prepared:
    """A service with free places and people waiting for one."""

    token: str
    site_id: int
    first: date
    last: date
    referrals: list[int]
    assessed: list[int]


def a_pair(act: Act, number: int) -> tuple[int, int]:
    """A trained doctor and a competent worker."""
    staff = []
    for role, level, competence in (
        ("prescriber", "prescriber", "rapid_induction_doctor"),
        ("drugs_worker", None, "induction_worker"),
    ):
        someone = add_staff(
            act, name=f"{role} {number}", email=f"{role}{number}@example.org", password=None
        )
        give_role(act, someone, act.site_id or 0, role)
        if level:
            set_level(act, someone, level)
        record_competence(act, someone, competence)
        staff.append(someone)
    return staff[0], staff[1]


def a_nurse(act: Act, number: int) -> int:
    """Somebody who follows people after an induction."""
    nurse = add_staff(
        act, name=f"nurse {number}", email=f"nurse{number}@example.org", password=None
    )
    give_role(act, nurse, act.site_id or 0, "nurse")
    return nurse


def all_day(act: Act, first: date) -> None:
    """So many pairs on every weekday, all day."""
    for pair in range(PAIRS):
        doctor, worker = a_pair(act, pair)
        for weekday in range(1, 6):
            add_session(
                act, weekday=weekday, starts=clock_time(9), ends=clock_time(17),
                slot_minutes=SLOT, doctor_id=doctor, worker_id=worker, from_on=first,
            )  # fmt: skip


def prepare(
    url: str, people: int, doses: int, model: int = 2,
    rota: Callable[[Act, date], object] = all_day,
) -> Prepared:  # fmt: skip
    """Fill an empty database by the commands a person's click calls."""
    migrate.upgrade(url)
    database = Database(url)
    with database.reading() as session:
        if session.scalar(select(Staff.id).limit(1)) is not None:
            raise SystemExit("The benchmark wants an empty database of its own.")
    act = Act(session=database.session(), at=clock.now(), staff_id=None, rights=frozenset(RIGHTS))
    act.staff_id = set_up(
        act, site_name="Benchmark", kind="community", nation="england_and_wales",
        rule_set="uk-2017", name="Bench", email="bench@example.org", password=PASSWORD,
    )  # fmt: skip
    site_id = act.site_id or 0
    for feature in FEATURES if model == 3 else ():
        add_feature(act, site_id, feature)
    set_model(act, site_id, model)
    today = act.today
    first = today + timedelta(days=7 - today.weekday())
    rota(act, first)
    give_role(act, act.staff_id, site_id, "nurse")
    give_role(act, act.staff_id, site_id, "prescriber")
    set_level(act, act.staff_id, "prescriber")
    numbers = nhs_numbers()
    referrals, assessed = [], []
    for number in range(people):
        patient = register_patient(
            act, family_name=f"Person {number}", given_name="Bench", born_on=date(1985, 1, 1),
            sex="male", demo=True, numbers={"nhs": next(numbers)},
        )  # fmt: skip
        if len(assessed) < doses:
            assess(act, patient)
            assessed.append(patient)
        referral = register_referral(
            act, patient_id=patient, referred_at=act.at, source="self", drugs=["heroin"]
        )
        referrals.append(referral)
    issued = issue_token(
        act, staff_id=act.staff_id, site_id=site_id, label="bench", days=1,
        scopes=["appointments.read", "appointments.book", "prescribing.read",
                "prescribing.prescribe"],
    )  # fmt: skip
    act.session.close()
    database.engine.dispose()
    return Prepared(
        issued.token, site_id, first, first + timedelta(days=7 * WEEKS - 1), referrals, assessed
    )


def assess(act: Act, patient: int) -> None:
    """Everything a first dose is judged by, half an hour ago, and the outcome signed."""
    before = act.at - timedelta(minutes=30)
    signed = {"outcome": "suitable", "medicine": "methadone"}
    parts = [(kind, data, before) for kind, data in findings("male", before)]
    record_entries(
        act, patient,
        [
            {"kind": kind, "data": data, "happened_at": at}
            for kind, data, at in [*parts, ("outcome", signed, act.at)]
        ],
    )  # fmt: skip


def first_dose(patient: int, at: datetime) -> Ask:
    """A first dose of 20 mg of methadone for somebody assessed, as the API takes it."""
    return Ask(
        "POST", f"/api/v1/patients/{patient}/dose-decisions",
        {
            "order": {
                "product": "methadone_oral_solution", "phase": "induction", "dose_mg": "20",
            },
            "supply": {
                "collections": [{"collect_on": london_day(at).isoformat(), "supervised": True}]
            },
            "decided_at": at.isoformat(), "reason_code": "benefit",
            "reason": "Measured, and nobody is treated by it",
        },
    )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait(port: int, path: str) -> float:
    began = time.perf_counter()
    while time.perf_counter() - began < 30:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2)  # noqa: S310
        except urllib.error.HTTPError:
            break
        except OSError:
            time.sleep(0.005)
        else:
            break
    return time.perf_counter() - began


def _until_ready(port: int) -> None:
    """Until the rules have tried their examples: no dose is saved before."""
    until = time.perf_counter() + 60
    while time.perf_counter() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5)  # noqa: S310
        except OSError:
            time.sleep(0.2)
        else:
            return


@contextmanager
def served(
    command: Callable[[int, int], list[str]], url: str, path: str, processes: int
) -> Iterator[tuple[list[int], list[subprocess.Popen[bytes]], float]]:
    """So many server processes: their ports, themselves, and how long the first took to answer."""
    environment = {
        **os.environ, "THROUGHCARE_MODE": "demo", "THROUGHCARE_DATABASE_URL": url,
        "THROUGHCARE_LOG_LEVEL": "WARNING",
    }  # fmt: skip
    ports = [_free_port() for _ in range(processes)]
    running = []
    cold = 0.0
    try:
        for port in ports:
            running.append(
                subprocess.Popen(
                    command(port, THREADS // processes), env=environment, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )  # fmt: skip
            waited = _wait(port, path)
            cold = cold or waited
        yield ports, running, cold
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(timeout=10)


def ours(port: int, threads: int) -> list[str]:
    """How the service is served."""
    serve = [sys.executable, "-m", "clinic.cli", "serve", "--port", str(port)]
    return [*serve, "--threads", str(threads)]


def floor(url: str) -> Callable[[int, int], list[str]]:
    """How the floor is served."""
    serve = [sys.executable, "-m", "clinic.bench.floor", url]
    return lambda port, threads: [*serve, str(port), str(threads)]


def _resident_mib(process: subprocess.Popen[bytes]) -> float:
    status = Path(f"/proc/{process.pid}/status")
    for line in status.read_text(encoding="utf-8").splitlines() if status.exists() else ():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def places(port: int, ready: Prepared) -> list[dict[str, object]]:
    """Every free place of the weeks prepared."""
    address = f"http://127.0.0.1:{port}/api/v1/sites/{ready.site_id}/free-places"
    asked = urllib.request.Request(  # noqa: S310
        f"{address}?from={ready.first}&to={ready.last}",
        headers={"Authorization": f"Bearer {ready.token}"},
    )
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        found: list[dict[str, object]] = json.load(answer)["places"]
        return found


def compare(
    url: str, people: int, reads: int, doses: int, say: Callable[[str], object],
    processes: int = PROCESSES,
) -> None:  # fmt: skip
    """Bookings, free places and doses saved, ours against the floor, each warmed the same way.

    The free places are asked for once the bookings are made, ours and the floor's: a diary in use
    has many places taken.
    """
    people, doses, reads = people + WARM, doses + WARM, reads + WARM
    say(f"filling the database with {people} people waiting, {doses} of them assessed")
    ready = prepare(url, people, doses)
    say(f"the first {WARM} requests of each kind are not counted, ours or the floor's")
    span = f"from={ready.first}&to={ready.last}"
    free = f"/api/v1/sites/{ready.site_id}/free-places?{span}"
    with served(ours, url, "/health/live", processes) as (ports, running, cold):
        for port in ports:
            _until_ready(port)  # the rules try their examples meanwhile, beside what is measured
        every = places(ports[0], ready)
        mixed = random.Random(1).sample(range(len(every)), len(every))  # noqa: S311
        one_doctor = [n for n in mixed if every[n]["doctor_id"] == every[mixed[0]]["doctor_id"]]
        of_one = one_doctor[: len(ready.referrals) // 4]
        of_any = [n for n in mixed if n not in of_one]
        waiting = iter(ready.referrals)
        same = [booking(every[n], next(waiting)) for n in of_one]
        asks = [booking(every[n], referral) for n, referral in zip(of_any, waiting, strict=False)]
        ours_book = warmed(ports, asks, 16, ready.token)
        ours_same = keep_busy(ports, same, 16, ready.token)  # warm since the bookings before it
        ours_read = warmed(ports, [Ask("GET", free)] * reads, 8, ready.token)
        day = f"from={ready.first}&to={ready.first}"
        one_day = f"/api/v1/sites/{ready.site_id}/free-places?{day}"
        ours_day = warmed(ports, [Ask("GET", one_day)] * reads, 8, ready.token)
        saved = [first_dose(patient, clock.now()) for patient in ready.assessed]
        ours_dose = warmed(ports, saved, 8, ready.token)
        memory = max(_resident_mib(process) for process in running)

    starts = [datetime.fromisoformat(str(place["starts_at"])).astimezone(UTC) for place in every]
    prepare_floor(url, starts)

    with served(floor(url), url, "/none", processes) as (ports, _, _):
        taken = [
            Ask("POST", "/bookings", {"place": n + 1, "person": person})
            for person, n in enumerate([*of_any[: len(asks)], *of_one], 1)
        ]
        floor_book = warmed(ports, taken, 16)
        floor_free = f"/free?from={ready.first}&to={ready.last + timedelta(days=1)}"
        floor_read = warmed(ports, [Ask("GET", floor_free)] * reads, 8)
        floor_day_free = f"/free?from={ready.first}&to={ready.first + timedelta(days=1)}"
        floor_day = warmed(ports, [Ask("GET", floor_day_free)] * reads, 8)
        bare = {"dose": 20000, "at": clock.now().isoformat()}
        floor_dose = warmed(
            ports, [Ask("POST", "/doses", {"person": n, **bare}) for n in range(len(saved) * 4)], 8
        )
    report(say, "bookings, 16 clients", ours_book, floor_book)
    report(say, "bookings of one clinician, 16 clients", ours_same, floor_book)
    report(say, "doses saved, 8 clients", ours_dose, floor_dose)
    left = f"{len(every) - len(taken)} of {len(every)}"
    report(say, "free places of one day, 8 clients", ours_day, floor_day)
    report(say, f"free places of {WEEKS} weeks ({left}), 8 clients", ours_read, floor_read)
    say(f"{'cold start to first answer':45} {cold:8.2f} s   (target under 1 s)")
    say(f"{'resident memory of one worker, after load':45} {memory:8.0f} MiB (target under 120)")


def booking(place: dict[str, object], referral: int) -> Ask:
    """A booking of this place, as the API takes it."""
    wanted = {name: place[name] for name in ("starts_at", "doctor_id", "worker_id")}
    return Ask("POST", "/api/v1/visits", {"referral_id": referral, **wanted})


def report(say: Callable[[str], object], what: str, ours: Told, floor: Told) -> None:
    """One line: ours a second, the floor's, and what part of it that is."""
    ratio = ours.per_second / floor.per_second if floor.per_second else 0.0
    say(
        f"{what:45} {ours.per_second:8.0f}/s  floor {floor.per_second:6.0f}/s  ratio {ratio:5.0%}"
        f"  p95 {ours.percentile(0.95):5.1f} ms  answers {dict(ours.statuses)}"
    )


def checks(examples: Path, lines: int, say: Callable[[str], object]) -> None:
    """The stateless checks a second on one core, through the command, start-up included."""
    for contract, command, target in (
        ("dose-check", ("dose", "check"), 1000),
        ("timetable-plan", ("timetable", "plan"), 500),
        ("release-check", ("release", "check"), None),
    ):
        path = examples / f"{contract}.examples.jsonl"
        worked = [
            json.dumps(json.loads(line)["request"]) for line in path.read_text("utf-8").splitlines()
        ]
        sent = "\n".join(worked[number % len(worked)] for number in range(lines))
        rate = _rate([sys.executable, "-m", "clinic.cli", *command], sent, lines)
        aim = f"(target at least {target})" if target else ""
        say(f"{' '.join(command):45} {rate:8.0f}/s   {aim}")


def _rate(command: Sequence[str], sent: str, lines: int) -> float:
    began = time.perf_counter()
    subprocess.run(command, input=sent.encode(), stdout=subprocess.DEVNULL, check=False)
    return lines / (time.perf_counter() - began)
