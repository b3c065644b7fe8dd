"""Keep the moves of a stay that were followed by another, and find at once whose days nobody can count."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0076"
down_revision = "0075"


UNCOUNTED = sa.text("came_from IS NOT NULL AND first_received_on IS NULL AND known_until IS NULL")


def _to(column: str, table: str, *, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index
    )


def upgrade() -> None:
    op.create_table(
        "passed_move",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("reception_id", "reception", index=True),
        _to("transfer_id", "transfer", nullable=True, index=True),
        _to("from_site_id", "site", nullable=True),
        sa.Column("from_prison", sa.String, nullable=False),
        sa.Column("from_nation", sa.String, nullable=False),
        _to("to_site_id", "site", nullable=True, index=True),
        sa.Column("to_prison", sa.String, nullable=False),
        sa.Column("booked_on", sa.Date, nullable=False),
        sa.Column("moved_at", UtcDateTime(), nullable=False),
        sa.Column("steps_since", UtcDateTime()),
        sa.Column("known_from", sa.Integer, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _to("recorded_by", "staff"),
    )
    op.create_index(
        "ix_reception_detail_uncounted", "reception_detail", ["reception_id"],
        sqlite_where=UNCOUNTED, postgresql_where=UNCOUNTED,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_reception_detail_uncounted", "reception_detail")
    op.drop_table("passed_move")
