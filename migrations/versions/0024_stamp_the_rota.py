"""Stamp the rota: the database gives a new stamp after any change to what it is read from."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

READ = (
    "site", "site_model", "site_closure", "calendar_change", "staff_competence",
    "prescriber_level", "resource", "rota_pattern", "rota_day_off",
)  # fmt: skip
VERBS = ("INSERT", "UPDATE", "DELETE")
# Chance, not a count: a number given back by a rollback would come again and mean something else.
NEW = {"sqlite": "hex(randomblob(16))", "postgresql": "gen_random_uuid()::text"}


def upgrade() -> None:
    new = NEW[op.get_context().dialect.name]
    op.create_table(
        "rota_stamp",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    # The words put into the statements are this file's own.
    op.execute(f"INSERT INTO rota_stamp (value) VALUES ({new})")  # noqa: S608
    move = f"UPDATE rota_stamp SET value = {new}"  # noqa: S608
    if op.get_context().dialect.name == "sqlite":
        for table in READ:
            for verb in VERBS:
                op.execute(
                    f"CREATE TRIGGER {table}_stamps_rota_{verb.lower()} AFTER {verb} ON {table} "
                    f"BEGIN {move}; END"
                )
        return
    op.execute(
        "CREATE FUNCTION stamp_rota() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {move}; RETURN NULL; END $$"
    )
    for table in READ:
        op.execute(
            f"CREATE TRIGGER {table}_stamps_rota AFTER {' OR '.join(VERBS)} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION stamp_rota()"
        )


def downgrade() -> None:
    sqlite = op.get_context().dialect.name == "sqlite"
    for table in READ:
        if sqlite:
            for verb in VERBS:
                op.execute(f"DROP TRIGGER {table}_stamps_rota_{verb.lower()}")
        else:
            op.execute(f"DROP TRIGGER {table}_stamps_rota ON {table}")
    if not sqlite:
        op.execute("DROP FUNCTION stamp_rota()")
    op.drop_table("rota_stamp")
