"""What is an alcohol reading in the other units? The three are easily taken for one another.

35 micrograms per 100 ml of breath, 0.35 mg per litre of breath and 80 mg per 100 ml of blood are
the same reading. The numbers stand in facts.toml (alcohol-units).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from dosing.rulebook import RuleVersion

MICROGRAMS: Final = "breath_alcohol_micrograms_per_100ml"
MG_PER_LITRE: Final = "breath_alcohol_mg_per_l"
BLOOD: Final = "blood_alcohol_mg_per_100ml"
UNITS: Final = (MICROGRAMS, MG_PER_LITRE, BLOOD)

_PLACES: Final = {MICROGRAMS: 1, MG_PER_LITRE: 3, BLOOD: 1}


def micrograms(reading: Decimal, unit: str, defined: RuleVersion) -> Decimal:
    """A reading in micrograms per 100 ml of breath, exactly."""
    if unit == MG_PER_LITRE:
        return reading * defined.number("of_one_mg_per_l")
    if unit == BLOOD:
        return (
            reading
            * defined.number("breath_at_limit")
            / defined.number("blood_mg_per_100ml_at_limit")
        )
    return reading


def in_every_unit(breath: Decimal, defined: RuleVersion) -> dict[str, Decimal]:
    """Micrograms per 100 ml of breath in each of the units, rounded to be read."""
    amounts = {
        MICROGRAMS: breath,
        MG_PER_LITRE: breath / defined.number("of_one_mg_per_l"),
        BLOOD: breath
        * defined.number("blood_mg_per_100ml_at_limit")
        / defined.number("breath_at_limit"),
    }
    return {unit: round(amount, _PLACES[unit]) for unit, amount in amounts.items()}
