"""How are milligrams, millilitres and tablets counted and written? Exactly, in Decimal."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from math import gcd
from typing import Final

MICROGRAMS_IN_MG: Final = 1000
_FINEST: Final = 1_000_000
"""Micrograms on the wire carry at most three decimals, so a millionth of a mg makes all whole."""
_LONGEST_SEARCH: Final = 10_000_000_000
"""Bits passed over: about half a second's work."""


def as_text(number: Decimal) -> str:
    """A decimal as people write it: 40, 0.4, 24.5; never an exponent or a trailing zero."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def mg_from_micrograms(micrograms: Decimal) -> Decimal:
    return micrograms / MICROGRAMS_IN_MG


def can_be_made(dose_mg: Decimal, strengths_mg: Iterable[Decimal]) -> bool:
    """Can whole tablets of these strengths (mg, more than zero) add up to exactly the dose?

    Any number of each, none broken, nothing rounded. No strengths make no dose. A search longer
    than any real shelf's (hundreds of strengths told apart by a thousandth of a mg, for thousands
    of mg) is given up, and such a dose counts as one that cannot be made.
    """
    dose = int(dose_mg * _FINEST)
    strengths = {int(strength * _FINEST) for strength in strengths_mg}
    strengths = {strength for strength in strengths if strength <= dose}
    if not strengths:
        return False
    common = gcd(*strengths)
    if dose % common:
        return False
    dose //= common
    # Bit n of `left` says that n can be left to make up. Shifting by a strength once, twice, four
    # times ... takes any number of its tablets away.
    left, searched = 1 << dose, 0
    for strength in sorted(strengths, reverse=True):
        step = strength // common
        while step <= dose:
            left |= left >> step
            step *= 2
            searched += dose
        if left & 1:
            return True
        if searched > _LONGEST_SEARCH:
            return False
    return False
