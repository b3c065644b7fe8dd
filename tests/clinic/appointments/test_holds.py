"""A place held while the person is asked counts as taken for ten minutes, and then for nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from clinic.appointments import (
    commands,
    hold_commands,
    lapses,
    outcome_commands,
    place_queries,
    queries,
    waiting_queries,
)
from clinic.appointments.models import Visit, VisitEvent, VisitHold
from clinic.appointments.overrides import Override
from clinic.appointments.taking import Booked
from clinic.db import Database
from clinic.errors import Conflict
from clinic.staff.models import StaffCompetence
from tests.factories import appointments as made
from tests.factories import base

NOW = base.NOW
MINUTE = timedelta(minutes=1)
LAPSES = NOW + 10 * MINUTE


@pytest.fixture
def clinic(database: Database, clock) -> made.Clinic:
    return made.a_clinic(database)


def a_hold(clinic: made.Clinic, at: datetime = NOW, nth: int = 1, **details) -> Booked:
    """The second free place of the day held for somebody just referred."""
    given = {"referral_id": made.a_referral(clinic), **clinic.place(nth), **details}
    return hold_commands.hold_place(clinic.at(at), **given)


def visit(clinic: made.Clinic, visit_id: int) -> Visit:
    with clinic.database.reading() as session:
        return session.get_one(Visit, visit_id)


def verbs(clinic: made.Clinic, visit_id: int) -> list[str]:
    with clinic.database.reading() as session:
        asked = select(VisitEvent.verb).where(VisitEvent.visit_id == visit_id)
        return list(session.scalars(asked.order_by(VisitEvent.id)))


def is_free(clinic: made.Clinic, held: Booked, at: datetime) -> bool:
    act = clinic.at(at)
    return held.place in place_queries.free_places(act, clinic.site.id, act.today, act.today)


def is_shown(clinic: made.Clinic, held: Booked, at: datetime) -> bool:
    act = clinic.at(at)
    return held.id in [line.visit.id for line in queries.clinic_list(act, act.today, act.today)]


def held_by(clinic: made.Clinic, visit_id: int) -> int:
    with clinic.database.reading() as session:
        return len(
            session.scalars(
                select(VisitHold).where(
                    VisitHold.visit_id == visit_id, VisitHold.released_at.is_(None)
                )
            ).all()
        )


@pytest.mark.proves("BK-01")
def test_a_hold_takes_its_place_to_the_tenth_minute_and_from_that_instant_nothing(clinic):
    held = a_hold(clinic)

    assert held.lapses_at == LAPSES
    for at, taken in ((NOW, True), (LAPSES - MINUTE / 60, True), (LAPSES, False)):
        assert is_free(clinic, held, at) is not taken
        assert is_shown(clinic, held, at) is taken
        found = place_queries.offers(clinic.at(at), held.referral_id or 0).offers
        assert (held.place in [each.place for each in found]) is not taken


def test_a_hold_never_reaches_into_the_place_itself(clinic):
    here = Override("agreed", "They sit in the waiting room")
    held = a_hold(clinic, at=datetime(2026, 11, 4, 10, 55, tzinfo=UTC), override=here)

    assert held.lapses_at == held.place.starts_at


def test_a_hold_that_is_confirmed_is_a_booking_and_can_be_cancelled_and_put_back(clinic):
    held = a_hold(clinic)

    made_of_it = hold_commands.confirm_hold(clinic.at(NOW + MINUTE), held.id, version=1)

    assert (made_of_it.status, made_of_it.lapses_at, made_of_it.version) == ("booked", None, 2)
    assert not is_free(clinic, held, LAPSES + MINUTE)
    why = {"reason": "cannot_come", "by_whom": "patient"}
    commands.cancel_visit(clinic.at(NOW + 2 * MINUTE), held.id, version=2, **why)
    outcome_commands.undo_visit(
        clinic.at(NOW + 3 * MINUTE), held.id, version=3, reason="By mistake"
    )
    assert visit(clinic, held.id).status == "booked" and held_by(clinic, held.id) == 2
    with pytest.raises(Conflict, match="nothing to undo"):
        outcome_commands.undo_visit(
            clinic.at(NOW + 4 * MINUTE), held.id, version=4, reason="By mistake"
        )


def test_a_hold_let_go_is_free_at_once_and_may_still_be_confirmed_while_it_is(clinic):
    held = a_hold(clinic)

    hold_commands.let_go(clinic.at(NOW + MINUTE), held.id, version=1)

    assert is_free(clinic, held, NOW + MINUTE) and held_by(clinic, held.id) == 0
    hold_commands.confirm_hold(clinic.at(NOW + 2 * MINUTE), held.id, version=2)
    assert verbs(clinic, held.id) == ["held", "let_go", "confirmed"]
    assert held_by(clinic, held.id) == 2


@pytest.mark.parametrize("swept", [False, True])
def test_a_lapsed_hold_whose_place_is_free_is_booked_afresh(clinic, swept):
    held, later = a_hold(clinic), LAPSES + MINUTE
    if swept:
        assert lapses.release_all(clinic.at(later)) == 1
        assert lapses.release_all(clinic.at(later)) == 0

    hold_commands.confirm_hold(clinic.at(later), held.id, version=1)

    assert visit(clinic, held.id).status == "booked" and held_by(clinic, held.id) == 2


def test_whoever_wants_the_time_of_a_lapsed_hold_has_it_in_one_transaction(clinic):
    held, later = a_hold(clinic), LAPSES + MINUTE

    taken = commands.book_visit(
        clinic.at(later), referral_id=made.a_referral(clinic),
        starts_at=held.place.starts_at, doctor_id=clinic.doctor.id, worker_id=clinic.worker.id,
    )  # fmt: skip

    assert visit(clinic, held.id).status == "let_go" and held_by(clinic, taken.id) == 2
    assert verbs(clinic, held.id) == ["held", "lapsed"]
    with pytest.raises(Conflict) as refused:
        hold_commands.confirm_hold(clinic.at(later), held.id, version=1)
    assert refused.value.more["blocked_by"] == ["doctor", "worker"]
    assert len(refused.value.more["free_next"]) == 2


def test_before_it_lapses_nobody_else_has_the_place(clinic):
    held = a_hold(clinic)

    with pytest.raises(Conflict) as refused:
        a_hold(clinic, at=LAPSES - MINUTE, nth=0, starts_at=held.place.starts_at)

    assert refused.value.more["reason"] == "taken"


def test_one_place_is_held_for_a_person_and_none_beside_their_visit(clinic):
    held = a_hold(clinic)
    again = {"referral_id": held.referral_id, "nth": 2}

    with pytest.raises(Conflict, match="held until 09:10") as refused:
        a_hold(clinic, at=LAPSES - MINUTE, **again)
    assert refused.value.more["visit_id"] == held.id

    second = a_hold(clinic, at=LAPSES, **again)
    assert visit(clinic, held.id).status == "let_go"
    hold_commands.confirm_hold(clinic.at(LAPSES), second.id, version=1)
    with pytest.raises(Conflict, match="has a visit booked"):
        a_hold(clinic, at=LAPSES, **again)


def test_booking_another_place_lets_the_one_that_was_held_go(clinic):
    held = a_hold(clinic)

    commands.book_visit(clinic.at(NOW), referral_id=held.referral_id, **clinic.place(2))

    assert visit(clinic, held.id).status == "let_go"


@pytest.mark.proves("RP-18")
def test_a_hold_is_not_confirmed_once_the_doctor_is_no_longer_trained(database, clinic):
    held = a_hold(clinic)
    with database.transaction() as session:
        row = session.scalar(
            select(StaffCompetence).where(StaffCompetence.staff_id == clinic.doctor.id)
        )
        row.to_on = base.NOW.date() - timedelta(days=1)

    with pytest.raises(Conflict) as refused:
        hold_commands.confirm_hold(clinic.at(NOW), held.id, version=1)

    assert refused.value.more["rule"] == "RP-18"


@pytest.mark.proves("BK-02")
def test_a_near_place_raises_its_task_when_its_hold_lapses_and_a_far_one_does_not(clinic):
    near, far = a_hold(clinic), a_hold(clinic, nth=5)

    lapses.release_all(clinic.at(LAPSES))

    tasks = waiting_queries.freed_places(clinic.at(LAPSES))
    assert [(task.row.starts_at, task.row.because) for task in tasks] == [
        (near.place.starts_at, "lapsed")
    ]
    assert far.place.starts_at - NOW > timedelta(days=3)


def test_a_nurse_holds_a_place_while_she_asks_and_then_books_it(door, clinic):
    nurse = door.by_page("nurse", site=clinic.site)
    referral = made.a_referral(clinic)
    where = f"/appointments/referrals/{referral}/offers"
    place = f"20261104T1100Z-{clinic.doctor.id}-{clinic.worker.id}"

    assert "Hold this place for 10 minutes" in nurse.get(where).text
    held = nurse.post(where, data={"place": place, "step": "hold"}).location
    page = nurse.get(held).text
    assert "Held until 09:10" in page and "Let it go" in page
    assert "Held until 09:10" in nurse.get(where).text
    done = nurse.post(f"{held}/confirm", data={"version": 1})
    assert "Booked" in nurse.get(done.location).text


def test_a_place_that_went_meanwhile_is_refused_beside_what_is_free_now(door, clinic, clock):
    held = a_hold(clinic)
    clock.set(LAPSES)
    commands.book_visit(
        clinic.at(LAPSES), referral_id=made.a_referral(clinic),
        starts_at=held.place.starts_at, doctor_id=clinic.doctor.id, worker_id=clinic.worker.id,
    )  # fmt: skip
    nurse = door.by_page("nurse", site=clinic.site)

    refused = nurse.post(f"/appointments/visits/{held.id}/confirm", data={"version": 1})

    assert refused.status_code == 422
    assert "just been taken" in refused.text and "20261106T0930Z" in refused.text
    # What is chosen there is asked of the page of offers, and so is a look at later days.
    offers = f"/appointments/referrals/{held.referral_id}/offers"
    assert f'<form method="post" action="{offers}"' in refused.text
    assert f'href="{offers}?from=' in refused.text


def test_hold_confirm_and_let_go_over_the_api(door, clinic):
    nurse = door.by_token("nurse", site=clinic.site)
    place = clinic.place(1)
    wanted = {**place, "starts_at": place["starts_at"].isoformat()}
    holds = [
        nurse.post(
            "/api/v1/visits/hold",
            json={**wanted, "referral_id": made.a_referral(clinic)},
        )
        for _ in range(2)
    ]
    held = holds[0].json

    assert [each.status_code for each in holds] == [201, 409]
    assert (held["status"], held["lapses_at"]) == ("held", "2026-11-04T09:10:00+00:00")
    path = f"/api/v1/visits/{held['id']}"
    let_go = nurse.post(f"{path}/let-go", headers={"If-Match": '"1"'})
    assert (let_go.status_code, let_go.json["status"]) == (200, "let_go")
    booked = nurse.post(f"{path}/confirm", headers={"If-Match": '"2"'})
    assert (booked.status_code, booked.json["status"]) == (200, "booked")
    assert nurse.post(f"{path}/confirm", headers={"If-Match": '"3"'}).status_code == 409
