"""Create the first days on the wing: observations, stimulant use, held assessments, phase tasks."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0050"
down_revision = "0049"

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


def _table(name: str, *columns: sa.Column | sa.Constraint, one: list[str] | None = None) -> None:
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
            f"uq_{name}_standing", name, one, unique=True, sqlite_where=STANDS,
            postgresql_where=STANDS,
        )  # fmt: skip


def upgrade() -> None:
    _table(
        "wing_observation",
        _to("reception_id", "reception", index=True),
        _at("at"),
        _text("seen"),
        _text("mood", nullable=True),
        _text("says", nullable=True),
        _one_of("seen", "settled", "asleep", "withdrawal", "intoxicated", "unwell", "distressed"),
        _one_of("mood", "steady", "low", "agitated", "odd"),
    )
    _table(
        "stimulant_use",
        _to("reception_id", "reception"),
        _at("asked_at"),
        sa.Column("uses", sa.Boolean, nullable=False),
        one=["reception_id"],
    )
    _table(
        "held_assessment",
        _to("reception_id", "reception", index=True),
        _text("kind"),
        sa.Column("done_on", sa.Date, nullable=False),
        _text("held_from"),
        _text("covers", nullable=True),
        sa.Column("consent", sa.Boolean),
        _one_of("kind", "dir", "community", "prison"),
    )
    _table(
        "phase_task",
        _to("reception_id", "reception"),
        _text("task"),
        sa.Column("phase", sa.Integer, nullable=False),
        _at("done_at"),
        _text("says", nullable=True),
        _one_of(
            "task", "stabilise", "other_health", "detox", "ongoing", "gather",
            "healthcare_referral", "programmes", "revise_plan", "cpa", "release_planning",
        ),
        one=["reception_id", "task", "phase"],
    )  # fmt: skip


def downgrade() -> None:
    for table in ("phase_task", "held_assessment", "stimulant_use", "wing_observation"):
        op.drop_table(table)
