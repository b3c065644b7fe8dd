"""Let a task around a release start by itself: of which cause it is, and perhaps by nobody."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"

BEFORE = (
    "pre_release_contact", "gate_pickup", "release_day_contact", "housing", "gp", "outreach",
    "other",
)  # fmt: skip
NOW = (*BEFORE, "attendance", "day_14", "day_21")
BY_ITSELF = sa.text("cause IS NOT NULL AND done_at IS NULL AND struck_at IS NULL")


def _kinds(kinds: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return f"kind IN ({listed})"


def upgrade() -> None:
    with op.batch_alter_table("leaver_task") as table:
        table.add_column(sa.Column("cause", sa.String))
        table.alter_column("recorded_by", existing_type=sa.Integer, nullable=True)
        table.drop_constraint(op.f("ck_leaver_task_kind"), type_="check")
        table.create_check_constraint("kind", _kinds(NOW))
    op.create_index(
        "uq_leaver_task_by_itself", "leaver_task", ["plan_id", "kind", "cause"], unique=True,
        sqlite_where=BY_ITSELF, postgresql_where=BY_ITSELF,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("uq_leaver_task_by_itself", "leaver_task")
    op.execute("DELETE FROM leaver_task WHERE cause IS NOT NULL")
    with op.batch_alter_table("leaver_task") as table:
        table.drop_constraint(op.f("ck_leaver_task_kind"), type_="check")
        table.create_check_constraint("kind", _kinds(BEFORE))
        table.alter_column("recorded_by", existing_type=sa.Integer, nullable=False)
        table.drop_column("cause")
