"""Create missed contacts and what was tried to reach the person; no row can be deleted."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0029"
down_revision = "0028"

STANDING = sa.text("struck_at IS NULL")


def _recorded() -> list[sa.schema.SchemaItem]:
    return [
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
    ]


def upgrade() -> None:
    op.create_table(
        "missed_contact",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("visit_id", sa.Integer, sa.ForeignKey("visit.id")),
        sa.Column("because", sa.String, nullable=False),
        sa.Column("missed_at", UtcDateTime(), nullable=False),
        sa.Column("note", sa.String),
        *_recorded(),
        sa.CheckConstraint("because IN ('did_not_attend', 'lost_contact')", name="because"),
        sa.CheckConstraint("(because = 'did_not_attend') = (visit_id IS NOT NULL)", name="visit"),
    )
    op.create_index("uq_missed_contact_visit", "missed_contact", ["visit_id"], unique=True)
    op.create_index("ix_missed_contact_site", "missed_contact", ["site_id", "missed_at"])
    op.create_index("ix_missed_contact_patient", "missed_contact", ["patient_id", "missed_at"])
    op.create_table(
        "missed_contact_try",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "missed_contact_id", sa.Integer, sa.ForeignKey("missed_contact.id"), nullable=False
        ),
        sa.Column("how", sa.String, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("note", sa.String),
        sa.Column("contact_id", sa.Integer, sa.ForeignKey("contact.id")),
        *_recorded(),
        sa.CheckConstraint("how IN ('phone', 'text', 'outreach', 'told', 'team')", name="how"),
        sa.CheckConstraint("outcome <> 'reached' OR reason IS NOT NULL", name="asked_why"),
    )
    op.create_index(
        "uq_missed_contact_try_once", "missed_contact_try", ["missed_contact_id", "how", "at"],
        unique=True, sqlite_where=STANDING, postgresql_where=STANDING,
    )  # fmt: skip
    for table in ("missed_contact", "missed_contact_try"):
        keep = "FOR EACH ROW EXECUTE FUNCTION prescribing_kept()"
        if op.get_context().dialect.name == "sqlite":
            keep = "BEGIN SELECT RAISE(ABORT, 'what was tried is never deleted'); END"
        op.execute(f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} {keep}")


def downgrade() -> None:
    op.drop_table("missed_contact_try")
    op.drop_table("missed_contact")
