"""Create drafts of care plans: changes collected over sections until they are put forward."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0059"
down_revision = "0058"


def upgrade() -> None:
    op.create_table(
        "care_plan_draft",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "plan_id", sa.Integer, sa.ForeignKey("care_plan.id"), nullable=False, unique=True
        ),
        sa.Column("mark", sa.String, nullable=False),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("goals", sa.JSON, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.CheckConstraint("mark IN ('initial', 'complete')", name="mark"),
    )


def downgrade() -> None:
    op.drop_table("care_plan_draft")
