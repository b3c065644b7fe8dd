"""When is somebody reminded, in which words, and when is nobody sent anything?"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import scheduling.reminders
from scheduling.reminders import FORBIDDEN, LANGUAGES, WINDOWS, due, words

STEM = Path(scheduling.reminders.__file__)
EXAMPLES = tomllib.loads(STEM.with_suffix(".examples.toml").read_text("utf-8"))


@pytest.mark.proves("RM-01")
@pytest.mark.parametrize("example", EXAMPLES["due"], ids=lambda each: each["says"])
def test_a_reminder_is_due(example: dict[str, Any]) -> None:
    found = due(example["visit_at"], example["now"])

    assert (found and found.id) == example.get("due")


@pytest.mark.parametrize("example", EXAMPLES["sends"], ids=lambda each: each["says"])
def test_a_window_first_sends(example: dict[str, Any]) -> None:
    for window in WINDOWS:
        assert window.sends_at(example["visit_at"]) == example.get(window.id)


@pytest.mark.proves("XX-18", "RW-EN", "RW-EASY", "RW-CY")
@pytest.mark.parametrize("example", EXAMPLES["words"], ids=lambda each: each["language"])
def test_a_reminder_says(example: dict[str, Any]) -> None:
    assert words(example["language"], example["visit_at"]).text == example["text"]


@pytest.mark.proves("RM-04")
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_wording_tells_whoever_reads_the_phone_anything(language: str) -> None:
    for month in range(1, 13):
        for day in range(1, 8):
            said = words(language, datetime(2026, month, day, 9, 30, tzinfo=UTC))
            for word in re.findall(r"[a-z]+", f"{said.subject} {said.text}".lower()):
                assert not word.startswith(FORBIDDEN), word


def test_every_entry_has_its_source_where_it_stands_and_a_mark() -> None:
    table = tomllib.loads(STEM.with_suffix(".toml").read_text("utf-8"))
    sources = {source["id"] for source in table["source"]}

    for entry in (*table["rule"], *table["window"], *table["wording"]):
        assert entry["source"] in sources and entry["where"] and entry["unit"]
        assert entry["confidence"] in ("S", "S2", "M", "D")
