"""Whose holidays decide when medicine can be collected? Those of the pharmacy, never ours."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from clinic.act import Act
from clinic.db import Database
from clinic.errors import Conflict, Invalid
from clinic.release import premises
from clinic.release.models import PremisesFact
from clinic.scripts import commands, facts
from clinic.scripts.models import Script
from clinic.scripts.queries import SHUT, waiting
from clinic.scripts.shut_commands import arrange_shut_day
from clinic.sites.commands import change_calendar, withdraw_calendar_change
from dosing.days import ONE_DAY
from tests.factories.prescriptions import an_assessed_patient
from tests.factories.scripts import (
    MON_TO_SAT,
    a_daily_decision,
    a_draft,
    a_pharmacy,
    a_script_clinic,
    an_issued_script,
    somebody_dosed,
)
from tests.support.people import Door

TODAY = date(2026, 11, 4)
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


# -- shut after the form was issued ----------------------------------------------------------


FRI = date(2026, 11, 6)  # a collection day of a form from Wed 4 Nov, nothing but a Friday


def on_the_list(act: Act) -> list[tuple[date, str | None, str]]:
    return [(each.due, each.risk, each.why) for _, each in waiting(act)]


@pytest.mark.proves("S-06", "L-10")
def test_a_collection_day_shut_after_the_form_was_issued_is_flagged_until_it_is_put_right(
    database: Database,
) -> None:
    clinic = a_script_clinic(database)
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    script_id = an_issued_script(act, clinic, patient_id, decision_id)
    assert on_the_list(act) == []
    words = act.session.get_one(Script, script_id).paper
    manager = replace(act, rights=act.rights | {"release.plan", "sites.manage", "staff.manage"})
    line = (FRI - ONE_DAY, SHUT, "The pharmacy is now shut on Fri 6 Nov, a collection day: "
            f"replace form {script_id}")  # fmt: skip

    # A bank holiday, a closure and another week each raise it at once, and are gone with it.
    change = change_calendar(manager, "england_and_wales", FRI, "added", announced_on=TODAY,
                             name="Day of mourning")  # fmt: skip
    assert on_the_list(act) == [line]
    withdraw_calendar_change(manager, change)
    assert on_the_list(act) == []
    [closure] = premises.close_premises(manager, clinic.pharmacy_id, FRI, FRI, reason="Flooded")
    assert on_the_list(act) == [line]
    assert act.session.get_one(Script, script_id).paper == words, "the form is not changed"

    # A form from that day on takes its place: collected the day before, on a day it is open.
    new = an_issued_script(
        act, clinic, patient_id, decision_id, replaces_id=script_id, from_on=FRI,
        to_on=TODAY + timedelta(days=13),
    )  # fmt: skip
    first = act.session.get_one(Script, new).instalments[0]
    assert (first.due_on, first.first_on) == (FRI - ONE_DAY, FRI)
    assert SHUT not in [risk for _, risk, _ in on_the_list(act)]
    assert premises_fact_stands(act, closure)


def premises_fact_stands(act: Act, fact_id: int) -> bool:
    return act.session.get_one(PremisesFact, fact_id).struck_at is None


def test_a_form_that_ends_early_is_still_looked_at_and_can_be_ended_earlier(
    database: Database,
) -> None:
    clinic = a_script_clinic(database)
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    manager = replace(act, rights=act.rights | {"release.plan"})
    script_id = an_issued_script(act, clinic, patient_id, decision_id)
    commands.cancel_script(
        act, patient_id, script_id, from_on=FRI + ONE_DAY, reason="They move away then"
    )
    commands.record_call(act, patient_id, script_id, who="Mr Evans")
    week = {day: hours for day, hours in MON_TO_SAT.items() if day != "fri"}
    premises.set_week(manager, clinic.pharmacy_id, week, nation="england_and_wales", reason="New")
    assert [risk for _, risk, _ in on_the_list(act)].count(SHUT) == 1

    with pytest.raises(Invalid, match="still covers"):
        commands.cancel_script(
            act, patient_id, script_id, from_on=FRI + 2 * ONE_DAY, reason="Once more later"
        )
    commands.cancel_script(act, patient_id, script_id, from_on=FRI, reason="Shut on Fridays now")

    row = act.session.get_one(Script, script_id)
    assert (row.last_on, row.called_at) == (FRI - ONE_DAY, None)
    assert row.earlier_endings is not None
    kept = row.earlier_endings[0]
    assert (kept["ended_from_on"], kept["called_who"]) == ("2026-11-07", "Mr Evans")
    found = [(risk, why) for _, risk, why in on_the_list(act)]
    assert ("Pharmacy not told", f"Call the pharmacy: form {script_id} is cancelled") in found
    assert SHUT not in [risk for risk, _ in found]


def test_hours_nobody_knows_any_more_are_asked_about(database: Database) -> None:
    clinic = a_script_clinic(database)
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    an_issued_script(act, clinic, patient_id, decision_id)
    with clinic.database.transaction() as session:
        session.execute(text("UPDATE premises_fact SET nation = NULL"))

    [(due, _, why)] = on_the_list(clinic.act())

    assert due == TODAY and why.startswith("Nobody knows when the pharmacy is open")


def test_page_and_api_of_the_form_say_which_collection_and_what_closes_it(
    database: Database, clock: Any, door: Door
) -> None:
    clinic = a_script_clinic(database)
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    script_id = an_issued_script(act, clinic, patient_id, decision_id)
    acting = replace(act, rights=act.rights | {"release.plan"})
    premises.close_premises(acting, clinic.pharmacy_id, FRI, FRI, reason="Flooded")
    prescriber = door.by_page("prescriber", site=clinic.site, level="prescriber")
    at = f"/patients/{patient_id}/prescription-forms"

    page = prescriber.get(f"{at}/{script_id}").get_data(as_text=True)
    new = prescriber.get(f"{at}/{script_id}/replace").get_data(as_text=True)
    held = prescriber.get(at).get_data(as_text=True)
    [said] = door.by_token("nurse", site=clinic.site).get(f"/api/v1{at}/{script_id}").json["shut"]

    assert "Fri 6 Nov 2026: the dose of Fri 6 Nov 2026 cannot be collected then" in page
    assert "hand it out on Thu 5 Nov 2026" in page and "Pharmacy shut" in held
    assert f"{at}/{script_id}/replace" in page and f"{at}/{script_id}/cancel" in page
    assert re.search(r'name="from_on-day"[^>]*value="6"', new), "from the day that is shut"
    assert (said["due_on"], said["before_on"], said["worded"]) == ("2026-11-06", "2026-11-05", True)


@pytest.mark.proves("S-06")
def test_a_shut_day_is_closed_by_an_agreement_the_forms_wording_allows_and_no_other(
    database: Database, clock: Any, door: Door
) -> None:
    clinic = a_script_clinic(database)
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    script_id = an_issued_script(act, clinic, patient_id, decision_id)
    acting = replace(act, rights=act.rights | {"release.plan"})
    premises.close_premises(acting, clinic.pharmacy_id, FRI, FRI, reason="Flooded")
    nurse = door.by_token("nurse", site=clinic.site)
    page = door.by_page("nurse", site=clinic.site)
    form = f"/patients/{patient_id}/prescription-forms/{script_id}"
    given = {"due_on": "2026-11-06", "who": "Mr Evans", "patient_told": "By telephone, today"}

    wrong = nurse.post(f"/api/v1{form}/shut-days", json={**given, "due_on": "2026-11-05"})
    asked = page.get(f"{form}/shut-days/2026-11-06").get_data(as_text=True)
    absent = page.get(f"{form}/shut-days/2026-11-05")
    arranged = nurse.post(f"/api/v1{form}/shut-days", json=given)
    again = nurse.post(f"/api/v1{form}/shut-days", json=given)

    assert (wrong.status_code, absent.status_code) == (422, 404)
    assert "hand it out on Thu 5 Nov 2026" in asked
    record = page.get(f"/patients/{patient_id}").text
    assert "methadone to Tue 17 Nov 2026" in record and "30 mg " in record
    assert (arranged.status_code, again.status_code) == (201, 409)
    assert SHUT not in [risk for _, risk, _ in on_the_list(clinic.act())]
    assert "Mr Evans at the pharmacy agreed" in page.get(form).get_data(as_text=True)
    # Shut on the day before as well: what was arranged holds no longer, nor once it is struck out.
    thursday = FRI - ONE_DAY
    [more] = premises.close_premises(
        acting, clinic.pharmacy_id, thursday, thursday, reason="Flooded"
    )
    assert (thursday - ONE_DAY, SHUT) in [(on, risk) for on, risk, _ in on_the_list(clinic.act())]
    premises.strike_premises_fact(acting, more, reason="Dry again since")
    struck = nurse.post(
        f"/api/v1{form}/shut-days/{arranged.json['id']}/strike",
        json={"reason": "They cannot come on Thursday"},
    )
    assert struck.status_code == 204
    assert (thursday, SHUT) in [(on, risk) for on, risk, _ in on_the_list(clinic.act())]


def test_a_form_without_the_wording_is_replaced_not_agreed_on(database: Database) -> None:
    clinic = a_script_clinic(database)
    patient_id, decision_id = somebody_dosed(clinic, days=2)
    act = clinic.act()
    script_id = an_issued_script(
        act, clinic, patient_id, decision_id, to_on=TODAY + ONE_DAY,
        directions=["three_day", "supervise"],
    )  # fmt: skip
    acting = replace(act, rights=act.rights | {"release.plan"})
    day = TODAY + ONE_DAY
    premises.close_premises(acting, clinic.pharmacy_id, day, day, reason="Flooded")

    with pytest.raises(Conflict, match="replace it"):
        arrange_shut_day(
            act, patient_id, script_id, due_on=day, who="Mr Evans", patient_told="In person"
        )
