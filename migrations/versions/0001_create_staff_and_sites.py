"""Create staff, sites and the dated rows that hang off them."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0001"
down_revision = None

OPEN = sa.text("withdrawn_on IS NULL")


def _recorded(by: str = "staff.id") -> list[sa.Column]:
    return [
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey(by), nullable=False),
    ]


def _dated() -> list[sa.Column]:
    return [
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("to_on", sa.Date),
    ]


def _site() -> sa.Column:
    return sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False, index=True)


def _staff() -> sa.Column:
    return sa.Column("staff_id", sa.Integer, sa.ForeignKey("staff.id"), nullable=False, index=True)


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("email", sa.String, nullable=False),
        sa.Column("password_hash", sa.String),
        sa.Column("registration", sa.String),
        sa.Column("left_on", sa.Date),
        sa.UniqueConstraint("email", name="uq_staff_email"),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("nation", sa.String, nullable=False),
        sa.Column("ods_code", sa.String),
        sa.Column("area", sa.String),
        sa.Column("address", sa.String),
        sa.Column("telephone", sa.String),
        sa.Column("out_of_hours_line", sa.String),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("name", name="uq_site_name"),
        sa.CheckConstraint("kind IN ('community', 'prison')", name="kind"),
    )
    op.create_table(
        "site_change",
        sa.Column("id", sa.Integer, primary_key=True),
        _site(),
        sa.Column("field", sa.String, nullable=False),
        sa.Column("was", sa.String),
        sa.Column("became", sa.String),
        *_recorded(),
    )
    op.create_table(
        "site_model",
        sa.Column("id", sa.Integer, primary_key=True),
        _site(),
        sa.Column("model", sa.Integer, nullable=False),
        sa.Column("reason", sa.String),
        *_dated(),
        *_recorded(),
        sa.CheckConstraint("model BETWEEN 1 AND 3", name="model"),
    )
    op.create_table(
        "rule_set_choice",
        sa.Column("id", sa.Integer, primary_key=True),
        _site(),
        sa.Column("rule_set", sa.String, nullable=False),
        *_dated(),
        *_recorded(),
    )
    op.create_table(
        "site_feature",
        sa.Column("id", sa.Integer, primary_key=True),
        _site(),
        sa.Column("feature", sa.String, nullable=False),
        *_dated(),
        *_recorded(),
    )
    op.create_table(
        "site_closure",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("on", sa.Date, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("withdrawn_on", sa.Date),
        *_recorded(),
    )
    op.create_index(
        "uq_site_closure_open", "site_closure", ["site_id", "on"], unique=True,
        sqlite_where=OPEN, postgresql_where=OPEN,
    )  # fmt: skip
    op.create_table(
        "calendar_change",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("nation", sa.String, nullable=False),
        sa.Column("on", sa.Date, nullable=False),
        sa.Column("change", sa.String, nullable=False),
        sa.Column("announced_on", sa.Date),
        sa.Column("name", sa.String),
        sa.Column("withdrawn_on", sa.Date),
        *_recorded(),
    )
    op.create_index(
        "uq_calendar_change_open", "calendar_change", ["nation", "on"], unique=True,
        sqlite_where=OPEN, postgresql_where=OPEN,
    )  # fmt: skip
    op.create_table(
        "staff_role",
        sa.Column("id", sa.Integer, primary_key=True),
        _staff(),
        _site(),
        sa.Column("role", sa.String, nullable=False),
        *_dated(),
        *_recorded(),
    )
    op.create_table(
        "prescriber_level",
        sa.Column("id", sa.Integer, primary_key=True),
        _staff(),
        sa.Column("level", sa.String, nullable=False),
        *_dated(),
        *_recorded(),
    )
    op.create_table(
        "staff_competence",
        sa.Column("id", sa.Integer, primary_key=True),
        _staff(),
        sa.Column("competence", sa.String, nullable=False),
        *_dated(),
        *_recorded(),
    )
    op.create_table(
        "site_post",
        sa.Column("id", sa.Integer, primary_key=True),
        _site(),
        sa.Column("post", sa.String, nullable=False),
        sa.Column("staff_id", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        *_dated(),
        *_recorded(),
    )
    op.create_table(
        "staff_session",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token_hash", sa.String, nullable=False),
        sa.Column("staff_id", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.UniqueConstraint("token_hash", name="uq_staff_session_token_hash"),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_sign_in_attempt_key_at", "sign_in_attempt", ["key", "at"])
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token_hash", sa.String, nullable=False),
        sa.Column("label", sa.String, nullable=False),
        sa.Column("staff_id", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime()),
        sa.Column("revoked_by", sa.Integer, sa.ForeignKey("staff.id")),
        *_recorded(),
        sa.UniqueConstraint("token_hash", name="uq_api_token_token_hash"),
    )


def downgrade() -> None:
    for table in (
        "api_token", "sign_in_attempt", "staff_session", "site_post", "staff_competence",
        "prescriber_level", "staff_role", "calendar_change", "site_closure", "site_feature",
        "rule_set_choice", "site_model", "site_change", "site", "staff",
    ):  # fmt: skip
        op.drop_table(table)
