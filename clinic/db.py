"""Where rows live: the engine, the session, and the column types that keep values exact.

SQLite is the embedded default and PostgreSQL the choice for more than one process. Both keep the
same promises: foreign keys hold, a write transaction is taken at its start, instants are aware
UTC, milligrams are whole micrograms.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.types import JSON, TypeDecorator

MICROGRAMS_PER_MG = 1000


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant. Refuses a naive one in; SQLite hands it back naive, so UTC is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        if dialect.name == "sqlite":
            return lambda text: text and datetime.fromisoformat(f"{text}+00:00")
        return lambda value: value and value.astimezone(UTC)


class Micrograms(TypeDecorator[Decimal]):
    """Milligrams as an exact Decimal in Python, whole micrograms in the column.

    A finer amount than a microgram is refused, never rounded.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError("milligrams are Decimal")
        micrograms = value * MICROGRAMS_PER_MG
        if micrograms != micrograms.to_integral_value():
            raise ValueError(f"{value} mg is finer than a microgram")
        return int(micrograms)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / MICROGRAMS_PER_MG


class Base(DeclarativeBase):
    """Every table. Constraint names are fixed by convention, so errors can be told apart."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UtcDateTime(),
        str: String,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }

    id: Mapped[int] = mapped_column(Integer, primary_key=True)

    def __init_subclass__(cls, **kw: Any) -> None:
        """Each attribute has its listeners at once (decision 21).

        SQLAlchemy would look for them by way of the attribute's column, of which it then keeps a
        copy: 3 MiB and a third of what it takes to join the classes up.
        """
        super().__init_subclass__(**kw)
        if "__mapper__" in cls.__dict__:
            for attribute in cls.__mapper__.class_manager.values():
                listeners = type(attribute).dispatch
                attribute._slots_dispatch = listeners._for_instance(attribute)


class Recorded:
    """Entry time beside event time: when this row was written, and by whom."""

    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))


class Dated:
    """True from the first date to the last, both included; no last date means still so."""

    from_on: Mapped[date]
    to_on: Mapped[date | None]

    def holds_on(self, day: date) -> bool:
        return self.from_on <= day and (self.to_on is None or day <= self.to_on)


class Database:
    """One engine and its sessions. `session()` may write; `reading()` takes no write lock."""

    def __init__(self, url: str, *, pool_size: int = 20, timeout_seconds: float = 20.0) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 20, "pool_timeout": 30}
        if self.is_sqlite:
            options["connect_args"] = {"timeout": timeout_seconds, "check_same_thread": False}
        else:
            options["pool_pre_ping"] = False
        # What a statement carried is somebody's record: an error that is logged shows only the statement.
        self.engine: Engine = create_engine(parsed, hide_parameters=True, **options)
        if self.is_sqlite:
            _take_over_sqlite(self.engine)
        self._writing = sessionmaker(self.engine, expire_on_commit=False)
        # On PostgreSQL a read needs no transaction of its own: one round trip less at each end.
        looking = (
            {"reading": True}
            if self.is_sqlite
            else {
                "reading": True,
                "isolation_level": "AUTOCOMMIT",
            }
        )
        self._reading = sessionmaker(
            self.engine.execution_options(**looking), expire_on_commit=False
        )

    def session(self) -> Session:
        return self._writing()

    def reading(self) -> Session:
        return self._reading()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at the end of the block, or leaves nothing behind."""
        with self._writing() as session, session.begin():
            yield session


class _Turns:
    """A lock handed on in the order it was asked for, so no writer is passed over for ever."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._busy = False
        self._waiting: deque[threading.Lock] = deque()

    def take(self, timeout: float) -> bool:
        with self._guard:
            if not self._busy:
                self._busy = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=timeout):
            return True
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it was handed to us at the last moment

    def give_back(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._busy = False


def _take_over_sqlite(engine: Engine) -> None:
    """BEGIN is ours: the driver's own would open write transactions too late to be safe."""
    turns = _Turns()

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=20000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        if connection.get_execution_options().get("reading"):
            connection.exec_driver_sql("BEGIN")
            return
        if "turn" not in connection.info:
            if not turns.take(timeout=20):
                raise TimeoutError("no turn to write within 20 seconds")
            connection.info["turn"] = turns
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _pass_on(record: Any) -> None:
        if record is not None and record.info.pop("turn", None) is not None:
            turns.give_back()

    # A connection goes back to the pool once its commit or rollback is done: then the next may go.
    @event.listens_for(engine, "reset")
    def _reset(connection: Any, record: Any, state: Any) -> None:
        _pass_on(record)

    @event.listens_for(engine, "invalidate")
    def _invalidate(connection: Any, record: Any, exception: Any) -> None:
        _pass_on(record)


def only_where(condition: str) -> dict[str, str]:
    """The `info` of an index over the rows of a condition alone, as its migration makes it.

    Not in the words of each database: for those SQLAlchemy would load both, whichever is used. Who
    draws migrations is told in migrations/env.py.
    """
    return {"where": condition}


def codes_only(column: str, codes: Iterable[str], name: str | None = None) -> CheckConstraint:
    """The column holds one of these codes. The constraint bears the column's name unless given another."""
    listed = ", ".join(f"'{code}'" for code in codes)
    return CheckConstraint(f"{column} IN ({listed})", name=name or column)
