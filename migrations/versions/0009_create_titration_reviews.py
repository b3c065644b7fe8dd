"""Create the reviews of the dose; none can be deleted."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "titration_review",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("once", sa.String),
        sa.Column("reviewed_at", UtcDateTime(), nullable=False),
        sa.Column("reviewed_on", sa.Date, nullable=False),
        sa.Column("seen", sa.String, nullable=False),
        sa.Column("decision", sa.String, nullable=False),
        sa.Column("reason_code", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("rests_on", sa.JSON, nullable=False),
        sa.Column("counts_until", sa.Date, nullable=False),
        sa.Column("next_review_on", sa.Date),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("struck_at", UtcDateTime()),
        sa.Column("struck_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("struck_reason", sa.String),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL)"
            " AND (struck_at IS NULL) = (struck_reason IS NULL)",
            name="struck_by_and_why",
        ),
        sa.CheckConstraint(
            "decision IN ('start', 'raise', 'hold', 'lower', 'withhold', 'stop')", name="decision"
        ),
        sa.CheckConstraint("seen IN ('in_person', 'phone')", name="seen"),
        sa.CheckConstraint("length(reason) > 0", name="reason"),
    )
    op.create_index(
        "ix_titration_review_patient", "titration_review", ["patient_id", "reviewed_at"]
    )
    op.create_index("ix_titration_review_site", "titration_review", ["site_id", "next_review_on"])
    op.create_index(
        "uq_titration_review_once", "titration_review", ["patient_id", "once"], unique=True
    )
    keep = "FOR EACH ROW EXECUTE FUNCTION prescribing_kept()"
    if op.get_context().dialect.name == "sqlite":
        keep = "BEGIN SELECT RAISE(ABORT, 'the prescribing record is never deleted'); END"
    op.execute(f"CREATE TRIGGER titration_review_kept BEFORE DELETE ON titration_review {keep}")


def downgrade() -> None:
    op.drop_table("titration_review")
