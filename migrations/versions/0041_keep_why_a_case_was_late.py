"""Keep why a case of a measure was late: one reason a case, withdrawn and never deleted."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0041"
down_revision = "0040"

CODES = (
    "no_place", "staff_away", "did_not_come", "declined", "told_late", "court_or_move",
    "late_record", "other",
)  # fmt: skip


def upgrade() -> None:
    listed = ", ".join(f"'{code}'" for code in CODES)
    op.create_table(
        "breach_reason",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("measure", sa.String, nullable=False),
        sa.Column("case_key", sa.String, nullable=False),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("note", sa.String),
        sa.Column("withdrawn_at", UtcDateTime()),
        sa.Column("withdrawn_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("withdrawn_reason", sa.String),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.CheckConstraint(f"code IN ({listed})", name="code"),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name="withdrawn_with_reason"
        ),
    )
    op.create_index(
        "uq_breach_reason_standing", "breach_reason", ["site_id", "measure", "case_key"],
        unique=True, sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("breach_reason")
