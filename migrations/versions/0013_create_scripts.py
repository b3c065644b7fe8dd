"""Create prescription forms, their instalments, days and prints, and how each person collects."""

import sqlalchemy as sa
from alembic import op

from clinic.db import Micrograms, UtcDateTime

revision = "0013"
down_revision = "0012"

TABLES = ("collection_regimen", "script", "script_instalment", "script_day", "script_print")
UNSTRUCK = sa.text("struck_at IS NULL")
STANDING = sa.text("released_at IS NULL")
UNCALLED = sa.text("call_due AND called_at IS NULL")


def _to(column: str, table: str, nullable: bool = False, index: bool = False) -> sa.Column:
    key = sa.ForeignKey(f"{table}.id")
    return sa.Column(column, sa.Integer, key, nullable=nullable, index=index)


def _recorded() -> list[sa.Column]:
    return [
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _to("recorded_by", "staff"),
    ]


def upgrade() -> None:
    op.create_table(
        "collection_regimen",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("patient_id", "patient"),
        _to("site_id", "site"),
        _to("premises_id", "premises"),
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("days", sa.JSON, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("answer", sa.JSON),
        sa.Column("outcome", sa.String),
        sa.Column("struck_at", UtcDateTime()),
        _to("struck_by", "staff", nullable=True),
        sa.Column("struck_reason", sa.String),
        *_recorded(),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL)"
            " AND (struck_at IS NULL) = (struck_reason IS NULL)",
            name="struck_by_and_why",
        ),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome IN ('ALERT', 'INFO', 'PASS')", name="never_a_stop"
        ),
    )
    op.create_index(
        "uq_collection_regimen_from", "collection_regimen", ["patient_id", "from_on"],
        unique=True, sqlite_where=UNSTRUCK, postgresql_where=UNSTRUCK,
    )  # fmt: skip
    op.create_table(
        "script",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("patient_id", "patient"),
        _to("site_id", "site"),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("form", sa.String, nullable=False),
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("to_on", sa.Date, nullable=False),
        _to("premises_id", "premises"),
        _to("replaces_id", "script", nullable=True),
        sa.Column("asked", sa.JSON, nullable=False),
        sa.Column("product", sa.String),
        sa.Column("drug", sa.String),
        sa.Column("issued_at", UtcDateTime()),
        _to("issued_by", "staff", nullable=True),
        sa.Column("signed_on", sa.Date),
        sa.Column("start_on", sa.Date),
        sa.Column("valid_until_on", sa.Date),
        sa.Column("last_on", sa.Date),
        sa.Column("total_micrograms", Micrograms()),
        sa.Column("total_thousandths", Micrograms()),
        sa.Column("paper", sa.JSON),
        sa.Column("judged", sa.JSON),
        sa.Column("outcome", sa.String),
        sa.Column("reason_code", sa.String),
        sa.Column("reason", sa.String),
        sa.Column("ended_at", UtcDateTime()),
        _to("ended_by", "staff", nullable=True),
        sa.Column("ended_from_on", sa.Date),
        sa.Column("ended_reason", sa.String),
        sa.Column("call_due", sa.Boolean, nullable=False),
        sa.Column("called_at", UtcDateTime()),
        _to("called_by", "staff", nullable=True),
        sa.Column("called_who", sa.String),
        sa.Column("settled_at", UtcDateTime()),
        _to("settled_by", "staff", nullable=True),
        sa.Column("settled_reason", sa.String),
        *_recorded(),
        sa.CheckConstraint(
            "status IN ('draft', 'issued', 'replaced', 'cancelled', 'discarded')", name="status"
        ),
        sa.CheckConstraint("form IN ('fp10mda', 'wp10mda')", name="form"),
        sa.CheckConstraint("from_on <= to_on", name="dates"),
        sa.CheckConstraint(
            "(status IN ('draft', 'discarded')) = (issued_at IS NULL)"
            " AND (issued_at IS NULL) = (issued_by IS NULL)"
            " AND (issued_at IS NULL) = (signed_on IS NULL)"
            " AND (issued_at IS NULL) = (last_on IS NULL)"
            " AND (issued_at IS NULL) = (outcome IS NULL)",
            name="issued_whole",
        ),
        sa.CheckConstraint("outcome IN ('ALERT', 'INFO', 'PASS')", name="never_a_stop"),
        sa.CheckConstraint(
            "outcome <> 'ALERT' OR (reason_code IS NOT NULL AND length(reason) > 0)",
            name="alert_has_reason",
        ),
        sa.CheckConstraint(
            "(status IN ('replaced', 'cancelled', 'discarded')) = (ended_at IS NOT NULL)"
            " AND (ended_at IS NULL) = (ended_by IS NULL)"
            " AND (ended_at IS NULL) = (ended_reason IS NULL)",
            name="ended_by_and_why",
        ),
        sa.CheckConstraint("(called_at IS NULL) = (called_who IS NULL)", name="called_whom"),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settled_reason IS NULL)", name="settled_with_reason"
        ),
    )
    op.create_index("ix_script_patient", "script", ["patient_id", "from_on"])
    op.create_index("ix_script_site", "script", ["site_id", "status", "last_on"])
    op.create_index(
        "ix_script_uncalled", "script", ["site_id"],
        sqlite_where=UNCALLED, postgresql_where=UNCALLED,
    )  # fmt: skip
    op.create_table(
        "script_instalment",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("script_id", "script"),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("first_on", sa.Date, nullable=False),
        sa.Column("last_on", sa.Date, nullable=False),
        sa.Column("supervised", sa.Boolean, nullable=False),
        sa.Column("total_micrograms", Micrograms(), nullable=False),
        sa.Column("amount_thousandths", Micrograms(), nullable=False),
        sa.UniqueConstraint("script_id", "number"),
        sa.CheckConstraint("due_on <= first_on AND first_on <= last_on", name="dates"),
        sa.CheckConstraint("total_micrograms > 0 AND amount_thousandths > 0", name="amount"),
    )
    op.create_index("ix_script_instalment_due", "script_instalment", ["due_on"])
    op.create_table(
        "script_day",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("script_id", "script", index=True),
        _to("decision_id", "dose_decision"),
        _to("patient_id", "patient"),
        sa.Column("drug", sa.String, nullable=False),
        sa.Column("dose_on", sa.Date, nullable=False),
        sa.Column("dose_micrograms", Micrograms(), nullable=False),
        sa.Column("supervised", sa.Boolean, nullable=False),
        sa.Column("released_at", UtcDateTime()),
        sa.CheckConstraint("dose_micrograms > 0", name="dose"),
    )
    # Two issued forms of one person and drug never cover the same date.
    op.create_index(
        "uq_script_day_standing", "script_day", ["patient_id", "drug", "dose_on"],
        unique=True, sqlite_where=STANDING, postgresql_where=STANDING,
    )  # fmt: skip
    op.create_index(
        "ix_script_day_decision", "script_day", ["decision_id"],
        sqlite_where=STANDING, postgresql_where=STANDING,
    )  # fmt: skip
    op.create_table(
        "script_print",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("script_id", "script"),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("printed_at", UtcDateTime(), nullable=False),
        _to("printed_by", "staff"),
        sa.Column("reason", sa.String),
        sa.UniqueConstraint("script_id", "number"),
        sa.CheckConstraint("(number = 1) = (reason IS NULL)", name="reprint_with_reason"),
    )
    for table in TABLES:
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
    for table in reversed(TABLES):
        op.drop_table(table)
