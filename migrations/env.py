"""Runs the steps. SQLite needs foreign keys off while a table is rebuilt, or its children go too."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, event, make_url, pool, text

from clinic.tables import metadata

config = context.config

for table in metadata.tables.values():
    for index in table.indexes:
        if condition := index.info.get("where"):  # clinic.db.only_where
            for dialect in ("sqlite", "postgresql"):
                index.dialect_kwargs[f"{dialect}_where"] = text(condition)


def run() -> None:
    url = config.attributes["url"]
    engine = create_engine(make_url(url), poolclass=pool.NullPool)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _connect(connection, record):  # type: ignore[no-untyped-def]
            connection.isolation_level = None
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA foreign_keys=OFF")
            connection.execute("PRAGMA busy_timeout=20000")

        @event.listens_for(engine, "begin")
        def _begin(connection):  # type: ignore[no-untyped-def]
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            transactional_ddl=True,
            render_as_batch=engine.dialect.name == "sqlite",
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
