"""Keep what a professional registration was, with who changed it, when and why."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.create_table(
        "registration_change",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("staff_id", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("was", sa.String),
        sa.Column("became", sa.String),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.UniqueConstraint("staff_id", "number", name="uq_registration_change_number"),
        sa.CheckConstraint("length(reason) > 0", name="reason"),
    )


def downgrade() -> None:
    op.drop_table("registration_change")
