"""Doses recorded before withheld and missed were told apart keep their meaning, up and down."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, MetaData, Table, create_engine, insert, select, text, update

from clinic.consumption.models import DoseEvent
from clinic.db import Database
from clinic.migrate import downgrade, upgrade

AT = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
STRUCK = {"struck_at": AT, "struck_by": 1, "struck_reason": "It was another patient"}
AGREED = {"agreed_at": AT, "agreed_by": 2}
OLD: list[dict[str, Any]] = [
    {"outcome": "taken", "dose_micrograms": 25_000, "supervision": "supervised",
     "place": "Taff Vale", "observer": "Nia Lloyd"},
    {"outcome": "part", "dose_micrograms": 12_345, "note": "Spat the rest out"},
    {"outcome": "not_taken"},
    {"outcome": "refused"},
    {"outcome": "taken", "dose_micrograms": 40_000, "elsewhere": True},
    {"outcome": "taken", "dose_micrograms": 30_000, **STRUCK, **AGREED},
]  # fmt: skip


def table(connection: Connection, name: str) -> Table:
    return Table(name, MetaData(), autoload_with=connection)


def put(connection: Connection, into: str, **row: Any) -> None:
    found = table(connection, into)
    known = {key: value for key, value in row.items() if key in found.c}
    connection.execute(insert(found).values(**known))


def doses(url: str) -> list[dict[str, Any]]:
    """Every dose as its columns of old have it."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = table(connection, "dose_event")
        rows = connection.execute(select(found).order_by(found.c.id)).mappings().all()
    engine.dispose()
    return [dict(row) for row in rows]


def recorded_before(url: str) -> None:
    """A database as it stood before, with one dose of each kind."""
    upgrade(url, "0014")
    engine = create_engine(url)
    recorded = {"recorded_at": AT, "recorded_by": 1}
    with engine.begin() as connection:
        for number in (1, 2):
            put(connection, "staff", id=number, name=f"Nurse {number}",
                email=f"n{number}@example.org", **recorded)  # fmt: skip
        put(connection, "site", id=1, name="Taff Vale", kind="community",
            nation="england_and_wales", version=1, **recorded)  # fmt: skip
        put(connection, "patient", id=1, family_name="Morgan", given_name="Dewi",
            born_on=date(1986, 3, 14), sex="male", demo=True, version=1, **recorded)  # fmt: skip
        for number, dose in enumerate(OLD, 1):
            common = {
                "id": number, "patient_id": 1, "site_id": 1, "product": "methadone_oral_solution",
                "drug": "methadone", "dose_on": AT.date(), "increment": number,
                "consumed_at": AT, "elsewhere": False, **recorded,
            }  # fmt: skip
            put(connection, "dose_event", **{**common, **dose})
    engine.dispose()


def test_old_doses_come_up_and_go_down_with_their_meaning_kept(empty_url: str) -> None:
    recorded_before(empty_url)
    before = doses(empty_url)

    upgrade(empty_url)

    after = doses(empty_url)
    assert [{key: row[key] for key in before[0]} for row in after] == before
    assert all(row["incident"] in (0, False) and row["why_code"] is None for row in after)
    database = Database(empty_url)
    with database.reading() as session:
        read = list(session.scalars(select(DoseEvent).order_by(DoseEvent.id)))
        assert [row.outcome for row in read] == [dose["outcome"] for dose in OLD]
        assert [str(row.dose_mg) for row in read[:2]] == ["25", "12.345"]
    database.engine.dispose()

    downgrade(empty_url, "0014")

    assert doses(empty_url) == before


def test_what_is_newly_told_apart_goes_down_as_not_taken_and_is_still_never_deleted(
    empty_url: str,
) -> None:
    recorded_before(empty_url)
    upgrade(empty_url)
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        found = table(connection, "dose_event")
        connection.execute(update(found).where(found.c.id == 3).values(outcome="missed"))
        connection.execute(
            update(found)
            .where(found.c.id == 4)
            .values(outcome="withheld", why_code="sedated", withheld_by="Dr Huw Pugh")
        )

    downgrade(empty_url, "0014")

    assert [row["outcome"] for row in doses(empty_url)][2:4] == ["not_taken", "not_taken"]
    refused = None
    try:
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM dose_event"))
    except Exception as error:
        refused = str(error)
    engine.dispose()
    assert refused and "never deleted" in refused
