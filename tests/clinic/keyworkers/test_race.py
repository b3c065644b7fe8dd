"""Cover, a transfer and a certificate by two people in the same moment: one effect, a clear answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from clinic.casework import commands as casework
from clinic.casework.models import Acceptance, Certificate
from clinic.custody import fact_commands
from clinic.custody.models import Delivery, Transfer
from clinic.errors import Trouble
from clinic.keyworkers import commands
from clinic.keyworkers.models import KeyworkerCover
from tests.factories import base
from tests.factories.custody import a_prison

DAY_10 = datetime(2026, 11, 13, 11, 0, tzinfo=UTC)
AT_ONCE = 4


@pytest.fixture
def prison(fresh_database):
    made = a_prison(fresh_database)
    yield made
    made.close()


def at_once(prison, staff, *works):
    """Each piece of work in a thread and a session of its own; the answers, refusals told apart."""

    def run(work):
        act = base.an_act(prison.database, staff, prison.site, at=prison.at)
        try:
            return work(act)
        except Trouble as refused:
            return refused
        finally:
            act.session.close()

    prison.close()
    with ThreadPoolExecutor(len(works)) as pool:
        answers = list(pool.map(run, works))
    refused = [each for each in answers if isinstance(each, Trouble)]
    return [each for each in answers if each not in refused], refused


def count(prison, model, *which):
    return prison.act().session.scalar(select(func.count(model.id)).where(*which))


def test_of_covers_arranged_at_once_for_each_other_one_stands(prison):
    second = base.a_member_of_staff(prison.database, prison.site, "carat_keyworker")
    days = {"from_on": date(2026, 11, 5), "to_on": date(2026, 11, 8)}
    both = [(prison.keyworker.id, second.id), (second.id, prison.keyworker.id)] * 2

    made, refused = at_once(
        prison, prison.manager,
        *(
            lambda act, who=who, cover=cover: commands.arrange_cover(act, who, cover, **days)
            for who, cover in both
        ),
    )  # fmt: skip

    assert (len(made), len(refused)) == (1, 3)
    assert all("cover" in str(each) for each in refused)
    assert count(prison, KeyworkerCover) == 1


def test_a_transfer_is_booked_once_and_accepted_once(prison):
    reception_id = prison.receives()
    prison.at = DAY_10
    move = {"on": DAY_10.date(), "receiving_prison": "HMP Elsewhere", "nation": "scotland"}
    booked, refused = at_once(
        prison, prison.healthcare,
        *[lambda act: fact_commands.record_transfer(act, reception_id, **move)] * AT_ONCE,
    )  # fmt: skip
    assert (len(booked), len(refused)) == (1, AT_ONCE - 1)
    assert count(prison, Transfer, Transfer.known_until.is_(None)) == 1
    fact_commands.record_exit(prison.act(), reception_id, at=prison.at, how="transfer")

    accepted, refused = at_once(
        prison, prison.keyworker,
        *[lambda act: casework.accept_transfer(act, reception_id, accepted_by="J. Doe")] * AT_ONCE,
    )  # fmt: skip

    assert (len(accepted), len(refused)) == (1, AT_ONCE - 1)
    assert {str(each) for each in refused} == {"This transfer is accepted already."}
    assert count(prison, Acceptance) == 1


def test_a_certificate_is_given_once(prison):
    reception_id = prison.receives()
    prison.at = DAY_10
    prison.delivers(reception_id, "relaxation")

    given, refused = at_once(
        prison, prison.keyworker,
        *[lambda act: casework.certify(act, reception_id)] * AT_ONCE,
    )  # fmt: skip

    assert (len(given), len(refused)) == (1, AT_ONCE - 1)
    assert all("reason" in str(each) or "already" in str(each) for each in refused)
    assert count(prison, Certificate) == 1
    done = (Delivery.item == "certificate", Delivery.known_until.is_(None))
    assert count(prison, Delivery, *done) == 1
