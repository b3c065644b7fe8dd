"""What stands on a person's record, by kind: read by the dose check, the task list and the gate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, bindparam, select

from clinic.act import Act
from clinic.assessments.kinds import CONSENT
from clinic.assessments.models import ClinicalEntry

Data = dict[str, Any]


def entries_at(act: Act, records: list[int], known_at: datetime) -> list[ClinicalEntry]:
    """The entries that stood at a moment, in the order things happened."""
    return list(act.session.scalars(_STOOD, {"records": records, "known_at": known_at}))


_STOOD = (
    select(ClinicalEntry)
    .where(
        ClinicalEntry.patient_id.in_(bindparam("records", expanding=True)),
        ClinicalEntry.standing_at(bindparam("known_at")),
    )
    .order_by(ClinicalEntry.happened_at, ClinicalEntry.id)
    .execution_options(populate_existing=True)
)


def signed_outcome(patient_id: Any) -> ScalarSelect[Any]:
    """The outcome in force of a patient's assessment, as part of another question."""
    return (
        select(ClinicalEntry.data)
        .where(
            ClinicalEntry.patient_id == patient_id, ClinicalEntry.kind == "outcome",
            ClinicalEntry.struck_at.is_(None),
        )
        .order_by(ClinicalEntry.happened_at.desc(), ClinicalEntry.id.desc())
        .limit(1)
        .scalar_subquery()
    )  # fmt: skip


class Entries:
    """Standing entries by kind, oldest first; the newest is the one that happened last."""

    def __init__(self, rows: Iterable[ClinicalEntry]) -> None:
        self.rows = list(rows)
        self._by_kind: dict[str, list[ClinicalEntry]] = {}
        for row in self.rows:
            self._by_kind.setdefault(row.kind, []).append(row)

    def all(self, kind: str) -> list[ClinicalEntry]:
        return self._by_kind.get(kind, [])

    def last(self, kind: str, **saying: Any) -> ClinicalEntry | None:
        """The newest of a kind whose fields say this."""
        for row in reversed(self.all(kind)):
            data = row.data
            for name, value in saying.items():
                if data.get(name) != value:
                    break
            else:
                return row
        return None

    def newest(self, kind: str) -> Data:
        rows = self.all(kind)
        return rows[-1].data if rows else {}

    def items(self, item: str) -> list[datetime]:
        """When this part of the assessment was recorded. Consent only while it is given."""
        if item == CONSENT:
            row = self.last(CONSENT)
            return [row.happened_at] if row and row.data["decision"] == "given" else []
        return [row.happened_at for row in self.all("assessment") if row.data["item"] == item]

    def asked(self, topic: str) -> bool:
        return self.last("asked", topic=topic) is not None

    def pregnancy(self) -> Data:
        """Pregnancy as last asked or tested, in the contract's words; {} when neither."""
        told, tested = self.last("medical_history"), self.last("pregnancy_test")
        known: Data = dict((told.data.get("pregnancy") if told else None) or {})
        result = tested.data.get("result") if tested else None
        if tested is None or result not in ("positive", "negative"):
            return known
        if told is None or known.get("status") is None or told.happened_at < tested.happened_at:
            status = "pregnant" if result == "positive" else "not_pregnant"
            known = {**known, "status": status}
            if status != "pregnant":
                known.pop("expected_delivery_on", None)
        return known
