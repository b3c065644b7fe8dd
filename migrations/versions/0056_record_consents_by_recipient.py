"""Create consents to share, one dated row for each thing said about a recipient."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0056"
down_revision = "0055"

SAYS = ("given", "refused", "withdrawn", "lawful_basis")


def upgrade() -> None:
    listed = ", ".join(f"'{each}'" for each in SAYS)
    op.create_table(
        "sharing_consent",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False, index=True
        ),
        sa.Column("to_site_id", sa.Integer, sa.ForeignKey("site.id")),
        sa.Column("recipient", sa.String),
        sa.Column("says", sa.String, nullable=False),
        sa.Column("because", sa.String),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("struck_at", UtcDateTime()),
        sa.Column("struck_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("struck_reason", sa.String),
        sa.CheckConstraint(f"says IN ({listed})", name="says"),
        sa.CheckConstraint("(to_site_id IS NULL) <> (recipient IS NULL)", name="one_recipient"),
        sa.CheckConstraint("says <> 'lawful_basis' OR because IS NOT NULL", name="basis_said"),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_reason IS NULL)", name="struck_with_reason"
        ),
    )


def downgrade() -> None:
    op.drop_table("sharing_consent")
