"""Create release plans, their facts, the premises they name, their scorings and their flags."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0007"
down_revision = "0006"

STANDING = sa.text("struck_at IS NULL")
OPEN = sa.text("closed_at IS NULL")
RAISED = sa.text("cleared_at IS NULL")
WEEK = sa.text("struck_at IS NULL AND kind = 'hours'")

SECTIONS = (
    "treatment", "release", "possible_earlier", "last_dose", "dose", "prescriber", "appointment",
    "community_prescription", "supply", "pharmacy", "clinic", "destination", "consent",
    "notification", "dose_letter", "naloxone", "overdose_session", "weekend", "court_pack",
    "transfer_information", "arrival", "exit", "engagement",
)  # fmt: skip


def _id() -> sa.Column:
    return sa.Column("id", sa.Integer, primary_key=True)


def _key(name: str, to: str, *, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        name, sa.Integer, sa.ForeignKey(f"{to}.id"), nullable=nullable, index=index or None
    )


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _recorded() -> list[sa.Column]:
    return [_at("recorded_at"), _key("recorded_by", "staff")]


def _struck() -> list[sa.schema.SchemaItem]:
    return [
        _at("struck_at", nullable=True),
        _key("struck_by", "staff", nullable=True),
        sa.Column("struck_reason", sa.String),
        sa.CheckConstraint(
            "(struck_at IS NULL) = (struck_reason IS NULL)", name="struck_with_reason"
        ),
    ]


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _index(
    name: str, table: str, columns: list[str], where: sa.TextClause, *, unique: bool = False
) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    op.create_table(
        "release_plan",
        _id(),
        _key("patient_id", "patient", index=True),
        _key("site_id", "site"),
        _at("opened_at"),
        _key("opened_by", "staff"),
        _at("closed_at", nullable=True),
        _key("closed_by", "staff", nullable=True),
        sa.Column("closed_as", sa.String),
        sa.Column("closed_reason", sa.String),
        sa.Column("version", sa.Integer, nullable=False),
        _at("changed_at"),
        _key("changed_by", "staff"),
        sa.Column("changed_what", sa.String, nullable=False),
        _at("scored_at"),
        _at("next_due_at"),
        sa.Column("release_on", sa.Date),
        sa.Column("left_on", sa.Date),
        _key("destination_site_id", "site", nullable=True),
        sa.Column("may_share", sa.Boolean, nullable=False),
        sa.Column("fault", sa.String),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (closed_reason IS NULL)", name="closed_with_reason"
        ),
        _one_of("closed_as", ("finished", "opened_in_error")),
    )
    _index("uq_release_plan_open", "release_plan", ["patient_id"], OPEN, unique=True)
    _index("ix_release_plan_due", "release_plan", ["next_due_at"], OPEN)
    _index("ix_release_plan_site_open", "release_plan", ["site_id", "release_on"], OPEN)
    _index(
        "ix_release_plan_destination_open", "release_plan",
        ["destination_site_id", "release_on"], OPEN,
    )  # fmt: skip

    op.create_table(
        "premises",
        _id(),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("address", sa.String),
        sa.Column("telephone", sa.String),
        *_recorded(),
        _one_of("kind", ("pharmacy", "clinic")),
    )
    op.create_table(
        "premises_fact",
        _id(),
        _key("premises_id", "premises"),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("on", sa.Date),
        sa.Column("hours", sa.JSON),
        sa.Column("reason", sa.String),
        *_recorded(),
        *_struck(),
        sa.CheckConstraint("(kind = 'hours') = (\"on\" IS NULL)", name="on"),
        _one_of("kind", ("hours", "closure", "opening")),
    )
    _index("uq_premises_fact_week", "premises_fact", ["premises_id"], WEEK, unique=True)
    _index("uq_premises_fact_day", "premises_fact", ["premises_id", "on"], STANDING, unique=True)

    op.create_table(
        "release_fact",
        _id(),
        _key("plan_id", "release_plan", index=True),
        sa.Column("section", sa.String, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("says", sa.JSON, nullable=False),
        _key("premises_id", "premises", nullable=True),
        _key("site_id", "site", nullable=True),
        *_recorded(),
        *_struck(),
        _one_of("section", SECTIONS),
    )
    _index(
        "uq_release_fact_standing", "release_fact", ["plan_id", "section", "place"], STANDING,
        unique=True,
    )  # fmt: skip
    _index("ix_release_fact_premises_standing", "release_fact", ["premises_id"], STANDING)

    op.create_table(
        "release_assessment",
        _id(),
        _key("plan_id", "release_plan", index=True),
        _at("as_at"),
        _at("known_at"),
        _key("scored_by", "staff", nullable=True),
        sa.Column("calendar_version", sa.String, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
    )
    op.create_table(
        "release_flag",
        _id(),
        _key("plan_id", "release_plan", index=True),
        sa.Column("flag", sa.String, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("message", sa.String, nullable=False),
        sa.Column("clears_when", sa.String, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        _at("raised_at"),
        _at("cleared_at", nullable=True),
        _one_of("severity", ("info", "amber", "red", "critical")),
    )
    _index(
        "uq_release_flag_raised", "release_flag", ["plan_id", "flag", "cause"], RAISED, unique=True
    )
    _keep_history()


_KEPT = {
    # trigger: (what it stops, what the database says)
    "release_assessment_update": ("UPDATE ON release_assessment", "a saved assessment is kept"),
    "release_assessment_delete": ("DELETE ON release_assessment", "a saved assessment is kept"),
    "release_fact_delete": ("DELETE ON release_fact", "a fact is struck out, never removed"),
    "release_fact_update": (
        "UPDATE OF plan_id, section, place, says, premises_id, site_id, recorded_at, recorded_by "
        "ON release_fact",
        "a fact is corrected by another, never rewritten",
    ),
}


def _keep_history() -> None:
    if op.get_context().dialect.name == "sqlite":
        for trigger, (stops, says) in _KEPT.items():
            op.execute(
                f"CREATE TRIGGER {trigger} BEFORE {stops} "
                f"BEGIN SELECT RAISE(ABORT, 'release_history: {says}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION release_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'release_history: %', TG_ARGV[0]; END $$"
    )
    for trigger, (stops, says) in _KEPT.items():
        op.execute(
            f"CREATE TRIGGER {trigger} BEFORE {stops} "
            f"FOR EACH ROW EXECUTE FUNCTION release_history('{says}')"
        )


def downgrade() -> None:
    sqlite = op.get_context().dialect.name == "sqlite"
    for trigger, (stops, _) in _KEPT.items():
        table = stops.rpartition(" ON ")[2]
        op.execute(f"DROP TRIGGER {trigger}" + ("" if sqlite else f" ON {table}"))
    if not sqlite:
        op.execute("DROP FUNCTION release_history()")
    for table in (
        "release_flag", "release_assessment", "release_fact", "premises_fact", "premises",
        "release_plan",
    ):  # fmt: skip
        op.drop_table(table)
