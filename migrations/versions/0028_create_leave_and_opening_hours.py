"""Create leave of staff and opening hours of sites; both give the rota another stamp."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0028"
down_revision = "0027"

TABLES = ("staff_leave", "site_opening")
VERBS = ("INSERT", "UPDATE", "DELETE")
# As stamp_the_rota: SQLite has no function to call.
NEW_STAMP = "UPDATE rota_stamp SET value = hex(randomblob(16))"


def _withdrawn_and_recorded() -> list[sa.Column]:
    return [
        sa.Column("withdrawn_at", UtcDateTime()),
        sa.Column("withdrawn_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "staff_leave",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("staff_id", sa.Integer, sa.ForeignKey("staff.id"), nullable=False, index=True),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        *_withdrawn_and_recorded(),
        sa.CheckConstraint("starts_at < ends_at", name="times"),
    )
    op.create_table(
        "site_opening",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("weekday", sa.Integer, nullable=False),
        sa.Column("opens", sa.Time),
        sa.Column("closes", sa.Time),
        sa.Column("from_on", sa.Date, nullable=False),
        *_withdrawn_and_recorded(),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        sa.CheckConstraint("(opens IS NULL) = (closes IS NULL)", name="both"),
        sa.CheckConstraint("opens IS NULL OR opens < closes", name="times"),
    )
    standing = sa.text("withdrawn_at IS NULL")
    op.create_index(
        "uq_site_opening_standing", "site_opening", ["site_id", "weekday", "from_on"], unique=True,
        sqlite_where=standing, postgresql_where=standing,
    )  # fmt: skip
    for table in TABLES:
        if op.get_context().dialect.name == "postgresql":
            op.execute(
                f"CREATE TRIGGER {table}_stamps_rota AFTER {' OR '.join(VERBS)} ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION stamp_rota()"
            )
            continue
        for verb in VERBS:
            op.execute(
                f"CREATE TRIGGER {table}_stamps_rota_{verb.lower()} AFTER {verb} ON {table} "
                f"BEGIN {NEW_STAMP}; END"
            )


def downgrade() -> None:
    # Index and triggers go with their tables.
    for table in TABLES:
        op.drop_table(table)
