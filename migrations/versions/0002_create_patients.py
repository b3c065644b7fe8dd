"""Create patients, their numbers and names, each site's caseload, and break-glass."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0002"
down_revision = "0001"

OPEN = sa.text("ended_at IS NULL")


def _recorded() -> list[sa.Column]:
    return [
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
    ]


def _patient(index: bool = True) -> sa.Column:
    return sa.Column(
        "patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False, index=index
    )


def upgrade() -> None:
    op.create_table(
        "patient",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("family_name", sa.String, nullable=False, index=True),
        sa.Column("given_name", sa.String, nullable=False),
        sa.Column("title", sa.String),
        sa.Column("born_on", sa.Date, nullable=False),
        sa.Column("sex", sa.String, nullable=False),
        sa.Column("gender", sa.String),
        sa.Column("ethnicity", sa.String),
        sa.Column("ppo", sa.Boolean),
        sa.Column("died_on", sa.Date),
        sa.Column("merged_into_id", sa.Integer, sa.ForeignKey("patient.id")),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("sex IN ('female', 'male', 'unknown')", name="sex"),
    )
    op.create_table(
        "patient_identifier",
        sa.Column("id", sa.Integer, primary_key=True),
        _patient(),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("value", sa.String, nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("ended_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("ended_reason", sa.String),
        *_recorded(),
    )
    op.create_index(
        "uq_patient_identifier_current", "patient_identifier", ["kind", "value"], unique=True,
        sqlite_where=OPEN, postgresql_where=OPEN,
    )  # fmt: skip
    op.create_table(
        "patient_alias",
        sa.Column("id", sa.Integer, primary_key=True),
        _patient(),
        sa.Column("family_name", sa.String, nullable=False, index=True),
        sa.Column("given_name", sa.String, nullable=False),
        *_recorded(),
    )
    op.create_table(
        "patient_change",
        sa.Column("id", sa.Integer, primary_key=True),
        _patient(),
        sa.Column("field", sa.String, nullable=False),
        sa.Column("was", sa.String),
        sa.Column("became", sa.String),
        sa.Column("reason", sa.String),
        *_recorded(),
    )
    op.create_table(
        "patient_merge",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kept_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("merged_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("undone_at", UtcDateTime()),
        sa.Column("undone_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("undone_reason", sa.String),
        *_recorded(),
    )
    op.create_table(
        "patient_alert",
        sa.Column("id", sa.Integer, primary_key=True),
        _patient(),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("says", sa.String, nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("ended_by", sa.Integer, sa.ForeignKey("staff.id")),
        *_recorded(),
    )
    op.create_table(
        "registration",
        sa.Column("id", sa.Integer, primary_key=True),
        _patient(index=False),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("ended_reason", sa.String),
        *_recorded(),
    )
    op.create_index(
        "uq_registration_open", "registration", ["patient_id", "site_id"], unique=True,
        sqlite_where=OPEN, postgresql_where=OPEN,
    )  # fmt: skip
    op.create_index("ix_registration_site_open", "registration", ["site_id", "ended_at"])
    op.create_table(
        "allocation",
        sa.Column("id", sa.Integer, primary_key=True),
        _patient(index=False),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("staff_id", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("reason", sa.String),
        *_recorded(),
    )
    op.create_index(
        "uq_allocation_current", "allocation", ["patient_id", "site_id", "kind"], unique=True,
        sqlite_where=OPEN, postgresql_where=OPEN,
    )  # fmt: skip
    op.create_index("ix_allocation_staff_open", "allocation", ["staff_id", "ended_at"])
    op.create_table(
        "break_glass",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("staff_id", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False, index=True),
        _patient(index=False),
        sa.Column("reason_code", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("until_at", UtcDateTime(), nullable=False),
        sa.Column("seen_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("seen_at", UtcDateTime()),
        sa.UniqueConstraint(
            "staff_id", "patient_id", "opened_at",
            name="uq_break_glass_staff_id_patient_id_opened_at",
        ),
    )  # fmt: skip


def downgrade() -> None:
    for table in (
        "break_glass", "allocation", "registration", "patient_alert", "patient_merge",
        "patient_change", "patient_alias", "patient_identifier", "patient",
    ):  # fmt: skip
        op.drop_table(table)
