"""What happened, for whoever runs the service: one JSON object a line on standard error.

Ids only: no names, no numbers, no doses, no query strings.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from typing import Any

from clinic import clock

_least = logging.INFO


def keep_from(level: str) -> None:
    """Write nothing below this level from now on."""
    global _least
    _least = logging.getLevelNamesMapping()[level]


def info(event: str, **about: Any) -> None:
    _write(logging.INFO, event, about)


def warning(event: str, **about: Any) -> None:
    _write(logging.WARNING, event, about)


def exception(event: str, **about: Any) -> None:
    """An error, with how the exception being handled came about."""
    _write(logging.ERROR, event, {**about, "exception": traceback.format_exc()})


def _write(level: int, event: str, about: dict[str, Any]) -> None:
    if level >= _least:
        at = clock.now().isoformat()
        line = {
            **about,
            "event": event,
            "level": logging.getLevelName(level).lower(),
            "timestamp": at,
        }
        sys.stderr.write(json.dumps(line, default=str) + "\n")
