"""Drop the contact attempts nobody ever wrote: contact has one log, in the room of titration.

Its trigger contact_attempt_kept goes with it.
"""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.drop_table("contact_attempt")


def downgrade() -> None:
    op.create_table(
        "contact_attempt",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("tried_at", UtcDateTime(), nullable=False),
    )
