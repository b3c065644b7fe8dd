"""Let what a drug rehabilitation requirement owes after release be tasks of the plan."""

from alembic import op

revision = "0073"
down_revision = "0072"

BEFORE = (
    "pre_release_contact", "gate_pickup", "release_day_contact", "housing", "gp", "outreach",
    "other", "attendance", "day_14", "day_21", "remind_healthcare", "remind_keyworker",
    "remind_community", "remind_pharmacy", "transfer", "gate_offer",
    "overdose_advice",
)  # fmt: skip
NEW = ("drr_groups", "drr_handover")


def _keep_kinds(kinds: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("leaver_task") as table:
        table.drop_constraint(op.f("ck_leaver_task_kind"), type_="check")
        table.create_check_constraint("kind", f"kind IN ({listed})")


def upgrade() -> None:
    _keep_kinds((*BEFORE, *NEW))


def downgrade() -> None:
    op.execute("DELETE FROM leaver_task WHERE kind IN ('drr_groups', 'drr_handover')")
    _keep_kinds(BEFORE)
