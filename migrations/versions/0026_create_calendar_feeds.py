"""Create the addresses of private calendars."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("secret_hash", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("label", sa.String, nullable=False),
        sa.Column("staff_id", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id")),
        sa.Column("revoked_at", UtcDateTime()),
        sa.Column("revoked_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.CheckConstraint("kind IN ('own', 'clinic')", name="ck_calendar_feed_kind"),
        sa.CheckConstraint(
            "(kind = 'clinic') = (site_id IS NOT NULL)", name="ck_calendar_feed_site"
        ),
        sa.UniqueConstraint("secret_hash", name="uq_calendar_feed_secret_hash"),
    )
    op.create_index("ix_calendar_feed_staff_id", "calendar_feed", ["staff_id"])


def downgrade() -> None:
    op.drop_table("calendar_feed")
