"""Say of each version of a timetable how many dates it moved; of older ones that is not known."""

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0068"


def upgrade() -> None:
    op.add_column("timetable", sa.Column("moved", sa.Integer))


def downgrade() -> None:
    op.drop_column("timetable", "moved")
