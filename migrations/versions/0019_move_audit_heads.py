"""Let each audit entry move the head of its strand, and refuse one that does not follow it."""

from alembic import op

revision = "0019"
down_revision = "0018"

REFUSED = "an audit entry follows the newest of its strand"


def upgrade() -> None:
    # The words put into the statements are this file's own.
    moved = (
        "UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash "
        "WHERE strand = NEW.strand AND seq = NEW.seq - 1 AND hash = NEW.prev_hash; "
    )
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER audit_entry_follows BEFORE INSERT ON audit_entry BEGIN {moved}"  # noqa: S608
            f"SELECT RAISE(ABORT, '{REFUSED}') WHERE NOT EXISTS (SELECT 1 FROM audit_head "
            "WHERE strand = NEW.strand AND seq = NEW.seq AND hash = NEW.hash); END"
        )
    else:
        op.execute(
            "CREATE FUNCTION audit_entry_follow() RETURNS trigger LANGUAGE plpgsql AS "  # noqa: S608
            f"$$ BEGIN {moved}"
            f"IF NOT FOUND THEN RAISE EXCEPTION '{REFUSED}'; END IF; RETURN NEW; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_entry_follows BEFORE INSERT ON audit_entry "
            "FOR EACH ROW EXECUTE FUNCTION audit_entry_follow()"
        )


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_entry_follows")
    else:
        op.execute("DROP TRIGGER audit_entry_follows ON audit_entry")
        op.execute("DROP FUNCTION audit_entry_follow()")
