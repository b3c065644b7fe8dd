"""After a missed visit: the ladder of contact, as commands, pages and over HTTP on both databases."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from clinic.appointments import (
    missed_commands,
    missed_queries,
    outcome_commands,
    queries,
    referral_commands,
)
from clinic.appointments.missed_models import MissedContact, MissedContactTry
from clinic.appointments.models import Referral, Visit, VisitEvent
from clinic.db import Database
from clinic.errors import Conflict, Invalid
from clinic.titration.models import Contact
from tests.factories import appointments as made
from tests.factories import base


@pytest.fixture
def clinic(database: Database) -> made.Clinic:
    """On Friday 6 November at two in the afternoon, with the whole of a nurse's rights."""
    found = made.a_clinic(
        database, weekdays=range(1, 6), at=datetime(2026, 11, 6, 9, 0, tzinfo=UTC)
    )
    return replace(found, act=as_nurse(found, found.act.at))


def as_nurse(clinic: made.Clinic, at: datetime):
    act = clinic.at(at)
    return replace(act, rights=act.rights | {"contacts.record", "patients.edit"})


def later(clinic: made.Clinic, **span: float) -> made.Clinic:
    return replace(clinic, act=as_nurse(clinic, clinic.act.at + timedelta(**span)))


def missed(clinic: made.Clinic) -> tuple[made.Clinic, int, int]:
    """The first visit of the day missed: the clinic an hour on, the visit and its ladder."""
    visit = made.a_booking(clinic)
    after = later(clinic, hours=1)
    outcome_commands.record_did_not_attend(after.act, visit.id, version=1)
    ladder = after.act.session.scalars(
        select(MissedContact.id).where(MissedContact.visit_id == visit.id)
    ).one()
    return after, visit.id, ladder


def stands(clinic: made.Clinic, ladder: int) -> missed_queries.Ladder:
    found = missed_queries.ladder(clinic.act, ladder)
    clinic.act.session.rollback()
    return found


def tried(clinic: made.Clinic, ladder: int, **what) -> int:
    given = {"how": "phone", "at": clinic.act.at, "outcome": "no_answer", **what}
    return missed_commands.record_try(clinic.act, ladder, **given)


@pytest.mark.proves("CM-26", "CM-27")
def test_a_missed_visit_begins_a_ladder_whose_outreach_is_due_within_24_hours_on_a_saturday(clinic):
    after, _, ladder = missed(clinic)

    found = stands(after, ladder)

    due = {step.how: step.due_at for step in found.steps}
    assert found.row.missed_at == datetime(2026, 11, 6, 9, 30, tzinfo=UTC)
    assert due["outreach"] == datetime(2026, 11, 7, 9, 30, tzinfo=UTC)
    assert due["told"] == datetime(2026, 11, 10, 23, 59, tzinfo=UTC)
    assert found.next is not None and found.next.rule == "MC-01"


@pytest.mark.proves("CM-26")
def test_the_step_due_first_stands_above_and_moves_on_with_each_try(clinic):
    after, _, ladder = missed(clinic)

    tried(after, ladder)
    tried(after, ladder, how="text", outcome="sent")

    found = stands(after, ladder)
    assert found.next is not None and found.next.rule == "MC-03"
    assert [each.row.id for each in missed_queries.open_ladders(after.act)] == [ladder]


@pytest.mark.proves("CM-26")
def test_reaching_the_person_asks_why_and_ends_the_ladder(clinic, database):
    after, _, ladder = missed(clinic)

    with pytest.raises(Invalid, match="reason"):
        tried(after, ladder, outcome="reached")
    tried(after, ladder, outcome="reached", reason="afraid")

    assert stands(after, ladder).ended == "reached"
    assert missed_queries.open_ladders(after.act) == []
    with database.reading() as session:
        assert session.scalars(select(Contact)).one().reached is True


def test_a_wrong_entry_taken_back_stays_and_the_ladder_goes_on(clinic, database):
    after, _, ladder = missed(clinic)
    wrong = tried(after, ladder, outcome="reached", reason="forgot")

    missed_commands.strike_try(after.act, ladder, wrong, "It was their brother who answered")

    found = stands(after, ladder)
    assert (found.ended, found.next.rule) == (None, "MC-01")
    assert [each.struck_reason for each in found.tries] == ["It was their brother who answered"]
    with database.reading() as session:
        assert session.scalars(select(Contact)).one().struck_at is not None
    assert tried(after, ladder) > wrong


def test_a_visit_not_missed_after_all_ends_its_ladder_and_missed_again_goes_on(clinic):
    after, visit, ladder = missed(clinic)
    tried(after, ladder)

    outcome_commands.undo_visit(after.act, visit, version=2, reason="The wrong person")
    undone = stands(after, ladder).ended
    outcome_commands.record_did_not_attend(after.act, visit, version=3)

    assert undone == "attended"
    assert stands(after, ladder).ended is None
    assert len(stands(after, ladder).tries) == 1


def test_a_new_visit_is_the_step_of_offering_a_time_and_coming_to_it_ends_the_ladder(clinic):
    after, visit, ladder = missed(clinic)
    referral = after.act.session.get_one(Visit, visit).referral_id
    booked = made.a_booking(after, referral, **after.place(2))
    steps = {step.how: step.done_at for step in stands(after, ladder).steps}

    on_the_day = replace(after, act=as_nurse(after, booked.place.starts_at))
    outcome_commands.record_arrived(on_the_day.act, booked.id, version=1)

    assert steps["rebook"] == after.act.at
    assert stands(on_the_day, ladder).ended == "came"


def test_lost_contact_begins_a_ladder_without_a_visit_and_can_be_struck_out(clinic):
    patient = base.a_patient(clinic.act)

    ladder = missed_commands.begin_lost_contact(
        clinic.act, patient, missed_at=clinic.act.at - timedelta(hours=30),
        note="Phone dead, not at the hostel",
    )  # fmt: skip
    late = stands(clinic, ladder).next
    missed_commands.strike_lost_contact(clinic.act, ladder, "Seen by the keyworker this morning")

    assert late is not None and late.due_at < clinic.act.at
    assert stands(clinic, ladder).ended == "struck"
    with pytest.raises(Conflict, match="in error"):
        tried(clinic, ladder)


@pytest.mark.parametrize(
    ("field", "what"),
    [
        ("how", {"how": "pigeon"}),
        ("outcome", {"outcome": "sent"}),
        ("at", {"at": datetime(2026, 11, 6, 9, 29, tzinfo=UTC)}),
        ("at", {"at": datetime(2026, 11, 6, 10, 1, tzinfo=UTC)}),
        ("reason", {"reason": "forgot"}),
        ("note", {"outcome": "reached", "reason": "other"}),
    ],
)
def test_what_cannot_stand_is_refused_by_its_field(clinic, field, what):
    after, _, ladder = missed(clinic)

    with pytest.raises(Invalid) as refused:
        tried(after, ladder, **what)

    assert refused.value.faults[0][0] == field


def test_the_same_try_is_recorded_once(clinic):
    after, _, ladder = missed(clinic)
    tried(after, ladder)

    with pytest.raises(Conflict, match="already"):
        tried(after, ladder)


def test_the_database_keeps_what_was_tried(clinic, database):
    after, _, ladder = missed(clinic)
    tried(after, ladder)

    with pytest.raises(DBAPIError, match="never deleted"), database.transaction() as session:
        session.execute(text("DELETE FROM missed_contact_try"))


# -- taken on by the DIP team


@pytest.mark.proves("CM-43")
def test_whoever_the_dip_team_takes_on_leaves_the_wait_list_and_stays_as_history(clinic, database):
    referral = made.a_referral(clinic)
    visit = made.a_booking(clinic, referral, **clinic.place(2))

    with pytest.raises(Invalid, match="note"):
        referral_commands.close_referral(
            clinic.act, referral, version=1, reason="taken_by_dip", note=" "
        )
    referral_commands.close_referral(
        clinic.act, referral, version=1, reason="taken_by_dip", note="Taff Vale CJIT"
    )

    assert queries.wait_list(clinic.act).rows == ()
    clinic.act.session.rollback()
    with database.reading() as session:
        assert session.get_one(Referral, referral).closed_because == "taken_by_dip"
        assert session.get_one(Visit, visit.id).status == "cancelled"
        steps = session.scalars(select(VisitEvent.verb).order_by(VisitEvent.id)).all()
        assert steps == ["booked", "cancelled"]


@pytest.mark.proves("CM-43")
def test_nobody_is_looked_for_here_once_the_dip_team_has_them(clinic):
    after, visit, ladder = missed(clinic)
    referral = after.act.session.get_one(Visit, visit).referral_id

    referral_commands.close_referral(
        after.act, referral, version=1, reason="taken_by_dip", note="Taff Vale CJIT"
    )

    assert stands(after, ladder).ended == "left"


# -- by page and over HTTP


def test_a_nurse_is_led_from_the_first_page_to_the_end_of_the_ladder(door, clinic, clock, database):
    after, visit, ladder = missed(clinic)
    clock.set(after.act.at)
    nurse = door.by_page("nurse", site=clinic.site)
    url = f"/appointments/missed/{ladder}"

    home = nurse.get("/").text
    assert url in home
    # The step due first, and outreach with it: it is due within a day, whatever is written down.
    assert re.search(r"Ring them[^<]* By \w+ \d+ Nov 2026, \d\d:\d\d: Outreach", home)
    assert url in nurse.get(f"/appointments/visits/{visit}").text
    assert "weekends and bank holidays included" in nurse.get(url).text
    when = {"at-day": "6", "at-month": "11", "at-year": "2026", "at-time": "09:45"}
    empty = nurse.post(f"{url}/try", data=when)
    assert empty.status_code == 422 and "What was tried?" in empty.text
    asked = nurse.post(f"{url}/try", data={**when, "how": "phone", "outcome": "reached"})
    assert asked.status_code == 422 and "must be asked" in asked.text
    done = nurse.post(
        f"{url}/try", data={**when, "how": "phone", "outcome": "reached", "reason": "travel"}
    )
    shown = nurse.get(done.location).text
    assert "Ended: Reached" in shown and "Could not get there" in shown
    assert url not in nurse.get("/").text
    with database.reading() as session:
        wrong = session.scalars(select(MissedContactTry.id)).one()
    struck = nurse.post(f"{url}/try/{wrong}/strike", data={"reason": "Another person's number"})

    assert "Struck out" in nurse.get(struck.location).text
    assert url in nurse.get("/").text


def test_a_ladder_is_walked_over_http(door, clinic, clock):
    after, _, ladder = missed(clinic)
    clock.set(after.act.at)
    api = door.by_token("nurse", site=clinic.site)
    url = f"/api/v1/missed-contacts/{ladder}"

    [listed] = api.get("/api/v1/missed-contacts").json
    assert listed["steps"][0]["rule"] == "MC-01"
    said = {"how": "text", "at": "2026-11-06T09:45:00Z", "outcome": "sent"}
    first = api.post(f"{url}/tries", json=said)
    again = api.post(f"{url}/tries", json=said)
    assert (first.status_code, again.status_code) == (201, 409)
    struck = api.post(
        f"{url}/tries/{first.json['id']}/strike", json={"reason": "Sent to another number"}
    )
    assert struck.status_code == 204
    assert api.get(url).json["tries"][0]["struck_reason"] == "Sent to another number"
    patient = api.get(url).json["patient_id"]
    lost = api.post(
        f"/api/v1/patients/{patient}/missed-contacts",
        json={"missed_at": "2026-11-06T09:50:00Z", "note": "Not at the hostel any more"},
    )
    assert lost.status_code == 201
    assert api.get(url).json["ended"] == "newer"
