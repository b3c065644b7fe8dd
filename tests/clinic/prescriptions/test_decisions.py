"""No dose the rules stop can be saved: by any order, by two people at once, or by corrections."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from clinic.assessments.models import ClinicalEntry
from clinic.audit import AuditEntry
from clinic.consumption import corrections as consumption
from clinic.consumption.models import DoseEvent
from clinic.errors import Conflict, Forbidden, Invalid, OutsideCaseload
from clinic.prescriptions import commands
from clinic.prescriptions.commands import FactsMissing, ReasonNeeded, Stopped
from clinic.prescriptions.judging import answer_beside
from clinic.prescriptions.models import DoseDecision, DoseStop
from clinic.prescriptions.queries import prescribing_record, replay
from dosing.check import check
from tests.factories.base import NOW, a_member_of_staff, a_patient, a_site, an_act
from tests.factories.prescriptions import (
    a_clinic,
    a_decision,
    a_dose_taken,
    a_supply,
    an_assessed_patient,
    an_entry,
    an_observation,
    an_order,
)

HOUR = timedelta(hours=1)


@pytest.fixture
def clinic(database):
    return a_clinic(database)


def rules(answer_or_row):
    return {each["rule"]: each["severity"] for each in answer_or_row["findings"]}


def the_decision(clinic, decision_id):
    with clinic.database.reading() as session:
        return session.get_one(DoseDecision, decision_id)


def actions(clinic, patient_id):
    with clinic.database.reading() as session:
        return list(
            session.scalars(
                select(AuditEntry.action)
                .where(AuditEntry.patient_id == patient_id)
                .order_by(AuditEntry.id)
            )
        )


def test_a_first_dose_nothing_speaks_against_is_saved_with_what_it_was_judged_on(clinic):
    patient = an_assessed_patient(clinic)

    row = the_decision(clinic, a_decision(clinic.act(), patient, "25"))

    assert (row.outcome, row.dose_mg, row.rule_set) == ("PASS", Decimal(25), "uk-2017")
    assert row.request["order"]["dose_mg"] == "25"
    assert row.request["prescriber"] == {"experienced": False}
    assert row.reason_code is None
    assert "prescribing.decided" in actions(clinic, patient)


@pytest.mark.proves("RP-23", "M-FD-01", "A17", "A18")
@pytest.mark.parametrize("dose", ["60", "120", "60.001"])
def test_a_full_therapeutic_start_is_stopped_whoever_orders_it(database, dose):
    clinic = a_clinic(database, level="experienced")
    patient = an_assessed_patient(clinic)

    with pytest.raises(Stopped) as stopped:
        a_decision(clinic.act(), patient, dose)

    assert rules(stopped.value.answer)["M-FD-01"] == "STOP"
    with database.reading() as session:
        assert session.scalars(select(DoseDecision)).all() == []
        assert session.scalars(select(DoseStop)).one().patient_id == patient
    assert "prescribing.stopped" in actions(clinic, patient)


@pytest.mark.proves("RP-23", "M-D1-06", "M-D1-07")
def test_thirty_and_thirty_on_day_one_is_stopped(clinic):
    patient = an_assessed_patient(clinic)
    first = clinic.act()
    a_dose_taken(first, patient, a_decision(first, patient, "30"))
    first.session.close()
    later = clinic.act(at=NOW + 4 * HOUR)
    an_observation(later, patient)

    with pytest.raises(Stopped) as stopped:
        a_decision(later, patient, "30")

    assert {"M-D1-06", "M-D1-07"} <= set(rules(stopped.value.answer))


@pytest.mark.proves("RP-23")
def test_a_dose_decided_on_and_not_yet_given_counts(clinic):
    patient = an_assessed_patient(clinic)
    a_decision(clinic.act(), patient, "30")

    with pytest.raises(Stopped) as stopped:
        a_decision(clinic.act(at=NOW + timedelta(minutes=1)), patient, "30")

    assert {"M-D1-01", "M-D1-07"} <= set(rules(stopped.value.answer))


def test_a_dose_planned_for_later_today_counts_in_an_order_for_now(clinic):
    patient = an_assessed_patient(clinic)
    a_decision(clinic.act(), patient, "20", decided_at=NOW + 2 * HOUR)

    with pytest.raises(Stopped) as stopped:
        a_decision(clinic.act(at=NOW + timedelta(minutes=1)), patient, "20")

    assert "M-D1-01" in rules(stopped.value.answer)


def test_every_dose_still_to_come_of_a_decision_counts(clinic):
    patient = an_assessed_patient(clinic)
    a_decision(clinic.act(), patient, order=an_order("10", doses_remaining_today=2))

    answer, planned = commands.check_dose(
        clinic.act(at=NOW + 5 * HOUR), patient, order=an_order("11"),
        decided_at=NOW + 5 * HOUR, supply=a_supply(),
    )  # fmt: skip

    assert len(planned) == 1
    assert "M-D1-10" in rules(answer), "10, 10 and 11 mg are more than 30"


@pytest.mark.proves("RP-23")
def test_striking_out_the_first_dose_opens_no_way_to_a_second(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    decision = a_decision(act, patient, "30")
    dose = a_dose_taken(act, patient, decision)
    consumption.strike_dose(act, patient, dose, "Entered for the wrong patient")
    commands.withdraw_decision(act, patient, decision, "Entered for the wrong patient")
    act.session.close()

    with pytest.raises(Stopped):
        a_decision(clinic.act(at=NOW + timedelta(minutes=5)), patient, "30")


@pytest.mark.proves("RP-23")
def test_correcting_taken_to_not_taken_opens_no_way_to_a_second(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    decision = a_decision(act, patient, "30")
    consumption.strike_dose(act, patient, a_dose_taken(act, patient, decision), "Entered in error")
    a_dose_taken(act, patient, decision, outcome="missed")
    act.session.close()

    with pytest.raises(Stopped):
        a_decision(clinic.act(at=NOW + timedelta(minutes=5)), patient, "30")


def test_a_second_person_settles_that_a_dose_was_not_taken(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    decision = a_decision(act, patient, "30")
    dose = a_dose_taken(act, patient, decision)
    consumption.strike_dose(act, patient, dose, "Entered for the wrong patient")
    commands.withdraw_decision(act, patient, decision, "Entered for the wrong patient")
    with pytest.raises(Invalid, match="somebody other"):
        consumption.agree_strike(act, patient, dose)
    act.session.close()

    consumption.agree_strike(clinic.act(clinic.nurse), patient, dose)

    assert a_decision(clinic.act(at=NOW + timedelta(minutes=5)), patient, "25")


def test_of_a_dose_and_its_doubtful_correction_the_larger_counts(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    decision = a_decision(act, patient, "30")
    dose = a_dose_taken(act, patient, decision)
    consumption.correct_dose(
        act, patient, dose, reason="Part was spat out", outcome="part", dose_mg=Decimal("5.5"),
        rest="spat_out",
    )  # fmt: skip
    act.session.close()
    record = prescribing_record(clinic.act(), patient)
    assert [row.dose_mg for row in record.doses if row.struck_at is None] == [Decimal("5.5")]

    answer, _ = commands.check_dose(
        clinic.act(at=NOW + 5 * HOUR), patient, order=an_order("10"), decided_at=NOW + 5 * HOUR,
        supply=a_supply(),
    )  # fmt: skip

    assert rules(answer).get("M-D1-10") == "STOP"


@pytest.mark.proves("RP-23")
def test_two_prescribers_at_once_cannot_each_order_half(fresh_database):
    clinic = a_clinic(fresh_database)
    other = a_member_of_staff(fresh_database, clinic.site, "prescriber", level="prescriber")
    patient = an_assessed_patient(clinic)
    both = threading.Barrier(2, timeout=10)
    ended: list[object] = []

    def order(staff):
        act = clinic.act(staff)
        both.wait()
        try:
            ended.append(a_decision(act, patient, "30"))
        except Stopped as stopped:
            ended.append(stopped)
        finally:
            act.session.close()

    threads = [
        threading.Thread(target=order, args=(staff,)) for staff in (clinic.prescriber, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(isinstance(each, Stopped) for each in ended) == [False, True]
    with fresh_database.reading() as session:
        assert len(session.scalars(select(DoseDecision)).all()) == 1
        assert len(session.scalars(select(DoseStop)).all()) == 1


def test_the_database_itself_refuses_a_stop_and_an_alert_without_reason(clinic):
    patient = an_assessed_patient(clinic)
    decision = a_decision(clinic.act(), patient, "25")

    for change in ("outcome = 'STOP'", "outcome = 'ALERT', reason_code = NULL"):
        with pytest.raises(IntegrityError), clinic.database.transaction() as session:
            session.execute(
                text(f"UPDATE dose_decision SET {change} WHERE id = :id"), {"id": decision}
            )


@pytest.mark.parametrize("table", ["clinical_entry", "dose_decision", "dose_event"])
def test_nothing_of_the_record_can_be_deleted(clinic, table):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    a_dose_taken(act, patient, a_decision(act, patient, "25"))
    act.session.close()

    with (
        pytest.raises(DatabaseError, match="never deleted"),
        clinic.database.transaction() as session,
    ):
        session.execute(text(f"DELETE FROM {table}"))


# -- alerts --------------------------------------------------------------------------------


def test_an_alert_needs_a_coded_and_a_typed_reason(clinic):
    patient = an_assessed_patient(clinic, substance_use=["benzodiazepine"])

    for given in (
        {"reason_code": None, "reason": None},
        {"reason_code": "because", "reason": "Discussed with the patient today"},
        {"reason_code": "benefit", "reason": "short"},
    ):
        with pytest.raises(ReasonNeeded) as needed:
            a_decision(clinic.act(), patient, "25", **given)
        assert "M-FD-05" in rules(needed.value.answer)

    row = the_decision(clinic, a_decision(clinic.act(), patient, "25"))
    assert (row.outcome, row.reason_code) == ("ALERT", "benefit")
    assert row.reason == "Discussed with the patient today"
    assert row.recorded_by == clinic.prescriber.id


def test_experience_comes_from_the_account_and_the_setting_from_the_site(database):
    clinic = a_clinic(
        database, level="experienced",
        features=("supervised_dispensing", "on_site_titration_protocol"),
    )  # fmt: skip
    patient = an_assessed_patient(clinic)

    row = the_decision(clinic, a_decision(clinic.act(), patient, "25"))

    assert row.request["prescriber"] == {"experienced": True}
    assert row.request["setting"] == "on_site"
    assert row.request["on_site_titration_protocol"] is True


# -- facts ---------------------------------------------------------------------------------


@pytest.mark.proves("RP-20", "XX-06", "G-AS-01")
def test_nothing_is_assumed_where_nothing_was_asked(clinic):
    act = clinic.act()
    patient = a_patient(act)

    with pytest.raises(FactsMissing) as missing:
        a_decision(act, patient, "20")
    assert {each.kind for each in missing.value.missing} == {
        "medical_history", "medicines", "opioid_use",
    }  # fmt: skip

    an_entry(act, patient, "medical_history", {"conditions": [], "substance_use": []})
    for topic in ("medicines", "opioid_use"):
        an_entry(act, patient, "asked", {"topic": topic})
    with pytest.raises(Stopped) as stopped:
        a_decision(act, patient, "20")
    found = rules(stopped.value.answer)
    assert {"G-AS-01", "G-DT-01"} <= set(found)


def days_missed(clinic, number, *, daily="20"):
    """A first dose of 20 mg, then so many days missed; a decision of before covers today too.

    The patient, that decision and today's act.
    """
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    a_dose_taken(act, patient, a_decision(act, patient, "20"))
    days = [NOW + timedelta(days=each) for each in range(10)]
    supply = {
        "collections": [{"collect_on": days[1].date().isoformat(), "supervised": True,
                         "daily_until_on": days[9].date().isoformat()}]
    }  # fmt: skip
    act = clinic.act(at=days[1])
    an_observation(act, patient)
    standing = a_decision(act, patient, daily, supply=supply)
    for day in days[1 : number + 1]:
        a_dose_taken(clinic.act(at=day), patient, standing, outcome="missed")
    today = clinic.act(at=days[number + 1])
    an_observation(today, patient)
    return patient, standing, today


@pytest.mark.proves("M-MD-02")
def test_a_dose_planned_for_today_does_not_end_days_that_were_missed(clinic):
    patient, standing, today = days_missed(clinic, 3)

    with pytest.raises(Stopped) as beside:
        a_decision(today, patient, "5")
    with pytest.raises(Stopped) as instead:
        a_decision(today, patient, "5", replaces_id=standing)

    assert "M-MD-02" in rules(beside.value.answer)
    assert "M-MD-02" in rules(instead.value.answer)
    with clinic.database.reading() as session:
        stop, other = session.scalars(select(DoseStop).order_by(DoseStop.id))
        assert answer_beside(check(stop.request), stop.beside, ()) == stop.answer
        assert (check(other.request), None) == (other.answer, other.beside)


@pytest.mark.proves("M-MD-03", "M-MD-05")
def test_an_alert_for_missed_days_beside_a_planned_dose_needs_a_reason_and_replays(clinic):
    patient, standing, today = days_missed(clinic, 3, daily="6")
    an_entry(today, patient, "assessment",
             {"item": "prescriber_assessed", "finding": "nothing_of_concern"})  # fmt: skip
    at_half = a_decision(today, patient, "4")
    commands.withdraw_decision(today, patient, at_half, "Entered in error")

    with pytest.raises(ReasonNeeded) as above:
        a_decision(today, patient, "5", reason=None)
    saved = a_decision(today, patient, "5")
    a_dose_taken(today, patient, standing, outcome="refused")
    two_missed, _, then = days_missed(clinic, 2)
    with pytest.raises(ReasonNeeded) as in_induction:
        a_decision(then, two_missed, "5", reason=None)

    assert "M-MD-03" not in rules(the_decision(clinic, at_half).answer)
    assert rules(above.value.answer)["M-MD-03"] == "ALERT"
    assert rules(in_induction.value.answer)["M-MD-05"] == "ALERT"
    row = the_decision(clinic, saved)
    found = next(each for each in row.findings if each["rule"] == "M-MD-03")
    assert found["facts"]["missed_days"] == 3 and found["facts"]["total_mg"] == "11"
    assert replay(today, saved).same and replay(today, at_half).same


@pytest.mark.proves("M-MD-03")
def test_a_dose_struck_out_and_not_agreed_on_does_not_end_missed_days(clinic):
    patient, standing, today = days_missed(clinic, 3, daily="6")
    an_entry(today, patient, "assessment",
             {"item": "prescriber_assessed", "finding": "nothing_of_concern"})  # fmt: skip
    commands.withdraw_decision(today, patient, standing, "Decided on anew")
    given = a_decision(today, patient, "6")
    consumption.strike_dose(today, patient, a_dose_taken(today, patient, given), "Nobody saw it")
    commands.withdraw_decision(today, patient, given, "Decided on anew")

    row = the_decision(clinic, a_decision(today, patient, "6"))

    assert rules(row.answer)["M-MD-03"] == "ALERT", "six, and six nobody knows of"
    assert replay(today, row.id).same


@pytest.mark.proves("RP-22", "G-DT-03")
def test_a_laboratory_result_stands_in_place_of_the_on_site_one_it_answers(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    kit = next(row.id for row in prescribing_record(clinic.act(), patient).of("drug_test"))
    an_entry(
        act, patient, "drug_test",
        {"sample": "urine", "method": "laboratory", "result": "opioid_negative",
         "confirms_id": kit},
        happened_at=NOW - HOUR,
    )  # fmt: skip

    with pytest.raises(Stopped) as stopped:
        a_decision(act, patient, "20")

    assert "G-DT-03" in rules(stopped.value.answer)


@pytest.mark.proves("RP-25", "G-IN-01", "G-AL-01")
@pytest.mark.parametrize(
    ("seen", "rule"),
    [
        ({"sedation": "3"}, "G-IN-01"),
        ({"hard_to_rouse_or_heavy_snoring": True}, "G-IN-01"),
        ({"breath_alcohol_micrograms_per_100ml": "35"}, "G-AL-01"),
    ],
)
def test_intoxication_stops_the_dose_and_asks_for_another_look(clinic, seen, rule):
    from clinic.prescriptions.queries import waiting

    patient = an_assessed_patient(clinic)
    act = clinic.act()
    an_observation(act, patient, **seen)

    with pytest.raises(Stopped) as stopped:
        a_decision(act, patient, "20")
    act.session.close()

    assert rules(stopped.value.answer)[rule] == "STOP"
    assert [each.risk for _, each in waiting(clinic.act())][0] == "Stopped"


@pytest.mark.proves("RP-32", "A17", "M-FD-01")
def test_a_claimed_dose_continues_only_once_prescriber_and_pharmacy_confirmed_it(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    an_entry(
        act, patient, "steady_dose",
        {"product": "methadone_oral_solution", "daily_dose_mg": "60", "from_on": "2026-08-01",
         "to_on": "2026-11-03", "supervision": "supervised"},
    )  # fmt: skip
    order = an_order("60", phase="continuation")

    with pytest.raises(Stopped) as claimed:
        a_decision(act, patient, order=order)
    for by in ("prescriber", "pharmacy"):
        an_entry(act, patient, "confirmation",
                 {"by": by, "outcome": "verified", "source": "Telephone, R. Jones"})  # fmt: skip
    row = the_decision(clinic, a_decision(act, patient, order=order))

    assert "M-FD-01" in rules(claimed.value.answer)
    assert "M-FD-01" not in rules(row.answer)


def test_a_claim_added_after_the_confirmation_is_not_confirmed(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    for by in ("prescriber", "pharmacy"):
        an_entry(act, patient, "confirmation",
                 {"by": by, "outcome": "verified", "source": "Telephone, R. Jones"})  # fmt: skip
    an_entry(
        act, patient, "steady_dose",
        {"product": "methadone_oral_solution", "daily_dose_mg": "90", "from_on": "2026-08-01",
         "to_on": "2026-11-03"},
    )  # fmt: skip

    with pytest.raises(Stopped) as stopped:
        a_decision(act, patient, order=an_order("90", phase="continuation"))

    assert "M-FD-01" in rules(stopped.value.answer)


def test_an_earlier_dose_nobody_answered_for_is_asked_about(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    decision = a_decision(act, patient, "25")
    act.session.close()
    tomorrow = NOW + timedelta(days=1)

    with pytest.raises(FactsMissing) as missing:
        a_decision(clinic.act(at=tomorrow), patient, "25")
    assert [(each.decision_id, each.on) for each in missing.value.missing] == [
        (decision, date(2026, 11, 4))
    ]

    act = clinic.act(at=tomorrow)
    a_dose_taken(act, patient, decision, consumed_at=NOW + HOUR)
    row = the_decision(clinic, a_decision(act, patient, "30"))
    assert "M-TI-10" in rules(row.answer)


def test_an_order_cannot_be_timed_before_what_is_known_or_decided(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()

    with pytest.raises(Invalid, match="already recorded"):
        a_decision(act, patient, decided_at=NOW - timedelta(minutes=5))
    with pytest.raises(Invalid, match="is to be taken"):
        a_decision(act, patient, decided_at=NOW - HOUR)
    with pytest.raises(Invalid, match="is to be taken"):
        a_decision(act, patient, decided_at=NOW + timedelta(days=15))
    a_decision(act, patient, "20", decided_at=NOW + timedelta(days=1),
               supply=a_supply(NOW + timedelta(days=1)))  # fmt: skip
    with pytest.raises(Conflict, match="later day"):
        a_decision(act, patient, "20")


def test_the_dose_day_is_londons_half_an_hour_after_midnight_in_july(database):
    at = datetime(2026, 7, 9, 23, 30, tzinfo=UTC)  # 00:30 on 10 July in London
    clinic = a_clinic(database, at=at)
    patient = an_assessed_patient(clinic, at)
    act = clinic.act(at=at)

    decision = a_decision(act, patient, "20")
    dose = a_dose_taken(act, patient, decision)
    act.session.close()

    assert the_decision(clinic, decision).dose_on == date(2026, 7, 10)
    with database.reading() as session:
        assert session.get_one(DoseEvent, dose).dose_on == date(2026, 7, 10)


@pytest.mark.parametrize("amount", ["0.1", "12.345", "25", "29.999"])
def test_milligrams_come_back_as_they_went_in(clinic, amount):
    patient = an_assessed_patient(clinic)
    act = clinic.act()

    row = the_decision(clinic, a_decision(act, patient, amount))

    assert row.dose_mg == Decimal(amount)
    assert row.request["order"]["dose_mg"] == amount
    stored = act.session.scalar(text("SELECT dose_micrograms FROM dose_decision"))
    assert stored == int(Decimal(amount) * 1000)


# -- replay --------------------------------------------------------------------------------


def test_a_decision_replays_as_it_was_saved_whatever_was_corrected_since(clinic):
    patient = an_assessed_patient(clinic, substance_use=["alcohol"])
    act = clinic.act()
    decision = a_decision(act, patient, "25")
    dose = a_dose_taken(act, patient, decision)
    with clinic.database.reading() as session:
        history = session.scalars(
            select(ClinicalEntry).where(ClinicalEntry.kind == "medical_history")
        ).one()
    an_entry(act, patient, "medical_history", {"conditions": ["coma"], "substance_use": []},
             replaces_id=history.id, reason="Wrong patient's history")  # fmt: skip
    an_observation(act, patient, sedation="4")
    consumption.strike_dose(act, patient, dose, "Entered in error")
    commands.withdraw_decision(act, patient, decision, "Entered in error")

    found = replay(act, decision)

    assert found.same
    assert found.now == found.saved


def test_a_second_decision_replays_with_what_it_counted(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    first = a_decision(act, patient, "10")
    act.session.close()
    later = clinic.act(at=NOW + 5 * HOUR)
    an_observation(later, patient)
    second = a_decision(later, patient, "10")
    a_dose_taken(later, patient, first, outcome="missed")

    assert replay(later, first).same
    assert replay(later, second).same


def test_a_replaced_decision_counts_no_longer_and_both_replay(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    first = a_decision(act, patient, "20")

    second = a_decision(act, patient, "25", replaces_id=first)

    row = the_decision(clinic, second)
    assert row.request["treatment_history"]["doses"] == []
    assert the_decision(clinic, first).withdrawn_reason == f"Replaced by decision {second}"
    assert replay(act, first).same and replay(act, second).same


def test_one_intention_sent_twice_is_one_decision(clinic):
    patient = an_assessed_patient(clinic)
    act = clinic.act()

    first = a_decision(act, patient, "20", once="a-key")
    again = a_decision(act, patient, "20", once="a-key")

    assert first == again


# -- who may -------------------------------------------------------------------------------


def test_a_nurse_a_manager_and_an_account_without_level_cannot_prescribe(clinic):
    patient = an_assessed_patient(clinic)
    manager = a_member_of_staff(clinic.database, clinic.site, "manager")
    unlevelled = a_member_of_staff(clinic.database, clinic.site, "prescriber")

    for staff in (clinic.nurse, manager, unlevelled):
        with pytest.raises(Forbidden):
            a_decision(clinic.act(staff), patient, "20")


def test_a_prescriber_of_another_site_cannot_prescribe_without_breaking_the_glass(clinic):
    patient = an_assessed_patient(clinic)
    elsewhere = a_site(clinic.database)
    stranger = a_member_of_staff(clinic.database, elsewhere, "prescriber", level="prescriber")

    with pytest.raises(OutsideCaseload):
        a_decision(an_act(clinic.database, stranger, elsewhere), patient, "20")


def test_an_order_is_refused_where_the_site_has_chosen_no_rules(database):
    clinic = a_clinic(database, rule_set=None)
    patient = an_assessed_patient(clinic)

    with pytest.raises(Invalid, match="rule_set"):
        a_decision(clinic.act(), patient, "20")


def test_the_same_order_falls_under_the_sites_own_rules(database):
    clinic = a_clinic(database, rule_set="era-2003")
    patient = an_assessed_patient(clinic)

    assert the_decision(clinic, a_decision(clinic.act(), patient, "20")).rule_set == "era-2003"
