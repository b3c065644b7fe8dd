"""A dose is given through the interlock, once; what was wrong is put right and nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text

from clinic.assessments.models import ClinicalEntry
from clinic.audit import AuditEntry
from clinic.consumption import commands, corrections, gates
from clinic.consumption.commands import AlreadyRecorded
from clinic.consumption.gates import GatesShut
from clinic.consumption.models import BrokenGate, DoseEvent, GateCheck
from clinic.consumption.queries import to_acknowledge, verdict_at
from clinic.consumption.supply_models import DispensedDose
from clinic.errors import Conflict, Forbidden, Invalid
from clinic.prescriptions.commands import Stopped, withdraw_decision
from clinic.prescriptions.queries import prescribing_record
from clinic.sites.commands import add_feature
from tests.factories.base import NOW, a_member_of_staff, an_act
from tests.factories.consumption import CHECKED, a_dose, a_place, ready_for_a_dose
from tests.factories.prescriptions import (
    a_clinic,
    a_decision,
    a_lead,
    a_supply,
    an_assessed_patient,
    an_entry,
    an_observation,
    an_order,
)
from tests.factories.titration import a_review

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
DAILY = {"daily_until_on": "2026-11-17"}


@pytest.fixture
def clinic(database):
    return a_clinic(database)


@pytest.fixture
def patient(clinic):
    return an_assessed_patient(clinic)


def act_of(clinic, staff=None, at=NOW):
    return clinic.act(staff or clinic.nurse, at=at)


def decided(clinic, patient, mg="25", at=NOW, **more):
    act = clinic.act(at=at)
    decision = a_decision(act, patient, mg, **more)
    act.session.close()
    return decision


def rows(clinic, model):
    with clinic.database.reading() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def give(clinic, patient, decision, at=NOW, **more):
    """As somebody at the hatch does it, with whatever stands on the record already."""
    act = act_of(clinic, at=at)
    try:
        return commands.record_dose(
            act, patient, decision, **{"outcome": "taken", **CHECKED, **more}
        )
    finally:
        act.session.close()


def shut_by(refused) -> set[tuple[str, str]]:
    return {(each.gate, each.code) for each in refused.value.verdict.shut}


# -- the gates -----------------------------------------------------------------------------


@pytest.mark.proves("RP-33", "RP-25")
def test_with_everything_in_order_a_dose_is_given_in_one_go(clinic, patient):
    decision = decided(clinic, patient)
    act = act_of(clinic)
    a_place(act, patient)
    a_review(act, patient, "start")
    act.session.close()

    given = give(clinic, patient, decision, supervision="supervised")

    (event,) = rows(clinic, DoseEvent)
    assert given.first and (event.id, event.outcome, event.dose_mg) == (given.id, "taken", 25)
    assert [(row.kind, row.clear) for row in rows(clinic, GateCheck)] == [
        ("identity", True), ("intoxication", True),
    ]  # fmt: skip
    (handed,) = rows(clinic, DispensedDose)
    assert (handed.how, handed.dose_mg, handed.decision_id) == ("supervised", 25, decision)
    assert event.place == "Here, at this service"


def leave_out(*names):
    return dict.fromkeys(names)


@pytest.mark.proves("RP-25", "RP-33", "RP-35")
@pytest.mark.parametrize(
    ("missing", "gate"),
    [
        ("place", ("place", "not_set")),
        ("review", ("review", "none")),
        ("identity", ("identity", "not_asked")),
        ("intoxication", ("intoxication", "not_looked")),
    ],
)
def test_one_thing_left_out_keeps_the_dose_shut(clinic, patient, missing, gate):
    decision = decided(clinic, patient)
    act = act_of(clinic)
    if missing != "place":
        a_place(act, patient)
    if missing != "review":
        a_review(act, patient, "start")
    act.session.close()
    checks = leave_out(missing) if missing in CHECKED else {}

    with pytest.raises(GatesShut) as refused:
        give(clinic, patient, decision, **checks)

    assert shut_by(refused) == {gate}
    assert rows(clinic, DoseEvent) == [] and rows(clinic, GateCheck) == []
    assert refused.value.more["gates"][0]["opened_by"]


@pytest.mark.parametrize("says", ["withhold", "stop", "lower"])
def test_a_review_that_leaves_no_dose_shuts_whatever_was_decided(clinic, patient, says):
    decision = decided(clinic, patient)
    act = act_of(clinic, at=NOW + MINUTE)
    a_place(act, patient)
    a_review(act, patient, says)
    act.session.close()

    with pytest.raises(GatesShut) as refused:
        give(clinic, patient, decision, at=NOW + 2 * MINUTE)

    assert [gate for gate, _ in shut_by(refused)] == ["review"]
    if says == "lower":
        lower = decided(clinic, patient, "20", at=NOW + 3 * MINUTE, replaces_id=decision)
        assert give(clinic, patient, lower, at=NOW + 4 * MINUTE).first


@pytest.mark.proves("RP-25")
def test_signs_of_intoxication_stand_on_the_record_though_nothing_was_given(clinic, patient):
    decision = decided(clinic, patient)
    act = act_of(clinic)
    ready_for_a_dose(act, patient)
    act.session.close()
    look = {"result": "signs", "signs": ["slurred_speech", "unsteady"], "sedation": "2",
            "breath_alcohol_micrograms_per_100ml": "35"}  # fmt: skip

    with pytest.raises(GatesShut) as refused:
        give(clinic, patient, decision, at=NOW + MINUTE, intoxication=look)

    assert ("intoxication", "positive") in shut_by(refused)
    (check,) = rows(clinic, GateCheck)
    assert check.signs == ["slurred_speech", "unsteady"] and not check.clear
    seen = next(row for row in rows(clinic, ClinicalEntry) if row.id == check.entry_id)
    assert seen.data == {"sedation": "2", "breath_alcohol_micrograms_per_100ml": "35"}
    with pytest.raises(GatesShut) as again:
        give(clinic, patient, decision, at=NOW + 2 * MINUTE)
    assert ("review", "after_positive") in shut_by(again)


def test_somebody_whose_identity_could_not_be_confirmed_gets_no_dose_and_no_glass(clinic, patient):
    decision = decided(clinic, patient)
    act = act_of(clinic)
    ready_for_a_dose(act, patient)
    act.session.close()
    glass = {"reason_code": "urgent", "reason": "She says that she is who she is"}

    with pytest.raises(GatesShut) as refused:
        give(clinic, patient, decision, identity={"how": "not_confirmed"}, glass=glass)

    assert shut_by(refused) == {("identity", "not_confirmed")}
    assert rows(clinic, BrokenGate) == []


def test_what_was_measured_at_the_hatch_is_judged_at_once(clinic, patient):
    decision = decided(clinic, patient)
    act = act_of(clinic)
    ready_for_a_dose(act, patient)
    act.session.close()

    with pytest.raises(GatesShut) as refused:
        give(clinic, patient, decision, at=NOW + MINUTE,
             intoxication={"result": "clear", "sedation": "3"})  # fmt: skip

    assert shut_by(refused) == {("rules", "stop")}
    assert "G-IN-01" in {each["rule"] for each in refused.value.hatch.judged.findings}


def test_nothing_is_given_on_a_decision_withdrawn_or_for_another_day(clinic, patient):
    decision = decided(clinic, patient)
    act = clinic.act(at=NOW + MINUTE)
    ready_for_a_dose(act, patient)
    withdraw_decision(act, patient, decision, "Patient is to be seen first")
    act.session.close()

    with pytest.raises(Conflict, match="withdrawn"):
        give(clinic, patient, decision, at=NOW + 2 * MINUTE)
    with pytest.raises(Invalid, match="on a day this decision has"):
        give(clinic, patient, decision, at=NOW + DAY)


def test_each_day_of_a_supply_has_its_own_gates_and_rules(clinic, patient):
    decision = decided(clinic, patient, supply=a_supply(**DAILY))
    act = act_of(clinic)
    a_dose(act, patient, decision)
    act.session.close()
    tomorrow = NOW + DAY

    with pytest.raises(GatesShut) as refused:
        give(clinic, patient, decision, at=tomorrow)
    assert shut_by(refused) == {("review", "none")}

    act = act_of(clinic, at=tomorrow)
    a_review(act, patient)
    act.session.close()
    assert give(clinic, patient, decision, at=tomorrow).first
    with pytest.raises(GatesShut) as skipped:
        give(clinic, patient, decision, at=tomorrow + 2 * DAY)
    assert ("rules", "unknown") in shut_by(skipped), "nobody said what became of the day between"


@pytest.mark.proves("RP-39", "M-MD-02")
def test_after_three_missed_days_only_an_assessment_and_a_new_decision_open_the_lock(
    clinic, patient
):
    decision = decided(clinic, patient, supply=a_supply(**DAILY))
    act = act_of(clinic)
    a_dose(act, patient, decision)
    act.session.close()
    for days in (1, 2, 3):
        give(
            clinic, patient, decision, at=NOW + days * DAY, outcome="missed", **leave_out(*CHECKED)
        )
    back = NOW + 4 * DAY
    act = clinic.act(at=back)
    an_observation(act, patient)
    a_review(act, patient)
    act.session.close()
    glass = {"reason_code": "urgent", "reason": "He travels today and cannot wait"}

    def refused(at, decision):
        with pytest.raises(GatesShut) as found:
            give(clinic, patient, decision, at=at, glass=glass)
        return dict(shut_by(found))

    assert refused(back, decision)["missed_doses"] == "not_assessed"
    act = clinic.act(at=back + MINUTE)
    an_entry(act, patient, "assessment",
             {"item": "prescriber_assessed", "finding": "nothing_of_concern"})  # fmt: skip
    act.session.close()
    assert refused(back + 2 * MINUTE, decision)["missed_doses"] == "not_decided"
    lower = decided(clinic, patient, "10", at=back + 3 * MINUTE, replaces_id=decision,
                    supply=a_supply(back))  # fmt: skip
    assert give(clinic, patient, lower, at=back + 4 * MINUTE).first


# -- break-glass -----------------------------------------------------------------------------

GLASS = {"reason_code": "nobody_to_review", "reason": "Dr Pugh reviewed by phone, line then lost"}


@pytest.mark.proves("RP-25")
def test_break_glass_passes_a_missing_review_and_waits_for_the_clinical_lead(clinic, patient):
    lead = a_lead(clinic)
    decision = decided(clinic, patient)
    act = act_of(clinic)
    a_place(act, patient)
    act.session.close()

    given = give(clinic, patient, decision, glass=GLASS)

    (broken,) = rows(clinic, BrokenGate)
    assert given.first and (broken.kind, broken.gates) == ("glass", ["review"])
    assert (broken.decision_id, broken.increment, broken.reason) == (decision, 1, GLASS["reason"])
    with pytest.raises(Forbidden):
        gates.acknowledge(act_of(clinic), broken.id)
    assert [row.id for row, _, _ in to_acknowledge(act_of(clinic, lead))] == [broken.id]
    gates.acknowledge(act_of(clinic, lead), broken.id, "Spoken to; the line is mended")
    assert to_acknowledge(act_of(clinic, lead)) == []
    actions = [row.action for row in rows(clinic, AuditEntry)]
    assert {"consumption.gate_passed", "consumption.acknowledged"} <= set(actions)


def test_nobody_acknowledges_their_own_and_a_reason_is_needed(clinic, patient):
    lead = a_lead(clinic)
    decision = decided(clinic, patient)
    act = act_of(clinic, lead)
    a_place(act, patient)

    with pytest.raises(Invalid, match="must say why"):
        gates.break_glass(act, patient, decision, 1, reason_code="urgent", reason="now")
    row = gates.break_glass(act, patient, decision, 1, **GLASS)
    with pytest.raises(Invalid, match="your own"):
        gates.acknowledge(act, row)


def test_break_glass_is_for_one_dose_and_only_where_something_is_missing(clinic, patient):
    decision = decided(clinic, patient, order=an_order("10", doses_remaining_today=2))
    act = act_of(clinic)
    a_place(act, patient)
    gates.break_glass(act, patient, decision, 1, **GLASS)
    _, first = verdict_at(act, patient, decision, 1)
    _, second = verdict_at(act, patient, decision, 2)
    assert set(first.passed) == {"identity", "intoxication", "review"} and first.open
    assert not second.open and second.passed == ()

    ready_for_a_dose(act, patient)
    gates.record_checks(act, patient, **CHECKED)
    with pytest.raises(Conflict, match="Nothing is missing"):
        gates.break_glass(act, patient, decision, 2, **GLASS)


# -- one effective record -------------------------------------------------------------------


def test_the_same_twice_is_the_first_record_and_something_else_is_shown_it(clinic, patient):
    decision = decided(clinic, patient)
    act = act_of(clinic)
    ready_for_a_dose(act, patient)
    act.session.close()

    first = give(clinic, patient, decision)
    again = give(clinic, patient, decision, at=NOW + MINUTE)
    with pytest.raises(AlreadyRecorded) as other:
        give(clinic, patient, decision, at=NOW + MINUTE, outcome="refused", **leave_out(*CHECKED))

    assert (again.id, first.first, again.first) == (first.id, True, False)
    assert other.value.more["first"]["id"] == first.id
    assert "Nia Lloyd" in other.value.detail and "09:00" in other.value.detail
    assert len(rows(clinic, DoseEvent)) == 1 and len(rows(clinic, GateCheck)) == 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"outcome": "part"}, "dose_mg"),
        ({"outcome": "part", "dose_mg": Decimal("25")}, "dose_mg"),
        ({"outcome": "part", "dose_mg": Decimal("5")}, "rest"),
        ({"outcome": "taken", "dose_mg": Decimal("5")}, "dose_mg"),
        ({"outcome": "missed", "rest": "destroyed"}, "rest"),
        ({"outcome": "withheld"}, "why_code"),
        ({"outcome": "withheld", "why_code": "sedated"}, "withheld_by"),
        ({"outcome": "refused", "why_code": "sedated"}, "why_code"),
        ({"outcome": "not_taken"}, "outcome"),
        ({"identity": {"how": "by_face"}}, "identity"),
        ({"intoxication": {"result": "signs"}}, "signs"),
        ({"intoxication": {"result": "clear", "signs": ["drowsy"]}}, "signs"),
        ({"intoxication": {"result": "signs", "signs": ["other"]}}, "note"),
    ],
)
def test_an_outcome_lacks_nothing_and_has_nothing_it_cannot_have(clinic, patient, wrong, field):
    decision = decided(clinic, patient)

    with pytest.raises(Invalid) as refused:
        give(clinic, patient, decision, **wrong)

    assert [name for name, _ in refused.value.faults] == [field]


@pytest.mark.proves("RP-33")
def test_what_was_not_swallowed_is_recorded_whatever_the_gates_say(clinic, patient):
    decision = decided(clinic, patient, order=an_order("5", doses_remaining_today=3))
    checks = leave_out(*CHECKED)

    give(clinic, patient, decision, outcome="withheld", why_code="intoxicated",
         withheld_by="Dr Huw Pugh", increment=1, **checks)  # fmt: skip
    give(clinic, patient, decision, outcome="refused", rest="destroyed", increment=2, **checks)
    give(clinic, patient, decision, outcome="missed", increment=3, **checks)

    found = {row.outcome: row for row in rows(clinic, DoseEvent)}
    assert found["withheld"].withheld_by == "Dr Huw Pugh"
    assert [row.increment for row in rows(clinic, DispensedDose)] == [2], "only it was poured"
    assert all(row.dose_mg is None for row in found.values())


def test_where_the_site_asks_for_it_a_second_person_watches(clinic, patient):
    manager = a_member_of_staff(clinic.database, clinic.site, "manager")
    act = an_act(clinic.database, manager, clinic.site)
    add_feature(act, clinic.site.id, "second_observer")
    act.session.close()
    decision = decided(clinic, patient)
    act = act_of(clinic)
    ready_for_a_dose(act, patient)
    act.session.close()
    elsewhere = a_clinic(clinic.database).nurse

    for wrong in (None, clinic.nurse.id, elsewhere.id, 999_999):
        with pytest.raises(Invalid, match="observer_id"):
            give(clinic, patient, decision, observer_id=wrong)
    give(clinic, patient, decision, observer_id=clinic.prescriber.id)

    assert rows(clinic, DoseEvent)[0].observer_id == clinic.prescriber.id
    with pytest.raises(Exception, match="observer_is_another"):  # noqa: SIM117
        with clinic.database.transaction() as session:
            session.execute(text("UPDATE dose_event SET observer_id = recorded_by"))


# -- afterwards ------------------------------------------------------------------------------


def test_a_vomited_dose_counts_and_another_is_a_decision_judged_with_it(clinic, patient):
    decision = decided(clinic, patient, "20")
    act = act_of(clinic)
    ready_for_a_dose(act, patient)
    act.session.close()
    dose = give(clinic, patient, decision).id
    act = act_of(clinic, at=NOW + 20 * MINUTE)
    with pytest.raises(Invalid, match="seen_by"):
        commands.record_vomited(act, patient, dose, vomited_at=NOW, seen="seen")
    commands.record_vomited(act, patient, dose, vomited_at=NOW + 15 * MINUTE, seen="seen",
                            seen_by="Nia Lloyd")  # fmt: skip
    act.session.close()
    with pytest.raises(Stopped):
        decided(clinic, patient, "20", at=NOW + 30 * MINUTE)
    later = NOW + timedelta(hours=5)
    act = clinic.act(at=later)
    an_observation(act, patient)
    act.session.close()

    again = decided(clinic, patient, "10", at=later)
    with pytest.raises(Invalid, match="replaces_id"):
        give(clinic, patient, again, at=later + MINUTE, replaces_id=999_999)
    second = give(clinic, patient, again, at=later + MINUTE, replaces_id=dose)

    row = next(row for row in rows(clinic, DoseEvent) if row.id == second.id)
    assert (row.replaces_id, row.increment) == (dose, 2)
    act = clinic.act(at=later + 2 * MINUTE)
    counted = {each.dose_mg for each in prescribing_record(act, patient).doses}
    assert counted == {20, 10}


def test_a_correction_is_a_new_event_and_the_larger_amount_counts_until_agreed(clinic, patient):
    decision = decided(clinic, patient)
    act = act_of(clinic)
    dose = a_dose(act, patient, decision).id

    new = corrections.correct_dose(
        act, patient, dose, reason="She spat half of it out", outcome="part",
        dose_mg=Decimal("12.5"), rest="spat_out",
    )  # fmt: skip
    with pytest.raises(Conflict, match="already struck out"):
        corrections.correct_dose(act, patient, dose, reason="Said it again", outcome="missed")

    old, row = rows(clinic, DoseEvent)
    assert (old.struck_reason, row.id, row.corrects_id) == ("She spat half of it out", new, dose)
    assert (row.increment, row.dose_on, row.dose_mg) == (1, old.dose_on, Decimal("12.5"))


def test_not_taken_becomes_taken_only_through_the_gates_as_they_stood(clinic, patient):
    decision = decided(clinic, patient)
    act = act_of(clinic)
    ready_for_a_dose(act, patient)
    act.session.close()
    dose = give(clinic, patient, decision, at=NOW + MINUTE, outcome="missed",
                **leave_out(*CHECKED)).id  # fmt: skip
    act = act_of(clinic, at=NOW + timedelta(hours=2))
    said = {"reason": "Recorded before he came in", "outcome": "taken",
            "consumed_at": NOW + 10 * MINUTE}  # fmt: skip

    with pytest.raises(GatesShut) as refused:
        corrections.correct_dose(act, patient, dose, **said)
    new = corrections.correct_dose(act, patient, dose, **said, **CHECKED)

    assert dict(shut_by(refused)) == {"identity": "not_asked", "intoxication": "not_looked"}
    assert [(row.id, row.outcome, row.struck_at is None) for row in rows(clinic, DoseEvent)] == [
        (dose, "missed", False), (new, "taken", True),
    ]  # fmt: skip


def test_a_dose_struck_out_as_not_taken_is_not_given_again_before_a_second_person_agrees(
    clinic, patient
):
    decision = decided(clinic, patient)
    act = act_of(clinic)
    dose = a_dose(act, patient, decision).id
    corrections.strike_dose(act, patient, dose, "It was another patient")
    act.session.close()

    with pytest.raises(GatesShut) as refused:
        give(clinic, patient, decision, at=NOW + MINUTE)
    assert ("recorded", "in_doubt") in shut_by(refused)

    corrections.agree_strike(clinic.act(), patient, dose)
    assert give(clinic, patient, decision, at=NOW + MINUTE).first


def test_an_incident_opens_nothing_counts_from_then_on_and_alerts_the_lead(clinic, patient):
    decision = decided(clinic, patient, "30")
    act = act_of(clinic, at=NOW + timedelta(hours=1))
    wrong = {"product": "methadone_oral_solution", "dose_mg": Decimal("30"),
             "consumed_at": NOW + MINUTE, "reason_code": "given_before_checks",
             "reason": "Given before anybody had looked", "decision_id": decision}  # fmt: skip

    dose = commands.record_incident(act, patient, **wrong)

    (event,) = rows(clinic, DoseEvent)
    (broken,) = rows(clinic, BrokenGate)
    assert event.id == dose and event.incident and event.increment == 2
    assert broken.kind == "incident" and {"identity", "intoxication", "review"} <= set(broken.gates)
    a_place(act, patient)
    a_review(act, patient)
    act.session.close()
    with pytest.raises(GatesShut) as refused:
        give(clinic, patient, decision, at=NOW + timedelta(hours=1))
    assert shut_by(refused) == {("rules", "stop")}, "30 and 30 on day 1"


def test_a_check_is_struck_out_by_another_when_it_speaks_against_a_dose(clinic, patient):
    act = act_of(clinic)
    bad, good = (
        gates.record_checks(act, patient, intoxication=look)[0]
        for look in ({"result": "signs", "signs": ["drowsy"]}, {"result": "clear"})
    )
    gates.strike_check(act, patient, good, "Another patient's look")
    with pytest.raises(Invalid, match="somebody else must look"):
        gates.strike_check(act, patient, bad, "I was mistaken about it")
    act.session.close()

    gates.strike_check(clinic.act(), patient, bad, "Seen again: he is awake and clear")

    assert [row.struck_at is not None for row in rows(clinic, GateCheck)] == [True, True]


@pytest.mark.parametrize("table", ["gate_check", "broken_gate", "dispensed_dose"])
def test_nothing_of_the_hatch_can_be_deleted(clinic, patient, table):
    decision = decided(clinic, patient)
    act = act_of(clinic)
    a_place(act, patient)
    act.session.close()
    give(clinic, patient, decision, glass=GLASS)

    with (
        pytest.raises(Exception, match="never deleted"),
        clinic.database.transaction() as session,
    ):
        session.execute(text(f"DELETE FROM {table}"))
