"""How is the service reached over a real socket?

As processes of its own, for races, kills and restarts; or in a thread of the test, where the test
can set the clock.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from werkzeug.serving import WSGIRequestHandler, make_server

ROOT = Path(__file__).parents[2]
SECONDS_TO_START = 30


@dataclass(frozen=True)
class Server:
    """A process serving at `url`; its output is in `log`."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it as a power cut would: no warning, no tidying up."""
        self.process.kill()
        self.process.wait()


@contextmanager
def a_server(database_url: str, folder: Path, **settings: str) -> Iterator[Server]:
    """`throughcare serve` on a free port, ended with the block.

    `settings` are further environment keys, without their THROUGHCARE_ prefix, in lower case.
    """
    port = _a_free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / f"server-{port}.log"
    environment = {
        **os.environ,
        "THROUGHCARE_MODE": "test",
        "THROUGHCARE_DATABASE_URL": database_url,
        **{f"THROUGHCARE_{key.upper()}": value for key, value in settings.items()},
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_command(), "serve", "--host", "127.0.0.1", "--port", str(port)],
            env=environment,
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_it_answers(url, process, log)
        _wait_for_the_rules(url, process)
        yield Server(url, process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def run_command(
    *arguments: str, database_url: str, stdin: str | IO[str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`throughcare <arguments>` as a process of its own, with its output and exit code."""
    return subprocess.run(
        [*_command(), *arguments],
        env={
            **os.environ,
            "THROUGHCARE_MODE": "test",
            "THROUGHCARE_DATABASE_URL": database_url,
        },
        cwd=ROOT,
        input=stdin if isinstance(stdin, str) else None,
        stdin=None if isinstance(stdin, str) else stdin or subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@contextmanager
def served_in_a_thread(application: Any) -> Iterator[str]:
    """The URL of a WSGI application served by this very process."""
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *arguments: Any) -> None:
        """Say nothing: the test's own output is what matters."""


def _command() -> list[str]:
    # The console script's own two lines, so that it runs whether or not it is installed.
    return [sys.executable, "-c", "from clinic.cli import main; main()"]


def _a_free_port() -> int:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < give_up:
        try:
            urlopen(url, timeout=5).close()
        except HTTPError:
            return  # an answer all the same
        except (URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server did not answer at {url}:\n{log.read_text(errors='replace')}")


def _wait_for_the_rules(url: str, process: subprocess.Popen[bytes]) -> None:
    """No dose is saved while the rules try their own worked examples, just after the start."""
    give_up = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < give_up:
        try:
            urlopen(f"{url}/health/ready", timeout=5).close()
        except HTTPError as answer:
            if b"still trying" in answer.read():
                time.sleep(0.05)
                continue
        return
