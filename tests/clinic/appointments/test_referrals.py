"""Referrals and the wait list."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from sqlalchemy import select

from clinic.appointments import (
    commands,
    outcome_commands,
    place_queries,
    queries,
    referral_commands,
    visit_queries,
)
from clinic.appointments.models import Referral
from clinic.audit import AuditEntry
from clinic.db import Database
from clinic.errors import Conflict, Forbidden, Invalid, OutsideCaseload, Stale
from clinic.patients.access import break_glass, in_caseload
from clinic.patients.models import Patient
from tests.factories import appointments as made
from tests.factories import base


@pytest.fixture
def clinic(database: Database) -> made.Clinic:
    return made.a_clinic(database)


def the_referral(clinic: made.Clinic, referral_id: int) -> Referral:
    with clinic.database.reading() as session:
        return session.get_one(Referral, referral_id)


def listed(act) -> list[int]:
    return [row.referral_id for row in queries.wait_list(act).rows]


# -- register


@pytest.mark.proves("XX-07")
def test_a_referral_keeps_when_it_was_made_beside_when_it_was_entered(clinic):
    friday = base.NOW - timedelta(days=5)

    referral = the_referral(clinic, made.a_referral(clinic, referred_at=friday))

    assert (referral.referred_at, referral.recorded_at) == (friday, base.NOW)
    assert referral.received_by == clinic.nurse.id


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"referred_at": base.NOW + timedelta(minutes=1)}, "referred_at"),
        ({"source": "a friend"}, "source"),
        ({"drugs": []}, "drugs"),
        ({"drugs": ["nutmeg"]}, "drugs"),
        ({"drugs": ["heroin", "heroin"]}, "drugs"),
        ({"drugs": ["heroin", "not_known"]}, "drugs"),
        ({"risk": "none"}, "risk"),
        ({"received_by": 99999}, "received_by"),
    ],
)
def test_what_a_referral_says_is_coded(clinic, change, field):
    with pytest.raises(Invalid) as refused:
        made.a_referral(clinic, **change)

    assert refused.value.faults[0][0] == field


def test_nobody_waits_twice_at_one_site(clinic):
    patient = base.a_patient(clinic.act)
    made.a_referral(clinic, patient_id=patient)

    with pytest.raises(Conflict, match="already waiting"):
        made.a_referral(clinic, patient_id=patient)


def test_somebody_of_another_site_is_referred_only_with_a_reason_and_joins_the_caseload(
    database, clinic
):
    other = made.a_clinic(database)
    patient = base.a_patient(other.act)

    with pytest.raises(OutsideCaseload):
        made.a_referral(clinic, patient_id=patient)

    may_break = replace(clinic.act, rights=made.EVERY_RIGHT | {"breakglass.use"})
    break_glass(may_break, patient, "arriving", "Referred by the court")
    made.a_referral(clinic, patient_id=patient)
    assert in_caseload(clinic.act, patient)


def test_a_new_person_and_their_referral_are_registered_both_or_neither(database, clinic):
    person = {
        "family_name": "Lloyd", "given_name": "Gwen", "born_on": date(1990, 5, 4),
        "sex": "female", "demo": True,
    }  # fmt: skip
    referral = {"referred_at": base.NOW, "source": "gp", "drugs": ["heroin"], "risk": None}

    with pytest.raises(Invalid):
        referral_commands.refer_new_person(clinic.act, person, {**referral, "source": "?"})
    with database.reading() as session:
        assert session.scalar(select(Patient).where(Patient.family_name == "Lloyd")) is None

    made_id = referral_commands.refer_new_person(clinic.act, person, referral)
    assert listed(clinic.act) == [made_id]


def test_nobody_is_referred_after_death(database, clinic):
    patient = base.a_patient(clinic.act)
    with database.transaction() as session:
        session.get_one(Patient, patient).died_on = date(2026, 11, 1)

    with pytest.raises(Conflict, match="has died"):
        made.a_referral(clinic, patient_id=patient)


def test_referring_needs_its_right(clinic):
    patient = base.a_patient(clinic.act)

    with pytest.raises(Forbidden):
        made.a_referral(
            clinic, act=replace(clinic.act, rights=frozenset({"patients.read"})),
            patient_id=patient,
        )  # fmt: skip


# -- correct, support, send on, seen, close, undo


def test_a_correction_keeps_what_was_and_why(clinic):
    referral = made.a_referral(clinic)

    referral_commands.correct_referral(
        clinic.act, referral, version=1, reason="Misread the fax",
        referred_at=base.NOW - timedelta(days=2), risk="high", source="arrest_referral",
        drugs=["heroin"],
    )  # fmt: skip

    step = visit_queries.referral_page(clinic.act, referral).steps[-1]
    assert step.what == "Corrected"
    assert step.detail == (
        "Referred at was Wed 4 Nov 2026, 09:00. Clinical risk was not known. Misread the fax"
    )
    assert the_referral(clinic, referral).risk == "high"


def test_a_stale_correction_says_who_changed_it(clinic):
    referral = made.a_referral(clinic)
    referral_commands.record_support(clinic.act, referral, version=1)

    with pytest.raises(Stale, match="Nia Bevan changed this"):
        referral_commands.correct_referral(clinic.act, referral, version=1, reason="x", risk="low")


@pytest.mark.proves("RP-03")
def test_under_model_1_support_on_record_clears_the_flag_and_its_undo_brings_it_back(database):
    clinic = made.a_clinic(database, model=1, weekdays=())
    referral = made.a_referral(clinic)

    def flags() -> list[str]:
        return [flag.rule for flag in queries.wait_list(clinic.act).rows[0].flags]

    assert flags() == ["RP-03"]
    referral_commands.record_support(clinic.act, referral, version=1)
    assert flags() == []
    referral_commands.undo_referral(clinic.act, referral, version=2, reason="Wrong person")
    assert flags() == ["RP-03"]


@pytest.mark.proves("RP-02")
@pytest.mark.parametrize(("days", "flagged"), [(14, False), (15, True)])
def test_under_model_1_an_outside_appointment_over_fourteen_days_away_is_flagged(
    database, days, flagged
):
    clinic = made.a_clinic(database, model=1, weekdays=())
    referral = made.a_referral(clinic)

    referral_commands.send_on(
        clinic.act, referral, version=1, sent_to="primary_care", sent_to_name="Dr Pugh",
        outside_at=base.NOW + timedelta(days=days),
    )  # fmt: skip

    rules = [flag.rule for flag in queries.wait_list(clinic.act).rows[0].flags]
    assert ("RP-02" in rules) is flagged


def test_being_seen_elsewhere_ends_the_wait_and_can_be_undone(clinic):
    referral = made.a_referral(clinic, referred_at=base.NOW - timedelta(days=3))

    referral_commands.record_seen(
        clinic.act, referral, version=1, seen_at=base.NOW - timedelta(days=1)
    )
    assert listed(clinic.act) == []
    referral_commands.undo_referral(clinic.act, referral, version=2, reason="Not them")

    assert listed(clinic.act) == [referral]
    assert the_referral(clinic, referral).seen_at is None


def test_nobody_is_seen_before_the_referral_or_in_the_future(clinic):
    referral = made.a_referral(clinic)

    for seen_at in (base.NOW - timedelta(minutes=1), base.NOW + timedelta(minutes=1)):
        with pytest.raises(Invalid, match="seen_at"):
            referral_commands.record_seen(clinic.act, referral, version=1, seen_at=seen_at)


def test_a_referral_with_a_visit_ahead_is_closed_only_after_the_visit_is_cancelled(clinic):
    booked = made.a_booking(clinic)

    with pytest.raises(Conflict, match="Cancel it first"):
        referral_commands.close_referral(
            clinic.act, booked.referral_id, version=1, reason="declined"
        )

    commands.cancel_visit(clinic.act, booked.id, version=1, reason="declined", by_whom="patient")
    referral_commands.close_referral(clinic.act, booked.referral_id, version=1, reason="declined")
    assert listed(clinic.act) == []
    referral_commands.undo_referral(
        clinic.act, booked.referral_id, version=2, reason="Changed their mind"
    )
    assert listed(clinic.act) == [booked.referral_id]


def test_an_arrival_is_undone_at_the_visit_and_not_at_the_referral(clinic):
    booked = made.a_booking(clinic)
    outcome_commands.record_arrived(clinic.at(booked.place.starts_at), booked.id, version=1)

    with pytest.raises(Conflict, match="Undo that"):
        referral_commands.undo_referral(
            clinic.at(booked.place.ends_at), booked.referral_id, version=2, reason="Wrong"
        )


# -- the wait list


def test_the_wait_list_goes_by_time_left_then_by_risk_and_never_by_name(clinic):
    def waits(name: str, days: int, risk: str | None) -> int:
        patient = base.a_patient(clinic.act, family_name=name)
        return made.a_referral(
            clinic, patient_id=patient, referred_at=base.NOW - timedelta(days=days), risk=risk
        )

    low = waits("Aaron", 1, "low")
    unknown = waits("Beynon", 1, None)
    medium = waits("Cadwgan", 1, "medium")
    high = waits("Zephaniah", 1, "high")
    longest = waits("Young", 2, "low")

    assert listed(clinic.act) == [longest, high, unknown, medium, low]


@pytest.mark.proves("RP-05")
def test_full_slots_flag_the_wait_of_whoever_has_no_place(database, clinic):
    for _ in range(6):
        made.a_booking(clinic)
    referral = made.a_referral(clinic)

    row = next(row for row in queries.wait_list(clinic.act).rows if row.referral_id == referral)

    assert [flag.rule for flag in row.flags] == ["RP-05"]
    assert row.wait.because == "first_free"


def test_each_service_is_held_against_the_limit_of_its_own_model(database):
    def over(model: int | None) -> bool | None:
        clinic = made.a_clinic(database, model=model, weekdays=())
        made.a_referral(clinic, referred_at=base.NOW - timedelta(days=5))
        return queries.wait_list(clinic.act).rows[0].wait.over

    assert [over(model) for model in (1, 2, 3, None)] == [False, True, None, None]


def test_the_list_is_audited_by_the_patients_it_shows(database, clinic):
    referral = made.a_referral(clinic)
    patient = the_referral(clinic, referral).patient_id
    act = clinic.at(base.NOW)

    queries.wait_list(act)

    note = act.session.info["audit_notes"][-1]
    assert (note.action, note.detail) == ("appointments.wait_listed", {"patients": [patient]})
    with database.reading() as session:
        done = session.scalars(select(AuditEntry.action)).all()
    assert "appointments.referred" in done


def test_another_sites_referrals_are_not_listed(database, clinic):
    made.a_referral(clinic)

    assert listed(made.a_clinic(database).act) == []


# -- offers


@pytest.mark.proves("RP-05")
def test_offers_show_the_first_free_places_with_the_wait_each_would_mean(clinic):
    referral = made.a_referral(clinic, referred_at=base.NOW - timedelta(days=2))

    found = place_queries.offers(clinic.act, referral)

    assert [(each.wait.days, each.wait.over) for each in found.offers] == [
        (2, False), (2, False), (4, True), (4, True), (7, True), (7, True),
    ]  # fmt: skip
    assert (found.offers[0].doctor, found.offers[0].worker) == ("Dr Owen Hughes", "Sian Price")
    assert found.first.says.startswith("The first free place is on Wed 4 Nov 2026, 2 days after")


def test_a_look_at_later_days_passes_no_place_over_and_claims_no_first_place(clinic):
    made.a_session(clinic, weekday=5, starts=time(13), ends=time(17, 30))
    referral, friday = made.a_referral(clinic), base.NOW.date() + timedelta(days=2)

    found = place_queries.offers(clinic.act, referral, from_on=friday, whole_days=True)

    days = [each.place.starts_at.date() for each in found.offers]
    assert days == [friday] * 5 + [friday + timedelta(days=3)] * 2
    assert found.first.says.startswith("A visit on Fri 6 Nov 2026 is 2 days after referral.")
    for only in (place_queries.Only(with_staff=clinic.nurse.id), place_queries.Only(room_id=999)):
        nothing = place_queries.offers(clinic.act, referral, only=only)
        assert nothing.first.says.startswith("Waiting since referral: 0 days so far.")


def test_no_place_is_offered_where_no_opioid_is_used(clinic):
    found = place_queries.offers(clinic.act, made.a_referral(clinic, drugs=["crack", "alcohol"]))

    assert (found.offers, found.crack_pathway) == ((), True)
