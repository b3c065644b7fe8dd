"""Create the runs of the sweeps."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "sweep_run",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("did", sa.Integer),
        sa.Column("says", sa.String),
        sa.UniqueConstraint("name", "day", name="uq_sweep_run_name_day"),
    )


def downgrade() -> None:
    op.drop_table("sweep_run")
