"""A nightly sweep whose machine dies half way is run again, and nobody can tell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import defaultdict
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from clinic import audit, clock
from clinic.bench.continuity import a_prison
from clinic.release.models import ReleaseAssessment, ReleaseFlag, ReleasePlan
from clinic.sweeps import runner
from clinic.sweeps.models import SweepRun
from tests.support.server import ROOT

DIES = """
import os, signal
from clinic.release import scoring
honest, scored = scoring.score, []
def score(*given):
    if len(scored) == {after}:
        os.kill(os.getpid(), signal.SIGKILL)
    scored.append(given)
    return honest(*given)
scoring.score = score
from clinic.cli import main
main(["sweeps", "once", "release-plans"])
"""


def swept_until_killed(url: str, after: int) -> None:
    """The sweep, in a process of its own that is killed in the middle of a transaction."""
    died = subprocess.run(
        [sys.executable, "-c", DIES.format(after=after)],
        env=os.environ | {"THROUGHCARE_MODE": "test", "THROUGHCARE_DATABASE_URL": url},
        cwd=ROOT, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()


@pytest.mark.parametrize(
    ("plans", "due"), [(130, 120), pytest.param(3_000, 2_000, marks=pytest.mark.proof)]
)
def test_a_sweep_killed_half_way_and_run_again_gives_everybody_the_same_flags_once(
    fresh_database, fresh_url, plans, due
):
    act, _ = a_prison(fresh_url, plans, due, at=clock.now() - timedelta(days=1))
    act.session.close()
    began = clock.now()

    swept_until_killed(fresh_url, after=due // 2)
    with fresh_database.transaction() as session:
        at_first = set(
            session.scalars(select(ReleasePlan.id).where(ReleasePlan.scored_at >= began))
        )
        session.execute(update(SweepRun).values(lease_until=began))  # half an hour goes by
    again = runner.run(fresh_database, "release-plans", clock.today())

    assert 0 < len(at_first) < due
    assert (again.outcome, again.did) == ("done", due - len(at_first))
    with fresh_database.reading() as session:
        swept = set(session.scalars(select(ReleasePlan.id).where(ReleasePlan.scored_at >= began)))
        assert len(swept) == due
        flags = defaultdict(set)
        rows = session.scalars(select(ReleaseFlag).where(ReleaseFlag.plan_id.in_(swept))).all()
        for row in rows:
            stands = row.cleared_at is None
            flags[row.plan_id].add((row.flag, row.cause, row.severity, row.message, stands))
        assert len(rows) == sum(map(len, flags.values())), "a flag was raised twice"
        answers = dict(
            session.execute(
                select(ReleaseAssessment.plan_id, func.count(ReleaseAssessment.id))
                .where(ReleaseAssessment.plan_id.in_(swept))
                .group_by(ReleaseAssessment.plan_id)
            ).all()
        )
        one = min(swept)
        assert {"RG-11", "RG-16"} <= {flag for flag, *_ in flags[one]}
        assert all(flags[each] == flags[one] for each in swept)
        assert len(set(answers.values())) == 1, "a scoring was saved twice, or not at all"
        assert not audit.verify(session).breaks
