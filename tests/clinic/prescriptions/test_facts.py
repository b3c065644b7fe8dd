"""Whose rows, which days, what level: the facts a check is built from."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic.assessments.scales import COWS_ITEMS, cows_total
from clinic.custody.commands import receive_prisoner
from clinic.errors import Conflict, Invalid
from clinic.patients.commands import merge_patients
from clinic.prescriptions.commands import FactsMissing, Stopped
from clinic.prescriptions.doses import supplied_days
from clinic.prescriptions.facts import Gathered
from clinic.prescriptions.judging import judged
from clinic.prescriptions.models import DoseDecision
from clinic.prescriptions.queries import replay
from tests.factories.base import NOW, a_member_of_staff, a_patient, an_act
from tests.factories.prescriptions import (
    COWS_14,
    a_clinic,
    a_decision,
    a_dose_taken,
    a_supply,
    an_assessed_patient,
    an_entry,
    an_order,
)

WED = date(2026, 11, 4)


def test_the_doses_of_a_joined_record_count(database):
    clinic = a_clinic(database)
    patient = an_assessed_patient(clinic)
    other = an_assessed_patient(clinic)
    act = clinic.act()
    a_dose_taken(act, other, a_decision(act, other, "30"))
    act.session.close()
    manager = a_member_of_staff(database, clinic.site, "manager")
    merging = an_act(database, manager, clinic.site)
    merge_patients(merging, patient, other, "The same person twice")
    merging.session.close()

    with pytest.raises(Stopped) as stopped:
        a_decision(clinic.act(at=NOW + timedelta(minutes=1)), patient, "30")

    assert "M-D1-07" in {each["rule"] for each in stopped.value.answer["findings"]}


@pytest.mark.parametrize(
    ("collection", "days"),
    [
        ({"collect_on": "2026-11-04", "supervised": True}, [4]),
        ({"collect_on": "2026-11-04", "supervised": True, "take_home_days": 2}, [4, 5, 6]),
        ({"collect_on": "2026-11-05", "supervised": False, "take_home_days": 2}, [4, 5, 6]),
        ({"collect_on": "2026-11-04", "daily_until_on": "2026-11-07", "supervised": True},
         [4, 5, 6, 7]),
    ],
)  # fmt: skip
def test_a_supply_has_a_dose_for_each_of_its_days(collection, days):
    found = supplied_days(WED, {"collections": [collection]})

    assert sorted(each.day for each in found) == days


def test_each_day_of_a_supply_is_asked_about_before_the_next_order(database):
    clinic = a_clinic(database)
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    decision = a_decision(act, patient, "25", supply=a_supply(daily_until_on="2026-11-10"))
    a_dose_taken(act, patient, decision)
    act.session.close()

    with pytest.raises(FactsMissing) as missing:
        a_decision(clinic.act(at=NOW + timedelta(days=3)), patient, "25")

    assert [each.on for each in missing.value.missing] == [date(2026, 11, 5), date(2026, 11, 6)]


def test_a_supply_that_covers_the_day_counts_until_it_is_replaced(database):
    clinic = a_clinic(database)
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    decision = a_decision(act, patient, "25", supply=a_supply(daily_until_on="2026-11-10"))
    a_dose_taken(act, patient, decision)
    act.session.close()
    act = clinic.act(at=NOW + timedelta(days=1))
    supply = a_supply(act.at)

    with pytest.raises(Stopped):
        a_decision(act, patient, "30", supply=supply)
    second = a_decision(act, patient, "30", supply=supply, replaces_id=decision)

    assert replay(act, second).same
    with pytest.raises(Conflict, match="withdrawn before"):
        a_dose_taken(
            clinic.act(at=NOW + timedelta(days=1, minutes=5)), patient, decision,
            consumed_at=NOW + timedelta(days=1, minutes=5),
        )  # fmt: skip


@pytest.mark.proves("P-10")
def test_in_prison_the_reception_and_the_plan_are_asked_for_first(database):
    clinic = a_clinic(database, kind="prison")
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    order = an_order("10")

    with pytest.raises(FactsMissing) as missing:
        a_decision(act, patient, order=order, supply={"in_possession": False})
    assert {each.kind for each in missing.value.missing} == {"custody", "reception"}
    act.session.close()

    healthcare = a_member_of_staff(database, clinic.site, "prison_healthcare")
    receiving = an_act(database, healthcare, clinic.site)
    receive_prisoner(
        receiving,
        patient_id=patient,
        received_at=NOW - timedelta(hours=2),
        screening="positive",
        screened_at=NOW - timedelta(hours=1),
        demo=True,
    )
    receiving.session.close()
    an_entry(act, patient, "custody", {"status": "remand", "plan": "stabilisation"})
    with pytest.raises(FactsMissing) as missing:  # nor is a dose doubled that was taken in a cell
        a_decision(act, patient, order=order, supply={"in_possession": False})
    assert {each.kind for each in missing.value.missing} == {"arrival"}
    an_entry(act, patient, "arrival", {"where": "prison", "dose_taken_today": False})
    with pytest.raises(Stopped) as stopped:
        a_decision(act, patient, order=order, supply={"in_possession": True})
    assert "P-10" in {each["rule"] for each in stopped.value.answer["findings"]}

    decision = a_decision(act, patient, order=order, supply={"in_possession": False})
    row = act.session.get_one(DoseDecision, decision)
    assert row.request["prison"]["status"] == "remand"
    assert row.request["setting"] == "prison"
    assert replay(act, decision).same


def test_only_a_prescriber_records_that_a_prescriber_assessed(database):
    clinic = a_clinic(database)
    act = clinic.act(clinic.nurse)
    patient = a_patient(act)
    data = {"item": "prescriber_assessed", "finding": "nothing_of_concern"}

    with pytest.raises(Exception, match="prescribing.prescribe"):
        an_entry(act, patient, "assessment", data)

    assert an_entry(clinic.act(), patient, "assessment", data)


def test_a_dose_can_only_be_what_was_decided(database):
    clinic = a_clinic(database)
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    decision = a_decision(act, patient, "25")

    for wrong in (
        {"outcome": "part", "dose_mg": None},
        {"outcome": "swallowed"},
        {"increment": 2},
        {"consumed_at": NOW + timedelta(minutes=1)},
        {"consumed_at": NOW - timedelta(days=1)},
    ):
        with pytest.raises(Invalid):
            a_dose_taken(act, patient, decision, **wrong)


@pytest.mark.parametrize("item", COWS_ITEMS, ids=lambda item: item.name)
def test_only_the_scores_of_the_published_scale_are_legal(item):
    for score in range(-1, 7):
        scores = {**COWS_14, item.name: score}
        if score in item.scores:
            assert cows_total(scores) == sum(scores.values())
        else:
            with pytest.raises(ValueError, match=item.name):
                cows_total(scores)


def test_the_scale_goes_from_0_to_48():
    assert sum(max(item.scores) for item in COWS_ITEMS) == 48
    assert all(min(item.scores) == 0 for item in COWS_ITEMS)


def test_no_stamp_of_one_record_is_given_twice(database):
    clinic = a_clinic(database)
    patient = an_assessed_patient(clinic)
    stamps = [
        row.recorded_at
        for row in clinic.act().session.scalars(select(_entries()).order_by(_entries().id))
    ]

    assert stamps == sorted(set(stamps)) and len(stamps) > 5
    assert patient


def _entries():
    from clinic.assessments.models import ClinicalEntry

    return ClinicalEntry


# -- a dose of the day nobody knows to have been taken ---------------------------------------


def with_a_dose_planned(
    missed, dose_mg, planned_mg, *, product="methadone_oral_solution", long=True, **order
):
    """60 mg a day (buprenorphine: 8 mg) until some days were missed; then an order beside a plan."""
    daily = "60" if product == "methadone_oral_solution" else "8"
    last = WED - timedelta(days=missed + 1)
    steady = {
        "product": product, "daily_dose_mg": daily, "supervision": "supervised",
        "from_on": (last - timedelta(days=40 if long else 4)).isoformat(),
        "to_on": last.isoformat(),
    }  # fmt: skip
    plan = {"product": product, "dose_mg": planned_mg, "consumed_at": NOW.isoformat()}
    happened = {
        "case": "", "rule_set": "uk-2017", "decided_at": NOW.isoformat(), "setting": "hospital",
        "patient": {"date_of_birth": "1990-01-01", "sex": "female", "conditions": [],
                    "medicines": [], "substance_use": []},
        "prescriber": {"experienced": True}, "opioid_use": [],
        "assessment": {"prescriber_assessed_at": [NOW.isoformat()]},
        "treatment_history": {"doses": [], "steady_doses": [steady]},
        "order": {"product": product, "phase": "maintenance", "dose_mg": dose_mg,
                  "stocked_strengths_mg": ["2"], **order},
    }  # fmt: skip
    counted = {**happened, "treatment_history": {"doses": [plan], "steady_doses": [steady]}}
    return Gathered(counted, happened, (), (), None, [], [], [])


def missed_day_findings(gathered):
    beside, answer = judged(gathered, ())
    return beside, {
        each["rule"]: each["severity"] for each in answer["findings"] if "-MD-" in each["rule"]
    }


@pytest.mark.parametrize(
    ("missed", "dose_mg", "planned_mg", "found"),
    [
        (2, "10", "21", {"M-MD-01": "INFO"}),
        (3, "10", "19.999", {}), (3, "10", "20", {}), (3, "10", "20.001", {"M-MD-03": "ALERT"}),
        (4, "20.001", "10", {"M-MD-03": "ALERT"}), (5, "10", "10", {"M-MD-04": "STOP"}),
    ],
)  # fmt: skip
def test_a_planned_dose_counts_in_the_total_after_missed_days_and_does_not_end_them(
    missed, dose_mg, planned_mg, found
):
    gathered = with_a_dose_planned(missed, dose_mg, planned_mg)

    assert missed_day_findings(gathered)[1] == found


def test_each_dose_still_to_come_and_each_unit_adds_to_that_total():
    twice = with_a_dose_planned(3, "5", "20.001", doses_remaining_today=2)
    micrograms = with_a_dose_planned(3, None, "20.001", dose_micrograms="10000")
    unreadable = with_a_dose_planned(4, "10", "1", dose_micrograms="10000")

    assert missed_day_findings(twice)[1] == {"M-MD-03": "ALERT"}
    assert missed_day_findings(micrograms)[1] == {"M-MD-03": "ALERT"}
    assert judged(unreadable, ())[1]["outcome"] == "STOP"


@pytest.mark.parametrize(
    ("missed", "found"), [(1, {}), (2, {"M-MD-05": "ALERT"}), (3, {"M-MD-03": "ALERT"})]
)
def test_a_planned_dose_hides_no_missed_days_of_an_induction(missed, found):
    gathered = with_a_dose_planned(missed, "20", "20", long=False)

    assert missed_day_findings(gathered)[1] == found


@pytest.mark.parametrize(
    ("missed", "assessed", "found"),
    [
        (0, True, {}), (1, True, {"B-MD-01": "INFO"}), (2, True, {"B-MD-01": "INFO"}),
        (3, True, {}), (3, False, {"B-MD-02": "STOP"}), (4, False, {"B-MD-02": "STOP"}),
        (5, True, {"B-MD-04": "STOP"}),
    ],
)  # fmt: skip
def test_a_planned_dose_hides_no_missed_days_of_buprenorphine(missed, assessed, found):
    gathered = with_a_dose_planned(missed, "4", "4", product="buprenorphine_sublingual")
    if not assessed:
        gathered.request["assessment"].clear()

    beside, answer = missed_day_findings(gathered)

    assert answer == found
    assert (beside is None) == (missed == 0), "where nothing was missed one request says it all"


def test_a_planned_dose_makes_no_first_dose_after_a_long_break_a_later_one():
    gathered = with_a_dose_planned(6, "10", "5", phase="re_induction")

    found = {each["rule"] for each in judged(gathered, ())[1]["findings"]}

    assert "G-AS-01" in found, "it asks for the assessment of a first dose"
