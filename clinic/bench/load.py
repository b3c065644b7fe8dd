"""Clients that keep a service busy, and count what they were answered."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Ask:
    """One request: method, path and, for a write, what is sent."""

    method: str
    path: str
    body: Any = None


@dataclass
class Told:
    """What a load came to: answers by status, the time each took, and the whole."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    whole: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.whole if self.whole else 0.0

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share of the answers came."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else 0.0


WARM = 100
"""Requests sent first and not counted: they bring connections, caches and query plans to work."""


def warmed(
    ports: Sequence[int], asks: Sequence[Ask], clients: int, token: str | None = None
) -> Told:
    """What all asks but the first `WARM` come to, once those are answered."""
    keep_busy(ports, asks[:WARM], clients, token)
    return keep_busy(ports, asks[WARM:], clients, token)


def keep_busy(
    ports: Sequence[int], asks: Sequence[Ask], clients: int, token: str | None = None
) -> Told:
    """Send every ask once, from so many clients, each on one connection to one of the ports."""
    told, lock, turn = Told(), threading.Lock(), iter(asks)
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    ready = threading.Barrier(clients + 1)

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", ports[number % len(ports)], timeout=60)
        mine: list[float] = []
        seen: Counter[int] = Counter()
        ready.wait()
        while True:
            with lock:
                ask = next(turn, None)
            if ask is None:
                break
            began = time.perf_counter()
            body = None if ask.body is None else json.dumps(ask.body)
            connection.request(ask.method, ask.path, body, headers)
            answer = connection.getresponse()
            answer.read()
            mine.append(time.perf_counter() - began)
            seen[answer.status] += 1
        connection.close()
        with lock:
            told.seconds += mine
            told.statuses += seen

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    told.whole = time.perf_counter() - began
    return told
