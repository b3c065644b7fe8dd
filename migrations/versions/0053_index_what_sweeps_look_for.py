"""Let the sweeps find what is due without reading everything: doses written since, stays to look at."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"


def upgrade() -> None:
    op.create_index("ix_dose_event_recorded_at", "dose_event", ["recorded_at"])
    struck = sa.text("struck_at IS NOT NULL")
    op.create_index(
        "ix_dose_event_struck_at", "dose_event", ["struck_at"],
        sqlite_where=struck, postgresql_where=struck,
    )  # fmt: skip
    op.add_column("reception", sa.Column("calendar_seen", sa.String))
    op.create_index("ix_reception_calendar_seen", "reception", ["calendar_seen"])


def downgrade() -> None:
    op.drop_index("ix_reception_calendar_seen", "reception")
    op.drop_column("reception", "calendar_seen")
    op.drop_index("ix_dose_event_struck_at", "dose_event")
    op.drop_index("ix_dose_event_recorded_at", "dose_event")
