"""Let the address and telephone of a pharmacy or clinic be corrected, and keep what they were."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0072"
down_revision = "0071"


def upgrade() -> None:
    op.add_column("premises", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.create_table(
        "premises_change",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "premises_id", sa.Integer, sa.ForeignKey("premises.id"), nullable=False, index=True
        ),
        sa.Column("field", sa.String, nullable=False),
        sa.Column("was", sa.String),
        sa.Column("became", sa.String),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id")),
    )


def downgrade() -> None:
    op.drop_table("premises_change")
    with op.batch_alter_table("premises") as table:
        table.drop_column("version")
