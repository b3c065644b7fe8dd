"""Say how somebody collects apart from where: the place is a row of its own (consumption_place).

Made anew and not altered: nothing could be written to it yet.
"""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0020"
down_revision = "0019"

UNSTRUCK = sa.text("struck_at IS NULL")


def _to(column: str, table: str, nullable: bool = False) -> sa.Column:
    return sa.Column(column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable)


def _create(*place: sa.Column) -> None:
    op.create_table(
        "collection_regimen",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("patient_id", "patient"),
        _to("site_id", "site"),
        *place,
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("days", sa.JSON, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("answer", sa.JSON),
        sa.Column("outcome", sa.String),
        sa.Column("struck_at", UtcDateTime()),
        _to("struck_by", "staff", nullable=True),
        sa.Column("struck_reason", sa.String),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _to("recorded_by", "staff"),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL)"
            " AND (struck_at IS NULL) = (struck_reason IS NULL)",
            name="struck_by_and_why",
        ),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome IN ('ALERT', 'INFO', 'PASS')", name="never_a_stop"
        ),
    )
    op.create_index(
        "uq_collection_regimen_from", "collection_regimen", ["patient_id", "from_on"],
        unique=True, sqlite_where=UNSTRUCK, postgresql_where=UNSTRUCK,
    )  # fmt: skip
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER collection_regimen_kept BEFORE DELETE ON collection_regimen "
            "BEGIN SELECT RAISE(ABORT, 'the prescribing record is never deleted'); END"
        )
    else:
        op.execute(
            "CREATE TRIGGER collection_regimen_kept BEFORE DELETE ON collection_regimen "
            "FOR EACH ROW EXECUTE FUNCTION prescribing_kept()"
        )


def upgrade() -> None:
    op.drop_table("collection_regimen")
    _create()


def downgrade() -> None:
    op.drop_table("collection_regimen")
    _create(_to("premises_id", "premises"))
