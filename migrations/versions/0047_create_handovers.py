"""Create hand-overs and their steps."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0047"
down_revision = "0046"

HOW = ("secure_email", "telephone", "fax", "post", "by_hand", "this_system")
KEPT = "handover_kept: a hand-over is replaced by another, never rewritten"
TRIGGERS = {
    "handover_update": "UPDATE OF patient_id, plan_id, from_site_id, to_site_id, recipient, "
    "package, digest, replaces_id, recorded_at, recorded_by ON release_handover",
    "handover_delete": "DELETE ON release_handover",
    "handover_step_update": "UPDATE ON release_handover_step",
    "handover_step_delete": "DELETE ON release_handover_step",
}


def _sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _to(column: str, table: str, *, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _one_of(column: str, values: tuple[str, ...], *, nullable: bool = False) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    known = f"{column} IN ({listed})"
    return sa.CheckConstraint(f"{column} IS NULL OR {known}" if nullable else known, name=column)


def _table(name: str, *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer, primary_key=True),
        *columns,
        _at("recorded_at"),
        _to("recorded_by", "staff"),
    )


def upgrade() -> None:
    _table(
        "release_handover",
        _to("patient_id", "patient", index=True),
        _to("plan_id", "release_plan", index=True),
        _to("from_site_id", "site"),
        _to("to_site_id", "site", nullable=True),
        _text("recipient"),
        sa.Column("package", sa.JSON, nullable=False),
        _text("digest"),
        _text("basis", nullable=True),
        _text("because", nullable=True),
        _text("state"),
        _at("sent_at", nullable=True),
        _at("answer_by", nullable=True),
        _to("replaces_id", "release_handover", nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        _one_of("state", ("prepared", "sent", "accepted", "refused", "withdrawn")),
        _one_of("basis", ("consent", "lawful_basis", "safety"), nullable=True),
        sa.CheckConstraint(
            "state <> 'sent' OR (sent_at IS NOT NULL AND basis IS NOT NULL)",
            name="sent_on_a_basis",
        ),
    )
    op.create_index("ix_release_handover_from_state", "release_handover", ["from_site_id", "state"])
    op.create_index("ix_release_handover_to_state", "release_handover", ["to_site_id", "state"])
    _table(
        "release_handover_step",
        _to("handover_id", "release_handover", index=True),
        _text("verb"),
        _at("at"),
        _text("how", nullable=True),
        _text("who", nullable=True),
        _text("proof", nullable=True),
        _text("says", nullable=True),
        sa.Column("state", sa.JSON, nullable=False),
        _one_of(
            "verb",
            ("prepared", "basis", "sent", "accepted", "refused", "withdrawn", "taken_back"),
        ),
        _one_of("how", HOW, nullable=True),
    )
    _keep()


def _keep() -> None:
    if _sqlite():
        for name, stops in TRIGGERS.items():
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {stops} BEGIN SELECT RAISE(ABORT, '{KEPT}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION handover_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION '{KEPT}'; END $$"
    )
    for name, stops in TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {stops} FOR EACH ROW EXECUTE FUNCTION handover_kept()"
        )


def downgrade() -> None:
    for name, stops in TRIGGERS.items():
        on = "" if _sqlite() else f" ON {stops.rpartition(' ON ')[2]}"
        op.execute(f"DROP TRIGGER {name}{on}")
    if not _sqlite():
        op.execute("DROP FUNCTION handover_kept()")
    op.drop_table("release_handover_step")
    op.drop_table("release_handover")
