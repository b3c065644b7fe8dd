"""How is a total written in words, and do the words on a form say its figures?

English cardinals, as the dose-check contract reads them: a part of a whole has no words. What
`in_words` writes, `words_say` reads; a reading that shares nothing with either stands in the tests.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from dosing.units import as_text

_ONES: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS: Final = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip


def in_words(number: Decimal, unit: str) -> str:
    """As a form writes it: "one hundred and twenty-two millilitres".

    `unit`: "millilitres", "tablets" or "syringes"; the singular for exactly one. From 0 to
    999,999; ValueError outside that and for a part of a whole, which no cardinal says.
    """
    if not 0 <= number < 1_000_000 or number != int(number):
        raise ValueError(f"{as_text(number)} is not written in words")
    return f"{_cardinal(int(number))} {unit.removesuffix('s') if number == 1 else unit}"


def _cardinal(number: int) -> str:
    if number < len(_ONES):
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{_ONES[ones]}" if ones else "")
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    many, rest = divmod(number, size)
    said = f"{_cardinal(many)} {name}"
    if not rest:
        return said
    return f"{said} {'and ' if rest < 100 else ''}{_cardinal(rest)}"


def words_say(text: str, number: Decimal, unit: str) -> bool:
    """Do the words on a form say this many of this unit ("millilitres", "tablets", "syringes")?

    Cardinals with or without "and", hyphens and capitals. Anything else is not what the figures say.
    """
    if not 0 <= number < 1_000_000 or number != int(number):
        return False
    return _bare(text) == _bare(in_words(number, unit)) or (
        # "one millilitres" is clumsy and plain.
        number == 1 and _bare(text) == _bare(f"one {unit}")
    )


def _bare(text: str) -> list[str]:
    return [word for word in text.lower().replace("-", " ").split() if word != "and"]
