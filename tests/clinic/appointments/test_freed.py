"""A place given up is offered to whoever waits, in order, for a time; as commands on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic.act import command
from clinic.appointments import (
    commands,
    freed,
    outcome_commands,
    referral_commands,
    rota_commands,
    waiting_commands,
    waiting_queries,
)
from clinic.appointments.models import Visit
from clinic.appointments.waiting_models import FreedPlace, PlaceOffer
from clinic.db import Database
from clinic.errors import Conflict, Invalid
from clinic.patients.commands import correct_patient
from tests.factories import appointments as made
from tests.factories import base

WHY = "In a meeting with probation then"


@pytest.fixture
def clinic(database: Database) -> made.Clinic:
    return made.a_clinic(database)


def later(clinic: made.Clinic, **span: float) -> made.Clinic:
    """The same clinic some time on."""
    return replace(clinic, act=clinic.at(clinic.act.at + timedelta(**span)))


def cancel(clinic: made.Clinic, visit_id: int, reason: str = "cannot_come") -> None:
    version = clinic.act.session.get_one(Visit, visit_id, populate_existing=True).version
    commands.cancel_visit(
        clinic.act, visit_id, version=version, reason=reason, by_whom="patient"
    )  # fmt: skip


def a_freed_place(clinic: made.Clinic, nth: int = 2) -> int:
    """The nth place, booked and given up again; the task's id."""
    visit = made.a_booking(clinic, **clinic.place(nth))
    cancel(clinic, visit.id)
    return open_tasks(clinic)[-1].row.id


def open_tasks(clinic: made.Clinic) -> list[waiting_queries.Task]:
    found = waiting_queries.freed_places(clinic.act)
    clinic.act.session.rollback()
    return found


def order(clinic: made.Clinic, task_id: int) -> list[int]:
    found = waiting_queries.freed_place(clinic.act, task_id)
    clinic.act.session.rollback()
    return [each.referral_id for each in found.candidates]


def offer(clinic: made.Clinic, task_id: int, referral_id: int, reason: str | None = None) -> int:
    return waiting_commands.offer_place(
        clinic.act, task_id, referral_id=referral_id, reason=reason
    )  # fmt: skip


def test_a_cancelled_visit_raises_one_task_for_its_place(clinic, database):
    visit = made.a_booking(clinic, **clinic.place(2))

    cancel(clinic, visit.id)

    [task] = open_tasks(clinic)
    assert (task.row.starts_at, task.row.because) == (visit.place.starts_at, "cancelled")


def test_a_visit_moved_away_raises_one_task_for_the_place_it_left(clinic):
    visit = made.a_booking(clinic, **clinic.place(2))

    commands.move_visit(clinic.act, visit.id, version=1, **clinic.place(3))

    [task] = open_tasks(clinic)
    assert (task.row.starts_at, task.row.because) == (visit.place.starts_at, "moved")


def test_a_place_freed_twice_has_one_open_task_and_keeps_the_first(clinic, database):
    for _ in range(2):
        a_freed_place(clinic)

    assert len(open_tasks(clinic)) == 1
    with database.reading() as session:
        assert len(session.scalars(select(FreedPlace)).all()) == 2


@pytest.mark.proves("WQ-04")
@pytest.mark.parametrize("reason", ["staff_absent", "site_shut"])
def test_a_visit_cancelled_because_nobody_is_there_frees_no_place(clinic, reason):
    cancel(clinic, made.a_booking(clinic, **clinic.place(2)).id, reason)

    assert open_tasks(clinic) == []


def test_a_place_somebody_took_meanwhile_has_no_task_any_more(clinic):
    task = a_freed_place(clinic)
    row = open_tasks(clinic)[0].row

    made.a_booking(
        clinic, starts_at=row.starts_at, doctor_id=row.doctor_id, worker_id=row.worker_id
    )  # fmt: skip

    assert open_tasks(clinic) == []
    assert waiting_queries.freed_place(clinic.act, task).state == "taken"


def test_a_cancellation_taken_back_takes_its_task_with_it(clinic):
    visit = made.a_booking(clinic, **clinic.place(2))
    cancel(clinic, visit.id)

    outcome_commands.undo_visit(clinic.act, visit.id, version=2, reason="The wrong person")

    assert open_tasks(clinic) == []


def test_a_place_that_has_begun_or_left_the_rota_has_no_task(clinic):
    a_freed_place(clinic)

    assert open_tasks(later(clinic, days=3)) == []


@pytest.mark.proves("RP-45")
def test_the_order_is_time_left_then_risk_then_referral(clinic):
    now = clinic.act.at
    task = a_freed_place(clinic)
    low = made.a_referral(clinic, referred_at=now - timedelta(days=2), risk="low")
    fresh = made.a_referral(clinic, referred_at=now - timedelta(days=1), risk="high")
    unknown = made.a_referral(clinic, referred_at=now - timedelta(days=2, minutes=9), risk=None)
    second = made.a_referral(clinic, referred_at=now - timedelta(days=2, minutes=5), risk="low")

    assert order(clinic, task) == [unknown, second, low, fresh]


@pytest.mark.proves("RP-45")
def test_a_name_an_offence_or_who_referred_changes_nothing_in_the_order(clinic):
    task = a_freed_place(clinic)
    people = [base.a_patient(clinic.act, family_name=name) for name in ("Young", "Adams", "Moss")]
    for nth, person in enumerate(people):
        made.a_referral(
            clinic, patient_id=person, referred_at=clinic.act.at - timedelta(hours=9 - nth),
            source="gp",
        )  # fmt: skip
    before = order(clinic, task)

    for nth, (person, name) in enumerate(zip(people, ("Abel", "Zack", "Brown"), strict=True)):
        correct_patient(
            base.an_act(clinic.database, clinic.nurse, clinic.site), person, version=1,
            family_name=name, ppo=nth != 1, reason="As the person says",
        )  # fmt: skip
    for referral, source in zip(before, ("court", "gp", "arrest_referral"), strict=True):
        referral_commands.correct_referral(
            clinic.act, referral, version=1, reason="As the court says", source=source
        )

    assert order(clinic, task) == before


def test_an_offer_stands_until_its_time_and_then_the_next_is_asked(clinic):
    task = a_freed_place(clinic)
    first, second = (
        made.a_referral(clinic, referred_at=clinic.act.at - timedelta(hours=hours))
        for hours in (5, 4)
    )
    gave_up = order(clinic, task)
    assert gave_up == [first, second]

    made_offer = offer(clinic, task, first)
    with pytest.raises(Conflict, match="offered to somebody until 11:00"):
        offer(clinic, task, second, WHY)
    after = later(clinic, minutes=121)
    assert order(after, task) == [second, first]
    with pytest.raises(Conflict, match="lapsed"):
        waiting_commands.answer_offer(after.act, made_offer, answer="accepted")
    offer(after, task, second)

    with clinic.database.reading() as session:
        lapsed = session.get_one(PlaceOffer, made_offer)
        assert lapsed.lapsed_at == lapsed.until_at


def test_saying_yes_books_the_place_and_ends_the_task(clinic, database):
    task = a_freed_place(clinic)
    place = open_tasks(clinic)[0].row.starts_at
    referral = made.a_referral(clinic, referred_at=clinic.act.at - timedelta(hours=5))

    answered = waiting_commands.answer_offer(
        clinic.act, offer(clinic, task, referral), answer="accepted"
    )

    with database.reading() as session:
        visit = session.get_one(Visit, answered.visit_id)
        assert (visit.referral_id, visit.starts_at, visit.status) == (referral, place, "booked")
    assert open_tasks(clinic) == []


def test_a_place_over_the_limit_is_brought_forward_and_frees_its_own(clinic, database):
    referral = made.a_referral(clinic, referred_at=clinic.act.at - timedelta(days=3))
    visit = made.a_booking(clinic, referral, **clinic.place(4))
    task = a_freed_place(clinic)

    waiting_commands.answer_offer(clinic.act, offer(clinic, task, referral), answer="accepted")

    [freed] = open_tasks(clinic)
    assert freed.row.starts_at == visit.place.starts_at
    assert freed.row.because == "moved"


def test_saying_no_leaves_the_place_to_the_next_and_can_be_taken_back(clinic):
    task = a_freed_place(clinic)
    first, second = (
        made.a_referral(clinic, referred_at=clinic.act.at - timedelta(hours=hours))
        for hours in (5, 4)
    )
    made_offer = offer(clinic, task, first)
    waiting_commands.answer_offer(clinic.act, made_offer, answer="declined")
    assert order(clinic, task) == [second]

    waiting_commands.take_back_offer(clinic.act, made_offer, reason="It was somebody else I rang")

    assert order(clinic, task) == [first, second]


def test_asking_anybody_but_the_first_needs_a_reason(clinic, database):
    task = a_freed_place(clinic)
    _, second = (
        made.a_referral(clinic, referred_at=clinic.act.at - timedelta(hours=hours))
        for hours in (5, 4)
    )

    with pytest.raises(Invalid, match="must say why"):
        offer(clinic, task, second)
    given = offer(clinic, task, second, WHY)

    with database.reading() as session:
        assert session.get_one(PlaceOffer, given).reason == WHY


def test_somebody_is_offered_one_place_at_a_time(clinic):
    first = a_freed_place(clinic, 2)
    second = a_freed_place(clinic, 4)
    referral = made.a_referral(clinic, referred_at=clinic.act.at - timedelta(hours=5))

    offer(clinic, first, referral)

    assert referral in order(clinic, first)
    assert referral not in order(clinic, second)


def test_an_offer_of_a_place_taken_meanwhile_is_refused_and_books_nothing(clinic, database):
    task = a_freed_place(clinic)
    row = open_tasks(clinic)[0].row
    referral = made.a_referral(clinic, referred_at=clinic.act.at - timedelta(hours=5))
    made_offer = offer(clinic, task, referral)
    made.a_booking(
        clinic, starts_at=row.starts_at, doctor_id=row.doctor_id, worker_id=row.worker_id
    )  # fmt: skip

    with pytest.raises(Conflict):
        waiting_commands.answer_offer(clinic.act, made_offer, answer="accepted")

    with database.reading() as session:
        assert session.get_one(PlaceOffer, made_offer).answer is None
        assert session.scalar(select(Visit).where(Visit.referral_id == referral)) is None


def test_ten_who_offer_one_place_at_once_make_one_offer(fresh_database):
    clinic = made.a_clinic(fresh_database)
    task = a_freed_place(clinic)
    people = [
        made.a_referral(clinic, referred_at=clinic.act.at - timedelta(hours=5)) for _ in range(10)
    ]
    acts = [clinic.at(clinic.act.at) for _ in people]
    together, answers = threading.Barrier(10, timeout=20), []

    def one(nth: int) -> None:
        together.wait()
        try:
            waiting_commands.offer_place(
                acts[nth], task, referral_id=people[nth], reason=WHY
            )  # fmt: skip
            answers.append("made")
        except Conflict:
            answers.append("refused")
        finally:
            acts[nth].session.close()

    threads = [threading.Thread(target=one, args=(nth,)) for nth in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["made"] + ["refused"] * 9
    with fresh_database.reading() as session:
        assert len(session.scalars(select(PlaceOffer)).all()) == 1


# -- by page and over HTTP


@pytest.fixture
def nurse(door, clinic, clock):
    return door.by_page("nurse", site=clinic.site)


def test_a_nurse_is_led_from_the_first_page_to_the_booking(nurse, clinic, database):
    task = a_freed_place(clinic)
    person = base.a_patient(clinic.act, family_name="Vaughan", given_name="Elin")
    referral = made.a_referral(
        clinic, patient_id=person, referred_at=clinic.act.at - timedelta(hours=5)
    )
    url = f"/appointments/freed/{task}"

    first = nurse.get("/").text
    assert "Freed places to offer" in first and url in first
    assert url in nurse.get("/appointments/waiting").text
    assert f"{url}/offer/{referral}" in nurse.get(url).text
    made_offer = nurse.post(f"{url}/offer/{referral}", data={})
    shown = nurse.get(made_offer.location).text
    assert "Offered to VAUGHAN, Elin until 11:00" in shown
    with database.reading() as session:
        offered = session.scalars(select(PlaceOffer)).one().id
    nothing = nurse.post(f"/appointments/offers/{offered}", data={})
    assert nothing.status_code == 422 and "Choose an answer" in nothing.text
    done = nurse.post(f"/appointments/offers/{offered}", data={"answer": "accepted"})

    assert "the place is booked" in nurse.get(done.location).text
    assert "Taken again" in nurse.get(url).text
    assert url not in nurse.get("/").text


def test_a_freed_place_is_offered_answered_and_taken_back_over_http(door, clinic, clock):
    api = door.by_token("nurse", site=clinic.site)
    task = a_freed_place(clinic)
    first, second = (
        made.a_referral(clinic, referred_at=clinic.act.at - timedelta(hours=hours))
        for hours in (5, 4)
    )

    listed = api.get("/api/v1/freed-places").json
    assert listed[0]["candidates"] == [first, second]
    url = f"/api/v1/freed-places/{task}/offers"
    refused = api.post(url, json={"referral_id": second})
    assert refused.status_code == 422 and refused.json["errors"][0]["field"] == "reason"
    offered = api.post(url, json={"referral_id": first})
    assert (offered.status_code, offered.json["stands"]) == (201, "offered")
    again = api.post(url, json={"referral_id": first})
    assert (again.status_code, again.json["until_at"]) == (409, "2026-11-04T11:00:00+00:00")
    answer = f"/api/v1/place-offers/{offered.json['id']}"
    said = api.post(f"{answer}/answer", json={"answer": "declined"})
    assert said.json["stands"] == "declined"
    back = api.post(f"{answer}/take-back", json={"reason": "It was somebody else I rang"})

    assert back.json["stands"] == "taken_back"
    assert api.get(f"/api/v1/freed-places/{task}").json["candidates"] == [first, second]


def test_a_place_of_another_site_is_not_there(door, clinic, database, clock):
    task = a_freed_place(clinic)
    elsewhere = door.by_token("nurse", site=made.a_clinic(database).site)

    assert elsewhere.get(f"/api/v1/freed-places/{task}").status_code == 404
    assert (
        elsewhere.post(f"/api/v1/freed-places/{task}/offers", json={"referral_id": 1}).status_code
        == 404
    )


def test_near_places_of_a_day_off_given_back_are_offered_and_far_ones_are_not(clinic):
    near, far = date(2026, 11, 4), date(2026, 11, 9)
    for session, on in ((clinic.sessions[1], near), (clinic.sessions[0], far)):
        off = rota_commands.take_day_off(clinic.act, session, on=on, reason="Training")
        rota_commands.withdraw_day_off(clinic.act, off)

    tasks = waiting_queries.freed_places(clinic.act)

    assert [(task.row.because, task.row.starts_at.date()) for task in tasks] == [
        ("given_back", near), ("given_back", near),
    ]  # fmt: skip


def test_two_who_free_one_place_at_the_same_moment_raise_one_task(fresh_database):
    clinic = made.a_clinic(fresh_database)
    place = clinic.place(2)
    task = {**place, "site_id": clinic.site.id}
    ends_at = place["starts_at"] + timedelta(minutes=90)
    raised, done = threading.Event(), list[str]()

    @command
    def raise_it(act, name: str, until: threading.Event | None) -> None:
        freed.add_task(act, "given_back", ends_at, None, **task)
        raised.set()
        if until is not None:
            until.wait(0.3)  # nobody sets it: the other has come as far by then, and waits
        done.append(name)

    clinic.act.session.rollback()
    first, second = clinic.at(clinic.act.at), clinic.at(clinic.act.at)
    holding = threading.Thread(target=raise_it, args=(first, "first", threading.Event()))
    holding.start()
    raised.wait(10)
    raise_it(second, "second", None)
    holding.join(10)

    assert done == ["first", "second"]
    with fresh_database.reading() as session:
        rows = session.scalars(select(FreedPlace).where(FreedPlace.superseded_at.is_(None))).all()
    assert [row.starts_at for row in rows] == [place["starts_at"]]
