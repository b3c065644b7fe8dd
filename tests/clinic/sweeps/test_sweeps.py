"""A sweep is done once for each day, made up when missed, and never lost when it fails."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from clinic.sweeps import runner
from clinic.sweeps.models import SweepRun
from clinic.sweeps.schedule import SWEEPS, Sweep, sweep

DAY = date(2026, 11, 4)


@pytest.fixture
def counted(monkeypatch):
    """A schedule of one sweep that counts its runs, and fails while told to."""
    done: list[date] = []
    state = {"failing": False}

    def work(act, day):
        if state["failing"]:
            raise RuntimeError("cannot")
        done.append(day)
        return 1

    monkeypatch.setattr(runner, "SWEEPS", {"counted": Sweep("counted", "Counts", work, (3, 15))})
    return done, state


def test_a_day_already_done_is_skipped(database, clock, counted):
    done, _ = counted

    first = runner.run(database, "counted", DAY)
    second = runner.run(database, "counted", DAY)

    assert (first.outcome, second.outcome) == ("done", "skipped")
    assert done == [DAY]


def test_a_person_may_repeat_a_day(database, clock, counted):
    done, _ = counted

    runner.run(database, "counted", DAY)
    again = runner.run(database, "counted", DAY, again=True)

    assert again.outcome == "done"
    assert done == [DAY, DAY]


def test_missed_days_are_made_up_oldest_first(database, clock, counted):
    done, _ = counted
    clock.set(datetime(2026, 11, 4, 9, 0, tzinfo=UTC))

    runner.catch_up(database)

    assert done == [DAY - timedelta(days=back) for back in (3, 2, 1, 0)]


def test_today_waits_for_its_time(database, clock, counted):
    done, _ = counted
    clock.set(datetime(2026, 11, 4, 3, 14, tzinfo=UTC))

    runner.catch_up(database)

    assert DAY not in done


def test_a_failed_run_is_recorded_and_tried_again(database, clock, counted):
    done, state = counted
    state["failing"] = True

    failed = runner.run(database, "counted", DAY)
    state["failing"] = False
    healed = runner.run(database, "counted", DAY)

    assert (failed.outcome, failed.says) == ("failed", "RuntimeError")
    assert healed.outcome == "done"
    with database.reading() as session:
        row = session.scalars(select(SweepRun)).one()
        assert (row.outcome, row.tries) == ("done", 2)


def test_a_run_whose_scheduler_died_is_taken_over_after_its_lease(database, clock, counted):
    done, _ = counted
    with database.transaction() as session:
        session.add(
            SweepRun(
                name="counted", day=DAY, began_at=clock.now(), ended_at=None, tries=1, did=None,
                lease_until=clock.now() + runner.LEASE, outcome="running", says=None,
            )
        )  # fmt: skip

    early = runner.run(database, "counted", DAY)
    clock.forward(minutes=31)
    late = runner.run(database, "counted", DAY)

    assert (early.outcome, late.outcome) == ("skipped", "done")


def test_two_schedulers_do_the_work_once(fresh_database, monkeypatch):
    done: list[date] = []
    both = threading.Barrier(2, timeout=10)

    def work(act, day):
        done.append(day)
        return 1

    monkeypatch.setattr(runner, "SWEEPS", {"counted": Sweep("counted", "Counts", work, (3, 15))})

    def schedule():
        both.wait()
        runner.run(fresh_database, "counted", DAY)

    threads = [threading.Thread(target=schedule) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert done == [DAY]


def test_no_sweep_runs_in_the_hour_october_repeats():
    with pytest.raises(ValueError, match="01:00"):
        sweep("never", "Never", at=(1, 30))

    assert all(each.at[0] != 1 for each in SWEEPS.values())


@pytest.mark.parametrize("night", [date(2026, 3, 29), date(2026, 10, 25)])
def test_on_a_clock_change_night_each_sweep_is_owed_once(database, clock, counted, night):
    done, _ = counted
    at = datetime(night.year, night.month, night.day, 0, 0, tzinfo=UTC)
    for minutes in range(0, 8 * 60, 15):
        clock.set(at + timedelta(minutes=minutes))
        runner.catch_up(database)

    assert done.count(night) == 1


def test_every_sweep_of_the_service_runs_twice_without_harm(database, clock):
    for name in SWEEPS:
        assert runner.run(database, name, DAY).outcome == "done"
        assert runner.run(database, name, DAY, again=True).outcome == "done"
