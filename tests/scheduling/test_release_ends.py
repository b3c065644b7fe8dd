"""Every day somebody could leave on, and what each would be without."""

from __future__ import annotations

from datetime import date

import pytest

from scheduling.release_ends import any_day, possible_ends
from tests.scheduling.release_cases import HOLIDAYS, a_case, an_exit, answer, out_since

WAITING = a_case(
    as_at="2019-09-02T10:00+01:00",
    doses=[{"at": "2019-09-02T08:00+01:00", "where": "prison"}],
    courts=[{"starts_at": "2019-09-05T10:00+01:00"}],
    release={
        "possible_earlier": [
            {"on": "2019-09-13", "why": "hdc"},
            {"on": "2019-09-09", "why": "other", "ruled_out_at": "2019-09-01T10:00+01:00"},
        ]
    },
)


@pytest.mark.proves("RC-06")
def test_every_possible_end_is_held_beside_the_others_each_with_a_check_before_it():
    ends = possible_ends(WAITING, HOLIDAYS)

    assert [(end.why, end.on, end.check_on) for end in ends] == [
        ("today", date(2019, 9, 2), date(2019, 9, 2)),
        ("court", date(2019, 9, 5), date(2019, 9, 4)),
        ("hdc", date(2019, 9, 13), date(2019, 9, 12)),
        ("expected", date(2019, 9, 18), date(2019, 9, 17)),
    ]


def test_the_days_without_medicine_are_counted_for_each_end_as_the_check_counts_them():
    ends = {end.why: end for end in possible_ends(WAITING, HOLIDAYS)}

    assert ends["expected"].uncovered_days == ()
    assert ends["hdc"].uncovered_days == tuple(date(2019, 9, day) for day in range(14, 19))
    assert "RG-03" in ends["hdc"].grave
    assert (ends["today"].gap_days, ends["today"].cover_ends_on) == (16, date(2019, 9, 2))


def test_what_cannot_be_counted_for_an_end_is_said_to_be_unknown_and_never_to_be_covered():
    ends = possible_ends({**WAITING, "appointment": None}, HOLIDAYS)

    assert {end.gap_days for end in ends} == {None}


@pytest.mark.parametrize("left", [out_since(), a_case(exit=an_exit("2019-09-01T10:00Z", "died"))])
def test_who_has_left_has_no_day_to_leave_on(left):
    assert possible_ends(left, HOLIDAYS) == []
    assert any_day(left, answer(left)) == ()


@pytest.mark.proves("RC-07")
@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, ()),
        ({"release": {"kind": "remand"}}, ("remand",)),
        ({"release": {"sentenced_on": "2019-06-26"}}, ("short_sentence",)),
        ({"release": {"sentenced_on": "2019-06-25"}}, ()),
        ({"courts": [{"starts_at": "2019-09-05T10:00+01:00"}]}, ("court",)),
        (
            {"release": {"possible_earlier": [{"on": "2019-09-02", "why": "hdc"}]}},
            ("possible_now",),
        ),
        ({"release": {"possible_earlier": [{"on": "2019-09-03", "why": "hdc"}]}}, ()),
        ({"release": None}, ("no_date",)),
    ],
)
def test_who_could_leave_on_any_day_is_told_with_the_reason(changes, reasons):
    case = a_case(**changes)

    assert any_day(case, answer(case)) == reasons
