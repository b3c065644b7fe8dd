"""Tell withheld and missed apart, and say of each dose what the record left out until now.

What was recorded as not taken stays so: nobody knows now which of the two it was. SQLite makes the
table anew for its checks, so its trigger dose_event_kept is put back.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

BEFORE = "outcome IN ('taken', 'part', 'not_taken', 'refused')"
AFTER = "outcome IN ('taken', 'part', 'refused', 'withheld', 'missed', 'not_taken')"
TEXTS = ("rest", "why_code", "withheld_by")
POINTERS = {
    "observer_id": "staff",
    "premises_id": "premises",
    "corrects_id": "dose_event",
    "replaces_id": "dose_event",
}
CHECKS = {
    "observer_is_another": "observer_id IS NULL OR observer_id <> recorded_by",
    "withheld_by_and_why": "outcome <> 'withheld'"
    " OR (why_code IS NOT NULL AND withheld_by IS NOT NULL)",
}
STANDING = sa.text("struck_at IS NULL AND NOT elsewhere")


def _keep() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER IF NOT EXISTS dose_event_kept BEFORE DELETE ON dose_event "
            "BEGIN SELECT RAISE(ABORT, 'the prescribing record is never deleted'); END"
        )


def upgrade() -> None:
    with op.batch_alter_table("dose_event") as table:
        for name in TEXTS:
            table.add_column(sa.Column(name, sa.String))
        for name in POINTERS:
            table.add_column(sa.Column(name, sa.Integer))
        table.add_column(
            sa.Column("incident", sa.Boolean, nullable=False, server_default=sa.false())
        )
        for name, other in POINTERS.items():
            table.create_foreign_key(f"fk_dose_event_{name}", other, [name], ["id"])
        table.drop_constraint(op.f("ck_dose_event_outcome"), type_="check")
        table.create_check_constraint("outcome", AFTER)
        for name, check in CHECKS.items():
            table.create_check_constraint(name, check)
    op.create_index("ix_dose_event_site_day", "dose_event", ["site_id", "dose_on"])
    _keep()


def downgrade() -> None:
    op.execute(
        "UPDATE dose_event SET outcome = 'not_taken' WHERE outcome IN ('withheld', 'missed')"
    )
    op.drop_index("ix_dose_event_site_day", "dose_event")
    with op.batch_alter_table("dose_event") as table:
        for name in CHECKS:
            table.drop_constraint(op.f(f"ck_dose_event_{name}"), type_="check")
        table.drop_constraint(op.f("ck_dose_event_outcome"), type_="check")
        table.create_check_constraint("outcome", BEFORE)
        for name in POINTERS:
            table.drop_constraint(f"fk_dose_event_{name}", type_="foreignkey")
        for name in (*TEXTS, *POINTERS, "incident"):
            table.drop_column(name)
    _keep()
