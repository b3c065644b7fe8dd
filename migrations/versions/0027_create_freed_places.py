"""Create the places freed and the offers made of them; no offer can be deleted."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0027"
down_revision = "0026"

STANDING = sa.text("answer IS NULL AND lapsed_at IS NULL AND struck_at IS NULL")
OPEN = sa.text("superseded_at IS NULL")


def _one(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(
        name, table, columns, unique=True, sqlite_where=where, postgresql_where=where
    )  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "freed_place",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("visit_id", sa.Integer, sa.ForeignKey("visit.id"), nullable=False),
        sa.Column("doctor_id", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("worker_id", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("because", sa.String, nullable=False),
        sa.Column("freed_at", UtcDateTime(), nullable=False),
        sa.Column("superseded_at", UtcDateTime()),
        sa.CheckConstraint("starts_at < ends_at", name="times"),
        sa.CheckConstraint("because IN ('cancelled', 'moved')", name="because"),
    )
    op.create_index("ix_freed_place_site_starts", "freed_place", ["site_id", "starts_at"])
    _one(
        "uq_freed_place_open", "freed_place", ["site_id", "doctor_id", "worker_id", "starts_at"],
        OPEN,
    )  # fmt: skip
    op.create_table(
        "place_offer",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("freed_place_id", sa.Integer, sa.ForeignKey("freed_place.id"), nullable=False),
        sa.Column("referral_id", sa.Integer, sa.ForeignKey("referral.id"), nullable=False),
        sa.Column("until_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("lapsed_at", UtcDateTime()),
        sa.Column("answer", sa.String),
        sa.Column("answered_at", UtcDateTime()),
        sa.Column("answered_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("note", sa.String),
        sa.Column("visit_id", sa.Integer, sa.ForeignKey("visit.id")),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("struck_at", UtcDateTime()),
        sa.Column("struck_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("struck_reason", sa.String),
        sa.CheckConstraint("answer IN ('accepted', 'declined')", name="answer"),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)",
            name="answered",
        ),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL)"
            " AND (struck_at IS NULL) = (struck_reason IS NULL)",
            name="struck_by_and_why",
        ),
    )
    op.create_index("ix_place_offer_freed_place_id", "place_offer", ["freed_place_id"])
    _one("uq_place_offer_standing", "place_offer", ["freed_place_id"], STANDING)
    _one("uq_place_offer_person", "place_offer", ["referral_id"], STANDING)
    keep = "FOR EACH ROW EXECUTE FUNCTION prescribing_kept()"
    if op.get_context().dialect.name == "sqlite":
        keep = "BEGIN SELECT RAISE(ABORT, 'what was offered is never deleted'); END"
    op.execute(f"CREATE TRIGGER place_offer_kept BEFORE DELETE ON place_offer {keep}")


def downgrade() -> None:
    op.drop_table("place_offer")
    op.drop_table("freed_place")
