"""Chain days 1, 2 and 3 of an induction, and keep what is arranged for days the service is shut."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0035"
down_revision = "0034"

# Written out: a batch would rebuild the table on SQLite and lose the triggers that guard it.
COLUMNS = {
    "chain_id": "INTEGER REFERENCES visit_chain (id)",
    "day_number": "INTEGER CONSTRAINT ck_visit_day_number CHECK "
    "((chain_id IS NULL) = (day_number IS NULL) AND (day_number IS NULL OR day_number > 0))",
}
STANDING = sa.text("chain_id IS NOT NULL AND status IN ('booked', 'arrived')")
NOT_STRUCK = sa.text("struck_at IS NULL")


def _to(column: str, table: str, *, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index
    )


def _recorded() -> list[sa.Column]:
    return [sa.Column("recorded_at", UtcDateTime(), nullable=False), _to("recorded_by", "staff")]


def upgrade() -> None:
    op.create_table(
        "visit_chain",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("patient_id", "patient", index=True),
        _to("site_id", "site"),
        _to("referral_id", "referral", index=True),
        sa.Column("version", sa.Integer, nullable=False),
        *_recorded(),
    )
    op.create_table(
        "chain_arrangement",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("chain_id", "visit_chain"),
        sa.Column("on", sa.Date, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("contact", sa.String, nullable=False),
        sa.Column("by_time", sa.Time, nullable=False),
        sa.Column("note", sa.String),
        sa.Column("change", sa.Integer, nullable=False),
        sa.Column("struck_change", sa.Integer),
        sa.Column("struck_at", UtcDateTime()),
        _to("struck_by", "staff", nullable=True),
        sa.Column("struck_reason", sa.String),
        *_recorded(),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) "
            "AND (struck_at IS NULL) = (struck_reason IS NULL)",
            name="struck_by_and_why",
        ),
        sa.CheckConstraint(
            "kind IN ('on_call_doctor', 'pharmacy', 'other_site', 'outreach', 'phone')", name="kind"
        ),
        sa.CheckConstraint("length(who) > 0 AND length(contact) > 0", name="said"),
    )
    op.create_index(
        "uq_chain_arrangement_day", "chain_arrangement", ["chain_id", "on"], unique=True,
        sqlite_where=NOT_STRUCK, postgresql_where=NOT_STRUCK,
    )  # fmt: skip
    for column, kind in COLUMNS.items():
        op.execute(f"ALTER TABLE visit ADD COLUMN {column} {kind}")
    op.create_index(
        "uq_visit_chain_day", "visit", ["chain_id", "day_number"], unique=True,
        sqlite_where=STANDING, postgresql_where=STANDING,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("uq_visit_chain_day", "visit")
    for column in reversed(COLUMNS):
        op.execute(f"ALTER TABLE visit DROP COLUMN {column}")
    op.drop_table("chain_arrangement")
    op.drop_table("visit_chain")
