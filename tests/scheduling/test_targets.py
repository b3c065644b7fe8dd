"""Targets are advice with a clock of their own; the first days of a model 3 start are consecutive."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from scheduling.prescribing_models import PrescribingModel, first_days, late_start
from scheduling.targets import Target, rates, targets

MODEL_1, MODEL_2, MODEL_3 = PrescribingModel
MON = date(2026, 11, 2)


def later(days):
    return MON + timedelta(days=days)


def one(model, name, clocks, reached=None, today=MON):
    found = targets(model, clocks, {name: reached}, today)
    return next(each for each in found if each.name == name)


@pytest.mark.proves("RP-07", "RP-13", "RP-15", "A12")
@pytest.mark.parametrize(
    ("model", "name", "clock", "last"),
    [
        (MODEL_2, "on_treatment", "referral", 3),
        (MODEL_2, "stable_optimised", "first_dose", 20),
        (MODEL_3, "started", "day_1", 0),
        (MODEL_3, "stable_initial", "day_1", 2),
        (MODEL_3, "stable_optimised", "first_dose", 20),
        (MODEL_1, "aim_on_treatment", "referral", 6),
        (MODEL_2, "aim_adequate_dose", "first_dose", 20),
    ],
)
def test_each_target_is_counted_from_its_own_clock(model, name, clock, last):
    clocks = {clock: MON}

    at = one(model, name, clocks, later(last))
    above = one(model, name, clocks, later(last + 1))
    due = one(model, name, clocks, None, today=later(last))
    passed = one(model, name, clocks, None, today=later(last + 1))

    assert (at.state, at.late, at.in_time) == ("reached", False, True)
    assert (above.state, above.late, above.in_time) == ("reached", True, False)
    assert (due.state, due.due_on, due.in_time) == ("due", later(last), None)
    assert (passed.state, passed.in_time) == ("passed", False)


@pytest.mark.proves("A12")
def test_three_weeks_count_from_the_first_dose_and_are_shown_from_referral_too():
    found = one(
        MODEL_2, "stable_optimised", {"first_dose": later(4), "referral": MON}, later(20), later(30)
    )

    assert (found.day, found.since_shown) == (17, 20)


@pytest.mark.proves("A13")
def test_a_target_says_how_it_stands_and_nothing_about_a_dose():
    clocks = {"referral": MON}

    said = [
        one(MODEL_2, "on_treatment", clocks, later(4), later(9)).says,
        one(MODEL_2, "on_treatment", clocks, None, MON).says,
        one(MODEL_2, "on_treatment", clocks, None, later(9)).says,
        one(MODEL_2, "on_treatment", {}, None, MON).says,
        one(MODEL_2, "on_treatment", {}, later(4), later(9)).says,
    ]

    assert said == [
        "Reached on Fri 6 Nov 2026, day 4, after Thu 5 Nov 2026.",
        "Due by Thu 5 Nov 2026.",
        "Passed on Thu 5 Nov 2026.",
        "The clock has not started: no referral on record.",
        "Reached on Fri 6 Nov 2026. Not counted: no referral on record.",
    ]


@pytest.mark.proves("RP-15", "A13")
def test_a_services_rate_counts_those_whose_time_is_up_and_speaks_of_most_people():
    def person(state, on=None):
        return [Target("RP-07", "on_treatment", state, later(3), on, 1)]

    in_time, late = person("reached", later(3)), person("reached", later(4))
    (even,) = rates([in_time, late, person("due")])
    (most,) = rates([in_time, in_time, person("passed"), person("no_clock")])
    (nobody,) = rates([person("due")])

    assert (even.reached, even.closed, even.most) == (1, 2, False)
    assert (most.reached, most.closed, most.most) == (2, 3, True)
    assert most.says == (
        "2 of 3 people whose time is up reached it in time: most. The target is for most people."
    )
    assert nobody.most is None and nobody.says.startswith("Nobody's time is up yet.")


@pytest.mark.proves("RP-10")
def test_a_model_3_start_has_three_days_and_a_missed_one_is_flagged():
    days = first_days(MODEL_3, MON, {MON}, (), (), later(2))

    assert [(each.number, each.on, each.state) for each in days] == [
        (1, MON, "came"), (2, later(1), "missed"), (3, later(2), "today"),
    ]  # fmt: skip
    assert [each.flag.message for each in days if each.flag] == [
        "Day 2 (Tue 3 Nov 2026) was missed."
    ]
    assert first_days(MODEL_2, MON, {MON}, (), (), later(2)) == []


@pytest.mark.proves("RP-10", "A16")
def test_a_day_on_which_the_service_is_shut_is_flagged_until_something_is_arranged():
    fri = later(4)
    shut = {later(5), later(6)}

    open_ = first_days(MODEL_3, fri, {fri}, (), shut, fri)
    arranged = first_days(MODEL_3, fri, {fri}, {later(5)}, shut, fri)

    assert [each.state for each in open_] == ["came", "not_arranged", "not_arranged"]
    assert [each.state for each in arranged] == ["came", "coming", "not_arranged"]
    assert "Record what is arranged for it." in open_[1].flag.message


@pytest.mark.proves("A16")
@pytest.mark.parametrize(("days", "warned"), [(0, False), (2, False), (3, True), (4, True)])
def test_a_start_on_thursday_or_friday_is_warned_of(days, warned):
    found = late_start(MODEL_3, later(days))

    assert (found is not None) == warned
    assert found is None or found.source.endswith("3.3")
    assert late_start(MODEL_2, later(days)) is None
