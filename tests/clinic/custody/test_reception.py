"""Receiving a prisoner: the record, the caseload, the plan; correcting and undoing it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic.assessments import queries as arrivals
from clinic.audit import AuditEntry
from clinic.custody import commands, fact_commands, facts
from clinic.custody.models import Delivery, Reception, ReceptionDetail, TimetableItem
from clinic.errors import Conflict, Forbidden, Invalid, NotFound, OutsideCaseload, Stale
from clinic.patients.access import in_caseload
from clinic.patients.models import Patient
from tests.factories import base
from tests.factories.custody import a_prison, london


def audited(prison, patient_id=None):
    """The actions on the audit, oldest first."""
    act = prison.act()
    wanted = select(AuditEntry.action).order_by(AuditEntry.id)
    if patient_id is not None:
        wanted = wanted.where(AuditEntry.patient_id == patient_id)
    return list(act.session.scalars(wanted))


def status(prison, reception_id, item, **at):
    rows = prison.stay(reception_id, **at).answer["items"]
    return next(row for row in rows if row["item"] == item)


@pytest.mark.proves("TT-01", "A1")
def test_the_day_of_reception_is_day_1_unless_the_prison_says_otherwise(prison):
    reception_id = prison.receives()

    answer = prison.stay(reception_id).answer
    assert (answer["day_1"], answer["day_5"], answer["day_28"]) == (
        "2026-11-04", "2026-11-08", "2026-12-01",
    )  # fmt: skip


def test_a_reception_is_saved_with_its_timetable_and_a_row_an_item(prison):
    patient_id = prison.patient()

    reception_id = prison.receives(patient_id=patient_id, prison_number="A1234BC")

    (timetable,) = prison.timetables(reception_id)
    assert timetable.version == 1
    assert timetable.plan_made_on == date(2026, 11, 4)
    assert timetable.calendar_version == timetable.answer["calendar_version"]
    items = prison.items(reception_id)
    assert [row.item for row in items] == [row["item"] for row in timetable.answer["items"]]
    assert all((row.deadline is None) == (row.due_on is None) for row in items)
    act = prison.act()
    assert in_caseload(act, patient_id)
    assert act.session.get_one(Patient, patient_id).number("prison") == "A1234BC"
    assert {"custody.received", "custody.timetable_made"} <= set(audited(prison, patient_id))


@pytest.mark.proves("PS-05", "TT-03", "A3")
@pytest.mark.parametrize(
    ("received", "due", "amber"),
    [
        # A Friday afternoon: the first working day is Monday.
        ("2026-11-06 15:00", "2026-11-09 17:00", "2026-11-07 15:00"),
        # The eve of Good Friday 2026: Easter Monday is no working day either.
        ("2026-04-02 16:00", "2026-04-07 17:00", "2026-04-03 16:00"),
        # Late on a Monday evening: 24 hours end after 17:00, and hold.
        ("2026-11-09 21:30", "2026-11-10 21:30", "2026-11-10 13:00"),
        # The evening before the clocks go forward, and the evening before they go back.
        ("2026-03-28 20:00", "2026-03-30 17:00", "2026-03-29 21:00"),
        ("2026-10-24 20:00", "2026-10-26 17:00", "2026-10-25 19:00"),
    ],
)
def test_a_keyworker_is_due_by_the_first_working_day(database, received, due, amber):
    prison = a_prison(database, at=london(received))

    reception_id = prison.receives()

    (row,) = [row for row in prison.items(reception_id) if row.item == "keyworker_named"]
    assert row.deadline == london(due)
    assert row.amber_from == london(amber)
    prison.close()


@pytest.mark.proves("TT-F7")
def test_a_late_reception_is_flagged(database):
    prison = a_prison(database, at=london("2026-11-04 19:00"))

    reception_id = prison.receives()

    assert "TT-F7" in [row["flag"] for row in prison.stay(reception_id).answer["flags"]]
    prison.close()


def test_a_reception_is_entered_later_under_the_time_it_happened(prison):
    arrived = prison.at - timedelta(hours=20)

    reception_id = prison.receives(received_at=arrived)

    (detail,) = prison.standing(ReceptionDetail, reception_id)
    assert (detail.received_at, detail.recorded_at) == (arrived, prison.at)


@pytest.mark.proves("PS-31", "XX-06")
def test_a_ppo_is_what_was_answered_and_never_assumed(prison):
    unasked, asked = prison.receives(), prison.receives(ppo=True)

    assert prison.stay(unasked).detail.ppo is None
    assert prison.stay(unasked).answer["placing"] == "normal"
    view = prison.stay(asked)
    assert view.answer["placing"] == "first"
    assert view.patient.ppo is True


@pytest.mark.proves("TT-02")
def test_a_screening_on_arrival_makes_the_screening_done(prison):
    reception_id = prison.receives(screening="positive", screened_at=prison.at)

    assert status(prison, reception_id, "reception_screening")["status"] == "done"


def test_a_screening_done_later_has_its_own_time(prison):
    reception_id = prison.receives()
    prison.at += timedelta(hours=2)

    commands.record_screening(
        prison.act(), reception_id, screening="positive", screened_at=prison.at
    )

    assert status(prison, reception_id, "reception_screening")["done_at"].startswith(
        "2026-11-04T16:30"
    )
    with pytest.raises(Conflict):
        commands.record_screening(
            prison.act(), reception_id, screening="negative", screened_at=prison.at
        )


def test_a_negative_screening_plans_nothing_until_it_is_corrected(prison):
    reception_id = prison.receives(screening="negative", screened_at=prison.at)
    assert prison.stay(reception_id).answer is None

    commands.correct_reception(
        prison.act(), reception_id, version=1, reason="Misread the form", screening="positive"
    )

    assert prison.stay(reception_id).answer is not None
    assert [each.version for each in prison.timetables(reception_id)] == [1]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"screening": "maybe"}, "screening"),
        ({"screening": "positive"}, "screened_at"),
        ({"received_at": london("2026-11-05 09:00")}, "received_at"),
        ({"screening": "positive", "screened_at": london("2026-11-05 09:00")}, "screened_at"),
        ({"screening": "positive", "screened_at": london("2026-11-03 09:00")}, "screened_at"),
        ({"prison_number": "nonsense"}, "prison_number"),
        ({"received_at": london("1999-01-04 09:00")}, "received_at"),
    ],
)
def test_a_reception_that_cannot_stand_names_the_field_and_leaves_nothing(prison, given, field):
    patient_id = prison.patient()

    with pytest.raises(Invalid) as refusal:
        prison.receives(patient_id=patient_id, **given)

    assert refusal.value.faults[0][0] == field
    assert prison.act().session.scalar(select(Reception.id)) is None


def test_nobody_is_received_twice_at_one_prison(prison):
    patient_id = prison.patient()
    prison.receives(patient_id=patient_id)

    with pytest.raises(Conflict, match="already in custody here"):
        prison.receives(patient_id=patient_id)


def test_a_reception_belongs_to_a_prison_and_to_reception_staff(prison, database):
    clinic = base.a_site(database)
    nurse = base.a_member_of_staff(database, clinic, "prison_healthcare")
    patient_id = prison.patient()

    with pytest.raises(Invalid, match="at a prison"):
        commands.receive_prisoner(
            base.an_act(database, nurse, clinic, at=prison.at), patient_id=patient_id,
            received_at=prison.at, screening="not_done", demo=True,
        )  # fmt: skip
    with pytest.raises(Forbidden):
        commands.receive_prisoner(
            prison.act(prison.keyworker), patient_id=patient_id, received_at=prison.at,
            screening="not_done", demo=True,
        )  # fmt: skip


def test_somebody_recorded_as_dead_is_not_received(prison):
    patient_id = prison.patient()
    with prison.database.transaction() as session:
        session.get_one(Patient, patient_id).died_on = date(2026, 1, 1)

    with pytest.raises(Invalid, match="died"):
        prison.receives(patient_id=patient_id)


def test_an_arrival_from_elsewhere_opens_the_record_without_another_reason(prison, database):
    other = a_prison(database)
    patient_id = other.patient()
    other.close()

    reception_id = prison.receives(patient_id=patient_id)

    assert prison.stay(reception_id).patient.id == patient_id


def test_a_new_person_is_registered_and_received_together_or_not_at_all(prison):
    person = {
        "family_name": "Vaughan", "given_name": "Carys", "born_on": date(1990, 5, 1),
        "sex": "female", "demo": True,
    }  # fmt: skip
    reception = {"received_at": prison.at, "screening": "not_done", "demo": True}

    with pytest.raises(Invalid):
        commands.receive_new_person(prison.act(), person, reception | {"screening": "maybe"})
    assert prison.act().session.scalar(select(Patient.id)) is None

    reception_id = commands.receive_new_person(prison.act(), person, reception)
    assert prison.stay(reception_id).patient.family_name == "Vaughan"


# -- correcting and undoing -----------------------------------------------------------------


def test_a_corrected_time_keeps_the_first_one_and_plans_again(prison):
    reception_id = prison.receives(received_at=prison.at - timedelta(hours=1))
    prison.at += timedelta(hours=1)

    commands.correct_reception(
        prison.act(), reception_id, version=1, reason="Read the escort record",
        received_at=london("2026-11-03 18:00"),
    )  # fmt: skip

    view = prison.stay(reception_id)
    assert view.answer["day_1"] == "2026-11-03"
    assert [each.version for each in view.versions] == [2, 1]
    assert view.versions[0].changes
    assert "Read the escort record" in view.versions[0].because
    (first,) = view.earlier
    assert first.received_at == london("2026-11-04 13:30")
    assert (first.struck_reason, first.struck_by) == (
        "Read the escort record",
        prison.healthcare.id,
    )
    assert "custody.reception_corrected" in audited(prison, view.patient.id)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"reason": " ", "ppo": True}, "reason"),
        ({"reason": "Wrong", "day_count": "x"}, "day_count"),
        ({"reason": "Wrong"}, "Nothing was changed"),
        ({"reason": "Wrong", "screening": "positive"}, "screening"),
    ],
)
def test_a_correction_that_cannot_stand_is_refused(prison, given, says):
    reception_id = prison.receives()

    with pytest.raises(Invalid, match=says):
        commands.correct_reception(prison.act(), reception_id, version=1, **given)

    assert len(prison.timetables(reception_id)) == 1


def test_a_reception_cannot_be_moved_past_what_was_done_in_it(prison):
    reception_id = prison.receives(received_at=prison.at - timedelta(days=2))
    prison.delivers(reception_id, "smta", done_at=prison.at - timedelta(days=1))

    with pytest.raises(Invalid, match="before the day of reception"):
        commands.correct_reception(
            prison.act(), reception_id, version=prison.version(reception_id), reason="Wrong day",
            received_at=prison.at,
        )  # fmt: skip


def test_nothing_was_done_before_they_arrived_that_day(prison):
    reception_id = prison.receives()

    with pytest.raises(Invalid, match="before they arrived"):
        prison.delivers(reception_id, "smta", done_at=prison.at - timedelta(minutes=1))
    with pytest.raises(Invalid, match="screened_at: must not be before they arrived"):
        prison.receives(screening="positive", screened_at=prison.at - timedelta(minutes=1))


def test_what_an_arrival_asks_is_asked_no_more_of_somebody_who_left(prison):
    reception_id = prison.receives()
    asked = [row.says for row, *_ in arrivals.unconfirmed(prison.act())]
    assert asked == ["Arrived Wed 4 Nov 2026: nobody has asked about treatment elsewhere"]

    exit_id = fact_commands.record_exit(prison.act(), reception_id, at=prison.at, how="release")
    assert arrivals.unconfirmed(prison.act()) == []
    fact_commands.strike_out(
        prison.act(), reception_id, "exit", exit_id, version=prison.version(reception_id),
        reason="Somebody else left",
    )  # fmt: skip

    assert [row.says for row, *_ in arrivals.unconfirmed(prison.act())] == asked


def test_a_screening_found_not_done_is_open_again(prison):
    reception_id = prison.receives(screening="positive", screened_at=prison.at)

    commands.correct_reception(
        prison.act(), reception_id, version=1, reason="Somebody else's", screening="not_done"
    )

    assert status(prison, reception_id, "reception_screening")["status"] == "due"
    assert prison.standing(Delivery, reception_id) == []


def test_a_change_somebody_else_made_meanwhile_is_named(prison):
    reception_id = prison.receives()
    fact_commands.record_hearing(prison.act(), reception_id, starts_at=london("2026-11-20 10:00"))

    with pytest.raises(Stale, match="Ann Probert recorded a hearing"):
        commands.correct_reception(
            prison.act(), reception_id, version=1, reason="Asked again", ppo=True
        )


def test_undoing_a_reception_leaves_nothing_due_and_nobody_on_the_caseload(prison, database):
    other = a_prison(database)
    patient_id = other.patient()
    other.close()
    reception_id = prison.receives(patient_id=patient_id)

    commands.undo_reception(prison.act(), reception_id, version=1, reason="Wrong person")

    act = prison.act()
    assert not in_caseload(act, patient_id)
    assert set(act.session.scalars(select(TimetableItem.state))) == {"superseded"}
    with pytest.raises(OutsideCaseload):
        prison.stay(reception_id)
    with pytest.raises(NotFound):
        fact_commands.record_hearing(
            prison.act(), reception_id, starts_at=london("2026-11-20 10:00")
        )
    assert "custody.reception_undone" in audited(prison, patient_id)
    assert prison.receives(patient_id=patient_id) != reception_id


def test_undoing_a_reception_keeps_somebody_who_was_on_the_caseload_before(prison):
    patient_id = prison.patient()
    prison.at += timedelta(hours=1)
    reception_id = prison.receives(patient_id=patient_id)

    commands.undo_reception(prison.act(), reception_id, version=1, reason="Wrong person")

    assert in_caseload(prison.act(), patient_id)
    assert prison.stay(reception_id).reception.undone_reason == "Wrong person"


@pytest.mark.proves("A10", "TT-21")
def test_a_return_after_release_is_a_new_stay_that_offers_the_earlier_assessments(prison):
    patient_id = prison.patient()
    first = prison.receives(patient_id=patient_id)
    prison.at = london("2026-11-06 11:00")
    prison.delivers(first, "csma", by=["carat", "healthcare"])
    fact_commands.record_exit(prison.act(), first, at=prison.at, how="court")
    prison.at = london("2026-11-20 16:00")

    second = prison.receives(patient_id=patient_id)

    answer = prison.stay(second).answer
    assert answer["day_1"] == "2026-11-20"
    assert answer["reuse_offers"] == [{"rule": "TT-21", "item": "csma", "done_on": "2026-11-06"}]
    assert status(prison, second, "csma")["status"] == "due"


# -- who may see and touch a stay -------------------------------------------------------------


def test_another_site_neither_sees_nor_touches_the_stay(prison, database):
    reception_id = prison.receives()
    prison.close()
    other = a_prison(database)

    with pytest.raises(OutsideCaseload):
        other.stay(reception_id)
    with pytest.raises(OutsideCaseload):
        fact_commands.record_hearing(
            other.act(), reception_id, starts_at=london("2026-11-20 10:00")
        )
    other.close()


def test_a_community_team_with_the_patient_reads_the_stay_and_changes_nothing(prison, database):
    patient_id = prison.patient()
    reception_id = prison.receives(patient_id=patient_id)
    prison.close()
    clinic = base.a_site(database)
    worker = base.a_member_of_staff(database, clinic, "drugs_worker")
    act = base.an_act(database, worker, clinic, at=prison.at)
    commands.take_onto_caseload(act, patient_id)

    from clinic.custody import queries

    assert queries.stay(act, reception_id).answer is not None
    act.session.rollback()
    with pytest.raises(NotFound, match="another prison"):
        fact_commands.record_hearing(act, reception_id, starts_at=london("2026-11-20 10:00"))
    act.session.close()


def test_looking_at_a_stay_is_audited(prison):
    patient_id = prison.patient()
    reception_id = prison.receives(patient_id=patient_id)
    act = prison.act()

    from clinic.custody import queries

    queries.stay(act, reception_id)

    assert [note.action for note in act.session.info["audit_notes"]] == ["custody.stay_shown"]


def test_the_facts_of_a_joined_record_stay_with_the_person(prison):
    kept, merged = prison.patient(), prison.patient()
    first = prison.receives(patient_id=merged)
    prison.at += timedelta(days=1)
    prison.delivers(first, "smta", by=["healthcare"])
    fact_commands.record_exit(prison.act(), first, at=prison.at, how="release")
    with prison.database.transaction() as session:
        session.get_one(Patient, merged).merged_into_id = kept
    prison.at += timedelta(days=3)

    second = prison.receives(patient_id=merged)

    assert prison.stay(second).patient.id == kept
    assert [offer["item"] for offer in prison.stay(second).answer["reuse_offers"]] == ["smta"]
    assert facts.kept_record(prison.act().session, merged).id == kept
