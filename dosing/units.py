"""How are milligrams, millilitres and tablets counted and written? Exactly, in Decimal."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from decimal import Decimal
from math import gcd
from typing import Final

MICROGRAMS_IN_MG: Final = 1000
_FINEST: Final = 1_000_000
"""Micrograms on the wire carry at most three decimals, so a millionth of a mg makes all whole."""


def as_text(number: Decimal) -> str:
    """A decimal as people write it: 40, 0.4, 24.5; never an exponent or a trailing zero."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def mg_from_micrograms(micrograms: Decimal) -> Decimal:
    return micrograms / MICROGRAMS_IN_MG


def can_be_made(dose_mg: Decimal, strengths_mg: Iterable[Decimal]) -> bool:
    """Can whole tablets of these strengths (mg, more than zero) add up to exactly the dose?

    Any number of each, none broken, nothing rounded. No strengths make no dose.
    Walks the smallest total reachable in each remainder of the smallest strength, so a large
    dose costs no more than a small one.
    """
    dose = int(dose_mg * _FINEST)
    strengths = sorted({int(strength * _FINEST) for strength in strengths_mg})
    strengths = [strength for strength in strengths if strength <= dose]
    if not strengths:
        return False
    common = gcd(*strengths)
    if dose % common:
        return False
    dose //= common
    smallest, *others = (strength // common for strength in strengths)
    least = {0: 0}
    waiting = [0]
    while waiting:
        total = heapq.heappop(waiting)
        if total % smallest == dose % smallest:
            return True
        if total > least[total % smallest]:
            continue
        for strength in others:
            reached = total + strength
            if reached <= dose and reached < least.get(reached % smallest, dose + 1):
                least[reached % smallest] = reached
                heapq.heappush(waiting, reached)
    return False


_ONES: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_words(number: int) -> list[str]:
    """The English words of a whole number from 0 to 999,999, without "and" or hyphens."""
    if number < len(_ONES):
        return [_ONES[number]]
    if number < 100:
        tens, ones = divmod(number, 10)
        return [_TENS[tens - 2], *([_ONES[ones]] if ones else [])]
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    many, rest = divmod(number, size)
    return [*in_words(many), name, *(in_words(rest) if rest else [])]


def words_say(text: str, number: Decimal, unit: str) -> bool:
    """Do the words on a form say this many of this unit ("millilitres", "tablets", "syringes")?

    Cardinals with or without "and", hyphens and capitals. Anything else, a part of a whole
    included, is not what the figures say.
    """
    if number != number.to_integral_value():
        return False
    *said, last = text.lower().replace("-", " ").split() or [""]
    singular = unit.removesuffix("s")
    return (last == unit or (number == 1 and last == singular)) and [
        word for word in said if word != "and"
    ] == in_words(int(number))
