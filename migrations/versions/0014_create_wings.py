"""Create the wings of a prison, and on which of them somebody lives from when."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0014"
down_revision = "0013"

OPEN = sa.text("closed_at IS NULL")
STANDING = sa.text("known_until IS NULL")


def upgrade() -> None:
    op.create_table(
        "wing",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("closed_at", UtcDateTime()),
        sa.Column("closed_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
    )
    op.create_index(
        "uq_wing_open", "wing", ["site_id", "name"], unique=True,
        sqlite_where=OPEN, postgresql_where=OPEN,
    )  # fmt: skip
    op.create_table(
        "location",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "reception_id", sa.Integer, sa.ForeignKey("reception.id"), nullable=False, index=True
        ),
        sa.Column("wing_id", sa.Integer, sa.ForeignKey("wing.id"), nullable=False, index=True),
        sa.Column("cell", sa.String),
        sa.Column("from_at", UtcDateTime(), nullable=False),
        sa.Column("known_from", sa.Integer, nullable=False),
        sa.Column("known_until", sa.Integer),
        sa.Column("struck_at", UtcDateTime()),
        sa.Column("struck_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("struck_reason", sa.String),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.CheckConstraint(
            "(known_until IS NULL) = (struck_reason IS NULL)", name="struck_with_reason"
        ),
    )
    op.create_index(
        "uq_location_moment", "location", ["reception_id", "from_at"], unique=True,
        sqlite_where=STANDING, postgresql_where=STANDING,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("location")
    op.drop_table("wing")
