"""Two people at one stay in the same moment: one stay, whole versions, nothing lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import func, select

from clinic.custody import commands, fact_commands, timetables
from clinic.custody.models import Reception
from clinic.errors import Conflict
from tests.factories import base
from tests.factories.custody import a_prison, london


@pytest.fixture
def prison(fresh_database):
    made = a_prison(fresh_database)
    yield made
    made.close()


def at_once(prison, *works):
    """Each piece of work in a thread and a session of its own; what each answered."""

    def run(work):
        act = base.an_act(prison.database, prison.healthcare, prison.site, at=prison.at)
        try:
            return work(act)
        except Conflict as conflict:
            return conflict
        finally:
            act.session.close()

    prison.close()
    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_the_same_arrival_recorded_twice_at_once_is_one_stay(prison):
    patient_id = prison.patient()

    def receive(act):
        return commands.receive_prisoner(
            act, patient_id=patient_id, received_at=prison.at, screening="not_done", demo=True
        )

    answers = at_once(prison, receive, receive, receive)

    assert sum(isinstance(answer, int) for answer in answers) == 1
    assert prison.act().session.scalar(select(func.count()).select_from(Reception)) == 1


def test_facts_recorded_at_once_each_make_a_version_that_replays(prison):
    reception_id = prison.receives()
    days = [date(2026, 11, day) for day in (12, 13, 17, 19)]

    def hearing(day):
        when = london(f"{day} 10:00")
        return lambda act: fact_commands.record_hearing(act, reception_id, starts_at=when)

    answers = at_once(prison, *[hearing(day) for day in days])

    assert all(isinstance(answer, int) for answer in answers), answers
    saved = prison.timetables(reception_id)
    assert [each.version for each in saved] == [1, 2, 3, 4, 5]
    assert prison.version(reception_id) == 5
    for each in saved:
        assert timetables.replay(prison.act(), each.id).same
