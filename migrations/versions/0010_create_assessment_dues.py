"""Create what waits about somebody's assessment: a row from when it waits until it is settled."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0010"
down_revision = "0009"

OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "assessment_due",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("says", sa.String, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime()),
    )
    op.create_index(
        "uq_assessment_due_open", "assessment_due", ["patient_id", "site_id", "key"], unique=True,
        sqlite_where=OPEN, postgresql_where=OPEN,
    )  # fmt: skip
    op.create_index(
        "ix_assessment_due_site_open", "assessment_due", ["site_id", "due_on"],
        sqlite_where=OPEN, postgresql_where=OPEN,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("assessment_due")
