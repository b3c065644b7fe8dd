"""Create contact choices and reminders; no reminder and no try can be deleted."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0030"
down_revision = "0029"

IN_FORCE = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "contact_choice",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("address", sa.String),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("large_print", sa.Boolean, nullable=False),
        sa.Column("needs", sa.String),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("ended_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("ended_because", sa.String),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.CheckConstraint("channel IN ('email', 'text', 'none')", name="channel"),
        sa.CheckConstraint("(channel = 'none') = (address IS NULL)", name="address"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
    )
    op.create_index(
        "uq_contact_choice_in_force", "contact_choice", ["patient_id"], unique=True,
        sqlite_where=IN_FORCE, postgresql_where=IN_FORCE,
    )  # fmt: skip
    op.create_table(
        "reminder",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("visit_id", sa.Integer, sa.ForeignKey("visit.id"), nullable=False),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("for_starts_at", UtcDateTime(), nullable=False),
        sa.Column("window", sa.String, nullable=False),
        sa.Column("choice_id", sa.Integer, sa.ForeignKey("contact_choice.id"), nullable=False),
        sa.UniqueConstraint("visit_id", "for_starts_at", "window", name="uq_reminder_once"),
    )
    op.create_index("ix_reminder_site", "reminder", ["site_id", "for_starts_at"])
    op.create_index("ix_reminder_patient_id", "reminder", ["patient_id"])
    op.create_table(
        "reminder_try",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("reminder_id", sa.Integer, sa.ForeignKey("reminder.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("intended_at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("outcome", sa.String),
        sa.Column("says", sa.String),
        sa.UniqueConstraint("reminder_id", "number", name="uq_reminder_try_number"),
        sa.CheckConstraint("outcome IN ('sent', 'failed', 'unsure')", name="outcome"),
        sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
    )
    for table in ("contact_choice", "reminder", "reminder_try"):
        keep = "FOR EACH ROW EXECUTE FUNCTION prescribing_kept()"
        if op.get_context().dialect.name == "sqlite":
            keep = "BEGIN SELECT RAISE(ABORT, 'what was sent is never deleted'); END"
        op.execute(f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} {keep}")


def downgrade() -> None:
    for table in ("reminder_try", "reminder", "contact_choice"):
        op.drop_table(table)
