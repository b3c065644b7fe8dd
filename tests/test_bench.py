"""The bench itself: if it leaks, skips or looks away, nothing tested on it is proved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from sqlalchemy import create_engine, text

from clinic import clock as service_clock
from clinic import create_app
from clinic.auth import needs
from clinic.db import Database
from config.settings import Settings
from tests.support import trace
from tests.support.chromium import a_page, assert_accessible, find_chromium
from tests.support.databases import PostgresShelf, Shelf, SqliteShelf, rolled_back
from tests.support.people import Door
from tests.support.postgres import a_database_name, find_binaries, shared_server
from tests.support.server import served_in_a_thread


def make_one_table(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE bed (number INTEGER PRIMARY KEY)"))
        connection.execute(text("INSERT INTO bed VALUES (1)"))
    engine.dispose()


@pytest.fixture
def one_table(engine_name: str, tmp_path: Path, bench) -> Iterator[Shelf]:
    with ExitStack() as stack:
        if engine_name == "sqlite":
            yield SqliteShelf(tmp_path, tmp_path, make_one_table)
        else:
            server = stack.enter_context(shared_server(bench.run_folder))
            yield PostgresShelf(tmp_path, server, make_one_table)


def test_each_database_taken_from_the_shelf_is_its_own(one_table: Shelf) -> None:
    first, second = create_engine(one_table.migrated()), create_engine(one_table.migrated())

    with first.begin() as connection:
        connection.execute(text("INSERT INTO bed VALUES (2)"))

    with second.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM bed")) == 1
    first.dispose()
    second.dispose()


def test_an_empty_database_has_no_table(one_table: Shelf) -> None:
    engine = create_engine(one_table.empty())

    with engine.connect() as connection:
        assert not engine.dialect.has_table(connection, "bed")
    engine.dispose()


def test_a_discarded_database_is_gone(one_table: Shelf) -> None:
    url = one_table.migrated()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO bed VALUES (2)"))

    one_table.discard(url)

    if url.startswith("sqlite"):
        assert not Path(url.removeprefix("sqlite:///")).exists()
    else:
        with pytest.raises(Exception, match="does not exist|terminating"), engine.connect() as gone:
            gone.execute(text("SELECT 1"))
    engine.dispose()


def test_a_commit_in_a_rolled_back_database_leaves_nothing_behind(engine_name, bench) -> None:
    standing = bench.standing(engine_name)
    with standing.engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS bench_bed (number INTEGER)"))

    for _ in range(2):
        with rolled_back(standing.engine, standing._writing, standing._reading):
            with standing.session() as session:
                session.execute(text("INSERT INTO bench_bed VALUES (1)"))
                session.commit()
            with standing.session() as session:
                session.execute(text("INSERT INTO bench_bed VALUES (2)"))
                session.rollback()
            with standing.reading() as session:
                assert session.scalars(text("SELECT number FROM bench_bed")).all() == [1]

    with standing.engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM bench_bed")) == 0
        connection.execute(text("DROP TABLE bench_bed"))


def test_a_postgresql_can_be_had_again_after_its_last_user_left(tmp_path: Path) -> None:
    for _ in range(2):
        with shared_server(tmp_path) as server:
            server.create(a_database_name())


def test_there_is_a_postgresql_for_the_tests() -> None:
    assert (find_binaries() / "postgres").exists()


def test_a_machine_without_chromium_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THROUGHCARE_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(LookupError, match="The page tests need Chromium"):
        find_chromium()


def a_site(body: str, policy: str = "default-src 'self'"):
    page = (
        f"<!doctype html><html lang=en><title>Beds</title><main><h1>Beds</h1>{body}</main></html>"
    )

    def application(environ, start_response):
        headers = [("Content-Type", "text/html"), ("Content-Security-Policy", policy)]
        start_response("200 OK", headers)
        return [page.encode()]

    return application


@pytest.mark.browser
def test_a_sound_page_under_a_strict_policy_passes_axe(chromium: Browser) -> None:
    with served_in_a_thread(a_site("<p>One bed")) as url, a_page(chromium) as page:
        page.goto(url)

        assert_accessible(page)


@pytest.mark.browser
def test_a_page_with_an_unlabelled_field_fails_axe(chromium: Browser) -> None:
    with (
        served_in_a_thread(a_site("<input>")) as url,
        a_page(chromium) as page,
    ):
        page.goto(url)

        with pytest.raises(AssertionError, match="label"):
            assert_accessible(page)


@pytest.mark.browser
def test_a_page_that_asks_another_host_fails(chromium: Browser) -> None:
    site = a_site("<img alt='' src='https://cdn.example.org/x.png'>", "default-src *")

    with (
        served_in_a_thread(site) as url,
        pytest.raises(AssertionError, match="cdn.example.org"),
        a_page(chromium) as page,
    ):
        page.goto(url)


@pytest.mark.browser
def test_a_page_whose_script_the_policy_blocks_fails(chromium: Browser) -> None:
    with (
        served_in_a_thread(a_site("<script>1</script>")) as url,
        pytest.raises(AssertionError, match="the browser complained"),
        a_page(chromium) as page,
    ):
        page.goto(url)


@pytest.mark.browser
def test_scripts_do_not_run_on_the_page_without_scripts(no_scripts_page) -> None:
    script = "<script>document.querySelector('h1').textContent = 'Scripted'</script>"
    with served_in_a_thread(a_site(script, "default-src 'self' 'unsafe-inline'")) as url:
        no_scripts_page.goto(url)

        assert no_scripts_page.locator("h1").text_content() == "Beds"


@pytest.mark.browser
def test_a_page_of_the_service_opens_in_the_browser(served, page) -> None:
    answer = page.goto(f"{served.url}/health/live")

    assert answer.status == 200


def test_the_door_lets_in_whoever_holds_the_right(database: Database) -> None:
    app = create_app(Settings(mode="test"))
    app.extensions["database"].engine.dispose()
    app.extensions["database"] = database
    for path in ("/probe", "/api/probe"):
        app.add_url_rule(path, path, needs("patients.register")(lambda: "in"))
    door = Door(app, database)

    def status(client: FlaskClient, path: str) -> int:
        return client.get(path).status_code

    assert status(door.by_page("nurse"), "/probe") == 200
    assert status(door.by_page("carat_keyworker"), "/probe") == 403
    assert status(door.by_token("nurse"), "/api/probe") == 200
    assert status(door.by_token("nurse", scopes=["patients.read"]), "/api/probe") == 403
    assert status(app.test_client(), "/api/probe") == 401


def test_the_clock_of_the_service_stands_still_until_it_is_moved(clock) -> None:
    before = service_clock.now()
    clock.forward(minutes=21)

    assert service_clock.now() - before == timedelta(minutes=21)


def test_two_processes_serve_one_database(two_servers) -> None:
    for server in two_servers:
        with urlopen(f"{server.url}/health/ready") as answer:
            assert answer.status == 200

    assert two_servers[0].process.pid != two_servers[1].process.pid


INVENTORY = """
| ID | Requirement | Source | Pri
|-|-|-|-
| RP-01 | Every service holds one model | 000 §3.3 | core
| RP-14 | The team keeps case management | 000 §3.3 | ext
"""


def test_the_trace_reads_each_requirement_with_its_priority() -> None:
    read = trace.requirements(INVENTORY)

    assert [(line.id, line.priority) for line in read.values()] == [
        ("RP-01", "core"),
        ("RP-14", "ext"),
    ]


def test_the_inventory_holds_two_hundred_requirements_118_of_them_core() -> None:
    read = trace.requirements(trace.REQUIREMENTS.read_text(encoding="utf-8"))

    assert len(read) == 200
    assert sum(line.priority == "core" for line in read.values()) == 118


def test_the_trace_names_what_no_test_proves_and_counts_no_skipped_test(tmp_path: Path) -> None:
    (tmp_path / "test_beds.py").write_text(
        "import pytest\n"
        "@pytest.mark.proves('RP-01', 'RP-02')\n"
        "def test_one(): raise SystemExit('collected, never run')\n"
        "@pytest.mark.skip\n"
        "@pytest.mark.proves('RP-03')\n"
        "def test_two(): pass\n"
    )

    collected = trace.collect(str(tmp_path), "--rootdir", str(tmp_path))

    assert trace.unproved(["RP-01", "RP-02", "RP-03", "RP-04"], collected.proofs) == [
        "RP-03",
        "RP-04",
    ]


def test_the_trace_knows_nothing_when_a_test_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "test_no_beds.py").write_text("import no_such_module\n")

    collected = trace.collect(str(tmp_path), "--rootdir", str(tmp_path))

    assert "no_such_module" in collected.broken[0]
