"""Let SQLite's guard of holds look at one row and not at the whole history of a clinician.

Standing holds of one resource never cross, so of those that begin before the new one ends the last
to begin is the last to end: if that one has ended, all have. PostgreSQL's exclusion constraint asks
its index already.
"""

from alembic import op

revision = "0061"
down_revision = "0060"

GUARD = "visit_hold_no_overlap"
ANY = "EXISTS (SELECT 1 FROM visit_hold AS other WHERE {theirs} AND NEW.starts_at < other.ends_at)"
LAST = (
    "NEW.starts_at < (SELECT other.ends_at FROM visit_hold AS other WHERE {theirs} "
    "ORDER BY other.starts_at DESC LIMIT 1)"
)
THEIRS = (
    "other.resource_id = NEW.resource_id AND other.released_at IS NULL"
    "{but} AND other.starts_at < NEW.ends_at"
)


def _guard(crossed: str) -> None:
    if op.get_context().dialect.name != "sqlite":
        return
    for verb, but in (("INSERT", ""), ("UPDATE", " AND other.id <> NEW.id")):
        name = f"{GUARD}_{verb.lower()}"
        op.execute(f"DROP TRIGGER {name}")
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {verb} ON visit_hold WHEN NEW.released_at IS NULL "
            f"BEGIN SELECT RAISE(ABORT, '{GUARD}') WHERE "
            f"{crossed.format(theirs=THEIRS.format(but=but))}; END"
        )


def upgrade() -> None:
    _guard(LAST)


def downgrade() -> None:
    _guard(ANY)
