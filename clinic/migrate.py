"""Bring a database to a revision: Alembic, called from code, with no ini file to lose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

import migrations
from clinic.db import Database
from config.settings import sqlite_path

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(migrations.__file__).parent


def _config(url: str) -> Config:
    from alembic.config import Config  # heavy, and a web worker never migrates

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Take the database up to a revision, creating the SQLite file's folder when needed."""
    from alembic import command

    if url.startswith("sqlite") and (path := sqlite_path(url)) is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Take the database down to a revision ("base" for an empty one)."""
    from alembic import command

    command.downgrade(_config(url), revision)


def newest() -> str:
    """The newest revision there is: the number its file begins with."""
    return max(path.name[:4] for path in (HERE / "versions").glob("[0-9]*.py"))


def at_head(database: Database) -> bool:
    """Is this database at the newest revision? The service is not ready until it is."""
    with database.engine.execution_options(reading=True).connect() as connection:
        if not database.engine.dialect.has_table(connection, "alembic_version"):
            return False
        at = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    return at == [newest()]
