"""What does a form written in prison for the day of release say on paper?"""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pypdf
import pytest

from clinic.act import Act
from clinic.db import Database
from clinic.errors import Invalid
from clinic.scripts import commands, pdf
from clinic.scripts.models import Script
from clinic.sites.models import Site
from tests.factories.base import NOW
from tests.factories.prescriptions import a_decision, an_assessed_patient, an_entry
from tests.factories.release import a_release_plan, a_stay
from tests.factories.scripts import SURE, ScriptClinic, a_draft, a_pharmacy, a_script_clinic

TODAY = date(2026, 11, 4)
OUT = date(2026, 11, 27)  # a Friday; 30 November is a bank holiday in Scotland alone
PRISON = {"kind": "prison", "name": "HMP Northborough", "address": "Gaol Lane, Northborough NB1 1AA",
          "telephone": "01632 960123"}  # fmt: skip


@pytest.fixture
def prison(database: Database) -> ScriptClinic:
    return a_script_clinic(database, **PRISON)


def somebody_leaving(prison: ScriptClinic, *, known: bool = True) -> tuple[Act, int, int]:
    """A person on remand, dosed, with a release date if `known`; and the decision for until after it."""
    patient_id = an_assessed_patient(prison)
    act = prison.act()
    act = replace(act, rights=act.rights | {"release.plan", "release.read"})
    a_stay(act, patient_id, NOW - timedelta(days=30))
    an_entry(act, patient_id, "custody", {"status": "remand", "plan": "stabilisation"})
    supply = {
        "in_possession": False,
        "collections": [{"collect_on": TODAY.isoformat(), "supervised": True,
                         "daily_until_on": (TODAY + timedelta(days=40)).isoformat()}],
    }  # fmt: skip
    decision_id = a_decision(act, patient_id, "12.5", supply=supply)
    if known:
        a_release_plan(
            act, patient_id, treatment={"on_ost": True, "medicine": "methadone"},
            release={"confirmed_on": OUT.isoformat(), "kind": "determinate"},
        )  # fmt: skip
    return act, patient_id, decision_id


def on_release(**more: Any) -> dict[str, Any]:
    return {
        "form": "fp10mda", "from_on": OUT, "to_on": OUT + timedelta(days=5),
        "address": "No fixed abode", **more,
    }  # fmt: skip


def printed(act: Act, prison: ScriptClinic, patient_id: int, script_id: int) -> str:
    """The text of the paper as it leaves the printer."""
    commands.issue_script(act, patient_id, script_id, version=1, **SURE)
    made = commands.print_script(act, patient_id, script_id)
    with prison.database.reading() as session:
        words = session.get_one(Script, script_id).paper
    pages = pypdf.PdfReader(io.BytesIO(pdf.form_pdf(words or {}, "Printed", made.number))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


@pytest.mark.proves("RP-36")
def test_a_release_form_says_hmp_its_exemption_and_whose_prison_it_is(
    prison: ScriptClinic,
) -> None:
    act, patient_id, decision_id = somebody_leaving(prison)
    script_id = a_draft(act, prison, patient_id, decision_id, **on_release())

    text = printed(act, prison, patient_id, script_id)

    assert "FP10MDA instalment prescription HMP Exemption 0015" in text
    assert (
        "Dr Huw Pugh GMC 9990001 HMP Northborough Gaol Lane, Northborough NB1 1AA 01632 960123"
        in text
    )
    assert "No fixed abode" in text
    assert "12.5 mg (12.5 ml) by mouth once a day, Fri 27 Nov 2026 to Wed 2 Dec 2026" in text
    assert "Total: 75 ml (seventy-five millilitres), which is 75 mg." in text
    assert "Start date Fri 27 Nov 2026" in text


def test_a_community_form_is_no_release_form(database: Database) -> None:
    clinic = a_script_clinic(database)
    patient_id = an_assessed_patient(clinic)
    act = clinic.act()
    decision_id = a_decision(act, patient_id, "30")
    script_id = a_draft(act, clinic, patient_id, decision_id, to_on=TODAY)

    text = printed(act, clinic, patient_id, script_id)

    assert "HMP" not in text
    assert "Exemption" not in text


def test_a_release_form_follows_the_holidays_where_it_is_collected(prison: ScriptClinic) -> None:
    act, patient_id, decision_id = somebody_leaving(prison)
    north = a_pharmacy(act, nation="scotland", name="Border Pharmacy")
    here = a_draft(act, prison, patient_id, decision_id, **on_release())
    there = a_draft(act, prison, patient_id, decision_id, **on_release(premises_id=north))

    text = printed(act, prison, patient_id, there)
    due = [
        each.due_on.day
        for each in commands.check_script(act, patient_id, here).made.plan.instalments
    ]

    assert due == [27, 28, 30, 1, 2]
    assert "2 Sat 28 Nov 2026 Sat 28 Nov 2026 to Mon 30 Nov 2026 yes 37.5 37.5" in text
    assert "3 Tue 1 Dec 2026 Tue 1 Dec 2026 yes 12.5 12.5" in text


def test_a_prison_without_a_telephone_issues_no_release_form(prison: ScriptClinic) -> None:
    act, patient_id, decision_id = somebody_leaving(prison)
    script_id = a_draft(act, prison, patient_id, decision_id, **on_release())
    with prison.database.transaction() as session:
        session.get_one(Site, prison.site.id).telephone = None

    with pytest.raises(Invalid, match="telephone"):
        commands.issue_script(prison.act(), patient_id, script_id, version=1, **SURE)


def test_before_anybody_knows_the_day_of_release_no_form_is_written_in_prison(
    prison: ScriptClinic,
) -> None:
    act, patient_id, decision_id = somebody_leaving(prison, known=False)
    script_id = a_draft(act, prison, patient_id, decision_id, **on_release())

    with pytest.raises(Invalid, match="release date"):
        commands.check_script(act, patient_id, script_id)
