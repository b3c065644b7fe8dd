"""Agreements and a change of the plan in the same moment: one of them loses, nothing is half saved."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from clinic.careplans import agreement_commands, commands, queries
from clinic.custody.models import Delivery
from clinic.errors import Conflict, Stale
from tests.clinic.careplans.conftest import Story
from tests.factories import base
from tests.factories.custody import a_prison


@pytest.fixture
def story(fresh_database):
    prison = a_prison(fresh_database)
    yield Story(prison)
    prison.close()


def at_once(prison, *works):
    """Each piece of work in a thread and a session of its own; what each answered."""

    def run(work):
        act = base.an_act(prison.database, prison.keyworker, prison.site, at=prison.at)
        try:
            return work(act)
        except (Conflict, Stale) as refused:
            return refused
        finally:
            act.session.close()

    prison.close()
    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_two_agreements_and_a_change_at_once_leave_one_whole_story(story):
    story.assessed()
    number = story.changes(answers={"drugs_needs": "Heroin daily"})
    etag = story.etag()

    def agrees(party):
        return lambda act: agreement_commands.agree(
            act, story.plan_id, number=number, party=party, agreed_at=story.prison.at
        )

    def changes(act):
        return commands.change_plan(act, story.plan_id, version=etag, answers={"vdt": "agreed"})

    *given, again, changed = at_once(
        story.prison, agrees("patient"), agrees("carat"), agrees("carat"), changes
    )

    view = queries.plan(story.act(), story.plan_id)
    counted = [
        row for row in story.prison.standing(Delivery, story.reception_id)
        if row.item == "joint_care_plan"
    ]  # fmt: skip
    assert sorted(row.by[0] for row in counted) == sorted(view.standing)
    if isinstance(changed, Stale):
        assert view.now.number == number
        assert sorted(view.standing) == ["carat", "patient"]
        assert sum(isinstance(each, Conflict) for each in (*given, again)) == 1
    else:
        assert (changed, view.standing) == (number + 1, {})
        assert all(isinstance(each, Conflict) for each in (*given, again))
