"""Whose holidays decide when medicine can be collected? Those of the pharmacy, never ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from clinic.db import Database
from clinic.errors import Invalid
from clinic.release import commands as premises
from clinic.scripts import commands, facts
from tests.factories.prescriptions import an_assessed_patient
from tests.factories.scripts import (
    a_daily_decision,
    a_draft,
    a_pharmacy,
    a_script_clinic,
    somebody_dosed,
)

NEW_YEARS_EVE = datetime(2025, 12, 31, 9, 0, tzinfo=UTC)  # a Wednesday
NEW_YEAR_AFTER, EASTER_MONDAY = date(2026, 1, 2), date(2026, 4, 6)


@pytest.mark.parametrize(
    ("service", "pharmacy", "open_on", "shut_on"),
    [
        ("england_and_wales", "scotland", EASTER_MONDAY, NEW_YEAR_AFTER),
        ("scotland", "england_and_wales", NEW_YEAR_AFTER, EASTER_MONDAY),
    ],
)
def test_a_pharmacy_is_shut_on_the_holidays_of_its_own_nation(
    database: Database, service: str, pharmacy: str, open_on: date, shut_on: date
) -> None:
    clinic = a_script_clinic(database, nation=service)
    act = clinic.act()
    there = a_pharmacy(act, nation=pharmacy, name="Border Pharmacy")

    opening = facts.opening(act, there)

    assert opening.is_open(open_on)
    assert not opening.is_open(shut_on)


def test_a_form_for_a_scottish_pharmacy_is_collected_before_the_second_of_january(
    database: Database,
) -> None:
    """From an English service; the pharmacy opens on New Year's Day out of the ordinary."""
    clinic = a_script_clinic(database, at=NEW_YEARS_EVE)
    patient_id = an_assessed_patient(clinic, at=NEW_YEARS_EVE)
    act = clinic.act(at=NEW_YEARS_EVE)
    decision_id = a_daily_decision(act, patient_id, days=5)
    first = NEW_YEARS_EVE.date()

    amounts = {}
    for nation in ("england_and_wales", "scotland"):
        there = a_pharmacy(act, nation=nation, name=nation)
        premises.open_premises(
            replace(act, rights=act.rights | {"release.plan"}), there, date(2026, 1, 1),
            ["10:00-12:00"], reason="A rota for New Year's Day",
        )  # fmt: skip
        script_id = a_draft(
            act, clinic, patient_id, decision_id, premises_id=there, from_on=first,
            to_on=first + timedelta(days=4),
        )  # fmt: skip
        plan = commands.check_script(act, patient_id, script_id).made.plan
        amounts[nation] = {each.due_on.day: each.amount for each in plan.instalments}

    assert amounts["england_and_wales"] == {31: 30, 1: 30, 2: 30, 3: 60}
    assert amounts["scotland"] == {31: 30, 1: 60, 3: 60}


def test_a_pharmacy_nobody_knows_the_nation_of_is_not_read_as_ours(database: Database) -> None:
    clinic = a_script_clinic(database)
    with clinic.database.transaction() as session:  # a week recorded before anybody was asked
        session.execute(text("UPDATE premises_fact SET nation = NULL"))
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    script_id = a_draft(act, clinic, patient_id, decision_id)

    with pytest.raises(Invalid, match="whose bank holidays"):
        commands.check_script(act, patient_id, script_id)
