"""Let what hangs on a care plan be struck out; say who approved and pays for complementary therapy."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0052"
down_revision = "0051"

TABLES = ("care_plan_progress", "care_plan_event", "care_plan_review", "care_plan_referral")
WHOLE = (
    "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_reason IS NULL)"
)
KINDS_BEFORE = (
    "housing", "childcare", "employment", "finance", "mental_health", "family", "cjit",
    "post_28_programme", "vdt", "mutual_aid", "bme_group", "vsc", "complementary", "other",
)  # fmt: skip
KINDS = (*KINDS_BEFORE[:-1], "programme", "other")
PAYERS = "paid_by IN ('pct', 'prison', 'charity', 'other')"


def _one_of(kinds: tuple[str, ...]) -> str:
    return f"kind IN ({', '.join(repr(kind) for kind in kinds)})"


def upgrade() -> None:
    for name in TABLES:
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("struck_at", UtcDateTime()))
            table.add_column(sa.Column("struck_by", sa.Integer))
            table.add_column(sa.Column("struck_reason", sa.String))
            table.create_foreign_key(f"fk_{name}_struck_by", "staff", ["struck_by"], ["id"])
            table.create_check_constraint("struck_by_and_why", WHOLE)
            if name == "care_plan_referral":
                table.add_column(sa.Column("approved_by", sa.String))
                table.add_column(sa.Column("paid_by", sa.String))
                table.create_check_constraint("paid_by", PAYERS)
                table.drop_constraint(op.f("ck_care_plan_referral_kind"), type_="check")
                table.create_check_constraint("kind", _one_of(KINDS))


def downgrade() -> None:
    op.execute("UPDATE care_plan_referral SET kind = 'other' WHERE kind = 'programme'")
    for name in TABLES:
        with op.batch_alter_table(name) as table:
            if name == "care_plan_referral":
                table.drop_constraint(op.f("ck_care_plan_referral_kind"), type_="check")
                table.create_check_constraint("kind", _one_of(KINDS_BEFORE))
                table.drop_constraint(op.f("ck_care_plan_referral_paid_by"), type_="check")
                table.drop_column("paid_by")
                table.drop_column("approved_by")
            table.drop_constraint(op.f(f"ck_{name}_struck_by_and_why"), type_="check")
            table.drop_constraint(f"fk_{name}_struck_by", type_="foreignkey")
            table.drop_column("struck_reason")
            table.drop_column("struck_by")
            table.drop_column("struck_at")
