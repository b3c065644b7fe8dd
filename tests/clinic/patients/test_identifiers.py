"""Numbers people carry: what is taken, what is refused, and how it is stored."""

from __future__ import annotations

import pytest

from clinic.errors import Invalid
from clinic.patients import identifiers


@pytest.mark.parametrize(
    "number", ["9990000018", "9990000026", "9990000034", "9990000042", "9990000050"]
)
def test_the_synthetic_nhs_numbers_are_taken(number: str) -> None:
    assert identifiers.nhs_number(number, demo=True) == number


@pytest.mark.parametrize("typed", ["999 000 0018", " 999-000-0018 ", "9990 00 0018"])
def test_an_nhs_number_is_stored_without_spaces(typed: str) -> None:
    assert identifiers.nhs_number(typed, demo=True) == "9990000018"


def test_an_nhs_number_whose_check_comes_to_eleven_ends_in_nought() -> None:
    numbers = [f"{stem}0" for stem in range(999_000_000, 999_000_200)]

    taken = [number for number in numbers if _taken(number)]

    assert taken
    for number in taken:
        assert sum(int(d) * w for d, w in zip(number, range(10, 0, -1), strict=True)) % 11 == 0


def test_an_nhs_number_whose_check_comes_to_ten_does_not_exist() -> None:
    stem = next(
        str(each)
        for each in range(999_000_000, 999_000_200)
        if 11 - sum(int(d) * w for d, w in zip(str(each), range(10, 1, -1), strict=True)) % 11 == 10
    )

    assert not any(_taken(f"{stem}{digit}") for digit in range(10))


def _taken(number: str) -> bool:
    try:
        identifiers.nhs_number(number, demo=True)
    except Invalid:
        return False
    return True


@pytest.mark.parametrize(
    "typed",
    [
        "4857773456",  # fails the check
        "0000000000",  # passes the sum, and is nobody's
        "1111111111",
        "999000001",
        "99900000180",
        "999000001A",
        "٩٩٩٠٠٠٠٠١٨",  # digits, but not ours
        "",
    ],
)
def test_what_is_not_an_nhs_number_is_refused(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        identifiers.nhs_number(typed, demo=False)

    assert refused.value.faults[0][0] == "nhs_number"


def test_a_demonstration_takes_only_the_synthetic_range() -> None:
    real_looking = "4010232137"  # of the published examples: its check digit fits

    assert identifiers.nhs_number(real_looking, demo=False) == real_looking
    with pytest.raises(Invalid, match="999"):
        identifiers.nhs_number(real_looking, demo=True)


@pytest.mark.parametrize(
    ("typed", "stored"), [("A1234BC", "A1234BC"), ("z0001zz", "Z0001ZZ"), (" a1234 bc", "A1234BC")]
)
def test_a_prison_number_is_stored_in_capitals(typed: str, stored: str) -> None:
    assert identifiers.prison_number(typed) == stored


@pytest.mark.parametrize("typed", ["A123BC", "AB1234C", "A1234B", "A1234BCD", "11234BC", ""])
def test_what_is_not_a_prison_number_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        identifiers.prison_number(typed)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("1999/9999999V", "1999/9999999V"),
        ("2000/0000001A", "2000/0000001A"),
        ("2000/1a", "2000/0000001A"),  # the short form
    ],
)
def test_a_pnc_id_is_stored_in_full(typed: str, stored: str) -> None:
    assert identifiers.pnc_id(typed) == stored


@pytest.mark.parametrize(
    "typed", ["1999/9999999W", "99/9999999V", "1999/99999999V", "1999-9999999V", "2000/0000001", ""]
)
def test_what_is_not_a_pnc_id_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        identifiers.pnc_id(typed)


def test_a_probation_number_is_a_letter_and_six_digits() -> None:
    assert identifiers.crn("x000001") == "X000001"
    for typed in ("X00001", "XX00001", "X0000011", "1000001"):
        with pytest.raises(Invalid):
            identifiers.crn(typed)


def test_a_kind_nobody_knows_is_refused() -> None:
    with pytest.raises(Invalid, match="kind"):
        identifiers.read("passport", "123", demo=True)
