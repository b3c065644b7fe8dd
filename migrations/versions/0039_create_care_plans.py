"""Create care plans: versions that are kept, agreements, progress, reviews, events and referrals."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0039"
down_revision = "0038"

KEPT = "care_plan_kept: a version of a care plan is never changed"
TABLES = (
    "care_plan", "care_plan_version", "care_plan_agreement", "care_plan_progress",
    "care_plan_review", "care_plan_event", "care_plan_referral", "clinical_review_input",
)  # fmt: skip


def _to(column: str, table: str, *, nullable: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        column, sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=nullable, index=index
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _one_of(column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _table(name: str, *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer, primary_key=True),
        *columns,
        _at("recorded_at"),
        _to("recorded_by", "staff"),
    )


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool) -> None:
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )  # fmt: skip


def upgrade() -> None:
    _table(
        "care_plan",
        _to("patient_id", "patient", index=True),
        _to("reception_id", "reception", nullable=True),
        _to("site_id", "site"),
        sa.Column("reviewed_on", sa.Date, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        _at("changed_at"),
        _to("changed_by", "staff"),
        _text("changed_what"),
        sa.UniqueConstraint("reception_id"),
    )
    _partial(
        "uq_care_plan_community", "care_plan", ["patient_id"], "reception_id IS NULL", unique=True
    )
    _table(
        "care_plan_version",
        _to("plan_id", "care_plan"),
        sa.Column("number", sa.Integer, nullable=False),
        _text("mark"),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("goals", sa.JSON, nullable=False),
        sa.UniqueConstraint("plan_id", "number"),
        _one_of("mark", "initial", "complete"),
    )
    _table(
        "care_plan_agreement",
        _to("version_id", "care_plan_version"),
        _text("party"),
        _at("agreed_at"),
        _to("agreed_by", "staff", nullable=True),
        _to("delivery_id", "delivery", nullable=True, index=True),
        _at("withdrawn_at", nullable=True),
        _to("withdrawn_by", "staff", nullable=True),
        _text("withdrawn_reason", nullable=True),
        _one_of("party", "patient", "healthcare", "carat"),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name="withdrawn_with_reason"
        ),
    )
    _partial(
        "uq_care_plan_agreement_standing", "care_plan_agreement", ["version_id", "party"],
        "withdrawn_at IS NULL", unique=True,
    )  # fmt: skip
    _table(
        "care_plan_progress",
        _to("plan_id", "care_plan", index=True),
        sa.Column("goal", sa.Integer, nullable=False),
        sa.Column("on", sa.Date, nullable=False),
        _text("state"),
        _text("says"),
        _one_of("state", "not_started", "under_way", "reached", "set_back"),
    )
    _table(
        "care_plan_review",
        _to("plan_id", "care_plan", index=True),
        sa.Column("number", sa.Integer, nullable=False),
        _at("reviewed_at"),
        _text("outcome"),
        sa.Column("by", sa.JSON, nullable=False),
        _text("note", nullable=True),
        _one_of("outcome", "no_change", "new_version"),
    )
    _table(
        "care_plan_event",
        _to("plan_id", "care_plan"),
        _text("code"),
        sa.Column("on", sa.Date, nullable=False),
        _text("note", nullable=True),
        _to("review_id", "care_plan_review", nullable=True),
        _one_of(
            "code", "employment", "housing", "family", "enters_prison", "disengages", "arrested",
            "health", "unrealistic", "hearing", "transfer", "exit", "segregation", "other",
        ),
    )  # fmt: skip
    _partial(
        "ix_care_plan_event_open", "care_plan_event", ["plan_id"], "review_id IS NULL", unique=False
    )
    _table(
        "care_plan_referral",
        _to("plan_id", "care_plan", index=True),
        _text("kind"),
        _text("to_whom"),
        _at("made_at"),
        sa.Column("starts_on", sa.Date),
        _to("delivery_id", "delivery", nullable=True),
        _text("response", nullable=True),
        sa.Column("responded_on", sa.Date),
        _to("responded_by", "staff", nullable=True),
        _one_of(
            "kind", "housing", "childcare", "employment", "finance", "mental_health", "family",
            "cjit", "post_28_programme", "vdt", "mutual_aid", "bme_group", "vsc", "complementary",
            "other",
        ),
        _one_of("response", "accepted", "refused", "waiting"),
        sa.CheckConstraint("(response IS NULL) = (responded_on IS NULL)", name="responded"),
    )  # fmt: skip
    _table(
        "clinical_review_input",
        _to("reception_id", "reception", index=True),
        _text("kind"),
        _text("says", nullable=True),
        sa.Column("complex_needs", sa.Boolean),
        _to("delivery_id", "delivery"),
        _one_of("kind", "attended", "report"),
    )
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER care_plan_version_no_{verb.lower()} BEFORE {verb} "
                f"ON care_plan_version BEGIN SELECT RAISE(ABORT, '{KEPT}'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION care_plan_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{KEPT}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER care_plan_version_no_change BEFORE UPDATE OR DELETE "
            "ON care_plan_version FOR EACH ROW EXECUTE FUNCTION care_plan_refuse()"
        )


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER care_plan_version_no_{verb}")
    else:
        op.execute("DROP TRIGGER care_plan_version_no_change ON care_plan_version")
        op.execute("DROP FUNCTION care_plan_refuse()")
    for table in reversed(TABLES):
        op.drop_table(table)
