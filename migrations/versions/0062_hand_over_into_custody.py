"""Let a hand-over hang on no release plan, and keep what a community team knows of custody."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0062"
down_revision = "0061"

BECAUSE = ("refused", "out", "other")
KEPT = "handover_kept: a hand-over is replaced by another, never rewritten"
TRIGGERS = {
    "handover_update": "UPDATE OF patient_id, plan_id, from_site_id, to_site_id, recipient, "
    "package, digest, replaces_id, recorded_at, recorded_by ON release_handover",
    "handover_delete": "DELETE ON release_handover",
}


def _plan(*, nullable: bool) -> None:
    """On SQLite the table is rebuilt, and its guards with it."""
    sqlite = op.get_context().dialect.name == "sqlite"
    if sqlite:
        for name in TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
    with op.batch_alter_table("release_handover") as table:
        table.alter_column("plan_id", existing_type=sa.Integer, nullable=nullable)
    if sqlite:
        for name, stops in TRIGGERS.items():
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {stops} BEGIN SELECT RAISE(ABORT, '{KEPT}'); END"
            )


def _to(column: str, table: str, *, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index
    )


def _table(name: str, *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer, primary_key=True),
        _to("patient_id", "patient", index=True),
        _to("site_id", "site", index=True),
        *columns,
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _to("recorded_by", "staff"),
        sa.Column("struck_at", UtcDateTime()),
        _to("struck_by", "staff", nullable=True),
        sa.Column("struck_reason", sa.String),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_reason IS NULL)", name="struck_with_reason"
        ),
    )


def upgrade() -> None:
    _plan(nullable=True)
    _table(
        "sentenced_to_custody",
        sa.Column("sentenced_on", sa.Date, nullable=False),
        _to("prison_site_id", "site", nullable=True),
        sa.Column("prison", sa.String),
        sa.Column("days", sa.Integer),
        sa.Column("says", sa.String, nullable=False),
        sa.CheckConstraint("prison_site_id IS NULL OR prison IS NULL", name="one_prison"),
        sa.CheckConstraint("days IS NULL OR days > 0", name="days"),
    )
    stands = sa.text("struck_at IS NULL")
    op.create_index(
        "uq_sentenced_to_custody_standing", "sentenced_to_custody",
        ["patient_id", "site_id", "sentenced_on"], unique=True, sqlite_where=stands,
        postgresql_where=stands,
    )  # fmt: skip
    listed = ", ".join(f"'{each}'" for each in BECAUSE)
    _table(
        "nothing_sent",
        sa.Column("because", sa.String, nullable=False),
        sa.Column("says", sa.String, nullable=False),
        sa.CheckConstraint(f"because IN ({listed})", name="because"),
    )


def downgrade() -> None:
    """What hangs on no plan goes first: its steps, then itself."""
    op.drop_table("nothing_sent")
    op.drop_table("sentenced_to_custody")
    theirs = "SELECT id FROM release_handover WHERE plan_id IS NULL"
    for table, guard, which in (
        ("release_handover_step", "handover_step_delete", f"handover_id IN ({theirs})"),
        ("release_handover", "handover_delete", "plan_id IS NULL"),
    ):
        _guarded_delete(table, guard, which)
    _plan(nullable=False)


def _guarded_delete(table: str, guard: str, which: str) -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {guard}")
        op.execute(f"DELETE FROM {table} WHERE {which}")  # noqa: S608 - names of this file
        op.execute(
            f"CREATE TRIGGER {guard} BEFORE DELETE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{KEPT}'); END"
        )
        return
    op.execute(f"ALTER TABLE {table} DISABLE TRIGGER {guard}")
    op.execute(f"DELETE FROM {table} WHERE {which}")  # noqa: S608 - names of this file
    op.execute(f"ALTER TABLE {table} ENABLE TRIGGER {guard}")
