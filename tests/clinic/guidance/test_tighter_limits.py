"""A clinical lead makes a limit stricter for their site; nobody makes one looser."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from clinic.errors import Conflict, Forbidden, Invalid, NotFound
from clinic.guidance import commands
from clinic.guidance.facts import site_limits_on
from clinic.guidance.models import LimitTightening
from clinic.prescriptions.commands import Stopped, check_dose
from clinic.prescriptions.models import DoseDecision
from clinic.prescriptions.queries import replay
from clinic.roles import RIGHTS
from clinic.sites.commands import choose_rule_set
from dosing import check as checking
from dosing.check import rulebook
from tests.factories.base import NOW, a_member_of_staff, an_act
from tests.factories.prescriptions import (
    a_clinic,
    a_decision,
    a_lead,
    a_supply,
    an_assessed_patient,
    an_order,
)

TODAY = date(2026, 11, 4)
DAY = timedelta(days=1)
WHY = "Two deaths nearby this autumn; agreed at the governance meeting"


@pytest.fixture
def clinic(database):
    return a_clinic(database)


@pytest.fixture
def lead(clinic):
    return a_lead(clinic)


def tighten(act, value="24", rule="M-FD-02", limit="above_mg", **more):
    made = commands.tighten(
        act, rule=rule, limit=limit, value=Decimal(value), reason=WHY, **more
    )  # fmt: skip
    act.session.rollback()
    return made


def in_force(clinic, on=TODAY, rule_set="uk-2017"):
    act = clinic.act()
    found = site_limits_on(act, clinic.site.id, rule_set, on)
    act.session.close()
    return found


def test_a_tightened_limit_stops_a_dose_here_and_says_whose_limit_it_is(clinic, lead):
    patient = an_assessed_patient(clinic)
    a_decision(clinic.act(), patient, "25", once="as shipped")

    tighten(clinic.act(lead))

    with pytest.raises(Stopped) as stopped:
        a_decision(clinic.act(), an_assessed_patient(clinic), "25")
    found = stopped.value.answer["findings"][0]
    assert found["message"] == (
        "First dose above 24 mg. This site's tighter limit: above 24 mg, as shipped 40."
    )
    assert found["facts"]["site_limits"] == [{"limit": "above_mg", "here": "24", "shipped": "40"}]


def test_another_site_and_the_other_rule_set_keep_the_shipped_limit(clinic, lead, database):
    elsewhere = a_clinic(database)

    tighten(clinic.act(lead))

    assert a_decision(elsewhere.act(), an_assessed_patient(elsewhere), "25")
    assert in_force(clinic, rule_set="era-2003") == []


def test_a_decision_is_judged_again_by_the_limits_of_its_own_day(clinic, lead):
    tighten(clinic.act(lead), "10", "M-FD-05")
    patient = an_assessed_patient(clinic, substance_use=["alcohol"])
    alerted = a_decision(clinic.act(), patient, "15")
    commands.end_tightening(
        clinic.act(lead), rule="M-FD-05", limit="above_mg", reason="The audit is finished"
    )
    later = clinic.act(lead)
    tighten(later, "12", "M-FD-02")

    found = replay(later, alerted)

    assert found.same
    assert [each["rule"] for each in found.now["findings"]] == ["M-FD-05"]
    assert "as shipped 20" in found.now["findings"][0]["message"]


def test_a_decision_is_judged_again_by_its_own_edition_of_the_rules(clinic, lead, monkeypatch):
    patient = an_assessed_patient(clinic, substance_use=["alcohol"])
    made = a_decision(clinic.act(), patient, "25")
    book = rulebook()
    old = next(v for v in book.rules["M-FD-05"].versions if v.set == "uk-2017")
    new = replace(old, added="2027.01.1", message="Another word for it.")
    rule = replace(
        book.rules["M-FD-05"], versions=(replace(old, dropped="2027.01.1"), new)
    )  # fmt: skip
    updated = replace(
        book, rules={**book.rules, "M-FD-05": rule},
        set_versions={**book.set_versions, "uk-2017": "2027.01.1"},
        editions={**book.editions, "uk-2017": ("2026.11.1", "2027.01.1")},
    )  # fmt: skip
    monkeypatch.setattr(checking, "rulebook", lambda: updated)
    checking.site_rulebook.cache_clear()

    act = clinic.act()
    again = replay(act, made)
    now, _ = check_dose(
        act, an_assessed_patient(clinic, substance_use=["alcohol"]), order=an_order("25"),
        supply=a_supply(), decided_at=NOW,
    )  # fmt: skip

    checking.site_rulebook.cache_clear()
    assert again.same and again.rule_set_version == "2026.11.1"
    assert now["findings"][0]["message"] == "Another word for it."
    assert now["rule_set_version"] == "2027.01.1"


def test_an_edition_nobody_has_any_more_is_said_and_not_guessed(clinic, lead):
    made = a_decision(clinic.act(), an_assessed_patient(clinic), "25")
    with clinic.database.transaction() as session:
        session.get_one(DoseDecision, made).rule_set_version = "2019.01.1"

    with pytest.raises(NotFound, match="2019.01.1"):
        replay(clinic.act(), made)


def test_a_limit_holds_from_its_first_day_by_the_day_of_the_dose(clinic, lead):
    tighten(clinic.act(lead), from_on=TODAY + 2 * DAY)

    assert in_force(clinic, TODAY + DAY) == []
    assert in_force(clinic, TODAY + 2 * DAY) == [["M-FD-02", "above_mg", "24"]]


def test_what_stands_is_loosened_only_by_ending_it_first(clinic, lead):
    tighten(clinic.act(lead), "24")
    tighten(clinic.act(lead), "22", from_on=TODAY + 5 * DAY)

    for value, on in (("30", TODAY), ("24", TODAY), ("23", TODAY), ("22", TODAY + 6 * DAY)):
        with pytest.raises(Invalid, match="end that first"):
            tighten(clinic.act(lead), value, from_on=on)
    commands.end_tightening(
        clinic.act(lead), rule="M-FD-02", limit="above_mg", reason="Back to as shipped"
    )
    tighten(clinic.act(lead), "30")

    assert in_force(clinic, TODAY + 9 * DAY) == [["M-FD-02", "above_mg", "30"]]


def test_ending_goes_back_to_the_shipped_limit_and_every_row_stays(clinic, lead):
    tighten(clinic.act(lead))
    end = {"rule": "M-FD-02", "limit": "above_mg", "reason": "The audit is finished"}

    commands.end_tightening(clinic.act(lead), **end)

    assert in_force(clinic) == []
    with pytest.raises(NotFound):
        commands.end_tightening(clinic.act(lead), **end)
    with clinic.database.reading() as session:
        kept = session.scalars(select(LimitTightening).order_by(LimitTightening.nth)).all()
    assert [(row.nth, row.value, row.recorded_by) for row in kept] == [
        (1, "24", lead.id), (2, None, lead.id)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"value": "40"}, "value"), ({"value": "41"}, "value"), ({"value": "4"}, "value"),
        ({"rule": "M-XX-99"}, "rule"), ({"limit": "below_mg"}, "limit"),
        ({"from_on": TODAY - DAY}, "from_on"), ({"rule_set": "uk-2050"}, "rule_set"),
        ({"rule": "M-MX-01", "limit": "within_days", "value": "100.5"}, "value"),
    ],
)  # fmt: skip
def test_what_cannot_stand_is_refused_by_its_field_and_leaves_nothing(clinic, lead, given, field):
    with pytest.raises(Invalid) as refused:
        tighten(clinic.act(lead), **given)

    assert [name for name, _ in refused.value.faults] == [field]
    assert in_force(clinic) == []


def test_a_reason_is_needed(clinic, lead):
    with pytest.raises(Invalid) as refused:
        commands.tighten(
            clinic.act(lead), rule="M-FD-02", limit="above_mg", value=Decimal(24), reason="cos"
        )

    assert refused.value.faults[0][0] == "reason"


@pytest.mark.parametrize("role", ["prescriber", "manager", "administrator", "pharmacist"])
def test_nobody_else_may_whatever_their_role(clinic, role):
    somebody = a_member_of_staff(clinic.database, clinic.site, role, post="duty_nurse")

    with pytest.raises(Forbidden):
        tighten(clinic.act(somebody))
    every = replace(clinic.act(somebody), rights=frozenset(RIGHTS))
    with pytest.raises(Forbidden, match="clinical lead"):
        tighten(every)


def test_the_lead_of_another_site_and_a_lead_no_longer_in_post_may_not(clinic, lead, database):
    elsewhere = a_clinic(database)
    act = an_act(database, lead, elsewhere.site, rights=frozenset(RIGHTS))

    with pytest.raises(Forbidden):
        tighten(act)
    with database.transaction() as session:
        session.execute(
            text("UPDATE site_post SET to_on = :day WHERE staff_id = :who"),
            {"day": TODAY - DAY, "who": lead.id},
        )
    with pytest.raises(Forbidden):
        tighten(replace(clinic.act(lead), rights=frozenset(RIGHTS)))


def test_what_was_written_cannot_be_changed_or_deleted_in_the_database_either(clinic, lead):
    tighten(clinic.act(lead))

    for statement in ("UPDATE limit_tightening SET value = '39'", "DELETE FROM limit_tightening"):
        with (
            pytest.raises(DatabaseError, match="kept as it was"),
            clinic.database.transaction() as session,
        ):
            session.execute(text(statement))


def test_of_two_who_change_a_limit_at_once_the_second_is_told(fresh_database):
    clinic = a_clinic(fresh_database)
    lead = a_lead(clinic)
    done, refused = [], []

    def change(value):
        try:
            done.append(tighten(clinic.act(lead), value))
        except (Conflict, Invalid) as trouble:
            refused.append(trouble)

    together = [threading.Thread(target=change, args=("24",)) for _ in range(6)]
    for each in together:
        each.start()
    for each in together:
        each.join()

    assert len(done) == 1
    assert len(refused) == 5


def test_a_rule_set_is_not_put_under_doses_already_decided_on(database):
    clinic = a_clinic(database, rule_set=None)
    manager = a_member_of_staff(database, clinic.site, "manager")
    choose_rule_set(clinic.act(manager), clinic.site.id, "uk-2017")
    made = a_decision(clinic.act(), an_assessed_patient(clinic), "25")

    with pytest.raises(Invalid, match="already decided on"):
        choose_rule_set(clinic.act(manager), clinic.site.id, "era-2003", from_on=TODAY - DAY)

    choose_rule_set(clinic.act(manager), clinic.site.id, "era-2003", from_on=TODAY + DAY)
    assert replay(clinic.act(), made).same
