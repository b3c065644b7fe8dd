"""Which rules of prescription forms does somebody at the form pages meet, and why not the others?

One by one, L-01 to L-13, then S-06 and S-07. A rule that no page can break says why, and the test
shows it: what the pages ask for leaves no room for it.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from clinic.db import Database
from clinic.prescriptions.commands import withdraw_decision
from clinic.scripts import commands
from clinic.scripts.forms import DraftForm
from clinic.scripts.models import FORMS
from clinic.staff.models import Staff
from dosing.check import rulebook
from dosing.supply import INSTALMENT_FORMS
from scheduling.instalments import WRITTEN
from tests.clinic.release.test_pages import send
from tests.factories.scripts import (
    DAILY,
    ScriptClinic,
    a_script_clinic,
    an_issued_script,
    asking,
    somebody_dosed,
)
from tests.support.people import Door, StaffClient

TODAY = date(2026, 11, 4)


@pytest.fixture
def clinic(database: Database, clock: Any) -> ScriptClinic:
    return a_script_clinic(database)


@pytest.fixture
def prescriber(clinic: ScriptClinic, door: Door) -> StaffClient:
    client = door.by_page("prescriber", site=clinic.site, level="prescriber")
    with clinic.database.transaction() as session:
        session.get_one(Staff, client.staff_id).registration = "GMC 9990002"
    return client


def drafted(
    clinic: ScriptClinic, client: StaffClient, dose_mg: str = "30", days: int = 14, **more: Any
) -> str:
    """The page a writer sees after saving a draft, and sees again on trying to issue it."""
    patient_id, decision_id = somebody_dosed(clinic, dose_mg, days)
    given = {"to_on": TODAY + timedelta(days=days - 1), "strength_mg_per_ml": "1", **more}
    asked = asking(clinic, decision_id, **given)
    boxes = {
        f"{name}-{part}": str(getattr(asked[name], part))
        for name in ("from_on", "to_on")
        for part in ("day", "month", "year")
    }
    form = {
        "form": asked["form"], "decision_ids": asked["decision_ids"], **boxes,
        "collects": list(DAILY), "supervised": list(DAILY), "premises_id": asked["premises_id"],
        "strength_mg_per_ml": asked["strength_mg_per_ml"], "directions": asked["directions"],
        "address": asked["address"],
    }  # fmt: skip
    shown = send(client, f"/patients/{patient_id}/prescription-forms/new", form)
    page: str = shown.get_data(as_text=True)
    assert shown.status_code == 200, page
    return page


# -- reached -------------------------------------------------------------------------------


@pytest.mark.proves("L-01", "L-08")
def test_l_01_and_l_08_are_reached_by_a_form_for_31_days(
    clinic: ScriptClinic, prescriber: StaffClient
) -> None:
    page = drafted(clinic, prescriber, days=31)

    assert "L-01" in page
    assert "L-08" in page
    assert "This form cannot be issued by anyone" in page


@pytest.mark.proves("L-04")
def test_l_04_is_reached_by_a_total_that_no_words_say(
    clinic: ScriptClinic, prescriber: StaffClient
) -> None:
    page = drafted(clinic, prescriber, "12.5", 13)

    assert "The total would be 162.5 millilitres" in page
    assert "rule L-04" in page
    assert "Issue this form" not in page


@pytest.mark.proves("L-07")
def test_l_07_is_reached_by_a_liquid_without_its_strength(
    clinic: ScriptClinic, prescriber: StaffClient
) -> None:
    page = drafted(clinic, prescriber, strength_mg_per_ml="")

    assert "volume alone is not a dose" in page
    assert "Issue this form" not in page


@pytest.mark.proves("S-06", "S-07")
def test_s_06_and_s_07_are_reached_by_a_form_without_its_wordings(
    clinic: ScriptClinic, prescriber: StaffClient
) -> None:
    """S-06 is asked for before the rule could fire: the collection has moved off the closed day."""
    page = drafted(clinic, prescriber, directions=["supervise"])
    draft = page.partition('/issue"')[0].rpartition('action="')[2]
    refused = send(prescriber, draft, {}, at=f"{draft}/issue")

    assert "S-07" in page
    assert "A collection falls on a closed day: Sun 8 Nov, Sun 15 Nov" in page
    assert refused.status_code == 422
    assert "must include" in refused.get_data(as_text=True)


def test_a_form_whose_dose_was_withdrawn_offers_no_paper(
    clinic: ScriptClinic, prescriber: StaffClient
) -> None:
    patient_id, decision_id = somebody_dosed(clinic)
    act = clinic.act()
    script_id = an_issued_script(act, clinic, patient_id, decision_id)
    path = f"/patients/{patient_id}/prescription-forms/{script_id}"
    before = prescriber.get(path).get_data(as_text=True)

    withdraw_decision(act, patient_id, decision_id, "Admitted to hospital today")

    after = prescriber.get(path).get_data(as_text=True)
    assert "Print to sign" in before
    assert "Every day, supervised" in before
    assert "Cancel this form and call the pharmacy" in after
    assert "Print to sign" not in after


# -- no page can break them ------------------------------------------------------------------


def test_l_02_cannot_be_broken_as_a_form_writes_only_products_it_lists() -> None:
    allowed = rulebook().in_force("uk-2017", TODAY)["L-02"]

    for each in WRITTEN.values():
        assert each.schedule in allowed.words("schedules") or each.item in allowed.words("names")


def test_l_03_l_05_and_l_06_cannot_be_broken_as_amounts_days_and_dose_are_worked_out(
    clinic: ScriptClinic, prescriber: StaffClient
) -> None:
    """Nobody types an instalment, a total or a dose: the form asks for none of them."""
    asked = set(commands._read.__annotations__)

    assert asked == {
        "act", "form", "decision_ids", "from_on", "to_on", "premises_id", "days", "address",
        "strength_mg_per_ml", "directions", "return",
    }  # fmt: skip
    page = drafted(clinic, prescriber)
    assert not {"L-03", "L-05", "L-06"} & {rule for rule in RULES if rule in page}


def test_l_09_and_l_10_cannot_be_broken_as_a_form_is_written_before_anything_is_supplied(
    clinic: ScriptClinic, prescriber: StaffClient, app: Flask
) -> None:
    """What is supplied is the pharmacy's to record; the page says until when it may be."""
    with app.test_request_context():
        fields = set(DraftForm()._fields)

    assert not {name for name in fields if "suppl" in name}
    page = drafted(clinic, prescriber)
    assert "L-09" not in page
    assert "L-10" not in page


def test_l_11_and_l_12_cannot_be_broken_as_only_instalment_forms_are_offered() -> None:
    """No private form and no single FP10 is written here, on release or at any other time."""
    release_only = rulebook().in_force("uk-2017", TODAY)["L-12"]

    assert set(FORMS) == set(INSTALMENT_FORMS)
    assert not set(FORMS) & set(release_only.words("forms"))


def test_l_13_cannot_be_broken_as_a_form_is_signed_on_the_day_it_is_issued() -> None:
    """The rule ends with November 2005; no page asks for a date of signing."""
    old = rulebook().in_force("era-2003", TODAY)["L-13"]

    assert old.limits["signed_before"] < TODAY
    assert "L-13" not in rulebook().in_force("uk-2017", TODAY)
    assert "signed_on" not in commands._read.__annotations__


RULES = [f"L-{number:02}" for number in range(1, 14)]
