"""Which text is the number of a row?"""

from __future__ import annotations

import pytest

from clinic.web import row_number


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("007", 7), ("2147483647", 2147483647), ("2147483648", None), ("0", None),
     ("", None), (None, None), ("²", None), ("٣", None), ("-1", None), ("1.0", None), (" 1", None),
     ("9" * 5000, None)],
)  # fmt: skip
def test_only_the_number_of_a_row_is_read_as_one(text, number):
    assert row_number(text) == number
