"""Are milligrams and tablets counted exactly?"""

from __future__ import annotations

from decimal import Decimal
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosing.units import as_text, can_be_made


@pytest.mark.parametrize(
    ("dose", "strengths", "made"),
    [
        ("2.4", ("0.4", "2", "8"), True),
        ("1", ("0.4", "2", "8"), False),
        ("3", ("0.4", "2", "8"), False),
        ("7", ("2", "8"), False),
        ("0.2", ("0.4",), False),
        ("24", ("16", "8"), True),
        ("11", ("6", "5"), True),
        ("19", ("6", "5"), False),
        ("20", ("6", "5"), True),
        ("2.0005", ("2", "0.001"), False),
        ("99999.999", ("0.4", "2", "8"), False),
        ("8", (), False),
        ("0", ("2",), False),
    ],
)
def test_whole_tablets_make_the_dose_or_do_not(dose, strengths, made):
    assert can_be_made(Decimal(dose), [Decimal(each) for each in strengths]) is made


@pytest.mark.parametrize("finest", ["1000.{:03}", "300.{:03}", "{}"])
def test_a_shelf_of_five_hundred_strengths_is_searched_in_a_moment(finest):
    strengths = [Decimal(finest.format(place)) for place in range(1, 501)]

    began = process_time()
    made = can_be_made(Decimal("99899.999"), strengths)

    assert process_time() - began < 2
    assert made is False


@given(
    counts=st.lists(st.integers(0, 5), min_size=3, max_size=3),
    strengths=st.lists(
        st.sampled_from(["0.4", "1", "2", "4", "6", "8", "16"]), min_size=3, max_size=3
    ),
)
def test_any_handful_of_stocked_tablets_can_be_made(counts, strengths):
    handful = sum((n * Decimal(mg) for n, mg in zip(counts, strengths, strict=True)), Decimal(0))

    assert handful == 0 or can_be_made(handful, [Decimal(mg) for mg in strengths])


def test_amounts_are_written_without_exponent_or_trailing_zeros():
    assert [as_text(Decimal(each)) for each in ("40", "40.500", "0.4", "1E+2", "0")] == [
        "40", "40.5", "0.4", "100", "0",
    ]  # fmt: skip
