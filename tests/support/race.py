"""Many clients ask at the same moment, each over a line and with a token of its own."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

Answer = tuple[int, dict[str, Any]]


def post(url: str, path: str, token: str, body: dict[str, Any]) -> Answer:
    """The status and the parsed answer."""
    where = urlsplit(url)
    assert where.hostname
    with closing(http.client.HTTPConnection(where.hostname, where.port, timeout=60)) as line:
        line.request(
            "POST", path, json.dumps(body),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )  # fmt: skip
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())


def race(asks: list[Callable[[], Answer]]) -> list[Answer]:
    """Let all of them ask at once; their answers, first come first."""
    start, answers = threading.Barrier(len(asks)), []

    def run(ask: Callable[[], Answer]) -> None:
        start.wait()
        answers.append(ask())

    threads = [threading.Thread(target=run, args=(ask,)) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
