"""Create gate checks, broken gates, doses vomited and handed over, places, contacts; all are kept."""

import sqlalchemy as sa
from alembic import op

from clinic.db import Micrograms, UtcDateTime

revision = "0016"
down_revision = "0015"

TABLES = (
    "gate_check", "broken_gate", "dose_vomited", "consumption_place", "dispensed_dose",
    "contact_attempt", "pharmacy_staff",
)  # fmt: skip
STANDING = sa.text("struck_at IS NULL")


def _to(table: str, column: str, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index
    )


def _whose(index: bool = False) -> list[sa.Column]:
    return [
        sa.Column("id", sa.Integer, primary_key=True),
        _to("patient", "patient_id", index=index),
        _to("site", "site_id"),
    ]


def _recorded() -> list[sa.Column]:
    return [
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _to("staff", "recorded_by"),
    ]


def _struck() -> list[sa.Column | sa.CheckConstraint]:
    return [
        *_recorded(),
        sa.Column("struck_at", UtcDateTime()),
        _to("staff", "struck_by", nullable=True),
        sa.Column("struck_reason", sa.String),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_by IS NULL)"
            " AND (struck_at IS NULL) = (struck_reason IS NULL)",
            name="struck_by_and_why",
        ),
    ]


def _unique(table: str, *columns: str) -> None:
    op.create_index(
        f"uq_{table}_standing", table, list(columns), unique=True,
        sqlite_where=STANDING, postgresql_where=STANDING,
    )  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "gate_check",
        *_whose(),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=False),
        sa.Column("clear", sa.Boolean, nullable=False),
        sa.Column("how", sa.String),
        sa.Column("signs", sa.JSON, nullable=False),
        sa.Column("note", sa.String),
        _to("clinical_entry", "entry_id", nullable=True),
        *_struck(),
        sa.CheckConstraint("kind IN ('identity', 'intoxication')", name="kind"),
        sa.CheckConstraint("kind <> 'identity' OR how IS NOT NULL", name="identity_how"),
    )
    op.create_index("ix_gate_check_patient", "gate_check", ["patient_id", "kind", "checked_at"])
    op.create_table(
        "broken_gate",
        *_whose(index=True),
        sa.Column("kind", sa.String, nullable=False),
        _to("dose_decision", "decision_id", nullable=True),
        sa.Column("dose_on", sa.Date, nullable=False),
        sa.Column("increment", sa.Integer, nullable=False),
        sa.Column("gates", sa.JSON, nullable=False),
        sa.Column("broken_at", UtcDateTime(), nullable=False),
        sa.Column("reason_code", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("acknowledged_at", UtcDateTime()),
        _to("staff", "acknowledged_by", nullable=True),
        sa.Column("acknowledged_note", sa.String),
        *_recorded(),
        sa.CheckConstraint("kind IN ('glass', 'incident')", name="kind"),
        sa.CheckConstraint("length(reason) > 0", name="reason"),
        sa.CheckConstraint(
            "(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="acknowledged_by"
        ),
        sa.CheckConstraint(
            "acknowledged_by IS NULL OR acknowledged_by <> recorded_by", name="second_person"
        ),
    )
    op.create_index("ix_broken_gate_dose", "broken_gate", ["decision_id", "dose_on", "increment"])
    op.create_index("ix_broken_gate_site", "broken_gate", ["site_id", "acknowledged_at"])
    op.create_table(
        "dose_vomited",
        *_whose(index=True),
        _to("dose_event", "dose_id"),
        sa.Column("vomited_at", UtcDateTime(), nullable=False),
        sa.Column("seen", sa.String, nullable=False),
        sa.Column("seen_by", sa.String),
        sa.Column("note", sa.String),
        *_struck(),
    )
    _unique("dose_vomited", "dose_id")
    op.create_table(
        "consumption_place",
        *_whose(),
        sa.Column("kind", sa.String, nullable=False),
        _to("premises", "premises_id", nullable=True),
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("note", sa.String),
        *_struck(),
        sa.CheckConstraint("kind IN ('on_site', 'pharmacy')", name="kind"),
        sa.CheckConstraint("(kind = 'pharmacy') = (premises_id IS NOT NULL)", name="premises"),
    )
    _unique("consumption_place", "patient_id", "from_on")
    op.create_index("ix_consumption_place_premises", "consumption_place", ["premises_id"])
    op.create_table(
        "dispensed_dose",
        *_whose(),
        _to("dose_decision", "decision_id", index=True),
        sa.Column("product", sa.String, nullable=False),
        sa.Column("drug", sa.String, nullable=False),
        sa.Column("dose_on", sa.Date, nullable=False),
        sa.Column("increment", sa.Integer, nullable=False),
        sa.Column("dose_micrograms", Micrograms(), nullable=False),
        sa.Column("how", sa.String, nullable=False),
        sa.Column("handed_at", UtcDateTime(), nullable=False),
        _to("premises", "premises_id", nullable=True),
        sa.Column("place", sa.String),
        sa.Column("note", sa.String),
        *_struck(),
        sa.CheckConstraint("how IN ('supervised', 'take_home')", name="how"),
        sa.CheckConstraint("dose_micrograms > 0", name="dose"),
        sa.CheckConstraint("increment > 0", name="increment"),
    )
    _unique("dispensed_dose", "patient_id", "drug", "dose_on", "increment")
    op.create_table(
        "contact_attempt",
        *_whose(),
        sa.Column("tried_at", UtcDateTime(), nullable=False),
        sa.Column("how", sa.String, nullable=False),
        sa.Column("result", sa.String, nullable=False),
        sa.Column("note", sa.String),
        *_struck(),
    )
    op.create_index("ix_contact_attempt_patient", "contact_attempt", ["patient_id", "tried_at"])
    op.create_table(
        "pharmacy_staff",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("staff", "staff_id", index=True),
        _to("site", "site_id"),
        _to("premises", "premises_id"),
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("to_on", sa.Date),
        *_recorded(),
    )
    for table in TABLES:
        keep = "FOR EACH ROW EXECUTE FUNCTION prescribing_kept()"
        if op.get_context().dialect.name == "sqlite":
            keep = "BEGIN SELECT RAISE(ABORT, 'the prescribing record is never deleted'); END"
        op.execute(f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} {keep}")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
