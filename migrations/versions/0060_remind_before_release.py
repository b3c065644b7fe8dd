"""Let reminders before release, and word of a move between prisons, be tasks of the plan."""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"

BEFORE = (
    "pre_release_contact", "gate_pickup", "release_day_contact", "housing", "gp", "outreach",
    "other", "attendance", "day_14", "day_21",
)  # fmt: skip
NEW = ("remind_healthcare", "remind_keyworker", "remind_community", "remind_pharmacy", "transfer")


def _keep_kinds(kinds: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("leaver_task") as table:
        table.drop_constraint(op.f("ck_leaver_task_kind"), type_="check")
        table.create_check_constraint("kind", f"kind IN ({listed})")


def upgrade() -> None:
    _keep_kinds((*BEFORE, *NEW))


def downgrade() -> None:
    op.execute(
        sa.text(
            "DELETE FROM leaver_task WHERE kind = 'transfer' OR kind LIKE 'remind!_%' ESCAPE '!'"
        )
    )
    _keep_kinds(BEFORE)
