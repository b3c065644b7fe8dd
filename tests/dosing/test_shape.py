"""Does the reader take exactly what the published schema says, kind by kind?"""

from __future__ import annotations

from datetime import UTC, date, datetime

import jsonschema
import pytest

from dosing.shape import (
    Day,
    DecimalText,
    Instant,
    ListOf,
    OneOf,
    Record,
    Refused,
    Required,
    Text,
    Whole,
    YesNo,
    answer,
    answer_lines,
    join,
    parse,
)

ONE = Record(dict, {"a": Required(YesNo()), "b": OneOf("x", "y"), "c": ListOf(Whole(least=0))})
TAKES = [
    (Text(), ["", "a", "ab", "A1", "0", "12.5", "2024-02-06", "2024-02-06T09:30Z"]),
    (Text("[a-z]+"), ["a", "ab"]),
    (YesNo(), [True, False]),
    (Whole(least=-1), [-1, 0, 1, 1.0, 4, 5]),
    (Whole(least=1), [1, 1.0, 4, 5]),
    (Whole(least=0, most=4), [0, 1, 1.0, 4]),
    (DecimalText(), ["0", "0.00", "12.5", "0.001", "12345.678"]),
    (DecimalText(zero_allowed=False), ["12.5", "0.001", "12345.678"]),
    (Day(), ["2024-02-06"]),
    (Instant(), ["2024-02-06T09:30Z", "2024-02-06T09:30:01.5+01:00"]),
    (OneOf("a", "x"), ["a"]),
    (ListOf(YesNo()), [[], [True]]),
    (ListOf(Whole(least=0), least=2), [[1, 4]]),
    (ONE, [{"a": True}, {"a": True, "b": None, "c": None}, {"a": False, "b": "x", "c": [1]}]),
]  # fmt: skip
FOR_NONE = [
    None, 1.5, "-1", "1e2", "123456", "0.0001", "12.5 mg", "2024-2-6", "2024-02-06 09:30Z",
    "2024-02-06T09:30", "20240206", "2024-W06-2", "20240206T093000Z",
    [1.5], [None], ["a", "b", "c"], {}, {"a": None}, {"a": True, "b": "z"},
    {"a": True, "b": 1}, {"a": True, "c": "x"}, {"a": True, "c": [None]}, {"a": True, "d": 1},
    {"b": "x"},
]  # fmt: skip
VALUES = [*FOR_NONE, *(value for _, values in TAKES for value in values)]


def same(one: object, other: object) -> bool:
    """1 and True are equal to Python, and two kinds of value to JSON."""
    return type(one) is type(other) and one == other


@pytest.mark.parametrize(("kind", "takes"), TAKES, ids=lambda each: type(each).__name__)
def test_reader_and_published_schema_take_the_same_values_and_no_other(kind, takes):
    if kind == Text():
        takes = [value for value in VALUES if isinstance(value, str)]
    schema = jsonschema.Draft202012Validator(kind.schema())

    for value in VALUES:
        wanted = any(same(value, each) for each in takes)
        assert schema.is_valid(value) is wanted, value
        try:
            kind.read(value, "here")
        except Refused as refused:
            assert not wanted, value
            assert refused.field.startswith("here")
        else:
            assert wanted, value


def test_the_schema_of_a_day_and_an_instant_says_what_they_are():
    assert Day().schema()["format"] == "date"
    assert Instant().schema()["format"] == "date-time"


def test_what_is_read_is_exact_and_in_utc():
    assert Day().read("2024-02-29", "") == date(2024, 2, 29)
    assert Instant().read("2024-07-01T00:30:00+01:00", "") == datetime(
        2024, 6, 30, 23, 30, tzinfo=UTC
    )
    assert Instant().read("2024-07-01T00:30:00+01:00", "").tzinfo is UTC
    assert type(Whole(least=0).read(5.0, "")) is int
    assert ONE.read({"a": True}, "") == {"a": True, "b": None, "c": None}


@pytest.mark.parametrize(
    ("first", "last"), [("1899-12-31", "2200-01-01"), ("2023-02-29", "2023-13-01")]
)
def test_a_date_or_moment_that_does_not_exist_or_lies_far_away_is_refused(first, last):
    for day in (first, last):
        with pytest.raises(Refused):
            Day().read(day, "on")
        with pytest.raises(Refused):
            Instant().read(f"{day}T12:00Z", "at")

    assert Day().read("1900-01-01", "").year == Instant().read("1900-01-01T12:00Z", "").year == 1900
    assert Day().read("2199-12-31", "").year == Instant().read("2199-12-31T12:00Z", "").year == 2199


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("", {"a": True, "d": 1}, "d"),
        ("here", {"a": True, "d": 1}, "here.d"),
        ("", {}, "a"),
        ("here", {}, "here.a"),
        ("here", {"a": True, "c": [1, "x"]}, "here.c[1]"),
        ("", {"a": True, "b": "z"}, "b"),
    ],
)
def test_a_fault_is_named_by_its_path(path, value, field):
    with pytest.raises(Refused) as refused:
        ONE.read(value, path)

    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")


def test_a_path_is_joined_with_a_dot_and_nothing_before_the_first():
    assert join("", "a") == "a"
    assert join("here[0]", "a") == "here[0].a"


@pytest.mark.parametrize("line", ["", "{", "NaN", '{"a": Infinity}', "[" * 100_000])
def test_what_is_no_json_is_no_request(line):
    assert parse(line) is None


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Whole(least=-2), "must be a whole number, -2 or more"),
        (Whole(least=1), "must be a whole number, 1 or more"),
        (Whole(least=0, most=4), "must be a whole number from 0 to 4"),
        (OneOf("a", "b"), "must be one of: a, b"),
    ],
)
def test_a_refusal_says_what_is_allowed(kind, says):
    with pytest.raises(Refused) as refused:
        kind.read("x", "here")

    assert refused.value.message == says


def test_a_case_that_is_no_text_is_not_given_back():
    given, evaluated = answer(lambda sent: ONE.read(sent, ""), {"case": 4})

    assert given["case"] is None and not evaluated


def test_lines_are_all_evaluated_or_not():
    assert answer_lines(lambda sent: sent, ["{}", " ", "{}"], [].append) is True
    assert answer_lines(lambda sent: sent, ["{}", "4", "{}"], [].append) is False
