"""When each phase begins for one person, what comes before it, and what everybody is offered."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from scheduling.phases import (
    NUMBERS,
    PARTIES,
    cpa_lacking,
    may_begin,
    may_have_triage,
    minimum_set,
    phase_on,
    phases,
    silent_with_healthcare,
)

DAY_1 = date(2026, 11, 4)


def day(number: int) -> date:
    return DAY_1 + timedelta(days=number - 1)


def test_somebody_is_counted_in_the_last_phase_that_has_begun_for_them() -> None:
    usual = [phase_on(day(number), DAY_1, {}) for number in (0, 1, 7, 8, 28, 29)]
    moved = [phase_on(day(number), DAY_1, {2: day(5), 3: day(31)}) for number in (4, 5, 29, 30, 31)]

    assert usual == [1, 1, 1, 2, 2, 3]
    assert moved == [1, 2, 2, 2, 3]


@pytest.mark.proves("PH-01")
def test_the_phases_follow_the_days_and_overlap_once_moved() -> None:
    usual = phases(DAY_1, today=day(10))
    moved = phases(DAY_1, today=day(10), moved={2: day(5), 3: day(14)})
    later = phases(DAY_1, today=day(10), moved={2: day(11), 3: day(31)})

    assert [(each.from_on, each.to_on) for each in usual] == [
        (day(1), day(7)), (day(8), day(28)), (day(29), None)
    ]  # fmt: skip
    assert [(each.from_on, each.to_on) for each in moved] == [
        (day(1), day(7)), (day(5), day(28)), (day(14), None)
    ]  # fmt: skip
    assert [each.moved for each in moved] == [False, True, True]
    assert [each.number for each in moved if each.holds(day(20))] == [2, 3]
    assert [(each.from_on, each.to_on) for each in later] == [
        (day(1), day(10)), (day(11), day(30)), (day(31), None)
    ]  # fmt: skip
    assert may_begin(3, day(8), DAY_1) is None
    assert "day 8 (2026-11-11)" in (may_begin(3, day(7), DAY_1) or "")
    assert may_begin(2, day(1), DAY_1) is None


@pytest.mark.proves("PH-02")
def test_phase_2_waits_for_what_comes_before_it_unless_it_was_moved_with_a_reason() -> None:
    missing = ["the clinical review"]
    assert phases(DAY_1, today=day(7), missing=missing)[1].waits is None
    assert phases(DAY_1, today=day(8))[1].waits is None
    waits = phases(DAY_1, today=day(8), missing=missing)[1].waits
    assert waits is not None and "after the clinical review" in waits
    assert phases(DAY_1, today=day(8), missing=missing, moved={2: day(10)})[1].waits is None


@pytest.mark.proves("PH-03")
def test_completion_is_part_of_phase_2_for_whoever_leaves_before_day_28() -> None:
    for leaves, merges in ((27, True), (28, False), (29, False)):
        *_, second, third = phases(DAY_1, today=day(2), leaves_on=day(leaves))
        assert (third.merged is not None) is merges
        if merges:
            assert (third.from_on, third.to_on) == (second.from_on, second.to_on)
            assert third.merged == "They leave on day 27: completion is part of phase 2"
        else:
            assert third.from_on == day(29)


@pytest.mark.proves("PH-04")
def test_the_minimum_set_has_three_parts_and_a_declined_one_was_offered() -> None:
    nothing = minimum_set({}, plan_written=False)
    assert [(each.key, each.offered) for each in nothing] == [
        ("assessment_and_plan", False), ("harm", False), ("referral", False)
    ]  # fmt: skip
    assert nothing[0].lacks == ("csma", "joint_care_plan")
    assert nothing[1].lacks == ("harm_minimisation", "overdose_session")
    done = {"smta": "delivered", "harm_minimisation": "delivered", "overdose_session": "declined",
            "community_referral": "declined"}  # fmt: skip

    parts = minimum_set(done, plan_written=True)

    assert [(each.offered, each.declined) for each in parts] == [
        (True, False), (True, False), (True, True)
    ]  # fmt: skip
    assert minimum_set(done, plan_written=False)[0].lacks == ("joint_care_plan",)


@pytest.mark.proves("PH-05")
def test_dual_diagnosis_asks_for_cpa_in_every_phase_that_has_begun() -> None:
    assert cpa_lacking(None, [], [1]) == ["Whether there is a dual diagnosis was not asked"]
    assert cpa_lacking("no_dual_diagnosis", [], NUMBERS) == []
    for answer in ("followed", "to_arrange"):
        assert len(cpa_lacking(answer, [1], [1, 2])) == 1
        assert cpa_lacking(answer, [1, 2], [1, 2]) == []


@pytest.mark.proves("PH-06")
def test_the_triage_goes_to_the_prison_teams_and_to_others_with_consent_alone() -> None:
    for party in PARTIES:
        assert may_have_triage(party, True) is None
    assert may_have_triage("healthcare", None) is None
    assert may_have_triage("receiving_carat", False) is None
    assert "was not asked" in (may_have_triage("cjit", None) or "")
    assert "withhold it" in (may_have_triage("family", False) or "")


@pytest.mark.proves("PH-07")
def test_a_week_without_a_word_with_healthcare_is_said() -> None:
    assert silent_with_healthcare(day(8), None, day(15)) is None
    assert (
        silent_with_healthcare(day(8), None, day(16))
        == "Not talked over with healthcare for 8 days"
    )
    assert silent_with_healthcare(day(8), day(14), day(21)) is None
    assert silent_with_healthcare(day(8), day(2), day(16)) is not None
