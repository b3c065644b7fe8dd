"""Let a finding be of a prescription form too, and say what it said and why it was gone against.

SQLite makes the table anew, so its triggers dose_finding_kept and dose_finding_unchanged go; they
are put back by the step after next, when the rows are filled.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

OF_ONE = "(decision_id IS NULL) <> (stop_id IS NULL)"
NO_STOP = "decision_id IS NULL OR severity <> 'STOP'"
ADDED = ("script_id", "saved", "message", "reason")
SAYS = "what was written about the rules is kept as it was"


def keep() -> None:
    """The table's triggers; on PostgreSQL they were taken away by name."""
    does = (
        f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END"
        if op.get_context().dialect.name == "sqlite"
        else "FOR EACH ROW EXECUTE FUNCTION rule_book_kept()"
    )
    op.execute(f"CREATE TRIGGER dose_finding_kept BEFORE DELETE ON dose_finding {does}")
    op.execute(f"CREATE TRIGGER dose_finding_unchanged BEFORE UPDATE ON dose_finding {does}")


def let_go() -> None:
    on = "" if op.get_context().dialect.name == "sqlite" else " ON dose_finding"
    for name in ("dose_finding_kept", "dose_finding_unchanged"):
        op.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def upgrade() -> None:
    let_go()
    with op.batch_alter_table("dose_finding") as table:
        table.add_column(sa.Column("script_id", sa.Integer))
        table.add_column(sa.Column("saved", sa.Boolean))
        table.add_column(sa.Column("message", sa.String))
        table.add_column(sa.Column("reason", sa.String))
        table.create_foreign_key("fk_dose_finding_script_id", "script", ["script_id"], ["id"])
        table.drop_constraint(op.f("ck_dose_finding_of_one_order"), type_="check")
        table.drop_constraint(op.f("ck_dose_finding_no_stop_saved"), type_="check")
    op.create_index("ix_dose_finding_script_id", "dose_finding", ["script_id"])


def downgrade() -> None:
    op.execute("DELETE FROM override_review WHERE finding_id IN "
               "(SELECT id FROM dose_finding WHERE script_id IS NOT NULL)")  # fmt: skip
    op.execute("DELETE FROM dose_finding WHERE script_id IS NOT NULL")
    op.drop_index("ix_dose_finding_script_id", "dose_finding")
    with op.batch_alter_table("dose_finding") as table:
        table.drop_constraint("fk_dose_finding_script_id", type_="foreignkey")
        for name in ADDED:
            table.drop_column(name)
        table.create_check_constraint("of_one_order", OF_ONE)
        table.create_check_constraint("no_stop_saved", NO_STOP)
    keep()
