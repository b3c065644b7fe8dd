"""Is every date covered once, on a day the pharmacy is open, and does it all add up?"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosing.check import find, rulebook
from dosing.days import days_between
from dosing.facts import derive
from dosing.reading import read_request
from scheduling.instalments import (
    AHEAD,
    LOOK_BACK,
    WARN_BEFORE,
    WORDINGS,
    WRITTEN,
    CannotWrite,
    DayDose,
    Pattern,
    Plan,
    lacking,
    millilitres,
    plan,
    wordings_for,
)

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
DAILY = Pattern(frozenset(range(7)), frozenset(range(7)))
THURSDAY = date(2026, 11, 5)


def forty(first: date, days: int, mg: str = "40") -> dict[date, DayDose]:
    each = DayDose(Decimal(mg), millilitres(Decimal(mg), Decimal(1)))
    return {first + timedelta(days=number): each for number in range(days)}


def not_on_sunday(day: date) -> bool:
    return day.weekday() != SUN


def test_a_sunday_dose_goes_with_saturdays_and_needs_the_closed_day_wording() -> None:
    made = plan(forty(THURSDAY, 14), DAILY, not_on_sunday, THURSDAY)

    assert len(made.instalments) == 12
    saturday = made.instalments[2]
    assert saturday.due_on == date(2026, 11, 7)
    assert saturday.dates == (date(2026, 11, 7), date(2026, 11, 8))
    assert (saturday.mg, saturday.amount, saturday.supervised) == (Decimal(80), Decimal(80), True)
    assert made.closed == (date(2026, 11, 8), date(2026, 11, 15))
    assert [need.wording for need in wordings_for(made) if need.must] == ["closed_day", "supervise"]
    assert [need.wording for need in lacking(wordings_for(made), ["supervise"])] == ["closed_day"]


def test_three_collections_a_week_carry_the_days_between_home() -> None:
    pattern = Pattern(frozenset({MON, WED, FRI}), frozenset({MON, WED, FRI}))

    made = plan(forty(date(2026, 11, 9), 14), pattern, not_on_sunday, date(2026, 11, 9))

    assert [(each.due_on.weekday(), len(each.taken_home)) for each in made.instalments] == [
        (MON, 1), (WED, 1), (FRI, 2), (MON, 1), (WED, 1), (FRI, 2),
    ]  # fmt: skip
    assert {need.wording for need in wordings_for(made)} == set(WORDINGS) - {"closed_day"}


def test_over_christmas_everything_comes_on_the_last_open_day() -> None:
    closed = {date(2026, 12, day) for day in (25, 26, 27, 28)}

    made = plan(forty(date(2026, 12, 24), 7), DAILY, lambda day: day not in closed,
                date(2026, 12, 24))  # fmt: skip

    assert made.instalments[0].dates == tuple(days_between(date(2026, 12, 24), date(2026, 12, 28)))
    assert made.instalments[0].collection() == {
        "collect_on": "2026-12-24", "supervised": True, "take_home_days": 4,
    }  # fmt: skip


def test_a_form_that_begins_on_a_closed_day_is_collected_the_day_before() -> None:
    sunday = date(2026, 11, 8)

    made = plan(forty(sunday, 3), DAILY, not_on_sunday, date(2026, 11, 5))

    first = made.instalments[0]
    assert (first.due_on, first.dates, first.supervised) == (date(2026, 11, 7), (sunday,), False)
    assert first.collection() == {
        "collect_on": "2026-11-08", "supervised": False, "take_home_days": 1,
    }  # fmt: skip


@pytest.mark.proves("A27")
def test_a_first_day_with_no_open_day_before_it_cannot_be_written() -> None:
    sunday = date(2026, 11, 8)

    with pytest.raises(CannotWrite, match="closed on 08 Nov 2026"):
        plan(forty(sunday, 3), DAILY, not_on_sunday, sunday)


def test_a_hole_between_the_dates_is_named() -> None:
    doses = forty(THURSDAY, 2) | forty(THURSDAY + timedelta(days=3), 2)

    with pytest.raises(CannotWrite, match="No dose is decided on for 07 Nov 2026"):
        plan(doses, DAILY, not_on_sunday, THURSDAY)
    with pytest.raises(CannotWrite, match="no dose"):
        plan({}, DAILY, not_on_sunday, THURSDAY)


@pytest.mark.parametrize(
    ("mg", "strength", "ml"), [("40", "1", "40"), ("2.5", "1", "2.5"), ("25", "10", "2.5")]
)
def test_a_volume_is_exact(mg: str, strength: str, ml: str) -> None:
    assert millilitres(Decimal(mg), Decimal(strength)) == Decimal(ml)


def test_a_volume_that_does_not_come_out_is_refused_and_never_rounded() -> None:
    with pytest.raises(CannotWrite, match="no exact number"):
        millilitres(Decimal(40), Decimal(3))


def test_every_number_product_and_wording_says_where_it_comes_from() -> None:
    assert WARN_BEFORE < LOOK_BACK
    assert timedelta(0) < AHEAD
    assert all(written.unit in ("millilitres", "tablets") for written in WRITTEN.values())
    for wording in WORDINGS.values():
        assert wording.version == "2015"
        assert wording.source
        assert wording.confirm == "confirm before real use"


@pytest.mark.parametrize(
    ("wording", "text"),
    [
        pytest.param(wording, text, marks=pytest.mark.proves(rule))
        for rule, wording, text in (
            ("PW-01", "closed_day", "Please dispense instalments due on pharmacy closed days on a"
                                    " prior suitable day."),
            ("PW-02", "missed_collection", "If an instalment's collection day has been missed,"
                                           " please still dispense the amount due for any remaining"
                                           " day(s) of that instalment."),
            ("PW-03", "three_day", "Consult the prescriber if 3 or more consecutive days of a"
                                   " prescription have been missed."),
            ("PW-04", "supervise", "Supervise consumption on collection days."),
            ("PW-05", "daily_packs", "Dispense daily doses in separate containers."),
        )
    ],
)  # fmt: skip
def test_an_approved_wording_stands_on_the_form_word_for_word(wording: str, text: str) -> None:
    assert WORDINGS[wording].text == text


@pytest.mark.proves("PF-04")
def test_a_form_writes_methadone_as_schedule_2_and_buprenorphine_as_schedule_3() -> None:
    told = {name: (each.schedule, each.form, each.unit) for name, each in WRITTEN.items()}

    assert told == {
        "methadone_oral_solution": ("2", "oral solution", "millilitres"),
        "methadone_tablets": ("2", "tablets", "tablets"),
        "buprenorphine_sublingual": ("3", "sublingual tablets", "tablets"),
        "buprenorphine_naloxone_sublingual": ("3", "sublingual tablets", "tablets"),
        "buprenorphine_lyophilisate": ("3", "oral lyophilisates", "tablets"),
    }


# -- properties ----------------------------------------------------------------------------

weekdays = st.frozensets(st.integers(0, 6))


@st.composite
def forms(draw: st.DrawFn) -> tuple[dict[date, DayDose], Pattern, set[date], date]:
    first = THURSDAY + timedelta(days=draw(st.integers(0, 40)))
    doses = {}
    for number in range(draw(st.integers(1, 20))):
        mg = Decimal(draw(st.integers(1, 200_000))) / 1000
        doses[first + timedelta(days=number)] = DayDose(mg, millilitres(mg, Decimal(1)))
    collects = draw(weekdays)
    pattern = Pattern(collects, draw(weekdays) & collects)
    near = st.dates(first - timedelta(days=6), first + timedelta(days=25))
    return doses, pattern, draw(st.sets(near, max_size=20)), first - timedelta(days=5)


def written(drawn: tuple[dict[date, DayDose], Pattern, set[date], date]) -> Plan | None:
    doses, pattern, closed, earliest = drawn
    try:
        return plan(doses, pattern, lambda day: day not in closed, earliest)
    except CannotWrite:
        return None


@given(forms())
def test_every_date_is_covered_once_on_an_open_day_and_the_total_is_kept(drawn: Any) -> None:
    doses, _, closed, earliest = drawn
    made = written(drawn)
    if made is None:
        assert any(day in closed for day in doses)
        return

    assert Counter(day for each in made.instalments for day in each.dates) == Counter(list(doses))
    assert [each.due_on for each in made.instalments] == sorted(
        {each.due_on for each in made.instalments}
    )
    for each in made.instalments:
        assert each.due_on not in closed
        assert earliest <= each.due_on <= each.dates[0]
        assert each.dates == tuple(days_between(each.dates[0], each.dates[-1]))
        assert (each.mg, each.amount) == (
            sum(doses[day].mg for day in each.dates), sum(doses[day].amount for day in each.dates),
        )  # fmt: skip
    assert sum(each.mg for each in made.instalments) == made.total_mg
    assert sum(each.amount for each in made.instalments) == made.total


@given(forms())
def test_a_closed_collection_day_asks_for_the_closed_day_wording(drawn: Any) -> None:
    doses, pattern, closed, _ = drawn
    made = written(drawn)
    if made is None:
        return

    asked = {need.wording for need in wordings_for(made) if need.must}

    first = min(doses)
    collected = {day for day in doses if day == first or day.weekday() in pattern.collects}
    assert ("closed_day" in asked) is bool(collected & closed)
    assert ("supervise" in asked) is any(each.supervised for each in made.instalments)


REQUEST: dict[str, Any] = {
    "case": "form", "rule_set": "uk-2017", "decided_at": "2026-11-05T10:00:00Z",
    "setting": "community",
    "patient": {"date_of_birth": "1986-03-14", "sex": "male", "conditions": [], "medicines": [],
                "substance_use": [], "children_at_home": False},
    "prescriber": {"experienced": False}, "opioid_use": [],
    "treatment_history": {"steady_doses": [
        {"product": "methadone_oral_solution", "daily_dose_mg": "40", "from_on": "2026-01-01",
         "to_on": "2026-11-04"}]},
    "order": {"product": "methadone_oral_solution", "phase": "maintenance", "dose_mg": "40"},
}  # fmt: skip


@pytest.mark.proves("S-03")
@given(forms())
def test_more_than_a_week_taken_home_is_never_without_a_finding(drawn: Any) -> None:
    made = written(drawn)
    if made is None:
        return
    supply = {"collections": [each.collection() for each in made.instalments]}
    read = read_request({**REQUEST, "supply": supply})
    book = rulebook()

    found = find("S-03", derive(read, book.defined(read.rule_set, read.on)), book)

    assert (found is not None) is any(len(each.taken_home) > 7 for each in made.instalments)


@given(forms())
def test_the_contract_is_told_exactly_the_dates_taken_home(drawn: Any) -> None:
    made = written(drawn)
    if made is None:
        return
    told = set()
    for each in made.instalments:
        said = each.collection()
        first = date.fromisoformat(said["collect_on"]) + timedelta(days=said["supervised"])
        told.update(days_between(first, first + timedelta(days=said["take_home_days"] - 1)))

    assert told == {day for each in made.instalments for day in each.taken_home}
