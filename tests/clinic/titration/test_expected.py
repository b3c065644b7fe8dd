"""Does the clinic's list say who comes on a day between visits, and on no other?"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinic.appointments.models import INDUCTION, Visit
from tests.factories.appointments import works_under
from tests.factories.base import NOW, a_patient
from tests.factories.prescriptions import a_clinic, a_decision, an_assessed_patient
from tests.factories.titration import a_review

TODAY = date(2026, 11, 4)  # a Wednesday
DAY = timedelta(days=1)


@pytest.fixture
def clinic(database, clock):
    return a_clinic(database, features=("specialist_service", "supervised_dispensing"))


def a_visit(clinic, patient, at, status="arrived"):
    act = clinic.act()
    act.session.add(
        Visit(
            patient_id=patient, site_id=clinic.site.id, referral_id=None, kind=INDUCTION,
            starts_at=at, ends_at=at + timedelta(hours=1), doctor_id=None, worker_id=None,
            status=status, recorded_at=act.at, recorded_by=clinic.nurse.id,
        )
    )  # fmt: skip
    act.session.commit()
    act.session.close()


def listed(reader, on, by=""):
    return reader.get(f"/appointments/clinic?on={on.isoformat()}{by}").get_data(as_text=True)


@pytest.mark.proves("RP-10")
def test_day_2_and_3_of_a_model_3_start_are_on_the_list_of_their_days(clinic, door):
    works_under(clinic.database, clinic.site, 3)
    came = a_patient(clinic.act(), family_name="Calder", given_name="Jade")
    stayed_away = a_patient(clinic.act(), family_name="Voss")
    a_visit(clinic, came, NOW)
    a_visit(clinic, stayed_away, NOW, status="did_not_attend")
    reader = door.by_page("prescriber", site=clinic.site)

    second, third, fourth = (listed(reader, TODAY + n * DAY) for n in (1, 2, 3))
    week = listed(reader, TODAY, "&by=week")
    sheet = reader.get(f"/appointments/clinic/{TODAY + DAY}/print").get_data(as_text=True)

    assert "CALDER, Jade" in second
    assert "Day 2 of the induction" in second
    assert "Nobody is booked" not in second
    assert "Day 3 of the induction" in third
    assert "Nobody is booked" in fourth
    assert week.count("of the induction") == 2
    assert "Day 2 of the induction" in sheet
    assert "VOSS" not in second + third


def test_a_planned_review_is_expected_until_it_is_made_or_a_visit_has_its_time(clinic, door):
    patient = an_assessed_patient(clinic)
    act = clinic.act()
    a_decision(act, patient, "25")
    a_review(act, patient, next_review_on=TODAY + DAY)
    reader = door.by_page("prescriber", site=clinic.site)
    before, today = listed(reader, TODAY + DAY), listed(reader, TODAY)
    chosen = listed(reader, TODAY + DAY, f"&with={clinic.prescriber.id}")

    a_visit(clinic, patient, NOW + DAY, status="booked")
    booked = listed(reader, TODAY + DAY)

    assert "Review of the dose" in before
    assert "Review of the dose" not in today
    assert "Review of the dose" not in chosen
    assert "Review of the dose" not in booked
