"""Days 1, 2 and 3 follow one another on open days, and nobody is left alone over a shut one."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.holidays import bank_holidays
from dosing.days import at_london, london_day, london_time
from scheduling import chains, slots
from scheduling.calendars import Calendar, HolidayLists
from scheduling.chains import Blocked, Diary, Plan, Review, owed, plan, whole_chains
from scheduling.reviews import LONGEST
from scheduling.slots import Clinician, Hold, Rota, Session

DAY = timedelta(days=1)
ALWAYS = ((date(2000, 1, 1), None),)
DOCTOR, WORKER, NURSE, OTHER_NURSE = 1, 2, 3, 4
STEM = Path(chains.__file__)
HOLIDAYS = HolidayLists(**bank_holidays())
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def a_rota(
    weekdays=(1, 2, 3, 4, 5), closed=(), *, ends=time(12, 30), nurses=(NURSE,), away=(), off=()
) -> Rota:
    sessions = tuple(
        Session(
            day * 10 + nth, day, time(9, 30), ends, 90, DOCTOR, WORKER, date(2026, 1, 1), None,
            nurse_id=nurse, off_on=frozenset(off),
        )
        for day in weekdays
        for nth, nurse in enumerate(nurses)
    )  # fmt: skip
    return Rota(
        sessions,
        {
            DOCTOR: Clinician(trained=ALWAYS, prescribes=ALWAYS),
            WORKER: Clinician(competent=ALWAYS),
        },
        Calendar("england_and_wales", HOLIDAYS),
        closed_on=frozenset(closed),
        away=tuple(away),
        observed=ALWAYS,
        in_use={9: None},
        observation=(9,),
    )


def a_diary(rota=None, holds=(), now=LONG_AGO, busy=()) -> Diary:
    return Diary(rota or a_rota(), holds, now=now, busy=busy)


def start(on: date, clock=time(9, 30)) -> datetime:
    return at_london(on, clock)


def days_of(made: Plan) -> list[date]:
    return [london_day(each.starts_at) for each in made.reviews.values()]


def test_every_rule_has_a_source_a_mark_and_a_day_of_review():
    table = tomllib.loads(STEM.with_suffix(".toml").read_text("utf-8"))

    assert table["review_by"]
    sources = {each["id"] for each in table["source"]}
    for rule in table["rule"]:
        assert rule["source"] in sources and rule["where"] and rule["unit"]
        assert rule["confidence"] in ("S", "S2", "M", "D")


MON, TUE, WED, THU, FRI = (date(2026, 11, day) for day in (2, 3, 4, 5, 6))
SAT, SUN, NEXT_MON, NEXT_TUE = (FRI + each * DAY for each in (1, 2, 3, 4))


@pytest.mark.proves("RP-10", "A16", "CH-02")
@pytest.mark.parametrize(
    ("day_1", "then", "to_arrange", "warned"),
    [
        (MON, [TUE, WED], [], False),
        (WED, [THU, FRI], [], False),
        (THU, [FRI, NEXT_MON], [SAT], True),
        (FRI, [NEXT_MON, NEXT_TUE], [SAT, SUN], True),
    ],
)
def test_days_2_and_3_are_the_next_open_days_and_a_shut_one_is_arranged_for(
    day_1, then, to_arrange, warned
):
    made = plan(a_diary(), start(day_1))

    assert days_of(made) == then
    assert list(made.to_arrange) == to_arrange
    assert (made.warning is not None) == warned
    assert made.broken == ()


@pytest.mark.proves("A16", "A25")
def test_easter_asks_for_more_than_the_first_three_days():
    maundy_thursday = date(2026, 4, 2)

    made = plan(a_diary(), start(maundy_thursday))

    assert days_of(made) == [date(2026, 4, 7), date(2026, 4, 8)]
    # Good Friday and Saturday are days 2 and 3; from Saturday to Tuesday is a day too long.
    assert made.to_arrange == (date(2026, 4, 3), date(2026, 4, 4), date(2026, 4, 6))
    assert made.shut_on == tuple(date(2026, 4, day) for day in (3, 4, 5, 6))
    assert plan(a_diary(), start(maundy_thursday), arranged=made.to_arrange).to_arrange == ()


@pytest.mark.proves("A16")
def test_a_start_before_a_bank_holiday_is_warned_of_on_whatever_weekday():
    before_christmas = date(2026, 12, 23)  # a Wednesday

    made = plan(a_diary(), start(before_christmas))

    assert made.warning.message.startswith(
        "Day 1 is Wed 23 Dec 2026, and the service is shut on Fri 25 Dec 2026"
    )
    # Christmas Day, then Boxing Day's substitute on Monday: Tuesday is the next open day.
    assert days_of(made) == [date(2026, 12, 24), date(2026, 12, 29)]
    assert made.to_arrange == (date(2026, 12, 25), date(2026, 12, 27))


@pytest.mark.parametrize("day_1", [date(2026, 3, 27), date(2026, 10, 23)])  # the Friday before
def test_across_both_clock_changes_a_review_keeps_the_hour_on_the_wall(day_1):
    made = plan(a_diary(), start(day_1))

    assert [london_time(each.starts_at).hour for each in made.reviews.values()] == [9, 9]
    assert [each.ends_at - each.starts_at for each in made.reviews.values()] == [chains.NURSE] * 2


def test_a_review_has_a_doctor_where_one_is_free_and_a_nurse_alone_where_not():
    taken = [Hold(DOCTOR, start(TUE), start(TUE, time(12, 30)))]
    retired = a_rota()
    retired = slots.Rota(**{**vars(retired), "clinicians": {}})

    with_doctor = plan(a_diary(), start(MON)).reviews
    without = plan(a_diary(holds=taken), start(MON)).reviews
    no_prescriber = plan(a_diary(retired), start(MON)).reviews

    assert [with_doctor[number].doctor_id for number in (2, 3)] == [DOCTOR, DOCTOR]
    assert [without[number].doctor_id for number in (2, 3)] == [None, DOCTOR]
    assert [no_prescriber[number].doctor_id for number in (2, 3)] == [None, None]
    assert without[2].nurse_id == NURSE


def test_a_review_takes_the_time_that_leaves_most_induction_places():
    # 09:30 and 11:00 are places; a review at 09:30 takes one of them away, at 11:00 both.
    free = a_diary().free(TUE, start(MON, time(11)))

    assert free[0].starts_at == start(TUE, time(10, 30))
    assert a_diary()._takes_away(free[0], TUE) == 1


def test_the_first_refusal_names_the_day_and_who_is_taken():
    all_day = Hold(NURSE, start(WED, time(0)), start(WED, time(23)))
    busy = [(start(TUE, time(0)), start(TUE, time(23)))]

    nurse = plan(a_diary(holds=[all_day]), start(MON))
    person = plan(a_diary(busy=busy), start(MON))

    assert isinstance(nurse, Blocked)
    assert (nurse.number, nurse.on, nurse.blocked_by) == (3, WED, ("nurse",))
    assert nurse.message == "Day 3 cannot be booked on Wed 4 Nov 2026. Taken then: nurse."
    assert (person.number, person.blocked_by) == (2, ("person",))


def test_a_service_with_no_nurse_ahead_says_so():
    made = plan(a_diary(a_rota(weekdays=())), start(MON))

    assert made.blocked_by == () and "no nurse is on the rota" in made.message


def test_somebody_being_titrated_passes_over_a_full_day_and_contact_is_still_kept():
    full = [Hold(NURSE, start(day, time(0)), start(day, time(23))) for day in (TUE, WED)]

    made = plan(a_diary(holds=full), start(MON), pass_over=True)

    assert days_of(made) == [THU, FRI]
    assert [each.on for each in made.passed_over] == [TUE, WED]
    assert made.to_arrange == (WED,)


def test_a_day_stays_where_it_is_booked_when_that_is_still_the_right_day():
    wish = Review(start(TUE, time(12)), start(TUE, time(12, 30)), NURSE)
    late = Review(start(THU), start(THU) + chains.NURSE, NURSE)

    made = plan(a_diary(), start(MON), wished={2: wish, 3: late})

    assert made.reviews[2] == wish
    assert london_day(made.reviews[3].starts_at) == WED


def test_a_day_that_somebody_chose_must_follow_the_one_before_and_be_free():
    monday = Review(start(MON), start(MON) + chains.NURSE, NURSE)
    friday = Review(start(FRI), start(FRI) + chains.NURSE, NURSE)
    nowhere = Review(start(SAT), start(SAT) + chains.NURSE, NURSE)

    assert plan(a_diary(), start(MON), chosen={2: monday}).message == (
        "Day 2 must come after day 1 (Mon 2 Nov 2026)."
    )
    assert plan(a_diary(), start(MON), chosen={3: nowhere}).blocked_by == ("nurse",)
    made = plan(a_diary(), start(MON), chosen={3: friday})
    assert made.reviews[3] == friday
    assert made.to_arrange == (THU,)


@pytest.mark.proves("RP-34")
def test_a_gap_that_is_past_is_told_of_and_no_longer_to_be_arranged():
    to_arrange, broken = owed(MON, [MON, FRI], (), (), (), FRI)

    assert to_arrange == ()
    assert [chains.in_words(each) for each in broken] == [
        "No contact between Mon 2 Nov 2026 and Fri 6 Nov 2026: 4 days apart, 2 allowed."
    ]
    assert owed(MON, [MON, FRI], (), (), [WED], FRI) == ((), ())


def test_whole_chains_are_offered_and_those_that_need_nothing_arranged_when_asked():
    rota = a_rota()
    places = slots.places(rota, THU, NEXT_TUE)

    first, second = whole_chains(a_diary(rota), places, 2)
    (alone,) = whole_chains(a_diary(rota), places, 1, arranged_too=False)

    assert [london_day(each.starts_at) for each, _ in (first, second)] == [THU, THU]
    assert london_day(alone[0].starts_at) == NEXT_MON and alone[1].to_arrange == ()


STEPS = st.lists(st.sampled_from(["keep", "miss", "move"]), min_size=1, max_size=6)


@pytest.mark.proves("RP-34", "A25")
@given(
    first=st.integers(0, 364),
    weekdays=st.sets(st.integers(1, 5), min_size=1),
    closed=st.sets(st.integers(0, 30), max_size=6),
    full=st.sets(st.integers(0, 30), max_size=4),
    steps=STEPS,
    late=st.lists(st.integers(0, 3), min_size=6, max_size=6),
)
def test_whatever_is_kept_missed_or_moved_nobody_is_left_without_contact_or_an_arrangement(
    first, weekdays, closed, full, steps, late
):
    day_1 = date(2026, 1, 1) + first * DAY
    rota = a_rota(weekdays=sorted(weekdays), closed=[day_1 + each * DAY for each in closed])
    holds = [
        Hold(NURSE, start(day_1 + each * DAY, time(0)), start(day_1 + each * DAY, time(23)))
        for each in sorted(full)
    ]
    kept: dict[int, date] = {}
    arranged: set[date] = set()
    chosen: dict[int, Review] = {}
    today = day_1
    for step, later in zip(steps, late, strict=False):
        made = plan(
            a_diary(rota, holds, now=start(today, time(8))), start(day_1), kept=kept,
            chosen=chosen, arranged=arranged, pass_over=True,
        )  # fmt: skip
        if isinstance(made, Blocked):
            chosen = {}
            if "must come after" in made.message or made.blocked_by == ("nurse",):
                continue
            return  # nobody is on the rota for weeks: there is nothing to plan
        arranged |= set(made.to_arrange)

        links = [day_1, *kept.values(), *days_of(made)]
        known = sorted({*links, *(day for day in arranged if day <= max(links))})
        past = {(each.after, each.before) for each in made.broken}
        for after, before in zip(known, known[1:], strict=False):
            assert before - after <= LONGEST or (after, before) in past
            assert (after, before) not in past or after + LONGEST < today
        for day in made.shut_on:
            if day >= today and day + DAY in made.shut_on:
                assert arranged & {day, day + DAY}
        assert sorted(links) == links

        chosen = {}
        number = min(made.reviews, default=None)
        if number is None:
            return
        on = london_day(made.reviews[number].starts_at)
        if step == "keep":
            kept[number], today = on, on
        elif step == "miss":
            today = on + later * DAY
        else:
            ahead = [
                each
                for days in range(1, 6)
                for each in a_diary(rota, holds).free(on + days * DAY, start(day_1))
            ]
            if ahead:
                chosen = {number: ahead[later % len(ahead)]}
