"""Run a sweep for a day, once, whoever asks: the scheduler, a second scheduler, or a person.

The claim is a row with a unique key on sweep and day, so two schedulers started by accident share
the work out between them and neither repeats the other's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from clinic import clock, logs
from clinic.act import Act
from clinic.db import Database
from clinic.sweeps.models import SweepRun
from clinic.sweeps.schedule import SWEEPS, Sweep
from dosing.days import LONDON, at_london, london_day

LEASE = timedelta(minutes=30)
MOST_TRIES = 5


@dataclass(frozen=True)
class Outcome:
    """What came of asking for a run: done, failed, or skipped because it is done or under way."""

    name: str
    day: date
    outcome: str
    did: int | None = None
    says: str | None = None


def run(database: Database, name: str, day: date, *, again: bool = False) -> Outcome:
    """Run one sweep for one day unless that is done or under way. `again` repeats a done one."""
    each = SWEEPS[name]
    claimed = _claim(database, each, day, again=again or each.every_minutes is not None)
    if claimed is None:
        return Outcome(name, day, "skipped", says="done, or another scheduler has it")
    started = time.perf_counter()
    try:
        with database.session() as session:
            act = Act(
                session=session, at=clock.now(), staff_id=None, staff_name="sweep", role="sweep",
                request_id=f"sweep-{name}-{day}", purpose="sweep",
            )  # fmt: skip
            did = each.work(act, day)
            session.rollback()
    except Exception as error:
        logs.exception("sweep failed", sweep=name, day=day.isoformat())
        return _finish(database, claimed, Outcome(name, day, "failed", None, type(error).__name__))
    logs.info("sweep done", sweep=name, day=day.isoformat(), did=did,
             seconds=round(time.perf_counter() - started, 2))  # fmt: skip
    return _finish(database, claimed, Outcome(name, day, "done", did))


def _claim(database: Database, each: Sweep, day: date, *, again: bool) -> int | None:
    """The id of the run that is now ours, or None when it is not to be had."""
    now = clock.now()
    try:
        with database.transaction() as session:
            row = SweepRun(
                name=each.name, day=day, began_at=now, lease_until=now + LEASE, ended_at=None,
                outcome="running", tries=1, did=None, says=None,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return row.id
    except IntegrityError:
        pass
    free = (SweepRun.outcome == "failed") & (SweepRun.tries < MOST_TRIES) | (
        (SweepRun.outcome == "running") & (SweepRun.lease_until < now)
    )
    if again:
        free = free | (SweepRun.outcome != "running")
    with database.transaction() as session:
        taken = session.execute(
            update(SweepRun)
            .where(SweepRun.name == each.name, SweepRun.day == day, free)
            .values(
                began_at=now, lease_until=now + LEASE, ended_at=None, outcome="running",
                tries=SweepRun.tries + 1,
            )
            .returning(SweepRun.id)
        ).first()  # fmt: skip
        return taken[0] if taken else None


def _finish(database: Database, run_id: int, outcome: Outcome) -> Outcome:
    with database.transaction() as session:
        session.execute(
            update(SweepRun)
            .where(SweepRun.id == run_id)
            .values(
                ended_at=clock.now(), outcome=outcome.outcome, did=outcome.did, says=outcome.says
            )
        )
    return outcome


def due(database: Database, each: Sweep) -> Iterator[date]:
    """The days a sweep still owes, oldest first: today once its time has come, and missed ones."""
    now = clock.now()
    today = london_day(now)
    time_today = at_london(today, clock_time(*each.at))
    last = today if now >= time_today else today - timedelta(days=1)
    days = [last - timedelta(days=back) for back in range(each.look_back_days, -1, -1)]
    if each.every_minutes is not None:
        if last == today and _stale(database, each, today, now):
            yield today
        return
    with database.reading() as session:
        done = set(
            session.scalars(
                select(SweepRun.day).where(
                    SweepRun.name == each.name, SweepRun.outcome == "done", SweepRun.day.in_(days)
                )
            )
        )
    yield from (day for day in days if day not in done)


def _stale(database: Database, each: Sweep, today: date, now: datetime) -> bool:
    """Has a sweep of every few minutes not begun within them?"""
    with database.reading() as session:
        began = session.scalar(
            select(SweepRun.began_at).where(SweepRun.name == each.name, SweepRun.day == today)
        )
    almost = timedelta(minutes=each.every_minutes or 0) - timedelta(seconds=30)
    return began is None or now - began >= almost  # a tick a moment early is a tick


def catch_up(database: Database) -> list[Outcome]:
    """Run whatever is owed now. A sweep that fails is recorded and the others go on."""
    return [
        run(database, each.name, day) for each in SWEEPS.values() for day in due(database, each)
    ]


def run_for_ever(database: Database) -> None:
    """The scheduler: one process of its own, never inside a web worker.

    It catches up at start, then wakes each sweep at its time; runs that were missed while the
    machine slept are made up by the look-back.
    """
    from apscheduler.schedulers.blocking import BlockingScheduler

    catch_up(database)
    scheduler = BlockingScheduler(timezone=LONDON)
    for each in SWEEPS.values():
        when = (
            {"trigger": "cron", "hour": each.at[0], "minute": each.at[1]}
            if each.every_minutes is None
            else {"trigger": "interval", "minutes": each.every_minutes}
        )
        scheduler.add_job(
            lambda each=each: [run(database, each.name, day) for day in due(database, each)],
            id=each.name, coalesce=True, misfire_grace_time=3600, max_instances=1, **when,
        )  # fmt: skip
    scheduler.add_job(lambda: catch_up(database), "interval", minutes=15, id="catch-up",
                      coalesce=True, max_instances=1)  # fmt: skip
    scheduler.start()
