"""The demonstration, loaded once in a run, and served to the proofs of each worker."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.postgres import locked
from tests.support.server import Server, a_server

if TYPE_CHECKING:
    from flask import Flask

    from clinic.db import Database
    from tests.conftest import Bench


@dataclass(frozen=True)
class Demonstration:
    """The demonstration in this process (`app`, CSRF off) and served by one of its own (`server`)."""

    app: Flask
    database: Database
    server: Server
    run_folder: Path


@pytest.fixture(scope="session")
def demonstration(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demonstration]:
    """A copy of the demonstration of this worker's own."""
    from clinic import create_app
    from clinic.db import Database
    from clinic.demo.load import load
    from config.settings import Settings

    told = bench.run_folder / "demonstration.sqlite"
    with locked(told.with_suffix(".lock")):
        if not told.exists():
            url = bench.shelf("sqlite").migrated()
            database = Database(url)
            load(database, lambda line: None)
            database.engine.dispose()  # the last connection folds the journal into the file
            Path(url.removeprefix("sqlite:///")).rename(told)
    folder = tmp_path_factory.mktemp("demonstration")
    url = f"sqlite:///{shutil.copy(told, folder / 'demonstration.sqlite')}"
    app = create_app(Settings(mode="test", database_url=url))
    app.config.update(WTF_CSRF_ENABLED=False)
    database = app.extensions["database"]
    with a_server(url, folder) as server:
        yield Demonstration(app, database, server, bench.run_folder)
    database.engine.dispose()
