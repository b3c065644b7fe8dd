"""Let those who want the same hour of the same person queue, and nobody else."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """PostgreSQL only: on SQLite all writers take turns.

    Two who write crossing holds at once would each wait in the guard for the other, until a
    deadlock is found a second later. Taking the hours first, in order, lets the second wait and
    then be refused. Whoever wants another hour, or somebody else, waits for nobody.
    """
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute(
        "CREATE FUNCTION visit_hold_queue() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_advisory_xact_lock(NEW.resource_id, hour) FROM generate_series("
        "floor(extract(epoch FROM NEW.starts_at) / 3600)::int, "
        "ceil(extract(epoch FROM NEW.ends_at) / 3600)::int - 1) AS hour; "
        "RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER visit_hold_queue BEFORE INSERT ON visit_hold FOR EACH ROW "
        "WHEN (NEW.released_at IS NULL) EXECUTE FUNCTION visit_hold_queue()"
    )


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP TRIGGER visit_hold_queue ON visit_hold")
        op.execute("DROP FUNCTION visit_hold_queue()")
