"""Does the service keep its prescribing model? Waits and the rota, by example."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from scheduling.prescribing_models import (
    RULES,
    PrescribingModel,
    finding,
    rota_findings,
    support_missing,
    wait,
)

M1, M2, M3 = PrescribingModel
MONDAY = date(2026, 11, 2)
REFERRED = datetime(2026, 11, 2, 10, tzinfo=UTC)


def at(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def slot_days(weekdays: set[int], first: date, last: date, *, without: set[date] = frozenset()):
    days = (first + timedelta(days=each) for each in range((last - first).days + 1))
    return {day for day in days if day.isoweekday() in weekdays and day not in without}


# -- waits


@pytest.mark.proves("RP-05", "A12")
@pytest.mark.parametrize(("day", "over"), [(4, False), (5, False), (6, True)])
def test_under_model_2_a_wait_over_three_days_from_referral_is_flagged(day: int, over: bool):
    found = wait(M2, REFERRED, MONDAY, booked_at=at(day))

    assert found.over is over
    assert (found.flag.rule if found.flag else None) == ("RP-05" if over else None)
    assert found.last_on == date(2026, 11, 5)


@pytest.mark.proves("RP-02", "A12")
@pytest.mark.parametrize(("day", "over"), [(15, False), (16, False), (17, True)])
def test_under_model_1_a_wait_over_fourteen_days_from_referral_is_flagged(day: int, over: bool):
    found = wait(M1, REFERRED, MONDAY, booked_at=at(day))

    assert found.over is over
    assert (found.flag.rule if found.flag else None) == ("RP-02" if over else None)


@pytest.mark.proves("RP-05")
def test_a_wait_is_over_when_the_first_free_place_comes_too_late():
    found = wait(M2, REFERRED, MONDAY, first_free_at=at(6))

    assert found.flag is not None
    assert found.says == (
        "The first free place is on Fri 6 Nov 2026, 4 days after referral. "
        "Model 2 allows 3 days, to Thu 5 Nov 2026."
    )


@pytest.mark.proves("RP-05")
@pytest.mark.parametrize(("looked_to", "over"), [(4, False), (5, True), (30, True)])
def test_a_wait_is_over_when_no_place_is_free_up_to_the_last_day_of_the_limit(looked_to, over):
    found = wait(M2, REFERRED, MONDAY, looked_to=date(2026, 11, looked_to))

    assert found.over is over


def test_a_booking_that_passed_unrecorded_does_not_stop_the_clock():
    found = wait(M2, REFERRED, date(2026, 11, 6), booked_at=at(4))

    assert (found.because, found.days, found.over) == ("waiting", 4, True)


def test_the_wait_of_somebody_seen_ends_on_the_day_they_were_seen():
    found = wait(M2, REFERRED, date(2026, 12, 1), seen_at=at(5), booked_at=at(9))

    assert (found.because, found.days, found.over) == ("seen", 3, False)


def test_a_wait_counts_london_days():
    # 23:30 UTC in July is half past midnight of the next day in London.
    referred = datetime(2026, 7, 6, 23, 30, tzinfo=UTC)

    found = wait(M2, referred, date(2026, 7, 7), booked_at=datetime(2026, 7, 10, 9, tzinfo=UTC))

    assert (found.days, found.over) == (3, False)
    assert found.breaches_at == datetime(2026, 7, 10, 23, tzinfo=UTC)


@pytest.mark.parametrize("model", [M3, None])
def test_without_a_limit_a_wait_is_judged_neither_way(model):
    found = wait(model, REFERRED, date(2026, 12, 1))

    assert (found.over, found.limit, found.last_on, found.flag) == (None, None, None, None)


@pytest.mark.proves("RP-03")
def test_under_model_1_waiting_without_support_is_flagged():
    assert support_missing(M1, on_record=False).rule == "RP-03"
    assert support_missing(M1, on_record=True) is None
    assert support_missing(M2, on_record=False) is None


# -- the rota


@pytest.mark.proves("RP-04", "A11")
def test_monday_wednesday_friday_keeps_model_2():
    last = MONDAY + timedelta(days=27)

    assert rota_findings(M2, slot_days({1, 3, 5}, MONDAY, last), MONDAY, last) == []


@pytest.mark.proves("RP-04", "A11")
def test_monday_tuesday_wednesday_leaves_gaps_of_five_days():
    last = MONDAY + timedelta(days=13)

    found = rota_findings(M2, slot_days({1, 2, 3}, MONDAY, last), MONDAY, last)

    assert [each.message for each in found] == [
        "No slot between Wed 4 Nov 2026 and Mon 9 Nov 2026: 5 days apart, 3 allowed.",
        "No slot after Wed 11 Nov 2026 until Sun 15 Nov 2026 at least: 5 days or more, 3 allowed.",
    ]


@pytest.mark.proves("RP-04", "A11")
def test_a_bank_holiday_monday_breaks_monday_wednesday_friday():
    first, last, holiday = date(2026, 8, 24), date(2026, 9, 6), date(2026, 8, 31)

    found = rota_findings(M2, slot_days({1, 3, 5}, first, last, without={holiday}), first, last)

    assert [each.message for each in found] == [
        "No slot between Fri 28 Aug 2026 and Wed 2 Sep 2026: 5 days apart, 3 allowed.",
        "Week of Mon 31 Aug 2026: slots on 2 of the 3 days this model needs.",
    ]


@pytest.mark.proves("RP-04", "A11")
def test_an_extra_slot_mends_the_bank_holiday():
    first, last, holiday = date(2026, 8, 24), date(2026, 9, 6), date(2026, 8, 31)
    days = slot_days({1, 3, 5}, first, last, without={holiday}) | {date(2026, 9, 1)}

    found = rota_findings(M2, days, first, last)

    # Friday to Tuesday is still four days; the week itself is whole again.
    assert [each.message for each in found] == [
        "No slot between Fri 28 Aug 2026 and Tue 1 Sep 2026: 4 days apart, 3 allowed."
    ]
    assert rota_findings(M2, days | {date(2026, 8, 29)}, first, last) == []


@pytest.mark.proves("RP-04")
def test_two_days_a_week_are_too_few_even_without_a_long_gap():
    days = {date(2026, 10, 31), date(2026, 11, 3), date(2026, 11, 6)}

    found = rota_findings(M2, days, MONDAY, date(2026, 11, 8))

    assert [each.message for each in found] == [
        "Week of Mon 2 Nov 2026: slots on 2 of the 3 days this model needs."
    ]


def test_the_days_before_the_span_shorten_its_first_gap():
    last = date(2026, 11, 8)
    days = {date(2026, 11, 4), date(2026, 11, 6), date(2026, 11, 8)}

    assert rota_findings(M2, days, MONDAY, last) == []
    late = {date(2026, 11, 6), date(2026, 11, 7), date(2026, 11, 8)}
    assert rota_findings(M2, late, MONDAY, last) != []
    assert rota_findings(M2, late | {date(2026, 11, 3)}, MONDAY, last) == []


def test_a_rota_with_no_slot_at_all_says_so():
    found = rota_findings(M2, set(), MONDAY, date(2026, 11, 8))

    assert "No slot from Mon 2 Nov 2026 to Sun 8 Nov 2026." in [each.message for each in found]


def test_a_week_that_is_not_whole_is_not_counted():
    wednesday, sunday = date(2026, 11, 4), date(2026, 11, 8)

    assert rota_findings(M2, {wednesday, date(2026, 11, 6)}, wednesday, sunday) == []


def test_under_model_3_each_weekday_without_staff_is_named():
    found = rota_findings(M3, {MONDAY}, MONDAY, date(2026, 11, 8))

    assert [each.facts["day"].day for each in found] == [3, 4, 5, 6]


def test_under_model_3_a_day_that_lacks_only_an_observation_place_says_so():
    place = finding("RP-12", "no_place")

    [tuesday, *others] = rota_findings(
        M3, {MONDAY}, MONDAY, date(2026, 11, 8), {date(2026, 11, 3): place}
    )

    assert tuesday.rule == "RP-08"
    assert tuesday.message.startswith("Nobody can be booked on Tue 3 Nov 2026.")
    assert "no observation place" in tuesday.message
    assert all("No doctor and clinical staff" in each.message for each in others)


@pytest.mark.parametrize("model", [M1, None])
def test_no_rota_is_asked_of_a_service_that_refers_on_or_has_no_model(model):
    assert rota_findings(model, set(), MONDAY, date(2026, 11, 8)) == []


def test_every_rule_has_a_source_and_a_place_in_it():
    for rule in RULES.values():
        assert rule["source"] and rule["where"] and rule["asks"] and rule["confidence"]
