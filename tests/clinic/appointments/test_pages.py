"""The pages of appointments, walked as staff walk them."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic.appointments import commands, hours_commands, rota_commands, things_commands
from clinic.appointments.models import Referral, RotaPattern, Visit
from clinic.db import Database
from tests.factories import appointments as made
from tests.factories import base
from tests.support import people

REFERRED = {
    "referred_at-day": "4", "referred_at-month": "11", "referred_at-year": "2026",
    "referred_at-time": "08:00", "source": "gp", "drugs": ["heroin"], "risk": "high",
}  # fmt: skip


@pytest.fixture
def clinic(database: Database, clock) -> made.Clinic:
    return made.a_clinic(database)


@pytest.fixture
def nurse(door, clinic):
    return door.by_page("nurse", site=clinic.site)


@pytest.fixture
def manager(door, clinic):
    return door.by_page("manager", site=clinic.site)


def places_on(html: str) -> list[str]:
    return re.findall(r'name="place"[^>]*value="([^"]+)"', html)


def test_a_new_person_is_referred_and_booked_in_four_screens(nurse, clinic, database):
    screens = []

    referred = nurse.post(
        "/appointments/refer/new",
        data={
            "family_name": "Lloyd", "given_name": "Gwen", "born_on-day": "4",
            "born_on-month": "5", "born_on-year": "1990", "sex": "female", **REFERRED,
        },
    )  # fmt: skip
    offers = nurse.get(referred.location)
    screens += ["the form", offers]
    assert "The first free place is on Wed 4 Nov 2026, on the day of referral" in offers.text
    check = nurse.post(referred.location, data={"place": places_on(offers.text)[0]})
    screens.append(check)
    assert "Book this visit?" in check.text and "Dr Owen Hughes" in check.text
    done = nurse.post(
        referred.location, data={"place": places_on(offers.text)[0], "step": "confirm"}
    )
    visit = nurse.get(done.location)
    screens.append(visit)

    assert "The visit is booked." in visit.text and "LLOYD, Gwen" in visit.text
    assert len(screens) == 4
    record = nurse.get(re.search(r'href="(/patients/\d+)"', visit.text)[1]).text
    assert "Waiting since Wed 4 Nov 2026, 08:00" in record
    assert re.search(r"Next visit</dt>\s*<dd[^>]*>\s*Wed 4 Nov 2026, \d\d:\d\d: booked", record)


def test_somebody_known_is_found_before_being_referred(nurse, clinic):
    patient = base.a_patient(clinic.act, family_name="Llewellyn")

    found = nurse.post("/appointments/refer", data={"words": "llew"})
    assert f"/appointments/refer/{patient}" in found.text
    answer = nurse.post(f"/appointments/refer/{patient}", data=REFERRED)

    assert re.fullmatch(r"/appointments/referrals/\d+/offers", answer.location)


def test_somebody_of_another_site_is_referred_with_a_reason(nurse, clinic, database):
    patient = base.a_patient(made.a_clinic(database).act, family_name="Elsewhere")

    form = nurse.get(f"/appointments/refer/{patient}")
    assert "looked after by another site" in form.text and "NHS No." not in form.text
    refused = nurse.post(f"/appointments/refer/{patient}", data=REFERRED)
    assert refused.status_code == 422
    answer = nurse.post(
        f"/appointments/refer/{patient}",
        data={**REFERRED, "reason_code": "arriving", "reason": "Referred by the court"},
    )

    assert answer.status_code == 302


def test_what_was_typed_is_kept_and_each_error_names_its_field(nurse):
    answer = nurse.post(
        "/appointments/refer/new",
        data={"family_name": "Lloyd", "referred_at-day": "31", "referred_at-month": "2"},
    )

    assert answer.status_code == 422
    assert 'value="Lloyd"' in answer.text
    for name in ("Given name", "Date of birth", "Referred by", "Time of the referral"):
        assert f"{name}" in answer.text
    assert "Error: " in answer.text


def test_the_loser_of_a_race_sees_what_is_free_now(nurse, clinic):
    referral = made.a_referral(clinic)
    where = f"/appointments/referrals/{referral}/offers"
    wanted = places_on(nurse.get(where).text)[0]
    made.a_booking(clinic)

    answer = nurse.post(where, data={"place": wanted, "step": "confirm"})

    assert answer.status_code == 422
    assert "This place has just been taken." in answer.text
    assert wanted not in places_on(answer.text)
    before = nurse.post(where, data={"place": wanted})
    assert before.status_code == 422
    assert "This place has been taken. Taken then: doctor, drugs worker or nurse." in before.text
    assert len(places_on(answer.text)) == 7  # six, and the rest of the last one's day


def test_a_place_that_cannot_be_read_is_refused(nurse, clinic):
    referral = made.a_referral(clinic)
    for nonsense in ("", "tomorrow", "20269999T9999Z-1-1"):
        answer = nurse.post(f"/appointments/referrals/{referral}/offers", data={"place": nonsense})
        assert answer.status_code == 422


@pytest.mark.proves("RP-05")
def test_a_breach_is_said_plainly_before_it_is_booked(nurse, clinic):
    referral = made.a_referral(clinic, referred_at=base.NOW - timedelta(days=5))
    where = f"/appointments/referrals/{referral}/offers"

    offers = nurse.get(where)
    check = nurse.post(where, data={"place": places_on(offers.text)[0]})

    for page in (offers, check):
        assert "5 days after referral. Model 2 allows 3 days, to Mon 2 Nov 2026" in page.text
    assert "Over the limit" in check.text


def test_crack_only_is_sent_to_its_own_pathway(nurse, clinic):
    referral = made.a_referral(clinic, drugs=["crack"])

    offers = nurse.get(f"/appointments/referrals/{referral}/offers")

    assert "RP-31" in offers.text and not places_on(offers.text)


def test_a_visit_is_moved_arrived_and_every_step_shown(door, nurse, clinic, clock):
    booked = made.a_booking(clinic)
    where = f"/appointments/visits/{booked.id}"
    move = nurse.get(f"{where}/move")
    chosen = places_on(move.text)[0]

    check = nurse.post(f"{where}/move", data={"place": chosen, "version": "1"})
    assert "Move the visit here?" in check.text
    sure = {"place": chosen, "version": "1", "step": "confirm"}
    assert nurse.post(f"{where}/move", data=sure).status_code == 302
    clock.forward(hours=3)
    nurse = door.by_page("nurse", site=clinic.site)  # the first sign-in has run out
    arrived = nurse.post(
        f"{where}/arrived",
        data={
            "version": "2", "arrived_at-day": "4", "arrived_at-month": "11",
            "arrived_at-year": "2026", "arrived_at-time": "11:05",
        },
    )  # fmt: skip
    page = nurse.get(arrived.location)

    for step in ("Booked", "Moved", "Arrived", "Wed 4 Nov 2026, 11:05"):
        assert step in page.text


def test_a_visit_is_cancelled_missed_and_taken_back(door, nurse, clinic, clock):
    booked = made.a_booking(clinic)
    where = f"/appointments/visits/{booked.id}"

    wrong = nurse.post(f"{where}/cancel", data={"version": "1"})
    assert wrong.status_code == 422 and "Who cancelled?" in wrong.text
    nurse.post(f"{where}/cancel", data={"version": "1", "reason": "unwell", "by_whom": "patient"})
    nurse.post(f"{where}/undo", data={"version": "2", "reason": "Wrong visit"})
    clock.forward(hours=3)
    nurse = door.by_page("nurse", site=clinic.site)  # the first sign-in has run out
    nurse.post(f"{where}/did-not-attend", data={"version": "3"})
    page = nurse.get(where)

    assert "Did not attend" in page.text and "Arrived late after all" in page.text
    assert "Step taken back" in page.text


def test_a_change_by_somebody_else_meanwhile_is_named_on_the_form(nurse, clinic):
    booked = made.a_booking(clinic)
    where = f"/appointments/visits/{booked.id}/cancel"
    commands.move_visit(clinic.act, booked.id, version=1, **clinic.place(2))

    answer = nurse.post(where, data={"version": "1", "reason": "unwell", "by_whom": "patient"})

    assert answer.status_code == 422
    assert "Nia Bevan changed this (moved) since you read it." in answer.text
    assert 'name="version" type="hidden" value="2"' in answer.text
    assert "unwell" in answer.text


def test_a_referral_is_supported_sent_on_corrected_closed_and_taken_back(nurse, clinic, database):
    referral = made.a_referral(clinic)
    where = f"/appointments/referrals/{referral}"
    at = {f"at-{box}": value for box, value in
          (("day", "4"), ("month", "11"), ("year", "2026"), ("time", "09:00"))}  # fmt: skip

    assert nurse.post(f"{where}/support", data={"version": "1", **at}).status_code == 302
    sent = {"version": "2", "sent_to": "primary_care", "sent_to_name": "Dr Pugh"}
    assert nurse.post(f"{where}/send-on", data=sent).status_code == 302
    form = nurse.get(f"{where}/correct")
    assert 'value="09:00"' in form.text
    corrected = {**REFERRED, "version": "3", "reason": "Wrong time"}
    assert nurse.post(f"{where}/correct", data=corrected).status_code == 302
    closed = {"version": "4", "reason": "declined"}
    assert nurse.post(f"{where}/close", data=closed).status_code == 302
    assert nurse.post(f"{where}/undo", data={"version": "5", "reason": "Back"}).status_code == 302
    seen = {"version": "6", **{f"seen_{key}": value for key, value in at.items()}}
    assert nurse.post(f"{where}/seen", data=seen).status_code == 302

    page = nurse.get(where)
    for step in ("Psychosocial support given", "Dr Pugh", "Corrected", "Closed", "Seen"):
        assert step in page.text
    with database.reading() as session:
        assert session.get_one(Referral, referral).status == "seen"


def test_the_first_page_lists_who_needs_a_place_with_the_limit(door, clinic, clock):
    referral = made.a_referral(clinic)
    booked = made.a_booking(clinic)
    clock.set(booked.place.ends_at + timedelta(minutes=1))

    page = door.by_page("nurse", site=clinic.site).get("/").text

    assert f"/appointments/referrals/{referral}/offers" in page
    assert "Record whether the patient came." in page


def test_a_referral_shows_the_visits_booked_for_it(nurse, clinic):
    booked = made.a_booking(clinic)

    page = nurse.get(f"/appointments/referrals/{booked.referral_id}")

    assert page.status_code == 200
    assert f'href="/appointments/visits/{booked.id}"' in page.text


def test_a_prison_has_no_wait_list_on_its_first_page(door, database, clock):
    site = base.a_site(database, kind="prison")

    page = door.by_page("prison_healthcare", "nurse", site=site).get("/").text

    assert "Waiting for a clinician" not in page


def test_the_clinics_list_shows_a_day_and_a_week(nurse, clinic):
    made.a_booking(clinic, **clinic.place(2))

    assert "Nobody is booked on Wed 4 Nov 2026" in nurse.get("/appointments/clinic").text
    week = nurse.get("/appointments/clinic?on=2026-11-04&by=week").text
    assert "Fri 6 Nov 2026 (1 visit)" in week and "MORGAN, Dewi" in week
    assert "No such" not in nurse.get("/appointments/clinic?on=nonsense").text


def test_a_manager_sets_up_a_rota_from_an_empty_service(door, database, clock):
    site = base.a_site(database)
    made.works_under(database, site, 2)
    manager = door.by_page("manager", site=site)
    assert "before" in manager.get("/appointments/rota/add").text.lower()
    doctor, worker = made.a_doctor(database, site), made.a_worker(database, site)

    assert "The rota has no session yet" in manager.get("/appointments/rota").text
    for weekday in made.MON_WED_FRI:
        added = manager.post(
            "/appointments/rota/add",
            data={
                "weekday": weekday, "starts": "09:30", "ends": "12:30", "slot_minutes": "90",
                "doctor_id": doctor.id, "worker_id": worker.id, "from_on-day": "4",
                "from_on-month": "11", "from_on-year": "2026",
            },
        )  # fmt: skip
        assert added.status_code == 302, added.text
    page = manager.get("/appointments/rota").text

    assert "Dr Owen Hughes" in page
    assert "Week of Mon 21 Dec 2026" in page and "Week of Mon 9 Nov 2026" not in page
    assert page.count("No breathalyser is recorded at this site.") == 1  # and not at each session

    for weekday, day in (("5", "25"), ("1", "28")):  # both bank holidays of the usual team
        only = {
            f"{field}-{part}": value
            for field in ("from_on", "to_on")
            for part, value in (("day", day), ("month", "12"), ("year", "2026"))
        }
        manager.post(
            "/appointments/rota/add",
            data={
                "weekday": weekday, "starts": "09:30", "ends": "12:30", "slot_minutes": "90",
                "doctor_id": doctor.id, "worker_id": worker.id, "despite_holiday": "y", **only,
            },
        )  # fmt: skip
    page = manager.get("/appointments/rota").text
    assert "Kept" in page and "Mon 28 Dec 2026 only, although a bank holiday" in page


def test_a_session_is_ended_and_a_day_taken_off_and_put_back(manager, clinic, database):
    friday = clinic.sessions[2]
    day = {"on-day": "6", "on-month": "11", "on-year": "2026", "reason": "Training"}

    shown = manager.post(f"/appointments/rota/{friday}/day-off", data=day)
    assert "The rota would break its model" in shown.text  # and so nothing is saved yet
    assert "Training" not in manager.get("/appointments/rota").text
    manager.post(f"/appointments/rota/{friday}/day-off", data={**day, "step": "confirm"})
    page = manager.get("/appointments/rota").text
    assert "Fri 6 Nov 2026: Training" in page
    off = re.search(r"/appointments/rota/days-off/\d+/withdraw", page).group()
    assert manager.post(off).status_code == 302
    end = {"version": "1", "to_on-day": "27", "to_on-month": "11", "to_on-year": "2026"}
    sure = {**end, "step": "confirm"}
    assert manager.post(f"/appointments/rota/{friday}/end", data=sure).status_code == 302

    with database.reading() as session:
        assert session.get_one(RotaPattern, friday).to_on == date(2026, 11, 27)
    assert "Training" not in manager.get("/appointments/rota").text


def test_a_refused_session_keeps_what_was_typed(manager, clinic):
    answer = manager.post(
        "/appointments/rota/add",
        data={
            "weekday": 1, "starts": "9.30", "ends": "12:30", "slot_minutes": "30",
            "doctor_id": clinic.doctor.id, "worker_id": clinic.worker.id, "from_on-day": "4",
            "from_on-month": "11", "from_on-year": "2026",
        },
    )  # fmt: skip

    assert answer.status_code == 422
    assert "Starts must be a time such as 09:30" in answer.text
    assert 'value="9.30"' in answer.text


@pytest.mark.parametrize(
    "path",
    ["/appointments/rota/add", "/appointments/rota/1/end", "/appointments/rota/1/day-off"],
)
def test_a_nurse_does_not_set_the_rota(nurse, path):
    assert nurse.get(path).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/appointments/waiting", "/appointments/clinic", "/appointments/rota", "/appointments/refer"],
)
def test_a_pharmacist_sees_nothing_of_it(door, clinic, path):
    assert door.by_page("pharmacist", site=clinic.site).get(path).status_code == 403


def test_no_page_puts_a_name_or_a_number_into_an_address(nurse, clinic):
    patient = base.a_patient(clinic.act, family_name="Llewellyn")
    made.a_referral(clinic, patient_id=patient)

    for page in ("/appointments/waiting", "/appointments/clinic", "/"):
        for href in re.findall(r'href="([^"]+)"', nurse.get(page).text):
            assert "llewellyn" not in href.lower() and "999" not in href


# -- in a browser, with the token of every form, and with scripts off


@pytest.mark.browser
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_place_is_booked_in_a_browser_without_scripts(served, no_scripts_page, clock):
    clinic = made.a_clinic(served.database)
    referral = made.a_referral(clinic)
    page = no_scripts_page
    served.door.in_browser(page, served.url, "nurse", site=clinic.site)

    page.goto(f"{served.url}/appointments/waiting")
    page.get_by_role("link", name="Offer a place").click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Confirm and book").click()

    assert "The visit is booked." in page.content()
    with served.database.reading() as session:
        visit = session.scalars(select(Visit)).one()
    assert (visit.referral_id, visit.status) == (referral, "booked")


@pytest.mark.proof  # the short form has the crawl, which shows axe each of these pages
@pytest.mark.browser
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_every_page_passes_axe(served, page, axe, clock):
    clinic = made.a_clinic(served.database)
    waiting = made.a_referral(clinic, referred_at=base.NOW - timedelta(days=4), risk="high")
    booked = made.a_booking(clinic)
    rota_commands.take_day_off(clinic.act, clinic.sessions[1], on=clinic.act.today, reason="Flood")
    things_commands.add_thing(clinic.act, kind="room", name="Room 2")
    hours_commands.set_opening(
        clinic.act, weekday=6, opens=None, closes=None, from_on=clinic.act.today
    )
    with served.database.transaction() as session:
        people.a_member_of_staff(session, session.merge(clinic.site), "manager")
    served.door.in_browser(page, served.url, "nurse", "manager", site=clinic.site)

    for path in (
        "/", "/appointments/waiting", "/appointments/refer", "/appointments/refer/new",
        f"/appointments/referrals/{waiting}", f"/appointments/referrals/{waiting}/offers",
        f"/appointments/referrals/{waiting}/correct", f"/appointments/visits/{booked.id}",
        f"/appointments/visits/{booked.id}/cancel", "/appointments/clinic?by=week",
        "/appointments/rota", "/appointments/rota/add", "/appointments/rota/hours",
        "/appointments/rota/leave", "/appointments/rota/opening", "/appointments/rota/things",
        "/appointments/rota/things/add", "/appointments/rota/without-staff",
        f"/appointments/referrals/{waiting}/walk-in", f"/sites/{clinic.site.id}/model",
    ):  # fmt: skip
        assert page.goto(f"{served.url}{path}").status == 200, path
        axe(page)


@pytest.mark.proves("RP-03")
def test_under_model_1_missing_support_and_the_last_day_stand_on_every_list(door, database, clock):
    clinic = made.a_clinic(database, model=1)
    giver = made.a_booking(clinic, **clinic.place(2))
    referral = made.a_referral(clinic, referred_at=clinic.act.at - timedelta(days=2))
    commands.cancel_visit(
        clinic.act, giver.id, version=1, reason="cannot_come", by_whom="patient"
    )  # fmt: skip
    nurse, api = (
        door.by_page("nurse", site=clinic.site),
        door.by_token("nurse", site=clinic.site),
    )
    pages = ("/", "/appointments/waiting", f"/appointments/referrals/{referral}")
    freed = re.findall(r"/appointments/freed/\d+", nurse.get("/").text)[0]

    for page in (*pages, freed):
        shown = nurse.get(page).text
        assert "no psychosocial support from the team on record" in shown, page
        assert "Mon 16 Nov 2026" in shown, page
    [row, *_] = api.get("/api/v1/referrals").json["waiting"]
    assert (row["wait"]["last_on"], [flag["rule"] for flag in row["flags"]]) == (
        "2026-11-16",
        ["RP-03"],
    )
