"""Where do a test's rows live? On both engines, in a database migrated to head by Alembic.

Migrating is done once in a run for each engine; every further database is a copy of that one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from tests.support.postgres import HEAD, PostgresServer, a_database_name, locked

Migrate = Callable[[str], None]


class SqliteShelf:
    """Databases that are files in one folder."""

    def __init__(self, run_folder: Path, folder: Path, migrate: Migrate) -> None:
        self._head = run_folder / "head.sqlite"
        self._folder = folder
        self._migrate = migrate

    def empty(self) -> str:
        """The URL of a database with nothing in it."""
        return f"sqlite:///{self._folder / a_database_name()}.sqlite"

    def migrated(self) -> str:
        """The URL of a new database at head."""
        with locked(self._head.with_suffix(".lock")):
            if not self._head.exists():
                being_made = self._head.with_suffix(".making")
                self._migrate(f"sqlite:///{being_made}")
                # The copy is whole even where the journal was not yet folded into the file.
                _copy(being_made, self._head)
        url = self.empty()
        _copy(self._head, Path(url.removeprefix("sqlite:///")))
        return url

    def discard(self, url: str) -> None:
        path = Path(url.removeprefix("sqlite:///"))
        for ending in ("", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)


class PostgresShelf:
    """Databases on the PostgreSQL server of this run."""

    def __init__(self, run_folder: Path, server: PostgresServer, migrate: Migrate) -> None:
        self._head = run_folder / HEAD
        self._server = server
        self._migrate = migrate

    def empty(self) -> str:
        """The URL of a database with nothing in it."""
        return self._server.create(a_database_name())

    def migrated(self) -> str:
        """The URL of a new database at head."""
        with locked(self._head.with_suffix(".lock")):
            if not self._head.exists():
                name = a_database_name()
                self._migrate(self._server.create(name))
                self._head.write_text(name)
            # Inside the lock: a template may be copied by one session at a time.
            return self._server.create(a_database_name(), template=self._head.read_text())

    def discard(self, url: str) -> None:
        self._server.drop(url.rpartition("/")[2].partition("?")[0])


Shelf = SqliteShelf | PostgresShelf


@contextlib.contextmanager
def rolled_back(engine: Engine, *sessions: sessionmaker) -> Iterator[None]:  # type: ignore[type-arg]
    """Send these sessions through one connection whose transaction ends in a rollback.

    A commit in the code under test releases a savepoint and no more, so its own reads see the
    rows and no later test does.
    """
    with engine.connect() as connection:
        transaction = connection.begin()
        before = [maker.kw.get("bind") for maker in sessions]
        for maker in sessions:
            maker.configure(bind=connection, join_transaction_mode="create_savepoint")
        try:
            yield
        finally:
            for maker, bind in zip(sessions, before, strict=True):
                maker.configure(bind=bind, join_transaction_mode="conditional_savepoint")
            transaction.rollback()


def _copy(source: Path, target: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(source)) as reading,
        contextlib.closing(sqlite3.connect(target)) as writing,
    ):
        reading.backup(writing)
