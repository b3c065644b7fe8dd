"""Create what is done for a leaver, duty addresses, and the notices of critical flags."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0048"
down_revision = "0047"

OPEN = sa.text("done_at IS NULL AND struck_at IS NULL")
IN_FORCE = sa.text("ended_at IS NULL")
KINDS = (
    "pre_release_contact", "gate_pickup", "release_day_contact", "housing", "gp", "outreach",
    "other",
)  # fmt: skip
OWNERS = ("healthcare", "keyworker", "community", "home_cjit", "host_cjit", "probation")


def _id() -> sa.Column:
    return sa.Column("id", sa.Integer, primary_key=True)


def _to(column: str, table: str, *, nullable: bool = False, **more: bool) -> sa.Column:
    return sa.Column(column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, **more)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def upgrade() -> None:
    op.create_table(
        "leaver_task",
        _id(),
        _to("plan_id", "release_plan", index=True),
        _text("kind"),
        _text("owner"),
        _at("due_at"),
        _text("note", nullable=True),
        _at("done_at", nullable=True),
        _to("done_by", "staff", nullable=True),
        _text("outcome", nullable=True),
        _text("done_says", nullable=True),
        _at("struck_at", nullable=True),
        _to("struck_by", "staff", nullable=True),
        _text("struck_reason", nullable=True),
        _at("recorded_at"),
        _to("recorded_by", "staff"),
        _one_of("kind", KINDS),
        _one_of("owner", OWNERS),
        sa.CheckConstraint("(done_at IS NULL) = (outcome IS NULL)", name="done_with_outcome"),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_reason IS NULL)", name="struck_with_reason"
        ),
    )
    op.create_index(
        "ix_leaver_task_open", "leaver_task", ["due_at"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_table(
        "duty_address",
        _id(),
        _to("site_id", "site"),
        _text("address"),
        _at("ended_at", nullable=True),
        _to("ended_by", "staff", nullable=True),
        _at("recorded_at"),
        _to("recorded_by", "staff"),
    )
    op.create_index(
        "uq_duty_address_in_force", "duty_address", ["site_id"], unique=True,
        sqlite_where=IN_FORCE, postgresql_where=IN_FORCE,
    )  # fmt: skip
    op.create_table(
        "flag_notice",
        _id(),
        _to("flag_id", "release_flag", unique=True),
        _to("site_id", "site"),
        _to("duty_id", "duty_address"),
        sa.Column("tries", sa.Integer, nullable=False),
        _at("intended_at"),
        _at("ended_at", nullable=True),
        _text("outcome", nullable=True),
        _text("says", nullable=True),
    )


def downgrade() -> None:
    op.drop_table("flag_notice")
    op.drop_table("duty_address")
    op.drop_table("leaver_task")
