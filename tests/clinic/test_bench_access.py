"""The benchmarks of access do what their figures say they measure."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from sqlalchemy import func, select

from clinic import bench
from clinic.appointments import commands, place_queries
from clinic.appointments.models import Visit, VisitHold
from clinic.bench import access, run


def test_eight_writers_on_sqlite_take_turns(tmp_path: Path, clock) -> None:
    told: list[str] = []

    share = access.fairness(tmp_path, told.append, writers=8, seconds=0.5)

    assert share > 1 / 3 and "8 writers on SQLite" in told[0]


def test_a_history_is_grown_before_what_there_is_and_takes_no_free_place(
    tmp_path: Path, clock
) -> None:
    url = f"sqlite:///{tmp_path}/history.sqlite"
    ready = run.prepare(url, 6, 0)

    with access._working(url) as act:
        before = place_queries.free_places(act, ready.site_id, ready.first, ready.last)
        for many in (40, 40):
            access.grow(act, many)

        assert act.session.scalar(select(func.count(Visit.id))) == 2 * 64  # whole days of 32
        assert act.session.scalar(select(func.count(VisitHold.id))) == 4 * 64
        assert act.session.scalar(select(func.max(Visit.starts_at))) < act.at
        after = place_queries.free_places(act, ready.site_id, ready.first, ready.last)
        assert after == before and len(before) == 640


def test_every_start_of_the_chains_benchmark_can_be_had_with_its_next_days(
    tmp_path: Path, clock
) -> None:
    made = access.prepare_chains(f"sqlite:///{tmp_path}/chains.sqlite", weeks=1, teams=2)

    with access._working(f"sqlite:///{tmp_path}/chains.sqlite") as act:
        for place, referral in zip(made.starts, made.ready.referrals, strict=True):
            ask = run.booking(place, referral).body
            booked = commands.book_visit(
                act, referral_id=ask["referral_id"], doctor_id=ask["doctor_id"],
                worker_id=ask["worker_id"], starts_at=access.instant(ask["starts_at"]),
            )  # fmt: skip
            assert booked.chain_id is not None


def test_no_benchmark_rests_on_what_another_no_longer_has() -> None:
    for module in iter_modules(bench.__path__):
        assert import_module(f"clinic.bench.{module.name}").__doc__
