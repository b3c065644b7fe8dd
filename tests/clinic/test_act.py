"""A command runs whole or leaves nothing, and tries again when the database asks for it."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from clinic.act import TRIES, Act, command
from clinic.audit import AuditEntry
from clinic.db import Database
from clinic.errors import Conflict, Forbidden, Invalid
from clinic.sites.models import Site
from tests.factories.base import a_member_of_staff, a_site, an_act


@pytest.fixture
def act(database: Database) -> Act:
    site = a_site(database)
    return an_act(database, a_member_of_staff(database, site, "nurse"), site)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clinic.act.time.sleep", lambda seconds: None)


class _AskedAgain(Exception):
    """What psycopg raises: an error carrying an SQLSTATE."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def _a_site_called(act: Act, name: str) -> None:
    act.session.add(Site(name=name, kind="prison", nation="scotland"))
    act.session.flush()
    act.note("test.made")


def _count(act: Act, name: str) -> tuple[int, int]:
    sites = act.session.scalar(select(func.count(Site.id)).where(Site.name == name)) or 0
    notes = act.session.scalar(
        select(func.count(AuditEntry.id)).where(AuditEntry.action == "test.made")
    )
    return sites, notes or 0


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
def test_a_command_is_tried_again_when_the_database_asks(act: Act, state: str) -> None:
    tries = []

    @command
    def work(act: Act) -> str:
        tries.append(1)
        _a_site_called(act, "HMP Once")
        if len(tries) < 3:
            raise OperationalError("x", {}, _AskedAgain(state))
        return "done"

    assert work(act) == "done"
    assert len(tries) == 3
    assert _count(act, "HMP Once") == (1, 1)  # the earlier tries left nothing, not even a note


def test_a_command_gives_up_after_its_tries(act: Act) -> None:
    tries = []

    @command
    def work(act: Act) -> None:
        tries.append(1)
        raise OperationalError("x", {}, _AskedAgain("40001"))

    with pytest.raises(OperationalError):
        work(act)
    assert len(tries) == TRIES


def test_another_fault_is_not_tried_again_and_leaves_nothing(act: Act) -> None:
    tries = []

    @command
    def work(act: Act) -> None:
        tries.append(1)
        _a_site_called(act, "HMP Never")
        raise OperationalError("x", {}, _AskedAgain("53100"))  # the disk is full

    with pytest.raises(OperationalError):
        work(act)
    assert len(tries) == 1
    assert _count(act, "HMP Never") == (0, 0)


def test_a_refusal_leaves_nothing(act: Act) -> None:
    @command
    def work(act: Act) -> None:
        _a_site_called(act, "HMP Refused")
        raise Invalid("no")

    with pytest.raises(Invalid):
        work(act)
    assert _count(act, "HMP Refused") == (0, 0)


def test_a_command_inside_a_command_joins_it(act: Act) -> None:
    @command
    def inner(act: Act) -> None:
        _a_site_called(act, "HMP Inner")

    @command
    def outer(act: Act) -> None:
        inner(act)
        raise Invalid("no")

    with pytest.raises(Invalid):
        outer(act)
    assert _count(act, "HMP Inner") == (0, 0)


def test_a_constraint_is_answered_in_a_sentence(act: Act) -> None:
    @command
    def work(act: Act) -> None:
        _a_site_called(act, "HMP Twice")

    work(act)

    with pytest.raises(Conflict, match="already a site of this name"):
        work(act)


def test_a_constraint_without_a_sentence_is_a_fault(act: Act) -> None:
    @command
    def work(act: Act) -> None:
        act.session.add(Site(name="X", kind="spaceship", nation="scotland"))
        act.session.flush()

    with pytest.raises(IntegrityError):
        work(act)


def test_a_reading_session_takes_no_command(database: Database, act: Act) -> None:
    act.session = database.reading()
    act.session.info["reading"] = True

    @command
    def work(act: Act) -> None:
        raise AssertionError("not reached")

    with pytest.raises(RuntimeError, match="only reads"):
        work(act)


def test_a_missing_right_is_refused(act: Act) -> None:
    assert act.may("patients.read")
    with pytest.raises(Forbidden, match="staff.manage"):
        act.need("staff.manage")
