"""Let the first appointment of a release plan be a visit in the receiving service's own diary."""

from alembic import op

revision = "0046"
down_revision = "0045"

STOPS = "UPDATE OF visit_id ON release_fact"
SAYS = "a fact is corrected by another, never rewritten"
TRIGGER = "release_fact_visit_update"


def _sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def upgrade() -> None:
    op.execute("ALTER TABLE release_fact ADD COLUMN visit_id INTEGER REFERENCES visit (id)")
    op.create_index("ix_release_fact_visit_id", "release_fact", ["visit_id"])
    op.execute(
        f"CREATE TRIGGER {TRIGGER} BEFORE {STOPS} "
        f"BEGIN SELECT RAISE(ABORT, 'release_history: {SAYS}'); END"
        if _sqlite()
        else f"CREATE TRIGGER {TRIGGER} BEFORE {STOPS} "
        f"FOR EACH ROW EXECUTE FUNCTION release_history('{SAYS}')"
    )


def downgrade() -> None:
    op.execute(f"DROP TRIGGER {TRIGGER}" + ("" if _sqlite() else " ON release_fact"))
    op.drop_index("ix_release_fact_visit_id", "release_fact")
    op.execute("ALTER TABLE release_fact DROP COLUMN visit_id")
