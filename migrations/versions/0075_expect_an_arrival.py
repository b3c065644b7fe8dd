"""Expect somebody from a prison outside this system before they come."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0075"
down_revision = "0074"

OPEN = sa.text("struck_at IS NULL AND ended_as IS NULL")
SAID = "'paper_file', 'escort_record', 'prison', 'court_papers', 'patient'"


def _to(column: str, table: str, *, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index
    )


def upgrade() -> None:
    op.create_table(
        "expected_arrival",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("site_id", "site", index=True),
        _to("patient_id", "patient", index=True),
        sa.Column("on", sa.Date, nullable=False),
        sa.Column("told_on", sa.Date, nullable=False),
        sa.Column("told_by", sa.String, nullable=False),
        sa.Column("came_from", sa.String, nullable=False),
        sa.Column("came_from_nation", sa.String, nullable=False),
        sa.Column("first_received_on", sa.Date),
        sa.Column("first_received_at", UtcDateTime()),
        sa.Column("count_said_by", sa.String),
        sa.Column("keyworker_there", sa.String),
        sa.Column("note", sa.String),
        sa.Column("ended_as", sa.String),
        sa.Column("ended_at", UtcDateTime()),
        _to("ended_by", "staff", nullable=True),
        sa.Column("ended_reason", sa.String),
        _to("reception_id", "reception", nullable=True, index=True),
        sa.Column("struck_at", UtcDateTime()),
        _to("struck_by", "staff", nullable=True),
        sa.Column("struck_reason", sa.String),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _to("recorded_by", "staff"),
        sa.CheckConstraint("ended_as IN ('came', 'not_coming')", name="ended_as"),
        sa.CheckConstraint(f"count_said_by IN ({SAID})", name="count_said_by"),
        sa.CheckConstraint("(ended_as IS NULL) = (ended_at IS NULL)", name="ended_whole"),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_reason IS NULL)",
            name="struck_by_and_why",
        ),
    )
    op.create_index(
        "uq_expected_arrival_open", "expected_arrival", ["patient_id", "site_id"], unique=True,
        sqlite_where=OPEN, postgresql_where=OPEN,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("expected_arrival")
