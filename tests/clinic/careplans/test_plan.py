"""A plan, its versions and agreements, and what the 28 days make of them."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from clinic.careplans import (
    agreement_commands,
    clinical_review_commands,
    commands,
    follow_up_commands,
    queries,
)
from clinic.casework import queries as casework
from clinic.custody import deliveries, fact_commands
from clinic.errors import Conflict, Invalid, NotFound, Stale
from clinic.patients.commands import take_onto_caseload
from scheduling.careplans import QUESTIONS
from tests.clinic.careplans.conftest import DAY_3
from tests.factories.base import a_site
from tests.factories.custody import london

GOAL = {
    "domain": "drugs", "what": "Come to both groups", "who": "Dewi", "by_on": date(2026, 11, 20)
}  # fmt: skip
WHOLE = {
    key: next(iter(each.choices)) if each.choices else "2026-12-07" if each.kind == "day" else "Yes"
    for key, each in QUESTIONS.items()
}


@pytest.mark.proves("PS-10", "PS-09")
def test_three_agreements_on_one_version_close_the_duty_of_day_5(story):
    number = story.changes(answers={"drugs_needs": "Heroin daily"})
    with pytest.raises(Conflict, match="CSMA"):
        story.agrees("patient", number)
    story.assessed()

    for party in ("patient", "carat"):
        story.agrees(party, number)
    assert story.item("joint_care_plan")["status"] == "due"
    with pytest.raises(Conflict, match="agreed to this version already"):
        story.agrees("carat", number)
    story.agrees("healthcare", number, agreed_by=story.prison.healthcare.id)

    assert story.item("joint_care_plan")["status"] == "done"
    view = queries.plan(story.act(), story.plan_id)
    assert view.not_agreed == []
    assert {each.agreed_at for each in view.standing.values()} == {story.prison.at}


def test_agreements_to_two_versions_do_not_add_up(story):
    story.assessed()
    first = story.changes(answers={"drugs_needs": "Heroin daily"})
    story.agrees("patient", first)
    story.agrees("healthcare", first)

    second = story.changes(goal=GOAL)
    with pytest.raises(Conflict, match="version 3 stands now"):
        story.agrees("carat", first)
    story.agrees("carat", second)

    assert story.item("joint_care_plan")["status"] == "due"
    assert queries.plan(story.act(), story.plan_id).not_agreed == ["The patient", "Healthcare"]


def test_a_plan_once_agreed_by_all_stays_met_when_it_is_changed_and_asks_for_new_agreements(story):
    story.assessed()
    first = story.changes(answers={"drugs_needs": "Heroin daily"})
    for party in ("patient", "healthcare", "carat"):
        story.agrees(party, first)
    story.changes(goal=GOAL)

    assert story.item("joint_care_plan")["status"] == "done"
    view = queries.plan(story.act(), story.plan_id)
    assert (len(view.not_agreed), view.agreed_before) == (3, first)
    [work] = queries.due_work(story.act())
    assert (work.on, work.what) == (
        date(2026, 11, 12), "Agree the changed care plan: 3 to go."
    )  # fmt: skip


def test_an_agreement_is_withdrawn_with_a_reason_and_nowhere_but_in_the_plan(story):
    story.assessed()
    number = story.changes(answers={"drugs_needs": "Heroin daily"})
    given = [story.agrees(party, number) for party in ("patient", "healthcare", "carat")]
    [row] = [
        each for each in story.prison.stay(story.reception_id).deliveries
        if each.item == "joint_care_plan" and each.by == ["patient"]
    ]  # fmt: skip
    with pytest.raises(Conflict, match="Withdraw it there"):
        fact_commands.strike_out(
            story.act(), story.reception_id, "delivery", row.id,
            version=story.prison.version(story.reception_id), reason="Wrong",
        )  # fmt: skip
    with pytest.raises(Invalid, match="agreeing to the care plan"):
        story.prison.delivers(story.reception_id, "joint_care_plan", by=["patient"])

    agreement_commands.withdraw(
        story.act(), story.plan_id, given[0], version=story.etag(), reason="Wants a detox instead"
    )

    assert story.item("joint_care_plan")["status"] == "due"
    view = queries.plan(story.act(), story.plan_id)
    assert view.not_agreed == ["The patient"]
    assert view.versions[0].agreements[0].withdrawn_reason == "Wants a detox instead"


@pytest.mark.proves("PS-12")
def test_a_complete_plan_says_what_it_still_needs_and_an_initial_one_will_do(story):
    story.changes(answers={"drugs_needs": "Heroin daily"})
    with pytest.raises(Invalid) as refused:
        story.changes(mark="complete")
    asked = " ".join(says for _, says in refused.value.faults)
    for words in ("VDT", "Release planning", "prescribing continue", "after day 28", "a goal",
                  "housing, childcare, employment"):  # fmt: skip
        assert words in asked
    with pytest.raises(Invalid, match="must be one of"):
        story.changes(answers={"vdt": "perhaps"})

    story.changes(answers=WHOLE, goal=GOAL)
    story.changes(mark="complete")
    with pytest.raises(Invalid) as emptied:
        story.changes(answers={"vdt": ""})
    assert [field for field, _ in emptied.value.faults] == ["vdt"]


def test_a_version_is_kept_and_the_history_says_what_changed(story):
    story.changes(answers={"housing_needs": "None yet"})
    story.changes(answers={"housing_needs": "Sleeps on a sofa"}, goal=GOAL)
    with pytest.raises(Stale, match="Tom Lewis changed the plan to version 3"):
        commands.change_plan(story.act(), story.plan_id, version=1, mark="complete")
    with pytest.raises(Invalid, match="Nothing was changed"):
        story.changes(answers={"housing_needs": "Sleeps on a sofa"})

    newest = queries.plan(story.act(), story.plan_id).versions[0]
    assert [(each.what, each.was) for each in newest.changes] == [
        ("Needs: housing", "None yet"), ("Goal 1", None)
    ]  # fmt: skip
    session = story.act().session
    with pytest.raises(DBAPIError, match="care_plan_kept"):
        session.execute(text("UPDATE care_plan_version SET mark = 'complete'"))
    session.rollback()


@pytest.mark.proves("CM-22")
def test_a_significant_event_asks_for_a_review_until_one_is_done(story):
    story.changes(answers={"drugs_needs": "Heroin daily"})
    assert queries.due_work(story.act()) == []
    fact_commands.record_unavailable(
        story.act(), story.reception_id, from_on=date(2026, 11, 5), to_on=None, place="segregation"
    )
    fact_commands.record_hearing(
        story.act(), story.reception_id, starts_at=london("2026-11-12 10:00")
    )
    wrong = fact_commands.record_transfer(
        story.act(), story.reception_id, on=date(2026, 11, 13), receiving_prison="HMP Elsewhere",
        nation="scotland",
    )  # fmt: skip
    fact_commands.strike_out(
        story.act(), story.reception_id, "transfer", wrong,
        version=story.prison.version(story.reception_id), reason="Somebody else moves",
    )  # fmt: skip
    follow_up_commands.record_event(
        story.act(), story.plan_id, code="housing", on=date(2026, 11, 5)
    )

    [work] = queries.due_work(story.act())
    assert work.on == date(2026, 11, 12)
    assert len(queries.plan(story.act(), story.plan_id).asking) == 3

    review = {"reviewed_at": story.prison.at, "by": ["patient", "carat"]}
    follow_up_commands.record_review(
        story.act(), story.plan_id, version=story.etag(), outcome="new_version", **review
    )
    with pytest.raises(Invalid, match="Change the plan first"):
        follow_up_commands.record_review(
            story.act(), story.plan_id, version=story.etag(), outcome="new_version", **review
        )
    assert queries.due_work(story.act()) == []
    view = queries.plan(story.act(), story.plan_id)
    assert (view.asking, view.due.on, view.due.rule) == ([], date(2026, 12, 3), "CP-02")


@pytest.mark.proves("PS-11")
def test_the_day_5_review_needs_carats_there_or_their_report(story):
    held = {"held_at": london("2026-11-08 10:00"), "by": ["patient"]}
    story.prison.at = held["held_at"]
    by = story.prison.healthcare
    with pytest.raises(Invalid, match="Write the report first"):
        clinical_review_commands.hold_review(
            story.act(by), story.reception_id, carat="report", **held
        )
    story.prison.at = DAY_3
    clinical_review_commands.write_report(
        story.act(), story.reception_id, says="Doing well", complex_needs=False
    )
    assert story.item("carat_report")["status"] == "done"

    story.prison.at = held["held_at"]
    clinical_review_commands.hold_review(story.act(by), story.reception_id, carat="report", **held)

    assert story.item("clinical_review")["status"] == "done"
    seen = queries.clinical_review(story.act(), story.reception_id)
    assert (seen.report.says, seen.report_by) == ("Doing well", "Tom Lewis")


@pytest.mark.proves("PS-11")
def test_carats_who_attend_owe_no_report_and_a_late_one_can_still_be_written(story):
    # Day 5 is a Sunday: the timetable asks for a written report before it.
    story.prison.at = london("2026-11-08 10:00")
    held = clinical_review_commands.hold_review(
        story.act(story.prison.healthcare), story.reception_id, held_at=story.prison.at,
        carat="attended",
    )  # fmt: skip
    report = story.item("carat_report")
    assert (report["status"], report["on_time"]) == ("done", False)

    rows = queries.clinical_review(story.act(), story.reception_id).stay.deliveries
    given = next(row.id for row in rows if row.item == "carat_report")
    for wrong in (given, held):
        view = queries.clinical_review(story.act(), story.reception_id).stay
        fact_commands.strike_out(
            story.act(), story.reception_id, "delivery", wrong, version=view.reception.version,
            reason="They were not there",
        )  # fmt: skip
    deliveries.record_delivery(
        story.act(story.prison.healthcare), story.reception_id, item="clinical_review",
        done_at=story.prison.at, by=["healthcare"],
    )  # fmt: skip
    clinical_review_commands.write_report(story.act(), story.reception_id, says="Written after it")
    assert story.item("carat_report")["status"] == "done"


@pytest.mark.proves("PS-29")
def test_a_referral_counts_in_the_28_days_and_an_early_start_is_warned_of(story):
    made = follow_up_commands.refer(
        story.act(), story.plan_id, kind="post_28_programme", to_whom="Ty Glas",
        made_at=story.prison.at, starts_on=date(2026, 12, 1),
    )  # fmt: skip
    assert story.item("post_28_referral")["done_at"] is not None
    [warning] = queries.plan(story.act(), story.plan_id).warnings
    assert "before day 29" in warning

    for answer in ("waiting", "accepted"):
        follow_up_commands.record_response(
            story.act(), story.plan_id, made, response=answer, responded_on=date(2026, 11, 5)
        )
    with pytest.raises(Conflict, match="answered already"):
        follow_up_commands.record_response(
            story.act(), story.plan_id, made, response="refused", responded_on=date(2026, 11, 5)
        )

    (asked,) = queries.plan(story.act(), story.plan_id).referrals
    assert [each.response for each in asked.answers] == ["waiting", "accepted"]
    follow_up_commands.strike_out(
        story.act(), story.plan_id, "answer", asked.answers[1].id, reason="Another person's letter"
    )
    view = queries.plan(story.act(), story.plan_id)
    assert view.referrals[0].response == "waiting"
    assert [each.struck_reason for each in view.struck] == ["Another person's letter"]


def test_a_discarded_draft_keeps_its_words_and_can_be_taken_up_while_the_plan_is_the_same(story):
    def step(do, *more, **given):
        version = queries.plan(story.act(), story.plan_id).plan.version
        return do(story.act(), story.plan_id, *more, version=version, **given)

    step(commands.draft_change, answers={"vdt": "agreed"})
    step(commands.discard_draft)
    [given_up] = queries.plan(story.act(), story.plan_id).discarded
    assert (given_up.row.answers, given_up.open) == ({"vdt": "agreed"}, True)

    step(commands.take_up_draft, given_up.row.id)
    with pytest.raises(Conflict, match="in a draft"):
        step(commands.take_up_draft, given_up.row.id)
    step(commands.put_forward)

    [given_up] = queries.plan(story.act(), story.plan_id).discarded
    assert not given_up.open
    with pytest.raises(Conflict, match="has changed since"):
        step(commands.take_up_draft, given_up.row.id)


def test_a_community_team_reads_the_plan_of_a_stay_and_does_not_write_it(story):
    act = story.act()
    act.site_id = a_site(story.prison.database).id
    take_onto_caseload(act, story.patient_id)
    assert queries.plan(act, story.plan_id).now.number == 1

    with pytest.raises(NotFound, match="written there"):
        commands.change_plan(act, story.plan_id, version=1, answers={"vdt": "agreed"})


def test_progress_changes_nothing_of_what_was_agreed(story):
    number = story.changes(goal=GOAL)
    follow_up_commands.record_progress(
        story.act(), story.plan_id, 1, on=date(2026, 11, 5), state="under_way", says="Came twice"
    )
    view = queries.plan(story.act(), story.plan_id)
    assert (view.now.number, view.progress[1][0].says) == (number, "Came twice")


@pytest.mark.proves("PS-18", "PS-39")
def test_referrals_are_logged_with_their_response_and_complementary_therapy_with_its_approval(
    story,
):
    kinds = ("programme", "vdt", "mutual_aid", "bme_group", "vsc", "family", "mental_health",
             "housing", "cjit")  # fmt: skip
    for kind in kinds:
        made = follow_up_commands.refer(
            story.act(), story.plan_id, kind=kind, to_whom="Ty Glas", made_at=story.prison.at
        )
        follow_up_commands.record_response(
            story.act(), story.plan_id, made, response="accepted", responded_on=date(2026, 11, 5)
        )
    therapy = {"kind": "complementary", "to_whom": "A. Thomas", "made_at": story.prison.at}
    with pytest.raises(Invalid) as refused:
        follow_up_commands.refer(story.act(), story.plan_id, **therapy)
    assert [field for field, _ in refused.value.faults] == ["approved_by", "paid_by"]
    with pytest.raises(Invalid, match="paid_by"):
        follow_up_commands.refer(
            story.act(), story.plan_id, **therapy, approved_by="PCT", paid_by="idts"
        )
    with pytest.raises(Invalid, match="complementary therapy only"):
        follow_up_commands.refer(
            story.act(), story.plan_id, **{**therapy, "kind": "vdt"}, approved_by="PCT"
        )
    follow_up_commands.refer(
        story.act(), story.plan_id, **therapy, approved_by="J. Hall, PCT, 3 Nov", paid_by="charity"
    )

    file = casework.casework_file(story.act(), story.reception_id)

    logged = {line.what: line.says for line in file.lines if line.kind == "referral"}
    assert len(logged) == len(kinds) + 1
    assert logged["AA or NA: Ty Glas"] == "Accepted"
    assert logged["Complementary therapy (needs PCT approval, not paid by IDTS): A. Thomas"] == (
        "No answer yet. Approved: J. Hall, PCT, 3 Nov. Paid by: a charity"
    )


@pytest.mark.proves("PS-36")
def test_a_detoxification_is_of_no_usual_length_and_maintenance_needs_none(story):
    with pytest.raises(Invalid) as refused:
        story.changes(answers={"treatment_aim": "detox"})
    assert refused.value.faults[0][0] == "detox_length"
    assert "no usual length" in refused.value.faults[0][1]
    assert {QUESTIONS[each].choices for each in ("detox_length",)} == {None}

    story.changes(answers={"treatment_aim": "maintenance"})
    story.changes(answers={"treatment_aim": "detox", "detox_length": "Slow: weak, long use"})

    with pytest.raises(Invalid, match="no usual length"):
        story.changes(answers={"detox_length": None})


@pytest.mark.proves("CM-22")
def test_a_review_recorded_in_error_is_struck_out_and_asks_again(story):
    follow_up_commands.record_event(story.act(), story.plan_id, code="health", on=date(2026, 11, 5))
    review = follow_up_commands.record_review(
        story.act(), story.plan_id, version=story.etag(), outcome="no_change", by=["carat"],
        reviewed_at=story.prison.at,
    )  # fmt: skip
    made = follow_up_commands.refer(
        story.act(), story.plan_id, kind="cjit", to_whom="Ty Glas", made_at=story.prison.at
    )
    assert queries.due_work(story.act()) == []
    assert story.item("community_referral")["status"] == "done"

    for what, row_id in (("review", review), ("referral", made)):
        with pytest.raises(Invalid, match="reason"):
            follow_up_commands.strike_out(story.act(), story.plan_id, what, row_id, reason=" ")
        follow_up_commands.strike_out(
            story.act(), story.plan_id, what, row_id, reason="Somebody else's"
        )
        with pytest.raises(Conflict, match="already"):
            follow_up_commands.strike_out(story.act(), story.plan_id, what, row_id, reason="Again")

    [work] = queries.due_work(story.act())
    assert work.on == date(2026, 11, 12)
    assert story.item("community_referral")["status"] == "due"
    view = queries.plan(story.act(), story.plan_id)
    assert (view.reviews, view.referrals, len(view.asking)) == ([], [], 1)
    assert [each.struck_reason for each in view.struck] == ["Somebody else's"] * 2
    [event] = view.asking
    follow_up_commands.strike_out(
        story.act(), story.plan_id, "event", event.id, reason="Not this person"
    )
    assert queries.due_work(story.act()) == []
    file = casework.casework_file(story.act(), story.reception_id)
    assert sum(line.struck is not None for line in file.lines) == 4
