"""Receive somebody from a prison outside this system: since when, and what was done there."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0074"
down_revision = "0073"

SAID = "'paper_file', 'escort_record', 'prison', 'court_papers', 'patient'"


def upgrade() -> None:
    with op.batch_alter_table("reception_detail") as table:
        table.add_column(sa.Column("came_from", sa.String))
        table.add_column(sa.Column("came_from_nation", sa.String))
        table.add_column(sa.Column("told_on", sa.Date))
        table.add_column(sa.Column("first_received_on", sa.Date))
        table.add_column(sa.Column("first_received_at", UtcDateTime()))
        table.add_column(sa.Column("count_said_by", sa.String))
        table.add_column(sa.Column("keyworker_there", sa.String))
        table.create_check_constraint("count_said_by", f"count_said_by IN ({SAID})")
        table.create_check_constraint(
            "came_from", "(came_from IS NULL) = (came_from_nation IS NULL)"
        )
        table.create_check_constraint(
            "first_received", "(first_received_on IS NULL) = (count_said_by IS NULL)"
        )
    op.add_column(
        "timetable_item",
        sa.Column("clock_elsewhere", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "reported_elsewhere",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "reception_id", sa.Integer, sa.ForeignKey("reception.id"), nullable=False, index=True
        ),
        sa.Column("item", sa.String, nullable=False),
        sa.Column("on", sa.Date),
        sa.Column("by", sa.JSON, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("topic", sa.String),
        sa.Column("mode", sa.String),
        sa.Column("said_by", sa.String, nullable=False),
        sa.Column("note", sa.String),
        sa.Column("known_from", sa.Integer, nullable=False),
        sa.Column("known_until", sa.Integer),
        sa.Column("struck_at", UtcDateTime()),
        sa.Column("struck_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("struck_reason", sa.String),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.CheckConstraint(
            "(known_until IS NULL) = (struck_reason IS NULL)", name="struck_with_reason"
        ),
        sa.CheckConstraint("outcome IN ('delivered', 'declined')", name="outcome"),
        sa.CheckConstraint(f"said_by IN ({SAID})", name="said_by"),
        sa.CheckConstraint("mode IN ('group', 'one_to_one')", name="mode"),
    )


def downgrade() -> None:
    op.drop_table("reported_elsewhere")
    op.drop_column("timetable_item", "clock_elsewhere")
    with op.batch_alter_table("reception_detail") as table:
        for name in ("count_said_by", "came_from", "first_received"):
            table.drop_constraint(op.f(f"ck_reception_detail_{name}"), type_="check")
        for column in (
            "keyworker_there", "count_said_by", "first_received_at", "first_received_on",
            "told_on", "came_from_nation", "came_from",
        ):  # fmt: skip
            table.drop_column(column)
