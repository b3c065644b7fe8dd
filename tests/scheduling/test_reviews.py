"""For which days is a review good, is contact kept, when is somebody looked at after a dose?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.reviews import (
    BUILD_UP_DAYS,
    MOST_DAYS,
    RULES,
    build_up_ends,
    contacts,
    counts_until,
    jumps,
    looks_due,
    needs_prescriber,
    source_of,
    stable_on,
)

ON = date(2026, 11, 4)
LATER = ON + timedelta(days=9)


@pytest.mark.parametrize("day", [None, 1, BUILD_UP_DAYS - 1, BUILD_UP_DAYS])
def test_in_build_up_a_review_is_good_for_its_own_day_only(day):
    assert counts_until(ON, LATER, day, broken=False) == ON


def test_the_day_after_build_up_a_review_is_good_until_the_next_is_due():
    assert counts_until(ON, LATER, BUILD_UP_DAYS + 1, broken=False) == LATER


def test_missed_doses_that_wait_for_the_prescriber_end_the_longer_span():
    assert counts_until(ON, LATER, BUILD_UP_DAYS + 1, broken=True) == ON


@pytest.mark.parametrize(("ahead", "good_for"), [(-1, -1), (0, 0), (1, 0)])
def test_no_review_is_good_for_longer_than_the_rule_allows(ahead, good_for):
    next_on = ON + timedelta(days=MOST_DAYS + ahead)

    assert counts_until(ON, next_on, 90, broken=False) == ON + timedelta(days=MOST_DAYS + good_for)


def test_without_a_next_review_a_review_is_good_for_its_own_day_only():
    assert counts_until(ON, None, 90, broken=False) == ON


# -- contact (RP-34, A25). 6 November 2026 is a Friday -------------------------------------

FRI = date(2026, 11, 6)
SAT, SUN, MON, TUE = (FRI + timedelta(days=each) for each in (1, 2, 3, 4))
FIRST = FRI - timedelta(days=2)
LAST = FIRST + timedelta(days=BUILD_UP_DAYS - 1)


@pytest.mark.proves("RP-34", "A25")
@pytest.mark.parametrize("bridge", [SAT, SUN])
def test_a_weekend_without_contact_breaks_the_rule_and_one_call_keeps_it(bridge):
    without = contacts(FIRST, LAST, [FRI, MON], [], MON)
    with_call = contacts(FIRST, LAST, [FRI, bridge, MON], [], MON)

    assert [(gap.after, gap.before, gap.days) for gap in without.gaps] == [(FRI, MON, 3)]
    assert without.past_gaps[0].message == (
        "No contact between Fri 6 Nov 2026 and Mon 9 Nov 2026: 3 days apart, 2 allowed."
    )
    assert with_call.gaps == ()


@pytest.mark.proves("RP-34")
def test_the_day_a_gap_will_break_the_rule_is_told_before_it_does():
    found = contacts(FIRST, LAST, [FRI], [], FRI)

    assert (found.last_on, found.due_by, found.planned_on) == (FRI, SUN, None)
    assert found.flag.message == (
        "Last contact Fri 6 Nov 2026. Nothing is planned by Sun 8 Nov 2026: "
        "without contact it is broken from Mon 9 Nov 2026."
    )


def test_a_contact_planned_in_time_is_told_and_one_planned_too_late_is_not_enough():
    in_time = contacts(FIRST, LAST, [FRI], [SUN, MON], FRI)
    too_late = contacts(FIRST, LAST, [FRI], [MON], FRI)

    assert in_time.flag is None and in_time.planned_on == SUN
    assert "planned for Sun 8 Nov 2026" in in_time.says
    assert too_late.flag is not None and too_late.says is None


def test_a_plan_that_passed_with_nobody_seen_keeps_nothing():
    found = contacts(FIRST, LAST, [FRI], [SAT], SUN)

    assert found.planned_on is None and found.flag is not None


@pytest.mark.proves("RP-34")
@pytest.mark.parametrize(("today", "open_gap"), [(SUN, None), (MON, 3), (TUE, 4)])
def test_the_rule_is_broken_on_the_third_day_and_not_on_the_second(today, open_gap):
    gap = contacts(FIRST, LAST, [FRI], [], today).open_gap

    assert (gap and gap.days) == open_gap
    assert gap is None or gap.broken_on == MON


def test_build_up_ends_after_two_weeks_or_some_days_after_the_last_rise():
    late_rise = FIRST + timedelta(days=20)

    assert build_up_ends(FIRST, []) == FIRST + timedelta(days=13)
    assert build_up_ends(FIRST, [FIRST + timedelta(days=3)]) == FIRST + timedelta(days=13)
    assert build_up_ends(FIRST, [late_rise]) == late_rise + timedelta(days=5)


@pytest.mark.parametrize(("back", "owed"), [(3, True), (2, False), (1, False)])
def test_when_build_up_ends_before_contact_is_due_nothing_more_is_owed(back, owed):
    seen_on = LAST - timedelta(days=back)

    assert (contacts(FIRST, LAST, [seen_on], [], seen_on).due_by is not None) == owed


@given(made=st.sets(st.integers(1, 20)), more=st.integers(1, 20), today=st.integers(0, 20))
def test_one_more_contact_never_makes_a_gap_longer(made, more, today):
    def longest(days):
        on = [FIRST + timedelta(days=day) for day in days]
        found = contacts(FIRST, LAST, on, [], FIRST + timedelta(days=today))
        return max((gap.days for gap in found.gaps), default=0)

    assert longest(made | {more}) <= longest(made)


# -- looking after a dose ------------------------------------------------------------------

DOSE = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)


def minutes(number):
    return DOSE + timedelta(minutes=number)


def states(now, *seen, doses=(DOSE,)):
    return [look.state(minutes(now)) for look in looks_due(doses, [minutes(at) for at in seen])]


@pytest.mark.proves("RP-12")
@pytest.mark.parametrize(
    ("now", "first", "second", "third"),
    [
        (59, "not_yet", "not_yet", "not_yet"),
        (60, "due", "not_yet", "not_yet"),
        (75, "due", "not_yet", "not_yet"),
        (76, "overdue", "not_yet", "not_yet"),
        (120, "overdue", "due", "not_yet"),
        (180, "overdue", "due", "due"),
        (181, "overdue", "overdue", "due"),
        (240, "overdue", "overdue", "due"),
        (241, "overdue", "overdue", "overdue"),
    ],
)
def test_an_observation_falls_due_and_then_overdue_by_its_own_minute(now, first, second, third):
    assert states(now) == [first, second, third]


@pytest.mark.parametrize(
    ("seen", "found"),
    [(49, "overdue"), (50, "done"), (75, "done"), (76, "done_late")],
)
def test_an_observation_too_early_is_none_and_a_late_one_says_so(seen, found):
    assert states(100, seen)[0] == found


def test_one_look_answers_for_all_that_were_open():
    assert states(200, 185) == ["done_late", "done_late", "done"]


def test_what_was_not_due_before_the_next_dose_is_owed_no_more():
    looks = looks_due([DOSE, minutes(170)], [])

    assert [look.state(minutes(170)) for look in looks if look.dose_at == DOSE] == [
        "overdue", "due", "passed",
    ]  # fmt: skip


# -- jumps and stability -------------------------------------------------------------------


def totals(*amounts):
    days = [FIRST + timedelta(days=place) for place in range(len(amounts))]
    return {day: Decimal(mg) for day, mg in zip(days, amounts, strict=True) if mg}


def nth(number):
    return FIRST + timedelta(days=number - 1)


@pytest.mark.proves("RP-24")
@pytest.mark.parametrize(("to_mg", "flagged"), [("39", 0), ("40", 0), ("41", 1)])
def test_a_step_above_the_dosing_rules_own_limit_is_a_jump(to_mg, flagged):
    found = jumps(totals("30", to_mg), {nth(2)}, ("M-TI-01", Decimal(10)))

    assert len(found) == flagged
    assert not found or "more than the 10 mg a step may be (rule M-TI-01)" in found[0].message


@pytest.mark.proves("RP-24")
def test_a_rise_that_no_review_decided_is_a_jump_however_small():
    (found,) = jumps(totals("30", "32"), set(), ("M-TI-01", Decimal(10)))

    assert found.message.startswith("Jump: 30 mg to 32 mg on Thu 5 Nov 2026, with no review")


def test_one_review_speaks_for_one_step():
    found = jumps(totals("30", "35", "40"), {nth(2)}, None)

    assert [flag.facts["on"] for flag in found] == [nth(3)]


@pytest.mark.parametrize(
    ("day", "scale", "score", "calls"),
    [
        (2, "cows", 4, False),
        (2, "cows", 5, True),
        (1, "cows", 20, False),
        (None, "cows", 20, False),
        (30, "cows", 6, True),
        (2, "oows", 0, False),
        (2, "oows", 1, True),
    ],
)
@pytest.mark.proves("RP-40")
def test_withdrawal_found_after_day_1_calls_for_the_prescriber(day, scale, score, calls):
    assert needs_prescriber(day, scale, score) is calls


LOW = {nth(number): [4] for number in range(1, 10)}


@pytest.mark.proves("A13")
@pytest.mark.parametrize(
    ("amounts", "held", "cows", "found"),
    [
        (["30", "30"], {2}, LOW, 2),
        (["30", "30"], {1}, LOW, None),
        (["30", "30"], set(), LOW, None),
        (["30", "31"], {2}, LOW, None),
        (["30", None, "30"], {3}, LOW, None),
        (["30", "30"], {2}, {}, None),
        (["30", "30"], {2}, {nth(1): [4], nth(2): [5]}, None),
        (["30", "40", "40", "40"], {3, 4}, LOW, 3),
    ],
)
def test_stable_is_one_total_held_by_a_review_with_little_withdrawal(amounts, held, cows, found):
    on = stable_on(totals(*amounts), {nth(each) for each in held}, cows, 2)

    assert on == (None if found is None else nth(found))


def test_every_number_has_a_source_a_place_a_mark_and_a_unit():
    for name, rule in RULES.items():
        assert rule["confidence"] in ("S", "S2", "M", "D"), name
        assert rule["unit"] and rule["where"] and rule["asks"].endswith("?"), name
        assert source_of(name).endswith(f"[{rule['confidence']}]")
        assert (rule["source"] == "own") == (rule["confidence"] == "D"), name
