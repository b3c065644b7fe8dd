"""Create the casework file: sessions not held, notes, completion, certificates, hand-over."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0044"
down_revision = "0043"

STANDS = sa.text("struck_at IS NULL")


def _to(column: str, table: str, *, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _one_of(column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _table(name: str, *columns: sa.Column | sa.Constraint, one: str | None = None) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer, primary_key=True),
        *columns,
        _at("struck_at", nullable=True),
        _to("struck_by", "staff", nullable=True),
        _text("struck_reason", nullable=True),
        _at("recorded_at"),
        _to("recorded_by", "staff"),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND "
            "(struck_at IS NULL) = (struck_reason IS NULL)",
            name="struck_by_and_why",
        ),
    )
    if one is not None:
        op.create_index(
            f"uq_{name}_standing", name, [one], unique=True, sqlite_where=STANDS,
            postgresql_where=STANDS,
        )  # fmt: skip


def upgrade() -> None:
    _table(
        "casework_entry",
        _to("reception_id", "reception", index=True),
        _at("at"),
        _text("kind"),
        _text("item", nullable=True),
        _text("reason", nullable=True),
        _text("says", nullable=True),
        _one_of("kind", "offered", "missed", "moved", "light", "note"),
        _one_of(
            "reason", "withdrawal", "unwell", "lock_down", "court", "transfer", "visit",
            "would_not_come", "staff_away", "no_room", "other",
        ),
        sa.CheckConstraint(
            "(kind IN ('missed', 'moved', 'light')) = (reason IS NOT NULL)", name="why"
        ),
    )  # fmt: skip
    _table(
        "completion",
        _to("reception_id", "reception"),
        _at("reviewed_at"),
        _text("exit_strategy"),
        _text("next_step"),
        _text("next_says", nullable=True),
        sa.Column("next_on", sa.Date),
        _one_of(
            "next_step", "carat_goes_on", "programme", "drug_testing_unit", "next_prison",
            "community", "declined", "other",
        ),
        one="reception_id",
    )  # fmt: skip
    _table(
        "certificate",
        _to("reception_id", "reception"),
        sa.Column("number", sa.Integer, nullable=False),
        _at("issued_at"),
        sa.Column("sessions", sa.JSON, nullable=False),
        _to("delivery_id", "delivery"),
        sa.UniqueConstraint("reception_id", "number"),
        one="reception_id",
    )
    _table(
        "handover",
        _to("reception_id", "reception", index=True),
        _to("transfer_id", "transfer"),
        _at("accepted_at"),
        _text("accepted_by", nullable=True),
        _text("says", nullable=True),
        one="transfer_id",
    )


def downgrade() -> None:
    for table in ("handover", "certificate", "completion", "casework_entry"):
        op.drop_table(table)
