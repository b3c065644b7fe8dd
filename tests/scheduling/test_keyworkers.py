"""Who is suggested as whose keyworker: the worked examples, and what holds for any wing."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

import scheduling.keyworkers
from scheduling.keyworkers import (
    CEILING,
    RULES,
    Keyworker,
    Unnamed,
    over,
    own_ceiling_refused,
    suggest,
)

EXAMPLES = tomllib.loads(
    Path(scheduling.keyworkers.__file__).with_suffix(".examples.toml").read_text("utf-8")
)
_START = datetime(2026, 11, 4, 9, tzinfo=UTC)


@pytest.mark.proves("CM-42", "PS-05", "PS-31", "KW-01", "KW-02", "KW-03")
@pytest.mark.parametrize("example", EXAMPLES["suggest"], ids=lambda each: each["says"])
def test_a_keyworker_is_suggested(example) -> None:
    people = [
        Unnamed(**{**each, "before": frozenset(each.get("before", ()))})
        for each in example["people"]
    ]

    found = suggest(people, [Keyworker(**each) for each in example["workers"]])

    told = [[each.reception_id, each.staff_id] for each in found]
    assert told == [[*each, None][:2] for each in example["expect"]]
    assert found[-1].over == example.get("over")


def test_no_fact_of_a_person_or_a_keyworker_is_a_name() -> None:
    known = {each.name for kind in (Unnamed, Keyworker) for each in fields(kind)}

    assert not {each for each in known if "name" in each}


@given(
    some.lists(
        some.tuples(some.integers(0, 5), some.sampled_from([True, False, None])), max_size=40
    ),
    some.lists(some.tuples(some.integers(0, 40), some.booleans()), min_size=1, max_size=6),
)
def test_everybody_gets_somebody_present_and_loads_never_drift_apart(people, workers) -> None:
    wanted = [
        Unnamed(number, _START + timedelta(hours=hours), _START, heightened_risk=risk)
        for number, (hours, risk) in enumerate(people)
    ]
    team = [Keyworker(n, carried, away=away) for n, (carried, away) in enumerate(workers)]
    present = {each.staff_id for each in team if not each.away}

    found = suggest(wanted, team)

    assert {each.reception_id for each in found} == set(range(len(people)))
    assert all(each.staff_id in present if present else each.staff_id is None for each in found)
    after = {each.staff_id: each.people for each in team if not each.away}
    given_to = set()
    for each in found:
        if each.staff_id is not None:
            after[each.staff_id] += 1
            given_to.add(each.staff_id)
            assert (each.over is not None) == (after[each.staff_id] > CEILING)
    # Nobody without ties was given somebody while a colleague present carried two fewer.
    assert all(after[one] - 1 <= after[other] for one in given_to for other in after)


@pytest.mark.proves("KW-05")
def test_a_prison_sets_its_own_ceiling_within_bounds_and_it_is_what_load_is_set_against() -> None:
    bounds = RULES["KW-05"]
    for most, stands in (
        (None, True), (bounds["least"] - 1, False), (bounds["least"], True),
        (bounds["most"], True), (bounds["most"] + 1, False),
    ):  # fmt: skip
        assert (own_ceiling_refused(most) is None) is stands
    assert (over(11, 10), over(10, 10)) == ("11 people: over the ceiling of one worker to 10", None)
    people = [Unnamed(1, _START, _START, before=frozenset({8}))]
    workers = [Keyworker(9, 12), Keyworker(8, 11)]
    assert suggest(people, workers, 30)[0].over is None
    assert suggest(people, [Keyworker(9, 9), Keyworker(8, 10)], 10)[0].staff_id == 9
