"""Create the contacts made and planned; none can be deleted."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "contact",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("once", sa.String),
        sa.Column("how", sa.String, nullable=False),
        sa.Column("planned_on", sa.Date),
        sa.Column("happened_at", UtcDateTime()),
        sa.Column("reached", sa.Boolean),
        sa.Column("note", sa.String),
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
        sa.CheckConstraint("how IN ('visit', 'outreach', 'phone', 'pharmacy')", name="how"),
        sa.CheckConstraint("(planned_on IS NULL) <> (happened_at IS NULL)", name="planned_or_made"),
        sa.CheckConstraint("(happened_at IS NULL) = (reached IS NULL)", name="reached"),
    )
    op.create_index("ix_contact_patient", "contact", ["patient_id", "happened_at"])
    op.create_index("uq_contact_once", "contact", ["patient_id", "once"], unique=True)
    keep = "FOR EACH ROW EXECUTE FUNCTION prescribing_kept()"
    if op.get_context().dialect.name == "sqlite":
        keep = "BEGIN SELECT RAISE(ABORT, 'the prescribing record is never deleted'); END"
    op.execute(f"CREATE TRIGGER contact_kept BEFORE DELETE ON contact {keep}")


def downgrade() -> None:
    op.drop_table("contact")
