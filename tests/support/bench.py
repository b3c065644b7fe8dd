"""`make bench`: the benchmark on SQLite and on a throw-away PostgreSQL with two server processes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from clinic import migrate, tables  # noqa: F401 - every table is known before the first is used
from clinic.bench import access, run
from tests.support.databases import PostgresShelf
from tests.support.postgres import KEEP_KEY, shared_server

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Print every figure; nothing is asserted."""
    os.environ[KEEP_KEY] = "yes"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        print("SQLite, one server process")  # noqa: T201 - this is a command
        run.compare(f"sqlite:///{folder}/bench.sqlite", 400, 1500, 150, print, processes=1)
        with shared_server(Path(folder)) as server:
            shelf = PostgresShelf(Path(folder), server, migrate.upgrade)
            print("PostgreSQL, two server processes")  # noqa: T201
            run.compare(shelf.empty(), 400, 1500, 150, print)
            urls = [shelf.empty() for _ in range(access.DATABASES)]
            access.measure(urls, print, run.PROCESSES)
        access.fairness(Path(folder), print)
    run.checks(ROOT / "tests/contracts", 10_000, print)


if __name__ == "__main__":
    main()
