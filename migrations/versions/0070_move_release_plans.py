"""Let a release plan go with the person to the prison that accepts them, and keep when it did.

Plans of people who were accepted already are due at once: the next scoring lets them go.
"""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0070"
down_revision = "0069"

KEPT = "whose a plan was is kept"
TRIGGERS = {
    "release_plan_move_update": "UPDATE ON release_plan_move",
    "release_plan_move_delete": "DELETE ON release_plan_move",
}


def _to(column: str, table: str, *, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index
    )


def _sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def upgrade() -> None:
    op.create_table(
        "release_plan_move",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("plan_id", "release_plan", index=True),
        _to("from_site_id", "site"),
        _to("to_site_id", "site"),
        _to("acceptance_id", "transfer_acceptance"),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _to("recorded_by", "staff", nullable=True),
    )
    for name, stops in TRIGGERS.items():
        does = (
            f"BEGIN SELECT RAISE(ABORT, 'release_history: {KEPT}'); END"
            if _sqlite()
            else f"FOR EACH ROW EXECUTE FUNCTION release_history('{KEPT}')"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {stops} {does}")
    op.execute(
        "UPDATE release_plan SET next_due_at = scored_at WHERE closed_at IS NULL AND patient_id IN "
        "(SELECT reception.patient_id FROM reception JOIN transfer_acceptance "
        "ON transfer_acceptance.reception_id = reception.id "
        "WHERE transfer_acceptance.struck_at IS NULL)"
    )


def downgrade() -> None:
    """A plan that went stays where it is: its prison before is not known any more."""
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name}" + ("" if _sqlite() else " ON release_plan_move"))
    op.drop_table("release_plan_move")
