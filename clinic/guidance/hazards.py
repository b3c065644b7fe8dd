"""What does the hazard log say of the hazard a rule guards against?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

_LOG = "SAFETY.md"
_PLACES = (Path(__file__).parents[1] / _LOG, Path(__file__).parents[2] / _LOG)
"""Beside the installed package, or at the root of a checkout."""


@dataclass(frozen=True)
class Hazard:
    """One row of the log, in its own words."""

    id: str
    hazard: str
    causes: str
    harm: str
    initial: str
    controls: str
    residual: str
    owner: str


@cache
def hazards() -> dict[str, Hazard]:
    """The rows of the hazard log, by id."""
    text = next(path for path in _PLACES if path.exists()).read_text("utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| H-")]
    return {row[0]: Hazard(*row) for row in rows}
