"""Is one alcohol reading the same in each of its units?"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from dosing.alcohol import BLOOD, MG_PER_LITRE, MICROGRAMS, UNITS, in_every_unit, micrograms
from dosing.check import rulebook

DEFINED = rulebook().defined("uk-2017", date(2026, 11, 4))["alcohol-units"]


@pytest.mark.parametrize(
    ("reading", "unit"), [("35", MICROGRAMS), ("0.35", MG_PER_LITRE), ("80", BLOOD)]
)
def test_the_driving_limit_is_one_reading_in_three_units(reading, unit):
    breath = micrograms(Decimal(reading), unit, DEFINED)

    assert breath == 35
    assert in_every_unit(breath, DEFINED) == {
        MICROGRAMS: 35,
        MG_PER_LITRE: Decimal("0.35"),
        BLOOD: 80,
    }


def test_what_is_shown_is_rounded_and_what_is_judged_is_not():
    assert micrograms(Decimal("0.357"), MG_PER_LITRE, DEFINED) == Decimal("35.7")
    shown = in_every_unit(Decimal("10.06"), DEFINED)
    assert [str(shown[unit]) for unit in UNITS] == ["10.1", "0.101", "23.0"]
