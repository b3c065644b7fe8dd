"""Create the answers to a referral, each a row of its own: one no longer takes another's place."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0064"
down_revision = "0063"


def _one_standing(name: str, which: str) -> None:
    stands = sa.text(f"struck_at IS NULL AND response {which} 'waiting'")
    op.create_index(
        f"uq_care_plan_answer_{name}", "care_plan_answer", ["referral_id"], unique=True,
        sqlite_where=stands, postgresql_where=stands,
    )  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "care_plan_answer",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "referral_id", sa.Integer, sa.ForeignKey("care_plan_referral.id"), nullable=False,
            index=True,
        ),
        sa.Column("response", sa.String, nullable=False),
        sa.Column("responded_on", sa.Date, nullable=False),
        sa.Column("struck_at", UtcDateTime()),
        sa.Column("struck_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("struck_reason", sa.String),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.CheckConstraint("response IN ('accepted', 'refused', 'waiting')", name="response"),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND "
            "(struck_at IS NULL) = (struck_reason IS NULL)",
            name="struck_by_and_why",
        ),
    )  # fmt: skip
    _one_standing("waiting", "=")
    _one_standing("final", "<>")


def downgrade() -> None:
    op.drop_table("care_plan_answer")
