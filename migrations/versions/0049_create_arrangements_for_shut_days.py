"""Keep that a collection of a shut day is handed out before it, and who agreed to that."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0049"
down_revision = "0048"

TABLE = "script_shut_arranged"
UNSTRUCK = sa.text("struck_at IS NULL")


def _to(column: str, table: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Integer, primary_key=True),
        _to("script_id", "script"),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("before_on", sa.Date, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("patient_told", sa.String, nullable=False),
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
        sa.CheckConstraint("before_on < due_on", name="before"),
    )
    op.create_index(
        "uq_script_shut_arranged", TABLE, ["script_id", "due_on"], unique=True,
        sqlite_where=UNSTRUCK, postgresql_where=UNSTRUCK,
    )  # fmt: skip
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {TABLE}_kept BEFORE DELETE ON {TABLE} "
            "BEGIN SELECT RAISE(ABORT, 'the prescribing record is never deleted'); END"
        )
    else:
        op.execute(
            f"CREATE TRIGGER {TABLE}_kept BEFORE DELETE ON {TABLE} "
            "FOR EACH ROW EXECUTE FUNCTION prescribing_kept()"
        )


def downgrade() -> None:
    op.drop_table(TABLE)  # its trigger goes with it
