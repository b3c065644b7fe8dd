"""Create clinical entries, dose decisions and doses taken; nothing of them can be deleted."""

import sqlalchemy as sa
from alembic import op

from clinic.db import Micrograms, UtcDateTime

revision = "0005"
down_revision = "0004"

KEPT = ("clinical_entry", "dose_decision", "dose_event", "dose_stop")
STANDING = sa.text("struck_at IS NULL AND NOT elsewhere")


def _staff(column: str, nullable: bool = True) -> sa.Column:
    return sa.Column(column, sa.Integer, sa.ForeignKey("staff.id"), nullable=nullable)


def _recorded() -> list[sa.Column]:
    return [
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _staff("recorded_by", nullable=False),
    ]


def _struck() -> list[sa.Column | sa.CheckConstraint]:
    return [
        sa.Column("struck_at", UtcDateTime()),
        _staff("struck_by"),
        sa.Column("struck_reason", sa.String),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL)"
            " AND (struck_at IS NULL) = (struck_reason IS NULL)",
            name="struck_by_and_why",
        ),
    ]


def _whose(index: bool = False) -> list[sa.Column]:
    return [
        sa.Column(
            "patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False, index=index
        ),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "record_turn",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.UniqueConstraint("patient_id", name="uq_record_turn_patient_id"),
    )
    op.create_table(
        "clinical_entry",
        sa.Column("id", sa.Integer, primary_key=True),
        *_whose(),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("note", sa.String),
        sa.Column("replaces_id", sa.Integer, sa.ForeignKey("clinical_entry.id")),
        *_recorded(),
        *_struck(),
    )
    for owner in ("patient", "site"):
        op.create_index(
            f"ix_clinical_entry_{owner}_kind",
            "clinical_entry",
            [f"{owner}_id", "kind", "happened_at"],
        )
    op.create_table(
        "dose_decision",
        sa.Column("id", sa.Integer, primary_key=True),
        *_whose(),
        sa.Column("once", sa.String),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("dose_on", sa.Date, nullable=False),
        sa.Column("last_on", sa.Date, nullable=False),
        sa.Column("known_at", UtcDateTime(), nullable=False),
        sa.Column("product", sa.String, nullable=False),
        sa.Column("drug", sa.String, nullable=False),
        sa.Column("dose_micrograms", Micrograms(), nullable=False),
        sa.Column("doses_that_day", sa.Integer, nullable=False),
        sa.Column("first_increment", sa.Integer, nullable=False),
        sa.Column("asked", sa.JSON, nullable=False),
        sa.Column("outside", sa.JSON, nullable=False),
        sa.Column("rule_set", sa.String, nullable=False),
        sa.Column("rule_set_version", sa.String, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("reason_code", sa.String),
        sa.Column("reason", sa.String),
        sa.Column("withdrawn_at", UtcDateTime()),
        _staff("withdrawn_by"),
        sa.Column("withdrawn_reason", sa.String),
        *_recorded(),
        sa.CheckConstraint("outcome IN ('ALERT', 'INFO', 'PASS')", name="never_a_stop"),
        sa.CheckConstraint(
            "outcome <> 'ALERT' OR (reason_code IS NOT NULL AND length(reason) > 0)",
            name="alert_has_reason",
        ),
        sa.CheckConstraint("dose_micrograms > 0 AND doses_that_day > 0", name="dose"),
        sa.CheckConstraint("dose_on <= last_on", name="days"),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawn_reason IS NULL)",
            name="withdrawn_by_and_why",
        ),
    )
    op.create_index("ix_dose_decision_patient", "dose_decision", ["patient_id", "dose_on"])
    op.create_index("ix_dose_decision_site", "dose_decision", ["site_id", "dose_on"])
    op.create_index("uq_dose_decision_once", "dose_decision", ["patient_id", "once"], unique=True)
    op.create_table(
        "dose_event",
        sa.Column("id", sa.Integer, primary_key=True),
        *_whose(),
        sa.Column(
            "decision_id", sa.Integer, sa.ForeignKey("dose_decision.id"), nullable=True, index=True
        ),
        sa.Column("product", sa.String, nullable=False),
        sa.Column("drug", sa.String, nullable=False),
        sa.Column("dose_on", sa.Date, nullable=False),
        sa.Column("increment", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("dose_micrograms", Micrograms()),
        sa.Column("consumed_at", UtcDateTime(), nullable=False),
        sa.Column("supervision", sa.String),
        sa.Column("elsewhere", sa.Boolean, nullable=False),
        sa.Column("place", sa.String),
        sa.Column("observer", sa.String),
        sa.Column("note", sa.String),
        sa.Column("agreed_at", UtcDateTime()),
        _staff("agreed_by"),
        *_recorded(),
        *_struck(),
        sa.CheckConstraint("outcome IN ('taken', 'part', 'not_taken', 'refused')", name="outcome"),
        sa.CheckConstraint(
            "(outcome IN ('taken', 'part')) = (dose_micrograms IS NOT NULL)", name="dose_swallowed"
        ),
        sa.CheckConstraint("dose_micrograms IS NULL OR dose_micrograms > 0", name="dose"),
        sa.CheckConstraint("increment > 0", name="increment"),
        sa.CheckConstraint(
            "agreed_by IS NULL OR (struck_by IS NOT NULL AND agreed_by <> struck_by)",
            name="second_person",
        ),
    )
    op.create_index(
        "uq_dose_event_standing", "dose_event", ["patient_id", "drug", "dose_on", "increment"],
        unique=True, sqlite_where=STANDING, postgresql_where=STANDING,
    )  # fmt: skip
    op.create_table(
        "dose_stop",
        sa.Column("id", sa.Integer, primary_key=True),
        *_whose(index=True),
        sa.Column("stopped_on", sa.Date, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        *_recorded(),
    )
    op.create_index("ix_dose_stop_site", "dose_stop", ["site_id", "stopped_on"])
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION prescribing_kept() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the prescribing record is never deleted'; END $$"
        )
    for table in KEPT:
        if op.get_context().dialect.name == "sqlite":
            op.execute(
                f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the prescribing record is never deleted'); END"
            )
        else:
            op.execute(
                f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION prescribing_kept()"
            )


def downgrade() -> None:
    # The triggers go with their tables.
    for table in ("dose_stop", "dose_event", "dose_decision", "clinical_entry", "record_turn"):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION prescribing_kept()")
