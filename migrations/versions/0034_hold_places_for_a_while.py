"""Let a visit be held for a few minutes before it is booked, and a place be freed without a visit.

SQLite makes both tables anew for their checks. Whatever stood on them is read before and put back:
the triggers visit_no_overlap_for_patient_insert and visit_no_overlap_for_patient_update with what
a hold adds to them.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

GUARD = "visit_no_overlap_for_patient"
BOOKED = "status IN ('booked', 'arrived', 'did_not_attend', 'cancelled')"
HELD = "status IN ('held', 'booked', 'arrived', 'did_not_attend', 'cancelled', 'let_go')"
FREED = "because IN ('cancelled', 'moved')"
FREED_MORE = "because IN ('cancelled', 'moved', 'lapsed', 'let_go', 'given_back')"
STANDS = "{row}status IN ('booked', 'arrived')"
STANDS_MORE = "{row}status IN ('held', 'booked', 'arrived')"
IS_HELD = sa.text("status = 'held'")
LAPSES = {
    "sqlite": "DATETIME",
    "postgresql": "TIMESTAMP WITH TIME ZONE",
}


def _sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _anew(table: str, changes: dict[str, str]) -> None:
    """SQLite: make the table anew with these words changed, and everything that stood on it."""
    connection = op.get_bind()
    asked = sa.text(
        "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL"
    )
    rows = connection.execute(asked, {"table": table}).all()
    made = next(row.sql for row in rows if row.type == "table")
    for was, becomes in changes.items():
        assert was in made, was
        made = made.replace(was, becomes)
    op.execute(re.sub(r"(?i)^CREATE TABLE\s+\S+", f"CREATE TABLE {table}_anew", made))
    op.execute(f"INSERT INTO {table}_anew SELECT * FROM {table}")  # noqa: S608 - our own words
    op.execute(f"DROP TABLE {table}")
    op.execute(f"ALTER TABLE {table}_anew RENAME TO {table}")
    for row in rows:
        if row.type != "table":
            op.execute(row.sql)


def _check(table: str, name: str, becomes: str) -> None:
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({becomes})")


def _guard(stands: str) -> None:
    """As create_appointments made it, for these statuses."""
    if not _sqlite():
        op.execute(f"ALTER TABLE visit DROP CONSTRAINT {GUARD}")
        op.execute(
            f"ALTER TABLE visit ADD CONSTRAINT {GUARD} EXCLUDE USING gist ("
            "int4range(patient_id, patient_id, '[]') WITH &&, "
            "tstzrange(starts_at, ends_at, '[)') WITH &&) "
            f"WHERE ({stands.format(row='')})"
        )
        return
    for verb, another in (("INSERT", ""), ("UPDATE", "AND other.id <> NEW.id ")):
        op.execute(f"DROP TRIGGER {GUARD}_{verb.lower()}")
        op.execute(
            f"CREATE TRIGGER {GUARD}_{verb.lower()} BEFORE {verb} ON visit "  # noqa: S608
            f"WHEN {stands.format(row='NEW.')} "
            f"BEGIN SELECT RAISE(ABORT, '{GUARD}') WHERE EXISTS ("
            "SELECT 1 FROM visit AS other WHERE other.patient_id = NEW.patient_id "
            f"AND {stands.format(row='other.')} "
            f"{another}AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at); END"
        )


def upgrade() -> None:
    kind = LAPSES[op.get_context().dialect.name]
    op.execute(f"ALTER TABLE visit ADD COLUMN lapses_at {kind}")
    if _sqlite():
        lapses = f"lapses_at {kind}"
        check = "CONSTRAINT ck_visit_lapses CHECK ((status = 'held') = (lapses_at IS NOT NULL))"
        _anew("visit", {BOOKED: HELD, lapses: f"{lapses} {check}"})
        _anew("freed_place", {FREED: FREED_MORE, "visit_id INTEGER NOT NULL": "visit_id INTEGER"})
    else:
        _check("visit", "ck_visit_status", HELD)
        op.create_check_constraint(
            op.f("ck_visit_lapses"), "visit", "(status = 'held') = (lapses_at IS NOT NULL)"
        )
        _check("freed_place", "ck_freed_place_because", FREED_MORE)
        op.execute("ALTER TABLE freed_place ALTER COLUMN visit_id DROP NOT NULL")
    _guard(STANDS_MORE)
    for name, column, unique in (
        ("uq_visit_held_for_patient", "patient_id", True), ("ix_visit_lapses_at", "lapses_at", False),
    ):  # fmt: skip
        op.create_index(
            name, "visit", [column], unique=unique, sqlite_where=IS_HELD, postgresql_where=IS_HELD
        )


def downgrade() -> None:
    """Holds become cancelled visits that hold nothing; freed places without a visit are gone."""
    op.execute(
        "UPDATE visit_hold SET released_at = (SELECT lapses_at FROM visit WHERE id = visit_id) "
        "WHERE released_at IS NULL AND visit_id IN (SELECT id FROM visit WHERE status = 'held')"
    )
    op.execute(
        "UPDATE visit SET status = 'cancelled', lapses_at = NULL WHERE status IN ('held', 'let_go')"
    )
    op.execute(
        "DELETE FROM freed_place WHERE visit_id IS NULL "
        "AND id NOT IN (SELECT freed_place_id FROM place_offer)"
    )
    op.execute(
        "UPDATE freed_place SET visit_id = (SELECT min(id) FROM visit) WHERE visit_id IS NULL"
    )
    op.execute(
        "UPDATE freed_place SET because = 'cancelled' WHERE because NOT IN ('cancelled', 'moved')"
    )
    op.drop_index("ix_visit_lapses_at", "visit")
    op.drop_index("uq_visit_held_for_patient", "visit")
    _guard(STANDS)
    if _sqlite():
        op.execute("ALTER TABLE visit DROP COLUMN lapses_at")
        _anew("visit", {HELD: BOOKED})
        _anew("freed_place", {FREED_MORE: FREED, "visit_id INTEGER": "visit_id INTEGER NOT NULL"})
    else:
        _check("visit", "ck_visit_status", BOOKED)
        op.drop_column("visit", "lapses_at")
        _check("freed_place", "ck_freed_place_because", FREED)
        op.execute("ALTER TABLE freed_place ALTER COLUMN visit_id SET NOT NULL")
