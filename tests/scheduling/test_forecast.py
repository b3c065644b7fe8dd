"""Who will breach, how likely, and which smallest change prevents it?"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations

import pytest

from config.holidays import bank_holidays
from dosing.days import london_day
from scheduling import forecast, slots
from scheduling.calendars import Calendar, HolidayLists
from scheduling.chairs import Chairs
from scheduling.forecast import Day, Rates, Waits, keeps_the_promise, rate, smallest_change
from scheduling.prescribing_models import PrescribingModel
from scheduling.slots import Clinician, Hold, Place, Rota, Session

MODEL_2, MODEL_3 = PrescribingModel.MODEL_2, PrescribingModel.MODEL_3
MONDAY = date(2026, 11, 30)
A_DAY = timedelta(days=1)


def place(day: int, hour: int = 10, doctor: int = 1) -> Place:
    starts = datetime(2026, 11, 30, hour, tzinfo=UTC) + day * A_DAY
    return Place(starts, starts + timedelta(minutes=90), doctor, 10 + doctor)


def a_rota(*chairs: int) -> Rota:
    """Nothing but observation places."""
    calendar = Calendar("england_and_wales", HolidayLists(**bank_holidays()))
    return Rota((), {}, calendar, in_use=dict.fromkeys(chairs), observation=chairs)


NONE = Chairs(a_rota())
"""Nobody is observed."""


def rates(did_not_attend: float = 0.0, session_lost: float = 0.0) -> Rates:
    def fixed(name: str, value: float) -> forecast.Rate:
        return forecast.Rate(name, value, 100, True)

    return Rates(
        fixed("did_not_attend", did_not_attend), fixed("cancelled_late", 0), fixed("refilled", 0),
        fixed("session_lost", session_lost),
    )  # fmt: skip


# -- first places and chances ----------------------------------------------------------------


def test_first_places_on_500_small_rotas_are_those_found_by_trying_all() -> None:
    dice = random.Random(4)
    for _ in range(500):
        free = sorted({place(dice.randrange(6), dice.choice((9, 11)), dice.randrange(1, 3))
                       for _ in range(dice.randrange(6))})  # fmt: skip
        people = [
            Waits(nth, MONDAY, tuple((each.starts_at, each.ends_at)
                                     for each in dice.sample(free, dice.randrange(len(free) + 1))))
            for nth in range(dice.randrange(1, 5))
        ]  # fmt: skip

        found = forecast.first_places(people, free, NONE)

        taken: set[Place] = set()
        for person in people:
            possible = [
                each for each in free
                if each not in taken
                and all(end <= each.starts_at or each.ends_at <= start
                        for start, end in person.busy)
            ]  # fmt: skip
            assert found[person.id] == (min(possible) if possible else None)
            taken |= {found[person.id]} - {None}


def test_without_anything_going_wrong_the_chance_is_none_or_certain() -> None:
    people = [Waits(1, MONDAY + A_DAY), Waits(2, MONDAY + A_DAY)]

    first, second = forecast.prospects(
        people, [place(1), place(4)], rates(), NONE, looked_to=MONDAY + 6 * A_DAY
    )

    assert (first.late, first.chance) == (False, 0)
    assert (second.late, second.chance) == (True, 1)


@pytest.mark.parametrize(
    ("going_wrong", "expected"),
    [
        (rates(did_not_attend=0.4), 0.4 * 0.4),
        (rates(session_lost=0.2), 0.2 * 0.2),
        (rates(did_not_attend=0.4, session_lost=0.2), (1 - 0.6 * 0.8) ** 2),
    ],
)
def test_the_chance_is_the_one_worked_out_on_paper(going_wrong: Rates, expected: float) -> None:
    """Two places on two days within the limit: late only if both come to nothing."""
    person = Waits(1, MONDAY + 3 * A_DAY)

    (found,) = forecast.prospects(
        [person], [place(1), place(3), place(5)], going_wrong, NONE, looked_to=MONDAY + 6 * A_DAY
    )

    assert found.late is False
    assert found.chance == pytest.approx(expected, abs=0.06)


def test_a_booked_place_is_kept_and_its_loss_sends_the_person_to_the_next() -> None:
    person = Waits(1, MONDAY + 3 * A_DAY, booked=place(1))

    (alone,) = forecast.prospects([person], [], rates(0.5), NONE, looked_to=MONDAY + 6 * A_DAY)
    (helped,) = forecast.prospects(
        [person], [place(3)], rates(0.5), NONE, looked_to=MONDAY + 6 * A_DAY
    )

    assert alone.place == helped.place == person.booked
    assert alone.chance == pytest.approx(0.5, abs=0.07)
    assert helped.chance == pytest.approx(0.25, abs=0.07)


def test_places_that_share_a_nurse_are_given_to_one_person_alone() -> None:
    """Observed for four hours: of the morning's two teams with one nurse only one can start."""
    both = [
        place(1, 9, doctor)._replace(nurse_id=7, observed_until=place(1, 13).starts_at)
        for doctor in (1, 2)
    ]
    people = [Waits(1, MONDAY + A_DAY), Waits(2, MONDAY + A_DAY)]

    first, second = forecast.prospects(
        people, both, rates(), Chairs(a_rota(1, 2)), looked_to=MONDAY + 6 * A_DAY
    )

    assert (first.late, first.chance) == (False, 0)
    assert (second.place, second.late, second.chance) == (None, True, 1)
    assert forecast.together(both, Chairs(a_rota(1, 2))) == [both[0]]
    apart = [each._replace(nurse_id=nurse) for nurse, each in enumerate(both, 20)]
    assert len(forecast.together(apart, Chairs(a_rota(1, 2)))) == 2


def observed(day: int, hour: int, doctor: int) -> Place:
    """A place with a nurse of its own, and four hours in an observation place."""
    found = place(day, hour, doctor)
    until = found.starts_at + timedelta(hours=4)
    return found._replace(nurse_id=20 + doctor, observed_until=until)


@pytest.mark.proves("RP-12")
def test_one_observation_place_is_given_to_one_person_at_a_time() -> None:
    """Two teams, two nurses, one chair: whoever comes second waits until it is free again."""
    free = [observed(1, 9, 1), observed(1, 9, 2), observed(1, 13, 2)]
    people = [Waits(nth, MONDAY + A_DAY) for nth in (1, 2, 3)]

    one = forecast.prospects(people, free, rates(), Chairs(a_rota(5)), looked_to=MONDAY + A_DAY)
    two = forecast.prospects(people, free, rates(), Chairs(a_rota(5, 6)), looked_to=MONDAY + A_DAY)

    assert [each.place for each in one] == [free[0], free[2], None]
    assert [each.chance for each in one] == [0, 0, 1]
    assert [each.place for each in two] == free
    assert len(forecast.together(free, Chairs(a_rota(5)))) == 2
    until_noon = Hold(None, free[0].starts_at, free[2].starts_at, 5)
    held = Chairs(a_rota(5), [until_noon])
    assert forecast.together(free, held) == [free[2]]


@pytest.mark.proves("RP-12")
def test_first_places_with_observation_on_500_small_rotas_are_those_booked_one_by_one() -> None:
    """Asked of the rules of booking themselves: who and what is held, and which chair is free."""
    dice = random.Random(5)
    short = 0
    for _ in range(500):
        rota = a_rota(*range(101, 101 + dice.randrange(3)))
        every = sorted({observed(dice.randrange(2), dice.choice((9, 11, 13)), dice.randrange(1, 5))
                        for _ in range(dice.randrange(8))})  # fmt: skip
        holds = [
            Hold(None, each.starts_at, each.until, chair)
            for each, chair in zip(
                dice.sample(every, len(every) // 3), rota.observation, strict=False
            )
        ]
        now = datetime(2026, 1, 1, tzinfo=UTC)
        free = slots.still_free(every, holds, now=now, rota=rota)
        people = [Waits(nth, MONDAY) for nth in range(dice.randrange(1, 6))]

        found = forecast.first_places(people, free, Chairs(rota, holds))

        for person in people:
            left = slots.still_free(every, holds, now=now, rota=rota)
            first = left[0] if left else None
            assert found[person.id] == first
            if first is None:
                short += bool(free)
                continue
            holds += [Hold(staff, first.starts_at, until, thing)
                      for _, staff, thing, until in first.needs]  # fmt: skip
            chair = slots.free_observation(rota, holds, first)
            holds.append(Hold(None, first.starts_at, first.until, chair))
    assert short > 100  # chairs and nurses did run out


@pytest.mark.proves("RP-12")
def test_an_extra_session_gives_no_more_places_than_there_are_observation_places() -> None:
    """Mondays with two short places and two nurses' hours; Tuesday could be held as well."""
    always = ((date(2000, 1, 1), None),)
    session = Session(1, 1, time(9), time(17), 240, 1, 2, date(2026, 1, 1), None, nurse_id=3)
    people = {
        1: Clinician(trained=always, prescribes=always), 2: Clinician(competent=always),
        3: Clinician(),
    }  # fmt: skip
    rota = replace(a_rota(5), sessions=(session,), clinicians=people, observed=always)
    tuesday = MONDAY + A_DAY
    in_the_morning = observed(1, 9, 2)

    assert forecast.extra_sessions(rota, [], tuesday) == (2,)
    assert forecast.extra_sessions(rota, [], tuesday, [in_the_morning]) == (1,)
    assert forecast.extra_sessions(replace(rota, in_use={5: tuesday}), [], tuesday) == ()


def test_two_teams_of_the_rota_can_add_a_session_each_on_one_day() -> None:
    always = ((date(2000, 1, 1), None),)
    people = {nth: Clinician(always, always, always) for nth in (1, 2, 3, 4)}
    morning = Session(1, 1, time(9), time(12), 90, 1, 2, date(2026, 1, 1), None)
    rota = replace(
        a_rota(), clinicians=people,
        sessions=(
            morning, replace(morning, id=2, weekday=3),  # the same two people
            replace(morning, id=3, weekday=3, starts=time(10), ends=time(11, 30)),  # in their way
            replace(morning, id=4, starts=time(13), ends=time(17, 30), doctor_id=3, worker_id=4),
        ),
    )  # fmt: skip
    tuesday, noon = MONDAY + A_DAY, place(1, 12).starts_at

    assert forecast.extra_sessions(rota, [], tuesday) == (3, 5)
    assert forecast.extra_sessions(rota, [], MONDAY) == ()  # both teams are there already
    assert forecast.extra_sessions(rota, [Hold(3, noon, noon + A_DAY)], tuesday) == (2,)


def test_whoever_has_no_limit_has_no_chance_of_breaking_it() -> None:
    (found,) = forecast.prospects([Waits(1, None)], [place(1)], rates(), NONE, looked_to=MONDAY)

    assert (found.late, found.chance) == (None, None)


def test_a_service_with_few_cases_is_given_the_default_and_says_so() -> None:
    below, at = rate("did_not_attend", 3, 29), rate("did_not_attend", 3, 30)

    assert (below.own, below.value) == (False, forecast.TABLE["defaults"]["did_not_attend"])
    assert (at.own, at.value) == (True, 0.1)


# -- the smallest change ---------------------------------------------------------------------


def ahead(weekdays: set[int], weeks: int = 2, *, free: int = 2, could: int = 2,
          shut: frozenset[date] = frozenset()) -> list[Day]:  # fmt: skip
    days = [MONDAY + nth * A_DAY for nth in range(7 * weeks)]
    return [
        Day(
            on,
            has_places=(held := on.isoweekday() in weekdays and on not in shut),
            free=free if held else 0,
            could_add=(could,) if could and on.isoweekday() <= 5 else (),
        )
        for on in days
    ]


FRIDAY_BEFORE = {MONDAY - 3 * A_DAY}


def test_monday_wednesday_friday_needs_no_change() -> None:
    assert smallest_change(MODEL_2, ahead({1, 3, 5}), FRIDAY_BEFORE, []) == ()


def test_a_bank_holiday_monday_needs_one_extra_session() -> None:
    days = ahead({1, 3, 5}, shut=frozenset({MONDAY + 7 * A_DAY}))

    change = smallest_change(MODEL_2, days, FRIDAY_BEFORE, [])

    # Friday to Wednesday is five days: a session that Monday itself closes it.
    assert change == (MONDAY + 7 * A_DAY,)


def test_people_beyond_the_free_places_need_sessions_before_their_last_day() -> None:
    waiting = [MONDAY + 2 * A_DAY] * 5  # four places by Wednesday

    change = smallest_change(MODEL_2, ahead({1, 3, 5}), FRIDAY_BEFORE, waiting)

    assert change is not None and len(change) == 1
    assert change[0] <= MONDAY + 2 * A_DAY


def test_nobody_is_given_up_while_a_second_session_on_the_day_would_help() -> None:
    days = [replace(each, could_add=each.could_add and (2, 4)) for each in ahead({1, 3, 5})]
    due = [MONDAY + A_DAY] * 8  # two free on Monday, four more there, two on Tuesday

    found = forecast.remedy(MODEL_2, days, FRIDAY_BEFORE, due)

    assert found == forecast.Remedy((MONDAY, MONDAY, MONDAY + A_DAY), 0)


def test_nothing_helps_whoever_is_late_already_but_they_take_the_first_places() -> None:
    late = [MONDAY - A_DAY]

    assert smallest_change(MODEL_2, ahead({1, 3, 5}), FRIDAY_BEFORE, late) == ()
    # Two places on Monday: the late one takes one, and two due on Monday need two.
    assert smallest_change(MODEL_2, ahead({1, 3, 5}), FRIDAY_BEFORE, [*late, MONDAY]) == ()
    assert smallest_change(MODEL_2, ahead({1, 3, 5}), FRIDAY_BEFORE, [*late, MONDAY, MONDAY]) == (
        MONDAY,
    )


def test_whom_no_session_can_help_are_counted_and_the_rest_helped() -> None:
    days = ahead({1, 3, 5})
    days[0] = replace(days[0], could_add=())  # Monday's two places are all there can be
    due = [MONDAY] * 4 + [MONDAY + A_DAY] * 2

    found = forecast.remedy(MODEL_2, days, FRIDAY_BEFORE, due)

    # Two of Monday's four are late whatever is added, and Tuesday's two stand behind them: four
    # places on Tuesday would be needed, and one session gives two.
    assert found == forecast.Remedy((), 4)


def test_those_given_up_leave_the_rest_their_sessions() -> None:
    days = ahead({1, 3, 5})
    days[0] = replace(days[0], could_add=())
    due = [MONDAY] * 3 + [MONDAY + A_DAY]

    found = forecast.remedy(MODEL_2, days, FRIDAY_BEFORE, due)

    assert found == forecast.Remedy((MONDAY + A_DAY,), 1)


def test_a_model_that_no_session_can_keep_is_said_to_be_so() -> None:
    found = forecast.remedy(MODEL_2, ahead({1}, could=0), FRIDAY_BEFORE, [])

    assert found == forecast.Remedy(None, 0)


def test_no_change_is_enough_when_no_session_can_be_held() -> None:
    assert smallest_change(MODEL_2, ahead({1}, could=0), FRIDAY_BEFORE, []) is None


def test_model_3_is_given_every_weekday_it_lacks() -> None:
    change = smallest_change(MODEL_3, ahead({1, 2, 4, 5}, 1), FRIDAY_BEFORE, [])

    assert change == (MONDAY + 2 * A_DAY,)


def test_the_smallest_change_on_500_small_rotas_is_that_found_by_trying_all() -> None:
    dice = random.Random(11)
    answers: dict[int | None, int] = {}
    for _ in range(500):
        model = dice.choice((MODEL_2, MODEL_2, MODEL_3, None))
        start = MONDAY + dice.randrange(7) * A_DAY
        days = [
            Day(
                start + nth * A_DAY,
                has_places=(has := dice.random() < 0.5),
                free=dice.randrange(3) if has else 0,
                could_add=dice.choice(((), (1,), (2,), (3,), (1, 3))),
            )
            for nth in range(dice.choice((7, 9, 10)))
        ]
        before = {start - dice.randrange(1, 5) * A_DAY} if dice.random() < 0.8 else set()
        last_days = [start + dice.randrange(-1, 9) * A_DAY for _ in range(dice.randrange(7))]

        given_up = dice.sample(last_days, dice.randrange(len(last_days) + 1) // 2)

        found = smallest_change(model, days, before, last_days, given_up)

        can = [each.on for each in days for _ in each.could_add]
        fewest = next(
            (
                many
                for many in range(len(can) + 1)
                if any(
                    keeps_the_promise(model, days, before, last_days, extra, given_up)
                    for extra in combinations(can, many)
                )
            ),
            None,
        )
        assert (None if found is None else len(found)) == fewest
        assert found is None or keeps_the_promise(model, days, before, last_days, found, given_up)
        answers[fewest] = answers.get(fewest, 0) + 1
    assert {None, 0, 1, 2, 3} <= set(answers)  # the rotas tried were not all alike


def test_days_are_london_days() -> None:
    late_evening = Place(
        datetime(2026, 7, 1, 23, 30, tzinfo=UTC), datetime(2026, 7, 2, 0, 30, tzinfo=UTC), 1, 2
    )
    person = Waits(1, date(2026, 7, 1))

    (found,) = forecast.prospects(
        [person], [late_evening], rates(), NONE, looked_to=date(2026, 7, 5)
    )

    assert london_day(late_evening.starts_at) == date(2026, 7, 2)
    assert found.late is True and found.chance == 1
