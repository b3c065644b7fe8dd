"""Keep the requests a dose was judged on beside its own, where missed days were in question."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"

TABLES = ("dose_decision", "dose_stop")


def upgrade() -> None:
    # Not in a batch: that would rebuild the tables on SQLite and lose the triggers that guard them.
    for table in TABLES:
        op.add_column(table, sa.Column("beside", sa.JSON, nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "beside")
