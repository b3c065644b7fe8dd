"""Days 1, 2 and 3 of a model 3 induction are booked, moved, missed, cancelled and undone together."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from clinic.appointments import (
    chain,
    chain_commands,
    chain_queries,
    commands,
    hold_commands,
    outcome_commands,
    queries,
    rota_commands,
)
from clinic.appointments.chain_models import ChainArrangement
from clinic.appointments.models import INDUCTION, Resource, Visit, VisitHold
from clinic.appointments.waiting_models import FreedPlace
from clinic.db import Database
from clinic.errors import Conflict, Invalid
from clinic.titration.standing import standing_of
from dosing.days import at_london, london_day
from tests.factories import appointments as made
from tests.factories import base
from tests.support.race import race

WED = date(2026, 11, 4)
THU, FRI, SAT, SUN, MON, TUE = (WED + timedelta(days=each) for each in range(1, 7))


@pytest.fixture
def clinic(database: Database, clock) -> made.Clinic:
    """Model 3, every weekday from Wednesday, two places a morning, one nurse."""
    return made.a_clinic(database, model=3, weekdays=(1, 2, 3, 4, 5))


def place_on(clinic: made.Clinic, day: date, clock: time = time(9, 30)) -> dict[str, object]:
    return {
        "starts_at": at_london(day, clock), "doctor_id": clinic.doctor.id,
        "worker_id": clinic.worker.id,
    }  # fmt: skip


def days(database: Database, chain_id: int | None) -> list[tuple[int, date, str]]:
    """Every visit of a chain: which day it is, when, and how it stands."""
    with database.reading() as session:
        rows = session.scalars(
            select(Visit).where(Visit.chain_id == chain_id).order_by(Visit.day_number, Visit.id)
        )
        return [(row.day_number, london_day(row.starts_at), row.status) for row in rows]


def standing(database: Database, chain_id: int | None) -> list[date]:
    return [on for _, on, status in days(database, chain_id) if status in chain.STANDING]


def day(database: Database, chain_id: int | None, number: int) -> Visit:
    """The newest visit of a day of the chain."""
    with database.reading() as session:
        return session.scalars(
            select(Visit)
            .where(Visit.chain_id == chain_id, Visit.day_number == number)
            .order_by(Visit.id.desc())
        ).first()


def arranged(database: Database, *, struck: bool = False) -> list[date]:
    with database.reading() as session:
        rows = session.scalars(select(ChainArrangement).order_by(ChainArrangement.on))
        return [row.on for row in rows if (row.struck_at is not None) == struck]


def held(database: Database) -> list[tuple[int, str, datetime, datetime]]:
    """Everything held now, and by which day."""
    with database.reading() as session:
        rows = session.execute(
            select(Visit.day_number, VisitHold)
            .join(Visit, Visit.id == VisitHold.visit_id)
            .where(VisitHold.released_at.is_(None))
        )
        return sorted((number, row.needed_as, row.starts_at, row.ends_at) for number, row in rows)


def arrive(clinic: made.Clinic, visit: Visit, at: datetime | None = None) -> made.Clinic:
    """The person comes to this visit; the clinic a little later."""
    later = at or visit.starts_at + timedelta(minutes=5)
    act = clinic.at(later)
    outcome_commands.record_arrived(act, visit.id, version=visit.version)
    return made.replace(clinic, act=act)


def misses(clinic: made.Clinic, visit: Visit, at: datetime | None = None) -> made.Clinic:
    """The person does not come; the other days are left as they are."""
    act = clinic.at(at or visit.starts_at + timedelta(minutes=45))
    outcome_commands.record_did_not_attend(act, visit.id, version=visit.version, leave_rest=True)
    return made.replace(clinic, act=act)


@pytest.mark.proves("RP-10", "CH-01")
def test_one_booking_holds_all_three_days_with_nurse_and_doctor(database, clinic):
    booked = made.a_booking(clinic)

    assert days(database, booked.chain_id) == [
        (1, WED, "booked"), (2, THU, "booked"), (3, FRI, "booked"),
    ]  # fmt: skip
    second = day(database, booked.chain_id, 2)
    assert (second.nurse_id, second.doctor_id) == (clinic.nurse.id, clinic.doctor.id)
    assert (second.referral_id, second.worker_id, second.observation_id) == (None, None, None)
    start = second.starts_at
    assert [each for each in held(database) if each[0] == 2] == [
        (2, "doctor", start, start + timedelta(minutes=15)),
        (2, "nurse", start, start + timedelta(minutes=30)),
    ]


@pytest.mark.proves("RP-10", "A16")
@pytest.mark.parametrize(("on", "shut"), [(THU, [SAT]), (FRI, [SAT, SUN])])
def test_a_start_before_the_weekend_asks_what_is_arranged_or_names_starts_that_need_nothing(
    database, clinic, on, shut
):
    referral = made.a_referral(clinic)
    wanted = place_on(clinic, on)

    with pytest.raises(Conflict, match="Record who sees the person on Sat 7 Nov 2026") as refused:
        commands.book_visit(clinic.act, referral_id=referral, **wanted)
    told = refused.value.more
    assert told["reason"] == "to_arrange"
    assert told["to_arrange"] == [each.isoformat() for each in shut]
    assert [each["to_arrange"] for each in told["free_next"]] == [[], []]
    assert [len(each["days"]) for each in told["free_next"]] == [2, 2]
    assert held(database) == []

    booked = commands.book_visit(
        clinic.act, referral_id=referral, **wanted,
        arrangements=[made.an_arrangement(each) for each in shut],
    )  # fmt: skip

    assert arranged(database) == shut
    assert standing(database, booked.chain_id)[-1] == (MON if on == THU else TUE)


@pytest.mark.proves("CH-03")
def test_an_arrangement_says_whom_where_and_by_when_and_only_for_a_day_that_needs_one(clinic):
    referral = made.a_referral(clinic)
    book = partial(
        commands.book_visit, clinic.act, referral_id=referral, **place_on(clinic, THU)
    )  # fmt: skip

    for given, field in (
        ([made.an_arrangement(SAT, who=" ")], "arrangements.0.who"),
        ([made.an_arrangement(SAT, kind="a friend")], "arrangements.0.kind"),
        ([made.an_arrangement(FRI)], "arrangements.0.on"),
        ([made.an_arrangement(SAT), made.an_arrangement(SAT)], "arrangements"),
    ):
        with pytest.raises(Invalid) as refused:
            book(arrangements=given)
        assert refused.value.faults[0][0] == field


@pytest.mark.proves("RP-10")
def test_a_refusal_names_the_day_and_who_is_taken_and_offers_two_whole_chains(database, clinic):
    with database.transaction() as session:
        busy = session.scalar(select(Resource.id).where(Resource.staff_id == clinic.nurse.id))
    blocked = made.a_booking(clinic)
    with database.transaction() as session:
        hold = session.scalars(
            select(VisitHold).where(VisitHold.resource_id == busy, VisitHold.visit_id != blocked.id)
        ).first()
        hold.starts_at, hold.ends_at = at_london(THU, time(0)), at_london(THU, time(23))
    second = made.a_referral(clinic)

    with pytest.raises(Conflict) as refused:
        commands.book_visit(clinic.act, referral_id=second, **place_on(clinic, WED, time(11)))

    told = refused.value.more
    assert (told["day_number"], told["on"], told["blocked_by"]) == (2, "2026-11-05", ["nurse"])
    assert refused.value.detail == "Day 2 cannot be booked on Thu 5 Nov 2026. Taken then: nurse."
    assert len(told["free_next"]) == 2
    assert all(len(each["days"]) == 2 for each in told["free_next"])


def test_moving_day_1_shows_first_what_moves_along_and_then_moves_all_of_it(database, clinic):
    booked = made.a_booking(clinic)
    wanted = place_on(clinic, MON)
    move = partial(commands.move_visit, clinic.act, booked.id, version=1, **wanted)

    with pytest.raises(Conflict, match="Other days change with this one") as refused:
        move()
    picture = refused.value.more["preview"]
    assert [each["what"] for each in picture["days"]] == ["moves"] * 3
    assert picture["days"][1]["becomes"]["starts_at"].startswith("2026-11-10")
    assert standing(database, booked.chain_id) == [WED, THU, FRI]

    move(preview=picture["version"])

    assert standing(database, booked.chain_id) == [MON, TUE, TUE + timedelta(days=1)]
    with database.reading() as session:
        freed = session.scalars(select(FreedPlace.starts_at).order_by(FreedPlace.starts_at)).all()
    # Day 1's place, and on Thursday and Friday the first place its reviews had stood in the way of.
    assert [london_day(each) for each in freed] == [WED, THU, FRI]


def test_a_preview_of_another_world_is_refused_with_a_new_one(database, clinic):
    booked = made.a_booking(clinic)
    move = partial(commands.move_visit, clinic.act, booked.id, version=1, **place_on(clinic, MON))
    with pytest.raises(Conflict) as first:
        move()
    tuesday = clinic.sessions[1]
    rota_commands.take_day_off(clinic.act, tuesday, on=TUE, reason="Training")

    with pytest.raises(Conflict, match="Something changed since you looked") as refused:
        move(preview=first.value.more["preview"]["version"])

    assert refused.value.more["reason"] == "changed"
    assert refused.value.more["preview"]["to_arrange"] == [TUE.isoformat()]
    assert standing(database, booked.chain_id) == [WED, THU, FRI]


def test_one_cancel_cancels_all_later_days_and_one_undo_brings_all_of_them_back(database, clinic):
    booked = made.a_booking(clinic, **place_on(clinic, THU))
    before = held(database)

    made.agreed(
        commands.cancel_visit, clinic.act, booked.id, version=1, reason="unwell", by_whom="patient"
    )

    assert held(database) == [] and arranged(database) == [] and arranged(database, struck=True)
    assert [status for *_, status in days(database, booked.chain_id)] == ["cancelled"] * 3

    version = day(database, booked.chain_id, 3).version
    third = day(database, booked.chain_id, 3).id
    outcome_commands.undo_visit(clinic.act, third, version=version, reason="The wrong person")

    assert held(database) == before and arranged(database) == [SAT]
    assert standing(database, booked.chain_id) == [THU, FRI, MON]


def test_an_undo_is_refused_whole_when_one_of_the_days_is_taken_by_now(database, clinic):
    booked = made.a_booking(clinic)
    made.agreed(
        commands.cancel_visit, clinic.act, booked.id, version=1, reason="unwell", by_whom="patient"
    )
    made.a_booking(clinic)

    with pytest.raises(Conflict):
        outcome_commands.undo_visit(clinic.act, booked.id, version=2, reason="The wrong person")

    assert standing(database, booked.chain_id) == []


def test_changes_of_the_days_are_taken_back_in_turn_and_never_out_of_it(database, clinic):
    booked = made.a_booking(clinic)
    second = day(database, booked.chain_id, 2)
    gone = {"reason": "unwell", "by_whom": "patient"}
    made.agreed(commands.cancel_visit, clinic.act, second.id, version=1, **gone)
    commands.cancel_visit(clinic.act, booked.id, version=1, **gone)

    with pytest.raises(Conflict, match="The days have changed since"):
        outcome_commands.undo_visit(clinic.act, second.id, version=2, reason="The wrong person")

    outcome_commands.undo_visit(clinic.act, booked.id, version=2, reason="The wrong person")
    assert standing(database, booked.chain_id) == [WED]
    made.agreed(chain_commands.replan, clinic.act, booked.chain_id)
    new = day(database, booked.chain_id, 2)
    outcome_commands.undo_visit(clinic.act, new.id, version=1, reason="They are unwell after all")
    with pytest.raises(Conflict, match="nothing to undo"):
        outcome_commands.undo_visit(clinic.act, new.id, version=2, reason="No")
    outcome_commands.undo_visit(clinic.act, second.id, version=2, reason="The wrong person")
    assert standing(database, booked.chain_id) == [WED, THU, FRI]


def test_day_2_alone_is_cancelled_when_the_rest_is_kept_but_never_day_1(database, clinic):
    booked = made.a_booking(clinic)
    second = day(database, booked.chain_id, 2)
    cancel = partial(
        commands.cancel_visit, clinic.act, reason="cannot_come", by_whom="patient", keep_rest=True
    )

    with pytest.raises(Invalid, match="without day 1"):
        cancel(booked.id, version=1)
    cancel(second.id, version=1)

    assert standing(database, booked.chain_id) == [WED, FRI]
    made.agreed(chain_commands.replan, clinic.act, booked.chain_id)
    assert standing(database, booked.chain_id) == [WED, THU, FRI]


@pytest.mark.proves("RP-10", "RP-34")
def test_a_missed_day_2_plans_the_rest_anew_and_keeps_contact_over_the_weekend(database, clinic):
    booked = made.a_booking(clinic)
    here = arrive(clinic, day(database, booked.chain_id, 1))
    here = misses(here, day(database, booked.chain_id, 2))

    with pytest.raises(Conflict, match="Look at what becomes") as refused:
        chain_commands.replan(here.act, booked.chain_id)
    picture = refused.value.more["preview"]
    # It can still be today, so that Friday stays; nothing has to be arranged.
    assert [(each["number"], each["what"]) for each in picture["days"]] == [
        (1, "arrived"), (2, "booked"), (3, "stays"),
    ]  # fmt: skip
    evening = misses(
        here, day(database, booked.chain_id, 3), at_london(FRI, time(18))
    )  # nobody looked at it, and day 3 was missed too

    with pytest.raises(Conflict) as refused:
        chain_commands.replan(evening.act, booked.chain_id)
    told = refused.value.more["preview"]
    assert [each["becomes"]["starts_at"][:10] for each in told["days"][1:]] == [
        "2026-11-09", "2026-11-10",
    ]  # fmt: skip
    assert told["to_arrange"] == [FRI.isoformat(), SUN.isoformat()]


def test_days_2_and_3_follow_a_new_start_when_day_1_did_not_take_place(database, clinic):
    booked = made.a_booking(clinic)
    here = misses(clinic, day(database, booked.chain_id, 1))

    with pytest.raises(Conflict, match="Day 1 of this induction did not take place") as refused:
        chain_commands.replan(here.act, booked.chain_id)
    assert refused.value.more["referral_id"] == booked.referral_id
    second = day(database, booked.chain_id, 2)
    with pytest.raises(Conflict, match="did not take place"):
        arrive(here, second)

    again = commands.book_visit(here.act, referral_id=booked.referral_id, **place_on(clinic, MON))

    assert again.chain_id == booked.chain_id
    assert days(database, booked.chain_id) == [
        (1, WED, "did_not_attend"), (1, MON, "booked"), (2, TUE, "booked"),
        (3, TUE + timedelta(days=1), "booked"),
    ]  # fmt: skip
    outcome_commands.undo_visit(here.act, again.id, version=1, reason="The wrong person")
    assert standing(database, booked.chain_id) == [THU, FRI]


def missed_and_agreed(clinic: made.Clinic, visit: Visit, at: datetime | None = None) -> made.Clinic:
    """The person does not come; what becomes of the other days is looked at and taken."""
    act = clinic.at(at or visit.starts_at + timedelta(minutes=45))
    made.agreed(outcome_commands.record_did_not_attend, act, visit.id, version=visit.version)
    return made.replace(clinic, act=act)


@pytest.mark.proves("RP-10")
def test_a_missed_day_1_takes_days_2_and_3_along_in_one_act_that_is_undone_in_one(database, clinic):
    booked = made.a_booking(clinic)
    before = held(database)
    first = day(database, booked.chain_id, 1)
    late = clinic.at(first.starts_at + timedelta(minutes=45))

    with pytest.raises(Conflict, match="Look at what becomes") as refused:
        outcome_commands.record_did_not_attend(late, first.id, version=1)
    told = refused.value.more["preview"]["days"]
    assert [(each["number"], each["what"]) for each in told] == [
        (1, "missed"), (2, "cancelled"), (3, "cancelled"),
    ]  # fmt: skip
    assert standing(database, booked.chain_id) == [WED, THU, FRI]
    missed_and_agreed(clinic, first)

    assert [status for *_, status in days(database, booked.chain_id)] == [
        "did_not_attend", "cancelled", "cancelled",
    ]  # fmt: skip
    assert chain_queries.to_settle(late) == []
    outcome_commands.undo_visit(late, first.id, version=2, reason="They sat in the garden")
    assert standing(database, booked.chain_id) == [WED, THU, FRI] and held(database) == before
    missed_and_agreed(clinic, day(database, booked.chain_id, 1))
    late = clinic.at(late.at)
    outcome_commands.record_arrived(late, first.id, version=4)
    assert [each.view.id for each in chain_queries.to_settle(late)] == [booked.chain_id]


@pytest.mark.proves("RP-10", "RP-34")
def test_a_missed_day_2_is_recorded_and_the_rest_planned_anew_in_one_act(database, clinic):
    booked = made.a_booking(clinic)
    here = arrive(clinic, day(database, booked.chain_id, 1))
    second = day(database, booked.chain_id, 2)

    here = missed_and_agreed(here, second, at_london(THU, time(18)))

    assert standing(database, booked.chain_id) == [WED, FRI, MON]
    assert arranged(database) == [SUN] and chain_queries.to_settle(here.act) == []
    outcome_commands.undo_visit(here.act, second.id, version=2, reason="They came at noon")
    assert standing(database, booked.chain_id) == [WED, THU, FRI] and arranged(database) == []
    outcome_commands.record_arrived(here.act, second.id, version=3)
    last = misses(here, day(database, booked.chain_id, 3), at_london(FRI, time(18)))
    outcome_commands.undo_visit(last.act, second.id, version=4, reason="That was another person")
    late = outcome_commands.record_did_not_attend(last.act, second.id, version=5, leave_rest=True)
    assert late.status == "did_not_attend"


@pytest.mark.proves("CH-04")
def test_days_left_on_purpose_stand_on_the_worklist_until_they_are_seen_to(database, clinic):
    booked, other = made.a_booking(clinic), made.a_booking(clinic, **place_on(clinic, MON))
    here = misses(clinic, day(database, booked.chain_id, 1))

    def waits() -> list[int]:
        return [each.view.id for each in chain_queries.to_settle(here.act)]

    assert standing(database, booked.chain_id) == [THU, FRI] and waits() == [booked.chain_id]
    again = made.a_booking(here, booked.referral_id, **place_on(clinic, THU, time(11)))
    assert waits() == []
    here = arrive(here, day(database, again.chain_id, 1))
    second = day(database, again.chain_id, 2)
    why = {"reason": "unwell", "by_whom": "patient", "keep_rest": True}
    made.agreed(commands.cancel_visit, here.act, second.id, version=second.version, **why)
    assert waits() == [again.chain_id]
    made.agreed(chain_commands.replan, here.act, again.chain_id)
    assert waits() == []
    third = day(database, again.chain_id, 3)
    gone = {"reason": "declined", "by_whom": "patient"}
    made.agreed(commands.cancel_visit, here.act, third.id, version=third.version, **gone)
    assert waits() == [] and other.chain_id not in waits()


def test_a_missed_day_that_is_booked_again_cannot_be_said_to_have_come_after_all(database, clinic):
    booked = made.a_booking(clinic)
    here = arrive(clinic, day(database, booked.chain_id, 1))
    missed = day(database, booked.chain_id, 2)
    here = misses(here, missed)
    made.agreed(chain_commands.replan, here.act, booked.chain_id)

    with pytest.raises(Conflict, match="booked again already"):
        outcome_commands.record_arrived(here.act, missed.id, version=2)

    new = day(database, booked.chain_id, 2)
    outcome_commands.undo_visit(here.act, new.id, version=1, reason="They were in the garden")
    outcome_commands.record_arrived(here.act, missed.id, version=2)
    assert standing(database, booked.chain_id) == [WED, THU, FRI]


def test_day_2_moves_to_another_review_and_day_3_follows(database, clinic):
    booked = made.a_booking(clinic)
    second = day(database, booked.chain_id, 2)
    friday = at_london(FRI, time(10))

    moved = made.agreed(
        chain_commands.move_day, clinic.act, second.id, version=1, starts_at=friday,
        nurse_id=clinic.nurse.id, doctor_id=clinic.doctor.id,
    )  # fmt: skip

    assert moved.starts_at == friday
    assert standing(database, booked.chain_id) == [WED, FRI, MON]
    assert arranged(database) == [SUN]
    with pytest.raises(Conflict, match="as a day of its induction"):
        commands.move_visit(
            clinic.act, second.id, version=moved.version, **place_on(clinic, MON)
        )  # fmt: skip


def test_a_walk_in_takes_the_days_along_and_an_accepted_place_does_too(database, clinic):
    monday = made.a_booking(clinic, **place_on(clinic, MON))
    here = made.replace(clinic, act=clinic.at(at_london(WED, time(9, 45))))

    commands.walk_in(
        here.act, referral_id=monday.referral_id, **place_on(clinic, WED),
    )  # fmt: skip

    assert days(database, monday.chain_id) == [
        (1, WED, "arrived"), (2, THU, "booked"), (3, FRI, "booked"),
    ]  # fmt: skip


def test_booked_days_and_arrangements_are_planned_contact(database, clinic):
    booked = made.a_booking(clinic, **place_on(clinic, THU))
    patient = booked.patient_id

    found = standing_of(clinic.act, {patient: [patient]}, clinic.act.at)[patient]

    assert found.planned_days == {THU, FRI, SAT, MON}
    assert found.later_days == {2: FRI, 3: MON}


def test_a_review_whose_nurse_goes_stands_among_the_visits_the_rota_does_not_carry(
    database, clinic
):
    booked = made.a_booking(clinic)
    second = day(database, booked.chain_id, 2)
    rota_commands.take_day_off(clinic.act, clinic.sessions[3], on=THU, reason="Training")

    lost = queries.off_rota(clinic.act, [second, day(database, booked.chain_id, 3)])

    assert list(lost) == [second.id]


def test_a_place_held_is_confirmed_with_its_next_days_or_not_at_all(database, clinic):
    referral = made.a_referral(clinic)
    held_place = hold_commands.hold_place(
        clinic.act, referral_id=referral, **place_on(clinic, THU)
    )  # fmt: skip
    assert day(database, None, 1) is None

    with pytest.raises(Conflict, match="Record who sees the person on Sat 7 Nov 2026"):
        hold_commands.confirm_hold(clinic.act, held_place.id, version=1)
    booked = hold_commands.confirm_hold(
        clinic.act, held_place.id, version=1, arrangements=[made.an_arrangement(SAT)]
    )

    assert standing(database, booked.chain_id) == [THU, FRI, MON]
    assert booked.version == 2


@pytest.mark.proves("RP-10")
@pytest.mark.parametrize("same", [False, True])
def test_chains_that_cross_and_are_booked_at_once_are_whole_or_not_at_all(fresh_database, same):
    clinic = made.a_clinic(fresh_database, model=3, weekdays=range(1, 6), ends=time(14, 0))
    made.an_observation_place(clinic, "Chair 2")
    wanted = [place_on(clinic, WED), place_on(clinic, *((WED,) if same else (THU, time(11))))]
    referrals = [made.a_referral(clinic) for _ in wanted]

    def book(nth: int) -> str:
        act = clinic.at(base.NOW)
        arrangements = [made.an_arrangement(SAT)] if nth and not same else []
        try:
            commands.book_visit(
                act, referral_id=referrals[nth], **wanted[nth], arrangements=arrangements
            )
        except Conflict as conflict:
            return str(conflict.status)
        finally:
            act.session.close()
        return "in"

    told = race([partial(book, nth) for nth in range(2)])

    assert told.count("in") == (1 if same else 2)
    with fresh_database.reading() as session:
        found = session.scalars(select(Visit).order_by(Visit.chain_id, Visit.day_number)).all()
        holds = session.scalars(select(VisitHold)).all()
    assert len(found) == 3 * told.count("in")
    assert {each.kind for each in found if each.day_number == 1} == {INDUCTION}
    for one in holds:
        for other in holds:
            assert (
                one.id >= other.id
                or one.resource_id != other.resource_id
                or (one.ends_at <= other.starts_at or other.ends_at <= one.starts_at)
            )


@pytest.mark.proves("A16", "A25")
def test_a_chain_over_easter_and_over_both_clock_changes_keeps_the_hour_on_the_wall(
    database, clock
):
    for start, shut, then in (
        (date(2026, 4, 2), [date(2026, 4, day) for day in (3, 4, 6)], date(2026, 4, 7)),
        (date(2026, 3, 27), [date(2026, 3, 28), date(2026, 3, 29)], date(2026, 3, 30)),
        (date(2026, 10, 23), [date(2026, 10, 24), date(2026, 10, 25)], date(2026, 10, 26)),
    ):
        at = datetime.combine(start, time(6), tzinfo=UTC)
        clinic = made.a_clinic(database, model=3, weekdays=(1, 2, 3, 4, 5), at=at)

        booked = made.a_booking(clinic, **place_on(clinic, start))

        second = day(database, booked.chain_id, 2)
        assert second.starts_at == at_london(then, time(9, 30))
        rows = clinic.act.session.scalars(
            select(ChainArrangement.on).where(ChainArrangement.chain_id == booked.chain_id)
        )
        assert sorted(rows) == shut
