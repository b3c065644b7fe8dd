"""Closing a gap where it is seen: the fewest steps, the place in the service's diary, and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from clinic.appointments import commands as visits
from clinic.appointments import outcome_commands
from clinic.appointments.chain_models import ChainArrangement
from clinic.appointments.models import Referral, Visit
from clinic.patients.models import Registration
from clinic.release import closing
from clinic.release.models import ReleaseFact
from tests.clinic.release.test_pages import send
from tests.factories.appointments import a_clinic, a_session
from tests.factories.release import (
    a_fact,
    a_pharmacy,
    a_release_plan,
    instalment,
    struck,
    version_of,
)

FRIDAY = "2026-08-21"
NOW = "2026-08-17T08:00:00Z"


@pytest.fixture
def service(story):
    """A model 2 service whose doctor and worker sit on Monday, Wednesday and Friday mornings."""
    return a_clinic(
        story.database, at=story.at, name="Northborough drug service", telephone="01632 960011"
    )


@pytest.fixture
def plan_id(story, service):
    return a_release_plan(
        story.act(),
        treatment={"on_ost": True, "medicine": "methadone"},
        release={"confirmed_on": FRIDAY, "kind": "determinate"},
        destination={"site_id": service.site.id, "contact": "duty worker", "area": "Northborough"},
        last_dose={"dose_on_release_day": True},
        consent={"given": True},
    )


def book(story, plan_id, nth=0):
    act = story.act()
    _, places = closing.first_places(act, story.now(plan_id).plan)
    place = places[nth].place
    act = story.act()
    return closing.book_first_appointment(
        act, plan_id, version=version_of(act, plan_id), starts_at=place.starts_at,
        doctor_id=place.doctor_id, worker_id=place.worker_id,
    )  # fmt: skip


def the_visit(story):
    return story.act().session.scalars(select(Visit)).one()


@pytest.mark.proves("RC-19", "RC-17")
def test_the_first_appointment_is_booked_in_the_services_diary_from_the_plan(
    app, story, service, plan_id, door, clock
):
    clock.set(story.at)
    app.config["WTF_CSRF_ENABLED"] = True
    client = door.by_page("prison_healthcare", site=story.prison)
    here = f"/release/plans/{plan_id}"
    page = client.get(here).get_data(as_text=True)
    assert "Book it at Northborough drug service" in page
    assert page.index("in the fewest steps") < page.index("What stands in the way")

    offered = client.get(f"{here}/book").get_data(as_text=True)
    assert offered.count('name="place"') == 4  # two on Friday, two on the Monday after
    assert "checked" not in offered
    [key, *_] = [
        part.split('"')[0] for part in offered.split('name="place"')[1].split('value="')[1:]
    ]
    nothing = send(client, f"{here}/book")
    done = send(client, f"{here}/book", {"place": key}).get_data(as_text=True)
    [row] = story.now(plan_id).facts["appointment"]

    assert nothing.status_code == 422
    assert "is booked and recorded" in done
    assert "Booked, Fri 21 Aug 2026, 09:30" in done
    visit = the_visit(story)
    assert (visit.status, visit.starts_at.isoformat()) == ("booked", f"{FRIDAY}T08:30:00+00:00")
    assert story.act().session.scalars(select(Referral.source)).one() == "prison"
    assert "RG-02" not in story.flags(plan_id)

    # Given back, another is offered at once; and their record there leads to the plan.
    given_back = send(client, f"/release/facts/{row.id}/strike", {"reason": "Too early"})
    app.config["WTF_CSRF_ENABLED"] = False
    assert "its place given back. Book another here." in given_back.get_data(as_text=True)
    assert the_visit(story).status == "cancelled"
    there = door.by_page("nurse", site=service.site)
    record = there.get(f"/patients/{visit.patient_id}").get_data(as_text=True)
    assert here in record


@pytest.mark.proves("RP-10")
def test_a_model_3_visit_is_booked_from_the_plan_with_what_is_arranged_for_its_shut_days(
    story, door, clock
):
    clock.set(story.at)
    rapid = a_clinic(story.database, at=story.at, model=3, weekdays=(), name="Rapid service")
    for weekday in range(1, 6):
        a_session(rapid, weekday=weekday, nurse_id=rapid.nurse.id)
    plan = a_release_plan(
        story.act(), release={"confirmed_on": FRIDAY, "kind": "determinate"},
        destination={"site_id": rapid.site.id}, consent={"given": True},
    )  # fmt: skip
    client = door.by_page("prison_healthcare", site=story.prison)
    here = f"/release/plans/{plan}/book"
    [key, *_] = [
        part.split('"')[0]
        for part in client.get(here).text.split('name="place"')[1].split('value="')[1:]
    ]

    asked = send(client, here, {"place": key})
    assert "While the service is shut: Sat 22 Aug 2026" in asked.text
    assert story.act().session.scalars(select(Visit)).all() == []
    given = {
        "arranged_kind": "phone", "arranged_who": "Duty worker",
        "arranged_contact": "01632 960777", "arranged_by": "16:00",
        "arranged_for": asked.text.split('name="arranged_for" value="')[1].split('"')[0],
    }  # fmt: skip
    done = send(client, here, {"place": key, **given}).text

    assert "is booked and recorded" in done
    assert len(story.act().session.scalars(select(Visit)).all()) == 3
    rows = story.act().session.scalars(select(ChainArrangement)).all()
    assert {row.who for row in rows} == {"Duty worker"}


def test_striking_the_appointment_out_gives_the_place_back_and_brings_the_flag_back(story, plan_id):
    fact_id = book(story, plan_id)

    struck(story.act(), fact_id, reason="They want another day")

    assert the_visit(story).status == "cancelled"
    assert "RG-02" in story.flags(plan_id)
    assert book(story, plan_id)  # and it can be booked again


@pytest.mark.proves("RC-25")
def test_the_plan_follows_the_services_diary_at_once(story, service, plan_id):
    fact_id = book(story, plan_id)
    visit, places = the_visit(story), closing.first_places(story.act(), story.now(plan_id).plan)[1]
    monday = places[-1].place
    visits.move_visit(
        service.at(story.at), visit.id, version=visit.version, starts_at=monday.starts_at,
        doctor_id=monday.doctor_id, worker_id=monday.worker_id,
    )  # fmt: skip
    moved = story.now(plan_id)
    assert moved.request["appointment"]["at"] == monday.starts_at.isoformat()
    assert moved.flags and "2026-08-22" in moved.answer["uncovered_days"]

    story.at = datetime(2026, 8, 24, 15, 0, tzinfo=UTC)
    a_fact(story.act(), plan_id, "exit", at="2026-08-21T08:00:00Z", how="release")
    visit = the_visit(story)
    outcome_commands.record_did_not_attend(service.at(story.at), visit.id, version=visit.version)

    row = story.act().session.get_one(ReleaseFact, fact_id)
    assert "RG-17" in {flag.flag for flag in closing.commands.scoring.standing_flags(
        story.act(), row.plan_id)}  # fmt: skip
    visit = the_visit(story)
    outcome_commands.record_arrived(service.at(story.at), visit.id, version=visit.version)
    assert "RG-17" not in story.flags(plan_id)


@pytest.mark.proves("A38")
def test_without_consent_no_place_is_shown_and_nobody_is_referred(story, service, door, clock):
    clock.set(story.at)
    plan_id = a_release_plan(
        story.act(), release={"confirmed_on": FRIDAY}, destination={"site_id": service.site.id}
    )
    api = door.by_token("prison_healthcare", site=story.prison)
    here = f"/api/v1/release-plans/{plan_id}"

    refused = api.get(f"{here}/places")
    a_fact(story.act(), plan_id, "consent", given=True)
    offered = api.get(f"{here}/places").get_json()
    tag = api.get(here).headers["ETag"]
    [first, *_] = offered["places"]
    booked = api.post(f"{here}/appointment", json=first, headers={"If-Match": tag})
    again = api.post(
        f"{here}/appointment", json=offered["places"][1],
        headers={"If-Match": booked.headers["ETag"]},
    )  # fmt: skip

    assert (refused.status_code, "consent" in refused.get_json()["detail"]) == (409, True)
    assert (booked.status_code, again.status_code) == (201, 409)
    body = booked.get_json()
    assert [step["section"] for step in body["way_out"]["steps"]][:1] == ["destination"]
    registered = story.act().session.scalars(
        select(Registration.site_id).where(Registration.ended_at.is_(None))
    )
    assert list(registered).count(service.site.id) == 1


LETTER = {"prepared_at": NOW, "sent_at": NOW, "sent_to": "the service"}


@pytest.mark.proves("RC-02", "RC-08")
def test_striking_out_any_single_closing_fact_brings_its_flag_back(story, service):
    """On the morning of a Friday release everything is in place; each thing is taken back in turn."""
    story.at = datetime(2026, 8, 21, 7, 0, tzinfo=UTC)
    act = story.act()
    pharmacy_id = a_pharmacy(act)
    plan_id = a_release_plan(
        act,
        treatment={"on_ost": True, "opioid_history": True, "medicine": "methadone"},
        release={"confirmed_on": FRIDAY, "kind": "determinate"},
        destination={"site_id": service.site.id, "contact": "duty worker", "area": "Northborough"},
        last_dose={"dose_on_release_day": True},
        consent={"given": True},
        prescriber={"name": "Dr Hughes", "service": "Northborough drug service"},
        pharmacy={"premises_id": pharmacy_id},
        appointment={"at": "2026-08-24T09:00:00Z", "booked_at": NOW, "acknowledged_at": NOW},
        supply={"form": "fp10mda", "in_hand": True, "written_at": NOW,
                "instalments": [instalment("2026-08-22", "2026-08-22", "2026-08-23")]},
        notification={"sent_at": NOW, "acknowledged_at": NOW, "told": "CJIT duty worker",
                      "how": "telephone"},
        dose_letter={**LETTER, "how": "secure_email"},
        naloxone={"outcome": "issued", "on": "2026-08-20"},
        overdose_session={"outcome": "delivered", "on": "2026-08-20"},
        weekend={"weekend_cover_acknowledged_at": NOW},
    )  # fmt: skip
    assert story.flags(plan_id) == {}
    brings = {
        "prescriber": "RG-01", "appointment": "RG-02", "supply": "RG-03",
        "weekend": "RG-05", "naloxone": "RG-11", "notification": "RG-12", "destination": "RG-13",
        "pharmacy": "RG-15", "overdose_session": "RG-16", "consent": "RG-19",
        "dose_letter": "RG-20",
    }  # fmt: skip

    for section, flag in brings.items():
        [row] = story.now(plan_id).facts[section]
        struck(story.act(), row.id)
        now = story.now(plan_id)
        assert flag in {each.flag for each in now.flags}, section
        asked_for = [step.section for step in closing.way_out(now).steps]
        assert asked_for == ([] if section == "weekend" else [section])  # amber alone needs none
        act = story.act()
        closing.commands.put_back(act, row.id, version=version_of(act, plan_id))
        assert story.flags(plan_id) == {}, section
