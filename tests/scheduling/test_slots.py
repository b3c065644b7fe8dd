"""Which places are free, and may this one be booked? Rotas, clock changes, holds and refusals."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.holidays import bank_holidays
from dosing.days import at_london, london_day, london_time
from scheduling.calendars import Calendar, HolidayLists, OutOfReach
from scheduling.laid_out import LaidOut
from scheduling.prescribing_models import PrescribingModel, rota_findings
from scheduling.slots import (
    Clinician,
    Hold,
    Opening,
    Place,
    Refusal,
    Rota,
    Session,
    clash,
    first_feasible,
    free_places,
    kept_back,
    may_book,
    no_opioid,
    not_held,
    places,
    routine_places,
    still_free,
    unstaffed,
    wrong_length,
)

DOCTOR, WORKER, OTHER_DOCTOR = 1, 2, 3
ALWAYS = ((date(2000, 1, 1), None),)
MONDAY = date(2026, 11, 2)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
HOLIDAYS = HolidayLists(**bank_holidays())
PEOPLE = {
    DOCTOR: Clinician(trained=ALWAYS, prescribes=ALWAYS),
    OTHER_DOCTOR: Clinician(trained=ALWAYS, prescribes=ALWAYS),
    WORKER: Clinician(competent=ALWAYS),
}


def a_session(**details) -> Session:
    given = {
        "id": 1, "weekday": 1, "starts": time(9, 30), "ends": time(12, 30), "slot_minutes": 90,
        "doctor_id": DOCTOR, "worker_id": WORKER, "from_on": date(2026, 1, 1), "to_on": None,
        **details,
    }  # fmt: skip
    return Session(**given)


def a_rota(*sessions: Session, people=PEOPLE, closed_on=frozenset()) -> Rota:
    return Rota(
        sessions or (a_session(),), people, Calendar("england_and_wales", HOLIDAYS), closed_on
    )


def starts(found: list[Place]) -> list[str]:
    return [f"{london_time(each.starts_at):%a %d %b %H:%M}" for each in found]


# -- places


@pytest.mark.proves("RP-16")
def test_a_session_gives_as_many_places_as_fit_into_it():
    found = places(a_rota(a_session(ends=time(13, 0))), MONDAY, MONDAY)

    assert starts(found) == ["Mon 02 Nov 09:30", "Mon 02 Nov 11:00"]
    assert {(each.doctor_id, each.worker_id) for each in found} == {(DOCTOR, WORKER)}
    assert {each.ends_at - each.starts_at for each in found} == {timedelta(minutes=90)}


def test_a_weekly_session_keeps_its_clock_time_through_both_clock_changes():
    for sunday in (date(2026, 3, 29), date(2026, 10, 25)):
        found = places(
            a_rota(a_session(ends=time(11, 0))),
            sunday - timedelta(days=6), sunday + timedelta(days=1),
        )  # fmt: skip

        assert [f"{london_time(each.starts_at):%H:%M}" for each in found] == ["09:30", "09:30"]
        assert found[1].starts_at - found[0].starts_at != timedelta(days=7)


@pytest.mark.parametrize(
    ("sunday", "hours", "count"),
    [(date(2026, 3, 22), 4, 4), (date(2026, 3, 29), 3, 3), (date(2026, 10, 25), 5, 5)],
)
def test_a_night_session_holds_the_hours_that_really_pass(sunday, hours, count):
    session = a_session(weekday=7, starts=time(0), ends=time(4), slot_minutes=60)

    found = places(a_rota(session), sunday, sunday)

    assert len(found) == count
    assert found[-1].ends_at - found[0].starts_at == timedelta(hours=hours)


def test_a_session_counts_from_its_first_day_to_its_last():
    session = a_session(from_on=date(2026, 11, 9), to_on=date(2026, 11, 16), ends=time(11))

    found = places(a_rota(session), MONDAY, date(2026, 11, 30))

    assert starts(found) == ["Mon 09 Nov 09:30", "Mon 16 Nov 09:30"]


def test_a_bank_holiday_is_worked_only_where_it_was_agreed():
    holiday = date(2026, 8, 31)
    agreed = a_session(from_on=holiday, to_on=holiday, despite_holiday=True)

    assert places(a_rota(), holiday, holiday) == []
    assert len(places(a_rota(agreed), holiday, holiday)) == 2


def test_a_closed_day_and_a_day_off_have_no_places():
    agreed = a_session(from_on=MONDAY, to_on=MONDAY, despite_holiday=True)

    assert places(a_rota(agreed, closed_on=frozenset({MONDAY})), MONDAY, MONDAY) == []
    assert places(a_rota(a_session(off_on=frozenset({MONDAY}))), MONDAY, MONDAY) == []


@pytest.mark.proves("RP-18")
@pytest.mark.parametrize(
    ("people", "missing"),
    [
        ({WORKER: PEOPLE[WORKER]}, "doctor"),
        ({**PEOPLE, DOCTOR: Clinician(trained=ALWAYS)}, "doctor"),
        ({**PEOPLE, DOCTOR: Clinician(prescribes=ALWAYS)}, "doctor"),
        ({**PEOPLE, WORKER: Clinician()}, "drugs worker"),
    ],
)
def test_a_session_without_trained_people_offers_no_place_and_is_named(people, missing):
    rota = a_rota(people=people)

    assert places(rota, MONDAY, MONDAY) == []
    (session, found) = unstaffed(rota, MONDAY, MONDAY)[0]
    assert session.id == 1
    assert missing in found.message and found.rule == "RP-18"


@pytest.mark.proves("RP-18")
def test_a_training_that_lapses_ends_the_places_on_its_last_day():
    lapsing = Clinician(trained=((date(2000, 1, 1), date(2026, 11, 9)),), prescribes=ALWAYS)
    rota = a_rota(a_session(ends=time(11)), people={**PEOPLE, DOCTOR: lapsing})

    assert starts(places(rota, MONDAY, date(2026, 11, 16))) == [
        "Mon 02 Nov 09:30", "Mon 09 Nov 09:30",
    ]  # fmt: skip


def test_places_beyond_the_known_bank_holidays_are_refused():
    with pytest.raises(OutOfReach):
        places(a_rota(), date(2040, 1, 1), date(2040, 1, 31))


# -- free places


@pytest.mark.proves("RP-17")
@pytest.mark.parametrize("person", [DOCTOR, WORKER])
def test_a_place_is_gone_when_either_person_is_held(person):
    first = places(a_rota(), MONDAY, MONDAY)[0]
    hold = Hold(person, first.starts_at + timedelta(minutes=80), first.ends_at)

    assert starts(free_places(a_rota(), [hold], MONDAY, MONDAY, now=LONG_AGO)) == [
        "Mon 02 Nov 11:00"
    ]


def test_a_hold_that_only_touches_a_place_leaves_it_free():
    first, second = places(a_rota(), MONDAY, MONDAY)
    before = Hold(DOCTOR, first.starts_at - timedelta(hours=1), first.starts_at)
    after = Hold(DOCTOR, second.ends_at, second.ends_at + timedelta(hours=1))

    assert len(free_places(a_rota(), [before, after], MONDAY, MONDAY, now=LONG_AGO)) == 2


def test_a_place_that_has_begun_is_not_free():
    first, second = places(a_rota(), MONDAY, MONDAY)

    assert free_places(a_rota(), [], MONDAY, MONDAY, now=first.starts_at) == [second]


def test_the_first_feasible_places_do_not_cross_the_patients_own_visits():
    first, second = places(a_rota(), MONDAY, MONDAY)
    own = [(first.starts_at - timedelta(hours=1), first.starts_at + timedelta(minutes=1))]

    assert first_feasible([first, second], own, 2) == [second]
    assert first_feasible([first, second], [], 1) == [first]


minutes = st.integers(0, 12 * 60)


@given(st.lists(st.tuples(st.sampled_from([DOCTOR, WORKER]), minutes, st.integers(15, 120))))
def test_a_free_place_never_crosses_a_hold(raw):
    day = datetime(2026, 11, 2, 7, tzinfo=UTC)
    holds: list[Hold] = []
    for person, start, length in raw:
        new = Hold(person, day + timedelta(minutes=start), day + timedelta(minutes=start + length))
        if not any(
            each.staff_id == person
            and each.starts_at < new.ends_at
            and new.starts_at < each.ends_at
            for each in holds
        ):
            holds.append(new)
    session = a_session(starts=time(8), ends=time(18), slot_minutes=60)

    free = free_places(a_rota(session), holds, MONDAY, MONDAY, now=LONG_AGO)

    for place in places(a_rota(session), MONDAY, MONDAY):
        crossed = any(
            each.starts_at < place.ends_at and place.starts_at < each.ends_at for each in holds
        )
        assert (place in free) is not crossed


# -- booking


def asked(rota: Rota, at: datetime, *, doctor=DOCTOR, now=LONG_AGO, drugs=("heroin",), **more):
    return may_book(rota, at, doctor, WORKER, now=now, drugs=drugs, **more)


def reason(answer: Place | Refusal) -> str:
    assert isinstance(answer, Refusal)
    return answer.reason


def test_a_free_place_of_the_rota_may_be_booked():
    place = places(a_rota(), MONDAY, MONDAY)[1]

    assert asked(a_rota(), place.starts_at) == place


def test_a_time_off_the_rota_may_not_be_booked():
    place = places(a_rota(), MONDAY, MONDAY)[0]

    assert reason(asked(a_rota(), place.starts_at + timedelta(minutes=5))) == "not_on_rota"
    assert reason(asked(a_rota(), place.starts_at, doctor=OTHER_DOCTOR)) == "not_on_rota"


def test_a_place_that_has_begun_may_not_be_booked():
    place = places(a_rota(), MONDAY, MONDAY)[0]

    assert reason(asked(a_rota(), place.starts_at, now=place.starts_at)) == "past"


@pytest.mark.proves("RP-17")
def test_a_place_whose_doctor_is_held_may_not_be_booked():
    place = places(a_rota(), MONDAY, MONDAY)[0]
    hold = Hold(DOCTOR, place.starts_at, place.ends_at)

    answer = asked(a_rota(), place.starts_at, holds=[hold])

    assert (answer.reason, answer.rule) == ("taken", "RP-17")


def test_a_patient_is_not_booked_across_a_visit_of_their_own():
    place = places(a_rota(), MONDAY, MONDAY)[0]

    answer = asked(a_rota(), place.starts_at, busy=[(place.starts_at, place.ends_at)])

    assert reason(answer) == "patient_busy"


@pytest.mark.proves("RP-18")
def test_a_place_is_not_booked_without_a_trained_doctor():
    place = places(a_rota(), MONDAY, MONDAY)[0]

    answer = asked(a_rota(people={}), place.starts_at)

    assert (answer.reason, answer.rule) == ("not_staffed", "RP-18")


@pytest.mark.proves("A23")
@pytest.mark.parametrize(
    ("drugs", "refused"),
    [
        (["crack"], True),
        (["crack", "alcohol"], True),
        (["crack", "heroin"], False),
        (["not_known"], False),
        ([], False),
    ],
)
def test_no_induction_place_is_used_where_no_opioid_is(drugs, refused):
    place = places(a_rota(), MONDAY, MONDAY)[0]

    assert no_opioid(drugs) is refused
    assert isinstance(asked(a_rota(), place.starts_at, drugs=drugs), Refusal) is refused


@pytest.mark.proves("RP-16", "A15")
@pytest.mark.parametrize(("length", "wrong"), [(59, True), (60, False), (120, False), (121, True)])
def test_an_induction_slot_lasts_one_to_two_hours(length, wrong):
    assert (wrong_length(length) is not None) is wrong


# -- sessions that need one person twice


@pytest.mark.parametrize(
    ("change", "clashes"),
    [
        ({}, True),
        ({"starts": time(12, 30), "ends": time(15)}, False),
        ({"weekday": 2}, False),
        ({"doctor_id": OTHER_DOCTOR}, True),
        ({"doctor_id": OTHER_DOCTOR, "worker_id": 9}, False),
        ({"doctor_id": 8, "worker_id": DOCTOR}, True),
        ({"from_on": date(2027, 1, 1)}, True),
    ],
)
def test_one_person_is_not_put_on_two_sessions_at_once(change, clashes):
    known = a_session()

    assert (clash(replace(known, id=2, **change), [known]) is known) is clashes


def test_a_session_that_follows_an_ended_one_is_no_clash():
    ended = a_session(to_on=date(2026, 11, 8))

    assert clash(a_session(id=2, from_on=date(2026, 11, 9)), [ended]) is None
    assert clash(a_session(id=2, from_on=date(2026, 11, 8)), [ended]) is ended


# -- kept for rapid work, and passed with a reason


A_MINUTE = timedelta(minutes=1)
OPENS = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)  # 24 hours before Monday's first place


def test_a_broken_promise_names_the_days_the_rota_loses_and_why():
    first, last = date(2026, 8, 24), date(2026, 9, 13)
    sessions = [a_session(id=each, weekday=each) for each in (1, 3, 5)]
    sessions[1] = replace(sessions[1], off_on=frozenset({date(2026, 9, 9)}))
    away = Hold(
        DOCTOR, at_london(date(2026, 9, 11), time(8)), at_london(date(2026, 9, 12), time(8))
    )
    rota = replace(
        a_rota(*sessions), closed_on=frozenset({date(2026, 9, 4)}), away=(away,),
        openings=(Opening(3, date(2026, 9, 2), time(13), time(17)),),
    )  # fmt: skip

    lost = not_held(rota, first, last)
    days = {london_day(each.starts_at) for each in places(rota, first, last)}
    found = rota_findings(PrescribingModel.MODEL_2, days, first, last, {}, lost)

    assert lost == {
        date(2026, 8, 31): "bank_holiday", date(2026, 9, 2): "shut", date(2026, 9, 4): "closed",
        date(2026, 9, 9): "off", date(2026, 9, 11): "leave",
    }  # fmt: skip
    assert found[0].message == (
        "No slot between Fri 28 Aug 2026 and Mon 7 Sep 2026: 10 days apart, 3 allowed. Not held: "
        "Mon 31 Aug 2026 (bank holiday), Wed 2 Sep 2026 (outside opening hours), "
        "Fri 4 Sep 2026 (the site is closed)."
    )
    assert "Wed 9 Sep 2026 (taken off), Fri 11 Sep 2026 (leave)." in found[-1].message
    (monday,) = rota_findings(PrescribingModel.MODEL_3, {*days, *lost} - {date(2026, 8, 31)},
                              date(2026, 8, 31), date(2026, 8, 31), {}, lost)  # fmt: skip
    assert monday.message.endswith("Not held: Mon 31 Aug 2026 (bank holiday).")


@pytest.mark.parametrize(
    ("session", "now", "may"),
    [
        ({"kept_for": "any"}, LONG_AGO, True),
        ({}, OPENS + timedelta(hours=23), False),
        ({"routine_from_hours": 24}, OPENS - A_MINUTE, False),
        ({"routine_from_hours": 24}, OPENS, True),
    ],
)
def test_a_rapid_place_is_for_routine_work_from_its_hour_on_or_never(session, now, may):
    rota = a_rota(a_session(**session))
    first = places(rota, MONDAY, MONDAY)[0]

    answer = may_book(rota, first.starts_at, DOCTOR, WORKER, now=now, drugs=(), routine=True)

    assert (answer == first) is may
    assert (first in routine_places(rota, MONDAY, MONDAY, now=now)) is may
    back = kept_back(rota, MONDAY, MONDAY, now=now, routine=True)
    assert (first in [place for place, _ in back]) is not may
    if not may:
        assert (answer.rule, answer.soft) == ("BK-03", "carve_out")
        assert "Sun 1 Nov 2026, 09:30" in answer.message or session == {}
    assert may_book(rota, first.starts_at, DOCTOR, WORKER, now=now, drugs=()) == first


@pytest.mark.parametrize(("minutes", "may"), [(30, True), (29, False)])
def test_a_place_that_begins_too_soon_is_for_somebody_who_is_here(minutes, may):
    rota, first = a_rota(a_session()), places(a_rota(a_session()), MONDAY, MONDAY)[0]
    now = first.starts_at - minutes * A_MINUTE

    def asked(**how):
        return may_book(rota, first.starts_at, DOCTOR, WORKER, now=now, drugs=(), **how)

    assert (asked(notice=True) == first) is may
    if not may:
        assert (asked(notice=True).rule, asked(notice=True).soft) == ("BK-05", "notice")
        back = kept_back(rota, MONDAY, MONDAY, now=now, routine=False)
        assert [(place, why.soft) for place, why in back] == [(first, "notice")]
    assert asked(notice=True, passed=("notice",)) == asked(walk_in=True) == asked() == first


def test_a_passed_block_lets_nothing_hard_through():
    rota = a_rota(a_session(), people={**PEOPLE, DOCTOR: Clinician()})
    starts_at = at_london(MONDAY, time(9, 30))
    soft = ("carve_out", "opening_hours")

    untrained = may_book(
        rota, starts_at, DOCTOR, WORKER, now=LONG_AGO, drugs=(), routine=True, passed=soft
    )
    taken = may_book(
        a_rota(), starts_at, DOCTOR, WORKER, now=LONG_AGO, drugs=(), routine=True, passed=soft,
        holds=[Hold(DOCTOR, starts_at, starts_at + A_MINUTE)],
    )  # fmt: skip

    assert (untrained.reason, untrained.soft) == ("not_staffed", None)
    assert (taken.reason, taken.soft) == ("taken", None)


def test_opening_hours_are_passed_and_leave_is_not():
    place = places(a_rota(), MONDAY, MONDAY)[0]
    shut = replace(a_rota(), openings=(Opening(1, date(2026, 1, 1), time(13), time(17)),))
    away = replace(shut, away=(Hold(DOCTOR, place.starts_at, place.ends_at),))

    def asked(rota: Rota, *passed: str):
        return may_book(
            rota, place.starts_at, DOCTOR, WORKER, now=LONG_AGO, drugs=(), passed=passed
        )

    assert asked(shut).soft == "opening_hours"
    assert asked(shut, "opening_hours") == place
    assert asked(away, "opening_hours").reason == "leave"
    assert kept_back(away, MONDAY, MONDAY, now=LONG_AGO, routine=False)[0][0] != place


def test_free_places_found_from_the_holds_are_those_found_place_by_place():
    dice = random.Random(8)
    hour = timedelta(hours=1)
    since = datetime(2026, 11, 2, 8, tzinfo=UTC)
    rota = replace(a_rota(), in_use={90: None, 91: None}, observation=(90, 91))
    found = 0
    for _ in range(300):
        every = sorted({
            Place(
                (starts := since + dice.randrange(20) * hour / 2), starts + hour,
                dice.choice((1, 2)), dice.choice((11, 12)), dice.choice((21, 22, None)),
                dice.choice((31, None)), dice.choice((starts + 4 * hour, None)),
            )
            for _ in range(dice.randrange(12))
        }, key=str)  # fmt: skip
        every.sort(key=lambda each: each.starts_at)
        holds = [
            Hold(*whose[:1], (starts := since + dice.randrange(24) * hour / 2),
                 starts + dice.randrange(1, 5) * hour / 2, *whose[1:])
            for whose in dice.sample([(1,), (2,), (11,), (21,), (None, 31), (None, 90)], 3)
        ]  # fmt: skip
        now = since + dice.randrange(24) * hour / 2

        free = LaidOut(every).free({str(each): each for each in holds}, now=now, rota=rota)

        assert free == still_free(every, holds, now=now, rota=rota)
        found += len(free)
    assert found > 300
