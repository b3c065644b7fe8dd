"""Which session may be held, and who may sit in it."""

from __future__ import annotations

import tomllib
from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

import scheduling.groups
from scheduling import custody_request
from scheduling.groups import (
    SAYS,
    TOPICS,
    Away,
    Bar,
    Block,
    Facilitator,
    Material,
    Person,
    Room,
    blocks_of,
    may_hold,
    may_sit,
    places_a_week,
)
from tests.factories.groups import ALL, AM, MONDAY, a_person, a_session, at, some_facts

STEM = Path(scheduling.groups.__file__)
EXAMPLES = tomllib.loads(STEM.with_suffix(".examples.toml").read_text("utf-8"))
WEDNESDAY = MONDAY + timedelta(days=2)
KNOWN = {"not known": None, "no": False, "yes": True}


@pytest.mark.proves(
    "PS-24",
    "PS-25",
    "PS-26",
    "PS-27",
    "TT-22",
    "GP-02",
    "GP-03",
    "GP-04",
    "GP-05",
    "GP-09",
    "GP-10",
)
@pytest.mark.parametrize("example", EXAMPLES["hold"], ids=lambda each: each["says"])
def test_a_session_may_be_held(example: dict[str, Any]) -> None:
    away = tuple(at(WEDNESDAY, clock) for clock in example.get("carat_away", ()))
    material = example.get("material", [date(2026, 1, 1), date(2027, 1, 1)])
    facts = some_facts(
        days=5,
        working_days=frozenset({WEDNESDAY} if example.get("working", True) else ()),
        facilitators=(
            Facilitator(
                1, "carat", frozenset(example.get("carat_topics", ALL)), example.get("a_week"),
                (Away(*away),) if away else (), tuple(example.get("led", ())),
            ),
            Facilitator(2, example.get("clinical_kind", "clinical"), ALL),
        ),
        rooms=(Room(1, example.get("room_places", 12), KNOWN[example.get("confidential", "yes")]),),
        materials=(Material("crack", *material),),
    )  # fmt: skip
    begins = at(WEDNESDAY, example.get("starts", AM))
    session = a_session(
        on=WEDNESDAY, topic=example.get("topic", "crack"), starts_at=begins,
        ends_at=begins + timedelta(minutes=example.get("minutes", 90)),
        places=example.get("places", 11),
        runs_on_bank_holiday=example.get("runs_on_bank_holiday", False),
    )  # fmt: skip
    beside = example.get("beside")
    others = [
        a_session(2, starts_at=at(WEDNESDAY, since), ends_at=at(WEDNESDAY, until),
                  carat_id=3, clinical_id=4)
        for since, until in ([beside] if beside else [])
    ]  # fmt: skip

    found = may_hold(facts, session, others)

    assert [bar.code for bar in found] == example.get("expect", [])


@pytest.mark.proves("PS-24", "TT-22", "TT-23", "GP-06", "GP-07", "GP-08")
@pytest.mark.parametrize("example", EXAMPLES["sit"], ids=lambda each: each["says"])
def test_somebody_may_sit(example: dict[str, Any]) -> None:
    week = example.get("week", [MONDAY, MONDAY + timedelta(days=6)])
    estate = example.get("estate", "main")
    person = a_person(
        100,
        estate=None if estate == "not known" else estate,
        weeks=(scheduling.groups.Week(2, *week, 2),),
        one_to_one=example.get("one_to_one", False),
        away=tuple(
            Away(at(WEDNESDAY, each["from"]), at(WEDNESDAY, each["to"]), each["cause"])
            for each in example.get("away", ())
        ),
    )
    facts = some_facts(
        [person], apart=frozenset({frozenset({100, 1})} if example.get("apart") else ())
    )
    session = a_session(on=WEDNESDAY, places=example.get("places", 12))
    elsewhere = [a_session(2, WEDNESDAY, example["elsewhere"])] if "elsewhere" in example else []

    found = may_sit(facts, person, session, range(1, example.get("seated", 0) + 1), elsewhere)

    assert [bar.code for bar in found] == example.get("expect", [])


@pytest.mark.parametrize("example", EXAMPLES["places"], ids=lambda each: each["says"])
def test_a_week_of_rooms_gives_seats(example: dict[str, Any]) -> None:
    assert places_a_week(example["rooms"], example.get("days")) == example["seats"]


@pytest.mark.proves("PS-23", "GP-01")
def test_there_are_eight_topics_and_the_timetable_knows_the_same() -> None:
    assert len(TOPICS) == 8 and TOPICS == custody_request.TOPICS


def test_every_number_has_its_source_where_it_stands_and_a_mark() -> None:
    table = tomllib.loads(STEM.with_suffix(".toml").read_text("utf-8"))
    sources = {source["id"] for source in table["source"]}

    assert table["review_by"]
    for rule in table["rule"]:
        assert rule["source"] in sources and rule["where"] and rule["unit"]
        assert rule["confidence"] in ("S", "S2", "M", "D")


def test_what_is_placed_by_has_no_room_for_a_name_or_an_offence() -> None:
    assert {each.name for each in fields(Person)} == {
        "id", "received_at", "estate", "weeks", "topics", "ppo", "one_to_one", "away",
    }  # fmt: skip


def test_every_reason_has_its_words_and_none_of_them_a_person() -> None:
    for code in SAYS:
        said = str(Bar(code, MONDAY, 1, "crack"))

        assert "{" not in said and said.endswith(".")


def test_a_half_day_too_short_for_a_session_is_no_opening() -> None:
    facts = some_facts(
        blocks=(
            Block(at(MONDAY, AM), at(MONDAY, time(10, 29)), "am"),
            Block(at(MONDAY, time(13)), at(MONDAY, time(14, 30)), "pm"),
        )
    )

    (opening,) = facts.openings()

    assert opening.starts_at == at(MONDAY, time(13))


def test_the_sample_regime_has_no_weekend_and_keeps_london_time_over_a_clock_change() -> None:
    friday = date(2026, 10, 23)

    blocks = list(blocks_of(friday, friday + timedelta(days=3)))

    assert [each.on for each in blocks] == [friday] * 2 + [date(2026, 10, 26)] * 2
    assert [each.starts_at.hour for each in blocks] == [8, 12, 9, 13]
    assert blocks_of(friday, friday, {5: [("am", time(9), time(11))]}) is not None


def test_a_prisons_own_regime_replaces_the_sample() -> None:
    (block,) = blocks_of(MONDAY, MONDAY + timedelta(days=6), {6: [("am", time(10), time(11, 30))]})

    assert (block.on.isoweekday(), block.starts_at) == (6, at(date(2026, 12, 5), time(10)))


def test_another_level_of_keeping_apart_and_the_order_of_facts_change_no_answer() -> None:
    person = a_person(2)
    facts = some_facts([a_person(1), person], apart=frozenset({frozenset({1, 2})}))
    turned = replace(facts, people=facts.people[::-1], facilitators=facts.facilitators[::-1])

    assert [
        [bar.code for bar in may_sit(each, person, a_session(), [1])] for each in (facts, turned)
    ] == [["keep_apart"]] * 2


def test_an_instant_without_an_offset_has_no_day_here() -> None:
    with pytest.raises(ValueError, match="naive"):
        a_session(starts_at=datetime(2026, 11, 30, 9)).on  # noqa: B018, DTZ001
