"""Create referrals, the rota, and visits; refuse double booking in the database itself."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0004"
down_revision = "0003"


def _recorded() -> list[sa.Column]:
    return [
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
    ]


def _to(column: str, table: str, *, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index
    )


def _event(of: str) -> list[sa.Column]:
    return [
        sa.Column("id", sa.Integer, primary_key=True),
        _to(f"{of}_id", of, index=True),
        sa.Column("verb", sa.String, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("by_whom", sa.String),
        sa.Column("note", sa.String),
        sa.Column("state", sa.JSON, nullable=False),
        *_recorded(),
    ]


def upgrade() -> None:
    op.create_table(
        "resource",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        _to("staff_id", "staff", nullable=True),
        _to("site_id", "site", nullable=True),
        sa.Column("name", sa.String),
        sa.UniqueConstraint("staff_id", name="uq_resource_staff_id"),
        sa.CheckConstraint("(kind = 'staff') = (staff_id IS NOT NULL)", name="staff"),
        sa.CheckConstraint("(kind = 'staff') = (site_id IS NULL)", name="site"),
    )
    op.create_table(
        "rota_pattern",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("site_id", "site", index=True),
        sa.Column("weekday", sa.Integer, nullable=False),
        sa.Column("starts", sa.Time, nullable=False),
        sa.Column("ends", sa.Time, nullable=False),
        sa.Column("slot_minutes", sa.Integer, nullable=False),
        _to("doctor_id", "staff", index=True),
        _to("worker_id", "staff", index=True),
        sa.Column("despite_holiday", sa.Boolean, nullable=False),
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("to_on", sa.Date),
        sa.Column("ended_at", UtcDateTime()),
        _to("ended_by", "staff", nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        *_recorded(),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        sa.CheckConstraint("starts < ends", name="times"),
        sa.CheckConstraint("slot_minutes > 0", name="slot_minutes"),
        sa.CheckConstraint("doctor_id <> worker_id", name="two_people"),
        sa.CheckConstraint("to_on IS NULL OR from_on <= to_on", name="dates"),
        sa.CheckConstraint("NOT despite_holiday OR from_on = to_on", name="despite_holiday"),
    )
    op.create_table(
        "rota_day_off",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("pattern_id", "rota_pattern"),
        sa.Column("on", sa.Date, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("withdrawn_at", UtcDateTime()),
        _to("withdrawn_by", "staff", nullable=True),
        *_recorded(),
    )
    _unique_while("uq_rota_day_off_standing", "rota_day_off", ["pattern_id", "on"],
                  "withdrawn_at IS NULL")  # fmt: skip
    op.create_table(
        "referral",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("patient_id", "patient", index=True),
        _to("site_id", "site"),
        _to("received_by", "staff"),
        sa.Column("referred_at", UtcDateTime(), nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("drugs", sa.JSON, nullable=False),
        sa.Column("risk", sa.String),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("seen_at", UtcDateTime()),
        sa.Column("support_at", UtcDateTime()),
        sa.Column("sent_to", sa.String),
        sa.Column("sent_to_name", sa.String),
        sa.Column("outside_at", UtcDateTime()),
        sa.Column("closed_because", sa.String),
        sa.Column("version", sa.Integer, nullable=False),
        *_recorded(),
        sa.CheckConstraint("status IN ('waiting', 'seen', 'closed')", name="status"),
        sa.CheckConstraint("status <> 'seen' OR seen_at IS NOT NULL", name="seen"),
    )
    _unique_while(
        "uq_referral_waiting", "referral", ["patient_id", "site_id"], "status = 'waiting'"
    )
    op.create_index("ix_referral_site_status", "referral", ["site_id", "status"])
    op.create_table("referral_event", *_event("referral"))
    op.create_table(
        "visit",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("patient_id", "patient", index=True),
        _to("site_id", "site"),
        _to("referral_id", "referral", nullable=True, index=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        _to("doctor_id", "staff", nullable=True),
        _to("worker_id", "staff", nullable=True),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        *_recorded(),
        sa.CheckConstraint(
            "status IN ('booked', 'arrived', 'did_not_attend', 'cancelled')", name="status"
        ),
        sa.CheckConstraint("starts_at < ends_at", name="times"),
    )
    _unique_while(
        "uq_visit_booked_for_referral", "visit", ["referral_id", "kind"], "status = 'booked'"
    )
    op.create_index("ix_visit_site_starts", "visit", ["site_id", "starts_at"])
    op.create_table(
        "visit_hold",
        sa.Column("id", sa.Integer, primary_key=True),
        _to("visit_id", "visit", index=True),
        _to("resource_id", "resource"),
        sa.Column("needed_as", sa.String, nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("released_at", UtcDateTime()),
        sa.CheckConstraint("starts_at < ends_at", name="times"),
    )
    op.create_index("ix_visit_hold_resource_starts", "visit_hold", ["resource_id", "starts_at"])
    op.create_table("visit_event", *_event("visit"))

    _no_overlap("visit_hold_no_overlap", "visit_hold", "resource_id", "{row}released_at IS NULL")
    _no_overlap(
        "visit_no_overlap_for_patient", "visit", "patient_id",
        "{row}status IN ('booked', 'arrived')",
    )  # fmt: skip


def _unique_while(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=True, sqlite_where=where, postgresql_where=where)


def _no_overlap(name: str, table: str, owner: str, stands: str) -> None:
    """Refuse two standing rows of one owner whose times cross; touching ends do not cross.

    PostgreSQL needs no extension: the owner is written as a range of one number, which GiST can
    index. SQLite checks in triggers, which see every earlier write because writers take turns.
    """
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} EXCLUDE USING gist ("
            f"int4range({owner}, {owner}, '[]') WITH &&, "
            "tstzrange(starts_at, ends_at, '[)') WITH &&) "
            f"WHERE ({stands.format(row='')})"
        )
        return
    # The names put into the text are this file's own.
    for verb, another in (("INSERT", ""), ("UPDATE", "AND other.id <> NEW.id ")):
        op.execute(
            f"CREATE TRIGGER {name}_{verb.lower()} BEFORE {verb} ON {table} "  # noqa: S608
            f"WHEN {stands.format(row='NEW.')} "
            f"BEGIN SELECT RAISE(ABORT, '{name}') WHERE EXISTS ("
            f"SELECT 1 FROM {table} AS other WHERE other.{owner} = NEW.{owner} "
            f"AND {stands.format(row='other.')} "
            f"{another}AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at); END"
        )


def downgrade() -> None:
    # Guards, indexes and triggers go with their tables.
    for table in (
        "visit_event", "visit_hold", "visit", "referral_event", "referral", "rota_day_off",
        "rota_pattern", "resource",
    ):  # fmt: skip
        op.drop_table(table)
