"""The day's board in the browser: who is still to come, and days that have passed."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from clinic.consumption.board_pages import LOOKS_BACK
from clinic.consumption.models import DoseEvent
from clinic.consumption.sheet import COLUMNS
from tests.factories.base import NOW
from tests.factories.consumption import ready_for_a_dose
from tests.factories.prescriptions import a_clinic, a_decision, an_assessed_patient

DAY = timedelta(days=1)
TODAY = NOW.date()


@pytest.fixture
def clinic(database, clock):
    """Somebody whose dose of today is decided on and whose review counts."""
    made = a_clinic(database)
    patient = an_assessed_patient(made)
    act = made.act()
    a_decision(act, patient, "25")
    ready_for_a_dose(act, patient)
    act.session.close()
    clock.set(NOW + timedelta(minutes=10))
    return made


@pytest.fixture
def nurse(clinic, door):
    return door.by_page("nurse", site=clinic.site)


def standing(clinic):
    with clinic.database.reading() as session:
        return [
            row.outcome
            for row in session.scalars(select(DoseEvent).where(DoseEvent.struck_at.is_(None)))
        ]


def text_of(response):
    return response.get_data(as_text=True)


# -- the board and the end of the day --------------------------------------------------------


def test_somebody_with_a_dose_today_is_still_to_come(nurse):
    page = nurse.get("/doses").get_data(as_text=True)

    assert "<strong>1</strong> still to come, <strong>0</strong> done" in page
    assert "25 mg" in page


@pytest.mark.parametrize(
    ("back", "leads_on"), [(0, True), (LOOKS_BACK.days - 1, True), (LOOKS_BACK.days, False)]
)
def test_the_board_leads_back_four_weeks_and_no_further(nurse, back, leads_on):
    page = nurse.get(f"/doses/{TODAY - DAY * back}")

    assert page.status_code == 200
    assert ("The day before" in page.get_data(as_text=True)) is leads_on


def test_a_day_to_come_and_a_word_have_no_board(nurse):
    assert nurse.get(f"/doses/{TODAY + DAY}").status_code == 404
    assert nurse.get("/doses/tomorrow").status_code == 404


def close_the_day(nurse):
    """Everybody on the list ticked; the page that says so."""
    listed = text_of(nurse.get(f"/doses/{TODAY}/missed"))
    keys = re.findall(r'name="doses"[^>]*value="([^"]+)"', listed)
    assert keys and "checked" not in listed
    return nurse.post(f"/doses/{TODAY}/missed", data={"doses": keys})


def test_the_day_is_closed_by_hand_and_taken_back(nurse, clinic):
    closed = text_of(close_the_day(nurse))
    assert standing(clinic) == ["missed"]

    ids = re.search(r'name="ids"[^>]*value="([^"]+)"', closed)
    nurse.post(
        "/doses/missed/undo", data={"ids": ids[1], "reason": "They came after the list was read"}
    )

    assert standing(clinic) == []
    assert "<strong>1</strong> still to come" in text_of(nurse.get("/doses"))


def test_closing_the_day_with_nobody_ticked_says_so_and_records_nothing(nurse, clinic):
    answer = nurse.post(f"/doses/{TODAY}/missed", data={})

    assert answer.status_code == 422
    assert "must be ticked for at least one person" in text_of(answer)
    assert standing(clinic) == []


@pytest.mark.parametrize("key", ["1-1-99", "9-9-9", "x", "²-1-1", "1" * 400])
def test_somebody_who_is_not_on_the_list_cannot_be_ticked(nurse, clinic, key):
    answer = nurse.post(f"/doses/{TODAY}/missed", data={"doses": [key]})

    assert answer.status_code == 422
    assert standing(clinic) == []


@pytest.mark.parametrize("ids", ["", "²", "9" * 30, "9" * 5000, "1,2,3", "-1", "one"])
def test_only_doses_recorded_as_missed_can_be_taken_back(nurse, clinic, ids):
    close_the_day(nurse)

    answer = nurse.post("/doses/missed/undo", data={"ids": ids, "reason": "Closed by mistake"})

    assert answer.status_code in (404, 422)
    assert standing(clinic) == ["missed"]


def test_another_services_missed_dose_cannot_be_taken_back(nurse, clinic, door):
    close_the_day(nurse)
    with clinic.database.reading() as session:
        dose_id = session.scalar(select(DoseEvent.id))
    elsewhere = door.by_page("nurse")

    answer = elsewhere.post(
        "/doses/missed/undo", data={"ids": str(dose_id), "reason": "Not theirs to take back"}
    )

    assert answer.status_code in (403, 404)
    assert standing(clinic) == ["missed"]


def test_the_print_sheet_names_each_person_their_dose_and_the_page(nurse):
    page = text_of(nurse.get(f"/doses/{TODAY}/print"))

    for expected in ("25 mg", "Page 1 of 1", "NHS No.", "Printed"):
        assert expected in page


# -- the pharmacy's sheet --------------------------------------------------------------------


def filled(nurse, **cells):
    """The downloaded sheet of today with these cells filled in on its only line."""
    rows = list(csv.DictReader(io.StringIO(text_of(nurse.get("/doses/sheet/template")))))
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS)
    table.writeheader()
    table.writerow({**rows[0], **cells})
    return out.getvalue()


def send(nurse, text, **more):
    data = text if isinstance(text, bytes) else text.encode()
    return nurse.post(
        "/doses/sheet", data={"file": (io.BytesIO(data), "day.csv"), **more},
        content_type="multipart/form-data",
    )  # fmt: skip


GIVEN = {
    "time": "09:05", "identity": "name_and_birth", "intoxication": "clear", "outcome": "taken",
}  # fmt: skip


def test_a_sheet_is_looked_at_first_then_saved_and_sent_again_it_adds_nothing(nurse, clinic):
    sheet = filled(nurse, **GIVEN)

    looked = text_of(send(nurse, sheet))
    assert "Nothing is saved yet" in looked
    assert standing(clinic) == []

    saved = text_of(nurse.post("/doses/sheet", data={"sheet": sheet, "step": "confirm"}))
    assert "The sheet is saved" in saved
    assert standing(clinic) == ["taken"]

    again = text_of(nurse.post("/doses/sheet", data={"sheet": sheet, "step": "confirm"}))
    assert "Recorded before" in again
    assert standing(clinic) == ["taken"]


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"intoxication": ""}, "intoxication"),
        ({"identity": ""}, "identity"),
        ({"intoxication": "signs"}, "signs"),
        ({"outcome": "given"}, "outcome"),
        ({"outcome": ""}, "outcome"),
        ({"time": "25:00"}, "time"),
        ({"date": "0001-01-01"}, "time"),
        ({"date": "2026-11-99"}, "date"),
        ({"decision": "9" * 5000}, "decision"),
        ({"decision": "²"}, "decision"),
        ({"nhs_number": "9990000018"}, "decision"),
        ({"dose_of_day": "9"}, "dose_of_day"),
        ({"outcome": "part", "dose_mg": "25", "rest": "destroyed"}, "dose_mg"),
        ({"outcome": "part", "dose_mg": "1e5", "rest": "destroyed"}, "dose_mg"),
    ],
)
def test_a_bad_line_is_refused_at_its_column_and_saves_nothing(nurse, clinic, cells, column):
    sheet = filled(nurse, **{**GIVEN, **cells})

    answer = nurse.post("/doses/sheet", data={"sheet": sheet, "step": "confirm"})

    page = text_of(answer)
    assert answer.status_code == 200
    assert f"<strong>{column}</strong>" in page
    assert "taken" not in standing(clinic)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\xff\xfe\x00d", b"a,b,c\n1,2,3\n", b"decision,nhs_number,outcome\n",
        b"decision,nhs_number,outcome\n1,2,3,4,5\n", b"decision,nhs_number,outcome\n1,\x00,taken\n",
        b"decision,nhs_number,outcome\n" + b"1,2,taken\n" * 501, b"x" * 600_000,
        b"decision,nhs_number,outcome\n\"" + b"y" * 200_000,
    ],
    ids=["empty", "not utf-8", "other columns", "no lines", "too wide", "nul", "too long", "too big",
         "one huge cell"],
)  # fmt: skip
def test_what_is_no_sheet_is_refused_as_a_whole(nurse, clinic, text):
    answer = send(nurse, text)

    assert answer.status_code == 422
    assert standing(clinic) == []


def test_nobody_without_the_right_sees_the_board_or_sends_a_sheet(clinic, door):
    auditor = door.by_page("auditor", site=clinic.site)

    assert auditor.get("/doses").status_code == 403
    assert auditor.get(f"/doses/{TODAY}/missed").status_code == 403
    assert auditor.get("/doses/sheet").status_code == 403
