"""What both databases promise: exact amounts, aware instants, and a turn for every writer."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, StatementError

from clinic.db import Database, Micrograms, UtcDateTime
from clinic.sites.models import Site
from tests.factories.base import a_site

DIALECTS = [sqlite.dialect(), postgresql.dialect()]


def _round_trip(database: Database, kind: object, value: object) -> object:
    """What comes back when a column of this type is written and read."""
    table = Table("scratch", MetaData(), Column("id", Integer, primary_key=True), Column("v", kind))  # type: ignore[arg-type]
    with database.transaction() as session:
        table.create(session.connection())
        session.execute(insert(table).values(v=value))
        return session.scalar(select(table.c.v))


@pytest.mark.parametrize("amount", ["0.1", "0.3", "2.5", "120", "99999.999", "0.001", "0"])
def test_milligrams_come_back_as_they_went_in(database: Database, amount: str) -> None:
    assert _round_trip(database, Micrograms(), Decimal(amount)) == Decimal(amount)


@given(st.decimals(min_value=0, max_value=99999, places=3))
def test_every_milligram_is_whole_micrograms(amount: Decimal) -> None:
    for dialect in DIALECTS:
        stored = Micrograms().process_bind_param(amount, dialect)

        assert isinstance(stored, int)
        assert Micrograms().process_result_value(stored, dialect) == amount


@pytest.mark.parametrize("wrong", [0.1, 1, "40"])
def test_milligrams_are_decimal_and_nothing_else(wrong: object) -> None:
    with pytest.raises(TypeError):
        Micrograms().process_bind_param(wrong, DIALECTS[0])  # type: ignore[arg-type]


def test_an_amount_finer_than_a_microgram_is_refused() -> None:
    with pytest.raises(ValueError, match="finer"):
        Micrograms().process_bind_param(Decimal("0.0001"), DIALECTS[0])


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        datetime(2026, 7, 1, 0, 30, 0, 123456, tzinfo=UTC),
        datetime(2026, 7, 1, 1, 30, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_an_instant_comes_back_aware_and_the_same(database: Database, at: datetime) -> None:
    back = _round_trip(database, UtcDateTime(), at)

    assert isinstance(back, datetime)
    assert back == at
    assert back.utcoffset() == timedelta(0)


def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="naive"):
        _round_trip(database, UtcDateTime(), datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_row_cannot_point_at_nothing(database: Database) -> None:
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO site_change (site_id, field, recorded_at, recorded_by) "
                "VALUES (4711, 'name', '2026-01-01', 4711)"
            )
        )


def test_an_error_says_what_was_asked_and_never_of_whom(database: Database) -> None:
    with pytest.raises(StatementError) as failed, database.transaction() as session:
        session.execute(text("SELECT id FROM no_such_table WHERE name = :name"), {"name": "Morgan"})

    assert "no_such_table" in str(failed.value)
    assert "Morgan" not in str(failed.value)


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as session:
        session.add(Site(name="Gone", kind="prison", nation="scotland"))
        session.flush()
        raise RuntimeError

    with database.reading() as session:
        assert session.scalar(select(Site.id).where(Site.name == "Gone")) is None


def test_eight_writers_all_get_their_turn(fresh_database: Database) -> None:
    """Nobody starves and nobody hears that the database is locked."""
    site_id = a_site(fresh_database).id
    each, writers = 15, 8
    finished: dict[int, int] = {}
    faults: list[BaseException] = []
    start = threading.Barrier(writers)

    def write(number: int) -> None:
        start.wait()
        try:
            for _ in range(each):
                with fresh_database.transaction() as session:
                    site = session.get_one(Site, site_id, with_for_update=True)
                    site.area = str(int(site.area or 0) + 1)
                finished[number] = finished.get(number, 0) + 1
        except BaseException as fault:  # noqa: BLE001 - told to the test below
            faults.append(fault)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)

    assert faults == []
    assert finished == dict.fromkeys(range(writers), each)
    with fresh_database.reading() as session:
        assert session.get_one(Site, site_id).area == str(each * writers)


def test_a_reader_does_not_wait_for_a_writer(fresh_database: Database) -> None:
    site_id = a_site(fresh_database).id

    with fresh_database.transaction() as writing:
        writing.get_one(Site, site_id).area = "new"
        writing.flush()
        with fresh_database.reading() as reading:
            assert reading.get_one(Site, site_id).area is None


def test_sqlite_keeps_its_promises_on_every_connection(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")

    with database.engine.connect() as connection:
        told = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }

    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    database.engine.dispose()
