"""Prescribed, handed over and consumed are three facts; a day whose dose is at home is not missed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from clinic.consumption import commands, supply_commands
from clinic.consumption.board import board
from clinic.consumption.models import DoseEvent
from clinic.consumption.queries import hatch_record
from clinic.consumption.supply_models import DispensedDose
from tests.factories.base import NOW
from tests.factories.consumption import CHECKED, a_dose, ready_for_a_dose
from tests.factories.prescriptions import a_clinic, a_decision, an_assessed_patient, an_entry

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
TODAY = NOW.date()
HOME = {"collections": [{"collect_on": TODAY.isoformat(), "supervised": True, "take_home_days": 2}]}


@pytest.fixture
def clinic(database, clock):
    clock.set(NOW + MINUTE)
    return a_clinic(database)


def somebody(clinic, **history):
    """A dose of today taken here; those of tomorrow and the day after may be taken home."""
    patient = an_assessed_patient(clinic, **history)
    act = clinic.act()
    ready_for_a_dose(act, patient)
    act.session.close()
    act = clinic.act()
    decision = a_decision(act, patient, "25", supply=HOME)
    act.session.close()
    act = clinic.act(clinic.nurse)
    a_dose(act, patient, decision)
    act.session.close()
    return patient, decision


def hand_over(clinic, patient, decision, *days):
    act = clinic.act(clinic.nurse, at=NOW + MINUTE)
    try:
        return supply_commands.dispense(
            act, patient, decision, dates=[TODAY + day * DAY for day in days], **CHECKED
        )
    finally:
        act.session.close()


def missed_on(clinic, patient, days):
    act = clinic.act(clinic.nurse, at=NOW + days * DAY)
    try:
        return list(hatch_record(act, patient).ladder.missed_on)
    finally:
        act.session.close()


@pytest.mark.proves("RP-33")
def test_a_dose_handed_over_is_dispensed_not_consumed_and_its_day_is_not_missed(clinic):
    patient, decision = somebody(clinic)

    hand_over(clinic, patient, decision, 1)

    with clinic.database.reading() as session:
        handed = list(session.scalars(select(DispensedDose).order_by(DispensedDose.dose_on)))
        eaten = list(session.scalars(select(DoseEvent)))
    assert [(row.how, row.dose_on) for row in handed] == [
        ("supervised", TODAY), ("take_home", TODAY + DAY),
    ]  # fmt: skip
    assert [row.dose_on for row in eaten] == [TODAY]
    assert missed_on(clinic, patient, 3) == [TODAY + 2 * DAY], "only the day nothing was handed for"
    act = clinic.act(clinic.nurse, at=NOW + DAY)
    (row,) = board(act).rows
    assert (row.outcome, row.attended) == ("at_home", True)


def test_what_went_home_may_still_be_said_to_be_missed_and_then_it_is(clinic):
    patient, decision = somebody(clinic)
    hand_over(clinic, patient, decision, 1, 2)
    act = clinic.act(clinic.nurse, at=NOW + 2 * DAY)

    commands.record_dose(act, patient, decision, outcome="missed", consumed_at=NOW + DAY)
    act.session.close()

    assert missed_on(clinic, patient, 2) == [TODAY + DAY]


def test_a_dose_at_home_is_not_given_again_at_the_hatch(clinic):
    patient, decision = somebody(clinic)
    hand_over(clinic, patient, decision, 1)
    act = clinic.act(clinic.nurse, at=NOW + DAY)
    ready_for_a_dose(act, patient)

    with pytest.raises(commands.GatesShut) as refused:
        commands.record_dose(act, patient, decision, outcome="taken", **CHECKED)

    assert "recorded" in {each.gate for each in refused.value.verdict.shut}


CHILDREN = "Children must never see or reach it"


@pytest.mark.parametrize(
    ("history", "stored", "warned", "advised"),
    [
        ({"children_at_home": False}, False, False, False),
        ({"children_at_home": True}, False, True, True),
        ({"children_at_home": True}, True, False, True),
    ],
)
def test_how_to_keep_it_from_children_is_shown_before_it_is_handed_over(
    clinic, door, history, stored, warned, advised
):
    patient, decision = somebody(clinic, **history)
    if stored:
        act = clinic.act(clinic.nurse)
        an_entry(act, patient, "assessment",
                 {"item": "safe_storage", "finding": "nothing_of_concern"})  # fmt: skip
        act.session.close()
    nurse = door.by_page("nurse", site=clinic.site)

    page = nurse.get(f"/patients/{patient}/doses/take-home/{decision}").get_data(as_text=True)

    assert "Keep your medicine locked away" in page
    assert (CHILDREN in page) is advised
    assert ("Record safe storage</a>" in page) is warned
    assert page.index("Keep your medicine locked away") < page.index('name="dates"')
    assert "checked" not in page


def test_nothing_to_take_home_is_offered_where_every_dose_is_taken_here(clinic, door):
    patient, _ = somebody(clinic)
    supervised = an_assessed_patient(clinic)
    act = clinic.act()
    a_decision(act, supervised, "25")
    act.session.close()
    nurse = door.by_page("nurse", site=clinic.site)

    offered, not_offered = (
        "Hand over doses to take home" in nurse.get(f"/patients/{each}/doses").text
        for each in (patient, supervised)
    )

    assert (offered, not_offered) == (True, False)


def test_doses_to_take_home_are_ticked_by_hand_and_a_wrong_day_is_named(clinic, door):
    patient, decision = somebody(clinic)
    nurse = door.by_page("nurse", site=clinic.site)
    path = f"/patients/{patient}/doses/take-home/{decision}"
    checked = {"identity": "name_and_birth", "intoxication": "clear"}

    for wrong in ((), ("²",), ("0001-01-01",), ("9" * 5000,), ((TODAY + 9 * DAY).isoformat(),)):
        assert nurse.post(path, data={**checked, "dates": list(wrong)}).status_code == 422, wrong
    done = nurse.post(path, data={**checked, "dates": [(TODAY + DAY).isoformat()]})

    assert done.status_code == 302
    page = nurse.get(path).get_data(as_text=True)
    assert (TODAY + DAY).isoformat() not in page and (TODAY + 2 * DAY).isoformat() in page
