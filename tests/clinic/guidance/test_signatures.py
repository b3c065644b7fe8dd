"""A named clinician signs one version of a rule; a changed word leaves it unsigned again."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from clinic.errors import Conflict, Forbidden, Invalid, NotFound
from clinic.guidance import commands
from clinic.guidance.facts import signatures
from clinic.guidance.models import RuleSignature
from clinic.guidance.queries import one_rule, unsigned_here
from dosing.check import rulebook
from scheduling import practice
from tests.factories.prescriptions import a_clinic, a_lead


@pytest.fixture
def clinic(database):
    return a_clinic(database)


@pytest.fixture
def lead(clinic):
    return a_lead(clinic)


def the_version(rule="M-FD-02", rule_set="uk-2017"):
    held = {**rulebook().rules, **rulebook().definitions}[rule]
    return held, next(v for v in held.versions if v.set == rule_set)


def sign(act, rule="M-FD-02", **more):
    held, version = the_version(rule)
    given = {"fingerprint": version.fingerprint(held.asks), "registration": "GMC 1234567", **more}
    made = commands.sign(act, rule=rule, **given)
    act.session.rollback()
    return made


@pytest.mark.parametrize("rule", ["M-FD-02", "tolerance"])
def test_a_signature_carries_who_they_are_and_what_they_signed(clinic, lead, rule):
    made = sign(clinic.act(lead), rule, note="Compared with the 2017 guidelines")

    act = clinic.act(lead)
    row = act.session.get_one(RuleSignature, made)
    assert (row.name, row.registration) == ("Dr Mair Ellis", "GMC 1234567")
    assert row.role == f"Clinical lead, {clinic.site.name}"
    assert row.edition == rulebook().set_versions["uk-2017"]
    shown = one_rule(act, rule)
    assert {each.version.set: each.signed for each in shown.versions} == {
        "uk-2017": True, "era-2003": False
    }  # fmt: skip


def test_the_number_still_unsigned_falls_with_each_signature(clinic, lead):
    act = clinic.act()
    every = len(rulebook().in_force("uk-2017", act.today)) + len(practice.rules())
    assert unsigned_here(act) == every
    act.session.rollback()

    sign(clinic.act(lead))
    sign(clinic.act(lead), "tolerance")  # a definition is no rule

    assert unsigned_here(act) == every - 1


def test_a_version_that_changed_since_it_was_read_cannot_be_signed(clinic, lead):
    with pytest.raises(Conflict, match="Read it again"):
        sign(clinic.act(lead), fingerprint="0" * 64)
    with pytest.raises(NotFound):
        commands.sign(clinic.act(lead), rule="M-XX-99", fingerprint="0" * 64)


def test_without_a_registration_number_nobody_signs(clinic, lead):
    with pytest.raises(Invalid) as refused:
        sign(clinic.act(lead), registration=" ")

    assert refused.value.faults[0][0] == "registration"


def test_a_version_is_signed_once_and_again_after_the_signature_is_withdrawn(clinic, lead):
    first = sign(clinic.act(lead))
    with pytest.raises(Conflict, match="already signed"):
        sign(clinic.act(lead))

    commands.withdraw_signature(clinic.act(lead), first, "Signed the wrong rule by mistake")
    with pytest.raises(Conflict, match="already withdrawn"):
        commands.withdraw_signature(clinic.act(lead), first, "Signed the wrong rule by mistake")
    second = sign(clinic.act(lead))

    act = clinic.act()
    held, version = the_version()
    assert signatures(act)[version.fingerprint(held.asks)].id == second
    assert act.session.get_one(RuleSignature, first).withdrawn_by == lead.id
    with (
        pytest.raises(DatabaseError, match="kept as it was"),
        clinic.database.transaction() as session,
    ):
        session.execute(text("DELETE FROM rule_signature"))


def test_only_a_clinical_lead_signs_and_only_their_own_sites_signature_is_withdrawn(
    clinic, lead, database
):
    elsewhere = a_clinic(database)
    made = sign(clinic.act(lead))

    with pytest.raises(Forbidden):
        sign(clinic.act(), "M-FD-01")
    with pytest.raises(NotFound):
        commands.withdraw_signature(elsewhere.act(a_lead(elsewhere)), made, "Not mine to withdraw")
