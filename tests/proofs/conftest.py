"""The demonstration, served to the proofs of each worker."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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


@pytest.fixture
def own_demonstration(told: Path, tmp_path: Path) -> Iterator[Flask]:
    """The application on a copy of the demonstration that is this test's own to change."""
    with _an_app(told, tmp_path) as app:
        yield app


@pytest.fixture(scope="session")
def demonstration(
    bench: Bench, told: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demonstration]:
    """A copy of the demonstration for the pages this worker looks at."""
    folder = tmp_path_factory.mktemp("demonstration")
    with _an_app(told, folder) as app:
        app.config.update(WTF_CSRF_ENABLED=False)
        with a_server(app.config["SETTINGS"].database_url, folder) as server:
            yield Demonstration(app, app.extensions["database"], server, bench.run_folder)


@contextmanager
def _an_app(told: Path, folder: Path) -> Iterator[Flask]:
    from clinic import create_app
    from config.settings import Settings

    url = f"sqlite:///{shutil.copy(told, folder / told.name)}"
    app = create_app(Settings(mode="test", database_url=url))
    app.extensions["rule_trial"].join()
    yield app
    app.extensions["database"].engine.dispose()
