"""Create moves of phases, consent to share the triage, who was told, and peer supporters."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0057"
down_revision = "0056"

STANDS = sa.text("struck_at IS NULL")
PARTIES = (
    "healthcare", "wing", "receiving_carat", "cjit", "community_prescriber", "probation", "family",
    "housing", "mental_health", "other",
)  # fmt: skip
TASKS = (
    "stabilise", "other_health", "detox", "ongoing", "gather", "healthcare_referral", "programmes",
    "revise_plan", "cpa", "release_planning",
)  # fmt: skip


def _to(column: str, table: str, *, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index
    )


def _one_of(column: str, codes: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(code) for code in codes)})"


def _table(name: str, *columns: sa.Column | sa.Constraint, one: list[str] | None = None) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer, primary_key=True),
        _to("reception_id", "reception", index=one is None),
        *columns,
        sa.Column("struck_at", UtcDateTime()),
        _to("struck_by", "staff", nullable=True),
        sa.Column("struck_reason", sa.String),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _to("recorded_by", "staff"),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL) AND "
            "(struck_at IS NULL) = (struck_reason IS NULL)",
            name="struck_by_and_why",
        ),
    )
    if one is not None:
        op.create_index(
            f"uq_{name}_standing", name, one, unique=True, sqlite_where=STANDS,
            postgresql_where=STANDS,
        )  # fmt: skip


def upgrade() -> None:
    _table(
        "phase_move",
        sa.Column("phase", sa.Integer, nullable=False),
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.CheckConstraint("phase IN (2, 3)", name="movable"),
        one=["reception_id", "phase"],
    )
    _table(
        "triage_consent",
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("consents", sa.Boolean, nullable=False),
        one=["reception_id"],
    )
    _table(
        "telling",
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("party", sa.String, nullable=False),
        sa.Column("says", sa.String, nullable=False),
        sa.Column("with_triage", sa.Boolean, nullable=False),
        sa.CheckConstraint(_one_of("party", PARTIES), name="party"),
    )
    _table(
        "peer_supporter",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("past_participant", sa.Boolean),
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("to_on", sa.Date),
        sa.CheckConstraint("to_on IS NULL OR from_on <= to_on", name="days"),
    )
    op.add_column("delivery", sa.Column("explained", sa.Boolean))
    _tasks((*TASKS, "induction"))


def _tasks(codes: tuple[str, ...]) -> None:
    with op.batch_alter_table("phase_task") as table:
        table.drop_constraint(op.f("ck_phase_task_task"), type_="check")
        table.create_check_constraint("task", _one_of("task", codes))


def downgrade() -> None:
    op.execute("DELETE FROM phase_task WHERE task = 'induction'")
    _tasks(TASKS)
    op.drop_column("delivery", "explained")
    for table in ("peer_supporter", "telling", "triage_consent", "phase_move"):
        op.drop_table(table)
