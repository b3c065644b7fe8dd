"""Bring a database to a revision: Alembic, called from code, with no ini file to lose."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import migrations
from clinic.db import Database
from config.settings import sqlite_path


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Take the database up to a revision, creating the SQLite file's folder when needed."""
    if url.startswith("sqlite") and (path := sqlite_path(url)) is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Take the database down to a revision ("base" for an empty one)."""
    command.downgrade(_config(url), revision)


def at_head(database: Database) -> bool:
    """Is this database at the newest revision? The service is not ready until it is."""
    script = ScriptDirectory.from_config(_config(""))
    with database.engine.execution_options(reading=True).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == (
            script.get_current_head()
        )
