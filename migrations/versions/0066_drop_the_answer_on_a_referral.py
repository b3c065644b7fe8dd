"""Drop the answer from the referral: its answers are rows of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0065"


def upgrade() -> None:
    with op.batch_alter_table("care_plan_referral") as table:
        table.drop_constraint(op.f("ck_care_plan_referral_responded"), type_="check")
        table.drop_constraint(op.f("ck_care_plan_referral_response"), type_="check")
        table.drop_constraint("fk_care_plan_referral_responded_by", type_="foreignkey")
        table.drop_column("responded_by")
        table.drop_column("responded_on")
        table.drop_column("response")


def downgrade() -> None:
    with op.batch_alter_table("care_plan_referral") as table:
        table.add_column(sa.Column("response", sa.String))
        table.add_column(sa.Column("responded_on", sa.Date))
        table.add_column(sa.Column("responded_by", sa.Integer))
        table.create_foreign_key(
            "fk_care_plan_referral_responded_by", "staff", ["responded_by"], ["id"]
        )
        table.create_check_constraint("response", "response IN ('accepted', 'refused', 'waiting')")
        table.create_check_constraint("responded", "(response IS NULL) = (responded_on IS NULL)")
