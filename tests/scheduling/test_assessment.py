"""What an assessment leads to, and when each part is due again."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from scheduling import assessment
from scheduling.assessment import (
    ACTIONS,
    HELP,
    RISKS,
    RULES,
    SOURCES,
    actions_missing,
    begins_anew,
    chase_confirmation_on,
    chase_laboratory_on,
    hardly_possible,
    next_reminder_on,
    plan_missing,
    withdrawal_found,
)

WED = date(2026, 11, 4)


def test_every_rule_has_a_source_a_place_and_a_mark():
    for rule in RULES.values():
        assert rule["source"] in SOURCES
        assert rule["where"] and rule["unit"] and rule["confidence"] in ("S", "S2", "M", "D")


@pytest.mark.proves("RP-22")
def test_a_laboratory_is_chased_on_day_14():
    assert chase_laboratory_on(WED) == date(2026, 11, 18)


@pytest.mark.proves("DR-05")
def test_the_overdose_reminder_is_due_at_once_and_again_28_days_after_each_time():
    assert next_reminder_on(None, WED) == WED
    assert next_reminder_on(WED, WED) == WED + timedelta(days=28)


@pytest.mark.parametrize(("days", "anew"), [(27, False), (28, False), (29, True)])
def test_an_assessment_begins_anew_after_more_than_28_silent_days(days, anew):
    assert begins_anew(WED, WED + timedelta(days=days)) is anew


def test_a_claim_nobody_was_asked_about_is_due_at_once_and_an_answer_the_day_after():
    assert chase_confirmation_on(WED, None) == WED
    assert chase_confirmation_on(WED, WED) == WED + timedelta(days=1)


@pytest.mark.proves("AS-05")
@pytest.mark.parametrize(("cows", "found"), [(4, False), (5, True), (6, True)])
def test_withdrawal_is_found_from_a_cows_of_5(cows, found):
    assert withdrawal_found(cows) is found


@pytest.mark.proves("DR-06")
def test_an_injector_needs_needle_exchange_and_overdose_prevention_both():
    both = [("needle_exchange",), ("overdose_prevention",)]
    assert actions_missing("injecting", []) == both
    assert actions_missing("injecting", ["needle_exchange"]) == both[1:]
    assert actions_missing("injecting", ["needle_exchange", "overdose_prevention"]) == []


@pytest.mark.proves("DR-07")
@pytest.mark.parametrize("risk", RISKS)
def test_every_risk_needs_an_action_that_exists_and_another_does_not_do(risk):
    missing = actions_missing(risk, [])

    assert missing and all(set(choice) <= set(ACTIONS) for choice in missing)
    named = {action for choice in missing for action in choice}
    assert actions_missing(risk, set(ACTIONS) - named) == missing
    assert actions_missing(risk, named) == []
    assert all(assessment.answers(risk, action) for action in named)
    assert not any(assessment.answers(risk, action) for action in set(ACTIONS) - named)


@pytest.mark.proves("CM-38", "RP-31", "RP-41")
@pytest.mark.parametrize(
    ("used", "opioids", "needed"),
    [
        ([], True, {"prescribing_access"}),
        ([], False, set()),
        (["crack"], True, {"prescribing_access", "crack_stimulant_work"}),
        (["cocaine"], False, {"crack_stimulant_work"}),
        (["amphetamine"], False, {"crack_stimulant_work"}),
        (["alcohol"], True, {"prescribing_access", "brief_alcohol"}),
        (["benzodiazepine"], True, {"prescribing_access", "benzodiazepine_clinical"}),
        (["gabapentinoid"], True, {"prescribing_access"}),
    ],
)
def test_the_plan_needs_its_minimum_and_something_for_each_other_drug(used, opioids, needed):
    for_all = {"keywork", "motivational_work", "structured_preparation"}

    missing = {item for _, item in plan_missing(used, [], opioids=opioids)}

    assert missing == for_all | needed
    assert plan_missing(used, missing, opioids=opioids) == []
    assert missing <= set(HELP)


@pytest.mark.parametrize(
    ("breath", "asked"),
    [("0", False), ("0.35", True), ("1.999", True), ("2", False), ("35", False), ("200", False),
     ("200.1", True), ("3500", True)],
)  # fmt: skip
def test_a_reading_most_likely_in_the_wrong_unit_is_asked_about(breath, asked):
    assert hardly_possible(Decimal(breath)) is asked
