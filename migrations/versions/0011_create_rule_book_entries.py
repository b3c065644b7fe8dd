"""Create signatures, tighter limits, findings and their reviews; none can be rewritten or deleted."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0011"
down_revision = "0010"

UNCHANGED = ("limit_tightening", "override_review", "dose_finding")
KEPT = ("rule_signature", "limit_tightening", "dose_finding", "override_review")
STANDING = sa.text("withdrawn_at IS NULL")
SAYS = "what was written about the rules is kept as it was"


def _to(table: str, column: str, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index
    )


def _recorded() -> list[sa.Column]:
    return [
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _to("staff", "recorded_by"),
    ]


def _text(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.String, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "rule_signature",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("site", "site_id"),
        sa.Column("rule", sa.String, nullable=False, index=True),
        *_text("rule_set", "edition", "fingerprint", "name", "role", "registration"),
        sa.Column("note", sa.String),
        sa.Column("withdrawn_at", UtcDateTime()),
        _to("staff", "withdrawn_by", nullable=True),
        sa.Column("withdrawn_reason", sa.String),
        *_recorded(),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawn_reason IS NULL)",
            name="withdrawn_by_and_why",
        ),
        sa.CheckConstraint("length(registration) > 0", name="registration"),
    )
    op.create_index(
        "uq_rule_signature_standing", "rule_signature", ["fingerprint"], unique=True,
        sqlite_where=STANDING, postgresql_where=STANDING,
    )  # fmt: skip
    op.create_table(
        "limit_tightening",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("site", "site_id"),
        *_text("rule_set", "rule", "limit_name"),
        sa.Column("nth", sa.Integer, nullable=False),
        sa.Column("value", sa.String),
        sa.Column("from_on", sa.Date, nullable=False),
        *_text("reason"),
        *_recorded(),
        sa.UniqueConstraint(
            "site_id", "rule_set", "rule", "limit_name", "nth",
            name="uq_limit_tightening_site_id_rule_set_rule_limit_name_nth",
        ),
        sa.CheckConstraint("value IS NULL OR length(value) > 0", name="value"),
        sa.CheckConstraint("length(reason) > 0", name="reason"),
        sa.CheckConstraint("nth > 0", name="nth"),
    )  # fmt: skip
    op.create_table(
        "dose_finding",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("site", "site_id"),
        _to("patient", "patient_id"),
        _to("dose_decision", "decision_id", nullable=True, index=True),
        _to("dose_stop", "stop_id", nullable=True, index=True),
        sa.Column("found_on", sa.Date, nullable=False),
        *_text("rule", "rule_set", "severity"),
        sa.Column("reason_code", sa.String),
        *_recorded(),
        sa.CheckConstraint("(decision_id IS NULL) <> (stop_id IS NULL)", name="of_one_order"),
        sa.CheckConstraint("severity IN ('STOP', 'ALERT', 'INFO')", name="severity"),
        sa.CheckConstraint("decision_id IS NULL OR severity <> 'STOP'", name="no_stop_saved"),
    )
    op.create_index("ix_dose_finding_site", "dose_finding", ["site_id", "found_on", "rule"])
    op.create_table(
        "override_review",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("dose_finding", "finding_id", index=True),
        *_text("comment"),
        *_recorded(),
        sa.CheckConstraint("length(comment) > 0", name="comment"),
    )
    postgresql = op.get_context().dialect.name == "postgresql"
    if postgresql:
        op.execute(
            "CREATE FUNCTION rule_book_kept() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{SAYS}'; END $$"
        )
    does = (
        "FOR EACH ROW EXECUTE FUNCTION rule_book_kept()"
        if postgresql
        else f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END"
    )
    for table in KEPT:
        op.execute(f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} {does}")
    for table in UNCHANGED:
        op.execute(f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE ON {table} {does}")


def downgrade() -> None:
    # The triggers go with their tables.
    for table in ("override_review", "dose_finding", "limit_tightening", "rule_signature"):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION rule_book_kept()")
