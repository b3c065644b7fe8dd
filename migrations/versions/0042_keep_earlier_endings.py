"""Keep how a prescription form was ended before, where it is ended again from an earlier date."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    op.add_column("script", sa.Column("earlier_endings", sa.JSON, nullable=True))


def downgrade() -> None:
    op.drop_column("script", "earlier_endings")
