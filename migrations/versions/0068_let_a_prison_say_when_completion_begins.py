"""Create the day completion begins on at a prison; every stay keeps the one it began with."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0068"
down_revision = "0067"


def upgrade() -> None:
    op.create_table(
        "completion_choice",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False, index=True),
        sa.Column("begins", sa.Integer, nullable=False),
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
    )
    op.add_column(
        "reception", sa.Column("completion_day", sa.Integer, nullable=False, server_default="29")
    )


def downgrade() -> None:
    op.drop_column("reception", "completion_day")
    op.drop_table("completion_choice")
