"""The command line: what is saved can be judged again, and an empty service can be set up."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

from clinic.cli import main

ANSWERS = [
    "set-up", "--site", "Taff Vale", "--kind", "community", "--nation", "england_and_wales",
    "--name", "Ann Probert", "--email", "ann@example.org", "--password", "a long enough password",
]  # fmt: skip


@pytest.fixture
def run(fresh_url, monkeypatch):
    """Run a command on a database of its own."""
    monkeypatch.setenv("THROUGHCARE_DATABASE_URL", fresh_url)
    monkeypatch.setenv("THROUGHCARE_MODE", "test")
    monkeypatch.setenv("THROUGHCARE_LOG_LEVEL", "ERROR")
    return lambda *words: CliRunner().invoke(main, list(words))


def test_an_empty_service_is_set_up_once(run):
    first = run(*ANSWERS)
    second = run(*ANSWERS)

    assert first.exit_code == 0, first.output
    assert second.exit_code == 1
    assert "already set up" in second.output


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_every_saved_decision_timetable_and_scoring_of_the_demonstration_replays(
    run, told, tmp_path, monkeypatch
):
    copy = shutil.copy(told, tmp_path / told.name)
    monkeypatch.setenv("THROUGHCARE_DATABASE_URL", f"sqlite:///{copy}")

    for room, number in (
        ("dose", 1),
        ("dose", 2),
        ("timetable", 1),
        ("timetable", 30),
        ("release", 1),
        ("release", 5),
    ):
        done = run(room, "replay", str(number))
        assert done.exit_code == 0, f"{room} {number}: {done.output[-400:]}"
        assert json.loads(done.output)["same"]
    assert run("dose", "replay", "99999").exit_code == 1
    assert run("audit", "verify").exit_code == 0
