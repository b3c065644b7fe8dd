"""The fixtures every test may ask for. How to write a test with them: docs/decisions/0005."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.databases import PostgresShelf, Shelf, SqliteShelf, rolled_back
from tests.support.postgres import locked, shared_server

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from playwright.sync_api import Browser, Page

    from clinic.db import Database
    from tests.support.people import Door
    from tests.support.server import Server

ENGINES = ("sqlite", "postgresql")

# No property is judged by the clock: on a busy machine one draw may stand still for a second.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


class PagesOnOneEngine:
    """Pages are tried on PostgreSQL, the stricter of the two, and on SQLite in the long form alone.

    The commands and queries under them are tried on both, and the walk through every page of the
    demonstration is on SQLite (tests/proofs/test_pages.py).
    """

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if item.path.stem.endswith("pages") and "sqlite" in _parameters(item.nodeid):
                item.add_marker(pytest.mark.proof)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(PagesOnOneEngine())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that at the end no worker is left alone with one of them."""
    long = {"proofs", "journeys"}
    items.sort(key=lambda item: not long & set(item.path.parts))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skipped test has proved nothing, so a run that skipped one is not green."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many tests ran, and on what."""
    ran = [*terminalreporter.stats.get("passed", []), *terminalreporter.stats.get("failed", [])]
    on = {name: sum(name in _parameters(report.nodeid) for report in ran) for name in ENGINES}
    browser = sum("browser" in report.keywords for report in ran)
    terminalreporter.write_line(
        f"{len(ran)} tests ran: {on['sqlite']} on SQLite, {on['postgresql']} on PostgreSQL, "
        f"{browser} in Chromium; {len(terminalreporter.stats.get('skipped', []))} skipped."
    )


def _parameters(nodeid: str) -> list[str]:
    return nodeid.partition("[")[2].rstrip("]").split("-")


class Bench:
    """What one worker keeps from test to test: a shelf and a standing database for each engine."""

    def __init__(self, run_folder: Path, folder: Path, stack: ExitStack) -> None:
        self.run_folder = run_folder
        self._folder = folder
        self._stack = stack
        self._shelves: dict[str, Shelf] = {}
        self._standing: dict[str, Database] = {}
        self._apps: dict[str, Flask] = {}

    def shelf(self, engine_name: str) -> Shelf:
        """Where databases of this engine come from; the server starts when first asked for."""
        if engine_name not in self._shelves:
            from clinic.migrate import upgrade

            if engine_name == "sqlite":
                shelf: Shelf = SqliteShelf(self.run_folder, self._folder, upgrade)
            else:
                server = self._stack.enter_context(shared_server(self.run_folder))
                shelf = PostgresShelf(self.run_folder, server, upgrade)
            self._shelves[engine_name] = shelf
        return self._shelves[engine_name]

    def standing(self, engine_name: str) -> Database:
        """The database at head in which every test is rolled back."""
        if engine_name not in self._standing:
            shelf = self.shelf(engine_name)
            url = shelf.migrated()
            self._standing[engine_name] = _opened(url, self._stack)
            self._stack.callback(shelf.discard, url)
            self._stack.callback(self._standing[engine_name].engine.dispose)
        return self._standing[engine_name]

    def app(self, engine_name: str) -> Flask:
        """The application over the standing database, made once because making it takes time."""
        if engine_name not in self._apps:
            from clinic import create_app
            from config.settings import Settings

            app = create_app(Settings(mode="test"))
            app.extensions["rule_trial"].join()
            app.extensions["database"].engine.dispose()
            app.extensions["database"] = self.standing(engine_name)
            app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
            self._apps[engine_name] = app
        return self._apps[engine_name]


def _opened(url: str, stack: ExitStack) -> Database:
    from clinic.db import Database

    database = Database(url)
    stack.callback(database.engine.dispose)
    return database


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    own = tmp_path_factory.getbasetemp()
    # With xdist each worker's folder lies in the folder of the run.
    run_folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with ExitStack() as stack:
        yield Bench(run_folder, own, stack)


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """`sqlite`, then `postgresql`: whatever asks for a database runs on both."""
    return str(request.param)


@pytest.fixture
def database(engine_name: str, bench: Bench) -> Iterator[Database]:
    """A migrated database whose every change is undone after the test, commits included."""
    standing = bench.standing(engine_name)
    with rolled_back(standing.engine, standing._writing, standing._reading):
        yield standing


@pytest.fixture
def fresh_url(engine_name: str, bench: Bench) -> Iterator[str]:
    """The URL of a migrated database of this test's own, for other processes to open."""
    shelf = bench.shelf(engine_name)
    url = shelf.migrated()
    yield url
    shelf.discard(url)


@pytest.fixture
def empty_url(engine_name: str, bench: Bench) -> Iterator[str]:
    """The URL of a database with nothing in it, for tests of the migrations themselves."""
    shelf = bench.shelf(engine_name)
    url = shelf.empty()
    yield url
    shelf.discard(url)


@pytest.fixture
def fresh_database(fresh_url: str) -> Iterator[Database]:
    """A migrated database of this test's own, where a commit is a commit: for races and kills."""
    with ExitStack() as stack:
        yield _opened(fresh_url, stack)


@pytest.fixture
def app(engine_name: str, database: Database, bench: Bench) -> Flask:
    """The application on `database`. Forms need no CSRF token here; over `served` they do."""
    return bench.app(engine_name)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor nobody has signed in."""
    return app.test_client()


@pytest.fixture
def door(app: Flask, database: Database) -> Door:
    """`door.by_page("nurse")` and `door.by_token("nurse")`: clients in somebody's name."""
    from tests.support.people import Door

    return Door(app, database)


@pytest.fixture(scope="session")
def told(bench: Bench) -> Path:
    """The file of the demonstration, loaded once in a run: to copy, and never to change."""
    from clinic.db import Database
    from clinic.demo.load import load

    told = bench.run_folder / "demonstration.sqlite"
    with locked(told.with_suffix(".lock")):
        if not told.exists():
            url = bench.shelf("sqlite").migrated()
            database = Database(url)
            load(database, lambda line: None)
            database.engine.dispose()  # the last connection folds the journal into the file
            Path(url.removeprefix("sqlite:///")).rename(told)
    return told


class Clock:
    """The time the service reads, standing still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        """Move to an aware instant."""
        assert at.tzinfo is not None, "the clock takes an aware instant"
        self._at = at.astimezone(UTC)

    def forward(self, **span: float) -> None:
        """Move on by timedelta's words: `clock.forward(minutes=21)`."""
        self._at += timedelta(**span)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A stopped clock: Wednesday 4 November 2026, 09:00 in London, until the test moves it."""
    stopped = Clock(datetime(2026, 11, 4, 9, 0, tzinfo=UTC))
    monkeypatch.setattr("clinic.clock.now", stopped.now)
    return stopped


@dataclass(frozen=True)
class Served:
    """The service over a socket, in this process, so that `clock` moves its time as well."""

    url: str
    database: Database
    door: Door


@pytest.fixture
def served(fresh_url: str) -> Iterator[Served]:
    """The whole service, CSRF and all, on a database of its own: for pages and for threads."""
    from clinic import create_app
    from config.settings import Settings
    from tests.support.people import Door
    from tests.support.server import served_in_a_thread

    app = create_app(Settings(mode="test", database_url=fresh_url))
    app.extensions["rule_trial"].join()
    database: Database = app.extensions["database"]
    with served_in_a_thread(app) as url:
        yield Served(url, database, Door(app, database))
    database.engine.dispose()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start `throughcare serve` as a process on a database URL, as often as a test needs."""
    from tests.support.server import a_server

    with ExitStack() as stack:
        yield lambda url, **settings: stack.enter_context(a_server(url, tmp_path, **settings))


@pytest.fixture
def live_server(fresh_url: str, start_server: Callable[..., Server]) -> Server:
    """The service as a process of its own, on a database of its own."""
    return start_server(fresh_url)


@pytest.fixture
def two_servers(fresh_url: str, start_server: Callable[..., Server]) -> tuple[Server, Server]:
    """Two processes of the service on one database."""
    return start_server(fresh_url), start_server(fresh_url)


@pytest.fixture
def servers(engine_name: str, request: pytest.FixtureRequest) -> list[Server]:
    """One process on SQLite, two on PostgreSQL."""
    if engine_name == "sqlite":
        return [request.getfixturevalue("live_server")]
    return list(request.getfixturevalue("two_servers"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One headless browser for the worker."""
    from playwright.sync_api import sync_playwright

    from tests.support.chromium import launch

    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A new visitor's page. Another host asked, or an error in the console, fails the test."""
    from tests.support.chromium import a_page

    with a_page(chromium) as opened:
        yield opened


@pytest.fixture
def no_scripts_page(chromium: Browser) -> Iterator[Page]:
    """The same with scripts turned off: everything must work there too."""
    from tests.support.chromium import a_page

    with a_page(chromium, scripts=False) as opened:
        yield opened


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """`axe(page)`: no violation of WCAG 2.2 A or AA that axe can see."""
    from tests.support.chromium import assert_accessible

    return assert_accessible
