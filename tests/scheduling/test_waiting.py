"""Who comes first among people waiting, and whom a freed place is for."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import scheduling.waiting
from scheduling.waiting import Person, candidates, offer_until, urgency

STEM = Path(scheduling.waiting.__file__)
EXAMPLES = tomllib.loads(STEM.with_suffix(".examples.toml").read_text("utf-8"))


def a_person(written: dict[str, Any]) -> Person:
    given = {"breaches_at": None, "risk": None, **written}
    given["busy"] = tuple((since, until) for since, until in written.get("busy", ()))
    return Person(**given)


@pytest.mark.proves("RP-45", "WQ-01", "WQ-03")
@pytest.mark.parametrize("example", EXAMPLES["order"], ids=lambda each: each["says"])
def test_a_freed_place_goes_to(example: dict[str, Any]) -> None:
    people = [a_person(each) for each in example["waiting"]]

    found = candidates(*example["place"], people, example.get("given_up_by", ()))

    assert [each.referral_id for each in found] == example["expect"]


@pytest.mark.proves("WQ-02")
@pytest.mark.parametrize("example", EXAMPLES["offer"], ids=lambda each: each["says"])
def test_an_offer_stands(example: dict[str, Any]) -> None:
    assert offer_until(example["starts_at"], example["now"]) == example.get("until")


def test_every_number_has_its_source_where_it_stands_and_a_mark() -> None:
    table = tomllib.loads(STEM.with_suffix(".toml").read_text("utf-8"))
    sources = {source["id"] for source in table["source"]}

    assert table["review_by"]
    for rule in table["rule"]:
        assert rule["source"] in sources and rule["where"] and rule["unit"]
        assert rule["confidence"] in ("S", "S2", "M", "D")


@pytest.mark.proves("RP-45")
def test_what_is_ranked_by_has_no_room_for_a_name_or_an_offence() -> None:
    assert {each.name for each in fields(Person)} == {
        "referral_id", "breaches_at", "risk", "referred_at", "over", "booked_at", "busy", "asked",
    }  # fmt: skip


people = some.builds(
    Person,
    referral_id=some.integers(1, 10_000),
    breaches_at=some.none() | some.datetimes(timezones=some.just(UTC)),
    risk=some.sampled_from([None, "high", "medium", "low"]),
    referred_at=some.datetimes(timezones=some.just(UTC)),
    asked=some.sampled_from(["not_asked", "lapsed", "declined"]),
)


@given(some.lists(people, unique_by=lambda each: each.referral_id), some.randoms())
def test_the_order_never_hangs_on_how_people_were_listed(found, chance) -> None:
    place = datetime(2026, 11, 6, 9, 30, tzinfo=UTC), datetime(2026, 11, 6, 11, tzinfo=UTC)
    mixed = list(found)
    chance.shuffle(mixed)

    first = candidates(*place, found)

    assert first == candidates(*place, mixed)
    for asked in ("not_asked", "lapsed"):
        ranks = [urgency(each) for each in first if each.asked == asked]
        assert ranks == sorted(ranks)
