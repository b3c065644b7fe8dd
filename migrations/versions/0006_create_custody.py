"""Create receptions, the facts of a stay, and the timetables worked out from them."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0006"
down_revision = "0005"

STANDING = sa.text("known_until IS NULL")
IN_CUSTODY = sa.text("left_at IS NULL AND undone_at IS NULL")
OPEN = sa.text("state = 'open'")


def _id() -> sa.Column:
    return sa.Column("id", sa.Integer, primary_key=True)


def _recorded() -> list[sa.Column]:
    return [
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
    ]


def _fact(table: str, *columns: sa.schema.SchemaItem, one_standing: bool = False) -> None:
    """A table of facts of a stay: its own columns, from and until which version they stood."""
    op.create_table(
        table,
        _id(),
        sa.Column(
            "reception_id", sa.Integer, sa.ForeignKey("reception.id"), nullable=False, index=True
        ),
        *columns,
        sa.Column("known_from", sa.Integer, nullable=False),
        sa.Column("known_until", sa.Integer),
        sa.Column("struck_at", UtcDateTime()),
        sa.Column("struck_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("struck_reason", sa.String),
        *_recorded(),
        sa.CheckConstraint(
            "(known_until IS NULL) = (struck_reason IS NULL)", name="struck_with_reason"
        ),
    )
    if one_standing:
        op.create_index(
            f"uq_{table}_standing", table, ["reception_id"], unique=True,
            sqlite_where=STANDING, postgresql_where=STANDING,
        )  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "reception",
        _id(),
        sa.Column(
            "patient_id", sa.Integer, sa.ForeignKey("patient.id"), nullable=False, index=True
        ),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False, index=True),
        sa.Column("day_count", sa.String, nullable=False),
        sa.Column("plan_made_on", sa.Date, nullable=False),
        sa.Column("left_at", UtcDateTime()),
        sa.Column("undone_at", UtcDateTime()),
        sa.Column("undone_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("undone_reason", sa.String),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("changed_what", sa.String, nullable=False),
        *_recorded(),
        sa.CheckConstraint(
            "(undone_at IS NULL) = (undone_reason IS NULL)", name="undone_with_reason"
        ),
    )
    op.create_index(
        "uq_reception_in_custody", "reception", ["patient_id", "site_id"], unique=True,
        sqlite_where=IN_CUSTODY, postgresql_where=IN_CUSTODY,
    )  # fmt: skip
    _fact(
        "reception_detail",
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("screening", sa.String, nullable=False),
        sa.Column("heightened_risk", sa.Boolean),
        sa.Column("ppo", sa.Boolean),
        sa.Column("group_suitability", sa.String),
        sa.Column("needs_post_28_programme", sa.Boolean),
        sa.CheckConstraint("screening IN ('positive', 'negative', 'not_done')", name="screening"),
        one_standing=True,
    )
    _fact(
        "hearing",
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("known_at", UtcDateTime(), nullable=False),
        sa.Column("court", sa.String),
        sa.Column("outcome", sa.String),
    )
    _fact(
        "known_release",
        sa.Column("on", sa.Date, nullable=False),
        sa.Column("known_at", UtcDateTime(), nullable=False),
        one_standing=True,
    )
    _fact(
        "transfer",
        sa.Column("on", sa.Date, nullable=False),
        sa.Column("booked_on", sa.Date, nullable=False),
        sa.Column("receiving_site_id", sa.Integer, sa.ForeignKey("site.id"), index=True),
        sa.Column("receiving_prison", sa.String, nullable=False),
        sa.Column("nation", sa.String, nullable=False),
        sa.Column("prescriber_cover", sa.Boolean),
        one_standing=True,
    )
    _fact(
        "custody_exit",
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("how", sa.String, nullable=False),
        sa.CheckConstraint("how IN ('court', 'release', 'transfer', 'died')", name="how"),
        one_standing=True,
    )
    _fact(
        "unavailable",
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("to_on", sa.Date),
        sa.Column("place", sa.String, nullable=False),
        sa.CheckConstraint(
            "place IN ('segregation', 'healthcare', 'hospital', 'other')", name="place"
        ),
    )
    _fact(
        "delivery",
        sa.Column("item", sa.String, nullable=False),
        sa.Column("for_on", sa.Date),
        sa.Column("done_at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.JSON, nullable=False),
        sa.Column("done_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("topic", sa.String),
        sa.Column("mode", sa.String),
        sa.Column("note", sa.String),
        sa.CheckConstraint("outcome IN ('delivered', 'declined')", name="outcome"),
    )
    op.create_table(
        "timetable",
        _id(),
        sa.Column("reception_id", sa.Integer, sa.ForeignKey("reception.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("plan_made_on", sa.Date, nullable=False),
        sa.Column("calendar_version", sa.String, nullable=False),
        sa.Column("because", sa.String, nullable=False),
        sa.Column("elsewhere", sa.JSON, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.UniqueConstraint("reception_id", "version", name="uq_timetable_reception_id_version"),
    )
    op.create_table(
        "timetable_item",
        _id(),
        sa.Column("timetable_id", sa.Integer, sa.ForeignKey("timetable.id"), nullable=False),
        sa.Column(
            "reception_id", sa.Integer, sa.ForeignKey("reception.id"), nullable=False, index=True
        ),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id")),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("item", sa.String, nullable=False),
        sa.Column("for_on", sa.Date),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("escalate_to", sa.String),
        sa.Column("hard", sa.Boolean, nullable=False),
        sa.Column("due_on", sa.Date),
        sa.Column("due_at", UtcDateTime()),
        sa.Column("deadline", UtcDateTime()),
        sa.Column("amber_from", UtcDateTime()),
        sa.Column("done_at", UtcDateTime()),
        sa.Column("state", sa.String, nullable=False),
        sa.UniqueConstraint("timetable_id", "place", name="uq_timetable_item_timetable_id_place"),
        sa.CheckConstraint(
            "state IN ('open', 'done', 'not_required', 'closed_left', 'superseded')", name="state"
        ),
    )
    op.create_index(
        "ix_timetable_item_open", "timetable_item", ["site_id", "deadline"],
        sqlite_where=OPEN, postgresql_where=OPEN,
    )  # fmt: skip
    op.create_table(
        "day_count_choice",
        _id(),
        sa.Column("site_id", sa.Integer, sa.ForeignKey("site.id"), nullable=False, index=True),
        sa.Column("day_count", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("from_on", sa.Date, nullable=False),
        sa.Column("to_on", sa.Date),
        *_recorded(),
        sa.CheckConstraint(
            "day_count IN ('reception_is_day_1', 'day_after_reception_is_day_1')",
            name="day_count",
        ),
    )
    _keep_timetables_as_saved()


def _keep_timetables_as_saved() -> None:
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER timetable_no_{verb.lower()} BEFORE {verb} ON timetable "
                "BEGIN SELECT RAISE(ABORT, 'timetable_kept: a saved timetable is never changed'); "
                "END"
            )
    else:
        op.execute(
            "CREATE FUNCTION timetable_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'timetable_kept: a saved timetable is never changed'; END $$"
        )
        op.execute(
            "CREATE TRIGGER timetable_no_change BEFORE UPDATE OR DELETE ON timetable "
            "FOR EACH ROW EXECUTE FUNCTION timetable_refuse()"
        )


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER timetable_no_{verb}")
    else:
        op.execute("DROP TRIGGER timetable_no_change ON timetable")
        op.execute("DROP FUNCTION timetable_refuse()")
    for table in (
        "day_count_choice", "timetable_item", "timetable", "delivery", "unavailable",
        "custody_exit", "transfer", "known_release", "hearing", "reception_detail", "reception",
    ):  # fmt: skip
        op.drop_table(table)
