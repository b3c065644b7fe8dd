"""Which step of the ladder is due when, and which are done?"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

import scheduling.missed_contact
from clinic.calendars import holiday_lists
from scheduling.calendars import Calendar
from scheduling.missed_contact import Try, next_step, reached_at, steps

STEM = Path(scheduling.missed_contact.__file__)
EXAMPLES = tomllib.loads(STEM.with_suffix(".examples.toml").read_text("utf-8"))["example"]


@pytest.mark.proves("CM-26", "CM-27", "A29")
@pytest.mark.proves("MC-01", "MC-02", "MC-03", "MC-04", "MC-05", "MC-06", "MC-07")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each["says"])
def test_the_ladder(example: dict[str, Any]) -> None:
    calendar = Calendar("england_and_wales", holiday_lists())
    tries = [Try(**each) for each in example.get("tries", ())]

    found = steps(example["missed_at"], tries, calendar, example.get("rebooked_at"))

    due = {step.rule: step.due_at for step in found}
    assert {rule: due[rule] for rule in example["due"]} == example["due"]
    assert sorted(step.rule for step in found if step.done_at) == example["done"]
    following = next_step(found)
    assert following is not None and following.rule == example["next"]
    assert reached_at(tries) == example.get("reached_at")


def test_every_step_has_its_source_where_it_stands_and_a_mark() -> None:
    table = tomllib.loads(STEM.with_suffix(".toml").read_text("utf-8"))
    sources = {source["id"] for source in table["source"]}

    for entry in (*table["rule"], *table["step"]):
        assert entry["source"] in sources and entry["where"] and entry["unit"]
        assert entry["confidence"] in ("S", "S2", "M", "D")
    for step in table["step"]:
        assert ("hours" in step) != ("working_days" in step)
