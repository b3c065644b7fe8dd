"""Keep the answer each referral has as a row; the hour it was recorded at was not kept."""

from alembic import op

revision = "0065"
down_revision = "0064"


def upgrade() -> None:
    op.execute(
        "INSERT INTO care_plan_answer (referral_id, response, responded_on, recorded_at, recorded_by)"
        " SELECT id, response, responded_on, recorded_at, COALESCE(responded_by, recorded_by)"
        " FROM care_plan_referral WHERE response IS NOT NULL ORDER BY id"
    )


def downgrade() -> None:
    op.execute(
        "UPDATE care_plan_referral SET response = answer.response,"
        " responded_on = answer.responded_on, responded_by = answer.recorded_by"
        " FROM care_plan_answer AS answer WHERE answer.id = (SELECT MAX(id) FROM care_plan_answer"
        " WHERE referral_id = care_plan_referral.id AND struck_at IS NULL)"
    )
    op.execute("DELETE FROM care_plan_answer")
