"""Let a session keep its places for rapid work, and keep who passed a soft block and why."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0037"
down_revision = "0036"

# Every session there is was made for inductions: nobody is to find its places gone to other work.
COLUMNS = {
    "kept_for": "VARCHAR NOT NULL DEFAULT 'rapid' CONSTRAINT ck_rota_pattern_kept_for "
    "CHECK (kept_for IN ('rapid', 'any'))",
    "routine_from_hours": "INTEGER CONSTRAINT ck_rota_pattern_routine_from_hours "
    "CHECK (routine_from_hours IS NULL OR (routine_from_hours > 0 AND kept_for = 'rapid'))",
}


def upgrade() -> None:
    for column, kind in COLUMNS.items():
        op.execute(f"ALTER TABLE rota_pattern ADD COLUMN {column} {kind}")
    op.create_table(
        "booking_override",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("visit_id", sa.Integer, sa.ForeignKey("visit.id"), nullable=False, index=True),
        sa.Column("block", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("note", sa.String, nullable=False),
        sa.Column("waited_days", sa.Integer),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
    )
    keep = "FOR EACH ROW EXECUTE FUNCTION prescribing_kept()"
    if op.get_context().dialect.name == "sqlite":
        keep = "BEGIN SELECT RAISE(ABORT, 'what was overridden is never deleted'); END"
    op.execute(f"CREATE TRIGGER booking_override_kept BEFORE DELETE ON booking_override {keep}")


def downgrade() -> None:
    op.drop_table("booking_override")
    for column in reversed(COLUMNS):
        op.execute(f"ALTER TABLE rota_pattern DROP COLUMN {column}")
