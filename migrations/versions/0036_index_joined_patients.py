"""Find the records joined to a patient's without looking through everybody's."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

JOINED = sa.text("merged_into_id IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_patient_joined", "patient", ["merged_into_id"],
        sqlite_where=JOINED, postgresql_where=JOINED,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_patient_joined", "patient")
