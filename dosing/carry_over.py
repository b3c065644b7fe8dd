"""How much of earlier doses may still be present? A band between fast and slow clearance.

One compartment: each dose counts whole from the moment it is swallowed and halves with every
half-life. It is a picture of accumulation, not a blood level, and no rule judges by it. Parameters
and their sources stand in carry_over.toml; a medicine without one has no band.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("carry_over.toml").read_text("utf-8")
)
PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    each["id"]: each for each in _TABLE["parameter"]
}
_HALF_LIFE: Final = PARAMETERS["CO-01"]
WINDOW: Final = timedelta(days=PARAMETERS["CO-02"]["window"])
FAST_HOURS: Final = Decimal(_HALF_LIFE["fast"])
SLOW_HOURS: Final = Decimal(_HALF_LIFE["slow"])
_HALF: Final = Decimal("0.5")
_SECONDS_AN_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Swallowed:
    """One dose known to have been swallowed, and when."""

    at: datetime
    mg: Decimal


@dataclass(frozen=True, slots=True)
class Carried:
    """The mg of earlier doses still present at a moment, if cleared fast and if cleared slowly."""

    at: datetime
    fast_mg: Decimal
    slow_mg: Decimal


def has_parameters(drug: str) -> bool:
    """Is there a sourced half-life for this medicine?"""
    return bool(drug == _HALF_LIFE["drug"])


def carried(doses: Iterable[Swallowed], at: datetime) -> Carried:
    """What earlier doses leave at this moment. A dose at the very moment is not an earlier one."""
    before = [dose for dose in doses if dose.at < at]
    return Carried(at, _left(before, at, FAST_HOURS), _left(before, at, SLOW_HOURS))


def band(doses: Iterable[Swallowed], times: Iterable[datetime]) -> list[Carried]:
    """The band at each of these moments, in the order given."""
    known = list(doses)
    return [carried(known, at) for at in times]


def _left(doses: Iterable[Swallowed], at: datetime, half_life_hours: Decimal) -> Decimal:
    return sum(
        (dose.mg * _HALF ** (_hours(at - dose.at) / half_life_hours) for dose in doses), Decimal(0)
    )


def _hours(span: timedelta) -> Decimal:
    seconds = span.days * 24 * _SECONDS_AN_HOUR + span.seconds
    return (Decimal(seconds) + Decimal(span.microseconds).scaleb(-6)) / _SECONDS_AN_HOUR
