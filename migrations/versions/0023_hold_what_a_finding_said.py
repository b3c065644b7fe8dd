"""A finding is of one order, says something, and is kept as it was again.

SQLite makes the table anew; its triggers dose_finding_kept and dose_finding_unchanged are put back.
"""

from alembic import op

revision = "0023"
down_revision = "0022"

OF_ONE = (
    "(decision_id IS NOT NULL AND stop_id IS NULL AND script_id IS NULL)"
    " OR (decision_id IS NULL AND stop_id IS NOT NULL AND script_id IS NULL)"
    " OR (decision_id IS NULL AND stop_id IS NULL AND script_id IS NOT NULL)"
)
NO_STOP = "NOT (saved AND severity = 'STOP')"
SAYS = "what was written about the rules is kept as it was"


def upgrade() -> None:
    with op.batch_alter_table("dose_finding") as table:
        table.alter_column("saved", nullable=False)
        table.alter_column("message", nullable=False)
        table.create_check_constraint("of_one_order", OF_ONE)
        table.create_check_constraint("no_stop_saved", NO_STOP)
    does = (
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END"
        if op.get_context().dialect.name == "sqlite"
        else "FOR EACH ROW EXECUTE FUNCTION rule_book_kept()"
    )
    op.execute(f"CREATE TRIGGER dose_finding_kept BEFORE DELETE ON dose_finding {does}")
    op.execute(f"CREATE TRIGGER dose_finding_unchanged BEFORE UPDATE ON dose_finding {does}")


def downgrade() -> None:
    on = "" if op.get_context().dialect.name == "sqlite" else " ON dose_finding"
    for name in ("dose_finding_kept", "dose_finding_unchanged"):
        op.execute(f"DROP TRIGGER IF EXISTS {name}{on}")
    with op.batch_alter_table("dose_finding") as table:
        table.drop_constraint(op.f("ck_dose_finding_of_one_order"), type_="check")
        table.drop_constraint(op.f("ck_dose_finding_no_stop_saved"), type_="check")
        table.alter_column("saved", nullable=True)
        table.alter_column("message", nullable=True)
