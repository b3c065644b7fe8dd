"""The pages of titration: a review with the day's facts above it, the sheet of a day, the board."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from sqlalchemy import select

from clinic.guidance.commands import tighten
from clinic.prescriptions.commands import check_dose
from clinic.titration.models import Contact, TitrationReview
from tests.factories.base import NOW, a_patient
from tests.factories.prescriptions import (
    a_clinic,
    a_decision,
    a_dose_taken,
    a_lead,
    a_supply,
    an_assessed_patient,
    an_observation,
    an_order,
)
from tests.factories.titration import a_build_up, a_review

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SECOND = NOW + timedelta(minutes=185)
ON_SITE = ("specialist_service", "supervised_dispensing", "on_site_titration_protocol")


@pytest.fixture
def clinic(database, clock):
    return a_clinic(database, features=ON_SITE)


@pytest.fixture
def at_work(clinic, door):
    """Somebody who signs in now, by the stopped clock."""

    def sign_in(role):
        return door.by_page(
            role, site=clinic.site, level="prescriber" if role == "prescriber" else None
        )

    return sign_in


@pytest.fixture
def nurse(at_work):
    return at_work("nurse")


@pytest.fixture
def prescriber(at_work):
    return at_work("prescriber")


def text_of(response):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))))


def rows(clinic, model):
    with clinic.database.reading() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def boxes(name, day, time=None):
    found = {f"{name}-day": str(day), f"{name}-month": "11", f"{name}-year": "2026"}
    return found if time is None else {**found, f"{name}-time": time, f"{name}-which": ""}


def the_review(**more):
    return {
        "decision": "hold", "reason_code": "still_building", "reason": "Steady, a little sweating",
        "seen": "in_person", **boxes("reviewed_at", 4, "09:00"), **boxes("next_review_on", 5),
        **more,
    }  # fmt: skip


@pytest.mark.proves("RP-35")
def test_a_review_stands_below_the_facts_of_the_day_and_presets_nothing(clinic, nurse):
    person = a_build_up(clinic, "20", "25", None, at=NOW - 2 * DAY).patient

    page = nurse.get(f"/patients/{person}/titration/review")

    said = text_of(page)
    for words in (
        "Day 3, first dose Mon 2 Nov 2026", "COWS", "14 (Mon 09:00) then 14 (Tue 09:00)",
        "1: awake and alert, Tue 3 Nov 2026, 09:00", "0 micrograms/100 ml breath",
        "09:00, taken, all of it, 25 mg, seen by Nia Lloyd", "Jump: 20 mg to 25 mg",
    ):  # fmt: skip
        assert words in said
    html = page.get_data(as_text=True)
    assert not re.search(r'name="(decision|reason_code|seen|rests_on)"[^>]*checked', html)


def test_a_review_is_saved_with_what_it_rests_on_and_told_on_the_persons_page(clinic, nurse):
    person = an_assessed_patient(clinic)
    seen = an_observation(clinic.act(clinic.nurse), person)

    answer = nurse.post(
        f"/patients/{person}/titration/review", data=the_review(rests_on=[str(seen)], once="k"),
        follow_redirects=True,
    )  # fmt: skip

    (row,) = rows(clinic, TitrationReview)
    assert (row.decision, row.rests_on, row.once) == ("hold", [seen], "k")
    said = text_of(answer)
    assert "The review is recorded: hold: the dose stays." in said
    assert "It counts until Wed 4 Nov 2026, that day included." in said


def test_a_refused_review_keeps_what_was_typed_and_names_the_field(clinic, nurse):
    person = an_assessed_patient(clinic)

    answer = nurse.post(
        f"/patients/{person}/titration/review", data=the_review(decision="raise")
    )  # fmt: skip

    said = text_of(answer)
    assert answer.status_code == 422
    assert "There is a problem" in said and "Main reason must be one of" in said
    assert "Steady, a little sweating" in said
    assert rows(clinic, TitrationReview) == []


@pytest.mark.proves("RP-35")
def test_a_raise_leads_a_prescriber_to_the_order_and_a_nurse_to_wait(clinic, nurse, prescriber):
    person = an_assessed_patient(clinic)
    data = the_review(decision="raise", reason_code="withdrawal")

    by_nurse = nurse.post(f"/patients/{person}/titration/review", data=data)
    by_prescriber = prescriber.post(f"/patients/{person}/titration/review", data=data)

    assert by_nurse.location.endswith(f"/patients/{person}/titration")
    assert by_prescriber.location.endswith(f"/patients/{person}/prescribing/dose")


@pytest.mark.proves("RP-34")
def test_contact_is_logged_planned_and_struck_out_in_the_browser(clinic, door):
    person = a_build_up(clinic, "20").patient
    worker = door.by_page("drugs_worker", site=clinic.site)
    at = f"/patients/{person}/titration/contact"

    worker.post(at, data={"how": "phone", "reached": "no", **boxes("happened_at", 4, "09:00")})
    worker.post(f"{at}/plan", data={"how": "outreach", **boxes("planned_on", 6)})
    tried, planned = rows(clinic, Contact)
    worker.post(f"/patients/{person}/titration/contacts/{tried.id}/strike",
                data={"reason": "Rang somebody else"})  # fmt: skip

    said = text_of(worker.get(f"/patients/{person}/titration"))
    assert (tried.reached, planned.planned_on.isoformat()) == (False, "2026-11-06")
    assert "Struck out Rang somebody else" in said and "Planned Fri 6 Nov 2026" in said


# -- the day on site -----------------------------------------------------------------------


@pytest.fixture
def titrated(clinic):
    """20 mg at 9, looked at after an hour and three, 10 mg at 12:05. Both recorded."""
    person = an_assessed_patient(clinic)
    a_review(clinic.act(), person, "start")
    for at, mg in ((NOW, "20"), (SECOND, "10")):
        if at != NOW:
            for looked in (NOW + HOUR, at - timedelta(minutes=5)):
                an_observation(clinic.act(clinic.nurse, at=looked), person)
        act = clinic.act(at=at)
        decision = a_decision(act, person, order=an_order(mg))
        act.session.close()
        a_dose_taken(clinic.act(clinic.nurse, at=at), person, decision)
    return person


@pytest.mark.proves("RP-12")
def test_the_sheet_shows_each_increment_with_time_amount_finding_and_running_total(
    clinic, at_work, clock, titrated
):
    clock.set(NOW + 4 * HOUR)

    said = text_of(at_work("nurse").get(f"/patients/{titrated}/titration/day"))

    assert "Running total of the day 30 mg" in said
    for line in (
        r"09:00 .*?Dose 1: taken, all of it .*?20 mg .*?20 mg .*?COWS 14 .*?1: awake and alert .*?Nia",
        r"12:05 .*?Dose 2: taken, all of it .*?10 mg .*?30 mg .*?COWS 14 .*?1: awake and alert .*?Nia",
    ):
        assert re.search(line, said)
    assert re.search(r"12:05 .{0,30}Look .{0,10}1 hour after the dose .*?13:05, by 13:20", said)


@pytest.mark.proves("RP-12")
@pytest.mark.parametrize("tighter", [None, "4.5"])
def test_the_next_time_is_the_dosing_rules_own_limit_tightened_or_not(
    clinic, at_work, clock, titrated, tighter
):
    """At the minute told the check no longer stops on time, and one minute before it does."""
    if tighter is not None:
        act = clinic.act(a_lead(clinic))
        tighten(
            act, rule="M-D1-01", limit="under_hours", value=Decimal(tighter),
            reason="Two people were drowsy in October",
        )  # fmt: skip
        act.session.close()
    clock.set(NOW + 4 * HOUR)
    told = SECOND + timedelta(hours=float(tighter or 3))

    said = text_of(at_work("nurse").get(f"/patients/{titrated}/titration/day"))

    # What has passed is said as over, and never as a stop that still stands.
    over = f"The stop after the last dose is over since {told:%H:%M}"
    assert (over if told <= NOW + 4 * HOUR else f"A dose is stopped before {told:%H:%M}") in said
    assert "(passed" not in said
    for at, stopped in ((told - timedelta(minutes=1), True), (told, False)):
        act = clinic.act(at=at)
        answer, _ = check_dose(
            act, titrated, order=an_order("5"), decided_at=at, supply=a_supply(at)
        )  # fmt: skip
        act.session.close()
        assert ("M-D1-01" in {each["rule"] for each in answer["findings"]}) == stopped


@pytest.mark.proves("RP-12")
def test_the_board_puts_whoever_waited_longest_first_and_says_so_in_words(clinic, at_work, clock):
    calm, late = an_assessed_patient(clinic), an_assessed_patient(clinic)
    for person, at in ((late, NOW), (calm, NOW + timedelta(minutes=80))):
        a_review(clinic.act(at=at), person, "start")
        if person == calm:
            an_observation(clinic.act(clinic.nurse, at=at), person)
        act = clinic.act(at=at)
        decision = a_decision(act, person, order=an_order("20"))
        act.session.close()
        a_dose_taken(clinic.act(clinic.nurse, at=at), person, decision)
    a_patient(clinic.act())
    clock.set(NOW + timedelta(minutes=100))
    nurse = at_work("nurse")

    page = nurse.get("/titration/board")

    html, said = page.get_data(as_text=True), text_of(page)
    assert html.index(f"/patients/{late}/titration/day") < html.index(
        f"/patients/{calm}/titration/day"
    )
    assert "As at 10:40. 2 people, 1 overdue ." in said
    assert "Overdue by 25 min: look 1 hour after the dose" in said
    assert "Next look 11:20: 1 hour after the dose" in said
    assert "Not before 12:00, with a reason until 13:00" in said
    assert '<noscript><meta http-equiv="refresh" content="60"></noscript>' in html
    assert "http-equiv" not in nurse.get("/titration/board?still=1").get_data(as_text=True)


def test_a_service_where_nobody_can_stay_has_an_empty_board(database, clock, door):
    clinic = a_clinic(database)
    a_build_up(clinic, "20")
    nurse = door.by_page("nurse", site=clinic.site)

    assert "this service has no supervised dispensing" in text_of(nurse.get("/titration/board"))


def test_the_sheet_on_paper_carries_the_rules_of_the_site_and_room_to_write(
    clinic, nurse, titrated
):
    blank = text_of(nurse.get("/titration/paper"))
    own = text_of(nurse.get(f"/patients/{titrated}/titration/day/paper"))

    assert "Too soon: the peak has not passed. (M-D1-01, under 3 hours)" in blank
    assert "Look 1 hour after the dose; 2 to 3 hours after the dose" in blank
    assert "20 mg" in own


def test_an_observation_is_recorded_from_the_sheet(clinic, nurse):
    person = an_assessed_patient(clinic)

    answer = nurse.post(
        f"/patients/{person}/titration/day/observe",
        data={"withdrawal_scale": "", "sedation": "2", **boxes("happened_at", 4, "09:00")},
    )

    assert answer.location.endswith(f"/patients/{person}/titration/day")
    assert "2: slightly drowsy" in text_of(nurse.get(f"/patients/{person}/titration/day"))


@pytest.mark.parametrize("on", ["2026-11-05", "yesterday"])
def test_a_day_to_come_or_no_day_has_no_sheet(clinic, nurse, on):
    person = an_assessed_patient(clinic)

    assert nurse.get(f"/patients/{person}/titration/day/{on}").status_code == 404
