"""Do words and figures agree? What is written is read back by a reader that shares nothing with it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosing.words import in_words, words_say

UP_TO_NINETEEN = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
VALUES = {word: value for value, word in enumerate(UP_TO_NINETEEN.split())}
VALUES |= {word: 10 * value for value, word in enumerate(TENS.split(), start=2)}


def read_back(text: str) -> tuple[Decimal, str]:
    """The number and the unit, read word by word as a person adds them up."""
    *said, unit = text.split()
    thousands, _, rest = " ".join(said).rpartition("thousand")
    return Decimal(1000 * _below_a_thousand(thousands) + _below_a_thousand(rest)), unit


def _below_a_thousand(text: str) -> int:
    hundreds, _, rest = text.rpartition("hundred")
    return 100 * sum(VALUES[word] for word in hundreds.split()) + sum(
        VALUES[word] for word in rest.replace("-", " ").split() if word != "and"
    )


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("0", "zero millilitres"),
        ("1", "one millilitre"),
        ("19", "nineteen millilitres"),
        ("21", "twenty-one millilitres"),
        ("100", "one hundred millilitres"),
        ("1000", "one thousand millilitres"),
        ("101", "one hundred and one millilitres"),
        ("560.000", "five hundred and sixty millilitres"),
        ("1005", "one thousand and five millilitres"),
        ("1260", "one thousand two hundred and sixty millilitres"),
        ("9999", "nine thousand nine hundred and ninety-nine millilitres"),
        ("123456", "one hundred and twenty-three thousand four hundred and fifty-six millilitres"),
    ],
)
def test_a_total_is_written_as_a_pharmacist_reads_it(number: str, words: str) -> None:
    assert in_words(Decimal(number), "millilitres") == words


@pytest.mark.proves("L-04")
def test_every_whole_number_is_read_back_as_it_was_meant() -> None:
    for number in map(Decimal, range(10_000)):
        text = in_words(number, "millilitres")
        read, unit = read_back(text)
        assert read == number, text
        assert unit == ("millilitre" if number == 1 else "millilitres")
        assert words_say(text, number, "millilitres")


@pytest.mark.proof
def test_every_number_up_to_999_999_is_read_back_as_it_was_meant() -> None:
    for number in range(1_000_000):
        assert read_back(in_words(Decimal(number), "tablets"))[0] == number


@given(
    st.integers(0, 999_999),
    st.integers(0, 999_999),
    st.sampled_from(["millilitres", "tablets", "syringes"]),
)
def test_words_for_one_amount_never_say_another(said: int, meant: int, unit: str) -> None:
    words = in_words(Decimal(said), unit)

    assert words_say(words, Decimal(meant), unit) is (said == meant)
    assert read_back(words)[0] == said


@pytest.mark.parametrize(
    "text",
    [
        "seven hundred and seventy millilitres",
        "Seven Hundred Seventy Millilitres",
        " seven hundred and seventy  millilitres ",
    ],
)
def test_words_that_say_the_figures_are_read(text: str) -> None:
    assert words_say(text, Decimal("770.000"), "millilitres")


def test_a_hyphen_may_be_left_out_and_one_may_be_of_several() -> None:
    assert words_say("twenty one millilitres", Decimal(21), "millilitres")
    assert words_say("One millilitres", Decimal(1), "millilitres")
    for other in (0, 2):
        assert not words_say("one millilitres", Decimal(other), "millilitres")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "millilitres",
        "seven hundred and seventy",
        "seven hundred and seventy tablets",
        "seven hundred and seventy ml",
        "seventy hundred and seven millilitres",
        "seven seventy millilitres",
        "seven hundred and seventy millilitres only",
        "770 millilitres",
        "seven hundred and seventy point zero millilitres",
        "seven hundred and seventy point five millilitres",
    ],
)
def test_words_that_say_something_else_differ(text: str) -> None:
    assert not words_say(text, Decimal(770), "millilitres")


def test_the_whole_of_a_number_with_a_part_is_not_what_the_words_say() -> None:
    assert not words_say("seven hundred and seventy millilitres", Decimal("770.5"), "millilitres")
    said = "seven hundred and seventy point five millilitres"
    assert not words_say(said, Decimal("770.5"), "millilitres")


@pytest.mark.parametrize("number", ["-1", "1000000", "0.5"])
def test_a_number_nobody_would_write_is_refused(number: str) -> None:
    assert words_say("one millilitre", Decimal(number), "millilitres") is False
    with pytest.raises(ValueError, match="not written in words"):
        in_words(Decimal(number), "millilitres")
