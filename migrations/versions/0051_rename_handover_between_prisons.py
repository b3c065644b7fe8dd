"""Call the receiving team's acceptance of a transfer what it is: hand-over means release alone."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"

STANDS = sa.text("struck_at IS NULL")


def _rename(was: str, now: str) -> None:
    op.drop_index(f"uq_{was}_standing", was)
    op.drop_index(f"ix_{was}_reception_id", was)
    op.rename_table(was, now)
    op.create_index(f"ix_{now}_reception_id", now, ["reception_id"])
    op.create_index(
        f"uq_{now}_standing", now, ["transfer_id"], unique=True, sqlite_where=STANDS,
        postgresql_where=STANDS,
    )  # fmt: skip
    if op.get_context().dialect.name == "postgresql":
        for name in (
            "pk_{}", "fk_{}_reception_id", "fk_{}_transfer_id", "fk_{}_struck_by",
            "fk_{}_recorded_by", "ck_{}_struck_by_and_why",
        ):  # fmt: skip
            op.execute(
                f"ALTER TABLE {now} RENAME CONSTRAINT {name.format(was)} TO {name.format(now)}"
            )
        op.execute(f"ALTER SEQUENCE {was}_id_seq RENAME TO {now}_id_seq")
    else:
        # SQLite keeps the names of the constraints: made anew, they bear the table's.
        with op.batch_alter_table(now, recreate="always") as table:
            table.drop_constraint(op.f(f"ck_{was}_struck_by_and_why"), type_="check")
            table.create_check_constraint(
                op.f(f"ck_{now}_struck_by_and_why"),
                "(struck_at IS NULL) = (struck_by IS NULL) AND "
                "(struck_at IS NULL) = (struck_reason IS NULL)",
            )


def upgrade() -> None:
    _rename("handover", "transfer_acceptance")


def downgrade() -> None:
    _rename("transfer_acceptance", "handover")
