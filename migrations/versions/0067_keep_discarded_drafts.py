"""Keep what a discarded draft of a care plan said, who gave it up and which version it was to change."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0067"
down_revision = "0066"

STANDS = sa.text("discarded_at IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("care_plan_draft") as table:
        table.add_column(sa.Column("number", sa.Integer))
        table.add_column(sa.Column("discarded_at", UtcDateTime()))
        table.add_column(sa.Column("discarded_by", sa.Integer))
        table.create_foreign_key(
            "fk_care_plan_draft_discarded_by", "staff", ["discarded_by"], ["id"]
        )
        table.drop_constraint("uq_care_plan_draft_plan_id", type_="unique")
        table.create_check_constraint(
            "discarded_by_somebody", "(discarded_at IS NULL) = (discarded_by IS NULL)"
        )
    op.execute(
        "UPDATE care_plan_draft SET number = (SELECT MAX(version.number)"
        " FROM care_plan_version AS version WHERE version.plan_id = care_plan_draft.plan_id)"
    )
    with op.batch_alter_table("care_plan_draft") as table:
        table.alter_column("number", existing_type=sa.Integer, nullable=False)
    op.create_index("ix_care_plan_draft_plan_id", "care_plan_draft", ["plan_id"])
    op.create_index(
        "uq_care_plan_draft_standing", "care_plan_draft", ["plan_id"], unique=True,
        sqlite_where=STANDS, postgresql_where=STANDS,
    )  # fmt: skip


def downgrade() -> None:
    op.execute("DELETE FROM care_plan_draft WHERE discarded_at IS NOT NULL")
    op.drop_index("uq_care_plan_draft_standing", "care_plan_draft")
    op.drop_index("ix_care_plan_draft_plan_id", "care_plan_draft")
    with op.batch_alter_table("care_plan_draft") as table:
        table.drop_constraint(op.f("ck_care_plan_draft_discarded_by_somebody"), type_="check")
        table.drop_constraint("fk_care_plan_draft_discarded_by", type_="foreignkey")
        table.create_unique_constraint("uq_care_plan_draft_plan_id", ["plan_id"])
        table.drop_column("discarded_by")
        table.drop_column("discarded_at")
        table.drop_column("number")
