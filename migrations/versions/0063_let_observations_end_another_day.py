"""Create the last day with rounds of observations that a clinician sets for one person."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0063"
down_revision = "0062"


def upgrade() -> None:
    op.create_table(
        "observation_end",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "reception_id",
            sa.Integer,
            sa.ForeignKey("reception.id"),
            nullable=False,
            index=True,
        ),
        sa.Column("last_on", sa.Date, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("struck_at", UtcDateTime()),
        sa.Column("struck_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("struck_reason", sa.String),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND "
            "(struck_at IS NULL) = (struck_reason IS NULL)",
            name="struck_by_and_why",
        ),
    )


def downgrade() -> None:
    op.drop_table("observation_end")
