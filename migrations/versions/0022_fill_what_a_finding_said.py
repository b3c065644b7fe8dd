"""Read from each order what its findings said, and write those of the forms already issued."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0022"
down_revision = "0021"

LONDON = ZoneInfo("Europe/London")
TYPES = {
    "answer": sa.JSON, "judged": sa.JSON, "issued_at": UtcDateTime(), "recorded_at": UtcDateTime(),
    "found_on": sa.Date, "saved": sa.Boolean,
}  # fmt: skip
RANK = ("STOP", "ALERT", "INFO")


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(each, TYPES.get(each)) for each in columns))


FINDING = _table(
    "dose_finding", "id", "site_id", "patient_id", "decision_id", "stop_id", "script_id", "found_on",
    "rule", "rule_set", "severity", "saved", "message", "reason_code", "reason", "recorded_at",
    "recorded_by",
)  # fmt: skip


def upgrade() -> None:
    bind = op.get_bind()
    decision = _table("dose_decision", "id", "answer", "reason")
    stop = _table("dose_stop", "id", "answer")
    for table, of in ((decision, FINDING.c.decision_id), (stop, FINDING.c.stop_id)):
        for row in bind.execute(sa.select(table)).mappings().all():
            for each in row["answer"]["findings"]:
                bind.execute(
                    sa.update(FINDING)
                    .where(of == row["id"], FINDING.c.rule == each["rule"])
                    .values(
                        saved=table is decision, message=each["message"],
                        reason=row.get("reason") if each["severity"] == "ALERT" else None,
                    )
                )  # fmt: skip
    script = _table(
        "script", "id", "site_id", "patient_id", "judged", "reason_code", "reason", "issued_at",
        "issued_by",
    )  # fmt: skip
    issued = sa.select(script).where(script.c.issued_at.is_not(None)).order_by(script.c.id)
    for row in bind.execute(issued).mappings().all():
        rows = [
            {
                "site_id": row["site_id"], "patient_id": row["patient_id"], "script_id": row["id"],
                "found_on": row["issued_at"].astimezone(LONDON).date(), "rule": each["rule"],
                "rule_set": rule_set, "severity": each["severity"], "saved": True,
                "message": each["message"],
                "reason_code": row["reason_code"] if each["severity"] == "ALERT" else None,
                "reason": row["reason"] if each["severity"] == "ALERT" else None,
                "recorded_at": row["issued_at"], "recorded_by": row["issued_by"],
            }
            for rule_set, each in _once(row["judged"])
        ]  # fmt: skip
        if rows:
            bind.execute(sa.insert(FINDING), rows)


def _once(judged: Any) -> Iterator[tuple[str, Any]]:
    """Each rule of a form's checks once, as first found."""
    seen = set()
    for check in judged or ():
        for each in check["answer"]["findings"]:
            if each["rule"] not in seen:
                seen.add(each["rule"])
                yield check["answer"]["rule_set"], each


def downgrade() -> None:
    """The columns go with the step before."""
