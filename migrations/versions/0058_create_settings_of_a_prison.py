"""Create a prison's own ceiling of a keyworker and its own weights of the planner of groups."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0058"
down_revision = "0057"


def _table(name: str, *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False, index=True),
        *columns,
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
    )


def upgrade() -> None:
    _table(
        "keyworker_ceiling",
        sa.Column("most", sa.Integer),
        sa.CheckConstraint("most IS NULL OR most > 0", name="most"),
    )
    _table("planner_weights", sa.Column("weights", sa.JSON, nullable=False))


def downgrade() -> None:
    op.drop_table("planner_weights")
    op.drop_table("keyworker_ceiling")
