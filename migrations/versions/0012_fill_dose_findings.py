"""Write the findings of the decisions and stops there already are as rows of their own."""

from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0012"
down_revision = "0011"

LONDON = ZoneInfo("Europe/London")
SHARED = ("site_id", "patient_id", "recorded_at", "recorded_by")
TYPES = {"answer": sa.JSON, "recorded_at": UtcDateTime(), "found_on": sa.Date}


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(each, TYPES.get(each)) for each in columns))


def upgrade() -> None:
    finding = _table(
        "dose_finding", *SHARED, "decision_id", "stop_id", "found_on", "rule", "rule_set", "severity",
        "reason_code",
    )  # fmt: skip
    decision = _table("dose_decision", "id", *SHARED, "answer", "reason_code")
    stop = _table("dose_stop", "id", *SHARED, "answer")
    bind = op.get_bind()
    for table, of in ((decision, "decision_id"), (stop, "stop_id")):
        for row in bind.execute(sa.select(table).order_by(table.c.id)).mappings().all():
            rows = [
                {
                    **{name: row[name] for name in SHARED},
                    "decision_id": None, "stop_id": None, of: row["id"],
                    "found_on": row["recorded_at"].astimezone(LONDON).date(),
                    "rule": each["rule"], "rule_set": row["answer"]["rule_set"],
                    "severity": each["severity"],
                    "reason_code": row.get("reason_code") if each["severity"] == "ALERT" else None,
                }
                for each in row["answer"]["findings"]
            ]  # fmt: skip
            if rows:
                bind.execute(sa.insert(finding), rows)


def downgrade() -> None:
    """The table goes with the step before."""
