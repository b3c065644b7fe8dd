"""Every fact replans: versions, what moved and why, replay, and what a worklist is told."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from clinic.custody import (
    commands,
    deliveries,
    fact_commands,
    setting_commands,
    sweeps,
    timetables,
    worklists,
)
from clinic.custody.models import (
    Delivery,
    Exit,
    Hearing,
    KnownRelease,
    Reception,
    Timetable,
    TimetableItem,
)
from clinic.custody.settings import settings
from clinic.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from clinic.keyworkers import commands as keyworkers
from clinic.keyworkers import queries as caseloads
from clinic.patients.access import in_caseload
from clinic.patients.models import Patient
from clinic.phases.queries import pathway
from tests.factories import base
from tests.factories.custody import a_calendar_change, a_prison, london


def status(prison, reception_id, item, **at):
    rows = prison.stay(reception_id, **at).answer["items"]
    return next(row for row in rows if row["item"] == item)


def flags(prison, reception_id, **at):
    return [row["flag"] for row in prison.stay(reception_id, **at).answer["flags"]]


def a_hearing(prison, reception_id, when="2026-11-09 10:00", **more):
    return fact_commands.record_hearing(prison.act(), reception_id, starts_at=london(when), **more)


# -- what lies ahead --------------------------------------------------------------------------


@pytest.mark.proves("TT-10", "TT-12", "TT-F3")
def test_a_hearing_pulls_the_minimum_set_forward_and_says_what_moved_and_why(prison):
    reception_id = prison.receives()
    prison.at += timedelta(hours=2)

    a_hearing(prison, reception_id)

    newest = prison.stay(reception_id).versions[0]
    moved = {change.duty: change for change in newest.changes}
    harm = moved["Harm minimisation session"]
    assert (harm.was, harm.now, harm.moved_by) == (
        date(2026, 11, 10), date(2026, 11, 6), ["TT-10"],
    )  # fmt: skip
    assert "may override" in harm.why
    assert moved["Referral to the community team"].now == date(2026, 11, 6)
    assert moved["Pack in case of release from court, hearing of 9 Nov"].was is None
    assert newest.because == "Hearing recorded"
    assert "TT-F3" in flags(prison, reception_id)


def test_a_saved_version_is_never_changed(prison):
    reception_id = prison.receives()
    (first,) = prison.timetables(reception_id)
    before = first.answer

    a_hearing(prison, reception_id)

    assert [each.version for each in prison.timetables(reception_id)] == [1, 2]
    assert prison.timetables(reception_id)[0].answer == before
    for refused in (
        lambda act: act.session.execute(update(Timetable).values(because="changed")),
        lambda act: act.session.execute(text("DELETE FROM timetable")),
    ):
        with pytest.raises(DBAPIError, match="timetable_kept"):
            refused(prison.act())


def test_only_the_newest_version_is_on_the_worklists(prison):
    reception_id = prison.receives()
    a_hearing(prison, reception_id)

    rows = prison.act().session.execute(
        select(Timetable.version, TimetableItem.state)
        .join(Timetable, Timetable.id == TimetableItem.timetable_id)
    ).all()  # fmt: skip

    assert {state for version, state in rows if version == 1} == {"superseded"}
    assert "open" in {state for version, state in rows if version == 2}


def test_a_hearing_that_moved_is_corrected_and_counts_from_when_it_was_put_right(prison):
    reception_id = prison.receives()
    hearing = a_hearing(prison, reception_id, "2026-11-20 10:00")
    prison.at += timedelta(days=1)

    fact_commands.correct_fact(
        prison.act(), reception_id, "hearing", hearing, version=2, reason="Brought forward",
        starts_at=london("2026-11-09 10:00"),
    )  # fmt: skip

    (row,) = prison.standing(Hearing, reception_id)
    assert row.known_at == prison.at
    assert prison.due(reception_id, "harm_minimisation") == date(2026, 11, 6)
    assert [each.version for each in prison.timetables(reception_id)] == [1, 2, 3]
    (struck,) = prison.stay(reception_id).earlier
    assert struck.starts_at == london("2026-11-20 10:00")


def test_how_a_hearing_ended_is_recorded_without_moving_when_it_became_known(prison):
    reception_id = prison.receives()
    hearing = a_hearing(prison, reception_id, "2026-11-06 10:00")
    learnt = prison.at
    prison.at += timedelta(days=3)

    fact_commands.correct_fact(
        prison.act(), reception_id, "hearing", hearing, version=2, reason="Back from court",
        outcome="returned",
    )  # fmt: skip

    (row,) = prison.standing(Hearing, reception_id)
    assert (row.known_at, row.outcome) == (learnt, "returned")


def test_a_hearing_recorded_in_error_is_struck_out_and_the_dates_come_back(prison):
    reception_id = prison.receives()
    hearing = a_hearing(prison, reception_id)

    fact_commands.strike_out(
        prison.act(), reception_id, "hearing", hearing, version=2, reason="Another prisoner's"
    )

    assert prison.standing(Hearing, reception_id) == []
    assert prison.due(reception_id, "harm_minimisation") == date(2026, 11, 10)
    with pytest.raises(Conflict, match="already corrected or struck out"):
        fact_commands.strike_out(
            prison.act(), reception_id, "hearing", hearing, version=3, reason="Again"
        )


@pytest.mark.proves("TT-26")
def test_a_known_release_ends_what_is_required(prison):
    reception_id = prison.receives()
    prison.at += timedelta(days=1)

    release = fact_commands.record_release(prison.act(), reception_id, on=date(2026, 11, 13))

    assert status(prison, reception_id, "keywork_week_3")["status"] == "not_required"
    assert status(prison, reception_id, "final_review")["due_on"] == "2026-11-12"
    with pytest.raises(Conflict, match="already a release date"):
        fact_commands.record_release(prison.act(), reception_id, on=date(2026, 11, 16))
    fact_commands.correct_fact(
        prison.act(), reception_id, "release", release, version=2, reason="Moved by the court",
        on=date(2026, 11, 20),
    )  # fmt: skip
    assert status(prison, reception_id, "final_review")["due_on"] == "2026-11-19"
    assert [row.on for row in prison.standing(KnownRelease, reception_id)] == [date(2026, 11, 20)]


def test_days_in_hospital_lower_what_the_groups_need(prison):
    reception_id = prison.receives()

    away = fact_commands.record_unavailable(
        prison.act(), reception_id, from_on=date(2026, 11, 11), to_on=date(2026, 11, 17),
        place="hospital",
    )  # fmt: skip

    assert status(prison, reception_id, "groups_week_2")["required"] == 0
    fact_commands.correct_fact(
        prison.act(), reception_id, "unavailable", away, version=2, reason="Back early",
        to_on=date(2026, 11, 12),
    )  # fmt: skip
    assert status(prison, reception_id, "groups_week_2")["required"] == 2


@pytest.mark.parametrize(
    ("record", "given", "field"),
    [
        (fact_commands.record_hearing, {"starts_at": london("2026-11-04 10:00")}, "starts_at"),
        (fact_commands.record_hearing, {"starts_at": london("2026-11-20 10:00"),
                                   "known_at": london("2026-11-05 10:00")}, "known_at"),
        (fact_commands.record_hearing, {"starts_at": london("2026-11-20 10:00"),
                                   "outcome": "returned"}, "starts_at"),
        (fact_commands.record_hearing, {"starts_at": london("2026-11-20 10:00"),
                                   "outcome": "adjourned"}, "outcome"),
        (fact_commands.record_release, {"on": date(2026, 11, 3)}, "on"),
        (fact_commands.record_exit, {"at": london("2026-11-05 10:00"), "how": "release"}, "at"),
        (fact_commands.record_exit, {"at": london("2026-11-04 10:00"), "how": "release"}, "at"),
        (fact_commands.record_exit, {"at": london("2026-11-04 14:30"), "how": "escaped"}, "how"),
        (fact_commands.record_unavailable, {"from_on": date(2026, 11, 9), "to_on": date(2026, 11, 8),
                                       "place": "hospital"}, "to_on"),
        (fact_commands.record_unavailable, {"from_on": date(2026, 11, 9), "to_on": None,
                                       "place": "home"}, "place"),
        (fact_commands.record_transfer, {"on": date(2026, 11, 9)}, "receiving_prison"),
        (fact_commands.record_transfer, {"on": date(2026, 11, 9), "receiving_prison": "HMP Else",
                                    "nation": "france"}, "nation"),
        (fact_commands.record_transfer, {"on": date(2026, 11, 9), "booked_on": date(2026, 11, 5),
                                    "receiving_prison": "HMP Else", "nation": "scotland"},
         "booked_on"),
    ],
)  # fmt: skip
def test_a_fact_that_cannot_stand_names_the_field(prison, record, given, field):
    reception_id = prison.receives()

    with pytest.raises(Invalid) as refusal:
        record(prison.act(), reception_id, **given)

    assert refusal.value.faults[0][0] == field
    assert len(prison.timetables(reception_id)) == 1


def test_two_hearings_on_one_day_are_both_kept(prison):
    reception_id = prison.receives()
    a_hearing(prison, reception_id, "2026-11-20 10:00")
    a_hearing(prison, reception_id, "2026-11-20 14:00")

    prison.delivers(reception_id, "court_pack", for_on=date(2026, 11, 20))

    assert len(prison.standing(Hearing, reception_id)) == 2
    packs = [row for row in prison.items(reception_id) if row.item == "court_pack"]
    assert {row.state for row in packs} == {"done"}


# -- the way out ------------------------------------------------------------------------------


def test_what_was_open_is_closed_as_left_and_the_stay_leaves_the_worklists(prison):
    reception_id = prison.receives()
    prison.at += timedelta(days=2)

    exit_id = fact_commands.record_exit(prison.act(), reception_id, at=prison.at, how="court")

    assert status(prison, reception_id, "joint_care_plan")["status"] == "closed_left"
    assert status(prison, reception_id, "smta")["status"] == "overdue"
    assert worklists.due_work(prison.act(at=prison.at + timedelta(days=9))) == []
    with pytest.raises(Conflict, match="already an exit"):
        fact_commands.record_exit(prison.act(), reception_id, at=prison.at, how="release")
    fact_commands.strike_out(
        prison.act(), reception_id, "exit", exit_id, version=2, reason="Came back from court"
    )
    assert status(prison, reception_id, "joint_care_plan")["status"] == "due"
    assert prison.stay(reception_id).reception.left_at is None
    assert worklists.next_work(prison.act())


def test_a_death_is_on_the_patients_record_and_comes_off_with_the_exit(prison):
    patient_id = prison.patient()
    reception_id = prison.receives(patient_id=patient_id)
    prison.at += timedelta(days=1)
    exit_id = fact_commands.record_exit(prison.act(), reception_id, at=prison.at, how="died")
    assert prison.act().session.get_one(Patient, patient_id).died_on == date(2026, 11, 5)

    corrected = fact_commands.correct_fact(
        prison.act(), reception_id, "exit", exit_id, version=2, reason="Moved to hospital",
        how="release",
    )  # fmt: skip

    assert prison.act().session.get_one(Patient, patient_id).died_on is None
    fact_commands.strike_out(
        prison.act(), reception_id, "exit", corrected, version=3, reason="Still here"
    )
    assert prison.standing(Exit, reception_id) == []


def test_an_undone_exit_does_not_open_a_second_stay(prison):
    patient_id = prison.patient()
    reception_id = prison.receives(patient_id=patient_id)
    exit_id = fact_commands.record_exit(prison.act(), reception_id, at=prison.at, how="court")
    prison.receives(patient_id=patient_id)

    with pytest.raises(Conflict, match="already in custody here"):
        fact_commands.strike_out(
            prison.act(), reception_id, "exit", exit_id, version=2, reason="Wrong"
        )


def test_a_hearing_released_needs_its_exit_first(prison):
    reception_id = prison.receives()
    hearing = a_hearing(prison, reception_id, "2026-11-06 10:00")
    prison.at = london("2026-11-06 15:00")
    out = {"version": 2, "reason": "Told by the court", "outcome": "released"}

    with pytest.raises(Invalid, match="exit"):
        fact_commands.correct_fact(prison.act(), reception_id, "hearing", hearing, **out)

    fact_commands.record_exit(prison.act(), reception_id, at=prison.at, how="court")
    fact_commands.correct_fact(
        prison.act(), reception_id, "hearing", hearing, **(out | {"version": 3})
    )
    assert prison.standing(Hearing, reception_id)[0].outcome == "released"


# -- moves between prisons --------------------------------------------------------------------


@pytest.fixture
def receiving(database):
    made = a_prison(database)
    yield made
    made.close()


def test_a_booked_move_shows_the_receiving_prison_what_it_owes(prison, receiving):
    patient_id = prison.patient()
    reception_id = prison.receives(patient_id=patient_id)

    fact_commands.record_transfer(
        prison.act(), reception_id, on=date(2026, 11, 12), receiving_site_id=receiving.site.id
    )
    prison.close()

    assert in_caseload(receiving.act(), patient_id)
    assert [row.item for row in worklists.to_be_named(receiving.act())] == [
        "receiving_keyworker_named"
    ]
    receiving.at += timedelta(days=1)
    keyworkers.name_keyworker(
        receiving.act(receiving.manager), reception_id, receiving.keyworker.id
    )
    assert status(receiving, reception_id, "receiving_keyworker_named")["status"] == "done"
    assert status(receiving, reception_id, "keyworker_named")["status"] == "due"
    receiving.close()


def test_a_move_struck_out_leaves_no_record_at_the_prison_they_never_went_to(prison, receiving):
    patient_id = prison.patient()
    reception_id = prison.receives(patient_id=patient_id)
    move = {"on": date(2026, 11, 10), "receiving_site_id": receiving.site.id}
    fact_id = fact_commands.record_transfer(prison.act(), reception_id, **move)
    fact_id = fact_commands.correct_fact(
        prison.act(), reception_id, "transfer", fact_id, version=prison.version(reception_id),
        reason="Another day", on=date(2026, 11, 11),
    )  # fmt: skip
    prison.close()
    assert in_caseload(receiving.act(), patient_id)
    receiving.close()

    fact_commands.strike_out(
        prison.act(), reception_id, "transfer", fact_id, version=prison.version(reception_id),
        reason="Never to go",
    )  # fmt: skip
    prison.close()

    assert not in_caseload(receiving.act(), patient_id)
    receiving.close()
    assert in_caseload(prison.act(), patient_id)


@pytest.mark.proves("A10")
def test_the_days_go_on_for_somebody_who_arrives_unannounced(prison, receiving):
    patient_id = prison.patient()
    reception_id = prison.receives(patient_id=patient_id)
    prison.close()
    receiving.at = london("2026-11-10 16:00")

    commands.receive_transfer(receiving.act(), reception_id, arrived_at=receiving.at)

    view = receiving.stay(reception_id)
    assert view.answer["day_1"] == "2026-11-04"
    assert (view.exit.how, view.transfer.on) == ("transfer", date(2026, 11, 10))
    assert {row.item for row in worklists.next_work(receiving.act())}
    assert caseloads.loads(receiving.act())[0].people == 0
    with pytest.raises(Conflict):
        commands.receive_transfer(receiving.act(), reception_id, arrived_at=receiving.at)
    receiving.at += timedelta(days=2)
    fact_commands.record_exit(receiving.act(), reception_id, at=receiving.at, how="release")
    assert status(receiving, reception_id, "keywork_week_3")["status"] == "closed_left"


def test_a_move_that_went_otherwise_than_booked_keeps_both(prison, receiving):
    reception_id = prison.receives()
    fact_commands.record_transfer(
        prison.act(), reception_id, on=date(2026, 11, 12), receiving_prison="HMP Elsewhere",
        nation="scotland",
    )  # fmt: skip
    prison.close()
    receiving.at = london("2026-11-11 16:00")

    commands.receive_transfer(receiving.act(), reception_id, arrived_at=receiving.at)

    view = receiving.stay(reception_id)
    assert view.transfer.receiving_site_id == receiving.site.id
    assert [row.receiving_prison for row in view.earlier] == ["HMP Elsewhere"]


# -- deliveries -------------------------------------------------------------------------------


def test_a_delivery_is_done_from_its_own_time_and_makes_no_new_version(prison):
    reception_id = prison.receives()
    prison.at += timedelta(hours=20)

    prison.delivers(
        reception_id, "smta", done_at=prison.at - timedelta(hours=3), by=["healthcare"],
        note="Uses heroin daily",
    )  # fmt: skip

    row = status(prison, reception_id, "smta")
    assert (row["status"], row["on_time"]) == ("done", True)
    assert [each.version for each in prison.timetables(reception_id)] == [1]
    (item,) = [each for each in prison.items(reception_id) if each.item == "smta"]
    assert (item.state, item.done_at) == ("done", prison.at - timedelta(hours=3))
    (entry,) = prison.standing(Delivery, reception_id)
    assert (entry.recorded_at, entry.recorded_by, entry.note) == (
        prison.at, prison.healthcare.id, "Uses heroin daily",
    )  # fmt: skip


@pytest.mark.proves("PS-10", "TT-08")
def test_the_joint_care_plan_is_done_when_all_three_have_agreed(prison):
    reception_id = prison.receives()
    prison.at += timedelta(days=1)
    prison.delivers(reception_id, "joint_care_plan", by=["patient", "carat"])
    assert (
        "agreement is missing from: healthcare"
        in status(prison, reception_id, "joint_care_plan")["why"]
    )
    prison.at += timedelta(hours=3)

    prison.delivers(reception_id, "joint_care_plan", by=["healthcare"])

    row = status(prison, reception_id, "joint_care_plan")
    assert row["status"] == "done"
    assert row["done_at"].startswith("2026-11-05T17:30")


@pytest.mark.proves("TT-14")
def test_sessions_had_and_declined_count_towards_the_weeks_groups(prison):
    reception_id = prison.receives()
    prison.at = london("2026-11-12 11:00")
    session = {"topic": "crack", "mode": "group", "by": ["carat", "healthcare"]}
    prison.delivers(reception_id, "group_session", **session)
    assert status(prison, reception_id, "groups_week_2")["counted"] == 1

    prison.delivers(reception_id, "group_session", **session | {"outcome": "declined"})

    assert status(prison, reception_id, "groups_week_2")["status"] == "done"


@pytest.mark.proves("PS-08", "TT-13", "A6")
def test_keywork_is_due_in_each_of_the_four_rolling_weeks_and_keeps_what_was_noted(prison):
    reception_id = prison.receives()
    weeks = prison.stay(reception_id).answer["weeks"]
    assert [(week["from_on"], week["to_on"]) for week in weeks] == [
        ("2026-11-04", "2026-11-10"), ("2026-11-11", "2026-11-17"),
        ("2026-11-18", "2026-11-24"), ("2026-11-25", "2026-12-01"),
    ]  # fmt: skip
    sessions = ["initial_keywork", "keywork_week_2", "keywork_week_3", "keywork_week_4"]

    for item, week in zip(sessions, weeks, strict=True):
        due_on = status(prison, reception_id, item)["due_on"]
        assert week["from_on"] <= due_on <= week["to_on"]
        prison.at = london(f"{due_on} 11:00")
        prison.delivers(reception_id, item, note=f"Progress in {item}")

    assert all(status(prison, reception_id, item)["on_time"] for item in sessions)
    assert [row.note for row in prison.standing(Delivery, reception_id)] == [
        f"Progress in {item}" for item in sessions
    ]


@pytest.mark.proves("A4", "TT-09", "TT-F8")
def test_day_5_at_a_weekend_gets_no_extension(prison):
    reception_id = prison.receives()

    review = status(prison, reception_id, "clinical_review")
    assert review["due_on"] == "2026-11-08"  # a Sunday
    assert "TT-F8" in flags(prison, reception_id)
    late = {"at": london("2026-11-09 00:01")}
    assert status(prison, reception_id, "clinical_review", **late)["status"] == "overdue"


@pytest.mark.proves("A5")
def test_an_earlier_plan_is_on_time_and_an_earlier_review_leaves_day_5_to_do(prison):
    reception_id = prison.receives()
    prison.at += timedelta(days=1)

    prison.delivers(reception_id, "joint_care_plan", by=["patient", "carat", "healthcare"])
    prison.delivers(reception_id, "clinical_review", by=["healthcare"])

    assert status(prison, reception_id, "joint_care_plan")["on_time"] is True
    assert status(prison, reception_id, "clinical_review")["status"] == "due"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"item": "breakfast"}, "item"),
        ({"item": "keyworker_named"}, "item"),
        ({"item": "reception_screening"}, "item"),
        ({"item": "smta", "outcome": "declined"}, "outcome"),
        ({"item": "smta", "by": []}, "by"),
        ({"item": "smta", "by": ["governor"]}, "by"),
        ({"item": "smta", "done_at": london("2026-11-04 14:31")}, "done_at"),
        ({"item": "smta", "done_at": london("2026-11-03 23:59")}, "done_at"),
        ({"item": "smta", "topic": "crack"}, "topic"),
        ({"item": "smta", "for_on": date(2026, 11, 9)}, "for_on"),
        ({"item": "court_pack"}, "for_on"),
        ({"item": "group_session", "mode": "group"}, "topic"),
        ({"item": "group_session", "topic": "crack"}, "mode"),
        ({"item": "smta", "done_by": 999999}, "done_by"),
        ({"item": "smta", "note": "x" * 4001}, "note"),
        ({"item": "smta", "colour": "red"}, "colour"),
    ],
)
def test_a_delivery_that_cannot_stand_names_the_field(prison, given, field):
    reception_id = prison.receives()

    with pytest.raises(Invalid) as refusal:
        prison.delivers(reception_id, **given)

    assert refusal.value.faults[0][0] == field
    assert prison.standing(Delivery, reception_id) == []


def test_a_delivery_is_corrected_by_a_new_entry_and_undone_with_a_reason(prison):
    reception_id = prison.receives()
    prison.at += timedelta(days=2)
    entry = prison.delivers(reception_id, "smta", by=["healthcare"])

    fresh = deliveries.correct_delivery(
        prison.act(), reception_id, entry, version=2, reason="It was yesterday",
        done_at=prison.at - timedelta(days=1),
    )  # fmt: skip

    assert status(prison, reception_id, "smta")["done_at"].startswith("2026-11-05")
    fact_commands.strike_out(
        prison.act(), reception_id, "delivery", fresh, version=3, reason="Another prisoner's"
    )
    assert status(prison, reception_id, "smta")["status"] == "overdue"
    assert [row.struck_reason for row in prison.stay(reception_id).earlier] == [
        "It was yesterday", "Another prisoner's",
    ]  # fmt: skip
    with pytest.raises(Stale):
        fact_commands.strike_out(
            prison.act(), reception_id, "delivery", fresh, version=3, reason="Again"
        )


def test_who_may_not_deliver_records_nothing(prison):
    reception_id = prison.receives()

    with pytest.raises(Forbidden):
        deliveries.record_delivery(
            prison.act(prison.manager), reception_id, item="smta", done_at=prison.at, by=["carat"]
        )


# -- the keyworker ----------------------------------------------------------------------------


@pytest.mark.proves("PS-05", "TT-03")
def test_naming_the_keyworker_is_what_makes_it_done(prison):
    reception_id = prison.receives()
    prison.at += timedelta(hours=20)

    keyworkers.name_keyworker(prison.act(prison.manager), reception_id, prison.keyworker.id)

    view = prison.stay(reception_id)
    assert view.keyworker.id == prison.keyworker.id
    assert status(prison, reception_id, "keyworker_named")["on_time"] is True
    with pytest.raises(Invalid, match="already their keyworker"):
        keyworkers.name_keyworker(prison.act(prison.manager), reception_id, prison.keyworker.id)


@pytest.mark.proves("PS-06")
def test_another_keyworker_needs_a_reason_and_the_first_naming_stands(prison, database):
    second = base.a_member_of_staff(database, prison.site, "carat_keyworker", name="Eve Hall")
    reception_id = prison.receives()
    keyworkers.name_keyworker(prison.act(prison.manager), reception_id, prison.keyworker.id)
    first = status(prison, reception_id, "keyworker_named")["done_at"]
    prison.at += timedelta(days=2)

    with pytest.raises(Invalid, match="reason"):
        keyworkers.name_keyworker(prison.act(prison.manager), reception_id, second.id)
    keyworkers.name_keyworker(
        prison.act(prison.manager), reception_id, second.id, reason_code="long_absence"
    )

    assert prison.stay(reception_id).keyworker.id == second.id
    assert status(prison, reception_id, "keyworker_named")["done_at"] == first


def test_only_staff_of_the_prison_are_named_and_only_by_who_may(prison, database):
    stranger = base.a_member_of_staff(database, base.a_site(database), "carat_keyworker")
    reception_id = prison.receives()

    with pytest.raises(Invalid, match="works at this site"):
        keyworkers.name_keyworker(prison.act(prison.manager), reception_id, stranger.id)
    with pytest.raises(Forbidden):
        keyworkers.name_keyworker(prison.act(), reception_id, prison.keyworker.id)


# -- the calendar -----------------------------------------------------------------------------


@pytest.mark.proves("TT-F6")
def test_a_holiday_announced_late_changes_no_date_until_it_is_replanned_and_then_says_so(prison):
    reception_id = prison.receives()
    assert prison.due(reception_id, "joint_care_plan") == date(2026, 11, 6)
    a_calendar_change(prison, date(2026, 11, 6), announced_on=date(2026, 11, 5))
    prison.at += timedelta(days=1)
    assert prison.stay(reception_id).calendar_moved
    assert prison.due(reception_id, "joint_care_plan") == date(2026, 11, 6)

    assert commands.replan(prison.act(), reception_id)

    view = prison.stay(reception_id)
    assert not view.calendar_moved
    assert "TT-F6" in flags(prison, reception_id)
    (plan,) = [row for row in view.versions[0].changes if row.duty == "Joint care plan"]
    assert (plan.was, plan.now, plan.moved_by) == (
        date(2026, 11, 6), date(2026, 11, 5), ["TT-F6"],
    )  # fmt: skip
    assert view.versions[0].because == "The calendar changed"
    assert not commands.replan(prison.act(), reception_id)


def test_the_sweep_replans_the_stays_the_calendar_moved_and_a_second_run_changes_nothing(prison):
    moved, still = prison.receives(), prison.receives(received_at=london("2026-10-01 10:00"))
    a_calendar_change(prison, date(2026, 11, 6), announced_on=date(2026, 11, 5))
    prison.at += timedelta(days=1)
    act = prison.act()
    act.staff_id, act.site_id, act.rights = None, None, frozenset()

    assert sweeps.replan_moved_stays(act, act.today) == 1
    assert sweeps.replan_moved_stays(act, act.today) == 0

    assert len(prison.timetables(moved)) == 2
    assert prison.timetables(moved)[1].made_by is None
    assert prison.stay(moved).versions[0].made_by == "The service itself"
    assert len(prison.timetables(still)) == 1


def test_a_night_on_which_no_calendar_changed_looks_at_nobody(prison, monkeypatch):
    looked_at = []
    monkeypatch.setattr(sweeps, "replan_in_sweep", lambda _act, stay: looked_at.append(stay) or 0)
    other = a_prison(prison.database, nation="scotland")
    elsewhere = other.receives()
    other.close()
    moved = prison.receives()
    a_calendar_change(prison, date(2026, 11, 20), announced_on=date(2026, 11, 5))

    def swept(day):
        looked_at.clear()
        prison.at = london(f"2026-11-{day:02d} 03:00")
        sweeps.replan_moved_stays(prison.act(), prison.at.date())
        return list(looked_at)

    assert swept(4) == []  # the announcement is still to come
    assert swept(5) == [moved]
    assert swept(6) == [moved]
    assert swept(7) == []
    assert elsewhere


def test_new_holiday_lists_are_looked_at_once_for_each_stay_that_has_something_open(
    prison, monkeypatch
):
    looked_at, honest = [], sweeps.replan_in_sweep
    monkeypatch.setattr(
        sweeps, "replan_in_sweep", lambda act, stay: looked_at.append(stay) or honest(act, stay)
    )
    finished, open_one = prison.receives(), prison.receives()
    with prison.database.transaction() as session:
        session.execute(update(Reception).values(calendar_seen="the lists of last year"))
        session.execute(
            update(TimetableItem)
            .where(TimetableItem.reception_id == finished)
            .values(state="closed_left")
        )

    for _ in range(2):
        sweeps.replan_moved_stays(prison.act(), prison.at.date())

    assert looked_at == [open_one]
    assert len(prison.timetables(open_one)) == 1


def test_the_numbering_of_days_is_a_dated_setting_and_a_stay_keeps_its_own(prison):
    before = prison.receives()

    setting_commands.set_day_count(
        prison.act(prison.manager), "day_after_reception_is_day_1", from_on=date(2026, 11, 5),
        reason="Agreed with the health board",
    )  # fmt: skip
    prison.at += timedelta(days=1)
    after = prison.receives()

    assert prison.stay(before).answer["day_1"] == "2026-11-04"
    assert prison.stay(after).answer["day_1"] == "2026-11-06"
    assert [row.day_count for row in settings(prison.act()).day_counts] == [
        "day_after_reception_is_day_1"
    ]
    for given, field in (
        ({"day_count": "day_0", "from_on": date(2026, 12, 1)}, "day_count"),
        ({"day_count": "reception_is_day_1", "from_on": date(2026, 11, 4)}, "from_on"),
    ):
        with pytest.raises(Invalid, match=field):
            setting_commands.set_day_count(prison.act(prison.manager), **given, reason="Why")
    with pytest.raises(Forbidden):
        setting_commands.set_day_count(
            prison.act(), "reception_is_day_1", from_on=date(2026, 12, 1), reason="Why"
        )


@pytest.mark.proves("PH-08", "PS-20")
def test_a_prison_says_when_completion_begins_and_a_stay_keeps_its_own(prison):
    before = prison.receives()
    setting_commands.set_completion_day(
        prison.act(prison.manager), 8, from_on=date(2026, 11, 5), reason="From day 8 on (16.4)"
    )
    prison.at += timedelta(days=1)
    after = prison.receives()

    assert settings(prison.act()).completion_day == 8
    for reception_id, begins in ((before, date(2026, 12, 2)), (after, date(2026, 11, 12))):
        third = pathway(prison.act(), reception_id).phases[2]
        assert (third.number, third.from_on) == (3, begins)
    with pytest.raises(Invalid, match="from 8 to 29"):
        setting_commands.set_completion_day(
            prison.act(prison.manager), 30, from_on=date(2026, 12, 1), reason="Why"
        )


# -- replay -----------------------------------------------------------------------------------


def test_every_version_replays_to_the_same_answer_whatever_was_corrected_later(prison, receiving):
    patient_id = prison.patient()
    earlier = prison.receives(patient_id=patient_id)
    prison.delivers(earlier, "smta", by=["healthcare"])
    fact_commands.record_exit(prison.act(), earlier, at=prison.at, how="court")
    prison.at += timedelta(days=2)
    reception_id = prison.receives(
        patient_id=patient_id, ppo=True, screening="positive", screened_at=prison.at
    )
    hearing = a_hearing(prison, reception_id, "2026-11-16 10:00")
    prison.delivers(reception_id, "smta", by=["healthcare"])
    prison.at += timedelta(days=1)
    delivery = prison.delivers(reception_id, "initial_keywork")
    fact_commands.record_release(prison.act(), reception_id, on=date(2026, 11, 26))
    fact_commands.strike_out(
        prison.act(), reception_id, "delivery", delivery, version=prison.version(reception_id),
        reason="Another prisoner's",
    )  # fmt: skip
    fact_commands.correct_fact(
        prison.act(), reception_id, "hearing", hearing, version=prison.version(reception_id),
        reason="Moved", starts_at=london("2026-11-18 10:00"),
    )  # fmt: skip
    fact_commands.record_unavailable(
        prison.act(), reception_id, from_on=date(2026, 11, 17), to_on=None, place="segregation"
    )
    a_calendar_change(prison, date(2026, 11, 24), announced_on=date(2026, 11, 6))
    commands.replan(prison.act(), reception_id)
    fact_commands.record_transfer(
        prison.act(), reception_id, on=date(2026, 11, 20), receiving_site_id=receiving.site.id
    )
    commands.correct_reception(
        prison.act(), reception_id, version=prison.version(reception_id), reason="Asked again",
        ppo=False, needs_post_28_programme=True, group_suitability="one_to_one",
    )  # fmt: skip
    a_calendar_change(prison, date(2026, 11, 25), announced_on=date(2026, 11, 7))
    fact_commands.record_exit(prison.act(), reception_id, at=prison.at, how="died")
    prison.delivers(earlier, "csma")

    saved = prison.timetables(reception_id)

    assert len(saved) >= 8
    for timetable in saved:
        same, before, now = timetables.replay(prison.act(), timetable.id)
        assert same, (timetable.version, before, now)


def test_a_replay_needs_the_right_and_a_timetable(prison):
    reception_id = prison.receives()
    (saved,) = prison.timetables(reception_id)

    with pytest.raises(NotFound):
        timetables.replay(prison.act(), saved.id + 1)
    with pytest.raises(Forbidden):
        timetables.replay(prison.act(rights=frozenset()), saved.id)


def test_a_replay_that_differs_says_so(prison, monkeypatch):
    reception_id = prison.receives()
    (saved,) = prison.timetables(reception_id)
    rules = timetables.plan
    monkeypatch.setattr(timetables, "plan", lambda *given: rules(*given) | {"day_count": "another"})

    same, before, now = timetables.replay(prison.act(), saved.id)

    assert not same
    assert before["day_count"] != now["day_count"]
