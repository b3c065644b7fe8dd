"""Create groups: material, half-days, sessions, seats; refuse in the database what must not be."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0038"
down_revision = "0037"

ENDED = sa.text("ended_at IS NULL")
SEATED = sa.text("state <> 'released'")

# Everybody a person may be known as: joined records, up and down.
_JOINED = (
    "SELECT other.id FROM {found} JOIN patient AS me ON me.id = {found}.id "
    "JOIN patient AS other ON other.id = me.merged_into_id OR other.merged_into_id = me.id"
)
KEPT_APART = (  # the words put into it are this file's own
    "WITH RECURSIVE mine(id) AS (SELECT patient_id FROM reception WHERE id = NEW.reception_id "  # noqa: S608
    f"UNION {_JOINED.format(found='mine')}), "
    "apart(id) AS (SELECT CASE WHEN pair.one_id = mine.id THEN pair.other_id ELSE pair.one_id END "
    "FROM non_association AS pair JOIN mine ON mine.id IN (pair.one_id, pair.other_id) "
    f"WHERE pair.ended_at IS NULL UNION {_JOINED.format(found='apart')}) "
    "SELECT 1 FROM group_seat AS seat JOIN reception ON reception.id = seat.reception_id "
    "JOIN apart ON apart.id = reception.patient_id "
    "WHERE seat.session_id = NEW.session_id AND seat.state <> 'released' AND seat.id <> {own}"
)
ON_OFFER = (
    "SELECT 1 FROM group_session AS offered WHERE offered.id = NEW.session_id "
    "AND offered.status = 'published' AND NEW.number <= offered.places "
    "AND offered.starts_at = NEW.starts_at AND offered.ends_at = NEW.ends_at"
)


def _postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def _id() -> sa.Column:
    return sa.Column("id", sa.Integer, primary_key=True)


def _to(column: str, table: str, *, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index
    )


def _text(column: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(column, sa.String, nullable=nullable)


def _recorded() -> list[sa.Column]:
    return [
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _to("recorded_by", "staff"),
    ]


def _ends() -> list[sa.Column]:
    return [
        *_recorded(),
        sa.Column("ended_at", UtcDateTime()),
        _to("ended_by", "staff", nullable=True),
        _text("ended_reason", nullable=True),
    ]


def _span() -> list[sa.Column]:
    return [
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
    ]


def _one_of(column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


ESTATES = ("main", "vulnerable", "young_adult", "women")


def upgrade() -> None:
    op.add_column("resource", sa.Column("confidential", sa.Boolean))
    op.create_table(
        "group_material",
        _id(),
        _to("site_id", "site"),
        _text("topic"),
        _text("title"),
        _text("edition"),
        sa.Column("validated_on", sa.Date, nullable=False),
        sa.Column("valid_until", sa.Date),
        _text("validated_by"),
        *_ends(),
        sa.CheckConstraint("valid_until IS NULL OR validated_on <= valid_until", name="dates"),
    )
    op.create_index("ix_group_material_site_topic", "group_material", ["site_id", "topic"])
    op.create_table(
        "regime_block",
        _id(),
        _to("site_id", "site"),
        sa.Column("weekday", sa.Integer, nullable=False),
        _text("part"),
        sa.Column("starts", sa.Time),
        sa.Column("ends", sa.Time),
        sa.Column("from_on", sa.Date, nullable=False),
        *_ends(),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        sa.CheckConstraint("(starts IS NULL) = (ends IS NULL)", name="both"),
        sa.CheckConstraint("starts IS NULL OR starts < ends", name="times"),
        _one_of("part", "am", "pm"),
    )
    op.create_table(
        "group_facilitator",
        _id(),
        _to("site_id", "site"),
        _to("staff_id", "staff"),
        _text("kind"),
        sa.Column("topics", sa.JSON, nullable=False),
        sa.Column("a_week", sa.Integer),
        *_ends(),
        _one_of("kind", "carat", "clinical"),
        sa.CheckConstraint("a_week IS NULL OR a_week > 0", name="a_week"),
    )
    op.create_table(
        "estate_placement", _id(), _to("reception_id", "reception"), _text("estate"), *_ends(),
        _one_of("estate", *ESTATES),
    )  # fmt: skip
    op.create_table(
        "non_association",
        _id(),
        _to("one_id", "patient"),
        _to("other_id", "patient"),
        _text("level"),
        _text("reason"),
        *_ends(),
        sa.CheckConstraint("one_id < other_id", name="pair"),
        _one_of("level", "cell", "cell_landing", "cell_landing_wing"),
    )
    op.create_index("ix_non_association_other_id", "non_association", ["other_id"])
    op.create_table(
        "group_session",
        _id(),
        _to("site_id", "site"),
        _text("topic"),
        _to("material_id", "group_material"),
        _to("room_id", "resource"),
        _to("carat_id", "staff"),
        _to("clinical_id", "staff"),
        *_span(),
        sa.Column("places", sa.Integer, nullable=False),
        _text("estate"),
        sa.Column("runs_on_bank_holiday", sa.Boolean, nullable=False),
        _text("status"),
        _text("cancelled_because", nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        *_recorded(),
        _one_of("status", "draft", "published", "held", "cancelled"),
        _one_of("estate", *ESTATES),
        sa.CheckConstraint("starts_at < ends_at", name="times"),
        sa.CheckConstraint("places BETWEEN 1 AND 12", name="places"),
        sa.CheckConstraint("carat_id <> clinical_id", name="two_people"),
        sa.CheckConstraint(
            "(status = 'cancelled') = (cancelled_because IS NOT NULL)", name="cancelled"
        ),
    )
    op.create_index("ix_group_session_site_starts", "group_session", ["site_id", "starts_at"])
    op.create_table(
        "group_event",
        _id(),
        _to("session_id", "group_session", index=True),
        _text("verb"),
        sa.Column("at", UtcDateTime(), nullable=False),
        _text("reason", nullable=True),
        sa.Column("state", sa.JSON, nullable=False),
        *_recorded(),
    )
    op.create_table(
        "group_hold",
        _id(),
        _to("session_id", "group_session", index=True),
        _to("resource_id", "resource"),
        _text("needed_as"),
        *_span(),
        sa.Column("released_at", UtcDateTime()),
        sa.CheckConstraint("starts_at < ends_at", name="times"),
    )
    op.create_index("ix_group_hold_resource_starts", "group_hold", ["resource_id", "starts_at"])
    op.create_table(
        "group_seat",
        _id(),
        _to("session_id", "group_session"),
        _to("reception_id", "reception"),
        sa.Column("number", sa.Integer, nullable=False),
        *_span(),
        _text("state"),
        sa.Column("pinned", sa.Boolean, nullable=False),
        _text("released_because", nullable=True),
        sa.Column("released_at", UtcDateTime()),
        _to("released_by", "staff", nullable=True),
        *_recorded(),
        sa.CheckConstraint("number BETWEEN 1 AND 12", name="number"),
        _one_of("state", "offered", "seated", "released"),
        sa.CheckConstraint(
            "(state = 'released') = (released_because IS NOT NULL)", name="released"
        ),
    )
    op.create_index("ix_group_seat_reception_starts", "group_seat", ["reception_id", "starts_at"])
    op.create_table(
        "group_attendance",
        _id(),
        _to("seat_id", "group_seat"),
        _text("outcome"),
        _text("missed_because", nullable=True),
        _to("delivery_id", "delivery", nullable=True),
        *_ends(),
        _one_of("outcome", "attended", "declined", "missed"),
        sa.CheckConstraint("(outcome = 'missed') = (missed_because IS NOT NULL)", name="missed"),
        sa.CheckConstraint("(outcome = 'missed') = (delivery_id IS NULL)", name="delivery"),
    )
    for name, table, columns, where in (
        ("uq_regime_block_standing", "regime_block",
         ["site_id", "weekday", "part", "from_on"], ENDED),
        ("uq_group_facilitator_standing", "group_facilitator", ["site_id", "staff_id"], ENDED),
        ("uq_estate_placement_standing", "estate_placement", ["reception_id"], ENDED),
        ("uq_non_association_standing", "non_association", ["one_id", "other_id"], ENDED),
        ("uq_group_attendance_standing", "group_attendance", ["seat_id"], ENDED),
        ("uq_group_seat_number", "group_seat", ["session_id", "number"], SEATED),
        ("uq_group_seat_person", "group_seat", ["session_id", "reception_id"], SEATED),
    ):  # fmt: skip
        op.create_index(
            name, table, columns, unique=True, sqlite_where=where, postgresql_where=where
        )
    _no_overlap("group_hold_no_overlap", "group_hold", "resource_id", "{row}released_at IS NULL")
    if _postgresql():  # as visits do (queue_for_an_hour): the second waits, and is then refused
        op.execute(
            "CREATE TRIGGER group_hold_queue BEFORE INSERT ON group_hold FOR EACH ROW "
            "WHEN (NEW.released_at IS NULL) EXECUTE FUNCTION visit_hold_queue()"
        )
    _no_overlap("group_seat_no_overlap", "group_seat", "reception_id", "{row}state <> 'released'")
    _guard_seats()


def _no_overlap(name: str, table: str, owner: str, stands: str) -> None:
    """Refuse two standing rows of one owner whose times cross; touching ends do not cross."""
    if _postgresql():
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


GUARDS = (
    ("group_seat_not_on_offer", "NOT EXISTS (" + ON_OFFER + ")"),
    ("group_seat_kept_apart", "EXISTS (" + KEPT_APART + ")"),
)


def _guard_seats() -> None:
    """A seat only where one is on offer, and never beside somebody kept apart.

    On PostgreSQL the trigger named to come first takes the row of the session: whoever takes
    another seat in it waits, and then sees this one. SQLite's writers take turns.
    """
    if _postgresql():
        op.execute(
            "CREATE FUNCTION group_seat_a_queue() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM 1 FROM group_session WHERE id = NEW.session_id FOR UPDATE; "
            "RETURN NEW; END $$"
        )
        _trigger("group_seat_a_queue")
    for name, broken in GUARDS:
        if _postgresql():
            op.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF {broken.format(own='NEW.id')} THEN "
                f"RAISE EXCEPTION '{name}' USING ERRCODE = 'integrity_constraint_violation'; "
                "END IF; RETURN NEW; END $$"
            )
            _trigger(name)
            continue
        for verb, own in (("INSERT", "-1"), ("UPDATE", "NEW.id")):
            op.execute(
                f"CREATE TRIGGER {name}_{verb.lower()} BEFORE {verb} ON group_seat "
                "WHEN NEW.state <> 'released' "
                f"BEGIN SELECT RAISE(ABORT, '{name}') WHERE {broken.format(own=own)}; END"
            )


def _trigger(name: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON group_seat FOR EACH ROW "
        f"WHEN (NEW.state <> 'released') EXECUTE FUNCTION {name}()"
    )


def downgrade() -> None:
    # Guards, indexes and triggers go with their tables.
    for table in (
        "group_attendance", "group_seat", "group_hold", "group_event", "group_session",
        "non_association", "estate_placement", "group_facilitator", "regime_block",
        "group_material",
    ):  # fmt: skip
        op.drop_table(table)
    if _postgresql():
        for name in ("group_seat_a_queue", *(each for each, _ in GUARDS)):
            op.execute(f"DROP FUNCTION {name}()")
    op.drop_column("resource", "confidential")
