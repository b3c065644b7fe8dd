"""Create cover for keyworkers who are away, and coded reasons of a change."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0043"
down_revision = "0042"


def _to(column: str, table: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable)


def _recorded() -> list[sa.Column]:
    return [sa.Column("recorded_at", UtcDateTime(), nullable=False), _to("recorded_by", "staff")]


def upgrade() -> None:
    op.create_table(
        "keyworker_change",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("allocation_id", "allocation"),
        sa.Column("code", sa.String, nullable=False),
        *_recorded(),
        sa.UniqueConstraint("allocation_id"),
        sa.CheckConstraint(
            "code IN ('left_the_post', 'long_absence', 'caseload', 'asked_by_patient', 'safety', "
            "'language_or_sex', 'known_before', 'recorded_wrongly', 'other')",
            name="code",
        ),
    )
    op.create_table(
        "keyworker_cover",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("site_id", "site"),
        _to("staff_id", "staff"),
        _to("cover_id", "staff"),
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("to_on", sa.Date),
        sa.Column("withdrawn_at", UtcDateTime()),
        _to("withdrawn_by", "staff", nullable=True),
        sa.Column("withdrawn_reason", sa.String),
        *_recorded(),
        sa.CheckConstraint("staff_id <> cover_id", name="somebody_else"),
        sa.CheckConstraint("to_on IS NOT NULL AND from_on <= to_on", name="days"),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name="withdrawn_with_reason"
        ),
    )
    standing = sa.text("withdrawn_at IS NULL")
    op.create_index(
        "uq_keyworker_cover_standing", "keyworker_cover", ["site_id", "staff_id", "from_on"],
        unique=True, sqlite_where=standing, postgresql_where=standing,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("keyworker_cover")
    op.drop_table("keyworker_change")
