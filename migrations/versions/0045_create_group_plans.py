"""Create plans of groups and other commitments; let nobody sit in a group and be at a visit at once."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0045"
down_revision = "0044"

ENDED = sa.text("ended_at IS NULL")
RUNNING = sa.text("state = 'running'")
ADDED = {
    "group_session": {"pinned": "BOOLEAN NOT NULL DEFAULT {no}"},
    "group_event": {"plan_id": "INTEGER REFERENCES group_plan (id)"},
    "group_seat": {
        "plan_id": "INTEGER REFERENCES group_plan (id)",
        "released_by_plan_id": "INTEGER REFERENCES group_plan (id)",
    },
}

# Everybody a person may be known as: joined records, up and down.
MINE = (  # the words put into these are this file's own
    "WITH RECURSIVE mine(id) AS ({patient} UNION SELECT other.id FROM mine "
    "JOIN patient AS me ON me.id = mine.id "
    "JOIN patient AS other ON other.id = me.merged_into_id OR other.merged_into_id = me.id) "
)
WHOSE_SEAT = "SELECT patient_id AS id FROM reception WHERE id = NEW.reception_id"
WHOSE_VISIT = "SELECT NEW.patient_id AS id"
AT_A_VISIT = MINE.format(patient=WHOSE_SEAT) + (  # noqa: S608
    "SELECT 1 FROM visit JOIN mine ON mine.id = visit.patient_id "
    "WHERE visit.status IN ('booked', 'arrived') "
    "AND visit.starts_at < NEW.ends_at AND NEW.starts_at < visit.ends_at"
)
IN_A_GROUP = MINE.format(patient=WHOSE_VISIT) + (  # noqa: S608
    "SELECT 1 FROM group_seat AS seat JOIN reception ON reception.id = seat.reception_id "
    "JOIN mine ON mine.id = reception.patient_id WHERE seat.state <> 'released' "
    "AND seat.starts_at < NEW.ends_at AND NEW.starts_at < seat.ends_at"
)
GUARDS = (  # name, table, which rows, whose they are, what must not be
    ("group_seat_meets_visit", "group_seat", "NEW.state <> 'released'", WHOSE_SEAT, AT_A_VISIT),
    ("visit_meets_group_seat", "visit", "NEW.status = 'booked'", WHOSE_VISIT, IN_A_GROUP),
)
ONE_PERSON = 4_000_000_000  # a key of their own for people, beside those of sites


def _postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def _id() -> sa.Column:
    return sa.Column("id", sa.Integer, primary_key=True)


def _to(column: str, table: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable)


def _at(column: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(column, UtcDateTime(), nullable=nullable)


def _recorded() -> list[sa.Column]:
    return [_at("recorded_at"), _to("recorded_by", "staff")]


def _ends() -> list[sa.Column]:
    return [
        *_recorded(), _at("ended_at", nullable=True), _to("ended_by", "staff", nullable=True),
        sa.Column("ended_reason", sa.String),
    ]  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "commitment", _id(), _to("reception_id", "reception"),
        sa.Column("kind", sa.String, nullable=False), _at("starts_at"), _at("ends_at"), *_ends(),
        sa.CheckConstraint("kind IN ('adjudication', 'visit')", name="kind"),
        sa.CheckConstraint("starts_at < ends_at", name="times"),
    )  # fmt: skip
    op.create_index("ix_commitment_reception_starts", "commitment", ["reception_id", "starts_at"])
    op.create_table(
        "group_plan",
        _id(),
        _to("site_id", "site"),
        _to("wing_id", "wing", nullable=True),
        sa.Column("first_on", sa.Date, nullable=False),
        sa.Column("last_on", sa.Date, nullable=False),
        _to("based_on_id", "group_plan", nullable=True),
        sa.Column("pins", sa.JSON, nullable=False),
        sa.Column("weights", sa.JSON, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        _at("began_at", nullable=True),
        _at("alive_until"),
        _at("ended_at", nullable=True),
        sa.Column("progress", sa.JSON),
        sa.Column("known", sa.JSON),
        sa.Column("result", sa.JSON),
        sa.Column("failed_because", sa.String),
        sa.Column("applied", sa.JSON),
        _at("accepted_at", nullable=True),
        _to("accepted_by", "staff", nullable=True),
        _at("undone_at", nullable=True),
        _to("undone_by", "staff", nullable=True),
        sa.Column("undone_reason", sa.String),
        *_recorded(),
        sa.CheckConstraint(
            "state IN ('running', 'ready', 'failed', 'accepted', 'withdrawn', 'undone')",
            name="state",
        ),
        sa.CheckConstraint(
            "(state IN ('accepted', 'undone')) = (accepted_at IS NOT NULL)", name="accepted"
        ),
        sa.CheckConstraint("(state = 'undone') = (undone_at IS NOT NULL)", name="undone"),
        sa.CheckConstraint("(state = 'failed') = (failed_because IS NOT NULL)", name="failed"),
    )
    op.create_index(
        "uq_group_plan_running", "group_plan", ["site_id"], unique=True, sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )  # fmt: skip
    op.create_index("ix_group_plan_site", "group_plan", ["site_id", "id"])
    op.create_table(
        "group_plan_pin", _id(), _to("plan_id", "group_plan"), _to("reception_id", "reception"),
        sa.Column("session_nth", sa.Integer, nullable=False), *_ends(),
    )  # fmt: skip
    op.create_index(
        "uq_group_plan_pin_standing", "group_plan_pin", ["plan_id", "reception_id", "session_nth"],
        unique=True, sqlite_where=ENDED, postgresql_where=ENDED,
    )  # fmt: skip
    no = "false" if _postgresql() else "0"
    for table, columns in ADDED.items():
        for column, kind in columns.items():
            op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind.format(no=no)}")
            if column != "pinned":
                op.create_index(f"ix_{table}_{column}", table, [column])
    _guard()


def _guard() -> None:
    """Refuse whichever comes second: a seat over a booked visit, or a visit over a seat.

    Each side looks at the other's table, so on PostgreSQL whoever writes for a person first takes
    a lock that is theirs: the other waits, and then sees what was written. SQLite's writers take
    turns. A place only held for a few minutes bars nobody; it meets the guard when it is booked.
    """
    for name, table, which, whose, broken in GUARDS:
        if _postgresql():
            op.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "  # noqa: S608
                f"PERFORM pg_advisory_xact_lock({ONE_PERSON} + (SELECT min(id) FROM ("
                f"{MINE.format(patient=whose)}SELECT id FROM mine) AS same)); "
                f"IF EXISTS ({broken}) THEN "
                f"RAISE EXCEPTION '{name}' USING ERRCODE = 'integrity_constraint_violation'; "
                "END IF; RETURN NEW; END $$"
            )
            op.execute(
                f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW "
                f"WHEN ({which}) EXECUTE FUNCTION {name}()"
            )
            continue
        for verb in ("INSERT", "UPDATE"):
            op.execute(
                f"CREATE TRIGGER {name}_{verb.lower()} BEFORE {verb} ON {table} WHEN {which} "
                f"BEGIN SELECT RAISE(ABORT, '{name}') WHERE EXISTS ({broken}); END"
            )


def downgrade() -> None:
    for name, table, *_ in GUARDS:
        if _postgresql():
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")
            continue
        for verb in ("insert", "update"):
            op.execute(f"DROP TRIGGER {name}_{verb}")
    for table, columns in ADDED.items():
        for column in reversed(columns):
            if column != "pinned":
                op.drop_index(f"ix_{table}_{column}", table)
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    for table in ("group_plan_pin", "group_plan", "commitment"):
        op.drop_table(table)
