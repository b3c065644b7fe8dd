"""How a person in build-up stands: contact through weekends, jumps, a lapse, withdrawal, targets."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from clinic.errors import Conflict, Invalid
from clinic.titration.commands import strike_contact
from dosing.days import london_day
from scheduling.prescribing_models import PrescribingModel
from tests.factories.base import NOW, a_patient
from tests.factories.prescriptions import (
    COWS_14,
    a_clinic,
    a_decision,
    an_entry,
    an_observation,
    an_order,
)
from tests.factories.titration import (
    a_build_up,
    a_contact,
    a_dosed_day,
    a_plan,
    a_review,
    a_standing,
)

DAY = timedelta(days=1)
FRI = NOW + 2 * DAY
CALM = {**dict.fromkeys(COWS_14, 0), "pulse": 1}


@pytest.fixture
def clinic(database, clock):
    return a_clinic(database)


def standing(clinic, patient, at):
    act = clinic.act(at=at)
    found = a_standing(act, patient)
    act.session.close()
    return found


@pytest.mark.proves("RP-34", "A25")
def test_nobody_seen_from_friday_to_monday_is_flagged_before_and_after(clinic):
    person = a_build_up(clinic, "20", "20", "20").patient

    on_friday = standing(clinic, person, FRI + timedelta(hours=3))
    on_monday = standing(clinic, person, FRI + 3 * DAY)

    # The next review is set for Saturday, so on Friday something is planned in time.
    assert on_friday.contact.flag is None
    assert on_friday.contact.planned_on == london_day(FRI) + DAY
    assert "No contact since Fri 6 Nov 2026." in on_monday.contact.flag.message
    assert "broken from Mon 9 Nov 2026" in on_monday.contact.flag.message


@pytest.mark.proves("RP-34", "A25")
@pytest.mark.parametrize(
    ("how", "reached", "kept"),
    [("phone", True, True), ("pharmacy", True, True), ("outreach", True, True),
     ("phone", False, False)],
)  # fmt: skip
def test_a_call_or_a_pharmacys_report_keeps_the_weekend_and_a_message_left_does_not(
    clinic, how, reached, kept
):
    person = a_build_up(clinic, "20", "20", "20").patient
    a_contact(clinic.act(at=FRI + 2 * DAY), person, how=how, reached=reached)

    contact = standing(clinic, person, FRI + 3 * DAY).contact

    assert (contact.open_gap is None) == kept


@pytest.mark.proves("RP-34")
def test_a_supervised_dose_is_contact_and_a_missed_one_is_not(clinic):
    person = a_build_up(clinic, "20", None, "20", None, None, "20").patient

    contact = standing(clinic, person, NOW + 5 * DAY).contact

    assert [(gap.after, gap.days) for gap in contact.gaps] == [(london_day(FRI), 3)]


def test_contact_struck_out_keeps_nothing(clinic):
    person = a_build_up(clinic, "20", "20", "20").patient
    call = a_contact(clinic.act(at=FRI + 2 * DAY), person)

    strike_contact(clinic.act(at=FRI + 2 * DAY), person, call, "Rang somebody else")

    assert standing(clinic, person, FRI + 3 * DAY).contact.open_gap is not None
    with pytest.raises(Conflict):
        strike_contact(clinic.act(at=FRI + 2 * DAY), person, call, "Rang somebody else")


def test_a_planned_contact_is_told_and_a_plan_cannot_be_for_yesterday(clinic):
    person = a_build_up(clinic, "20").patient
    act = clinic.act(at=NOW + timedelta(hours=1))

    a_plan(act, person, 2)

    assert standing(clinic, person, NOW + DAY).contact.planned_on == london_day(NOW) + DAY
    for days in (-1, 29):
        with pytest.raises(Invalid):
            a_plan(act, person, days)


def test_nobody_owes_contact_who_has_had_no_dose_or_whose_treatment_was_stopped(clinic):
    untreated = a_patient(clinic.act())
    stopped = a_build_up(clinic, "20").patient
    a_review(clinic.act(at=NOW + DAY), stopped, "stop", next_review_on=None)

    assert standing(clinic, untreated, NOW).contact is None
    assert standing(clinic, stopped, NOW + 5 * DAY).contact is None


@pytest.mark.proves("RP-24")
def test_a_rise_with_no_review_that_raised_it_is_a_jump(clinic):
    held = a_build_up(clinic, "20", "25").patient
    raised = a_build_up(clinic, "20").patient
    a_dosed_day(clinic, raised, "25", NOW + DAY, decision="raise")

    (jump,) = standing(clinic, held, NOW + DAY).jumps

    assert jump.message.startswith("Jump: 20 mg to 25 mg on Thu 5 Nov 2026, with no review")
    assert standing(clinic, raised, NOW + DAY).jumps == []


@pytest.mark.proves("RP-24")
def test_the_size_of_a_jump_is_the_dosing_rules_own_limit(clinic):
    person = a_build_up(clinic, "20").patient
    a_dosed_day(clinic, person, "35", NOW + DAY, decision="raise")

    found = standing(clinic, person, NOW + DAY)

    assert found.step_limit == ("M-TI-01", Decimal(10))
    assert ["rule M-TI-01" in each.message for each in found.jumps] == [True]


@pytest.mark.proves("RP-39")
def test_after_a_lapse_only_a_fresh_start_may_be_decided(clinic):
    person = a_build_up(clinic, "20", "20").patient
    back = NOW + 7 * DAY  # five days missed

    assert standing(clinic, person, back - DAY).lapse is None
    assert "5 days without a dose" in standing(clinic, person, back).lapse.message
    for decision in ("raise", "hold", "lower"):
        with pytest.raises(Invalid) as refused:
            a_review(clinic.act(at=back), person, decision)
        assert refused.value.faults[0][0] == "decision"
    assert a_review(clinic.act(at=back), person, "start")


@pytest.mark.proves("RP-39")
def test_a_restart_is_a_new_episode_whose_reviews_count_for_their_own_day(clinic):
    person = a_build_up(clinic, "20", "20").patient
    back = NOW + 8 * DAY
    an_observation(clinic.act(clinic.nurse, at=back), person)
    a_review(clinic.act(at=back), person, "start")
    act = clinic.act(at=back)
    seen = {"item": "prescriber_assessed", "finding": "nothing_of_concern"}
    an_entry(act, person, "assessment", seen)
    decision = a_decision(act, person, order=an_order("10", phase="re_induction"))
    act.session.close()

    before = standing(clinic, person, back)
    from tests.factories.prescriptions import a_dose_taken

    a_dose_taken(clinic.act(clinic.nurse, at=back), person, decision)
    after = standing(clinic, person, back + timedelta(hours=1))

    assert before.course.lapsed and not after.course.lapsed
    assert (after.course.day, after.course.known.episode_from) == (1, london_day(back))


@pytest.mark.proves("RP-40")
def test_withdrawal_found_later_waits_for_the_prescriber_and_no_nurse_answers_it(clinic):
    person = a_build_up(clinic, "20").patient
    later = NOW + DAY
    an_observation(clinic.act(clinic.nurse, at=later), person)

    _, found = standing(clinic, person, later).withdrawal_found
    a_review(clinic.act(clinic.nurse, at=later + timedelta(minutes=5)), person)
    by_nurse = standing(clinic, person, later + timedelta(minutes=6)).withdrawal_found
    a_review(clinic.act(at=later + timedelta(minutes=10)), person)
    by_prescriber = standing(clinic, person, later + timedelta(minutes=11)).withdrawal_found

    assert found.message == (
        "Withdrawal found on Thu 5 Nov 2026: COWS 14. The prescriber reviews the dose."
    )
    assert by_nurse is not None and by_prescriber is None


def test_withdrawal_on_day_1_or_hardly_any_waits_for_nobody(clinic):
    person = a_build_up(clinic, "20").patient

    assert standing(clinic, person, NOW + timedelta(hours=1)).withdrawal_found is None
    an_observation(clinic.act(clinic.nurse, at=NOW + DAY), person, CALM)
    assert standing(clinic, person, NOW + DAY).withdrawal_found is None


@pytest.mark.proves("RP-35")
def test_a_review_that_raises_waits_until_somebody_decides(clinic):
    person = a_build_up(clinic, "20").patient
    review = a_review(clinic.act(clinic.nurse, at=NOW + DAY), person, "raise")

    waiting = standing(clinic, person, NOW + DAY).undecided
    act = clinic.act(at=NOW + DAY + timedelta(minutes=5))
    an_observation(clinic.act(clinic.nurse, at=act.at), person)
    a_decision(act, person, "25")
    act.session.close()

    assert waiting.id == review
    assert standing(clinic, person, NOW + DAY + timedelta(minutes=6)).undecided is None


@pytest.mark.proves("RP-07", "RP-13", "A13")
def test_targets_are_reached_by_what_is_on_record_and_only_told(clinic):
    person = a_build_up(clinic, "20", "20").patient
    for day in (0, 1):
        an_observation(
            clinic.act(clinic.nurse, at=NOW + day * DAY + timedelta(hours=4)), person, CALM
        )

    found = standing(clinic, person, NOW + DAY + timedelta(hours=5))
    by_name = {each.name: each for each in found.targets(PrescribingModel.MODEL_3)}

    assert by_name["stable_optimised"].state == "due"
    assert by_name["started"].state == "no_clock"
    assert by_name["aim_on_treatment"].state == "no_clock"
    assert not any(" mg" in each.says for each in by_name.values())
