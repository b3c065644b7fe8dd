"""Work out a plan that was asked for, in a process of its own: `throughcare groups plan ID`.

The row is the queue. Whoever claims it first works it out, whoever comes second finds it claimed; a
process that dies falls silent, and by the clock the plan has failed. A restart of the service that
serves pages does not touch it. Decision 17 says why no process that serves pages does this.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import current_app
from sqlalchemy import update

from clinic import clock, logs
from clinic.act import Act
from clinic.db import Database
from clinic.groups import plan_facts
from clinic.groups.models import GroupPlan
from clinic.groups.plan_results import as_kept
from clinic.roles import RIGHTS
from clinic.sites.models import Site
from scheduling.group_known import known as digests

if TYPE_CHECKING:
    from scheduling.group_solver import Progress

SILENT = timedelta(seconds=60)
"""How long a process may say nothing before it counts as dead."""
BEAT_SECONDS = 2.0
UNKEPT = "pins_clash"


def begin(plan_id: int) -> None:
    """Start the work on a plan that is saved: a process that outlives the request, and the server."""
    start = current_app.extensions.get("planner", _process)
    start(plan_id)


def _process(plan_id: int) -> None:
    settings = current_app.config["SETTINGS"]
    environment = os.environ | {
        "THROUGHCARE_MODE": settings.mode,
        "THROUGHCARE_DATABASE_URL": settings.database_url,
        "THROUGHCARE_SECRET_KEY": settings.secret_key,
    }
    # Our own interpreter, our own module, and a number.
    subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "clinic.cli", "groups", "plan", str(plan_id)],
        env=environment, start_new_session=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def work_out(database: Database, plan_id: int, seconds: int | None = None) -> str:
    """Work this plan out if nobody does; its state afterwards. Safe to call twice.

    `seconds`: of solving; None: what GP-14 allows; 0: the plan made at once, which is not the best.
    """
    if not _claim(database, plan_id):
        return "claimed"
    beat = _Beat(database, plan_id)
    try:
        with beat:
            found = _found(database, plan_id, beat, seconds)
    except Exception as error:
        logs.exception("plan of groups failed", plan=plan_id)
        return _finish(database, plan_id, "failed", failed_because=type(error).__name__)
    if not found["result"]["unkept"]:
        return _finish(database, plan_id, "ready", **found)
    return _finish(database, plan_id, "failed", failed_because=UNKEPT, **found)


def _claim(database: Database, plan_id: int) -> bool:
    now = clock.now()
    with database.transaction() as session:
        mine = session.execute(
            update(GroupPlan)
            .where(
                GroupPlan.id == plan_id, GroupPlan.state == "running",
                GroupPlan.began_at.is_(None), GroupPlan.alive_until >= now,
            )
            .values(began_at=now, alive_until=now + SILENT)
            .returning(GroupPlan.id)
        ).first()  # fmt: skip
    return mine is not None


def _found(database: Database, plan_id: int, beat: _Beat, seconds: int | None) -> dict[str, Any]:
    from scheduling.group_placing import place
    from scheduling.group_solver import Options, at_once, seconds_for, solve

    with database.reading() as session:
        plan = session.get_one(GroupPlan, plan_id)
        act = Act(session=session, at=clock.now(), staff_id=None, staff_name="planner",
                  site_id=plan.site_id, rights=frozenset(RIGHTS), purpose="planning")  # fmt: skip
        assert session.get_one(Site, plan.site_id).kind == "prison"
        known = plan_facts.world(act, plan)
        pins = plan.pins
    asked = plan_facts.with_pins(known, pins)
    if seconds == 0:
        solved = at_once(asked)
    else:
        beat.made_at_once(place(asked).missing)
        options = Options(seconds=seconds or seconds_for(len(asked.people)))
        solved = solve(asked, options, beat.hear)
    return {"known": digests(known), "result": as_kept(known, asked, solved)}


def _finish(database: Database, plan_id: int, state: str, **values: Any) -> str:
    """Unless it was withdrawn meanwhile."""
    with database.transaction() as session:
        done = session.execute(
            update(GroupPlan)
            .where(GroupPlan.id == plan_id, GroupPlan.state == "running")
            .values(state=state, ended_at=clock.now(), **values)
            .returning(GroupPlan.id)
        ).first()
    return state if done else "withdrawn"


class _Beat:
    """Writes down every few moments that the work goes on and how far it is, from a thread of its own.

    The solver tells of progress from its own threads, which is no place to write from.
    """

    def __init__(self, database: Database, plan_id: int) -> None:
        self._database, self._plan_id = database, plan_id
        self._over = threading.Event()
        self._going_on = True
        self._progress: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> _Beat:
        self._thread.start()
        return self

    def __exit__(self, *failed: object) -> None:
        self._over.set()
        self._thread.join()

    def made_at_once(self, missing: int) -> None:
        self._progress = {"at_once": missing}

    def hear(self, progress: Progress) -> bool:
        """A better plan, or the next thing looked at. Is the search to go on?"""
        gap = None
        if progress.value is not None and progress.bound is not None:
            gap = progress.value - progress.bound
        self._progress = {
            **self._progress, "level": progress.level, "value": progress.value,
            "bound": progress.bound, "gap": gap, "seconds": progress.seconds,
        }  # fmt: skip
        return self._going_on

    def _run(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            try:
                with self._database.transaction() as session:
                    alive = session.execute(
                        update(GroupPlan)
                        .where(GroupPlan.id == self._plan_id, GroupPlan.state == "running")
                        .values(alive_until=clock.now() + SILENT, progress=self._progress or None)
                        .returning(GroupPlan.id)
                    ).first()
                self._going_on = alive is not None
            except Exception:
                logs.exception("plan of groups: beat missed", plan=self._plan_id)
